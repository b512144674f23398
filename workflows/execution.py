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
from superionic.workflows.runfolder import TaskRecord, prepare_run_folder
from superionic.workflows.schedule import Scheduler

if TYPE_CHECKING:
    from types import TracebackType

__all__ = [
    "Job",
    "JobDefinitionError",
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

    Raises
    ------
    RunFolderError
        On entering: the folder cannot be written.
    """

    def __init__(
        self, folder: Path | str, *, workers: int | None = None, progress: bool = False
    ) -> None:
        self.folder = Path(folder)
        self.workers = usable_cores() if workers is None else workers
        if self.workers < 1:
            raise JobDefinitionError(f"A run needs at least one worker; got {workers}.")
        self._progress = progress
        self._scheduler: Scheduler | None = None
        self._stack = ExitStack()
        self._opened_s = 0.0
        self._closed_s: float | None = None

    def __enter__(self) -> Run:
        """Check the folder and take up tasks."""
        if self._scheduler is not None:
            raise NoRunError("This run was opened before; make a new Run on the same folder.")
        self.folder = prepare_run_folder(self.folder)
        self._opened_s = time.monotonic()
        self._stack.enter_context(run_log(self.folder))
        self._scheduler = Scheduler(self.folder, workers=self.workers)
        log.info("Run %s in %s with %d workers.", self._scheduler.run_id, self.folder, self.workers)
        if self._progress:
            from superionic.workflows.progress import RunProgress

            display = RunProgress(self._views, workers=self.workers)
            display.start()
            self._stack.callback(display.stop)
        OPEN_RUNS.append(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait for all tasks (not after an interrupt) and end the workers."""
        OPEN_RUNS.remove(self)
        scheduler = self._open_scheduler()
        kill = error is not None and not isinstance(error, Exception)
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
        return scheduler.add(spec, cpus=job.resources.cpus, function=job.pickled())

    def summary(self) -> RunSummary:
        """Return what was done so far."""
        records = tuple(t.record() for t in list(self._open_scheduler().tasks.values()))
        states = [r.state for r in records]
        ended = ("done", "reused", "failed", "skipped")
        until = time.monotonic() if self._closed_s is None else self._closed_s
        return RunSummary(
            folder=str(self.folder),
            done=states.count("done"),
            reused=states.count("reused"),
            failed=states.count("failed"),
            skipped=states.count("skipped"),
            unfinished=sum(s not in ended for s in states),
            wall_s=until - self._opened_s,
            tasks=records,
        )

    def _open_scheduler(self) -> Scheduler:
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


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
