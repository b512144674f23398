"""Runs of VASP, CASTEP, GPAW and GROMACS from their decks, each in an allocation of its own.

A run that its walltime ended goes on from what the code left: CONTCAR and WAVECAR, SEED.check,
STAGE.cpt; one that used up its steps climbs a ladder (`superionic.workflows.external_restart`).
What came out is judged as `superionic collect` does; a run that did not finish is never taken for
one that did.
"""

from __future__ import annotations

import logging
import os
import shlex
import shutil
import subprocess
import sys
import threading
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from superionic.structures.errors import DeckError, NotConvergedError, TaskFailedError
from superionic.workflows.context import current_folder
from superionic.workflows.execution import Job, job
from superionic.workflows.external_restart import (
    Course,
    What,
    prepare_restart,
    read_course,
    what_ended,
)
from superionic.workflows.manifest import sha256_of
from superionic.workflows.walltime import before_walltime, seconds_left

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)

Code = Literal["vasp", "castep", "gpaw", "gromacs"]

WORK = "work"
"""Subfolder of the task in which the code runs."""
_DEFAULTS = {
    "vasp": "vasp_std",
    "castep": "castep.serial",
    "gpaw": sys.executable,
    "gromacs": "gmx",
}
_STAGES = ("em", "npt", "nvt")


class StepsUsedUpError(NotConvergedError):
    """A run used up its steps without convergence, and the next try has something to go on with."""


@dataclass(frozen=True)
class ExternalRun:
    """A run of an external code that finished.

    Attributes
    ----------
    code : str
        Which.
    state : str
        ``finished``.
    starts : int
        How often it was started: once, and once more after each interruption or rung.
    rungs : tuple of str
        What was changed between starts to make it converge, in words; empty if nothing was.
    folder : str
        Where its files are, within the task's folder.
    """

    code: str
    state: str
    starts: int
    rungs: tuple[str, ...] = ()
    folder: str = WORK


def code_of(deck: Path) -> Code:
    """Return which code a deck is for.

    Raises
    ------
    DeckError
        None that is known.
    """
    signs: tuple[tuple[Code, str], ...] = (
        ("vasp", "INCAR"),
        ("castep", "*.param"),
        ("gpaw", "run.py"),
        ("gromacs", "*.mdp"),
    )
    for code, pattern in signs:
        if deck.is_dir() and any(deck.glob(pattern)):
            return code
    raise DeckError(
        f"{deck} is no deck of VASP (INCAR), CASTEP (SEED.param), GPAW (run.py) or GROMACS (*.mdp)."
    )


def deck_files(deck: Path) -> tuple[tuple[str, str], ...]:
    """Return names and SHA-256 of the files of a deck, which tell runs apart."""
    files = sorted(p for p in deck.rglob("*") if p.is_file() and not p.name.startswith("."))
    return tuple((p.relative_to(deck).as_posix(), sha256_of(p)) for p in files)


def command_of(code: str) -> list[str]:
    """Return how a code is started: ``SUPERIONIC_CODE_<CODE>``, else its usual name."""
    key = "GMX" if code == "gromacs" else code.upper()
    line = os.environ.get(f"SUPERIONIC_CODE_{key}") or os.environ.get(
        f"SUPERIONIC_CODE_{code.upper()}"
    )
    return shlex.split(line) if line else [_DEFAULTS[code]]


def run_deck(code: str, deck: Path, files: tuple[tuple[str, str], ...]) -> ExternalRun:
    """Run a code on a copy of a deck, or go on with a run that was interrupted.

    Parameters
    ----------
    code
        Which.
    deck
        Folder of the deck.
    files
        Its content, as `deck_files` says.

    Raises
    ------
    DeckError
        The deck was changed after it had been submitted.
    TimeoutError
        The walltime ended the run; the next try goes on.
    StepsUsedUpError
        It did not converge in its steps; the next try goes on, with the next rung.
    TaskFailedError
        The code crashed.
    """
    work = current_folder() / WORK
    if not work.exists():
        if deck_files(deck) != files:
            raise DeckError(f"The deck {deck} was changed after it had been submitted.")
        fresh = work.with_name(f".{WORK}.tmp")
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(deck, fresh)
        fresh.rename(work)
    course = read_course(work)
    if course.starts:
        course = prepare_restart(code, work, course)
    course = replace(course, starts=course.starts + 1)
    course.write(work)
    stopped = False
    for words in _calls(code, work):
        stopped = _call([*command_of(code), *words], work, code)
        if stopped:
            break
    state = _judge(code, work, course, stopped=stopped)
    return ExternalRun(code, state, course.starts, course.rungs)


DECK_JOBS: dict[str, Job[[str, Path, tuple[tuple[str, str], ...]], ExternalRun]] = {
    code: job(version=1, name=code)(run_deck) for code in _DEFAULTS
}
"""Jobs by code, so that a cluster's table ``[jobs.vasp]`` can say what VASP needs there."""


def _calls(code: str, work: Path) -> Iterator[list[str]]:
    """Yield the arguments of the calls that are still to be made, each when its turn has come."""
    if code == "castep":
        yield from ([path.stem] for path in sorted(work.glob("*.param"))[:1])
    elif code == "gromacs":
        yield from _gromacs_calls(work)
    else:
        yield ["run.py"] if code == "gpaw" else []


def _gromacs_calls(work: Path) -> Iterator[list[str]]:
    """Yield the calls of the stages that are not done; none after one that was cut off."""
    coordinates, state = "box.gro", ""
    for stage in (s for s in _STAGES if (work / f"{s}.mdp").exists()):
        if not (work / f"{stage}.gro").exists():
            if not (work / f"{stage}.cpt").exists():
                files = ["-f", f"{stage}.mdp", "-c", coordinates, "-p", "topol.top"]
                start = ["-t", state] if state else []
                yield ["grompp", *files, "-o", f"{stage}.tpr", *start]
            left = seconds_left()
            hours = ["-maxh", f"{left / 3600:.4f}"] if left is not None else []
            yield ["mdrun", "-deffnm", stage, "-cpi", f"{stage}.cpt", *hours, *_threads()]
            if not (work / f"{stage}.gro").exists():
                return
        coordinates = f"{stage}.gro"
        state = f"{stage}.cpt" if (work / f"{stage}.cpt").exists() and stage != "em" else ""


def _threads() -> list[str]:
    """Return options that keep a GROMACS without MPI to the cores of this task."""
    own = Path(command_of("gromacs")[-1]).name in ("gmx", "gmx_d")
    cores = os.environ.get("OMP_NUM_THREADS", "")
    return ["-ntmpi", "1", "-ntomp", cores] if own and cores.isdigit() else []


def _call(command: list[str], work: Path, code: str) -> bool:
    """Run one command in the work folder; return whether it was asked to stop before the end.

    Raises
    ------
    TaskFailedError
        It cannot be started, or ended with an error.
    """
    log.info("%s", shlex.join(command))
    asked = threading.Event()
    with (work / f"{code}.out").open("ab") as out:
        try:
            process = subprocess.Popen(
                command, cwd=work, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
            )
        except OSError as error:
            raise TaskFailedError(
                f"Cannot start {command[0]}: {error.strerror}. Name its command line in [codes] of "
                f"the cluster's file, or in SUPERIONIC_CODE_{code.upper()}."
            ) from error
        with before_walltime(lambda: _stop_vasp(work, asked)) if code == "vasp" else nullcontext():
            status = process.wait()
    told = code == "gpaw" and (work / "result.json").exists()  # it says itself what went wrong
    if status != 0 and code in ("gromacs", "gpaw") and not told:
        raise TaskFailedError(f"{command[0]} ended with exit code {status}: {_last(work, code)}")
    return asked.is_set()


def _stop_vasp(work: Path, asked: threading.Event) -> None:
    """Ask VASP to stop after this ionic step."""
    (work / "STOPCAR").write_text("LSTOP = .TRUE.\n")
    asked.set()


def _judge(code: str, work: Path, course: Course, *, stopped: bool) -> str:
    """Return how a run ended, or raise if it has not come to its own end."""
    from superionic.inputs.collect import collect

    if code == "gromacs":
        stages = [s for s in _STAGES if (work / f"{s}.mdp").exists()]
        if all((work / f"{s}.gro").exists() for s in stages):
            return "finished"
        raise TimeoutError("GROMACS stopped at the walltime; its checkpoint is kept.")
    found = collect(work, quiet_s=0.0)
    state, reason = str(found.state), str(getattr(found, "reason", ""))
    if state == "finished":
        return state
    if stopped or state in ("truncated", "running"):
        raise TimeoutError(f"{code} was stopped before its end ({state}); the next try goes on.")
    if state == "unconverged":
        _raise_unconverged(code, work, course, what_ended(found), reason)
    raise TaskFailedError(f"{code} {state}: {reason or _last(work, code)}")


def _raise_unconverged(code: str, work: Path, course: Course, what: What, reason: str) -> None:
    """Note what used up its steps, for the next try, and raise.

    Raises
    ------
    StepsUsedUpError
        The next try can do better.
    TaskFailedError
        It would do the same again.
    """
    if code == "gpaw" and what == "electrons":
        raise TaskFailedError(f"{code} did not converge: {reason}")
    replace(course, ended=what).write(work)
    raise StepsUsedUpError(f"{code} did not converge ({reason}); the next try goes on from there.")


def _last(work: Path, code: str) -> str:
    """Return the last line that a code printed."""
    lines = (work / f"{code}.out").read_text(errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else "it printed nothing"
