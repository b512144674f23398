"""Squared displacements of one or several runs, with units whose scatter tells their error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.mean_squared_displacement import checked_positions, log_spaced_lags
from superionic.analysis.particle_displacements import (
    STRETCHES,
    ParticleDisplacements,
    particle_displacements,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

LEAST_IONS = 12
"""Ions that an error is taken from at least; of fewer each axis is taken by itself."""
LEAST_AXES = 12
"""Axes of ions that one is taken from at least; fewer are cut into pieces of time."""
PIECES = 24
"""Pieces of axes of ions that such an error is taken from."""
LONGEST_LAG = 8
"""The longest lag is this part of the trajectory."""


@dataclass(frozen=True, eq=False)
class LagData:
    """Mean squared displacements, and those of the units whose scatter is their error.

    Attributes
    ----------
    lags : ndarray
        In frames, ascending. shape=(lags,)
    msd : ndarray
        Over all particles of all replicas in angstrom^2. shape=(lags,)
    units : ndarray
        Of what is taken as independent, in angstrom^2. shape=(lags, units)
    unit_kind : str
        What that is.
    freedom : int
        Degrees of freedom of their scatter.
    ions, frames, replicas : int
        Size of the data; frames of the longest replica.
    length_ps, dt_ps : float
        Of all replicas together, and between frames, in ps.
    """

    lags: NDArray[np.int64]
    msd: NDArray[np.float64]
    units: NDArray[np.float64]
    unit_kind: str
    freedom: int
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
    ) -> LagData:
        """Compute the squared displacements of all replicas."""
        frames = min(len(x) for x in replicas)
        ions = sum(x.shape[1] for x in replicas)
        pieces = 1 if 3 * ions >= LEAST_AXES else 2 ** int(np.ceil(np.log2(PIECES / (3 * ions))))
        lags = log_spaced_lags(max(frames // (LONGEST_LAG if pieces == 1 else 3 * pieces), 1))
        drift = None if drift_ang is None else np.asarray(drift_ang, dtype=float)
        parts = [
            particle_displacements(
                x, lags=lags, dt_ps=dt_ps, stretches=STRETCHES, cell=cell, drift_ang=drift
            )
            for x in replicas
        ]
        msd = _pooled(parts)
        units, kind, freedom = _units(parts, ions, pieces)
        together = np.concatenate([p.by_stretch for p in parts], axis=1)
        kept = lags <= max(frames // (3 * STRETCHES), 1)  # stretches hold a few such lags
        if ions > 1 and _scatter_more(units[kept], together[kept]):
            lags, msd, units = lags[kept], msd[kept], together[kept]
            kind = f"{units.shape[1]} stretches of time, as the ions move together"
            freedom = units.shape[1] - 1
        return cls(
            lags, msd, units, kind, freedom, ions, max(len(x) for x in replicas), len(replicas),
            dt_ps * sum(len(x) - 1 for x in replicas), dt_ps,
        )  # fmt: skip

    def error_of(self, weights: NDArray[np.float64]) -> tuple[float, int]:
        """Return standard error and degrees of freedom of a weighted sum over lags."""
        values = weights @ self.units
        return float(values.std(ddof=1) / np.sqrt(values.size)), self.freedom


def _units(
    parts: list[ParticleDisplacements], ions: int, pieces: int
) -> tuple[NDArray[np.float64], str, int]:
    """Return what is taken as independent, its name, and the degrees of freedom of its scatter."""
    by_ion = np.concatenate([p.by_particle for p in parts], axis=1)
    if ions >= LEAST_IONS:
        return by_ion, f"{ions} ions", ions - 1
    units = _levelled(np.concatenate([p.by_axis(pieces) for p in parts], axis=1))
    freedom = units.shape[1] - 3
    if pieces > 1:
        return units, f"{units.shape[1]} stretches of axes of single ions", freedom
    if _scatter_more(units, by_ion, chance=0.05):
        return by_ion, f"{ions} ions, which differ from each other", ions - 1
    return units, f"{units.shape[1]} axes of single ions", freedom


def _levelled(by_axis: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return axes as units of one mean. shape=(lags, particles * 3) from (lags, particles, 3).

    That axes differ where motion is not the same along all of them is no error of the mean: each is
    moved to the mean of all, and the scatter widened by what that takes from it.
    """
    count = by_axis.shape[1] * 3
    apart = (by_axis - by_axis.mean(axis=1, keepdims=True)).reshape(len(by_axis), -1)
    mean = by_axis.mean(axis=(1, 2))[:, None]
    return np.asarray(mean + np.sqrt((count - 1) / (count - 3)) * apart)


def _scatter_more(
    units: NDArray[np.float64], groups: NDArray[np.float64], *, chance: float = 0.002
) -> bool:
    """Return whether groups differ by more than the independence of their units would allow."""
    from scipy.stats import f

    limit = float(f.ppf(1.0 - chance, groups.shape[1] - 1, units.shape[1] - 1))
    for lag in range(0, len(units), max(len(units) // 3, 1)):
        alone = units[lag].var(ddof=1) / units.shape[1]
        if groups[lag].var(ddof=1) / groups.shape[1] > limit * alone > 0:
            return True
    return False


def replicas_of(
    positions: ArrayLike | Sequence[ArrayLike], dt_ps: float
) -> list[NDArray[np.floating]]:
    """Return a list of trajectories."""
    if isinstance(positions, (list, tuple)) and np.ndim(positions[0]) == 3:
        return [checked_positions(x, dt_ps=dt_ps) for x in positions]
    return [checked_positions(positions, dt_ps=dt_ps)]  # type: ignore[arg-type]


def _pooled(parts: list[ParticleDisplacements]) -> NDArray[np.float64]:
    """Return the mean squared displacement over all replicas."""
    sums = np.sum([p.sums_ang2.sum(axis=(1, 2, 3)) for p in parts], axis=0)
    count = np.sum([p.origins.sum(axis=1) * p.sums_ang2.shape[1] for p in parts], axis=0)
    return np.asarray(sums / count)
