"""Places on a surface: atoms seen from outside, and the bridges and hollows between them.

Seen from outside is an atom that a ball can touch from straight above without touching another.
Bridges are the midpoints of two such atoms with no third as near (the Gabriel graph), hollows the
points farthest from them all around (vertices of the Voronoi diagram); neither depends on how the
lattice is described or on how a degenerate triangulation is cut.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from ase.data import covalent_radii

from superionic.structures.faces import Face, Side, find_face
from superionic.structures.geometry import images_within
from superionic.structures.structure import Structure, readonly

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Kind = Literal["top", "bridge", "hollow", "general"]
"""On an atom, between two, among three or more, or anywhere."""

PROBE_ANG = 2.0
"""Radius of the ball that finds the atoms seen from outside, in angstrom: a methylene group."""
SYMPREC_ANG = 0.1
"""Positions that agree to this, in angstrom, are alike by symmetry."""
MERGE_ANG = 0.3
"""Hollows nearer to each other than this are one, in angstrom."""
ALIKE_ANG = 0.1
"""Atoms as near as the nearest of a place, to this, make it with them; in angstrom."""


@dataclass(frozen=True, eq=False)
class SurfaceSite:
    """A place on a face, one of those alike by symmetry.

    Attributes
    ----------
    kind : str
        ``top``, ``bridge``, ``hollow`` or ``general``.
    label : str
        Kind and elements: ``bridge-Li-O``.
    position : ndarray
        A point of the line through the site along the normal, in angstrom; its height is that of
        the outermost atom. shape=(3,)
    atoms : tuple of int
        Atoms that make the site, ascending.
    multiplicity : int
        How many sites of the cell are alike by symmetry.
    """

    kind: Kind
    label: str
    position: NDArray[np.float64]
    atoms: tuple[int, ...]
    multiplicity: int

    def __post_init__(self) -> None:
        """Freeze the array."""
        object.__setattr__(self, "position", readonly(self.position, np.float64))


def exposed_atoms(face: Face, *, probe_ang: float = PROBE_ANG) -> NDArray[np.int64]:
    """Return the atoms that a ball can touch from straight above, ascending.

    Parameters
    ----------
    face
        The face.
    probe_ang
        Radius of the ball in angstrom; the atoms have their covalent radii.
    """
    slab = face.slab
    radii = covalent_radii[slab.numbers] + probe_ang
    heights = slab.positions @ face.normal
    reach = float(radii.max())
    seen = []
    for k in np.flatnonzero(heights + radii >= face.top_ang - reach):
        centre = slab.positions[k] + radii[k] * face.normal
        near = images_within(
            slab.positions, slab.cell, face.in_plane, centre=centre, radius_ang=reach
        )
        apart = np.linalg.norm(near.positions - centre, axis=1)
        if (apart >= radii[near.indices] - 1e-3).all():
            seen.append(int(k))
    return np.array(seen, dtype=np.int64)


def surface_sites(
    slab: Structure,
    *,
    side: Side = "top",
    probe_ang: float = PROBE_ANG,
    symprec: float = SYMPREC_ANG,
) -> tuple[SurfaceSite, ...]:
    """Return the symmetry-distinct places on a face: on atoms, then bridges, then hollows.

    Parameters
    ----------
    slab
        The slab; its labels do not matter, its elements and positions do.
    side
        Which face.
    probe_ang
        Radius in angstrom of the ball that finds the atoms seen from outside.
    symprec
        Tolerance of the symmetry in angstrom.

    Raises
    ------
    AdsorptionError
        The structure is no slab.
    """
    face = find_face(slab, side)
    return distinct_sites(face, all_sites(face, probe_ang=probe_ang), symprec=symprec)


def all_sites(face: Face, *, probe_ang: float = PROBE_ANG) -> tuple[SurfaceSite, ...]:
    """Return every place in the cell of a face, symmetry not used; multiplicity 1.

    A place is given beside the image of its first atom that the slab holds, so that neither the
    choice of lattice vectors nor the wrapping of the cell changes which of its images it is.
    """
    from scipy.spatial import Voronoi

    axes = face.axes
    points, atoms = face.replicated(exposed_atoms(face, probe_ang=probe_ang))
    diagram = Voronoi(points)
    ends = points[diagram.ridge_points]
    places: tuple[tuple[Kind, NDArray[np.float64], NDArray[np.float64] | None, int], ...] = (
        ("top", points, None, 1),
        ("bridge", ends.mean(axis=1), np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1) / 2, 2),
        ("hollow", diagram.vertices, None, 3),
    )
    lattice = face.plane @ axes.T
    centre, reach = lattice.sum(axis=0) / 2, np.linalg.norm(lattice, axis=1).sum() / 2 + 0.1
    sites: list[SurfaceSite] = []
    for kind, middles, radii, least in places:
        found: list[SurfaceSite] = []
        for k in np.flatnonzero(np.linalg.norm(middles - centre, axis=1) <= reach):
            apart = np.linalg.norm(points - middles[k], axis=1)
            radius = float(apart.min()) if radii is None else float(radii[k])
            touched = np.flatnonzero(apart <= radius + ALIKE_ANG)
            if len(touched) == least or (kind == "hollow" and len(touched) > least):
                away = middles[k] - points[touched]
                found.append(_site(face, kind, away, atoms[touched]))
        sites += _unlike(face, sorted(found, key=lambda s: s.atoms))
    return tuple(sites)


def distinct_sites(
    face: Face, sites: Sequence[SurfaceSite], *, symprec: float = SYMPREC_ANG
) -> tuple[SurfaceSite, ...]:
    """Return one of each set of places that the symmetry of the slab makes alike.

    Only operations that leave the face where it is count: a mirror plane inside the slab does not.

    Parameters
    ----------
    face
        The face.
    sites
        All places in its cell.
    symprec
        Tolerance in angstrom.
    """
    turns, shifts = face.operations(symprec)
    images = np.einsum("oij,sj->soi", turns, np.array([s.position for s in sites])) + shifts
    places = np.array([s.position for s in sites])
    labels = np.array([s.label for s in sites])
    left = np.ones(len(sites), dtype=bool)
    kept = []
    for k, site in enumerate(sites):
        if not left[k]:
            continue
        others = np.flatnonzero(left & (labels == site.label))
        vectors = images[k][:, None] - places[others][None]
        apart = face.apart(vectors).reshape(len(images[k]), -1).min(axis=0)
        alike = others[apart <= 2 * symprec]
        left[alike] = False
        kept.append(replace(site, multiplicity=len(alike)))
    return tuple(kept)


def general_site(face: Face, fractions: NDArray[np.float64]) -> SurfaceSite:
    """Return the place at given fractions of the two lattice vectors along a face."""
    corner = face.slab.positions[0]
    return _place(face, "general", corner + fractions @ face.plane, ())


def _place(face: Face, kind: Kind, point: NDArray[np.float64], atoms: Sequence[int]) -> SurfaceSite:
    """Make a site of a point, brought to the height of the outermost atom."""
    symbols = sorted(face.slab.symbols[k] for k in atoms)
    return SurfaceSite(
        kind=kind,
        label="-".join([kind, *symbols]),
        position=point + (face.top_ang - point @ face.normal) * face.normal,
        atoms=tuple(sorted(int(k) for k in atoms)),
        multiplicity=1,
    )


def _site(
    face: Face, kind: Kind, away: NDArray[np.float64], atoms: NDArray[np.int64]
) -> SurfaceSite:
    """Make a site from the vectors that lead to it from the atoms that it touches."""
    first = away[atoms == atoms.min()]
    angles = (np.degrees(np.arctan2(first[:, 1], first[:, 0])) + 1e-2) % 360.0
    step = first[int(np.argmin(np.round(angles, 1)))]
    return _place(face, kind, face.slab.positions[atoms.min()] + step @ face.axes, atoms.tolist())


def _unlike(face: Face, sites: list[SurfaceSite]) -> list[SurfaceSite]:
    """Drop images of one place, and hollows that all but coincide."""
    kept: list[SurfaceSite] = []
    left, places = np.arange(len(sites)), np.array([site.position for site in sites])
    while len(left):
        kept.append(sites[left[0]])
        left = left[face.apart(places[left] - places[left[0]]) > MERGE_ANG]
    return kept
