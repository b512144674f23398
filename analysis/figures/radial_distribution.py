"""Radial distribution functions with running coordination numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.coordination import Shell, first_shell
from superionic.analysis.figures.marks import footnote
from superionic.analysis.figures.style import (
    FAINT,
    GRID,
    SINGLE_COLUMN_IN,
    FigureData,
    figure_style,
    new_figure,
    series_style,
)
from superionic.structures.errors import EvidenceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from superionic.analysis.rdf import RDF

__all__ = ["HEADER", "rdf_figure", "rdf_figure_data"]

HEADER = (
    "series", "r_ang", "g", "g_half_width", "n_up_to_ang", "n", "n_half_width", "first_peak_ang",
    "first_minimum_ang", "coordination_number",
)  # fmt: skip


def rdf_figure(
    found: Mapping[str, RDF],
    *,
    shells: Mapping[str, Shell] | None = None,
    published_peaks_ang: tuple[float, ...] = (),
) -> Figure:
    """Draw g(r) as lines, and n(r) dashed against an axis at the right.

    Parameters
    ----------
    found
        Results by the name of their series.
    shells
        First shells to mark, by the same names; found by their rule where not given.
    published_peaks_ang
        Distances of published peaks in angstrom, marked above.

    Raises
    ------
    EvidenceError
        There is nothing to draw.
    """
    if not found:
        raise EvidenceError("There is no radial distribution function to draw.")
    known = _shells(found, shells)
    with figure_style():
        figure = new_figure(SINGLE_COLUMN_IN, 2.9 + 0.16 * len(found))
        ax = figure.subplots()
        right = ax.twinx()
        right.spines["right"].set_visible(True)
        for k, (name, one) in enumerate(found.items()):
            _series(ax, right, name, one, known[name], k)
        ax.axhline(1.0, color=GRID, linewidth=0.8, zorder=0)
        for peak in published_peaks_ang:
            ax.axvline(peak, color=FAINT, linewidth=0.8, linestyle=":", gid="published")
        ax.set_xlim(0.0, min(float(one.edges_ang[-1]) for one in found.values()))
        ax.set_ylim(0.0, None)
        right.set_ylim(0.0, _top(found, known))
        ax.set_xlabel("Distance r (\u00c5)")
        ax.set_ylabel("g(r), lines")
        right.set_ylabel("n(r), dashed")
        ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, borderaxespad=0.2)
        text = "\n".join(f"{name}: {words(known[name])}" for name in found)
        footnote(figure, text)
    return figure


def words(shell: Shell) -> str:
    """Return the first shell in a few words."""
    if shell.peak_ang is None:
        return "no peak above its noise"
    if shell.cutoff_ang is None or shell.neighbours is None:
        return f"peak at {shell.peak_ang:.2f} \u00c5, no first minimum: no coordination number"
    spread = ""
    if shell.neighbours_interval is not None:
        spread = f" ({shell.neighbours_interval[0]:.2f} to {shell.neighbours_interval[1]:.2f})"
    return (
        f"peak at {shell.peak_ang:.2f} \u00c5, {shell.neighbours:.2f}{spread} within "
        f"{shell.cutoff_ang:.2f} \u00c5"
    )


def rdf_figure_data(
    found: Mapping[str, RDF], *, shells: Mapping[str, Shell] | None = None
) -> FigureData:
    """Return g(r) and n(r) of every shell with their half-widths of 95 %."""
    known = _shells(found, shells)
    rows = []
    for name, one in found.items():
        shell = known[name]
        empty = [None] * len(one.g)
        spread = empty if one.g_error is None else one.g_error.tolist()
        wide = empty if one.neighbours_error is None else one.neighbours_error.tolist()
        columns = (one.r_ang, one.g, one.edges_ang[1:], one.neighbours)
        for k, (r, g, edge, n) in enumerate(zip(*(c.tolist() for c in columns), strict=True)):
            rows.append(
                (name, r, g, spread[k], edge, n, wide[k], shell.peak_ang, shell.cutoff_ang,
                 shell.neighbours)
            )  # fmt: skip
    return FigureData(header=HEADER, rows=tuple(rows))


def _shells(found: Mapping[str, RDF], shells: Mapping[str, Shell] | None) -> dict[str, Shell]:
    return {name: (shells or {}).get(name) or first_shell(one) for name, one in found.items()}


def _series(ax: Axes, right: Axes, name: str, one: RDF, shell: Shell, index: int) -> None:
    """Draw one g(r) with its interval, its n(r), and the end of its first shell."""
    colour, marker = series_style(index)
    r, error = one.r_ang, one.g_error
    if error is not None:
        ax.fill_between(
            r, np.maximum(one.g - error, 0), one.g + error, color=colour, alpha=0.2, linewidth=0
        )
    ax.plot(r, one.g, "-", color=colour, linewidth=1.2, label=name, gid="g")
    right.plot(one.edges_ang[1:], one.neighbours, "--", color=colour, linewidth=1.0, gid="n")
    if shell.cutoff_ang is not None and shell.neighbours is not None:
        right.plot([shell.cutoff_ang], [shell.neighbours], marker=marker, color=colour, gid="shell")


def _top(found: Mapping[str, RDF], shells: Mapping[str, Shell]) -> float:
    """Return the end of the axis of n(r): what makes the first shells readable."""
    inside = [s.neighbours for s in shells.values() if s.neighbours]
    if inside:
        return 3.0 * max(inside)
    return max(float(one.neighbours[len(one.g) // 2]) for one in found.values()) or 1.0
