"""The package's own ASE calculators, around engines that are not ours.

Import inside functions only: ASE's calculators take a while to load.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import BaseCalculator, Calculator, all_changes

from superionic.structures.errors import NotConvergedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from superionic.workflows.evaluation import CallCounter


class SharedCalculator(Calculator):
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

    def __init__(self, engine: BaseCalculator, counter: CallCounter) -> None:
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
        bare = Atoms(self.atoms)
        bare.set_constraint()
        self.counter.calls += 1
        wanted = {"energy", "forces", *(properties or ())}
        wanted |= {"free_energy"} & set(self.implemented_properties)  # optimisers ask for it
        results: dict[str, Any] = {
            name: self.engine.get_property(name, bare)
            # stress before forces: some engines then need not compute twice
            for name in sorted(wanted, reverse=True)
        }
        if not (np.isfinite(results["energy"]) and np.isfinite(results["forces"]).all()):
            raise NotConvergedError(
                "The calculator returned an energy or force that is not finite; atoms have "
                "probably come too close to each other."
            )
        self.results = {name: np.array(value, dtype=float) for name, value in results.items()}
        self.results |= {k: float(v) for k, v in self.results.items() if k.endswith("energy")}


class ClimbingCalculator(Calculator):
    """A calculator whose force along one direction is turned round, so that it climbs there.

    Parameters
    ----------
    engine
        Any ASE calculator.
    tangent
        Unit vector of all displacements. shape=(atoms, 3)
    """

    implemented_properties = ["energy", "forces"]  # noqa: RUF012 (as ASE declares it)

    def __init__(self, engine: BaseCalculator, tangent: NDArray[np.float64]) -> None:
        super().__init__()
        self.engine, self.tangent = engine, tangent

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] | None = None,
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        """Fill ``results`` with energy (eV) and the turned forces (eV/angstrom)."""
        super().calculate(atoms, properties, system_changes)
        forces = self.engine.get_forces(self.atoms)
        along = np.vdot(forces, self.tangent)
        self.results = {
            "energy": self.engine.get_potential_energy(self.atoms),
            "forces": forces - 2 * along * self.tangent,
        }


class CHGNetFixedCell(Calculator):
    """CHGNet (Deng et al., doi 10.1038/s42256-023-00716-3) with stress only when asked for.

    The calculator that ships with CHGNet evaluates stress and magnetic moments at every call and
    differentiates with respect to its own weights; without those an energy-and-force call takes
    about half the time, to the same bits.

    Parameters
    ----------
    model
        A loaded ``chgnet.model.CHGNet``.
    """

    implemented_properties = ["energy", "forces", "stress", "magmoms"]  # noqa: RUF012

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] | None = None,
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        """Fill ``results`` with energy (eV), forces (eV/angstrom) and what else was asked for."""
        from ase.units import GPa
        from pymatgen.io.ase import AseAtomsAdaptor

        super().calculate(atoms, properties, system_changes)
        wanted = set(properties or ())
        task = "efsm" if "magmoms" in wanted else "efs" if "stress" in wanted else "ef"
        own = Atoms(self.atoms)
        own.set_constraint()
        structure = AseAtomsAdaptor.get_structure(own)
        graph = self.model.graph_converter(structure)
        prediction = self.model.predict_graph(graph, task=task)
        per_atom = len(own) if self.model.is_intensive else 1
        self.results = {
            "energy": float(prediction["e"]) * per_atom,
            "forces": np.asarray(prediction["f"], dtype=float),
        }
        if "stress" in wanted:
            full = np.asarray(prediction["s"], dtype=float) * GPa
            self.results["stress"] = full.ravel()[[0, 4, 8, 5, 2, 1]]
        if "magmoms" in wanted:
            self.results["magmoms"] = np.asarray(prediction["m"], dtype=float)
