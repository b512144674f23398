"""`superionic md run`, `md extend` and `md status`."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from superionic.structures.errors import RunFolderError
from superionic.workflows.commands.console import Cell, emit_json, emit_table, note, plain, say
from superionic.workflows.context import current_context
from superionic.workflows.md_stop import LEFT_EARLY
from superionic.workflows.progress import format_seconds, report_progress

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from superionic.workflows.md_run import Progress, RunEnd
    from superionic.workflows.md_settings import MDSettings
    from superionic.workflows.md_status import MDStatus
    from superionic.workflows.md_system import MDSystem

RUN_FOLDER = "md"
CHUNK_STEPS = {"CUDA": 250_000, "HIP": 250_000, "OpenCL": 250_000}
"""Steps of a chunk on devices, about; elsewhere 25000."""


@dataclass(frozen=True)
class MDRequest:
    """What a run is asked for; None leaves a setting to what fits the system."""

    steps: int
    temperature_K: float
    pressure_bar: float | None
    timestep_fs: float | None
    anneal_K: float | None
    anneal_steps: int
    equilibrate_steps: int
    production: str
    frame_steps: int
    chunk_steps: int | None
    seed: int
    platform: str


def run(
    folder: Path, request: MDRequest, *, out: Path | None, progress: bool, as_json: bool
) -> None:
    """Run molecular dynamics of the system in a folder."""
    from superionic.workflows.md_identity import RUN
    from superionic.workflows.md_run import run_md
    from superionic.workflows.md_system import MDSystem

    source = folder.expanduser()
    if not source.is_dir():
        raise RunFolderError(f"There is no folder {folder}.")
    target = (out or source / RUN_FOLDER).expanduser()
    system = MDSystem.load(source)
    settings = _settings(system, request, target if (target / RUN).is_file() else None)
    watch = _watcher(progress=progress)
    end = run_md(
        target, system, settings, steps=request.steps, platform=request.platform, watch=watch
    )
    _leave(end, target, as_json=as_json)


def run_gromacs(
    folder: Path, steps: int, *, out: Path | None, progress: bool, as_json: bool
) -> None:
    """Run molecular dynamics of the inputs of GROMACS in a folder."""
    from superionic.workflows import md_gromacs

    source = folder.expanduser()
    if not source.is_dir():
        raise RunFolderError(f"There is no folder {folder}.")
    target = (out or source / RUN_FOLDER).expanduser()
    watch = _watcher(progress=progress)
    end = md_gromacs.run_gromacs(target, source, steps=steps, watch=watch)
    _leave(end, target, as_json=as_json)


def choose_runner(folder: Path, wanted: str, given: Sequence[str]) -> str:
    """Return which program runs the system in a folder.

    Parameters
    ----------
    folder
        With `system.xml`, or with inputs of GROMACS.
    wanted
        ``openmm``, ``gromacs``, or ``auto``: the one that the folder is for, OpenMM where both are.
    given
        Options on the command line that OpenMM alone takes.

    Raises
    ------
    RunFolderError
        Such options for GROMACS, whose files hold these settings.
    """
    from superionic.workflows.gromacs_files import RUNNER, holds_gromacs
    from superionic.workflows.md_identity import OPENMM
    from superionic.workflows.md_system import SYSTEM_XML

    source, runner = folder.expanduser(), wanted
    if runner == "auto":
        plain = holds_gromacs(source) and not (source / SYSTEM_XML).is_file()
        runner = RUNNER if plain else OPENMM
    if runner == RUNNER and given:
        raise RunFolderError(
            f"For GROMACS {', '.join(given)} stands in the .mdp files: write them with "
            "`superionic inputs gromacs`, or edit them; only --steps is taken here."
        )
    return runner


def extend(folder: Path, steps: int, *, platform: str, progress: bool, as_json: bool) -> None:
    """Make the production of a run longer."""
    from superionic.workflows.gromacs_files import RUNNER
    from superionic.workflows.md_gromacs import extend_gromacs
    from superionic.workflows.md_identity import runner_of
    from superionic.workflows.md_run import extend_md

    target = _run_folder(folder)
    watch = _watcher(progress=progress)
    if runner_of(target) == RUNNER:
        if platform != "auto":
            raise RunFolderError("Platforms are those of OpenMM; this is a run of GROMACS.")
        end = extend_gromacs(target, steps=steps, watch=watch)
    else:
        end = extend_md(target, steps=steps, platform=platform, watch=watch)
    _leave(end, target, as_json=as_json)


def status(folder: Path, *, as_json: bool) -> None:
    """Say where a run is."""
    from superionic.workflows.md_status import md_status

    found = md_status(_run_folder(folder))
    if as_json:
        emit_json({**plain(found), "equilibrated": found.equilibrated})
    else:
        _show(found)


def _run_folder(folder: Path) -> Path:
    """Return the folder of a run, or the one inside the folder of a box."""
    from superionic.workflows.md_identity import RUN

    path = folder.expanduser()
    inner = path / RUN_FOLDER
    return inner if not (path / RUN).is_file() and (inner / RUN).is_file() else path


def _settings(system: MDSystem, request: MDRequest, known: Path | None) -> MDSettings:
    """Return settings with what was left open filled in: as in the run that is there, or fitting.

    The size of chunks depends on the platform, so that the one a run began with is kept.
    """
    from superionic.workflows.md_identity import held_settings, read_run
    from superionic.workflows.md_settings import MDSettings
    from superionic.workflows.md_system import read_system, usual_timestep_fs

    before = held_settings(read_run(known)) if known is not None else None
    timestep = request.timestep_fs
    if timestep is None:
        timestep = usual_timestep_fs(read_system(system.system_xml))
    chunk = request.chunk_steps
    if chunk is None:
        chunk = before.chunk_steps if before else _chunk_steps(request)
    return MDSettings(
        temperature_K=request.temperature_K,
        pressure_bar=request.pressure_bar,
        timestep_fs=timestep,
        anneal_K=request.anneal_K or 1.5 * request.temperature_K,
        anneal_steps=request.anneal_steps,
        equilibrate_steps=request.equilibrate_steps,
        production="npt" if request.production == "npt" else "nvt",
        frame_steps=request.frame_steps,
        log_steps=request.frame_steps,
        chunk_steps=chunk,
        seed=request.seed,
    )


def _chunk_steps(request: MDRequest) -> int:
    """Return a multiple of the steps between frames that takes minutes."""
    import openmm

    known = {
        openmm.Platform.getPlatform(k).getName() for k in range(openmm.Platform.getNumPlatforms())
    }
    wanted = known if request.platform == "auto" else {request.platform}
    about = max([CHUNK_STEPS[name] for name in wanted if name in CHUNK_STEPS], default=25_000)
    return max(about // request.frame_steps, 1) * request.frame_steps


def _watcher(*, progress: bool) -> _Shown | None:
    """Return what shows progress, if anybody looks."""
    return _Shown() if progress or current_context() is not None else None


class _Shown:
    """Shows progress: in place on a terminal, in a task by its file, else a line now and then."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._told = 0.0
        self._stage = ""

    def __call__(self, progress: Progress) -> None:
        """Show where a run is, if it is time."""
        now = time.monotonic()
        due = now - self._told >= (0.5 if self._terminal else 20.0)
        if not due and progress.stage == self._stage:
            return
        if self._terminal and self._stage and progress.stage != self._stage:
            note("")
        self._told, self._stage = now, progress.stage
        if current_context() is not None:
            report_progress(
                step=progress.step, total=progress.target,
                message=f"{progress.stage}, {progress.ns_per_day:.3g} ns/day",
            )  # fmt: skip
            return
        line = (
            f"{progress.stage}: {progress.step}/{progress.target} steps "
            f"({100 * progress.step / progress.target:.0f} %), {progress.ns_per_day:.3g} ns/day on "
            f"{progress.platform}, about {format_seconds(progress.left_s)} left"
        )
        if self._terminal:
            sys.stderr.write(f"\r\x1b[K{line}")
            sys.stderr.flush()
        else:
            note(line)


def _leave(end: RunEnd, folder: Path, *, as_json: bool) -> None:
    """Say where the run is, and leave with the exit code that goes with it."""
    from superionic.workflows.md_status import md_status

    found = md_status(folder)
    if as_json:
        emit_json(
            {**plain(found), "equilibrated": found.equilibrated, "stopped_by": end.signal_name}
        )
    else:
        _show(found)
    if not end.finished:
        note(
            f"stopped by {end.signal_name} in stage {end.stage} after {end.step} steps, all saved: "
            "run the same command again to go on."
        )
        raise typer.Exit(LEFT_EARLY)


def _show(found: MDStatus) -> None:
    """Write the stages and what was judged."""
    rows: list[list[Cell]] = [
        [s.name, s.state, s.step, s.target, s.time_ps, s.frames, s.starts, s.ns_per_day,
         s.platform or None]
        for s in found.stages
    ]  # fmt: skip
    emit_table(
        ["stage", "state", "steps", "of", "ps", "frames", "starts", "ns/day", "platform"], rows
    )
    for judged in found.equilibration:
        word = "equilibrated" if judged.equilibrated else "not equilibrated"
        say(
            f"{judged.name}: {word}, {judged.mean:.6g} +- {judged.standard_error:.2g} "
            f"{judged.unit}; {judged.reason}"
        )
    say(f"trajectory {found.trajectory}")
    say(f"topology   {found.topology}")
