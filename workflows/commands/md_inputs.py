"""`superionic inputs openmm|gromacs|lammps`: a box with its force field as inputs of a code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.structures.errors import ForceFieldError, NotConvergedError
from superionic.workflows.commands.console import chatter_to_stderr, emit_facts, emit_json, note
from superionic.workflows.theory import get_theory, theory_names

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from superionic.inputs.md_options import Constraints, MDOptions, Rigid
    from superionic.inputs.parametrised import Mixing, ParametrisedBox
    from superionic.inputs.templates import Cations, LennardJones
    from superionic.structures.box import Box
    from superionic.structures.molecule import Molecule

    Charges = NDArray[np.float64]


@dataclass(frozen=True)
class ForceFieldRequest:
    """How a force field is asked for on the command line.

    Attributes
    ----------
    charge_scale : float
        Factor on the charges of ions.
    mixing, lennard_jones, cations : str
        Of `superionic.inputs.forcefield.assign_parameters`.
    charges : tuple of str
        Assignments such as ``FIL=charges.txt`` or ``FIL=gfn1-xtb``.
    estimates : bool
        Whether rows by analogy may be used.
    """

    charge_scale: float
    mixing: Mixing
    lennard_jones: LennardJones
    cations: Cations
    charges: tuple[str, ...]
    estimates: bool

    def apply(self, folder: Path) -> ParametrisedBox:
        """Read a box and put the parameters on it."""
        from superionic.inputs.forcefield import assign_parameters
        from superionic.workflows.boxes import read_box

        box = read_box(folder)
        given = [find_charges(word, box) for word in self.charges]
        return assign_parameters(
            box,
            charge_scale=self.charge_scale,
            lennard_jones=self.lennard_jones,
            cations=self.cations,
            mixing=self.mixing,
            charges={name: values for name, values, _ in given},
            charge_sources={name: source for name, _, source in given},
            estimates=self.estimates,
        )


@dataclass(frozen=True)
class DynamicsRequest:
    """How dynamics is asked for on the command line; see `superionic.inputs.md_options`.

    Attributes
    ----------
    cutoff, timestep, temperature, pressure : float
        In angstrom, fs, K and bar; no pressure is constant volume.
    constraints, rigid : str
        What is fixed, and how rigid molecules are treated.
    hydrogen_mass : float or None
        In g/mol.
    steps, seed : int
        Of production.
    """

    cutoff: float
    timestep: float
    temperature: float
    pressure: float | None
    constraints: Constraints
    rigid: Rigid
    hydrogen_mass: float | None
    steps: int
    seed: int

    def options(self) -> MDOptions:
        """Return the options, checked."""
        from superionic.inputs.md_options import MDOptions

        return MDOptions(
            cutoff_ang=self.cutoff,
            timestep_fs=self.timestep,
            temperature_K=self.temperature,
            pressure_bar=self.pressure,
            constraints=self.constraints,
            rigid=self.rigid,
            hydrogen_mass_amu=self.hydrogen_mass,
            steps=self.steps,
            seed=self.seed,
        )


def find_charges(word: str, box: Box) -> tuple[str, Charges, str]:
    """Return component, charges in e and their source for ``NAME=FILE`` or ``NAME=THEORY``.

    A file holds numbers and no more. A level of theory computes the free molecule, in the geometry
    that it has in the box's template.

    Raises
    ------
    ForceFieldError
        It is no such assignment, or the file cannot be read.
    InvalidStructureError
        The box has no such component.
    """
    name, found, source = word.partition("=")
    if not found or not name or not source:
        raise ForceFieldError(
            f"Charges are given as NAME=FILE, or NAME=THEORY such as gfn1-xtb; got {word!r}."
        )
    component = box.component(name)
    path = Path(source).expanduser()
    if not path.exists() and source in theory_names() and get_theory(source).takes_charge:
        return name, computed_charges(component.molecule, source), f"{source}, Mulliken"
    try:
        values = [float(x) for x in path.read_text(encoding="utf-8").replace(",", " ").split()]
    except (OSError, ValueError) as error:
        raise ForceFieldError(
            f"Cannot read charges from {source}: {error}. Expected one number in e an atom, in the "
            "order of the molecule, or a level of theory such as gfn1-xtb."
        ) from error
    return name, np.array(values), f"file {path.name}"


def computed_charges(molecule: Molecule, theory: str) -> Charges:
    """Return Mulliken charges in e of a free molecule, in the geometry that it has.

    Raises
    ------
    TheoryError, UnknownElementError
        The code is not installed, or does not know an element.
    NotConvergedError
        The electrons did not become self-consistent.
    """
    from ase.calculators.calculator import CalculationFailed

    level = get_theory(theory)
    charge, spin = molecule.charge, molecule.spin_multiplicity
    level.check(molecule.structure, charge=charge, spin_multiplicity=spin)
    atoms = molecule.structure.to_ase()
    atoms.calc = level.calculator(charge=charge, spin_multiplicity=spin)
    try:
        return np.asarray(atoms.get_charges(), dtype=float)
    except CalculationFailed as error:
        raise NotConvergedError(
            f"The electrons of {molecule.formula} did not become self-consistent: {error}. Look at "
            "its geometry, charge and multiplicity, or give charges in a file."
        ) from error


def make_inputs(
    code: str,
    folder: Path,
    force_field: ForceFieldRequest,
    dynamics: DynamicsRequest,
    *,
    out: Path,
    as_json: bool,
) -> None:
    """Write the inputs of a code for a box and say what they hold."""
    with chatter_to_stderr():
        options = dynamics.options()
        box = force_field.apply(folder)
        target = _write(code, box, options, out)
    facts: dict[str, Any] = {
        "folder": str(target),
        "code": code,
        "atoms": len(box),
        "density_g_cm3": box.box.density_g_cm3,
        "charge_e": round(box.total_charge_e, 9) + 0.0,
        "charge_scale": box.charge_scale,
        "mixing": box.mixing,
        "TFSI": box.lennard_jones,
        "cations": box.cations,
        "bonds": len(box.bonds),
        "angles": len(box.angles),
        "torsions": len(box.torsions),
        "files": sorted(p.name for p in target.iterdir()),
    }
    if as_json:
        emit_json(facts | {"parameters": box.rows})
    else:
        emit_facts(facts | {"files": " ".join(facts["files"])})
    if box.mixing != "geometric":
        note("note: OPLS-AA and CL&P are made for geometric mixing; this is another force field.")
    if any(r.set == "estimate" for r in box.rows):
        note("note: some terms are estimates by analogy; parameters.csv marks them.")
    note(f"note: read {target / 'NOTES.md'} before you run it.")


def _write(code: str, box: ParametrisedBox, options: MDOptions, out: Path) -> Path:
    if code == "gromacs":
        from superionic.inputs.gromacs import write_gromacs

        return write_gromacs(box, out, options)
    if code == "lammps":
        from superionic.inputs.lammps import write_lammps

        return write_lammps(box, out, options)
    from superionic.inputs.openmm_files import write_openmm
    from superionic.workflows.boxes import pdb_text

    return write_openmm(box, out, options, pdb=pdb_text(box.box))
