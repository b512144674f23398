"""Jobs that have not ended: looked at in the queue, and judged when they leave it."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from superionic.structures.errors import ClusterError
from superionic.workflows.slurm.outcome import judge

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping

    from superionic.workflows.futures import ScheduledTask
    from superionic.workflows.slurm.client import QueueEntry, Slurm
    from superionic.workflows.slurm.config import ClusterConfig
    from superionic.workflows.slurm.outcome import Outcome
    from superionic.workflows.slurm.records import Placed


class Watch:
    """The jobs of a run that have not ended, as far as is known.

    Parameters
    ----------
    slurm
        The commands.
    cluster
        How long files may take to arrive.
    tasks
        Those of the run, by their names.
    lock
        Held while `jobs` is changed.
    finish
        Called with a task, its job and how that ended.

    Attributes
    ----------
    jobs : dict of str to Placed
        By the names of their tasks.
    """

    def __init__(
        self,
        slurm: Slurm,
        cluster: ClusterConfig,
        tasks: Mapping[str, ScheduledTask],
        lock: threading.RLock,
        finish: Callable[[ScheduledTask, Placed, Outcome], None],
    ) -> None:
        self.jobs: dict[str, Placed] = {}
        self._slurm, self._cluster, self._tasks = slurm, cluster, tasks
        self._lock, self._finish = lock, finish
        self._gone_since: dict[str, float] = {}

    def look(self) -> None:
        """Look once at the queue and hand on what has ended.

        Raises
        ------
        SlurmBusyError
            Slurm does not answer.
        """
        queue = self._slurm.queue()
        with self._lock:
            watched = dict(self.jobs)
        lost = [p.job for p in watched.values() if p.job not in queue]
        queue = {**self._slurm.account(lost), **queue} if lost else queue
        for key, placed in watched.items():
            self._consider(self._tasks[key], placed, queue.get(placed.job))

    def late(self) -> bool:
        """Return whether files of a job that has ended may still be on their way."""
        return any(p.job in self._gone_since for p in self.jobs.values())

    def _consider(self, task: ScheduledTask, placed: Placed, entry: QueueEntry | None) -> None:
        """Take note of how far a job is, and hand it on at the end."""
        if task.future.done():
            self.jobs.pop(task.future.key, None)
            return
        active = entry is not None and entry.active
        since = time.monotonic()
        if active:
            self._gone_since.pop(placed.job, None)
        else:
            since = self._gone_since.setdefault(placed.job, since)
        patient = time.monotonic() - since < self._cluster.grace_s
        found = judge(placed, entry, task.folder, patient=patient)
        if not found.over:
            if found.state == "running" and task.state != "running":
                task.started_s = time.monotonic()
            task.state = "running" if found.state == "running" else "queued"
            task.reason = found.reason
            return
        with self._lock:
            self.jobs.pop(task.future.key, None)
            self._gone_since.pop(placed.job, None)
        if found.state == "never_started" and active:
            with suppress(ClusterError):
                self._slurm.cancel([placed.job])
        self._finish(task, placed, found)
