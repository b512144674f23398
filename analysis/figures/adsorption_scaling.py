"""Adsorption energies against a number of the metals, such as their d-band centre."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.figures.style import (
    FAINT,
    GRID,
    SINGLE_COLUMN_IN,
    Cell,
    FigureData,
    figure_style,
    new_figure,
    series_style,
)
from superionic.structures.errors import EvidenceError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

    from superionic.analysis.node_binding import NodeAdsorption, NodeStart

Points = list[tuple[str, str, str, float, float]]
"""Node, metal, start, centre in eV, adsorption energy in eV."""


def scaling_points(
    results: Sequence[NodeAdsorption], centres_eV: Mapping[str, Mapping[str, float]]
) -> Points:
    """Return the lowest start that each metal with a centre holds alone.

    Where an adsorbate relaxed to counts, not where it was put; one that metals of two elements
    share belongs to neither.

    Parameters
    ----------
    results
        One adsorbate at every node.
    centres_eV
        Node -> element -> d-band centre in eV.
    """
    found: Points = []
    for result in results:
        for metal, centre in centres_eV.get(result.node, {}).items():
            here = {s.key for s in result.starts if _holders(s, result.metals) == {metal}}
            values = [v for v in result.values if v.theory == result.theory and v.start in here]
            if values:
                best = min(values, key=lambda v: v.adsorption_energy_eV)
                found.append((result.node, metal, best.start, centre, best.adsorption_energy_eV))
    return found


def _holders(start: NodeStart, metals: Sequence[str]) -> set[str]:
    """Return the elements of the metals that hold an adsorbate after relaxation."""
    held = (c.holder.rstrip("0123456789") for c in start.contacts if c.donors)
    return {symbol for symbol in held if symbol in metals}


def adsorption_scaling(points: Points, *, centre: str, adsorbate: str, theory: str) -> Figure:
    """Draw adsorption energies against d-band centres, with a line from three points on.

    Parameters
    ----------
    points
        Of `scaling_points`.
    centre
        How the centre is defined and at which level.
    adsorbate, theory
        What adsorbs, at which level.

    Raises
    ------
    EvidenceError
        There is no point.
    """
    if not points:
        raise EvidenceError("No node has both an adsorption energy and a d-band centre.")
    x, y = np.array([p[3] for p in points]), np.array([p[4] for p in points])
    with figure_style():
        figure = new_figure(SINGLE_COLUMN_IN * 1.3, 3.2)
        ax = figure.subplots()
        for k, metal in enumerate(dict.fromkeys(p[1] for p in points)):
            colour, marker = series_style(k)
            for node, symbol, _, c, e in points:
                if symbol == metal:
                    ax.plot(c, e, marker, color=colour, zorder=3, gid=f"{node}-{metal}")
                    left = c <= (x.min() + x.max()) / 2
                    ax.annotate(f"{metal} in {node}", (c, e), xytext=(4 if left else -4, 3),
                                ha="left" if left else "right", fontsize=6.2,
                                textcoords="offset points")  # fmt: skip
        if len(points) >= 3 and np.ptp(x) > 0:
            slope, offset = np.polyfit(x, y, 1)
            r = f", r = {np.corrcoef(x, y)[0, 1]:.2f}" if np.ptp(y) > 0 else ""
            ends = np.array([x.min(), x.max()])
            ax.plot(ends, slope * ends + offset, color=FAINT, linewidth=1.0, zorder=1)
            ax.set_title(f"slope {slope:.2f}{r}, {len(points)} sites", loc="right",
                         fontsize=6.5, fontweight="normal")  # fmt: skip
        ax.grid(color=GRID, linewidth=0.6)
        ax.margins(0.15)
        ax.set_xlabel(f"d-band centre (eV), {centre}")
        ax.set_ylabel(f"E_ads of {adsorbate} (eV), {theory}")
    return figure


def adsorption_scaling_data(points: Points, *, centre: str) -> FigureData:
    """Return the points, in eV."""
    rows: list[tuple[Cell, ...]] = [(*p, centre) for p in points]
    return FigureData(
        header=("node", "metal", "start", "d_band_centre_eV", "adsorption_energy_eV",
                "definition"),
        rows=tuple(rows),
    )  # fmt: skip
