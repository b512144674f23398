"""The electronic structure of a molecule or a metal node as one task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from superionic.structures.errors import TheoryError
from superionic.structures.molecule import Molecule
from superionic.workflows.electronic_results import ElectronicResult, ElectronicSettings
from superionic.workflows.execution import job
from superionic.workflows.theory import Theory, get_theory

if TYPE_CHECKING:
    from superionic.workflows.scf import SolvedField

DEFAULTS = ElectronicSettings()


@job(version=2, name="electronic")
def electronic_task(
    molecule: Molecule,
    theory: str = "pyscf-pbe",
    settings: ElectronicSettings = DEFAULTS,
) -> ElectronicResult:
    """Compute the electronic structure of a molecule in its charge and multiplicity.

    A field that does not become self-consistent is a result with ``converged=False``, the record of
    all attempts, and no value.

    Parameters
    ----------
    molecule
        Its geometry is taken as it is.
    theory
        A level with orbitals: ``pyscf-pbe``, with dispersion if wanted.
    settings
        What is computed, and how.

    Raises
    ------
    TheoryError
        The level has no orbitals, or is not installed; or the settings do not fit the molecule.
    UnknownElementError
        It lacks an element.
    """
    from superionic.workflows.scf import solve_field

    level = orbital_level(theory)
    level.check(
        molecule.structure, charge=molecule.charge, spin_multiplicity=molecule.spin_multiplicity
    )
    solved = solve_field(molecule, level.model, settings.scf, permittivity=level.permittivity)
    if not solved.converged:
        return ElectronicResult(molecule, theory, settings, False, solved.reason, solved.attempts)
    return _analysed(molecule, level, settings, solved)


def orbital_level(theory: str) -> Theory:
    """Look up a level of theory that has orbitals.

    Raises
    ------
    TheoryError
        There is no such level, or it has none.
    """
    level = get_theory(theory)
    if level.code != "pyscf":
        raise TheoryError(
            f"{theory} gives no orbitals to project. Choose pyscf-pbe, or pyscf-pbe+d3bj for an "
            "energy with dispersion."
        )
    return level


def _analysed(
    molecule: Molecule, level: Theory, settings: ElectronicSettings, solved: SolvedField
) -> ElectronicResult:
    """Read all that is wanted off a converged field."""
    from superionic.workflows.density_surface import potential_surface
    from superionic.workflows.dispersion import dispersion_energy
    from superionic.workflows.orbital_analysis import (
        hirshfeld,
        orbital_levels,
        population_charges,
        populations,
        spin_square,
    )

    field: Any = solved.field
    levels = orbital_levels(
        field,
        partition=settings.projection,
        window_eV=settings.window_eV,
        rule=settings.fermi_rule,
        smearing_eV=solved.smearing_eV,
        theory=level.name,
    )
    shared = tuple(populations(field, partition) for partition in ("loewdin", "mulliken"))
    charges = [population_charges(found, level.name) for found in shared]
    spins: tuple[float, ...] = ()
    if settings.hirshfeld:
        found, spins = hirshfeld(field, grid_level=settings.hirshfeld_grid_level, theory=level.name)
        charges.append(found)
    added = None
    if level.dispersion:
        added = dispersion_energy(molecule.structure, level.dispersion, level.dispersion_functional)
    energy = solved.energy_eV
    if energy is not None and added is not None:
        energy += added
    highest, lowest = levels.frontier_eV()
    surface = None
    if settings.surface is not None:
        surface = potential_surface(field, settings.surface, theory=level.name)
    return ElectronicResult(
        molecule=molecule,
        theory=level.name,
        settings=settings,
        converged=True,
        reason="",
        attempts=solved.attempts,
        energy_eV=energy,
        dispersion_eV=added,
        moment=float(shared[0].spins.sum()),
        spin_square=spin_square(field),
        levels=levels,
        fermi_eV=levels.fermi_level_eV(settings.fermi_rule),
        gap_eV=None if highest is None or lowest is None else lowest - highest,
        populations=shared,
        charges=tuple(charges),
        hirshfeld_spins=spins,
        surface=surface,
    )
