"""Tasks of a run as jobs of a cluster: submitted once, watched, tried again up a ladder."""

from __future__ import annotations

import logging
import os
import secrets
import threading
import time
from concurrent.futures import wait
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from superionic.structures.errors import ClusterError, RunFolderError, TaskFailedError
from superionic.workflows.futures import ScheduledTask, TaskFuture
from superionic.workflows.runfolder import (
    ERROR,
    MANIFEST,
    load_result,
    prepare_task_folder,
    read_optional,
)
from superionic.workflows.schedule import found_result
from superionic.workflows.serialise import write_json_atomic
from superionic.workflows.slurm.client import Slurm, SlurmBusyError
from superionic.workflows.slurm.outcome import Outcome, judge, may_retry
from superionic.workflows.slurm.placement import LeftRunning
from superionic.workflows.slurm.records import Ledger
from superionic.workflows.slurm.submission import DriverLock, Submitter

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from pathlib import Path

    from superionic.workflows.jobs import Resources
    from superionic.workflows.runfolder import TaskSpec
    from superionic.workflows.slurm.client import QueueEntry
    from superionic.workflows.slurm.placement import Placement
    from superionic.workflows.slurm.records import Placed

log = logging.getLogger(__name__)

_QUIET_S = 1.0
"""Tasks that are added within so many seconds of each other may share an `sbatch`; whoever asks for
a result does not wait for more of them."""
_STUBBORN_S = 600.0
"""So long a driver that does not wait for jobs waits for a Slurm that does not answer."""


class ClusterFuture(TaskFuture[Any]):
    """The result of a job; in a detached run asking for it never waits for the job."""

    def __init__(self, key: str, folder: Path, scheduler: ClusterScheduler) -> None:
        super().__init__(key, folder)
        self._scheduler = scheduler

    def result(self, timeout: float | None = None) -> Any:
        """Return the result, as ``TaskFuture``; or raise ``LeftRunning`` in a detached run."""
        if not self.done():
            self._scheduler.hurry(self)
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Return the error, as ``TaskFuture``; or raise ``LeftRunning`` in a detached run."""
        if not self.done():
            self._scheduler.hurry(self)
        return super().exception(timeout)


class ClusterScheduler:
    """Runs the tasks of one run as jobs of a cluster.

    Only one driver at a time submits from a run's folder. It may be killed at any moment: the jobs
    go on, and the next driver finds them.

    Parameters
    ----------
    folder
        The run's folder.
    placement
        Cluster, and whether to wait.

    Raises
    ------
    ClusterError
        Another driver is at work, or Slurm does not answer.
    """

    def __init__(self, folder: Path, placement: Placement) -> None:
        self.folder, self.placement, self.cluster = folder, placement, placement.cluster
        self.run_id = placement.session or secrets.token_hex(8)
        self.tasks: dict[str, ScheduledTask] = {}
        self._lock = threading.RLock()
        self._watched: dict[str, Placed] = {}
        self._gone_since: dict[str, float] = {}
        self._slurm = Slurm()
        self._stop = threading.Event()
        self._last_add = 0.0
        self._answers = placement.dry_run or bool(placement.session)
        self._driver_lock = DriverLock(folder)
        try:
            self._ledger = Ledger(folder)
            if self._ledger.uncertain and not placement.dry_run:
                self._require_slurm()
                self._ledger.settle(self._patiently(self._slurm.queue))
        except BaseException:
            self._driver_lock.release()
            raise
        self._submitter = Submitter(
            folder, placement, self._ledger, self._slurm, self.run_id, self._driver_lock
        )
        self._thread: threading.Thread | None = None
        if not (placement.detach or placement.dry_run):
            self._thread = threading.Thread(target=self._serve, name="slurm-driver", daemon=True)
            self._thread.start()

    def add(
        self, spec: TaskSpec, *, resources: Resources, function: bytes | None
    ) -> TaskFuture[Any]:
        """Take up a task: find its result, its job in the queue, or submit it soon.

        Raises
        ------
        RunFolderError
            The task's folder holds other inputs or cannot be written.
        ClusterError
            No Slurm answers; one that had answered is waited for.
        """
        with self._lock:
            if spec.key in self.tasks:
                return self.tasks[spec.key].future
            folder = prepare_task_folder(self.folder, spec)
            future = ClusterFuture(spec.key, folder, self)
            asked = self.cluster.resources(spec.name, resources)
            task = ScheduledTask(spec, future, asked.cpus, function)
            found = found_result(task)
            if not found:
                self._require_slurm()
            self.tasks[spec.key] = task
            if found:
                return future
            parents = [self.tasks[key] for key in spec.parents]
            self._submitter.base[spec.key] = asked
            self._take_up(task)
            self._last_add = time.monotonic()
        for parent in parents:
            parent.future.add_done_callback(self._parent_callback(task, parent))
        return future

    def _require_slurm(self) -> None:
        """Tell whoever started this driver at once that no Slurm answers.

        A job that takes a step of a campaign, for which nobody waits, is patient instead.
        """
        if not self._answers:
            self._slurm.check()
            self._answers = True

    def _take_up(self, task: ScheduledTask) -> None:
        """Go on with a task from where an earlier driver left it."""
        placed = self._ledger.latest(task.future.key)
        if placed is None:
            self._submitter.wanted.append(task)
        elif not placed.surely_over():
            self._watched[task.future.key] = placed
            log.info("%s: job %s goes on.", task.future.key, placed.job)
        else:
            found = Outcome.recorded(placed.ended())
            if found.state == "done" or self._again(task, found.state):  # done: its result is gone
                self._submitter.wanted.append(task)
            else:
                self._fail(task, found)

    def _again(self, task: ScheduledTask, state: str) -> bool:
        """Return whether a task that ended badly is to be submitted once more."""
        if self._submitter.stopped():
            return False
        base = self._submitter.base[task.future.key]
        if state == "out_of_memory" and base.memory_gb is None:
            return not self._ends_of_session(task)
        return may_retry(self._ends_of_session(task), self.cluster.retries)

    def _ends_of_session(self, task: ScheduledTask) -> list[str]:
        """Return how a task's jobs have ended since the user last resumed."""
        history = self._ledger.history(task.future.key)
        return [str(p.ended().get("state")) for p in history if p.batch.session == self.run_id]

    def _parent_callback(
        self, task: ScheduledTask, parent: ScheduledTask
    ) -> Callable[[Future[Any]], None]:
        """Return what is to happen to a task when one of its parents has ended."""

        def ended(future: Future[Any]) -> None:
            if future.cancelled() or future.exception() is not None:
                self._skip(task, parent)

        return ended

    def _skip(self, task: ScheduledTask, parent: ScheduledTask) -> None:
        """Give up a task because a parent has no result."""
        with self._lock:
            if task.future.done():
                return
            root = parent.reason if parent.state == "skipped" else ""
            why = root or f"{parent.future.key} {parent.state}: {parent.reason}".rstrip(": ")
            task.state, task.reason = "skipped", why
            placed = self._watched.pop(task.future.key, None)
            self._submitter.forget(task)
        if placed is not None:
            with suppress(ClusterError):
                self._slurm.cancel([placed.job])
            placed.write_end("never_started", why)
        message = f"{task.future.key} was not run because {why}"
        described = {"state": "skipped", "type": "TaskFailedError", "message": message}
        with suppress(RunFolderError):
            write_json_atomic(task.folder / ERROR, dict(described))
        log.warning("%s", message)
        task.future.set_exception(TaskFailedError(message))

    def _serve(self) -> None:
        """Submit and watch until the run is closed."""
        next_look = 0.0
        while not self._stop.wait(0.1):
            now = time.monotonic()
            try:
                self._submit(quiet_s=_QUIET_S)
                if self._watched and now >= next_look:
                    next_look = now + self.cluster.poll_s
                    self.look()
            except SlurmBusyError as error:
                log.warning("%s Trying again.", error)
                next_look = now + self.cluster.poll_s
                self._stop.wait(min(self.cluster.poll_s, 10.0))
            except Exception as error:  # whatever it is, somebody waits for these tasks
                log.exception("The driver stopped.")
                self._give_up(error)
                return

    def _give_up(self, error: Exception) -> None:
        """Tell whoever waits that this driver can do no more; jobs go on."""
        for task in list(self.tasks.values()):
            if not task.future.done():
                task.reason = str(error)
                task.future.set_exception(ClusterError(f"The driver stopped: {error}"))

    def _submit(self, *, quiet_s: float = 0.0) -> None:
        """Submit all tasks that wait for it and can go now, once none was added for some time."""
        with self._lock:
            if time.monotonic() - self._last_add < quiet_s:
                return
            room = None
            if self.cluster.queued:
                room = max(self.cluster.queued - len(self._watched), 0)
            refused = self._submitter.flush(self._watched, self.tasks, room=room)
        for task, error in refused:
            self._fail(task, Outcome("failed", str(error)), recorded=False)

    def look(self) -> None:
        """Look once at the queue and complete what has ended.

        Raises
        ------
        SlurmBusyError
            Slurm does not answer.
        """
        queue = self._slurm.queue()
        with self._lock:
            watched = dict(self._watched)
        lost = [p.job for p in watched.values() if p.job not in queue]
        queue = {**self._slurm.account(lost), **queue} if lost else queue
        for key, placed in watched.items():
            self._consider(self.tasks[key], placed, queue.get(placed.job))

    def _consider(self, task: ScheduledTask, placed: Placed, entry: QueueEntry | None) -> None:
        """Take note of how far a job is, and complete its task at the end."""
        if task.future.done():
            self._watched.pop(task.future.key, None)
            return
        active = entry is not None and entry.active
        since = time.monotonic()
        if active:
            self._gone_since.pop(placed.job, None)
        else:
            since = self._gone_since.setdefault(placed.job, since)
        patient = time.monotonic() - since < self.cluster.grace_s
        found = judge(placed, entry, task.folder, patient=patient)
        if not found.over:
            if found.state == "running" and task.state != "running":
                task.started_s = time.monotonic()
            task.state = "running" if found.state == "running" else "queued"
            task.reason = found.reason
            return
        with self._lock:
            self._watched.pop(task.future.key, None)
            self._gone_since.pop(placed.job, None)
        if found.state == "never_started" and active:
            with suppress(ClusterError):
                self._slurm.cancel([placed.job])
        self._finish(task, placed, found)

    def _finish(self, task: ScheduledTask, placed: Placed, found: Outcome) -> None:
        """Complete a task whose job has ended, or submit it again."""
        if found.state == "done":
            self._succeed(task)
            return
        told = placed.ended()
        if told.get("state") != found.state or told.get("judge") != "driver":
            placed.write_end(found.state, found.reason)
        log.warning("%s: job %s: %s: %s", task.future.key, placed.job, found.state, found.reason)
        if self._again(task, found.state) and not self._parent_failed(task):
            with self._lock:
                task.state = "pending"
                self._submitter.wanted.append(task)
        else:
            self._fail(task, found)

    def _parent_failed(self, task: ScheduledTask) -> bool:
        """Return whether a parent has no result, and never will in this run."""
        parents = (self.tasks[key] for key in task.spec.parents)
        return any(p.future.done() and p.future.exception() is not None for p in parents)

    def _succeed(self, task: ScheduledTask) -> None:
        """Hand out the result that a job left."""
        try:
            value = load_result(task.folder)
        except Exception as error:
            self._fail(task, Outcome("failed", f"{type(error).__name__}: {error}"))
            return
        task.state = "done"
        task.wall_s = read_optional(task.folder / MANIFEST).get("wall_s")
        log.info("%s: done.", task.future.key)
        task.future.set_result(value)

    def _fail(self, task: ScheduledTask, found: Outcome, *, recorded: bool = True) -> None:
        """Record that a task has no result, and tell whoever waits for it."""
        task.state, task.reason = found.state, found.reason  # type: ignore[assignment]
        error = read_optional(task.folder / ERROR)
        if recorded and error.get("state") != found.state:
            described = {"state": found.state, "type": found.state, "message": found.reason}
            with suppress(RunFolderError):
                write_json_atomic(task.folder / ERROR, dict(described))
        log.error("%s: %s: %s", task.future.key, found.state, found.reason)
        if error.get("type") == RunFolderError.__name__:
            task.future.set_exception(RunFolderError(error["message"]))
            return
        label = "failed" if found.state == "failed" else f"failed ({found.state})"
        task.future.set_exception(
            TaskFailedError(f"{task.future.key} {label}: {found.reason} (details in {task.folder})")
        )

    def hurry(self, future: ClusterFuture) -> None:
        """Submit at once what waits to be; a detached run looks at the queue, and leaves.

        Raises
        ------
        LeftRunning
            The run is detached and the task has not ended.
        """
        self._last_add = 0.0
        if self._thread is not None:
            return
        if not self.placement.dry_run:
            self._settle_now(future)
        if not future.done():
            placed = self._watched.get(future.key)
            raise LeftRunning(
                f"{future.key} has not ended; run the same again later to go on from here.",
                key=future.key,
                job=placed.job if placed else "",
            )
        return

    def _settle_now(self, future: ClusterFuture | None = None) -> None:
        """Submit and look until nothing more is known; do not wait for jobs.

        Files of jobs that left the queue get the time that slow file systems need.
        """
        while True:
            self._patiently(self._submit)
            tried = self._submitter.pending()
            if self._watched:
                self._patiently(self.look)
            if future is not None and future.done():
                self._patiently(self._submit)
                return
            if self._late():
                time.sleep(min(self.cluster.poll_s, 1.0))
            elif self._submitter.pending() == tried:
                return

    def _late(self) -> bool:
        """Return whether files of a job that has ended may still be on their way."""
        return any(p.job in self._gone_since for p in self._watched.values())

    def _patiently(self, call: Callable[[], Any]) -> Any:
        """Call Slurm again and again while it does not answer, for some minutes."""
        until, pause = time.monotonic() + _STUBBORN_S, 1.0
        while True:
            try:
                return call()
            except SlurmBusyError as error:
                if time.monotonic() + pause > until:
                    raise
                log.warning("%s Trying again in %.0f s.", error, pause)
                time.sleep(pause)
                pause = min(2 * pause, 30.0)

    def wait(self) -> None:
        """Wait until every task has ended; in a detached run, until all are submitted."""
        self._last_add = 0.0
        if self._thread is None:
            if self.placement.dry_run:
                self._submit()
            else:
                self._settle_now()
            return
        while pending := [t.future for t in list(self.tasks.values()) if not t.future.done()]:
            wait(pending)

    def close(self, *, kill: bool = False) -> None:
        """Stop driving. Jobs go on; with ``kill`` nothing more is submitted."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        left = sum(not t.future.done() for t in self.tasks.values())
        if left:
            log.info("%d tasks go on without this driver (process %d).", left, os.getpid())
        self._driver_lock.release()
