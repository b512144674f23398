"""Whether a molecule that was relaxed is still the one that it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from superionic.structures.molecule import Molecule

BOND_STRETCH = 1.3
"""A covalent bond longer than this times its length in the free molecule is broken."""


def broken_bond(free: Molecule, positions: NDArray[np.float64], *, what: str = "molecule") -> str:
    """Return which bond broke, and how long it was and is; empty where all are whole.

    Parameters
    ----------
    free
        The molecule by itself.
    positions
        Where its atoms are now, in angstrom. shape=(atoms, 3)
    what
        What the text calls it.
    """
    for i, j, _ in free.bonds:
        long, usual = (float(np.linalg.norm(p[i] - p[j])) for p in (positions, free.positions))
        if long > BOND_STRETCH * usual:
            return (
                f"the bond {free.symbols[i]}{i}-{free.symbols[j]}{j} of the {what} broke "
                f"({usual:.2f} to {long:.2f} A)"
            )
    return ""
