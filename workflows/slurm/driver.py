"""The small job that takes the next step of a campaign: ``python -m superionic...slurm.driver``."""

from __future__ import annotations

import logging
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from superionic.structures.errors import ClusterError
from superionic.workflows.jobs import Resources
from superionic.workflows.slurm.campaign import CAMPAIGN, Campaign, advance, read_campaign
from superionic.workflows.slurm.client import DependencyGoneError, Slurm, SlurmBusyError
from superionic.workflows.slurm.cluster_file import load_cluster
from superionic.workflows.slurm.config import walltime_seconds
from superionic.workflows.slurm.records import (
    SLURM,
    STOP,
    Batch,
    Ledger,
    batch_name,
    write_batch,
)
from superionic.workflows.slurm.script import job_script
from superionic.workflows.slurm.submission import DriverLock
from superionic.workflows.slurm.supervise import ended_name, job_id, started_name, write_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from superionic.workflows.slurm.campaign import Leg

log = logging.getLogger(__name__)

WAVE = "driver"
_MODULE = "superionic.workflows.slurm.driver"
_LONG_S = 600.0
"""So long a job, which nobody watches, waits for a driver that somebody has started by hand."""


def take_step(
    folder: Path, *, chain: bool = True, patience_s: float | None = None
) -> dict[int, Leg]:
    """Take one wave of a campaign, and submit the next one if there is anything left to do.

    Parameters
    ----------
    folder
        The results folder.
    chain
        Submit a job that goes on when results are there; otherwise `superionic resume` does.
    patience_s
        Seconds to wait for another driver that takes a step just now; None for the usual ones.

    Raises
    ------
    ClusterError
        Slurm refuses or does not answer, or another driver is at work.
    """
    lock = DriverLock(folder / CAMPAIGN, patience_s=patience_s)
    try:
        campaign = read_campaign(folder)  # not before: somebody may have resumed it meanwhile
        ledger = Ledger(campaign.records)
        slurm = Slurm()
        if ledger.uncertain:
            ledger.settle(slurm.queue())
        legs = advance(campaign)
        if chain and any(leg.state == "waiting" for leg in legs.values()):
            if (campaign.records / SLURM / STOP).exists():
                log.warning("The campaign was cancelled; nothing more is submitted.")
            else:
                submit_wave(campaign, legs, ledger, slurm, lock)
    finally:
        lock.release()
    return legs


def submit_wave(
    campaign: Campaign, legs: Mapping[int, Leg], ledger: Ledger, slurm: Slurm, lock: DriverLock
) -> str:
    """Submit the job that takes the next step, unless it is in the queue; return its number."""
    queue = slurm.queue()
    me = job_id()
    for placed in ledger.history(WAVE):
        entry = queue.get(placed.job)
        if entry is not None and entry.active and placed.job != me:
            log.info("The next step is in the queue as job %s.", placed.job)
            return placed.job
    cluster = load_cluster(campaign.cluster)
    asked = Resources(
        cpus=cluster.driver.cpus or 1,
        walltime_s=walltime_seconds(cluster.driver.walltime or "01:00:00"),
        memory_gb=cluster.driver.memory_gb or cluster.memory_gb,
        queue=cluster.driver.partition or cluster.partition or None,
    )
    waves = len(ledger.history(WAVE))
    name = batch_name(campaign.records, f"superionic-{WAVE}", (WAVE,), (waves,))
    jobs = sorted({leg.job for leg in legs.values() if leg.state == "waiting" and leg.job})
    batch = Batch(
        campaign.records / SLURM / name, (WAVE,), (waves,), asked, campaign.session, array=False
    )
    awaited = "?".join(f"afterany:{job}" for job in jobs)
    try:
        for dependency in dict.fromkeys((awaited, "")):
            script = job_script(cluster, asked, name=name, module=_MODULE, dependency=dependency)
            write_batch(batch, script)
            options = () if dependency else ("--begin=now+30",)
            try:
                job = slurm.submit(batch.folder, options, held=(lock.descriptor,))
                break
            except DependencyGoneError:  # it has ended in the meantime
                log.info("%s is not known any more.", dependency)
    except SlurmBusyError:
        raise
    except ClusterError:
        shutil.rmtree(batch.folder, ignore_errors=True)
        raise
    ledger.add(batch)
    log.info("The next step is job %s.", job)
    return job


def main() -> int:
    """Take the step that this job is for."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(message)s")
    here = Path.cwd()
    write_json(here / started_name(0), {"job": job_id()})
    state, reason = "failed", ""
    try:
        take_step(here.parent.parent.parent, patience_s=_LONG_S)
        state = "done"
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise
    finally:
        write_json(here / ended_name(0), {"state": state, "reason": reason, "job": job_id()})
    return 0


if __name__ == "__main__":
    sys.exit(main())
