"""The sites between which one kind of ion can hop: those it occupies and those that are empty."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.depths import slab_faces
from superionic.structures.errors import InvalidStructureError, NoHopFoundError
from superionic.structures.geometry import images_within
from superionic.structures.structure import OVERLAP_ANG, Structure, readonly
from superionic.structures.symmetry import (
    SYMPREC_ANG,
    SiteAction,
    site_action,
    symmetry_operations,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False)
class SiteSet:
    """Sites of a mobile ion in a cell, named and sorted into orbits.

    Attributes
    ----------
    structure : Structure
        The cell the sites lie in.
    positions : ndarray
        Cartesian positions in angstrom, occupied sites first. shape=(sites, 3)
    atoms : ndarray
        Index of the ion on each site, -1 for an empty one. shape=(sites,)
    labels : tuple of str
        Name of each site; equivalent sites share one. length=sites
    ranks : ndarray
        Position of each site's orbit in an order that no choice of axes or atom order changes:
        by label, then depth, then environment. shape=(sites,)
    action : SiteAction
        How the symmetry of the structure permutes the sites.
    """

    structure: Structure
    positions: NDArray[np.float64]
    atoms: NDArray[np.int64]
    labels: tuple[str, ...]
    ranks: NDArray[np.int64]
    action: SiteAction

    def __len__(self) -> int:
        """Return the number of sites."""
        return len(self.positions)

    @property
    def occupied(self) -> NDArray[np.bool_]:
        """Whether an ion sits on each site. shape=(sites,)."""
        return self.atoms >= 0


def site_set(
    structure: Structure,
    *,
    ion: str,
    empty_sites: ArrayLike | None = None,
    empty_labels: Sequence[str] | None = None,
    vacuum: int | None = None,
    symprec_ang: float = SYMPREC_ANG,
) -> SiteSet:
    """Collect the occupied and empty sites of an ion and sort them by symmetry.

    Sites whose labels are all the bare element symbol are numbered by orbit (``Na1``, ``Na2``,
    ...); empty sites without labels become ``i1``, ``i2``, ... .

    Parameters
    ----------
    structure
        The cell.
    ion
        Chemical symbol of the mobile ion.
    empty_sites
        Cartesian positions of empty sites in angstrom; copies modulo the lattice are merged.
        shape=(n, 3)
    empty_labels
        Their labels. length=n
    vacuum
        For a slab, the lattice vector across its vacuum, to rank deep sites first.
    symprec_ang
        Tolerance of the symmetry search in angstrom.

    Raises
    ------
    NoHopFoundError
        Neither an ion of this element nor an empty site is present.
    InvalidStructureError
        An empty site lies on an atom, or the labels do not match the sites.
    """
    ions = structure.indices(ion)
    empty, names = _empty_sites(structure, empty_sites, empty_labels)
    if len(ions) + len(empty) == 0:
        raise NoHopFoundError(
            f"No {ion} in the structure: it holds {', '.join(sorted(set(structure.symbols)))}. "
            "Name another ion, or give empty sites for it."
        )
    positions = np.concatenate([structure.positions[ions], empty])
    atoms = np.concatenate([ions, np.full(len(empty), -1)])
    labels = [*(structure.labels[i] for i in ions), *names]
    operations = symmetry_operations(structure, symprec_ang=symprec_ang)
    action = site_action(
        operations, positions, structure.cell, pbc=structure.pbc, kinds=atoms >= 0,
        tolerance_ang=2 * symprec_ang,
    )  # fmt: skip
    ranks = site_ranks(
        structure,
        positions,
        labels=labels,
        orbits=action.orbits,
        first=(atoms < 0).astype(float),
        depths_ang=None if vacuum is None else slab_faces(structure, vacuum).depths(positions),
    )
    return SiteSet(
        structure=structure,
        positions=readonly(positions, np.float64),
        atoms=readonly(atoms, np.int64),
        labels=_named(labels, ranks, ion, len(ions)),
        ranks=readonly(ranks, np.int64),
        action=action,
    )


def natural_key(label: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key that puts ``Na2`` before ``Na10``."""
    parts = re.findall(r"\d+|\D+", label)
    return tuple((0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts)


def _empty_sites(
    structure: Structure, sites: ArrayLike | None, labels: Sequence[str] | None
) -> tuple[NDArray[np.float64], list[str]]:
    """Check the empty sites and merge those that are copies modulo the lattice."""
    points = np.zeros((0, 3)) if sites is None else np.asarray(sites, dtype=float).reshape(-1, 3)
    names = [""] * len(points) if labels is None else list(labels)
    if len(names) != len(points) or not np.isfinite(points).all():
        raise InvalidStructureError(
            f"Expected finite empty sites with a label each; got {len(points)} sites and "
            f"{len(names)} labels."
        )
    kept: list[int] = []
    for k, point in enumerate(points):
        near = images_within(
            structure.positions, structure.cell, structure.pbc, centre=point, radius_ang=OVERLAP_ANG
        )
        if len(near.indices):
            i = int(near.indices[0])
            raise InvalidStructureError(
                f"Empty site {k} ({names[k] or 'no label'}) lies on atom {i} "
                f"({structure.labels[i]}). Give sites that are empty in this very structure."
            )
        others = images_within(
            points[kept], structure.cell, structure.pbc, centre=point, radius_ang=OVERLAP_ANG / 2
        )
        if not len(others.indices):
            kept.append(k)
    return points[kept], [names[k] for k in kept]


def site_ranks(
    structure: Structure,
    positions: NDArray[np.float64],
    *,
    labels: Sequence[str],
    orbits: NDArray[np.int64],
    first: NDArray[np.float64],
    depths_ang: NDArray[np.float64] | None = None,
) -> NDArray[np.int64]:
    """Sort orbits of sites by measures that no choice of axes or atom order changes.

    Parameters
    ----------
    structure
        The cell the sites lie in.
    positions
        Cartesian positions in angstrom. shape=(sites, 3)
    labels
        Name of each site. length=sites
    orbits
        Smallest index of a site equivalent to each. shape=(sites,)
    first
        What to sort by before the label, ascending. shape=(sites,)
    depths_ang
        What to sort by after the label, descending. shape=(sites,)

    Returns
    -------
    ndarray
        Position of each site's orbit in the sorted list. shape=(sites,)
    """
    depths = np.zeros(len(positions)) if depths_ang is None else depths_ang
    heads = [int(h) for h in np.unique(orbits)]
    keys = {}
    for head in heads:
        members = np.flatnonzero(orbits == head)
        keys[head] = (
            float(first[head]),
            min(natural_key(labels[int(k)]) for k in members),
            -round(float(depths[members].mean()), 2),
            len(members),
            _fingerprint(structure, positions[head]),
            head,
        )
    order = {head: rank for rank, head in enumerate(sorted(heads, key=lambda h: keys[h]))}
    return np.array([order[int(head)] for head in orbits], dtype=np.int64)


def _fingerprint(structure: Structure, point: NDArray[np.float64]) -> float:
    """Return a number that tells environments apart and does not depend on the axes."""
    near = images_within(
        structure.positions, structure.cell, structure.pbc, centre=point, radius_ang=7.0
    )
    squared = ((near.positions - point) ** 2).sum(axis=1)
    weight = np.sqrt(structure.numbers[near.indices].astype(float))
    return round(float((weight * np.exp(-squared / 8.0)).sum()), 3)


def _named(
    labels: Sequence[str], ranks: NDArray[np.int64], ion: str, occupied: int
) -> tuple[str, ...]:
    """Give sites whose labels say nothing a number, by the rank of their orbit."""
    named = list(labels)
    for part, plain, stem in (
        (range(occupied), ion, ion),
        (range(occupied, len(labels)), "", "i"),
    ):
        blank = [k for k in part if labels[k] == plain]
        if len(blank) < len(part):
            continue
        distinct = sorted({int(ranks[k]) for k in blank})
        if len(distinct) == 1 and stem == ion:
            continue
        for k in blank:
            named[k] = f"{stem}{distinct.index(int(ranks[k])) + 1}"
    return tuple(named)
