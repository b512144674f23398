"""Universes of MDAnalysis: opened, guarded against damage, asked for times and molecules."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.analysis.lammps_dumps import dump_columns, is_dump, ps_per_step, set_masses
from superionic.analysis.symbols import complete_symbols
from superionic.structures.errors import TrajectoryError
from superionic.structures.structure import readonly

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from MDAnalysis import Universe
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class OpenUniverse:
    """A universe, and what it says of times and molecules.

    Attributes
    ----------
    universe : Universe
        Of MDAnalysis.
    source : str
        The file, or what was given instead of one.
    timed_ps : float or None
        Time between its frames in ps; None where it has none.
    step_ps : float or None
        Time of one step in ps, where frames count in steps.
    alone : bool
        Nothing says which atoms make a molecule.
    """

    universe: Any
    source: str
    timed_ps: float | None
    step_ps: float | None
    alone: bool


def universe_of_files(file: Path, topology: Path | str | None, dt_ps: float | None) -> OpenUniverse:
    """Open a trajectory with MDAnalysis."""
    from MDAnalysis import Universe

    lammps = is_dump(file)
    if topology is None and not lammps and file.suffix.lower() not in (".pdb", ".gro", ".tpr"):
        raise TrajectoryError(
            f"{file.name} does not say what its atoms are: give the topology of the same system "
            "(`--top`: a PDB or GRO file, or LAMMPS data)."
        )
    first = file if topology is None else Path(topology).expanduser()
    formats: dict[str, Any] = {"format": "LAMMPSDUMP", "dt": 1.0} if lammps else {}
    if lammps and topology is None:
        if "element" not in dump_columns(file):
            raise TrajectoryError(
                f"{file.name} has no column of elements: give the topology of the same system "
                "(LAMMPS data), or dump the column `element` too."
            )
        formats["topology_format"] = "LAMMPSDUMP"
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            universe = Universe(
                str(first), str(file), to_guess=("types", "masses", "elements"), **formats
            )
            complete_symbols(universe)
            if lammps and topology is None:
                set_masses(universe, file)
            stored = float(universe.trajectory.dt)
            step_ps = ps_per_step(universe, dt_ps) if lammps else None
    except (OSError, ValueError, TypeError, EOFError, ImportError) as error:
        raise TrajectoryError(
            f"{file.name} with {first.name} cannot be read: {error}. The topology must hold the "
            "same atoms as the trajectory; a file that is cut off has lost its end."
        ) from error
    alone = lammps and topology is None and "mol" not in dump_columns(file)
    timed = None if lammps or _timeless(said) else stored
    return OpenUniverse(universe, str(file), timed, step_ps, alone)


def universe_in_memory(universe: Universe, dt_ps: float | None) -> OpenUniverse:
    """Take a universe that somebody else made, with its own names and its own times."""
    reader = universe.trajectory
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        times = [float(reader[k].time) for k in range(min(2, len(reader)))]
        reader[0]
    steps = dt_ps is not None and str(reader.format) == "LAMMPSDUMP"
    return OpenUniverse(
        universe=universe,
        source=f"the universe of {reader.filename or 'arrays'}",
        timed_ps=None if _timeless(said) else times[-1] - times[0],
        step_ps=ps_per_step(universe, dt_ps) if steps else None,
        alone=not hasattr(universe.atoms, "resids") and len(universe.residues) < 2,
    )


def _timeless(said: Sequence[warnings.WarningMessage]) -> bool:
    return any("no dt information" in str(w.message) for w in said)


def guarded(trajectory: Any, chosen: slice, source: str) -> Iterator[Any]:
    """Iterate over frames; a frame that is cut off becomes an error that says which."""
    read_so_far = -1
    try:
        for step in trajectory[chosen]:
            read_so_far = int(step.frame)
            yield step
    except (OSError, EOFError, ValueError) as error:
        raise TrajectoryError(
            f"{Path(source).name} is damaged or cut off behind frame {read_so_far}: {error}. Use "
            f"the frames up to it (stop={read_so_far + 1})."
        ) from error


def molecules_of(universe: Any, *, alone: bool) -> tuple[NDArray[np.int64], str]:
    """Return the molecule of each atom, and where that is from."""
    from MDAnalysis.exceptions import NoDataError

    if alone:
        return readonly(np.arange(len(universe.atoms)), np.int64), "every atom for itself"
    try:
        if len(universe.bonds):
            return readonly(universe.atoms.fragindices, np.int64), "bonds of the topology"
    except (NoDataError, AttributeError):
        pass
    return readonly(universe.atoms.resindices, np.int64), "residues of the topology"
