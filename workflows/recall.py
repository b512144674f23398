"""Results that are there, and nothing computed: a run's folder read the way it was written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from superionic.structures.errors import RunFolderError, TaskFailedError
from superionic.workflows.futures import TaskFuture
from superionic.workflows.jobs import OPEN_RUNS
from superionic.workflows.manifest import verify_result
from superionic.workflows.runfolder import load_result, read_task

if TYPE_CHECKING:
    from types import TracebackType

    from superionic.workflows.jobs import Job

R = TypeVar("R")


class Recall:
    """Takes the jobs submitted inside its ``with`` block and answers from a folder alone.

    Nothing is computed, and nothing is written to the folder. The ``result()`` of a task that did
    not end well, or was never made, raises ``TaskFailedError``, as in a run in which it failed.

    Parameters
    ----------
    folder
        A run's folder.

    Attributes
    ----------
    keys : list of str
        Tasks that were found, in the order in which they were asked for.
    missing : list of str
        Tasks that have no result.

    Raises
    ------
    RunFolderError
        There is no such folder.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder).expanduser().absolute()
        if not self.folder.is_dir():
            raise RunFolderError(f"There is no run folder {self.folder}.")
        self.keys: list[str] = []
        self.missing: list[str] = []
        self._futures: dict[str, TaskFuture[Any]] = {}

    def __enter__(self) -> Recall:
        """Take jobs."""
        OPEN_RUNS.append(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take no more."""
        OPEN_RUNS.remove(self)

    def submit(
        self, job: Job[..., R], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> TaskFuture[R]:
        """Return the result of a task, or why there is none."""
        spec = job.spec(args, kwargs)
        if spec.key not in self._futures:
            future: TaskFuture[Any] = TaskFuture(spec.key, self.folder / spec.key)
            self._futures[spec.key] = future
            self._answer(future)
        return self._futures[spec.key]

    def _answer(self, future: TaskFuture[Any]) -> None:
        """Read what a task left."""
        record = read_task(future.folder)
        if record.state != "done":
            why = record.reason or "it has not been computed in this folder"
            self._miss(future, TaskFailedError(f"{future.key} has no result: {why}"))
            return
        try:
            verify_result(future.folder)
            value = load_result(future.folder)
        except Exception as error:  # anything may be in a file
            self._miss(future, TaskFailedError(f"{future.key} cannot be read: {error}"))
            return
        self.keys.append(future.key)
        future.set_result(value)

    def _miss(self, future: TaskFuture[Any], error: TaskFailedError) -> None:
        self.missing.append(future.key)
        future.set_exception(error)
