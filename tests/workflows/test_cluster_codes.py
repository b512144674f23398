"""External codes in allocations of their own: cut off at the walltime, and going on."""

from __future__ import annotations

import json
import re
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from commands import superionic
from fake_slurm import FakeSlurm
from made_castep import write_castep_run
from made_vasp import VaspTags, step, write_vasp_inputs

from superionic.inputs.collect import collect
from superionic.inputs.deck import Deck
from superionic.inputs.decks import write_deck
from superionic.inputs.dft import DFTSpec, KGrid, Relaxation
from superionic.inputs.gpaw.options import GpawOptions
from superionic.inputs.outputs.records import CollectedRun
from superionic.structures.errors import DeckError, TaskFailedError
from superionic.structures.io import read_structure
from superionic.structures.structure import Structure
from superionic.workflows.execution import Run
from superionic.workflows.external import DECK_JOBS, ExternalRun, code_of, deck_files
from superionic.workflows.external_restart import Course, prepare_restart, read_course
from superionic.workflows.futures import TaskFuture
from superionic.workflows.runfolder import load_result, read_run
from superionic.workflows.slurm.config import ClusterConfig, Ladder
from superionic.workflows.slurm.records import batches_of
from superionic.workflows.slurm.supervise import START_TIME
from superionic.workflows.walltime import WALLTIME

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


def vasp_deck(folder: Path, tags: VaspTags | None = None, **need: int) -> Path:
    write_vasp_inputs(folder, SALT, tags or VaspTags())
    (folder / "need.json").write_text(json.dumps(need))
    return folder


def castep_deck(folder: Path, param: str = "", **need: int) -> Path:
    write_castep_run(folder, SALT, [step(SALT, -3.5)], seed="salt")
    (folder / "salt.castep").unlink()
    with (folder / "salt.param").open("a") as stream:
        stream.write(param)
    (folder / "need.json").write_text(json.dumps(need))
    return folder


def gromacs_deck(folder: Path) -> Path:
    folder.mkdir()
    for name in ("em.mdp", "npt.mdp", "nvt.mdp", "box.gro", "topol.top"):
        (folder / name).write_text(name)
    return folder


def submit(deck: Path) -> TaskFuture[ExternalRun]:
    code = code_of(deck)
    return DECK_JOBS[code].submit(code, deck, deck_files(deck))


def test_runs_go_on_after_their_walltime(tmp_path: Path, slurm: FakeSlurm) -> None:
    slurm.slots = 3
    decks = [vasp_deck(tmp_path / "it's vasp", hang=1), castep_deck(tmp_path / "c", hang=1),
             gromacs_deck(tmp_path / "g")]  # fmt: skip
    with Run(tmp_path / "run", cluster=CLUSTER):
        futures = [submit(d) for d in decks]
        for future, sign in zip(futures, ("CONTCAR", "salt.check"), strict=False):
            wait_for((future.folder / "work" / sign).exists)
            (batch,) = [b for b in batches_of(tmp_path / "run") if future.key in b.keys]
            slurm.time_out(batch.job(batch.keys.index(future.key)))
        results = [f.result() for f in futures]
    assert [(r.code, r.state, r.starts) for r in results] == [
        ("vasp", "finished", 2), ("castep", "finished", 2), ("gromacs", "finished", 2),
    ]  # fmt: skip
    work = [f.folder / "work" for f in futures]
    moved = read_structure(work[0] / "POSCAR").positions - SALT.positions
    assert moved == pytest.approx(np.full_like(moved, 0.01), abs=1e-6)
    assert (work[0] / "POSCAR.first").read_text() == (decks[0] / "POSCAR").read_text()
    assert (work[0] / "OUTCAR.1").exists()
    assert collect(work[0]).state == collect(work[1]).state == "finished"
    assert (work[2] / "calls").read_text().split("\n")[:-1] == [
        "grompp em.tpr", "mdrun em", "grompp npt.tpr", "mdrun npt",
        "mdrun npt", "grompp nvt.tpr", "mdrun nvt",
    ]  # fmt: skip
    walls = [b.asked.walltime_s or 0 for b in batches_of(tmp_path / "run")]
    assert max(walls) == 2 * min(walls)


@pytest.mark.slow
def test_steps_that_were_used_up_climb_the_ladder(tmp_path: Path, slurm: FakeSlurm) -> None:
    """Ions go on from their last geometry, electrons with more cycles and a sturdier minimiser."""
    slurm.slots = 4
    relax = VaspTags(NSW=4, IBRION=2, NELM=40)
    decks = [
        vasp_deck(tmp_path / "v ions", relax, ions=10),
        vasp_deck(tmp_path / "v electrons", relax, electrons=100, ions=2),
        castep_deck(tmp_path / "c ions", "geom_max_iter : 10\n", ions=25),
        castep_deck(tmp_path / "c electrons", "Max_SCF_Cycles = 20 ! few\n", electrons=70),
    ]
    with Run(tmp_path / "run", cluster=CLUSTER):
        results = [f.result() for f in [submit(d) for d in decks]]
    assert [r.rungs for r in results] == [
        ("went on from the last geometry",) * 2,
        ("NELM 40 -> 80", "NELM 80 -> 160", "ALGO as by default -> All"),
        ("geom_max_iter 10 -> 20", "geom_max_iter 20 -> 30"),
        ("max_scf_cycles 20 -> 40", "max_scf_cycles 40 -> 80",
         "metals_method as by default -> EDFT"),
    ]  # fmt: skip
    assert {(r.state, r.starts) for r in results} == {("finished", 3)}
    walls = {b.asked.walltime_s for b in batches_of(tmp_path / "run")}
    assert len(walls) == 1


def test_the_ladder_has_an_end_and_resume_goes_on(tmp_path: Path, slurm: FakeSlurm) -> None:
    deck = vasp_deck(tmp_path / "deck", VaspTags(NSW=2, IBRION=2), ions=5)
    cluster = replace(CLUSTER, retries=Ladder(convergence=1))
    with Run(tmp_path / "run", cluster=cluster):
        future = submit(deck)
        with pytest.raises(TaskFailedError, match=r"\(unconverged\).*all NSW = 2 ionic steps"):
            future.result()
    (record,) = read_run(tmp_path / "run")
    assert record.state == "unconverged"
    with Run(tmp_path / "run", cluster=cluster):
        assert submit(deck).result().starts == 3
    assert len(slurm.calls) == 3


@pytest.mark.parametrize(
    ("incar", "number", "expected"),
    [
        ("NELM = 40 ! few\nALGO=Fast\n", 1, ("NELM = 80", "ALGO = Normal")),
        ("ALGO = All\n", 2, ("NELM = 240", "ALGO = All")),
        ("# NELM = 5\nALGO : x", 2, ("# NELM = 5", "NELM = 240", "ALGO = All")),
    ],
)
def test_rungs_for_electrons(
    tmp_path: Path, incar: str, number: int, expected: tuple[str, ...]
) -> None:
    write_vasp_inputs(tmp_path, SALT, VaspTags())
    (tmp_path / "INCAR").write_text(incar)
    course = Course(starts=1)
    for _ in range(number):
        course = prepare_restart("vasp", tmp_path, replace(course, ended="electrons"))
    told = (tmp_path / "INCAR").read_text()
    assert told.count("NELM = ") == 1 + incar.count("#")
    assert all(line in told for line in expected)
    assert course.electrons == number
    course.write(tmp_path)
    assert read_course(tmp_path) == course


def test_molecular_dynamics_makes_what_is_missing(tmp_path: Path) -> None:
    write_vasp_inputs(tmp_path, SALT, VaspTags(NSW=100, IBRION=0))
    rows = "".join(f"   {k} T=  300. E= -.1E+02\nDAV: 1\n" for k in range(1, 31))
    (tmp_path / "OSZICAR").write_text(rows)
    (tmp_path / "CONTCAR").write_text((tmp_path / "POSCAR").read_text()[:100])  # cut off
    before = (tmp_path / "POSCAR").read_text()
    prepare_restart("vasp", tmp_path, Course(starts=1))
    assert "NSW = 70\n" in (tmp_path / "INCAR").read_text()
    assert (tmp_path / "POSCAR").read_text() == before
    assert (tmp_path / "OSZICAR.1").exists()


def test_gpaw_goes_on_from_its_trajectory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its script with EMT in GPAW's place, three steps at a time."""
    engine = tmp_path / "engine"
    (engine / "gpaw").mkdir(parents=True)
    (engine / "gpaw/__init__.py").write_text(
        "from ase.calculators.emt import EMT\n"
        "class KohnShamConvergenceError(RuntimeError):\n    pass\n"
        "class GPAW(EMT):\n    def __init__(self, txt, **settings):\n"
        "        open(txt, 'w').write('running')\n        super().__init__()\n"
    )
    (engine / "gpaw/convergence_criteria.py").write_text(
        "class Energy:\n    def __init__(self, *args, **kwargs):\n        pass\n"
    )
    monkeypatch.setenv("SUPERIONIC_CODE_GPAW", f"env PYTHONPATH='{engine}' {sys.executable}")
    atoms = bulk("Al", cubic=True)
    atoms.rattle(0.1, seed=3)
    relax = Relaxation(force_eV_per_A=0.02, max_steps=3, optimiser="bfgs")
    spec = DFTSpec("pbe", 350.0, kgrid=KGrid((1, 1, 1)), relax=relax)
    deck = write_deck(Deck(spec, (Structure.from_ase(atoms),), GpawOptions()), tmp_path / "deck")
    forces: list[float] = []
    for _ in range(10):
        with Run(tmp_path / "run", workers=1):
            future = submit(deck)
            if future.exception() is None:
                break
        left = collect(future.folder / "work")
        assert isinstance(left, CollectedRun)
        assert left.fmax_eV_per_A is not None
        forces.append(left.fmax_eV_per_A)
    done = load_result(future.folder)
    assert done.starts == len(forces) + 1 > 2
    assert done.rungs == ("went on from the last geometry",) * len(forces)
    assert forces[-1] < forces[0]
    assert (future.folder / "work/images.extxyz.first").exists()


def test_a_crash_is_no_result(tmp_path: Path, slurm: FakeSlurm) -> None:
    deck = vasp_deck(tmp_path / "deck")
    cluster = replace(CLUSTER, codes={"vasp": "/no/such/vasp"})
    with Run(tmp_path / "run", cluster=cluster):
        with pytest.raises(TaskFailedError, match=r"Cannot start /no/such/vasp.*\[codes\]"):
            submit(deck).result()
        changed = DECK_JOBS["vasp"].submit("vasp", deck, (("INCAR", "0"),))
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


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("gmx") is None, reason="no gmx on this machine")
def test_gromacs_itself_goes_on_after_its_walltime(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first allocation is too short for production; the next one appends to its files."""
    from small_boxes import salt_box

    from superionic.inputs.forcefield import assign_parameters
    from superionic.inputs.gromacs import write_gromacs
    from superionic.inputs.md_options import MDOptions

    box = assign_parameters(salt_box(glymes=2), charge_scale=0.8)
    deck = write_gromacs(box, tmp_path / "deck", MDOptions())
    (deck / "npt.mdp").unlink()
    mdp = re.sub(r"(?m)^nsteps .*", "nsteps = 60000", (deck / "nvt.mdp").read_text())
    (deck / "nvt.mdp").write_text(mdp)
    monkeypatch.setenv("SUPERIONIC_CODE_GMX", "gmx")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    for walltime in (9, 600):
        monkeypatch.setenv(START_TIME, str(time.time()))
        monkeypatch.setenv(WALLTIME, str(walltime))
        with Run(tmp_path / "run", workers=1):
            future = submit(deck)
            error = future.exception()
        assert (error is None) == (walltime == 600)
        assert error is None or "TimeoutError" in str(error)
    assert load_result(future.folder).starts == 2
    log = (future.folder / "work/nvt.log").read_text()
    assert log.count("Started mdrun") == 2
    assert "Restarting from checkpoint, appending to previous log file." in log
    assert re.search(r"(?m)^ +60000 +", log)
