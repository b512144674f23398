"""Fig. 6 of paper 001, redrawn from what was computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superionic.analysis.chains import Chain, first_chain, mirrored
from superionic.analysis.figures.barrier_distribution import (
    BarrierGroup,
    barrier_distribution,
    barrier_distribution_data,
)
from superionic.analysis.figures.migration_profiles import (
    RouteProfiles,
    migration_profiles,
    migration_profiles_data,
)
from superionic.analysis.figures.structure_view import structure_view, structure_view_data
from superionic.analysis.figures.style import save_figure
from superionic.analysis.figures.view_panel import PathView, ViewPanel
from superionic.workflows.papers.nzsp_results import first_converged

if TYPE_CHECKING:
    from pathlib import Path

    from superionic.analysis.barriers import BarrierResult
    from superionic.analysis.figures.style import SavedFigure
    from superionic.workflows.papers.nzsp_results import Comparison

ROUTES = {"A": "inner channel", "B": "(001) surface channel"}


def drawn_hop(comparison: Comparison, route: str) -> BarrierResult | None:
    """Return the hop drawn for a route: the first converged one in the order they were taken."""
    return first_converged(comparison.bulk if route == "A" else comparison.surface)


def draw_profiles(comparison: Comparison, folder: Path, *, fidelity: str) -> SavedFigure | None:
    """Draw Fig. 6c of one composition; None where no route has a profile."""
    routes = []
    for route, name in ROUTES.items():
        hop = drawn_hop(comparison, route)
        scans = tuple(s for s in comparison.scans if s.route == route)
        if hop is not None:
            routes.append(RouteProfiles(route=route, name=name, profiles=(*scans, hop)))
    if not routes:
        return None
    stem = folder / f"fig6c-{slug(comparison)}"
    figure = migration_profiles(routes, fidelity=fidelity)
    return save_figure(figure, stem, migration_profiles_data(routes, fidelity=fidelity))


def find_chain(comparison: Comparison, route: str) -> Chain | None:
    """Return the two-hop chain of a route, Na2 over Na1 to another Na2.

    Where symmetry makes all bulk hops equal, that hop and its mirror image; else the first two
    converged hops of a cell, in the order they were taken, that share a Na1 site.
    """
    if route == "A" and comparison.one_bulk_class:
        hop = drawn_hop(comparison, route)
        return mirrored(hop) if hop is not None else None
    tried = ((c.bulk if route == "A" else c.surface) for c in comparison.cells)
    return next((chain for hops in tried if (chain := first_chain(hops)) is not None), None)


def draw_chains(
    comparison: Comparison, folder: Path, *, fidelity: str
) -> tuple[SavedFigure, dict[str, Chain]] | None:
    """Draw both routes as chains of two hops; None where no chain joins up."""
    found = {route: find_chain(comparison, route) for route in ROUTES}
    chains = {route: chain for route, chain in found.items() if chain is not None}
    if not chains:
        return None
    routes = [
        RouteProfiles(route=route, name=ROUTES[route], profiles=(chain.profile,))
        for route, chain in chains.items()
    ]
    figure = migration_profiles(routes, fidelity=fidelity)
    stem = folder / f"chains-{slug(comparison)}"
    return save_figure(figure, stem, migration_profiles_data(routes, fidelity=fidelity)), chains


def draw_distribution(
    comparison: Comparison, folder: Path, *, fidelity: str, rule: str
) -> SavedFigure:
    """Draw the barriers of all hops tried in both environments."""
    groups = [
        BarrierGroup(label="A, bulk", results=comparison.bulk),
        BarrierGroup(label="B, (001) surface", results=comparison.surface),
    ]
    figure = barrier_distribution(
        groups,
        verdict=f"{comparison.name}: B < A {comparison.verdict.state}",
        rule=rule,
        fidelity=fidelity,
    )
    stem = folder / f"barriers-{slug(comparison)}"
    return save_figure(figure, stem, barrier_distribution_data(groups, fidelity=fidelity))


def draw_structures(comparison: Comparison, folder: Path) -> tuple[SavedFigure, ...]:
    """Draw Fig. 6a, the slab with route B in it, and Fig. 6b, both routes close up."""
    saved = []
    inner, surface = (drawn_hop(comparison, r) for r in ROUTES)
    if surface is not None and surface.structure is not None:
        whole = [
            ViewPanel(
                title=f"(001) slab, {comparison.name}",
                structure=surface.structure,
                paths=(_path(surface, "B"),),
            )
        ]
        saved.append(_save(whole, folder / f"fig6a-{slug(comparison)}"))
    close = [
        ViewPanel(
            title=f"{route}: {ROUTES[route]}",
            structure=hop.structure,
            paths=(_path(hop, route),),
            radius_ang=5.0,
        )
        for route, hop in (("A", inner), ("B", surface))
        if hop is not None and hop.structure is not None
    ]
    if close:
        saved.append(_save(close, folder / f"fig6b-{slug(comparison)}"))
    return tuple(saved)


def slug(comparison: Comparison) -> str:
    """Return a composition's name as it stands in file names."""
    return comparison.name.replace(" ", "").replace("=", "")


def _path(hop: BarrierResult, label: str) -> PathView:
    return PathView(label=label, positions=hop.positions[:, hop.ion])


def _save(panels: list[ViewPanel], stem: Path) -> SavedFigure:
    figure = structure_view(panels, path_order=tuple(ROUTES))
    return save_figure(figure, stem, structure_view_data(panels))
