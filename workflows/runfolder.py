"""A run is a folder: one subfolder a task, keyed by the hash of what goes into it."""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from superionic.structures.errors import RunFolderError
from superionic.workflows.locks import is_locked
from superionic.workflows.serialise import (
    Json,
    decode,
    json_hash,
    read_json,
    write_json_atomic,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

INPUTS = "inputs.json"
RESULT = "result.json"
ERROR = "error.json"
MANIFEST = "manifest.json"
RUNNING = "running.json"
PROGRESS = "progress.json"
TASK_LOG = "task.log"

TaskState = Literal[
    "done",
    "reused",
    "failed",
    "skipped",
    "running",
    "interrupted",
    "pending",
    "cancelled",
    "queued",
    "timeout",
    "out_of_memory",
    "unconverged",
    "node_failure",
    "never_started",
]
"""``reused``: done by an earlier run; ``skipped``: not run because a parent failed;
``interrupted``: was running when its process died; ``pending``: not started. The last six, on
clusters: in the queue; walltime or memory too little; an external code used up its steps; its node
failed; a job that it waited for did not end well."""

BAD_ENDS = (
    "failed", "timeout", "out_of_memory", "unconverged", "node_failure", "never_started",
)  # fmt: skip
"""States of tasks that ended without a result, of themselves."""

_RECORDED = (*BAD_ENDS, "skipped", "cancelled")


@dataclass(frozen=True)
class TaskRef:
    """Stands for the result of another task of the same run among the inputs of a task.

    Attributes
    ----------
    key : str
        Name of the other task's folder.
    """

    key: str


@dataclass(frozen=True)
class TaskSpec:
    """What a task is: a versioned function and its inputs.

    Attributes
    ----------
    name : str
        Short name, first part of the folder's name.
    module, qualname : str
        Where the function is defined.
    version : int
        Version of the job; raised by its author when the code's meaning changes.
    inputs : Json
        Encoded arguments by parameter name, defaults filled in.
    parents : tuple of str
        Keys of the tasks whose results are among the inputs.
    """

    name: str
    module: str
    qualname: str
    version: int
    inputs: Json
    parents: tuple[str, ...] = ()

    @property
    def identity(self) -> dict[str, Json]:
        """The part that decides whether two tasks are the same."""
        return {
            "module": self.module,
            "qualname": self.qualname,
            "version": self.version,
            "inputs": self.inputs,
        }

    @property
    def key(self) -> str:
        """``<name>-<first 16 hex digits of the hash of the identity>``, also the folder's name."""
        return f"{self.name}-{json_hash(self.identity)[:16]}"


@dataclass(frozen=True)
class TaskRecord:
    """One row of a report on a run.

    Attributes
    ----------
    name : str
        Short name of the job.
    key : str
        Name of the task's folder within the run's folder.
    state : str
        See ``TaskState``.
    wall_s : float or None
        Wall time of the computation in seconds, whenever it was made; None if it never ended.
    folder : str
        The task's folder.
    reason : str
        Why it failed or was skipped; empty otherwise.
    """

    name: str
    key: str
    state: TaskState
    wall_s: float | None
    folder: str
    reason: str = ""


def prepare_run_folder(path: Path) -> Path:
    """Create a run's folder and make sure that it can be written to; return its full path.

    Raises
    ------
    RunFolderError
        It cannot be created or written to.
    """
    folder = Path(path).expanduser().resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"superionic")
    except OSError as error:
        raise RunFolderError(
            f"Cannot write into the run folder {folder}: {error.strerror or error}. Choose an "
            "output folder on a disk with free space where you may write."
        ) from error
    return folder


@contextmanager
def unwritable_by_others() -> Iterator[None]:
    """Let this process make no files that the world can write, whatever its umask."""
    before = os.umask(0o022)
    os.umask(before | 0o002)
    try:
        yield
    finally:
        os.umask(before)


def prepare_task_folder(run: Path, spec: TaskSpec) -> Path:
    """Create the folder of a task with its ``inputs.json``, or check the one that is there.

    Raises
    ------
    RunFolderError
        The folder holds other inputs than its name says, or cannot be written.
    """
    folder = run / spec.key
    inputs = folder / INPUTS
    if inputs.exists():
        _check_inputs(folder, spec)
        return folder
    if (folder / RESULT).exists():
        raise RunFolderError(
            f"{folder} has a {RESULT} but no {INPUTS}, so nobody knows what it is the result of. "
            "Remove the folder and run again."
        )
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise RunFolderError(
            f"Cannot create {folder}: {error.strerror or error}. Free some space or choose another "
            "output folder, then run the same command again."
        ) from error
    described: dict[str, Json] = {"key": spec.key, "name": spec.name, **spec.identity}
    write_json_atomic(inputs, described | {"parents": list(spec.parents)})
    return folder


def _check_inputs(folder: Path, spec: TaskSpec) -> None:
    """Raise if the folder's inputs are not those of the task."""
    stored = read_json(folder / INPUTS)
    held = {k: stored.get(k) for k in spec.identity} if isinstance(stored, dict) else {}
    if json_hash(held) == json_hash(spec.identity):
        return
    raise RunFolderError(
        f"The folder {folder} belongs to other inputs: its {INPUTS} hashes to "
        f"{spec.name}-{json_hash(held)[:16]}, this run needs {spec.key}. They differ first at "
        f"{_first_difference(spec.identity, held)}. It was edited or copied by hand: remove that "
        "folder, or choose another output folder."
    )


def _first_difference(expected: Any, found: Any, where: str = "task") -> str:
    """Describe the first place in which two JSON values differ."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in [*expected, *found]:
            if key not in expected or key not in found:
                return f"{where}.{key} (only in {'one' if key in expected else 'the other'})"
            if expected[key] != found[key]:
                return _first_difference(expected[key], found[key], f"{where}.{key}")
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for i, (a, b) in enumerate(zip(expected, found, strict=True)):
            if a != b:
                return _first_difference(a, b, f"{where}[{i}]")
    return f"{where}: expected {_excerpt(expected)}, found {_excerpt(found)}"


def _excerpt(value: object) -> str:
    """Return at most 60 characters of a value."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."


def load_result(folder: Path) -> Any:
    """Return the result of a finished task.

    Raises
    ------
    RunFolderError
        There is no result, it is not JSON, or it is that of another task.
    SerialiseError
        It was written by another version of the package and cannot be read by this one.
    """
    data = read_json(folder / RESULT)
    if not isinstance(data, dict) or "result" not in data:
        raise RunFolderError(f"{folder / RESULT} is not the result of a task.")
    if data.get("key") != folder.name:
        raise RunFolderError(f"{folder / RESULT} is the result of the task {data.get('key')}.")
    return decode(data["result"])


def remove_leftovers(folder: Path) -> None:
    """Remove half-written temporary files of a killed process; call with the lock held."""
    for path in folder.glob(".*.tmp"):
        path.unlink(missing_ok=True)


def read_optional(path: Path) -> dict[str, Any]:
    """Return a JSON object, or an empty one where there is no readable file."""
    with suppress(RunFolderError):
        data = read_json(path)
        if isinstance(data, dict):
            return data
    return {}


def read_task(folder: Path) -> TaskRecord:
    """Return the state of one task, from its files alone."""
    state: TaskState = "pending"
    reason = ""
    if (folder / RESULT).exists():
        state = "done"
    elif (folder / ERROR).exists():
        error = read_optional(folder / ERROR)
        state = error["state"] if error.get("state") in _RECORDED else "failed"
        reason = f"{error.get('type', 'Error')}: {error.get('message', '')}"
    elif (folder / RUNNING).exists():
        state = "running" if is_locked(folder) else "interrupted"
    wall = read_optional(folder / MANIFEST).get("wall_s") if state in ("done", "failed") else None
    name = task_name(folder.name)
    return TaskRecord(name, folder.name, state, wall, str(folder), reason)


def task_name(key: str) -> str:
    """Return the short name of a task, given its key."""
    return re.sub(r"-[0-9a-f]{16}$", "", key)


def read_run(folder: Path | str) -> tuple[TaskRecord, ...]:
    """Return a record of every task in a run's folder, by name and key; imports no heavy library.

    Raises
    ------
    RunFolderError
        There is no such folder.
    """
    path = Path(folder).expanduser()
    if not path.is_dir():
        raise RunFolderError(f"There is no run folder {path}.")
    found = sorted(p.parent for p in path.glob(f"*/{INPUTS}"))
    return tuple(read_task(p) for p in found)
