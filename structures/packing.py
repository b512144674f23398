"""Boxes of a polymer electrolyte packed from a recipe, free of overlaps.

The filler, then ions and small molecules go to random places; chains grow among them; and all are
pushed apart until no two atoms of different molecules, or farther apart than three bonds in a
chain, are nearer than their contact distance (`superionic.structures.box_contacts`). At these
distances no bond can pass through another, nor through a ring of six atoms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.box import AMU_PER_ANG3, Box
from superionic.structures.box_contacts import (
    NonBonded,
    contact_radii_ang,
    contact_report,
)
from superionic.structures.cell_grid import CellGrid
from superionic.structures.chain_growth import grow_chains
from superionic.structures.errors import PackingError
from superionic.structures.insertion import insert_molecules
from superionic.structures.push_off import push_apart
from superionic.structures.recipe import (
    LEAST_EDGE_ANG,
    MOST_ATOMS_PER_ANG3,
    BoxSpec,
    components_of,
)
from superionic.structures.structure import Structure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from superionic.structures.box import Component

LEAST_SHARE = 0.9
"""Atoms nearer than this share of their contact distance overlap."""


def build_box(spec: BoxSpec) -> Box:
    """Pack a box.

    Parameters
    ----------
    spec
        What it is made of.

    Returns
    -------
    Box
        Of exactly that composition, neutral, without overlaps; the same for the same seed.

    Raises
    ------
    PackingError
        The composition has no whole numbers, or the molecules do not fit at that density.
    UnknownMoleculeError
        The salt is unknown.
    InvalidStructureError
        The charges do not add up to zero.
    """
    components = components_of(spec)
    edges = _edges(components, spec.density_g_cm3)
    positions = push_apart(components, edges, _placed(spec, components, edges))
    numbers = np.concatenate([np.tile(c.molecule.structure.numbers, c.count) for c in components])
    report = contact_report(numbers, positions, NonBonded(components, edges))
    if report.lowest_share < LEAST_SHARE:
        raise PackingError(
            f"The molecules do not fit at {spec.density_g_cm3:g} g/cm3: atoms "
            f"{report.closest[0]} and {report.closest[1]} stay at {report.lowest_share:.2f} of "
            "their contact distance. Pack at a lower density and compress by simulation at "
            "constant pressure, or try another seed."
        )
    labels = tuple(n for c in components for n in c.atom_names * c.count)
    structure = Structure(
        numbers=numbers, positions=_at_home(components, edges, positions), cell=np.diag(edges),
        labels=labels,
    )  # fmt: skip
    return Box(structure, components, spec.seed)


def _edges(components: Sequence[Component], density_g_cm3: float) -> NDArray[np.float64]:
    """Return the edges of a cube of a density, in angstrom."""
    mass = sum(c.count * c.mass_g_per_mol for c in components)
    atoms = sum(c.count * c.atoms for c in components)
    volume = AMU_PER_ANG3 * mass / density_g_cm3
    if atoms / volume > MOST_ATOMS_PER_ANG3:
        raise PackingError(
            f"{density_g_cm3:g} g/cm3 would be {atoms / volume:.2f} atoms in a cubic angstrom; "
            f"diamond has 0.18. Expected at most about "
            f"{density_g_cm3 * 0.1 * volume / atoms:.1f} g/cm3."
        )
    edge = float(np.cbrt(volume))
    widest = max((c.molecule.length_ang for c in components if not c.is_polymer), default=0.0)
    least = max(LEAST_EDGE_ANG, widest + 2.0)
    if edge < least:
        raise PackingError(
            f"The box would have edges of {edge:.1f} A; its molecules need {least:.1f} A. Take "
            "more or longer chains, or a lower density."
        )
    return np.full(3, edge)


def _placed(
    spec: BoxSpec, components: Sequence[Component], edges: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return whole molecules somewhere in the cell, in the order of the components."""
    rng = np.random.default_rng(spec.seed)
    grid = CellGrid(edges, sum(c.count * c.atoms for c in components))
    found: dict[str, NDArray[np.float64]] = {}
    small = [c for c in components if not c.is_polymer]
    for component in sorted(small, key=lambda c: -c.molecule.length_ang):
        found[component.name] = insert_molecules(component, grid, rng)
    for component in components:
        if component.is_polymer:
            found[component.name] = grow_chains(
                component.units, component.count, ends=spec.ends,
                radii_ang=contact_radii_ang(component), grid=grid, rng=rng,
                temperature_K=spec.temperature_K,
            )  # fmt: skip
    return np.concatenate([found[c.name].reshape(-1, 3) for c in components])


def _at_home(
    components: Sequence[Component], edges: NDArray[np.float64], positions: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the same molecules, each moved as a whole so that its middle lies in the cell."""
    moved = positions.copy()
    first = 0
    for c in components:
        held = moved[first : first + c.count * c.atoms].reshape(c.count, c.atoms, 3)
        held -= edges * np.floor(held.mean(axis=1, keepdims=True) / edges)
        first += c.count * c.atoms
    return moved
