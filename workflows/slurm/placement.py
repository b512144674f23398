"""Where the runs inside a block go, so that a workflow need not know."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from superionic.workflows.jobs import Resources
    from superionic.workflows.slurm.config import ClusterConfig


class LeftRunning(SystemExit):
    """A result was asked for whose task is still in the queue, in a run that does not wait.

    Not an ``Exception``: nothing on the way may take it for a failure. A script that does not
    catch it ends with its message.

    Attributes
    ----------
    key : str
        The task.
    job : str
        Number of its job; empty if it was not submitted yet.
    """

    def __init__(self, message: str, *, key: str = "", job: str = "") -> None:
        super().__init__(message)
        self.key = key
        self.job = job


@dataclass(frozen=True)
class Planned:
    """One `sbatch` of a dry run.

    Attributes
    ----------
    folder : Path
        Where its script is.
    tasks : int
        Tasks in it.
    asked : Resources
        What each asks for.
    """

    folder: Path
    tasks: int
    asked: Resources

    @property
    def core_hours(self) -> float | None:
        """Cores times walltime of all its tasks, in hours, as if each used all of its walltime.

        None where the partition's own walltime holds, which is not known here.
        """
        if self.asked.walltime_s is None:
            return None
        return self.tasks * self.asked.cores * self.asked.walltime_s / 3600.0


@dataclass(frozen=True)
class Placement:
    """How runs inside a block are placed.

    Attributes
    ----------
    cluster : ClusterConfig
        The cluster.
    detach : bool
        Submit what can be submitted and do not wait.
    session : str
        Shared by drivers that continue each other; empty for a new one.
    dry_run : bool
        Write scripts, submit nothing.
    planned : list of Planned
        What a dry run would have submitted.
    """

    cluster: ClusterConfig
    detach: bool = False
    session: str = ""
    dry_run: bool = False
    planned: list[Planned] = field(default_factory=list)


_PLACEMENT: ContextVar[Placement | None] = ContextVar("superionic_placement", default=None)


def current_placement() -> Placement | None:
    """Return how runs are placed here; None for this machine."""
    return _PLACEMENT.get()


@contextmanager
def placed(placement: Placement) -> Iterator[Placement]:
    """Place every run that is opened inside the block, and does not say otherwise."""
    token = _PLACEMENT.set(placement)
    try:
        yield placement
    finally:
        _PLACEMENT.reset(token)
