"""Chemical symbols of atoms, where a topology spells them otherwise or has only masses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
from ase.data import atomic_masses, atomic_numbers, chemical_symbols

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MASS_TOLERANCE_AMU = 0.011
"""A mass this near to that of an element is taken for it. United atoms (CH2 is 0.020 from nitrogen)
and hydrogens made heavier are farther from any."""


_NATURAL = frozenset(chemical_symbols[1:95])
"""Elements that a topology may mean; not ``Db``, a usual name of a Drude particle."""
_KNOWN = {symbol.upper(): symbol for symbol in _NATURAL}


def complete_symbols(universe: Any) -> None:
    """Give the atoms of a universe chemical symbols that selections can name, and masses.

    Those guessed from atom names come in capitals (``NA`` of a GRO file) and are spelt as elements
    are. What was guessed to be no element (``T`` from ``TI4``, ``A`` from ``AR``) is told by the
    letters of its name, where those are an element; where there are no symbols (LAMMPS data), they
    are told by mass. What is no element after all stays as it is, or empty. Elements without a mass
    (MDAnalysis 2.11 gives ``LI`` and ``SI`` none) get theirs.

    Parameters
    ----------
    universe
        An MDAnalysis universe; changed in place.
    """
    atoms = universe.atoms
    if hasattr(atoms, "elements"):
        names = getattr(atoms, "names", atoms.elements)
        spelt = [_spelt(str(s), str(n)) for s, n in zip(atoms.elements, names, strict=True)]
    elif hasattr(atoms, "masses"):
        spelt = symbols_by_mass(np.asarray(atoms.masses, dtype=float))
    else:
        return
    if any(spelt):
        universe.add_TopologyAttr("elements", spelt)
    guessed = {attribute.attrname for attribute in universe._topology.guessed_attributes}
    if "masses" in guessed:  # a topology that gives masses may mean its zeros: virtual sites
        _weigh(atoms, spelt)


def _spelt(symbol: str, name: str) -> str:
    """Return the element of an atom, or its symbol as it is where it is none.

    A topology that leaves the symbol empty says that it does not know: names tell nothing then
    (``CA`` is a carbon of proteins).
    """
    if not symbol:
        return symbol
    letters = re.split(r"[^A-Z]+", name.upper().lstrip("0123456789"))[0]
    return _KNOWN.get(symbol.upper()) or _KNOWN.get(letters, symbol)


def _weigh(atoms: Any, symbols: Sequence[str]) -> None:
    """Give elements without a mass theirs, in g/mol."""
    masses = np.array(atoms.masses, dtype=float)
    for k in np.flatnonzero(masses == 0).tolist():
        masses[k] = atomic_masses[atomic_numbers[symbols[k]]] if symbols[k] in _NATURAL else 0.0
    atoms.masses = masses


def symbols_by_mass(masses: NDArray[np.float64]) -> list[str]:
    """Return the element of each mass in g/mol, empty where none is that near. shape=(atoms,)."""
    unique, place = np.unique(masses, return_inverse=True)
    away = np.abs(unique[:, None] - atomic_masses[None, 1:])
    nearest = away.argmin(axis=1)
    near = away[np.arange(len(unique)), nearest] <= MASS_TOLERANCE_AMU
    names = [chemical_symbols[k + 1] if ok else "" for k, ok in zip(nearest, near, strict=True)]
    return [names[k] for k in place]
