"""Bond-valence sums of the ions on shared or whole sites."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
from ase.data import atomic_numbers, covalent_radii

from superionic.structures.disordered import OCCUPANCY_TOLERANCE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from superionic.structures.disordered import DisorderedStructure
    from superionic.structures.oxidation import FormalCharges

BOND_SOFTNESS_ANG = 0.37
"""The universal constant of the bond-valence rule (doi:10.1107/S0108768185002063), angstrom."""

MIN_BOND_VALENCE = 0.02
"""Contacts weaker than this (valence units) are not counted as bonds."""

STATE_TOLERANCE = 1.0
"""Bond-valence parameters of a neighbouring oxidation state serve up to this difference, e."""

_NONMETALS = frozenset(["B", "Br", "Cl", "Si", "As", "Se", "Te", *"HCNOFPSI"])
_MOLECULAR = frozenset("C N")
_BONDED_FRACTION = 1.25
_LIKE_BONDED_FRACTION = 1.15


@cache
def bond_valence_parameters() -> dict[tuple[str, str, int], float]:
    """Return R0 in angstrom by (anion, cation, charge of the cation); charge 0 means any."""
    resource = files("superionic.structures").joinpath("data", "bond_valence.csv")
    lines = resource.read_text(encoding="utf-8").splitlines()
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    return {(row["anion"], row["cation"], int(row["charge"])): float(row["r0_ang"]) for row in rows}


def bond_valence_r0(cation: str, anion: str, charge: float) -> float | None:
    """Return R0 of the oxidation state closest to ``charge``; None where none is close."""
    table = bond_valence_parameters()
    known = [(abs(q - charge), q) for a, c, q in table if (a, c) == (anion, cation) and q > 0]
    close = [item for item in known if item[0] <= STATE_TOLERANCE]
    if close:
        return table[anion, cation, min(close)[1]]
    return table.get((anion, cation, 0))


@dataclass(frozen=True, eq=False)
class IonSites:
    """Filled sites with their neighbour pairs.

    ``shares[site, element]`` is the occupancy; pairs ``i, j`` are ``d`` angstrom apart, each pair
    listed both ways.
    """

    labels: tuple[str, ...]
    elements: tuple[str, ...]
    charges: NDArray[np.float64]
    shares: NDArray[np.float64]
    i: NDArray[np.int64]
    j: NDArray[np.int64]
    d: NDArray[np.float64]

    @classmethod
    def of(
        cls, crystal: DisorderedStructure, charges: FormalCharges, *, pbc: tuple[bool, ...]
    ) -> IonSites:
        """Collect the filled sites of a crystal and all pairs within bonding distance."""
        from ase import Atoms
        from ase.neighborlist import neighbor_list

        keep = [k for k, o in enumerate(crystal.occupancies) if sum(o.values()) > 0]
        elements = tuple(crystal.composition)
        shares = np.array([[crystal.occupancies[k].get(s, 0.0) for s in elements] for k in keep])
        atoms = Atoms(
            numbers=np.ones(len(keep), dtype=int),
            positions=crystal.positions[keep],
            cell=crystal.cell,
            pbc=pbc,
        )
        i, j, d = neighbor_list("ijd", atoms, _radius(elements, charges))
        labels = tuple(crystal.labels[k] for k in keep)
        states = np.array([charges.states[s] for s in elements])
        return cls(labels, elements, states, shares, i, j, d)

    @property
    def filled(self) -> NDArray[np.float64]:
        """Total occupancy of each site."""
        return np.asarray(self.shares.sum(axis=1))


def _radius(elements: tuple[str, ...], charges: FormalCharges) -> float:
    """Return how far to look for neighbours, in angstrom: all bonds that count."""
    reach = -BOND_SOFTNESS_ANG * math.log(MIN_BOND_VALENCE)
    found = [bond_valence_r0(a, b, charges.states[a]) for a in elements for b in elements]
    return max([4.0, *(r0 + reach for r0 in found if r0 is not None)])


def bond_valence_sums(sites: IonSites) -> NDArray[np.float64]:
    """Return the sum each element would have on each site. shape=(sites, elements)."""
    sums = np.zeros_like(sites.shares)
    for a, cation in enumerate(sites.elements):
        for b, anion in enumerate(sites.elements):
            if not sites.charges[a] > 0 > sites.charges[b]:
                continue
            r0 = bond_valence_r0(cation, anion, float(sites.charges[a]))
            if r0 is None:
                continue
            valence = np.exp((r0 - sites.d) / BOND_SOFTNESS_ANG)
            valence[valence < MIN_BOND_VALENCE] = 0.0
            np.add.at(sums[:, a], sites.i, valence * sites.shares[sites.j, b])
            np.add.at(sums[:, b], sites.i, valence * sites.shares[sites.j, a])
    return sums


def unchecked_sites(sites: IonSites) -> NDArray[np.bool_]:
    """Return the sites whose bond-valence sum would lack bonds: uncharged, or molecular."""
    skip = (sites.shares @ np.abs(sites.charges)) < 1e-9
    molecular = np.zeros(len(skip), dtype=bool)
    touching: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    for a, first in enumerate(sites.elements):
        for b, second in enumerate(sites.elements):
            both = (sites.shares[sites.i, a] > 0) & (sites.shares[sites.j, b] > 0)
            radii = contact_radius(first, second)
            near = both & (sites.d < _BONDED_FRACTION * radii)
            product = sites.charges[a] * sites.charges[b]
            if product < 0:
                pair = (first, second) if sites.charges[a] > 0 else (second, first)
                charge = max(float(sites.charges[a]), float(sites.charges[b]))
                if bond_valence_r0(*pair, charge) is None:
                    molecular[sites.i[near]] = True
            elif {first, second} <= _NONMETALS:
                near &= sites.d < _LIKE_BONDED_FRACTION * radii
                near &= sites.filled[sites.i] + sites.filled[sites.j] > 1 + OCCUPANCY_TOLERANCE
                molecular[sites.i[near]] = True
            if second in _MOLECULAR:
                touching.append((sites.i[near], sites.j[near]))
    result = skip | molecular
    for i, j in touching:
        result[i[molecular[j]]] = True
    return np.asarray(result)


def contact_radius(first: str, second: str) -> float:
    """Return the sum of the covalent radii of two elements in angstrom."""
    return float(covalent_radii[atomic_numbers[first]] + covalent_radii[atomic_numbers[second]])
