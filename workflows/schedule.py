"""Which task runs when: dependencies, free cores, failures that spread, results that come back."""

from __future__ import annotations

import heapq
import logging
import secrets
import threading
import time
from concurrent.futures import Future, wait
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from superionic.structures.errors import RunFolderError, SuperionicError, TaskFailedError
from superionic.workflows.futures import ScheduledTask, TaskFuture
from superionic.workflows.runfolder import (
    ERROR,
    MANIFEST,
    RUNNING,
    load_result,
    prepare_task_folder,
    read_optional,
)
from superionic.workflows.serialise import write_json_atomic
from superionic.workflows.task_endings import found_result, mark_skipped, tell_skipped

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from superionic.workflows.jobs import Resources
    from superionic.workflows.pool import LocalPool
    from superionic.workflows.runfolder import TaskSpec

log = logging.getLogger(__name__)

_INTERRUPTED = "The run was interrupted; the next one goes on from here."


class Scheduler:
    """Runs the tasks of one run on the cores of this machine.

    Worker processes start with the first task that has to be computed. All methods may be called
    from any thread.

    Parameters
    ----------
    folder
        The run's folder.
    workers
        Cores to keep busy.
    """

    def __init__(self, folder: Path, *, workers: int) -> None:
        self.folder = folder
        self.workers = workers
        self.run_id = secrets.token_hex(8)
        self.tasks: dict[str, ScheduledTask] = {}
        self._lock = threading.RLock()
        self._ready: list[tuple[int, ScheduledTask]] = []
        self._order: dict[str, int] = {}
        self._free = workers
        self._pool: LocalPool | None = None
        self._closed = False
        self._killed = False

    def add(
        self, spec: TaskSpec, *, resources: Resources, function: bytes | None
    ) -> TaskFuture[Any]:
        """Take up a task: find its result, or queue it behind its parents.

        Raises
        ------
        RunFolderError
            The task's folder holds other inputs or cannot be written.
        """
        with self._lock:
            if spec.key in self.tasks:
                return self.tasks[spec.key].future
            folder = prepare_task_folder(self.folder, spec)
            future: TaskFuture[Any] = TaskFuture(spec.key, folder)
            task = ScheduledTask(spec, future, min(resources.cpus, self.workers), function)
            self.tasks[spec.key] = task
            self._order[spec.key] = len(self._order)
            if found_result(task):
                return future
            task.waiting = len(spec.parents)
            parents = [self.tasks[key] for key in spec.parents]
        if not parents:
            self._enqueue(task)
        for parent in parents:
            parent.future.add_done_callback(self._parent_callback(task, parent))
        return future

    def _parent_callback(
        self, task: ScheduledTask, parent: ScheduledTask
    ) -> Callable[[Future[Any]], None]:
        """Return what is to happen to a task when one of its parents has ended."""

        def ended(future: Future[Any]) -> None:
            if future.cancelled() or future.exception() is not None:
                self._skip(task, parent)
                return
            with self._lock:
                task.waiting -= 1
                ready = task.waiting == 0 and task.state == "pending"
            if ready:
                self._enqueue(task)

        return ended

    def _skip(self, task: ScheduledTask, parent: ScheduledTask) -> None:
        """Give up a task because a parent has no result."""
        with self._lock:
            if task.state != "pending":
                return
            if self._killed:
                task.state, task.reason = "cancelled", _INTERRUPTED
                task.future.cancel()
                return
            why = mark_skipped(task, parent)
        if task.future.set_running_or_notify_cancel():
            tell_skipped(task, why)

    def _enqueue(self, task: ScheduledTask) -> None:
        """Queue a task whose parents are done."""
        with self._lock:
            heapq.heappush(self._ready, (self._order[task.future.key], task))
        self._pump()

    def _pump(self) -> None:
        """Start tasks, first submitted first, as long as there are cores for the next one."""
        with self._lock:
            while self._ready and not self._closed and self._ready[0][1].cpus <= self._free:
                _, task = heapq.heappop(self._ready)
                if not task.future.set_running_or_notify_cancel():
                    task.state = "cancelled"
                    continue
                self._start(task)

    def _start(self, task: ScheduledTask) -> None:
        """Hand a task to the workers."""
        self._free -= task.cpus
        task.state = "running"
        task.started_s = time.monotonic()
        log.info("%s: started.", task.future.key)
        try:
            outcome = self._workers_pool().submit(
                task.folder, cpus=task.cpus, function=task.function
            )
        except Exception as error:  # whatever it is, somebody waits for this task
            outcome = Future()
            outcome.set_exception(error)
        outcome.add_done_callback(lambda done: self._ended(task, done))

    def _workers_pool(self) -> LocalPool:
        """Return the worker processes, started when first needed."""
        if self._pool is None:
            from superionic.workflows.pool import LocalPool

            self._pool = LocalPool(workers=self.workers, folder=self.folder)
        return self._pool

    def _ended(self, task: ScheduledTask, outcome: Future[dict[str, Any]]) -> None:
        """Take back the cores, start what comes next, and pass on the result or the error."""
        try:
            told = outcome.result()
        except Exception as error:
            told = {"state": "failed", "type": type(error).__name__, "message": str(error)}
        with self._lock:
            if task.state != "running":
                return
            self._free += task.cpus
            task.state = "done"  # no other thread may end it a second time
        value, failure = self._read_outcome(task, told)
        if failure is not None:
            log.error("%s: %s: %s", task.future.key, task.state, task.reason)
            task.future.set_exception(failure)
        else:
            log.info("%s: %s.", task.future.key, task.state)
            task.future.set_result(value)
        self._pump()

    def _read_outcome(
        self, task: ScheduledTask, told: dict[str, Any]
    ) -> tuple[Any, SuperionicError | None]:
        """Return the result that a worker left behind, or the error to raise in its place."""
        state = str(told.get("state"))
        if self._killed and state != "done":
            task.state, task.reason = "interrupted", _INTERRUPTED
            return None, TaskFailedError(_INTERRUPTED)
        if state in ("done", "reused"):
            try:
                value = load_result(task.folder)
            except Exception as error:
                told = {"type": type(error).__name__, "message": str(error)}
            else:
                task.state = "reused" if state == "reused" else "done"
                task.wall_s = read_optional(task.folder / MANIFEST).get("wall_s")
                return value, None
        if state == "died":
            told = self._bury(task, told)
        task.state = "failed"
        task.reason = f"{told['type']}: {told['message']}"
        if told["type"] == RunFolderError.__name__:
            return None, RunFolderError(told["message"])
        return None, TaskFailedError(
            f"{task.future.key} failed: {task.reason} (details in {task.folder / 'task.log'})"
        )

    def _bury(self, task: ScheduledTask, told: dict[str, Any]) -> dict[str, Any]:
        """Record that a task took its worker down."""
        described = {"state": "failed", "type": "WorkerDied", "message": str(told["message"])}
        with suppress(RunFolderError, OSError):
            (task.folder / RUNNING).unlink(missing_ok=True)
            write_json_atomic(task.folder / ERROR, dict(described))
        return described

    def wait(self) -> None:
        """Wait until every task has ended, one way or the other."""
        while pending := [t.future for t in list(self.tasks.values()) if not t.future.done()]:
            wait(pending)

    def close(self, *, kill: bool = False) -> None:
        """End the workers; with ``kill`` give up tasks that have not ended."""
        with self._lock:
            self._closed, self._killed = True, kill
            pool, self._pool = self._pool, None
        if kill:
            for task in list(self.tasks.values()):
                if task.state == "pending":
                    task.state, task.reason = "cancelled", _INTERRUPTED
                    task.future.cancel()
        if pool is not None:
            pool.close(kill=kill)
