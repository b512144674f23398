from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import nasicon
from scipy.spatial.transform import Rotation

from superionic.structures.axes import (
    crystal_setting,
    framework_setting,
    strict_setting,
    three_fold_axis,
)
from superionic.structures.crystals import reference_crystal
from superionic.structures.errors import InvalidStructureError
from superionic.structures.planes import miller_in_cell, plane_basis
from superionic.structures.structure import Structure
from superionic.structures.symmetry import primitive_cell

UNIMODULAR = [
    np.array(m)
    for m in (
        [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        [[0, 1, 0], [0, 0, 1], [1, 0, 0]],
        [[1, 1, 0], [0, 1, 0], [0, 0, 1]],
        [[1, 0, -1], [1, 1, -1], [0, 1, 1]],
        [[2, 1, 0], [1, 1, 0], [-1, 0, 1]],
    )
]


def turned(structure: Structure, seed: int) -> tuple[Structure, np.ndarray]:
    """Another cell, orientation, origin and atom order of the same crystal, and the rotation."""
    rng = np.random.default_rng(seed)
    rotation = Rotation.random(rng=rng).as_matrix()
    matrix = UNIMODULAR[seed % len(UNIMODULAR)]
    order = rng.permutation(len(structure))
    moved = Structure(
        numbers=structure.numbers,
        positions=(structure.positions + rng.normal(size=3)) @ rotation.T,
        cell=np.sign(np.linalg.det(matrix)) * matrix @ structure.cell @ rotation.T,
        labels=structure.labels,
    )
    return moved.take(order), rotation


def distorted_p1() -> Structure:
    """x = 2 with random Si/P and Na, displaced as a relaxation would displace it."""
    rng = np.random.default_rng(4)
    crystal = primitive_cell(nasicon()).structure
    numbers = crystal.numbers.copy()
    numbers[rng.choice(crystal.indices("Si"), 2, replace=False)] = 15
    mixed = Structure(
        numbers=numbers,
        positions=crystal.positions + rng.normal(scale=0.04, size=(len(crystal), 3)),
        cell=crystal.cell @ (np.eye(3) + rng.normal(scale=0.003, size=(3, 3))),
        labels=crystal.labels,
    )
    return mixed.without(rng.choice(mixed.indices("Na"), 2, replace=False).tolist())


def test_cubic_axes_of_a_primitive_cell_are_the_conventional_ones() -> None:
    setting = crystal_setting(Structure.from_ase(bulk("Al", "fcc", a=4.05)))
    assert setting.space_group == "Fm-3m"
    np.testing.assert_allclose(setting.cell @ setting.cell.T, 4.05**2 * np.eye(3), atol=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_three_fold_axis_of_any_rhombohedral_cell(seed: int) -> None:
    crystal, rotation = turned(primitive_cell(nasicon()).structure, seed)
    axis = three_fold_axis(crystal)
    assert abs(axis @ rotation[:, 2]) == pytest.approx(1.0, abs=1e-8)
    setting = crystal_setting(crystal)
    assert setting.space_group == "R-3c"
    lengths = np.linalg.norm(setting.cell, axis=1)
    np.testing.assert_allclose(lengths, [9.1863, 9.1863, 22.181], atol=1e-4)
    assert axis @ setting.cell[2] == pytest.approx(22.181, abs=1e-4)


def test_reduced_cell_looks_cubic_and_its_textbook_axis_is_wrong() -> None:
    # the trap: alpha is near 60 degrees, so a metric cannot tell the three-fold axis
    cell = primitive_cell(nasicon()).structure.cell
    lengths = np.linalg.norm(cell, axis=1)
    cosines = [cell[i] @ cell[j] / lengths[i] / lengths[j] for i, j in ((0, 1), (0, 2), (1, 2))]
    assert all(abs(abs(c) - 0.5) < 0.02 for c in cosines)


def test_cubic_and_tetragonal_crystals_have_no_unique_three_fold_axis() -> None:
    with pytest.raises(InvalidStructureError, match="has 4"):
        three_fold_axis(Structure.from_ase(bulk("Al", "fcc", a=4.05)))
    with pytest.raises(InvalidStructureError, match="has 0"):
        three_fold_axis(reference_crystal("na3ps4").structure.to_structure())


def test_ordered_and_relaxed_crystal_keeps_the_axes_of_its_parent() -> None:
    crystal = distorted_p1()
    assert strict_setting(crystal).space_group == "P1"
    setting = crystal_setting(crystal)
    assert setting.space_group == "R-3c"
    assert "framework" in str(setting)
    lengths = np.linalg.norm(setting.cell, axis=1)
    np.testing.assert_allclose(lengths, [9.19, 9.19, 22.18], rtol=0.02)
    assert abs(three_fold_axis(crystal)[2]) > 0.999


def test_frames() -> None:
    crystal = distorted_p1()
    strict = crystal_setting(crystal, frame="strict")
    assert strict.space_group == "P1"
    np.testing.assert_allclose(crystal_setting(crystal, frame="input").cell, crystal.cell)
    parent = crystal_setting(nasicon()).cell
    np.testing.assert_allclose(crystal_setting(crystal, frame=parent).cell, parent)
    with pytest.raises(InvalidStructureError, match="frame must be"):
        crystal_setting(crystal, frame="cubic")


def test_crystals_without_mobile_ions_have_no_framework() -> None:
    assert framework_setting(Structure.from_ase(bulk("Al", "fcc", a=4.05))) is None


def test_miller_indices_between_cells() -> None:
    primitive = Structure.from_ase(bulk("Al", "fcc", a=4.05)).cell
    cubic = 4.05 * np.eye(3)
    assert miller_in_cell((1, 1, 1), cubic, primitive) == (1, 1, 1)
    assert miller_in_cell((1, 0, 0), cubic, primitive) == (0, 1, 1)
    assert miller_in_cell((2, 0, 0), cubic, primitive) == (0, 1, 1)
    with pytest.raises(InvalidStructureError, match="no plane"):
        miller_in_cell((0, 0, 0), cubic, primitive)
    with pytest.raises(InvalidStructureError, match="no lattice plane"):
        miller_in_cell((1, 0, 0), np.diag([1.0, 1.0, 1.0]) + np.tri(3) * 0.377, cubic)


indices = st.tuples(*[st.integers(-5, 5)] * 3).filter(any)


@settings(max_examples=60, deadline=None)
@given(miller=indices, seed=st.integers(0, 10_000))
def test_plane_basis_spans_the_plane(miller: tuple[int, int, int], seed: int) -> None:
    cell = np.random.default_rng(seed).normal(size=(3, 3)) + 3.0 * np.eye(3)
    divisor = int(np.gcd.reduce(miller))
    h, k, m = (x // divisor for x in miller)
    basis = plane_basis((h, k, m), cell)
    assert (basis @ (h, k, m)).tolist() == [0, 0, 1]
    assert abs(round(np.linalg.det(basis))) == 1
    u, v, w = basis @ cell
    assert np.linalg.det([u, v, w]) > 0
    # the shortest pair of the plane: nothing shorter by adding one to the other
    assert min(np.linalg.norm(v + n * u) for n in (-2, -1, 1, 2)) >= np.linalg.norm(v) - 1e-6
    assert u @ v <= 1e-6


@settings(max_examples=30, deadline=None)
@given(miller=indices)
def test_spacing_of_planes_in_a_cubic_crystal(miller: tuple[int, int, int]) -> None:
    primitive = Structure.from_ase(bulk("Fe", "bcc", a=2.87)).cell
    plane = miller_in_cell(miller, 2.87 * np.eye(3), primitive)
    spacing = 1.0 / np.linalg.norm(np.linalg.solve(primitive, np.array(plane)))
    reduced = np.array(miller) // np.gcd.reduce(miller)
    # body-centred: every second plane is new where h + k + l is odd
    halves = 2.0 if reduced.sum() % 2 else 1.0
    assert spacing == pytest.approx(2.87 / np.linalg.norm(reduced) / halves, rel=1e-6)
