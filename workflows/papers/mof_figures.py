"""The figures of the MOF reproduction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superionic.analysis.figures.adsorption_scaling import (
    adsorption_scaling,
    adsorption_scaling_data,
    scaling_points,
)
from superionic.analysis.figures.adsorption_screen import (
    adsorption_screen,
    adsorption_screen_data,
)
from superionic.analysis.figures.ion_pair_binding import ion_pair_binding, ion_pair_binding_data
from superionic.analysis.figures.style import save_figure

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from superionic.analysis.figures.style import SavedFigure
    from superionic.workflows.papers.mof_results import MofResults


def draw_screen(
    results: MofResults, folder: Path, *, published_eV: Mapping[str, float], fidelity: str
) -> SavedFigure | None:
    """Draw the adsorption of TFSI- at all nodes (Fig. 1b); None where no node has a value."""
    if not any(result.theories for result in results.tfsi):
        return None
    return save_figure(
        adsorption_screen(results.tfsi, published_eV=published_eV, fidelity=fidelity),
        folder / "adsorption-screen",
        adsorption_screen_data(results.tfsi, published_eV=published_eV, fidelity=fidelity),
    )


def draw_pairs(
    results: MofResults, folder: Path, *, node: str, fidelity: str
) -> SavedFigure | None:
    """Draw the three binding energies of one node (Fig. 4g); None where there are none."""
    pairs = [p for p in results.pairs if p.node == node]
    if not pairs:
        return None
    return save_figure(
        ion_pair_binding(pairs, fidelity=fidelity),
        folder / "ion-pair",
        ion_pair_binding_data(results.pairs, fidelity=fidelity),
    )


def draw_scaling(results: MofResults, folder: Path, *, centre: str) -> SavedFigure | None:
    """Draw adsorption against d-band centres; None where no node has both."""
    points = scaling_points(results.tfsi, results.centres_eV)
    if not points:
        return None
    one = results.tfsi[0]
    return save_figure(
        adsorption_scaling(points, centre=centre, adsorbate=one.adsorbate, theory=one.theory),
        folder / "adsorption-d-band",
        adsorption_scaling_data(points, centre=centre),
    )
