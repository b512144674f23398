"""Pairs of sites within hopping distance, gathered into classes of symmetry-equivalent pairs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

import numpy as np

from superionic.structures.errors import InvalidHopError, NoHopFoundError
from superionic.structures.geometry import images_within, segment_distances

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from superionic.structures.sites import SiteSet

Mechanism = Literal["vacancy", "hole", "interstitial"]
"""vacancy: to a site whose ion was removed; hole: to a site found empty; interstitial: an extra
ion between two empty sites."""

MIN_LENGTH_ANG = 0.5
"""Two sites closer than this are one site, not a hop."""
MAX_LENGTH_ANG = 15.0
"""Hops are listed up to this length at most: their number grows with its cube."""
VIA_ANG = 1.0
"""A pair whose straight line passes this close to a third site is a chain of shorter hops."""
CROWDED_ANG = 1.5
"""An empty site this close to an ion that stays cannot take another one."""

_FARTHEST_ANG = 60.0

logger = logging.getLogger(__name__)


class Pair(NamedTuple):
    """From site ``start`` in the home cell to site ``end`` in the cell at ``shift``."""

    start: int
    end: int
    shift: tuple[int, int, int]


class PairClass(NamedTuple):
    """Pairs that the symmetry of the crystal makes equivalent.

    Attributes
    ----------
    members : tuple of Pair
        Equivalent directed pairs, sorted: all start on the lower-ranked orbit, or on the occupied
        site for a hole. Where an operation swaps the ends, both ways round are members.
    multiplicity : int
        Number of undirected pairs per cell.
    length_ang : float
        Mean length in angstrom.
    """

    members: tuple[Pair, ...]
    multiplicity: int
    length_ang: float


def check_mechanism(mechanism: str) -> None:
    """Raise InvalidHopError unless ``mechanism`` is one of the three."""
    if mechanism not in get_args(Mechanism):
        raise InvalidHopError(
            f"Expected mechanism {', '.join(get_args(Mechanism))}; got {mechanism!r}."
        )


def check_max_length(max_length_ang: float) -> None:
    """Raise InvalidHopError unless hops up to this length can be listed."""
    if not 0.0 < max_length_ang <= MAX_LENGTH_ANG:
        raise InvalidHopError(
            f"The longest hop must lie between 0 and {MAX_LENGTH_ANG:g} A; got "
            f"{max_length_ang:g}. Single hops of ions are shorter than 6 A: longer ways are chains "
            "of them."
        )


def pair_classes(
    sites: SiteSet,
    *,
    mechanism: Mechanism,
    max_length_ang: float,
    symprec_ang: float,
) -> tuple[PairClass, ...]:
    """Return the classes of equivalent pairs up to a length, shortest first.

    A pair and its reverse are the same path and one class. Pairs that run through a third site
    are left out, as are holes beside an ion.

    Raises
    ------
    NoHopFoundError
        No pair is that short; the message names the shortest there is.
    """
    pairs = _pairs(sites, mechanism, max_length_ang + 4 * symprec_ang)
    found = _classes(sites, pairs, directed=mechanism == "hole")
    classes = [c for c in found if c.length_ang <= max_length_ang + 1e-6]
    usable = [c for c in classes if not _blocked(sites, c.members[0], mechanism)]
    if len(usable) < len(classes):
        logger.info("%d hops through or onto another site left out", len(classes) - len(usable))
    if not usable:
        raise NoHopFoundError(_none_found(sites, mechanism, max_length_ang, len(classes)))
    return tuple(sorted(usable, key=lambda c: (round(c.length_ang, 4), c.members[0])))


def pair_vector(sites: SiteSet, pair: Pair) -> NDArray[np.float64]:
    """Return the vector from the start to the end of a pair in angstrom. shape=(3,)."""
    shift = np.array(pair.shift) @ sites.structure.cell
    return np.asarray(sites.positions[pair.end] + shift - sites.positions[pair.start])


def _pairs(sites: SiteSet, mechanism: Mechanism, cutoff_ang: float) -> list[Pair]:
    """Return all directed pairs of the mechanism's kinds of site within a distance."""
    from ase.neighborlist import primitive_neighbor_list

    structure = sites.structure
    i, j, shift = primitive_neighbor_list(
        "ijS", structure.pbc, structure.cell, sites.positions, cutoff_ang
    )
    filled = sites.occupied
    wanted = {
        "vacancy": filled[i] & filled[j],
        "hole": filled[i] & ~filled[j],
        "interstitial": ~filled[i] & ~filled[j],
    }[mechanism]
    found = [
        Pair(int(a), int(b), (int(s[0]), int(s[1]), int(s[2])))
        for a, b, s in zip(i[wanted], j[wanted], shift[wanted], strict=True)
    ]
    return [p for p in found if np.linalg.norm(pair_vector(sites, p)) >= MIN_LENGTH_ANG]


def _classes(sites: SiteSet, pairs: list[Pair], *, directed: bool) -> list[PairClass]:
    """Gather pairs into orbits of the symmetry; a pair and its reverse share one."""
    left = dict.fromkeys(sorted(pairs))
    classes = []
    while left:
        pair = next(iter(left))
        if not directed and sites.ranks[pair.start] > sites.ranks[pair.end]:
            pair = _reverse(pair)
        members = _orbit(sites, pair)
        backward = {_reverse(member) for member in members}
        for member in members | backward:
            left.pop(member, None)
        both_ways = 2 if members & backward else 1
        lengths = [float(np.linalg.norm(pair_vector(sites, m))) for m in members]
        classes.append(
            PairClass(tuple(sorted(members)), len(members) // both_ways, float(np.mean(lengths)))
        )
    return classes


def _orbit(sites: SiteSet, pair: Pair) -> set[Pair]:
    """Return all pairs the symmetry sends a pair to, each starting in the home cell."""
    action = sites.action
    a, b, shift = pair
    targets = np.stack([action.targets[:, a], action.targets[:, b]], axis=1)
    shifts = action.rotations @ np.array(shift) + action.shifts[:, b] - action.shifts[:, a]
    rows = np.unique(np.concatenate([targets, shifts], axis=1), axis=0).tolist()
    return {Pair(r[0], r[1], (r[2], r[3], r[4])) for r in rows}


def _reverse(pair: Pair) -> Pair:
    """Return the pair walked backwards."""
    x, y, z = pair.shift
    return Pair(pair.end, pair.start, (-x, -y, -z))


def _blocked(sites: SiteSet, pair: Pair, mechanism: Mechanism) -> bool:
    """Return whether a pair runs through a third site, or ends beside an ion that stays."""
    start = sites.positions[pair.start]
    end = start + pair_vector(sites, pair)
    length = float(np.linalg.norm(end - start))
    structure = sites.structure
    near = images_within(
        sites.positions,
        structure.cell,
        structure.pbc,
        centre=(start + end) / 2,
        radius_ang=length / 2 + max(VIA_ANG, CROWDED_ANG),
    )
    ends = np.minimum(
        np.linalg.norm(near.positions - start, axis=1), np.linalg.norm(near.positions - end, axis=1)
    )
    distances, fractions = segment_distances(near.positions, start, end)
    inner = (fractions * length > MIN_LENGTH_ANG) & ((1 - fractions) * length > MIN_LENGTH_ANG)
    if ((ends > 1e-6) & inner & (distances < VIA_ANG)).any():
        return True
    if mechanism == "vacancy":
        return False
    return _crowded(sites, pair, near.indices, near.positions, end)


def _crowded(
    sites: SiteSet,
    pair: Pair,
    indices: NDArray[np.int64],
    positions: NDArray[np.float64],
    end: NDArray[np.float64],
) -> bool:
    """Return whether an ion other than the hopping one sits beside the destination."""
    stays = sites.occupied[indices] & (indices != pair.start)
    return bool((np.linalg.norm(positions[stays] - end, axis=1) < CROWDED_ANG).any())


def _none_found(sites: SiteSet, mechanism: Mechanism, max_length_ang: float, blocked: int) -> str:
    """Say why there is no hop, and what the shortest one would be."""
    kinds = int(sites.occupied.sum()), int((~sites.occupied).sum())
    have = f"{kinds[0]} occupied and {kinds[1]} empty sites"
    if blocked:
        return (
            f"All {blocked} kinds of {mechanism} hop up to {max_length_ang} A run through another "
            f"site or end beside another ion ({have}). Give other empty sites."
        )
    needed = {"vacancy": (1, 0), "hole": (1, 1), "interstitial": (0, 1)}[mechanism]
    if kinds[0] < needed[0] or kinds[1] < needed[1]:
        return (
            f"No {mechanism} hop between {have}, at any length. A vacancy hop needs ions, a hole "
            "an ion and an empty site, an interstitial empty sites: give empty_sites or another "
            "mechanism."
        )
    cutoff = max(max_length_ang, MIN_LENGTH_ANG)
    while cutoff < _FARTHEST_ANG:
        cutoff *= 1.5
        pairs = _pairs(sites, mechanism, cutoff)
        if pairs:
            shortest = min(float(np.linalg.norm(pair_vector(sites, p))) for p in pairs)
            return (
                f"No {mechanism} hop up to {max_length_ang} A between {have}; the shortest is "
                f"{shortest:.3f} A. Raise the maximum length."
            )
    return f"No {mechanism} hop up to {_FARTHEST_ANG} A between {have}."
