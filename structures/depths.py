"""Where points of a slab lie: depth below the nearer face, and which way a hop goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from superionic.structures.structure import readonly

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from superionic.structures.structure import Structure

Direction = Literal["lateral", "outward", "inward"]
"""How a hop lies to the nearer face of a slab."""

LATERAL_SINE = float(np.sin(np.pi / 4))
"""A hop is lateral when it climbs by at most this fraction of its length (45 degrees)."""

SLAB_GAP_ANG = 6.0
"""A gap between planes of atoms from which on a structure is a slab, in angstrom."""

MINIMUM_VACUUM_ANG = 8.0
"""Least vacuum in angstrom: the farthest a shipped potential looks (6 A) and 2 A for relaxation."""

_ENDLESS_ANG = 1000.0  # stands for a vacuum that never ends


@dataclass(frozen=True, eq=False)
class Faces:
    """The two outermost planes of atoms of a slab.

    Attributes
    ----------
    normal : ndarray
        Unit vector across the slab. shape=(3,)
    bottom_ang, thickness_ang, period_ang : float
        Height of the lowest atom along the normal, distance from it to the highest atom (through
        the solid, also where the cell boundary cuts the slab), and repeat distance, in angstrom.
    """

    normal: NDArray[np.float64]
    bottom_ang: float
    thickness_ang: float
    period_ang: float

    def __post_init__(self) -> None:
        """Freeze the array."""
        object.__setattr__(self, "normal", readonly(self.normal, np.float64))

    @property
    def gap_ang(self) -> float:
        """Empty height between the slab and its next image, in angstrom."""
        return self.period_ang - self.thickness_ang

    def heights(self, points: ArrayLike) -> NDArray[np.float64]:
        """Return heights above the lower face in angstrom, cut in mid-vacuum. shape=(n,)."""
        above = np.asarray(points, dtype=float).reshape(-1, 3) @ self.normal - self.bottom_ang
        return np.asarray((above + self.gap_ang / 2) % self.period_ang - self.gap_ang / 2)

    def depths(self, points: ArrayLike) -> NDArray[np.float64]:
        """Return depths below the nearer face in angstrom, negative outside. shape=(n,)."""
        heights = self.heights(points)
        return np.asarray(np.minimum(heights, self.thickness_ang - heights))

    def direction(self, start: ArrayLike, displacement: ArrayLike) -> Direction:
        """Say whether a displacement runs along the faces, or towards or away from the nearer."""
        vector = np.asarray(displacement, dtype=float)
        rise = float(vector @ self.normal)
        # a hair of slack, so that a climb of exactly 45 degrees is lateral in every orientation
        if abs(rise) <= (LATERAL_SINE + 1e-9) * float(np.linalg.norm(vector)):
            return "lateral"
        middle = float(self.heights(np.asarray(start, dtype=float) + vector / 2)[0])
        upper = middle > self.thickness_ang / 2
        return "outward" if (rise > 0) == upper else "inward"


def slab_faces(structure: Structure, axis: int) -> Faces:
    """Find the faces of a slab from the widest gap between its atoms across a lattice vector.

    Parameters
    ----------
    structure
        The slab; it may be cut in two by the cell boundary.
    axis
        The lattice vector that crosses the vacuum. Where it does not repeat, the vacuum is endless.
    """
    first, second = structure.cell[(axis + 1) % 3], structure.cell[(axis + 2) % 3]
    normal = np.cross(first, second)
    normal /= np.linalg.norm(normal)
    period = float(structure.cell[axis] @ normal)
    if period < 0:
        normal, period = -normal, -period
    if not structure.pbc[axis]:
        plain = structure.positions @ normal
        thickness = float(np.ptp(plain))
        return Faces(normal, float(plain.min()), thickness, thickness + _ENDLESS_ANG)
    heights = np.sort(structure.positions @ normal % period)
    gaps = np.diff(np.append(heights, heights[0] + period))
    widest = int(np.argmax(gaps))
    bottom = float(heights[(widest + 1) % len(heights)])
    return Faces(normal, bottom, period - float(gaps[widest]), period)


def vacuum_axis(structure: Structure, *, min_gap_ang: float = 6.0) -> int | None:
    """Return the lattice vector across a vacuum, or None for a crystal.

    A vacuum is a gap between planes of atoms, measured across the other two lattice vectors; where
    several axes have one, the widest counts.
    """
    gaps = [
        faces.period_ang - faces.thickness_ang
        for faces in (slab_faces(structure, axis) for axis in range(3))
    ]
    widest = int(np.argmax(gaps))
    return widest if gaps[widest] >= min_gap_ang else None
