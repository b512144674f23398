"""The program ``gmx`` of GROMACS: where it is, and calls of it that say what went wrong."""

from __future__ import annotations

import ctypes
import functools
import os
import re
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.errors import TheoryError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import IO

    from numpy.typing import NDArray

    Process = subprocess.Popen[bytes]

NAMES = ("gmx", "gmx_mpi")
"""How the program is called, the one with threads first."""

_PR_SET_PDEATHSIG = 1
_ERROR = re.compile(
    r"(?:Fatal error|Error in user input|Inconsistency in user input|Feature not implemented"
    r"|System I/O error|File input/output error)[^\n]*\n(.*?)(?:\n\n|\nFor more information|\Z)",
    re.DOTALL,
)
_REMARK = re.compile(r"^(?:ERROR|WARNING) \d+ \[[^\]]*\]:\n(.*?)(?:\n\n|\Z)", re.DOTALL | re.M)
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform.startswith("linux") else None


def find_gmx() -> str:
    """Return the full path of the program.

    Raises
    ------
    TheoryError
        There is none on the search path.
    """
    for name in NAMES:
        if (found := shutil.which(name)) is not None:
            return found
    raise TheoryError(
        "GROMACS was asked for, and there is no `gmx` on the search path (PATH). Install GROMACS "
        "or load its module; or let OpenMM run: `superionic inputs openmm`, then "
        "`superionic md run`."
    )


@functools.cache
def gmx_version(program: str) -> str:
    """Return the version of GROMACS, such as ``2022.5``.

    Raises
    ------
    TheoryError
        The program does not say.
    """
    text = call(program, "--version")
    found = re.search(r"GROMACS version:\s*(\S+)", text)
    if found is None:
        raise TheoryError(f"{program} does not name its version: is it GROMACS?")
    return found.group(1)


def call(program: str, *words: str, folder: Path | None = None, answer: str = "") -> str:
    """Run the program to its end and return what it wrote.

    Parameters
    ----------
    program
        Its path.
    words
        Its arguments.
    folder
        Where it runs.
    answer
        What it is told on standard input.

    Raises
    ------
    TheoryError
        It failed; holds its own words.
    """
    done = subprocess.run(
        [program, "-quiet", "-nobackup", *words],
        cwd=folder, input=answer, capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    if done.returncode:
        what = words[0] if words else ""
        raise TheoryError(f"gmx {what} failed: {complaint(done.stderr + done.stdout)}.")
    return done.stdout


def complaint(text: str) -> str:
    """Return what GROMACS complains of in one line, warnings before the count of them."""
    told = [m.group(1) for m in _REMARK.finditer(text)]
    told = told or [m.group(1) for m in _ERROR.finditer(text)] or [text[-400:]]
    return " ".join(" ".join(told).split()).rstrip(".") or "it said nothing"


def start(program: str, words: Sequence[str], *, folder: Path, out: IO[bytes]) -> Process:
    """Start the program, which dies with this process where the system can arrange it.

    It gets a session of its own: signals of the terminal reach it through this process alone.
    """
    return subprocess.Popen(
        [program, "-quiet", "-nobackup", *words],
        cwd=folder, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_die_with_parent if sys.platform.startswith("linux") else None,
    )  # fmt: skip


def _die_with_parent() -> None:
    """Ask Linux for the death of this process when its parent dies."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def threads() -> int:
    """Return how many threads a run gets: OMP_NUM_THREADS, or all that this process may use."""
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    if wanted.isdigit() and int(wanted):
        return int(wanted)
    ours = getattr(os, "sched_getaffinity", None)
    return len(ours(0)) if ours else os.cpu_count() or 1


def checkpoint_step(program: str, file: Path) -> int:
    """Return the step that a checkpoint was written at.

    Raises
    ------
    TheoryError
        It cannot be read.
    """
    with subprocess.Popen(
        [program, "-quiet", "dump", "-cp", str(file)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, errors="replace",
    ) as process:  # fmt: skip
        if process.stdout is not None:
            for line in process.stdout:  # the step is in the head, before all coordinates
                if found := re.match(r"\s*step\s*=\s*(\d+)", line):
                    process.kill()
                    return int(found.group(1))
    raise TheoryError(f"{file} is no checkpoint that GROMACS can read.")


def energies(program: str, file: Path, names: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    """Return columns of an energy file by their names in it, with ``Time`` in ps.

    Parameters
    ----------
    program
        Path of ``gmx``.
    file
        An .edr file.
    names
        Terms, blanks as hyphens: ``Potential``, ``Kinetic-En.``. Those that it lacks are left out.

    Raises
    ------
    TheoryError
        It cannot be read.
    """
    known = {name.lower(): name for name in names}
    listed = _terms(program, file)
    wanted = [name for low, name in known.items() if low in listed]
    place = file.with_name("energies.part.xvg")
    try:
        call(
            program, "energy", "-f", str(file), "-o", str(place), "-dp",
            answer="\n".join(wanted) + "\n\n",
        )  # fmt: skip
        lines = place.read_text(errors="replace").splitlines()
    finally:
        place.unlink(missing_ok=True)
    legends = [x.split('"')[1].replace(" ", "-") for x in lines if re.match(r"@ s\d+ legend", x)]
    rows = [x.split() for x in lines if x and x[0] not in "#@&"]
    table = np.array(rows, dtype=float).reshape(len(rows), -1)
    heads = ["Time", *legends]
    return {name: table[:, k] for k, name in enumerate(heads[: table.shape[1]])}


def _terms(program: str, file: Path) -> set[str]:
    """Return the names of the terms in an energy file, in lower case."""
    done = subprocess.run(
        [program, "-quiet", "energy", "-f", str(file), "-o", os.devnull],
        input="\n", capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    text = done.stderr + done.stdout
    return {m.group(1).lower() for m in re.finditer(r"\d+\s+([^\s\d][^\s]*)", text)}
