"""Histograms of distances between two sets of particles in any periodic cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PAIRS_AT_ONCE = 400_000
ALL_PAIRS = 3_000_000
"""More pairs than this are searched by a tree, where the cell is a cuboid."""


def widest_sphere_ang(cell: NDArray[np.float64]) -> float:
    """Return the radius of the largest sphere inside a cell: half its least width, in angstrom."""
    volume = abs(np.linalg.det(cell))
    faces = np.cross(cell[[1, 2, 0]], cell[[2, 0, 1]])
    return float(0.5 * (volume / np.linalg.norm(faces, axis=1)).min())


def pair_histogram(
    centres: NDArray[np.float64],
    others: NDArray[np.float64],
    cell: NDArray[np.float64],
    *,
    edges_ang: NDArray[np.float64],
    groups: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None,
) -> NDArray[np.int64]:
    """Count pairs by distance; a particle in both sets counts as its own neighbour.

    A vector shorter than half the least width of a cell has fractional coordinates below one half
    in magnitude, so that rounding finds it in a skewed cell too.

    Parameters
    ----------
    centres, others
        Positions in angstrom. shape=(n, 3)
    cell
        Lattice vectors as rows in angstrom. shape=(3, 3)
    edges_ang
        Evenly spaced edges of shells from 0 on, in angstrom, the last within the largest sphere in
        the cell. shape=(bins + 1,)
    groups
        Molecules of both sets; pairs within one are not counted.

    Returns
    -------
    ndarray
        Pairs in each shell. shape=(bins,)
    """
    bins, width = len(edges_ang) - 1, float(edges_ang[1])
    inverse = np.linalg.inv(cell)
    a, b = centres @ inverse, others @ inverse
    cuboid = np.count_nonzero(cell - np.diag(np.diag(cell))) == 0
    if cuboid and len(a) * len(b) > ALL_PAIRS:
        return _by_tree(a, b, np.diag(cell), bins, width, groups)
    counts = np.zeros(bins, dtype=np.int64)
    metric = cell @ cell.T
    step = max(1, PAIRS_AT_ONCE // len(b))
    for start in range(0, len(a), step):
        rows = slice(start, start + step)
        squared = _squared_distances(a[rows], b, metric, cuboid=cuboid)
        if groups is not None:
            squared[groups[0][rows, None] == groups[1][None, :]] = np.inf
        near = squared[squared < edges_ang[-1] ** 2]
        shells = (np.sqrt(near) / width).astype(np.int64)
        counts += np.bincount(np.minimum(shells, bins - 1), minlength=bins)
    return counts


def _squared_distances(
    a: NDArray[np.float64], b: NDArray[np.float64], metric: NDArray[np.float64], *, cuboid: bool
) -> NDArray[np.float64]:
    """Return squared distances of rounded fractional vectors. shape=(a, b)."""
    vectors = []
    for k in range(3):
        difference = a[:, None, k] - b[None, :, k]
        difference -= np.rint(difference)
        vectors.append(difference)
    squared = np.zeros_like(vectors[0])
    for k in range(3):
        squared += metric[k, k] * vectors[k] ** 2
        for m in range(k) if not cuboid else ():
            squared += 2.0 * metric[k, m] * vectors[k] * vectors[m]
    return squared


def _by_tree(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    lengths: NDArray[np.float64],
    bins: int,
    width: float,
    groups: tuple[NDArray[np.int64], NDArray[np.int64]] | None,
) -> NDArray[np.int64]:
    """Count pairs in a cuboid with two trees, some centres at a time."""
    from scipy.spatial import cKDTree

    size = np.abs(lengths)
    first, second = ((x % 1.0) % 1.0 * size for x in (a, b))
    tree = cKDTree(second, boxsize=size)
    counts = np.zeros(bins, dtype=np.int64)
    limit = bins * width
    for start in range(0, len(first), 2000):
        rows = slice(start, start + 2000)
        pairs = cKDTree(first[rows], boxsize=size).sparse_distance_matrix(
            tree, limit, output_type="ndarray"
        )
        keep = pairs["v"] < limit
        if groups is not None:
            keep &= groups[0][rows][pairs["i"]] != groups[1][pairs["j"]]
        shells = (pairs["v"][keep] / width).astype(np.int64)
        counts += np.bincount(np.minimum(shells, bins - 1), minlength=bins)
    return counts
