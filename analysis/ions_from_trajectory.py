"""Transport, contacts and residence of selections in a trajectory, read once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.contacts import ContactRecorder, Contacts, contact_cutoff
from superionic.analysis.followed_particles import (
    cell_of,
    chosen_range,
    follow_particles,
    particles_of,
)
from superionic.analysis.from_trajectory import rdf_from
from superionic.analysis.onsager import onsager_coefficients
from superionic.analysis.polymer_hops import chain_hops_from_trajectory
from superionic.structures.errors import TrajectoryError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from superionic.analysis.onsager_result import OnsagerCoefficients
    from superionic.analysis.polymer_hops import PolymerHops
    from superionic.analysis.trajectory import Trajectory


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
    groups = {
        name: particles_of(trajectory, s.selection, molecules=not s.atoms)
        for name, s in species.items()
    }
    _check_apart(groups)
    followed = follow_particles(trajectory, groups, frames=frames)
    volume = followed.volume_ang3 if volume_ang3 is None else volume_ang3
    if volume is None:
        raise TrajectoryError(
            f"{trajectory.source} has frames without a cell: give the volume in angstrom^3."
        )
    return onsager_coefficients(
        followed.positions,
        charges={name: s.charge_e for name, s in species.items()},
        dt_ps=(dt_ps or trajectory.dt_ps) * (frames.step or 1), temperature_K=temperature_K,
        volume_ang3=volume, charge_scale=charge_scale,
        drift_ang=followed.centre_ang if drift else None,
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
        (c, "given")
        if c is not None
        else contact_cutoff(
            rdf_from(trajectory, centres, partners, own_molecule=True, frames=frames)
        )
        for c in cutoffs_ang
    ]
    molecule = np.arange(len(second)) if atoms else trajectory.molecules[second]
    groups = np.unique(molecule, return_inverse=True)[1]
    recorders = [ContactRecorder(cutoff_ang=d, groups=groups, cutoff_rule=r) for d, r in distances]
    for frame in trajectory.frames(*chosen_range(frames)):
        cell = cell_of(frame, trajectory)
        for recorder in recorders:
            recorder.add(frame.positions[first], frame.positions[second], cell)
    return tuple(recorder.result() for recorder in recorders)


def _check_apart(groups: Mapping[str, NDArray[np.int64]]) -> None:
    """Refuse atoms that belong to two species."""
    held = np.sum([g >= 0 for g in groups.values()], axis=0)
    if (held > 1).any():
        raise TrajectoryError(
            f"Atom {int(np.argmax(held > 1))} belongs to two of the species {list(groups)}: their "
            "selections overlap, or touch the same molecule (then take atoms)."
        )


def polymer_hops_from(
    trajectory: Trajectory,
    cations: str,
    donors: str,
    *,
    dwell_ps: float,
    cutoff_ang: float | None = None,
    frames: slice = slice(None),
    dt_ps: float | None = None,
) -> PolymerHops:
    """Return the hops of cations between and along the molecules that hold them.

    Parameters
    ----------
    trajectory
        The trajectory, whose topology says which atoms make a chain.
    cations, donors
        Selections of atoms: the ions, and the atoms of chains that coordinate them.
    dwell_ps
        How long a new site must last to count, in ps.
    cutoff_ang
        Distance of a contact in angstrom; by default the first minimum of g(r).
    frames
        Frames to take.
    dt_ps
        Time between frames of the file in ps; by default as the file says.

    Raises
    ------
    TrajectoryError
        As :func:`contacts_from`.
    EvidenceError
        g(r) has no first minimum, or the run is shorter than two dwell times.
    """
    found = contacts_from(
        trajectory, cations, donors, cutoffs_ang=(cutoff_ang,), atoms=True, frames=frames
    )[0]
    molecules = trajectory.molecules[trajectory.select(donors)]
    chain = np.unique(molecules, return_inverse=True)[1]
    return chain_hops_from_trajectory(
        found, donor_chain=chain, dt_ps=(dt_ps or trajectory.dt_ps) * (frames.step or 1),
        dwell_ps=dwell_ps,
    )  # fmt: skip
