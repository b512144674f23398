"""What a picture of a structure shows: atoms, polyhedra and paths, wrapped and selected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from ase.data import covalent_radii

from superionic.analysis.figures.painter import camera
from superionic.analysis.figures.polyhedra import find_polyhedra
from superionic.structures.errors import EvidenceError
from superionic.structures.structure import Structure, readonly

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WRAP = 1e-3
_BOND_FACTOR = 1.2
_VACUUM_ANG = 6.0
_MARGIN_ANG = 0.9


@dataclass(frozen=True, eq=False)
class PathView:
    """A migration path as a chain of beads.

    Attributes
    ----------
    label : str
        Route or hop, named in the legend.
    positions : ndarray
        Where the ion is along the path, in angstrom, not wrapped. shape=(points, 3)
    """

    label: str
    positions: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Validate and freeze."""
        object.__setattr__(self, "positions", readonly(self.positions, np.float64))
        shape = self.positions.shape
        if (
            len(shape) != 2
            or shape[0] < 2
            or shape[1] != 3
            or not np.isfinite(self.positions).all()
        ):
            raise EvidenceError(
                f"Path {self.label}: expected two or more finite positions (points, 3); got "
                f"shape {shape}."
            )


@dataclass(frozen=True, eq=False)
class ViewPanel:
    """One picture.

    Attributes
    ----------
    title : str
        Written above it.
    structure : Structure
        The atoms.
    paths : tuple of PathView
        Drawn over the atoms, one colour each.
    along, up : tuple of float
        Direction of view and of the picture's top, in lattice vectors ``[u, v, w]``.
    tilt_deg : tuple of float
        Turns about the vertical and the horizontal axis in degrees.
    radius_ang : float or None
        Show only what lies within this distance of a path, periodic images included; None shows
        the whole cell.
    centres : tuple of str or None
        Elements that get polyhedra; None lets `find_polyhedra` choose.
    mobile : tuple of str
        Elements drawn large, as mobile ions.
    """

    title: str
    structure: Structure
    paths: tuple[PathView, ...] = ()
    along: tuple[float, float, float] = (1.0, 0.0, 0.0)
    up: tuple[float, float, float] = (0.0, 0.0, 1.0)
    tilt_deg: tuple[float, float] = (8.0, 5.0)
    radius_ang: float | None = None
    centres: tuple[str, ...] | None = None
    mobile: tuple[str, ...] = ("Li", "Na", "K", "Ag")

    def __post_init__(self) -> None:
        """Validate."""
        if self.radius_ang is not None and (self.radius_ang <= 0 or not self.paths):
            raise EvidenceError(
                f"Panel '{self.title}': a close-up needs a positive radius and a path to be close "
                f"to; got {self.radius_ang} A and {len(self.paths)} paths."
            )


@dataclass(frozen=True, eq=False)
class Shape:
    """A polyhedron as drawn.

    Attributes
    ----------
    number : int
        Atomic number at its centre.
    corners : ndarray
        Places in angstrom. shape=(corners, 3)
    faces, edges : ndarray
        As in `Polyhedron`. shape=(faces, 3) and (edges, 2)
    """

    number: int
    corners: NDArray[np.float64]
    faces: NDArray[np.int64]
    edges: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Visible:
    """Everything that a panel shows.

    Attributes
    ----------
    rotation : ndarray
        From space to picture: right, up, towards the reader. shape=(3, 3)
    atoms : ndarray
        Index of each drawn atom, periodic images included. shape=(drawn,)
    places : ndarray
        Their places in angstrom. shape=(drawn, 3)
    shapes : tuple of Shape
        Polyhedra.
    bonds : ndarray
        Ends of bonds that belong to no polyhedron, in angstrom. shape=(bonds, 2, 3)
    paths : tuple of ndarray
        Beads of each path in angstrom, moved into the cell. shape=(points, 3) each
    frame : ndarray
        Corners of the cell where it is drawn whole, in angstrom. shape=(8 or 0, 3)
    """

    rotation: NDArray[np.float64]
    atoms: NDArray[np.int64]
    places: NDArray[np.float64]
    shapes: tuple[Shape, ...]
    bonds: NDArray[np.float64]
    paths: tuple[NDArray[np.float64], ...]
    frame: NDArray[np.float64]

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, right, bottom and top of the picture in angstrom, with a margin."""
        seen = np.concatenate([self.places, *self.paths, self.frame]) @ self.rotation.T
        (x0, y0), (x1, y1) = seen[:, :2].min(axis=0), seen[:, :2].max(axis=0)
        return x0 - _MARGIN_ANG, x1 + _MARGIN_ANG, y0 - _MARGIN_ANG, y1 + _MARGIN_ANG

    @property
    def depths(self) -> tuple[float, float]:
        """Depth of the farthest and of the nearest atom in angstrom."""
        depth = self.places @ self.rotation[2]
        return float(depth.min()), float(depth.max())


def visible_of(panel: ViewPanel) -> Visible:
    """Return what a panel shows.

    Atoms are wrapped into the cell along its periodic directions. A polyhedron whose centre is
    shown is whole, its corners included, even where they lie outside; a corner is drawn with its
    polyhedra only.

    Raises
    ------
    EvidenceError
        The directions of view and of the top are parallel, or nothing lies near the paths.
    """
    structure = _wrapped(panel.structure)
    paths = tuple(_moved_into_cell(path.positions, structure) for path in panel.paths)
    beads = np.concatenate(paths) if paths else np.zeros((0, 3))
    found = find_polyhedra(structure, centres=panel.centres)
    free = np.ones(len(structure), dtype=bool)
    free[[v for one in found for v in one.vertices]] = False
    atoms: list[int] = []
    places: list[NDArray[np.float64]] = []
    shapes: list[Shape] = []
    for shift in _translations(structure, neighbours=panel.radius_ang is not None):
        moved = structure.positions + shift
        keep = _near(moved, beads, panel.radius_ang)
        atoms += np.flatnonzero(keep & free).tolist()
        places += list(moved[keep & free])
        for one in (p for p in found if keep[p.centre]):
            corners = one.corners(structure) + shift
            number = int(structure.numbers[one.centre])
            shapes.append(Shape(number, corners, one.faces, one.edges))
            atoms += one.vertices.tolist()
            places += list(corners)
    if not atoms:
        raise EvidenceError(
            f"Panel '{panel.title}': no atom within {panel.radius_ang} A of its paths."
        )
    _, first = np.unique(np.round(places, 3), axis=0, return_index=True)
    index, place = np.array(atoms)[first], np.array(places)[first]
    whole = panel.radius_ang is None and _is_filled(structure)
    framework = {one.centre for one in found} | set(np.flatnonzero(~free).tolist())
    return Visible(
        rotation=camera(structure.cell, along=panel.along, up=panel.up, tilt_deg=panel.tilt_deg),
        atoms=index,
        places=place,
        shapes=tuple(shapes),
        bonds=_bonds(structure, index, place, framework=framework, mobile=panel.mobile),
        paths=paths,
        frame=cell_corners(structure) if whole else np.zeros((0, 3)),
    )


def cell_corners(structure: Structure) -> NDArray[np.float64]:
    """Return the corners of the cell in angstrom; corner ``4i + 2j + k`` is at (i, j, k)."""
    corners = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)], dtype=float)
    return np.asarray(corners @ structure.cell)


def _is_filled(structure: Structure) -> bool:
    """Return whether no lattice direction has a gap wide enough to be vacuum."""
    for axis in range(3):
        x = np.sort(structure.fractional[:, axis] % 1.0)
        gap = float(np.diff(np.append(x, x[0] + 1.0)).max())
        height = structure.volume / np.linalg.norm(
            np.cross(structure.cell[axis - 2], structure.cell[axis - 1])
        )
        if gap * height > _VACUUM_ANG:
            return False
    return True


def _bonds(
    structure: Structure,
    atoms: NDArray[np.int64],
    places: NDArray[np.float64],
    *,
    framework: set[int],
    mobile: tuple[str, ...],
) -> NDArray[np.float64]:
    """Return the ends of bonds between drawn atoms, those of polyhedra and mobile ions left out.

    Two atoms are bonded within 1.2 times the sum of their covalent radii. shape=(bonds, 2, 3)
    """
    from scipy.spatial import cKDTree

    radii = covalent_radii[structure.numbers[atoms]]
    near = cKDTree(places).query_pairs(_BOND_FACTOR * 2 * float(radii.max()), output_type="ndarray")
    i, j = near.reshape(-1, 2).T
    close = np.linalg.norm(places[i] - places[j], axis=1) < _BOND_FACTOR * (radii[i] + radii[j])
    inside = np.isin(atoms, sorted(framework))
    moving = np.isin(np.array(structure.symbols)[atoms], mobile)
    kept = close & ~(inside[i] & inside[j]) & ~moving[i] & ~moving[j]
    return np.asarray(np.stack([places[i[kept]], places[j[kept]]], axis=1))


def _wrapped(structure: Structure) -> Structure:
    """Return the structure with its atoms inside the cell along periodic directions."""
    shift = -np.floor(structure.fractional + _WRAP) * np.array(structure.pbc)
    return structure.with_positions(structure.positions + shift @ structure.cell)


def _moved_into_cell(points: NDArray[np.float64], structure: Structure) -> NDArray[np.float64]:
    """Return a path moved by a lattice vector so that its middle lies inside the cell."""
    middle = np.linalg.solve(structure.cell.T, points.mean(axis=0))
    shift = np.floor(middle + _WRAP) * np.array(structure.pbc)
    return np.asarray(points - shift @ structure.cell)


def _translations(structure: Structure, *, neighbours: bool) -> NDArray[np.float64]:
    """Return lattice translations in angstrom: none, or those to all neighbouring cells."""
    if not neighbours:
        return np.zeros((1, 3))
    reach = [(-1.0, 0.0, 1.0) if periodic else (0.0,) for periodic in structure.pbc]
    grid = np.array(np.meshgrid(*reach, indexing="ij"))
    return np.asarray(grid.reshape(3, -1).T @ structure.cell)


def _near(
    points: NDArray[np.float64], beads: NDArray[np.float64], radius_ang: float | None
) -> NDArray[np.bool_]:
    """Return which points lie within a distance of a bead; all of them without a distance."""
    if radius_ang is None:
        return np.ones(len(points), dtype=bool)
    distance = np.linalg.norm(points[:, None] - beads[None], axis=2).min(axis=1)
    return np.asarray(distance <= radius_ang)
