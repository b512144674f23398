"""What goes into a box: a polymer, a salt by its ratio, small molecules, a filler by its weight."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.box import FILLER, Component, check_neutral
from superionic.structures.errors import InvalidStructureError, PackingError, UnknownMoleculeError
from superionic.structures.molecules import reference_molecule
from superionic.structures.polymers import TEMPERATURE_K, Ends, chain_layout, peo_chain

if TYPE_CHECKING:
    from superionic.structures.molecule import Molecule

POLYMER = "PEO"

SALTS = {
    "NaTFSI": (("NA", "na+"), ("TFSI", "tfsi")),
    "LiTFSI": (("LI", "li+"), ("TFSI", "tfsi")),
    "NaClO4": (("NA", "na+"), ("CLO4", "clo4")),
    "LiClO4": (("LI", "li+"), ("CLO4", "clo4")),
    "NaPF6": (("NA", "na+"), ("PF6", "pf6")),
    "LiPF6": (("LI", "li+"), ("PF6", "pf6")),
}
"""Cation and anion of each salt: residue name and packaged molecule. All are one to one."""

RATIO_TOLERANCE = 0.005
"""A ratio is met when the one that is reached differs by less, as two decimals do."""
WEIGHT_TOLERANCE = 0.2
"""A whole number of filler molecules may miss the weight fraction by this share of it."""

DENSITY_G_CM3 = 0.9
"""Default density of a start: below that of a melt, so that chains find their way."""
LEAST_DENSITY_G_CM3, MOST_ATOMS_PER_ANG3 = 0.05, 0.2
LEAST_EDGE_ANG = 8.0


@dataclass(frozen=True, eq=False)
class BoxSpec:
    """What a box is made of.

    Attributes
    ----------
    units, chains : int
        Repeat units of each chain of poly(ethylene oxide), and number of chains.
    ends : str
        ``methyl`` or ``hydroxyl``.
    salt : str or None
        One of `SALTS`.
    units_per_cation : float or None
        Ratio EO:cation that the salt has to meet exactly, to two decimals.
    extras : tuple of Component
        Further small molecules with their counts; `small_molecule` makes one by name.
    filler : Molecule or None
        Filler, such as a node of a framework.
    filler_wt_percent : float
        Its share in the mass of the whole box; the nearest whole number of molecules is taken.
    filler_rigid : bool
        Whether its geometry is to be kept in simulations too.
    density_g_cm3 : float
        Density at which molecules are packed. That of a melt comes by simulation at constant
        pressure.
    temperature_K : float
        Of the rotational states of the chains.
    seed : int
        Of all random choices.

    Raises
    ------
    PackingError
        Numbers that make no box.
    """

    units: int
    chains: int
    ends: Ends = "methyl"
    salt: str | None = None
    units_per_cation: float | None = None
    extras: tuple[Component, ...] = ()
    filler: Molecule | None = None
    filler_wt_percent: float = 0.0
    filler_rigid: bool = True
    density_g_cm3: float = DENSITY_G_CM3
    temperature_K: float = TEMPERATURE_K
    seed: int = 0

    def __post_init__(self) -> None:
        """Validate."""
        if self.chains < 1:
            raise PackingError(f"A box has one or more chains; got {self.chains}.")
        chain_layout(2, ends=self.ends)
        if self.units < 2:
            raise PackingError(f"A chain has two or more units; got {self.units}.")
        if (self.salt is None) != (self.units_per_cation is None):
            raise PackingError("A salt needs a ratio EO:cation, and a ratio needs a salt.")
        if self.units_per_cation is not None and not 0 < self.units_per_cation < np.inf:
            raise PackingError(f"EO:cation must be a positive number; got {self.units_per_cation}.")
        if (self.filler is None) != (self.filler_wt_percent == 0):
            raise PackingError(
                "A filler needs a weight fraction in percent, and a weight fraction a filler."
            )
        if not 0 <= self.filler_wt_percent < 100:
            raise PackingError(
                f"The filler's weight fraction lies between 0 and 100 %; got "
                f"{self.filler_wt_percent}."
            )
        if not LEAST_DENSITY_G_CM3 <= self.density_g_cm3 < np.inf:
            raise PackingError(
                f"The density must be at least {LEAST_DENSITY_G_CM3} g/cm3; got "
                f"{self.density_g_cm3}."
            )


def small_molecule(
    source: str | Molecule, count: int, *, name: str = "", rigid: bool = False
) -> Component:
    """Return small molecules for `BoxSpec.extras`.

    Parameters
    ----------
    source
        A packaged molecule by name, or any molecule.
    count
        How many.
    name
        Residue name; by default made of the molecule's name.
    rigid
        Whether its geometry is to be kept in simulations too.
    """
    molecule = reference_molecule(source) if isinstance(source, str) else source
    made = "".join(x for x in (molecule.name or molecule.formula).upper() if x.isalnum())[:4]
    if not made[:1].isalpha():
        made = f"M{made}"[:4]
    return Component(name or made, molecule, count, rigid=rigid)


def find_salt(name: str) -> str:
    """Return the name of a salt as it stands in `SALTS`; case does not matter.

    Raises
    ------
    UnknownMoleculeError
        There is none of that name; names those there are.
    """
    known = {salt.lower(): salt for salt in SALTS}
    word = name.strip().lower()
    if word not in known:
        near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
        guess = f" Did you mean {known[near[0]]}?" if near else ""
        raise UnknownMoleculeError(
            f"No salt is called {name!r}; there are {', '.join(SALTS)}.{guess}"
        )
    return known[word]


def components_of(spec: BoxSpec) -> tuple[Component, ...]:
    """Return what a box holds: polymer, cation, anion, small molecules, filler.

    Raises
    ------
    PackingError
        The ratio or the weight fraction is not met by whole numbers.
    UnknownMoleculeError
        The salt is unknown.
    InvalidStructureError
        The charges do not add up to zero.
    """
    layout = chain_layout(spec.units, ends=spec.ends)
    chain = peo_chain(spec.units, ends=spec.ends, torsions="helix")
    found = [Component(POLYMER, chain, spec.chains, units=spec.units, residues=layout.residues)]
    if spec.salt is not None and spec.units_per_cation is not None:
        pairs = salt_pairs(spec.units * spec.chains, spec.units_per_cation)
        found += [
            Component(residue, reference_molecule(name), pairs)
            for residue, name in SALTS[find_salt(spec.salt)]
        ]
    for extra in spec.extras:
        _add(found, extra)
    if spec.filler is not None:
        mass = sum(c.count * c.mass_g_per_mol for c in found)
        count = filler_count(mass, spec.filler, spec.filler_wt_percent)
        _add(found, Component(FILLER, spec.filler, count, rigid=spec.filler_rigid))
    check_neutral(tuple(found))
    return tuple(found)


def _add(found: list[Component], extra: Component) -> None:
    """Add a component, or its count to that of the same molecule."""
    for k, known in enumerate(found):
        if known.name == extra.name:
            if known.molecule is not extra.molecule:
                raise InvalidStructureError(
                    f"Two different components are called {extra.name}: name one of them otherwise."
                )
            found[k] = replace(known, count=known.count + extra.count)
            return
    found.append(extra)


def salt_pairs(units: int, units_per_cation: float) -> int:
    """Return how many ion pairs meet a ratio of repeat units to cations.

    Raises
    ------
    PackingError
        No whole number does; names the nearest ratios.
    """
    pairs = max(round(units / units_per_cation), 1)
    if abs(units / pairs - units_per_cation) < RATIO_TOLERANCE:
        return pairs
    low = int(units / units_per_cation)
    near = ", ".join(f"{units / n:.4g} ({n} ion pairs)" for n in (low, low + 1) if n)
    raise PackingError(
        f"{units} repeat units cannot meet EO:cation = {units_per_cation:g} with whole ions. "
        f"Nearest are {near}; or change the number of chains or their length."
    )


def filler_count(other_mass: float, filler: Molecule, wt_percent: float) -> int:
    """Return how many filler molecules come nearest to a weight fraction.

    Parameters
    ----------
    other_mass
        Mass of everything else in g/mol.
    filler
        The filler.
    wt_percent
        Its share in the mass of the whole.

    Raises
    ------
    PackingError
        The nearest misses it by more than a fifth; says what would help.
    """
    single = filler.structure.mass_g_per_mol
    wanted = wt_percent / 100
    exact = wanted / (1 - wanted) * other_mass / single
    low = int(exact)
    shares = {n: n * single / (n * single + other_mass) for n in (low, low + 1) if n}
    best = min(shares, key=lambda n: abs(shares[n] - wanted))
    if abs(shares[best] - wanted) <= WEIGHT_TOLERANCE * wanted:
        return best
    near = ", ".join(f"{100 * share:.3g} wt% ({n})" for n, share in shares.items())
    raise PackingError(
        f"A filler of {single:.0f} g/mol cannot make {wt_percent:g} wt% of this box: nearest are "
        f"{near}. Take more polymer (about {(1 - wanted) / wanted * single:.0f} g/mol for each "
        "filler molecule), a smaller filler, or another weight fraction."
    )
