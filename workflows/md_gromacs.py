"""Molecular dynamics by GROMACS: the files of `superionic inputs gromacs`, run and continued.

Minimisation, constant pressure if there is a file for it, and production, each in a folder of its
own. GROMACS itself appends exactly: it cuts trajectory, energies and log back to the checkpoint
that it goes on from, so that no frame is lost or doubled.
"""

from __future__ import annotations

import contextlib
import re
import signal
import time
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.errors import DeckError, RunFolderError, TheoryError, UnstableRunError
from superionic.structures.io import write_text_atomic
from superionic.workflows import gmx
from superionic.workflows.gromacs_files import (
    COORDINATES,
    INPUTS,
    RUNNER,
    TOPOLOGY,
    GromacsStage,
    claim_gromacs,
    gromacs_stages,
    read_mdp,
)
from superionic.workflows.locks import is_locked, task_lock
from superionic.workflows.md_identity import read_run
from superionic.workflows.md_run import Progress, RunEnd, Watcher
from superionic.workflows.md_stop import StopRequest, stop_on_signals

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["CHECKPOINT_MIN", "extend_gromacs", "run_gromacs"]

CHECKPOINT_MIN = 5.0
"""Minutes between checkpoints: what SIGKILL can cost."""

_COLUMNS = {
    "potential_kJ_per_mol": ("Potential", 1.0),
    "kinetic_kJ_per_mol": ("Kinetic-En.", 1.0),
    "temperature_K": ("Temperature", 1.0),
    "volume_ang3": ("Volume", 1e3),
    "density_g_per_cm3": ("Density", 1e-3),
}
"""Columns of our log by the term of GROMACS and its unit in ours."""
_BLOWN_UP = re.compile(r"LINCS|not finite|\bnan\b|range check|too large|blow", re.IGNORECASE)
_FULL = re.compile(r"No space left|quota exceeded|file too large|input/output error", re.IGNORECASE)
_STOPPED = "signal, stopping within"
"""What GROMACS says when it was asked to leave; its exit code is then 1."""
_LOGGED = re.compile(r"^\s+(\d+)\s+\d+\.\d+\s*$", re.MULTILINE)


def run_gromacs(
    folder: Path,
    source: Path,
    *,
    steps: int,
    watch: Watcher | None = None,
    checkpoint_min: float = CHECKPOINT_MIN,
) -> RunEnd:
    """Run what is not finished yet with GROMACS.

    Parameters
    ----------
    folder
        Folder of the run; made if need be. The same call continues or extends what is there.
    source
        Folder with ``box.gro``, ``topol.top``, ``em.mdp``, ``nvt.mdp`` and perhaps ``npt.mdp``.
    steps
        Steps of production in all, whatever ``nvt.mdp`` says.
    watch
        Is told the progress about once a second.
    checkpoint_min
        Minutes between checkpoints.

    Raises
    ------
    TheoryError
        There is no ``gmx``.
    DeckError
        GROMACS refuses the inputs.
    RunFolderError
        The folder is another run's, another process works on it, or the disk is full.
    UnstableRunError
        The run blew up; the last checkpoint is kept.
    """
    if steps < 1:
        raise RunFolderError(f"A production of {steps} steps makes no sense: ask for one at least.")
    program = gmx.find_gmx()
    folder = folder.expanduser().absolute()
    folder.mkdir(parents=True, exist_ok=True)
    if is_locked(folder):
        raise RunFolderError(f"Another process works on {folder}: wait for it, or stop it first.")
    with task_lock(folder), stop_on_signals() as stop:
        version = gmx.gmx_version(program)
        total = claim_gromacs(folder, source.expanduser(), version, steps=steps)
        return _Runner(folder, program, watch, stop, checkpoint_min).all(total)


def extend_gromacs(folder: Path, *, steps: int, watch: Watcher | None = None) -> RunEnd:
    """Make the production of a run longer by some steps, and run them.

    Raises
    ------
    RunFolderError
        It is no run folder of GROMACS; and as :func:`run_gromacs`.
    """
    run = read_run(folder, runner=RUNNER)
    if steps < 1:
        raise RunFolderError(f"A run is extended by one step at least, not by {steps}.")
    total = int(run["production_steps"]) + steps
    return run_gromacs(folder, folder / INPUTS, steps=total, watch=watch)


def step_of(stage: GromacsStage, program: str) -> int:
    """Return the step that a stage goes on from; that of a minimisation is 1 at its end."""
    if not stage.moves:
        return int((stage.path / "run.gro").is_file())
    saved = stage.checkpoint
    return 0 if saved is None else gmx.checkpoint_step(program, saved)


class _Runner:
    """Works through the stages of one run."""

    def __init__(
        self,
        folder: Path,
        program: str,
        watch: Watcher | None,
        stop: StopRequest,
        checkpoint_min: float,
    ) -> None:
        self._folder, self._program, self._watch, self._stop = folder, program, watch, stop
        self._checkpoint_min = checkpoint_min

    def all(self, production_steps: int) -> RunEnd:
        """Run what is left of all stages."""
        before: GromacsStage | None = None
        plan = gromacs_stages(self._folder, production_steps)
        step = 0
        for stage in plan:
            step = step_of(stage, self._program)
            if step < stage.steps and not self._stop:
                step = self._stage(stage, before)
            if step < stage.steps:
                return RunEnd(False, self._stop.signal_name, stage.name, step)
            before = stage
        return RunEnd(True, self._stop.signal_name, plan[-1].name, step)

    def _stage(self, stage: GromacsStage, before: GromacsStage | None) -> int:
        """Run one stage to its end, or until asked to stop; return its step."""
        stage.path.mkdir(exist_ok=True)
        self._prepare(stage, before)
        stage.note(starts=stage.record["starts"] + 1)
        begun = time.monotonic()
        self._mdrun(stage)
        if not stage.moves and not self._stop:
            (stage.path / "part.gro").replace(stage.path / "run.gro")
        stage.note(wall_s=stage.record["wall_s"] + time.monotonic() - begun)
        self._log(stage)
        return step_of(stage, self._program)

    def _prepare(self, stage: GromacsStage, before: GromacsStage | None) -> None:
        """Write the run's input, or one of more steps; leave what is there otherwise."""
        target, part = stage.path / "run.tpr", stage.path / "part.tpr"
        if target.is_file() and stage.record["steps"] == stage.steps:
            return
        if target.is_file() and stage.checkpoint is not None:
            words = ["convert-tpr", "-s", "run.tpr", "-o", part.name, "-nsteps", str(stage.steps)]
        else:
            settings = read_mdp(self._folder / INPUTS / f"{stage.name}.mdp")
            if stage.moves:
                settings["nsteps"] = str(stage.steps)
            text = "".join(f"{name} = {value}\n" for name, value in settings.items())
            write_text_atomic(stage.path / "run.mdp", text)
            words = self._grompp(before)
        try:
            gmx.call(self._program, *words, folder=stage.path)
        except TheoryError as error:
            raise DeckError(
                f"GROMACS refuses the inputs of {stage.name}. {error} Correct the files and start "
                "anew in another folder."
            ) from error
        part.replace(target)
        stage.note(steps=stage.steps)

    def _grompp(self, before: GromacsStage | None) -> list[str]:
        """Return the arguments that put coordinates, topology and settings together.

        A checkpoint brings positions, velocities and box to all digits.
        """
        inputs = self._folder / INPUTS
        words = ["grompp", "-f", "run.mdp", "-p", str(inputs / TOPOLOGY), "-o", "part.tpr"]
        words += ["-po", "resolved.mdp"]
        start = inputs / COORDINATES
        if before is not None and not before.moves:
            start = before.path / "run.gro"
        words += ["-c", str(start)]
        if before is not None and before.checkpoint is not None:
            words += ["-t", str(before.checkpoint)]
        index = next(iter(sorted(inputs.glob("*.ndx"))), None)
        return words if index is None else [*words, "-n", str(index)]

    def _mdrun(self, stage: GromacsStage) -> None:
        """Run ``mdrun`` from the last checkpoint until it ends; hand on a request to stop."""
        saved = stage.checkpoint if stage.moves else None
        if saved is None:
            for old in ("run.xtc", "run.trr", "run.edr", "run.log"):
                (stage.path / old).unlink(missing_ok=True)
        words = ["mdrun", "-deffnm", "run", "-c", "run.gro" if stage.moves else "part.gro"]
        words += ["-cpt", f"{self._checkpoint_min:g}", "-ntomp", str(gmx.threads())]
        if not self._program.endswith("_mpi"):
            words += ["-ntmpi", "1"]
        if saved is not None:
            words += ["-cpi", saved.name]
        with (stage.path / "mdrun.out").open("wb") as out:
            process = gmx.start(self._program, words, folder=stage.path, out=out)
            try:
                self._follow(stage, process)
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
        text = (stage.path / "mdrun.out").read_text(errors="replace")
        if process.returncode and not (self._stop and _STOPPED in text):
            self._failed(stage, text)

    def _follow(self, stage: GromacsStage, process: gmx.Process) -> None:
        """Wait for the end of a process, telling of its progress."""
        told, first, begun, shown = False, -1, time.monotonic(), 0.0
        while process.poll() is None:
            if self._stop and not told:
                process.send_signal(signal.SIGTERM)
                told = True
            now = time.monotonic()
            if self._watch is not None and stage.moves and now - shown > 1.0:
                shown, step = now, _last_logged(stage.path / "run.log")
                if first < 0:
                    first, begun = step, now
                elif step > first:
                    self._watch(self._progress(stage, step, (now - begun) / (step - first)))
            time.sleep(0.05)

    def _progress(self, stage: GromacsStage, step: int, per_step_s: float) -> Progress:
        speed = stage.timestep_fs * 1e-6 / per_step_s * 86400.0
        name = f"GROMACS {gmx.gmx_version(self._program)}"
        left = (stage.steps - step) * per_step_s
        return Progress(stage.name, step, stage.steps, speed, left, name)

    def _failed(self, stage: GromacsStage, text: str) -> None:
        """Raise what the end of a process means."""
        for scrap in stage.path.glob("step*.pdb"):
            scrap.unlink(missing_ok=True)
        why = gmx.complaint(text)
        if _FULL.search(text):
            raise RunFolderError(
                f"GROMACS could not write into {stage.path}: {why}. All up to the last checkpoint "
                "is kept: make space and run the same command again."
            )
        if _BLOWN_UP.search(text):
            raise UnstableRunError(
                f"The run blew up in stage {stage.name}: {why}. The time step of "
                f"{stage.timestep_fs:g} fs is too large for this system, or atoms overlap at its "
                "start. The last checkpoint is kept; start anew in another folder with a shorter "
                "time step."
            )
        raise RunFolderError(
            f"GROMACS stopped in stage {stage.name}: {why}. All up to the last checkpoint is kept."
        )

    def _log(self, stage: GromacsStage) -> None:
        """Write the energies of a stage as a table with our names of columns."""
        if not (stage.path / "run.edr").is_file():
            return
        terms = [term for term, _ in _COLUMNS.values()]
        with contextlib.suppress(TheoryError):  # stopped before its first row
            found = gmx.energies(self._program, stage.path / "run.edr", terms)
            table = {column: found[t] * f for column, (t, f) in _COLUMNS.items() if t in found}
            if stage.moves:
                steps = np.rint(found["Time"] / (stage.timestep_fs * 1e-3))
                table = {"step": steps, "time_ps": found["Time"], **table}
            lines = [",".join(table)]
            lines += [",".join(f"{x:.10g}" for x in row) for row in np.array([*table.values()]).T]
            write_text_atomic(stage.log, "\n".join([*lines, ""]))


def _last_logged(log: Path) -> int:
    """Return the last step in a log of GROMACS; 0 where there is none yet."""
    if not log.is_file():
        return 0
    with log.open("rb") as stream:
        stream.seek(0, 2)
        stream.seek(max(stream.tell() - 20_000, 0))
        found = _LOGGED.findall(stream.read().decode(errors="replace"))
    return int(found[-1]) if found else 0
