"""One molecule beside another: a node at a chain, by which metal and how near; both as one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.contacts import resting_lift, touching_ang
from superionic.structures.errors import InvalidStructureError
from superionic.structures.molecule import Molecule, framed
from superionic.structures.rotations import align, turn_about

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from superionic.structures.node import Node, OpenSite
    from superionic.structures.structure import Structure


def node_beside(
    chain: Molecule,
    node: Node,
    *,
    facing: str,
    atom: int,
    also: Sequence[Structure] = (),
) -> Molecule:
    """Put a node beside a chain so that an open metal site rests on it over one of its atoms.

    The node comes from the side on which the atom lies, seen from the chain's axis (that of least
    moment of inertia); the plane of its metals is normal to that axis as far as the site allows.

    Parameters
    ----------
    chain
        The chain.
    node
        The node; needs an open site.
    facing
        Element of the metal that faces the chain; its first open site counts.
    atom
        Index of the atom of the chain.
    also
        Other geometries in the chain's frame on which the node must rest as well, such as those
        that the chain takes with an ion.

    Returns
    -------
    Molecule
        The chain's atoms in their order, then the node's; charges added, spins parallel.

    Raises
    ------
    InvalidStructureError
        The node has no open site at such a metal.
    """
    site = _site(node, facing)
    body = node.molecule.positions - node.molecule.positions[site.metal]
    middle = chain.positions.mean(axis=0)
    axis = np.linalg.svd(chain.positions - middle, full_matrices=False)[2][0]
    radial = chain.positions[atom] - middle
    along = float(radial @ axis)
    outward = (radial - along * axis) / np.linalg.norm(radial - along * axis)
    turned = body @ align(site.direction, -outward).T
    turned = turned @ _upright(turned[list(node.metals)], outward, axis).T
    turned += middle + along * axis
    grounds = (chain.structure, *also)
    lift = max(
        resting_lift(
            turned, ground.positions, outward,
            touching_ang(node.molecule.structure.numbers, ground.numbers),
        )
        for ground in grounds
    )  # fmt: skip
    both = joined(chain, node.molecule, turned + lift * outward)
    names = (m.name or m.formula for m in (chain, node.molecule))
    return replace(both, name=" beside ".join(names))


def _site(node: Node, facing: str) -> OpenSite:
    for site in node.sites:
        if node.molecule.symbols[site.metal] == facing:
            return site
    raise InvalidStructureError(
        f"The node has no open site at {facing}; open are "
        f"{', '.join(node.label(s.metal) for s in node.sites) or 'none'}."
    )


def _upright(
    metals: NDArray[np.float64], outward: NDArray[np.float64], axis: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the turn about a direction that brings the metals' normal nearest to an axis."""
    if len(metals) < 3:
        return np.eye(3)
    normal = np.cross(metals[1] - metals[0], metals[2] - metals[0])
    flat = normal - (normal @ outward) * outward
    if np.linalg.norm(flat) < 1e-6:
        return np.eye(3)
    angle = np.arctan2(np.cross(flat, axis) @ outward, flat @ axis)
    return turn_about(outward, float(angle))


def joined(first: Molecule, second: Molecule, positions: ArrayLike) -> Molecule:
    """Return two molecules as one, charges added and spins parallel.

    Parameters
    ----------
    first, second
        Both; the source and the note are those of the first.
    positions
        Of the second, in the frame of the first, in angstrom. shape=(atoms, 3)
    """
    shift = len(first)
    bonds = (*first.bonds, *((i + shift, j + shift, order) for i, j, order in second.bonds))
    return replace(
        first,
        structure=framed(
            np.concatenate([first.structure.numbers, second.structure.numbers]),
            np.vstack([first.positions, np.asarray(positions, dtype=float)]),
            (*first.structure.labels, *second.structure.labels),
        ),
        charge=first.charge + second.charge,
        spin_multiplicity=first.spin_multiplicity + second.spin_multiplicity - 1,
        name=f"{first.name or first.formula}+{second.name or second.formula}",
        smiles="",
        bonds=bonds,
    )
