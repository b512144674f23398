"""A parametrised box as a System of OpenMM.

NonbondedForce of OpenMM mixes Lennard-Jones parameters by Lorentz and Berthelot only. For the
geometric rule it keeps the Coulomb part and the scaled pairs, whose parameters are mixed here, and
a CustomNonbondedForce does the Lennard-Jones part of all others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.inputs.parametrised import SCALE_14, ryckaert_bellemans
from superionic.structures.errors import DeckError

if TYPE_CHECKING:
    from superionic.inputs.md_options import MDOptions
    from superionic.inputs.parametrised import ParametrisedBox

NM = 0.1
"""Nanometres in an angstrom."""

GROUPS = {"bonds": 0, "angles": 1, "torsions": 2, "coulomb": 3, "lennard-jones": 4, "springs": 5}
"""Force group of each part of the energy. With Lorentz-Berthelot mixing all nonbonded terms are in
``coulomb``, with geometric mixing the Lennard-Jones terms of scaled pairs are."""

GEOMETRIC = "(a1*a2*s - b1*b2)*s; s = r^-6"
"""4 epsilon ((sigma/r)^12 - (sigma/r)^6) with geometric means, as products of what each atom has:
a = 2 sqrt(epsilon) sigma^6 and b = 2 sqrt(epsilon) sigma^3, so that no root is taken of a pair: a
fifth less CPU time a step than with roots."""


def build_system(box: ParametrisedBox, options: MDOptions) -> Any:
    """Return an ``openmm.System``.

    Parameters
    ----------
    box
        Atoms with their parameters.
    options
        Cutoff, electrostatics, constraints, masses, and how rigid molecules are treated. There is
        neither thermostat nor barostat in a System that this makes.

    Returns
    -------
    openmm.System
        Atoms in the order of the box; parts of the energy in the force groups `GROUPS`.

    Raises
    ------
    DeckError
        OpenMM is not installed, or the cutoff does not fit.
    """
    try:
        import openmm
    except ImportError as error:
        raise DeckError("OpenMM is not installed: `pip install openmm`.") from error
    options.check_cutoff(box)
    system = openmm.System()
    for mass in masses_of(box, options):
        system.addParticle(float(mass))
    if options.electrostatics == "pme":
        system.setDefaultPeriodicBoxVectors(*(box.box.structure.cell * NM).tolist())
    forces = {
        "bonds": _bonds(box, options),
        "angles": _angles(box),
        "torsions": _torsions(box),
        "springs": _springs(box),
        "coulomb": _nonbonded(box, options),
    }
    if box.mixing == "geometric":
        forces["lennard-jones"] = _geometric(box, options)
    for name, force in forces.items():
        force.setName(name)
        force.setForceGroup(GROUPS[name])
        system.addForce(force)
    _constrain(system, box, options)
    return system


def masses_of(box: ParametrisedBox, options: MDOptions) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the masses in g/mol that atoms move with; 0 where they are held. shape=(atoms,)."""
    heavy = options.hydrogen_mass_amu
    masses = np.array(box.masses_amu if heavy is None else box.repartitioned_masses(heavy))
    if options.rigid == "held":
        masses[box.rigid] = 0.0
    return masses


def constrained_bonds(
    box: ParametrisedBox, options: MDOptions
) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return which of the box's bonds have a fixed length."""
    return box.hydrogen_bonds() if options.constraints == "h-bonds" else np.zeros(0, dtype=np.int64)


def system_xml(system: Any) -> str:
    """Return a System as XML."""
    import openmm

    return str(openmm.XmlSerializer.serialize(system))


def _constrain(system: Any, box: ParametrisedBox, options: MDOptions) -> None:
    for k in constrained_bonds(box, options):
        i, j = box.bonds[k].tolist()
        system.addConstraint(i, j, float(box.bond_length_ang[k]) * NM)


def _bonds(box: ParametrisedBox, options: MDOptions) -> Any:
    import openmm

    force = openmm.HarmonicBondForce()
    fixed = set(constrained_bonds(box, options).tolist())
    lengths = (box.bond_length_ang * NM).tolist()
    constants = (box.bond_k_kJ_per_mol_ang2 / NM**2).tolist()
    for k, (i, j) in enumerate(box.bonds.tolist()):
        if k not in fixed:
            force.addBond(i, j, lengths[k], constants[k])
    return force


def _springs(box: ParametrisedBox) -> Any:
    """Join rigid molecules; held ones too, so that OpenMM knows that they are molecules."""
    import openmm

    force = openmm.HarmonicBondForce()
    constant = box.spring_k_kJ_per_mol_ang2 / NM**2
    lengths = (box.spring_length_ang * NM).tolist()
    for (i, j), length in zip(box.springs.tolist(), lengths, strict=True):
        force.addBond(i, j, length, constant)
    return force


def _angles(box: ParametrisedBox) -> Any:
    import openmm

    force = openmm.HarmonicAngleForce()
    rest = np.radians(box.angle_deg).tolist()
    constants = box.angle_k_kJ_per_mol_rad2.tolist()
    for (i, j, k), angle, constant in zip(box.angles.tolist(), rest, constants, strict=True):
        force.addAngle(i, j, k, angle, constant)
    return force


def _torsions(box: ParametrisedBox) -> Any:
    import openmm

    force = openmm.RBTorsionForce()
    series = ryckaert_bellemans(box.torsion_fourier_kJ_per_mol).tolist()
    for atoms, terms in zip(box.torsions.tolist(), series, strict=True):
        force.addTorsion(*atoms, *terms)
    return force


def _nonbonded(box: ParametrisedBox, options: MDOptions) -> Any:
    import openmm

    force = openmm.NonbondedForce()
    own = box.mixing == "lorentz-berthelot"
    sigma = (box.sigma_ang * NM).tolist()
    epsilon = box.epsilon_kJ_per_mol.tolist()
    charges = box.charges_e.tolist()
    for q, s, e in zip(charges, sigma, epsilon, strict=True):
        force.addParticle(q, s if own else 1.0, e if own else 0.0)
    for i, j in box.excluded.tolist():
        force.addException(i, j, 0.0, 1.0, 0.0)
    pairs = box.pairs_14
    length, depth = box.mixed(pairs[:, 0], pairs[:, 1])
    product = SCALE_14 * box.charges_e[pairs[:, 0]] * box.charges_e[pairs[:, 1]]
    rows = zip(
        pairs.tolist(), product.tolist(), (length * NM).tolist(), (SCALE_14 * depth).tolist(),
        strict=True,
    )  # fmt: skip
    for (i, j), q, s, e in rows:
        force.addException(i, j, q, s, e)
    if options.electrostatics == "all-pairs":
        force.setNonbondedMethod(openmm.NonbondedForce.NoCutoff)
    else:
        force.setNonbondedMethod(openmm.NonbondedForce.PME)
        force.setCutoffDistance(options.cutoff_ang * NM)
        force.setEwaldErrorTolerance(options.ewald_tolerance)
    force.setUseDispersionCorrection(own and options.tail_correction)
    return force


def _geometric(box: ParametrisedBox, options: MDOptions) -> Any:
    """Return the Lennard-Jones part of all pairs that are neither excluded nor scaled."""
    import openmm

    force = openmm.CustomNonbondedForce(GEOMETRIC)
    force.addPerParticleParameter("a")
    force.addPerParticleParameter("b")
    sigma, root = box.sigma_ang * NM, 2 * np.sqrt(box.epsilon_kJ_per_mol)
    for a, b in zip((root * sigma**6).tolist(), (root * sigma**3).tolist(), strict=True):
        force.addParticle([a, b])
    for i, j in (*box.excluded.tolist(), *box.pairs_14.tolist()):
        force.addExclusion(i, j)
    if options.electrostatics == "all-pairs":
        force.setNonbondedMethod(openmm.CustomNonbondedForce.NoCutoff)
    else:
        force.setNonbondedMethod(openmm.CustomNonbondedForce.CutoffPeriodic)
        force.setCutoffDistance(options.cutoff_ang * NM)
        force.setUseLongRangeCorrection(options.tail_correction)
    return force
