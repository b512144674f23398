"""Chemical symbols of atoms, where a topology spells them otherwise or has only masses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from ase.data import atomic_masses, chemical_symbols

if TYPE_CHECKING:
    from numpy.typing import NDArray

MASS_TOLERANCE_AMU = 0.011
"""A mass this near to that of an element is taken for it. United atoms (CH2 is 0.020 from nitrogen)
and hydrogens made heavier are farther from any."""


def complete_symbols(universe: Any) -> None:
    """Give the atoms of a universe chemical symbols that selections can name.

    Those guessed from atom names come in capitals (``NA`` of a GRO file) and are spelt as elements
    are; where there are none (LAMMPS data), they are told by mass. What is no element stays as it
    is, or empty.

    Parameters
    ----------
    universe
        An MDAnalysis universe; changed in place.
    """
    atoms = universe.atoms
    if hasattr(atoms, "elements"):
        known = {s.upper(): s for s in chemical_symbols[1:]}
        spelt = [known.get(str(s).upper(), str(s)) for s in atoms.elements]
    elif hasattr(atoms, "masses"):
        spelt = symbols_by_mass(np.asarray(atoms.masses, dtype=float))
    else:
        return
    if any(spelt):
        universe.add_TopologyAttr("elements", spelt)


def symbols_by_mass(masses: NDArray[np.float64]) -> list[str]:
    """Return the element of each mass in g/mol, empty where none is that near. shape=(atoms,)."""
    unique, place = np.unique(masses, return_inverse=True)
    away = np.abs(unique[:, None] - atomic_masses[None, 1:])
    nearest = away.argmin(axis=1)
    near = away[np.arange(len(unique)), nearest] <= MASS_TOLERANCE_AMU
    names = [chemical_symbols[k + 1] if ok else "" for k, ok in zip(nearest, near, strict=True)]
    return [names[k] for k in place]
