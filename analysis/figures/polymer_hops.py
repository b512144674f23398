"""Hops of cations between and along chains, and by how many chains cations are held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superionic.analysis.figures.marks import bounds_of, footnote, whisker
from superionic.analysis.figures.style import (
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

    from superionic.analysis.estimate import Estimate
    from superionic.analysis.figures.style import Cell
    from superionic.analysis.polymer_hops import PolymerHops

HEADER = ("run", "quantity", "unit", "value", "low_95", "high_95", "count")


def polymer_hops_figure(runs: Mapping[str, PolymerHops]) -> Figure:
    """Draw rates of both kinds of hops with 95 % intervals, and fractions held by 0, 1, ... chains.

    Parameters
    ----------
    runs
        By name.

    Raises
    ------
    EvidenceError
        No run is given.
    """
    if not runs:
        raise EvidenceError("A figure of hops needs at least one run; got none.")
    with figure_style():
        figure = new_figure(SINGLE_COLUMN_IN, 2.6)
        left, right = figure.subplots(1, 2)
        width = 0.8 / len(runs)
        for k, (name, run) in enumerate(runs.items()):
            shift = (k - 0.5 * (len(runs) - 1)) * width
            colour, _ = series_style(k)
            for x, (_, rate, _) in enumerate(_rates(run)):
                _bar(left, x + shift, width, rate, colour)
            held = run.chains_held.tolist()
            places = [n + shift for n in range(len(held))]
            right.bar(places, held, 0.92 * width, color=colour, label=name or None)
        left.set_title("a  Hops")
        left.set_xticks([0, 1], ["between\nchains", "along\na chain"])
        left.set_ylabel("Hops of a cation (1/ns)")
        left.set_ylim(0.0, None)
        right.set_title("b  Chains at a cation")
        most = max(len(run.chains_held) for run in runs.values())
        right.set_xticks(range(most))
        right.set_ylabel("Fraction of cations")
        if any(runs):
            right.legend()
        text = "; ".join(
            f"{name + ': ' if name else ''}{run.inter_chain} and {run.intra_chain} hops that last "
            f"{run.dwell_ps:g} ps"
            for name, run in runs.items()
        )
        footnote(figure, text)
    return figure


def polymer_hops_data(runs: Mapping[str, PolymerHops]) -> FigureData:
    """Return what `polymer_hops_figure` draws."""
    rows: list[tuple[Cell, ...]] = []
    for name, run in runs.items():
        for what, rate, count in _rates(run):
            rows.append((name, what, "1/ns", *bounds_of(rate), count))
        rows += [
            (name, f"cations held by {n} chains", "", share, None, None, None)
            for n, share in enumerate(run.chains_held.tolist())
        ]
    return FigureData(header=HEADER, rows=tuple(rows))


def _rates(run: PolymerHops) -> tuple[tuple[str, Estimate, int], ...]:
    return (
        ("hops between chains", run.inter_rate_per_ns, run.inter_chain),
        ("hops along a chain", run.intra_rate_per_ns, run.intra_chain),
    )


def _bar(ax: Axes, x: float, width: float, rate: Estimate, colour: str) -> None:
    if rate.value is not None:
        ax.bar(x, rate.value, 0.92 * width, color=colour)
        whisker(ax, x, rate)
