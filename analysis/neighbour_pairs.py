"""Pairs of particles nearer than a cutoff in any periodic cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.pair_histogram import widest_sphere_ang
from superionic.structures.errors import TrajectoryError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

PAIRS_AT_ONCE = 400_000


def pairs_within(
    first: ArrayLike, second: ArrayLike, cell: ArrayLike, *, cutoff_ang: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the indices of all pairs nearer than a cutoff, periodic images included.

    Parameters
    ----------
    first, second
        Positions in angstrom, wrapped or not. shape=(n, 3)
    cell
        Lattice vectors as rows in angstrom. shape=(3, 3)
    cutoff_ang
        In angstrom, within the largest sphere in the cell.

    Returns
    -------
    tuple of ndarray
        Indices into both, sorted by the first and then the second. shape=(pairs,) each

    Raises
    ------
    TrajectoryError
        No cell, a cell too small for the cutoff, or positions that are not finite.
    """
    a, b, h = (np.asarray(x, dtype=np.float64) for x in (first, second, cell))
    if h.shape != (3, 3) or abs(np.linalg.det(h)) < 1e-6:
        raise TrajectoryError("There is no periodic cell; give the lattice vectors of each frame.")
    if a.ndim != 2 or b.ndim != 2 or a.shape[1:] != (3,) or b.shape[1:] != (3,):
        raise TrajectoryError(f"Expected positions (n, 3) of both kinds; {a.shape}, {b.shape}.")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise TrajectoryError("A frame holds positions that are not finite numbers.")
    widest = widest_sphere_ang(h)
    if not 0 < cutoff_ang <= widest:
        raise TrajectoryError(
            f"The cutoff of {cutoff_ang:g} A must be positive and within the cell, which holds "
            f"spheres of {widest:.2f} A."
        )
    if np.count_nonzero(h - np.diag(np.diag(h))) == 0:
        return _by_tree(a, b, np.abs(np.diag(h)), cutoff_ang)
    return _by_rounding(a, b, h, cutoff_ang)


def _by_tree(
    a: NDArray[np.float64], b: NDArray[np.float64], size: NDArray[np.float64], cutoff: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Search in a cuboid with two trees."""
    from scipy.spatial import cKDTree

    inside = [np.where(w >= size, 0.0, w) for w in (x % size for x in (a, b))]
    found = cKDTree(inside[0], boxsize=size).query_ball_tree(
        cKDTree(inside[1], boxsize=size), cutoff
    )
    counts = np.array([len(f) for f in found], dtype=np.int64)
    i = np.repeat(np.arange(len(a)), counts)
    j = np.array([x for f in found for x in sorted(f)], dtype=np.int64)
    return i, j


def _by_rounding(
    a: NDArray[np.float64], b: NDArray[np.float64], h: NDArray[np.float64], cutoff: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Search in any cell: vectors within the cutoff have fractions below one half in magnitude."""
    inverse = np.linalg.inv(h)
    fa, fb = a @ inverse, b @ inverse
    first, second = [], []
    step = max(1, PAIRS_AT_ONCE // max(len(b), 1))
    for start in range(0, len(a), step):
        gap = fa[start : start + step, None, :] - fb[None, :, :]
        gap -= np.rint(gap)
        near = ((gap @ h) ** 2).sum(axis=2) <= cutoff**2
        i, j = np.nonzero(near)
        first.append(i + start)
        second.append(j)
    return np.concatenate(first).astype(np.int64), np.concatenate(second).astype(np.int64)
