"""Which way a molecule is turned about its single bonds: trans, gauche or cis."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal

import numpy as np

from superionic.structures.molecule import Molecule, Neighbours, fragments, torsion_deg

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Rotamer = Literal["trans", "gauche+", "gauche-", "cis"]
"""The four classes of a torsion; see `rotamer`."""

LINEAR_DEG = 160.0
"""A bond angle beyond this has no torsion: nitriles."""


def rotamer(angle_deg: float) -> Rotamer:
    """Return the class of a torsion.

    Parameters
    ----------
    angle_deg
        The torsion in degrees, in any period: ``trans`` from 120 to 240, ``cis`` within 30 of 0,
        ``gauche+`` and ``gauche-`` between.
    """
    angle = (angle_deg + 180.0) % 360.0 - 180.0
    if abs(angle) >= 120.0:
        return "trans"
    if abs(angle) < 30.0:
        return "cis"
    return "gauche+" if angle > 0 else "gauche-"


def rotamers(molecule: Molecule, positions: ArrayLike | None = None) -> tuple[Rotamer, ...]:
    """Return the class of each torsion of a molecule; ``("trans",)`` for trans succinonitrile.

    Parameters
    ----------
    molecule
        The molecule, with bonds.
    positions
        Another geometry of it, whole, in angstrom; by default its own. shape=(atoms, 3)
    """
    points = molecule.positions if positions is None else np.asarray(positions, dtype=float)
    return tuple(rotamer(torsion_deg(points[list(four)])) for four in rotatable_torsions(molecule))


def rotatable_torsions(molecule: Molecule) -> tuple[tuple[int, int, int, int], ...]:
    """Return four atoms for each single bond whose torsion tells conformers apart.

    Left out are bonds in rings, to atoms without another neighbour, next to a linear arrangement
    (nitriles), and of rotors whose ends are all alike (methyl, trifluoromethyl). At either end the
    neighbour counts whose element occurs once there, then the heaviest, then the first.
    """
    neighbours = molecule.neighbours
    found = []
    for i, j, order in molecule.bonds:
        if order != 1.0 or _in_ring(molecule, i, j):
            continue
        first = _telling(molecule, neighbours, i, j)
        last = _telling(molecule, neighbours, j, i)
        if first is not None and last is not None:
            found.append((first, i, j, last))
    return tuple(found)


def _in_ring(molecule: Molecule, i: int, j: int) -> bool:
    rest = [bond for bond in molecule.bonds if bond[:2] != (i, j)]
    return any(i in part and j in part for part in fragments(len(molecule), rest))


def _telling(molecule: Molecule, neighbours: Neighbours, end: int, other: int) -> int | None:
    """Return the neighbour of one end of a bond that its torsion is measured by."""
    around = [k for k in neighbours[end] if k != other]
    bent = [k for k in around if _angle_deg(molecule.positions, k, end, other) < LINEAR_DEG]
    kinds = Counter(molecule.symbols[k] for k in bent)
    rotor = len(bent) > 2 and len(kinds) == 1 and all(len(neighbours[k]) == 1 for k in bent)
    if not bent or rotor:
        return None
    numbers = molecule.structure.numbers
    return min(bent, key=lambda k: (kinds[molecule.symbols[k]] > 1, -int(numbers[k]), k))


def _angle_deg(points: NDArray[np.float64], a: int, b: int, c: int) -> float:
    u, v = points[a] - points[b], points[c] - points[b]
    return float(np.degrees(np.arccos(u @ v / np.linalg.norm(u) / np.linalg.norm(v))))
