"""Faces of a slab: which way is out, and the lattice and symmetry along them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from superionic.structures.depths import SLAB_GAP_ANG, slab_faces, vacuum_axis
from superionic.structures.errors import AdsorptionError
from superionic.structures.structure import Structure, readonly
from superionic.structures.symmetry import symmetry_operations

if TYPE_CHECKING:
    from numpy.typing import NDArray

Side = Literal["top", "bottom"]
"""Which face of a slab: that at the end of the vacuum axis, or that at its start."""


@dataclass(frozen=True, eq=False)
class Face:
    """One face of a slab, as seen from the vacuum.

    Attributes
    ----------
    slab : Structure
        The slab with its atoms brought to one side of the vacuum; the order is kept.
    axis : int
        Lattice vector across the vacuum.
    normal : ndarray
        Unit vector out of the face. shape=(3,)
    plane : ndarray
        Two short lattice vectors along the face, in angstrom. shape=(2, 3)
    top_ang : float
        Height of the outermost atom along the normal, in angstrom.
    thickness_ang : float
        Of the slab, in angstrom.
    """

    slab: Structure
    axis: int
    normal: NDArray[np.float64]
    plane: NDArray[np.float64]
    top_ang: float
    thickness_ang: float

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        object.__setattr__(self, "normal", readonly(self.normal, np.float64))
        object.__setattr__(self, "plane", readonly(self.plane, np.float64))

    @property
    def axes(self) -> NDArray[np.float64]:
        """Two directions along the face that only its normal decides. shape=(2, 3)."""
        start = np.eye(3)[int(np.argmin(np.round(np.abs(self.normal), 6)))]
        first = start - (start @ self.normal) * self.normal
        first /= np.linalg.norm(first)
        return np.array([first, np.cross(self.normal, first)])

    @property
    def in_plane(self) -> tuple[bool, bool, bool]:
        """Which lattice vectors run along the face."""
        return (self.axis != 0, self.axis != 1, self.axis != 2)

    def apart(self, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the lengths along the face of vectors, nearest images. shape=(n,)."""
        lattice = self.plane @ self.axes.T
        flat = np.reshape(vectors, (-1, 3)) @ self.axes.T
        flat -= np.rint(flat @ np.linalg.inv(lattice)) @ lattice
        around = np.array([[i, j] for i in (-1, 0, 1) for j in (-1, 0, 1)]) @ lattice
        return np.asarray(np.linalg.norm(flat[:, None] - around, axis=-1).min(axis=1))

    def replicated(self, atoms: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return images of atoms in the plane that surround those of the middle cell."""
        lattice = self.plane @ self.axes.T
        flat = self.slab.positions[atoms] @ self.axes.T
        fractions = (flat @ np.linalg.inv(lattice)) % 1.0
        reach = 1.5 * float(np.linalg.norm(lattice, axis=1).sum()) + 1.0
        spacing = abs(np.linalg.det(lattice)) / np.linalg.norm(lattice, axis=1)[::-1]
        many, few = (np.ceil(reach / spacing) + 1).astype(int)
        cells = [[i, j] for i in range(-many, many + 1) for j in range(-few, few + 1)]
        shifts = np.array(cells) @ lattice
        points = (fractions @ lattice)[None] + shifts[:, None]
        return points.reshape(-1, 2), np.tile(atoms, len(shifts))

    def operations(self, symprec: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return rotations and shifts, Cartesian, of the slab that leave the face where it is."""
        cell = np.vstack([self.plane, (self.thickness_ang + 20.0) * self.normal])
        upright = replace(self.slab, cell=cell, pbc=(True, True, True))
        found = symmetry_operations(upright, symprec_ang=symprec)
        turns = np.einsum("ji,ojk,lk->oil", cell, found.rotations, np.linalg.inv(cell))
        keep = np.abs(turns @ self.normal - self.normal).max(axis=1) < 1e-3
        return turns[keep], (found.translations @ cell)[keep]


def find_face(slab: Structure, side: Side = "top") -> Face:
    """Return a face of a slab.

    Raises
    ------
    AdsorptionError
        The structure has no vacuum, or the side is none.
    """
    if side not in ("top", "bottom"):
        raise AdsorptionError(f"A slab has a 'top' and a 'bottom' side; got {side!r}.")
    axis = vacuum_axis(slab)
    if axis is None or sum(slab.pbc) < 2 or not all(slab.pbc[k] for k in range(3) if k != axis):
        raise AdsorptionError(
            f"{slab.formula} is no slab: expected two periodic directions and a vacuum of at least "
            f"{SLAB_GAP_ANG:g} A across them. Cut one from the crystal (`build_slab`, `superionic "
            "structure slab`)."
        )
    faces = slab_faces(slab, axis)
    heights = slab.positions @ faces.normal
    turns = np.rint((faces.heights(slab.positions) + faces.bottom_ang - heights) / faces.period_ang)
    across = slab.cell[axis] * (1.0 if slab.cell[axis] @ faces.normal > 0 else -1.0)
    whole = slab.with_positions(slab.positions + turns[:, None] * across)
    normal = faces.normal if slab.cell[axis] @ faces.normal > 0 else -faces.normal
    normal = normal if side == "top" else -normal
    return Face(
        slab=whole,
        axis=axis,
        normal=normal,
        plane=_short_plane(slab.cell[[k for k in range(3) if k != axis]]),
        top_ang=float((whole.positions @ normal).max()),
        thickness_ang=faces.thickness_ang,
    )


def _short_plane(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the two shortest vectors of a lattice in the plane (Gauss reduction)."""
    a, b = vectors
    while True:
        if a @ a > b @ b:
            a, b = b, a
        turns = np.rint(a @ b / (a @ a))
        if turns == 0:
            return np.array([a, b])
        b = b - turns * a
