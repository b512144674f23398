from __future__ import annotations

import numpy as np
import pytest

from superionic.analysis.figures.polyhedra import find_polyhedra
from superionic.structures.structure import Structure

OCTAHEDRON = 2.05 * np.array(
    [[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], dtype=float
)
TETRAHEDRON = 1.63 / np.sqrt(3) * np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])


def cluster(centre: int, ligands: np.ndarray, *, at: float = 4.0, symbol: int = 8) -> Structure:
    positions = np.vstack([np.zeros(3), ligands]) + at
    return Structure(
        numbers=np.array([centre] + [symbol] * len(ligands)),
        positions=positions,
        cell=np.diag([8.0, 9.0, 10.0]),
    )


@pytest.mark.parametrize(
    ("number", "ligands", "faces", "edges"),
    [(40, OCTAHEDRON, 8, 12), (14, TETRAHEDRON, 4, 6)],
    ids=["ZrO6", "SiO4"],
)
def test_platonic_polyhedra(number: int, ligands: np.ndarray, faces: int, edges: int) -> None:
    (found,) = find_polyhedra(cluster(number, ligands))
    assert (found.centre, len(found.vertices)) == (0, len(ligands))
    assert (len(found.faces), len(found.edges)) == (faces, edges)


def test_diagonals_of_flat_faces_are_no_edges() -> None:
    cube = np.array([[i, j, k] for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)], dtype=float)
    (found,) = find_polyhedra(cluster(40, 1.25 * cube))
    assert len(found.faces) == 12
    assert len(found.edges) == 12


def test_faces_look_outwards() -> None:
    structure = cluster(40, OCTAHEDRON)
    (found,) = find_polyhedra(structure)
    corners = found.corners(structure)
    for a, b, c in corners[found.faces]:
        assert np.cross(b - a, c - a) @ ((a + b + c) / 3 - corners.mean(axis=0)) > 0


@pytest.mark.parametrize("at", [0.0, 4.0, 7.9])
def test_a_polyhedron_across_the_boundary_is_whole(at: float) -> None:
    structure = cluster(14, TETRAHEDRON, at=at)
    wrapped = structure.with_positions(structure.positions % np.diag(structure.cell))
    (found,) = find_polyhedra(wrapped)
    arms = found.corners(wrapped) - wrapped.positions[0]
    order = np.argsort(found.vertices)
    np.testing.assert_allclose(arms[order], TETRAHEDRON, atol=1e-9)


def test_flat_and_loose_surroundings_have_no_polyhedron() -> None:
    assert find_polyhedra(cluster(29, OCTAHEDRON[:4])) == ()
    assert find_polyhedra(cluster(14, TETRAHEDRON[:3])) == ()
    assert find_polyhedra(cluster(14, 3.0 * TETRAHEDRON)) == ()


def test_mobile_ions_have_polyhedra_only_when_asked() -> None:
    structure = cluster(11, 1.1 * OCTAHEDRON)
    assert find_polyhedra(structure) == ()
    assert len(find_polyhedra(structure, centres=("Na",))) == 1
    assert find_polyhedra(structure, centres=("Ti",)) == ()


def test_sulfides_too() -> None:
    (found,) = find_polyhedra(cluster(15, 2.05 / 1.63 * TETRAHEDRON, symbol=16))
    assert found.element == "P"
