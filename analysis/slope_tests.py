"""Is a mean squared displacement a straight line? Tests of its slope, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.brownian import bend_weights, msd_covariance, power_weights
from superionic.analysis.fit_window import LEAST_SPAN

if TYPE_CHECKING:
    from superionic.analysis.diffusivity import DiffusionVerdict
    from superionic.analysis.fit_window import Window
    from superionic.analysis.lag_data import LagData

SLOPE_TOLERANCE = 0.02
"""Log-log slopes nearer to 1 than this count as 1: the window is not infinitely late."""
PRECISION = 0.15
"""Half-width of an interval of the slope, or of the exponent beside an offset, beyond which nothing
can be told."""
CERTAIN = 0.002
"""Chance of calling motion slower or faster than diffusion that is not."""
LEAST_BALLISTIC = 1.25
"""Slopes between 1 and this are a straight line's that starts with faster motion."""
MOST_OFFSET = 1 / 3
"""Largest offset of a line as a fraction of the MSD at its end."""


@dataclass(frozen=True)
class SlopeTest:
    """A slope that is 1 for diffusion, with its standard error.

    Attributes
    ----------
    value, error : float
        Of the slope.
    freedom : int
        Degrees of freedom of the error.
    """

    value: float
    error: float
    freedom: int

    def half(self, chance: float = 0.05) -> float:
        """Return the half-width of the interval that misses the truth with this chance."""
        from scipy.stats import t as student

        return float(student.ppf(1.0 - chance / 2.0, self.freedom)) * self.error

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval."""
        return self.value - self.half(), self.value + self.half()

    @property
    def known(self) -> bool:
        """Whether the interval is narrow enough to tell anything."""
        return self.half() <= PRECISION

    def may_be_one(self, *, chance: float = 0.05, tolerance: float = 0.0) -> bool:
        """Return whether an interval reaches 1."""
        return abs(self.value - 1.0) <= self.half(chance) + tolerance

    @property
    def text(self) -> str:
        """Value and interval."""
        low, high = self.interval
        return f"{self.value:.2f} (95 % interval {low:.2f} to {high:.2f})"


def loglog_slope(data: LagData, first: int, *, noise: float = 0.0) -> SlopeTest:
    """Return the log-log slope from a lag on.

    Parameters
    ----------
    data
        Squared displacements.
    first
        Index of the first lag.
    noise
        Variance of the noise of a frame over that of a step, for the weights.
    """
    weights = np.zeros(len(data.lags))
    covariance = msd_covariance(data.lags[first:], data.frames, noise=noise)
    weights[first:] = power_weights(data.lags[first:], covariance)
    value = float(weights @ np.log(data.msd))
    return SlopeTest(value, *data.error_of(weights / data.msd))


def exponent_beside_offset(data: LagData, window: Window, rise: float) -> SlopeTest:
    """Return the exponent of an MSD beside an offset, to first order around 1."""
    weights = np.zeros(len(data.lags))
    lags = data.lags[window.first :]
    covariance = msd_covariance(lags, data.frames, noise=window.noise)
    weights[window.first :] = bend_weights(lags, covariance) / rise
    return SlopeTest(1.0 + float(weights @ data.msd), *data.error_of(weights))


def offset_of(data: LagData, window: Window, rise: float) -> float:
    """Return where a line meets lag 0, through the first point of its window; 0 if held there."""
    if not window.offset:
        return 0.0
    return float(data.msd[window.first] - rise * data.lags[window.first])


def motion_verdict(
    data: LagData, window: Window, power: SlopeTest, rise: float
) -> tuple[DiffusionVerdict, str]:
    """Return the verdict and its reason.

    Diffusive is a window whose log-log slope may be 1 and is known well; a line through the origin,
    whose slope over all lags is that of the short ones, must do so over the last lags as well.
    Rattling or memory at short times shift a line and bend its log-log plot although it is
    straight: then the exponent beside the offset stands up for it, where it is known well and the
    offset is small against the MSD at the end. Motion is called slower or faster than diffusion
    only where the slope, and that exponent if there is one, can hardly be 1.

    Parameters
    ----------
    data
        Squared displacements.
    window
        Where a line is fitted.
    power
        Log-log slope over the window.
    rise
        Slope of the line in angstrom^2 a frame.
    """
    text = f"the log-log slope is {power.text}"
    near_one = power.may_be_one(tolerance=SLOPE_TOLERANCE)
    if near_one and not window.straight:
        return "too short", f"{text}, but slopes from different lags on do not agree"
    if near_one and power.known and rise > 0:
        late = None if window.offset else _late_slope(data)
        if late is None or late.value > 1 or late.may_be_one(tolerance=SLOPE_TOLERANCE):
            return "diffusive", text
        return "too short", f"{text}, but {late.text} over the last lags"
    early = offset_of(data, window, rise)
    beside: SlopeTest | None = None
    if window.straight and 0 < abs(early) <= MOST_OFFSET * data.msd[-1]:
        beside = exponent_beside_offset(data, window, rise)
        text += f", {beside.text} beside an offset of {early:.3g} A^2"
        if beside.known and beside.may_be_one() and rise > 0:
            return "diffusive", text
    if power.may_be_one(chance=CERTAIN, tolerance=SLOPE_TOLERANCE):
        return "too short", f"{text}: too uncertain to tell"
    if 1 < power.interval[0] < LEAST_BALLISTIC:
        return "too short", f"{text}: faster motion at short times is still seen"
    if beside is not None and beside.may_be_one(chance=CERTAIN):
        return "too short", f"{text}: too uncertain to tell"
    return ("ballistic" if power.value > 1 else "subdiffusive"), text


def _late_slope(data: LagData) -> SlopeTest:
    """Return the log-log slope over the last lags, a factor of four wide."""
    first = int(np.searchsorted(data.lags * LEAST_SPAN, data.lags[-1]))
    return loglog_slope(data, min(first, len(data.lags) - 2))
