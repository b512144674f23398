"""Try a cluster out with a one-minute job."""

from __future__ import annotations

import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from superionic import __version__
from superionic.structures.errors import ClusterError
from superionic.workflows.jobs import Resources
from superionic.workflows.runfolder import read_optional
from superionic.workflows.serialise import write_json_atomic
from superionic.workflows.slurm.client import SCRIPT, Slurm
from superionic.workflows.slurm.outcome import last_line
from superionic.workflows.slurm.probe import REPORT
from superionic.workflows.slurm.script import job_script
from superionic.workflows.slurm.supervise import BATCH

if TYPE_CHECKING:
    from superionic.workflows.slurm.config import ClusterConfig


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at on a compute node.

    Attributes
    ----------
    name : str
        What.
    ok : bool
        Whether it is as it should be.
    found : str
        How it is.
    todo : str
        What to do about it; empty where nothing is.
    """

    name: str
    ok: bool
    found: str
    todo: str = ""


def probe_cluster(
    cluster: ClusterConfig, *, folder: Path, patience_s: float = 600.0
) -> tuple[Finding, ...]:
    """Submit a one-minute job, wait for it and return what it found.

    Parameters
    ----------
    cluster
        The cluster.
    folder
        Where compute nodes can write; gets a temporary folder.
    patience_s
        Seconds to wait; the job is cancelled after that.

    Raises
    ------
    ClusterError
        The job was refused, did not start in time, or died before it could look around.
    """
    place = Path(tempfile.mkdtemp(prefix="superionic-probe-", dir=folder.absolute()))
    asked = Resources(
        cpus=cluster.cpus, walltime_s=60, memory_gb=cluster.memory_gb, queue=cluster.partition
    )
    script = job_script(
        cluster, asked, name="superionic-probe", module="superionic.workflows.slurm.probe"
    )
    told: dict[str, Any] = {
        "version": __version__,
        "cpus": cluster.cpus,
        "codes": dict(cluster.codes),
        "time": time.time(),
    }
    (place / SCRIPT).write_text(script, encoding="utf-8")
    write_json_atomic(place / BATCH, told)
    slurm = Slurm()
    try:
        job = slurm.submit(place)
    except ClusterError:
        shutil.rmtree(place, ignore_errors=True)
        raise
    report = _await(slurm, job, place, patience_s)
    if not report:
        raise ClusterError(
            f"The probe (job {job}) died before Python could look around: "
            f"{last_line(place / '0.log')}. Its script and output are in {place}."
        )
    shutil.rmtree(place, ignore_errors=True)
    return tuple(Finding(**finding) for finding in report["findings"])


def _await(slurm: Slurm, job: str, place: Path, patience_s: float) -> dict[str, Any]:
    """Wait for the report of a job; return an empty one if it ended without."""
    until = time.monotonic() + patience_s
    pause, gone = 0.5, 0
    while gone < 3:
        report = read_optional(place / REPORT)
        if report:
            return report
        entry = slurm.queue().get(job)
        if entry is None or not entry.active:
            gone += 1  # files may take a moment from a compute node
        elif time.monotonic() > until:
            slurm.cancel([job])
            raise ClusterError(
                f"The probe (job {job}) is {entry.state.lower()} ({entry.reason}) after "
                f"{patience_s:.0f} s and was cancelled. Look at `sinfo` and at partition, account "
                "and qos in the cluster's file."
            )
        time.sleep(pause)
        pause = min(pause * 1.5, 5.0)
    return {}
