"""Do species spread in the same stretches of time? Then their diffusivities err together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

LEAST_STRETCHES = 24
"""A run is cut into so many stretches at least, where it has the frames."""


class SquaredSteps:
    """Hands blocks of ions on, and sums their squared displacements over stretches of time.

    Parameters
    ----------
    lag
        Length of a stretch in frames.
    """

    def __init__(self, lag: int) -> None:
        self._lag = lag
        self._sums: NDArray[np.float64] | None = None

    def through(self, blocks: Iterable[NDArray[np.float64]]) -> Iterator[NDArray[np.float64]]:
        """Yield the blocks as they come. shape=(ions, 3, frames) each."""
        for block in blocks:
            steps = np.diff(block[:, :, :: self._lag], axis=2)
            squares = np.einsum("pas,pas->s", steps, steps)
            self._sums = squares if self._sums is None else self._sums + squares
            yield block

    @property
    def sums(self) -> NDArray[np.float64]:
        """Sums over all ions so far in angstrom^2. shape=(stretches,)."""
        return np.zeros(0) if self._sums is None else self._sums


def stretch_of(starts_ps: Iterable[float], *, dt_ps: float, frames: int) -> int:
    """Return the length of a stretch in frames: the latest start of a fit, if the run allows.

    Parameters
    ----------
    starts_ps
        First lags of the fits of all species in ps.
    dt_ps
        Time between frames in ps.
    frames
        Length of the run.
    """
    wanted = max(round(start / dt_ps) for start in starts_ps)
    return max(1, min(wanted, frames // LEAST_STRETCHES))


def correlation_of(replicas: Sequence[Sequence[NDArray[np.float64]]]) -> NDArray[np.float64]:
    """Return how squared displacements of species go together from stretch to stretch.

    Parameters
    ----------
    replicas
        For each replica and species the sums over stretches. shape=(stretches,) each

    Returns
    -------
    ndarray
        Correlation matrix; species of even motion go with no other. shape=(species, species)
    """
    parts = [np.stack(species) for species in replicas]
    apart = np.concatenate([x - x.mean(axis=1, keepdims=True) for x in parts], axis=1)
    size = np.sqrt((apart**2).sum(axis=1))
    scaled = apart / np.where(size > 0, size, 1.0)[:, None]
    found = scaled @ scaled.T
    np.fill_diagonal(found, 1.0)
    return np.asarray(np.clip(found, -1.0, 1.0))
