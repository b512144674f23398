"""Where a crystal can be cut along a plane without parting a polyanion."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.axes import (
    EMPTY,
    CrystalSetting,
    Frame,
    crystal_setting,
    framework_setting,
    strict_setting,
)
from superionic.structures.errors import InvalidStructureError
from superionic.structures.planes import miller_in_cell, plane_basis
from superionic.structures.polarity import site_charges
from superionic.structures.polyanions import Units, covalent_bonds, unit_name, whole_units
from superionic.structures.structure import Structure, readonly
from superionic.structures.symmetry import SYMPREC_ANG, primitive_cell

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

PLANE_TOLERANCE_ANG = 0.1
"""Units whose heights differ by less than this (angstrom) lie in one plane; no cut parts them."""

GAP_FRACTION = 0.2
"""Where slices are alike only on average, gaps below this fraction of the widest are scatter."""

SHIFT_TOLERANCE = 0.03
"""Shifts along the normal (in lattice repeats) that differ by less are one shift."""


@dataclass(frozen=True, eq=False)
class Cleavage:
    """A crystal in its primitive cell, seen along the normal of a lattice plane.

    Heights are measured along the normal in lattice repeats: 1 is the distance between
    neighbouring lattice planes, `repeat_ang`.

    Attributes
    ----------
    crystal : Structure
        Primitive cell, not turned. Empty sites are atoms of number `EMPTY`.
    setting : CrystalSetting
        The axes that the user's Miller indices refer to.
    miller : tuple of int
        The plane in the axes of the primitive cell.
    basis : ndarray
        Rows u, v (in the plane), w (one repeat up), in units of the lattice. shape=(3, 3)
    units : Units
        What stays whole.
    heights : ndarray
        Height of the centre of each unit, from 0 to 1. shape=(units,)
    lifts : ndarray
        Height of each atom in the image in which its unit has the height above. shape=(atoms,)
    positions : ndarray
        Cartesian positions of the atoms in that image, in angstrom. shape=(atoms, 3)
    charges : ndarray
        Formal charges in e. shape=(atoms,)
    slices : int
        Number of slices per repeat between cuts that the symmetry of the crystal, or of its
        average framework, makes equivalent (2 for NASICON 001: screw and glide planes halve the
        repeat).
    strict_slices : int
        The same with the symmetry of the atoms as they stand; divides `slices`.
    flips : tuple of float
        Shifts t of the operations that turn height h into t - h.
    """

    crystal: Structure
    setting: CrystalSetting
    miller: tuple[int, int, int]
    basis: NDArray[np.int64]
    units: Units
    heights: NDArray[np.float64]
    lifts: NDArray[np.float64]
    positions: NDArray[np.float64]
    charges: NDArray[np.float64]
    slices: int
    strict_slices: int
    flips: tuple[float, ...]

    @property
    def repeat_ang(self) -> float:
        """Distance between neighbouring lattice planes in angstrom."""
        return self.crystal.volume / self.area_ang2

    @property
    def area_ang2(self) -> float:
        """Area of the smallest in-plane cell in square angstrom."""
        u, v = self.basis[:2] @ self.crystal.cell
        return float(np.linalg.norm(np.cross(u, v)))

    @property
    def frame(self) -> NDArray[np.float64]:
        """Rows: unit vectors along u, in the plane, and along the normal. shape=(3, 3)."""
        u, v = self.basis[:2] @ self.crystal.cell
        x, z = u / np.linalg.norm(u), np.cross(u, v) / np.linalg.norm(np.cross(u, v))
        return np.array([x, np.cross(z, x), z])

    def window(self, low: float, high: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the atoms of all units between two heights.

        Returns
        -------
        tuple
            Atom indices and the number of repeats (w) by which each is lifted, ordered by atom,
            then height. shape=(n,) each
        """
        atoms, lifts = [], []
        for atom, unit in enumerate(self.units.unit):
            first = math.ceil(low - self.heights[unit])
            last = math.ceil(high - self.heights[unit])
            atoms += [atom] * max(last - first, 0)
            lifts += list(range(first, last))
        return np.array(atoms, dtype=np.int64), np.array(lifts, dtype=np.int64)

    def names(self, low: float, high: float) -> tuple[str, ...]:
        """Return the formulas of the units between two heights, sorted, each once."""
        atoms, _ = self.window(low, high)
        units = {int(self.units.unit[a]) for a in atoms[self.crystal.numbers[atoms] != EMPTY]}
        return tuple(
            sorted({unit_name(self.crystal.numbers[self.units.members(u)]) for u in units})
        )


def cleave(
    structure: Structure,
    miller: tuple[int, int, int],
    *,
    frame: Frame | ArrayLike = "conventional",
    keep_together: Sequence[tuple[str, str]] | None = None,
    oxidation_states: Mapping[str, float] | None = None,
    allow_charged: bool = False,
    empty_sites: ArrayLike | None = None,
    empty_labels: Sequence[str] = (),
    symprec: float = SYMPREC_ANG,
) -> Cleavage:
    """Prepare a crystal for cutting along a plane; parameters as in ``build_slab``."""
    whole = with_empty_sites(structure, empty_sites, empty_labels)
    crystal = primitive_cell(whole, symprec_ang=symprec).structure
    atoms = crystal.take(np.flatnonzero(crystal.numbers != EMPTY))
    axes = structure.cell if isinstance(frame, str) and frame == "input" else frame
    setting = crystal_setting(atoms, frame=axes, symprec=symprec)
    plane = miller_in_cell(miller, setting.cell, crystal.cell)
    bonds = covalent_bonds(
        crystal.numbers, crystal.fractional, crystal.cell, keep_together=keep_together
    )
    units = whole_units(crystal.numbers, bonds, plane)
    fractional = crystal.fractional + units.offsets
    heights = np.array([(fractional[list(c)] @ plane).mean() for c in units.centres])
    basis = plane_basis(plane, crystal.cell)
    # bring every unit to a height from 0 to 1; the hair keeps planes at 0 from splitting
    repeats = np.floor(heights + 1e-6)
    fractional = fractional - repeats[units.unit][:, None] * basis[2]
    strict = strict_setting(crystal, symprec=symprec)
    strict_slices = _slices(strict, crystal, plane)
    average = framework_setting(atoms) or setting
    return Cleavage(
        crystal=crystal,
        setting=setting,
        miller=plane,
        basis=readonly(basis, np.int64),
        units=units,
        heights=readonly(heights - repeats),
        lifts=readonly(fractional @ plane),
        positions=readonly(fractional @ crystal.cell),
        charges=readonly(
            site_charges(
                crystal.numbers, crystal.labels, oxidation_states, allow_charged=allow_charged
            )
        ),
        slices=math.lcm(strict_slices, _slices(average, crystal, plane)),
        strict_slices=strict_slices,
        flips=_flips(strict, plane),
    )


def with_empty_sites(
    structure: Structure, sites: ArrayLike | None, labels: Sequence[str]
) -> Structure:
    """Add known empty sites (Cartesian, angstrom, shape=(m, 3)) as atoms of number `EMPTY`."""
    if sites is None or len(np.atleast_1d(sites)) == 0:
        return structure
    points = np.asarray(sites, dtype=float).reshape(-1, 3)
    return Structure(
        numbers=np.r_[structure.numbers, np.full(len(points), EMPTY)],
        positions=np.r_[structure.positions, points],
        cell=structure.cell,
        pbc=structure.pbc,
        labels=(*structure.labels, *(labels or ("empty",) * len(points))),
    )


def _flips(setting: CrystalSetting, plane: tuple[int, int, int]) -> tuple[float, ...]:
    """Return the distinct shifts t, modulo 1, of operations that turn height h into t - h."""
    normal = np.array(plane)
    turns = [np.array_equal(normal @ r, -normal) for r in setting.rotations]
    return _distinct((setting.translations[turns] @ normal) % 1.0)


def _distinct(shifts: NDArray[np.float64]) -> tuple[float, ...]:
    """Drop shifts that agree, modulo 1, with earlier ones."""
    kept: list[float] = []
    for shift in np.sort(shifts).tolist():
        gap = min((abs((shift - d + 0.5) % 1.0 - 0.5) for d in kept), default=1.0)
        if gap > SHIFT_TOLERANCE:
            kept.append(shift)
    return tuple(kept)


def _slices(setting: CrystalSetting, crystal: Structure, plane: tuple[int, int, int]) -> int:
    """Return into how many equivalent slices symmetry divides one lattice repeat.

    Read from the operations of the space group in its own conventional cell: the cell of an ordered
    crystal may be a supercell whose shape does not allow them all.
    """
    import spglib

    try:
        normal = np.array(miller_in_cell(plane, crystal.cell, setting.symmetry_cell))
    except InvalidStructureError:  # too distorted for the plane to be one of the framework
        return 1
    climbs = setting.symmetry_cell @ np.linalg.solve(crystal.cell, np.array(plane, dtype=float))
    repeats = float(climbs @ normal) / float(normal @ normal)
    table = spglib.get_symmetry_from_database(setting.hall_number)
    if table is None:
        return 1
    keeps = [np.array_equal(normal @ r, normal) for r in table["rotations"]]
    shifts = _distinct((table["translations"][keeps] @ normal) % 1.0)
    count = len(shifts) / repeats
    return round(count) if round(count) and abs(count - round(count)) < SHIFT_TOLERANCE else 1


def cut_heights(
    cleavage: Cleavage, *, plane_tolerance_ang: float = PLANE_TOLERANCE_ANG
) -> tuple[NDArray[np.float64], int]:
    """Return every height at which the crystal can be cut, and the slices per repeat.

    Units are folded into one slice, so that every cut recurs in each slice, and cuts lie in the
    middle of the gaps between them that are wider than the tolerance. Where folding leaves no gap
    (a strongly distorted crystal) the whole repeat counts as one slice; where that has none either,
    the widest gap is taken.

    Returns
    -------
    tuple
        Heights from 0 to 1, ascending, level by level within each slice; slices per repeat.
    """
    real = [
        k for k, c in enumerate(cleavage.units.centres) if cleavage.crystal.numbers[c[0]] != EMPTY
    ]
    slices = cleavage.slices
    folded, gaps = _folded_gaps(cleavage.heights[real], slices)
    if gaps.max() * cleavage.repeat_ang <= plane_tolerance_ang:
        slices = 1
        folded, gaps = _folded_gaps(cleavage.heights[real], slices)
    limit = plane_tolerance_ang / cleavage.repeat_ang
    if cleavage.strict_slices % slices:
        limit = max(limit, GAP_FRACTION * float(gaps.max()))
    limit = min(limit, float(gaps.max()) * (1 - 1e-9))
    wide = gaps > limit
    levels = np.sort((folded[wide] + 0.5 * gaps[wide]) % (1.0 / slices))
    return np.concatenate([levels + k / slices for k in range(slices)]), slices


def _folded_gaps(
    heights: NDArray[np.float64], slices: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return sorted heights modulo one slice, and the gap above each."""
    folded = np.sort(heights % (1.0 / slices))
    return folded, np.diff(np.append(folded, folded[0] + 1.0 / slices))
