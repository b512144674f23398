"""Symmetry of sites and primitive cells, against counting and against pymatgen."""

from __future__ import annotations

import numpy as np
import pytest
from samples import rock_salt, turned

from superionic.structures.crystals import reference_crystal
from superionic.structures.structure import distance_matrix
from superionic.structures.symmetry import primitive_cell, site_action, symmetry_operations


@pytest.mark.parametrize(("cubic", "count"), [(False, 48), (True, 192)])
def test_number_of_operations_of_rock_salt(cubic: bool, count: int) -> None:
    assert len(symmetry_operations(rock_salt(cubic=cubic))) == count


def test_operations_send_atoms_to_atoms_of_the_same_element() -> None:
    structure = reference_crystal("na3ps4").structure.to_structure()
    operations = symmetry_operations(structure)
    action = site_action(operations, structure.positions, structure.cell, kinds=structure.numbers)
    assert len(action.rotations) == len(operations)
    for k, (rotation, translation) in enumerate(
        zip(operations.rotations, operations.translations, strict=True)
    ):
        images = structure.fractional @ rotation.T + translation
        target = structure.fractional[action.targets[k]] + action.shifts[k]
        assert np.abs((images - target) @ structure.cell).max() < 0.01
    # 2a P, 2b + 4d Na, 8e S of P-42_1c
    orbits, sizes = np.unique(action.orbits, return_counts=True)
    assert sorted(sizes) == [2, 2, 4, 8]
    assert len(orbits) == 4


def test_sites_that_break_the_symmetry_drop_operations() -> None:
    structure = rock_salt(cubic=False)
    operations = symmetry_operations(structure)
    # one point of the eight tetrahedral ones' two keeps the 24 operations of -43m
    one = structure.positions[:1] + np.sum(structure.cell, axis=0) / 4
    assert len(site_action(operations, one, structure.cell).rotations) == 24
    both = np.concatenate([one, -one])
    assert len(site_action(operations, both, structure.cell).rotations) == 48
    assert len(site_action(operations, both, structure.cell, kinds=[0, 1]).rotations) == 24


def test_orbits_agree_with_pymatgen() -> None:
    from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

    structure = reference_crystal("na4zr2si3o12").structure.to_structure()
    action = site_action(
        symmetry_operations(structure), structure.positions, structure.cell, kinds=structure.numbers
    )
    theirs = SpacegroupAnalyzer(structure.to_pymatgen(), symprec=0.05).get_symmetrized_structure()
    ours = {tuple(np.flatnonzero(action.orbits == o)) for o in np.unique(action.orbits)}
    assert ours == {tuple(sorted(group)) for group in theirs.equivalent_indices}


@pytest.mark.parametrize("seed", range(3))
def test_primitive_cell_of_a_turned_supercell(seed: int) -> None:
    given = turned(rock_salt(cubic=True).repeat((2, 1, 1)), seed)
    primitive = primitive_cell(given)
    assert primitive.copies == 8
    assert len(primitive.structure) == 2
    assert primitive.structure.volume == pytest.approx(given.volume / 8)
    assert np.linalg.det(primitive.structure.cell) > 0
    lengths = np.linalg.norm(primitive.structure.cell, axis=1)
    np.testing.assert_allclose(lengths, 5.64 / np.sqrt(2))
    # the crystal did not move: each atom of the given cell is one of the primitive lattice
    inverse = np.linalg.inv(primitive.structure.cell)
    for number, position in zip(given.numbers, given.positions, strict=True):
        same = primitive.structure.positions[primitive.structure.numbers == number]
        shift = (position - same) @ inverse
        assert np.abs(shift - np.round(shift)).max(axis=1).min() < 1e-6
    assert primitive.structure.labels == tuple(given.labels[i] for i in primitive.representatives)


def test_primitive_cell_of_nasicon_keeps_labels() -> None:
    given = reference_crystal("na4zr2si3o12").structure.to_structure()
    primitive = primitive_cell(given)
    assert (len(given), len(primitive.structure), primitive.copies) == (126, 42, 3)
    for label in ("Na1", "Na2", "Zr1", "Si1", "O1", "O2"):
        assert given.labels.count(label) == 3 * primitive.structure.labels.count(label)


def test_noise_is_averaged() -> None:
    rng = np.random.default_rng(1)
    exact = rock_salt(cubic=True).repeat((2, 2, 2))
    noisy = exact.with_positions(exact.positions + rng.normal(0, 0.003, exact.positions.shape))
    primitive = primitive_cell(noisy)
    assert primitive.copies == 32
    assert distance_matrix(primitive.structure)[0, 1] == pytest.approx(2.82, abs=2e-3)
    np.testing.assert_allclose(
        np.linalg.norm(primitive.structure.cell, axis=1), 5.64 / np.sqrt(2), rtol=1e-9
    )


def test_primitive_cell_is_left_alone() -> None:
    structure = rock_salt(cubic=False)
    assert primitive_cell(structure).structure is structure
