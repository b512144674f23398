"""Coordination polyhedra, for pictures: which atoms surround which, and the hull around them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from ase.data import atomic_numbers, chemical_symbols, covalent_radii

from superionic.structures.structure import readonly

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from superionic.structures.structure import Structure

LIGANDS = ("N", "O", "F", "S", "Cl", "Se", "Br", "Te", "I")
"""Elements that sit at the corners of polyhedra."""

NEVER_CENTRES = ("H", "C", "Li", "Na", "K", "Rb", "Cs", "Ag", *LIGANDS)
"""Elements that get no polyhedron unless they are asked for: ligands, and mobile ions."""

_BOND_FACTOR = 1.2
_COPLANAR = np.cos(np.radians(12.0))


@dataclass(frozen=True, eq=False)
class Polyhedron:
    """The hull of the ligands around one atom.

    Attributes
    ----------
    centre : int
        Index of the central atom.
    element : str
        Its symbol.
    vertices : ndarray
        Index of the atom at each corner. shape=(corners,)
    shifts : ndarray
        Lattice translation of each corner from its atom, whole numbers. shape=(corners, 3)
    faces : ndarray
        Triangles of corners, seen counter-clockwise from outside. shape=(faces, 3)
    edges : ndarray
        Pairs of corners that are true edges, not diagonals of a flat face. shape=(edges, 2)
    """

    centre: int
    element: str
    vertices: NDArray[np.int64]
    shifts: NDArray[np.int64]
    faces: NDArray[np.int64]
    edges: NDArray[np.int64]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        for name in ("vertices", "shifts", "faces", "edges"):
            object.__setattr__(self, name, readonly(getattr(self, name), np.int64))

    def corners(self, structure: Structure) -> NDArray[np.float64]:
        """Return the corners in angstrom for the atoms' positions. shape=(corners, 3)."""
        moved = structure.positions[self.vertices] + self.shifts @ structure.cell
        return np.asarray(moved, dtype=np.float64)


def find_polyhedra(
    structure: Structure, *, centres: Sequence[str] | None = None
) -> tuple[Polyhedron, ...]:
    """Return the polyhedra of ligands around the framework's cations.

    A ligand belongs to a centre within 1.2 times the sum of their covalent radii. Centres with
    fewer than four ligands, or with ligands in a plane, have no polyhedron.

    Parameters
    ----------
    structure
        Any structure; bonds across periodic boundaries count.
    centres
        Elements at the centres; by default every element outside `NEVER_CENTRES`.
    """
    from ase.neighborlist import neighbor_list

    present = set(structure.symbols)
    chosen = present - set(NEVER_CENTRES) if centres is None else present & set(centres)
    ligands = [x for x in LIGANDS if x in present - chosen]
    cutoffs = {(c, x): _BOND_FACTOR * (_radius(c) + _radius(x)) for c in chosen for x in ligands}
    if not cutoffs:
        return ()
    neighbours: Any = neighbor_list  # ASE types it only in part
    first, second, shifts = neighbours("ijS", structure.to_ase(), cutoffs)
    found = []
    for atom in np.flatnonzero(np.isin(structure.symbols, sorted(chosen))):
        mine = first == atom
        polyhedron = _hull(structure, int(atom), second[mine], shifts[mine])
        if polyhedron is not None:
            found.append(polyhedron)
    return tuple(found)


def _hull(
    structure: Structure, centre: int, vertices: NDArray[np.int64], shifts: NDArray[np.int64]
) -> Polyhedron | None:
    """Return the hull of some ligands, or None where they span no volume."""
    from scipy.spatial import ConvexHull, QhullError

    if len(vertices) < 4:
        return None
    points = structure.positions[vertices] + shifts @ structure.cell
    try:
        hull = ConvexHull(points)
    except QhullError:
        return None
    if hull.volume < 0.1:
        return None
    faces, normals = _outward(points, hull.simplices)
    return Polyhedron(
        centre=centre,
        element=chemical_symbols[structure.numbers[centre]],
        vertices=vertices,
        shifts=shifts,
        faces=faces,
        edges=_true_edges(faces, normals),
    )


def _outward(
    points: NDArray[np.float64], faces: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Turn triangles so that their normals point away from the middle; return both."""
    corners = points[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    inward = np.einsum("fi,fi->f", normals, corners.mean(axis=1) - points.mean(axis=0)) < 0
    turned = np.where(inward[:, None], faces[:, ::-1], faces)
    normals = np.where(inward[:, None], -normals, normals)
    return turned, normals / np.linalg.norm(normals, axis=1)[:, None]


def _true_edges(faces: NDArray[np.int64], normals: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the edges whose two faces are not coplanar."""
    sides: dict[tuple[int, int], list[int]] = {}
    for k, face in enumerate(faces):
        for a, b in ((0, 1), (1, 2), (2, 0)):
            low, high = sorted((int(face[a]), int(face[b])))
            sides.setdefault((low, high), []).append(k)
    kept = [
        edge
        for edge, (one, *rest) in sorted(sides.items())
        if not rest or float(normals[one] @ normals[rest[0]]) < _COPLANAR
    ]
    return np.array(kept, dtype=np.int64).reshape(-1, 2)


def _radius(symbol: str) -> float:
    """Return a covalent radius in angstrom."""
    return float(covalent_radii[atomic_numbers[symbol]])
