"""Every start of a search for a binding energy, and what the best is made of."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from superionic.analysis.figures.barrier_distribution import swarm
from superionic.analysis.figures.style import (
    DOUBLE_COLUMN_IN,
    FAINT,
    GRID,
    INK,
    Cell,
    FigureData,
    figure_style,
    joined,
    new_figure,
    series_style,
)
from superionic.structures.errors import EvidenceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from superionic.analysis.binding import BindingResult

__all__ = ["PART_NAMES", "STATE_WORDS", "binding_starts", "binding_starts_data"]

STATE_WORDS = {
    "unconverged": "at the limit of steps",
    "not-intact": "broke a bond",
    "desorbed": "left the surface",
    "failed": "failed",
    "screened-out": "screened out",
}
"""How a start without a value is counted under its molecule."""
PART_NAMES = ("surface\ndeformed", "molecule\ndeformed", "dispersion", "rest", "E_b")


def binding_starts(results: Sequence[BindingResult], *, fidelity: str = "") -> Figure:
    """Draw ``E_b`` of every converged start, and beside it the parts of the best one.

    Parameters
    ----------
    results
        One a molecule, on one surface.
    fidelity
        Written with the level of theory, if any.

    Raises
    ------
    EvidenceError
        There is no start.
    """
    if not any(result.starts for result in results):
        raise EvidenceError("A figure of starts needs at least one start; got none.")
    with figure_style():
        figure = new_figure(DOUBLE_COLUMN_IN, 3.6)
        left, right = figure.subplots(1, 2, width_ratios=(max(1.0, 0.55 * len(results)), 1.6))
        _draw_starts(left, results, fidelity)
        _draw_parts(right, results)
    return figure


def binding_starts_data(results: Sequence[BindingResult], *, fidelity: str = "") -> FigureData:
    """Return every start, those without a value with the reason, in eV."""
    rows: list[tuple[Cell, ...]] = [
        (
            result.molecule,
            start.key,
            start.site,
            result.theory,
            fidelity,
            start.state,
            start.reason,
            start.screen_eV,
            start.binding_energy_eV,
            start.fmax_eV_per_A,
            start.force_calls,
            start.key == result.best_start,
        )
        for result in results
        for start in result.starts
    ]
    return FigureData(
        header=(
            "molecule", "start", "site", "theory", "fidelity", "state", "reason",
            "after_screening_eV", "binding_energy_eV", "fmax_eV_per_A", "force_calls", "best",
        ),
        rows=tuple(rows),
    )  # fmt: skip


def tally(result: BindingResult) -> str:
    """Return how many starts have a value, and what became of the others, one a line."""
    lines = [f"{result.converged_starts} of {result.relaxed_starts} relaxed converged"]
    counts = Counter(start.state for start in result.starts if start.state != "converged")
    lines += [f"{n} {STATE_WORDS.get(s, s)}" for s, n in sorted(counts.items())]
    return "\n".join(lines)


def _draw_starts(ax: Axes, results: Sequence[BindingResult], fidelity: str) -> None:
    """Draw a strip a molecule, the best start filled."""
    values = [s.binding_energy_eV for r in results for s in r.starts]
    known = [v for v in values if v is not None]
    low, high = (min(known), max(known)) if known else (-1.0, 0.0)
    room = 0.12 * max(high - low, 0.2)
    ax.set_ylim(low - room, high + room)
    if not known:
        ax.set_yticks([])  # a scale would be made up
    for k, result in enumerate(results):
        colour, marker = series_style(k)
        good = [(s, v) for s in result.starts if (v := s.binding_energy_eV) is not None]
        tall = 0.045 * (high - low + 2 * room)
        offsets = swarm([height for _, height in good], width=0.09, height=tall)
        for (start, height), offset in zip(good, offsets, strict=True):
            best = start.key == result.best_start
            ax.plot(
                k + offset,
                height,
                marker,
                markerfacecolor=colour if best else "white",
                markeredgecolor=colour,
                markersize=5.5,
                zorder=3,
                gid=f"{result.molecule}-{start.key}",
            )
        ax.annotate(
            tally(result),
            (k, 0.0),
            xytext=(0, -17),
            xycoords=ax.get_xaxis_transform(),
            textcoords="offset points",
            fontsize=6.5,
            color=FAINT,
            ha="center",
            va="top",
            linespacing=1.35,
        )
        if not good:
            ax.text(k, (low + high) / 2, "no value", ha="center", color=FAINT)
    ax.grid(axis="y", color=GRID, linewidth=0.6)
    ax.set_xlim(-0.5, len(results) - 0.5)
    ax.set_xticks(range(len(results)), [r.molecule for r in results], fontweight="bold")
    ax.tick_params(axis="x", length=0)
    ax.set_ylabel("E_b (eV), negative is bound")
    theories = " / ".join(dict.fromkeys(r.theory for r in results))
    ax.set_title("Starts; the best is filled", pad=16)
    ax.annotate(
        joined(theories, fidelity),
        (0.0, 1.0),
        xytext=(0, 5),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=6.8,
        color=FAINT,
    )


def _draw_parts(ax: Axes, results: Sequence[BindingResult]) -> None:
    """Draw the parts of each value as bars, side by side."""
    drawn = [(k, r) for k, r in enumerate(results) if r.parts is not None]
    width = 0.8 / max(len(drawn), 1)
    for place, (k, result) in enumerate(drawn):
        parts = result.parts
        if parts is None:
            continue
        colour, _ = series_style(k)
        values = (
            parts.surface_deformation_eV,
            parts.molecule_deformation_eV,
            parts.dispersion_eV,
            parts.rest_eV,
            parts.total_eV,
        )
        for column, value in enumerate(values):
            x = column + width * (place - (len(drawn) - 1) / 2)
            total = column == len(values) - 1
            if value is None:
                ax.text(x, 0.0, "in rest", rotation=90, ha="center", va="bottom", fontsize=6.5)
                continue
            ax.bar(
                x, value, width * 0.92, color=colour, alpha=1.0 if total else 0.6,
                edgecolor=colour, linewidth=0.6, label=result.molecule if total else None,
            )  # fmt: skip
            ax.annotate(
                f"{value:.2f}",
                (x, value),
                xytext=(0, 2 if value >= 0 else -2),
                textcoords="offset points",
                ha="center",
                va="bottom" if value >= 0 else "top",
                fontsize=6.2,
            )
    ax.axhline(0.0, color=INK, linewidth=0.7)
    ax.margins(y=0.12)
    ax.grid(axis="y", color=GRID, linewidth=0.6)
    ax.set_xticks(range(len(PART_NAMES)), PART_NAMES)
    ax.tick_params(axis="x", length=0)
    ax.set_ylabel("Energy (eV)")
    ax.set_title("What the best is made of", pad=16)
    if drawn:
        ax.legend(loc="lower left")
    else:
        ax.set_xlim(-0.5, len(PART_NAMES) - 0.5)
        ax.set_yticks([])  # a scale would be made up
        middle = (len(PART_NAMES) - 1) / 2
        ax.text(middle, 0.0, "no value", ha="center", va="bottom", color=FAINT)
