from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from superionic.structures.errors import InvalidStructureError
from superionic.structures.structure import (
    Structure,
    check_no_overlap,
    distance_matrix,
    minimum_image,
    readonly,
)

NACL = Structure(
    numbers=np.array([11, 17]),
    positions=np.array([[0.0, 0.0, 0.0], [2.82, 0.0, 0.0]]),
    cell=2.82 * np.array([[0.0, 1, 1], [1, 0, 1], [1, 1, 0]]),
    labels=("Na1", "Cl1"),
)


def test_properties_by_hand() -> None:
    assert len(NACL) == 2
    assert NACL.symbols == ("Na", "Cl")
    assert NACL.formula == "ClNa"
    assert NACL.volume == pytest.approx(2 * 2.82**3)
    assert NACL.mass_g_per_mol == pytest.approx(22.990 + 35.453, abs=0.02)
    np.testing.assert_allclose(NACL.fractional[1], [-0.5, 0.5, 0.5])
    assert NACL.indices("Cl").tolist() == [1]


def test_arrays_are_frozen_copies() -> None:
    positions = np.zeros((1, 3))
    structure = Structure(np.array([3]), positions, 3 * np.eye(3))
    positions[0, 0] = 1.0
    assert structure.positions[0, 0] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        structure.positions[0, 0] = 1.0
    assert not readonly([1, 2], int).flags.writeable


def test_labels_default_to_symbols() -> None:
    assert Structure(np.array([3]), np.zeros((1, 3)), 3 * np.eye(3)).labels == ("Li",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"positions": np.zeros((3, 3))}, "expected positions"),
        ({"positions": np.full((2, 3), np.nan)}, "finite"),
        ({"cell": np.ones((3, 3))}, "no volume"),
        ({"cell": np.full((3, 3), np.inf)}, "finite"),
        ({"numbers": np.array([0, 17])}, "between 1 and 118"),
        ({"numbers": np.array([11, 119])}, "between 1 and 118"),
        ({"labels": ("Na1",)}, "Expected 2 labels"),
        ({"numbers": np.array([], dtype=int), "positions": np.zeros((0, 3))}, "at least one"),
    ],
)
def test_malformed_input_is_refused(change: dict[str, object], message: str) -> None:
    fields: dict[str, object] = {
        "numbers": NACL.numbers,
        "positions": NACL.positions,
        "cell": NACL.cell,
        "labels": (),
    }
    with pytest.raises(InvalidStructureError, match=message):
        Structure(**{**fields, **change})  # type: ignore[arg-type]


def test_repeat_orders_images_after_images() -> None:
    grown = NACL.repeat((2, 1, 1))
    assert grown.labels == ("Na1", "Cl1", "Na1", "Cl1")
    np.testing.assert_allclose(grown.positions[2:] - grown.positions[:2], [NACL.cell[0]] * 2)
    assert grown.volume == pytest.approx(2 * NACL.volume)


def test_take_and_without_keep_labels_and_order() -> None:
    grown = NACL.repeat((2, 1, 1))
    assert grown.take([3, 0]).labels == ("Cl1", "Na1")
    assert grown.without([1]).labels == ("Na1", "Na1", "Cl1")
    np.testing.assert_array_equal(grown.without([1]).positions[0], grown.positions[0])


def test_ase_and_pymatgen_hold_the_same_atoms() -> None:
    back = Structure.from_ase(NACL.to_ase(), labels=NACL.labels)
    np.testing.assert_array_equal(back.positions, NACL.positions)
    assert back.labels == NACL.labels
    foreign = NACL.to_pymatgen()
    assert foreign.get_distance(0, 1) == pytest.approx(2.82)
    assert [site.label for site in foreign] == ["Na1", "Cl1"]


def test_distance_matrix_of_rock_salt() -> None:
    np.testing.assert_allclose(distance_matrix(NACL), [[0, 2.82], [2.82, 0]], atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_minimum_image_against_a_search_over_images(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cell = np.tril(rng.uniform(-4, 4, (3, 3)), -1) + np.diag(rng.uniform(3, 6, 3))
    vectors = rng.uniform(-8, 8, (4, 3))
    shifts = np.array(list(itertools.product(range(-6, 7), repeat=3))) @ cell
    naive = np.linalg.norm(vectors[:, None] - shifts[None], axis=2).min(axis=1)
    found = minimum_image(vectors, cell, (True, True, True))
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), naive, atol=1e-9)
    steps = (found - vectors) @ np.linalg.inv(cell)
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-9)


def test_minimum_image_leaves_open_directions_alone() -> None:
    moved = minimum_image([9.0, 9.0, 9.0], 10 * np.eye(3), (True, True, False))
    np.testing.assert_allclose(moved, [-1, -1, 9])


def test_overlap_names_the_pair() -> None:
    close = NACL.with_positions(np.array([[0, 0, 0], [0.3, 0, 0]]))
    with pytest.raises(InvalidStructureError, match=r"\(Na1\).*\(Cl1\) are 0.300 A apart"):
        check_no_overlap(close)
    check_no_overlap(NACL)


def test_an_atom_overlapping_its_own_image_is_found() -> None:
    thin = Structure(np.array([3]), np.zeros((1, 3)), np.diag([0.4, 5, 5]))
    with pytest.raises(InvalidStructureError, match=r"0\.400 A"):
        check_no_overlap(thin)
