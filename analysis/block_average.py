"""Means of series whose frames are correlated, with intervals from blocks long enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.estimate import Estimate
from superionic.structures.errors import EvidenceError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

LEAST_BLOCKS = 4
"""Fewer blocks tell no interval."""
COUNTS = (96, 48, 24, 12)
"""Numbers of blocks that are tried."""
EARLIER_Z, LAST_Z = 1.2816, 1.6449
RULE = (
    "the run is cut into as many blocks (96, 48, 24 or 12) as have means without positive "
    "correlation between neighbours (von Neumann's ratio, p > 10 %; 5 % for 12), these are joined "
    "in twos, and Student's t is taken of their scatter"
)


def block_mean(series: ArrayLike, *, bounds: tuple[float, float] | None = None) -> Estimate:
    """Return the mean of a series in time with a 95 % interval.

    Parameters
    ----------
    series
        Evenly spaced in time. shape=(frames,)
    bounds
        Least and largest value that the mean may have, such as (0, 1) for a fraction.

    Returns
    -------
    Estimate
        Without a value where blocks of a twelfth of the run are still correlated: the run is too
        short for a mean with an error.

    Raises
    ------
    EvidenceError
        Values are not finite, or there are none.
    """
    x = np.asarray(series, dtype=float)
    if x.ndim != 1 or not len(x) or not np.isfinite(x).all():
        raise EvidenceError(f"Expected a series of finite numbers; got shape {x.shape}.")
    mean = float(x.mean())
    if np.ptp(x) == 0:
        return Estimate(mean, (mean, mean))
    if len(x) < COUNTS[-1]:
        return Estimate.missing(f"{len(x)} frames are too few for {COUNTS[-1]} blocks")
    for count in COUNTS:
        limit = LAST_Z if count == COUNTS[-1] else EARLIER_Z
        if len(x) >= count and not _correlated(_means(x, count), limit=limit):
            half = float(_half_width(_means(x, count // 2)))
            low, high = mean - half, mean + half
            if bounds is not None:
                low, high = max(low, bounds[0]), min(high, bounds[1])
            return Estimate(mean, (low, high))
    return Estimate.missing(
        f"the mean of these frames is {mean:.3g}, but they are correlated over a {COUNTS[-1]}th of "
        "the run, so that its error cannot be told; run longer"
    )


def _means(x: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    return np.array([part.mean() for part in np.array_split(x, count)])


def _correlated(means: NDArray[np.float64], *, limit: float) -> bool:
    """Return whether neighbouring means are positively correlated by so many deviations."""
    n = len(means)
    spread = float(((means - means.mean()) ** 2).sum())
    if spread == 0:
        return False
    ratio = float((np.diff(means) ** 2).sum()) / spread  # 2 for independent means
    deviation = 2.0 * np.sqrt((n - 2) / (n * n - 1.0))
    return bool(ratio < 2.0 - limit * deviation)


def block_half_width(blocks: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return the half-width of a 95 % interval of the mean over blocks (Student's t).

    None where there are fewer than four blocks.
    """
    return None if len(blocks) < LEAST_BLOCKS else _half_width(blocks)


def _half_width(blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.stats import t as student

    n = len(blocks)
    factor = float(student.ppf(0.975, n - 1))
    return np.asarray(factor * blocks.std(axis=0, ddof=1) / np.sqrt(n))
