"""What a band of spectra tells of the covariance behind it: its freedom, and draws of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from superionic.analysis.current_spectrum import CurrentSpectrum

DRAWS = 20_000


def degrees_of_freedom(spectrum: CurrentSpectrum, weights: NDArray[np.float64], band: int) -> float:
    """Return how many squares of normal numbers a band holds: three axes, if they are alike.

    Where the axes differ (p < 1 %, Bartlett's test) the number is Satterthwaite's.
    """
    from scipy.stats import chi2

    each = (spectrum.by_axis(weights)[:band] ** 2).mean(axis=0)
    mean = float(each.mean())
    if not mean > 0 or not (each > 0).all():
        return float(3 * band)
    statistic = band * float(np.log(mean / each).sum())
    if statistic < chi2.ppf(0.99, 2):
        return float(3 * band)
    return float(band * each.sum() ** 2 / (each**2).sum())


def wishart_draws(
    mean: NDArray[np.float64], freedom: float, *, draws: int = DRAWS, seed: int = 0
) -> NDArray[np.float64]:
    """Draw covariance matrices that may lie behind an observed mean of products.

    Inverse Wishart draws scaled so that the interval of each quadratic form is the exact one of
    chi squared. A matrix without full rank (all ions of a melt, whose momentum is conserved) keeps
    its null space.

    Parameters
    ----------
    mean
        Observed. shape=(n, n)
    freedom
        Degrees of freedom.
    draws, seed
        How many, and of which sequence.

    Returns
    -------
    ndarray
        shape=(draws, n, n)
    """
    rng = np.random.default_rng(seed)
    values, vectors = np.linalg.eigh(mean)
    keep = values > 1e-10 * values.max()
    root = vectors[:, keep] * np.sqrt(values[keep])
    rank = int(keep.sum())
    # Bartlett's decomposition of a Wishart matrix of freedom + rank - 1
    lower = np.zeros((draws, rank, rank))
    for i in range(rank):
        lower[:, i, i] = np.sqrt(rng.chisquare(freedom + rank - 1 - i, draws))
        lower[:, i, :i] = rng.normal(size=(draws, i))
    inverse = np.linalg.solve(lower, np.broadcast_to(root.T, (draws, *root.T.shape)))
    return np.asarray(freedom * np.einsum("dki,dkj->dij", inverse, inverse))
