"""Counts of frames added up in bunches, few however many frames there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BUNCHES = 1000
"""Frames are added up in bunches, this many at least where there are as many frames."""


@dataclass(frozen=True, eq=False)
class Bunch:
    """Pairs of some frames in a row by shell, and those an even spread has in 1 A^3."""

    counts: NDArray[np.float64]
    ideal: float
    frames: int

    def joined(self, other: Bunch) -> Bunch:
        """Return both as one."""
        return Bunch(
            self.counts + other.counts, self.ideal + other.ideal, self.frames + other.frames
        )


class FrameBunches:
    """Bunches of frames in a row; all but the last are of one size, which grows with the run."""

    def __init__(self) -> None:
        self.frames = 0
        self._bunches: list[Bunch] = []
        self._size = 1

    def add(self, counts: NDArray[np.int64], ideal: float) -> None:
        """Add a frame to the last bunch."""
        new = Bunch(counts.astype(np.float64), ideal, 1)
        if self.frames % self._size:
            self._bunches[-1] = self._bunches[-1].joined(new)
        else:
            self._bunches.append(new)
        self.frames += 1
        if len(self._bunches) == 2 * BUNCHES and self.frames % self._size == 0:
            pairs = zip(self._bunches[::2], self._bunches[1::2], strict=True)
            self._bunches = [one.joined(next_) for one, next_ in pairs]
            self._size *= 2

    @property
    def counts(self) -> NDArray[np.float64]:
        """Pairs of each bunch by shell. shape=(bunches, shells)."""
        return np.stack([b.counts for b in self._bunches])

    @property
    def ideal(self) -> NDArray[np.float64]:
        """Pairs of each bunch that an even spread has in 1 A^3. shape=(bunches,)."""
        return np.array([b.ideal for b in self._bunches])

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Frames of each bunch. shape=(bunches,)."""
        return np.array([b.frames for b in self._bunches])
