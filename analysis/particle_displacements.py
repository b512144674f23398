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
        Sum of squared displacements over the origins of a stretch. shape=(lags, particles,
        stretches)
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
        return np.asarray(self.sums_ang2.sum(axis=(1, 2)) / count)

    @property
    def by_particle(self) -> NDArray[np.float64]:
        """Mean over time for each particle. shape=(lags, particles)."""
        return np.asarray(self.sums_ang2.sum(axis=2) / self.origins.sum(axis=1)[:, None])

    @property
    def by_stretch(self) -> NDArray[np.float64]:
        """Mean over particles for each stretch of time. shape=(lags, stretches)."""
        return np.asarray(self.sums_ang2.mean(axis=1) / np.maximum(self.origins, 1))

    @property
    def by_both(self) -> NDArray[np.float64]:
        """For each particle and stretch. shape=(lags, particles * stretches)."""
        each = self.sums_ang2 / np.maximum(self.origins, 1)[:, None, :]
        return np.asarray(each.reshape(len(self.lags), -1))


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
    x = checked_positions(positions, dt_ps=dt_ps)
    frames = len(x)
    starts = np.arange(stretches) * frames // stretches
    parts: list[NDArray[np.float64]] = []
    for block in particle_blocks(x, cell=cell, drift_ang=drift_ang, block_bytes=block_bytes):
        part = np.zeros((len(lags), block.shape[1], stretches))
        for k, lag in enumerate(lags):
            step = block[lag:] - block[:-lag]
            squared = np.einsum("fpi,fpi->fp", step, step)
            used = starts[starts < len(squared)]
            part[k, :, : len(used)] = np.add.reduceat(squared, used, axis=0).T
        parts.append(part)
    ends = np.append(starts[1:], frames)
    origins = np.stack([np.clip(np.minimum(ends, frames - m) - starts, 0, None) for m in lags])
    return ParticleDisplacements(lags, np.concatenate(parts, axis=1), origins, frames)
