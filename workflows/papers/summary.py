"""What a paper's reproduction says, and what it ends with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from superionic.workflows.report.content import Fact, Section


@dataclass(frozen=True)
class PaperReport:
    """What a paper's reproduction says, its tasks and protocol left out.

    Attributes
    ----------
    title, subtitle : str
        Head of its report.
    facts : tuple of Fact
        What to read first.
    sections : tuple of Section
        In reading order.
    lines : tuple of str
        The main findings, one a line.
    ok : bool
        Every number asked for exists with its evidence.
    methods : tuple of str
        How it was computed, a text for each paragraph, with citations as ``[@key]``.
    """

    title: str
    subtitle: str
    facts: tuple[Fact, ...]
    sections: tuple[Section, ...]
    lines: tuple[str, ...]
    ok: bool
    methods: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReproductionSummary:
    """What a reproduction ended with.

    Attributes
    ----------
    report : str
        Path of the report.
    lines : tuple of str
        The main findings, one a line.
    ok : bool
        Every number asked for exists with its evidence.
    """

    report: str
    lines: tuple[str, ...]
    ok: bool
