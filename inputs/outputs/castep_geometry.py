"""Structures of a .geom file, which keeps more digits than .castep and lives through a crash."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.inputs.outputs.castep_cell import cell_order
from superionic.structures.structure import Structure, minimum_image

if TYPE_CHECKING:
    from pathlib import Path

DIGITS_ANG = 1e-4
"""Positions of .castep and .geom agree to this, in angstrom."""


def last_geometry(folder: Path, seed: str) -> Structure | None:
    """Return the last structure of a .geom file, atoms as in the .cell file; None without one."""
    from ase.io import read

    path = folder / f"{seed}.geom"
    if not path.is_file():
        return None
    try:
        atoms: Any = read(path, index=-1, format="castep-geom")
    except Exception:  # a file that is being written can be cut anywhere
        return None
    order, _ = cell_order(folder / f"{seed}.cell", atoms.get_chemical_symbols())
    atoms.pbc = True
    return Structure.from_ase(atoms[order])


def finest(coarse: Structure, fine: Structure | None) -> Structure:
    """Return the same structure with more digits, if there is one: .castep keeps six."""
    if fine is None or not np.array_equal(coarse.numbers, fine.numbers):
        return coarse
    apart = minimum_image(fine.positions - coarse.positions, coarse.cell, coarse.pbc)
    same = np.allclose(apart, 0.0, atol=DIGITS_ANG) and np.allclose(
        coarse.cell, fine.cell, atol=DIGITS_ANG
    )
    return fine if same else coarse
