"""Positions of many frames, particle by particle, in memory or in a file of their own."""

from __future__ import annotations

import mmap
import tempfile
from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.structures.errors import TrajectoryError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

MEMORY_BYTES = 512 * 1024**2
"""More positions than this go to a temporary file."""
BUFFER_BYTES = 64 * 1024**2
"""Frames are gathered in memory before they are written."""


class ParticleStore:
    """Takes frames one by one and gives back the positions of all of them.

    Parameters
    ----------
    frames
        The most that will come.
    particles
        How many particles each has.
    memory_bytes
        Beyond this positions are kept in a temporary file that vanishes with them.
    dtype
        Kind of the numbers.
    """

    def __init__(
        self,
        frames: int,
        particles: int,
        *,
        memory_bytes: int = MEMORY_BYTES,
        dtype: Any = np.float64,
    ) -> None:
        shape, kind = (particles, 3, frames), np.dtype(dtype)
        size = particles * 3 * frames * kind.itemsize
        large = size > memory_bytes
        self._rows: NDArray[Any] = _scratch(shape, kind) if large else np.empty(shape, kind)
        many = max(1, min(frames, BUFFER_BYTES // max(particles * 3 * kind.itemsize, 1)))
        self._buffer = np.empty((many, particles, 3), dtype=kind)
        self._held = self._written = 0

    def add(self, positions: ArrayLike) -> None:
        """Take the next frame in angstrom. shape=(particles, 3)."""
        if self._written + self._held >= self._rows.shape[2]:
            raise TrajectoryError(
                f"More than the {self._rows.shape[2]} frames that were announced: the file grew "
                "while it was read."
            )
        self._buffer[self._held] = positions
        self._held += 1
        if self._held == len(self._buffer):
            self._flush()

    def positions(self) -> NDArray[Any]:
        """Return the positions of all frames so far. shape=(frames, particles, 3)."""
        self._flush()
        return self._rows[:, :, : self._written].transpose(2, 0, 1)

    def _flush(self) -> None:
        end = self._written + self._held
        self._rows[:, :, self._written : end] = self._buffer[: self._held].transpose(1, 2, 0)
        self._written, self._held = end, 0
        forget_pages(self._rows)


def by_particle(positions: NDArray[Any], *, memory_bytes: int | None = None) -> NDArray[Any]:
    """Return positions so that those of one particle are near each other on disk.

    Arrays in memory, short ones, and files that are so already, come back as they are. Others are
    copied to a temporary file in one pass: to read them particle by particle would be to read the
    whole file for each block of particles.
    """
    frames, particles = positions.shape[:2]
    limit = MEMORY_BYTES if memory_bytes is None else memory_bytes
    by_frame = positions.strides[0] > positions.strides[1]
    if not by_frame or positions.nbytes <= limit or _mapping(positions) is None:
        return positions
    store = ParticleStore(frames, particles, memory_bytes=0, dtype=positions.dtype)
    for k, frame in enumerate(positions):
        store.add(frame)
        if k % 1000 == 0:
            forget_pages(positions)
    return store.positions()


def forget_pages(array: NDArray[Any]) -> None:
    """Give the memory of a mapped file back to the system; it is read again when needed."""
    mapping = _mapping(array)
    if mapping is not None and hasattr(mapping, "madvise"):
        mapping.madvise(mmap.MADV_DONTNEED)


def _mapping(array: Any) -> mmap.mmap | None:
    """Return the mapped file behind an array or a view of one."""
    while array is not None:
        if isinstance(array, mmap.mmap):
            return array
        array = getattr(array, "base", None)
    return None


def _scratch(shape: tuple[int, int, int], kind: np.dtype[Any]) -> NDArray[Any]:
    """Return an array in a temporary file without a name."""
    with tempfile.TemporaryFile() as file:
        return np.memmap(file, dtype=kind, mode="w+", shape=shape)
