"""Windows whose radius and area follow from geometry alone."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk

from superionic.structures.bottleneck import anion_mask, find_bottleneck
from superionic.structures.crystals import reference_crystal
from superionic.structures.structure import Structure


def test_centre_of_a_triangle_of_anions() -> None:
    # three anions at 2 A around the z axis, halfway along the path
    angles = np.radians([90, 210, 330])
    ring = np.stack([2 * np.cos(angles), 2 * np.sin(angles), np.zeros(3)], axis=1)
    cage = Structure(
        numbers=np.array([11, 8, 8, 8]),
        positions=np.concatenate([[[0, 0, -2.0]], ring]) + 10,
        cell=np.eye(3) * 20,
    )
    neck = find_bottleneck(cage, [10, 10, 8.0], [10, 10, 12.0], ion="Na")
    assert neck.radius_ang == pytest.approx(2.0)
    assert neck.area_ang2 == pytest.approx(3 * np.sqrt(3) / 4 * 4)
    assert neck.fraction == pytest.approx(0.5)


def test_simple_cubic_cage() -> None:
    # from one cube of anions through the square face into the next: half of the square is the
    # smallest triangle of three of its corners
    a = 4.0
    cage = Structure(numbers=np.array([17]), positions=np.zeros((1, 3)), cell=np.eye(3) * a)
    neck = find_bottleneck(cage, np.full(3, a / 2), [3 * a / 2, a / 2, a / 2], ion="Cs")
    assert neck.radius_ang == pytest.approx(a / np.sqrt(2))
    assert neck.area_ang2 == pytest.approx(a * a / 2)
    assert neck.fraction == pytest.approx(0.5)


def test_caesium_chloride_from_any_lattice_point() -> None:
    salt = Structure.from_ase(bulk("CsCl", "cesiumchloride", a=4.12))
    for shift in ([0, 0, 0], [1, -2, 3], [-4, 0, 1]):
        start = salt.positions[0] + np.array(shift) @ salt.cell
        neck = find_bottleneck(salt, start, start + salt.cell[1], ion="Cs")
        assert neck.radius_ang == pytest.approx(4.12 / np.sqrt(2))
        assert neck.area_ang2 == pytest.approx(4.12**2 / 2)


def test_no_framework_no_window() -> None:
    metal = Structure.from_ase(bulk("Al"))
    assert find_bottleneck(metal, [0, 0, 0], metal.cell[0], ion="Al") == (None, None, None)


def test_sparse_frameworks() -> None:
    # a single anion far away in a wide cell still closes a window with its own images
    wide = Structure(
        numbers=np.array([11, 8]), positions=np.array([[0, 0, 0], [5, 5, 5]]), cell=np.eye(3) * 10
    )
    neck = find_bottleneck(wide, [0, 0, 0], [10, 0, 0], ion="Na")
    assert neck.radius_ang == pytest.approx(np.sqrt(50))
    assert neck.area_ang2 == pytest.approx(50.0)


@pytest.mark.parametrize(
    ("name", "anions"),
    [
        ("na4zr2si3o12", {"O"}),
        ("na3ps4", {"S"}),
        ("na3sbs4", {"S"}),
    ],
)
def test_anions_of_conductors(name: str, anions: set[str]) -> None:
    structure = reference_crystal(name).structure.to_structure()
    mask = anion_mask(structure)
    assert {s for s, m in zip(structure.symbols, mask, strict=True) if m} == anions
    assert mask.sum() == sum(s in anions for s in structure.symbols)


def test_sulfur_of_a_sulfate_is_no_anion() -> None:
    corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3)
    sulfate = Structure(
        numbers=np.array([16, 8, 8, 8, 8, 11]),
        positions=np.concatenate([[[0, 0, 0]], 1.49 * corners, [[2.5, 2.5, 0]]]) + 5,
        cell=np.eye(3) * 10,
    )
    assert anion_mask(sulfate).tolist() == [False, True, True, True, True, False]


def test_narrowest_point_against_a_fine_walk() -> None:
    structure = reference_crystal("na4zr2si3o12").structure.to_structure()
    na1, na2 = structure.labels.index("Na1"), structure.labels.index("Na2")
    start = structure.positions[na1]
    offset = structure.positions[na2] - start
    shifts = np.array(list(np.ndindex(3, 3, 3))) - 1
    vector = min((offset + s @ structure.cell for s in shifts), key=lambda v: float(v @ v))
    neck = find_bottleneck(structure, start, start + vector, ion="Na")
    rest = structure.take([i for i, s in enumerate(structure.symbols) if s != "Na"])
    images = (rest.positions[:, None] + shifts @ structure.cell).reshape(-1, 3)
    walk = start + np.linspace(0, 1, 2001)[:, None] * vector
    gaps = np.linalg.norm(walk[:, None] - images, axis=2).min(axis=1)
    assert neck.radius_ang == pytest.approx(gaps.min(), abs=1e-5)
    point = walk[int(np.argmin(gaps))]
    oxygen = images[np.repeat(np.array(rest.symbols) == "O", 27)]
    a, b, c = oxygen[np.argsort(np.linalg.norm(oxygen - point, axis=1))[:3]]
    area = np.linalg.norm(np.cross(b - a, c - a)) / 2
    assert neck.area_ang2 == pytest.approx(area, abs=1e-6)
