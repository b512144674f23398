"""One engine shared by many images, with every energy-and-force call counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from ase.calculators.calculator import Calculator, all_changes

from superionic.structures.errors import NotConvergedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ase import Atoms
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


class SharedCalculator(Calculator):  # type: ignore[misc]
    """A calculator that remembers its own last result but computes with a shared engine.

    Images of a band each need a result of their own, while a model should be loaded once.

    Parameters
    ----------
    engine
        Any ASE calculator.
    counter
        Told of every evaluation.

    Raises
    ------
    NotConvergedError
        On evaluation: the engine returned an energy or a force that is not finite.
    """

    def __init__(self, engine: Calculator, counter: CallCounter) -> None:
        super().__init__()
        self.engine = engine
        self.counter = counter
        self.implemented_properties = list(engine.implemented_properties)

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] | None = None,
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        """Fill ``results`` with energy (eV), forces (eV/angstrom) and stress when asked for."""
        super().calculate(atoms, properties, system_changes)
        bare = self.atoms.copy()
        bare.set_constraint()
        self.counter.calls += 1
        wanted = sorted({"energy", "forces", *(properties or ())})
        results: dict[str, Any] = {name: self.engine.get_property(name, bare) for name in wanted}
        if not (np.isfinite(results["energy"]) and np.isfinite(results["forces"]).all()):
            raise NotConvergedError(
                "The calculator returned an energy or force that is not finite; atoms have "
                "probably come too close to each other."
            )
        self.results = {name: np.array(value, dtype=float) for name, value in results.items()}
        self.results["energy"] = float(self.results["energy"])


def shared_atoms(structure: Structure, engine: Calculator, counter: CallCounter) -> Atoms:
    """Return ASE atoms of a structure that compute with a shared engine."""
    atoms = structure.to_ase()
    atoms.calc = SharedCalculator(engine, counter)
    return atoms


def largest_force(forces: NDArray[np.float64]) -> float:
    """Return the largest force on any atom, eV/angstrom, from forces of shape (..., 3)."""
    return float(np.sqrt((np.asarray(forces) ** 2).sum(axis=-1)).max())
