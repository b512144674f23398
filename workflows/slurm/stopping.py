"""Cancelling all that a folder has in the queue, and taking that back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superionic.structures.errors import ClusterError
from superionic.workflows.slurm.campaign import CAMPAIGN
from superionic.workflows.slurm.client import Slurm
from superionic.workflows.slurm.records import SLURM, STOP
from superionic.workflows.slurm.status import run_folders

if TYPE_CHECKING:
    from pathlib import Path


def stop_all(folder: Path) -> list[str]:
    """Cancel all jobs of everything below a folder, drivers first; return their numbers.

    Raises
    ------
    ClusterError
        Slurm does not answer.
    """
    places = [p for p in (folder / CAMPAIGN,) if p.is_dir()] + list(run_folders(folder))
    for place in places:
        if (place / SLURM).is_dir():
            (place / SLURM / STOP).touch(mode=0o644)
    slurm = Slurm()
    try:
        slurm.check()
    except ClusterError as error:
        raise ClusterError(
            f"{error} Nothing more is submitted, but jobs in the queue go on until then."
        ) from None
    cancelled: list[str] = []
    for place in (*places, *places):  # twice: a driver may have been in the middle of an sbatch
        names = {p.name for p in (place / SLURM).glob("*-*")}
        jobs = [e.job for e in slurm.queue().values() if e.active and e.name in names]
        slurm.cancel(sorted({job.partition("_")[0] for job in jobs}))
        cancelled += [job for job in jobs if job not in cancelled]
    return cancelled


def let_go_on(folder: Path) -> None:
    """Take back a cancellation."""
    for place in (folder / CAMPAIGN, *run_folders(folder)):
        (place / SLURM / STOP).unlink(missing_ok=True)
