"""Several papers one after the other, each told as soon as it is done."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from superionic.structures.errors import TaskFailedError
from superionic.workflows.papers import reproduction
from superionic.workflows.papers.page import PAGE
from superionic.workflows.papers.summary import ReproductionSummary
from superionic.workflows.progress import format_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from superionic.workflows.papers.reproduction import Paper


@dataclass(frozen=True)
class PaperOutcome:
    """What became of one paper.

    Attributes
    ----------
    name : str
        Which one.
    summary : ReproductionSummary
        What was found.
    wall_s : float
        How long it took now, in seconds.
    """

    name: str
    summary: ReproductionSummary
    wall_s: float


def reproduce_all(
    papers: Sequence[Paper[Any, Any]],
    out: Path,
    *,
    tell: Callable[[str], None],
    **options: Any,
) -> tuple[PaperOutcome, ...]:
    """Compute what is missing of papers and write the one report, anew after each of them.

    A paper without which there is nothing to report does not stop those after it.

    Parameters
    ----------
    papers
        Which, in this order.
    out
        Results folder.
    tell
        Called with a line when a paper is done.
    options
        As `superionic.workflows.papers.reproduction.reproduce` takes them.
    """
    outcomes: list[PaperOutcome] = []
    for k, paper in enumerate(papers, start=1):
        begun = time.monotonic()
        title = f"{paper.name} (paper {k} of {len(papers)})" if len(papers) > 1 else paper.name
        try:
            summary = reproduction.reproduce(paper, out, title=title, **options)
        except TaskFailedError as error:
            summary = ReproductionSummary(str(out / PAGE), (f"nothing to report: {error}",), False)
        outcomes.append(PaperOutcome(paper.name, summary, time.monotonic() - begun))
        tell(_line(outcomes[-1]))
    return tuple(outcomes)


def _line(outcome: PaperOutcome) -> str:
    """Say in a line what became of a paper."""
    state = "all numbers have their evidence" if outcome.summary.ok else "not every number exists"
    return f"{outcome.name}: {format_seconds(outcome.wall_s)}, {state}"
