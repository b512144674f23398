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

from superionic.structures.errors import ClusterError
from superionic.workflows.futures import ScheduledTask, TaskFuture
from superionic.workflows.runfolder import prepare_task_folder
from superionic.workflows.slurm.client import Slurm, SlurmBusyError
from superionic.workflows.slurm.completion import fail, succeed
from superionic.workflows.slurm.outcome import Outcome, may_retry
from superionic.workflows.slurm.patience import patiently
from superionic.workflows.slurm.placement import LeftRunning
from superionic.workflows.slurm.records import Ledger
from superionic.workflows.slurm.submission import DriverLock, Submitter
from superionic.workflows.slurm.watch import Watch
from superionic.workflows.task_endings import found_result, mark_skipped, tell_skipped

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from pathlib import Path

    from superionic.workflows.jobs import Resources
    from superionic.workflows.runfolder import TaskSpec
    from superionic.workflows.slurm.placement import Placement
    from superionic.workflows.slurm.records import Placed

log = logging.getLogger(__name__)

_QUIET_S = 1.0
"""Tasks that are added within so many seconds of each other may share an `sbatch`; whoever asks for
a result does not wait for more of them."""


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
        self._slurm = Slurm()
        self._watch = Watch(self._slurm, self.cluster, self.tasks, self._lock, self._finish)
        self._stop = threading.Event()
        self._last_add = 0.0
        self._answers = placement.dry_run or bool(placement.session)
        self._driver_lock = DriverLock(folder)
        try:
            self._ledger = Ledger(folder)
            if self._ledger.uncertain and not placement.dry_run:
                self._require_slurm()
                self._ledger.settle(patiently(self._slurm.queue))
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
            self._watch.jobs[task.future.key] = placed
            log.info("%s: job %s goes on.", task.future.key, placed.job)
        else:
            found = Outcome.recorded(placed.ended())
            if found.state == "done" or self._again(task, found.state):  # done: its result is gone
                self._submitter.wanted.append(task)
            else:
                fail(task, found)

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
            why = mark_skipped(task, parent)
            placed = self._watch.jobs.pop(task.future.key, None)
            self._submitter.forget(task)
        if placed is not None:
            with suppress(ClusterError):
                self._slurm.cancel([placed.job])
            placed.write_end("never_started", why)
        tell_skipped(task, why)

    def _serve(self) -> None:
        """Submit and watch until the run is closed."""
        next_look = 0.0
        while not self._stop.wait(0.1):
            now = time.monotonic()
            try:
                self._submit(quiet_s=_QUIET_S)
                if self._watch.jobs and now >= next_look:
                    next_look = now + self.cluster.poll_s
                    self._watch.look()
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
                room = max(self.cluster.queued - len(self._watch.jobs), 0)
            refused = self._submitter.flush(self._watch.jobs, self.tasks, room=room)
        for task, error in refused:
            fail(task, Outcome("failed", str(error)), recorded=False)

    def _finish(self, task: ScheduledTask, placed: Placed, found: Outcome) -> None:
        """Complete a task whose job has ended, or submit it again."""
        if found.state == "done":
            succeed(task)
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
            fail(task, found)

    def _parent_failed(self, task: ScheduledTask) -> bool:
        """Return whether a parent has no result, and never will in this run."""
        parents = (self.tasks[key] for key in task.spec.parents)
        return any(p.future.done() and p.future.exception() is not None for p in parents)

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
            placed = self._watch.jobs.get(future.key)
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
            patiently(self._submit)
            tried = self._submitter.pending()
            if self._watch.jobs:
                patiently(self._watch.look)
            if future is not None and future.done():
                patiently(self._submit)
                return
            if self._watch.late():
                time.sleep(min(self.cluster.poll_s, 1.0))
            elif self._submitter.pending() == tried:
                return

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
