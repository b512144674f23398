"""Hosts for hops: which cell hops are classified in, and the supercell each is put into."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, TypedDict

import numpy as np
from ase.data import atomic_numbers

from superionic.structures.bottleneck import anion_mask, find_bottleneck
from superionic.structures.depths import slab_faces, vacuum_axis
from superionic.structures.errors import InvalidHopError, NoHopFoundError, UnknownElementError
from superionic.structures.geometry import images_within
from superionic.structures.hop import Hop
from superionic.structures.pairs import (
    Mechanism,
    Pair,
    PairClass,
    check_mechanism,
    pair_classes,
    pair_vector,
)
from superionic.structures.sites import SiteSet, site_set
from superionic.structures.structure import OVERLAP_ANG, Structure, check_no_overlap, readonly
from superionic.structures.supercells import (
    MIN_IMAGE_SEPARATION_ANG,
    hop_supercell,
    make_supercell,
    widest,
)
from superionic.structures.symmetry import SYMPREC_ANG, PrimitiveCell, primitive_cell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray


class SearchOptions(TypedDict, total=False):
    """Keywords of a search for hops; `superionic.structures.hops.find_hops` explains them."""

    ion: str
    max_length_ang: float
    mechanism: Mechanism
    empty_sites: ArrayLike | None
    empty_labels: Sequence[str] | None
    min_image_separation_ang: float
    min_atoms: int
    max_atoms: int
    standardise: bool
    symprec: float


class Search(NamedTuple):
    """What a search for hops found, before any hop is put into its host.

    Attributes
    ----------
    base : PrimitiveCell
        The cell in which hops are classified.
    given_atoms : int
        Number of atoms of the structure that was given.
    vacuum : int or None
        The lattice vector across the vacuum of a slab.
    sites : SiteSet
        Sites of the base cell.
    classes : tuple of PairClass
        Classes of equivalent pairs, shortest first.
    host : Structure
        The supercell of the base cell that keeps periodic images apart.
    anions : ndarray
        Which atoms of the base cell are anions. shape=(atoms,)
    ion, mechanism : str
        As asked for.
    """

    base: PrimitiveCell
    given_atoms: int
    vacuum: int | None
    sites: SiteSet
    classes: tuple[PairClass, ...]
    host: Structure
    anions: NDArray[np.bool_]
    ion: str
    mechanism: Mechanism


def search_hops(
    structure: Structure,
    *,
    ion: str = "Na",
    max_length_ang: float = 4.5,
    mechanism: Mechanism = "vacancy",
    empty_sites: ArrayLike | None = None,
    empty_labels: Sequence[str] | None = None,
    min_image_separation_ang: float = MIN_IMAGE_SEPARATION_ANG,
    min_atoms: int = 1,
    max_atoms: int = 400,
    standardise: bool = True,
    symprec: float = SYMPREC_ANG,
) -> Search:
    """Find classes of hops and choose one supercell for all of them.

    Keywords and errors are those of `superionic.structures.hops.find_hops`.
    """
    check_mechanism(mechanism)
    _check_ion(structure, ion, mechanism)
    check_no_overlap(structure)
    vacuum = vacuum_axis(structure)
    base = PrimitiveCell(structure, readonly(np.arange(len(structure)), np.int64), 1)
    if standardise and vacuum is None and all(structure.pbc):
        base = primitive_cell(structure, symprec_ang=symprec)
    if mechanism == "vacancy":
        empty_sites = empty_labels = None
    sites = site_set(
        base.structure, ion=ion, empty_sites=empty_sites, empty_labels=empty_labels,
        vacuum=vacuum, symprec_ang=symprec,
    )  # fmt: skip
    classes = pair_classes(
        sites, mechanism=mechanism, max_length_ang=max_length_ang, symprec_ang=symprec
    )
    frozen = () if vacuum is None else (vacuum,)
    matrix = hop_supercell(
        base.structure,
        min_separation_ang=min_image_separation_ang,
        min_atoms=min_atoms,
        max_atoms=max_atoms,
        frozen=frozen,
        rotations=sites.action.rotations,
    )
    host = make_supercell(base.structure, matrix, frozen=frozen)
    anions = anion_mask(base.structure)
    return Search(base, len(structure), vacuum, sites, classes, host, anions, ion, mechanism)


def distinct_hop(search: Search, pairs: PairClass) -> Hop:
    """Put one member of a class into the host: the one farthest from its own images."""
    hop = member_hop(search, pairs, _farthest_apart(search, pairs))
    return replace(hop, key=_key(search, pairs.members[0], hop))


def member_hop(search: Search, pairs: PairClass, pair: Pair) -> Hop:
    """Put one pair of a class into the host, with an ion removed or added as needed."""
    sites, host = search.sites, search.host
    start, vector = sites.positions[pair.start], pair_vector(sites, pair)
    if search.mechanism == "interstitial":
        index = len(host)
        host = _with_ion(host, search.ion, start, sites.labels[pair.start])
    else:
        index = _atom_at(host, start)
    if search.mechanism == "vacancy":
        gone = _atom_at(host, start + vector)
        if gone == index:
            raise InvalidHopError(
                f"The hop of {np.linalg.norm(vector):.3f} A leads to the ion's own periodic image. "
                "Raise min_image_separation_ang."
            )
        host = host.without([gone])
        index -= int(gone < index)
    neck = find_bottleneck(
        sites.structure, start, start + vector, ion=search.ion, anions=search.anions
    )
    faces = None if search.vacuum is None else slab_faces(sites.structure, search.vacuum)
    hop = Hop(
        host=host,
        ion=index,
        displacement=vector,
        mechanism=search.mechanism,
        site_types=(sites.labels[pair.start], sites.labels[pair.end]),
        length_ang=float(np.linalg.norm(vector)),
        multiplicity=pairs.multiplicity * search.base.copies,
        bottleneck_radius_ang=neck.radius_ang,
        bottleneck_area_ang2=neck.area_ang2,
        depth_ang=None if faces is None else float(faces.depths(start + vector / 2)[0]),
        direction=None if faces is None else faces.direction(start, vector),
    )
    return replace(hop, key=_key(search, pair, hop))


def _check_ion(structure: Structure, ion: str, mechanism: Mechanism) -> None:
    """Raise unless the ion is an element that the structure holds (or may be given)."""
    if ion not in atomic_numbers or ion == "X":
        raise UnknownElementError(f"Expected the chemical symbol of the mobile ion; got {ion!r}.")
    if mechanism != "interstitial" and ion not in structure.symbols:
        present = ", ".join(sorted(set(structure.symbols)))
        raise NoHopFoundError(
            f"No {ion} in the structure: it holds {present}. Name one of these as the ion, or put "
            "an extra ion on empty sites with the interstitial mechanism."
        )


def _farthest_apart(search: Search, pairs: PairClass) -> Pair:
    """Return the member whose second site is farthest from all images of its first."""
    host, spectra = search.host, []
    for pair in pairs.members:
        end = pair_vector(search.sites, pair)
        near = images_within(
            np.zeros((1, 3)), host.cell, host.pbc, centre=end, radius_ang=pairs.length_ang + 12.0
        )
        spectra.append(np.sort(np.linalg.norm(near.positions - end, axis=1)))
    return pairs.members[widest(spectra)]


def _with_ion(host: Structure, ion: str, position: NDArray[np.float64], label: str) -> Structure:
    """Return the host with an extra ion as its last atom."""
    return replace(
        host,
        numbers=np.append(host.numbers, atomic_numbers[ion]),
        positions=np.concatenate([host.positions, position[None]]),
        labels=(*host.labels, label),
    )


def _atom_at(host: Structure, point: NDArray[np.float64]) -> int:
    """Return the atom of which some periodic image sits at a point."""
    near = images_within(host.positions, host.cell, host.pbc, centre=point, radius_ang=OVERLAP_ANG)
    distances = np.linalg.norm(near.positions - point, axis=1)
    return int(near.indices[int(np.argmin(distances))])


def _key(search: Search, pair: Pair, hop: Hop) -> str:
    """Name a hop by its site types, its length and its sites in the given cell."""
    occupied = int(search.sites.occupied.sum())

    def number(site: int) -> int:
        atom = int(search.sites.atoms[site])
        if atom >= 0:
            return int(search.base.representatives[atom])
        return search.given_atoms + site - occupied

    shift = ",".join(str(s) for s in pair.shift)
    first, last = hop.site_types
    return f"{first}-{last}-{hop.length_ang:.2f}A-{number(pair.start)}>{number(pair.end)}+{shift}"
