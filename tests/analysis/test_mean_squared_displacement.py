"""Mean squared displacements, unwrapping and centres of mass."""

from __future__ import annotations

import warnings
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from superionic.analysis.mean_squared_displacement import (
    Estimator,
    log_spaced_lags,
    mean_squared_displacement,
)
from superionic.analysis.unwrapping import Unwrapper, centres_of_mass, unwrap
from superionic.structures.errors import TrajectoryError

RNG = np.random.default_rng(11)
WALK = np.cumsum(RNG.normal(size=(200, 12, 3)), axis=0)


def test_free_flight_is_exact() -> None:
    """MSD = v^2 t^2, along each axis."""
    velocities = RNG.normal(size=(5, 3))
    x = 3.0 + np.arange(100)[:, None, None] * 0.5 * velocities
    for estimator in get_args(Estimator):
        found = mean_squared_displacement(x, dt_ps=0.5, estimator=estimator)
        expected = np.outer(found.lag_ps**2, (velocities**2).mean(axis=0))
        assert found.axes_ang2 == pytest.approx(expected, rel=1e-6, abs=1e-8)
        assert found.local_slope == pytest.approx(np.full(len(found.lag_ps), 2.0), abs=1e-5)


def test_brownian_motion_is_linear() -> None:
    walk = np.cumsum(np.random.default_rng(0).normal(size=(2000, 50, 3)), axis=0)
    found = mean_squared_displacement(walk, dt_ps=1.0)
    assert found.msd_ang2[:50] == pytest.approx(3.0 * found.lag_ps[:50], rel=0.05)


def test_both_estimators_are_the_definition() -> None:
    fft = mean_squared_displacement(WALK, dt_ps=1.0)
    direct = mean_squared_displacement(WALK, dt_ps=1.0, estimator="direct", lags=[1, 7, 60, 199])
    for k, lag in enumerate((1, 7, 60, 199)):
        each = [
            float(((WALK[t + lag, i] - WALK[t, i]) ** 2).sum())
            for t in range(200 - lag)
            for i in range(12)
        ]
        assert direct.msd_ang2[k] == pytest.approx(np.mean(each))
        assert direct.origins[k] == 200 - lag
        if lag <= 100:
            assert fft.msd_ang2[lag - 1] == pytest.approx(np.mean(each))


def test_blocks_and_single_precision_change_nothing() -> None:
    whole = mean_squared_displacement(WALK, dt_ps=1.0)
    blocks = mean_squared_displacement(WALK, dt_ps=1.0, block_bytes=20_000)
    single = mean_squared_displacement(WALK.astype(np.float32) + 1000.0, dt_ps=1.0)
    assert blocks.msd_ang2 == pytest.approx(whole.msd_ang2, rel=1e-12)
    assert single.msd_ang2 == pytest.approx(whole.msd_ang2, rel=1e-4)


def test_mdanalysis_finds_the_same() -> None:
    from MDAnalysis import Universe
    from MDAnalysis.analysis.msd import EinsteinMSD

    universe = Universe.empty(12, trajectory=True)
    universe.load_new(WALK.astype(np.float32))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = EinsteinMSD(universe, fft=False).run()
    ours = mean_squared_displacement(WALK.astype(np.float32), dt_ps=1.0)
    assert ours.msd_ang2 == pytest.approx(theirs.results.timeseries[1:101], rel=1e-5)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_unwrapping_undoes_wrapping(seed: int, skewed: bool) -> None:
    rng = np.random.default_rng(seed)
    cell = rng.uniform(8.0, 12.0, size=3) * np.eye(3)
    if skewed:
        cell += np.tril(rng.uniform(-4.0, 4.0, size=(3, 3)), -1)
    walk = np.cumsum(rng.uniform(-0.9, 0.9, size=(60, 4, 3)), axis=0)
    wrapped = ((walk @ np.linalg.inv(cell)) % 1.0) @ cell
    opened = unwrap(wrapped, cell)
    assert opened - opened[0] == pytest.approx(walk - walk[0], abs=1e-9)
    assert unwrap(walk, cell) == pytest.approx(walk, abs=1e-9)


def test_a_breathing_cell_does_not_shake_what_went_far() -> None:
    """Particles that crossed 40 walls; counting images shakes them 40 times as much as the cell."""
    rng = np.random.default_rng(0)
    lengths = 10.0 + 0.1 * rng.normal(size=400)
    steps = rng.normal(loc=1.0, scale=0.3, size=(400, 20, 3))
    fractional = np.cumsum(steps / lengths[:, None, None], axis=0)
    wrapped = (fractional % 1.0) * lengths[:, None, None]
    opened = unwrap(wrapped, lengths[:, None, None] * np.eye(3))
    assert np.diff(opened, axis=0).std() == pytest.approx(0.3, rel=0.1)
    counted = fractional * lengths[:, None, None]
    assert np.diff(counted, axis=0)[300:].std() > 4.0
    travelled = (opened[-1] - opened[0]).mean()
    assert travelled == pytest.approx(steps[1:].sum(axis=0).mean(), rel=0.02)


def test_steps_too_long_to_follow_are_refused() -> None:
    follow = Unwrapper()
    follow.add(np.zeros((2, 3)), 10.0 * np.eye(3))
    with pytest.raises(TrajectoryError, match=r"Particle 1 moves by 0.45 of the cell"):
        follow.add(np.array([[0.0, 0.0, 0.0], [4.5, 0.0, 0.0]]), 10.0 * np.eye(3))
    with pytest.raises(TrajectoryError, match="has 3 particles"):
        follow.add(np.zeros((3, 3)), 10.0 * np.eye(3))


def test_centres_of_mass() -> None:
    x = np.array([[0.0, 0, 0], [3.0, 0, 0], [5.0, 5, 5], [9.0, 9, 9]])
    found = centres_of_mass(x, [1.0, 2.0, 4.0, 7.0], [0, 0, 1, -1])
    assert found == pytest.approx(np.array([[2.0, 0, 0], [5.0, 5, 5]]))
    with pytest.raises(TrajectoryError, match="no mass"):
        centres_of_mass(x, np.zeros(4), [0, 0, 1, 1])


def test_drift_is_the_path_that_was_given() -> None:
    path = np.cumsum(np.random.default_rng(2).normal(size=(200, 3)), axis=0)
    found = mean_squared_displacement(WALK + path[:, None], dt_ps=1.0, drift_ang=path)
    assert found.msd_ang2 == pytest.approx(mean_squared_displacement(WALK, dt_ps=1.0).msd_ang2)
    assert found.drift != "none"


def test_bad_input_is_named() -> None:
    with pytest.raises(TrajectoryError, match="two frames at least"):
        mean_squared_displacement(WALK[:1], dt_ps=1.0)
    with pytest.raises(TrajectoryError, match="numbers of frames from 1 to 199"):
        mean_squared_displacement(WALK, dt_ps=1.0, estimator="direct", lags=[0, 5])
    with pytest.raises(TrajectoryError, match="no estimator"):
        mean_squared_displacement(WALK, dt_ps=1.0, estimator="magic")  # type: ignore[arg-type]
    with pytest.raises(TrajectoryError, match="path of the centre of mass"):
        mean_squared_displacement(WALK, dt_ps=1.0, drift_ang=np.zeros((3, 3)))
    with pytest.raises(TrajectoryError, match="one for each of 200 frames"):
        mean_squared_displacement(WALK, dt_ps=1.0, cell=np.zeros((5, 3, 3)))


def test_lags_are_evenly_spaced_in_the_logarithm() -> None:
    lags = log_spaced_lags(1000)
    assert (lags[0], lags[-1]) == (1, 1000)
    assert np.diff(lags).min() >= 1
    assert len(lags) == pytest.approx(25, abs=4)
    assert log_spaced_lags(1).tolist() == [1]


def test_a_cell_without_volume_is_named() -> None:
    for cell in (np.zeros((3, 3)), np.diag([10.0, 10.0, 0.0])):
        with pytest.raises(TrajectoryError, match="no periodic cell"):
            mean_squared_displacement(WALK, dt_ps=1.0, cell=cell)
        follow = Unwrapper()
        follow.add(WALK[0], cell)
        with pytest.raises(TrajectoryError, match="no periodic cell"):
            follow.add(WALK[1], cell)


def test_unwrapping_all_at_once_is_unwrapping_frame_by_frame() -> None:
    rng = np.random.default_rng(4)
    cells = 10.0 * np.eye(3) + 0.1 * rng.normal(size=(50, 3, 3))
    wrapped = rng.uniform(0, 10, size=(1, 6, 3)) + np.cumsum(
        rng.uniform(-2, 2, size=(50, 6, 3)), axis=0
    )
    wrapped = np.einsum(
        "fpi,fij->fpj", np.einsum("fpi,fij->fpj", wrapped, np.linalg.inv(cells)) % 1, cells
    )
    follow = Unwrapper()
    one_by_one = np.stack([follow.add(x, h) for x, h in zip(wrapped, cells, strict=True)])
    assert unwrap(wrapped, cells) == pytest.approx(one_by_one, abs=1e-9)
    far = WALK[:10, :4] * 0.01
    far[7:, 2, 0] += 4.5
    with pytest.raises(TrajectoryError, match=r"Particle 2 moves by 0.4\d of .* between frames 6"):
        unwrap(far, 10.0 * np.eye(3))
