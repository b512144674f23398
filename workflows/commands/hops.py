"""`superionic hops`: which single-ion hops a structure has; and picking some of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from superionic.structures.errors import InvalidHopError, NoHopFoundError
from superionic.workflows.commands.console import (
    chatter_to_stderr,
    emit_json,
    emit_table,
    note,
    plain,
    say,
)
from superionic.workflows.commands.loading import load_atoms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from superionic.structures.hop import Hop
    from superionic.structures.hosts import Search
    from superionic.structures.pairs import Mechanism, Pair, PairClass
    from superionic.structures.structure import Structure
    from superionic.workflows.commands.loading import WholeAtoms

MAX_ATOMS = 400
"""Largest host of a hop, in atoms."""

LENGTH_SLACK_ANG = 1.0
"""A hop may become this much longer when its host is relaxed, in angstrom."""


@dataclass(frozen=True)
class HopQuery:
    """Which hops are looked for.

    Attributes
    ----------
    ion : str
        Chemical symbol of the mobile ion.
    max_length_ang : float
        Longest hop in angstrom.
    mechanism : str
        ``vacancy``, ``hole`` or ``interstitial``.
    min_atoms : int
        Least size of a host in atoms.
    voids : bool
        Take the largest voids of the structure as empty sites.
    """

    ion: str
    max_length_ang: float = 4.5
    mechanism: Mechanism = "vacancy"
    min_atoms: int = 1
    voids: bool = False

    def search(self, atoms: WholeAtoms) -> Search:
        """Find all hops of a structure; see `superionic.structures.hops.find_hops`."""
        from superionic.structures.hosts import search_hops
        from superionic.structures.pairs import check_max_length

        check_max_length(self.max_length_ang)
        sites, labels = atoms.empty_sites, atoms.empty_labels
        if self.mechanism != "vacancy" and self.voids:
            from superionic.structures.voids import find_voids

            voids = find_voids(atoms.structure)
            sites, labels = voids.positions, voids.labels
        elif self.mechanism != "vacancy" and len(sites) == 0:
            raise NoHopFoundError(
                f"The {self.mechanism} mechanism needs empty sites, and the file names none. Give "
                "a CIF that lists them with occupancy 0, or let the largest voids be taken with "
                "--voids."
            )
        if self.min_atoms > MAX_ATOMS:
            raise InvalidHopError(
                f"--min-atoms must be at most {MAX_ATOMS}, the largest host; got {self.min_atoms}."
            )
        return search_hops(
            atoms.structure,
            ion=self.ion,
            max_length_ang=self.max_length_ang,
            mechanism=self.mechanism,
            empty_sites=sites,
            empty_labels=labels,
            min_atoms=self.min_atoms,
            max_atoms=MAX_ATOMS,
        )

    def search_relaxed(self, search: Search, relaxed: Structure) -> Search:
        """Find the hops again in the relaxed cell of an earlier search, its sites in their order.

        Empty sites follow the lattice vectors.
        """
        import numpy as np

        from superionic.structures.hosts import search_hops

        base, sites = search.base.structure, search.sites
        count = int(sites.occupied.sum())
        fractional = np.linalg.solve(base.cell.T, sites.positions[count:].T).T
        return search_hops(
            relaxed,
            ion=self.ion,
            max_length_ang=self.max_length_ang + LENGTH_SLACK_ANG,
            mechanism=self.mechanism,
            empty_sites=fractional @ relaxed.cell if len(sites) > count else None,
            empty_labels=sites.labels[count:] if len(sites) > count else None,
            min_atoms=self.min_atoms,
            standardise=False,
        )


@dataclass(frozen=True, eq=False)
class ListedHop:
    """A hop with its place in the list.

    Attributes
    ----------
    index : int
        Place in the list of all hops, shortest first, from 0.
    pairs : PairClass
        The equivalent pairs of sites.
    hop : Hop
        One of them in its host.
    """

    index: int
    pairs: PairClass
    hop: Hop


def listed_hops(search: Search) -> tuple[ListedHop, ...]:
    """Return all hops of a search with their places."""
    from superionic.structures.hosts import distinct_hop

    return tuple(
        ListedHop(k, pairs, distinct_hop(search, pairs)) for k, pairs in enumerate(search.classes)
    )


def pick_hops(listed: Sequence[ListedHop], wanted: Sequence[str]) -> tuple[ListedHop, ...]:
    """Return the hops that were asked for by index or key; all for ``all`` or nothing.

    Raises
    ------
    InvalidHopError
        No hop has that index or key.
    """
    if not wanted or "all" in wanted:
        return tuple(listed)
    picked = []
    for word in wanted:
        found = [h for h in listed if word in (h.hop.key, str(h.index))]
        if not found:
            raise InvalidHopError(
                f"There is no hop '{word}': the structure has {len(listed)}, numbered 0 to "
                f"{len(listed) - 1}. List them with `superionic hops`."
            )
        picked += found
    return tuple(dict.fromkeys(picked))


def in_relaxed_host(listed: ListedHop, search: Search) -> tuple[Hop, int]:
    """Return the same hop in the relaxed host, and how many kinds its equivalents now are.

    Raises
    ------
    NoHopFoundError
        Relaxation led its sites together or too far apart.
    """
    from superionic.structures.hosts import distinct_hop

    both_ways = [set(listed.pairs.members), {reverse(p) for p in listed.pairs.members}]
    first = listed.pairs.members[0]
    for turned, pair in ((False, first), (True, reverse(first))):
        for pairs in search.classes:
            if pair not in pairs.members:
                continue
            if turned:
                pairs = pairs._replace(members=tuple(sorted(map(reverse, pairs.members))))
            hop = distinct_hop(search, pairs)
            kinds = sum(any(set(c.members) & way for way in both_ways) for c in search.classes)
            named = replace(hop, key=listed.hop.key, site_types=listed.hop.site_types)
            return named, kinds
    raise NoHopFoundError(
        f"The hop {listed.hop.key} is gone after relaxation: its sites came together, or moved "
        f"more than {LENGTH_SLACK_ANG} A further apart."
    )


def reverse(pair: Pair) -> Pair:
    """Return a pair of sites walked backwards."""
    x, y, z = pair.shift
    return pair._replace(start=pair.end, end=pair.start, shift=(-x, -y, -z))


def describe_hop(listed: ListedHop) -> dict[str, Any]:
    """Return a hop as plain JSON values, without the host's coordinates."""
    hop = listed.hop
    row: dict[str, Any] = {
        "hop": listed.index,
        "key": hop.key,
        "site_types": hop.site_types,
        "mechanism": hop.mechanism,
        "length_ang": hop.length_ang,
        "multiplicity": hop.multiplicity,
        "bottleneck_radius_ang": hop.bottleneck_radius_ang,
        "bottleneck_area_ang2": hop.bottleneck_area_ang2,
        "depth_ang": hop.depth_ang,
        "direction": hop.direction,
        "host_atoms": len(hop.host),
        "host_formula": hop.host.formula,
    }
    return {name: plain(value) for name, value in row.items()}


def show_hops(source: str, query: HopQuery, *, as_json: bool) -> None:
    """Write all hops of a structure to standard output."""
    with chatter_to_stderr():
        atoms = load_atoms(source)
        listed = listed_hops(query.search(atoms))
        rows = [describe_hop(h) for h in listed]
    if as_json:
        emit_json(rows)
        return
    first = listed[0].hop
    many = f"{len(rows)} symmetry-distinct {query.ion} {query.mechanism} hops"
    say(
        f"{atoms.structure.formula}: {many if len(rows) > 1 else many[:-1]} up to "
        f"{query.max_length_ang:g} A, hosts of {len(first.host)} atoms"
    )
    say()
    slab = first.depth_ang is not None
    columns = {
        "hop": "hop",
        "sites": "site_types",
        "length A": "length_ang",
        "count": "multiplicity",
        "bottleneck A": "bottleneck_radius_ang",
        "area A2": "bottleneck_area_ang2",
        **({"depth A": "depth_ang", "direction": "direction"} if slab else {}),
        "key": "key",
    }
    for row in rows:
        row["site_types"] = " to ".join(row["site_types"])
    emit_table(list(columns), [[row[name] for name in columns.values()] for row in rows])
    if any((row["bottleneck_radius_ang"] or 9.0) < 1.2 for row in rows):
        note("note: a path with a bottleneck below about 1.2 A runs into an atom.")
