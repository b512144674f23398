"""An ASE calculator for CHGNet that computes only what a fixed-cell task needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from ase.calculators.calculator import Calculator, all_changes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ase import Atoms


class CHGNetFixedCell(Calculator):  # type: ignore[misc]
    """CHGNet (Deng et al., doi 10.1038/s42256-023-00716-3) with stress only when asked for.

    The calculator that ships with CHGNet evaluates stress and magnetic moments at every call and
    differentiates with respect to its own weights; without those an energy-and-force call takes
    about half the time, to the same bits.

    Parameters
    ----------
    model
        A loaded ``chgnet.model.CHGNet``.
    """

    implemented_properties: ClassVar[list[str]] = ["energy", "forces", "stress", "magmoms"]

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
        task = "ef" + ("s" if "stress" in wanted else "") + ("m" if "magmoms" in wanted else "")
        structure = AseAtomsAdaptor.get_structure(self.atoms)
        graph = self.model.graph_converter(structure)
        prediction = self.model.predict_graph(graph, task=task)
        per_atom = len(self.atoms) if self.model.is_intensive else 1
        self.results = {
            "energy": float(prediction["e"]) * per_atom,
            "forces": np.asarray(prediction["f"], dtype=float),
        }
        if "stress" in wanted:
            full = np.asarray(prediction["s"], dtype=float) * GPa
            self.results["stress"] = full.ravel()[[0, 4, 8, 5, 2, 1]]
        if "magmoms" in wanted:
            self.results["magmoms"] = np.asarray(prediction["m"], dtype=float)
