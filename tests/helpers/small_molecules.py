"""Molecules small enough for density-functional theory in a test."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase.data import atomic_numbers

from superionic.structures.molecule import Molecule, framed


def molecule(
    symbols: Sequence[str],
    positions: Sequence[Sequence[float]],
    *,
    charge: int = 0,
    multiplicity: int = 1,
    name: str = "",
) -> Molecule:
    """Return a molecule from symbols and positions in angstrom."""
    numbers = np.array([atomic_numbers[s] for s in symbols])
    return Molecule(
        framed(numbers, np.array(positions, dtype=float)),
        charge=charge,
        spin_multiplicity=multiplicity,
        name=name or "".join(symbols),
    )


def water() -> Molecule:
    """Return water, C2v."""
    places = [[0.0, 0.0, 0.0], [0.7575, 0.5871, 0.0], [-0.7575, 0.5871, 0.0]]
    return molecule(("O", "H", "H"), places, name="water")


def oxygen() -> Molecule:
    """Return triplet O2."""
    return molecule(("O", "O"), [[0, 0, 0], [0, 0, 1.21]], multiplicity=3, name="oxygen")


def hydrogen_atom() -> Molecule:
    """Return a hydrogen atom."""
    return molecule(("H",), [[0, 0, 0]], multiplicity=2)


def sodium_ion() -> Molecule:
    """Return Na+."""
    return molecule(("Na",), [[0, 0, 0]], charge=1)


def iron_oxide() -> Molecule:
    """Return quintet FeO."""
    return molecule(("Fe", "O"), [[0, 0, 0], [0, 0, 1.62]], multiplicity=5)
