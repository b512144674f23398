"""Springs that hold atoms where the rest of a chain or framework would hold them.

A piece cut out of something larger drifts, turns and curls up where the whole would not. Springs
keep its ends in place for every method alike, bands included, and their energy can be told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.structures.errors import InvalidStructureError
from superionic.structures.structure import readonly

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ase import Atoms
    from ase.calculators.calculator import BaseCalculator
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False)
class Tethers:
    """Harmonic springs from atoms to fixed points.

    Attributes
    ----------
    atoms : tuple of int
        The atoms held.
    anchors : ndarray
        Where each spring is at rest, in angstrom. shape=(atoms held, 3)
    stiffness_eV_per_A2 : float
        Force constant of each spring, eV/angstrom^2.

    Raises
    ------
    InvalidStructureError
        Not one anchor an atom, an atom held twice, or a force constant that is not positive.
    """

    atoms: tuple[int, ...]
    anchors: NDArray[np.float64]
    stiffness_eV_per_A2: float = 1.0

    def __post_init__(self) -> None:
        """Validate and freeze."""
        object.__setattr__(self, "anchors", readonly(self.anchors, np.float64))
        held = len(self.atoms)
        if self.anchors.shape != (held, 3) or len(set(self.atoms)) != held:
            raise InvalidStructureError(
                f"Expected one anchor for each of {held} different atoms, shape ({held}, 3); got "
                f"{self.anchors.shape}."
            )
        if not self.stiffness_eV_per_A2 > 0:
            raise InvalidStructureError(
                f"A spring needs a positive force constant; got {self.stiffness_eV_per_A2}."
            )

    def energy(self, positions: ArrayLike) -> float:
        """Return the energy stored in all springs, in eV, for positions of shape (all atoms, 3)."""
        return float(0.5 * self.stiffness_eV_per_A2 * (self._stretch(positions) ** 2).sum())

    def forces(self, positions: ArrayLike) -> NDArray[np.float64]:
        """Return the springs' forces in eV/angstrom. shape=(all atoms, 3)."""
        found = np.zeros(np.shape(positions))
        found[list(self.atoms)] = -self.stiffness_eV_per_A2 * self._stretch(positions)
        return found

    def _stretch(self, positions: ArrayLike) -> NDArray[np.float64]:
        return np.asarray(np.asarray(positions, dtype=float)[list(self.atoms)] - self.anchors)


def tethered(engine: BaseCalculator, tethers: Tethers) -> BaseCalculator:
    """Return a calculator that adds the springs to another's energy and forces.

    Parameters
    ----------
    engine
        Any ASE calculator with energy and forces.
    tethers
        The springs; without atoms the engine itself is returned.
    """
    if not tethers.atoms:
        return engine
    from ase.calculators.calculator import Calculator, all_changes

    class Tethered(Calculator):
        """An engine and its springs."""

        implemented_properties = ["energy", "forces"]  # noqa: RUF012 (as ASE declares it)

        def calculate(
            self,
            atoms: Atoms | None = None,
            properties: Sequence[str] | None = None,
            system_changes: Sequence[str] = all_changes,
        ) -> None:
            """Fill ``results`` with energy (eV) and forces (eV/angstrom)."""
            super().calculate(atoms, properties, system_changes)  # type: ignore[no-untyped-call]
            own: Any = self.atoms
            positions = own.positions
            forces = engine.get_property("forces", own)
            self.results = {
                "energy": engine.get_property("energy", own) + tethers.energy(positions),
                "forces": np.asarray(forces) + tethers.forces(positions),
            }

    return Tethered()  # type: ignore[no-untyped-call]
