"""Transport, contacts and residence of selections in a trajectory, read once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.contacts import ContactRecorder, Contacts, contact_cutoff
from superionic.analysis.onsager import onsager_coefficients
from superionic.analysis.rdf import PairCounter
from superionic.analysis.unwrapping import Unwrapper, centres_of_mass
from superionic.structures.errors import TrajectoryError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from superionic.analysis.onsager_result import OnsagerCoefficients
    from superionic.analysis.trajectory import Frame, Trajectory


@dataclass(frozen=True)
class IonSpecies:
    """A species of ions in a trajectory.

    Attributes
    ----------
    selection : str
        Atoms of it, in the words of MDAnalysis; some of each ion are enough.
    charge_e : float
        Formal charge of one ion in e.
    atoms : bool
        Take each atom selected as an ion, rather than the molecules that they belong to.
    """

    selection: str
    charge_e: float
    atoms: bool = False


def onsager_from(
    trajectory: Trajectory,
    species: Mapping[str, IonSpecies],
    *,
    temperature_K: float,
    charge_scale: float = 1.0,
    volume_ang3: float | None = None,
    drift: bool = True,
    frames: slice = slice(None),
    dt_ps: float | None = None,
) -> OnsagerCoefficients:
    """Return Onsager coefficients and the conductivity of ions in a trajectory.

    Positions are unwrapped by the steps of every atom; polyatomic ions count by their centres of
    mass, and the path of the centre of mass of all atoms is subtracted.

    Parameters
    ----------
    trajectory
        The trajectory.
    species
        By name.
    temperature_K
        In K.
    charge_scale
        What formal charges are multiplied with.
    volume_ang3
        Of the cell in angstrom^3; by default the mean over frames.
    drift
        Whether to subtract the motion of the centre of mass of all atoms.
    frames
        Frames to take.
    dt_ps
        Time between frames of the file in ps; by default as the file says.

    Raises
    ------
    TrajectoryError
        As the reading of frames; a selection is empty, species share an ion, or there is neither a
        cell nor a volume.
    """
    groups = {name: _ions(trajectory, s) for name, s in species.items()}
    _check_apart(groups)
    masses, follow = trajectory.masses, Unwrapper()
    kept: dict[str, list[NDArray[np.float64]]] = {name: [] for name in species}
    path, volumes = [], []
    for frame in trajectory.frames(*_range(frames)):
        x = frame.positions
        if frame.cell is not None:
            x = follow.add(x, frame.cell)
            volumes.append(abs(float(np.linalg.det(frame.cell))))
        path.append(masses @ x / masses.sum())
        for name, group in groups.items():
            kept[name].append(centres_of_mass(x, masses, group))
    if len(path) < 2:
        raise TrajectoryError(f"{len(path)} frames were chosen; two are needed at least.")
    if volume_ang3 is None and len(volumes) < len(path):
        raise TrajectoryError(
            f"{trajectory.source} has frames without a cell: give the volume in angstrom^3."
        )
    centre = np.stack(path)
    return onsager_coefficients(
        {name: np.stack(x) for name, x in kept.items()},
        charges={name: s.charge_e for name, s in species.items()},
        dt_ps=(dt_ps or trajectory.dt_ps) * (frames.step or 1), temperature_K=temperature_K,
        volume_ang3=volumes if volume_ang3 is None else volume_ang3, charge_scale=charge_scale,
        drift_ang=centre - centre[0] if drift else None,
    )  # fmt: skip


def contacts_from(
    trajectory: Trajectory,
    centres: str,
    partners: str,
    *,
    cutoffs_ang: tuple[float | None, ...] = (None,),
    atoms: bool = False,
    frames: slice = slice(None),
) -> tuple[Contacts, ...]:
    """Return which centres touch which partners.

    Parameters
    ----------
    trajectory
        The trajectory.
    centres, partners
        Selections of atoms: cations, and coordinating atoms of anions or of a solvent.
    cutoffs_ang
        Distances of a contact in angstrom; None for the first minimum of g(r) of both selections.
    atoms
        Take each partner atom by itself, rather than the molecules that they belong to.
    frames
        Frames to take.

    Returns
    -------
    tuple of Contacts
        One for each distance.

    Raises
    ------
    TrajectoryError
        As the reading of frames; a selection is empty, or frames have no cell.
    EvidenceError
        g(r) has no first minimum.
    """
    first, second = trajectory.select(centres), trajectory.select(partners)
    if np.intersect1d(first, second).size:
        raise TrajectoryError(f"{centres!r} and {partners!r} share atoms; name two kinds.")
    distances = [
        _first_minimum(trajectory, first, second, (centres, partners), frames)
        if c is None
        else (c, "given")
        for c in cutoffs_ang
    ]
    molecule = np.arange(len(second)) if atoms else trajectory.molecules[second]
    groups = np.unique(molecule, return_inverse=True)[1]
    recorders = [ContactRecorder(cutoff_ang=d, groups=groups, cutoff_rule=r) for d, r in distances]
    for frame in trajectory.frames(*_range(frames)):
        cell = _cell(frame, trajectory)
        for recorder in recorders:
            recorder.add(frame.positions[first], frame.positions[second], cell)
    return tuple(recorder.result() for recorder in recorders)


def _first_minimum(
    trajectory: Trajectory,
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    names: tuple[str, str],
    frames: slice,
) -> tuple[float, str]:
    """Return the first minimum of g(r) of two selections."""
    counter = PairCounter(names=names)
    for frame in trajectory.frames(*_range(frames)):
        cell = _cell(frame, trajectory)
        counter.add(frame.positions[first], frame.positions[second], cell)
    return contact_cutoff(counter.result())


def _ions(trajectory: Trajectory, species: IonSpecies) -> NDArray[np.int64]:
    """Return the ion of each atom, -1 for atoms of others. shape=(atoms,)."""
    chosen = trajectory.select(species.selection)
    group = np.full(trajectory.atoms, -1, dtype=np.int64)
    if species.atoms:
        group[chosen] = np.arange(len(chosen))
        return group
    wanted = np.unique(trajectory.molecules[chosen])
    place = np.minimum(np.searchsorted(wanted, trajectory.molecules), len(wanted) - 1)
    inside = wanted[place] == trajectory.molecules
    group[inside] = place[inside]
    return group


def _check_apart(groups: Mapping[str, NDArray[np.int64]]) -> None:
    """Refuse atoms that belong to two species."""
    held = np.sum([g >= 0 for g in groups.values()], axis=0)
    if (held > 1).any():
        raise TrajectoryError(
            f"Atom {int(np.argmax(held > 1))} belongs to two of the species {list(groups)}: their "
            "selections overlap, or touch the same molecule (then take atoms)."
        )


def _range(frames: slice) -> tuple[int, int | None, int]:
    return frames.start or 0, frames.stop, frames.step or 1


def _cell(frame: Frame, trajectory: Trajectory) -> NDArray[np.float64]:
    if frame.cell is None:
        raise TrajectoryError(
            f"Frame {frame.index} of {trajectory.source} has no cell, without which contacts "
            "cannot be told: write trajectories with the cell."
        )
    return frame.cell
