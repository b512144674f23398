"""Molecular dynamics in stages and chunks: killed at any time, continued exactly."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from superionic.structures.errors import RunFolderError
from superionic.workflows.locks import is_locked, task_lock
from superionic.workflows.md_engine import Engine, read_state
from superionic.workflows.md_handover import box_for_production, scaled_box
from superionic.workflows.md_identity import claim_run, held_settings, read_run
from superionic.workflows.md_settings import MDSettings, Stage, stages
from superionic.workflows.md_stop import StopRequest, stop_on_signals
from superionic.workflows.md_store import Commit, StageFolder
from superionic.workflows.md_system import MDSystem

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["BATCH_S", "NM", "Progress", "RunEnd", "Watcher", "extend_md", "run_md"]

log = logging.getLogger(__name__)

BATCH_S = 1.0
"""Seconds of work between two looks at signals, about."""
NM = 0.1


@dataclass(frozen=True)
class Progress:
    """Where a run is.

    Attributes
    ----------
    stage : str
        Name of the stage.
    step, target : int
        Steps of the stage made and asked for.
    ns_per_day : float
        Speed of this start.
    left_s : float
        Time left of this stage in seconds.
    platform : str
        Platform of OpenMM.
    """

    stage: str
    step: int
    target: int
    ns_per_day: float
    left_s: float
    platform: str


class Watcher(Protocol):
    """Is told now and then where a run is."""

    def __call__(self, progress: Progress, /) -> None:
        """Show it."""


@dataclass(frozen=True)
class RunEnd:
    """How a call ended.

    Attributes
    ----------
    finished : bool
        Whether all stages are done.
    signal_name : str
        The signal that stopped it; empty otherwise.
    stage : str
        The last stage worked on.
    step : int
        Its committed steps.
    """

    finished: bool
    signal_name: str
    stage: str
    step: int


def stage_folder(folder: Path, number: int, stage: Stage) -> StageFolder:
    """Return the folder of a stage, by its place counted from 1."""
    return StageFolder(folder / f"{number}-{stage.name}")


def run_md(
    folder: Path,
    system: MDSystem,
    settings: MDSettings,
    *,
    steps: int,
    platform: str = "auto",
    watch: Watcher | None = None,
) -> RunEnd:
    """Run all stages that are not finished yet.

    Parameters
    ----------
    folder
        Folder of the run; made if need be. The same call continues or extends what is there.
    system
        What is moved.
    settings
        Settings of the stages.
    steps
        Steps of production in all.
    platform
        A platform of OpenMM, or ``auto`` for the fastest that works. It may change between starts;
        each commit says which it was.
    watch
        Is told the progress about once a second.

    Raises
    ------
    RunFolderError
        The folder is another run's, another process works on it, or the disk is full.
    UnstableRunError
        The run blew up; the last good state is kept.
    """
    if steps < 1:
        raise RunFolderError(f"A production of {steps} steps makes no sense: ask for one at least.")
    folder = folder.expanduser().absolute()
    folder.mkdir(parents=True, exist_ok=True)
    if is_locked(folder):
        raise RunFolderError(f"Another process works on {folder}: wait for it, or stop it first.")
    with task_lock(folder), stop_on_signals() as stop:
        total = claim_run(folder, system, settings, steps=steps)
        return _Runner(folder, system, settings, platform, watch, stop).all(total)


def extend_md(
    folder: Path, *, steps: int, platform: str = "auto", watch: Watcher | None = None
) -> RunEnd:
    """Make the production of a run longer by some steps, and run them.

    Raises
    ------
    RunFolderError
        It is no run folder; and as :func:`run_md`.
    """
    run = read_run(folder)
    if steps < 1:
        raise RunFolderError(f"A run is extended by one step at least, not by {steps}.")
    return run_md(
        folder, MDSystem.load(folder), held_settings(run),
        steps=int(run["production_steps"]) + steps, platform=platform, watch=watch,
    )  # fmt: skip


class _Runner:
    """Works through the stages of one run."""

    def __init__(
        self,
        folder: Path,
        system: MDSystem,
        settings: MDSettings,
        platform: str,
        watch: Watcher | None,
        stop: StopRequest,
    ) -> None:
        self._folder, self._system, self._settings = folder, system, settings
        self._platform, self._watch, self._stop = platform, watch, stop
        self._per_step = 0.0

    def all(self, production_steps: int) -> RunEnd:
        """Run what is left of all stages."""
        before: StageFolder | None = None
        plan = stages(self._settings, production_steps)
        for number, stage in enumerate(plan, start=1):
            files = stage_folder(self._folder, number, stage)
            commit = files.recover() or Commit()
            if commit.step < stage.steps and not self._stop:
                commit = self._stage(stage, files, commit, before)
            if commit.step < stage.steps:
                return RunEnd(False, self._stop.signal_name, stage.name, commit.step)
            before = files
        return RunEnd(True, self._stop.signal_name, plan[-1].name, commit.step)

    def _stage(
        self, stage: Stage, files: StageFolder, commit: Commit, before: StageFolder | None
    ) -> Commit:
        """Run one stage to its end, or until asked to stop."""
        engine = Engine(self._system, stage, platform=self._platform, seed=self._settings.seed)
        self._per_step = 0.0
        commit = replace(commit, starts=commit.starts + 1, platform=engine.platform)
        log.info("Stage %s on %s from step %d.", stage.name, engine.platform, commit.step)
        if stage.kind == "minimise":
            return self._minimise(engine, stage, files, commit)
        if commit.step or commit.state:
            state = (files.path / commit.state).read_text()
        else:
            state, scale = self._handed_over(engine, stage, before)
            commit = replace(commit, box_scale=scale)
        while commit.step < stage.steps and not self._stop:
            commit, state = self._chunk(engine, stage, files, commit, state)
        return commit

    def _minimise(self, engine: Engine, stage: Stage, files: StageFolder, commit: Commit) -> Commit:
        """Go down to a minimum, and commit it as one step."""
        begun = time.monotonic()
        engine.place(
            self._system.positions_ang * NM, self._system.cell_ang * NM,
            temperature_K=stage.first_K,
        )  # fmt: skip
        before, after = engine.minimise()
        log.info("Minimised from %.6g to %.6g kJ/mol.", before, after)
        rows = [(0, 0.0, before, 0.0, 0.0, *engine.row(0)[5:]), (1, 0.0, after, *engine.row(1)[3:])]
        record = replace(commit, step=1, target=1, wall_s=commit.wall_s + time.monotonic() - begun)
        files.commit(
            record, rows=rows, steps=(), state_xml=engine.state_xml(),
            checkpoint=engine.checkpoint(), before=commit,
        )  # fmt: skip
        return files.committed() or record

    def _handed_over(
        self, engine: Engine, stage: Stage, before: StageFolder | None
    ) -> tuple[str, float]:
        """Return the state to start a stage from, and by how much its box was scaled."""
        last = before.committed() if before else None
        if before is None or last is None:
            raise RunFolderError(f"Stage {stage.name} has nothing to start from.")
        state = read_state((before.path / last.state).read_text())
        positions = state.getPositions(asNumpy=True)._value
        cell = state.getPeriodicBoxVectors(asNumpy=True)._value
        scale = box_for_production(before, cell) if stage.name == "production" else 1.0
        if scale != 1.0:
            positions, cell = scaled_box(positions, cell, scale, engine.molecules())
        first = last.step == 1 and stage.name == "warm-up"
        velocities = None if first else state.getVelocities(asNumpy=True)._value
        text = engine.place(positions, cell, velocities=velocities, temperature_K=stage.first_K)
        return text, scale

    def _chunk(
        self, engine: Engine, stage: Stage, files: StageFolder, commit: Commit, state: str
    ) -> tuple[Commit, str]:
        """Run to the end of a chunk, or until asked to stop, and commit."""
        begun = time.monotonic()
        size = self._settings.chunk_steps
        end = min((commit.step // size + 1) * size, stage.steps)
        files.part.unlink(missing_ok=True)
        engine.begin(state, step=commit.step, temperature_K=_temperature(stage, commit.step))
        step, rows, saved = commit.step, [], []
        while step < end and not self._stop:
            count = self._batch(step, end)
            seconds = engine.step(count, at=step)
            self._per_step = 0.5 * (self._per_step or seconds / count) + 0.5 * seconds / count
            step += count
            if step % self._settings.log_steps == 0 or step == end:
                rows.append(engine.row(step))
            if stage.frames and step % self._settings.frame_steps == 0:
                self._save_frame(engine, stage, files, step)
                saved.append(step)
            self._show(stage, step, engine.platform)
        if step == commit.step:
            return commit, state
        if not rows or rows[-1][0] != step:
            engine.row(step)  # looks whether it has blown up
        state = engine.state_xml()
        wall = commit.wall_s + time.monotonic() - begun
        record = replace(commit, step=step, target=stage.steps, wall_s=wall)
        logged = [row for row in rows if row[0] % self._settings.log_steps == 0]
        files.commit(
            record, rows=logged, steps=saved, state_xml=state, checkpoint=engine.checkpoint(),
            before=commit,
        )  # fmt: skip
        return files.committed() or record, state

    def _batch(self, step: int, end: int) -> int:
        """Return how many steps to make before the next look at signals, rows and frames."""
        s = self._settings
        ahead = [every - step % every for every in (s.log_steps, s.frame_steps)]
        quick = int(BATCH_S / self._per_step) if self._per_step else 10
        return max(1, min(*ahead, end - step, max(quick, 1)))

    def _save_frame(self, engine: Engine, stage: Stage, files: StageFolder, step: int) -> None:
        """Add a frame to the part file of this chunk."""
        from superionic.workflows.md_xtc import write_xtc_frame

        positions, cell = engine.frame()
        time_ps = step * stage.timestep_fs * 1e-3
        write_xtc_frame(files.part, positions, cell, time_ps=time_ps, step=step)

    def _show(self, stage: Stage, step: int, platform: str) -> None:
        if self._watch is None or not self._per_step:
            return
        speed = stage.timestep_fs * 1e-6 / self._per_step * 86400.0
        left = (stage.steps - step) * self._per_step
        self._watch(Progress(stage.name, step, stage.steps, speed, left, platform))


def _temperature(stage: Stage, step: int) -> float:
    """Return the temperature of the chunk that begins at a step, in K."""
    return float(np.interp(step, [0, stage.steps], [stage.first_K, stage.last_K]))
