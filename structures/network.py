"""The network that hops form through a crystal or slab: sites joined by equivalent pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack

import numpy as np

from superionic.structures.errors import InvalidHopError
from superionic.structures.hosts import SearchOptions, distinct_hop, search_hops
from superionic.structures.structure import Structure, readonly

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from superionic.structures.hop import Hop


@dataclass(frozen=True, eq=False)
class HopNetwork:
    """All hops of a search, as a periodic graph.

    Attributes
    ----------
    hops : tuple of Hop
        One for each class of equivalent hops, as `superionic.structures.hops.find_hops` gives.
    structure : Structure
        The cell whose lattice repeats the graph (primitive for a crystal).
    positions : ndarray
        Cartesian positions of the sites in angstrom. shape=(sites, 3)
    labels : tuple of str
        Name of each site. length=sites
    edges : ndarray
        Rows of first site, second site, and the cell of the second site as three integers; every
        equivalent hop, in the direction of its class. shape=(edges, 5)
    classes : ndarray
        Index into ``hops`` of each edge. shape=(edges,)
    """

    hops: tuple[Hop, ...]
    structure: Structure
    positions: NDArray[np.float64]
    labels: tuple[str, ...]
    edges: NDArray[np.int64]
    classes: NDArray[np.int64]

    def __post_init__(self) -> None:
        """Validate and freeze the arrays."""
        for name, dtype in (("positions", float), ("edges", np.int64), ("classes", np.int64)):
            object.__setattr__(self, name, readonly(getattr(self, name), dtype))
        if self.edges.ndim != 2 or self.edges.shape != (len(self.classes), 5):
            raise InvalidHopError(
                f"Expected one row of five integers for each of {len(self.classes)} edges; got "
                f"shape {self.edges.shape}."
            )


def hop_network(structure: Structure, **options: Unpack[SearchOptions]) -> HopNetwork:
    """Find the hops of a structure and how they join up.

    Parameters
    ----------
    structure
        A crystal or a slab.
    **options
        Keywords of `superionic.structures.hops.find_hops`, which also lists the errors.
    """
    search = search_hops(structure, **options)
    members = [
        (*pair[:2], *pair.shift, index)
        for index, pairs in enumerate(search.classes)
        for pair in pairs.members
    ]
    table = np.array(members, dtype=np.int64)
    return HopNetwork(
        hops=tuple(distinct_hop(search, pairs) for pairs in search.classes),
        structure=search.base.structure,
        positions=search.sites.positions,
        labels=search.sites.labels,
        edges=table[:, :5],
        classes=table[:, 5],
    )
