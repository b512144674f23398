"""Whether a quantity has stopped drifting: its mean, and a drift against its error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.errors import EvidenceError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

LEAST_INDEPENDENT = 10
LARGEST_Z = 2.6
"""Drifts within this many standard errors are called none: one in a hundred is beyond by chance."""


@dataclass(frozen=True)
class Equilibration:
    """How a quantity behaved over a run.

    Attributes
    ----------
    name, unit : str
        The quantity.
    equilibrated : bool
        Whether its mean may be used.
    reason : str
        In one sentence.
    mean, standard_error : float
        Over the part that was kept; the error accounts for correlation in time.
    discarded : int
        Values left out at the beginning.
    values : int
        All values.
    independent : float
        Independent values among those kept.
    drift, drift_error : float
        Change over the kept part by a straight line, and its standard error.
    """

    name: str
    unit: str
    equilibrated: bool
    reason: str
    mean: float
    standard_error: float
    discarded: int
    values: int
    independent: float
    drift: float
    drift_error: float


def judge_equilibration(series: ArrayLike, *, name: str, unit: str) -> Equilibration:
    """Judge a series of evenly spaced values of one run.

    The start is cut where the error of the mean of the rest is least (White's marginal standard
    error rule; at most half is cut). The error of the mean follows from the correlation time, and
    that of the drift of a straight line is sqrt(12) times it. The quantity is equilibrated if the
    drift is within 2.6 of its errors and at least ten independent values remain.

    Parameters
    ----------
    series
        Values in the order of time. shape=(values,)
    name, unit
        What it is.

    Raises
    ------
    EvidenceError
        Fewer than twenty values, or one is not finite.
    """
    x = np.asarray(series, dtype=float)
    if x.ndim != 1 or len(x) < 20 or not np.isfinite(x).all():
        raise EvidenceError(
            f"Twenty finite values of the {name} are needed to judge it; got {x.size}. Run longer, "
            "or log more often."
        )
    cut = _cut(x)
    kept = x[cut:]
    n = len(kept)
    independent = n / statistical_inefficiency(kept)
    error = float(kept.std(ddof=1) / np.sqrt(independent))
    place = np.linspace(-0.5, 0.5, n)
    drift = float(place @ (kept - kept.mean()) / (place @ place))
    drift_error = float(np.sqrt(12.0) * error)
    if independent < LEAST_INDEPENDENT:
        good, reason = False, f"only {independent:.1f} independent values after the start was cut"
    elif abs(drift) > LARGEST_Z * drift_error:
        good, reason = False, f"it still drifts by {drift:.3g} {unit}, +-{drift_error:.2g} expected"
    else:
        good, reason = True, f"its drift of {drift:.2g} {unit} is within its error"
    return Equilibration(
        name, unit, good, reason, float(kept.mean()), error, cut, len(x), float(independent),
        drift, drift_error,
    )  # fmt: skip


def statistical_inefficiency(series: NDArray[np.float64]) -> float:
    """Return how many values in a row are worth one independent value; 1 at least.

    The correlation function is summed up to its first zero (Chodera et al., doi
    10.1021/ct0502864).
    """
    x = series - series.mean()
    n = len(x)
    variance = float(x @ x)
    if variance <= 1e-300:
        return 1.0
    transform = np.fft.rfft(x, n=2 * n)
    correlation = np.fft.irfft(transform.real**2 + transform.imag**2)[:n] / variance
    negative = np.flatnonzero(correlation <= 0)
    last = int(negative[0]) if len(negative) else n
    return float(max(1.0, 1.0 + 2.0 * correlation[1:last].sum()))


def _cut(x: NDArray[np.float64]) -> int:
    """Return how many values to leave out at the start, in steps of a fiftieth."""
    step = max(len(x) // 50, 1)
    cuts = range(0, len(x) // 2 + 1, step)
    scores = [float(x[c:].var() / (len(x) - c)) for c in cuts]
    return int(cuts[int(np.argmin(scores))])
