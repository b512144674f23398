"""Which atoms of a box may not come near each other, how near they may, and how near they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from ase.data import chemical_symbols

from superionic.structures.contacts import vdw_radii_ang
from superionic.structures.ion_pairs import CATION_RADII_ANG, DONOR_RADII_ANG
from superionic.structures.tiling import tiled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from superionic.structures.box import Box, Component

CONTACT_SHARE = 0.75
"""Two molecules touch where two atoms are at this share of the sum of their van der Waals radii."""
BONDS_APART = 3
"""In a chain, atoms joined by so many bonds or fewer are not looked at."""


@dataclass(frozen=True)
class ContactReport:
    """How near atoms of a box are that are not bonded.

    Attributes
    ----------
    shortest_ang : dict
        Pair of elements (``H-O``) -> shortest distance in angstrom; pairs that never come within
        reach are left out. Looked at are atoms of different molecules, or images of one, and in
        polymers those more than three bonds apart.
    lowest_share : float
        The least of all distances in units of the distance at which the two atoms touch.
    closest : tuple of int
        The two atoms to which it belongs.
    """

    shortest_ang: dict[str, float]
    lowest_share: float
    closest: tuple[int, int]


def contact_radii_ang(component: Component) -> NDArray[np.float64]:
    """Return radii in angstrom such that two atoms of a box touch at their sum. shape=(atoms,).

    `CONTACT_SHARE` of the van der Waals radius; for a bare cation what brings it to an oxygen as
    near as the sum of their ionic radii: Na-O 2.34 A, Li-O 1.94 A.
    """
    radii = CONTACT_SHARE * vdw_radii_ang(component.molecule.structure.numbers)
    if component.is_bare_cation:
        ionic = CATION_RADII_ANG.get(component.molecule.symbols[0])
        if ionic is not None:
            oxygen = CONTACT_SHARE * float(vdw_radii_ang([8])[0])
            radii = np.array([ionic + DONOR_RADII_ANG["O"] - oxygen])
    return np.asarray(radii)


def bonded_pairs(component: Component, most: int) -> NDArray[np.int64]:
    """Return pairs of atoms of one molecule joined by at most so many bonds. shape=(pairs, 2)."""
    neighbours: list[list[int]] = [[] for _ in range(component.atoms)]
    for i, j, _ in component.molecule.bonds:
        neighbours[i].append(j)
        neighbours[j].append(i)
    found = []
    for start in range(component.atoms):
        seen = {start}
        shell = [start]
        for _ in range(most):
            shell = [m for k in shell for m in neighbours[k] if m not in seen]
            seen.update(shell)
        found += [(start, k) for k in sorted(seen) if k > start]
    return np.array(found, dtype=np.int64).reshape(-1, 2)


class NonBonded:
    """Finds pairs of atoms of a box that are not bonded.

    Parameters
    ----------
    components
        What is in the box.
    edges_ang
        Edges of its cell in angstrom. shape=(3,)

    Attributes
    ----------
    radii : ndarray
        Contact radius of each atom in angstrom. shape=(atoms,)
    """

    def __init__(self, components: Sequence[Component], edges_ang: NDArray[np.float64]) -> None:
        self.edges = np.asarray(edges_ang, dtype=float)
        self.radii = np.concatenate([np.tile(contact_radii_ang(c), c.count) for c in components])
        molecule = np.concatenate([np.full(c.count, c.atoms) for c in components])
        self._molecule = np.repeat(np.arange(len(molecule)), molecule)
        self._polymer = np.repeat(
            [c.is_polymer for c in components], [c.count * c.atoms for c in components]
        )
        self._excluded = self._keys(components)

    def _keys(self, components: Sequence[Component]) -> NDArray[np.int64]:
        """Return ``i * atoms + j`` of bonded pairs in polymers, sorted."""
        own: list[ArrayLike] = [
            bonded_pairs(c, BONDS_APART) if c.is_polymer else [] for c in components
        ]
        pairs = tiled(components, own, 2)
        return np.sort(pairs[:, 0] * len(self.radii) + pairs[:, 1])

    def pairs(self, positions: NDArray[np.float64], reach_ang: float) -> NDArray[np.int64]:
        """Return pairs that are not bonded within a distance, the lower first. shape=(n, 2)."""
        from scipy.spatial import cKDTree

        wrapped = positions - self.edges * np.floor(positions / self.edges)
        wrapped = np.where(wrapped >= self.edges, 0.0, wrapped)
        tree = cKDTree(wrapped, boxsize=self.edges)
        found = np.asarray(tree.query_pairs(reach_ang, output_type="ndarray"), dtype=np.int64)
        found = found.reshape(-1, 2)
        same = self._molecule[found[:, 0]] == self._molecule[found[:, 1]]
        keep = ~same
        inside = np.flatnonzero(same & self._polymer[found[:, 0]])
        keys = found[inside, 0] * len(self.radii) + found[inside, 1]
        keep[inside] = ~np.isin(keys, self._excluded)
        return np.asarray(found[keep])

    def apart(
        self, positions: NDArray[np.float64], pairs: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return the shortest vector between the atoms of each pair in angstrom. shape=(n, 3)."""
        vectors = positions[pairs[:, 0]] - positions[pairs[:, 1]]
        vectors -= self.edges * np.round(vectors / self.edges)
        return np.asarray(vectors)


def contact_report(
    numbers: NDArray[np.int64],
    positions: NDArray[np.float64],
    nonbonded: NonBonded,
    *,
    reach_ang: float = 5.0,
) -> ContactReport:
    """Find the shortest distances of atoms that are not bonded."""
    pairs = nonbonded.pairs(positions, reach_ang)
    if not len(pairs):
        return ContactReport({}, float("inf"), (0, 0))
    distance = np.linalg.norm(nonbonded.apart(positions, pairs), axis=1)
    shares = distance / nonbonded.radii[pairs].sum(axis=1)
    worst = int(shares.argmin())
    kinds = np.sort(numbers[pairs], axis=1)
    shortest: dict[str, float] = {}
    for kind in np.unique(kinds, axis=0):
        names = sorted(chemical_symbols[z] for z in kind)
        shortest["-".join(names)] = float(distance[(kinds == kind).all(axis=1)].min())
    return ContactReport(
        dict(sorted(shortest.items())),
        float(shares[worst]),
        (int(pairs[worst, 0]), int(pairs[worst, 1])),
    )


def box_contacts(box: Box, *, reach_ang: float = 5.0) -> ContactReport:
    """Find the shortest distances in a box of atoms that are not bonded.

    Parameters
    ----------
    box
        The box.
    reach_ang
        Pairs farther apart than this are left out, in angstrom.
    """
    nonbonded = NonBonded(box.components, box.edges_ang)
    structure = box.structure
    return contact_report(structure.numbers, structure.positions, nonbonded, reach_ang=reach_ang)
