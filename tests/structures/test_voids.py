"""Voids of textbook lattices, and of random cells against all spheres through four atoms."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from ase.build import bulk, fcc111

from superionic.structures.crystals import reference_crystal
from superionic.structures.errors import InvalidStructureError, NoHopFoundError
from superionic.structures.hops import find_hops
from superionic.structures.structure import Structure, distance_matrix
from superionic.structures.symmetry import primitive_cell
from superionic.structures.voids import Voids, find_voids, voronoi_vertices


def fractions(voids: Voids, cell: np.ndarray, label: str) -> set[tuple[float, ...]]:
    rows = voids.positions[[name == label for name in voids.labels]] @ np.linalg.inv(cell)
    return {tuple(np.round(row, 4) % 1.0) for row in rows}


def test_face_centred_cubic() -> None:
    metal = Structure.from_ase(bulk("Al", a=4.05, cubic=True))
    voids = find_voids(metal)
    assert voids.multiplicities == {"i1": 4, "i2": 8}
    assert fractions(voids, metal.cell, "i1") == {
        (0.5, 0.5, 0.5), (0.5, 0.0, 0.0), (0.0, 0.5, 0.0), (0.0, 0.0, 0.5)
    }  # fmt: skip
    quarters = {(x, y, z) for x in (0.25, 0.75) for y in (0.25, 0.75) for z in (0.25, 0.75)}
    assert fractions(voids, metal.cell, "i2") == quarters
    np.testing.assert_allclose(voids.radii_ang[:4], 4.05 / 2)
    np.testing.assert_allclose(voids.radii_ang[4:], 4.05 * np.sqrt(3) / 4)


def test_body_centred_cubic() -> None:
    voids = find_voids(Structure.from_ase(bulk("Na", a=4.28, cubic=True)))
    assert voids.multiplicities == {"i1": 12}  # tetrahedral, at (1/2, 1/4, 0)
    np.testing.assert_allclose(voids.radii_ang, 4.28 * np.sqrt(5) / 4)
    assert (0.5, 0.25, 0.0) in fractions(voids, np.eye(3) * 4.28, "i1")


def test_rock_salt() -> None:
    voids = find_voids(Structure.from_ase(bulk("NaCl", "rocksalt", a=5.64)))
    assert voids.multiplicities == {"i1": 2}
    np.testing.assert_allclose(voids.radii_ang, 5.64 * np.sqrt(3) / 4)


@pytest.mark.parametrize("repeat", [(1, 1, 1), (2, 1, 1)])
def test_any_cell_of_the_crystal(repeat: tuple[int, int, int]) -> None:
    primitive = Structure.from_ase(bulk("Al", a=4.05)).repeat(repeat)
    skewed = primitive.cell.copy()
    skewed[1] = skewed[1] + 2 * skewed[0]
    given = Structure(numbers=primitive.numbers, positions=primitive.positions, cell=skewed)
    voids = find_voids(given)
    assert voids.multiplicities == {"i1": len(given), "i2": 2 * len(given)}
    inside = voids.positions @ np.linalg.inv(skewed)
    assert inside.min() > -1e-6
    assert inside.max() < 1


def spheres(structure: Structure) -> np.ndarray:
    """Take every four atoms near the cell, and keep the spheres through them that are empty."""
    shifts = np.array(list(np.ndindex(5, 5, 5))) - 2
    atoms = (structure.positions[:, None] + shifts @ structure.cell).reshape(-1, 3)
    middle = structure.cell.sum(axis=0) / 2
    near = atoms[np.linalg.norm(atoms - middle, axis=1) < 8.0]
    four = np.array(list(combinations(range(len(near)), 4)))
    corner = near[four[:, 0]]
    edges = near[four[:, 1:]] - corner[:, None]
    solid = np.abs(np.linalg.det(edges)) > 1e-6
    corner, edges = corner[solid], edges[solid]
    centres = corner + np.linalg.solve(2 * edges, (edges**2).sum(axis=2)[..., None])[..., 0]
    inside = centres @ np.linalg.inv(structure.cell)
    home = ((inside >= 0) & (inside < 1)).all(axis=1)
    centres, radii = centres[home], np.linalg.norm(centres - corner, axis=1)[home]
    nearest = np.array([np.linalg.norm(atoms - c, axis=1).min() for c in centres])
    return np.asarray(centres[radii < nearest + 1e-6])


@pytest.mark.parametrize("seed", range(3))
def test_random_triclinic_against_all_spheres(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cell = np.diag([4.5, 5.0, 5.5]) + rng.uniform(-0.8, 0.8, (3, 3))
    structure = Structure(
        numbers=np.array([11, 17]), positions=rng.uniform(0, 1, (2, 3)) @ cell, cell=cell
    )
    if (distance_matrix(structure) + 9 * np.eye(2)).min() < 1.0:
        structure = structure.with_positions(np.array([[0, 0, 0], [0.4, 0.5, 0.6]]) @ cell)
    ours, radii = voronoi_vertices(structure)
    theirs = spheres(structure)
    assert len(ours) == len(theirs)
    for point in theirs:
        assert np.linalg.norm(ours - point, axis=1).min() < 1e-6
    assert radii.max() < 6.0


def test_nasicon_voids_are_free_and_closed_under_symmetry() -> None:
    structure = reference_crystal("na4zr2si3o12").structure.to_structure()
    voids = find_voids(structure, min_radius_ang=1.9)
    assert all(count in (6, 12, 18, 36) for count in voids.multiplicities.values())
    assert (np.diff(np.round(voids.radii_ang, 2)) <= 0).all()
    gaps = distance_matrix(
        Structure(
            numbers=np.array([1] * len(voids)), positions=voids.positions, cell=structure.cell
        )
    )
    assert (gaps + 9 * np.eye(len(voids))).min() > 0.7
    primitive = find_voids(primitive_cell(structure).structure, min_radius_ang=1.9)
    assert {k: 3 * n for k, n in primitive.multiplicities.items()} == voids.multiplicities


def test_voids_feed_interstitial_hops() -> None:
    metal = Structure.from_ase(bulk("Al", a=4.05))
    voids = find_voids(metal)
    hops = find_hops(
        metal, ion="Li", mechanism="interstitial", max_length_ang=1.9,
        empty_sites=voids.positions, empty_labels=voids.labels,
    )  # fmt: skip
    assert [hop.site_types for hop in hops] == [("i1", "i2")]


def test_slab_voids_lie_between_its_faces() -> None:
    slab = Structure.from_ase(fcc111("Al", (1, 1, 4), a=4.05, vacuum=8.0, periodic=True))
    voids = find_voids(slab)
    assert voids.positions[:, 2].min() > slab.positions[:, 2].min()
    assert voids.positions[:, 2].max() < slab.positions[:, 2].max()
    assert len(voids) == 9  # one octahedral and two tetrahedral voids in each of three gaps


def test_merging_keeps_the_larger_sphere_and_the_mean_of_equals() -> None:
    metal = Structure.from_ase(bulk("Al", a=4.05, cubic=True))
    # 1.75 A from each other: beaten by the octahedral site beside them
    assert find_voids(metal, merge_ang=1.8).multiplicities == {"i1": 4}
    # stretched by a hair, the octahedral site splits into two vertices that merge again
    cell = np.diag([4.05, 4.05, 4.06])
    stretched = Structure(numbers=metal.numbers, positions=metal.fractional @ cell, cell=cell)
    assert find_voids(stretched).multiplicities["i1"] == 4


def test_errors_name_the_largest() -> None:
    metal = Structure.from_ase(bulk("Al", a=4.05))
    with pytest.raises(NoHopFoundError, match=r"largest void is 2\.0[23] A"):
        find_voids(metal, min_radius_ang=2.5)
    with pytest.raises(NoHopFoundError, match="No void is between"):
        find_voids(metal, min_radius_ang=1.8, max_radius_ang=1.9)
    with pytest.raises(InvalidStructureError, match="periodic along all three"):
        find_voids(Structure(metal.numbers, metal.positions, metal.cell, (True, True, False)))
    with pytest.raises(InvalidStructureError, match="one for each label"):
        Voids(np.zeros((2, 3)), np.ones(2), ("i1",))
