"""Every matched hop's barriers, group against group, with what was rejected and the verdict."""

from __future__ import annotations

import textwrap
from collections import Counter
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from superionic.analysis.figures.style import (
    DOUBLE_COLUMN_IN,
    FAINT,
    GRID,
    INK,
    SERIES_MARKERS,
    SINGLE_COLUMN_IN,
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

    from superionic.analysis.barriers import BarrierResult

__all__ = ["VERDICT_WORDS", "BarrierGroup", "barrier_distribution", "barrier_distribution_data"]

VERDICT_WORDS: dict[str, str] = {
    "unconverged": "not converged",
    "other-basin": "end point left its basin",
    "not-single-ion": "more than one ion moved",
    "not-a-minimum": "end point is no minimum",
    "failed": "calculation failed",
}
"""How a hop without a value is counted under its group."""

_MARKER_WIDTH = 0.055
_MARKER_HEIGHT = 0.035


@dataclass(frozen=True)
class BarrierGroup:
    """Hops that belong together, such as all matched hops of the bulk.

    Attributes
    ----------
    label : str
        Name on the axis.
    results : tuple of BarrierResult
        All hops that were tried, those without a value included.
    """

    label: str
    results: tuple[BarrierResult, ...]

    @property
    def converged(self) -> tuple[BarrierResult, ...]:
        """Hops that have barriers."""
        return tuple(r for r in self.results if r.verdict == "converged")

    @property
    def pairs_eV(self) -> tuple[tuple[float, float], ...]:
        """Barriers from the lower and from the higher end of each converged hop, in eV."""
        return tuple(
            (max(forward, reverse), min(forward, reverse))
            for r in self.converged
            if (forward := r.forward_barrier_eV) is not None
            and (reverse := r.reverse_barrier_eV) is not None
        )

    @property
    def median_eV(self) -> float | None:
        """Median of the climbs from the lower end in eV; None when no hop converged."""
        return median(climb for climb, _ in self.pairs_eV) if self.pairs_eV else None

    @property
    def tally(self) -> str:
        """How many hops have a value, and what became of the others, one a line."""
        lines = [f"{len(self.converged)} of {len(self.results)} hops converged"]
        counts = Counter(r.verdict for r in self.results if r.verdict != "converged")
        lines += [f"{n} {VERDICT_WORDS.get(v, v)}" for v, n in sorted(counts.items())]
        return "\n".join(lines)


def barrier_distribution(
    groups: Sequence[BarrierGroup], *, verdict: str, rule: str = "", fidelity: str = ""
) -> Figure:
    """Draw the barriers of all converged hops from both of their ends, group by group.

    A hop counts with its climb from the lower end, which does not depend on how it was written
    down: those are filled, and the median is theirs.

    Parameters
    ----------
    groups
        One strip each, from left to right.
    verdict
        The title, such as ``B < A: undecided``.
    rule
        The rule that gave the verdict, as it was written down before the run.
    fidelity
        Written with the level of theory, if any.

    Raises
    ------
    EvidenceError
        No group, or no hop at all, is given.
    """
    if not any(group.results for group in groups):
        raise EvidenceError("A distribution of barriers needs at least one hop; got none.")
    width = min(DOUBLE_COLUMN_IN, max(SINGLE_COLUMN_IN, 1.2 + 1.45 * len(groups)))
    kinds = site_pairs(groups)
    with figure_style():
        figure = new_figure(width, 4.0)
        ax = figure.subplots()
        every = [value for g in groups for pair in g.pairs_eV for value in pair]
        ax.set_ylim(min(0.0, *every, 0.0), max(1.08 * max(every, default=0.1), 0.02))
        ax.grid(axis="y", color=GRID, linewidth=0.6)
        for place, group in enumerate(groups):
            _draw_group(ax, group, place, kinds)
        ax.set_xlim(-0.5, len(groups) - 0.5)
        ax.set_xticks(range(len(groups)), [g.label for g in groups], fontweight="bold")
        ax.tick_params(axis="x", length=0)
        ax.set_ylabel("Migration barrier (eV)")
        _write_header(ax, groups, verdict, rule, fidelity, columns=int(17 * width))
        _draw_legend(figure, kinds)
    return figure


def barrier_distribution_data(groups: Sequence[BarrierGroup], *, fidelity: str = "") -> FigureData:
    """Return all hops behind `barrier_distribution`, those without a value included."""
    header = (
        "group",
        "hop_key",
        "site_start",
        "site_end",
        "length_ang",
        "direction",
        "depth_ang",
        "theory",
        "fidelity",
        "verdict",
        "reason",
        "fmax_eV_per_A",
        "forward_barrier_eV",
        "reverse_barrier_eV",
        "reaction_energy_eV",
    )
    rows: list[tuple[Cell, ...]] = [
        (
            group.label,
            r.key,
            *r.site_types,
            r.length_ang,
            r.direction,
            r.depth_ang,
            r.theory,
            fidelity,
            r.verdict,
            r.reason,
            r.fmax_eV_per_A,
            r.forward_barrier_eV,
            r.reverse_barrier_eV,
            r.reaction_energy_eV,
        )
        for group in groups
        for r in group.results
    ]
    return FigureData(header=header, rows=tuple(rows))


def site_pairs(groups: Sequence[BarrierGroup]) -> dict[str, str]:
    """Return a marker for each pair of site types that a converged hop joins."""
    pairs = sorted({_pair(r) for g in groups for r in g.converged})
    return {pair: SERIES_MARKERS[k % len(SERIES_MARKERS)] for k, pair in enumerate(pairs)}


def swarm(heights: Sequence[float], *, width: float, height: float) -> list[float]:
    """Return sideways offsets that keep points of a strip apart, the same ones each time.

    Parameters
    ----------
    heights
        Place of each point along the strip.
    width, height
        Size of a point, across and along the strip.

    Returns
    -------
    list of float
        For each point the offset of least size, a multiple of ``width``, at which it touches no
        other point.
    """
    placed: list[tuple[float, int]] = []
    offsets = [0.0] * len(heights)
    for k in sorted(range(len(heights)), key=lambda i: (heights[i], i)):
        taken = {column for y, column in placed if abs(y - heights[k]) < height}
        sideways = (sign * n for n in range(1, len(heights) + 1) for sign in (1, -1))
        column = next(c for c in (0, *sideways) if c not in taken)
        placed.append((heights[k], column))
        offsets[k] = column * width
    return offsets


def _pair(result: BarrierResult) -> str:
    """Return the two site types of a hop, in alphabetical order."""
    return "-".join(sorted(result.site_types))


def _draw_group(ax: Axes, group: BarrierGroup, place: int, markers: dict[str, str]) -> None:
    """Draw one strip: filled from the lower end, open from the higher, a bar at the median."""
    colour, _ = series_style(place)
    low, high = ax.get_ylim()
    values = [value for pair in group.pairs_eV for value in pair]
    offsets = swarm(values, width=_MARKER_WIDTH, height=_MARKER_HEIGHT * (high - low))
    for k, (value, offset) in enumerate(zip(values, offsets, strict=True)):
        climb = k % 2 == 0
        ax.plot(
            place + offset,
            value,
            markers[_pair(group.converged[k // 2])],
            markerfacecolor=colour if climb else "white",
            markeredgecolor=colour,
            markeredgewidth=1.0,
            markersize=5.0,
            zorder=3,
            gid=f"{group.label}-{'lower' if climb else 'higher'}",
        )
    ax.annotate(
        group.tally,
        (place, 0.0),
        xytext=(0, -17),
        xycoords=ax.get_xaxis_transform(),
        textcoords="offset points",
        fontsize=6.8,
        color=FAINT,
        ha="center",
        va="top",
        linespacing=1.35,
    )
    if group.median_eV is None:
        ax.text(place, (low + high) / 2, "no value", ha="center", color=FAINT)
        return
    bar = (place - 0.3, place + 0.3)
    ax.plot(bar, [group.median_eV] * 2, "-", color=INK, linewidth=1.6, gid=f"{group.label}-median")
    ax.annotate(
        f"median\n{group.median_eV:.3f} eV",
        (bar[1], group.median_eV),
        xytext=(2, 0),
        textcoords="offset points",
        fontsize=6.8,
        va="center",
        bbox={"boxstyle": "square,pad=0.05", "facecolor": "white", "edgecolor": "none"},
        zorder=4,
    )


def _write_header(
    ax: Axes,
    groups: Sequence[BarrierGroup],
    verdict: str,
    rule: str,
    fidelity: str,
    *,
    columns: int,
) -> None:
    """Write the verdict as the title, below it its rule, the theory and the fidelity."""
    theories = dict.fromkeys(r.theory for g in groups for r in g.results)
    below = [*textwrap.wrap(rule, columns), joined(" / ".join(theories), fidelity)]
    ax.annotate(
        "\n".join(below),
        (0.0, 1.0),
        xytext=(0, 6),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=6.8,
        color=FAINT,
        va="bottom",
        linespacing=1.35,
    )
    ax.set_title("\n".join(textwrap.wrap(verdict, int(columns * 0.75))), pad=10 + 10 * len(below))


def _draw_legend(figure: Figure, markers: dict[str, str]) -> None:
    """Explain filling and marker shapes."""
    from matplotlib.lines import Line2D

    grey: dict[str, object] = {"color": FAINT, "linestyle": "none", "markersize": 5}
    handles = [
        Line2D([], [], marker="o", label="from the lower end", **grey),  # type: ignore[arg-type]
        Line2D([], [], marker="o", label="from the higher end", markerfacecolor="white", **grey),  # type: ignore[arg-type]
    ]
    if len(markers) > 1:
        handles += [
            Line2D([], [], marker=m, label=pair, **grey)  # type: ignore[arg-type]
            for pair, m in markers.items()
        ]
    figure.legend(handles=handles, loc="outside lower left", ncols=min(4, len(handles)))
