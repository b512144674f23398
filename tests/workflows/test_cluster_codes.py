"""External codes in allocations of their own: cut off at the walltime, and going on."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from ase.build import bulk
from commands import superionic
from fake_slurm import FakeSlurm
from made_castep import write_castep_run
from made_vasp import VaspTags, step, write_vasp_inputs

from superionic.inputs.collect import collect
from superionic.structures.errors import DeckError, TaskFailedError
from superionic.structures.structure import Structure
from superionic.workflows.execution import Run
from superionic.workflows.external import code_of, deck_files, run_deck_task
from superionic.workflows.slurm.config import ClusterConfig
from superionic.workflows.slurm.records import batches_of

HERE = Path(__file__).parent
CODES = {name: f"'{sys.executable}' '{HERE / 'fake_codes.py'}' {name}" for name in
         ("vasp", "castep", "gmx")}  # fmt: skip
CLUSTER = ClusterConfig(poll_s=0.1, grace_s=0.5, codes=CODES)
SALT = Structure.from_ase(bulk("Al", cubic=True))


def wait_for(condition: Callable[[], object], seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def vasp_deck(folder: Path) -> Path:
    write_vasp_inputs(folder, SALT, VaspTags())
    return folder


def castep_deck(folder: Path) -> Path:
    write_castep_run(folder, SALT, [step(SALT, -3.5)], seed="salt")
    (folder / "salt.castep").unlink()
    return folder


def gromacs_deck(folder: Path) -> Path:
    folder.mkdir()
    for name in ("em.mdp", "npt.mdp", "nvt.mdp", "box.gro", "topol.top"):
        (folder / name).write_text(name)
    return folder


def test_runs_go_on_after_their_walltime(tmp_path: Path, slurm: FakeSlurm) -> None:
    slurm.slots = 3
    decks = [vasp_deck(tmp_path / "it's vasp"), castep_deck(tmp_path / "c"),
             gromacs_deck(tmp_path / "g")]  # fmt: skip
    with Run(tmp_path / "run", cluster=CLUSTER):
        futures = [run_deck_task.submit(code_of(d), d, deck_files(d)) for d in decks]
        for future, sign in zip(futures, ("CONTCAR", "salt.check"), strict=False):
            wait_for((future.folder / "work" / sign).exists)
            (batch,) = [b for b in batches_of(tmp_path / "run") if future.key in b.keys]
            slurm.time_out(batch.job(batch.keys.index(future.key)))
        results = [f.result() for f in futures]
    assert [(r.code, r.state, r.starts) for r in results] == [
        ("vasp", "finished", 2), ("castep", "finished", 2), ("gromacs", "finished", 2),
    ]  # fmt: skip
    work = [f.folder / "work" for f in futures]
    assert (work[0] / "POSCAR").read_text() == (work[0] / "CONTCAR").read_text()
    assert (work[0] / "POSCAR.first").read_text() == (decks[0] / "POSCAR").read_text()
    assert (work[0] / "OUTCAR.1").exists()
    assert collect(work[0]).state == collect(work[1]).state == "finished"
    assert (work[2] / "calls").read_text().split("\n")[:-1] == [
        "grompp em.tpr", "mdrun em", "grompp npt.tpr", "mdrun npt",
        "mdrun npt", "grompp nvt.tpr", "mdrun nvt",
    ]  # fmt: skip
    walls = [b.asked.walltime_s or 0 for b in batches_of(tmp_path / "run")]
    assert max(walls) == 2 * min(walls)


def test_a_crash_is_no_result(tmp_path: Path, slurm: FakeSlurm) -> None:
    deck = vasp_deck(tmp_path / "deck")
    cluster = replace(CLUSTER, codes={"vasp": "/no/such/vasp"})
    with Run(tmp_path / "run", cluster=cluster):
        with pytest.raises(TaskFailedError, match=r"Cannot start /no/such/vasp.*\[codes\]"):
            run_deck_task.submit("vasp", deck, deck_files(deck)).result()
        changed = run_deck_task.submit("vasp", deck, (("INCAR", "0"),))
        with pytest.raises(TaskFailedError, match="was changed after"):
            changed.result()


def test_decks_from_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deck = gromacs_deck(tmp_path / "deck")
    monkeypatch.setenv("SUPERIONIC_CODE_GMX", CODES["gmx"])
    words = ["run", deck, "--out", tmp_path / "out", "--no-progress", "--workers", 1, "--json"]
    first = superionic(*words)
    assert first.code == 1
    assert "checkpoint is kept" in first.json[0]["reason"]
    again = superionic(*words)
    assert again.code == 0
    assert again.json[0]["starts"] == 2
    with pytest.raises(DeckError, match="no deck"):
        code_of(tmp_path)
