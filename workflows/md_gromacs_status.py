"""Where a run of GROMACS is, from its checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from superionic.structures.errors import TrajectoryError
from superionic.workflows import gmx
from superionic.workflows.gromacs_files import (
    COORDINATES,
    INPUTS,
    RUNNER,
    RUNS,
    GromacsStage,
    gromacs_stages,
)
from superionic.workflows.locks import is_locked
from superionic.workflows.md_gromacs import step_of
from superionic.workflows.md_identity import read_run
from superionic.workflows.md_status import JUDGED, MDStatus, StageStatus, judge_log
from superionic.workflows.md_xtc import xtc_frames

if TYPE_CHECKING:
    from pathlib import Path


def gromacs_status(folder: Path) -> MDStatus:
    """Return where a run of GROMACS is.

    Raises
    ------
    RunFolderError
        It is no run folder of GROMACS.
    TheoryError
        There is no ``gmx`` that reads its checkpoints.
    """
    run = read_run(folder, runner=RUNNER)
    plan = gromacs_stages(folder, int(run["production_steps"]))
    program, busy, earlier_done = gmx.find_gmx(), is_locked(folder), True
    found, judged = [], []
    for stage in plan:
        step = step_of(stage, program)
        found.append(_stage(stage, step, run["gromacs"], busy=busy and earlier_done))
        earlier_done = step >= stage.steps
        if stage.name == RUNS[-1]:
            judged += judge_log(stage.log, [n for n in JUDGED if n != "density"])
        elif stage.moves:
            judged += judge_log(stage.log, ["density"])
    return MDStatus(
        str(folder), tuple(found), all(s.state == "done" for s in found), tuple(judged),
        str(plan[-1].trajectory), str(folder / INPUTS / COORDINATES),
    )  # fmt: skip


def _stage(stage: GromacsStage, step: int, version: str, *, busy: bool) -> StageStatus:
    """Return the status of one stage."""
    state: Literal["done", "running", "interrupted", "pending"] = "pending"
    if step >= stage.steps:
        state = "done"
    elif stage.path.is_dir():
        state = "running" if busy else "interrupted"
    record = stage.record
    time_ps = step * stage.timestep_fs * 1e-3
    wall_s = float(record["wall_s"])
    speed = time_ps * 1e-3 / wall_s * 86400.0 if wall_s and stage.moves else None
    return StageStatus(
        stage.name, state, step, stage.steps, time_ps, _frames(stage, step), int(record["starts"]),
        wall_s, speed, f"GROMACS {version}" if record["starts"] else "",
    )  # fmt: skip


def _frames(stage: GromacsStage, step: int) -> int:
    """Return the frames up to the last checkpoint."""
    count = 0
    if stage.trajectory.is_file():
        try:
            for frame in xtc_frames(stage.trajectory):
                count += frame.step <= step
        except TrajectoryError:
            return count  # the frame that is being written
    return count
