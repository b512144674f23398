"""Marks that figures share: the whisker of an estimate, its fields in a table, a note below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from superionic.analysis.figures.style import FAINT, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from superionic.analysis.estimate import Estimate


def whisker(
    ax: Axes, x: float, found: Estimate, *, color: str = INK, linewidth: float = 0.9,
    capsize: float = 2.0, **looks: Any,
) -> None:  # fmt: skip
    """Draw the 95 % interval of an estimate; nothing where there is no value."""
    if found.value is None or found.interval is None:
        return
    low, high = found.interval
    ax.errorbar(
        x, found.value, [[found.value - low], [high - found.value]], color=color,
        linewidth=linewidth, capsize=capsize, **looks,
    )  # fmt: skip


def bounds_of(found: Estimate) -> tuple[float | None, float | None, float | None]:
    """Return the value and both ends of its interval; none of them where there is no value."""
    low, high = found.interval or (None, None)
    return found.value, low, high


def footnote(figure: Figure, text: str, *, wrap: bool = False) -> None:
    """Write small and faint below all panels, from the left."""
    figure.supxlabel(text, fontsize=6.5, color=FAINT, ha="left", x=0.02, wrap=wrap)
