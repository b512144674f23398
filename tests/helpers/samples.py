"""Crystals that several tests start from, and one that hides how it was drawn."""

from __future__ import annotations

import numpy as np
from ase.build import bulk
from ase.spacegroup import crystal

from superionic.structures.crystals import reference_crystal
from superionic.structures.structure import Structure


def rock_salt(*, cubic: bool = False) -> Structure:
    """NaCl, in its primitive or its cubic cell."""
    return Structure.from_ase(bulk("NaCl", "rocksalt", a=5.64, cubic=cubic))


def rutile() -> Structure:
    """TiO2."""
    basis = [(0, 0, 0), (0.305, 0.305, 0)]
    return Structure.from_ase(
        crystal(["Ti", "O"], basis, spacegroup=136, cellpar=[4.594, 4.594, 2.959, 90, 90, 90])
    )


def nasicon() -> Structure:
    """Na4Zr2Si3O12 in its hexagonal cell."""
    return reference_crystal("na4zr2si3o12").structure.to_structure()


def turned(structure: Structure, seed: int) -> Structure:
    """Turn, shift and permute a structure at random."""
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    turn *= np.sign(np.linalg.det(turn))
    moved = Structure(
        numbers=structure.numbers,
        positions=structure.positions @ turn + rng.normal(size=3),
        cell=structure.cell @ turn,
        labels=structure.labels,
    )
    return moved.take(rng.permutation(len(moved)))
