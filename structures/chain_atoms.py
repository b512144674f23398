"""Atoms of a chain by their place along it: ether oxygens in order, and its ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superionic.structures.errors import InvalidStructureError

if TYPE_CHECKING:
    from superionic.structures.molecule import Molecule


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
