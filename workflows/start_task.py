"""Start a task in the open run, or here and now where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from superionic.structures.errors import SuperionicError, TaskFailedError
from superionic.workflows.jobs import OPEN_RUNS

if TYPE_CHECKING:
    from superionic.workflows.jobs import Job

R = TypeVar("R")


class Here(Generic[R]):
    """The result of a job that was called here and now, in the clothes of a future."""

    def __init__(self, job: Job[..., R], args: tuple[Any, ...]) -> None:
        self._value: R | None = None
        self._error: TaskFailedError | None = None
        try:
            self._value = job(*args)
        except SuperionicError as error:
            self._error = TaskFailedError(str(error))

    def result(self) -> R:
        """Return the value, or raise `TaskFailedError`."""
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]


def start_task(job: Job[..., R], *args: Any) -> Any:
    """Submit a job to the open run, or call it where there is none; return what has ``result``."""
    return job.submit(*args) if OPEN_RUNS else Here(job, args)


def settled(future: Any) -> Any:
    """Return a task's result, or the reason why there is none."""
    try:
        return future.result()
    except TaskFailedError as error:
        return str(error)
