"""Histograms of distances between two sets of particles in any periodic cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEW_PAIRS = 200_000
"""Fewer pairs than this are all looked at; more are searched box by box."""
LEAST_BOXES = 4
"""Boxes along each lattice vector from which on that is less work."""


def widest_sphere_ang(cell: NDArray[np.float64]) -> float:
    """Return the radius of the largest sphere inside a cell: half its least width, in angstrom."""
    return float(_half_widths(cell).min())


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
        Positions in angstrom; the same array for both halves the work. shape=(n, 3)
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
    from superionic.analysis.loops import all_pairs, near_pairs

    same = others is centres
    mine, theirs = groups or (np.zeros(0, dtype=np.int64),) * 2
    inverse = np.asarray(np.linalg.inv(cell), dtype=np.float64)
    a = _fractions(centres, inverse)
    b = a if same else _fractions(others, inverse)
    counts = np.zeros(len(edges_ang), dtype=np.int64)
    width, metric = float(edges_ang[1]), np.ascontiguousarray(cell @ cell.T)
    boxes = (2.0 * _half_widths(cell) / float(edges_ang[-1])).astype(np.int64)
    if boxes.min() < LEAST_BOXES or len(a) * len(b) < FEW_PAIRS:
        all_pairs(counts, _rows(a), _rows(b), metric, width, mine, theirs, same)
    else:
        order, starts = _into_boxes(a, boxes)
        others_order, others_starts = (order, starts) if same else _into_boxes(b, boxes)
        if groups is not None:
            mine, theirs = mine[order], theirs[others_order]
        near_pairs(
            counts, _rows(a[order]), _rows(b[others_order]), starts, others_starts, boxes, metric,
            width, mine, theirs, same,
        )  # fmt: skip
    if same and groups is None:
        counts[0] += len(a)
    return counts[:-1]


def _half_widths(cell: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return half the distance between each pair of faces in angstrom. shape=(3,)."""
    volume = abs(np.linalg.det(cell))
    faces = np.cross(cell[[1, 2, 0]], cell[[2, 0, 1]])
    return np.asarray(0.5 * volume / np.linalg.norm(faces, axis=1))


def _fractions(x: NDArray[np.float64], inverse: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return fractional coordinates from 0 up to, but not including, 1."""
    inside = (x @ inverse) % 1.0
    inside[inside >= 1.0] = 0.0  # -1e-20 % 1.0 is 1.0
    return np.asarray(inside)


def _rows(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.ascontiguousarray(x.T)


def _into_boxes(
    fractions: NDArray[np.float64], boxes: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the order of particles box by box, and where each box begins."""
    place = np.minimum((fractions * boxes).astype(np.int64), boxes - 1)
    box = (place[:, 0] * boxes[1] + place[:, 1]) * boxes[2] + place[:, 2]
    order = np.argsort(box, kind="stable")
    starts = np.searchsorted(box[order], np.arange(int(boxes.prod()) + 1))
    return order, starts.astype(np.int64)
