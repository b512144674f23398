"""Non-polar faces for type III cuts: part of a boundary plane of ions moves to the other face."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.structure import minimum_image

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

MAX_PATTERNS = 5000
"""More ways than this to choose the ions of a face are sampled at random (seeded)."""

TIE_ANG = 1e-2
"""Patterns whose distances agree to this (angstrom) are ties, settled by the seed."""


@dataclass(frozen=True, eq=False)
class BoundaryPlane:
    """Like ions in the outermost plane of one face, and where the crystal goes on at the other.

    Attributes
    ----------
    ions : ndarray
        Slab indices of the ions. shape=(ions,)
    sites : ndarray
        Cartesian positions, in angstrom, of the sites just beyond the other face that the crystal
        has for such ions. shape=(sites, 3)
    charge_e : float
        Formal charge of one ion.
    """

    ions: NDArray[np.int64]
    sites: NDArray[np.float64]
    charge_e: float


@dataclass(frozen=True, eq=False)
class Move:
    """Which ions of a boundary plane move to which of its sites, by index. shape=(moved,) each."""

    ions: NDArray[np.int64]
    sites: NDArray[np.int64]


def balance(
    positions: NDArray[np.float64],
    plane: BoundaryPlane,
    *,
    dipole_e_ang: float,
    cell: NDArray[np.float64],
    seed: int,
) -> Move | None:
    """Choose the ions of a boundary plane to move so that the dipole of a slab vanishes.

    The number is the one that brings the dipole closest to zero. Which ones: on each face the
    patterns of occupied sites with the largest distances (shortest distance first) are kept; among
    these the pairs of patterns with the largest distances across both faces; among these
    (patterns that symmetry makes equal) the seed picks one.

    Parameters
    ----------
    positions
        Cartesian positions of the slab's atoms, normal along z, in angstrom. shape=(atoms, 3)
    plane
        The ions that may move, and where to.
    dipole_e_ang
        Dipole of the slab before any move.
    cell
        In-plane lattice vectors and any third one, as rows, in angstrom. shape=(3, 3)
    seed
        Settles ties, and samples where there are more than `MAX_PATTERNS` patterns on a face.

    Returns
    -------
    Move or None
        None where leaving all ions in place is best.
    """
    ions = positions[plane.ions]
    span = float(plane.sites[:, 2].mean() - ions[:, 2].mean())
    # half-way cases (one ion, dipole of half an ion) stay: moving would only turn the dipole over
    count = math.ceil(-dipole_e_ang / (plane.charge_e * span) - 0.5 - 1e-6)
    count = min(count, len(ions), len(plane.sites))
    if count < 1:
        return None
    rng = np.random.default_rng(seed)
    distance = _distances(np.vstack([ions, plane.sites]), cell)
    here, there = range(len(ions)), range(len(ions), len(distance))
    stay = _farthest(distance, _patterns(here, len(ions) - count, rng))
    fill = _farthest(distance, _patterns(there, count, rng))
    both = itertools.islice(itertools.product(stay, fill), MAX_PATTERNS)
    best = _farthest(distance, (a + b for a, b in both))
    chosen = best[int(rng.integers(len(best)))]
    moved = [k for k in here if k not in chosen]
    filled = [k - len(ions) for k in chosen if k in there]
    return Move(np.array(moved, dtype=np.int64), np.array(filled, dtype=np.int64))


def _patterns(sites: range, count: int, rng: np.random.Generator) -> Iterator[tuple[int, ...]]:
    """Yield all choices of some sites, or a seeded sample where they are many."""
    if math.comb(len(sites), count) <= MAX_PATTERNS:
        yield from itertools.combinations(sites, count)
        return
    for _ in range(MAX_PATTERNS):
        yield tuple(sorted(int(i) for i in rng.choice(np.array(sites), count, replace=False)))


def _farthest(
    distance: NDArray[np.float64], patterns: Iterable[tuple[int, ...]]
) -> list[tuple[int, ...]]:
    """Return the patterns whose sorted distances are lexicographically largest, ties included."""
    scored = []
    for pattern in patterns:
        i, j = np.triu_indices(len(pattern), k=1)
        index = np.array(pattern, dtype=np.int64)
        scored.append((np.sort(distance[index[i], index[j]]), pattern))
    for column in range(len(scored[0][0])):
        top = max(float(d[column]) for d, _ in scored)
        scored = [(d, p) for d, p in scored if d[column] > top - TIE_ANG]
    return [p for _, p in scored]


def _distances(points: NDArray[np.float64], cell: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return distances between points that repeat in the plane. shape=(points, points)."""
    vectors = (points[None, :, :] - points[:, None, :]).reshape(-1, 3)
    short = minimum_image(vectors, cell, (True, True, False))
    return np.asarray(np.linalg.norm(short, axis=1).reshape(len(points), len(points)))
