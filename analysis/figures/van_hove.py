"""Van Hove functions at several lags."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.figures.marks import footnote
from superionic.analysis.figures.style import (
    GRID,
    SINGLE_COLUMN_IN,
    FigureData,
    figure_style,
    new_figure,
    series_style,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from superionic.analysis.van_hove import VanHove

__all__ = ["HEADER", "van_hove_data", "van_hove_figure"]

HEADER = ("kind", "lag_ps", "r_ang", "density", "beyond_last_shell", "non_gaussian")


def van_hove_figure(found: VanHove) -> Figure:
    """Draw one line a lag: 4 pi r^2 G_s of single ions, or G_d over the mean density.

    Below stands how far each lag is from Brownian motion, where that is known.
    """
    with figure_style():
        figure = new_figure(SINGLE_COLUMN_IN, 2.9)
        ax = figure.subplots()
        for k, lag in enumerate(found.lag_ps.tolist()):
            colour, _ = series_style(k)
            ax.plot(
                found.r_ang, found.density[k], color=colour, linewidth=1.1, label=f"{lag:g} ps",
                gid="density",
            )  # fmt: skip
        if found.kind == "distinct":
            ax.axhline(1.0, color=GRID, linewidth=0.8, zorder=0)
            ax.set_ylabel("G$_d$(r, t) / density")
        else:
            ax.set_ylabel("4\u03c0r\u00b2 G$_s$(r, t) (1/\u00c5)")
        ax.set_xlim(0.0, _end(found))
        ax.set_ylim(0.0, None)
        ax.set_xlabel("Distance r (\u00c5)")
        ax.legend(loc="upper right")
        footnote(figure, words(found))
    return figure


def words(found: VanHove) -> str:
    """Return how far displacements are from a normal distribution, in a line."""
    if found.non_gaussian is None:
        return "other ions around the place that an ion was at"
    each = ", ".join(
        f"{a:+.2f} at {lag:g} ps"
        for lag, a in zip(found.lag_ps.tolist(), found.non_gaussian.tolist(), strict=True)
    )
    return f"non-Gaussian parameter: {each}"


def van_hove_data(found: VanHove) -> FigureData:
    """Return every shell of every lag."""
    rows = []
    for k, lag in enumerate(found.lag_ps.tolist()):
        alpha = None if found.non_gaussian is None else float(found.non_gaussian[k])
        beyond = float(found.beyond[k])
        rows += [
            (found.kind, lag, r, value, beyond, alpha)
            for r, value in zip(found.r_ang.tolist(), found.density[k].tolist(), strict=True)
        ]
    return FigureData(header=HEADER, rows=tuple(rows))


def _end(found: VanHove) -> float:
    """Return the distance behind which there is next to nothing to see."""
    if found.kind == "distinct":
        return float(found.edges_ang[-1])
    seen = np.flatnonzero(found.density.max(axis=0) > 1e-3 * found.density.max())
    last = int(seen[-1]) + 1 if len(seen) else 0
    return float(found.edges_ang[min(last + 1, len(found.edges_ang) - 1)])
