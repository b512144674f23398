"""Van Hove functions: Brownian motion, ideal gas, a lattice; g(r) as reference at lag 0."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import maxwell

from superionic.analysis.rdf import rdf
from superionic.analysis.van_hove import van_hove_distinct, van_hove_self
from superionic.structures.errors import TrajectoryError

SKEWED = np.array([[20.0, 0.0, 0.0], [6.0, 21.0, 0.0], [-5.0, 4.0, 22.0]])


def test_brownian_displacements_follow_maxwell() -> None:
    rng = np.random.default_rng(1)
    x = np.cumsum(rng.normal(scale=0.2, size=(3000, 40, 3)), axis=0)
    found = van_hove_self(x, dt_ps=2.0, lags=[1, 25], r_max_ang=10.0)
    assert found.lag_ps.tolist() == [2.0, 50.0]
    for k, lag in enumerate((1, 25)):
        expected = maxwell.pdf(found.r_ang, scale=0.2 * np.sqrt(lag))
        assert np.abs(found.density[k] - expected).max() < 0.05 * expected.max()
    assert found.non_gaussian is not None
    np.testing.assert_allclose(found.non_gaussian, 0.0, atol=0.05)
    np.testing.assert_allclose(found.density.sum(axis=1) * 0.1 + found.beyond, 1.0)


def test_hopping_ions_are_not_gaussian() -> None:
    """Hops of 3 A at a chance p a frame along one axis: <r4>/<r2>^2 = 1/p, alpha = 3/(5p) - 1."""
    rng = np.random.default_rng(2)
    steps = np.zeros((20_000, 20, 3))
    steps[..., 0] = 3.0 * rng.choice([-1, 0, 1], p=[0.05, 0.9, 0.05], size=(20_000, 20))
    found = van_hove_self(np.cumsum(steps, axis=0), dt_ps=1.0, lags=[1])
    assert found.non_gaussian is not None
    assert found.non_gaussian[0] == pytest.approx(3 / (5 * 0.1) - 1, rel=0.05)


@pytest.mark.parametrize("cell", [np.eye(3) * 20.0, SKEWED], ids=["cube", "skewed"])
def test_ideal_gas_is_even_at_all_lags(cell: Any) -> None:
    rng = np.random.default_rng(3)
    x = rng.random((200, 40, 3)) @ cell
    found = van_hove_distinct(x, cell=cell, dt_ps=1.0, lags=[0, 5], bin_ang=0.5)
    far = found.r_ang > 3
    np.testing.assert_allclose(found.density[:, far], 1.0, atol=0.1)


def test_lag_zero_is_the_radial_distribution() -> None:
    rng = np.random.default_rng(4)
    a, b = rng.random((30, 25, 3)) * 18, rng.random((30, 35, 3)) * 18
    cell = np.eye(3) * 18.0
    for others in (None, b):
        found = van_hove_distinct(a, others, cell=cell, dt_ps=1.0, lags=[0], r_max_ang=8.0)
        expected = rdf(a, others, cell=cell, r_max_ang=8.0, bin_ang=0.1)
        np.testing.assert_allclose(found.density[0], expected.g, atol=1e-9)


def test_place_of_a_neighbour_is_taken_later() -> None:
    """Two ions that change places: after one frame the other is where this one was."""
    a = np.array([[5.0, 5, 5], [8.0, 5, 5]])
    x = np.array([a, a[::-1]] * 4)
    found = van_hove_distinct(x, cell=np.eye(3) * 20, dt_ps=1.0, lags=[0, 1])
    assert found.density[0, 30] > 0
    assert found.density[0, 0] == 0
    assert found.density[1, 0] > 0
    assert found.density[1, 30] == 0


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"lags": [0]}, "from 1"),
        ({"lags": [50]}, "from 1 to 9"),
        ({"positions": np.zeros((10, 3))}, "frames, particles"),
    ],
)
def test_wrong_inputs_are_named(changed: dict[str, Any], words: str) -> None:
    options: dict[str, Any] = {"positions": np.zeros((10, 2, 3)), "lags": [1]} | changed
    with pytest.raises(TrajectoryError, match=words):
        van_hove_self(options["positions"], dt_ps=1.0, lags=options["lags"])


def test_cell_too_small_is_named() -> None:
    x = np.zeros((10, 2, 3))
    with pytest.raises(TrajectoryError, match="ask for less"):
        van_hove_distinct(x, cell=np.eye(3) * 10, dt_ps=1.0, lags=[0], r_max_ang=6.0)
    with pytest.raises(TrajectoryError, match="one cell"):
        van_hove_distinct(x, cell=np.ones((10, 3, 3)), dt_ps=1.0, lags=[0])
