"""Runs of VASP, CASTEP, GPAW and GROMACS from their decks, each in an allocation of its own.

A run that its walltime ended goes on from what the code left: CONTCAR and WAVECAR, SEED.check,
STAGE.cpt. What came out is judged as `superionic collect` does; a run that did not finish is never
taken for one that did.
"""

from __future__ import annotations

import logging
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from superionic.structures.errors import DeckError, TaskFailedError
from superionic.workflows.context import current_folder
from superionic.workflows.execution import job
from superionic.workflows.manifest import sha256_of
from superionic.workflows.slurm.supervise import START_TIME

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)

Code = Literal["vasp", "castep", "gpaw", "gromacs"]

WORK = "work"
"""Subfolder of the task in which the code runs."""
WALLTIME = "SUPERIONIC_WALLTIME_S"
_BEGUN = ".superionic-starts"
_DEFAULTS = {
    "vasp": "vasp_std",
    "castep": "castep.serial",
    "gpaw": sys.executable,
    "gromacs": "gmx",
}
_STAGES = ("em", "npt", "nvt")
_KEPT = ("OUTCAR", "vasprun.xml", "OSZICAR", "XDATCAR")


@dataclass(frozen=True)
class ExternalRun:
    """A run of an external code that came to its own end.

    Attributes
    ----------
    code : str
        Which.
    state : str
        ``finished``, or ``unconverged`` where its limit on steps ended it.
    starts : int
        How often it was started: once, and once more after each interruption.
    folder : str
        Where its files are, within the task's folder.
    """

    code: str
    state: str
    starts: int
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


@job(version=1, name="external")
def run_deck_task(code: str, deck: Path, files: tuple[tuple[str, str], ...]) -> ExternalRun:
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
    starts = _count_start(work)
    if starts > 1:
        prepare_restart(code, work, starts)
    stopped = False
    for words in _calls(code, work):
        stopped = _call([*command_of(code), *words], work, code)
        if stopped:
            break
    return ExternalRun(code, _judge(code, work, stopped=stopped), starts)


def _count_start(work: Path) -> int:
    """Count how often the code was started here, this time included."""
    path = work / _BEGUN
    starts = (int(path.read_text()) if path.exists() else 0) + 1
    path.write_text(str(starts))
    return starts


def prepare_restart(code: str, work: Path, starts: int) -> None:
    """Make a run that was interrupted go on where it was."""
    if code == "vasp":
        for folder in (work, *sorted(p for p in work.iterdir() if re.fullmatch(r"\d\d", p.name))):
            last = folder / "CONTCAR"
            if last.is_file() and last.stat().st_size:
                if not (folder / "POSCAR.first").exists():
                    shutil.copyfile(folder / "POSCAR", folder / "POSCAR.first")
                shutil.copyfile(last, folder / "POSCAR")
            for name in _KEPT:
                if (folder / name).exists():
                    (folder / name).rename(folder / f"{name}.{starts - 1}")
        (work / "STOPCAR").unlink(missing_ok=True)
    elif code == "castep":
        for check in work.glob("*.check"):
            param = check.with_suffix(".param")
            text = param.read_text(encoding="utf-8") if param.exists() else ""
            if check.stat().st_size and not re.search(r"(?im)^\s*continuation\b", text):
                param.write_text(f"{text.rstrip()}\ncontinuation : default\n", encoding="utf-8")


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
            yield ["mdrun", "-deffnm", stage, "-cpi", f"{stage}.cpt", *hours]
            if not (work / f"{stage}.gro").exists():
                return
        coordinates = f"{stage}.gro"
        state = f"{stage}.cpt" if (work / f"{stage}.cpt").exists() and stage != "em" else ""


def seconds_left() -> float | None:
    """Return the seconds until the walltime of this job; None outside of jobs."""
    began, walltime = os.environ.get(START_TIME), os.environ.get(WALLTIME)
    if not began or not walltime:
        return None
    return max(float(began) + float(walltime) - time.time(), 0.0)


def _call(command: list[str], work: Path, code: str) -> bool:
    """Run one command in the work folder; return whether it was asked to stop before the end.

    Raises
    ------
    TaskFailedError
        It cannot be started, or ended with an error.
    """
    log.info("%s", shlex.join(command))
    asked = threading.Event()
    over = threading.Event()
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
        if code == "vasp":
            threading.Thread(target=_stop_in_time, args=(work, asked, over), daemon=True).start()
        status = process.wait()
        over.set()
    if status != 0 and code in ("gromacs", "gpaw"):
        raise TaskFailedError(f"{command[0]} ended with exit code {status}: {_last(work, code)}")
    return asked.is_set()


def _stop_in_time(work: Path, asked: threading.Event, over: threading.Event) -> None:
    """Ask VASP to stop after an ionic step when a tenth of the walltime is left."""
    left = seconds_left()
    if left is None:
        return
    if not over.wait(left - 0.1 * float(os.environ[WALLTIME])):
        (work / "STOPCAR").write_text("LSTOP = .TRUE.\n")
        asked.set()


def _judge(code: str, work: Path, *, stopped: bool) -> str:
    """Return how a run ended, or raise if it has not come to its own end."""
    from superionic.inputs.collect import collect

    if code == "gromacs":
        stages = [s for s in _STAGES if (work / f"{s}.mdp").exists()]
        if all((work / f"{s}.gro").exists() for s in stages):
            return "finished"
        raise TimeoutError("GROMACS stopped at the walltime; its checkpoint is kept.")
    found = collect(work, quiet_s=0.0)
    state, reason = str(found.state), str(getattr(found, "reason", ""))
    if state == "finished" or (state == "unconverged" and not stopped):
        return state
    if stopped or state in ("truncated", "running"):
        raise TimeoutError(f"{code} was stopped before its end ({state}); the next try goes on.")
    raise TaskFailedError(f"{code} {state}: {reason or _last(work, code)}")


def _last(work: Path, code: str) -> str:
    """Return the last line that a code printed."""
    lines = (work / f"{code}.out").read_text(errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else "it printed nothing"
