"""The value for a metal node of a framework: its molecule, metals, oxidation states, open sites."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.errors import InvalidStructureError
from superionic.structures.metals import (
    MetalIon,
    assign_states,
    check_multiplicity,
    high_spin_multiplicity,
    is_metal,
)
from superionic.structures.molecule import Molecule
from superionic.structures.node_bonds import bonds_by_distance, carboxylates, ligand_charges
from superionic.structures.structure import readonly

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "METALS_NEAR_ANG",
    "OPEN_LEAST",
    "Node",
    "OpenSite",
    "kind_of_node",
    "node_of",
    "open_sites",
    "states_of",
]

METALS_NEAR_ANG = 3.7
"""Metals nearer than this block the side on which they are, in angstrom."""

OPEN_LEAST = 0.5
"""A site is open where the unit vectors to its neighbours add up to at least this."""


@dataclass(frozen=True, eq=False)
class OpenSite:
    """A metal with room for one more ligand.

    Attributes
    ----------
    metal : int
        Index of the atom.
    direction : ndarray
        Unit vector from it to where the ligand goes. shape=(3,)
    """

    metal: int
    direction: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Freeze the array."""
        object.__setattr__(self, "direction", readonly(self.direction, np.float64))


@dataclass(frozen=True, eq=False)
class Node:
    """Metals with their bridging oxygens and capped carboxylates.

    Attributes
    ----------
    molecule : Molecule
        All atoms. Bonds of metals to donors are among its bonds, with order 1.
    kind : str
        ``trinuclear``, ``paddlewheel``, or ``cut`` for another one.
    metals : tuple of int
        Indices of the metals.
    oxidation_states : tuple of int
        Formal charge of each metal in e.
    ligand_charge : int
        Sum of the formal charges of all ligands in e.
    cap : str
        What ends the carboxylates; ``linker`` for the whole one of a crystal.
    sites : tuple of OpenSite
        Metals that can take one more ligand.

    Raises
    ------
    InvalidStructureError
        Oxidation states and charge do not add up, or the multiplicity is impossible.
    """

    molecule: Molecule
    kind: str
    metals: tuple[int, ...]
    oxidation_states: tuple[int, ...]
    ligand_charge: int
    cap: str
    sites: tuple[OpenSite, ...]

    def __post_init__(self) -> None:
        """Validate."""
        if len(self.oxidation_states) != len(self.metals) or not self.metals:
            raise InvalidStructureError(
                f"Expected one oxidation state for each of {len(self.metals)} metals; got "
                f"{self.oxidation_states}."
            )
        check_charge(self.ions, self.ligand_charge, self.molecule.charge)
        check_multiplicity(self.molecule.spin_multiplicity, self.ions)

    def __len__(self) -> int:
        """Return the number of atoms."""
        return len(self.molecule)

    @property
    def ions(self) -> tuple[MetalIon, ...]:
        """The metals with their oxidation states."""
        return tuple(
            MetalIon(self.molecule.symbols[k], q)
            for k, q in zip(self.metals, self.oxidation_states, strict=True)
        )

    @property
    def labels(self) -> tuple[str, ...]:
        """Name of each metal, numbered by element: ``Fe1``, ``Fe2``, ``Ni1``."""
        seen = Counter[str]()
        names = []
        for k in self.metals:
            seen[self.molecule.symbols[k]] += 1
            names.append(f"{self.molecule.symbols[k]}{seen[self.molecule.symbols[k]]}")
        return tuple(names)

    def label(self, metal: int) -> str:
        """Return the name of the metal with an atom index."""
        return self.labels[self.metals.index(metal)]

    def donors(self, metal: int) -> tuple[int, ...]:
        """Return the atoms bonded to a metal, ascending."""
        pairs = [(i, j) for i, j, _ in self.molecule.bonds if metal in (i, j)]
        return tuple(sorted(i + j - metal for i, j in pairs))

    @property
    def coordination(self) -> tuple[int, ...]:
        """Number of donors of each metal."""
        return tuple(len(self.donors(metal)) for metal in self.metals)

    @property
    def bridges(self) -> dict[str, int]:
        """Pair of metals (``Fe1-Fe2``) -> number of carboxylates that hold both."""
        owner: dict[int, set[int]] = {}
        for metal in self.metals:
            for atom in self.donors(metal):
                owner.setdefault(atom, set()).add(metal)
        count = Counter[str]()
        for _, first, second in carboxylates(self.molecule):
            held = owner.get(first, set()) | owner.get(second, set())
            pair = sorted(self.metals.index(metal) for metal in held)
            if len(pair) == 2:
                count[f"{self.labels[pair[0]]}-{self.labels[pair[1]]}"] += 1
        return dict(count)

    @property
    def formal_charges(self) -> NDArray[np.float64]:
        """Charge of each atom in e, half of each carboxylate's on either oxygen. shape=(atoms,)."""
        charges = ligand_charges(self.molecule)
        charges[list(self.metals)] = self.oxidation_states
        return charges

    def with_positions(self, positions: ArrayLike) -> Node:
        """Return the same node in another geometry (angstrom, shape=(atoms, 3))."""
        molecule = self.molecule.with_positions(positions)
        return replace(self, molecule=molecule, sites=open_sites(molecule, self.metals))


def check_charge(ions: Sequence[MetalIon], ligand_charge: int, charge: int) -> None:
    """Raise `InvalidStructureError` where metals, ligands and total charge do not add up."""
    total = sum(ion.oxidation_state for ion in ions) + ligand_charge
    if total != charge:
        raise InvalidStructureError(
            f"{', '.join(str(ion) for ion in ions)} with ligands of {ligand_charge:+d} e make "
            f"{total:+d} e, but a total charge of {charge:+d} e was asked for. Correct the charge "
            "or the oxidation states."
        )


def states_of(
    metals: Sequence[str],
    ligand_charge: int,
    *,
    oxidation_states: Sequence[int] | None,
    charge: int | None,
    spin_multiplicity: int | None,
) -> tuple[tuple[MetalIon, ...], int, int]:
    """Return metals with oxidation states, the total charge and the multiplicity.

    What is not given: the states from the charge (`assign_states`), the charge from the states,
    0 where neither is given; parallel high spins.

    Raises
    ------
    InvalidStructureError
        They contradict each other, or are impossible.
    """
    if oxidation_states is None:
        charge = 0 if charge is None else charge
        oxidation_states = assign_states(metals, charge - ligand_charge)
    if len(oxidation_states) != len(metals):
        raise InvalidStructureError(
            f"Expected one oxidation state for each of {len(metals)} metals; got "
            f"{tuple(oxidation_states)}."
        )
    ions = tuple(MetalIon(s, int(q)) for s, q in zip(metals, oxidation_states, strict=True))
    if charge is None:
        charge = sum(ion.oxidation_state for ion in ions) + ligand_charge
    check_charge(ions, ligand_charge, charge)
    highest = high_spin_multiplicity(ions)
    spin = highest if spin_multiplicity is None else check_multiplicity(spin_multiplicity, ions)
    return ions, charge, spin


def node_of(
    molecule: Molecule,
    *,
    oxidation_states: Sequence[int] | None = None,
    ligand_charge: int | None = None,
    kind: str = "",
    cap: str = "",
) -> Node:
    """Recognise the node in a molecule, for example one read from a file.

    Parameters
    ----------
    molecule
        Its charge and multiplicity count; its bonds are found anew from distances.
    oxidation_states
        One a metal, in the order of the atoms; by default shared out by `assign_states`.
    ligand_charge
        Charge of all ligands in e; by default from what they are.
    kind, cap
        What to call it; the kind is recognised.

    Raises
    ------
    InvalidStructureError
        No metal, ligands of unknown charge, or charges that do not add up.
    """
    metals = tuple(k for k, symbol in enumerate(molecule.symbols) if is_metal(symbol))
    if not metals:
        raise InvalidStructureError(f"{molecule.formula} holds no metal: it is no node.")
    known = {(i, j): order for i, j, order in molecule.bonds}
    found = bonds_by_distance(molecule.structure.numbers, molecule.positions)
    bonds = tuple((i, j, known.get((i, j), order)) for i, j, order in found)
    molecule = replace(molecule, bonds=bonds)
    if ligand_charge is None:
        ligand_charge = round(float(ligand_charges(molecule).sum()))
    ions, charge, spin = states_of(
        [molecule.symbols[k] for k in metals], ligand_charge, oxidation_states=oxidation_states,
        charge=molecule.charge, spin_multiplicity=molecule.spin_multiplicity,
    )  # fmt: skip
    return Node(
        molecule=replace(molecule, charge=charge, spin_multiplicity=spin),
        kind=kind or kind_of_node(molecule, metals),
        metals=metals,
        oxidation_states=tuple(ion.oxidation_state for ion in ions),
        ligand_charge=ligand_charge,
        cap=cap,
        sites=open_sites(molecule, metals),
    )


def kind_of_node(molecule: Molecule, metals: Sequence[int]) -> str:
    """Return ``trinuclear``, ``paddlewheel`` or ``cut``."""
    count = len(carboxylates(molecule))
    held = Counter(k for i, j, _ in molecule.bonds for k in (i, j) if {i, j} & set(metals))
    shared = [k for k, n in held.items() if k not in metals and n == 3]
    if len(metals) == 3 and count == 6 and len(shared) == 1:
        return "trinuclear"
    return "paddlewheel" if len(metals) == 2 and count == 4 and not shared else "cut"


def open_sites(molecule: Molecule, metals: Sequence[int]) -> tuple[OpenSite, ...]:
    """Find the metals with room for one more ligand, and where it goes.

    The ligand goes opposite to the sum of the unit vectors to all donors and to other metals
    nearer than `METALS_NEAR_ANG`; a metal with six donors, or one surrounded evenly, has no room.
    """
    found = []
    for metal in metals:
        donors = [i + j - metal for i, j, _ in molecule.bonds if metal in (i, j)]
        near = [
            k for k in metals
            if k != metal
            and np.linalg.norm(molecule.positions[k] - molecule.positions[metal]) < METALS_NEAR_ANG
        ]  # fmt: skip
        if not 1 <= len(donors) <= 5:
            continue
        arms = molecule.positions[donors + near] - molecule.positions[metal]
        total = (arms / np.linalg.norm(arms, axis=1, keepdims=True)).sum(axis=0)
        length = float(np.linalg.norm(total))
        if length >= OPEN_LEAST:
            found.append(OpenSite(metal, -total / length))
    return tuple(found)
