"""Groups of covalently bonded atoms that a cut must never part (PO4, SiO4, PS4, CO2R, B12H12)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from ase.data import atomic_numbers, chemical_symbols, covalent_radii

from superionic.structures.axes import EMPTY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

NONMETALS = (
    "H", "B", "C", "N", "O", "F", "Si", "P", "S", "Cl", "As", "Se", "Br", "Te", "I",
)  # fmt: skip
"""Bonds between two of these, at covalent distance, are covalent."""

TETRAHEDRAL = ("Ge", "Sn", "Sb", "V", "Cr", "Mo", "W")
"""Bonds of these to a nonmetal are covalent where at most four neighbours share the atom."""

BOND_FACTOR = 1.2
"""Two atoms bond below this multiple of the sum of their covalent radii (Cordero 2008,
doi 10.1039/b801115j)."""


@dataclass(frozen=True, eq=False)
class Bonds:
    """Pairs of atoms, each bond once.

    Attributes
    ----------
    first, second : ndarray
        Atom indices. shape=(bonds,)
    offsets : ndarray
        Lattice translation of the second atom. shape=(bonds, 3)
    lengths : ndarray
        In angstrom. shape=(bonds,)
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    offsets: NDArray[np.int64]
    lengths: NDArray[np.float64]

    def where(self, keep: NDArray[np.bool_]) -> Bonds:
        """Return the bonds that a mask selects."""
        return Bonds(self.first[keep], self.second[keep], self.offsets[keep], self.lengths[keep])


@dataclass(frozen=True, eq=False)
class Units:
    """What moves as one when a crystal is cut: single atoms and whole polyanions.

    Attributes
    ----------
    unit : ndarray
        Unit that each atom belongs to. shape=(atoms,)
    offsets : ndarray
        Lattice translation that brings each atom next to the others of its unit. shape=(atoms, 3)
    centres : tuple of tuple of int
        Per unit, the atoms whose mean position stands for it: the ones with two or more bonds
        (P of PO4), or all.
    broken : bool
        True where a bonded network runs through the crystal from one side of the plane to the
        other (SiO2), so that any cut must part it; its atoms are then units by themselves.
    """

    unit: NDArray[np.int64]
    offsets: NDArray[np.int64]
    centres: tuple[tuple[int, ...], ...]
    broken: bool

    def members(self, unit: int) -> NDArray[np.int64]:
        """Return the atoms of one unit."""
        return np.flatnonzero(self.unit == unit)


def neighbour_bonds(
    numbers: NDArray[np.int64],
    fractional: NDArray[np.float64],
    cell: NDArray[np.float64],
    cutoff: float | NDArray[np.float64],
) -> Bonds:
    """Return all pairs closer than a cutoff in angstrom, or than the sum of per-atom radii."""
    from ase import Atoms
    from ase.neighborlist import neighbor_list

    atoms = Atoms(numbers=numbers, scaled_positions=fractional, cell=cell, pbc=True)
    i, j, d, shift = neighbor_list("ijdS", atoms, cutoff)
    once = (i < j) | ((i == j) & (np.array([tuple(s) > (0, 0, 0) for s in shift], dtype=bool)))
    bonds = Bonds(i, j, shift, d)
    return bonds.where(once) if len(d) else bonds


def covalent_bonds(
    numbers: NDArray[np.int64],
    fractional: NDArray[np.float64],
    cell: NDArray[np.float64],
    *,
    keep_together: Sequence[tuple[str, str]] | None = None,
) -> Bonds:
    """Find the bonds that a cut must not part.

    Parameters
    ----------
    numbers, fractional, cell
        The crystal; `EMPTY` marks an empty site, which never bonds.
    keep_together
        Pairs of elements whose bonds are kept, e.g. ``(("Si", "O"), ("P", "O"))``; ``()`` keeps
        none; None (default) decides from `NONMETALS` and `TETRAHEDRAL`. A bond is any distance
        below `BOND_FACTOR` times the sum of covalent radii.
    """
    radii = BOND_FACTOR * covalent_radii[numbers]
    radii[numbers == EMPTY] = 0.0
    bonds = neighbour_bonds(numbers, fractional, cell, radii)
    pairs = np.stack([numbers[bonds.first], numbers[bonds.second]], axis=1)
    if keep_together is not None:
        wanted = {frozenset(atomic_numbers[s] for s in pair) for pair in keep_together}
        keep = np.array([frozenset(int(z) for z in p) in wanted for p in pairs], dtype=bool)
        return bonds.where(keep)
    nonmetal = np.isin(numbers, [atomic_numbers[s] for s in NONMETALS])
    ends = np.r_[bonds.first[nonmetal[bonds.second]], bonds.second[nonmetal[bonds.first]]]
    neighbours = np.bincount(ends, minlength=len(numbers))
    soft = np.isin(numbers, [atomic_numbers[s] for s in TETRAHEDRAL]) & (neighbours <= 4)
    covalent = nonmetal | soft
    keep = covalent[bonds.first] & covalent[bonds.second]
    keep &= nonmetal[bonds.first] | nonmetal[bonds.second]
    return bonds.where(keep)


def whole_units(numbers: NDArray[np.int64], bonds: Bonds, miller: tuple[int, int, int]) -> Units:
    """Group bonded atoms into units that stay whole when cut along a plane.

    Parameters
    ----------
    numbers
        Atomic numbers. shape=(atoms,)
    bonds
        The bonds to keep, from :func:`covalent_bonds`.
    miller
        The plane in the axes of the bonds' cell. A unit may be endless within the plane (a sheet),
        not across it.
    """
    n = len(numbers)
    edges: list[list[tuple[int, NDArray[np.int64]]]] = [[] for _ in range(n)]
    for a, b, shift in zip(bonds.first, bonds.second, bonds.offsets, strict=True):
        edges[a].append((int(b), shift))
        edges[b].append((int(a), -shift))
    unit = np.full(n, -1, dtype=np.int64)
    offsets = np.zeros((n, 3), dtype=np.int64)
    centres: list[tuple[int, ...]] = []
    broken = False
    for start in range(n):
        if unit[start] >= 0:
            continue
        members, across = _walk(start, edges, offsets, np.array(miller))
        broken |= across
        for group in [[m] for m in members] if across else [members]:
            unit[group] = len(centres)
            inner = [m for m in group if len(edges[m]) > 1]
            centres.append(tuple(inner if inner and not across else group))
        if across:
            offsets[members] = 0
    return Units(unit, offsets, tuple(centres), broken)


def _walk(
    start: int,
    edges: list[list[tuple[int, NDArray[np.int64]]]],
    offsets: NDArray[np.int64],
    miller: NDArray[np.int64],
) -> tuple[list[int], bool]:
    """Collect the atoms bonded to one, set their offsets, and say if they run across the plane."""
    seen = {start}
    queue = [start]
    across = False
    for atom in queue:
        for other, shift in edges[atom]:
            offset = offsets[atom] + shift
            if other in seen:
                across |= bool((offset - offsets[other]) @ miller != 0)
                continue
            offsets[other] = offset
            seen.add(other)
            queue.append(other)
    return sorted(seen), across


def unit_name(numbers: NDArray[np.int64]) -> str:
    """Return the formula of one unit, rarest element first: ``PO4``, ``Na``."""
    symbols = [chemical_symbols[z] for z in numbers if z != EMPTY]
    counts = {s: symbols.count(s) for s in sorted(set(symbols))}
    parts = sorted(counts.items(), key=lambda item: item[1])
    return "".join(s + (str(c) if c > 1 else "") for s, c in parts)
