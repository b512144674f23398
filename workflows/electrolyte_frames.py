"""Once through the frames of an electrolyte: what surrounds its cations, and where they go."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from ase.data import atomic_masses

from superionic.analysis.rdf import PairCounter
from superionic.structures.errors import TrajectoryError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from superionic.analysis.rdf import RDF
    from superionic.structures.box import Box
    from superionic.structures.structure import Structure
    from superionic.workflows.electrolyte_md import Observables


@dataclass(frozen=True, eq=False)
class Followed:
    """What the frames show.

    Attributes
    ----------
    around : tuple of RDF
        Oxygens of the anion, and of the polymer, around the cation.
    path : ndarray
        Positions of the cations in angstrom, the drift of the whole box taken off.
        shape=(frames, cations, 3)
    last : Structure
        The last frame.
    """

    around: tuple[RDF, ...]
    path: NDArray[np.float64]
    last: Structure


def follow(trajectory: Path, topology: Path, box: Box, seen: Observables) -> Followed:
    """Go through the frames once.

    Parameters
    ----------
    trajectory, topology
        Files of the run.
    box
        What was run.
    seen
        What is read off.

    Raises
    ------
    TrajectoryError
        A frame is damaged.
    """
    from superionic.analysis.trajectory import read

    cations = _atoms(box, seen.cation)
    oxygens = [_atoms(box, residue, 8) for residue in (seen.anion, seen.polymer)]
    around = [
        PairCounter(r_max_ang=seen.r_max_ang, bin_ang=seen.bin_ang, names=(seen.cation, f"O({of})"))
        for of in (seen.anion, seen.polymer)
    ]
    weights = atomic_masses[box.structure.numbers]
    path, drift, last = [], [], box.structure
    for frame in read(trajectory, topology=topology).frames():
        if frame.cell is None:
            raise TrajectoryError(f"Frame {frame.index} of {trajectory} is damaged: no cell.")
        for counter, others in zip(around, oxygens, strict=True):
            counter.add(frame.positions[cations], frame.positions[others], frame.cell)
        path.append(frame.positions[cations])
        drift.append(np.average(frame.positions, axis=0, weights=weights))
        last = replace(box.structure, positions=frame.positions, cell=frame.cell)
    return Followed(
        tuple(counter.result(blocks=seen.blocks) for counter in around),
        np.array(path) - (np.array(drift) - drift[0])[:, None],
        last,
    )


def _atoms(box: Box, residue: str, number: int | None = None) -> NDArray[np.int64]:
    """Return the atoms of a component, or those of one element of it."""
    found = np.concatenate([np.array(m) for m in box.molecules_of(residue)])
    return found if number is None else found[box.structure.numbers[found] == number]
