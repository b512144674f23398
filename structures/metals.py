"""Metal ions: radii by oxidation state and coordination, unpaired electrons, who is oxidised first.

A metal-oxygen distance is the sum of ionic radii of R. D. Shannon, Acta Crystallogr. A 32, 751
(1976), doi:10.1107/S0567739476001551, in ``data/shannon_radii.csv``.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from ase.data import atomic_numbers, chemical_symbols

from superionic.structures.errors import InvalidStructureError
from superionic.structures.polyanions import NONMETALS

if TYPE_CHECKING:
    from collections.abc import Sequence

OXIDE_RADII_ANG = {2: 1.35, 3: 1.36, 4: 1.38}
"""Radius of O(2-) by its coordination number, in angstrom (Shannon)."""

RADIUS_STEP_ANG = 0.07
"""What one more neighbour adds to a radius where Shannon lists no other: the mean over the 17 ions
of which he lists the five- and the six-coordinate radius (0.067), in angstrom."""

THIRD_IONISATION_EV = {
    "Mg": 80.14, "Al": 28.45, "Ca": 50.91, "Sc": 24.76, "Ti": 27.49, "V": 29.31, "Cr": 30.96,
    "Mn": 33.67, "Fe": 30.65, "Co": 33.50, "Ni": 35.19, "Cu": 36.84, "Zn": 39.72, "Ga": 30.73,
    "Sr": 42.88, "Y": 20.52, "Zr": 23.17, "Nb": 25.04, "Mo": 27.13, "Ru": 28.47, "Rh": 31.06,
    "Pd": 32.93, "Ag": 34.80, "Cd": 37.47, "In": 28.04, "Sn": 30.51, "Ba": 35.84,
    "La": 19.18, "Ce": 20.20, "Pr": 21.62, "Nd": 22.09, "Sm": 23.55, "Eu": 24.84, "Gd": 20.54,
    "Tb": 21.82, "Dy": 22.89, "Ho": 22.79, "Er": 22.70, "Tm": 23.66, "Yb": 25.05, "Lu": 20.96,
}  # fmt: skip
"""Third ionisation energies in eV (NIST atomic spectra database, through pymatgen's table)."""

_SHELLS = ((21, 30, 18), (39, 48, 36), (72, 80, 68))
"""First and last element of each d row, and the electrons below its valence shell."""


@dataclass(frozen=True)
class MetalIon:
    """A metal in an oxidation state.

    Attributes
    ----------
    symbol : str
        Chemical symbol.
    oxidation_state : int
        Formal charge in e.

    Raises
    ------
    InvalidStructureError
        No metal goes by that symbol, or it has not so many valence electrons.
    """

    symbol: str
    oxidation_state: int

    def __post_init__(self) -> None:
        """Validate."""
        check_metal(self.symbol)
        if self.oxidation_state < 0 or self.valence_electrons < 0:
            raise InvalidStructureError(f"There is no {self}. Correct the oxidation state.")

    def __str__(self) -> str:
        """Return for example ``Fe(III)``."""
        roman = {0: "0", 1: "I", 2: "II", 3: "III", 4: "IV", 5: "V", 6: "VI"}
        return f"{self.symbol}({roman.get(self.oxidation_state, self.oxidation_state)})"

    @property
    def valence_electrons(self) -> int:
        """Electrons in the d shell (f of a lanthanide; s and p of a main-group metal)."""
        number = atomic_numbers[self.symbol]
        for first, last, core in _SHELLS:
            if first <= number <= last:
                return number - core - self.oxidation_state
        if 57 <= number <= 71:
            return number - 54 - self.oxidation_state
        core = max(c for c in (2, 10, 18, 28, 36, 46, 54, 78, 86) if c < number)
        return number - core - self.oxidation_state

    @property
    def unpaired_electrons(self) -> int:
        """Unpaired electrons of the high-spin ion, by Hund's rule."""
        number, count = atomic_numbers[self.symbol], self.valence_electrons
        if any(first <= number <= last for first, last, _ in _SHELLS):
            return count if count <= 5 else max(10 - count, count % 2)
        if 57 <= number <= 71:
            return count if count <= 7 else 14 - count
        return count % 2

    def radius_ang(self, coordination: int) -> float:
        """Return the ionic radius for a number of neighbours, in angstrom.

        Where Shannon does not list it: on the line between the numbers below and above, else
        `RADIUS_STEP_ANG` a neighbour from the nearest.

        Raises
        ------
        InvalidStructureError
            He lists none for this oxidation state.
        """
        table = shannon_radii().get((self.symbol, self.oxidation_state), {})
        if not table:
            states = [q for symbol, q in shannon_radii() if symbol == self.symbol]
            raise InvalidStructureError(
                f"Shannon lists no radius of {self}; of {self.symbol} there are "
                f"{', '.join(f'+{q}' for q in sorted(states)) or 'none'}. Choose other oxidation "
                "states (another total charge allows others), or give the distance by hand "
                "(metal_oxygen_ang)."
            )
        below = [n for n in table if n <= coordination]
        above = [n for n in table if n >= coordination]
        if below and above:
            low, high = max(below), min(above)
            share = (coordination - low) / (high - low) if high > low else 0.0
            return table[low] + share * (table[high] - table[low])
        nearest = max(below) if below else min(above)
        return table[nearest] + RADIUS_STEP_ANG * (coordination - nearest)

    def oxygen_distance_ang(self, coordination: int, *, oxygen_coordination: int = 2) -> float:
        """Return the distance to an oxygen, the sum of the radii of Shannon, in angstrom."""
        return self.radius_ang(coordination) + OXIDE_RADII_ANG[oxygen_coordination]


def is_metal(symbol: str) -> bool:
    """Return whether an element is a metal, that is none of `NONMETALS` and no noble gas."""
    return symbol in chemical_symbols[1:] and symbol not in (
        *NONMETALS, "He", "Ne", "Ar", "Kr", "Xe", "Rn", "At",
    )  # fmt: skip


def check_metal(symbol: str) -> None:
    """Raise `InvalidStructureError` where a word is no symbol of a metal."""
    if not is_metal(symbol):
        raise InvalidStructureError(
            f"Expected the symbol of a metal such as Fe or Ni; got {symbol!r}."
        )


@cache
def shannon_radii() -> dict[tuple[str, int], dict[int, float]]:
    """Return (symbol, oxidation state) -> coordination number -> radius in angstrom."""
    resource = files("superionic.structures").joinpath("data", "shannon_radii.csv")
    lines = resource.read_text(encoding="utf-8").splitlines()
    table: dict[tuple[str, int], dict[int, float]] = {}
    for row in csv.DictReader(line for line in lines if not line.startswith("#")):
        radii = table.setdefault((row["symbol"], int(row["state"])), {})
        radii[int(row["coordination"])] = float(row["radius_ang"])
    return table


def assign_states(metals: Sequence[str], total: int) -> tuple[int, ...]:
    """Share out a total oxidation state: all metals alike, or two neighbouring states.

    Of unlike metals the one with the highest third ionisation energy stays divalent: Ni(II) beside
    Fe(III). Of like ones the first is the lower.

    Parameters
    ----------
    metals
        Symbols.
    total
        Sum of the oxidation states.

    Returns
    -------
    tuple of int
        One a metal.

    Raises
    ------
    InvalidStructureError
        Unlike metals share states other than +2 and +3; give them by hand.
    """
    for symbol in metals:
        check_metal(symbol)
    low, higher = divmod(total, len(metals))
    if not higher:
        return (low,) * len(metals)
    if len(set(metals)) == 1:
        return tuple(low + (k >= len(metals) - higher) for k in range(len(metals)))
    unknown = [s for s in metals if s not in THIRD_IONISATION_EV]
    if low != 2 or unknown:
        raise InvalidStructureError(
            f"Oxidation states of {', '.join(metals)} that add up to {total} cannot be guessed"
            f"{' (' + ', '.join(unknown) + ' unknown)' if unknown else ''}. Give them, one a "
            "metal."
        )
    ranked = sorted(range(len(metals)), key=lambda k: (THIRD_IONISATION_EV[metals[k]], -k))
    return tuple(low + (k in ranked[:higher]) for k in range(len(metals)))


def high_spin_multiplicity(ions: Sequence[MetalIon]) -> int:
    """Return 2S + 1 of high-spin ions with parallel spins."""
    return sum(ion.unpaired_electrons for ion in ions) + 1


def check_multiplicity(multiplicity: int, ions: Sequence[MetalIon]) -> int:
    """Return a multiplicity of a node, and refuse one that its metals cannot have.

    Raises
    ------
    InvalidStructureError
        It is above that of parallel high spins, or has the other parity.
    """
    highest = high_spin_multiplicity(ions)
    if not 1 <= multiplicity <= highest or (highest - multiplicity) % 2:
        allowed = ", ".join(str(m) for m in range(highest, 0, -2))
        names = ", ".join(str(ion) for ion in ions)
        raise InvalidStructureError(
            f"A multiplicity of {multiplicity} is impossible for {names}: their "
            f"{highest - 1} unpaired electrons at high spin make {allowed}. Correct it or the "
            "oxidation states."
        )
    return multiplicity
