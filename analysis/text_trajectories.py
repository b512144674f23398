"""Extended XYZ and XDATCAR, read frame by frame."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from superionic.structures.errors import TrajectoryError

PlainFrame = tuple[NDArray[np.float64], NDArray[np.float64] | None, float | None]
"""Positions in angstrom, cell in angstrom, time in ps."""


@dataclass(frozen=True, eq=False)
class PlainFrames:
    """A trajectory of frames that hold symbols, positions and cell.

    Attributes
    ----------
    symbols : tuple of str
        Chemical symbol of each atom.
    count : int
        Frames in the file.
    dt_ps : float or None
        Time between the first two frames in ps, where the file says.
    frames : callable
        Yields the frames from the first on.
    """

    symbols: tuple[str, ...]
    count: int
    dt_ps: float | None
    frames: Callable[[], Iterator[PlainFrame]]


def read_extxyz(path: Path) -> PlainFrames:
    """Open extended XYZ; times are taken from ``time`` (fs, as ASE writes) or ``time_ps``.

    Raises
    ------
    TrajectoryError
        It is not extended XYZ, frames differ in their atoms, or the last one is cut off.
    """
    symbols, count, times = _scan_extxyz(path)
    dt = None
    if len(times) == 2 and times[0] is not None and times[1] is not None:
        dt = times[1] - times[0]
    return PlainFrames(symbols, count, dt, lambda: _extxyz_frames(path, symbols))


def _scan_extxyz(path: Path) -> tuple[tuple[str, ...], int, list[float | None]]:
    """Count frames and look at the first two."""
    symbols: tuple[str, ...] = ()
    count, times = 0, []
    with path.open() as stream:
        while line := stream.readline():
            if not line.strip():
                continue
            atoms, comment = _extxyz_head(line, stream.readline(), path, count)
            rows = [stream.readline() for _ in range(atoms)]
            if not rows[-1].strip():
                raise TrajectoryError(
                    f"{path.name} is cut off in frame {count}: {atoms} atoms were announced. "
                    "Remove that frame."
                )
            if count == 0:
                column = _extxyz_columns(comment)[0]
                symbols = tuple(row.split()[column] for row in rows)
            if count < 2:
                times.append(_extxyz_time(comment))
            count += 1
    if not count:
        raise TrajectoryError(f"{path.name} holds no frame.")
    return symbols, count, times


def _extxyz_frames(path: Path, symbols: tuple[str, ...]) -> Iterator[PlainFrame]:
    """Yield the frames of extended XYZ."""
    frame = 0
    with path.open() as stream:
        while line := stream.readline():
            if not line.strip():
                continue
            atoms, comment = _extxyz_head(line, stream.readline(), path, frame)
            rows = [stream.readline().split() for _ in range(atoms)]
            species, first = _extxyz_columns(comment)
            if tuple(row[species] for row in rows) != symbols:
                raise TrajectoryError(
                    f"Frame {frame} of {path.name} has other atoms, or in another order, than the "
                    "first."
                )
            positions = np.array([row[first : first + 3] for row in rows], dtype=float)
            yield positions, _extxyz_cell(comment), _extxyz_time(comment)
            frame += 1


def _extxyz_head(line: str, comment: str, path: Path, frame: int) -> tuple[int, str]:
    try:
        return int(line), comment
    except ValueError as error:
        raise TrajectoryError(
            f"Frame {frame} of {path.name} should begin with the number of atoms, not with "
            f"{line.strip()[:40]!r}."
        ) from error


def _extxyz_columns(comment: str) -> tuple[int, int]:
    """Return the columns of the symbol and of x."""
    found = re.search(r'Properties="?([^\s"]+)', comment)
    if found is None:
        return 0, 1
    words, column, places = found[1].split(":"), 0, {}
    for name, _, width in zip(words[::3], words[1::3], words[2::3], strict=True):
        places[name] = column
        column += int(width)
    return places.get("species", 0), places.get("pos", 1)


def _extxyz_cell(comment: str) -> NDArray[np.float64] | None:
    found = re.search(r'Lattice="([^"]+)"', comment)
    if found is None:
        return None
    return np.array(found[1].split(), dtype=float).reshape(3, 3)


def _extxyz_time(comment: str) -> float | None:
    """Return the time of a frame in ps."""
    for key, factor in (("time_ps", 1.0), ("time", 1e-3)):
        found = re.search(rf"(?:^|\s){key}=([-+.\deE]+)", comment)
        if found is not None:
            return float(found[1]) * factor
    return None


def read_xdatcar(path: Path) -> PlainFrames:
    """Open an XDATCAR, of fixed or of changing cell; it knows no times.

    Raises
    ------
    TrajectoryError
        It is not one, or is cut off.
    """
    with path.open() as stream:
        head = [stream.readline() for _ in range(7)]
    try:
        names, numbers = head[5].split(), [int(n) for n in head[6].split()]
        _xdatcar_cell(head)
    except (ValueError, IndexError) as error:
        raise TrajectoryError(f"{path.name} does not begin like an XDATCAR: {error}.") from error
    symbols = tuple(s for s, n in zip(names, numbers, strict=True) for _ in range(n))
    with path.open() as stream:
        count = sum(line.startswith("Direct configuration") for line in stream)
    if not count:
        raise TrajectoryError(f"{path.name} holds no configuration.")
    return PlainFrames(symbols, count, None, lambda: _xdatcar_frames(path, len(symbols)))


def _xdatcar_frames(path: Path, atoms: int) -> Iterator[PlainFrame]:
    """Yield the frames of an XDATCAR; with a changing cell each has a head of its own."""
    head: list[str] = []
    cell: NDArray[np.float64] | None = None
    frame = 0
    with path.open() as stream:
        for line in stream:
            if not line.startswith("Direct configuration"):
                head.append(line)
                continue
            if len(head) >= 7:
                cell = _xdatcar_cell(head[-7:])
            head = []
            rows = [stream.readline().split() for _ in range(atoms)]
            if any(len(row) < 3 for row in rows) or cell is None:
                raise TrajectoryError(f"{path.name} is cut off in frame {frame}: remove it.")
            yield np.array([row[:3] for row in rows], dtype=float) @ cell, cell, None
            frame += 1


def _xdatcar_cell(head: list[str]) -> NDArray[np.float64]:
    """Return lattice vectors in angstrom from seven lines; a negative scale is a volume."""
    vectors = np.array([line.split()[:3] for line in head[2:5]], dtype=float)
    scale = float(head[1])
    if scale < 0:
        scale = float((-scale / abs(np.linalg.det(vectors))) ** (1 / 3))
    return vectors * scale
