"""How many whole atoms the occupancies of a cell mean, and the cell in which they are whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.disordered import format_formula
from superionic.structures.errors import PartialOccupancyError
from superionic.structures.lattices import compact_supercell, site_kinds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from superionic.structures.disordered import DisorderedStructure

OCCUPANCY_ROUNDING = 0.005
"""Occupancies may change by so much to make atoms whole: files give 2/3 as 0.67."""

COUNT_TOLERANCE = 0.25
"""At most so many atoms of an element may be rounded away from one set of sites."""


def exchanging_sites(crystal: DisorderedStructure, pool: Sequence[str]) -> list[NDArray[np.int64]]:
    """Return the sets of sites that exchange their contents.

    Sites of one label and the same occupancies are a set. Sites that hold nothing but one element
    of ``pool`` are a set together, whatever their labels.
    """
    keys: list[tuple[object, ...]] = [
        ("pool", next(iter(occupancy)))
        if len(occupancy) == 1 and set(occupancy) <= set(pool)
        else kind
        for kind, occupancy in zip(site_kinds(crystal), crystal.occupancies, strict=True)
    ]
    return [np.array([i for i, k in enumerate(keys) if k == key]) for key in dict.fromkeys(keys)]


def amounts_on(crystal: DisorderedStructure, sites: NDArray[np.int64]) -> dict[str, float]:
    """Return how many atoms of each element a set of sites holds."""
    amounts: dict[str, float] = {}
    for i in sites:
        for symbol, share in crystal.occupancies[i].items():
            amounts[symbol] = amounts.get(symbol, 0.0) + share
    return amounts


def _off(amount: float, sites: int) -> float:
    """Return how far an amount is from whole, in units of what is tolerated."""
    return abs(amount - round(amount)) / min(COUNT_TOLERANCE, OCCUPANCY_ROUNDING * sites)


def worst_fraction(crystal: DisorderedStructure, pool: Sequence[str], size: int) -> float:
    """Return the largest `_off` of any set of sites in ``size`` cells."""
    return max(
        (
            _off(amount * size, len(sites) * size)
            for sites in exchanging_sites(crystal, pool)
            for amount in amounts_on(crystal, sites).values()
        ),
        default=0.0,
    )


def smallest_supercell(
    parent: DisorderedStructure, pool: Sequence[str], min_atoms: int, max_atoms: int
) -> NDArray[np.int64]:
    """Return the most compact supercell of the smallest size that makes all counts whole.

    Raises
    ------
    PartialOccupancyError
        No size within the bounds does; names the nearest compositions.
    """
    atoms = sum(parent.composition.values())
    largest = int(max_atoms / atoms + 1e-6)
    smallest = max(1, int(np.ceil(min_atoms / atoms - 1e-6)))
    for size in range(smallest, largest + 1):
        if worst_fraction(parent, pool, size) <= 1.0:
            return compact_supercell(parent.cell, size)
    if smallest > largest:
        raise PartialOccupancyError(
            f"No whole number of cells of {atoms:g} atoms makes {min_atoms} to {max_atoms} atoms. "
            "Ask for a smaller least size, or raise max_atoms."
        )
    nearest = nearest_whole(parent, pool, range(1, max(largest, 1) + 1))
    raise PartialOccupancyError(
        f"{parent.reduced_formula} has whole atoms in no supercell of {min_atoms} to {max_atoms} "
        f"atoms. {nearest} Change the occupancies "
        "(superionic.structures.composition.substitute) or raise max_atoms."
    )


def nearest_whole(parent: DisorderedStructure, pool: Sequence[str], sizes: range) -> str:
    """Name the whole compositions closest to the occupancies."""
    options: dict[str, float] = {}
    for size in sizes:
        whole: dict[str, float] = {}
        shift = 0.0
        for sites in exchanging_sites(parent, pool):
            for symbol, amount in amounts_on(parent, sites).items():
                rounded = round(amount * size)
                whole[symbol] = whole.get(symbol, 0.0) + rounded
                shift = max(shift, abs(rounded - amount * size) / (len(sites) * size))
        name = f"{format_formula(whole)} ({sum(whole.values()):.0f} atoms)"
        options.setdefault(name, shift)
    best = sorted(options, key=lambda name: options[name])[:3]
    return f"The nearest whole compositions are {', '.join(best)}."
