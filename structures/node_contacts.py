"""How an adsorbate holds on to a node: which atoms touch which metal, and how many."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.errors import InvalidStructureError
from superionic.structures.ion_pairs import CATION_RADII_ANG, DONOR_RADII_ANG, LONE_PAIR_BONDS
from superionic.structures.node import Node
from superionic.structures.node_bonds import bonds_between, bonds_by_distance, covalent_only

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from superionic.structures.molecule import Molecule

TOLERANCE_ANG = 0.5
"""A donor is bound below the sum of its radius and that of the six-coordinate metal, plus this."""

DETACHED = "none"


@dataclass(frozen=True)
class SiteContact:
    """The donors at one metal, or at one single ion of the adsorbate.

    Attributes
    ----------
    atom : int
        The metal or ion.
    label : str
        Its name.
    donors : tuple of int
        Atoms bound to it, nearest first.
    symbols : tuple of str
        Their elements.
    distances_ang : tuple of float
        Their distances in angstrom.
    limit_ang : dict
        Element -> distance in angstrom up to which a donor counts.
    rings : tuple of int
        Size of the chelate ring of each pair of donors, ascending: 4 for two oxygens of one
        sulfur, 6 for two across S-N-S. Of ions, and of donors not joined by bonds, none.
    """

    atom: int
    label: str
    donors: tuple[int, ...]
    symbols: tuple[str, ...]
    distances_ang: tuple[float, ...]
    limit_ang: dict[str, float]
    rings: tuple[int, ...] = ()

    @property
    def denticity(self) -> int:
        """How many donors it holds."""
        return len(self.donors)

    @property
    def mode(self) -> str:
        """Their elements in a fixed order, with the rings (``N,O ring 4``); ``none`` without."""
        order = list(DONOR_RADII_ANG)
        elements = ",".join(sorted(self.symbols, key=order.index)) or DETACHED
        return elements + (f" ring {','.join(map(str, self.rings))}" if self.rings else "")


@dataclass(frozen=True)
class ContactGeometry:
    """How an adsorbate is bound.

    Attributes
    ----------
    metals : tuple of SiteContact
        Metals that hold donors of the adsorbate.
    ions : tuple of SiteContact
        Single cations of the adsorbate, with donors of the node and of the adsorbate.
    nearest_ang : dict
        Name of each metal -> distance of the nearest donor of the adsorbate in angstrom.
    broken : tuple of str
        Bonds of metals within the node that are longer than a bond now: ``Fe1-O7``.
    node_atoms : int
        Number of atoms of the node, which come first.
    """

    metals: tuple[SiteContact, ...]
    ions: tuple[SiteContact, ...]
    nearest_ang: dict[str, float]
    broken: tuple[str, ...]
    node_atoms: int

    @property
    def denticity(self) -> int:
        """Number of donors of the adsorbate bound to a metal."""
        return len({k for contact in self.metals for k in contact.donors})

    @property
    def mode(self) -> str:
        """What holds on, metal by metal (``Fe O,O ring 6``, ``Fe O + Ni O``); cations after a bar.

        Two results compare like with like where this is the same up to the metal's element.
        """
        held = [f"{_element(c.label)} {c.mode}" for c in self.metals]
        parts = " + ".join(sorted(held)) or DETACHED
        if not self.ions:
            return parts
        sides = []
        for ion in self.ions:
            inner = sum(k < self.node_atoms for k in ion.donors)
            sides.append(f"{_element(ion.label)} {inner} node {ion.denticity - inner} own")
        return f"{parts} | {' + '.join(sorted(sides))}"

    @property
    def pattern(self) -> str:
        """The mode without the elements of the metals (``O,O ring 6``, ``O + O``)."""
        held = " + ".join(sorted(contact.mode for contact in self.metals)) or DETACHED
        return f"{held} |{self.mode.split('|')[1]}" if self.ions else held


def _element(label: str) -> str:
    return label.rstrip("0123456789")


def contact_geometry(
    node: Node,
    molecule: Molecule,
    adsorbate: Sequence[int],
    *,
    tolerance_ang: float = TOLERANCE_ANG,
) -> ContactGeometry:
    """Find out which atoms of an adsorbate hold on to which metal of a node.

    Parameters
    ----------
    node
        The node by itself.
    molecule
        Node and adsorbate together, for example relaxed; the node's atoms first, in its order.
    adsorbate
        Atoms of the adsorbate.
    tolerance_ang
        See `TOLERANCE_ANG`.

    Raises
    ------
    InvalidStructureError
        The first atoms are not those of the node, or the adsorbate's are not the others.
    """
    own = len(node)
    _check_atoms(node, molecule, adsorbate)
    points, symbols = molecule.positions, molecule.symbols
    giving = _donor_atoms(molecule)
    anion = [k for k in adsorbate if k in giving]
    metals, nearest = [], {}
    for atom, label, ion in zip(node.metals, node.labels, node.ions, strict=True):
        contact = _contact(points, symbols, atom, label, anion, ion.radius_ang(6), tolerance_ang)
        if anion:
            apart = np.linalg.norm(points[anion] - points[atom], axis=1)
            nearest[label] = float(apart.min())
        if contact.donors:
            metals.append(replace(contact, rings=_rings(molecule, contact.donors)))
    ions = [
        _contact(
            points, symbols, k, f"{symbols[k]}{n + 1}", sorted(giving),
            CATION_RADII_ANG[symbols[k]], tolerance_ang,
        )
        for n, k in enumerate(k for k in adsorbate if _is_single_ion(molecule, k))
    ]  # fmt: skip
    return ContactGeometry(tuple(metals), tuple(ions), nearest, _broken(node, points[:own]), own)


def _check_atoms(node: Node, molecule: Molecule, adsorbate: Sequence[int]) -> None:
    own = len(node)
    same = np.array_equal(molecule.structure.numbers[:own], node.molecule.structure.numbers)
    if not same or sorted(adsorbate) != list(range(own, len(molecule))):
        raise InvalidStructureError(
            f"Expected the {own} atoms of {node.molecule.formula} in their order, then those of "
            f"the adsorbate, all of them named; got {molecule.formula} and "
            f"{len(adsorbate)} atoms of an adsorbate."
        )


def _donor_atoms(molecule: Molecule) -> set[int]:
    """Return the atoms with a lone pair to give: the oxygens of a sulfonyl, but not its sulfur."""
    bonds = Counter(k for i, j, _ in covalent_only(molecule) for k in (i, j))
    return {
        k for k, symbol in enumerate(molecule.symbols)
        if symbol in DONOR_RADII_ANG and bonds[k] <= LONE_PAIR_BONDS[symbol]
    }  # fmt: skip


def _is_single_ion(molecule: Molecule, atom: int) -> bool:
    bonded = any(atom in (i, j) for i, j, _ in molecule.bonds)
    return not bonded and molecule.symbols[atom] in CATION_RADII_ANG


def _contact(
    points: NDArray[np.float64],
    symbols: Sequence[str],
    atom: int,
    label: str,
    candidates: Sequence[int],
    radius_ang: float,
    tolerance_ang: float,
) -> SiteContact:
    """Return what is bound to one metal or ion."""
    elements = sorted({symbols[k] for k in candidates})
    limit = {s: radius_ang + DONOR_RADII_ANG[s] + tolerance_ang for s in elements}
    apart = {k: float(np.linalg.norm(points[k] - points[atom])) for k in candidates}
    held = sorted((k for k in candidates if apart[k] <= limit[symbols[k]]), key=apart.__getitem__)
    return SiteContact(
        atom=atom,
        label=label,
        donors=tuple(held),
        symbols=tuple(symbols[k] for k in held),
        distances_ang=tuple(apart[k] for k in held),
        limit_ang=limit,
    )


def _rings(molecule: Molecule, donors: Sequence[int]) -> tuple[int, ...]:
    """Return the sizes of the rings that pairs of donors make with a metal."""
    bonds = covalent_only(molecule)
    steps = (bonds_between(bonds, i, j) for i, j in itertools.combinations(donors, 2))
    return tuple(sorted(step + 2 for step in steps if step))


def _broken(node: Node, points: NDArray[np.float64]) -> tuple[str, ...]:
    """Return the metal-donor bonds of a node that are longer than a bond in a new geometry."""
    now = {(i, j) for i, j, _ in bonds_by_distance(node.molecule.structure.numbers, points)}
    lost = []
    for i, j, _ in node.molecule.bonds:
        for metal, other in ((i, j), (j, i)):
            if metal in node.metals and (i, j) not in now:
                lost.append(f"{node.label(metal)}-{node.molecule.symbols[other]}{other}")
    return tuple(lost)


def by_pattern(geometries: Mapping[str, ContactGeometry]) -> dict[str, tuple[str, ...]]:
    """Return which of several results hold on alike: pattern -> keys.

    Only energies within one group compare like with like.
    """
    groups: dict[str, list[str]] = {}
    for key, geometry in geometries.items():
        groups.setdefault(geometry.pattern, []).append(key)
    return {pattern: tuple(keys) for pattern, keys in groups.items()}
