"""Analyses of selections in a trajectory, one frame in memory at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.analysis.diffusion import self_diffusion
from superionic.analysis.rdf import BIN_ANG, RDF, PairCounter
from superionic.analysis.unwrapping import Unwrapper, centres_of_mass
from superionic.structures.errors import TrajectoryError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from superionic.analysis.diffusivity import Diffusivity
    from superionic.analysis.trajectory import Frame, Trajectory


def rdf_from(
    trajectory: Trajectory,
    centres: str,
    others: str,
    *,
    r_max_ang: float | None = None,
    bin_ang: float = BIN_ANG,
    own_molecule: bool = False,
    frames: slice = slice(None),
    blocks: int = 10,
) -> RDF:
    """Return the radial distribution function of one selection around another.

    Parameters
    ----------
    trajectory
        The trajectory.
    centres, others
        Selections of atoms.
    r_max_ang, bin_ang
        Largest distance and width of a shell in angstrom.
    own_molecule
        Count neighbours in the molecule of a centre too.
    frames
        Frames to take.
    blocks
        Stretches of frames for the intervals.

    Raises
    ------
    TrajectoryError
        As the reading of frames; a selection is empty, or there is no cell.
    """
    first, second = trajectory.select(centres), trajectory.select(others)
    groups = np.arange(trajectory.atoms) if own_molecule else trajectory.molecules
    counter = PairCounter(
        r_max_ang=r_max_ang, bin_ang=bin_ang, centre_groups=groups[first],
        other_groups=groups[second], names=(centres, others),
    )  # fmt: skip
    for frame in trajectory.frames(*_range(frames)):
        counter.add(frame.positions[first], frame.positions[second], _cell(frame, trajectory))
    return counter.result(blocks=blocks)


def diffusion_from(
    trajectory: Trajectory,
    selection: str,
    *,
    molecules: bool = False,
    drift: bool = True,
    frames: slice = slice(None),
    dt_ps: float | None = None,
    **options: Any,
) -> Diffusivity:
    """Return the diffusion coefficient of a selection, or the verdict why there is none.

    Positions are unwrapped by the steps of every atom, where frames have a cell, and the path of
    the centre of mass of all atoms is subtracted.

    Parameters
    ----------
    trajectory
        The trajectory.
    selection
        Atoms whose displacements are averaged.
    molecules
        Take the centres of mass of the molecules that the selection touches, each as one particle.
    drift
        Whether to subtract the motion of the centre of mass of all atoms.
    frames
        Frames to take.
    dt_ps
        Time between frames of the file in ps; by default as the file says.
    options
        Handed on to :func:`~superionic.analysis.diffusion.self_diffusion`.

    Raises
    ------
    TrajectoryError
        As the reading of frames; a selection is empty, or steps are too long to be followed.
    """
    positions, path = open_positions(trajectory, selection, molecules=molecules, frames=frames)
    step = frames.step or 1
    return self_diffusion(
        positions,
        dt_ps=(dt_ps or trajectory.dt_ps) * step,
        drift_ang=path if drift else None,
        **options,
    )


def open_positions(
    trajectory: Trajectory, selection: str, *, molecules: bool = False, frames: slice = slice(None)
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return continuous positions of a selection, and the path of the centre of all mass.

    Returns
    -------
    ndarray
        Positions of atoms, or centres of mass of molecules, in angstrom. shape=(frames, n, 3)
    ndarray
        Path of the centre of mass in angstrom, from the origin. shape=(frames, 3)
    """
    chosen = trajectory.select(selection)
    groups = _molecules_of(trajectory, chosen) if molecules else None
    masses = trajectory.masses
    weight = float(masses.sum())
    follow = Unwrapper()
    kept, path = [], []
    for frame in trajectory.frames(*_range(frames)):
        x = frame.positions if frame.cell is None else follow.add(frame.positions, frame.cell)
        path.append(masses @ x / weight)
        kept.append(x[chosen] if groups is None else centres_of_mass(x, masses, groups))
    if len(kept) < 2:
        raise TrajectoryError(
            f"{len(kept)} frames of {trajectory.source} were chosen; two are needed at least."
        )
    centre = np.stack(path)
    return np.stack(kept), centre - centre[0]


def _molecules_of(trajectory: Trajectory, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the place of each atom's molecule among those touched; -1 for atoms of others."""
    wanted = np.unique(trajectory.molecules[chosen])
    place = np.searchsorted(wanted, trajectory.molecules)
    place[place == len(wanted)] = 0
    return np.where(wanted[place] == trajectory.molecules, place, -1)


def _range(frames: slice) -> tuple[int, int | None, int]:
    return frames.start or 0, frames.stop, frames.step or 1


def _cell(frame: Frame, trajectory: Trajectory) -> NDArray[np.float64]:
    if frame.cell is None:
        raise TrajectoryError(
            f"Frame {frame.index} of {trajectory.source} has no cell, without which there is no "
            "density: write trajectories with the cell."
        )
    return frame.cell
