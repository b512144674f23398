"""Formal charges, bond valences, and the dipole of a cut crystal."""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from ase.data import chemical_symbols, covalent_radii

from superionic.structures.axes import EMPTY
from superionic.structures.bond_valence import BOND_SOFTNESS_ANG, bond_valence_r0
from superionic.structures.errors import InvalidSlabError
from superionic.structures.oxidation import formal_charges
from superionic.structures.polyanions import Bonds, neighbour_bonds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

POLAR_TOLERANCE_E_PER_ANG = 1e-3
"""A slab is polar above this dipole per area (e/A); unscreened, a step of 0.18 V from face to face.
The same limit as in pymatgen's ``Slab.is_polar``."""

VALENCE_REACH_ANG = 4.0
"""Bond valences are summed up to this distance (angstrom)."""


def site_charges(
    numbers: NDArray[np.int64],
    labels: Sequence[str],
    oxidation_states: Mapping[str, float] | None = None,
    *,
    allow_charged: bool = False,
) -> NDArray[np.float64]:
    """Give every atom of a crystal a formal charge in e.

    Parameters
    ----------
    numbers
        Atomic numbers; `EMPTY` marks an empty site, which gets charge 0. shape=(atoms,)
    labels
        Site labels. length=atoms
    oxidation_states
        Charge by site label or by element; a label wins. Elements not named are guessed (see
        :func:`superionic.structures.oxidation.formal_charges`).
    allow_charged
        Spread what does not balance evenly over all atoms instead of raising.

    Returns
    -------
    ndarray
        shape=(atoms,)

    Raises
    ------
    InvalidSlabError
        The crystal is not neutral with these charges, so that the dipole of a cut has no meaning.
    """
    composition = {s: float(c) for s, c in composition_of(numbers).items()}
    given = dict(oxidation_states or {})
    states = formal_charges(composition, oxidation_states=given).states
    charges = np.array(
        [
            0.0 if z == EMPTY else given.get(label, states[chemical_symbols[z]])
            for z, label in zip(numbers, labels, strict=True)
        ]
    )
    excess, filled = float(charges.sum()), numbers != EMPTY
    if abs(excess) > 1e-3 * filled.sum():
        if allow_charged:
            logger.warning("Formal charges leave %+.3f e; spread over all atoms.", excess)
            return np.where(filled, charges - excess / filled.sum(), 0.0)
        raise InvalidSlabError(
            f"With the formal charges {states} the crystal holds {excess:+.3f} e, so the "
            "polarity of a cut cannot be judged. Correct oxidation_states, complete the "
            "composition, or give up judging it with allow_polar=True."
        )
    return charges


def bond_valences(
    numbers: NDArray[np.int64],
    fractional: NDArray[np.float64],
    cell: NDArray[np.float64],
    charges: NDArray[np.float64],
) -> tuple[Bonds, NDArray[np.float64]]:
    """Return all bonds and their strengths in valence units.

    Between ions of opposite charge: exp((R0 - d) / 0.37 A) with the packaged parameters of the
    pair and oxidation state. Where there are none, or neither atom is charged (metals, molecules),
    R0 is the sum of the covalent radii, which makes this a bond order after Pauling. Like charges
    do not bond.

    Returns
    -------
    tuple
        Bonds up to `VALENCE_REACH_ANG`, and their valences. shape=(bonds,)
    """
    bonds = neighbour_bonds(numbers, fractional, cell, VALENCE_REACH_ANG)
    product = charges[bonds.first] * charges[bonds.second]
    neutral = (charges[bonds.first] == 0) & (charges[bonds.second] == 0)
    real = (numbers[bonds.first] != EMPTY) & (numbers[bonds.second] != EMPTY)
    keep = real & ((product < 0) | neutral)
    bonds, ionic = bonds.where(keep), product[keep] < 0
    unit = np.zeros(len(ionic))
    for k, (a, b) in enumerate(zip(bonds.first, bonds.second, strict=True)):
        cation, anion = (a, b) if charges[a] > charges[b] else (b, a)
        state = float(charges[cation]) if ionic[k] else None
        unit[k] = _unit_valence_length(int(numbers[cation]), int(numbers[anion]), state)
    return bonds, np.exp((unit - bonds.lengths) / BOND_SOFTNESS_ANG)


@cache
def _unit_valence_length(cation: int, anion: int, state: float | None) -> float:
    """Return the length in angstrom at which a bond has valence 1."""
    r0 = None
    if state is not None:
        r0 = bond_valence_r0(chemical_symbols[cation], chemical_symbols[anion], state)
    return float(covalent_radii[cation] + covalent_radii[anion]) if r0 is None else r0


def dipole_e_ang(charges: NDArray[np.float64], heights: NDArray[np.float64]) -> float:
    """Return the dipole along the normal in e A, about the middle of the slab.

    Parameters
    ----------
    charges
        In e. shape=(atoms,)
    heights
        Along the normal, in angstrom. shape=(atoms,)
    """
    middle = 0.5 * (heights.min() + heights.max())
    return float(charges @ (heights - middle))


def composition_of(numbers: NDArray[np.int64]) -> dict[str, int]:
    """Count the atoms of each element; empty sites do not count."""
    values, counts = np.unique(numbers[numbers != EMPTY], return_counts=True)
    return {chemical_symbols[z]: int(c) for z, c in zip(values, counts, strict=True)}


def same_stoichiometry(first: Mapping[str, int], second: Mapping[str, int]) -> bool:
    """Say whether two compositions are multiples of each other."""
    if first.keys() != second.keys():
        return False
    total, other = sum(first.values()), sum(second.values())
    return all(first[s] * other == second[s] * total for s in first)
