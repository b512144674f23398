"""The tasks of adsorption at nodes: relaxations with charge and spin, single points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.errors import NotConvergedError
from superionic.structures.molecule import Molecule
from superionic.structures.structure import readonly
from superionic.workflows.execution import job
from superionic.workflows.relax import RelaxResult, RelaxSettings, relax
from superionic.workflows.scf_settings import ScfSettings
from superionic.workflows.start_task import start_task
from superionic.workflows.theory import Theory, get_theory

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class SinglePoint:
    """The energy of a molecule as it is.

    Attributes
    ----------
    theory : str
        Level of theory.
    energy_eV : float
        In eV; there is none unless the electrons were self-consistent.
    charges_e : ndarray
        Mulliken charges in e. shape=(atoms,)
    """

    theory: str
    energy_eV: float
    charges_e: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Freeze the array."""
        object.__setattr__(self, "charges_e", readonly(self.charges_e, np.float64))


@job(version=1, name="node_point")
def single_point_task(molecule: Molecule, theory: str, scf: ScfSettings) -> SinglePoint:
    """Compute the energy of a molecule with its charge and multiplicity.

    Parameters
    ----------
    molecule
        Its geometry is taken as it is.
    theory
        A level that knows of charge and spin.
    scf
        How a field of density-functional theory is made self-consistent; by its ladder.

    Raises
    ------
    UnknownElementError
        The level of theory does not know an element.
    TheoryError
        It takes no charge; or the grid is too coarse for an energy.
    NotConvergedError
        The electrons did not become self-consistent by any rung.
    """
    level = get_theory(theory)
    charge, spin = molecule.charge, molecule.spin_multiplicity
    level.check(molecule.structure, charge=charge, spin_multiplicity=spin)
    if level.code == "pyscf":
        return _orbital_energy(molecule, level, scf)
    atoms = molecule.structure.to_ase()
    atoms.calc = level.calculator(charge=charge, spin_multiplicity=spin)
    energy = _energy(atoms)
    return SinglePoint(theory, energy, np.asarray(atoms.calc.results["charges"], dtype=float))


def _orbital_energy(molecule: Molecule, level: Theory, scf: ScfSettings) -> SinglePoint:
    """Return the energy of density-functional theory, at zero smearing, dispersion included."""
    from superionic.workflows.dispersion import dispersion_energy
    from superionic.workflows.scf import solve_field
    from superionic.workflows.scf_settings import check_energy_grid

    check_energy_grid(scf)
    solved = solve_field(molecule, level.model, scf, permittivity=level.permittivity).require()
    if solved.energy_eV is None:
        raise NotConvergedError(f"{molecule.formula} has a field without an energy.")
    added = 0.0
    if level.dispersion:
        added = dispersion_energy(molecule.structure, level.dispersion, level.dispersion_functional)
    charges = np.asarray(solved.field.mulliken_pop(verbose=0)[1], dtype=float)
    return SinglePoint(level.name, solved.energy_eV + added, charges)


def _energy(atoms: Any) -> float:
    """Return the energy in eV; a failure of the code is one of convergence."""
    from ase.calculators.calculator import CalculationFailed

    try:
        return float(atoms.get_potential_energy())
    except CalculationFailed as error:
        raise NotConvergedError(
            f"The electrons of {atoms.get_chemical_formula()} did not become self-consistent: "
            f"{error}. Look at the geometry, the charge and the multiplicity."
        ) from error


@job(version=1, name="node_relax")
def relax_molecule_task(molecule: Molecule, theory: str, settings: RelaxSettings) -> RelaxResult:
    """Relax a molecule in its charge and multiplicity.

    Raises
    ------
    UnknownElementError
        The level of theory does not know an element.
    TheoryError
        It takes no charge.
    NotConvergedError
        The electrons did not become self-consistent at some step.
    """
    level = get_theory(theory)
    charge, spin = molecule.charge, molecule.spin_multiplicity
    level.check(molecule.structure, charge=charge, spin_multiplicity=spin)
    return relax(
        molecule.structure,
        calculator=level.calculator(charge=charge, spin_multiplicity=spin),
        settings=settings,
        theory=theory,
        label=molecule.name or molecule.formula,
        molecular=True,
    )


def relax_molecule(molecule: Molecule, theory: str, settings: RelaxSettings) -> Any:
    """Submit the relaxation of a molecule (or run it here); return what has ``result``."""
    return start_task(relax_molecule_task, molecule, theory, settings)
