"""The value for a box of molecules: which, how many, and where, as one periodic structure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from ase.data import chemical_symbols

from superionic.structures.errors import InvalidStructureError
from superionic.structures.molecule import Molecule
from superionic.structures.structure import Structure, readonly
from superionic.structures.tiling import tiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

FILLER = "FIL"
"""Name of the component that is a filler, such as nodes of a framework."""

AMU_PER_ANG3 = 1.66053906660
"""One atomic mass unit per cubic angstrom in g/cm3."""

LONGEST_BOND_ANG = 3.5
"""A bond longer than this (angstrom) tells of a molecule that was cut at the cell's border."""

LONGEST_NAME, LONGEST_ATOM_NAME = 5, 4
"""Characters that coordinate files leave for the name of a residue and of an atom."""


@dataclass(frozen=True, eq=False)
class Component:
    """All molecules of one kind in a box.

    Attributes
    ----------
    name : str
        Residue name in coordinate files: one to five letters and digits, such as ``PEO``, ``NA``,
        ``TFSI``, ``FIL``.
    molecule : Molecule
        One of them: order of the atoms, bonds, charge and a geometry.
    count : int
        How many.
    rigid : bool
        Whether the geometry is to be kept as it is in ``molecule``.
    units : int
        Repeat units of one molecule; 1 unless it is a polymer.
    residues : tuple of int
        Which residue of the molecule each atom belongs to, from 0 without gaps, ascending. All 0
        by default; one a repeat unit in a polymer. length=atoms of one molecule

    Raises
    ------
    InvalidStructureError
        A name that files cannot hold, a count below 1, residues that do not fit.
    """

    name: str
    molecule: Molecule
    count: int
    rigid: bool = False
    units: int = 1
    residues: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Validate."""
        plain = self.name.isascii() and self.name.isalnum()
        if not plain or not self.name[0].isalpha() or len(self.name) > LONGEST_NAME:
            raise InvalidStructureError(
                f"A component's name has one to {LONGEST_NAME} letters and digits, a letter first; "
                f"got {self.name!r}."
            )
        if self.count < 1 or self.units < 1:
            raise InvalidStructureError(
                f"{self.name} needs a count and a number of repeat units of at least 1; got "
                f"{self.count} and {self.units}. Leave out what is not in the box."
            )
        residues = tuple(int(r) for r in self.residues) or (0,) * len(self.molecule)
        steps = np.diff((0, *residues))
        if len(residues) != len(self.molecule) or residues[0] or not np.isin(steps, (0, 1)).all():
            raise InvalidStructureError(
                f"{self.name} has {len(self.molecule)} atoms; expected for each the residue that "
                "it belongs to, counted from 0 without gaps and ascending."
            )
        object.__setattr__(self, "residues", residues)

    @property
    def atoms(self) -> int:
        """Number of atoms of one molecule."""
        return len(self.molecule)

    @property
    def mass_g_per_mol(self) -> float:
        """Mass of one molecule in g/mol."""
        return self.molecule.structure.mass_g_per_mol

    @property
    def is_polymer(self) -> bool:
        """Whether the molecule is a chain of repeat units."""
        return self.units > 1

    @property
    def is_bare_cation(self) -> bool:
        """Whether it is a single positive ion, such as Na+."""
        return self.atoms == 1 and self.molecule.charge > 0

    @property
    def atom_names(self) -> tuple[str, ...]:
        """Name of each atom, unique in its residue and at most four characters long.

        The labels of the molecule where they are that, else symbol and number: ``C1``, ``C2``.
        """
        labels = self.molecule.structure.labels
        pairs = set(zip(self.residues, labels, strict=True))
        if len(pairs) == self.atoms and all(len(x) <= LONGEST_ATOM_NAME for x in labels):
            return labels
        seen = Counter[tuple[int, str]]()
        names = []
        for key in zip(self.residues, self.molecule.symbols, strict=True):
            seen[key] += 1
            names.append(f"{key[1]}{seen[key]}")
        return tuple(names)


@dataclass(frozen=True, eq=False)
class Box:
    """Molecules in an orthorhombic periodic cell.

    Attributes
    ----------
    structure : Structure
        Atoms component by component, molecule by molecule, each in the order of its template;
        molecules are whole, so positions may lie outside the cell.
    components : tuple of Component
        What is in it, each name once.
    seed : int
        Of the random choices that placed the molecules.

    Raises
    ------
    InvalidStructureError
        The cell is skewed or not periodic, atoms are not those of the components in their order,
        a molecule is cut, or the box bears a charge.
    """

    structure: Structure
    components: tuple[Component, ...]
    seed: int

    def __post_init__(self) -> None:
        """Validate."""
        object.__setattr__(self, "components", tuple(self.components))
        check_neutral(self.components)
        self._check_cell()
        self._check_atoms()

    def _check_cell(self) -> None:
        cell = self.structure.cell
        edges = cell.diagonal()
        if not all(self.structure.pbc) or (np.diag(edges) != cell).any() or (edges <= 0).any():
            raise InvalidStructureError(
                "A box is periodic in all directions, its cell vectors lie along x, y and z; got "
                f"pbc={self.structure.pbc} and cell {cell.tolist()}."
            )

    def _check_atoms(self) -> None:
        expected = np.concatenate(
            [np.tile(c.molecule.structure.numbers, c.count) for c in self.components]
        )
        found = self.structure.numbers
        if len(found) != len(expected):
            raise InvalidStructureError(
                f"The components hold {len(expected)} atoms, the structure {len(found)}. They do "
                "not belong together."
            )
        if (found != expected).any():
            k = int(np.flatnonzero(found != expected)[0])
            raise InvalidStructureError(
                f"Atom {k} should be {chemical_symbols[expected[k]]} but is "
                f"{chemical_symbols[found[k]]}: atoms come component by component, molecule by "
                "molecule, in the order of the template."
            )
        lengths = self._bond_lengths()
        if len(lengths) and lengths.max() > LONGEST_BOND_ANG:
            i, j = self.bonds[int(lengths.argmax())]
            raise InvalidStructureError(
                f"The bond of atoms {i} and {j} is {lengths.max():.2f} A long. Molecules must be "
                "whole: unwrap the positions."
            )

    def _bond_lengths(self) -> NDArray[np.float64]:
        ends = self.structure.positions[self.bonds]
        return np.asarray(np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1))

    def __len__(self) -> int:
        """Return the number of atoms."""
        return len(self.structure)

    @property
    def edges_ang(self) -> NDArray[np.float64]:
        """Edges of the cell in angstrom. shape=(3,)."""
        return np.asarray(self.structure.cell.diagonal())

    @property
    def molecules(self) -> int:
        """Number of molecules."""
        return sum(c.count for c in self.components)

    @cached_property
    def component_index(self) -> NDArray[np.int64]:
        """Which component each atom belongs to. shape=(atoms,)."""
        sizes = [c.count * c.atoms for c in self.components]
        return readonly(np.repeat(np.arange(len(sizes)), sizes), np.int64)

    @cached_property
    def molecule_index(self) -> NDArray[np.int64]:
        """Which molecule each atom belongs to, counted through all components. shape=(atoms,)."""
        sizes = np.concatenate([np.full(c.count, c.atoms) for c in self.components])
        return readonly(np.repeat(np.arange(len(sizes)), sizes), np.int64)

    @cached_property
    def residue_index(self) -> NDArray[np.int64]:
        """Which residue each atom belongs to, counted through all molecules. shape=(atoms,)."""
        parts, first = [], 0
        for c in self.components:
            own = np.array(c.residues)
            size = int(own[-1]) + 1
            parts.append((first + own + size * np.arange(c.count)[:, None]).ravel())
            first += size * c.count
        return readonly(np.concatenate(parts), np.int64)

    @cached_property
    def bonds(self) -> NDArray[np.int64]:
        """Bonded pairs of atoms, the lower first. shape=(bonds, 2)."""
        own = [[(i, j) for i, j, _ in c.molecule.bonds] for c in self.components]
        return readonly(tiled(self.components, own, 2), np.int64)

    @property
    def charge(self) -> int:
        """Total charge in e: 0."""
        return sum(c.count * c.molecule.charge for c in self.components)

    @property
    def mass_g_per_mol(self) -> float:
        """Mass of all molecules in g/mol."""
        return sum(c.count * c.mass_g_per_mol for c in self.components)

    @property
    def density_g_cm3(self) -> float:
        """Density in g/cm3."""
        return AMU_PER_ANG3 * self.mass_g_per_mol / self.structure.volume

    @property
    def repeat_units(self) -> int:
        """Repeat units of all polymer chains."""
        return sum(c.count * c.units for c in self.components if c.is_polymer)

    @property
    def cations(self) -> int:
        """Number of single positive ions."""
        return sum(c.count for c in self.components if c.is_bare_cation)

    @property
    def units_per_cation(self) -> float | None:
        """Repeat units of the polymer per cation, EO:Na; None without either."""
        if not self.cations or not self.repeat_units:
            return None
        return self.repeat_units / self.cations

    def weight_fraction(self, name: str) -> float:
        """Return the share of a component in the mass of the box; 0 where it is not in it."""
        mass = sum(c.count * c.mass_g_per_mol for c in self.components if c.name == name)
        return mass / self.mass_g_per_mol

    @property
    def filler_weight_fraction(self) -> float:
        """Share of the filler in the mass of the box."""
        return self.weight_fraction(FILLER)

    def component(self, name: str) -> Component:
        """Return the component of a name.

        Raises
        ------
        InvalidStructureError
            There is none; names those there are.
        """
        for component in self.components:
            if component.name == name:
                return component
        raise InvalidStructureError(
            f"The box holds no {name!r}; it holds {', '.join(c.name for c in self.components)}."
        )

    def molecules_of(self, name: str) -> tuple[range, ...]:
        """Return the indices of the atoms of each molecule of a component."""
        wanted = self.component(name)
        first = 0
        for c in self.components:
            if c is wanted:
                break
            first += c.count * c.atoms
        starts = (first + k * wanted.atoms for k in range(wanted.count))
        return tuple(range(start, start + wanted.atoms) for start in starts)


def check_neutral(components: tuple[Component, ...]) -> None:
    """Raise `InvalidStructureError` unless names are unique and charges add up to zero."""
    names = [c.name for c in components]
    if not names or len(set(names)) < len(names):
        raise InvalidStructureError(
            f"A box needs components, each with a name of its own; got {', '.join(names) or 'none'}"
            "."
        )
    total = sum(c.count * c.molecule.charge for c in components)
    if total:
        parts = ", ".join(
            f"{c.count} {c.name} of {c.molecule.charge:+d}" for c in components if c.molecule.charge
        )
        raise InvalidStructureError(
            f"The box would bear a charge of {total:+d} e ({parts}); a periodic box must be "
            "neutral. Add counter-ions, or take a filler without charge."
        )
