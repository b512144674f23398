"""The text of GPAW scripts, whose fields `superionic.inputs.gpaw.script` fills in."""

from __future__ import annotations

HEAD = '''"""{title}: {task} with GPAW.

Run it with `python run.py`, or on several cores with `mpiexec -n 8 gpaw python run.py`.
It writes gpaw*.txt, final.extxyz, and result.json, which has an energy only if all converged.
"""

import json
import sys

import numpy as np
from ase.constraints import FixAtoms, FixScaled
from ase.io import read, write
from ase.parallel import world
from gpaw import GPAW, KohnShamConvergenceError
from gpaw.convergence_criteria import Energy
{imports}
SETTINGS = {settings}
SCF_ENERGY_EV = {scf!r}  # change of the energy of the whole cell
MOMENTS = {moments}
FIXED = {fixed}  # atom: fractional coordinates held


def calculator(label):
    settings = dict(SETTINGS, txt=f"gpaw{{label}}.txt")
    settings["convergence"] = {{"energy": Energy(SCF_ENERGY_EV, relative=False)}}
    dft = GPAW(**settings)
    return {wrapped}


def prepare(atoms, label=""):
    atoms.pbc = {pbc}
    if MOMENTS:
        atoms.set_initial_magnetic_moments(MOMENTS)
    whole = [k for k, axes in FIXED.items() if all(axes)]
    parts = [FixScaled([k], axes) for k, axes in FIXED.items() if not all(axes)]
    atoms.set_constraint(([FixAtoms(whole)] if whole else []) + parts)
    atoms.calc = calculator(label)
    return atoms


def finish(converged, images=(), **found):  # an energy only where all converged
    if world.rank == 0:
        with open("result.json", "w") as file:
            json.dump({{"code": "gpaw", "task": "{task}", "converged": converged, **found}}, file)
    if images:
        write("final.extxyz", images)
    sys.exit(0 if converged else 1)


def max_force(atoms):
    return float((atoms.get_forces() ** 2).sum(axis=1).max() ** 0.5)


def fermi_level(dft):  # where the moment is held each spin has its own: the higher one
    try:
        return float(dft.get_fermi_level())
    except (AssertionError, ValueError):
        level = float(max(dft.get_fermi_levels()))
        dft.get_fermi_level = lambda: level  # dft.dos() asks for one
        return level


def densities_of_states(atoms, width=0.1):
    dft = getattr(getattr(atoms.calc, "mixer", None), "calcs", [atoms.calc])[0]
    fermi = fermi_level(dft)
    dos = dft.dos(shift_fermi_level=False)
    low, high = dos.get_energies(npoints=2)
    energies = np.arange(low - 5 * width, min(high, fermi + 15.0), width / 5)
    spins = (0, 1) if dft.get_number_of_spins() == 2 else (None,)
    parts = [
        [[dos.raw_pdos(energies, a=a, l=k, spin=s, width=width) for k in range(3)]
         for a in range(len(atoms))] for s in spins
    ]
    return {{
        "energies_eV": energies.tolist(), "orbitals": ["s", "p", "d"], "fermi_eV": fermi,
        "total": [dos.raw_dos(energies, spin=s, width=width).tolist() for s in spins],
        "projected": np.array(parts).tolist(), "symbols": atoms.get_chemical_symbols(),
        "width_eV": width, "electrons": float(dft.get_number_of_electrons()),
    }}


def write_densities(atoms):  # for `superionic electronic`; an energy does not hang on them
    try:
        found = densities_of_states(atoms)
    except Exception as error:
        found = {{"reason": f"{{type(error).__name__}}: {{error}}"}}
    if world.rank == 0:
        with open("dos.json", "w") as file:
            json.dump(found, file)


def write_density(atoms):  # of all electrons, for Bader charges
    dft = getattr(getattr(atoms.calc, "mixer", None), "calcs", [atoms.calc])[0]
    try:
        density = dft.get_all_electron_density(gridrefinement=2).astype(np.float32)
        charge = float(SETTINGS.get("charge", 0.0))
        found = {{"density": density, "numbers": atoms.numbers, "charge": charge}}
    except Exception as error:
        found = {{"reason": f"{{type(error).__name__}}: {{error}}"}}
    if world.rank == 0:
        np.savez_compressed("density.npz", **found)

'''

STATIC = """
atoms = prepare(read("images.extxyz"))
try:
    energy, force = float(atoms.get_potential_energy()), max_force(atoms)
except KohnShamConvergenceError as error:
    finish(False, reason=str(error) or "self-consistency did not converge")
write_densities(atoms)
write_density(atoms)
finish(True, [atoms], energy_eV=energy, max_force_eV_per_A=force)
"""

RELAX = """
atoms = prepare(read("images.extxyz"))
optimiser = {optimiser}({target}, logfile="relax.log", trajectory="relax.traj")
try:
    done = bool(optimiser.run(fmax={fmax!r}, steps={steps}))
    energy, force = float(atoms.get_potential_energy()), max_force(atoms)
except KohnShamConvergenceError as error:
    finish(False, reason=str(error) or "self-consistency did not converge")
if not done:
    finish(False, [atoms], reason="stopped at {steps} steps", max_force_eV_per_A=force)
write_densities(atoms)
write_density(atoms)
finish(True, [atoms], energy_eV=energy, max_force_eV_per_A=force, steps=optimiser.nsteps)
"""

BAND = """
images = [prepare(atoms, f"-{{k:02d}}") for k, atoms in enumerate(read("images.extxyz", ":"))]
band = NEB(images, k={spring!r}, climb={climb}, method="improvedtangent")
optimiser = {optimiser}(band, logfile="band.log", trajectory="band.traj")
try:
    done = bool(optimiser.run(fmax={fmax!r}, steps={steps}))
    energies = [float(atoms.get_potential_energy()) for atoms in images]
except KohnShamConvergenceError as error:
    finish(False, reason=str(error) or "self-consistency did not converge")
if not done:
    finish(False, images, reason="stopped at {steps} steps")
finish(True, images, energies_eV=energies, steps=optimiser.nsteps)
"""
