"""What a GPAW script of this package leaves, made up: a result, densities of states, a density."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write

from superionic.inputs.deck import Deck
from superionic.inputs.decks import write_deck
from superionic.inputs.dft import DFTSpec
from superionic.inputs.gpaw.options import GpawOptions
from superionic.structures.structure import Structure


def write_gpaw_run(folder: Path, structure: Structure) -> Path:
    """Write a finished single point of -3 eV without forces."""
    made = write_deck(Deck(DFTSpec("pbe", 400.0), (structure,), GpawOptions()), folder)
    frame = structure.to_ase()
    frame.calc = SinglePointCalculator(frame, energy=-3.0, forces=np.zeros((len(structure), 3)))
    write(made / "final.extxyz", frame)
    (made / "result.json").write_text(
        '{"code": "gpaw", "task": "static", "converged": true, "energy_eV": -3.0}'
    )
    return made


def gpaw_dos(structure: Structure) -> dict[str, object]:
    """Densities of states, flat: 1, 2 and 3 per eV in s, p and d of each atom and spin."""
    energies = np.linspace(-7.0, 3.0, 21)
    parts = np.ones((2, len(structure), 3, 21)) * np.arange(1.0, 4.0)[:, None]
    return {
        "energies_eV": energies.tolist(), "total": (2.0 * parts.sum(axis=(1, 2))).tolist(),
        "projected": parts.tolist(), "orbitals": ["s", "p", "d"], "fermi_eV": -2.0,
        "symbols": list(structure.symbols), "width_eV": 0.1, "electrons": 14.0,
    }  # fmt: skip


def write_gpaw_dos(folder: Path, structure: Structure) -> None:
    """Write ``dos.json``."""
    (folder / "dos.json").write_text(json.dumps(gpaw_dos(structure)))
