"""The one report of a results folder: every paper that was told in it, on one page."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING

from superionic.workflows.papers import PAPERS
from superionic.workflows.report.part import RenderedPart
from superionic.workflows.report.provenance import TONES
from superionic.workflows.report.render import PageHead, write_page
from superionic.workflows.serialise import (
    SerialiseError,
    decode,
    encode,
    read_json,
    write_json_atomic,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PART = "part.json"
"""In a paper's folder: what the page shows of it, rendered."""
PAGE = "report.html"
"""In the results folder."""

log = logging.getLogger(__name__)


def write_part(part: RenderedPart, folder: Path) -> None:
    """Keep what the page shows of a paper in its folder."""
    write_json_atomic(folder / PART, {"part": encode(part)})


def read_part(folder: Path) -> RenderedPart | None:
    """Return what the page shows of a paper; None where nothing, or nothing readable, is kept."""
    if not (folder / PART).is_file():
        return None
    try:
        kept = read_json(folder / PART)
        part = decode(kept["part"]) if isinstance(kept, dict) else None
    except (SerialiseError, KeyError) as error:
        log.warning("%s was written by another version and is left out: %s", folder / PART, error)
        return None
    return part if isinstance(part, RenderedPart) else None


def write_reproduction_page(out: Path) -> Path:
    """Write ``report.html`` with all papers that were told in a results folder.

    Papers stand in the order of `PAPERS`, others after them by name. A page that says the same is
    left alone.

    Parameters
    ----------
    out
        Results folder.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    OSError
        It cannot be written.
    """
    from superionic import __version__

    names = sorted(path.parent.name for path in out.glob(f"*/{PART}"))
    names.sort(key=lambda name: PAPERS.index(name) if name in PAPERS else len(PAPERS))
    parts = [part for name in names if (part := read_part(out / name)) is not None]
    head = PageHead(
        title="Computed figures of published papers, computed again",
        subtitle="Each number stands beside the published one, with its difference, its level of "
        "theory and what it rests on. A number underlined by dots tells the task that it comes "
        "from.",
        summary=_summary(parts),
        footer=f"superionic {__version__}. Every number above is in the CSV beside its figure and "
        "in the run folders.",
    )
    return write_page(head, parts, out / PAGE)


def _summary(parts: Sequence[RenderedPart]) -> str:
    """Say what became of the papers' claims."""
    states = Counter(f.value for part in parts for f in part.facts if f.value in TONES)
    told = ", ".join(f"{states[state]} {state}" for state in TONES)
    return f"Claims of the papers put to the test: {sum(states.values())}. Of these {told}."
