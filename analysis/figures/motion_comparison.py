"""Diffusion coefficients of the runs of two systems side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.figures.marks import bounds_of, footnote
from superionic.analysis.figures.style import (
    FAINT,
    INK,
    SINGLE_COLUMN_IN,
    FigureData,
    figure_style,
    new_figure,
    series_style,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from superionic.analysis.comparison import MotionComparison
    from superionic.analysis.figures.style import Cell

HEADER = ("kind", "system", "run", "value", "low_95", "high_95", "unit", "reason")


def motion_comparison_figure(found: MotionComparison) -> Figure:
    """Draw each run with its interval, the geometric mean of each side, and the verdict below.

    Runs without a diffusion coefficient are counted in words at the bottom of their side.
    """
    from matplotlib.ticker import FuncFormatter, NullFormatter

    with figure_style():
        figure = new_figure(SINGLE_COLUMN_IN, 2.9)
        ax = figure.subplots()
        for k, side in enumerate((found.first, found.second)):
            colour, marker = series_style(k)
            known = [r for r in side if r.D_cm2_s is not None and r.interval_cm2_s is not None]
            places = k + 0.5 * (np.arange(len(known)) - 0.5 * (len(known) - 1)) / max(len(known), 1)
            for x, run in zip(places.tolist(), known, strict=True):
                value = run.value()
                low, high = run.interval_cm2_s or (value, value)
                ax.errorbar(
                    x, value, [[value - low], [high - value]], color=colour, marker=marker,
                    markersize=3.5, linewidth=0.9, capsize=1.5,
                )  # fmt: skip
            if known:
                mean = float(np.exp(np.mean([np.log(r.value()) for r in known])))
                ax.plot([k - 0.35, k + 0.35], [mean, mean], color=INK, linewidth=1.0, gid="mean")
            if len(known) < len(side):
                ax.text(
                    k, 0.02, f"{len(side) - len(known)} without D", ha="center", fontsize=6.5,
                    color=FAINT, transform=ax.get_xaxis_transform(),
                )  # fmt: skip
        ax.set_yscale("log")
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0e}"))
        ax.yaxis.set_minor_formatter(NullFormatter())
        ax.set_xticks([0, 1], list(found.names))
        ax.set_xlim(-0.6, 1.6)
        ax.set_ylabel("D (cm\u00b2/s)")
        footnote(figure, found.summary, wrap=True)
    return figure


def motion_comparison_data(found: MotionComparison) -> FigureData:
    """Return every run, and what was made of them."""
    rows: list[tuple[Cell, ...]] = []
    for name, side in zip(found.names, (found.first, found.second), strict=True):
        for k, run in enumerate(side):
            low, high = run.interval_cm2_s or (None, None)
            rows.append(("run", name, k, run.D_cm2_s, low, high, "cm2/s", run.reason))
    for kind, value in (("ratio", found.ratio), ("effect size", found.effect_size)):
        rows.append((kind, "second over first", None, *bounds_of(value), "", value.reason))
    rows.append(
        ("probability", "second is faster", None, found.probability, None, None, "", found.reason)
    )
    rows.append(("needed", "both", None, found.needed_ps, None, None, "ps", ""))
    return FigureData(header=HEADER, rows=tuple(rows))
