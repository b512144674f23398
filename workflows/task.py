"""What a worker does with one task's folder; all it needs is in there."""

from __future__ import annotations

import errno
import importlib
import inspect
import logging
import os
import socket
import sys
import traceback
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from superionic.structures.errors import RunFolderError, TaskFailedError
from superionic.workflows.context import TaskContext, clear_checkpoints, entered
from superionic.workflows.locks import task_lock
from superionic.workflows.logs import task_log
from superionic.workflows.manifest import Stopwatch, build_manifest, file_checksums
from superionic.workflows.progress import ProgressWriter
from superionic.workflows.runfolder import (
    ERROR,
    INPUTS,
    MANIFEST,
    PROGRESS,
    RESULT,
    RUNNING,
    TASK_LOG,
    TaskRef,
    load_result,
    read_optional,
    remove_leftovers,
)
from superionic.workflows.serialise import (
    Json,
    decode,
    encode,
    read_json,
    to_text,
    write_bytes_atomic,
    write_json_atomic,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

log = logging.getLogger(__name__)

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)


def execute_task(folder: str, cpus: int = 1, function: bytes | None = None) -> dict[str, Any]:
    """Run the task described by ``<folder>/inputs.json``, unless its result is there.

    Parameters
    ----------
    folder
        The task's folder within the run's folder.
    cpus
        Threads the task may use.
    function
        The cloudpickled function where it cannot be imported (scripts, notebooks).

    Returns
    -------
    dict
        ``state``: ``done``, ``reused`` or ``failed``, the last with ``type`` and ``message``.
        Never raises an ``Exception``.
    """
    path = Path(folder)
    try:
        with task_log(path / TASK_LOG), task_lock(path):
            return _execute_locked(path, cpus, function)
    except Exception as error:
        return _described(error)


def _execute_locked(path: Path, cpus: int, function: bytes | None) -> dict[str, Any]:
    """Run the task while no other process can."""
    if (path / RESULT).exists():
        return {"state": "reused"}
    remove_leftovers(path)
    (path / ERROR).unlink(missing_ok=True)
    watch = Stopwatch.start()
    me: dict[str, Json] = {"pid": os.getpid(), "host": socket.gethostname()}
    write_json_atomic(path / RUNNING, me | {"started": watch.started})
    log.info("Task %s starts on %s, process %s.", path.name, me["host"], me["pid"])
    limit_threads(cpus)
    try:
        with _inside(path):
            result = encode(_compute(path, function))
        _finish(path, watch, cpus, result)
    except (Exception, SystemExit) as error:
        return _fail(path, watch, cpus, error)
    return {"state": "done"}


def limit_threads(cpus: int) -> None:
    """Let numerical libraries in this process, and those of child processes, use ``cpus`` threads.

    Libraries that read the environment when they are loaded, and are already loaded, keep what
    they have, except torch, which is told.
    """
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(cpus)))
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(cpus)


@contextmanager
def _inside(path: Path) -> Iterator[None]:
    """Enter a task's folder: as working directory, for its files and for its progress."""
    before = Path.cwd()
    os.chdir(path)
    try:
        with entered(TaskContext(lambda: path, ProgressWriter(path / PROGRESS))):
            yield
    finally:
        os.chdir(before)


def _compute(path: Path, pickled: bytes | None) -> object:
    """Call the function with the inputs that are on disk."""
    described = read_json(path / INPUTS)
    if not isinstance(described, dict):
        raise RunFolderError(f"{path / INPUTS} does not describe a task.")
    function = _load_function(str(described["module"]), str(described["qualname"]), pickled)
    arguments = fill_references(decode(described["inputs"]), path.parent)
    bound = inspect.BoundArguments(inspect.signature(function), arguments)
    return function(*bound.args, **bound.kwargs)


def _load_function(module: str, qualname: str, pickled: bytes | None) -> Callable[..., object]:
    """Return the plain function behind a job."""
    if pickled is not None:
        import cloudpickle  # type: ignore[import-untyped]

        function: Callable[..., object] = cloudpickle.loads(pickled)
        return function
    try:
        found: Any = importlib.import_module(module)
        for part in qualname.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise TaskFailedError(
            f"A worker cannot import {qualname} from {module}: {error}. Define jobs at the top "
            "level of a module that can be imported, or of the script that is run."
        ) from error
    job: Callable[..., object] = getattr(found, "function", found)
    return job


def fill_references(value: Any, run: Path) -> Any:
    """Replace references to other tasks, also inside tuples, lists and dicts, by their results."""
    if isinstance(value, TaskRef):
        return load_result(run / value.key)
    if type(value) in (tuple, list):
        return type(value)(fill_references(v, run) for v in value)
    if type(value) is dict:
        return {k: fill_references(v, run) for k, v in value.items()}
    return value


def _finish(path: Path, watch: Stopwatch, cpus: int, result: Json) -> None:
    """Write manifest and result; the result comes last, and only then is the task done."""
    import hashlib

    inputs = read_optional(path / INPUTS)
    clear_checkpoints(path)
    (path / PROGRESS).unlink(missing_ok=True)
    content = to_text({"key": path.name, **_origin(inputs), "result": result}) + "\n"
    manifest = _manifest(path, watch, cpus, "done")
    log.info("Task %s is done: %s s wall.", path.name, manifest["wall_s"])
    checksums = _checksums(path) | {RESULT: hashlib.sha256(content.encode()).hexdigest()}
    write_json_atomic(path / MANIFEST, manifest | {"checksums": dict(checksums)})
    write_bytes_atomic(path / RESULT, content.encode())
    (path / RUNNING).unlink(missing_ok=True)


def _origin(inputs: dict[str, Any]) -> dict[str, Json]:
    """Return which function made a result."""
    return {k: inputs.get(k) for k in ("module", "qualname", "version")}


def _checksums(path: Path) -> dict[str, str]:
    """Return the checksums of all files, with the log as complete as it gets."""
    sys.stdout.flush()
    sys.stderr.flush()
    return file_checksums(path)


def _manifest(path: Path, watch: Stopwatch, cpus: int, state: str) -> dict[str, Json]:
    """Return the manifest without checksums."""
    parents = read_optional(path / INPUTS).get("parents", [])
    return build_manifest(
        key=path.name, state=state, watch=watch, cpus=cpus, parents=parents, checksums={}
    )


def _fail(path: Path, watch: Stopwatch, cpus: int, error: BaseException) -> dict[str, Any]:
    """Record a failure; a task that failed for its own reasons starts afresh next time."""
    described = _described(error)
    log.error("Task %s failed.", path.name, exc_info=error)
    if not isinstance(error, (OSError, MemoryError)):
        clear_checkpoints(path)
    with suppress(RunFolderError, OSError):
        (path / PROGRESS).unlink(missing_ok=True)
        trace = "".join(traceback.format_exception(error))
        write_json_atomic(path / ERROR, described | {"traceback": trace})
        manifest = _manifest(path, watch, cpus, "failed")
        write_json_atomic(path / MANIFEST, manifest | {"checksums": dict(_checksums(path))})
    (path / RUNNING).unlink(missing_ok=True)
    return described


def _described(error: BaseException) -> dict[str, Any]:
    """Return type and message of an error as plain values; a full disk is named as such."""
    kind, message = type(error).__name__, str(error)
    no_space = isinstance(error, OSError) and error.errno in _NO_SPACE
    if no_space and not isinstance(error, RunFolderError):
        kind = RunFolderError.__name__
        message = (
            f"{message}. The disk is full or cannot be written. Free some space or choose another "
            "output folder, then run the same command again: finished tasks are kept."
        )
    return {"state": "failed", "type": kind, "message": message}
