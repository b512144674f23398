"""A small archive of a run with one task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superionic.analysis.electrolyte_claims import ElectrolyteRule
from superionic.structures.molecules import reference_molecule
from superionic.workflows.papers.archive import write_archive
from superionic.workflows.serialise import Json, write_json_atomic

if TYPE_CHECKING:
    from pathlib import Path

RULE = ElectrolyteRule(cutoff_ang=3.2, min_boxes=2)
"""Stands for a protocol."""
ION = reference_molecule("na+")
"""Stands for results."""


def made_archive(folder: Path, *, file: str = "toy.zip") -> Path:
    """Write an archive of the paper ``toy`` into a folder."""
    out = folder / "out"
    (out / "runs" / "task-1").mkdir(parents=True, exist_ok=True)
    (out / "toy").mkdir(exist_ok=True)
    (out / "toy" / "rdf.csv").write_text("r,g\n1,0\n")
    manifest: Json = {
        "key": "task-1", "state": "done", "wall_s": 1.5, "cpu_s": 1.0, "cpus": 1,
        "started": "2026-01-02T03:04:05.000+00:00", "ended": "2026-01-02T03:05:05.000+00:00",
        "python": "3.11", "versions": {"superionic": "0.1"}, "host": "secret", "process": 7,
    }  # fmt: skip
    write_json_atomic(out / "runs" / "task-1" / "manifest.json", manifest)
    write_archive(
        folder / file, out, "toy", fidelity="quick", protocol=RULE,
        protocol_text='fidelity = "quick"', results=ION, task_keys=["task-1"],
    )  # fmt: skip
    return folder / file
