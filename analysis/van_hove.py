"""Van Hove functions: how far ions get in a time, and where the others are by then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.estimate import html_table
from superionic.analysis.mean_squared_displacement import checked_positions, particle_blocks
from superionic.analysis.pair_histogram import pair_histogram, widest_sphere_ang
from superionic.structures.errors import TrajectoryError
from superionic.structures.structure import readonly

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from superionic.analysis.figures.style import SavedFigure


@dataclass(frozen=True, eq=False)
class VanHove:
    """A van Hove function at several lags.

    Attributes
    ----------
    kind : {"self", "distinct"}
        Of one ion, or of an ion and the others.
    edges_ang : ndarray
        Edges of the shells in angstrom. shape=(bins + 1,)
    lag_ps : ndarray
        In ps. shape=(lags,)
    density : ndarray
        ``self``: 4 pi r^2 G_s in 1/angstrom, whose integral is 1; ``distinct``: G_d over the mean
        density, which is g(r) at lag 0 and goes to 1. shape=(lags, bins)
    beyond : ndarray
        Fraction of displacements beyond the last edge; zero for ``distinct``. shape=(lags,)
    non_gaussian : ndarray or None
        3 <r^4> / (5 <r^2>^2) - 1: 0 for Brownian motion, positive where some ions hop and others
        do not. None for ``distinct``. shape=(lags,)
    """

    kind: str
    edges_ang: NDArray[np.float64]
    lag_ps: NDArray[np.float64]
    density: NDArray[np.float64]
    beyond: NDArray[np.float64]
    non_gaussian: NDArray[np.float64] | None

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        for name in ("edges_ang", "lag_ps", "density", "beyond", "non_gaussian"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, readonly(value, np.float64))

    @property
    def r_ang(self) -> NDArray[np.float64]:
        """Middle of each shell in angstrom. shape=(bins,)."""
        return np.asarray(0.5 * (self.edges_ang[1:] + self.edges_ang[:-1]))

    @property
    def rows(self) -> tuple[tuple[str, str], ...]:
        """Names and values as text."""
        rows = [("kind", self.kind)]
        for k, lag in enumerate(self.lag_ps.tolist()):
            top = int(self.density[k].argmax())
            text = f"highest at {self.r_ang[top]:.2f} A"
            if self.non_gaussian is not None:
                text += f", non-Gaussian parameter {self.non_gaussian[k]:+.3f}"
            rows.append((f"after {lag:g} ps", text))
        return tuple(rows)

    def _repr_html_(self) -> str:
        """Return a table for notebooks."""
        return html_table("Van Hove function", self.rows)

    def plot(self, stem: str) -> SavedFigure:
        """Draw all lags into ``stem.png``, ``.svg`` and ``.csv``."""
        from superionic.analysis.figures.style import save_figure
        from superionic.analysis.figures.van_hove import van_hove_data, van_hove_figure

        return save_figure(van_hove_figure(self), stem, van_hove_data(self))


def van_hove_self(
    positions: ArrayLike,
    *,
    dt_ps: float,
    lags: ArrayLike,
    r_max_ang: float = 20.0,
    bin_ang: float = 0.1,
    cell: ArrayLike | None = None,
    drift_ang: ArrayLike | None = None,
) -> VanHove:
    """Return the distribution of displacements at some lags.

    Parameters
    ----------
    positions
        Continuous positions in angstrom. shape=(frames, ions, 3)
    dt_ps
        Time between frames in ps.
    lags
        In frames.
    r_max_ang, bin_ang
        Largest displacement and width of a shell in angstrom.
    cell
        Lattice vectors in angstrom, to unwrap with. shape=(3, 3) or (frames, 3, 3)
    drift_ang
        Path of the system's centre of mass in angstrom. shape=(frames, 3)
    """
    x = checked_positions(positions, dt_ps=dt_ps)
    chosen = _checked_lags(lags, len(x), least=1)
    edges = np.arange(round(r_max_ang / bin_ang) + 1.0) * bin_ang
    drift = None if drift_ang is None else np.asarray(drift_ang, dtype=float)
    counts = np.zeros((len(chosen), len(edges) - 1))
    second, fourth, total = np.zeros(len(chosen)), np.zeros(len(chosen)), np.zeros(len(chosen))
    for block in particle_blocks(x, cell=cell, drift_ang=drift):
        for k, lag in enumerate(chosen):
            squared = ((block[:, :, lag:] - block[:, :, :-lag]) ** 2).sum(axis=1).ravel()
            counts[k] += _shells(np.sqrt(squared), edges)
            second[k] += squared.sum()
            fourth[k] += (squared**2).sum()
            total[k] += squared.size
    mean = np.maximum(second / total, 1e-300)
    return VanHove(
        "self", edges, np.asarray(chosen * dt_ps, dtype=float), counts / (total[:, None] * bin_ang),
        1.0 - counts.sum(axis=1) / total, 3.0 * fourth / total / (5.0 * mean**2) - 1.0,
    )  # fmt: skip


def van_hove_distinct(
    positions: ArrayLike,
    others: ArrayLike | None = None,
    *,
    cell: ArrayLike,
    dt_ps: float,
    lags: ArrayLike,
    r_max_ang: float | None = None,
    bin_ang: float = 0.1,
    stride: int = 1,
) -> VanHove:
    """Return where other ions are, at some lags later, around the place an ion was at.

    Parameters
    ----------
    positions
        Positions in angstrom, wrapped or not. shape=(frames, ions, 3)
    others
        Those of another species; by default other ions of the same. shape=(frames, n, 3)
    cell
        Lattice vectors as rows in angstrom, constant. shape=(3, 3)
    dt_ps
        Time between frames in ps.
    lags
        In frames; 0 gives g(r).
    r_max_ang, bin_ang
        Largest distance, by default that of the largest sphere in the cell, and width of a shell.
    stride
        Frames between origins.
    """
    a = checked_positions(positions, dt_ps=dt_ps)
    b = a if others is None else checked_positions(others, dt_ps=dt_ps)
    h = np.asarray(cell, dtype=float)
    if h.shape != (3, 3) or len(a) != len(b) or stride < 1:
        raise TrajectoryError(
            f"Expected one cell (3, 3), equal frames and a stride from 1; got {h.shape}, {len(a)} "
            f"and {len(b)} frames, {stride}."
        )
    chosen = _checked_lags(lags, len(a), least=0)
    limit = 0.999 * widest_sphere_ang(h) if r_max_ang is None else r_max_ang
    if limit > widest_sphere_ang(h):
        raise TrajectoryError(
            f"The cell holds spheres of {widest_sphere_ang(h):.2f} A only: ask for less than "
            f"{limit:.2f} A."
        )
    edges = np.arange(max(int(limit / bin_ang + 1e-9), 1) + 1.0) * bin_ang
    shells = 4.0 / 3.0 * np.pi * np.diff(edges**3)
    pairs = a.shape[1] * (b.shape[1] - (others is None))
    density = np.zeros((len(chosen), len(shells)))
    for k, lag in enumerate(chosen):
        origins = range(0, len(a) - lag, stride)
        for t in origins:
            then, now = np.asarray(a[t], dtype=float), np.asarray(b[t + lag], dtype=float)
            density[k] += pair_histogram(then, now, h, edges_ang=edges)
            if others is None:
                density[k] -= _own(now - then, h, edges)
        density[k] /= len(origins) * pairs * shells / abs(np.linalg.det(h))
    return VanHove(
        "distinct",
        edges,
        np.asarray(chosen * dt_ps, dtype=float),
        density,
        np.zeros(len(chosen)),
        None,
    )


def _own(
    step: NDArray[np.float64], h: NDArray[np.float64], edges: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the counts that are of an ion and itself later on, by the nearest image."""
    fraction = step @ np.linalg.inv(h)
    return _shells(np.linalg.norm((fraction - np.rint(fraction)) @ h, axis=1), edges)


def _shells(distance: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how many distances lie in each shell of equal width."""
    shell = (distance[distance < edges[-1]] / edges[1]).astype(np.int64)
    return np.bincount(np.minimum(shell, len(edges) - 2), minlength=len(edges) - 1).astype(float)


def _checked_lags(lags: ArrayLike, frames: int, *, least: int) -> NDArray[np.int64]:
    chosen = np.unique(np.asarray(lags, dtype=np.int64))
    if chosen.ndim != 1 or not len(chosen) or chosen[0] < least or chosen[-1] >= frames:
        raise TrajectoryError(
            f"Lags are numbers of frames from {least} to {frames - 1}; got {chosen.tolist()}."
        )
    return chosen
