"""Whether a molecule is still bonded as it was: covalent bonds found anew from distances."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superionic.structures.metals import is_metal
from superionic.structures.node_bonds import bonds_by_distance, covalent_only

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from superionic.structures.molecule import Molecule

Pair = tuple[int, int]
"""Two bonded atoms, the lower first."""


def changed_bonds(
    molecule: Molecule, positions: ArrayLike
) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
    """Return the covalent bonds that are gone, and those that are new, in another geometry.

    Bonds of metals are left out: they are contacts that come and go.

    Parameters
    ----------
    molecule
        With its bonds.
    positions
        The other geometry in angstrom. shape=(atoms, 3)
    """
    before = {bond[:2] for bond in covalent_only(molecule)}
    found = bonds_by_distance(molecule.structure.numbers, positions)
    metal = [is_metal(symbol) for symbol in molecule.symbols]
    after = {(i, j) for i, j, _ in found if not metal[i] and not metal[j]}
    return tuple(sorted(before - after)), tuple(sorted(after - before))
