"""Runs by GROMACS: killed, stopped, extended, and refused."""

from __future__ import annotations

import os
import shutil
import signal
import stat
from pathlib import Path

import gromacs_box
import numpy as np
import pytest
from commands import refused, superionic

from superionic.structures.errors import (
    DeckError,
    RunFolderError,
    TheoryError,
    UnstableRunError,
)
from superionic.workflows import gmx
from superionic.workflows.gromacs_files import gromacs_stages, holds_gromacs, read_mdp
from superionic.workflows.md_gromacs import extend_gromacs, run_gromacs
from superionic.workflows.md_handover import read_log
from superionic.workflows.md_identity import RUN, runner_of
from superionic.workflows.md_run import Progress
from superionic.workflows.md_status import md_status
from superionic.workflows.md_xtc import xtc_frames

HERE = any(shutil.which(name) for name in gmx.NAMES)
slow = pytest.mark.slow
needs_gmx = pytest.mark.skipif(not HERE, reason="no gmx on this machine")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return gromacs_box.write_inputs(tmp_path_factory.mktemp("gromacs") / "inputs")


def frames_of(folder: Path) -> list[tuple[int, float]]:
    """Steps and times of the production's frames."""
    stage = gromacs_stages(folder, 1)[-1]
    return [(f.step, round(f.time_ps, 5)) for f in xtc_frames(stage.trajectory)]


def expected(steps: int) -> list[tuple[int, float]]:
    every = gromacs_box.FRAME
    return [(k, round(float(np.float32(0.002 * k)), 5)) for k in range(0, steps + 1, every)]


def test_settings_files_are_read(source: Path, tmp_path: Path) -> None:
    assert holds_gromacs(source)
    assert not holds_gromacs(tmp_path)
    shutil.copytree(source, tmp_path / "inputs")
    em, npt, nvt = gromacs_stages(tmp_path, 123)
    assert (em.name, em.moves, em.steps) == ("em", False, 1)
    assert (npt.steps, nvt.steps) == (400, 123)
    assert npt.timestep_fs == nvt.timestep_fs == pytest.approx(2.0)
    assert read_mdp(tmp_path / "inputs" / "nvt.mdp")["gen-vel"] == "no"
    (tmp_path / "inputs" / "nvt.mdp").write_text("integrator = sd ; a remark = none\n")
    with pytest.raises(RunFolderError, match="should name dt in ps"):
        gromacs_stages(tmp_path, 1)


def test_without_gromacs_it_is_said(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TheoryError, match=r"no `gmx` on the search path.*OpenMM"):
        run_gromacs(tmp_path / "md", source, steps=10)
    assert not (tmp_path / "md").exists()


def stand_in(folder: Path, script: str) -> None:
    """Put a shell script in the place of gmx."""
    folder.mkdir(exist_ok=True)
    file = folder / "gmx"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


def test_what_gromacs_complains_of_is_told(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = 'case "$*" in *--version*) echo "GROMACS version:    9999.1"; exit 0;; esac'
    stand_in(
        tmp_path / "bin",
        f'{version}\necho "Fatal error:\nThe box is a teapot\n\nFor more information" >&2; exit 1',
    )
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(DeckError, match=r"refuses the inputs of em.*The box is a teapot"):
        run_gromacs(tmp_path / "md", source, steps=10)
    assert runner_of(tmp_path / "md") == "gromacs"
    stand_in(tmp_path / "bin", f"{version.replace('9999.1', '9999.2')}\nexit 1")
    gmx.gmx_version.cache_clear()
    with pytest.raises(RunFolderError, match=r"made with GROMACS 9999.1, this is 9999.2"):
        run_gromacs(tmp_path / "md", source, steps=10)
    gmx.gmx_version.cache_clear()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Fatal error:\nToo many LINCS warnings (1000)\n\nFor", "Too many LINCS warnings (1000)"),
        ("WARNING 1 [file nvt.mdp]:\n  dt is long.\n\nFatal error:\nx\n\n", "dt is long"),
        ("", "it said nothing"),
    ],
)
def test_complaints(text: str, told: str) -> None:
    assert gmx.complaint(text) == told


def test_options_of_openmm_are_refused(source: Path, tmp_path: Path) -> None:
    said = superionic(
        "md", "run", source, "--steps", 10, "--temperature", 350, "-o", tmp_path / "md"
    )
    assert "--temperature stands in the .mdp files" in refused(said)


@slow
@needs_gmx
def test_a_run_by_gromacs(source: Path, tmp_path: Path) -> None:
    seen: list[Progress] = []
    end = run_gromacs(tmp_path / "md", source, steps=gromacs_box.STEPS, watch=seen.append)
    assert end.finished
    assert frames_of(tmp_path / "md") == expected(gromacs_box.STEPS)
    status = md_status(tmp_path / "md")
    assert status.finished
    assert [s.name for s in status.stages] == ["em", "npt", "nvt"]
    assert status.stages[-1].frames == gromacs_box.STEPS // gromacs_box.FRAME + 1
    assert status.stages[-1].time_ps == pytest.approx(0.002 * gromacs_box.STEPS)
    assert status.stages[-1].platform.startswith("GROMACS")
    log = read_log(tmp_path / "md" / "3-nvt" / "log.csv")
    assert log["step"][-1] == gromacs_box.STEPS
    assert log["temperature_K"].mean() == pytest.approx(400.0, abs=25.0)
    density = read_log(tmp_path / "md" / "2-npt" / "log.csv")["density_g_per_cm3"]
    assert 0.7 < density[-1] < 1.4
    assert all(p.ns_per_day > 0 for p in seen)
    again = run_gromacs(tmp_path / "md", source, steps=gromacs_box.STEPS)
    assert again.finished, "nothing is done twice"
    assert md_status(tmp_path / "md").stages[-1].starts == 1
    assert extend_gromacs(tmp_path / "md", steps=200).finished
    assert frames_of(tmp_path / "md") == expected(gromacs_box.STEPS + 200)
    with pytest.raises(RunFolderError, match="were asked for now"):
        run_gromacs(tmp_path / "md", source, steps=100)


@slow
@needs_gmx
def test_kills_lose_and_double_no_frame(source: Path, tmp_path: Path) -> None:
    steps = 20_000
    kills = gromacs_box.kill_until_done(tmp_path / "md", source, steps=steps, kills=8, seed=4)
    assert kills == 8
    assert frames_of(tmp_path / "md") == expected(steps)
    rows = read_log(tmp_path / "md" / "3-nvt" / "log.csv")["step"]
    assert rows.tolist() == list(range(0, steps + 1, gromacs_box.FRAME))


@slow
@needs_gmx
def test_a_signal_saves_and_leaves(source: Path, tmp_path: Path) -> None:
    def stop(progress: Progress) -> None:
        if progress.stage == "nvt":
            os.kill(os.getpid(), signal.SIGUSR1)

    end = run_gromacs(tmp_path / "md", source, steps=200_000, watch=stop)
    assert (end.finished, end.signal_name, end.stage) == (False, "SIGUSR1", "nvt")
    assert 0 < end.step < 200_000
    assert md_status(tmp_path / "md").stages[-1].state == "interrupted"
    steps = [step for step, _ in frames_of(tmp_path / "md")]
    assert steps == list(range(0, end.step + 1, gromacs_box.FRAME))


@slow
@needs_gmx
def test_other_inputs_are_refused(source: Path, tmp_path: Path) -> None:
    run_gromacs(tmp_path / "md", source, steps=100)
    other = gromacs_box.write_inputs(tmp_path / "other", gromacs_box.Asked(seed=9))
    with pytest.raises(RunFolderError, match=r"npt.mdp is another one; nvt.mdp is another one"):
        run_gromacs(tmp_path / "md", other, steps=100)
    said = superionic("md", "extend", tmp_path / "md", "--steps", 10, "--platform", "CPU")
    assert "Platforms are those of OpenMM" in refused(said)
    told = superionic("md", "status", tmp_path / "md", "--json").json
    assert told["finished"]
    assert Path(told["topology"]).name == "box.gro"
    (tmp_path / "md" / RUN).unlink()
    with pytest.raises(RunFolderError, match="give the run an empty folder"):
        run_gromacs(tmp_path / "md", source, steps=100)


@slow
@needs_gmx
def test_a_wild_time_step_keeps_the_last_checkpoint(source: Path, tmp_path: Path) -> None:
    shutil.copytree(source, tmp_path / "wild")
    for name in ("npt", "nvt"):
        file = tmp_path / "wild" / f"{name}.mdp"
        text = file.read_text().replace("= 0.002", "= 0.02").replace("h-bonds", "none")
        file.write_text(text)
    with pytest.raises((UnstableRunError, DeckError), match=r"time step|dt"):
        run_gromacs(tmp_path / "md", tmp_path / "wild", steps=20_000)
    assert (tmp_path / "md" / "1-em" / "run.gro").is_file()
