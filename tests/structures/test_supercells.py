"""Supercells: how many there are, that the smallest serving one is taken, for any setting."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk
from ase.geometry import minkowski_reduce

from superionic.structures.errors import InvalidStructureError
from superionic.structures.structure import Structure, distance_matrix
from superionic.structures.supercells import (
    hermite_normal_forms,
    hop_supercell,
    make_supercell,
    widest,
)


def cubic(a: float = 4.0) -> Structure:
    return Structure(
        numbers=np.array([13]), positions=np.array([[0.1, 0.2, 0.3]]), cell=np.eye(3) * a
    )


def shortest(cell: np.ndarray) -> float:
    return float(np.linalg.norm(minkowski_reduce(cell)[0], axis=1).min())


@pytest.mark.parametrize(
    # sublattices of Z^3 by index, OEIS A001001
    ("index", "count"),
    [(1, 1), (2, 7), (3, 13), (4, 35), (5, 31), (6, 91), (7, 57), (8, 155), (12, 455)],
)
def test_number_of_sublattices(index: int, count: int) -> None:
    forms = hermite_normal_forms(index)
    assert len(forms) == count
    np.testing.assert_allclose(np.linalg.det(forms), index)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_frozen_axis_leaves_the_sublattices_of_a_plane(axis: int) -> None:
    forms = hermite_normal_forms(6, frozen=(axis,))
    assert len(forms) == 1 + 2 + 3 + 6  # the sum of divisors
    unit = np.eye(3)[axis]
    assert (forms[:, axis] == unit).all()
    assert (forms[:, :, axis] == unit).all()


def test_cubic_two_becomes_face_centred() -> None:
    # index 2 of a simple cubic lattice gives fcc with sqrt(2) a, the most isotropic there is
    matrix = hop_supercell(cubic(), min_separation_ang=4.5)
    assert round(abs(np.linalg.det(matrix))) == 2
    assert shortest(matrix @ cubic().cell) == pytest.approx(4 * np.sqrt(2))


def test_smallest_that_serves_by_trying_all() -> None:
    rng = np.random.default_rng(3)
    for _ in range(3):
        cell = np.eye(3) * 3.0 + rng.uniform(-0.8, 0.8, (3, 3))
        structure = Structure(numbers=np.array([13]), positions=np.zeros((1, 3)), cell=cell)
        matrix = hop_supercell(structure, min_separation_ang=6.0)
        index = round(abs(np.linalg.det(matrix)))
        assert shortest(matrix @ cell) >= 6.0 - 1e-6
        for smaller in range(1, index):
            assert max(shortest(form @ cell) for form in hermite_normal_forms(smaller)) < 6.0
        best = max(shortest(form @ cell) for form in hermite_normal_forms(index))
        assert shortest(matrix @ cell) == pytest.approx(best)


def test_any_setting_of_the_lattice_gives_the_same_supercell() -> None:
    metrics = []
    for change in (np.eye(3), [[1, 1, 0], [0, 1, 0], [0, 0, 1]], [[0, 0, 1], [2, 1, 0], [1, 0, 0]]):
        structure = Structure(
            numbers=np.array([13]),
            positions=np.zeros((1, 3)),
            cell=np.array(change) @ bulk("Al").cell,
        )
        matrix = hop_supercell(structure, min_separation_ang=7.0)
        cell = minkowski_reduce(matrix @ structure.cell)[0]
        metrics.append(np.sort(np.linalg.norm(cell, axis=1)))
    np.testing.assert_allclose(metrics[1:], [metrics[0]] * 2)


def test_bounds_on_the_size() -> None:
    assert round(np.linalg.det(hop_supercell(cubic(), min_separation_ang=1.0, min_atoms=5))) == 5
    with pytest.raises(InvalidStructureError, match="at most 30 atoms"):
        hop_supercell(cubic(), min_separation_ang=20.0, max_atoms=30)
    # a cell that is fine as it is may exceed the bound
    grown = cubic().repeat((2, 2, 2))
    np.testing.assert_array_equal(
        hop_supercell(grown, min_separation_ang=7.9, max_atoms=2), np.eye(3)
    )


def test_slab_is_repeated_in_its_plane_only() -> None:
    slab = Structure(
        numbers=np.array([13]), positions=np.zeros((1, 3)), cell=np.diag([4.0, 4.0, 2.0])
    )
    matrix = hop_supercell(slab, min_separation_ang=7.9, frozen=(2,))
    np.testing.assert_array_equal(matrix[2], [0, 0, 1])
    np.testing.assert_array_equal(matrix[:, 2], [0, 0, 1])
    grown = make_supercell(slab, matrix, frozen=(2,))
    np.testing.assert_allclose(grown.cell[2], slab.cell[2])
    assert np.linalg.norm(grown.cell[:2], axis=1).min() == pytest.approx(8.0)


def test_make_supercell_repeats_every_atom() -> None:
    rng = np.random.default_rng(0)
    base = Structure(
        numbers=np.array([11, 17]),
        positions=np.array([[0, 0, 0], [2.0, 0.1, 0.2]]),
        cell=cubic().cell,
        labels=("A", "B"),
    )
    matrix = np.array([[1, 1, 0], [0, 2, 1], [0, 0, 3]])
    grown = make_supercell(base, matrix)
    assert len(grown) == 12
    assert grown.volume == pytest.approx(6 * base.volume)
    assert grown.labels == ("A", "B") * 6
    # every atom lies on the old lattice, and no two coincide
    shifts = (grown.positions - np.tile(base.positions, (6, 1))) @ np.linalg.inv(base.cell)
    np.testing.assert_allclose(shifts, np.round(shifts), atol=1e-9)
    distances = distance_matrix(grown) + np.eye(12) * 9
    assert distances.min() > 1.9
    # the environment of an atom is that of the small cell
    for _ in range(3):
        i = int(rng.integers(12))
        nearest = np.sort(distances[i])[:2]
        small = np.sort(distance_matrix(base.repeat((3, 3, 3)))[i % 2])[1:3]
        np.testing.assert_allclose(nearest, small)


def test_nothing_to_repeat_gives_the_structure_back() -> None:
    base = cubic()
    assert make_supercell(base, np.eye(3)) is base


def test_widest_forgives_noise() -> None:
    near, far = np.array([5.0, 7.0]), np.array([5.0, 8.0])
    assert widest([near, far]) == 1
    assert widest([near + 0.015, far]) == 1  # 0.015 A is noise
    assert widest([near + 0.1, far]) == 0
    assert widest([far, far[:1]]) == 1  # nothing else in reach is farther than 8 A
    assert widest([far, far.copy()]) == 0


def test_noise_of_a_relaxation_does_not_change_the_choice() -> None:
    rng = np.random.default_rng(2)
    exact = np.asarray(bulk("Al").cell)
    volumes = set()
    for _ in range(4):
        cell = exact + rng.normal(0, 1e-3, (3, 3))
        structure = Structure(numbers=np.array([13]), positions=np.zeros((1, 3)), cell=cell)
        matrix = hop_supercell(structure, min_separation_ang=7.0)
        chosen = minkowski_reduce(matrix @ exact)[0]
        volumes.add(tuple(np.round(np.sort(np.linalg.norm(chosen, axis=1)), 2)))
    assert len(volumes) == 1
