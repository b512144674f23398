"""Bonds of a framework crystal, atom by atom, across the boundaries of its cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from ase.data import atomic_numbers, covalent_radii

from superionic.structures.errors import InvalidStructureError
from superionic.structures.node_bonds import DATIVE_FACTOR, DONORS
from superionic.structures.polyanions import BOND_FACTOR, NONMETALS, neighbour_bonds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from superionic.structures.structure import Structure

LARGEST = 2000
"""A node or a linker with more atoms than this is a framework by itself."""

GUESTS = ("Li", "Na", "K", "Rb", "Cs")
"""Metals that are guests between the nodes, and no part of one."""

Shift = tuple[int, int, int]
Image = tuple[int, Shift]
"""An atom of the crystal and the lattice translation to its image."""

HOME: Shift = (0, 0, 0)
"""The cell that an atom is listed in."""


def _moved(shift: Shift, by: Shift) -> Shift:
    return (shift[0] + by[0], shift[1] + by[1], shift[2] + by[2])


@dataclass(frozen=True, eq=False)
class FrameworkNet:
    """Bonds of a crystal, atom by atom, with the translation of each partner."""

    structure: Structure
    symbols: tuple[str, ...]
    covalent: tuple[tuple[Image, ...], ...]
    dative: tuple[tuple[Image, ...], ...]

    @classmethod
    def of(cls, structure: Structure) -> FrameworkNet:
        """Find the bonds by distance."""
        numbers = structure.numbers
        bonds = neighbour_bonds(
            numbers, structure.fractional, structure.cell, DATIVE_FACTOR * covalent_radii[numbers]
        )
        nonmetal = np.isin(numbers, [atomic_numbers[s] for s in NONMETALS])
        donor = np.isin(numbers, [atomic_numbers[s] for s in DONORS])
        i, j = bonds.first, bonds.second
        reach = BOND_FACTOR * (covalent_radii[numbers[i]] + covalent_radii[numbers[j]])
        covalent = nonmetal[i] & nonmetal[j] & (bonds.lengths < reach)
        metal = ~nonmetal & ~np.isin(numbers, [atomic_numbers[s] for s in GUESTS])
        dative = (metal[i] & donor[j]) | (metal[j] & donor[i])
        tables: list[list[list[Image]]] = []
        for keep in (covalent, dative):
            table: list[list[Image]] = [[] for _ in numbers]
            for a, b, offset in zip(i[keep], j[keep], bonds.offsets[keep], strict=True):
                x, y, z = (int(v) for v in offset)
                table[int(a)].append((int(b), (x, y, z)))
                table[int(b)].append((int(a), (-x, -y, -z)))
            tables.append(table)
        return cls(
            structure, structure.symbols,
            tuple(tuple(row) for row in tables[0]), tuple(tuple(row) for row in tables[1]),
        )  # fmt: skip

    def partners(self, image: Image, *, dative: bool) -> list[Image]:
        """Return the images bonded to one."""
        table = self.dative if dative else self.covalent
        return [(k, _moved(image[1], shift)) for k, shift in table[image[0]]]

    def position(self, image: Image) -> NDArray[np.float64]:
        """Return the position of an image in angstrom. shape=(3,)."""
        return np.asarray(
            self.structure.positions[image[0]] + np.array(image[1]) @ self.structure.cell
        )

    def carboxyl_of(self, oxygen: Image) -> Image | None:
        """Return the carbon of the carboxylate that an oxygen belongs to."""
        around = self.partners(oxygen, dative=False)
        if self.symbols[oxygen[0]] != "O" or len(around) != 1:
            return None
        carbon = around[0]
        return carbon if len(self.oxygens(carbon)) == 2 else None

    def oxygens(self, carbon: Image) -> list[Image]:
        """Return both oxygens of a carboxylate's carbon; nothing where it is none."""
        around = self.partners(carbon, dative=False)
        if self.symbols[carbon[0]] != "C" or len(around) != 3:
            return []
        bare = [
            image for image in around
            if self.symbols[image[0]] == "O" and len(self.covalent[image[0]]) == 1
        ]  # fmt: skip
        return bare if len(bare) == 2 else []

    def piece(self, start: Image, *, without: tuple[Image, ...] = ()) -> list[Image]:
        """Return the covalently bonded images of one, in order of their distance in bonds."""
        seen, queue = {start, *without}, [start]
        homes = {start[0]: start[1]}
        for image in queue:
            for other in self.partners(image, dative=False):
                if other in seen:
                    continue
                if homes.setdefault(other[0], other[1]) != other[1] or len(queue) > LARGEST:
                    raise InvalidStructureError(
                        f"Atom {start[0]} ({self.structure.labels[start[0]]}) belongs to a "
                        "covalent network that runs through the crystal; a linker has an end."
                    )
                seen.add(other)
                queue.append(other)
        return queue
