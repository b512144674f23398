"""Is this structure chemically possible? Bond valences, distances, charge, density."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from ase.data import atomic_masses, atomic_numbers

from superionic.structures.bond_valence import (
    IonSites,
    bond_valence_sums,
    contact_radius,
    unchecked_sites,
)
from superionic.structures.disordered import OCCUPANCY_TOLERANCE, DisorderedStructure
from superionic.structures.oxidation import FormalCharges, check_states, formal_charges
from superionic.structures.structure import Structure

if TYPE_CHECKING:
    from collections.abc import Mapping


BVS_RELATIVE_LIMIT = 0.25
"""A bond-valence sum further than this from the formal charge, relative to it, is a problem."""

SHORT_CONTACT_FRACTION = 0.75
"""Atoms closer than this share of the sum of their covalent radii are a problem."""

DENSITY_LIMITS_G_CM3 = (0.1, 23.0)
"""Densities outside are a problem: osmium, the densest solid, has 22.6 g/cm3."""


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

    Raises
    ------
    InvalidStructureError
        A state is given for an element that is not there, or is no number; or one is not known and
        not given.

    References
    ----------
    N. E. Brese, M. O'Keeffe, Acta Cryst. B47, 192-197 (1991), doi:10.1107/S0108768190011041.
    """
    crystal = _as_crystal(structure)
    check_states(oxidation_states, crystal.composition)
    charges = formal_charges(crystal.composition, oxidation_states=oxidation_states)
    sites = IonSites.of(crystal, charges, pbc=getattr(structure, "pbc", (True, True, True)))
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
    from scipy.constants import Avogadro

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


def _valences(
    sites: IonSites,
) -> tuple[
    dict[str, float], dict[str, tuple[float, float]], dict[str, float], list[str], list[str]
]:
    sums = bond_valence_sums(sites)
    unchecked = unchecked_sites(sites)
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


def _shortest(sites: IonSites) -> tuple[dict[str, float], list[str]]:
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
            distance, limit = (
                float(sites.d[k]),
                SHORT_CONTACT_FRACTION * contact_radius(first, second),
            )
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
