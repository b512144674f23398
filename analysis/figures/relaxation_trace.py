"""How the energy fell in a relaxation, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

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
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike


def relaxation_trace(energies_eV: ArrayLike, *, theory: str, evidence: str) -> Figure:
    """Draw the energy of each ionic step above the last one.

    Parameters
    ----------
    energies_eV
        Energy after each step in eV. shape=(steps,)
    theory
        Level of theory.
    evidence
        A few words on how the relaxation ended.

    Raises
    ------
    EvidenceError
        There is no step, or an energy is not finite.
    """
    from matplotlib.ticker import MaxNLocator

    energies = np.asarray(energies_eV, dtype=float)
    if energies.ndim != 1 or not len(energies) or not np.isfinite(energies).all():
        raise EvidenceError(f"A trace needs finite energies of steps; got {energies!r}.")
    colour, marker = series_style(0)
    with figure_style():
        figure = new_figure(SINGLE_COLUMN_IN, 2.8)
        ax = figure.subplots()
        steps = np.arange(1, len(energies) + 1)
        ax.plot(steps, energies - energies[-1], "-", color=colour, marker=marker, gid="steps")
        ax.axhline(0.0, color=GRID, linewidth=0.8, zorder=0)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_xlabel("Ionic step")
        ax.set_ylabel("Energy above the last step (eV)")
        ax.set_title(theory, pad=14)
        ax.text(
            0.0, 1.015, evidence, transform=ax.transAxes, fontsize=7.0, color=FAINT, va="bottom"
        )
    return figure


def relaxation_trace_data(energies_eV: ArrayLike, *, theory: str) -> FigureData:
    """Return the energy after each step in eV."""
    energies = np.asarray(energies_eV, dtype=float)
    return FigureData(
        header=("theory", "step", "energy_eV"),
        rows=tuple((theory, k, float(e)) for k, e in enumerate(energies, start=1)),
    )
