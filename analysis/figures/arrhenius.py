"""Transport against inverse temperature: values with intervals, laws with their bands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.analysis.figures.style import (
    SINGLE_COLUMN_IN,
    FigureData,
    figure_style,
    new_figure,
    series_style,
)
from superionic.structures.errors import EvidenceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from superionic.analysis.figures.style import Cell
    from superionic.analysis.thermal import ThermalFit

CURVE_POINTS = 60


def arrhenius_figure(series: Sequence[tuple[str, ThermalFit]]) -> Figure:
    """Draw values and fitted laws against 1000/T, a scale of temperatures above.

    The law is drawn over its data only, its 95 % band shaded; Arrhenius laws full, others dashed.

    Parameters
    ----------
    series
        Names and fits, in drawing order; two laws of the same values may follow each other.

    Raises
    ------
    EvidenceError
        No fit is given, or units differ.
    """
    if not series or len({fit.data.unit for _, fit in series}) > 1:
        raise EvidenceError("Expected at least one fit, all of values in one unit.")
    with figure_style():
        figure = new_figure(SINGLE_COLUMN_IN, 3.1)
        ax = figure.subplots()
        seen: dict[str, int] = {}
        for label, fit in series:
            colour, marker = series_style(seen.setdefault(label, len(seen)))
            T, y = fit.data.temperature_K, fit.data.value
            error = None
            if fit.data.interval is not None:
                error = np.abs(fit.data.interval.T - y)
            ax.errorbar(
                1000.0 / T, y, error, linestyle="none", marker=marker, color=colour, capsize=2.0,
                linewidth=0.9, zorder=3,
            )  # fmt: skip
            grid = np.linspace(T.min(), T.max(), CURVE_POINTS)
            low, high = fit.band(grid)
            ax.fill_between(1000.0 / grid, low, high, color=colour, alpha=0.16, linewidth=0)
            style = "-" if fit.law == "arrhenius" else "--"
            ax.plot(1000.0 / grid, fit.curve(grid), style, color=colour, label=_legend(label, fit))
        ax.set_yscale("log")
        ax.yaxis.set_major_formatter(lambda value, _: f"{value:.0e}")
        ax.yaxis.set_minor_formatter(lambda value, _: "")
        unit = series[0][1].data.unit
        ax.set_xlabel("1000 / T (1/K)")
        ax.set_ylabel(f"Value ({unit})" if unit else "Value")
        top = ax.secondary_xaxis("top", functions=(_inverse, _inverse))
        top.set_xlabel("T (K)")
        ticks = sorted({round(float(t)) for _, fit in series for t in fit.data.temperature_K})
        top.set_xticks(ticks[:: max(1, len(ticks) // 5)])
        figure.legend(loc="outside lower left", ncols=1)
    return figure


def arrhenius_data(series: Sequence[tuple[str, ThermalFit]]) -> FigureData:
    """Return what `arrhenius_figure` draws: values and laws with their intervals."""
    rows: list[tuple[Cell, ...]] = []
    for label, fit in series:
        T, y = fit.data.temperature_K, fit.data.value
        ends = fit.data.interval
        for k in range(len(T)):
            low, high = (None, None) if ends is None else ends[k].tolist()
            rows.append((label, "value", "", float(T[k]), float(y[k]), low, high))
        grid = np.linspace(T.min(), T.max(), CURVE_POINTS)
        curve, (low_band, high_band) = fit.curve(grid), fit.band(grid)
        rows += [
            (label, "law", fit.law, float(t), float(v), float(a), float(b))
            for t, v, a, b in zip(grid, curve, low_band, high_band, strict=True)
        ]
    return FigureData(
        header=("series", "kind", "law", "temperature_K", "value", "low_95", "high_95"),
        rows=tuple(rows),
    )


def _inverse(x: Any) -> Any:
    """Return 1000 over a number, for both directions of the second scale."""
    with np.errstate(divide="ignore"):
        return 1000.0 / np.asarray(x, dtype=float)


def _legend(label: str, fit: ThermalFit) -> str:
    """Return name and energy with its interval."""
    energy = fit.activation_energy_eV
    symbol = "E_a" if fit.law == "arrhenius" else "kB"
    text = f"{symbol} = {energy.get():.3f} eV"
    if energy.interval is not None:
        text += " ({:.3f} to {:.3f})".format(*energy.interval)
    if fit.T0_K is not None:
        text += f", T0 = {fit.T0_K.get():.0f} K"
    return f"{label}: {text}" if label else text
