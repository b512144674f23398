"""Diffusion coefficients that are right within their interval, and verdicts where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from superionic.analysis.brownian import bend_weights, msd_covariance, power_weights, slope_weights
from superionic.analysis.diffusion import finite_size_correction, self_diffusion
from superionic.structures.errors import EvidenceError, TrajectoryError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from superionic.analysis.diffusivity import Diffusivity

D_UNIT = 0.5e-4
"""cm2/s of steps of unit variance along each axis in a ps."""


def brownian(seed: int, frames: int = 800, ions: int = 30) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    return np.cumsum(rng.normal(size=(frames, ions, 3)), axis=0)


def remembering(seed: int, frames: int, ions: int, memory: float) -> NDArray[np.float64]:
    """Steps that remember the one before: D is that of white steps over (1 - memory)^2."""
    from scipy.signal import lfilter

    white = np.random.default_rng(seed).normal(size=(frames + 100, ions, 3))
    steps = lfilter([1.0], [1.0, -memory], white, axis=0)[100:]
    return np.asarray(np.cumsum(steps, axis=0))


def hopping(seed: int, frames: int, ions: int) -> NDArray[np.float64]:
    """Jumps on a lattice of 2 A, each axis 0.05 a frame, with rattling: D = 4 * 0.05 / 2."""
    rng = np.random.default_rng(seed)
    jumps = rng.poisson(0.05, size=(frames, ions, 3))
    walk = np.cumsum(2.0 * (2 * rng.binomial(jumps, 0.5) - jumps), axis=0)
    return np.asarray(walk + 0.3 * rng.normal(size=walk.shape))


def fractional(
    seed: int, exponent: float, frames: int = 1000, ions: int = 40
) -> NDArray[np.float64]:
    """Fractional Brownian motion, MSD ~ t^exponent, exact (Davies and Harte)."""
    k = np.arange(frames)
    row = 0.5 * (np.abs(k + 1.0) ** exponent - 2 * k**exponent + np.abs(k - 1.0) ** exponent)
    circle = np.concatenate([row, [0.0], row[:0:-1]])
    spectrum = np.maximum(np.fft.fft(circle).real, 0.0)
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(2, len(circle), 3 * ions))
    steps = np.fft.fft(
        (noise[0] + 1j * noise[1]) * np.sqrt(spectrum / len(circle))[:, None], axis=0
    )
    return np.cumsum(steps.real[:frames].reshape(frames, ions, 3), axis=0)


def covers(found: Diffusivity, true_cm2_s: float) -> bool:
    assert found.interval_cm2_s is not None, found.summary
    low, high = found.interval_cm2_s
    return low <= true_cm2_s <= high


def test_intervals_cover_brownian_motion() -> None:
    """At least 36 of 40, and not wider than 1.3 times what any estimator could reach."""
    found = [self_diffusion(brownian(seed), dt_ps=1.0) for seed in range(40)]
    assert {f.verdict for f in found} == {"diffusive"}
    assert sum(covers(f, D_UNIT) for f in found) >= 36
    widths = [f.interval_cm2_s[1] - f.interval_cm2_s[0] for f in found if f.interval_cm2_s]
    least = 2 * 1.96 * D_UNIT * np.sqrt(2 / (3 * 30 * 799))
    assert np.mean(widths) < 1.3 * least
    assert np.mean([f.value() for f in found]) == pytest.approx(D_UNIT, rel=0.01)


def test_intervals_cover_motion_with_memory_and_hops() -> None:
    memory = [self_diffusion(remembering(s, 2000, 30, 0.5), dt_ps=1.0) for s in range(20)]
    hops = [self_diffusion(hopping(s, 1000, 30), dt_ps=2.0) for s in range(20)]
    for found, true in ((memory, D_UNIT / 0.5**2), (hops, 0.1e-4 / 2.0)):
        known = [f for f in found if f.diffusive]
        assert len(known) >= 14
        assert sum(covers(f, true) for f in known) >= len(known) - 3


@pytest.mark.parametrize(
    ("ions", "frames", "words"),
    [(3, 3000, "stretches of axes of single ions"), (6, 1500, "18 axes of single ions")],
)
def test_few_ions_are_taken_axis_by_axis(ions: int, frames: int, words: str) -> None:
    found = [self_diffusion(brownian(seed, frames, ions), dt_ps=1.0) for seed in range(20)]
    assert words in found[0].error_rule
    known = [f for f in found if f.diffusive]
    assert len(known) >= 18
    assert sum(covers(f, D_UNIT) for f in known) >= len(known) - 3


def test_axes_that_differ_are_no_error() -> None:
    """Ions of a layer: z stands still, and D is known as well as that of x and y is."""
    flat = brownian(0, 1500, 8) * [1.0, 1.0, 0.05]
    found = self_diffusion(flat, dt_ps=1.0)
    assert found.interval_cm2_s is not None
    assert np.ptp(found.interval_cm2_s) < 0.12 * found.value()
    assert covers(found, D_UNIT * 2 / 3)


def test_ions_that_differ_from_each_other_are_the_units() -> None:
    """Half of a few ions stand still: the scatter is that of eight ions, not of 24 axes."""
    some = brownian(2, 1500, 8) * np.repeat([1.0, 0.05], 4)[:, None]
    assert "which differ from each other" in self_diffusion(some, dt_ps=1.0).error_rule


def springs(seed: int, frames: int, ions: int, held: float) -> NDArray[np.float64]:
    """Brownian ions on springs that forget their place after some frames."""
    from scipy.signal import lfilter

    keep = np.exp(-1 / held)
    kicks = np.random.default_rng(seed).normal(size=(frames, ions, 3))
    kicks[0] /= np.sqrt(1 - keep**2)
    return np.asarray(lfilter([1.0], [1.0, -keep], kicks, axis=0))


@pytest.mark.parametrize(("ions", "held"), [(5, 50.0), (30, 50.0), (30, 100.0)])
def test_ions_on_springs_have_no_value(ions: int, held: float) -> None:
    """At short lags they walk; the longest lag is one or two times what they are held by."""
    found = [self_diffusion(springs(s, 800, ions, held), dt_ps=1.0) for s in range(20)]
    assert sum(f.diffusive for f in found) <= (1 if ions < 12 else 0)


def test_rattling_is_neither_slow_nor_makes_intervals_wide() -> None:
    """Noise of 3 A a frame on steps of 1 A: weighted for it, the interval is 4 times the least."""
    rng = np.random.default_rng(0)
    found = [
        self_diffusion(brownian(s, 2000, 30) + 3.0 * rng.normal(size=(2000, 30, 3)), dt_ps=1.0)
        for s in range(12)
    ]
    assert not any(f.verdict == "subdiffusive" for f in found)
    known = [f for f in found if f.interval_cm2_s is not None]
    assert len(known) >= 10
    assert sum(covers(f, D_UNIT) for f in known) >= len(known) - 2
    least = 2 * 1.96 * D_UNIT * np.sqrt(2 / (3 * 30 * 1999))
    assert np.mean([np.ptp(f.interval_cm2_s) for f in known if f.interval_cm2_s]) < 6 * least


def test_ions_that_move_together_are_worth_one() -> None:
    """Thirty copies of nearly one path: the scatter between ions would say D is known exactly."""
    rng = np.random.default_rng(3)
    one = np.cumsum(rng.normal(size=(4000, 1, 3)), axis=0)
    crowd = one + 0.1 * np.cumsum(rng.normal(size=(4000, 30, 3)), axis=0)
    found = self_diffusion(crowd, dt_ps=1.0)
    assert "move together" in found.error_rule
    assert covers(found, 1.01 * D_UNIT)


def test_units_of_time_and_length() -> None:
    x = brownian(1)
    slow = self_diffusion(x, dt_ps=2.0)
    large = self_diffusion(3.0 * x, dt_ps=1.0)
    base = self_diffusion(x, dt_ps=1.0).value()
    assert slow.value() == pytest.approx(base / 2)
    assert large.value() == pytest.approx(9 * base)


def test_replicas_narrow_the_interval() -> None:
    parts = [brownian(seed) for seed in range(4)]
    one, four = self_diffusion(parts[0], dt_ps=1.0), self_diffusion(parts, dt_ps=1.0)
    assert (four.replicas, four.ions) == (4, 120)
    assert one.interval_cm2_s is not None
    assert four.interval_cm2_s is not None
    assert np.ptp(four.interval_cm2_s) < 0.75 * np.ptp(one.interval_cm2_s)
    assert four.length_ps == pytest.approx(4 * one.length_ps)


def test_needed_length_is_that_of_the_precision() -> None:
    """A run as long as was said has the interval that was asked for."""
    short = self_diffusion(brownian(5, 300, 20), dt_ps=1.0, target_precision=0.02)
    assert short.needed_ps is not None
    frames = round(short.needed_ps)
    longer = self_diffusion(brownian(6, frames, 20), dt_ps=1.0)
    assert longer.interval_cm2_s is not None
    half = 0.5 * np.ptp(longer.interval_cm2_s) / longer.value()
    assert half == pytest.approx(0.02, rel=0.5)


@pytest.mark.parametrize("exponent", [0.4, 0.6, 0.8])
def test_subdiffusion_has_no_value(exponent: float) -> None:
    for seed in range(3):
        found = self_diffusion(fractional(seed, exponent), dt_ps=1.0)
        assert found.D_cm2_s is None
        assert found.verdict in ("subdiffusive", "too short")
        assert found.loglog_slope == pytest.approx(exponent, abs=0.15)
    with pytest.raises(EvidenceError, match="no D, "):
        found.value()


def test_free_flight_has_no_value() -> None:
    velocities = np.random.default_rng(0).normal(size=(30, 3))
    found = self_diffusion(np.arange(400)[:, None, None] * velocities, dt_ps=1.0)
    assert (found.verdict, found.D_cm2_s) == ("ballistic", None)
    assert found.loglog_slope == pytest.approx(2.0, abs=1e-6)


def test_ions_in_cages_have_no_value() -> None:
    rng = np.random.default_rng(0)
    found = self_diffusion(rng.normal(size=(500, 30, 3)), dt_ps=1.0)
    assert found.verdict == "subdiffusive"
    still = self_diffusion(np.zeros((500, 30, 3)), dt_ps=1.0)
    assert (still.verdict, still.loglog_slope) == ("subdiffusive", None)


def test_few_frames_are_too_short() -> None:
    found = self_diffusion(brownian(0, 20, 30), dt_ps=1.0)
    assert found.verdict == "too short"
    assert found.needed_ps is not None
    assert found.needed_ps > found.length_ps
    assert "no D, too short: 20 frames" in found.summary
    few = self_diffusion(brownian(0, 60, 1), dt_ps=1.0)
    assert few.verdict == "too short"


def test_a_slope_that_rises_tells_the_time_it_needs() -> None:
    """A crossover from 0.5 to 1 beyond the run: at least as long as the crossover."""
    slow = fractional(1, 0.5, frames=600) + 0.05 * brownian(2, 600, 40)
    found = self_diffusion(slow, dt_ps=1.0)
    assert found.D_cm2_s is None
    assert found.needed_ps is None or found.needed_ps >= 2 * found.length_ps


def test_a_cell_unwraps() -> None:
    x = brownian(4, 500, 30)
    cell = 20.0 * np.eye(3)
    cell[1, 0] = 5.0
    fractional_ = x @ np.linalg.inv(cell)
    wrapped = (fractional_ % 1.0) @ cell
    assert self_diffusion(wrapped, dt_ps=1.0, cell=cell).value() == pytest.approx(
        self_diffusion(x, dt_ps=1.0).value(), rel=1e-9
    )
    with pytest.raises(TrajectoryError, match="they are wrapped into a cell"):
        self_diffusion(x % 20.0, dt_ps=1.0)


def test_drift_is_subtracted() -> None:
    x = brownian(4, 500, 30)
    path = np.arange(500)[:, None] * np.array([0.5, 0.0, 0.0])
    drifting = self_diffusion(x + path[:, None], dt_ps=1.0)
    assert drifting.verdict != "diffusive"
    level = self_diffusion(x + path[:, None], dt_ps=1.0, drift_ang=path)
    assert level.value() == pytest.approx(self_diffusion(x, dt_ps=1.0).value())


def test_bad_input_is_named() -> None:
    x = brownian(0, 100, 5)
    broken = x.copy()
    broken[40, 3] = np.nan
    with pytest.raises(TrajectoryError, match="particle 3 in frame 40"):
        self_diffusion(broken, dt_ps=1.0)
    with pytest.raises(TrajectoryError, match="positive number of ps"):
        self_diffusion(x, dt_ps=-1.0)
    with pytest.raises(TrajectoryError, match=r"\(frames, particles, 3\)"):
        self_diffusion(x[:, :, :2], dt_ps=1.0)
    with pytest.raises(EvidenceError, match="needs viscosity, temperature and box"):
        self_diffusion(x, dt_ps=1.0, viscosity_Pa_s=1e-3)
    with pytest.raises(EvidenceError, match="precision"):
        self_diffusion(x, dt_ps=1.0, target_precision=0.0)


def test_finite_size_correction() -> None:
    """Water at 298 K in a box of 18.6 A: about 0.35e-5 cm2/s (Yeh and Hummer)."""
    found = finite_size_correction(temperature_K=298.0, viscosity_Pa_s=0.9e-3, box_ang=18.6)
    assert found == pytest.approx(0.37e-5, rel=0.05)
    with_it = self_diffusion(
        brownian(0), dt_ps=1.0, viscosity_Pa_s=0.9e-3, temperature_K=298.0, box_ang=18.6
    )
    assert with_it.finite_size_cm2_s == pytest.approx(found)


def test_covariance_is_that_of_brownian_motion() -> None:
    """Against the scatter of many walks, and against a sum over all pairs of origins."""
    lags, frames = np.array([1, 2, 5, 11]), 40
    steps = np.random.default_rng(0).normal(size=(20_000, frames))
    x = np.cumsum(steps, axis=1)
    msd = np.stack([((x[:, m:] - x[:, :-m]) ** 2).mean(axis=1) for m in lags])
    expected = msd_covariance(lags, frames)
    assert np.cov(msd) == pytest.approx(expected, rel=0.06)
    n, m = 2, 5
    overlaps = [
        max(0, min(s + n, u + m) - max(s, u)) ** 2
        for s in range(frames - n)
        for u in range(frames - m)
    ]
    assert expected[1, 2] == pytest.approx(2 * sum(overlaps) / ((frames - n) * (frames - m)))


def test_covariance_of_brownian_motion_seen_through_noise() -> None:
    lags, frames = np.array([1, 2, 5, 11]), 40
    rng = np.random.default_rng(1)
    x = np.cumsum(rng.normal(size=(30_000, frames)), axis=1) + 1.5 * rng.normal(
        size=(30_000, frames)
    )
    msd = np.stack([((x[:, m:] - x[:, :-m]) ** 2).mean(axis=1) for m in lags])
    assert np.cov(msd) == pytest.approx(msd_covariance(lags, frames, noise=1.5**2), rel=0.06)


def test_weights_are_exact_on_lines_and_powers() -> None:
    lags = np.array([2, 3, 5, 8, 13, 21])
    covariance = msd_covariance(lags, 400)
    line = slope_weights(lags, covariance, offset=True)
    assert line @ (4.0 * lags + 7.0) == pytest.approx(4.0)
    assert slope_weights(lags, covariance, offset=False) @ (4.0 * lags) == pytest.approx(4.0)
    assert power_weights(lags, covariance) @ np.log(3.0 * lags**0.7) == pytest.approx(0.7)
    bend = bend_weights(lags, covariance)
    assert bend @ (4.0 * lags + 7.0) == pytest.approx(0.0, abs=1e-9)
    assert bend @ (3.0 * lags * np.log(lags)) == pytest.approx(3.0)


def test_replicas_of_single_ions_are_taken_axis_by_axis() -> None:
    found = self_diffusion([brownian(seed, 1500, 1) for seed in range(5)], dt_ps=1.0)
    assert "15 axes of single ions" in found.error_rule
    assert covers(found, D_UNIT)
