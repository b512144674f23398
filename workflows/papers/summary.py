"""What the reproduction of any paper ends with."""

from __future__ import annotations

from dataclasses import dataclass


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
