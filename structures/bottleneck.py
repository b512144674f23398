"""The narrowest window on a straight path: its radius and the triangle of anions around it."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from superionic.structures.geometry import images_within, segment_distances

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from superionic.structures.structure import Structure

PAULING = {
    1: 2.20, 5: 2.04, 6: 2.55, 7: 3.04, 8: 3.44, 9: 3.98, 14: 1.90, 15: 2.19, 16: 2.58,
    17: 3.16, 32: 2.01, 33: 2.18, 34: 2.55, 35: 2.96, 51: 2.05, 52: 2.10, 53: 2.66,
}  # fmt: skip
"""Pauling electronegativity of the elements that form anions, by atomic number (CRC Handbook)."""

_METAL = 1.5  # any element not listed counts as a cation beside a listed one
_TIE_ANG = 1e-3


class Bottleneck(NamedTuple):
    """Narrowest point of a straight path through a framework at rest.

    Attributes
    ----------
    radius_ang : float or None
        Distance to the nearest framework atom at that point, in angstrom; None when there is no
        framework (an elemental crystal).
    area_ang2 : float or None
        Area of the triangle of the three nearest anions, in square angstrom; None when fewer than
        three anions are within reach.
    fraction : float or None
        Where on the path it is, 0 at the start and 1 at the end.
    """

    radius_ang: float | None
    area_ang2: float | None
    fraction: float | None


def find_bottleneck(
    structure: Structure,
    start: ArrayLike,
    end: ArrayLike,
    *,
    ion: str,
    anions: NDArray[np.bool_] | None = None,
) -> Bottleneck:
    """Return the narrowest point of the straight line between two points of a crystal.

    All atoms that are not of the mobile element form the framework and stay where they are. The
    narrowest point is the one nearest to a framework atom; the window is the triangle of the three
    anions nearest to it (the smallest triangle where several are equally near).

    Parameters
    ----------
    structure
        The crystal.
    start, end
        Cartesian ends of the path in angstrom, not wrapped. shape=(3,)
    ion
        Chemical symbol of the mobile element.
    anions
        Which atoms count as anions; by default `anion_mask` decides. shape=(atoms,)
    """
    framework = np.array([symbol != ion for symbol in structure.symbols])
    if not framework.any():
        return Bottleneck(None, None, None)
    first, last = np.asarray(start, dtype=float), np.asarray(end, dtype=float)
    centre, half = (first + last) / 2, float(np.linalg.norm(last - first)) / 2
    positions = structure.positions[framework]
    mask = anion_mask(structure) if anions is None else anions
    ring_atoms = np.flatnonzero(mask[framework])
    reach = half + 4.0
    for _ in range(5):
        near = images_within(
            positions, structure.cell, structure.pbc, centre=centre, radius_ang=reach
        )
        if np.isin(near.indices, ring_atoms).sum() >= 3:
            break
        reach *= 1.5
    if not len(near.indices):
        return Bottleneck(None, None, None)
    distances, fractions = segment_distances(near.positions, first, last)
    nearest = _first_of_ties(distances, fractions)
    point = first + fractions[nearest] * (last - first)
    ring = near.positions[np.isin(near.indices, ring_atoms)]
    area = _smallest_triangle(ring, point) if len(ring) >= 3 else None
    return Bottleneck(float(distances[nearest]), area, float(fractions[nearest]))


def anion_mask(structure: Structure) -> NDArray[np.bool_]:
    """Return which atoms are anions: at least as electronegative as every atom bonded to them.

    An atom is bonded to those within 1.25 times its shortest distance to an atom of another
    element (4 A at most), so that S is an anion in PS4 and a cation in SO4. An
    atom of such an element with no other beside it counts as an anion. shape=(atoms,)
    """
    from ase.neighborlist import neighbor_list

    scale = np.array([PAULING.get(int(z), _METAL) for z in structure.numbers])
    i, j, distance = neighbor_list("ijd", structure.to_ase(), 4.0)
    other = structure.numbers[i] != structure.numbers[j]
    i, j, distance = i[other], j[other], distance[other]
    shortest = np.full(len(structure), np.inf)
    np.minimum.at(shortest, i, distance)
    bonded = distance <= 1.25 * shortest[i]
    strongest = np.zeros(len(structure))
    np.maximum.at(strongest, i[bonded], scale[j[bonded]])
    return np.asarray((scale > _METAL) & (strongest <= scale))


def _first_of_ties(distances: NDArray[np.float64], fractions: NDArray[np.float64]) -> int:
    """Return the nearest atom; among equally near ones, the one nearest to the path's middle."""
    tied = np.flatnonzero(distances <= distances.min() + _TIE_ANG)
    return int(tied[np.argmin(np.abs(fractions[tied] - 0.5))])


def _smallest_triangle(points: NDArray[np.float64], centre: NDArray[np.float64]) -> float | None:
    """Return the area of the triangle of the three points nearest to a centre."""
    distances = np.linalg.norm(points - centre, axis=1)
    third = np.sort(distances)[2]
    sure = points[distances < third - _TIE_ANG]
    tied = points[np.abs(distances - third) <= _TIE_ANG]
    areas = []
    for chosen in combinations(range(len(tied)), 3 - len(sure)):
        a, b, c = np.concatenate([sure, tied[list(chosen)]])
        areas.append(float(np.linalg.norm(np.cross(b - a, c - a))) / 2)
    # three tied points may lie on a line, which is no window
    windows = [area for area in areas if area > 1e-3]
    return min(windows, default=None)
