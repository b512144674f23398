"""The value for a molecule: atoms without a lattice, their bonds, charge and spin."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from ase.data import atomic_masses

from superionic.structures.errors import InvalidStructureError
from superionic.structures.structure import Structure, check_no_overlap

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "MARGIN_ANG",
    "Bond",
    "Molecule",
    "Neighbours",
    "boxed",
    "check_box",
    "fragments",
    "framed",
    "free_molecule",
    "image_separation",
    "torsion_deg",
]

Bond = tuple[int, int, float]
"""Two atoms, the lower first, and the order: 1, 2, 3, or 1.5 for aromatic."""

Neighbours = tuple[tuple[int, ...], ...]
"""Bonded atoms of each atom, ascending."""

MARGIN_ANG = 10.0
"""Empty space around a molecule in the cell that a `Structure` needs, in angstrom."""


@dataclass(frozen=True, eq=False)
class Molecule:
    """One molecule, ion or ion pair in free space.

    Attributes
    ----------
    structure : Structure
        The atoms, not periodic; the cell is only a frame around them (`boxed` makes one that
        repeats).
    charge : int
        Total charge in e.
    spin_multiplicity : int
        2S + 1.
    name : str
        What it is called.
    smiles : str
        SMILES of the molecule, empty where it is not known.
    source, note : str
        Where the geometry comes from, and what to know of it.
    bonds : tuple of Bond
        Covalent bonds ``(i, j, order)``. A contact between ions is none.

    Raises
    ------
    InvalidStructureError
        The atoms are periodic or overlap, a bond names no pair of atoms, or no number of electrons
        fits both charge and multiplicity.
    """

    structure: Structure
    charge: int = 0
    spin_multiplicity: int = 1
    name: str = ""
    smiles: str = ""
    source: str = ""
    note: str = ""
    bonds: tuple[Bond, ...] = ()

    def __post_init__(self) -> None:
        """Validate."""
        if any(self.structure.pbc):
            raise InvalidStructureError(
                f"A molecule is not periodic; got pbc={self.structure.pbc}. Use `free_molecule` "
                "for atoms read from a periodic box."
            )
        check_no_overlap(self.structure)
        bonds = tuple(sorted((min(i, j), max(i, j), float(order)) for i, j, order in self.bonds))
        pairs = {(i, j) for i, j, _ in bonds}
        if len(pairs) != len(bonds) or any(i == j or i < 0 or j >= len(self) for i, j in pairs):
            raise InvalidStructureError(
                f"Bonds must join two of the {len(self)} atoms, each pair once; got {self.bonds}."
            )
        object.__setattr__(self, "bonds", bonds)
        self._check_electrons()

    def _check_electrons(self) -> None:
        electrons = int(self.structure.numbers.sum()) - self.charge
        unpaired = self.spin_multiplicity - 1
        if unpaired < 0 or electrons < unpaired or (electrons - unpaired) % 2:
            raise InvalidStructureError(
                f"{self.name or self.structure.formula} with charge {self.charge:+d} has "
                f"{electrons} electrons, which do not make a multiplicity of "
                f"{self.spin_multiplicity}. Correct the charge or the multiplicity."
            )

    def __len__(self) -> int:
        """Return the number of atoms."""
        return len(self.structure)

    @property
    def symbols(self) -> tuple[str, ...]:
        """Chemical symbol of each atom."""
        return self.structure.symbols

    @property
    def positions(self) -> NDArray[np.float64]:
        """Cartesian positions in angstrom. shape=(atoms, 3)."""
        return self.structure.positions

    @property
    def formula(self) -> str:
        """Chemical formula in Hill order."""
        return self.structure.formula

    def _repr_html_(self) -> str:
        """Return a card with a picture for notebooks."""
        from superionic.structures.picture import html_card, svg_picture

        rows = {
            "atoms": str(len(self)),
            "charge": f"{self.charge:+d} e",
            "spin multiplicity": str(self.spin_multiplicity),
            "bonds": str(len(self.bonds)),
            "parts": str(len(self.fragments)),
        }
        return html_card(self.name or self.formula, rows, svg_picture(self.structure))

    @property
    def length_ang(self) -> float:
        """Largest distance between two atoms in angstrom."""
        difference = self.positions[:, None] - self.positions[None, :]
        return float(np.linalg.norm(difference, axis=-1).max())

    @property
    def fragments(self) -> tuple[tuple[int, ...], ...]:
        """Atoms of each covalently bonded part, in order of their first atom."""
        return fragments(len(self), self.bonds)

    @property
    def neighbours(self) -> Neighbours:
        """Atoms bonded to each atom, ascending."""
        return neighbours_of(len(self), self.bonds)

    def centred(self) -> NDArray[np.float64]:
        """Return the positions about the centre of mass, in angstrom. shape=(atoms, 3)."""
        weights = atomic_masses[self.structure.numbers]
        return np.asarray(self.positions - np.average(self.positions, axis=0, weights=weights))

    def with_positions(self, positions: ArrayLike) -> Molecule:
        """Return the same molecule in another geometry (angstrom, shape=(atoms, 3))."""
        return replace(self, structure=framed(self.structure.numbers, positions))

    def mirrored(self) -> Molecule:
        """Return the mirror image, atom by atom."""
        return self.with_positions(self.positions * np.array([-1.0, 1.0, 1.0]))

    def torsion_deg(self, i: int, j: int, k: int, m: int) -> float:
        """Return the torsion of four atoms in degrees, in (-180, 180], IUPAC sign."""
        return torsion_deg(self.positions[[i, j, k, m]])


def framed(numbers: ArrayLike, positions: ArrayLike, labels: Sequence[str] = ()) -> Structure:
    """Return atoms in free space, centred in a frame `MARGIN_ANG` wider on each side.

    Raises
    ------
    InvalidStructureError
        A coordinate is not finite, or there are no atoms.
    """
    points = np.asarray(positions, dtype=float).reshape(-1, 3)
    if len(points) and np.isfinite(points).all():
        low, high = points.min(axis=0), points.max(axis=0)
        cell, shift = np.diag(high - low + 2 * MARGIN_ANG), MARGIN_ANG - low
    else:  # `Structure` says what is wrong
        cell, shift = np.eye(3), np.zeros(3)
    return Structure(
        numbers=np.asarray(numbers), positions=points + shift, cell=cell,
        pbc=(False, False, False), labels=tuple(labels),
    )  # fmt: skip


def torsion_deg(points: ArrayLike) -> float:
    """Return the torsion of four points in degrees, in (-180, 180].

    The sign is that of IUPAC: positive when, seen along the middle bond, the front bond has to be
    turned clockwise to cover the rear one.
    """
    a, b, c, d = np.asarray(points, dtype=float)
    axis = (c - b) / np.linalg.norm(c - b)
    front, rear = a - b, d - c
    front = front - (front @ axis) * axis
    rear = rear - (rear @ axis) * axis
    angle = np.degrees(np.arctan2(np.cross(axis, front) @ rear, front @ rear))
    return 180.0 if angle <= -180.0 else float(angle)


def neighbours_of(atoms: int, bonds: Iterable[Sequence[float]]) -> Neighbours:
    """Return the bonded atoms of each atom; of a bond only the first two entries count."""
    found: list[set[int]] = [set() for _ in range(atoms)]
    for bond in bonds:
        i, j = int(bond[0]), int(bond[1])
        found[i].add(j)
        found[j].add(i)
    return tuple(tuple(sorted(x)) for x in found)


def fragments(atoms: int, bonds: Sequence[Bond]) -> tuple[tuple[int, ...], ...]:
    """Return the atoms of each bonded part, in order of their first atom."""
    parent = list(range(atoms))

    def root(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = parent[k]
        return k

    for i, j, _ in bonds:
        a, b = sorted((root(i), root(j)))
        parent[b] = a
    parts: dict[int, list[int]] = {}
    for k in range(atoms):
        parts.setdefault(root(k), []).append(k)
    return tuple(tuple(part) for part in parts.values())


def boxed(molecule: Molecule, *, vacuum_ang: float = 12.0, cubic: bool = False) -> Structure:
    """Put a molecule into a periodic box.

    Parameters
    ----------
    molecule
        The molecule, in the orientation it has.
    vacuum_ang
        Least distance in angstrom between an atom and any periodic image of any atom.
    cubic
        All edges as long as the longest.

    Returns
    -------
    Structure
        The atoms in their order, centred in an orthorhombic cell, periodic in all directions.

    Raises
    ------
    InvalidStructureError
        The vacuum is no positive number below 1000 A.
    """
    if not 0.0 < vacuum_ang < 1e3:
        raise InvalidStructureError(
            f"The vacuum around a molecule must lie between 0 and 1000 A; got {vacuum_ang}."
        )
    low, high = molecule.positions.min(axis=0), molecule.positions.max(axis=0)
    edges = high - low + vacuum_ang
    if cubic:
        edges = np.full(3, edges.max())
    return Structure(
        numbers=molecule.structure.numbers,
        positions=molecule.positions + (edges - low - high) / 2,
        cell=np.diag(edges),
        labels=molecule.structure.labels,
    )


def image_separation(structure: Structure, atoms: Sequence[int] | None = None) -> float:
    """Return the least distance between some atoms and their periodic images, in angstrom.

    Parameters
    ----------
    structure
        Atoms in a cell.
    atoms
        Which atoms make the molecule; all by default. Other atoms are not looked at.

    Returns
    -------
    float
        Infinity where nothing repeats.
    """
    if not any(structure.pbc):
        return float("inf")
    chosen = np.arange(len(structure)) if atoms is None else np.asarray(atoms, dtype=np.int64)
    points = structure.positions[chosen]
    shifts = lattice_points(structure.cell, structure.pbc, float(np.ptp(points, axis=0).max()))
    apart = points[:, None] - points[None, :]
    return float(min(np.linalg.norm(apart + shift, axis=-1).min() for shift in shifts))


def lattice_points(cell: ArrayLike, pbc: Sequence[bool], reach_ang: float) -> NDArray[np.float64]:
    """Return the lattice vectors, zero left out, that can bring two atoms nearest.

    Parameters
    ----------
    cell
        Lattice vectors as rows, in angstrom. shape=(3, 3)
    pbc
        Which of them repeat.
    reach_ang
        Largest extent of the atoms along a Cartesian axis, in angstrom.

    Returns
    -------
    ndarray
        In angstrom. shape=(n, 3)
    """
    from superionic.structures.geometry import images_within

    lattice = np.asarray(cell, dtype=float)
    shortest = float(np.linalg.norm(lattice[list(pbc)], axis=1).min())
    # an image farther than this is beyond the shortest lattice vector for every pair of atoms
    radius = shortest + 2 * np.sqrt(3) * reach_ang + 1e-6
    found = images_within(np.zeros((1, 3)), lattice, pbc, centre=np.zeros(3), radius_ang=radius)
    return np.asarray(found.positions[(found.shifts != 0).any(axis=1)])


def check_box(structure: Structure, *, least_ang: float = 8.0) -> float:
    """Return the distance of a molecule in a box to its images, and refuse one that is too small.

    Parameters
    ----------
    structure
        The molecule in its periodic cell.
    least_ang
        Least distance between an atom and any periodic image, in angstrom.

    Raises
    ------
    InvalidStructureError
        It is smaller; says by how much the box has to grow.
    """
    found = image_separation(structure)
    if not found >= least_ang - 1e-9:
        raise InvalidStructureError(
            f"{structure.formula} is {found:.2f} A from its own periodic image; expected at least "
            f"{least_ang:g} A. Enlarge the box by {least_ang - found:.2f} A or more "
            "(`superionic.structures.molecules.boxed`)."
        )
    return found


def free_molecule(
    structure: Structure, *, charge: int = 0, spin_multiplicity: int | None = None, name: str = ""
) -> Molecule:
    """Take a molecule out of its cell: bonds from distances, pieces brought together.

    Parameters
    ----------
    structure
        The atoms of one molecule, whole or wrapped at the boundaries of a periodic cell.
    charge
        Total charge in e.
    spin_multiplicity
        2S + 1; by default the lowest that the number of electrons allows.
    name
        What it is called; by default its formula.
    """
    from superionic.structures.molecule_files import from_structure

    return from_structure(structure, charge=charge, spin_multiplicity=spin_multiplicity, name=name)
