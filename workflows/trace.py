"""Where a result comes from: the chain of tasks back to the inputs, each with its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from superionic.structures.errors import RunFolderError
from superionic.workflows.manifest import verify_result
from superionic.workflows.runfolder import (
    INPUTS,
    MANIFEST,
    RESULT,
    read_optional,
    read_task,
    task_name,
)
from superionic.workflows.slurm.records import Ledger
from superionic.workflows.slurm.status import run_folders
from superionic.workflows.told_inputs import told_inputs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Submission:
    """One job in which a task was tried.

    Attributes
    ----------
    job : str
        Number of the job.
    state, reason : str
        How it ended; empty while it has not.
    cpus : int
        Cores that it asked for.
    walltime_s : int or None
        Walltime that it asked for, in seconds; None where it left that to the partition.
    memory_gb : float or None
        Memory that it asked for, in gigabytes.
    """

    job: str
    state: str
    reason: str
    cpus: int
    walltime_s: int | None
    memory_gb: float | None


@dataclass(frozen=True)
class Link:
    """One task of the chain.

    Attributes
    ----------
    key : str
        The task.
    depth : int
        0 for the result asked about, 1 for what went into it, and so on.
    state : str
        See ``runfolder.TaskState``.
    function, version : str, int
        What was called, and the version of that job.
    settings : dict
        Its inputs by name, structures and arrays in brief.
    host, started : str
        Where and when.
    wall_s : float or None
        Wall time in seconds.
    job : str
        Number of the job in which it was computed; empty outside of jobs.
    versions : dict
        Versions of libraries.
    intact : bool or None
        Whether the result is the one that the task wrote; None without a result.
    submissions : tuple of Submission
        The jobs in which it was tried, oldest first; empty for tasks of this machine.
    parents : tuple of str
        Tasks whose results went into it.
    again : bool
        It was shown before, with its parents.
    """

    key: str
    depth: int
    state: str
    function: str
    version: int
    settings: dict[str, str]
    host: str
    started: str
    wall_s: float | None
    job: str
    versions: dict[str, str]
    intact: bool | None
    submissions: tuple[Submission, ...]
    parents: tuple[str, ...]
    again: bool = False


def trace(path: Path) -> tuple[Link, ...]:
    """Return the chain of tasks behind a result, the result first.

    Parameters
    ----------
    path
        A task's folder, or any file in it; or a results folder, for all results in and below it
        that went into no other.

    Raises
    ------
    RunFolderError
        There is no task there.
    """
    place = path.expanduser().absolute()
    for folder in (place, *place.parents):
        if (folder / INPUTS).is_file():
            return tuple(_walk(folder, 0, Ledger(folder.parent), set()))
    if place.is_dir():
        links = tuple(link for run in run_folders(place) for link in _all_of(run))
        if links:
            return links
    raise RunFolderError(
        f"{path} is not in the folder of a task, and holds no results. Name a task, such as "
        "runs/relax-0123456789abcdef, a file in it, or a results folder."
    )


def _all_of(run: Path) -> Iterator[Link]:
    """Yield the chains behind all results of a run that went into no other."""
    told = {path.parent: read_optional(path.with_name(INPUTS)) for path in run.glob(f"*/{RESULT}")}
    used = {key for inputs in told.values() for key in inputs.get("parents", ())}
    ledger, seen = Ledger(run), set[str]()
    for folder in sorted(told):
        if folder.name not in used:
            yield from _walk(folder, 0, ledger, seen)


def _walk(folder: Path, depth: int, ledger: Ledger, seen: set[str]) -> Iterator[Link]:
    """Yield a task and what went into it, each task's parents once."""
    link = _link(folder, depth, ledger, again=folder.name in seen)
    yield link
    if link.again:
        return
    seen.add(folder.name)
    for key in link.parents:
        yield from _walk(folder.parent / key, depth + 1, ledger, seen)


def _link(folder: Path, depth: int, ledger: Ledger, *, again: bool) -> Link:
    """Return what a task's folder says."""
    inputs, manifest = read_optional(folder / INPUTS), read_optional(folder / MANIFEST)
    return Link(
        key=folder.name,
        depth=depth,
        state=read_task(folder).state if inputs else "missing",
        function=f"{inputs.get('module', '?')}.{inputs.get('qualname', task_name(folder.name))}",
        version=int(inputs.get("version", 0)),
        settings=dict(told_inputs(inputs.get("inputs", {}))),
        host=str(manifest.get("host", "")),
        started=str(manifest.get("started", "")),
        wall_s=manifest.get("wall_s"),
        job=str(manifest.get("job", "")),
        versions=dict(manifest.get("versions", {})),
        intact=_intact(folder),
        submissions=tuple(_submissions(folder.name, ledger)),
        parents=tuple(inputs.get("parents", ())),
        again=again,
    )


def _submissions(key: str, ledger: Ledger) -> Iterator[Submission]:
    """Yield the jobs of a task."""
    for placed in ledger.history(key):
        told = placed.ended()
        yield Submission(
            job=placed.job,
            state=str(told.get("state", "")),
            reason=str(told.get("reason", "")),
            cpus=placed.batch.asked.cores,
            walltime_s=placed.batch.asked.walltime_s,
            memory_gb=placed.batch.asked.memory_gb,
        )


def _intact(folder: Path) -> bool | None:
    """Return whether a result has the checksum of its manifest; None without a result."""
    if not (folder / RESULT).exists():
        return None
    try:
        verify_result(folder)
    except RunFolderError:
        return False
    return True
