"""What a job finds on a compute node: ``python -m superionic.workflows.slurm.probe``."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import shlex
import shutil
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from superionic.workflows.slurm.supervise import BATCH, job_id, write_json

REPORT = "probe.json"


def look_around(asked: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what was found: ``name``, ``ok``, ``found``, and ``todo`` where something is missing.

    Parameters
    ----------
    asked
        ``version`` of the package, ``cpus``, ``codes`` (command lines by name), ``scratch`` and
        ``time`` (seconds since 1970) on the machine that submitted.
    """
    return [
        _finding("host", True, f"{socket.gethostname()}, job {job_id()}"),
        _finding("python", True, f"{platform.python_version()} ({sys.executable})"),
        _package(asked),
        _libraries(),
        _cores(int(asked.get("cpus", 1))),
        _clock(float(asked.get("time", time.time()))),
        _command("sbatch", "the driver cannot go on from a job: use `--driver none` and resume"),
        *(_code(name, line) for name, line in asked.get("codes", {}).items()),
        *_scratch(),
    ]


def _finding(name: str, ok: bool, found: str, todo: str = "") -> dict[str, Any]:
    """Return one line of the report."""
    return {"name": name, "ok": ok, "found": found, "todo": "" if ok else todo}


def _package(asked: dict[str, Any]) -> dict[str, Any]:
    """Compare the versions of this package."""
    from superionic import __version__

    same = __version__ == asked.get("version", __version__)
    todo = f"the machine that submits has {asked.get('version')}: install the same on both"
    return _finding("superionic", same, __version__, todo)


def _libraries() -> dict[str, Any]:
    """Find the libraries that tasks need."""
    needed = ("numpy", "scipy", "ase", "pymatgen", "spglib", "torch")
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    versions = [f"{n} {importlib.metadata.version(n)}" for n in needed if n not in missing]
    todo = f"install {', '.join(missing)}, or correct `setup`, `modules` or `python`"
    return _finding("libraries", not missing, ", ".join(versions), todo)


def _cores(asked: int) -> dict[str, Any]:
    """Count the cores that this process may use."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else asked
    todo = f"{asked} were asked for: look at `sbatch` options that bind or share cores"
    return _finding("cores", usable >= asked, f"{usable} usable", todo)


def _clock(submitted: float) -> dict[str, Any]:
    """Compare clocks, as far as one can."""
    behind = submitted - time.time()
    todo = "its clock is behind: walltimes may be taken for cancellations"
    return _finding("clock", behind < 5.0, time.strftime("%Y-%m-%d %H:%M:%S"), todo)


def _command(name: str, todo: str) -> dict[str, Any]:
    """Find a program."""
    found = shutil.which(name)
    return _finding(name, found is not None, found or "not found", todo)


def _code(name: str, line: str) -> dict[str, Any]:
    """Find the programs of a command line: its first word, and what a launcher starts."""
    words = shlex.split(line)
    programs = words[:1]
    if words and Path(words[0]).name in ("srun", "mpirun", "mpiexec", "mpiexec.hydra", "prun"):
        rest = [w for w in words[1:] if not w.startswith("-") and not re.fullmatch(r"[\d:x]+", w)]
        programs += rest[:1]
    missing = [p for p in programs if shutil.which(p) is None]
    todo = f"{', '.join(missing)} not found: add its module to `modules`, or correct [codes]"
    return _finding(name, not missing, line, todo)


def _scratch() -> list[dict[str, Any]]:
    """Write into the scratch folder, if one is set."""
    scratch = os.environ.get("SUPERIONIC_SCRATCH")
    if scratch is None:
        return []
    try:
        with tempfile.TemporaryFile(dir=scratch) as stream:
            stream.write(b"superionic")
    except OSError as error:
        todo = f"cannot write there: {error.strerror}; correct `scratch`"
        return [_finding("scratch", False, scratch, todo)]
    free = shutil.disk_usage(scratch).free / 1024**3
    return [_finding("scratch", True, f"{scratch}, {free:.0f} GB free")]


def main() -> int:
    """Look around and write the report into the folder of the script."""
    asked = json.loads(Path(BATCH).read_text(encoding="utf-8"))
    findings = look_around(asked)
    write_json(Path.cwd() / REPORT, {"findings": findings})
    return 0


if __name__ == "__main__":
    sys.exit(main())
