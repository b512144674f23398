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
from superionic.inputs.gpaw.script_text import BAND, HEAD, RELAX, STATIC
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
    body = STATIC
    if spec.relax is not None:
        name = RELAX_OPTIMISERS["gpaw"][spec.relax.optimiser]
        imports.append(f"from ase.optimize import {name}")
        target = "atoms"
        if spec.relax.cell == "full":
            imports.append("from ase.filters import FrechetCellFilter")
            target = "FrechetCellFilter(atoms)"
        body = RELAX.format(
            optimiser=name,
            target=target,
            fmax=spec.relax.force_eV_per_A,
            steps=spec.relax.max_steps,
        )
    elif spec.band is not None:
        name = BAND_OPTIMISERS["gpaw"][spec.band.optimiser]
        imports += ["from ase.mep import NEB", f"from ase.optimize import {name}"]
        body = BAND.format(
            optimiser=name,
            spring=spec.band.spring_eV_per_A2,
            climb=spec.band.climb,
            fmax=spec.band.force_eV_per_A,
            steps=spec.band.max_steps,
        )
    pbc = [k != "abc".find(spec.dipole_axis) for k in range(3)]
    head = HEAD.format(
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
