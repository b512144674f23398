"""A number with its interval, or the reason why there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from superionic.structures.errors import EvidenceError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Estimate"]


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval, or the reason why there is none.

    Attributes
    ----------
    value : float or None
        In the unit that the name of the field says.
    interval : tuple of float or None
        95 % interval in the same unit.
    reason : str
        Why there is no value; empty where there is one.
    """

    value: float | None
    interval: tuple[float, float] | None
    reason: str = ""

    def __post_init__(self) -> None:
        """Hold value, interval and reason together."""
        if (self.value is None) != bool(self.reason):
            raise EvidenceError("An estimate has a value, or a reason why it has none.")
        if (self.value is None) != (self.interval is None):
            raise EvidenceError("A value comes with its interval, and only then.")
        if self.value is None or self.interval is None:
            return
        low, high = (float(x) for x in self.interval)
        if not (math.isfinite(self.value) and math.isfinite(low) and math.isfinite(high)):
            raise EvidenceError(f"Not finite: {self.value} in ({low}, {high}).")
        if low > high:
            raise EvidenceError(f"The interval runs backwards: {low} to {high}.")
        object.__setattr__(self, "value", float(self.value))
        object.__setattr__(self, "interval", (low, high))

    @classmethod
    def missing(cls, reason: str) -> Estimate:
        """Return an estimate without a value."""
        return cls(None, None, reason)

    def get(self) -> float:
        """Return the value.

        Raises
        ------
        EvidenceError
            There is none.
        """
        if self.value is None:
            raise EvidenceError(f"There is no value: {self.reason}.")
        return self.value

    def covers(self, truth: float) -> bool:
        """Return whether the interval holds a number."""
        return self.interval is not None and self.interval[0] <= truth <= self.interval[1]

    def times(self, factor: float) -> Estimate:
        """Return the estimate in another unit."""
        if self.value is None or self.interval is None:
            return self
        ends = sorted(factor * x for x in self.interval)
        return Estimate(factor * self.value, (ends[0], ends[1]))

    def text(self, unit: str = "") -> str:
        """Return the value with its interval, or the reason, in one line."""
        if self.value is None or self.interval is None:
            return f"no value: {self.reason}"
        low, high = self.interval
        tail = f" {unit}" if unit else ""
        return f"{self.value:.3g}{tail} (95 % interval {low:.3g} to {high:.3g})"

    def _repr_html_(self) -> str:
        """Return a table for notebooks; the unit is that of the field's name."""
        if self.value is None or self.interval is None:
            return html_table("Estimate", [("value", "none"), ("reason", self.reason)])
        low, high = self.interval
        rows = [("value", f"{self.value:.3g}"), ("95 % interval", f"{low:.3g} to {high:.3g}")]
        return html_table("Estimate", rows)


def html_table(title: str, rows: Iterable[tuple[str, str]]) -> str:
    """Return names and values as an HTML table for notebooks."""
    body = "".join(f"<tr><td>{escape(k)}</td><td>{escape(v)}</td></tr>" for k, v in rows)
    return f"<table><caption>{escape(title)}</caption>{body}</table>"
