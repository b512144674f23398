"""Starting geometries of an anion, a salt or a cation at the open metals of a node.

An anion or a salt comes with one or two of its donor atoms (O, N, F) at the metal, a cation with
the oxygens around the metal. All are rigid and free of clashes; relax them.
"""

from __future__ import annotations

import itertools
import logging
from collections import Counter
from dataclasses import dataclass
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
from superionic.structures.molecule import Molecule, framed
from superionic.structures.rotations import random_rotations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

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

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class NodeStart:
    """An adsorbate at an open metal.

    Attributes
    ----------
    molecule : Molecule
        The atoms of the node, then those of the adsorbate; charges added, spins parallel. Bonds
        are those within either.
    adsorbate : tuple of int
        Atoms of the adsorbate.
    metal : int
        The metal.
    site : str
        Its name, as `Node.labels`.
    mode : str
        Elements that hold on: ``O``, ``O,O``, ``N,O``; ``Na`` where the cation does.
    donors : tuple of int
        Atoms of the adsorbate at the metal; in mode ``Na`` atoms of the node at the cation.
    distances_ang : tuple of float
        From the metal (or the cation) to each of these, in angstrom.
    key : str
        Site, mode and number: ``Fe1-O,O-0``.
    """

    molecule: Molecule
    adsorbate: tuple[int, ...]
    metal: int
    site: str
    mode: str
    donors: tuple[int, ...]
    distances_ang: tuple[float, ...]
    key: str


def node_starts(
    node: Node,
    adsorbate: Molecule,
    *,
    count: int = 2,
    modes: Sequence[str] | None = None,
    sites: Sequence[str] | None = None,
    seed: int = 0,
) -> tuple[NodeStart, ...]:
    """Put an adsorbate at the open metals of a node, in each mode several times.

    Parameters
    ----------
    node
        With at least one open site.
    adsorbate
        An anion (TFSI-), a salt (NaTFSI) or a single cation (Na+).
    count
        Starts for each site and mode.
    modes
        What holds on: one or two elements of donors (``O``, ``N``, ``F``, ``O,O``, ``N,O``), or a
        single ion of the adsorbate (``Na``). By default all that it has, two halogens or a halogen
        beside another donor left out.
    sites
        Names of metals, as `Node.labels`. By default the first of each kind of ion: like metals of
        one oxidation state count as equivalent.
    seed
        Decides donors, orientations and turns; each site and mode has its own random numbers.

    Returns
    -------
    tuple of NodeStart
        Sites in order, then modes, then numbers.

    Raises
    ------
    AdsorptionError
        No open site, no such site or mode, or a mode asked for does not fit without clashes.
    """
    if count < 1:
        raise AdsorptionError(f"Expected at least one start a mode; got count={count}.")
    chosen = _chosen_sites(node, sites)
    known = binding_modes(adsorbate)
    wanted = [_canonical(mode) for mode in modes] if modes is not None else list(_default(known))
    unknown = [mode for mode in wanted if mode not in known]
    if unknown or not wanted:
        raise AdsorptionError(
            f"{adsorbate.name or adsorbate.formula} cannot bind through "
            f"{' or '.join(unknown) or 'anything'}; it can through {'; '.join(known) or 'nothing'}."
        )
    found: list[NodeStart] = []
    for site, mode in itertools.product(chosen, wanted):
        rng = np.random.default_rng([seed, site.metal, list(known).index(mode)])
        starts = _starts(node, adsorbate, site, mode, known[mode], count, rng)
        if not starts and modes is not None:
            raise AdsorptionError(
                f"{adsorbate.name or adsorbate.formula} does not fit at "
                f"{node.label(site.metal)} through {mode} without clashes. Leave the mode out, or "
                "use a smaller cap."
            )
        if not starts:
            _log.info("no room at %s through %s", node.label(site.metal), mode)
        found += starts
    if not found:
        raise AdsorptionError(
            f"{adsorbate.name or adsorbate.formula} fits at no open metal of "
            f"{node.molecule.name or node.molecule.formula} in any mode."
        )
    return tuple(found)


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


def _default(known: dict[str, tuple[tuple[int, ...], ...]]) -> tuple[str, ...]:
    """Return the modes without halogens in a pair."""
    return tuple(m for m in known if "," not in m or not set(m.split(",")) & set(HALOGENS))


def _canonical(mode: str) -> str:
    """Return a mode with its elements in the order that `binding_modes` has."""
    order = list(DONOR_RADII_ANG)
    parts = [part.strip() for part in mode.split(",")]
    return ",".join(sorted(parts, key=lambda s: order.index(s) if s in order else len(order)))


def _chosen_sites(node: Node, names: Sequence[str] | None) -> list[OpenSite]:
    """Return the sites asked for, or the first of each kind of ion."""
    if not node.sites:
        raise AdsorptionError(
            f"{node.molecule.name or node.molecule.formula} has no open metal site. Build it "
            "without water."
        )
    by_name = {node.label(site.metal): site for site in node.sites}
    if names is not None:
        unknown = [name for name in names if name not in by_name]
        if unknown:
            raise AdsorptionError(
                f"There is no open site {', '.join(unknown)}; there are {', '.join(by_name)}."
            )
        return [by_name[name] for name in names]
    ions = dict(zip(node.metals, node.ions, strict=True))
    first = {ions[site.metal]: site for site in reversed(node.sites)}
    return [site for site in node.sites if first[ions[site.metal]] is site]


def _starts(
    node: Node,
    adsorbate: Molecule,
    site: OpenSite,
    mode: str,
    groups: tuple[tuple[int, ...], ...],
    count: int,
    rng: np.random.Generator,
) -> list[NodeStart]:
    """Return the starts of one site in one mode, fewer where there is no room."""
    cation = mode not in DONOR_RADII_ANG and "," not in mode
    places = _cation_places(node, adsorbate, site, groups[0][0], count) if cation else []
    order = rng.permutation(len(groups))
    found: list[NodeStart] = []
    for number in range(min(count, len(places)) if cation else count):
        group = groups[0]
        donors: tuple[int, ...] = ()
        if cation:
            position, donors = places[number]
            body = _turned(node, adsorbate, group[0], position, rng)
        else:
            for k in range(len(groups)):  # another pair of donors may have the room
                group = groups[int(order[(number + k) % len(groups)])]
                body = _held(node, adsorbate, site, group, rng)
                if body is not None:
                    break
            donors = tuple(len(node) + k for k in group)
        if body is None:
            continue
        centre = body[group[0]] if cation else node.molecule.positions[site.metal]
        both = np.vstack([node.molecule.positions, body])
        lengths = np.linalg.norm(both[list(donors)] - centre, axis=1)
        found.append(
            NodeStart(
                molecule=joined(node, adsorbate, body),
                adsorbate=tuple(range(len(node), len(node) + len(adsorbate))),
                metal=site.metal,
                site=node.label(site.metal),
                mode=mode,
                donors=donors,
                distances_ang=tuple(float(x) for x in lengths),
                key=f"{node.label(site.metal)}-{mode}-{number}",
            )
        )
    return found


def joined(node: Node, adsorbate: Molecule, positions: NDArray[np.float64]) -> Molecule:
    """Return a node and an adsorbate as one molecule, charges added and spins parallel.

    Parameters
    ----------
    node, adsorbate
        Both.
    positions
        Of the adsorbate, in the frame of the node, in angstrom. shape=(atoms, 3)
    """
    first, own = node.molecule, len(node)
    return Molecule(
        structure=framed(
            np.r_[first.structure.numbers, adsorbate.structure.numbers],
            np.vstack([first.positions, positions]),
        ),
        charge=first.charge + adsorbate.charge,
        spin_multiplicity=first.spin_multiplicity + adsorbate.spin_multiplicity - 1,
        name=f"{first.name or first.formula}+{adsorbate.name or adsorbate.formula}",
        source="rigid parts, placed",
        note=f"Atoms 0 to {own - 1} are the node; not relaxed.",
        bonds=(*first.bonds, *((i + own, j + own, order) for i, j, order in adsorbate.bonds)),
    )


def _held(
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


def _cation_places(
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


def _turned(
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


def count_modes(starts: Sequence[NodeStart]) -> dict[str, int]:
    """Return how many starts there are for each site and mode (``Fe1-O,O``)."""
    return dict(Counter(f"{start.site}-{start.mode}" for start in starts))
