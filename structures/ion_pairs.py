"""Contact ion pairs: single ions placed beside an ion by ionic radii, two-coordinate where it can.

The distance of a cation to a donor atom is the sum of their Shannon radii (Acta Crystallogr. A 32,
751 (1976), doi:10.1107/S0567739476001551), the cation's for the lowest coordination listed and the
donor's as in `DONOR_RADII_ANG`: Li-O 1.94 A, Na-O 2.34 A.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from ase.data import chemical_symbols

from superionic.structures.contacts import touching_ang
from superionic.structures.errors import InvalidStructureError
from superionic.structures.molecule import Molecule, framed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

DONOR_RADII_ANG = {
    "N": 1.46, "O": 1.35, "F": 1.285, "S": 1.84, "Cl": 1.81, "Se": 1.98, "Br": 1.96, "I": 2.20,
}  # fmt: skip
"""Ionic radii of donor atoms in angstrom (Shannon; O and F two-coordinate)."""

LONE_PAIR_BONDS = {
    "N": 3, "O": 2, "F": 1, "S": 2, "P": 3, "Cl": 1, "Se": 2, "Br": 1, "I": 1,
}  # fmt: skip
"""An atom with at most so many bonds has a lone pair to give: O of a sulfonyl, but not its S."""

HALOGENS = ("F", "Cl", "Br", "I")

CATION_RADII_ANG = {
    "H": 0.10, "Li": 0.59, "Na": 0.99, "K": 1.37, "Rb": 1.52, "Cs": 1.67, "Ag": 1.00, "Tl": 1.50,
    "Mg": 0.57, "Ca": 1.00, "Sr": 1.18, "Ba": 1.35, "Zn": 0.60, "Cu": 0.57, "Al": 0.39,
    "Mn": 0.66, "Fe": 0.63, "Co": 0.58, "Ni": 0.55,
}  # fmt: skip
"""Ionic radii of cations in angstrom (Shannon; four-coordinate where listed, else the lowest)."""

BITE_ANG = (1.9, 3.4)
"""Two donors this far apart can share a cation, in angstrom."""
COULOMB_EV_ANG = 14.399645
"""e^2/(4 pi epsilon_0) in eV A."""
ROOM = ((0.3, 0.6), (0.3, 0.5), (0.0, 0.5))
"""An ion should keep this far beyond contact from other donors, in angstrom, and this share of the
sum of van der Waals radii from other atoms: the first pair is tried first."""
_TURNS = 24


@dataclass(frozen=True)
class Contact:
    """One place for an ion beside a molecule.

    Attributes
    ----------
    position : tuple of float
        Cartesian, in the frame of the molecule, in angstrom.
    donors : tuple of int
        Atoms that it touches.
    energy_eV : float
        Coulomb energy of the ion among the charges of the other atoms, in eV.
    """

    position: tuple[float, float, float]
    donors: tuple[int, ...]
    energy_eV: float


def contacts(
    molecule: Molecule,
    number: int,
    ion_charge: int,
    *,
    charges: ArrayLike | None = None,
) -> tuple[Contact, ...]:
    """Return the places where an ion can touch two donors, then one; the lowest energy first.

    Parameters
    ----------
    molecule
        The molecule or counter-ion.
    number
        Atomic number of the ion.
    ion_charge
        Its charge in e.
    charges
        Partial charges of the molecule's atoms in e, shape=(atoms,). By default its total charge
        spread over the donors.

    Raises
    ------
    InvalidStructureError
        The ion has no radius in the tables, or no donor can be reached.
    """
    donors = _donors(molecule, ion_charge)
    partial = _partial_charges(molecule, donors, charges)
    radius = _radius(number, ion_charge)
    reach = {k: radius + _donor_radius(molecule, k, ion_charge) for k in donors}
    two = [(i, j) for i in donors for j in donors if i < j]
    for group in (two, [(k,) for k in donors]):
        for room in ROOM:
            found = [
                _contact(molecule, point, place, ion_charge, partial)
                for place in group
                for point in _candidates(molecule, place, reach)
                if _is_free(molecule, number, point, place, reach, room)
            ]
            if found:
                return tuple(sorted(found, key=lambda c: c.energy_eV))
    raise InvalidStructureError(
        f"No place for {chemical_symbols[number]} beside {molecule.name or molecule.formula}: "
        "every donor atom (N, O, F, S, halogens) is buried. Place it by hand in a file."
    )


def attach_ions(
    molecule: Molecule,
    ions: Sequence[tuple[int, int]],
    *,
    charges: ArrayLike | None = None,
) -> tuple[Molecule, float]:
    """Put single ions beside a molecule, one after the other, each at its best place.

    Parameters
    ----------
    molecule
        The molecule or counter-ion.
    ions
        Atomic number and charge of each ion.
    charges
        Partial charges of the molecule's atoms in e; see `contacts`.

    Returns
    -------
    molecule : Molecule
        The atoms of the molecule, then the ions, without bonds between them.
    energy_eV : float
        Coulomb energy of the ions among the charges of all other atoms, in eV.
    """
    partial = None if charges is None else np.asarray(charges, dtype=float)
    total = 0.0
    for number, charge in ions:
        best = contacts(molecule, number, charge, charges=partial)[0]
        if partial is None:
            partial = _partial_charges(molecule, _donors(molecule, charge), None)
        total += best.energy_eV
        partial = np.append(partial, float(charge))
        molecule = replace(
            molecule,
            structure=framed(
                np.append(molecule.structure.numbers, number),
                np.vstack([molecule.positions, best.position]),
            ),
            charge=molecule.charge + charge,
        )
    return molecule, total


def lone_pairs(molecule: Molecule) -> tuple[int, ...]:
    """Return the bonded atoms that have a lone pair to give, ascending."""
    bonds = Counter(k for i, j, _ in molecule.bonds for k in (i, j))
    return tuple(
        k for k, s in enumerate(molecule.symbols) if 1 <= bonds[k] <= LONE_PAIR_BONDS.get(s, 0)
    )


def _donors(molecule: Molecule, ion_charge: int) -> list[int]:
    """Return the atoms that an ion goes to: those with a lone pair, or bare cations.

    Halogens count only where there is nothing better: those of PF6-, not those of CF3.
    """
    bonded = {k for i, j, _ in molecule.bonds for k in (i, j)}
    if ion_charge > 0:
        bare = [k for k, s in enumerate(molecule.symbols) if s in DONOR_RADII_ANG]
        pairs = [k for k in lone_pairs(molecule) if molecule.symbols[k] in DONOR_RADII_ANG]
        pairs += [k for k in bare if k not in bonded]
        strong = [k for k in pairs if molecule.symbols[k] not in HALOGENS]
        return sorted(strong or pairs)
    return [k for k, s in enumerate(molecule.symbols) if s in CATION_RADII_ANG and k not in bonded]


def _partial_charges(
    molecule: Molecule, donors: Sequence[int], charges: ArrayLike | None
) -> NDArray[np.float64]:
    if charges is not None:
        return np.asarray(charges, dtype=float)
    spread = np.zeros(len(molecule))
    spread[list(donors)] = molecule.charge / max(len(donors), 1)
    return spread


def _radius(number: int, ion_charge: int) -> float:
    symbol = chemical_symbols[number]
    table = CATION_RADII_ANG if ion_charge > 0 else DONOR_RADII_ANG
    if symbol not in table:
        raise InvalidStructureError(
            f"No ionic radius is known for {symbol} with {ion_charge:+d} e; there are those of "
            f"{', '.join(table)}. Place the ion by hand in a file."
        )
    return table[symbol]


def _donor_radius(molecule: Molecule, atom: int, ion_charge: int) -> float:
    table = DONOR_RADII_ANG if ion_charge > 0 else CATION_RADII_ANG
    return table[molecule.symbols[atom]]


def _candidates(
    molecule: Molecule, place: tuple[int, ...], reach: dict[int, float]
) -> NDArray[np.float64]:
    """Return points at the right distance of one or two donors. shape=(n, 3)."""
    if len(place) == 1:
        return np.asarray(molecule.positions[place[0]] + reach[place[0]] * _directions())
    first, second = molecule.positions[list(place)]
    axis = second - first
    apart = float(np.linalg.norm(axis))
    a, b = reach[place[0]], reach[place[1]]
    if not BITE_ANG[0] <= apart <= BITE_ANG[1] or a + b <= apart:
        return np.zeros((0, 3))
    axis /= apart
    along = (apart**2 + a**2 - b**2) / (2 * apart)
    radius = np.sqrt(a**2 - along**2)
    across = np.cross(axis, np.eye(3)[int(np.argmin(np.abs(axis)))])
    across /= np.linalg.norm(across)
    angles = np.arange(_TURNS) * 2 * np.pi / _TURNS
    ring = np.cos(angles)[:, None] * across + np.sin(angles)[:, None] * np.cross(axis, across)
    return np.asarray(first + along * axis + radius * ring)


def _directions() -> NDArray[np.float64]:
    """Return directions spread over the sphere (Fibonacci). shape=(n, 3)."""
    count = 4 * _TURNS
    k = np.arange(count) + 0.5
    z = 1 - 2 * k / count
    turn = np.pi * (1 + np.sqrt(5)) * k
    across = np.sqrt(1 - z**2)
    return np.column_stack([across * np.cos(turn), across * np.sin(turn), z])


def _contact(
    molecule: Molecule,
    point: NDArray[np.float64],
    place: tuple[int, ...],
    ion_charge: int,
    partial: NDArray[np.float64],
) -> Contact:
    apart = np.linalg.norm(molecule.positions - point, axis=1)
    x, y, z = (float(c) for c in point)
    return Contact((x, y, z), place, COULOMB_EV_ANG * ion_charge * float((partial / apart).sum()))


def _is_free(
    molecule: Molecule,
    number: int,
    point: NDArray[np.float64],
    place: tuple[int, ...],
    reach: dict[int, float],
    room: tuple[float, float],
) -> bool:
    """Return whether an ion at a point touches nothing but the donors named."""
    apart = np.linalg.norm(molecule.positions - point, axis=1)
    numbers = molecule.structure.numbers
    least = touching_ang(numbers, [number], share=room[1])[:, 0]
    for k, distance in reach.items():
        least[k] = distance + room[0] - 1e-6
    least[list(place)] = 0.0
    return bool((apart >= least).all())
