"""ASE calculators of single molecules, around tblite and PySCF.

Import inside functions only: ASE's calculators take a while to load.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import CalculationFailed, Calculator, all_changes

from superionic.structures.errors import NotConvergedError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class MoleculeState:
    """What a quantum-chemical code is told of a molecule beside its atoms.

    Attributes
    ----------
    charge, spin_multiplicity : int
        Total charge in e, and 2S + 1.
    permittivity : float or None
        Relative permittivity of a continuum around the molecule (C-PCM); None for free space.
    """

    charge: int = 0
    spin_multiplicity: int = 1
    permittivity: float | None = None


FREE_SINGLET = MoleculeState()


def in_continuum(field: Any, permittivity: float | None) -> Any:
    """Put a field of PySCF into a continuum (C-PCM) of a relative permittivity, if there is one."""
    if permittivity is None:
        return field
    field = field.PCM()
    field.with_solvent.method = "C-PCM"
    field.with_solvent.eps = permittivity
    return field


XTB_LADDER: tuple[dict[str, Any], ...] = (
    {},
    {"mixer_damping": 0.1, "max_iterations": 1000},
    {"mixer_damping": 0.02, "max_iterations": 3000},
)
"""What is tried in turn where the charges of xTB did not become self-consistent from the last ones:
from the atoms' own, then with ever smaller steps. All three have the same solution."""


class SteadyXTB(Calculator):
    """Extended tight binding with tblite (doi 10.1002/wcms.1493) that tries again when it fails.

    Spin-polarised where there are unpaired electrons (spGFN, doi 10.1002/jcc.27185), at an
    electronic temperature of 300 K.

    Parameters
    ----------
    method
        As tblite names it.
    state
        Charge, multiplicity, surroundings.

    Raises
    ------
    CalculationFailed
        On evaluation: no rung of `XTB_LADDER` became self-consistent.
    """

    implemented_properties = [  # noqa: RUF012
        "energy", "free_energy", "forces", "charges", "dipole", "stress",
    ]  # fmt: skip

    def __init__(
        self,
        *,
        method: str,
        state: MoleculeState = FREE_SINGLET,
    ) -> None:
        super().__init__()
        self.retries = 0
        self._keywords: dict[str, Any] = {
            "method": method,
            "charge": state.charge,
            "multiplicity": state.spin_multiplicity,
            "verbosity": 0,
            "spin_polarization": 1.0 if state.spin_multiplicity > 1 else None,
        }
        self._free: Any = None
        if state.permittivity is not None:
            self._free = self._make({})
            self._keywords["cpcm_solvation"] = state.permittivity
        self._engine = self._make({})

    def _make(self, extra: dict[str, Any]) -> Any:
        from tblite.ase import TBLite

        from superionic.workflows.fast_blas import speed_up_tblite

        speed_up_tblite()
        keywords = dict(self._keywords)  # tblite takes what it was given apart
        return TBLite(**keywords, **extra)

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] | None = None,
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        """Fill ``results`` with energy (eV), forces (eV/angstrom), charges (e) and dipole."""
        super().calculate(atoms, properties, system_changes)
        own = Atoms(self.atoms)
        try:
            self._start_in_free_space(own)
            self._engine.get_potential_energy(own)
        except CalculationFailed:
            self._again(own)
        known = set(self.implemented_properties)
        self.results = {k: v for k, v in self._engine.results.items() if k in known}

    def _start_in_free_space(self, atoms: Atoms) -> None:
        """Let the first calculation in a continuum begin with the electrons of free space.

        A cycle takes ten times as long there, and from the atoms' own it takes more of them.
        """
        free, self._free = self._free, None
        if free is not None:
            free.get_potential_energy(atoms)
            self._engine.atoms, self._engine._res = atoms.copy(), free._res

    def _again(self, atoms: Atoms) -> None:
        """Climb the ladder; the last failure is the reason."""
        for rung, extra in enumerate(XTB_LADDER):
            self.retries += 1
            self._engine = self._make(extra)
            try:
                self._engine.get_potential_energy(atoms)
            except CalculationFailed:
                if rung + 1 == len(XTB_LADDER):
                    raise
            else:
                return


class PySCFMolecule(Calculator):
    """Kohn-Sham DFT of one molecule with PySCF (doi 10.1063/5.0006074).

    Density fitting; restricted for singlets, else unrestricted. The last density starts the next
    calculation. For single points of open shells see `superionic.workflows.scf`.

    Parameters
    ----------
    functional, basis
        As PySCF names them.
    state
        Charge, multiplicity, surroundings.

    Raises
    ------
    NotConvergedError
        On evaluation: the field did not become self-consistent.
    """

    implemented_properties = ["energy", "forces", "charges"]  # noqa: RUF012

    def __init__(
        self,
        *,
        functional: str,
        basis: str,
        state: MoleculeState = FREE_SINGLET,
    ) -> None:
        super().__init__()
        self.functional, self.basis, self.state = functional, basis, state
        self._density: Any = None

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] | None = None,
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        """Fill ``results`` with energy (eV), Mulliken charges (e) and forces if asked for."""
        from ase.units import Bohr, Hartree

        from superionic.workflows.fast_blas import load_pyscf

        load_pyscf()
        from pyscf import dft, gto

        super().calculate(atoms, properties, system_changes)
        own = Atoms(self.atoms)
        molecule = gto.M(
            atom=list(zip(own.get_chemical_symbols(), own.positions.tolist(), strict=True)),
            basis=self.basis,
            charge=self.state.charge,
            spin=self.state.spin_multiplicity - 1,
            verbose=0,
        )
        kind = dft.UKS if molecule.spin else dft.RKS
        field = kind(molecule, xc=self.functional).density_fit()
        field = in_continuum(field, self.state.permittivity)
        field.conv_tol = 1e-8
        energy = field.kernel(dm0=self._density)
        if not field.converged:
            raise NotConvergedError(
                f"PySCF did not reach a self-consistent field for {own.get_chemical_formula()} "
                f"with charge {self.state.charge:+d} and multiplicity "
                f"{self.state.spin_multiplicity}. Check both, and look at the geometry."
            )
        self._density = field.make_rdm1()
        self.results = {
            "energy": float(energy) * Hartree,
            "charges": np.asarray(field.mulliken_pop(verbose=0)[1], dtype=float),
        }
        if "forces" in (properties or ()):
            gradient = field.nuc_grad_method().kernel()
            self.results["forces"] = -np.asarray(gradient, dtype=float) * Hartree / Bohr
