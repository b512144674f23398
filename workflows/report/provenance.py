"""What every report says of its tasks, and how it colours verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superionic.workflows.report.content import CodeBlock, ReportTable
from superionic.workflows.report.tables import task_table, version_table
from superionic.workflows.runfolder import MANIFEST, read_optional

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from superionic.workflows.report.content import Block, Tone

TONES: dict[str, Tone] = {"supported": "good", "contradicted": "bad", "undecided": "warn"}
"""Colour of a verdict on a claim."""


def provenance_blocks(out: Path, protocol_text: str, task_keys: Sequence[str]) -> tuple[Block, ...]:
    """Return tables of the tasks and versions a report rests on, and the resolved protocol.

    Parameters
    ----------
    out
        Results folder; the tasks are in ``runs/`` in it.
    protocol_text
        The resolved protocol.
    task_keys
        Names of the tasks' folders.
    """
    found = (read_optional(out / "runs" / key / MANIFEST) for key in task_keys)
    manifests = [manifest for manifest in found if manifest]
    tables: list[ReportTable] = []
    if manifests:
        tables = [
            task_table(manifests, caption="Tasks, in the order they were submitted."),
            version_table(manifests, caption="Versions they ran with."),
        ]
    return (*tables, CodeBlock("Resolved protocol", protocol_text))
