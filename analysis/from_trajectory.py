"""Analyses of selections in a trajectory, one frame in memory at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.analysis.diffusion import self_diffusion
from superionic.analysis.followed_particles import (
    cell_of,
    chosen_range,
    follow_particles,
    particles_of,
)
from superionic.analysis.rdf import BIN_ANG, RDF, PairCounter
from superionic.analysis.van_hove import van_hove_distinct, van_hove_self
from superionic.structures.errors import TrajectoryError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from superionic.analysis.diffusivity import Diffusivity
    from superionic.analysis.trajectory import Trajectory
    from superionic.analysis.van_hove import VanHove


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
        other_groups=groups[second], same=np.array_equal(first, second),
        names=(centres, others),
    )  # fmt: skip
    for frame in trajectory.frames(*chosen_range(frames)):
        counter.add(frame.positions[first], frame.positions[second], cell_of(frame, trajectory))
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
    step = frames.step or 1
    group = particles_of(trajectory, selection, molecules=molecules)
    followed = follow_particles(trajectory, {selection: group}, frames=frames)
    return self_diffusion(
        followed.positions[selection],
        dt_ps=(dt_ps or trajectory.dt_ps) * step,
        drift_ang=followed.centre_ang if drift else None,
        **options,
    )


def van_hove_from(
    trajectory: Trajectory,
    selection: str,
    *,
    lags: ArrayLike,
    others: str | None = None,
    molecules: bool = False,
    drift: bool = True,
    r_max_ang: float | None = None,
    bin_ang: float = 0.1,
    frames: slice = slice(None),
    dt_ps: float | None = None,
) -> VanHove:
    """Return the van Hove function of a selection: its own, or around it that of others.

    Parameters
    ----------
    trajectory
        The trajectory; for the distinct function of one cell in all frames.
    selection
        Atoms that are followed.
    lags
        In frames that were taken.
    others
        Atoms looked for around the places where those were. May be the same selection.
    molecules
        Take the centres of mass of the molecules that the selections touch.
    drift
        Whether to subtract the motion of the centre of mass of all atoms; only for its own.
    r_max_ang, bin_ang
        Largest distance, by default 20 A or that of the largest sphere in the cell, and width of a
        shell in angstrom.
    frames
        Frames to take.
    dt_ps
        Time between frames of the file in ps; by default as the file says.

    Raises
    ------
    TrajectoryError
        As :func:`follow_particles`; the cell changes, or a lag is longer than the run.
    """
    groups = {"": particles_of(trajectory, selection, molecules=molecules)}
    if others is not None and others != selection:
        groups["others"] = particles_of(trajectory, others, molecules=molecules)
    followed = follow_particles(trajectory, groups, frames=frames)
    spacing = (dt_ps or trajectory.dt_ps) * (frames.step or 1)
    if others is None:
        return van_hove_self(
            followed.positions[""], dt_ps=spacing, lags=lags, bin_ang=bin_ang,
            r_max_ang=20.0 if r_max_ang is None else r_max_ang,
            drift_ang=followed.centre_ang if drift else None,
        )  # fmt: skip
    return van_hove_distinct(
        followed.positions[""], followed.positions.get("others"),
        cell=_one_cell(trajectory, frames), dt_ps=spacing, lags=lags, r_max_ang=r_max_ang,
        bin_ang=bin_ang,
    )  # fmt: skip


def _one_cell(trajectory: Trajectory, frames: slice) -> NDArray[np.float64]:
    """Return the cell of all frames.

    Raises
    ------
    TrajectoryError
        It changes.
    """
    first: NDArray[np.float64] | None = None
    for frame in trajectory.frames(*chosen_range(frames)):
        cell = cell_of(frame, trajectory)
        first = cell if first is None else first
        if not np.allclose(cell, first, rtol=1e-4, atol=1e-3):
            raise TrajectoryError(
                f"The cell of {trajectory.source} changes up to frame {frame.index}; a distinct "
                "van Hove function needs one cell in all frames (NVT)."
            )
    if first is None:
        raise TrajectoryError(f"No frame of {trajectory.source} was chosen.")
    return first
