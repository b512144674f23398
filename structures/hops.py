"""Single-ion hops: all symmetry-distinct ones of a crystal or slab, each in a host of its own."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from ase.data import atomic_numbers

from superionic.structures.bottleneck import find_bottleneck
from superionic.structures.errors import InvalidHopError, NoHopFoundError, UnknownElementError
from superionic.structures.geometry import images_within
from superionic.structures.pairs import (
    Mechanism,
    Pair,
    PairClass,
    check_mechanism,
    pair_classes,
    pair_vector,
)
from superionic.structures.sites import SiteSet, site_set
from superionic.structures.structure import (
    OVERLAP_ANG,
    Structure,
    check_no_overlap,
    minimum_image,
    readonly,
)
from superionic.structures.supercells import (
    MIN_IMAGE_SEPARATION_ANG,
    hop_supercell,
    make_supercell,
)
from superionic.structures.symmetry import SYMPREC_ANG, PrimitiveCell, primitive_cell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

Direction = Literal["lateral", "outward", "inward"]
"""How a hop in a slab lies to the nearer face: lateral when it climbs by at most 45 degrees."""

MIN_DISPLACEMENT_ANG = 0.1

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Hop:
    """One ion that moves from one site to another, everything else where it was.

    Attributes
    ----------
    host : Structure
        The whole cell with the ion on its first site: for a vacancy hop the destination's ion is
        already gone, for an interstitial the extra ion is already there (last atom). The number
        of electrons follows the atoms; no charge is attached.
    ion : int
        Index of the ion in the host.
    displacement : ndarray
        From the first to the second site in angstrom, not wrapped. shape=(3,)
    mechanism : {"vacancy", "hole", "interstitial"}
        To a site whose ion was removed, to a site found empty, or between two empty sites.
    site_types : tuple of str
        Labels of the first and second site.
    length_ang : float
        Length of the displacement in angstrom.
    multiplicity : int
        Number of equivalent hops (both ways counted once) in the cell given to `find_hops`.
    bottleneck_radius_ang : float or None
        Distance between the straight path and the nearest atom of another element, at rest, in
        angstrom; None without such atoms. Below about 1.2 A the path runs into an atom.
    bottleneck_area_ang2 : float or None
        Area of the triangle of the three anions nearest to that point, in square angstrom.
    depth_ang : float or None
        In a slab, depth of the path's middle below the nearer outermost plane of atoms, in
        angstrom (negative above it); None in a bulk crystal.
    direction : {"lateral", "outward", "inward"} or None
        In a slab, how the hop lies to the nearer face; None in a bulk crystal.
    key : str
        Name of the hop: site types, length, and sites of the given cell. The same hop of the same
        structure has the same key whatever supercell it is put in.

    Raises
    ------
    InvalidHopError
        The ion does not exist, does not move, lands on another atom, or a field is malformed.
    """

    host: Structure
    ion: int
    displacement: NDArray[np.float64]
    mechanism: Mechanism
    site_types: tuple[str, str]
    length_ang: float
    multiplicity: int
    bottleneck_radius_ang: float | None = None
    bottleneck_area_ang2: float | None = None
    depth_ang: float | None = None
    direction: Direction | None = None
    key: str = ""

    def __post_init__(self) -> None:
        """Validate and freeze."""
        object.__setattr__(self, "displacement", readonly(self.displacement, np.float64))
        types: tuple[str, ...] = tuple(self.site_types)
        object.__setattr__(self, "site_types", types)
        check_mechanism(self.mechanism)
        if not 0 <= self.ion < len(self.host):
            raise InvalidHopError(
                f"Ion {self.ion} is not one of the host's {len(self.host)} atoms."
            )
        if self.displacement.shape != (3,) or not np.isfinite(self.displacement).all():
            raise InvalidHopError(
                f"Expected a displacement of three finite numbers; got {self.displacement}."
            )
        if len(types) != 2 or self.multiplicity < 1:
            raise InvalidHopError(
                f"Expected two site types and a positive multiplicity; got {self.site_types} and "
                f"{self.multiplicity}."
            )
        self._check_ends()

    def _check_ends(self) -> None:
        """Raise unless the two ends differ and the ion lands on free ground."""
        length = float(np.linalg.norm(self.displacement))
        if abs(length - self.length_ang) > 1e-3:
            raise InvalidHopError(
                f"length_ang is {self.length_ang:.4f} A but the displacement is {length:.4f} A."
            )
        moved = minimum_image(self.displacement, self.host.cell, self.host.pbc)
        if np.linalg.norm(moved) < MIN_DISPLACEMENT_ANG:
            raise InvalidHopError(
                f"The displacement of {length:.3f} A brings ion {self.ion} back to its own site or "
                "its periodic image: first and last structure are the same. Use a larger host."
            )
        near = images_within(
            self.host.positions,
            self.host.cell,
            self.host.pbc,
            centre=self.host.positions[self.ion] + self.displacement,
            radius_ang=OVERLAP_ANG,
        )
        others = near.indices[near.indices != self.ion]
        if len(others):
            raise InvalidHopError(
                f"Ion {self.ion} would land within {OVERLAP_ANG} A of atom {others[0]} "
                f"({self.host.labels[others[0]]}). A vacancy hop needs that atom removed from the "
                "host first."
            )

    @property
    def initial(self) -> Structure:
        """The host with the ion on its first site."""
        return self.host

    @property
    def final(self) -> Structure:
        """The host with the ion on its second site: same atoms, same order, not wrapped."""
        positions = self.host.positions.copy()
        positions[self.ion] += self.displacement
        return self.host.with_positions(positions)


class _Base(NamedTuple):
    """The cell in which hops are classified, and the way back to the given one."""

    cell: PrimitiveCell
    frozen: tuple[int, ...]
    given_atoms: int


def find_hops(
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
    distinct: bool = True,
    symprec: float = SYMPREC_ANG,
) -> tuple[Hop, ...]:
    """Return all symmetry-distinct single-ion hops up to a length, shortest first.

    Equivalence is that of the given structure (elements and positions; labels are ignored). A hop
    and its reverse are one path: it starts on the site whose label sorts first (in a slab the
    deeper one, when labels agree), for a hole on the ion. Hops straight through a third site of
    the ion are chains of shorter ones and are left out; hops that brush a framework atom are
    listed, and their bottleneck radius says so.

    Each hop is put into the smallest supercell of the primitive cell that keeps periodic images
    apart, with the one of the equivalent hops whose ends are farthest from each other's images, so
    that primitive, conventional, turned and permuted cells of one crystal lead to the same host.

    Parameters
    ----------
    structure
        A crystal, or a slab with its vacuum along one lattice vector.
    ion
        Chemical symbol of the mobile ion.
    max_length_ang
        Longest hop in angstrom.
    mechanism
        ``"vacancy"``: the ion of the destination is removed first (the cell loses an atom, and is
        left neutral: no charge is attached). ``"hole"``: to a site that is empty in the structure.
        ``"interstitial"``: an extra ion sits on one empty site and moves to another.
    empty_sites, empty_labels
        Cartesian positions in angstrom (shape=(n, 3)) and labels of empty sites, needed by the
        last two mechanisms (and ignored by the first): from a disordered parent, or from
        `superionic.structures.voids`.
    min_image_separation_ang
        Least distance between periodic images of the ion in angstrom.
    min_atoms, max_atoms
        Bounds on the size of the host in atoms, before an ion is removed or added.
    standardise
        Start from the primitive cell. If false, or for a slab, the cell is taken as it is and
        only repeated where it is too narrow.
    distinct
        If false, list every equivalent hop of the primitive cell too.
    symprec
        Tolerance of the symmetry search in angstrom.

    Raises
    ------
    NoHopFoundError
        No such ion, or no hop that short; the message says what there is.
    InvalidStructureError
        Atoms overlap, an empty site lies on an atom, or no host is small enough.
    InvalidHopError
        The mechanism is unknown.
    """
    check_mechanism(mechanism)
    _check_ion(structure, ion, mechanism)
    check_no_overlap(structure)
    base = _base_cell(structure, standardise=standardise, symprec=symprec)
    sites = site_set(
        base.cell.structure,
        ion=ion,
        empty_sites=None if mechanism == "vacancy" else empty_sites,
        empty_labels=None if mechanism == "vacancy" else empty_labels,
        symprec_ang=symprec,
    )
    classes = pair_classes(
        sites, mechanism=mechanism, max_length_ang=max_length_ang, symprec_ang=symprec
    )
    matrix = hop_supercell(
        base.cell.structure,
        min_separation_ang=max(min_image_separation_ang, 0.0),
        min_atoms=min_atoms,
        max_atoms=max_atoms,
        frozen=base.frozen,
        rotations=sites.action.rotations,
    )
    host = make_supercell(base.cell.structure, matrix, frozen=base.frozen)
    hops = []
    for pairs in classes:
        chosen = [_farthest_apart(sites, pairs, host)] if distinct else list(pairs.members)
        for pair in chosen:
            name = pairs.members[0] if distinct else pair
            hop = _hop(sites, pair, host, mechanism, ion)
            hops.append(
                replace(
                    hop,
                    multiplicity=pairs.multiplicity * base.cell.copies,
                    key=_key(sites, name, hop, base),
                )
            )
    return tuple(hops)


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


def _base_cell(structure: Structure, *, standardise: bool, symprec: float) -> _Base:
    """Return the cell to classify hops in: primitive for a crystal, as given for a slab."""
    frozen: tuple[int, ...] = ()
    if standardise and all(structure.pbc):
        cell = primitive_cell(structure, symprec_ang=symprec)
    else:
        cell = PrimitiveCell(structure, readonly(np.arange(len(structure)), np.int64), 1)
    return _Base(cell, frozen, len(structure))


def _farthest_apart(sites: SiteSet, pairs: PairClass, host: Structure) -> Pair:
    """Return the member whose second site is farthest from all images of its first."""

    def spectrum(pair: Pair) -> tuple[float, ...]:
        vector = pair_vector(sites, pair)
        near = images_within(
            np.zeros((1, 3)), host.cell, host.pbc, centre=vector, radius_ang=pairs.length_ang + 12.0
        )
        distances = np.round(np.linalg.norm(near.positions - vector, axis=1), 3)
        return (*sorted(float(d) for d in distances), np.inf)

    spectra = {pair: spectrum(pair) for pair in pairs.members}
    best = max(spectra.values())
    return next(pair for pair in pairs.members if spectra[pair] == best)


def _hop(sites: SiteSet, pair: Pair, host: Structure, mechanism: Mechanism, ion: str) -> Hop:
    """Put one pair into its host."""
    start = sites.positions[pair.start]
    vector = pair_vector(sites, pair)
    if mechanism == "interstitial":
        whole = _with_ion(host, ion, start, sites.labels[pair.start])
        index = len(host)
    else:
        index = _atom_at(host, start)
        whole = host
    if mechanism == "vacancy":
        gone = _atom_at(host, start + vector)
        if gone == index:
            raise InvalidHopError(
                f"The hop of {np.linalg.norm(vector):.3f} A leads to the ion's own periodic image. "
                "Raise min_image_separation_ang."
            )
        whole = host.without([gone])
        index -= int(gone < index)
    neck = find_bottleneck(sites.structure, start, start + vector, ion=ion)
    return Hop(
        host=whole,
        ion=index,
        displacement=vector,
        mechanism=mechanism,
        site_types=(sites.labels[pair.start], sites.labels[pair.end]),
        length_ang=float(np.linalg.norm(vector)),
        multiplicity=1,
        bottleneck_radius_ang=neck.radius_ang,
        bottleneck_area_ang2=neck.area_ang2,
    )


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


def _key(sites: SiteSet, pair: Pair, hop: Hop, base: _Base) -> str:
    """Name a hop by its site types, its length and its sites in the given cell."""

    def number(site: int) -> int:
        atom = int(sites.atoms[site])
        if atom >= 0:
            return int(base.cell.representatives[atom])
        return base.given_atoms + site - int(sites.occupied.sum())

    shift = ",".join(str(s) for s in pair.shift)
    first, last = hop.site_types
    return f"{first}-{last}-{hop.length_ang:.2f}A-{number(pair.start)}>{number(pair.end)}+{shift}"
