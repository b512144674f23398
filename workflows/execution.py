"""Jobs and runs: plain typed functions that can also run on all cores, once, and be resumed.

A job is a function with a version. Called, it is a plain function. Submitted inside a
:class:`Run` it becomes a task with a folder of its own; the same function with the same inputs is
never computed twice in one run folder, whatever was killed in between::

    @job(version=1)
    def relax(structure: Structure, settings: Settings) -> Relaxed: ...

    relax(structure, settings)                       # here and now
    with Run("results/first") as run:                # on all cores, resumable
        ends = [relax.submit(s, settings) for s in structures]
        hop = neb.submit(ends[0], ends[1])           # starts when both ends are there
        print(hop.result())

The same script runs on a Slurm cluster with ``Run("results/first", cluster="mycluster")``: a job
for each task, in the same folders. With ``detach=True`` it submits and leaves; run again, it goes
on.
"""

from __future__ import annotations

import logging
import os
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from superionic.workflows.futures import TaskFuture
from superionic.workflows.jobs import (
    OPEN_RUNS,
    Job,
    JobDefinitionError,
    NoRunError,
    Resources,
    job,
)
from superionic.workflows.logs import run_log
from superionic.workflows.runfolder import (
    BAD_ENDS,
    TaskRecord,
    prepare_run_folder,
    unwritable_by_others,
)
from superionic.workflows.schedule import Scheduler
from superionic.workflows.slurm.placement import LeftRunning, Placement, current_placement

if TYPE_CHECKING:
    from types import TracebackType

    from superionic.workflows.slurm.config import ClusterConfig
    from superionic.workflows.slurm.scheduler import ClusterScheduler

__all__ = [
    "Job",
    "JobDefinitionError",
    "LeftRunning",
    "NoRunError",
    "Resources",
    "Run",
    "RunSummary",
    "TaskFuture",
    "job",
    "usable_cores",
]

R = TypeVar("R")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunSummary:
    """What a run did.

    Attributes
    ----------
    folder : str
        The run's folder.
    done, reused, failed, skipped : int
        Tasks computed now, found finished, failed, and not run because a parent failed.
    unfinished : int
        Tasks that have not ended: still going on, or interrupted.
    wall_s : float
        Seconds since the run was opened, until it was closed.
    tasks : tuple of TaskRecord
        All tasks in the order of submission.
    """

    folder: str
    done: int
    reused: int
    failed: int
    skipped: int
    unfinished: int
    wall_s: float
    tasks: tuple[TaskRecord, ...]


class Run:
    """Takes the jobs submitted inside its ``with`` block; opening it again resumes.

    At the end of the block it waits for all tasks, also when the block raised an error: others go
    on when one task fails. An interrupt (Ctrl-C) ends the workers at once; what was finished stays.

    Parameters
    ----------
    folder
        The run's folder; created if need be.
    workers
        Worker processes; by default one for each core that this process may use.
    progress
        Show a live table on standard error (a line now and then where that is no terminal).
    title
        Shown with it.
    cluster
        Compute on this cluster instead, a job for each task: its settings, or the name or path of
        its file. Interrupting the driver then leaves the jobs alone.
    detach
        Submit and leave: the end of the block does not wait, and a ``result()`` that is not there
        yet raises ``LeftRunning``. Open the run again to go on.

    Raises
    ------
    RunFolderError
        On entering: the folder cannot be written.
    ClusterError
        On entering: there is no such cluster, or another driver submits from this folder.
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        workers: int | None = None,
        progress: bool = False,
        title: str = "",
        cluster: ClusterConfig | Path | str | None = None,
        detach: bool = False,
    ) -> None:
        self.folder = Path(folder)
        self.placement = _placement(cluster, detach=detach)
        self.workers = usable_cores() if workers is None else workers
        if self.workers < 1:
            raise JobDefinitionError(f"A run needs at least one worker; got {workers}.")
        self._progress = progress
        self._title = title
        self._scheduler: Scheduler | ClusterScheduler | None = None
        self._stack = ExitStack()
        self._opened_s = 0.0
        self._closed_s: float | None = None

    def __enter__(self) -> Run:
        """Check the folder and take up tasks."""
        if self._scheduler is not None:
            raise NoRunError("This run was opened before; make a new Run on the same folder.")
        try:
            self._stack.enter_context(unwritable_by_others())
            self.folder = prepare_run_folder(self.folder)
            self._opened_s = time.monotonic()
            self._stack.enter_context(run_log(self.folder))
            self._scheduler = self._make_scheduler()
        except BaseException:
            self._stack.close()
            raise
        if self._progress and not (self.placement and self.placement.detach):
            from superionic.workflows.progress import RunProgress

            display = RunProgress(self._views, workers=self.workers, title=self._title)
            display.start()
            self._stack.callback(display.stop)
        OPEN_RUNS.append(self)
        return self

    def _make_scheduler(self) -> Scheduler | ClusterScheduler:
        """Return what runs the tasks, here or on the cluster."""
        if self.placement is None:
            local = Scheduler(self.folder, workers=self.workers)
            log.info("Run %s in %s with %d workers.", local.run_id, self.folder, self.workers)
            return local
        from superionic.workflows.slurm.scheduler import ClusterScheduler

        remote = ClusterScheduler(self.folder, self.placement)
        cluster = self.placement.cluster.name
        log.info("Run %s in %s on the cluster %s.", remote.run_id, self.folder, cluster)
        return remote

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait for all tasks (not after an interrupt) and end the workers."""
        OPEN_RUNS.remove(self)
        scheduler = self._open_scheduler()
        kill = error is not None and not isinstance(error, (Exception, LeftRunning))
        try:
            if not kill:
                scheduler.wait()
        except BaseException:
            kill = True
            raise
        finally:
            scheduler.close(kill=kill)
            self._closed_s = time.monotonic()
            self._log_summary()
            self._stack.close()

    def submit(
        self, job: Job[..., R], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> TaskFuture[R]:
        """Take up a task; see :meth:`Job.submit`."""
        scheduler = self._open_scheduler()
        spec = job.spec(args, kwargs)
        strangers = [key for key in spec.parents if key not in scheduler.tasks]
        if strangers:
            raise NoRunError(
                f"{spec.key} was given the future of {strangers[0]}, which belongs to another run. "
                "Pass its .result() instead."
            )
        return scheduler.add(spec, resources=job.resources, function=job.pickled())

    def summary(self) -> RunSummary:
        """Return what was done so far."""
        records = tuple(t.record() for t in list(self._open_scheduler().tasks.values()))
        states = [r.state for r in records]
        ended = ("done", "reused", "skipped", *BAD_ENDS)
        until = time.monotonic() if self._closed_s is None else self._closed_s
        return RunSummary(
            folder=str(self.folder),
            done=states.count("done"),
            reused=states.count("reused"),
            failed=sum(s in BAD_ENDS for s in states),
            skipped=states.count("skipped"),
            unfinished=sum(s not in ended for s in states),
            wall_s=until - self._opened_s,
            tasks=records,
        )

    def _open_scheduler(self) -> Scheduler | ClusterScheduler:
        """Return the scheduler of a run that was entered."""
        if self._scheduler is None:
            raise NoRunError("Open the run first: `with Run(folder) as run:`.")
        return self._scheduler

    def _views(self) -> list[Any]:
        """Return all tasks for the display."""
        return [t.view() for t in list(self._open_scheduler().tasks.values())]

    def _log_summary(self) -> None:
        """Log how the run ended."""
        told = self.summary()
        log.info(
            "Run ended after %.1f s: %d done, %d reused, %d failed, %d skipped, %d unfinished.",
            told.wall_s,
            told.done,
            told.reused,
            told.failed,
            told.skipped,
            told.unfinished,
        )


def _placement(cluster: ClusterConfig | Path | str | None, *, detach: bool) -> Placement | None:
    """Return where a run goes: where it says, else where the block around it says."""
    if cluster is None:
        if detach:
            raise JobDefinitionError("detach=True needs a cluster: here nobody would go on.")
        return current_placement()
    if isinstance(cluster, (Path, str)):
        from superionic.workflows.slurm.cluster_file import load_cluster

        cluster = load_cluster(cluster)
    return Placement(cluster, detach=detach)


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
