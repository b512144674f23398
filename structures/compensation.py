"""Non-polar faces for type III cuts: part of a boundary plane of ions moves to the other face."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.electrostatics import ewald_matrix
from superionic.structures.polarity import dipole_e_ang
from superionic.structures.structure import minimum_image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

MAX_PATTERNS = 5000
"""More ways than this to choose the ions of a face are sampled at random (seeded)."""

TIE_ANG = 1e-2
"""Patterns on a face whose distances agree to this (angstrom) are equally spread out."""

TIE_EV = 1e-4
"""Slabs whose point-charge energies agree to this (eV) are equal; the seed picks one."""

ENERGY_VACUUM_ANG = 20.0
"""Vacuum in angstrom in which slabs are compared."""


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
    charges: NDArray[np.float64],
    plane: BoundaryPlane,
    *,
    cell: NDArray[np.float64],
    seed: int,
) -> Move | None:
    """Choose the ions of a boundary plane to move so that the dipole of a slab vanishes.

    The number is the one that brings the dipole closest to zero. Which ones: on each face the
    patterns of occupied sites with the largest distances (shortest distance first) are kept; of
    their combinations the one with the lowest energy of point charges; of equal ones (to
    `TIE_EV`: symmetry relates them) the seed picks one.

    Parameters
    ----------
    positions
        Cartesian positions of the slab's atoms, normal along z, in angstrom. shape=(atoms, 3)
    charges
        Formal charges in e. shape=(atoms,)
    plane
        The ions that may move, and where to.
    cell
        In-plane lattice vectors and the unit normal, as rows, in angstrom. shape=(3, 3)
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
    needed = -dipole_e_ang(charges, positions[:, 2]) / (plane.charge_e * span)
    count = min(math.ceil(needed - 0.5 - 1e-6), len(ions), len(plane.sites))
    if count < 1:
        return None
    rng = np.random.default_rng(seed)
    stay = _farthest(ions, len(ions) - count, cell, rng)
    fill = _farthest(plane.sites, count, cell, rng)
    both = list(itertools.islice(itertools.product(stay, fill), MAX_PATTERNS))
    energies = _energies(positions, charges, plane, both, cell)
    best = np.flatnonzero(energies < energies.min() + TIE_EV)
    kept, filled = both[int(rng.choice(best))]
    moved = [k for k in range(len(ions)) if k not in kept]
    return Move(np.array(moved, dtype=np.int64), np.array(filled, dtype=np.int64))


def _energies(
    positions: NDArray[np.float64],
    charges: NDArray[np.float64],
    plane: BoundaryPlane,
    patterns: list[tuple[tuple[int, ...], tuple[int, ...]]],
    cell: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the point-charge energy in eV of every pattern of ions kept and sites filled."""
    if len(patterns) == 1:
        return np.zeros(1)
    points = np.vstack([positions, plane.sites])
    height = float(np.ptp(points[:, 2])) + ENERGY_VACUUM_ANG
    matrix = ewald_matrix(
        points @ np.linalg.inv(cell * np.array([[1.0], [1.0], [height]])),
        cell * np.array([[1.0], [1.0], [height]]),
    )
    energies = []
    for kept, filled in patterns:
        q = np.append(charges, np.zeros(len(plane.sites)))
        q[plane.ions] = 0.0
        q[plane.ions[list(kept)]] = plane.charge_e
        q[len(charges) + np.array(filled)] = plane.charge_e
        energies.append(float(q @ matrix @ q))
    return np.array(energies)


def _patterns(n: int, count: int, rng: np.random.Generator) -> Iterator[tuple[int, ...]]:
    """Yield all choices of some of n sites, or a seeded sample where they are many."""
    if math.comb(n, count) <= MAX_PATTERNS:
        yield from itertools.combinations(range(n), count)
        return
    for _ in range(MAX_PATTERNS):
        yield tuple(sorted(int(i) for i in rng.choice(n, count, replace=False)))


def _farthest(
    points: NDArray[np.float64],
    count: int,
    cell: NDArray[np.float64],
    rng: np.random.Generator,
) -> list[tuple[int, ...]]:
    """Return the choices whose sorted distances are lexicographically largest, ties included."""
    vectors = (points[None, :, :] - points[:, None, :]).reshape(-1, 3)
    short = minimum_image(vectors, cell, (True, True, False))
    distance = np.linalg.norm(short, axis=1).reshape(len(points), len(points))
    i, j = np.triu_indices(count, k=1)
    scored = []
    for pattern in _patterns(len(points), count, rng):
        index = np.array(pattern, dtype=np.int64)
        scored.append((np.sort(distance[index[i], index[j]]), pattern))
    for column in range(len(i)):
        top = max(float(d[column]) for d, _ in scored)
        scored = [(d, p) for d, p in scored if d[column] > top - TIE_ANG]
    return [p for _, p in scored]
