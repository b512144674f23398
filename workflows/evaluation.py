"""One engine shared by many images, with every energy-and-force call counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ase import Atoms
    from ase.calculators.calculator import BaseCalculator
    from numpy.typing import NDArray

    from superionic.structures.structure import Structure


@dataclass
class CallCounter:
    """Counts energy-and-force evaluations.

    Attributes
    ----------
    calls : int
        Evaluations so far.
    """

    calls: int = 0


def shared_atoms(structure: Structure, engine: BaseCalculator, counter: CallCounter) -> Atoms:
    """Return ASE atoms of a structure that compute with a shared engine."""
    from superionic.workflows.calculators import SharedCalculator

    atoms = structure.to_ase()
    atoms.calc = SharedCalculator(engine, counter)
    return atoms


def largest_force(forces: NDArray[np.float64]) -> float:
    """Return the largest force on any atom, eV/angstrom, from forces of shape (..., 3)."""
    return float(np.sqrt((np.asarray(forces) ** 2).sum(axis=-1)).max())
