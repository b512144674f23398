"""What dumps of LAMMPS say of their atoms and times, and what they do not."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from superionic.structures.errors import TrajectoryError

if TYPE_CHECKING:
    from pathlib import Path

SUFFIXES = (".lammpstrj", ".lammpsdump", ".dump")


def is_dump(path: Path) -> bool:
    """Return whether a file is called like a dump."""
    return path.suffix.lower() in SUFFIXES


def dump_columns(path: Path) -> list[str]:
    """Return the columns of the atoms of the first frame; none if it is no dump."""
    with path.open(errors="replace") as stream:
        for line in itertools.islice(stream, 20):
            if line.startswith("ITEM: ATOMS"):
                return line.split()[2:]
    return []


def ps_per_step(universe: Any, dt_ps: float | None) -> float:
    """Return the time of a step in ps: dumps hold the number of the step, and no times.

    Parameters
    ----------
    universe
        An MDAnalysis universe of a dump.
    dt_ps
        Time between its first two frames in ps.
    """
    if dt_ps is None or universe.trajectory.n_frames < 2:
        return 1.0
    first, second = (int(universe.trajectory[k].data["step"]) for k in (0, 1))
    universe.trajectory.rewind()
    return dt_ps / max(abs(second - first), 1)


def set_masses(universe: Any, path: Path) -> None:
    """Give atoms the masses of their elements, where a dump has no column of masses.

    MDAnalysis gives elements of two letters a mass of 1.

    Parameters
    ----------
    universe
        An MDAnalysis universe of a dump with a column of elements; changed in place.
    path
        The dump.

    Raises
    ------
    TrajectoryError
        A symbol is no element.
    """
    from ase.data import atomic_masses, atomic_numbers

    if "mass" in dump_columns(path):
        return
    symbols = [str(s) for s in universe.atoms.elements]
    if not all(s in atomic_numbers for s in symbols):
        raise TrajectoryError(
            f"The column `element` of {path.name} holds names that are no elements: give the "
            "topology of the same system (LAMMPS data)."
        )
    universe.add_TopologyAttr("masses", [float(atomic_masses[atomic_numbers[s]]) for s in symbols])
