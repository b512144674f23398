"""A few atoms whose order is neither by element nor by atomic number, for tests of outputs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from superionic.structures.structure import Structure


def salt() -> Structure:
    """Return sodium, two oxygens and a hydrogen in a box."""
    return Structure(
        numbers=np.array([11, 8, 8, 1]),
        positions=np.array([[1.0, 1.0, 1.0], [3.0, 1.0, 1.0], [1.0, 3.0, 1.0], [1.0, 1.0, 3.0]]),
        cell=np.diag([6.0, 7.0, 8.0]),
    )


def pushed(atom: int, force: float, axis: int = 0) -> NDArray[np.float64]:
    """Return forces on the salt: one component of one atom."""
    forces = np.zeros((4, 3))
    forces[atom, axis] = force
    return forces
