"""What follows from the bonds of a molecule: angles, torsions, and which pairs interact."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from superionic.structures.molecule import Neighbours


@dataclass(frozen=True)
class BondedTerms:
    """Tuples of atoms of one molecule that bonded terms may act on.

    Attributes
    ----------
    bonds, angles, torsions : tuple
        Pairs, triples and quadruples along bonds, each once.
    excluded : tuple
        Pairs one or two bonds apart, the lower atom first.
    pairs_14 : tuple
        Pairs three bonds apart, and not nearer by another way round a ring.
    """

    bonds: tuple[tuple[int, int], ...]
    angles: tuple[tuple[int, int, int], ...]
    torsions: tuple[tuple[int, int, int, int], ...]
    excluded: tuple[tuple[int, int], ...]
    pairs_14: tuple[tuple[int, int], ...]


def bonded_terms(neighbours: Neighbours) -> BondedTerms:
    """Return all tuples of atoms along bonds."""
    bonds = tuple((i, j) for i, near in enumerate(neighbours) for j in near if i < j)
    angles = tuple((i, j, k) for j, near in enumerate(neighbours) for i, k in combinations(near, 2))
    torsions = tuple(
        (i, j, k, m)
        for j, k in bonds
        for i in neighbours[j]
        for m in neighbours[k]
        if i != k and m != j and i != m
    )
    excluded = {*bonds, *(_pair(i, k) for i, _, k in angles)}
    far = {_pair(i, m) for i, _, _, m in torsions} - excluded
    return BondedTerms(
        bonds=bonds,
        angles=angles,
        torsions=torsions,
        excluded=tuple(sorted(excluded)),
        pairs_14=tuple(sorted(far)),
    )


def _pair(i: int, j: int) -> tuple[int, int]:
    return (i, j) if i < j else (j, i)
