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

import functools
import inspect
import logging
import os
import re
import secrets
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

from superionic.structures.errors import SuperionicError
from superionic.workflows.context import plain_call
from superionic.workflows.logs import run_log
from superionic.workflows.runfolder import TaskRecord, TaskRef, TaskSpec, prepare_run_folder
from superionic.workflows.schedule import Scheduler, TaskFuture
from superionic.workflows.serialise import SerialiseError, encode

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

P = ParamSpec("P")
R = TypeVar("R")
log = logging.getLogger(__name__)

_RUNS: list[Run] = []


class NoRunError(SuperionicError, RuntimeError):
    """A job was submitted where there is no run to take it."""


class JobDefinitionError(SuperionicError, ValueError):
    """A job's name, version or resources make no sense."""


@dataclass(frozen=True)
class Resources:
    """What a job asks for. Not part of a task's identity.

    On this machine only ``cpus`` counts: so many cores are kept for the job, and numerical
    libraries get so many threads. The rest is for queues.

    Attributes
    ----------
    cpus : int
        Cores.
    walltime_s : int or None
        Longest time it may take in seconds.
    memory_gb : float or None
        Memory in gigabytes.
    queue : str or None
        Name of a queue.
    gpus : int
        GPUs.
    """

    cpus: int = 1
    walltime_s: int | None = None
    memory_gb: float | None = None
    queue: str | None = None
    gpus: int = 0

    def __post_init__(self) -> None:
        """Refuse amounts that nobody can give."""
        limits = (self.walltime_s, self.memory_gb)
        if self.cpus < 1 or self.gpus < 0 or any(x is not None and x <= 0 for x in limits):
            raise JobDefinitionError(
                f"Expected cpus >= 1, gpus >= 0, walltime_s and memory_gb above 0; got {self}."
            )


class Job(Generic[P, R]):
    """A function that can be called, or submitted to a run. Made by :func:`job`.

    Attributes
    ----------
    function : callable
        The plain function.
    name : str
        First part of the names of its tasks' folders.
    version : int
        Part of a task's identity.
    resources : Resources
        What it asks for.
    """

    def __init__(
        self, function: Callable[P, R], *, version: int, resources: Resources, name: str | None
    ) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.name = name or function.__name__
        self.version = version
        self.resources = resources
        if not re.fullmatch(r"[A-Za-z0-9_.]{1,64}", self.name) or self.name.startswith("."):
            raise JobDefinitionError(
                f"A job's name is up to 64 letters, digits, _ and '.'; got {self.name!r}."
            )
        if version < 1:
            raise JobDefinitionError(f"Versions count from 1; {self.name} has {version}.")
        if "<locals>" in function.__qualname__:
            raise JobDefinitionError(
                f"The job {self.name} is defined inside another function. Define it at the top "
                "level of a module or script, where a worker process can find it."
            )

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the function here and now."""
        with plain_call(lambda: self._folder_name(args, kwargs)):
            return self.function(*args, **kwargs)

    def submit(self, *args: Any, **kwargs: Any) -> TaskFuture[R]:
        """Have the current run compute the function, or find its result.

        Takes the function's arguments; in the place of any value, or inside tuples, lists and
        dicts, also the future of another task of the same run.

        Raises
        ------
        NoRunError
            There is no ``with Run(...)`` around.
        TypeError
            The arguments do not fit the function.
        SerialiseError
            An argument cannot be stored.
        RunFolderError
            The task's folder holds other inputs or cannot be written.
        """
        if not _RUNS:
            raise NoRunError(
                f"{self.name}.submit(...) needs a run: write `with Run(folder):` around it, or "
                f"call {self.name}(...) to compute it here and now."
            )
        return _RUNS[-1].submit(self, args, kwargs)

    def spec(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> TaskSpec:
        """Return what the task with these arguments is."""
        bound = inspect.signature(self.function).bind(*args, **kwargs)
        bound.apply_defaults()
        parents: list[str] = []
        inputs = {k: encode(_referring(v, parents)) for k, v in bound.arguments.items()}
        return TaskSpec(
            name=self.name,
            module=self.function.__module__,
            qualname=self.function.__qualname__,
            version=self.version,
            inputs=dict(inputs),
            parents=tuple(dict.fromkeys(parents)),
        )

    def _folder_name(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        """Name the folder of a plain call inside a task, the same at every try if possible."""
        try:
            return self.spec(args, kwargs).key
        except SerialiseError:
            return f"{self.name}-{secrets.token_hex(8)}"

    def pickled(self) -> bytes | None:
        """Return the function itself where workers cannot import it; None elsewhere."""
        if self.function.__module__ != "__main__":
            return None
        import cloudpickle  # type: ignore[import-untyped]

        content: bytes = cloudpickle.dumps(self.function)
        return content


def _referring(value: Any, parents: list[str]) -> Any:
    """Replace futures by references and note whose they are."""
    if isinstance(value, TaskFuture):
        parents.append(value.key)
        return TaskRef(value.key)
    if type(value) in (tuple, list):
        return type(value)(_referring(v, parents) for v in value)
    if type(value) is dict:
        return {k: _referring(v, parents) for k, v in value.items()}
    return value


def job(
    *, version: int = 1, resources: Resources | None = None, name: str | None = None
) -> Callable[[Callable[P, R]], Job[P, R]]:
    """Make a function a job.

    Parameters
    ----------
    version
        Part of every task's identity: raise it when the code's meaning changes, so that old
        results are not taken for new ones.
    resources
        What it asks for; one core by default.
    name
        First part of the names of its folders; the function's name by default.
    """
    asked = resources or Resources()
    return lambda function: Job(function, version=version, resources=asked, name=name)


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
        _RUNS.append(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait for all tasks (not after an interrupt) and end the workers."""
        _RUNS.remove(self)
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
