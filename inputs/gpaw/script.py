"""Scripts that run a calculation with GPAW."""

from __future__ import annotations

import io
import pprint
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from superionic.inputs.combinations import (
    BAND_OPTIMISERS,
    FUNCTIONALS,
    HYBRIDS,
    RELAX_OPTIMISERS,
)
from superionic.inputs.deck import Deck
from superionic.inputs.deck_checks import check_all
from superionic.inputs.folders import write_folder
from superionic.inputs.gpaw.moments import possible_moments
from superionic.inputs.gpaw.options import GpawOptions
from superionic.inputs.notes import format_notes
from superionic.structures.errors import DeckError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from superionic.inputs.dft import DFTSpec
    from superionic.structures.structure import Structure

SCRIPT, IMAGES, RESULT = "run.py", "images.extxyz", "result.json"

_DISPERSION_LINES = {
    "d2": (
        "from torch_dftd.torch_dftd3_calculator import TorchDFTD3Calculator",
        "TorchDFTD3Calculator(old=True, xc='pbe', damping='zero')",
    ),
    "d3": ("from dftd3.ase import DFTD3", "DFTD3(method={method!r}, damping='d3zero')"),
    "d3bj": ("from dftd3.ase import DFTD3", "DFTD3(method={method!r}, damping='d3bj')"),
    "d4": ("from dftd4.ase import DFTD4", "DFTD4(method={method!r})"),
}

_HEAD = '''"""{title}: {task} with GPAW.

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

_STATIC = """
atoms = prepare(read("images.extxyz"))
try:
    energy, force = float(atoms.get_potential_energy()), max_force(atoms)
except KohnShamConvergenceError as error:
    finish(False, reason=str(error) or "self-consistency did not converge")
write_densities(atoms)
write_density(atoms)
finish(True, [atoms], energy_eV=energy, max_force_eV_per_A=force)
"""

_RELAX = """
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

_BAND = """
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


def write_gpaw(deck: Deck, folder: str | Path) -> Path:
    """Write a deck as a Python script with its atoms, and NOTES.md.

    Parameters
    ----------
    deck
        What to write. Options of another code than GPAW give way to the defaults.
    folder
        A new or empty folder.

    Returns
    -------
    Path
        The folder's full path.

    Raises
    ------
    DeckError
        A request that GPAW cannot meet, or a folder that holds something else. Then nothing is
        written.
    """
    if not isinstance(deck.options, GpawOptions):
        deck = replace(deck, options=GpawOptions())
    return write_folder(folder, gpaw_files(deck))


def gpaw_files(deck: Deck) -> dict[str, str]:
    """Return the text of each file of a deck, by its path in the folder.

    Raises
    ------
    DeckError
        See `write_gpaw`.
    """
    spec, options = deck.spec, deck.options
    if not isinstance(options, GpawOptions):
        raise DeckError(f"This deck has the options of {deck.code}, not those of GPAW.")
    notes = check_all(deck)
    if options.mode == "lcao":
        notes.append(
            f"Atomic orbitals ({options.basis}) on a grid of {options.grid_ang:g} A: the cutoff of "
            f"{spec.cutoff_eV:g} eV is not used."
        )
        if spec.functional in HYBRIDS:
            raise DeckError("GPAW computes hybrids with plane waves only: set mode = 'pw'.")
    if spec.dispersion != "none":
        notes.append(f"The script takes {spec.dispersion} from a Python package of its own.")
    if spec.spin.polarised and _moments(spec, deck.structure) != spec.spin.moments(deck.structure):
        notes.append(
            "GPAW starts from neutral atoms, some with fewer unpaired electrons than asked for: "
            "the starting moments are the nearest ones that they can have."
        )
    return {
        SCRIPT: _script(deck, options),
        IMAGES: _images(deck.structures),
        "NOTES.md": format_notes(deck, notes),
    }


def _images(structures: Sequence[Structure]) -> str:
    from ase.io import write

    buffer = io.StringIO()
    write(buffer, [s.to_ase() for s in structures], format="extxyz")
    return buffer.getvalue()


def _script(deck: Deck, options: GpawOptions) -> str:
    spec, first = deck.spec, deck.structure
    imports, wrapped = [], "dft"
    if spec.dispersion != "none":
        line, call = _DISPERSION_LINES[spec.dispersion]
        imports += ["from ase.calculators.mixing import SumCalculator", line]
        wrapped = f"SumCalculator([dft, {call.format(method=spec.functional)}])"
    body = _STATIC
    if spec.relax is not None:
        name = RELAX_OPTIMISERS["gpaw"][spec.relax.optimiser]
        imports.append(f"from ase.optimize import {name}")
        target = "atoms"
        if spec.relax.cell == "full":
            imports.append("from ase.filters import FrechetCellFilter")
            target = "FrechetCellFilter(atoms)"
        body = _RELAX.format(
            optimiser=name,
            target=target,
            fmax=spec.relax.force_eV_per_A,
            steps=spec.relax.max_steps,
        )
    elif spec.band is not None:
        name = BAND_OPTIMISERS["gpaw"][spec.band.optimiser]
        imports += ["from ase.mep import NEB", f"from ase.optimize import {name}"]
        body = _BAND.format(
            optimiser=name,
            spring=spec.band.spring_eV_per_A2,
            climb=spec.band.climb,
            fmax=spec.band.force_eV_per_A,
            steps=spec.band.max_steps,
        )
    pbc = [k != "abc".find(spec.dipole_axis) for k in range(3)]
    head = _HEAD.format(
        title=deck.title,
        task=spec.task,
        imports="".join(f"{line}\n" for line in sorted(imports)),
        settings=pprint.pformat(gpaw_settings(spec, options), width=88, sort_dicts=False),
        scf=spec.scf_energy_eV,
        moments=list(_moments(spec, first)),
        fixed=pprint.pformat({f.index: f.axes for f in spec.fixed}, width=88),
        wrapped=wrapped,
        pbc=pbc,
    )
    return head + body


def _moments(spec: DFTSpec, structure: Structure) -> tuple[float, ...]:
    """Return the moments to start from; none without polarisation."""
    if not spec.spin.polarised:
        return ()
    wanted = spec.spin.moments(structure)
    held = spec.spin.total_moment is not None
    return possible_moments(structure.symbols, wanted, keep_sum=held)


def gpaw_settings(spec: DFTSpec, options: GpawOptions) -> dict[str, Any]:
    """Return the arguments of a GPAW calculator, all but its convergence and its log."""
    settings: dict[str, Any] = {}
    if options.mode == "pw":
        settings["mode"] = {"name": "pw", "ecut": spec.cutoff_eV}
    else:
        settings |= {"mode": "lcao", "basis": options.basis, "h": options.grid_ang}
    name = FUNCTIONALS["gpaw"][spec.functional]
    settings["xc"] = {"name": name, "backend": "pw"} if spec.functional in HYBRIDS else name
    settings["kpts"] = {"size": spec.kgrid.divisions, "gamma": spec.kgrid.gamma_centred}
    settings["occupations"] = _occupations(spec)
    settings["maxiter"] = spec.scf_max_steps
    settings["spinpol"] = spec.spin.polarised
    if spec.charge_e:
        settings["charge"] = spec.charge_e
    if spec.hubbard_u_eV:
        settings["setups"] = {
            k.split("-")[0]: f":{k[-1]},{u:.12g}" for k, u in spec.hubbard_u_eV.items()
        }
    if spec.dipole_axis != "none":
        plane = "".join(x for x, a in zip("xyz", "abc", strict=True) if a != spec.dipole_axis)
        settings["poissonsolver"] = {"dipolelayer": plane}
    return settings


def _occupations(spec: DFTSpec) -> dict[str, Any]:
    smearing = spec.smearing
    kinds: dict[str, dict[str, Any]] = {
        "fixed": {"name": "fixed-uniform"},
        "gaussian": {"name": "methfessel-paxton", "width": smearing.width_eV, "order": 0},
        "fermi-dirac": {"name": "fermi-dirac", "width": smearing.width_eV},
        "methfessel-paxton": {
            "name": "methfessel-paxton",
            "width": smearing.width_eV,
            "order": smearing.order,
        },
        "tetrahedron": {"name": "improved-tetrahedron-method"},
    }
    held = {"fixmagmom": True} if spec.spin.total_moment is not None else {}
    return kinds[smearing.kind] | held
