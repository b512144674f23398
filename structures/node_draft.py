"""Atoms and bonds of a metal node as they are added: metals, carboxylates, waters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from ase.data import atomic_numbers

from superionic.structures.caps import water
from superionic.structures.errors import InvalidStructureError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from superionic.structures.bridges import Bridge
    from superionic.structures.caps import Cap
    from superionic.structures.metals import MetalIon
    from superionic.structures.molecule import Bond


@dataclass
class NodeDraft:
    """Atoms and bonds as they are added."""

    numbers: list[int] = field(default_factory=list)
    positions: list[NDArray[np.float64]] = field(default_factory=list)
    bonds: list[Bond] = field(default_factory=list)

    def add(self, symbol: str, position: NDArray[np.float64], *partners: int) -> int:
        """Add an atom bonded to others, and return its index."""
        index = len(self.numbers)
        self.numbers.append(atomic_numbers[symbol])
        self.positions.append(position)
        self.bonds += [(k, index, 1.0) for k in partners]
        return index

    def add_cap(self, cap: Cap, carbon: int, positions: NDArray[np.float64]) -> None:
        """Add the rest of a carboxylate."""
        first = len(self.numbers)
        self.numbers += [int(z) for z in cap.numbers]
        self.positions += list(positions)
        self.bonds.append((carbon, first, 1.0))
        self.bonds += [(first + i, first + j, order) for i, j, order in cap.bonds]

    def add_carboxylate(
        self,
        bridge: Bridge,
        metals: tuple[int, int],
        across: NDArray[np.float64],
        face: NDArray[np.float64],
        cap: Cap,
    ) -> None:
        """Add a carboxylate between two metals, on the side of the unit vector ``across``.

        What sticks out of its plane does so to the side of ``face``.
        """
        start, end = (self.positions[k] for k in metals)
        frame = np.array([(start - end) / np.linalg.norm(start - end), across])
        first = self.add("O", start + bridge.sides[0] @ frame, metals[0])
        second = self.add("O", end + bridge.sides[1] @ frame, metals[1])
        carbon = end + bridge.carbon @ frame
        index = self.add("C", carbon)
        self.bonds += [(first, index, 1.5), (second, index, 1.5)]
        along, out = bridge.along @ frame, bridge.out @ frame
        self.add_cap(cap, index, cap.placed(carbon, along, out, face))

    def add_water(
        self,
        metal: int,
        ion: MetalIon,
        out: NDArray[np.float64],
        across: NDArray[np.float64],
        given: Mapping[str, float],
    ) -> None:
        """Close a metal with a water."""
        oxygen = self.positions[metal] + oxygen_distance_ang(ion, 6, 3, given) * out
        points = water(oxygen, out, across)
        index = self.add("O", points[0], metal)
        self.add("H", points[1], index)
        self.add("H", points[2], index)


def distances_given(
    distances_ang: Mapping[str, float] | None, ions: Sequence[MetalIon]
) -> dict[str, float]:
    """Return the distances that were given, each of a metal that is there."""
    found = dict(distances_ang or {})
    metals = list(dict.fromkeys(ion.symbol for ion in ions))
    strange = [symbol for symbol in found if symbol not in metals]
    if strange:
        raise InvalidStructureError(
            f"metal_oxygen_ang has a distance for {', '.join(strange)}, but the metals of this "
            f"node are {', '.join(metals)}. Correct the symbol, or leave it out."
        )
    return found


def oxygen_distance_ang(
    ion: MetalIon, neighbours: int, partners: int, given: Mapping[str, float]
) -> float:
    """Return the distance of a metal to an oxygen that has so many partners, in angstrom."""
    if ion.symbol not in given:
        return ion.oxygen_distance_ang(neighbours, oxygen_coordination=partners)
    distance = float(given[ion.symbol])
    if not 1.2 <= distance <= 3.5:
        raise InvalidStructureError(
            f"A distance of {ion.symbol} to oxygen lies between 1.2 and 3.5 A; got {distance}."
        )
    return distance + 0.01 * (partners - 2)
