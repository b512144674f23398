"""Trajectories of any common format, read frame by frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from superionic.analysis.ase_trajectories import Image, frames_of_images, open_ase_file
from superionic.analysis.estimate import html_table
from superionic.analysis.text_trajectories import PlainFrames, read_extxyz, read_xdatcar
from superionic.analysis.universes import (
    OpenUniverse,
    guarded,
    molecules_of,
    universe_in_memory,
    universe_of_files,
)
from superionic.structures.errors import TrajectoryError
from superionic.structures.structure import readonly

if TYPE_CHECKING:
    from MDAnalysis import Universe


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame.

    Attributes
    ----------
    index : int
        Its place in the file.
    time_ps : float or None
        Its time in ps; None where the file has none.
    positions : ndarray
        In angstrom, as they were written. shape=(atoms, 3)
    cell : ndarray or None
        Lattice vectors as rows in angstrom; None where the file has none. shape=(3, 3)
    """

    index: int
    time_ps: float | None
    positions: NDArray[np.float64]
    cell: NDArray[np.float64] | None


@dataclass(frozen=True, eq=False)
class Trajectory:
    """Frames on disk or in memory, and what their atoms are.

    Attributes
    ----------
    source : str
        The file, or what was given instead of one.
    atoms : int
        Atoms in every frame.
    frame_count : int
        Frames in the file.
    dt_ps : float
        Time between frames in ps.
    masses : ndarray
        In g/mol. shape=(atoms,)
    molecules : ndarray
        Number of the molecule of each atom, from bonds where the topology has them, else from its
        residues. shape=(atoms,)
    molecule_rule : str
        Which of the two.
    """

    source: str
    atoms: int
    frame_count: int
    dt_ps: float
    masses: NDArray[np.float64]
    molecules: NDArray[np.int64]
    molecule_rule: str
    _universe: Any = field(repr=False)
    _frames: Callable[[slice], Iterator[Frame]] = field(repr=False)

    def select(self, words: str) -> NDArray[np.int64]:
        """Return the indices of the atoms of a selection in the language of MDAnalysis.

        Such as ``element Na``, ``name O1 O2``, ``resname TFSI and element O``.

        Raises
        ------
        TrajectoryError
            It is no selection, or selects nothing.
        """
        from MDAnalysis.exceptions import SelectionError

        try:
            found = self._universe.select_atoms(words)
        except (SelectionError, AttributeError, ValueError) as error:
            raise TrajectoryError(
                f"{words!r} selects no atoms: {error}. Write selections like 'element Na', 'name "
                "OS' or 'resname TFSI and element O'; names are those of the topology."
            ) from error
        if not len(found):
            raise TrajectoryError(
                f"{words!r} selects no atoms. Elements here: {_some(self._names('elements'))}; "
                f"residues: {_some(self._names('resnames'))}."
            )
        return np.asarray(found.indices, dtype=np.int64)

    def frames(self, start: int = 0, stop: int | None = None, step: int = 1) -> Iterator[Frame]:
        """Yield frames; each is checked for numbers that are not finite and for its time.

        Raises
        ------
        TrajectoryError
            A frame is cut off, out of order in time, at an uneven interval, or not finite.
        """
        last: float | None = None
        gap: float | None = None
        for frame in self._frames(slice(start, stop, step)):
            if not np.isfinite(frame.positions).all():
                raise TrajectoryError(
                    f"Frame {frame.index} of {self.source} holds positions that are not finite "
                    f"numbers. Use the frames before it (stop={frame.index})."
                )
            if frame.time_ps is not None and last is not None:
                gap = _checked_gap(frame, last, gap, self.source)
            last = frame.time_ps
            yield frame

    def _repr_html_(self) -> str:
        """Return a table for notebooks; no frame is read for it."""
        rows = [
            ("frames", f"{self.frame_count}, {self.dt_ps:g} ps apart"),
            ("atoms", f"{self.atoms}: {_some(self._names('elements'))}"),
            ("molecules", f"{len(np.unique(self.molecules))}, by {self.molecule_rule}"),
        ]
        return html_table(f"Trajectory {Path(self.source).name}", rows)

    def _names(self, attribute: str) -> list[str]:
        values = getattr(self._universe.atoms, attribute, None)
        return [] if values is None else sorted({str(v) for v in values})


def read(
    source: Path | str | Universe | Sequence[Image],
    *,
    topology: Path | str | None = None,
    dt_ps: float | None = None,
) -> Trajectory:
    """Open a trajectory.

    Extended XYZ, XDATCAR, XTC, TRR, DCD, LAMMPS, ASE's own files, and whatever else MDAnalysis
    reads. Nothing but the first frames is read before frames are asked for.

    Parameters
    ----------
    source
        The file; or a universe of MDAnalysis, whose frames are read through it, so that it stands
        at the first one afterwards; or images of ASE.
    topology
        What its atoms are: PDB, GRO, LAMMPS data, ...; not needed for extended XYZ, XDATCAR and
        files of ASE.
    dt_ps
        Time between frames in ps, for files that do not say, or say it wrong. A universe in memory
        says 1 ps unless it was made with another.

    Raises
    ------
    TrajectoryError
        A file is missing, of another system, or cannot be read; or the time between frames is not
        known.
    """
    if dt_ps is not None and not (np.isfinite(dt_ps) and dt_ps > 0):
        raise TrajectoryError(f"The time between frames must be a positive number of ps: {dt_ps}.")
    if not isinstance(source, Path | str):
        if topology is not None:
            raise TrajectoryError("A topology belongs to a file; what is in memory has its atoms.")
        if hasattr(source, "select_atoms"):
            return _of_universe(universe_in_memory(source, dt_ps), dt_ps)
        return _from_plain("the images", frames_of_images(source, "the images"), dt_ps)
    file = Path(source).expanduser()
    for name in (file, *(() if topology is None else (Path(topology).expanduser(),))):
        if not name.is_file():
            raise TrajectoryError(f"There is no file {name}.")
    if "XDATCAR" in file.name.upper():
        return _from_plain(str(file), read_xdatcar(file), dt_ps)
    if topology is None and file.suffix.lower() in (".xyz", ".extxyz"):
        return _from_plain(str(file), read_extxyz(file), dt_ps)
    if topology is None and file.suffix.lower() == ".traj":
        return _from_plain(str(file), open_ase_file(file), dt_ps)
    return _of_universe(universe_of_files(file, topology, dt_ps), dt_ps)


def _of_universe(found: OpenUniverse, dt_ps: float | None) -> Trajectory:
    """Wrap a universe."""
    universe, timed = found.universe, found.timed_ps
    frame_count = len(universe.trajectory)
    if dt_ps is None and frame_count > 1:
        if timed is None:
            raise _no_time(found.source)
        dt_ps = timed
    molecules, rule = molecules_of(universe, alone=found.alone)

    def frames(chosen: slice) -> Iterator[Frame]:
        for step in guarded(universe.trajectory, chosen, found.source):
            size = step.dimensions
            cell = None if size is None else np.asarray(step.triclinic_dimensions, dtype=float)
            if found.step_ps is not None:
                time = float(step.data["step"] * found.step_ps)
            else:
                time = step.frame * (dt_ps or 1.0) if timed is None else float(step.time)
            yield Frame(int(step.frame), time, step.positions.astype(np.float64), cell)

    masses = getattr(universe.atoms, "masses", np.zeros(len(universe.atoms)))
    return Trajectory(
        found.source, len(universe.atoms), frame_count, dt_ps or 1.0, readonly(masses, float),
        molecules, rule, universe, frames,
    )  # fmt: skip


def _no_time(source: str) -> TrajectoryError:
    return TrajectoryError(
        f"{Path(source).name} does not say the time between its frames: give dt in ps."
    )


def _from_plain(source: str, found: PlainFrames, dt_ps: float | None) -> Trajectory:
    """Wrap frames without a topology in an empty universe, for its selections."""
    from ase.data import atomic_masses, atomic_numbers
    from MDAnalysis import Universe

    symbols = list(found.symbols)
    if dt_ps is None and found.count > 1:
        dt_ps = found.dt_ps
        if dt_ps is None:
            raise _no_time(source)
    n = len(symbols)
    universe = Universe.empty(n, n_residues=n, atom_resindex=np.arange(n), trajectory=False)
    universe.add_TopologyAttr("elements", symbols)
    universe.add_TopologyAttr("names", symbols)
    universe.add_TopologyAttr("types", symbols)
    masses = np.array([atomic_masses[atomic_numbers[s]] for s in symbols])

    def frames(chosen: slice) -> Iterator[Frame]:
        wanted = range(found.count)[chosen]
        for k, (positions, cell, time) in enumerate(found.frames()):
            if k >= wanted.stop:
                return
            if k in wanted:
                at = None if dt_ps is None else k * dt_ps
                yield Frame(k, at if time is None else time, positions, cell)

    return Trajectory(
        source, n, found.count, dt_ps or 1.0, readonly(masses, float),
        readonly(np.arange(n), np.int64), "every atom for itself", universe, frames,
    )  # fmt: skip


def _checked_gap(frame: Frame, last: float, gap: float | None, source: str) -> float:
    """Return the time since the last frame, after comparing it with the gaps before."""
    now = float(frame.time_ps or 0.0) - last
    if now <= 0:
        raise TrajectoryError(
            f"Frame {frame.index} of {source} is at {frame.time_ps:g} ps, not after the one before "
            f"at {last:g} ps: parts were joined in the wrong order or overlap."
        )
    if gap is not None and abs(now - gap) > 0.01 * gap + 2e-6 * abs(last):
        raise TrajectoryError(
            f"Frame {frame.index} of {source} comes {now:g} ps after the one before, frames before "
            f"it {gap:g} ps: frames are missing or were saved at another interval."
        )
    return now if gap is None else gap


def _some(names: list[str]) -> str:
    return ", ".join(names[:12]) + (", ..." if len(names) > 12 else "") if names else "none"
