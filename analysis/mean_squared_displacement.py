"""Mean squared displacements from trajectories of any length, a block of particles at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from superionic.analysis.estimate import html_table
from superionic.analysis.particle_store import by_particle, forget_pages
from superionic.analysis.unwrapping import refuse_wrapped, unwrap_series
from superionic.structures.errors import TrajectoryError
from superionic.structures.structure import readonly

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    from superionic.analysis.figures.style import SavedFigure

__all__ = [
    "BLOCK_BYTES",
    "FFT_BYTES",
    "FFT_PARTICLES",
    "FRAMES_AT_ONCE",
    "Estimator",
    "MeanSquaredDisplacement",
    "log_spaced_lags",
    "mean_squared_displacement",
]

BLOCK_BYTES = 128 * 1024**2
"""Memory for one block of particles; more particles are taken block after block."""
FRAMES_AT_ONCE = 512
"""Frames that are turned round in one go."""
FFT_BYTES = 1024**2
"""Paths that are transformed in one go: as many as stay near the processor."""
FFT_PARTICLES = 4
"""But as many as this at least, since transforms are computed some at a time."""

Estimator = Literal["fft", "direct"]


@dataclass(frozen=True, eq=False)
class MeanSquaredDisplacement:
    """How far particles are from where they were, after each lag.

    Attributes
    ----------
    lag_ps : ndarray
        Lags in ps, ascending, without 0. shape=(lags,)
    msd_ang2 : ndarray
        Mean over particles and time origins in angstrom^2. shape=(lags,)
    axes_ang2 : ndarray
        Its parts along x, y and z. shape=(lags, 3)
    origins : ndarray
        Time origins of each lag; they overlap, so they are not independent. shape=(lags,)
    particles, frames : int
        What was averaged over.
    dt_ps : float
        Time between frames in ps.
    estimator : {"fft", "direct"}
        How it was computed.
    drift : str
        What was subtracted from the positions beforehand.
    """

    lag_ps: NDArray[np.float64]
    msd_ang2: NDArray[np.float64]
    axes_ang2: NDArray[np.float64]
    origins: NDArray[np.int64]
    particles: int
    frames: int
    dt_ps: float
    estimator: str
    drift: str

    def __post_init__(self) -> None:
        """Freeze the arrays and compare their lengths."""
        for name in ("lag_ps", "msd_ang2", "axes_ang2"):
            object.__setattr__(self, name, readonly(getattr(self, name), np.float64))
        object.__setattr__(self, "origins", readonly(self.origins, np.int64))
        n = len(self.lag_ps)
        if (self.msd_ang2.shape, self.axes_ang2.shape) != ((n,), (n, 3)) or len(self.origins) != n:
            raise TrajectoryError(f"Expected {n} values for {n} lags in every array.")

    @property
    def local_slope(self) -> NDArray[np.float64]:
        """Slope of log(MSD) against log(lag) at each lag: 1 diffusive, 2 ballistic."""
        if len(self.lag_ps) < 2 or not (self.msd_ang2 > 0).all():
            return np.full(len(self.lag_ps), np.nan)
        return np.asarray(np.gradient(np.log(self.msd_ang2), np.log(self.lag_ps)))

    def _repr_html_(self) -> str:
        """Return a table for notebooks."""
        last = float(self.lag_ps[-1])
        rows = [
            ("particles", str(self.particles)), ("frames", str(self.frames)),
            ("lags", f"{len(self.lag_ps)}, {self.lag_ps[0]:g} to {last:g} ps"),
            (f"at {last:g} ps", f"{self.msd_ang2[-1]:.4g} A^2"),
            ("along x, y, z", ", ".join(f"{x:.4g}" for x in self.axes_ang2[-1]) + " A^2"),
            ("estimator", self.estimator), ("drift", self.drift),
        ]  # fmt: skip
        return html_table("Mean squared displacement", rows)

    def plot(self, stem: str) -> SavedFigure:
        """Draw it with its axes into ``stem.png``, ``.svg`` and ``.csv``."""
        from superionic.analysis.figures.mean_squared_displacement import (
            axes_msd_figure,
            axes_msd_figure_data,
        )
        from superionic.analysis.figures.style import save_figure

        return save_figure(axes_msd_figure({"": self}), stem, axes_msd_figure_data({"": self}))


def mean_squared_displacement(
    positions: ArrayLike,
    *,
    dt_ps: float,
    cell: ArrayLike | None = None,
    drift_ang: ArrayLike | None = None,
    estimator: Estimator = "fft",
    lags: ArrayLike | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> MeanSquaredDisplacement:
    """Average squared displacements over particles and over all time origins.

    Parameters
    ----------
    positions
        In angstrom; memory-mapped arrays are read a block at a time. shape=(frames, particles, 3)
    dt_ps
        Time between frames in ps.
    cell
        Lattice vectors as rows in angstrom, shape=(3, 3) or (frames, 3, 3): positions are unwrapped
        with it. Without it they must be continuous.
    drift_ang
        Path of the centre of mass of the whole system in angstrom, which is subtracted; by default
        nothing is. The centre of the particles themselves is no such path: without it their
        displacements are too small by 1/particles. shape=(frames, 3)
    estimator
        ``fft`` computes all lags at once; ``direct`` only those in ``lags``, each as it is defined.
    lags
        Lags in frames. By default all up to half the trajectory (``fft``), or about ten a decade
        (``direct``).
    block_bytes
        Memory for working arrays.

    Raises
    ------
    TrajectoryError
        Too few frames, wrapped positions without a cell, values that are not finite, steps that
        cannot be followed.
    """
    x = checked_positions(positions, dt_ps=dt_ps)
    frames, particles = x.shape[:2]
    chosen = _chosen_lags(lags, frames, estimator)
    drift = _checked_drift(drift_ang, frames)
    blocks = particle_blocks(x, cell=cell, drift_ang=drift, block_bytes=block_bytes)
    sums = _fft_sums if estimator == "fft" else _direct_sums
    total = sums(blocks, chosen, frames)
    origins = frames - chosen
    axes = total / (origins[:, None] * particles)
    return MeanSquaredDisplacement(
        lag_ps=np.asarray(chosen * dt_ps, dtype=np.float64),
        msd_ang2=axes.sum(axis=1),
        axes_ang2=axes,
        origins=origins,
        particles=particles,
        frames=frames,
        dt_ps=float(dt_ps),
        estimator=estimator,
        drift="none" if drift is None else "path of the centre of mass subtracted",
    )


def checked_positions(positions: ArrayLike, *, dt_ps: float) -> NDArray[np.floating]:
    """Return positions as an array without copying a memory map, after looking at shape and time.

    Raises
    ------
    TrajectoryError
        The shape is not (frames, particles, 3), there are fewer than two frames, or no time step.
    """
    x = np.asanyarray(positions)
    if x.dtype.kind != "f":
        x = x.astype(np.float64)
    if x.ndim != 3 or x.shape[2] != 3 or x.shape[0] < 2 or x.shape[1] < 1:
        raise TrajectoryError(
            "Expected positions (frames, particles, 3) in angstrom with two frames at least; got "
            f"shape {x.shape}."
        )
    if not (np.isfinite(dt_ps) and dt_ps > 0):
        raise TrajectoryError(f"The time between frames must be a positive number of ps: {dt_ps}.")
    return x


def particle_blocks(
    x: NDArray[np.floating],
    *,
    cell: ArrayLike | None,
    drift_ang: NDArray[np.float64] | None,
    block_bytes: int = BLOCK_BYTES,
) -> Iterator[NDArray[np.float64]]:
    """Yield continuous positions of some particles at a time, from the origin, without drift.

    Returns
    -------
    iterator of ndarray
        The time runs along the last axis. shape=(some particles, 3, frames)

    Raises
    ------
    TrajectoryError
        A value is not finite, or the positions are wrapped and there is no cell.
    """
    frames, particles = x.shape[:2]
    size = max(1, int(block_bytes // (frames * 3 * 8 * 4)))
    stored = by_particle(x)
    for start in range(0, particles, size):
        block = _turned(stored[:, start : start + size])
        forget_pages(stored)
        if not np.isfinite(block).all():
            bad = ~np.isfinite(block).all(axis=1)
            frame, particle = np.argwhere(bad.T)[0]
            raise TrajectoryError(
                f"The position of particle {start + particle} in frame {frame} is not a finite "
                "number. The run blew up or the file is damaged: use the frames before it."
            )
        if cell is not None:
            block = unwrap_series(block, cell)
        else:
            refuse_wrapped(block)
        if drift_ang is not None:
            block -= drift_ang.T
        block -= block[:, :, :1].copy()
        yield block


def _turned(x: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return positions with the time along the last axis, some frames at a time.

    To go through all frames for each particle is to fetch each piece of memory many times over.
    """
    block = np.empty((*x.shape[1:], len(x)))
    for begin in range(0, len(x), FRAMES_AT_ONCE):
        block[:, :, begin : begin + FRAMES_AT_ONCE] = x[begin : begin + FRAMES_AT_ONCE].transpose(
            1, 2, 0
        )
    return block


def log_spaced_lags(longest: int, *, per_decade: int = 10) -> NDArray[np.int64]:
    """Return ascending lags in frames from 1 to ``longest``, about evenly spaced in the log."""
    count = max(2, round(per_decade * np.log10(max(longest, 2))) + 1)
    return np.unique(np.rint(np.geomspace(1, max(longest, 1), count)).astype(np.int64))


def _chosen_lags(lags: ArrayLike | None, frames: int, estimator: Estimator) -> NDArray[np.int64]:
    """Return the lags to compute in frames."""
    if estimator not in ("fft", "direct"):
        raise TrajectoryError(f"There is no estimator {estimator!r}; choose fft or direct.")
    if lags is None:
        half = max(frames // 2, 1)
        return np.arange(1, half + 1) if estimator == "fft" else log_spaced_lags(half)
    chosen = np.unique(np.asarray(lags, dtype=np.int64))
    if not len(chosen) or chosen[0] < 1 or chosen[-1] >= frames:
        raise TrajectoryError(
            f"Lags are numbers of frames from 1 to {frames - 1}; got {chosen.tolist()[:5]}."
        )
    return chosen


def _checked_drift(drift_ang: ArrayLike | None, frames: int) -> NDArray[np.float64] | None:
    if drift_ang is None:
        return None
    drift = np.asarray(drift_ang, dtype=np.float64)
    if drift.shape != (frames, 3) or not np.isfinite(drift).all():
        raise TrajectoryError(
            f"Expected a finite path of the centre of mass ({frames}, 3), got {drift.shape}."
        )
    return drift


def _direct_sums(
    blocks: Iterator[NDArray[np.float64]], lags: NDArray[np.int64], frames: int
) -> NDArray[np.float64]:
    """Return the sums of squared displacements over origins and particles. shape=(lags, 3)."""
    from superionic.analysis.loops import lag_sums

    total = np.zeros((len(lags), 3))
    whole = np.array([0, frames], dtype=np.int64)
    for block in blocks:
        sums = np.zeros((len(lags), len(block), 1, 3))
        lag_sums(sums, block, lags, whole)
        total += sums.sum(axis=(1, 2))
    return total


def _fft_sums(
    blocks: Iterator[NDArray[np.float64]], lags: NDArray[np.int64], frames: int
) -> NDArray[np.float64]:
    """Return the same sums from the spectra of all paths. shape=(lags, 3).

    Sum over origins of (x(t+m) - x(t))^2 = S1(m) - 2 S2(m), S2 being the autocorrelation of x
    (Calandrini et al., doi 10.1051/sfn/201112010).
    """
    from scipy.fft import irfft, next_fast_len, rfft

    from superionic.analysis.loops import add_squares, centred_squares

    length = next_fast_len(frames + int(lags[-1]), real=True)
    parts, squares = np.zeros((3, 2 * (length // 2 + 1))), np.zeros((3, frames))
    size = max(FFT_PARTICLES, int(FFT_BYTES // (length * 3 * 8)))
    for block in blocks:
        centred_squares(squares, block)
        for start in range(0, len(block), size):
            transform = rfft(block[start : start + size], n=length, axis=2)
            add_squares(parts, transform.view(np.float64))  # real and imaginary parts in turn
    power = parts.reshape(3, -1, 2).sum(axis=2)
    correlation = irfft(power, n=length, axis=1)[:, lags]
    ahead = np.concatenate([np.zeros((3, 1)), np.cumsum(squares, axis=1)], axis=1)
    s1 = ahead[:, frames - lags] + (ahead[:, -1:] - ahead[:, lags])
    return np.asarray(np.maximum(s1 - 2.0 * correlation, 0.0).T)
