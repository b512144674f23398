"""The figures of the LATP reproduction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.figures.binding_levels import binding_levels, binding_levels_data
from superionic.analysis.figures.binding_starts import binding_starts, binding_starts_data
from superionic.analysis.figures.structure_view import structure_view, structure_view_data
from superionic.analysis.figures.style import save_figure
from superionic.analysis.figures.view_panel import ViewPanel
from superionic.structures.structure import Structure, minimum_image

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from superionic.analysis.binding import BindingResult
    from superionic.analysis.figures.style import SavedFigure
    from superionic.workflows.papers.latp_results import LatpResults

CLOSE_ANG = 5.5
"""A close-up shows what is this near to the molecule, in angstrom."""
FRAME_ANG = 400.0


def draw_levels(
    results: LatpResults, folder: Path, *, published_eV: Mapping[str, float], fidelity: str
) -> SavedFigure | None:
    """Draw the binding strengths of all levels; None where no molecule has a value."""
    if not any(result.levels for result in results.both):
        return None
    return save_figure(
        binding_levels(results.both, published_eV=published_eV, fidelity=fidelity),
        folder / "binding-levels",
        binding_levels_data(results.both, published_eV=published_eV),
    )


def draw_starts(results: LatpResults, folder: Path, *, fidelity: str) -> SavedFigure | None:
    """Draw all starts and the parts of the best; None where there is no start."""
    if not any(result.starts for result in results.both):
        return None
    return save_figure(
        binding_starts(results.both, fidelity=fidelity),
        folder / "binding-starts",
        binding_starts_data(results.both, fidelity=fidelity),
    )


def draw_geometries(results: LatpResults, folder: Path) -> SavedFigure | None:
    """Draw the best complexes from the side; None where there is none."""
    panels = [
        ViewPanel(
            title=f"{result.molecule}, E_b {result.binding_energy_eV:+.2f} eV",
            structure=whole_molecule(result),
            along=(0.0, -1.0, 0.0),
            centres=("Ti", "Al", "P"),
        )
        for result in results.both
        if result.terms
    ]
    if not panels:
        return None
    return save_figure(structure_view(panels), folder / "geometries", structure_view_data(panels))


def draw_close_ups(results: LatpResults, folder: Path) -> SavedFigure | None:
    """Draw the molecules and the atoms next to them from above; None where there is none."""
    panels = [
        ViewPanel(
            title=f"{result.molecule} from above",
            structure=near_molecule(result),
            along=(0.0, 0.0, 1.0),
            up=(0.0, 1.0, 0.0),
            tilt_deg=(12.0, 35.0),
            centres=(),
        )
        for result in results.both
        if result.terms
    ]
    if not panels:
        return None
    return save_figure(structure_view(panels), folder / "close-ups", structure_view_data(panels))


def whole_molecule(result: BindingResult) -> Structure:
    """Return the complex turned so that its molecule is not cut by the cell."""
    structure = result.terms[0].structure
    middle = structure.positions[list(result.adsorbate)].mean(axis=0)
    to_middle = 0.5 * (structure.cell[0] + structure.cell[1]) - middle
    to_middle[2] = 0.0
    return structure.with_positions(structure.positions + to_middle)


def near_molecule(result: BindingResult) -> Structure:
    """Return the molecule and the nearest image of each atom around it, without a lattice."""
    structure = result.terms[0].structure
    own = list(result.adsorbate)
    middle = structure.positions[own].mean(axis=0)
    away = minimum_image(structure.positions - middle, structure.cell, structure.pbc)
    placed = structure.with_positions(middle + away)
    mine = placed.positions[own]
    gaps = ((placed.positions[:, None] - mine[None]) ** 2).sum(axis=-1).min(axis=1) ** 0.5
    chosen = [k for k in range(len(placed)) if gaps[k] <= CLOSE_ANG]
    part = placed.take(chosen)
    return Structure(  # a frame so wide that its edges are out of the picture
        numbers=part.numbers,
        positions=part.positions - middle + 0.5 * FRAME_ANG,
        cell=FRAME_ANG * np.eye(3),
        pbc=(False, False, False),
        labels=part.labels,
    )
