"""Self-diffusion from trajectories: a value with an interval that covers, or a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.analysis.brownian import bend_weights, msd_covariance, power_weights
from superionic.analysis.diffusivity import DiffusionVerdict, Diffusivity
from superionic.analysis.fit_window import RULE, Window, choose_window
from superionic.analysis.mean_squared_displacement import (
    MeanSquaredDisplacement,
    checked_positions,
    log_spaced_lags,
    mean_squared_displacement,
)
from superionic.analysis.particle_displacements import (
    STRETCHES,
    ParticleDisplacements,
    particle_displacements,
)
from superionic.structures.errors import EvidenceError, TrajectoryError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "DiffusionVerdict",
    "Diffusivity",
    "MeanSquaredDisplacement",
    "finite_size_correction",
    "mean_squared_displacement",
    "self_diffusion",
]

ANG2_PER_PS_IN_CM2_PER_S = 1e-4
LEAST_FRAMES = 40
LEAST_LAGS = 4
LEAST_IONS = 12
"""Ions that an error is taken from at least; fewer are divided into stretches of time."""
PIECES = 48
"""Stretches of single ions that such an error is taken from."""
LONGEST_LAG = 8
"""The longest lag is this part of the trajectory."""
SLOPE_TOLERANCE = 0.02
"""Log-log slopes nearer to 1 than this count as 1: the window is not infinitely late."""
SLOPE_PRECISION = 0.15
"""Half-width of the slope's interval beyond which nothing can be told."""
BEND_PRECISION = 0.15
"""The same of the exponent beside an offset."""
LEAST_BALLISTIC = 1.25
"""Slopes between 1 and this are a straight line's that starts with faster motion."""
MOST_OFFSET = 1 / 3
"""Largest offset of a line as a fraction of the MSD at its end."""


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
    correlation between lags and between origins is; few ions are divided into stretches of time as
    well, and ions that move together are told by the scatter between stretches.

    The motion is diffusive if the 95 % interval of the log-log slope over the window reaches 1
    (give or take 0.02) and is no wider than +-0.15; or if that of the exponent beside a small
    offset holds 1 and is no wider than +-0.15.

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
    replicas = _replicas(positions, dt_ps)
    if drift_ang is not None and len(replicas) > 1:
        raise TrajectoryError("Subtract the drift of replicas from each before they are combined.")
    correction = _correction(viscosity_Pa_s, temperature_K, box_ang)
    data = _Data.gather(replicas, dt_ps, cell, drift_ang)
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


@dataclass(frozen=True, eq=False)
class _Data:
    """Squared displacements with their units of error. ``units`` has shape (lags, units)."""

    lags: NDArray[np.int64]
    msd: NDArray[np.float64]
    units: NDArray[np.float64]
    unit_kind: str
    ions: int
    frames: int
    replicas: int
    length_ps: float
    dt_ps: float

    @classmethod
    def gather(
        cls,
        replicas: list[NDArray[np.floating]],
        dt_ps: float,
        cell: ArrayLike | None,
        drift_ang: ArrayLike | None,
    ) -> _Data:
        """Compute the squared displacements of all replicas."""
        frames = min(len(x) for x in replicas)
        ions = sum(x.shape[1] for x in replicas)
        few = ions < LEAST_IONS
        pieces = max(STRETCHES, -(-PIECES // ions)) if few else STRETCHES
        longest = max(frames // (3 * pieces if few else LONGEST_LAG), 1)
        lags = log_spaced_lags(longest)
        drift = None if drift_ang is None else np.asarray(drift_ang, dtype=float)
        parts = [
            particle_displacements(
                x, lags=lags, dt_ps=dt_ps, stretches=pieces, cell=cell, drift_ang=drift
            )
            for x in replicas
        ]
        msd = _pooled(parts)
        units = np.concatenate([p.by_both if few else p.by_particle for p in parts], axis=1)
        kind = f"{units.shape[1]} stretches of single ions" if few else f"{ions} ions"
        together = np.concatenate([p.by_stretch for p in parts], axis=1)
        kept = lags <= max(frames // (3 * pieces), 1)  # stretches hold a few such lags at least
        if ions > 1 and _move_together(units[kept], together[kept]):
            lags, msd, units = lags[kept], msd[kept], together[kept]
            kind = f"{units.shape[1]} stretches of time, as the ions move together"
        return cls(
            lags, msd, units, kind, ions, max(len(x) for x in replicas), len(replicas),
            dt_ps * sum(len(x) - 1 for x in replicas), dt_ps,
        )  # fmt: skip

    def error_of(self, weights: NDArray[np.float64]) -> tuple[float, int]:
        """Return standard error and degrees of freedom of a weighted sum over lags."""
        values = weights @ self.units
        return float(values.std(ddof=1) / np.sqrt(values.size)), values.size - 1


def _move_together(units: NDArray[np.float64], stretches: NDArray[np.float64]) -> bool:
    """Return whether stretches of time differ by more than independent units would make them."""
    from scipy.stats import f

    limit = float(f.ppf(0.998, stretches.shape[1] - 1, units.shape[1] - 1))
    for lag in range(0, len(units), max(len(units) // 3, 1)):
        alone = units[lag].var(ddof=1) / units.shape[1]
        if stretches[lag].var(ddof=1) / stretches.shape[1] > limit * alone > 0:
            return True
    return False


def _replicas(
    positions: ArrayLike | Sequence[ArrayLike], dt_ps: float
) -> list[NDArray[np.floating]]:
    """Return a list of trajectories."""
    if isinstance(positions, (list, tuple)) and np.ndim(positions[0]) == 3:
        return [checked_positions(x, dt_ps=dt_ps) for x in positions]
    return [checked_positions(positions, dt_ps=dt_ps)]  # type: ignore[arg-type]


def _pooled(parts: list[ParticleDisplacements]) -> NDArray[np.float64]:
    """Return the mean squared displacement over all replicas."""
    sums = np.sum([p.sums_ang2.sum(axis=(1, 2)) for p in parts], axis=0)
    count = np.sum([p.origins.sum(axis=1) * p.sums_ang2.shape[1] for p in parts], axis=0)
    return np.asarray(sums / count)


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


def _judge(data: _Data, *, target: float, correction: float | None) -> Diffusivity:
    """Choose the window, test the slope, and give a value or a verdict."""
    from scipy.stats import t as student

    for window in choose_window(data.lags, data.units, frames=data.frames):
        power = _power(data, window)
        rise = float(window.weights @ data.msd)
        verdict, reason = _verdict(data, window, power, rise)
        if verdict == "diffusive" or power[0] < 1:
            break
    if verdict != "diffusive":
        return _without_value(
            data, verdict, reason, target=target, correction=correction, window=window,
            power=power,
        )  # fmt: skip
    slope, low, high = power
    unit = ANG2_PER_PS_IN_CM2_PER_S / (6.0 * data.dt_ps)
    error, freedom = data.error_of(window.weights)
    spread = float(np.exp(student.ppf(0.975, freedom) * error / rise))
    half = 0.5 * (spread - 1.0 / spread)
    first = data.lags[window.first]
    offset = _offset(data, window, rise) if window.offset else 0.0
    return Diffusivity(
        verdict="diffusive", reason=reason, D_cm2_s=rise * unit,
        interval_cm2_s=(rise * unit / spread, rise * unit * spread), loglog_slope=slope,
        loglog_slope_interval=(low, high),
        fit_window_ps=(first * data.dt_ps, data.lags[-1] * data.dt_ps),
        window_rule=RULE, error_rule=f"scatter between {data.unit_kind}", offset_ang2=offset,
        needed_ps=data.length_ps * (half / target) ** 2,
        needed_rule=f"run for an interval of +-{100 * target:g} %", target_precision=target,
        finite_size_cm2_s=correction, **_size(data),
    )  # fmt: skip


def _offset(data: _Data, window: Window, rise: float) -> float:
    """Return where the line meets lag 0, through the first point of the window."""
    return float(data.msd[window.first] - rise * data.lags[window.first])


def _power(data: _Data, window: Window) -> tuple[float, float, float]:
    """Return the log-log slope over the window and its 95 % interval."""
    from scipy.stats import t as student

    weights = np.zeros(len(data.lags))
    inside = slice(window.first, None)
    covariance = msd_covariance(data.lags[inside], data.frames)
    weights[inside] = power_weights(data.lags[inside], covariance)
    slope = float(weights @ np.log(data.msd))
    error, freedom = data.error_of(weights / data.msd)
    half = float(student.ppf(0.975, freedom)) * error
    return slope, slope - half, slope + half


def _exponent(data: _Data, window: Window, rise: float) -> tuple[float, float, float]:
    """Return the exponent of an MSD beside an offset and its 95 % interval."""
    from scipy.stats import t as student

    weights = np.zeros(len(data.lags))
    inside = slice(window.first, None)
    covariance = msd_covariance(data.lags[inside], data.frames)
    weights[inside] = bend_weights(data.lags[inside], covariance) / rise
    bend = float(weights @ data.msd)
    error, freedom = data.error_of(weights)
    half = float(student.ppf(0.975, freedom)) * error
    return 1.0 + bend, 1.0 + bend - half, 1.0 + bend + half


def _verdict(
    data: _Data, window: Window, power: tuple[float, float, float], rise: float
) -> tuple[DiffusionVerdict, str]:
    """Return the verdict and its reason.

    The log-log slope over the window decides. Rattling or memory at short times shift a line and
    bend its log-log plot although it is straight: then the exponent beside the offset may stand up
    for it, if it is known well and the offset is small against the MSD at the end.
    """
    slope, low, high = power
    text = f"the log-log slope is {slope:.2f} (95 % interval {low:.2f} to {high:.2f})"
    near_one = low <= 1 + SLOPE_TOLERANCE and high >= 1 - SLOPE_TOLERANCE
    if near_one and not window.straight:
        return "too short", f"{text}, but slopes from different lags on do not agree"
    if near_one and high - low <= 2 * SLOPE_PRECISION and rise > 0:
        return "diffusive", text
    early = _offset(data, window, rise) if window.offset else 0.0
    if window.offset and window.straight and 0 < abs(early) <= MOST_OFFSET * data.msd[-1]:
        power_beside, least, most = _exponent(data, window, rise)
        words = (
            f"{power_beside:.2f} ({least:.2f} to {most:.2f}) beside an offset of {early:.3g} A^2"
        )
        if most - least <= 2 * BEND_PRECISION and least <= 1.0 <= most and rise > 0:
            return "diffusive", f"{text}, {words}"
    if near_one:
        return "too short", f"{text}: too uncertain to tell"
    if 1 < low < LEAST_BALLISTIC:
        return "too short", f"{text}: faster motion at short times is still seen"
    return ("ballistic" if low > 1 else "subdiffusive"), text


def _without_value(
    data: _Data,
    verdict: DiffusionVerdict,
    reason: str,
    *,
    target: float,
    correction: float | None,
    window: Window | None = None,
    power: tuple[float, float, float] | None = None,
) -> Diffusivity:
    """Return a verdict without a value, and how long a run would have to be at least."""
    first = 0 if window is None else window.first
    needed, rule = _needed(data, verdict, power)
    return Diffusivity(
        verdict=verdict, reason=reason, D_cm2_s=None, interval_cm2_s=None,
        loglog_slope=None if power is None else power[0],
        loglog_slope_interval=None if power is None else power[1:],
        fit_window_ps=(data.lags[first] * data.dt_ps, data.lags[-1] * data.dt_ps),
        window_rule=RULE, error_rule=f"scatter between {data.unit_kind}",
        offset_ang2=None, needed_ps=needed, needed_rule=rule, target_precision=target,
        finite_size_cm2_s=correction, **_size(data),
    )  # fmt: skip


def _needed(
    data: _Data, verdict: DiffusionVerdict, power: tuple[float, float, float] | None
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
        wide = 0.5 * (power[2] - power[1]) / SLOPE_PRECISION
        return length * max(wide**2, 2.0), "run at least"
    return 10 * length, "run at least"


def _time_of_slope_one(data: _Data) -> float | None:
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


def _size(data: _Data) -> dict[str, Any]:
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
