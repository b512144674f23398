"""Periodic geometry shared by hops, voids and slabs: images in a sphere, distance to a segment."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray


class Images(NamedTuple):
    """Periodic images of points.

    Attributes
    ----------
    positions : ndarray
        Cartesian positions in angstrom. shape=(images, 3)
    indices : ndarray
        Which point each is an image of. shape=(images,)
    shifts : ndarray
        Lattice vectors added to that point, as integers. shape=(images, 3)
    """

    positions: NDArray[np.float64]
    indices: NDArray[np.int64]
    shifts: NDArray[np.int64]


def images_within(
    positions: ArrayLike,
    cell: ArrayLike,
    pbc: Sequence[bool],
    *,
    centre: ArrayLike,
    radius_ang: float,
) -> Images:
    """Return all periodic images of points that lie inside a sphere, in any cell.

    Parameters
    ----------
    positions
        Cartesian points in angstrom, not necessarily wrapped. shape=(n, 3)
    cell
        Lattice vectors as rows, in angstrom. shape=(3, 3)
    pbc
        Which lattice vectors repeat.
    centre
        Centre of the sphere in angstrom. shape=(3,)
    radius_ang
        Radius of the sphere in angstrom.
    """
    points = np.asarray(positions, dtype=float).reshape(-1, 3)
    lattice = np.asarray(cell, dtype=float)
    inverse = np.linalg.inv(lattice)
    offset = (points - np.asarray(centre, dtype=float)) @ inverse
    base = np.where(np.asarray(pbc), -np.round(offset), 0.0).astype(np.int64)
    # one over the spacing of lattice planes is the length of a reciprocal vector
    reach = np.floor(radius_ang * np.linalg.norm(inverse, axis=0) + 0.5).astype(int)
    reach = np.where(np.asarray(pbc), reach, 0)
    grid = np.stack(np.meshgrid(*(np.arange(-m, m + 1) for m in reach), indexing="ij"), axis=-1)
    grid = grid.reshape(-1, 3)
    shifts = base[:, None, :] + grid[None, :, :]
    relative = (offset[:, None, :] + shifts) @ lattice
    inside = np.einsum("nkc,nkc->nk", relative, relative) <= radius_ang**2
    index, _ = np.nonzero(inside)
    found = shifts[inside]
    return Images(points[index] + found @ lattice, index, found)


def segment_distances(
    points: ArrayLike, start: ArrayLike, end: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the distance of points to a straight segment, and where on it they are nearest.

    Parameters
    ----------
    points
        Cartesian points in angstrom. shape=(n, 3)
    start, end
        Ends of the segment in angstrom. shape=(3,)

    Returns
    -------
    distances : ndarray
        In angstrom. shape=(n,)
    fractions : ndarray
        Nearest point of the segment, 0 at the start and 1 at the end. shape=(n,)
    """
    origin = np.asarray(start, dtype=float)
    along = np.asarray(end, dtype=float) - origin
    relative = np.asarray(points, dtype=float) - origin
    fractions = np.clip(relative @ along / float(along @ along), 0.0, 1.0)
    distances = np.linalg.norm(relative - fractions[:, None] * along, axis=1)
    return distances, fractions
