"""How mean squared displacements of Brownian motion scatter, and fits weighted by it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def msd_covariance(
    lags: NDArray[np.int64], frames: int, *, noise: float = 0.0
) -> NDArray[np.float64]:
    """Return the covariance of time-averaged squared displacements of Brownian motion.

    One particle along one axis, unit variance of a single step, all overlapping origins: the same
    increments enter many origins and many lags, which is why the points of an MSD are no
    independent data (Qian et al., doi 10.1016/S0006-3495(91)82125-7; Michalet, doi
    10.1103/PhysRevE.82.041914). Displacements over [s, s+n] and [u, u+m] share ``o`` steps, and
    frames seen with noise where they begin or end together; their covariance is c = o + noise *
    (ends shared, less ends of one that begin the other), that of their squares 2 c^2, and this is
    summed over all pairs of origins.

    Parameters
    ----------
    lags
        In frames, ascending. shape=(lags,)
    frames
        Length of the trajectory in frames.
    noise
        Variance of the noise of a frame along an axis over that of a single step: rattling around
        the place that moves.

    Returns
    -------
    ndarray
        shape=(lags, lags)
    """
    return _covariance(tuple(int(m) for m in lags), int(frames), float(noise)).copy()


@lru_cache(maxsize=64)
def _covariance(lags: tuple[int, ...], frames: int, noise: float) -> NDArray[np.float64]:
    """Sum the squared covariances over the distance between two origins."""
    matrix = np.empty((len(lags), len(lags)))
    for i, n in enumerate(lags):
        for j in range(i, len(lags)):
            m = lags[j]
            apart = np.arange(-m, n + 1)
            shared = (np.minimum(n, apart + m) - np.maximum(0, apart)).astype(float)
            for where, share in ((0, noise), (n - m, noise), (n, -noise), (-m, -noise)):
                shared[where + m] += share
            first, second = frames - n, frames - m
            pairs = np.minimum(first, second - apart) - np.maximum(0, -apart)
            total = float((shared**2 * np.maximum(pairs, 0)).sum())
            matrix[i, j] = matrix[j, i] = 2.0 * total / (first * second)
    return matrix


def slope_weights(
    lags: NDArray[np.int64], covariance: NDArray[np.float64], *, offset: bool
) -> NDArray[np.float64]:
    """Return the weights w of the best linear slope of an MSD: slope = sum of w * MSD(lag).

    Generalised least squares; for Brownian motion no linear estimator scatters less.

    Parameters
    ----------
    lags
        In any unit of time. shape=(lags,)
    covariance
        Of the MSD, up to a factor. shape=(lags, lags)
    offset
        Whether the line may miss the origin, as after rattling or memory at short times.
    """
    t = np.asarray(lags, dtype=float)
    columns = [t, np.ones_like(t)] if offset else [t]
    return _weights(np.stack(columns, axis=1), covariance)


def bend_weights(lags: NDArray[np.int64], covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weights u of the bend of an MSD: sum of u * MSD(lag) = b (a - 1).

    To first order in a - 1, offset + b t^a = offset + b t + b (a - 1) t log(t): a term that no line
    with an offset can hide. shape=(lags,)
    """
    t = np.asarray(lags, dtype=float)
    bent = t * np.log(t / np.sqrt(t[0] * t[-1]))
    return _weights(np.stack([bent, t, np.ones_like(t)], axis=1), covariance)


def _weights(design: NDArray[np.float64], covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weights of the first coefficient in a generalised least squares fit."""
    scale = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(scale, scale) + 1e-10 * np.eye(len(scale))
    columns = design / scale[:, None]
    size = np.linalg.norm(columns, axis=0)
    columns /= size
    weighted = np.linalg.solve(correlation, columns)
    return np.asarray(np.linalg.solve(columns.T @ weighted, weighted.T)[0] / scale / size[0])


def power_weights(lags: NDArray[np.int64], covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weights v of the log-log slope: slope = sum of v * log(MSD(lag)).

    Generalised least squares with the scatter that Brownian motion has: relative to its mean, which
    is the lag itself. shape=(lags,)
    """
    t = np.asarray(lags, dtype=float)
    design = np.stack([np.log(t), np.ones_like(t)], axis=1)
    relative = covariance / np.outer(t, t)
    relative += 1e-10 * np.diag(np.diag(relative))
    weighted = np.linalg.solve(relative, design)
    return np.asarray(np.linalg.solve(design.T @ weighted, weighted.T)[0])
