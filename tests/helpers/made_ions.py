"""Trajectories of ions whose Onsager coefficients are known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Paths = dict[str, NDArray[np.float64]]
TEMPERATURE_K, VOLUME_ANG3, DT_PS = 400.0, 40_000.0, 1.0


def walk(rng: np.random.Generator, frames: int, ions: int, step: float) -> NDArray[np.float64]:
    """Brownian ions; ``step`` is the standard deviation of a step along each axis in angstrom."""
    return np.cumsum(rng.normal(scale=step, size=(frames, ions, 3)), axis=0)


def independent(rng: np.random.Generator, *, frames: int = 2000, ions: int = 25) -> Paths:
    """Brownian ions of two kinds: Haven ratio 1."""
    return {"Na": walk(rng, frames, ions, 0.3), "X": walk(rng, frames, ions, 0.5)}


def paired(rng: np.random.Generator, *, frames: int = 2000, ions: int = 25) -> Paths:
    """Ions that never part: the pair walks, its ends rattle; no conductivity."""
    centre = walk(rng, frames, ions, 0.3)
    memory, arm = np.exp(-1 / 5.0), np.empty((frames, ions, 3))
    arm[0] = rng.normal(size=(ions, 3)) * 0.25
    for k in range(1, frames):
        arm[k] = memory * arm[k - 1] + 0.25 * np.sqrt(1 - memory**2) * rng.normal(size=(ions, 3))
    return {"Na": centre + arm, "X": centre - arm}


CORRELATION = np.array([[1.0, 0.6], [0.6, 1.5]])


def correlated(rng: np.random.Generator, *, frames: int = 2000, ions: int = 25) -> Paths:
    """Ions of which each cation's steps are correlated with those of one anion, and rattle."""
    root = np.linalg.cholesky(CORRELATION) * 0.3
    steps = np.einsum("ij,fnaj->fnai", root, rng.normal(size=(frames, ions, 3, 2)))
    x = np.cumsum(steps, axis=0) + 0.2 * rng.normal(size=(frames, ions, 3, 2))
    return {"Na": x[..., 0], "X": x[..., 1]}


def remembering(rng: np.random.Generator, *, frames: int = 2000, ions: int = 25) -> Paths:
    """Ions whose steps turn back (each step is followed by an opposite part of itself)."""
    out = {}
    for name, scale in (("Na", 0.5), ("X", 0.7)):
        steps = rng.normal(scale=scale, size=(frames + 1, ions, 3))
        out[name] = np.cumsum(steps[1:] - 0.5 * steps[:-1], axis=0)
    return out


def spectrum_to_conductivity(per_axis_ang2: float) -> float:
    """Conductivity in S/cm of a current whose path grows by this much a frame and axis."""
    from scipy.constants import Boltzmann, elementary_charge

    kT = Boltzmann * TEMPERATURE_K
    metres = per_axis_ang2 * 1e-20 / (2 * DT_PS * 1e-12)
    return float(elementary_charge**2 * metres / (kT * VOLUME_ANG3 * 1e-30) / 100.0)
