"""Seating an adsorbate at an open metal: through which atoms, where, and whether it has room."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.contacts import TOUCH, touching_ang
from superionic.structures.errors import AdsorptionError, InvalidStructureError
from superionic.structures.ion_pairs import (
    BITE_ANG,
    DONOR_RADII_ANG,
    HALOGENS,
    contacts,
    lone_pairs,
)
from superionic.structures.rotations import random_rotations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from superionic.structures.molecule import Molecule
    from superionic.structures.node import Node, OpenSite

LADDER = ((TOUCH, 0.0), (0.75, 0.2), (0.7, 0.2), (0.7, 0.4), (0.65, 0.4))
"""What is tried in turn: the share of van der Waals contact that all other atoms keep, and what is
added to the metal-donor distance, in angstrom. Relaxed two-donor contacts are the longer ones."""

LEAST_ANGLE_DEG = 105.0
"""A metal at one donor makes at least this angle with the donor's bonds."""
CHELATE_SHARE = 0.55
"""Share of van der Waals contact that the metal keeps from atoms of the adsorbate not bound."""
DISTINCT_ANG = 0.8
"""Places of a cation nearer to each other than this are one, in angstrom."""
TRIALS = 400
"""Orientations tried for each start."""


def binding_modes(adsorbate: Molecule) -> dict[str, tuple[tuple[int, ...], ...]]:
    """Return the ways in which an adsorbate can hold on: mode -> sets of atoms.

    One donor, two donors `BITE_ANG` apart that are not bonded, or a single positive ion.
    """
    symbols = adsorbate.symbols
    bonded = {frozenset((i, j)) for i, j, _ in adsorbate.bonds}
    inside = {k for pair in bonded for k in pair}
    donors = [
        k for k, symbol in enumerate(symbols)
        if symbol in DONOR_RADII_ANG and (k not in inside or k in lone_pairs(adsorbate))
    ]  # fmt: skip
    order = list(DONOR_RADII_ANG)
    found: dict[str, list[tuple[int, ...]]] = {}
    for symbol in ("O", *order):
        for k in donors:
            if symbols[k] == symbol and (k,) not in found.get(symbol, []):
                found.setdefault(symbol, []).append((k,))
    for i, j in itertools.combinations(donors, 2):
        apart = float(np.linalg.norm(adsorbate.positions[i] - adsorbate.positions[j]))
        if frozenset((i, j)) not in bonded and BITE_ANG[0] <= apart <= BITE_ANG[1]:
            first, second = sorted((i, j), key=lambda k: order.index(symbols[k]))
            found.setdefault(f"{symbols[first]},{symbols[second]}", []).append((first, second))
    if adsorbate.charge > 0 or inside:
        for k, symbol in enumerate(symbols):
            if k not in inside and symbol not in DONOR_RADII_ANG:
                found.setdefault(symbol, []).append((k,))
    return {mode: tuple(groups) for mode, groups in found.items()}


def default_modes(known: dict[str, tuple[tuple[int, ...], ...]]) -> tuple[str, ...]:
    """Return the modes without halogens in a pair."""
    return tuple(m for m in known if "," not in m or not set(m.split(",")) & set(HALOGENS))


def canonical_mode(mode: str) -> str:
    """Return a mode with its elements in the order that `binding_modes` has."""
    order = list(DONOR_RADII_ANG)
    parts = [part.strip() for part in mode.split(",")]
    return ",".join(sorted(parts, key=lambda s: order.index(s) if s in order else len(order)))


def held(
    node: Node,
    adsorbate: Molecule,
    site: OpenSite,
    group: tuple[int, ...],
    rng: np.random.Generator,
) -> NDArray[np.float64] | None:
    """Return positions of an adsorbate with one or two donors at a metal, or None."""
    ion = dict(zip(node.metals, node.ions, strict=True))[site.metal]
    neighbours = len(node.donors(site.metal)) + len(group)
    radii = [ion.radius_ang(neighbours) + DONOR_RADII_ANG[adsorbate.symbols[k]] for k in group]
    for share, stretch in LADDER:
        reach = [radius + stretch for radius in radii]
        if len(group) == 1:
            bodies = _by_one(adsorbate, group[0], reach[0], site.direction, rng)
        else:
            bodies = _by_two(adsorbate, (group[0], group[1]), reach, site.direction, rng)
        bodies = bodies[_sits_well(node, adsorbate, site, group, bodies)]
        bodies = bodies + node.molecule.positions[site.metal]
        free = _first_free(node, adsorbate, bodies, share, metal=site.metal)
        if free is not None:
            return free
    return None


def _by_one(
    adsorbate: Molecule,
    donor: int,
    reach: float,
    out: NDArray[np.float64],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return an adsorbate turned at random about a donor above a metal at the origin.

    In angstrom. shape=(TRIALS, atoms, 3)
    """
    arms = adsorbate.positions - adsorbate.positions[donor]
    return np.asarray(arms @ random_rotations(TRIALS, rng).transpose(0, 2, 1) + reach * out)


def _by_two(
    adsorbate: Molecule,
    donors: tuple[int, int],
    reach: Sequence[float],
    out: NDArray[np.float64],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return an adsorbate whose two donors are level above a metal at the origin.

    Turned at random about the axis of the site and about the line of the donors; none where the
    donors are too far apart. In angstrom. shape=(TRIALS or 0, atoms, 3)
    """
    first, second = adsorbate.positions[list(donors)]
    apart = float(np.linalg.norm(second - first))
    along = (apart**2 + reach[0] ** 2 - reach[1] ** 2) / (2 * apart)
    if abs(along) >= reach[0]:
        return np.zeros((0, len(adsorbate), 3))
    own = _frame((second - first) / apart)
    spin, tip = 2 * np.pi * rng.random((2, TRIALS, 1))
    _, across, aside = _frame(out)
    line = np.cos(spin) * across + np.sin(spin) * aside
    up = np.cos(tip) * out + np.sin(tip) * np.cross(line, out)
    target = np.stack([line, up, np.cross(line, up)], axis=1)  # shape=(TRIALS, 3, 3)
    height = np.sqrt(reach[0] ** 2 - along**2)
    start = height * out - along * line
    return np.asarray((adsorbate.positions - first) @ own.T @ target + start[:, None])


def _frame(axis: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return three unit vectors at right angles, the first as given. shape=(3, 3)."""
    across = np.cross(axis, np.eye(3)[int(np.argmin(np.abs(axis)))])
    across /= np.linalg.norm(across)
    return np.array([axis, across, np.cross(axis, across)])


def _sits_well(
    node: Node,
    adsorbate: Molecule,
    site: OpenSite,
    group: tuple[int, ...],
    bodies: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Return where the metal, at the origin, touches its donors only, at open angles."""
    number = node.molecule.structure.numbers[[site.metal]]
    contact = touching_ang(adsorbate.structure.numbers, number, share=CHELATE_SHARE)[:, 0]
    contact[list(group)] = 0.0
    good = np.asarray((np.linalg.norm(bodies, axis=-1) >= contact).all(axis=1))
    if len(group) == 2:
        return good
    donor = group[0]
    back = -bodies[:, donor]
    for i, j, _ in adsorbate.bonds:
        if donor in (i, j):
            arm = bodies[:, i + j - donor] - bodies[:, donor]
            lengths = np.linalg.norm(arm, axis=1) * np.linalg.norm(back, axis=1)
            good &= (arm * back).sum(axis=1) <= np.cos(np.radians(LEAST_ANGLE_DEG)) * lengths
    return good


def _first_free(
    node: Node,
    adsorbate: Molecule,
    bodies: NDArray[np.float64],
    share: float,
    *,
    metal: int | None = None,
    ion: int | None = None,
) -> NDArray[np.float64] | None:
    """Return the first of some bodies whose atoms keep their distance from those of the node.

    A metal of the node and an ion of the adsorbate, where they were looked at already, are left
    out.
    """
    contact = touching_ang(adsorbate.structure.numbers, node.molecule.structure.numbers,
                           share=share)  # fmt: skip
    if metal is not None:
        contact[:, metal] = 0.0
    if ion is not None:
        contact[ion, :] = 0.0
    ground = node.molecule.positions
    for body in bodies:
        squares = ((body[:, None] - ground[None]) ** 2).sum(axis=-1)
        if (squares >= contact**2).all():
            return np.asarray(body)
    return None


def cation_places(
    node: Node, adsorbate: Molecule, site: OpenSite, ion: int, count: int
) -> list[tuple[NDArray[np.float64], tuple[int, ...]]]:
    """Return places of a single cation at the oxygens around a metal, lowest in energy first."""
    number = int(adsorbate.structure.numbers[ion])
    around = set(node.donors(site.metal))
    try:
        found = contacts(node.molecule, number, 1, charges=node.formal_charges)
    except InvalidStructureError as error:
        raise AdsorptionError(str(error)) from error
    places: list[tuple[NDArray[np.float64], tuple[int, ...]]] = []
    for contact in found:
        position = np.array(contact.position)
        new = all(np.linalg.norm(position - other) > DISTINCT_ANG for other, _ in places)
        if new and around & set(contact.donors):
            places.append((position, contact.donors))
        if len(places) == count:
            break
    return places


def turned(
    node: Node,
    adsorbate: Molecule,
    ion: int,
    position: NDArray[np.float64],
    rng: np.random.Generator,
) -> NDArray[np.float64] | None:
    """Return positions of an adsorbate with its ion at a place and the rest free, or None."""
    arms = adsorbate.positions - adsorbate.positions[ion]
    if len(adsorbate) == 1:
        return np.asarray(arms + position)
    bodies = arms @ random_rotations(TRIALS, rng).transpose(0, 2, 1) + position
    for share in dict.fromkeys(share for share, _ in LADDER):
        free = _first_free(node, adsorbate, bodies, share, ion=ion)
        if free is not None:
            return free
    return None
