"""Self-diffusion from trajectories: a value with an interval that covers, or a verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.analysis.comparison import MotionComparison, compare
from superionic.analysis.diffusivity import DiffusionVerdict, Diffusivity
from superionic.analysis.fit_window import RULE, Window, choose_window
from superionic.analysis.lag_data import LagData, replicas_of
from superionic.analysis.mean_squared_displacement import (
    MeanSquaredDisplacement,
    mean_squared_displacement,
)
from superionic.analysis.slope_tests import (
    PRECISION,
    SlopeTest,
    loglog_slope,
    motion_verdict,
    offset_of,
)
from superionic.structures.errors import EvidenceError, TrajectoryError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

__all__ = [
    "ANG2_PER_PS_IN_CM2_PER_S",
    "LEAST_FRAMES",
    "LEAST_LAGS",
    "DiffusionVerdict",
    "Diffusivity",
    "MeanSquaredDisplacement",
    "MotionComparison",
    "compare",
    "finite_size_correction",
    "mean_squared_displacement",
    "self_diffusion",
]

ANG2_PER_PS_IN_CM2_PER_S = 1e-4
LEAST_FRAMES = 40
LEAST_LAGS = 4


def self_diffusion(
    positions: ArrayLike | Sequence[ArrayLike],
    *,
    dt_ps: float,
    cell: ArrayLike | None = None,
    drift_ang: ArrayLike | None = None,
    target_precision: float = 0.1,
    viscosity_Pa_s: float | None = None,
    temperature_K: float | None = None,
    box_ang: float | None = None,
) -> Diffusivity:
    """Return the self-diffusion coefficient of ions, if their motion is diffusive.

    The mean squared displacement is fitted by generalised least squares with the covariance that
    Brownian motion has, from the earliest lag at which it is a straight line. Because such a slope
    is an average over ions, its error is the scatter between ions, which holds whatever the
    correlation between lags and between origins is; of few ions it is that between their axes, of
    very few between these in stretches of time, and ions that move together are told by the scatter
    between stretches.

    The motion is diffusive if the 95 % interval of the log-log slope over the window reaches 1
    (give or take 0.02) and is no wider than +-0.15, and that over the last factor of four in lag
    does not end below 1; or if the 95 % interval of the exponent beside a small offset holds 1 and
    is no wider than +-0.15. It is called slower or faster only where even 99.8 % intervals of both
    leave out 1; what is in between is too short to tell.

    Parameters
    ----------
    positions
        Continuous positions in angstrom, shape=(frames, ions, 3), or a list of such for replicas of
        the same system.
    dt_ps
        Time between frames in ps.
    cell
        Lattice vectors as rows in angstrom: the positions are then unwrapped with it. shape=(3, 3)
        or (frames, 3, 3)
    drift_ang
        Path of the centre of mass of the whole system in angstrom, to be subtracted.
        shape=(frames, 3); only without replicas
    target_precision
        Relative half-width of the interval that ``needed_ps`` is estimated for.
    viscosity_Pa_s, temperature_K, box_ang
        Shear viscosity in Pa s, temperature in K and edge of the cubic box in angstrom: all three
        or none, for the finite-size correction.

    Raises
    ------
    TrajectoryError
        Wrapped positions without a cell, values that are not finite, wrong shapes.
    """
    if not 0 < target_precision < 1:
        raise EvidenceError(f"The wanted precision lies between 0 and 1; got {target_precision}.")
    replicas = replicas_of(positions, dt_ps)
    if drift_ang is not None and len(replicas) > 1:
        raise TrajectoryError("Subtract the drift of replicas from each before they are combined.")
    correction = _correction(viscosity_Pa_s, temperature_K, box_ang)
    data = LagData.gather(replicas, dt_ps, cell, drift_ang)
    if data.frames < LEAST_FRAMES or len(data.lags) < LEAST_LAGS:
        return _without_value(
            data, "too short", f"{data.frames} frames of {data.ions} ions are too few",
            target=target_precision, correction=correction,
        )  # fmt: skip
    if not (data.msd > 1e-12).all():
        return _without_value(
            data, "subdiffusive", "the ions do not move", target=target_precision,
            correction=correction,
        )  # fmt: skip
    return _judge(data, target=target_precision, correction=correction)


def finite_size_correction(*, temperature_K: float, viscosity_Pa_s: float, box_ang: float) -> float:
    """Return k T 2.837297 / (6 pi eta L) in cm^2/s: what a cubic periodic box takes from D.

    Yeh and Hummer, doi 10.1021/jp0477147.
    """
    from scipy.constants import Boltzmann

    if min(temperature_K, viscosity_Pa_s, box_ang) <= 0:
        raise EvidenceError("Temperature, viscosity and box edge must be positive.")
    metres = box_ang * 1e-10
    value = Boltzmann * temperature_K * 2.837297 / (6 * np.pi * viscosity_Pa_s * metres)
    return float(value * 1e4)


def _correction(
    viscosity_Pa_s: float | None, temperature_K: float | None, box_ang: float | None
) -> float | None:
    given = (viscosity_Pa_s, temperature_K, box_ang)
    if viscosity_Pa_s is None or temperature_K is None or box_ang is None:
        if any(x is not None for x in given):
            raise EvidenceError(
                "The finite-size correction needs viscosity, temperature and box edge together."
            )
        return None
    return finite_size_correction(
        temperature_K=temperature_K, viscosity_Pa_s=viscosity_Pa_s, box_ang=box_ang
    )


def _judge(data: LagData, *, target: float, correction: float | None) -> Diffusivity:
    """Choose the window, test the slope, and give a value or a verdict."""
    from scipy.stats import t as student

    for window in choose_window(data.lags, data.units, freedom=data.freedom, frames=data.frames):
        power = loglog_slope(data, window.first, noise=window.noise)
        rise = float(window.weights @ data.msd)
        verdict, reason = motion_verdict(data, window, power, rise)
        if verdict == "diffusive" or power.value < 1:
            break
    if verdict != "diffusive":
        return _without_value(
            data, verdict, reason, target=target, correction=correction, window=window,
            power=power,
        )  # fmt: skip
    unit = ANG2_PER_PS_IN_CM2_PER_S / (6.0 * data.dt_ps)
    error, freedom = data.error_of(window.weights)
    spread = float(np.exp(student.ppf(0.975, freedom) * error / rise))
    half = 0.5 * (spread - 1.0 / spread)
    first = data.lags[window.first]
    return Diffusivity(
        verdict="diffusive", reason=reason, D_cm2_s=rise * unit,
        interval_cm2_s=(rise * unit / spread, rise * unit * spread), loglog_slope=power.value,
        loglog_slope_interval=power.interval,
        fit_window_ps=(first * data.dt_ps, data.lags[-1] * data.dt_ps),
        window_rule=RULE, error_rule=f"scatter between {data.unit_kind}",
        offset_ang2=offset_of(data, window, rise),
        needed_ps=data.length_ps * (half / target) ** 2,
        needed_rule=f"run for an interval of +-{100 * target:g} %", target_precision=target,
        finite_size_cm2_s=correction, **_size(data),
    )  # fmt: skip


def _without_value(
    data: LagData,
    verdict: DiffusionVerdict,
    reason: str,
    *,
    target: float,
    correction: float | None,
    window: Window | None = None,
    power: SlopeTest | None = None,
) -> Diffusivity:
    """Return a verdict without a value, and how long a run would have to be at least."""
    first = 0 if window is None else window.first
    needed, rule = _needed(data, verdict, power)
    return Diffusivity(
        verdict=verdict, reason=reason, D_cm2_s=None, interval_cm2_s=None,
        loglog_slope=None if power is None else power.value,
        loglog_slope_interval=None if power is None else power.interval,
        fit_window_ps=(data.lags[first] * data.dt_ps, data.lags[-1] * data.dt_ps),
        window_rule=RULE, error_rule=f"scatter between {data.unit_kind}",
        offset_ang2=None, needed_ps=needed, needed_rule=rule, target_precision=target,
        finite_size_cm2_s=correction, **_size(data),
    )  # fmt: skip


def _needed(
    data: LagData, verdict: DiffusionVerdict, power: SlopeTest | None
) -> tuple[float | None, str]:
    """Estimate the least length of a run that may tell, in ps."""
    length = data.length_ps / data.replicas
    if data.frames < LEAST_FRAMES or len(data.lags) < LEAST_LAGS:
        return length * max(LEAST_FRAMES / data.frames, 4 / data.lags[-1], 2.0), "run at least"
    if verdict == "subdiffusive":
        later = _time_of_slope_one(data)
        if later is None:
            return None, "the slope does not rise: no length can be told from this run"
        return max(later * data.frames / data.lags[-1], 2 * length), (
            "run at least, if the slope goes on rising as it does"
        )
    if power is not None and verdict == "too short":
        return length * max((power.half() / PRECISION) ** 2, 2.0), "run at least"
    return 10 * length, "run at least"


def _time_of_slope_one(data: LagData) -> float | None:
    """Return the lag in ps at which the log-log slope reaches 1, extrapolated in log(lag)."""
    late = data.lags >= data.lags[-1] / 100
    if late.sum() < 5 or not (data.msd > 0).all():
        return None
    x, y = np.log(data.lags[late]), np.log(data.msd[late])
    bend, _, _ = np.polyfit(x - x[-1], y, 2)
    end = np.polyfit(x[-max(len(x) // 2, 3) :], y[-max(len(x) // 2, 3) :], 1)[0]
    middle = 0.5 * (x[-1] + x[-max(len(x) // 2, 3)])
    if bend <= 0.01:
        return None
    return float(np.exp(middle + (1.0 - end) / (2 * bend)) * data.dt_ps)


def _size(data: LagData) -> dict[str, Any]:
    """Return what all results carry of the data."""
    errors = data.units.std(axis=1, ddof=1) / np.sqrt(data.units.shape[1])
    return {
        "ions": data.ions,
        "frames": data.frames,
        "replicas": data.replicas,
        "length_ps": float(data.length_ps),
        "dt_ps": float(data.dt_ps),
        "lag_ps": data.lags * data.dt_ps,
        "msd_ang2": data.msd,
        "msd_error_ang2": errors,
    }
