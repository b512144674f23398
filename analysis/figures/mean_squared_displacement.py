"""Mean squared displacement against lag, with the verdict on its slope."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.figures.marks import footnote
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

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from superionic.analysis.diffusivity import Diffusivity
    from superionic.analysis.mean_squared_displacement import MeanSquaredDisplacement

__all__ = [
    "AXES_HEADER",
    "HEADER",
    "axes_msd_figure",
    "axes_msd_figure_data",
    "msd_figure",
    "msd_figure_data",
]

HEADER = (
    "series", "lag_ps", "msd_ang2", "standard_error_ang2", "in_fit", "verdict", "loglog_slope",
    "D_cm2_per_s", "D_low_cm2_per_s", "D_high_cm2_per_s",
)  # fmt: skip


def msd_figure(found: Mapping[str, Diffusivity]) -> Figure:
    """Draw mean squared displacements of some kinds of particles on logarithmic axes.

    The part that was fitted is drawn with markers; a line of slope 1 shows what diffusion looks
    like. Below stands each verdict, with a value where there is one.

    Parameters
    ----------
    found
        Results by the name of their series.

    Raises
    ------
    EvidenceError
        There is nothing to draw.
    """
    drawn = {name: one for name, one in found.items() if (one.msd_ang2 > 0).any()}
    if not drawn:
        raise EvidenceError("There is no mean squared displacement above zero to draw.")
    with figure_style():
        figure = new_figure(SINGLE_COLUMN_IN, 2.9 + 0.16 * len(drawn))
        ax = figure.subplots()
        for k, (name, one) in enumerate(drawn.items()):
            _series(ax, name, one, k)
        _guide(ax, next(iter(drawn.values())))
        _logarithmic(ax)
        if any(drawn):
            ax.legend(loc="upper left")
        text = "\n".join(
            f"{name + ': ' if name else ''}{words(one)}" for name, one in drawn.items()
        )
        footnote(figure, text)
    return figure


def words(one: Diffusivity) -> str:
    """Return value or verdict in a few words."""
    if one.D_cm2_s is not None and one.interval_cm2_s is not None:
        low, high = one.interval_cm2_s
        return f"D = {one.D_cm2_s:.2e} cm\u00b2/s ({low:.2e} to {high:.2e})"
    slope = "" if one.loglog_slope is None else f", slope {one.loglog_slope:.2f}"
    return f"{one.verdict}{slope}: no D"


def msd_figure_data(found: Mapping[str, Diffusivity]) -> FigureData:
    """Return every point with its error, and what was made of it."""
    rows = []
    for name, one in found.items():
        first, last = one.fit_window_ps
        low, high = one.interval_cm2_s or (None, None)
        for lag, value, error in zip(one.lag_ps, one.msd_ang2, one.msd_error_ang2, strict=True):
            inside = bool(first - 1e-9 <= lag <= last + 1e-9)
            rows.append(
                (name, float(lag), float(value), float(error), inside, one.verdict,
                 one.loglog_slope, one.D_cm2_s, low, high)
            )  # fmt: skip
    return FigureData(header=HEADER, rows=tuple(rows))


def _series(ax: Axes, name: str, one: Diffusivity, index: int) -> None:
    """Draw one mean squared displacement with its errors."""
    colour, marker = series_style(index)
    lag, value, error = one.lag_ps, one.msd_ang2, one.msd_error_ang2
    good = value > 0
    ax.plot(lag[good], value[good], "-", color=colour, linewidth=0.8, gid="curve")
    low = np.maximum(value - 1.96 * error, 0.2 * value)
    ax.fill_between(
        lag[good], low[good], (value + 1.96 * error)[good], color=colour, alpha=0.2, linewidth=0
    )
    inside = good & (lag >= one.fit_window_ps[0] - 1e-9) & (lag <= one.fit_window_ps[1] + 1e-9)
    face = colour if one.diffusive else "white"
    ax.plot(
        lag[inside], value[inside], linestyle="none", marker=marker, color=colour, markersize=3.2,
        markerfacecolor=face, label=name or None, gid="fitted",
    )  # fmt: skip


def _guide(ax: Axes, one: Diffusivity) -> None:
    """Draw a short line of slope 1 below the end of a series."""
    lag, value = one.lag_ps[one.msd_ang2 > 0], one.msd_ang2[one.msd_ang2 > 0]
    ends = np.array([lag[-1] / 5.0, lag[-1]])
    ax.plot(ends, 0.45 * value[-1] * ends / ends[-1], "--", color=FAINT, linewidth=0.9, gid="guide")
    ax.annotate(
        "slope 1", (ends[1], 0.3 * value[-1]), textcoords="offset points", xytext=(0, -11),
        fontsize=6.5, color=FAINT, ha="right",
    )  # fmt: skip


AXES_HEADER = (
    "series", "lag_ps", "msd_ang2", "x_ang2", "y_ang2", "z_ang2", "origins", "local_slope",
)  # fmt: skip


def axes_msd_figure(found: Mapping[str, MeanSquaredDisplacement]) -> Figure:
    """Draw mean squared displacements on logarithmic axes, thin lines being thrice each axis.

    Where motion is the same along x, y and z all lines of a series fall together. No slope is
    judged: that is what :func:`~superionic.analysis.diffusion.self_diffusion` is for.

    Parameters
    ----------
    found
        Results by the name of their series.

    Raises
    ------
    EvidenceError
        There is nothing to draw.
    """
    drawn = {name: one for name, one in found.items() if (one.msd_ang2 > 0).any()}
    if not drawn:
        raise EvidenceError("There is no mean squared displacement above zero to draw.")
    with figure_style():
        figure = new_figure(SINGLE_COLUMN_IN, 2.9)
        ax = figure.subplots()
        for k, (name, one) in enumerate(drawn.items()):
            colour, _ = series_style(k)
            for axis, dashes in enumerate(("--", "-.", ":")):
                part = 3.0 * one.axes_ang2[:, axis]
                label = f"3 {'xyz'[axis]}\u00b2" if k == 0 else None
                ax.plot(
                    one.lag_ps[part > 0], part[part > 0], dashes, color=colour, linewidth=0.7,
                    label=label, gid="axis",
                )  # fmt: skip
            good = one.msd_ang2 > 0
            ax.plot(
                one.lag_ps[good], one.msd_ang2[good], color=colour, linewidth=1.3,
                label=name or "all axes", gid="curve",
            )  # fmt: skip
        _logarithmic(ax)
        ax.legend(loc="upper left")
        text = "\n".join(
            f"{name + ': ' if name else ''}{one.particles} particles, {one.frames} frames, drift: "
            f"{one.drift}"
            for name, one in drawn.items()
        )
        footnote(figure, text)
    return figure


def axes_msd_figure_data(found: Mapping[str, MeanSquaredDisplacement]) -> FigureData:
    """Return every lag with its axes, origins and local slope."""
    rows = []
    for name, one in found.items():
        slopes = [s if np.isfinite(s) else None for s in one.local_slope.tolist()]
        columns = (one.lag_ps, one.msd_ang2, *one.axes_ang2.T, one.origins)
        each = zip(*(c.tolist() for c in columns), slopes, strict=True)
        rows += [(name, *row) for row in each]
    return FigureData(header=AXES_HEADER, rows=tuple(rows))


def _logarithmic(ax: Axes) -> None:
    """Set logarithmic axes of lag and displacement with plain numbers."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    ax.set_xscale("log")
    ax.set_yscale("log")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())
    ax.set_xlabel("Lag (ps)")
    ax.set_ylabel("Mean squared displacement (\u00c5\u00b2)")
