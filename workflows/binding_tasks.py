"""The tasks of a binding energy: relaxations with held atoms, boxes, single points, charges."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.binding import ChargeTransfer, FiveEnergies
from superionic.structures.errors import TheoryError
from superionic.structures.molecule import Molecule, boxed
from superionic.structures.structure import Structure
from superionic.workflows.dispersion import dispersion_energy
from superionic.workflows.evaluation import CallCounter, shared_atoms
from superionic.workflows.execution import job
from superionic.workflows.relax import RelaxResult, RelaxSettings, relax
from superionic.workflows.serialise import canonical_hash
from superionic.workflows.theory import Theory, get_theory
from superionic.workflows.theory_calculators import PACKAGES

if TYPE_CHECKING:
    from numpy.typing import NDArray

WIDER_ANG = 4.0
"""How much more vacuum the box check gives a molecule, in angstrom."""


@dataclass(frozen=True)
class Electrons:
    """Charge and spin of something.

    Attributes
    ----------
    charge : int
        Total charge in e.
    spin_multiplicity : int
        2S + 1.
    """

    charge: int = 0
    spin_multiplicity: int = 1

    def __add__(self, other: Electrons) -> Electrons:
        """Return those of two parts together, their spins parallel."""
        return Electrons(
            self.charge + other.charge, self.spin_multiplicity + other.spin_multiplicity - 1
        )


@dataclass(frozen=True, eq=False)
class MoleculeEnergy:
    """A molecule relaxed by itself.

    Attributes
    ----------
    molecule : Molecule
        In its relaxed geometry.
    relaxed : RelaxResult
        The relaxation, in the box if there is one.
    box_shift_eV : float or None
        Energy in a box wider by `WIDER_ANG`, same geometry, less the energy in the box, in eV;
        None where the molecule is in free space.
    """

    molecule: Molecule
    relaxed: RelaxResult
    box_shift_eV: float | None


@dataclass(frozen=True, eq=False)
class Geometries:
    """The structures behind a binding energy, for single points at other levels.

    Attributes
    ----------
    complex, surface : Structure
        Relaxed, the surface's atoms first.
    surface_there : Structure
        The surface as it is in the complex.
    molecule, molecule_there : Molecule
        The relaxed molecule, and as it is in the complex.
    ions : tuple of Molecule
        The parts of a salt in the relaxed molecule's geometry; empty for others.
    host : Electrons
        Charge and spin of the surface.
    box_vacuum_ang : float
        Vacuum of boxes around molecules, in angstrom.
    """

    complex: Structure
    surface: Structure
    surface_there: Structure
    molecule: Molecule
    molecule_there: Molecule
    ions: tuple[Molecule, ...]
    host: Electrons
    box_vacuum_ang: float


@dataclass(frozen=True, eq=False)
class LevelEnergies:
    """Energies of one level of theory at given geometries, dispersion apart.

    Attributes
    ----------
    base : str
        The level without added dispersion.
    energies : FiveEnergies
        Its energies.
    ions_eV : float or None
        Energies of the ions of a salt, each alone, summed; None where there is none.
    ions_reason : str
        Why not.
    charges : tuple of ChargeTransfer
        By Mulliken's partition where the level has one.
    """

    base: str
    energies: FiveEnergies
    ions_eV: float | None
    ions_reason: str
    charges: tuple[ChargeTransfer, ...]


def settings_hash(theory: str, settings: RelaxSettings) -> str:
    """Return the hash of what all terms of one binding energy must share.

    That is the level of theory, the version of the package behind it, and the force criterion.
    """
    level = get_theory(theory)
    try:
        package = version(PACKAGES[level.code])
    except PackageNotFoundError:  # installed some other way
        package = ""
    return canonical_hash(
        {"theory": theory, "package": package, "fmax_eV_per_A": settings.fmax_eV_per_A}
    )


def free_or_boxed(molecule: Molecule, level: Theory, vacuum_ang: float) -> Structure:
    """Return a molecule as a level of theory takes it: in free space, or in a periodic box."""
    return boxed(molecule, vacuum_ang=vacuum_ang) if level.needs_box else molecule.structure


@job(version=1, name="binding_relax")
def relax_held_task(
    structure: Structure,
    theory: str,
    settings: RelaxSettings,
    held: tuple[int, ...] = (),
    electrons: Electrons = Electrons(),
) -> RelaxResult:
    """Relax a surface or a complex, some atoms held where they are.

    Raises
    ------
    UnknownElementError
        The level of theory does not know an element.
    TheoryError
        It takes no charge, or cannot compute this structure.
    """
    from ase.constraints import FixAtoms

    level = get_theory(theory)
    charge, spin = electrons.charge, electrons.spin_multiplicity
    level.check(structure, charge=charge, spin_multiplicity=spin)
    return relax(
        structure,
        calculator=level.calculator(charge=charge, spin_multiplicity=spin),
        settings=settings,
        theory=theory,
        constraint=FixAtoms(indices=list(held)) if held else None,
    )


@job(version=1, name="binding_molecule")
def molecule_task(
    molecule: Molecule, theory: str, settings: RelaxSettings, box_vacuum_ang: float
) -> MoleculeEnergy:
    """Relax a molecule by itself, and look whether its box is large enough.

    Raises
    ------
    UnknownElementError
        The level of theory does not know an element.
    TheoryError
        It takes no charge.
    """
    level = get_theory(theory)
    charge, spin = molecule.charge, molecule.spin_multiplicity
    start = free_or_boxed(molecule, level, box_vacuum_ang)
    level.check(start, charge=charge, spin_multiplicity=spin)
    calculator = level.calculator(charge=charge, spin_multiplicity=spin)
    done = relax(start, calculator=calculator, settings=settings, theory=theory, label="molecule")
    after = molecule.with_positions(done.structure.positions)
    shift = None
    if level.needs_box:
        atoms = shared_atoms(
            boxed(after, vacuum_ang=box_vacuum_ang + WIDER_ANG), calculator, CallCounter()
        )
        shift = float(atoms.get_potential_energy()) - done.energy_eV
    return MoleculeEnergy(molecule=after, relaxed=done, box_shift_eV=shift)


@job(version=1, name="binding_level")
def level_task(geometries: Geometries, base: str, split: bool) -> LevelEnergies:
    """Compute the energies of a binding energy at given geometries.

    Parameters
    ----------
    geometries
        Relaxed at whatever level.
    base
        Level of theory without added dispersion.
    split
        Compute surface and molecule as they are in the complex as well.
    """
    level, g = get_theory(base), geometries
    whole = g.host + Electrons(g.molecule.charge, g.molecule.spin_multiplicity)
    molecule, there = _molecules(g, needs_box=level.needs_box)
    own = Electrons(g.molecule.charge, g.molecule.spin_multiplicity)
    energy, charges = _single_point(g.complex, level, whole)
    energies = FiveEnergies(
        energy,
        _single_point(g.surface, level, g.host)[0],
        _single_point(molecule, level, own)[0],
        _single_point(g.surface_there, level, g.host)[0] if split else None,
        _single_point(there, level, own)[0] if split else None,
    )
    ions, reason = _ions(g, level)
    moved = () if charges is None else (_transfer(g, charges, f"{base} Mulliken"),)
    return LevelEnergies(base, energies, ions, reason, moved)


@job(version=1, name="binding_dispersion")
def dispersion_task(
    geometries: Geometries, kinds: tuple[str, ...], functional: str, needs_box: bool
) -> tuple[tuple[str, FiveEnergies], ...]:
    """Compute added dispersion alone, at given geometries.

    Parameters
    ----------
    geometries
        Relaxed at whatever level.
    kinds
        Corrections, such as ``("d2", "d3bj")``.
    functional
        Whose parameters to take.
    needs_box
        Whether the molecules are in boxes.

    Returns
    -------
    tuple
        Name and energies of each.
    """
    g = geometries
    molecule, there = _molecules(g, needs_box=needs_box)
    structures = (g.complex, g.surface, molecule, g.surface_there, there)
    return tuple(
        (kind, FiveEnergies(*(dispersion_energy(s, kind, functional) for s in structures)))
        for kind in kinds
    )


def _molecules(geometries: Geometries, *, needs_box: bool) -> tuple[Structure, Structure]:
    """Return the molecule by itself and as it is in the complex, in boxes if need be."""
    one, other = (
        boxed(m, vacuum_ang=geometries.box_vacuum_ang) if needs_box else m.structure
        for m in (geometries.molecule, geometries.molecule_there)
    )
    return one, other


@job(version=1, name="binding_eeq")
def eeq_task(geometries: Geometries) -> ChargeTransfer:
    """Return the charge transfer by the electronegativity-equilibration model of DFT-D4.

    Its charges depend on positions only (doi 10.1063/1.5090222). It lets charge flow over any
    distance: read it beside another model, never alone.
    """
    from ase.units import Bohr
    from dftd4.interface import DispersionModel

    whole = geometries.complex
    model = DispersionModel(
        np.array(whole.numbers),
        np.array(whole.positions) / Bohr,
        float(geometries.host.charge + geometries.molecule.charge),
        np.array(whole.cell) / Bohr,
        np.array(whole.pbc),
    )
    charges = np.asarray(model.get_properties()["partial charges"], dtype=float)
    return _transfer(geometries, charges, "EEQ of DFT-D4")


def _single_point(
    structure: Structure, level: Theory, electrons: Electrons
) -> tuple[float, NDArray[np.float64] | None]:
    """Return the energy in eV, and Mulliken charges in e where the level has them."""
    charge, spin = electrons.charge, electrons.spin_multiplicity
    level.check(structure, charge=charge, spin_multiplicity=spin)
    atoms = structure.to_ase()
    atoms.calc = level.calculator(charge=charge, spin_multiplicity=spin)
    energy = float(atoms.get_potential_energy())
    if not level.takes_charge:
        return energy, None
    return energy, np.asarray(atoms.get_charges(), dtype=float)


def _ions(geometries: Geometries, level: Theory) -> tuple[float | None, str]:
    """Return the summed energies of a salt's ions in eV, or why there are none."""
    if not geometries.ions:
        return None, ""
    energies = []
    for ion in geometries.ions:
        electrons = Electrons(ion.charge, ion.spin_multiplicity)
        try:
            energies.append(_single_point(ion.structure, level, electrons)[0])
        except TheoryError as error:
            return None, str(error)
    return sum(energies), ""


def _transfer(geometries: Geometries, charges: NDArray[np.float64], model: str) -> ChargeTransfer:
    """Sum the charges of the adsorbed molecule and of its parts."""
    first = len(geometries.surface)
    own = charges[first:]
    parts = geometries.molecule.fragments
    return ChargeTransfer(
        model=model,
        molecule_e=float(own.sum()) - geometries.molecule.charge,
        fragments=tuple(
            (geometries.molecule.structure.take(part).formula, float(own[list(part)].sum()))
            for part in parts
        ),
    )


def wider(settings: RelaxSettings, steps: int) -> RelaxSettings:
    """Return the same criterion with another limit of steps."""
    return replace(settings, max_steps=steps)
