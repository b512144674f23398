"""Where a run of molecular dynamics is, from what it committed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from superionic.analysis.equilibration import Equilibration, judge_equilibration
from superionic.structures.errors import EvidenceError
from superionic.workflows.locks import is_locked
from superionic.workflows.md_handover import read_log
from superionic.workflows.md_identity import OPENMM, held_settings, read_run, runner_of
from superionic.workflows.md_run import stage_folder
from superionic.workflows.md_settings import Stage, stages
from superionic.workflows.md_store import Commit, StageFolder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

JUDGED = {
    "density": ("density_g_per_cm3", "g/cm3"),
    "potential energy": ("potential_kJ_per_mol", "kJ/mol"),
}


@dataclass(frozen=True)
class StageStatus:
    """Where one stage is.

    Attributes
    ----------
    name : str
        The stage.
    state : {"done", "running", "interrupted", "pending"}
        What it does now.
    step, target : int
        Committed steps, and steps asked for.
    time_ps : float
        Committed time in ps.
    frames : int
        Committed frames.
    starts : int
        Times it was begun or continued.
    wall_s : float
        Time spent on what is committed, in seconds.
    ns_per_day : float or None
        Mean speed.
    platform : str
        Platform of the last commit.
    """

    name: str
    state: Literal["done", "running", "interrupted", "pending"]
    step: int
    target: int
    time_ps: float
    frames: int
    starts: int
    wall_s: float
    ns_per_day: float | None
    platform: str


@dataclass(frozen=True)
class MDStatus:
    """Where a run is.

    Attributes
    ----------
    folder : str
        Its folder.
    stages : tuple of StageStatus
        In order.
    finished : bool
        Whether all are done.
    equilibration : tuple of Equilibration
        Density of the last stage at constant pressure, and potential energy of the production, as
        far as they are long enough to be judged.
    trajectory, topology : str
        Files of the production for an analysis.
    """

    folder: str
    stages: tuple[StageStatus, ...]
    finished: bool
    equilibration: tuple[Equilibration, ...]
    trajectory: str
    topology: str

    @property
    def equilibrated(self) -> bool | None:
        """Whether everything that was judged is equilibrated; None where nothing was."""
        return all(e.equilibrated for e in self.equilibration) if self.equilibration else None


def md_status(folder: Path) -> MDStatus:
    """Return where a run is.

    Raises
    ------
    RunFolderError
        It is no run folder.
    """
    from superionic.workflows.md_system import TOPOLOGY

    path = folder.expanduser().absolute()
    if runner_of(path) != OPENMM:
        from superionic.workflows.md_gromacs_status import gromacs_status

        return gromacs_status(path)
    run = read_run(path)
    plan = stages(held_settings(run), int(run["production_steps"]))
    busy = is_locked(path)
    found, judged = [], []
    earlier_done = True
    for number, stage in enumerate(plan, start=1):
        files = stage_folder(path, number, stage)
        commit = files.committed() or Commit(target=stage.steps)
        begun = files.path.is_dir()
        found.append(_stage(stage, commit, begun=begun, busy=busy and earlier_done))
        earlier_done = commit.step >= stage.steps
        if begun:
            judged.extend(_judged(stage, files))
    return MDStatus(
        str(path), tuple(found), all(s.state == "done" for s in found),
        tuple({e.name: e for e in judged}.values()), str(files.trajectory), str(path / TOPOLOGY),
    )  # fmt: skip


def _stage(stage: Stage, commit: Commit, *, begun: bool, busy: bool) -> StageStatus:
    """Return the status of one stage."""
    state: Literal["done", "running", "interrupted", "pending"] = "pending"
    if commit.step >= stage.steps:
        state = "done"
    elif begun and busy:
        state = "running"
    elif begun:
        state = "interrupted"
    moving = stage.kind != "minimise"
    time_ps = commit.step * stage.timestep_fs * 1e-3 if moving else 0.0
    speed = time_ps * 1e-3 / commit.wall_s * 86400.0 if commit.wall_s and moving else None
    return StageStatus(
        stage.name, state, commit.step, stage.steps, time_ps, commit.frames, commit.starts,
        commit.wall_s, speed, commit.platform,
    )  # fmt: skip


def _judged(stage: Stage, files: StageFolder) -> list[Equilibration]:
    """Judge the density of a stage with barostat, and the energy of the production."""
    names = []
    if stage.name in ("equilibrate", "production") and stage.pressure_bar is not None:
        names.append("density")
    if stage.name == "production":
        names.append("potential energy")
    return judge_log(files.log, names)


def judge_log(log: Path, names: Sequence[str]) -> list[Equilibration]:
    """Judge columns of a log, as far as they are there and long enough."""
    columns = read_log(log) if names else {}
    found = []
    for name in names:
        column, unit = JUDGED[name]
        if column in columns:
            try:
                found.append(judge_equilibration(columns[column], name=name, unit=unit))
            except EvidenceError:
                continue  # too short to be judged
    return found
