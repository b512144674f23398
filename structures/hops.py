"""Single-ion hops: all symmetry-distinct ones of a crystal or slab, each in a host of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superionic.structures.hop import Hop
from superionic.structures.hosts import distinct_hop, member_hop, search_hops
from superionic.structures.pairs import check_max_length
from superionic.structures.supercells import MIN_IMAGE_SEPARATION_ANG
from superionic.structures.symmetry import SYMPREC_ANG

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from superionic.structures.pairs import Mechanism
    from superionic.structures.structure import Structure

__all__ = ["Hop", "find_hops"]


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
        Longest hop in angstrom, at most `superionic.structures.pairs.MAX_LENGTH_ANG`.
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
        If false, list every equivalent hop of the cell that hops are classified in, both ways
        round where a symmetry operation swaps its ends. Each has a key of its own.
    symprec
        Tolerance of the symmetry search in angstrom.

    Raises
    ------
    NoHopFoundError
        No such ion, or no hop that short; the message says what there is.
    InvalidStructureError
        Atoms overlap, an empty site lies on an atom, or no host is small enough.
    InvalidHopError
        The mechanism is unknown, or the length cannot be searched.
    """
    check_max_length(max_length_ang)
    search = search_hops(
        structure,
        ion=ion,
        max_length_ang=max_length_ang,
        mechanism=mechanism,
        empty_sites=empty_sites,
        empty_labels=empty_labels,
        min_image_separation_ang=min_image_separation_ang,
        min_atoms=min_atoms,
        max_atoms=max_atoms,
        standardise=standardise,
        symprec=symprec,
    )
    if distinct:
        return tuple(distinct_hop(search, pairs) for pairs in search.classes)
    return tuple(
        member_hop(search, pairs, pair) for pairs in search.classes for pair in pairs.members
    )
