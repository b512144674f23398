"""Trajectories of ASE, from its files or as images in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from superionic.analysis.text_trajectories import PlainFrames
from superionic.structures.errors import TrajectoryError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from superionic.analysis.text_trajectories import PlainFrame

LEAST_VOLUME_ANG3 = 1e-6
"""Cells with less than this are none."""


class Image(Protocol):
    """What is read of ``ase.Atoms``."""

    @property
    def numbers(self) -> NDArray[np.integer]:
        """Atomic numbers. shape=(atoms,)."""

    @property
    def positions(self) -> NDArray[np.float64]:
        """In angstrom. shape=(atoms, 3)."""

    @property
    def cell(self) -> Any:
        """Lattice vectors as rows in angstrom."""

    @property
    def info(self) -> dict[str, Any]:
        """Whatever else is known, such as the time."""


def open_ase_file(path: Path) -> PlainFrames:
    """Open a trajectory that ASE wrote (``.traj``); frames are read when they are asked for.

    Raises
    ------
    TrajectoryError
        It is no such file, or holds no frame.
    """
    from ase.io.trajectory import TrajectoryReader

    def frames() -> Iterator[PlainFrame]:
        with TrajectoryReader(str(path)) as images:
            yield from frames_of_images(images, path.name).frames()

    try:
        with TrajectoryReader(str(path)) as images:
            return replace(frames_of_images(images, path.name), frames=frames)
    except TrajectoryError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TrajectoryError(f"{path.name} is no trajectory that ASE wrote: {error}.") from error


def frames_of_images(images: Sequence[Image], name: str) -> PlainFrames:
    """Take images one after the other; times are ``time`` (fs) or ``time_ps`` of their ``info``.

    Parameters
    ----------
    images
        Of the same atoms in the same order.
    name
        What errors call them.

    Raises
    ------
    TrajectoryError
        There is none.
    """
    from ase.data import chemical_symbols

    if not len(images):
        raise TrajectoryError(f"{name} holds no frame.")
    numbers = np.array(images[0].numbers)
    times = [_time(images[k]) for k in range(min(2, len(images)))]
    dt = None
    if len(times) == 2 and times[0] is not None and times[1] is not None:
        dt = times[1] - times[0]

    def frames() -> Iterator[PlainFrame]:
        for k in range(len(images)):
            image = images[k]
            if not np.array_equal(image.numbers, numbers):
                raise TrajectoryError(
                    f"Frame {k} of {name} has other atoms, or in another order, than the first."
                )
            yield np.array(image.positions, dtype=np.float64), _cell(image), _time(image)

    symbols = tuple(chemical_symbols[int(n)] for n in numbers)
    return PlainFrames(symbols, len(images), dt, frames)


def _cell(image: Image) -> NDArray[np.float64] | None:
    cell = np.array(image.cell, dtype=np.float64)
    return cell if abs(np.linalg.det(cell)) > LEAST_VOLUME_ANG3 else None


def _time(image: Image) -> float | None:
    """Return the time of an image in ps."""
    for key, factor in (("time_ps", 1.0), ("time", 1e-3)):
        if key in image.info:
            return float(image.info[key]) * factor
    return None
