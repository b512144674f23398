"""Where the running task may put its files, and how an interrupted one picks up again."""

from __future__ import annotations

import atexit
import io
import logging
import re
import shutil
import tempfile
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.workflows.serialise import SerialiseError, write_bytes_atomic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import ArrayLike, NDArray

    from superionic.workflows.progress import ProgressWriter

log = logging.getLogger(__name__)

CHECKPOINT_SUFFIX = ".checkpoint.npz"


class TaskContext:
    """What the code inside a task can ask about it.

    Parameters
    ----------
    make_folder
        Creates and returns the task's folder; called at most once, when first asked for.
    progress
        Where progress goes; None where nobody watches.
    """

    def __init__(
        self, make_folder: Callable[[], Path], progress: ProgressWriter | None = None
    ) -> None:
        self._make_folder = make_folder
        self._folder: Path | None = None
        self.progress = progress

    @property
    def folder(self) -> Path:
        """The task's own folder; exists."""
        if self._folder is None:
            self._folder = self._make_folder()
        return self._folder


_CONTEXT: ContextVar[TaskContext | None] = ContextVar("superionic_task", default=None)


def current_context() -> TaskContext | None:
    """Return the context of the running task; None outside tasks."""
    return _CONTEXT.get()


@contextmanager
def entered(context: TaskContext) -> Iterator[TaskContext]:
    """Make a context the current one."""
    token = _CONTEXT.set(context)
    try:
        yield context
    finally:
        _CONTEXT.reset(token)


@contextmanager
def plain_call(key: Callable[[], str]) -> Iterator[None]:
    """Give a job that is called as a plain function a folder of its own, should it ask for one.

    Inside a task that is a subfolder named by the job and its inputs, so that files of two calls
    never meet; elsewhere a temporary folder that is removed after the call.
    """
    outer = current_context()
    made: list[Path] = []

    def make() -> Path:
        if outer is None:
            made.append(Path(tempfile.mkdtemp(prefix="superionic-")))
            return made[0]
        folder = outer.folder / key()
        folder.mkdir(exist_ok=True)
        return folder

    try:
        with entered(TaskContext(make, outer.progress if outer else None)):
            yield
    finally:
        for folder in made:
            shutil.rmtree(folder, ignore_errors=True)


def current_folder() -> Path:
    """Return the folder in which the running task may write its raw files.

    Outside a :class:`~superionic.workflows.execution.Run` it is a temporary folder: one for each
    call of a job, and a new one for each call of this function outside any job. Those are removed
    after the job, or when Python ends.
    """
    context = current_context()
    if context is not None:
        return context.folder
    folder = Path(tempfile.mkdtemp(prefix="superionic-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def checkpoint_path(name: str) -> Path:
    """Return where the running task keeps the checkpoint called ``name``."""
    if not re.fullmatch(r"[\w.+-]+", name):
        raise SerialiseError(f"A checkpoint's name is letters, digits and ._+- only; got {name!r}.")
    return current_folder() / f"{name}{CHECKPOINT_SUFFIX}"


def save_checkpoint(name: str, arrays: Mapping[str, ArrayLike]) -> None:
    """Keep arrays with which the task can go on after it was killed.

    Does nothing outside a task. A finished task removes its checkpoints, a task that raised an
    error as well (it starts afresh next time) unless the machine was at fault (disk, memory).

    Parameters
    ----------
    name
        Must be unique within the task: two optimisations in one task need two names.
    arrays
        Anything ``numpy.savez`` writes without pickle.
    """
    if current_context() is None:
        return
    buffer = io.BytesIO()
    named: dict[str, Any] = {k: np.asarray(v) for k, v in arrays.items()}
    if any(a.dtype.hasobject for a in named.values()):
        raise SerialiseError("A checkpoint holds numbers and text, not Python objects.")
    np.savez(buffer, **named)
    write_bytes_atomic(checkpoint_path(name), buffer.getvalue(), durable=False)


def load_checkpoint(name: str) -> dict[str, NDArray[Any]] | None:
    """Return what :func:`save_checkpoint` kept before the task was killed; None at a fresh start.

    A checkpoint that cannot be read is reported in the log and counts as none.
    """
    if current_context() is None:
        return None
    path = checkpoint_path(name)
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in stored.files}
    except (OSError, ValueError, EOFError, KeyError) as error:
        log.warning("Checkpoint %s cannot be read (%s); starting afresh.", path, error)
        return None
    log.info("Going on from checkpoint %s.", path.name)
    return arrays


def clear_checkpoints(folder: Path) -> None:
    """Remove all checkpoints below a task's folder."""
    for path in folder.rglob(f"*{CHECKPOINT_SUFFIX}"):
        path.unlink(missing_ok=True)
