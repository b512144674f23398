"""Positions that went through the walls of a periodic cell, made continuous again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.errors import TrajectoryError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["LEAST_VOLUME", "LONGEST_STEP", "Unwrapper", "centres_of_mass", "unwrap"]

LONGEST_STEP = 0.4
"""Largest step between frames, as a fraction of the cell, of which the sign is still believed: past
half a cell a step and its image cannot be told apart."""
LEAST_VOLUME = 1e-6
"""Cells with less than this in angstrom^3 are none."""


class Unwrapper:
    """Follows particles frame by frame through the walls of a cell that may change.

    Each step is the shortest image of the wrapped one in the cell of its own frame, and the steps
    are summed: the toroidal-view-preserving scheme, which stays right where the cell breathes
    (von Bulow, Bullerjahn and Hummer, doi 10.1063/5.0008316; doi 10.1021/acs.jctc.3c00308). In a
    fixed cell it is the same as counting images.
    """

    def __init__(self) -> None:
        self._wrapped: NDArray[np.float64] | None = None
        self._open: NDArray[np.float64] | None = None
        self._frame = -1

    def add(self, positions: ArrayLike, cell: ArrayLike) -> NDArray[np.float64]:
        """Take the next frame and return its continuous positions.

        Parameters
        ----------
        positions
            Cartesian positions in angstrom, wrapped or not. shape=(particles, 3)
        cell
            Lattice vectors of this frame as rows, in angstrom. shape=(3, 3)

        Raises
        ------
        TrajectoryError
            A particle moved so far between two frames that nobody can tell which way.
        """
        new = np.array(positions, dtype=np.float64)
        self._frame += 1
        if self._wrapped is None or self._open is None:
            self._open = new.copy()
        else:
            self._open = self._open + self._steps(new, np.asarray(cell, dtype=np.float64))
        self._wrapped = new
        return self._open.copy()

    def _steps(self, new: NDArray[np.float64], cell: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the shortest images of the steps since the last frame in angstrom."""
        if self._wrapped is None or new.shape != self._wrapped.shape:
            was = None if self._wrapped is None else len(self._wrapped)
            raise TrajectoryError(
                f"Frame {self._frame} has {len(new)} particles, the one before {was}. A trajectory "
                "keeps its particles: read parts with other atoms one by one."
            )
        if cell.shape != (3, 3) or not abs(np.linalg.det(cell)) > LEAST_VOLUME:
            raise no_cell()
        fractional = (new - self._wrapped) @ np.linalg.inv(cell)
        fractional -= np.rint(fractional)
        longest = float(np.abs(fractional).max(initial=0.0))
        if longest > LONGEST_STEP:
            particle = int(np.abs(fractional).max(axis=1).argmax())
            raise _too_long(particle, self._frame, longest)
        return np.asarray(fractional @ cell)


def unwrap(positions: ArrayLike, cell: ArrayLike) -> NDArray[np.float64]:
    """Return continuous positions of a whole trajectory; the first frame is left as it is.

    Positions that are continuous already come back as they were.

    Parameters
    ----------
    positions
        In angstrom. shape=(frames, particles, 3)
    cell
        Lattice vectors as rows in angstrom, one cell or one for each frame. shape=(3, 3) or
        (frames, 3, 3)

    Raises
    ------
    TrajectoryError
        A step is too long to be followed, or the shapes disagree.
    """
    frames = np.asarray(positions, dtype=np.float64)
    if frames.ndim != 3 or frames.shape[2] != 3:
        raise TrajectoryError(f"Expected positions (frames, particles, 3), got {frames.shape}.")
    return unwrap_series(frames.transpose(1, 2, 0), cell).transpose(2, 0, 1)


def unwrap_series(series: NDArray[np.float64], cell: ArrayLike) -> NDArray[np.float64]:
    """Return continuous positions, the time running along the last axis.

    Parameters
    ----------
    series
        In angstrom. shape=(particles, 3, frames)
    cell
        Lattice vectors as rows in angstrom. shape=(3, 3) or (frames, 3, 3)

    Raises
    ------
    TrajectoryError
        A step is too long to be followed, or the shapes disagree.
    """
    cells, frames = np.asarray(cell, dtype=np.float64), series.shape[2]
    if cells.shape not in ((3, 3), (frames, 3, 3)):
        raise TrajectoryError(
            f"Expected one cell (3, 3), or one for each of {frames} frames; got {cells.shape}."
        )
    if not (np.abs(np.linalg.det(cells)) > LEAST_VOLUME).all():
        raise no_cell()
    steps = np.diff(series, axis=2)
    if cells.ndim == 2:
        fractional = np.matmul(np.linalg.inv(cells).T, steps)
    else:
        fractional = np.einsum("paf,fab->pbf", steps, np.linalg.inv(cells[1:]))
    fractional -= np.rint(fractional)
    longest = np.abs(fractional).max(axis=1, initial=0.0)
    if float(longest.max(initial=0.0)) > LONGEST_STEP:
        particle, frame = np.unravel_index(int(longest.argmax()), longest.shape)
        raise _too_long(int(particle), int(frame) + 1, float(longest.max()))
    if cells.ndim == 2:
        steps = np.matmul(cells.T, fractional)
    else:
        steps = np.einsum("paf,fab->pbf", fractional, cells[1:])
    np.cumsum(steps, axis=2, out=steps)
    return np.concatenate([series[:, :, :1], series[:, :, :1] + steps], axis=2)


def no_cell() -> TrajectoryError:
    """Return the error of positions that cannot be unwrapped for want of a cell."""
    return TrajectoryError(
        "There is no periodic cell: its volume is zero. Give the lattice vectors as rows in "
        "angstrom, or positions that are continuous already and no cell."
    )


def _too_long(particle: int, frame: int, longest: float) -> TrajectoryError:
    return TrajectoryError(
        f"Particle {particle} moves by {longest:.2f} of the cell between frames {frame - 1} and "
        f"{frame}; past half a cell nobody can tell which way. At most {LONGEST_STEP} is accepted: "
        "save frames more often, or write unwrapped positions."
    )


def centres_of_mass(
    positions: ArrayLike, masses: ArrayLike, groups: ArrayLike
) -> NDArray[np.float64]:
    """Return the centre of mass of each group of atoms in angstrom. shape=(groups, 3).

    Parameters
    ----------
    positions
        Continuous positions of one frame in angstrom: groups must not be torn apart, though their
        displacements are right even then. shape=(atoms, 3)
    masses
        In g/mol. shape=(atoms,)
    groups
        Number of the group of each atom, from 0 without gaps; atoms with -1 belong to none.
        shape=(atoms,)
    """
    group = np.asarray(groups)
    inside = group >= 0
    weights, index = np.asarray(masses, dtype=float)[inside], group[inside]
    x = np.asarray(positions, dtype=float)[inside]
    total = np.bincount(index, weights)
    if not (total > 0).all():
        raise TrajectoryError("A group has no mass; give masses in g/mol, groups 0, 1, 2, ...")
    return np.stack([np.bincount(index, weights * x[:, k]) / total for k in range(3)], axis=1)


def refuse_wrapped(series: NDArray[np.float64]) -> None:
    """Raise if positions that should be continuous jump through the walls of a cell.

    The sign of it: along some axis there are several steps nearly as long as the whole range of
    positions, in both directions, none of a length in between, and the range is filled.

    Parameters
    ----------
    series
        Positions in angstrom. shape=(particles, 3, frames)

    Raises
    ------
    TrajectoryError
        They look wrapped.
    """
    from superionic.analysis.loops import count_long_steps

    for axis in range(3):
        x = series[:, axis]
        low, high = float(x.min()), float(x.max())
        if not high > low:
            continue
        counts = np.zeros(3, dtype=np.int64)
        count_long_steps(counts, x, 0.45 * (high - low), 0.8 * (high - low))
        forwards, backwards, between = counts.tolist()
        if forwards + backwards < 3 or between:
            continue
        both = forwards > 0 and backwards > 0
        filled = np.unique(((x - low) / (high - low) * 19.999).astype(int)).size >= 15
        if both and filled:
            raise TrajectoryError(
                f"These positions jump {forwards + backwards} times by the whole range along axis "
                f"{'xyz'[axis]}: they are wrapped into a cell of about {high - low:.1f} A. Give "
                "the cell, or unwrap them first (superionic.analysis.unwrapping.unwrap)."
            )
