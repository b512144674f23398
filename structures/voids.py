"""Empty sites of a structure that comes without any: the centres of its largest empty spheres."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.depths import slab_faces, vacuum_axis
from superionic.structures.errors import InvalidStructureError, NoHopFoundError
from superionic.structures.geometry import images_within
from superionic.structures.sites import site_ranks
from superionic.structures.structure import Structure, check_no_overlap, readonly
from superionic.structures.symmetry import SYMPREC_ANG, site_action, symmetry_operations

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_RADIUS_ANG = 1.6
"""Default least distance in angstrom between the centre of a void and any atom."""
MAX_RADIUS_ANG = 4.0
"""Default largest one: beyond it a void is a pore, and its centre holds no ion."""
MERGE_ANG = 0.7
"""Of two centres nearer than this only the one with the larger sphere is a site."""

_TIE_ANG = 1e-3


@dataclass(frozen=True, eq=False)
class Voids:
    """Candidate interstitial sites of a cell, the largest first.

    Attributes
    ----------
    positions : ndarray
        Cartesian positions in angstrom, wrapped into the cell. shape=(sites, 3)
    radii_ang : ndarray
        Distance of each to the nearest atom in angstrom. shape=(sites,)
    labels : tuple of str
        ``i1``, ``i2``, ... ; symmetry-equivalent sites share one. length=sites
    """

    positions: NDArray[np.float64]
    radii_ang: NDArray[np.float64]
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        """Validate and freeze the arrays."""
        object.__setattr__(self, "positions", readonly(self.positions, np.float64))
        object.__setattr__(self, "radii_ang", readonly(self.radii_ang, np.float64))
        n = len(self.labels)
        if self.positions.shape != (n, 3) or self.radii_ang.shape != (n,):
            raise InvalidStructureError(
                f"Expected {n} positions and radii, one for each label; got "
                f"{self.positions.shape} and {self.radii_ang.shape}."
            )

    def __len__(self) -> int:
        """Return the number of sites in the cell."""
        return len(self.labels)

    @property
    def multiplicities(self) -> dict[str, int]:
        """How many sites of each label the cell holds."""
        return {label: self.labels.count(label) for label in dict.fromkeys(self.labels)}


def find_voids(
    structure: Structure,
    *,
    min_radius_ang: float = MIN_RADIUS_ANG,
    max_radius_ang: float = MAX_RADIUS_ANG,
    merge_ang: float = MERGE_ANG,
    symprec: float = SYMPREC_ANG,
) -> Voids:
    """Find the points of a crystal or slab that are equally far from four or more atoms.

    These are the vertices of the periodic Voronoi tessellation of all atoms. Vertices nearer to
    each other than ``merge_ang`` are one site: the one with the largest sphere, or the mean of
    those that tie. Sites beyond the outermost atoms of a slab are left out.

    Parameters
    ----------
    structure
        A periodic structure.
    min_radius_ang, max_radius_ang
        Least and largest distance to the nearest atom (centre to centre) in angstrom.
    merge_ang
        Distance in angstrom below which two vertices are one site.
    symprec
        Tolerance in angstrom of the symmetry search that names the sites.

    Returns
    -------
    Voids
        Every site of the cell, equivalent ones included.

    Raises
    ------
    InvalidStructureError
        Atoms overlap, or the structure is not periodic in all directions.
    NoHopFoundError
        No void is that large; the message names the largest.
    """
    check_no_overlap(structure)
    if not all(structure.pbc):
        raise InvalidStructureError(
            f"Voids need a structure that is periodic along all three axes; pbc is {structure.pbc}."
        )
    points, radii = voronoi_vertices(structure)
    if radii.max() < min_radius_ang:
        raise NoHopFoundError(
            f"The largest void is {radii.max():.2f} A from its nearest atoms; {min_radius_ang} A "
            "was asked for. Lower min_radius_ang, or give the empty sites yourself."
        )
    inside = (radii >= min_radius_ang - _TIE_ANG) & (radii <= max_radius_ang + _TIE_ANG)
    inside &= _within_faces(structure, points)
    points = _merged(structure, points[inside], radii[inside], merge_ang)
    if not len(points):
        raise NoHopFoundError(
            f"No void is between {min_radius_ang} and {max_radius_ang} A from its nearest atoms. "
            "Widen the range, or give the empty sites yourself."
        )
    return _named(structure, points, symprec)


def voronoi_vertices(structure: Structure) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the Voronoi vertices of a periodic structure inside its cell.

    Exact for any cell: all atoms are included that could touch an empty sphere centred in the
    cell, whose radius half a diagonal of the reduced cell bounds.

    Returns
    -------
    positions : ndarray
        Cartesian, wrapped into the cell, in angstrom. Where more than four atoms are equally far
        the same vertex may be listed more than once. shape=(vertices, 3)
    radii_ang : ndarray
        Distance of each to the nearest atom in angstrom. shape=(vertices,)
    """
    from ase.geometry import minkowski_reduce
    from scipy.spatial import Voronoi, cKDTree

    cell = minkowski_reduce(structure.cell)[0]
    signs = np.array([[i, j, k] for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)])
    half = float(np.linalg.norm(signs @ cell / 2, axis=1).max())
    centre = cell.sum(axis=0) / 2
    # half a diagonal to the corner of the cell, another for the sphere, and a little to close it
    near = images_within(
        structure.positions, cell, (True,) * 3, centre=centre, radius_ang=2 * half + 0.1
    )
    atoms = _with_guard(near.positions, centre, 20 * half)
    vertices = Voronoi(atoms).vertices
    fractional = vertices @ np.linalg.inv(cell)
    home = vertices[((fractional > -1e-6) & (fractional < 1 + 1e-6)).all(axis=1)]
    radii, _ = cKDTree(near.positions).query(home)
    back = home @ np.linalg.inv(structure.cell)
    wrapped = ((back + 1e-9) % 1.0 - 1e-9) @ structure.cell
    return wrapped, np.asarray(radii, dtype=float)


def _with_guard(
    atoms: NDArray[np.float64], centre: NDArray[np.float64], distance: float
) -> NDArray[np.float64]:
    """Add far points all round, so that few atoms in a large cell still have a tessellation."""
    signs = np.array([[i, j, k] for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)])
    return np.concatenate([atoms, centre + distance * signs])


def _within_faces(structure: Structure, points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which points lie between the outermost atoms of a slab; all of a crystal."""
    axis = vacuum_axis(structure)
    if axis is None:
        return np.ones(len(points), dtype=bool)
    return np.asarray(slab_faces(structure, axis).depths(points) > 0)


def _merged(
    structure: Structure, points: NDArray[np.float64], radii: NDArray[np.float64], merge_ang: float
) -> NDArray[np.float64]:
    """Drop points beside one with a larger sphere, and average those that tie."""
    from ase.neighborlist import primitive_neighbor_list
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    if not len(points):
        return points
    i, j, vectors = primitive_neighbor_list("ijD", structure.pbc, structure.cell, points, merge_ang)
    beaten = np.zeros(len(points), dtype=bool)
    beaten[i[radii[j] > radii[i] + _TIE_ANG]] = True
    tie = ~beaten[i] & ~beaten[j]
    graph = coo_matrix((np.ones(tie.sum()), (i[tie], j[tie])), shape=(len(points),) * 2)
    _, group = connected_components(graph, directed=False)
    kept = []
    for g in np.unique(group[~beaten]):
        members = np.flatnonzero((group == g) & ~beaten)
        head = members[0]
        near = tie & (i == head) & np.isin(j, members)
        kept.append(points[head] + np.concatenate([np.zeros((1, 3)), vectors[near]]).mean(axis=0))
    return np.array(kept)


def _named(structure: Structure, points: NDArray[np.float64], symprec: float) -> Voids:
    """Sort the sites by radius and environment, and give equivalent ones one label."""
    radii = np.array([_radius(structure, point) for point in points])
    operations = symmetry_operations(structure, symprec_ang=symprec)
    action = site_action(operations, points, structure.cell, tolerance_ang=2 * symprec)
    ranks = site_ranks(
        structure,
        points,
        labels=[""] * len(points),
        orbits=action.orbits,
        first=-np.round(radii, 2),
    )
    order = np.argsort(ranks, kind="stable")
    wrapped = (points @ np.linalg.inv(structure.cell) + 1e-9) % 1.0 - 1e-9
    return Voids(
        positions=(wrapped @ structure.cell)[order],
        radii_ang=radii[order],
        labels=tuple(f"i{ranks[k] + 1}" for k in order),
    )


def _radius(structure: Structure, point: NDArray[np.float64]) -> float:
    """Return the distance in angstrom from a point to the nearest atom."""
    reach = 4.0
    while True:
        near = images_within(
            structure.positions, structure.cell, structure.pbc, centre=point, radius_ang=reach
        )
        if len(near.indices):
            return float(np.linalg.norm(near.positions - point, axis=1).min())
        reach *= 2
