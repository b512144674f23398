"""Routes: the shortest chains of hops that carry an ion through, and hops fit to compare."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from superionic.structures.errors import InvalidHopError, NoHopFoundError
from superionic.structures.route import Route, RouteSamples, sample_route

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike

    from superionic.structures.hop import Hop
    from superionic.structures.network import HopNetwork

__all__ = [
    "LENGTH_TOLERANCE_ANG",
    "SURFACE_DEPTH_ANG",
    "MatchedHops",
    "Route",
    "RouteSamples",
    "build_route",
    "match_hops",
    "sample_route",
]

LENGTH_TOLERANCE_ANG = 0.5
"""Default: hops whose lengths differ by no more than this are compared."""
SURFACE_DEPTH_ANG = 3.0
"""Default: a hop whose middle lies no deeper than this is a surface hop."""

_MAX_REPEAT = 3  # a route closes within this many lattice vectors, or the network is called cut
_ON_AXIS = 1e-3  # angstrom; how far off a direction a lattice vector along it may lie


class MatchedHops(NamedTuple):
    """Bulk and surface hops that may be compared, both in their given order.

    Attributes
    ----------
    bulk, surface : tuple of Hop
        Hops that have at least one partner of the same site types and similar length.
    unmatched : tuple of Hop
        Candidates left without a partner, so that nothing is dropped in silence.
    """

    bulk: tuple[Hop, ...]
    surface: tuple[Hop, ...]
    unmatched: tuple[Hop, ...]


class _Step(NamedTuple):
    """One way out of a site: where it leads, and which hop it is."""

    target: int
    shift: tuple[int, int, int]
    length_ang: float
    hop: int
    backward: bool


def build_route(
    network: HopNetwork,
    *,
    direction: ArrayLike | None = None,
    keys: Iterable[str] | None = None,
    start: str | None = None,
) -> Route:
    """Find the shortest chain of hops that ends on a lattice translation of its first site.

    Parameters
    ----------
    network
        The hops to choose from; `superionic.structures.network.hop_network` makes it.
    direction
        Cartesian vector the net displacement must be parallel to (a lattice vector of the cell
        that was given, for example); by default any translation will do. shape=(3,)
    keys
        Use only hops with these keys: those of a surface, or those whose barrier is known.
    start
        Label of the first site; by default the one that gives the shortest chain.

    Returns
    -------
    Route
        The chain of least length. Where several are equally long, the one that starts on the
        lower-numbered site.

    Raises
    ------
    NoHopFoundError
        A key or label is unknown, or these hops do not join up in that direction.
    InvalidHopError
        The direction is not a vector.
    """
    allowed = _allowed(network, keys)
    steps = _steps(network, allowed)
    goals = _goals(network, direction)
    labels = set(network.labels)
    if start is not None and start not in labels:
        raise NoHopFoundError(f"No site is called {start}; there are {', '.join(sorted(labels))}.")
    best: tuple[float, int, list[_Step]] | None = None
    for site, label in enumerate(network.labels):
        if start is None or label == start:
            limit = np.inf if best is None else best[0] - 1e-6
            found = _shortest_chain(steps, site, goals, limit)
            best = best if found is None else (found[0], site, found[1])
    if best is None:
        used = ", ".join(network.hops[k].key for k in sorted(allowed))
        along = "" if direction is None else f" along {np.round(np.asarray(direction), 3)}"
        raise NoHopFoundError(
            f"These hops do not join up into a route{along}: {used}. Allow longer hops, other "
            "hops or another direction."
        )
    return _route(network, best[1], best[2])


def _allowed(network: HopNetwork, keys: Iterable[str] | None) -> set[int]:
    """Return the indices of the hops that may be used."""
    known = {hop.key: k for k, hop in enumerate(network.hops)}
    wanted = list(known) if keys is None else list(keys)
    missing = [key for key in wanted if key not in known]
    if missing:
        raise NoHopFoundError(f"No hop is called {missing[0]!r}; there are {', '.join(known)}.")
    return {known[key] for key in wanted}


def _steps(network: HopNetwork, allowed: set[int]) -> dict[int, list[_Step]]:
    """Return the ways out of each site, both directions of every allowed hop."""
    steps: dict[int, dict[tuple[int, ...], _Step]] = {k: {} for k in range(len(network.labels))}
    for (a, b, x, y, z), hop in zip(network.edges.tolist(), network.classes.tolist(), strict=True):
        if hop not in allowed:
            continue
        vector = network.positions[b] - network.positions[a] + [x, y, z] @ network.structure.cell
        length = float(np.linalg.norm(vector))
        steps[a].setdefault((b, x, y, z), _Step(b, (x, y, z), length, hop, False))
        steps[b].setdefault((a, -x, -y, -z), _Step(a, (-x, -y, -z), length, hop, True))
    return {site: list(ways.values()) for site, ways in steps.items()}


def _goals(network: HopNetwork, direction: ArrayLike | None) -> set[tuple[int, ...]]:
    """Return the lattice translations at which a route may end."""
    pbc = network.structure.pbc
    axes = [range(-_MAX_REPEAT, _MAX_REPEAT + 1) if p else range(1) for p in pbc]
    grid = np.array([[i, j, k] for i in axes[0] for j in axes[1] for k in axes[2]])
    grid = grid[(grid != 0).any(axis=1)]
    if direction is not None:
        wanted = np.asarray(direction, dtype=float)
        size = float(np.linalg.norm(wanted)) if wanted.shape == (3,) else np.nan
        if not size > 0:
            raise InvalidHopError(f"Expected a direction of three numbers; got {direction}.")
        vectors = grid @ network.structure.cell
        along = vectors @ wanted / size
        off = np.linalg.norm(vectors - along[:, None] * wanted / size, axis=1)
        grid = grid[(along > 0) & (off < _ON_AXIS * np.maximum(along, 1.0))]
    return {tuple(row) for row in grid.tolist()}


def _shortest_chain(
    steps: dict[int, list[_Step]], site: int, goals: set[tuple[int, ...]], limit_ang: float
) -> tuple[float, list[_Step]] | None:
    """Walk the periodic graph outward from a site (Dijkstra) until a goal is reached."""
    origin = (site, (0, 0, 0))
    reached: dict[tuple[int, tuple[int, ...]], tuple[float, list[_Step]]] = {}
    queue: list[tuple[float, int, int, tuple[int, ...], list[_Step]]] = [(0.0, 0, *origin, [])]
    pushed = 0
    while queue:
        length, _, here, cell, chain = heapq.heappop(queue)
        if length >= limit_ang or (here, cell) in reached:
            continue
        if here == site and cell in goals:
            return length, chain
        reached[here, cell] = (length, chain)
        for step in steps[here]:
            beyond = tuple(c + s for c, s in zip(cell, step.shift, strict=True))
            if max(abs(c) for c in beyond) <= _MAX_REPEAT and (step.target, beyond) not in reached:
                pushed += 1
                there = (length + step.length_ang, pushed, step.target, beyond, [*chain, step])
                heapq.heappush(queue, there)
    return None


def _route(network: HopNetwork, site: int, chain: Sequence[_Step]) -> Route:
    """Turn a chain of steps into a route with its points."""
    sites, cells = [site], [np.zeros(3, dtype=int)]
    for step in chain:
        sites.append(step.target)
        cells.append(cells[-1] + step.shift)
    return Route(
        hops=tuple(network.hops[step.hop] for step in chain),
        backward=tuple(step.backward for step in chain),
        points=network.positions[sites] + np.array(cells) @ network.structure.cell,
        site_types=tuple(network.labels[k] for k in sites),
    )


def match_hops(
    bulk_hops: Iterable[Hop],
    surface_hops: Iterable[Hop],
    *,
    length_tolerance_ang: float = LENGTH_TOLERANCE_ANG,
    surface_depth_ang: float = SURFACE_DEPTH_ANG,
    lateral_only: bool = True,
) -> MatchedHops:
    """Pair bulk and surface hops by what they are, never by how much energy they cost.

    Two hops match when they join the same types of site (either way round), by the same
    mechanism, and their lengths differ by no more than the tolerance.

    Parameters
    ----------
    bulk_hops
        Hops of a crystal, or of a slab: of those the ones deeper than ``surface_depth_ang``.
    surface_hops
        Hops of a slab; those deeper than ``surface_depth_ang`` are not surface hops.
    length_tolerance_ang
        Largest difference in length in angstrom.
    surface_depth_ang
        Largest depth of a surface hop's middle below the outermost plane of atoms, in angstrom.
    lateral_only
        Leave out hops of a slab that run towards or away from a face.

    Raises
    ------
    NoHopFoundError
        Nothing matches.
    """
    bulk = [h for h in bulk_hops if h.depth_ang is None or h.depth_ang > surface_depth_ang]
    surface = [
        h for h in surface_hops if h.depth_ang is not None and h.depth_ang <= surface_depth_ang
    ]
    if lateral_only:
        bulk = [h for h in bulk if h.direction in (None, "lateral")]
        surface = [h for h in surface if h.direction == "lateral"]

    def match(one: Hop, other: Hop) -> bool:
        return (
            sorted(one.site_types) == sorted(other.site_types)
            and one.mechanism == other.mechanism
            and abs(one.length_ang - other.length_ang) <= length_tolerance_ang
        )

    paired_bulk = tuple(b for b in bulk if any(match(b, s) for s in surface))
    paired_surface = tuple(s for s in surface if any(match(b, s) for b in bulk))
    if not paired_bulk:
        raise NoHopFoundError(
            f"None of {len(bulk)} bulk and {len(surface)} surface hops (no deeper than "
            f"{surface_depth_ang} A{', lateral' if lateral_only else ''}) match in site types, "
            f"mechanism and length to {length_tolerance_ang} A. Widen a tolerance, or check that "
            "both structures carry the same site labels."
        )
    kept = {id(hop) for hop in (*paired_bulk, *paired_surface)}
    rest = tuple(hop for hop in (*bulk, *surface) if id(hop) not in kept)
    return MatchedHops(paired_bulk, paired_surface, rest)
