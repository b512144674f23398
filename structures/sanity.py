"""Is this structure chemically possible? Bond valences, distances, charge, density."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
from ase.data import atomic_masses, atomic_numbers, covalent_radii
from scipy.constants import Avogadro

from superionic.structures.disordered import OCCUPANCY_TOLERANCE, DisorderedStructure
from superionic.structures.oxidation import FormalCharges, formal_charges
from superionic.structures.structure import Structure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

BOND_SOFTNESS_ANG = 0.37
"""The universal constant of the bond-valence rule (doi:10.1107/S0108768185002063), angstrom."""

MIN_BOND_VALENCE = 0.02
"""Contacts weaker than this (valence units) are not counted as bonds."""

BVS_RELATIVE_LIMIT = 0.25
"""A bond-valence sum further than this from the formal charge, relative to it, is a problem."""

SHORT_CONTACT_FRACTION = 0.75
"""Atoms closer than this share of the sum of their covalent radii are a problem."""

DENSITY_LIMITS_G_CM3 = (0.1, 23.0)
"""Densities outside are a problem: osmium, the densest solid, has 22.6 g/cm3."""

STATE_TOLERANCE = 1.0
"""Bond-valence parameters of a neighbouring oxidation state serve up to this difference, e."""

_NONMETALS = frozenset(["B", "Br", "Cl", "Si", "As", "Se", "Te", *"HCNOFPSI"])
_MOLECULAR = frozenset("C N")
_BONDED_FRACTION = 1.25
_LIKE_BONDED_FRACTION = 1.15


@dataclass(frozen=True, eq=False)
class SanityReport:
    """What a structure looks like to a chemist.

    Attributes
    ----------
    bond_valence_sums : dict
        Site label -> mean bond-valence sum over its sites, in valence units. Sites with bonds that
        have no parameters (organic groups) are absent and named in ``notes``.
    bond_valence_ranges : dict
        Site label -> (smallest, largest) sum over its sites.
    expected_valences : dict
        Site label -> absolute formal charge, averaged over a shared site.
    shortest_distances_ang : dict
        Element pair in alphabetical order (``O-Zr``) -> shortest distance in angstrom between
        sites that can be filled together. Pairs further apart than the search radius are absent.
    oxidation_states : dict
        Element -> formal charge in e, as given or guessed.
    formal_charge_e : float
        Net formal charge of the cell in e.
    density_g_cm3 : float
        Mass density in g/cm3.
    problems : tuple of str
        One sentence for every limit that was crossed.
    notes : tuple of str
        What could not be checked, and what the reader assumed.
    """

    bond_valence_sums: dict[str, float]
    bond_valence_ranges: dict[str, tuple[float, float]]
    expected_valences: dict[str, float]
    shortest_distances_ang: dict[str, float]
    oxidation_states: dict[str, float]
    formal_charge_e: float
    density_g_cm3: float
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """True when no limit was crossed."""
        return not self.problems


def check_structure(
    structure: DisorderedStructure | Structure,
    *,
    oxidation_states: Mapping[str, float] | None = None,
) -> SanityReport:
    """Check bond valences, shortest distances, charge neutrality and density.

    The bond-valence sum of an ion adds ``exp((R0 - d) / 0.37)`` over its bonds to ions of the
    other sign (Brown and Altermatt, doi:10.1107/S0108768185002063, and Brese and O'Keeffe,
    doi:10.1107/S0108768190011041, for R0); neighbours count with their occupancy.

    Parameters
    ----------
    structure
        Ordered or disordered crystal.
    oxidation_states
        Element -> formal charge in e; the others are guessed (`formal_charges`).

    Returns
    -------
    SanityReport
        Its ``problems`` are empty when nothing is wrong.

    References
    ----------
    N. E. Brese, M. O'Keeffe, Acta Cryst. B47, 192-197 (1991), doi:10.1107/S0108768190011041.
    """
    crystal = _as_crystal(structure)
    charges = formal_charges(crystal.composition, oxidation_states=oxidation_states)
    sites = _Sites.of(crystal, charges, pbc=getattr(structure, "pbc", (True, True, True)))
    density = density_g_cm3(crystal)
    sums, ranges, expected, valence_problems, notes = _valences(sites)
    distances, contact_problems = _shortest(sites)
    problems = [*_charge_problems(crystal, charges), *contact_problems, *valence_problems]
    low, high = DENSITY_LIMITS_G_CM3
    if not low <= density <= high:
        problems.append(
            f"The density is {density:.3g} g/cm3, outside {low} to {high}: look at the unit of "
            "the cell and for missing atoms."
        )
    if charges.how != "given":
        guessed = ", ".join(f"{s} {q:+.3g}" for s, q in charges.states.items())
        notes = [f"Oxidation states were guessed ({charges.how}): {guessed}.", *notes]
    return SanityReport(
        bond_valence_sums=sums,
        bond_valence_ranges=ranges,
        expected_valences=expected,
        shortest_distances_ang=distances,
        oxidation_states=dict(charges.states),
        formal_charge_e=charges.net_charge_e,
        density_g_cm3=density,
        problems=tuple(problems),
        notes=(*notes, *crystal.notes),
    )


def density_g_cm3(structure: DisorderedStructure | Structure) -> float:
    """Return the mass density in g/cm3."""
    if isinstance(structure, Structure):
        mass = structure.mass_g_per_mol
    else:
        mass = sum(atomic_masses[atomic_numbers[s]] * x for s, x in structure.composition.items())
    return float(mass / (Avogadro * structure.volume * 1e-24))


def _as_crystal(structure: DisorderedStructure | Structure) -> DisorderedStructure:
    if isinstance(structure, DisorderedStructure):
        return structure
    return DisorderedStructure(
        fractional=structure.fractional,
        occupancies=tuple({s: 1.0} for s in structure.symbols),
        cell=structure.cell,
        labels=structure.labels,
    )


@cache
def bond_valence_parameters() -> dict[tuple[str, str, int], float]:
    """Return R0 in angstrom by (anion, cation, charge of the cation); charge 0 means any."""
    resource = files("superionic.structures").joinpath("data", "bond_valence.csv")
    lines = resource.read_text(encoding="utf-8").splitlines()
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    return {(row["anion"], row["cation"], int(row["charge"])): float(row["r0_ang"]) for row in rows}


def _r0(cation: str, anion: str, charge: float) -> float | None:
    """Return R0 of the oxidation state closest to ``charge``; None where none is close."""
    table = bond_valence_parameters()
    known = [(abs(q - charge), q) for a, c, q in table if (a, c) == (anion, cation) and q > 0]
    close = [item for item in known if item[0] <= STATE_TOLERANCE]
    if close:
        return table[anion, cation, min(close)[1]]
    return table.get((anion, cation, 0))


@dataclass(frozen=True, eq=False)
class _Sites:
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
    ) -> _Sites:
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
    found = [_r0(a, b, charges.states[a]) for a in elements for b in elements]
    return max([4.0, *(r0 + reach for r0 in found if r0 is not None)])


def _valences(
    sites: _Sites,
) -> tuple[
    dict[str, float], dict[str, tuple[float, float]], dict[str, float], list[str], list[str]
]:
    sums = _bond_valence_sums(sites)
    unchecked = _unchecked(sites)
    filled = sites.filled
    value = (sites.shares * sums).sum(axis=1) / filled
    target = (sites.shares * np.abs(sites.charges)).sum(axis=1) / filled
    labels = np.array(sites.labels)
    mean: dict[str, float] = {}
    spread: dict[str, tuple[float, float]] = {}
    expected: dict[str, float] = {}
    problems, skipped = [], []
    for label in dict.fromkeys(sites.labels):
        here = np.flatnonzero((labels == label) & ~unchecked)
        if len(here) == 0:
            skipped.append(label)
            continue
        mean[label] = float(value[here].mean())
        spread[label] = (float(value[here].min()), float(value[here].max()))
        expected[label] = float(target[here].mean())
        off = (value[here] - target[here]) / target[here]
        worst = int(here[np.argmax(np.abs(off))])
        if np.abs(off).max() > BVS_RELATIVE_LIMIT:
            problems.append(
                f"{label}: bond-valence sum {value[worst]:.2f} where {target[worst]:.2f} is "
                f"expected, off by more than {BVS_RELATIVE_LIMIT:.0%}."
            )
    notes = [f"No bond-valence sum for {', '.join(skipped)}: no parameters for its bonds."]
    return mean, spread, expected, problems, notes if skipped else []


def _bond_valence_sums(sites: _Sites) -> NDArray[np.float64]:
    """Return the sum each element would have on each site. shape=(sites, elements)."""
    sums = np.zeros_like(sites.shares)
    for a, cation in enumerate(sites.elements):
        for b, anion in enumerate(sites.elements):
            if not sites.charges[a] > 0 > sites.charges[b]:
                continue
            r0 = _r0(cation, anion, float(sites.charges[a]))
            if r0 is None:
                continue
            valence = np.exp((r0 - sites.d) / BOND_SOFTNESS_ANG)
            valence[valence < MIN_BOND_VALENCE] = 0.0
            np.add.at(sums[:, a], sites.i, valence * sites.shares[sites.j, b])
            np.add.at(sums[:, b], sites.i, valence * sites.shares[sites.j, a])
    return sums


def _unchecked(sites: _Sites) -> NDArray[np.bool_]:
    """Return the sites whose bond-valence sum would lack bonds: uncharged, or molecular."""
    skip = (sites.shares @ np.abs(sites.charges)) < 1e-9
    molecular = np.zeros(len(skip), dtype=bool)
    touching: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    for a, first in enumerate(sites.elements):
        for b, second in enumerate(sites.elements):
            both = (sites.shares[sites.i, a] > 0) & (sites.shares[sites.j, b] > 0)
            radii = _contact(first, second)
            near = both & (sites.d < _BONDED_FRACTION * radii)
            product = sites.charges[a] * sites.charges[b]
            if product < 0:
                pair = (first, second) if sites.charges[a] > 0 else (second, first)
                charge = max(float(sites.charges[a]), float(sites.charges[b]))
                if _r0(*pair, charge) is None:
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


def _contact(first: str, second: str) -> float:
    return float(covalent_radii[atomic_numbers[first]] + covalent_radii[atomic_numbers[second]])


def _shortest(sites: _Sites) -> tuple[dict[str, float], list[str]]:
    """Return the shortest distance of each element pair, and those too short."""
    together = sites.filled[sites.i] + sites.filled[sites.j] > 1 + OCCUPANCY_TOLERANCE
    distances: dict[str, float] = {}
    problems = []
    for a, first in enumerate(sites.elements):
        for b, second in enumerate(sites.elements):
            both = (sites.shares[sites.i, a] > 0) & (sites.shares[sites.j, b] > 0) & together
            if first > second or not both.any():
                continue
            k = int(np.flatnonzero(both)[np.argmin(sites.d[both])])
            distance, limit = float(sites.d[k]), SHORT_CONTACT_FRACTION * _contact(first, second)
            distances[f"{first}-{second}"] = distance
            if distance < limit:
                problems.append(
                    f"{first}-{second}: {sites.labels[sites.i[k]]} and "
                    f"{sites.labels[sites.j[k]]} are {distance:.3f} A apart, closer than "
                    f"{limit:.3f} A ({SHORT_CONTACT_FRACTION} of the covalent radii)."
                )
    return distances, problems


def _charge_problems(crystal: DisorderedStructure, charges: FormalCharges) -> list[str]:
    if charges.neutral and not (crystal.is_ordered and abs(charges.net_charge_e) > 0.01):
        return []
    states = ", ".join(f"{s} {q:+.3g}" for s, q in charges.states.items())
    return [
        f"{crystal.reduced_formula} is not neutral: its cell has a formal charge of "
        f"{charges.net_charge_e:+.3f} e with {states}."
    ]
