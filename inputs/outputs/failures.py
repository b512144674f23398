"""Why a run broke off: what codes, launchers and schedulers say, and how long they are silent."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from superionic.inputs.outputs.records import RunState

QUIET_S = 3600.0
"""Seconds without a byte after which output without an end counts as broken off."""
STALE_S = 600.0
"""A log this much older than the newest output, in seconds, is of an earlier run."""
TAIL_BYTES = 200_000
"""How much of the end of a log is searched."""

ERROR_BANNER = "EEEEEEE  RRRRRR   RRRRRR   OOOOOOO  RRRRRR"
"""First line of the word ERROR in large letters, which VASP frames its message with."""

FATAL: tuple[tuple[str, str], ...] = (
    ("VERY BAD NEWS", "internal error of VASP"),
    ("I REFUSE TO CONTINUE WITH THIS SICK JOB", "VASP refused its input"),
    ("internal error in", "internal error of VASP"),
    ("ZBRENT: fatal error", "the line search failed: restart from CONTCAR with a smaller EDIFF"),
    ("Call to ZHEGV failed", "the diagonalisation failed: try another ALGO"),
    ("call to ZHEEV failed", "the diagonalisation failed: try another ALGO"),
    ("LAPACK: Routine ZPOTRF failed", "overlap matrix not positive: look for colliding atoms"),
    ("Error reading item", "VASP could not read an INCAR tag"),
    ("POSMAP internal error", "symmetry not found: change SYMPREC or set ISYM = 0"),
    ("Sub-Space-Matrix is not hermitian", ""),  # a warning, unless the run ends there
    ("forrtl: severe", "the program was aborted by its run time"),
    ("Segmentation fault", "segmentation fault"),
    ("SIGSEGV", "segmentation fault"),
    ("Out Of Memory", "out of memory"),
    ("oom-kill", "out of memory"),
    ("oom_kill", "out of memory"),
    ("Cannot allocate memory", "out of memory"),
    ("No space left on device", "the disk is full"),
    ("Disk quota exceeded", "the disk quota is used up"),
    ("DUE TO TIME LIMIT", "killed at the time limit of its queue"),
    ("CANCELLED AT", "cancelled"),
    ("exited on signal", "killed by a signal"),
    ("BAD TERMINATION", "killed: one of its processes died"),
    ("MPI_ABORT was invoked", "one of its processes aborted"),
    ("failed to locate mpirun", "the program was not started: mpirun is not on the path"),
    ("command not found", "the program was not started: it is not on the path"),
    ("error while loading shared libraries", "the program was not started: a library is missing"),
    ("Error in parameters_read", "CASTEP refused its .param file"),
    ("Error in cell_read", "CASTEP refused its .cell file"),
    ("Current trace stack", "CASTEP stopped with an error"),
    ("NOSTART", "the program was not started"),
    (ERROR_BANNER, "VASP stopped with an error"),
)
"""Text in a log or an output, and what it means for a person."""

LOGS = (
    "vasp.out", "vasp_output", "vasp.log", "stdout", "stderr", "stdout.txt", "stderr.txt",
    "std_err.txt", "_scheduler-stdout.txt", "_scheduler-stderr.txt", "log", "run.log", "job.out",
    "job.err",
)  # fmt: skip
LOG_PATTERNS = ("slurm-*.out", "slurm-*.err", "*.o[0-9]*", "*.e[0-9]*", "out.*.log", "err.*.log")
"""Where programs, launchers and schedulers usually leave what they say."""


def logs_of(folder: Path, outputs: Sequence[Path] = ()) -> tuple[Path, ...]:
    """Return the logs that lie in a folder, without those older than its outputs."""
    found = [folder / name for name in LOGS if (folder / name).is_file()]
    for pattern in LOG_PATTERNS:
        found += [path for path in folder.glob(pattern) if path.is_file()]
    newest = max((path.stat().st_mtime for path in outputs), default=0.0)
    return tuple(p for p in dict.fromkeys(found) if p.stat().st_mtime >= newest - STALE_S)


def tail_of(path: Path, size: int = TAIL_BYTES) -> str:
    """Return the end of a text file; undecodable bytes are replaced."""
    with path.open("rb") as stream:
        stream.seek(0, 2)
        stream.seek(max(0, stream.tell() - size))
        return stream.read().decode("utf-8", errors="replace")


def failure_in(paths: Iterable[Path]) -> str:
    """Return what went wrong according to the first file that tells, or nothing."""
    for path in paths:
        text = tail_of(path)
        for marker, meaning in FATAL:
            at = text.find(marker) if meaning else -1
            if at >= 0:
                return f"{meaning} ({path.name}: {_line_around(text, at)!r})"
    return ""


def _line_around(text: str, at: int) -> str:
    """Return the line of a text that holds a position, without its frame and large letters."""
    start = text.rfind("\n", 0, at) + 1
    lines = (" ".join(line.strip(" |*\r").split()) for line in text[start:].splitlines())
    return next((line for line in lines if set(line) - set("ERO# -")), "")[:120]


def seconds_quiet(paths: Iterable[Path], *, now: float | None = None) -> float:
    """Return how long ago any of some files was last written to, in seconds."""
    newest = max(path.stat().st_mtime for path in paths)
    return max(0.0, (time.time() if now is None else now) - newest)


def without_end(quiet_s: float, limit_s: float, failure: str) -> tuple[RunState, str]:
    """Return the state and the reason of a run whose output has no end.

    Parameters
    ----------
    quiet_s
        Seconds since its files were last written to.
    limit_s
        Silence after which it is taken to be dead.
    failure
        What its logs say went wrong; empty if nothing.
    """
    if failure:
        return "crashed", failure
    ago = f"{quiet_s / 60:.0f} min" if quiet_s < 7200 else f"{quiet_s / 3600:.0f} h"
    if quiet_s <= limit_s:
        return "running", f"no end of the run in the output, last written {ago} ago"
    return "truncated", (
        f"the output breaks off without an end or an error, and was last written {ago} ago: "
        "killed, or copied before it ended"
    )
