"""XTC files looked at frame by frame: which steps are in them, and where each frame begins."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from superionic.structures.errors import TrajectoryError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

_MAGIC, _LARGE = 1995, 2023
_HEAD = struct.Struct(">iii f 9f i")
_PLAIN_ATOMS = 9
"""Up to so many atoms XTC does not compress."""


@dataclass(frozen=True)
class XtcFrame:
    """One frame in a file.

    Attributes
    ----------
    step : int
        Its step.
    time_ps : float
        Its time in ps, in single precision.
    start, end : int
        Its first byte, and the first one behind it.
    """

    step: int
    time_ps: float
    start: int
    end: int


def xtc_frames(path: Path, *, start: int = 0) -> Iterator[XtcFrame]:
    """Yield the frames of an XTC file from a byte on, without decompressing them.

    Raises
    ------
    TrajectoryError
        The file is cut off in a frame, or holds something else.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        stream.seek(start)
        while (here := stream.tell()) < size:
            step, time, end = _frame(stream, path, here)
            if end > size:
                raise _cut_off(path, here)
            yield XtcFrame(step, time, here, end)
            stream.seek(end)


def write_xtc_frame(
    path: Path, positions_nm: NDArray[Any], cell_nm: NDArray[Any], *, time_ps: float, step: int
) -> None:
    """Append one frame to an XTC file, with a precision of 0.001 nm."""
    import numpy as np
    from openmm.app.internal.xtc_utils import xtc_write_frame

    xtc_write_frame(
        str(path).encode(),
        np.ascontiguousarray(positions_nm, dtype=np.float32),
        np.ascontiguousarray(cell_nm, dtype=np.float32),
        np.float32(time_ps),
        np.int32(step % 2**31),
    )


def _frame(stream: BinaryIO, path: Path, here: int) -> tuple[int, float, int]:
    """Return step, time and end of the frame that begins here."""
    head = stream.read(_HEAD.size)
    if len(head) < _HEAD.size:
        raise _cut_off(path, here)
    values = _HEAD.unpack(head)
    magic, atoms, step, time = values[:4]
    if magic not in (_MAGIC, _LARGE):
        raise TrajectoryError(
            f"{path} holds something else than an XTC frame at byte {here}: it is damaged there. "
            "Frames before it can be used."
        )
    if atoms <= _PLAIN_ATOMS:
        return step, time, here + _HEAD.size + 12 * atoms
    wide = magic == _LARGE
    rest = stream.read(4 * 8 + (8 if wide else 4))
    if len(rest) < 4 * 8 + (8 if wide else 4):
        raise _cut_off(path, here)
    length = struct.unpack(">q" if wide else ">i", rest[32:])[0]
    return step, time, here + _HEAD.size + len(rest) + (length + 3) // 4 * 4


def _cut_off(path: Path, here: int) -> TrajectoryError:
    return TrajectoryError(
        f"{path} is cut off in the frame that begins at byte {here}: the disk was full, or the "
        "program was stopped while it wrote. Frames before it can be used."
    )
