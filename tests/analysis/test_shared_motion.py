"""Stretches of time in which species spread together: known correlations, edges."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from superionic.analysis.shared_motion import SquaredSteps, correlation_of, stretch_of


def sums(x: NDArray[np.float64], lag: int) -> NDArray[np.float64]:
    steps = SquaredSteps(lag)
    blocks = [x[:2], x[2:]]
    assert all(a is b for a, b in zip(steps.through(blocks), blocks, strict=True))
    return steps.sums


def test_sums_are_those_of_each_ion_and_axis() -> None:
    x = np.random.default_rng(0).normal(size=(5, 3, 41))
    by_hand = [((x[:, :, k + 8] - x[:, :, k]) ** 2).sum() for k in range(0, 40, 8)]
    np.testing.assert_allclose(sums(x, 8), by_hand)
    assert SquaredSteps(3).sums.shape == (0,)


def test_correlation_is_that_of_the_squares() -> None:
    """Squares of normal numbers of correlation r have r^2; mean and replica do not matter."""
    rng = np.random.default_rng(1)
    parts = []
    for scale in (1.0, 5.0):
        a, b, c = rng.normal(size=(3, 100_000))
        squares = [scale * a**2, scale * (0.8 * a + 0.6 * b) ** 2 + 100.0, c**2]
        parts.append(squares)
    found = correlation_of(parts)
    assert found[0, 1] == pytest.approx(0.64, abs=0.03)
    assert abs(found[0, 2]) < 0.03
    np.testing.assert_array_equal(np.diag(found), 1.0)


def test_species_that_do_not_move_go_with_none() -> None:
    still = correlation_of([[np.zeros(10), np.random.default_rng(2).normal(size=10)]])
    np.testing.assert_array_equal(still, np.eye(2))


@pytest.mark.parametrize(
    ("starts", "frames", "expected"),
    [((1.0, 20.0), 2000, 10), ((1.0,), 2000, 1), ((400.0,), 2400, 100), ((4.0,), 10, 1)],
)
def test_stretches_are_as_long_as_the_latest_start(
    starts: tuple[float, ...], frames: int, expected: int
) -> None:
    assert stretch_of(starts, dt_ps=2.0, frames=frames) == expected
