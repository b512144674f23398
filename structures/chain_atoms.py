"""Short polyether chains in a stated shape, and their ether oxygens in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from superionic.structures.conformers import molecule_from_smiles
from superionic.structures.errors import InvalidStructureError
from superionic.structures.molecule import Molecule, fragments, torsion_deg
from superionic.structures.rotamers import rotatable_torsions
from superionic.structures.rotations import turn_about

__all__ = ["HELIX_DEG", "chain_ends", "ether_oxygens", "polyether", "twisted"]

HELIX_DEG = (188.25, 64.97, 188.25)
"""Torsions C-C-O-C, O-C-C-O and C-O-C-C of crystalline PEO, whose chain is a helix of seven units
in two turns, 19.48 A long (Takahashi and Tadokoro 1973, doi:10.1021/ma60035a005)."""


def polyether(oxygens: int, *, torsions_deg: Sequence[float] = HELIX_DEG) -> Molecule:
    """Build CH3-(O-CH2-CH2)n-O-CH3 with all torsions set.

    Parameters
    ----------
    oxygens
        Ether oxygens, n + 1; two or more.
    torsions_deg
        Torsions about O-C, C-C and C-O, unit after unit, in degrees.

    Raises
    ------
    InvalidStructureError
        Fewer than two oxygens, or atoms meet in that shape.
    """
    if oxygens < 2:
        raise InvalidStructureError(f"Expected a chain of two or more oxygens; got {oxygens}.")
    smiles = "C" + "OCC" * (oxygens - 1) + "OC"
    any_shape = molecule_from_smiles(smiles, name=f"PEO, {oxygens} O", conformers=1)
    chain = twisted(any_shape, torsions_deg)
    shape = ", ".join(f"{t:g}" for t in torsions_deg)
    return replace(chain, source=f"built with torsions {shape} degrees")


def twisted(molecule: Molecule, torsions_deg: Sequence[float]) -> Molecule:
    """Return a molecule with the torsions of its rotatable bonds set, bond angles kept.

    Parameters
    ----------
    molecule
        The molecule.
    torsions_deg
        For the torsions of `superionic.structures.rotamers.rotatable_torsions` in their order, in
        degrees; repeated as often as needed.

    Raises
    ------
    InvalidStructureError
        No torsion is given, or atoms meet.
    """
    if not torsions_deg:
        raise InvalidStructureError("Expected at least one torsion; got none.")
    points = molecule.positions.copy()
    for k, (a, i, j, b) in enumerate(rotatable_torsions(molecule)):
        turn = torsions_deg[k % len(torsions_deg)] - torsion_deg(points[[a, i, j, b]])
        rest = [bond for bond in molecule.bonds if bond[:2] != (min(i, j), max(i, j))]
        moving = next(list(part) for part in fragments(len(molecule), rest) if j in part)
        rotation = turn_about(points[j] - points[i], np.radians(turn))
        points[moving] = points[i] + (points[moving] - points[i]) @ rotation.T
    return molecule.with_positions(points)


def ether_oxygens(molecule: Molecule) -> tuple[int, ...]:
    """Return the oxygens between two carbons, in order along the chain.

    The order is that of the number of bonds from the first heavy atom that ends the chain.
    """
    heavy, symbols = _heavy_neighbours(molecule), molecule.symbols
    ends = [k for k, around in heavy.items() if len(around) == 1]
    steps = dict.fromkeys(ends[:1], 0)
    queue = list(steps)
    for atom in queue:
        for other in heavy[atom]:
            if other not in steps:
                steps[other] = steps[atom] + 1
                queue.append(other)
    found = [
        k
        for k in steps
        if symbols[k] == "O" and len(heavy[k]) == 2 and {symbols[j] for j in heavy[k]} == {"C"}
    ]
    return tuple(sorted(found, key=lambda k: (steps[k], k)))


def chain_ends(molecule: Molecule, *, heavy_atoms: int = 2) -> tuple[int, ...]:
    """Return the heavy atoms at either end of an unbranched chain, from the ends inwards.

    Parameters
    ----------
    molecule
        The chain.
    heavy_atoms
        How many at each end.

    Raises
    ------
    InvalidStructureError
        It does not have two ends, or is too short.
    """
    heavy = _heavy_neighbours(molecule)
    ends = [k for k, around in heavy.items() if len(around) == 1]
    if len(ends) != 2 or 2 * heavy_atoms > len(heavy):
        raise InvalidStructureError(
            f"{molecule.name or molecule.formula} has {len(ends)} ends and {len(heavy)} heavy "
            f"atoms; expected a chain with two ends and {2 * heavy_atoms} heavy atoms or more."
        )
    found: list[int] = []
    for end in ends:
        walk = [end]
        while len(walk) < heavy_atoms:
            walk.append(next(j for j in heavy[walk[-1]] if j not in walk))
        found += walk
    return tuple(found)


def _heavy_neighbours(molecule: Molecule) -> dict[int, list[int]]:
    """Return the bonded heavy atoms of each heavy atom."""
    heavy: dict[int, list[int]] = {k: [] for k, s in enumerate(molecule.symbols) if s != "H"}
    for i, j, _ in molecule.bonds:
        if i in heavy and j in heavy:
            heavy[i].append(j)
            heavy[j].append(i)
    return heavy
