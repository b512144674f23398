"""A task of a run that is going on, and the future that its caller holds."""

from __future__ import annotations

import time
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from superionic.workflows.progress import TaskView
from superionic.workflows.runfolder import TaskRecord, TaskSpec, TaskState

if TYPE_CHECKING:
    from pathlib import Path

R = TypeVar("R")


class TaskFuture(Future[R]):
    """The result of a task, some day.

    ``result()`` waits for it, and raises ``TaskFailedError`` with the reason if the task, or one
    that it needs, failed. May be given to ``submit`` in place of the value.

    Attributes
    ----------
    key : str
        Name of the task's folder within the run's folder.
    folder : Path
        The task's folder.
    """

    def __init__(self, key: str, folder: Path) -> None:
        super().__init__()
        self.key = key
        self.folder = folder


@dataclass(eq=False)
class ScheduledTask:
    """A task of a run that is going on.

    Attributes
    ----------
    spec : TaskSpec
        What it is.
    future : TaskFuture
        What the caller holds.
    cpus : int
        Cores it occupies.
    function : bytes or None
        Its cloudpickled function where workers cannot import it.
    state, reason
        As in ``TaskRecord``.
    waiting : int
        Parents that have not ended yet.
    started_s, wall_s : float or None
        Monotonic time at its start, and wall time of its computation, in seconds.
    """

    spec: TaskSpec
    future: TaskFuture[Any]
    cpus: int
    function: bytes | None = None
    state: TaskState = "pending"
    reason: str = ""
    waiting: int = 0
    started_s: float | None = None
    wall_s: float | None = None

    @property
    def folder(self) -> Path:
        """The task's folder."""
        return self.future.folder

    def view(self) -> TaskView:
        """Return what the display needs."""
        elapsed = time.monotonic() - self.started_s if self.started_s is not None else 0.0
        return TaskView(
            self.spec.name, self.future.key, self.state, self.folder, elapsed, self.wall_s
        )

    def record(self) -> TaskRecord:
        """Return what a report needs."""
        return TaskRecord(
            name=self.spec.name,
            key=self.future.key,
            state=self.state,
            wall_s=self.wall_s,
            folder=str(self.folder),
            reason=self.reason,
        )
