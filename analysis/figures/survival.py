"""Survival of contacts against time, with its band and the mean where there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superionic.analysis.figures.marks import bounds_of
from superionic.analysis.figures.style import (
    FAINT,
    SINGLE_COLUMN_IN,
    FigureData,
    figure_style,
    new_figure,
    series_style,
)
from superionic.structures.errors import EvidenceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure

    from superionic.analysis.figures.style import Cell
    from superionic.analysis.residence import ResidenceTime


def survival_figure(runs: Mapping[str, ResidenceTime]) -> Figure:
    """Draw the fraction of contacts that last longer than a time, as steps with a 95 % band.

    The curve ends where the run does: nothing is extrapolated. A dotted line marks the mean.

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
        raise EvidenceError("A figure of survival needs at least one run; got none.")
    with figure_style():
        figure = new_figure(SINGLE_COLUMN_IN, 2.9)
        ax = figure.subplots()
        for k, (name, run) in enumerate(runs.items()):
            colour, _ = series_style(k)
            low, high = run.survival_interval.T
            ax.fill_between(
                run.time_ps, low, high, step="post", color=colour, alpha=0.18, linewidth=0
            )
            ax.step(run.time_ps, run.survival, where="post", color=colour, label=_legend(name, run))
            if run.mean_ps.value is not None:
                ax.axvline(run.mean_ps.value, color=colour, linewidth=0.8, linestyle=":")
        ax.set_ylim(0.0, 1.03)
        ax.set_xlim(left=0.0)
        ax.set_xlabel("Time (ps)")
        ax.set_ylabel("Contacts that last longer")
        ax.axhline(0.0, color=FAINT, linewidth=0.4)
        figure.legend(loc="outside lower left", ncols=1)
    return figure


def survival_data(runs: Mapping[str, ResidenceTime]) -> FigureData:
    """Return what `survival_figure` draws, and the mean of each run."""
    rows: list[tuple[Cell, ...]] = []
    for name, run in runs.items():
        rows += [
            (name, "survival", float(t), float(s), float(low), float(high), "")
            for t, s, (low, high) in zip(
                run.time_ps, run.survival, run.survival_interval, strict=True
            )
        ]
        rows.append((name, "mean_ps", None, *bounds_of(run.mean_ps), run.reason))
    return FigureData(
        header=("run", "kind", "time_ps", "value", "low_95", "high_95", "reason"),
        rows=tuple(rows),
    )


def _legend(name: str, run: ResidenceTime) -> str:
    """Return name and mean, or why there is none."""
    if run.mean_ps.value is not None and run.mean_ps.interval is not None:
        low, high = run.mean_ps.interval
        text = f"mean {run.mean_ps.value:.3g} ps ({low:.3g} to {high:.3g})"
    else:
        text = f"no mean, {run.verdict}; above {run.lower_bound_ps:.3g} ps"
    return f"{name}: {text}" if name else text
