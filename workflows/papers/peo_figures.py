"""The figures of the PEO reproduction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superionic.analysis.figures.box_view import BoxView, box_view, box_view_data
from superionic.analysis.figures.chain_hops import (
    PublishedClimb,
    chain_hop_data,
    chain_hop_figure,
)
from superionic.analysis.figures.mean_squared_displacement import msd_figure, msd_figure_data
from superionic.analysis.figures.radial_distribution import rdf_figure, rdf_figure_data
from superionic.analysis.figures.style import save_figure
from superionic.workflows.papers.peo_protocol import PUBLISHED_HOPS_EV, PUBLISHED_PEAKS_ANG

if TYPE_CHECKING:
    from pathlib import Path

    from superionic.analysis.figures.style import SavedFigure
    from superionic.workflows.papers.peo_results import PeoResults


def draw_boxes(results: PeoResults, folder: Path) -> SavedFigure | None:
    """Draw the last frame of the first box of either kind (Fig. 4d); None without one."""
    shown = [runs[0] for runs in (results.bare, results.filled) if runs]
    if not shown:
        return None
    panels = [
        BoxView(
            f"{run.name}, {run.atoms} atoms",
            run.snapshot,
            run.box.bonds,
            run.box.component_index,
            tuple(c.name for c in run.box.components),
        )
        for run in shown
    ]
    return save_figure(box_view(panels), folder / "boxes", box_view_data(panels))


def draw_distributions(results: PeoResults, folder: Path) -> SavedFigure | None:
    """Draw g(r) and n(r) of the anion's oxygens around the cation (Fig. 4e); None without one."""
    found = {run.name: run.anion_oxygen for run in results.runs}
    if not found:
        return None
    shells = {run.name: run.anion_shell for run in results.runs}
    figure = rdf_figure(found, shells=shells, published_peaks_ang=PUBLISHED_PEAKS_ANG)
    return save_figure(figure, folder / "na-o-tfsi", rdf_figure_data(found, shells=shells))


def draw_ether_distributions(results: PeoResults, folder: Path) -> SavedFigure | None:
    """Draw g(r) and n(r) of the ether oxygens around the cation; None without a run."""
    found = {run.name: run.ether_oxygen for run in results.runs}
    if not found:
        return None
    shells = {run.name: run.ether_shell for run in results.runs}
    data = rdf_figure_data(found, shells=shells)
    return save_figure(rdf_figure(found, shells=shells), folder / "na-o-ether", data)


def draw_motion(results: PeoResults, folder: Path) -> SavedFigure | None:
    """Draw the mean squared displacement of the cations (Fig. 4f); None where none moved."""
    found = {run.name: run.cation_motion for run in results.runs}
    if not any((one.msd_ang2 > 0).any() for one in found.values()):
        return None
    return save_figure(msd_figure(found), folder / "msd", msd_figure_data(found))


def draw_hops(results: PeoResults, folder: Path, *, fidelity: str) -> SavedFigure | None:
    """Draw the hops along the chain (Fig. 4h); None where there is none."""
    hops = results.all_hops
    if not hops:
        return None
    published = [PublishedClimb(f"{name}, paper", e) for name, e in PUBLISHED_HOPS_EV.items()]
    return save_figure(
        chain_hop_figure(hops, published=published, fidelity=fidelity),
        folder / "hops",
        chain_hop_data(hops, published=published, fidelity=fidelity),
    )
