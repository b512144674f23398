"""Small boxes of molecules at loose places, turned at random."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.box import Box, Component
from superionic.structures.molecule import Molecule, framed
from superionic.structures.molecules import reference_molecule
from superionic.structures.structure import Structure

if TYPE_CHECKING:
    from collections.abc import Sequence


def small_box(components: Sequence[Component], edge_ang: float, *, seed: int = 1) -> Box:
    """Return molecules on the points of a cubic grid, each turned, with atoms shaken by 0.05 A."""
    rng = np.random.default_rng(seed)
    total = sum(c.count for c in components)
    side = int(np.ceil(total ** (1 / 3)))
    points = iter(np.ndindex(side, side, side))
    numbers, positions = [], []
    for component in components:
        for _ in range(component.count):
            turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
            place = (np.array(next(points)) + 0.5) * edge_ang / side
            own = component.molecule.centred() @ turn.T
            positions.append(own + place + rng.normal(scale=0.05, size=own.shape))
            numbers.append(component.molecule.structure.numbers)
    structure = Structure(np.concatenate(numbers), np.concatenate(positions), np.eye(3) * edge_ang)
    return Box(structure, tuple(components), seed)


def salt_box(*, glymes: int = 2, salts: int = 1, edge_ang: float = 22.0, seed: int = 1) -> Box:
    """Return diglyme with NaTFSI."""
    return small_box(
        [
            Component("G2", reference_molecule("g2"), glymes),
            Component("NA", reference_molecule("na+"), salts),
            Component("TFSI", reference_molecule("tfsi"), salts),
        ],
        edge_ang,
        seed=seed,
    )


def ion(molecule: Molecule | str, name: str, count: int = 1) -> Component:
    """Return a component of a packaged molecule."""
    found = reference_molecule(molecule) if isinstance(molecule, str) else molecule
    return Component(name, found, count)


CHARGES = [1.2, -0.2, -0.2, -0.2, -0.2, -0.2, -0.2]
"""Charges in e of `cluster`."""


def cluster() -> Molecule:
    """Return an octahedral MgO6, rigid stand-in for a node."""
    points = [(0, 0, 0), *(tuple(2.1 * s * e for e in row) for row in np.eye(3) for s in (1, -1))]
    numbers, bonds = [12, *[8] * 6], tuple((0, k, 1.0) for k in range(1, 7))
    return Molecule(framed(numbers, points), name="node", bonds=bonds)


def node_box() -> Box:
    """Return two rigid nodes and a glyme."""
    parts = [Component("FIL", cluster(), 2, rigid=True), ion("g1", "G1")]
    return small_box(parts, 24.0)
