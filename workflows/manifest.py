"""Who computed a result, where, with what and for how long."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import os
import platform
import resource
import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from superionic import __version__
from superionic.structures.errors import RunFolderError
from superionic.workflows.locks import LOCK
from superionic.workflows.runfolder import (
    ERROR,
    MANIFEST,
    PROGRESS,
    RESULT,
    RUNNING,
    read_optional,
)
from superionic.workflows.slurm.supervise import job_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from superionic.workflows.serialise import Json

LIBRARIES = (
    "ase",
    "chgnet",
    "dftd3",
    "executorlib",
    "numpy",
    "pymatgen",
    "pyscf",
    "scipy",
    "sevenn",
    "spglib",
    "tblite",
    "torch",
)
"""Distributions whose versions a result may depend on; those not installed are left out."""

_NOT_SUMMED = {LOCK, MANIFEST, PROGRESS, RESULT, RUNNING, ERROR}


@dataclass(frozen=True)
class Stopwatch:
    """When a task began, on three clocks.

    Attributes
    ----------
    started : str
        Date and time in UTC, ISO 8601.
    wall_s, cpu_s : float
        Readings of the monotonic clock and of the CPU time of this process and its ended
        children, in seconds.
    """

    started: str
    wall_s: float
    cpu_s: float

    @classmethod
    def start(cls) -> Stopwatch:
        """Read the clocks."""
        return cls(now_iso(), time.monotonic(), cpu_seconds())


def now_iso() -> str:
    """Return date and time in UTC, ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def cpu_seconds() -> float:
    """Return the CPU time of this process and of its ended children in seconds."""
    usages = (resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(u.ru_utime + u.ru_stime for u in usages)


@functools.cache
def library_versions() -> Mapping[str, str]:
    """Return the versions of this package and of the libraries it computes with."""
    versions = {"superionic": __version__}
    for name in LIBRARIES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def verify_result(folder: Path) -> None:
    """Check a result against the checksum in its manifest, where there is one.

    Raises
    ------
    RunFolderError
        The file is not the one that the task wrote.
    """
    checksums = read_optional(folder / MANIFEST).get("checksums", {})
    expected = checksums.get(RESULT) if isinstance(checksums, dict) else None
    if expected is not None and sha256_of(folder / RESULT) != expected:
        raise RunFolderError(
            f"{folder / RESULT} does not match its checksum in {MANIFEST}: it was changed after "
            "the task had written it."
        )


def file_checksums(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file below a task's folder, by relative path.

    The files that run folders keep for their own use (lock, progress, manifest) are left out.
    """
    files = sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink())
    names = {p: p.relative_to(folder).as_posix() for p in files}
    return {name: sha256_of(p) for p, name in names.items() if name not in _NOT_SUMMED}


def build_manifest(
    *,
    key: str,
    state: str,
    watch: Stopwatch,
    cpus: int,
    parents: Iterable[str],
    checksums: Mapping[str, str],
) -> dict[str, Json]:
    """Return the content of a task's ``manifest.json``.

    Parameters
    ----------
    key
        Name of the task's folder.
    state
        ``done`` or ``failed``.
    watch
        Clocks at the start of the task; read again here.
    cpus
        Threads the task was allowed to use.
    parents
        Keys of the tasks whose results went into it.
    checksums
        SHA-256 of the files of the folder by name.
    """
    job = job_id()
    return {
        "key": key,
        "state": state,
        "started": watch.started,
        "ended": now_iso(),
        "wall_s": round(time.monotonic() - watch.wall_s, 6),
        "cpu_s": round(cpu_seconds() - watch.cpu_s, 6),
        "host": socket.gethostname(),
        "platform": platform.platform(),
        "cpu_count": os.cpu_count(),
        "cpus": cpus,
        "process": os.getpid(),
        **({"job": job} if job else {}),
        "python": platform.python_version(),
        "versions": dict(library_versions()),
        "parents": list(parents),
        "checksums": dict(checksums),
    }
