"""What can be refused before anything is computed and before any folder is made."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.depths import SLAB_GAP_ANG, slab_faces, vacuum_axis
from superionic.structures.errors import InvalidSlabError, TheoryError
from superionic.structures.structure import Structure
from superionic.workflows import dispersion
from superionic.workflows.theory import get_theory
from superionic.workflows.theory_calculators import PACKAGES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

CONTACT = 1.05
"""Atoms across a gap that are all farther apart than this times the sum of their van der Waals
radii do not touch: the gap is a vacuum, not the space between two layers of a crystal."""

LEAST_GAP_ANG = 2.5
"""Narrower gaps between planes of atoms are those of any crystal, in angstrom."""

MODULES = {**PACKAGES, **dispersion.MODULES}
"""Python package behind each code and each dispersion correction."""


def missing_packages(theory: str) -> tuple[str, ...]:
    """Return the Python packages that a level of theory needs and that are not installed."""
    level = get_theory(theory)
    needed = [MODULES[part] for part in (level.code, level.dispersion) if part]
    return tuple(name for name in needed if importlib.util.find_spec(name) is None)


def check_installed(theory: str) -> None:
    """Raise unless a level of theory is known and its code is installed.

    Raises
    ------
    TheoryError
        Names what is missing.
    """
    missing = missing_packages(theory)
    if missing:
        raise TheoryError(
            f"{theory} needs the Python package {' and '.join(missing)}, which is not installed "
            "here. Install it, or choose another level of theory (`superionic theories`)."
        )


def check_elements(theory: str, symbols: Sequence[str]) -> None:
    """Raise unless a level of theory is installed and knows all elements.

    Raises
    ------
    TheoryError
        It is unknown, or its code is not installed.
    UnknownElementError
        Names the unknown elements.
    """
    from ase.data import atomic_numbers

    check_installed(theory)
    distinct = list(dict.fromkeys(symbols))
    get_theory(theory).check(
        Structure(
            numbers=np.array([atomic_numbers[s] for s in distinct]),
            positions=np.arange(len(distinct))[:, None] * np.array([[3.0, 0.0, 0.0]]),
            cell=np.eye(3) * 3.0 * len(distinct),
            pbc=(False, False, False),
        )
    )


def check_vacuum(structure: Structure, theory: str) -> int | None:
    """Return the lattice vector across the vacuum of a slab, None for a crystal.

    Parameters
    ----------
    structure
        Crystal or slab.
    theory
        Level of theory; its reach, or `SLAB_GAP_ANG` if that is more, is the least vacuum.

    Raises
    ------
    InvalidSlabError
        There is a vacuum, and the level of theory reaches across it.
    """
    reach = max(get_theory(theory).cutoff_ang, SLAB_GAP_ANG)
    for axis in range(3):
        gap = vacuum_thickness(structure, axis)
        if gap is not None and gap < reach:
            raise InvalidSlabError(
                f"The vacuum along lattice vector {'abc'[axis]} is {gap:.2f} A thick; {theory} "
                f"reaches {get_theory(theory).cutoff_ang:g} A, so the two faces would see each "
                f"other through it. Make it at least {reach:g} A (20 is usual)."
            )
    return vacuum_axis(structure, min_gap_ang=SLAB_GAP_ANG)


def vacuum_thickness(structure: Structure, axis: int) -> float | None:
    """Return the width of the vacuum across two lattice vectors in angstrom; None without one.

    The widest gap between planes of atoms is a vacuum when no atoms touch across it: those of a
    layered crystal do, by their van der Waals radii (Alvarez, doi 10.1039/C3DT50599E). A gap that
    never ends, along an axis that does not repeat, is none.
    """
    from ase.neighborlist import neighbor_list

    if not structure.pbc[axis]:
        return None
    faces = slab_faces(structure, axis)
    gap = faces.gap_ang
    if gap < LEAST_GAP_ANG:
        return None
    radii = CONTACT * _radii(structure)
    if gap < 2 * radii.max():
        heights = faces.heights(structure.positions)
        i, j, vectors = neighbor_list("ijD", structure.to_ase(), 2 * float(radii.max()))
        climbs = vectors @ faces.normal - (heights[j] - heights[i])
        across = climbs > faces.period_ang / 2
        if (np.linalg.norm(vectors, axis=1) < radii[i] + radii[j])[across].any():
            return None
    return gap


def _radii(structure: Structure) -> NDArray[np.float64]:
    """Return the van der Waals radius of each atom in angstrom. shape=(atoms,)."""
    from ase.data.vdw_alvarez import vdw_radii

    radii = np.nan_to_num(np.asarray(vdw_radii, dtype=float), nan=2.0)
    return np.asarray(radii[structure.numbers])
