"""Squared displacements particle by particle and stretch by stretch: what an error is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.mean_squared_displacement import (
    BLOCK_BYTES,
    checked_positions,
    particle_blocks,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

STRETCHES = 8
"""Stretches of time that a run is divided into at least."""


@dataclass(frozen=True, eq=False)
class ParticleDisplacements:
    """Squared displacements of each particle from the origins in each stretch of time.

    Attributes
    ----------
    lags : ndarray
        In frames. shape=(lags,)
    sums_ang2 : ndarray
        Sums of squared displacements along each axis over the origins of a stretch. shape=(lags,
        particles, stretches, 3)
    origins : ndarray
        Origins in each stretch. shape=(lags, stretches)
    frames : int
        Length of the trajectory.
    """

    lags: NDArray[np.int64]
    sums_ang2: NDArray[np.float64]
    origins: NDArray[np.int64]
    frames: int

    @property
    def msd_ang2(self) -> NDArray[np.float64]:
        """Mean over everything in angstrom^2. shape=(lags,)."""
        count = self.origins.sum(axis=1) * self.sums_ang2.shape[1]
        return np.asarray(self.sums_ang2.sum(axis=(1, 2, 3)) / count)

    @property
    def by_particle(self) -> NDArray[np.float64]:
        """Mean over time for each particle. shape=(lags, particles)."""
        total = self.sums_ang2.sum(axis=(2, 3))
        return np.asarray(total / self.origins.sum(axis=1)[:, None])

    @property
    def by_stretch(self) -> NDArray[np.float64]:
        """Mean over particles for each stretch of time. shape=(lags, stretches)."""
        total = self.sums_ang2.sum(axis=3).mean(axis=1)
        return np.asarray(total / np.maximum(self.origins, 1))

    def by_axis(self, pieces: int) -> NDArray[np.float64]:
        """Thrice the mean along each axis for each particle and piece of time.

        Parameters
        ----------
        pieces
            Stretches are put together to so many, of which their number is a multiple.

        Returns
        -------
        ndarray
            shape=(lags, particles * pieces, 3)
        """
        lags, particles, stretches, _ = self.sums_ang2.shape
        shape = (lags, particles, pieces, stretches // pieces, 3)
        sums = self.sums_ang2.reshape(shape).sum(axis=3)
        origins = self.origins.reshape(lags, pieces, -1).sum(axis=2)
        each = 3.0 * sums / np.maximum(origins, 1)[:, None, :, None]
        return np.asarray(each.reshape(lags, -1, 3))


def particle_displacements(
    positions: ArrayLike,
    *,
    lags: NDArray[np.int64],
    dt_ps: float,
    stretches: int = STRETCHES,
    cell: ArrayLike | None = None,
    drift_ang: NDArray[np.float64] | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> ParticleDisplacements:
    """Sum squared displacements by particle and by stretch of time.

    Parameters
    ----------
    positions
        In angstrom. shape=(frames, particles, 3)
    lags
        In frames. shape=(lags,)
    dt_ps
        Time between frames in ps.
    stretches
        Stretches of equal length that origins are told apart by.
    cell
        As in :func:`~superionic.analysis.mean_squared_displacement.mean_squared_displacement`.
    drift_ang
        Path of the system's centre of mass in angstrom. shape=(frames, 3)
    block_bytes
        Memory for working arrays.
    """
    from superionic.analysis.loops import lag_sums

    x = checked_positions(positions, dt_ps=dt_ps)
    frames = len(x)
    edges = np.arange(stretches + 1) * frames // stretches
    parts: list[NDArray[np.float64]] = []
    for block in particle_blocks(x, cell=cell, drift_ang=drift_ang, block_bytes=block_bytes):
        part = np.zeros((len(lags), len(block), stretches, 3))
        lag_sums(part, block, lags, edges)
        parts.append(part)
    origins = np.stack(
        [np.clip(np.minimum(edges[1:], frames - m) - edges[:-1], 0, None) for m in lags]
    )
    return ParticleDisplacements(lags, np.concatenate(parts, axis=1), origins, frames)
