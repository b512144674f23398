"""Jobs: functions with a version, callable here and now or submitted to a run."""

from __future__ import annotations

import functools
import inspect
import re
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, TypeVar

from superionic.structures.errors import SuperionicError
from superionic.workflows.context import plain_call
from superionic.workflows.futures import TaskFuture
from superionic.workflows.runfolder import TaskRef, TaskSpec
from superionic.workflows.serialise import SerialiseError, encode

if TYPE_CHECKING:
    from collections.abc import Callable


P = ParamSpec("P")
R = TypeVar("R")


class OpenRun(Protocol):
    """What takes jobs: a run, or what recalls one."""

    def submit(
        self, job: Job[..., R], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> TaskFuture[R]:
        """Take up a task."""
        ...


OPEN_RUNS: list[OpenRun] = []
"""Those whose ``with`` blocks are being executed, innermost last."""


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
        Cores; where the task starts ranks, of each.
    walltime_s : int or None
        Longest time it may take in seconds.
    memory_gb : float or None
        Memory in gigabytes, of each node.
    queue : str or None
        Name of a queue.
    gpus : int
        GPUs, of each node.
    ranks : int
        MPI ranks that the task itself starts, as external codes do; the task is one process.
    nodes : int
        Nodes for them.
    """

    cpus: int = 1
    walltime_s: int | None = None
    memory_gb: float | None = None
    queue: str | None = None
    gpus: int = 0
    ranks: int = 1
    nodes: int = 1

    @property
    def cores(self) -> int:
        """Cores in all."""
        return self.cpus * self.ranks

    def __post_init__(self) -> None:
        """Refuse amounts that nobody can give."""
        limits = (self.walltime_s, self.memory_gb)
        fewest = min(self.cpus, self.ranks, self.nodes)
        if fewest < 1 or self.gpus < 0 or any(x is not None and x <= 0 for x in limits):
            raise JobDefinitionError(
                f"Expected cpus, ranks and nodes >= 1, gpus >= 0, walltime_s and memory_gb above "
                f"0; got {self}."
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
        if not OPEN_RUNS:
            raise NoRunError(
                f"{self.name}.submit(...) needs a run: write `with Run(folder):` around it, or "
                f"call {self.name}(...) to compute it here and now."
            )
        return OPEN_RUNS[-1].submit(self, args, kwargs)

    def spec(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> TaskSpec:
        """Return what the task with these arguments is."""
        bound = inspect.signature(self.function).bind(*args, **kwargs)
        bound.apply_defaults()
        parents: list[str] = []
        inputs = {k: encode(_referring(v, parents)) for k, v in bound.arguments.items()}
        return TaskSpec(
            name=self.name,
            module=_stable_module(self.function.__module__),
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


def _stable_module(module: str) -> str:
    """Name the module that runs as ``__main__`` so that two scripts are not taken for one."""
    if module != "__main__":
        return module
    main = sys.modules["__main__"]
    if main.__spec__ is not None:
        return main.__spec__.name
    file = getattr(main, "__file__", None)
    return f"__main__:{Path(file).name}" if file else "__main__"


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
