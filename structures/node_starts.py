"""Starting geometries of an anion, a salt or a cation at the open metals of a node.

An anion or a salt comes with one or two of its donor atoms (O, N, F) at the metal, a cation with
the oxygens around the metal. All are rigid and free of clashes; relax them.
"""

from __future__ import annotations

import itertools
import logging
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.beside import joined
from superionic.structures.errors import AdsorptionError
from superionic.structures.ion_pairs import DONOR_RADII_ANG
from superionic.structures.node_bonds import bonds_between
from superionic.structures.node_seats import (
    binding_modes,
    canonical_mode,
    cation_places,
    default_modes,
    held,
    turned,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from superionic.structures.molecule import Molecule
    from superionic.structures.node import Node, OpenSite

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
        An anion (TFSI-), a salt (NaTFSI) or a single cation (Na+), kept rigid: give each
        conformer apart (two oxygens across S-N-S of ``tfsi-cis`` reach a metal, not those of
        ``tfsi-trans``).
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
    wanted = (
        [canonical_mode(mode) for mode in modes]
        if modes is not None
        else list(default_modes(known))
    )
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
    places = cation_places(node, adsorbate, site, groups[0][0], count) if cation else []
    order = _in_turn(adsorbate, groups, rng)
    found: list[NodeStart] = []
    for number in range(min(count, len(places)) if cation else count):
        group = groups[0]
        donors: tuple[int, ...] = ()
        if cation:
            position, donors = places[number]
            body = turned(node, adsorbate, group[0], position, rng)
        else:
            for k in range(len(groups)):  # another pair of donors may have the room
                group = order[(number + k) % len(groups)]
                body = held(node, adsorbate, site, group, rng)
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
                molecule=_rigid(node, adsorbate, body),
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


def _rigid(node: Node, adsorbate: Molecule, body: NDArray[np.float64]) -> Molecule:
    """Return a node and an adsorbate at given positions as one molecule."""
    return replace(
        joined(node.molecule, adsorbate, body),
        source="rigid parts, placed",
        note=f"Atoms 0 to {len(node) - 1} are the node; not relaxed.",
    )


def _in_turn(
    adsorbate: Molecule, groups: tuple[tuple[int, ...], ...], rng: np.random.Generator
) -> list[tuple[int, ...]]:
    """Return the groups at random, those of each size of chelate ring in turn."""
    kinds: dict[int, list[tuple[int, ...]]] = {}
    for k in rng.permutation(len(groups)):
        size = bonds_between(adsorbate.bonds, groups[k][0], groups[k][-1])
        kinds.setdefault(size, []).append(groups[k])
    rows = itertools.zip_longest(*(kinds[size] for size in sorted(kinds, reverse=True)))
    return [group for row in rows for group in row if group is not None]


def count_modes(starts: Sequence[NodeStart]) -> dict[str, int]:
    """Return how many starts there are for each site and mode (``Fe1-O,O``)."""
    return dict(Counter(f"{start.site}-{start.mode}" for start in starts))
