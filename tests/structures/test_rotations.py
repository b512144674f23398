"""Rotations: proper, uniform, far apart."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from scipy.spatial.transform import Rotation

from superionic.structures.rotations import (
    align,
    from_quaternions,
    random_rotations,
    spread_rotations,
    turn_about,
)

Maker = Callable[[int, np.random.Generator], NDArray[np.float64]]
VECTORS = st.tuples(*[st.floats(-5, 5)] * 3).filter(lambda v: np.linalg.norm(v) > 1e-3)


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_matrices_agree_with_scipy() -> None:
    quaternions = rng(0).normal(size=(20, 4))
    quaternions /= np.linalg.norm(quaternions, axis=1, keepdims=True)
    np.testing.assert_allclose(
        from_quaternions(quaternions), Rotation.from_quat(quaternions).as_matrix(), atol=1e-12
    )
    axis = np.array([0.3, -0.4, 1.2])
    expected = Rotation.from_rotvec(0.7 * axis / np.linalg.norm(axis)).as_matrix()
    np.testing.assert_allclose(turn_about(axis, 0.7), expected, atol=1e-12)


@pytest.mark.parametrize("make", [random_rotations, spread_rotations])
def test_rotations_are_proper_and_seeded(make: Maker) -> None:
    turns = make(50, rng(3))
    np.testing.assert_allclose(turns @ turns.transpose(0, 2, 1), np.tile(np.eye(3), (50, 1, 1)),
                               atol=1e-12)  # fmt: skip
    np.testing.assert_allclose(np.linalg.det(turns), 1.0)
    np.testing.assert_array_equal(turns, make(50, rng(3)))
    assert not np.allclose(turns, make(50, rng(4)))


def angle_cdf(angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distribution of the angle of a uniform rotation: density (1 - cos) / pi."""
    return np.asarray((angle - np.sin(angle)) / np.pi)


@pytest.mark.parametrize("index", [0, 5, 11])
def test_each_rotation_is_uniform(index: int) -> None:
    """Angles follow (1 - cos)/pi; images of an axis have uniform heights (Archimedes)."""
    for turns in (
        random_rotations(3000, rng(1)),
        np.array([spread_rotations(12, rng(seed))[index] for seed in range(3000)]),
    ):
        angles = np.arccos(np.clip((np.trace(turns, axis1=1, axis2=2) - 1) / 2, -1, 1))
        assert stats.kstest(angles, angle_cdf).pvalue > 1e-3
        for axis in np.eye(3):
            heights = (turns @ axis)[:, 2]
            assert stats.kstest(heights, stats.uniform(-1, 2).cdf).pvalue > 1e-3


def nearest_angle(turns: NDArray[np.float64]) -> float:
    relative = np.einsum("aji,bjk->abik", turns, turns)
    cosines = (np.trace(relative, axis1=2, axis2=3) - 1) / 2
    np.fill_diagonal(cosines, -1)
    return float(np.arccos(np.clip(cosines.max(), -1, 1)))


def test_spread_rotations_keep_apart() -> None:
    spread = [nearest_angle(spread_rotations(12, rng(seed))) for seed in range(5)]
    chance = [nearest_angle(random_rotations(12, rng(seed))) for seed in range(50)]
    assert min(spread) > np.radians(55)
    assert min(spread) > 1.5 * np.median(chance)
    np.testing.assert_allclose(spread, spread[0])  # turned together


@given(VECTORS, VECTORS)
def test_align_brings_one_onto_the_other(
    first: tuple[float, ...], second: tuple[float, ...]
) -> None:
    a, b = (np.array(v) / np.linalg.norm(v) for v in (first, second))
    turn = align(first, second)
    np.testing.assert_allclose(turn @ a, b, atol=1e-7)
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(align(a, -a) @ a, -a, atol=1e-7)
    np.testing.assert_allclose(align(a, a), np.eye(3), atol=1e-7)
