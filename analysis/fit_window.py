"""From which lag on a mean squared displacement is a straight line, as far as the data can tell."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.brownian import msd_covariance, slope_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

THROUGH_ORIGIN_P = (0.01, 0.0007)
WITH_OFFSET_P = (0.09, 0.016)
"""Chances that slopes of a straight line from one start and from the next, or from a later one, are
taken to differ (Student's t)."""
RULE = (
    "a line through the origin over all lags, if lines with an offset from later starts have its "
    "slope within the {:g} % interval of the difference (the first) and {:g} % (all others); else "
    "twice the earliest start of which the same holds with {:g} and {:g} %, or later where the "
    "motion still is faster than diffusion"
).format(*(100 * (1 - p) for p in (*THROUGH_ORIGIN_P, *WITH_OFFSET_P)))
LATER = 2
"""A line with an offset starts so many times later than it had to: what bends it dies off."""
COMPARED = 2
"""A start is believed only if one so many times later was there to disagree."""
LEAST_SPAN = 4
"""A window ends at this many times its start at least."""
LEAST_NOISE, MOST_NOISE = 0.02, 1024.0
"""Weights take account of noise of a frame from an offset of this many steps on, up to so much."""


@dataclass(frozen=True, eq=False)
class Window:
    """Where a line is fitted, and how.

    Attributes
    ----------
    first : int
        Index of its first lag.
    offset : bool
        Whether the line may miss the origin.
    weights : ndarray
        slope = sum over lags of weight * MSD; zero before the window. shape=(lags,)
    straight : bool
        Whether later starts agree.
    noise : float
        Variance of the noise of a frame over that of a step that the weights are for.
    """

    first: int
    offset: bool
    weights: NDArray[np.float64]
    straight: bool
    noise: float


def choose_window(
    lags: NDArray[np.int64], units: NDArray[np.float64], *, freedom: int, frames: int
) -> tuple[Window, ...]:
    """Return the window of a linear fit, and behind it those that start later.

    Parameters
    ----------
    lags
        In frames, ascending. shape=(lags,)
    units
        Squared displacements of independent units (particles, or particles in stretches of time),
        from whose scatter the error of each difference is taken. shape=(lags, units)
    freedom
        Degrees of freedom of that scatter.
    frames
        Length of the trajectory.
    """
    candidates = [_window(lags, frames, 0, offset=False)]
    noise = _noise(lags, units.mean(axis=1), frames)
    starts = [k for k, lag in enumerate(lags) if lag * LEAST_SPAN <= lags[-1]]
    candidates += [
        _window(lags, frames, k, offset=True, noise=noise) for k in _thinned(starts, lags)
    ]
    slopes = np.stack([c.weights @ units for c in candidates])
    through, beside = (_limits(p, freedom) for p in (THROUGH_ORIGIN_P, WITH_OFFSET_P))
    for k, window in enumerate(candidates):
        if window.offset and COMPARED * lags[window.first] > lags[candidates[-1].first]:
            break
        limits = beside if window.offset else through
        if not _agree(slopes[k], slopes[k + 1 :], limits):
            continue
        if not window.offset:
            return tuple(candidates[k:])
        later = [c for c in candidates[k:] if lags[c.first] >= LATER * lags[window.first]]
        return tuple(later or candidates[-1:])
    last = candidates[-1]
    return (replace(last, straight=False),)


def _thinned(starts: list[int], lags: NDArray[np.int64]) -> list[int]:
    """Return starts a factor of 1.4 apart at least: nearer ones tell the same."""
    kept: list[int] = []
    for k in starts:
        if not kept or lags[k] >= 1.4 * lags[kept[-1]]:
            kept.append(k)
    return kept


def _noise(lags: NDArray[np.int64], msd: NDArray[np.float64], frames: int) -> float:
    """Return how strong rattling is against a step, from a line with an offset over all lags.

    An offset is 2 variances of the noise of an axis, a slope one of its steps. Rounded to powers of
    the root of 2, as weights need no more.
    """
    noise = 0.0
    for _ in range(2):
        covariance = msd_covariance(lags, frames, noise=noise)
        slope = float(slope_weights(lags, covariance, offset=True) @ msd)
        offset = float(msd[0] - slope * lags[0])
        if offset <= LEAST_NOISE * abs(slope):
            return noise
        ratio = offset / (2.0 * max(slope, offset / (2.0 * MOST_NOISE)))
        noise = float(2.0 ** (round(2.0 * np.log2(ratio)) / 2.0))
    return noise


def _window(
    lags: NDArray[np.int64], frames: int, first: int, *, offset: bool, noise: float = 0.0
) -> Window:
    covariance = msd_covariance(lags[first:], frames, noise=noise)
    weights = np.zeros(len(lags))
    weights[first:] = slope_weights(lags[first:], covariance, offset=offset)
    return Window(first, offset, weights, straight=True, noise=noise)


def _limits(chances: tuple[float, float], freedom: int) -> tuple[float, float]:
    """Return the standard errors that belong to two chances."""
    from scipy.stats import t as student

    first, later = (float(student.ppf(1.0 - p / 2.0, freedom)) for p in chances)
    return first, later


def _agree(
    slope: NDArray[np.float64], later: NDArray[np.float64], limits: tuple[float, float]
) -> bool:
    """Return whether slopes of the same units agree with all later ones."""
    for k, other in enumerate(later):
        difference = slope - other
        error = difference.std(ddof=1) / np.sqrt(len(difference))
        limit = limits[1] if k else limits[0]
        if abs(difference.mean()) > limit * error + 1e-12 * abs(slope.mean()):
            return False
    return True
