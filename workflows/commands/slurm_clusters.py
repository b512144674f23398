"""`superionic cluster`: the files of clusters, and whether a cluster has what it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superionic.structures.errors import ClusterError
from superionic.workflows.commands.console import emit_json, emit_table, note, say
from superionic.workflows.slurm.client import Slurm
from superionic.workflows.slurm.cluster_file import cluster_path, init_cluster, load_cluster

if TYPE_CHECKING:
    from pathlib import Path


def cluster_init(name: str) -> None:
    """Write the commented file of a new cluster."""
    path = init_cluster(name)
    say(str(path))
    say(str(path.with_suffix(".sh")))
    note(f"note: edit them, then try it out with `superionic cluster test {name}`.")


def cluster_list() -> None:
    """Write the clusters that have a file."""
    from superionic.workflows.slurm.cluster_file import known_clusters

    for name in known_clusters():
        say(f"{name}  {cluster_path(name)}")


def cluster_test(name: str, *, folder: Path, patience_s: float, as_json: bool) -> None:
    """Submit a one-minute job and write what it found; exit code 1 if anything is missing."""
    from superionic.workflows.slurm.check import probe_cluster

    cluster = load_cluster(name)
    Slurm().check()
    note("note: waiting for a one-minute job ...")
    findings = probe_cluster(cluster, folder=folder, patience_s=patience_s)
    if as_json:
        emit_json(findings)
    else:
        emit_table(
            ("what", "", "found"),
            [(f.name, "ok" if f.ok else "MISSING", f.found) for f in findings],
        )
        for finding in findings:
            if not finding.ok:
                say(f"{finding.name}: {finding.todo}")
    if not all(f.ok for f in findings):
        raise ClusterError(f"Something is missing on the compute nodes of {name}.")
