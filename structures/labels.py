"""Site labels for structures that come without: element and symmetry orbit."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from superionic.structures.structure import Structure


def orbit_labels(structure: Structure, *, symprec: float = 0.01) -> tuple[str, ...]:
    """Label atoms by element and symmetry orbit: ``Na1``, ``Na2``, ``Zr1``.

    Orbits of one element are numbered by rising size, then by first appearance, so that the site
    names do not depend on the choice of cell. Where no symmetry is found (P1), or the structure
    is not periodic in three directions, the chemical symbols are returned.

    Parameters
    ----------
    structure
        Whole atoms.
    symprec
        Distance in angstrom within which two atoms count as equivalent (spglib).

    Returns
    -------
    tuple of str
        One label an atom. length=atoms
    """
    if not all(structure.pbc):
        return structure.symbols
    import spglib

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            cell = (
                structure.cell.tolist(),
                structure.fractional.tolist(),
                structure.numbers.tolist(),
            )
            found = spglib.get_symmetry_dataset(cell, symprec=symprec)
        except spglib.SpglibError:
            found = None
    if found is None or found.number == 1:
        return structure.symbols
    orbits = np.asarray(found.crystallographic_orbits)
    first: dict[int, int] = {}
    for i, orbit in enumerate(orbits):
        first.setdefault(int(orbit), i)
    sizes = {orbit: int((orbits == orbit).sum()) for orbit in first}
    counts: dict[str, int] = {}
    names: dict[int, str] = {}
    for orbit in sorted(first, key=lambda o: (sizes[o], first[o])):
        symbol = structure.symbols[first[orbit]]
        counts[symbol] = counts.get(symbol, 0) + 1
        names[orbit] = f"{symbol}{counts[symbol]}"
    return tuple(names[int(o)] for o in orbits)
