"""The package's own ASE calculators, around engines that are not ours.

Those of single molecules are in `superionic.workflows.molecule_calculators`.

Import inside functions only: ASE's calculators take a while to load.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import (
    BaseCalculator,
    CalculationFailed,
    Calculator,
    all_changes,
)

from superionic.structures.errors import NotConvergedError

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        On evaluation: the engine failed, or returned an energy or a force that is not finite.
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
        try:
            results: dict[str, Any] = {
                name: self.engine.get_property(name, bare)
                # stress before forces: some engines then need not compute twice
                for name in sorted(wanted, reverse=True)
            }
        except CalculationFailed as error:
            raise NotConvergedError(
                f"The calculation of {bare.get_chemical_formula()} failed: {error}. Look at the "
                "geometry, the charge and the multiplicity."
            ) from error
        if not (np.isfinite(results["energy"]) and np.isfinite(results["forces"]).all()):
            raise NotConvergedError(
                "The calculator returned an energy or force that is not finite; atoms have "
                "probably come too close to each other."
            )
        self.results = {name: np.array(value, dtype=float) for name, value in results.items()}
        self.results |= {k: float(v) for k, v in self.results.items() if k.endswith("energy")}


class CHGNetFixedCell(Calculator):
    """CHGNet (Deng et al., doi 10.1038/s42256-023-00716-3) with stress only when asked for.

    The calculator that ships with CHGNet evaluates stress and magnetic moments at every call and
    keeps the forces themselves differentiable; without those an energy-and-force call takes less
    than half the time, and forces differ by rounding in 32 bits, some 1e-5 of the largest.

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
        from superionic.workflows.chgnet_graph import chgnet_graph

        super().calculate(atoms, properties, system_changes)
        wanted = set(properties or ())
        own = Atoms(self.atoms)
        own.set_constraint()
        graph = chgnet_graph(own, self.model.graph_converter)
        graph = graph.to(next(self.model.parameters()).device)
        if wanted & {"stress", "magmoms"}:
            self._predict(graph, len(own), "efsm" if "magmoms" in wanted else "efs")
        else:
            self._differentiate(graph, len(own))

    def _predict(self, graph: Any, atoms: int, task: str) -> None:
        """Fill ``results`` by CHGNet's own prediction, with stress and perhaps moments."""
        from ase.units import GPa

        prediction = self.model.predict_graph(graph, task=task)
        full = np.asarray(prediction["s"], dtype=float) * GPa
        self.results = {
            "energy": float(prediction["e"]) * (atoms if self.model.is_intensive else 1),
            "forces": np.asarray(prediction["f"], dtype=float),
            "stress": full.ravel()[[0, 4, 8, 5, 2, 1]],
        }
        if "m" in prediction:
            self.results["magmoms"] = np.asarray(prediction["m"], dtype=float)

    def _differentiate(self, graph: Any, atoms: int) -> None:
        """Fill ``results`` with the energy and its gradient, by fractional coordinates."""
        import torch

        energy = self.model([graph], task="e")["e"].sum()
        if self.model.is_intensive:
            energy = energy * atoms
        (slope,) = torch.autograd.grad(energy, graph.atom_frac_coord)
        cell = graph.lattice.detach().cpu().double().numpy()
        self.results = {
            "energy": float(energy.detach()),
            "forces": -np.linalg.solve(cell, slope.cpu().double().numpy().T).T,
        }


class GrimmeD2(Calculator):
    """DFT-D2 alone (Grimme, doi 10.1002/jcc.20495), with the tables of torch-dftd, in 64 bits.

    Parameters
    ----------
    functional
        Whose global scaling factor to take: 0.75 for ``pbe``.
    reach_ang
        Pairs farther apart are left out, in angstrom.
    """

    implemented_properties = ["energy", "forces", "stress"]  # noqa: RUF012

    def __init__(self, *, functional: str, reach_ang: float) -> None:
        super().__init__()
        import torch
        from torch_dftd.dftd3_xc_params import get_dftd3_default_params
        from torch_dftd.nn.dftd2_module import DFTD2Module

        self.reach_ang = reach_ang
        self.module = DFTD2Module(
            get_dftd3_default_params("zero", functional, old=True),
            cutoff=reach_ang,
            dtype=torch.float64,
            bidirectional=True,
        )

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] | None = None,
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        """Fill ``results`` with energy (eV) and, if asked for, forces and stress."""
        import torch
        from torch_dftd.functions.edge_extraction import calc_edge_index

        super().calculate(atoms, properties, system_changes)
        own = Atoms(self.atoms)
        pos = torch.from_numpy(np.array(own.positions, dtype=float))
        periodic = bool(np.any(own.pbc))
        cell = torch.from_numpy(np.array(own.cell[:], dtype=float)) if periodic else None
        pbc = torch.from_numpy(np.array(own.pbc))
        edges, shifts = calc_edge_index(pos, cell, pbc, cutoff=self.reach_ang, bidirectional=True)
        told: dict[str, Any] = {
            "Z": torch.from_numpy(np.array(own.numbers, dtype=np.int64)),
            "pos": pos,
            "cell": cell,
            "pbc": pbc,
            "edge_index": edges,
            "shift_pos": shifts if cell is None else torch.mm(shifts, cell),
            "damping": "zero",
        }
        if {"forces", "stress"} & set(properties or ()):
            found = self.module.calc_energy_and_forces(**told)[0]
            self.results = {k: np.asarray(v, dtype=float) for k, v in found.items()}
            self.results["energy"] = float(found["energy"])
        else:
            self.results = {"energy": float(self.module.calc_energy(**told)[0]["energy"])}
