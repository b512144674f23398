"""Particles of a trajectory followed through the walls of its cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.particle_store import MEMORY_BYTES, ParticleStore
from superionic.analysis.unwrapping import Unwrapper, centres_of_mass
from superionic.structures.errors import TrajectoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from superionic.analysis.trajectory import Frame, Trajectory


@dataclass(frozen=True, eq=False)
class FollowedParticles:
    """Particles followed through a trajectory.

    Attributes
    ----------
    positions : dict of str to ndarray
        Continuous positions in angstrom by name; where they are many, in a temporary file.
        shape=(frames, particles, 3) each
    centre_ang : ndarray
        Path of the centre of mass of all atoms in angstrom, from the origin. shape=(frames, 3)
    volume_ang3 : ndarray or None
        Of the cell in each frame, in angstrom^3; None where frames have none. shape=(frames,)
    """

    positions: dict[str, NDArray[np.float64]]
    centre_ang: NDArray[np.float64]
    volume_ang3: NDArray[np.float64] | None


def follow_particles(
    trajectory: Trajectory,
    groups: Mapping[str, NDArray[np.int64]],
    *,
    frames: slice = slice(None),
    memory_bytes: int = MEMORY_BYTES,
) -> FollowedParticles:
    """Follow particles through the walls of the cell, one frame in memory at a time.

    Positions are unwrapped by the steps of every atom, where frames have a cell.

    Parameters
    ----------
    trajectory
        The trajectory.
    groups
        By name the particle that each atom belongs to, -1 for none; particles of several atoms
        count by their centre of mass. shape=(atoms,) each
    frames
        Frames to take.
    memory_bytes
        Beyond this positions are kept in a temporary file.

    Raises
    ------
    TrajectoryError
        As the reading of frames; steps are too long to be followed, some frames have a cell and
        others none, fewer than two frames were chosen, or a molecule has no mass.
    """
    most = len(range(trajectory.frame_count)[frames])
    stores = {
        name: ParticleStore(most, int(group.max()) + 1, memory_bytes=memory_bytes)
        for name, group in groups.items()
    }
    _check_masses(trajectory)
    take = {name: _taker(group, trajectory.masses) for name, group in groups.items()}
    weights, follow = trajectory.masses / trajectory.masses.sum(), Unwrapper()
    path: list[NDArray[np.float64]] = []
    volumes: list[float] = []
    for frame in trajectory.frames(*chosen_range(frames)):
        x = frame.positions
        if frame.cell is not None:
            x = follow.add(x, frame.cell)
            volumes.append(abs(float(np.linalg.det(frame.cell))))
        path.append(weights @ x)
        if 0 < len(volumes) < len(path):
            raise TrajectoryError(
                f"Some frames of {trajectory.source} up to {frame.index} have a cell and others "
                "none; they cannot be followed. Write all with it."
            )
        for name, store in stores.items():
            store.add(take[name](x))
    if len(path) < 2:
        raise TrajectoryError(
            f"{len(path)} frames of {trajectory.source} were chosen; two are needed at least."
        )
    centre = np.stack(path)
    return FollowedParticles(
        {name: store.positions() for name, store in stores.items()}, centre - centre[0],
        np.array(volumes) if volumes else None,
    )  # fmt: skip


def _check_masses(trajectory: Trajectory) -> None:
    """Raise if a molecule has no mass; a site without mass in a molecule that has some is usual."""
    if not trajectory.masses.sum() > 0:
        raise TrajectoryError(
            f"No atom of {trajectory.source} has a mass, so the centre of all mass is not known: "
            "give a topology with elements or masses."
        )
    _, place = np.unique(trajectory.molecules, return_inverse=True)
    lost = np.flatnonzero(np.bincount(place, weights=trajectory.masses)[place] <= 0)
    if len(lost):
        raise TrajectoryError(
            f"{len(lost)} atoms of {trajectory.source}, the first of them atom {lost[0] + 1}, are "
            "in molecules without any mass: their elements were not understood, and the centre of "
            "all mass would leave them out. Give a topology with elements or masses."
        )


def _taker(
    group: NDArray[np.int64], masses: NDArray[np.float64]
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Return what picks the particles from the positions of all atoms."""
    atoms = np.flatnonzero(group >= 0)
    if len(atoms) == int(group.max()) + 1:
        alone = atoms[np.argsort(group[atoms])]
        return lambda x: x[alone]
    return lambda x: centres_of_mass(x, masses, group)


def particles_of(
    trajectory: Trajectory, selection: str, *, molecules: bool = False
) -> NDArray[np.int64]:
    """Return the particle of each atom, -1 for atoms that were not selected. shape=(atoms,).

    Parameters
    ----------
    trajectory
        The trajectory.
    selection
        Atoms, each a particle of its own.
    molecules
        The molecules that they belong to are the particles.
    """
    chosen = trajectory.select(selection)
    group = np.full(trajectory.atoms, -1, dtype=np.int64)
    if not molecules:
        group[chosen] = np.arange(len(chosen))
        return group
    wanted = np.unique(trajectory.molecules[chosen])
    place = np.minimum(np.searchsorted(wanted, trajectory.molecules), len(wanted) - 1)
    inside = wanted[place] == trajectory.molecules
    group[inside] = place[inside]
    return group


def chosen_range(frames: slice) -> tuple[int, int | None, int]:
    """Return first frame, frame to stop before, and step."""
    return frames.start or 0, frames.stop, frames.step or 1


def cell_of(frame: Frame, trajectory: Trajectory) -> NDArray[np.float64]:
    """Return the cell of a frame.

    Raises
    ------
    TrajectoryError
        It has none.
    """
    if frame.cell is None:
        raise TrajectoryError(
            f"Frame {frame.index} of {trajectory.source} has no cell, without which there is no "
            "density and are no contacts: write trajectories with the cell."
        )
    return frame.cell
