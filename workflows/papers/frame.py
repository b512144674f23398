"""What is the same in the report of every paper: methods, other fidelities, tasks and protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superionic.workflows.papers.fidelities import fidelity_section
from superionic.workflows.report.citations import bibtex, cited, numbered
from superionic.workflows.report.content import CodeBlock, ReportContent, Section
from superionic.workflows.report.provenance import provenance_blocks
from superionic.workflows.serialise import write_bytes_atomic

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from superionic.workflows.papers.summary import PaperReport
    from superionic.workflows.report.content import Block

METHODS, REFERENCES = "methods.md", "references.bib"
"""In a paper's folder: its methods with citations as ``[@key]``, and the entries of those."""


def framed(
    told: PaperReport,
    *,
    paper: str,
    fidelity: str,
    out: Path,
    protocol_text: str,
    task_keys: Sequence[str],
    remark: str = "",
) -> ReportContent:
    """Return the whole report of a paper, and write its methods to its folder.

    Parameters
    ----------
    told
        What is the paper's own.
    paper, fidelity
        Its name, and at which fidelity it was computed.
    out
        Results folder.
    protocol_text
        The resolved protocol.
    task_keys
        Tasks that the results rest on.
    remark
        What the report has to say before all else.
    """
    others = fidelity_section(paper, fidelity)
    return ReportContent(
        title=told.title,
        subtitle=f"{told.subtitle} {remark}".strip(),
        facts=told.facts,
        sections=(
            *told.sections,
            *((others,) if others is not None else ()),
            Section("Methods", _methods(told.methods, out / paper)),
            Section("Protocol and tasks", provenance_blocks(out, protocol_text, task_keys)),
        ),
    )


def _methods(paragraphs: Sequence[str], folder: Path) -> tuple[Block, ...]:
    """Return the methods with numbered citations, and write them for use elsewhere."""
    if not paragraphs:
        return ("No methods are told.",)
    references = cited(paragraphs)
    write_bytes_atomic(folder / METHODS, ("\n\n".join(paragraphs) + "\n").encode())
    write_bytes_atomic(folder / REFERENCES, bibtex(references).encode())
    listed = [f"[{k}] {reference.line}" for k, reference in enumerate(references, start=1)]
    return (
        "Written from the resolved protocol, for a methods section; the same text with citation "
        f"keys is in `{folder.name}/{METHODS}`, its BibTeX in `{folder.name}/{REFERENCES}`.",
        *numbered(paragraphs),
        *listed,
        CodeBlock("Text with citation keys", "\n\n".join(paragraphs)),
        CodeBlock("BibTeX", bibtex(references)),
    )
