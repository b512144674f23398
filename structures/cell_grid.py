"""Points in an orthorhombic periodic cell, sorted into small cells as they are added."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZE_ANG = 4.0
"""Least edge of a small cell, in angstrom."""
_MOST_CELLS = 200_000
_ROOM = 16


class CellGrid:
    """Atoms that were placed, found again by where they are.

    Parameters
    ----------
    edges_ang
        Edges of the periodic cell in angstrom. shape=(3,)
    capacity
        How many points there will be.

    Attributes
    ----------
    positions : ndarray
        Wrapped positions in angstrom, in the order in which they came. shape=(capacity, 3)
    radii : ndarray
        A number for each, in angstrom. shape=(capacity,)
    count : int
        How many there are.
    """

    def __init__(self, edges_ang: NDArray[np.float64], capacity: int) -> None:
        self.edges = np.asarray(edges_ang, dtype=float)
        size = max(SIZE_ANG, float(np.cbrt(self.edges.prod() / _MOST_CELLS)))
        self.dims = np.maximum((self.edges / size).astype(np.int64), 1)
        self.positions = np.zeros((capacity, 3))
        self.radii = np.zeros(capacity)
        self.count = 0
        cells = int(self.dims.prod())
        self._held = np.zeros(cells, dtype=np.int64)
        self._slots = np.full((cells, _ROOM), -1, dtype=np.int64)

    def add(self, positions: NDArray[np.float64], radii: NDArray[np.float64]) -> tuple[int, int]:
        """Add points (angstrom, shape=(n, 3)), and return the range of their numbers."""
        first = self.count
        wrapped = positions - self.edges * np.floor(positions / self.edges)
        self.count += len(wrapped)
        self.positions[first : self.count] = wrapped
        self.radii[first : self.count] = radii
        for number, cell in enumerate(self._cells(wrapped).tolist(), start=first):
            held = int(self._held[cell])
            if held == self._slots.shape[1]:
                self._slots = np.hstack([self._slots, np.full_like(self._slots, -1)])
            self._slots[cell, held] = number
            self._held[cell] = held + 1
        return first, self.count

    def near(self, centre: NDArray[np.float64], reach_ang: float) -> NDArray[np.int64]:
        """Return the numbers of the points within a distance of a centre, each once."""
        axes = []
        place = (centre / self.edges) % 1.0 * self.dims
        for k in range(3):
            dim = int(self.dims[k])
            steps = int(np.ceil(reach_ang * dim / self.edges[k]))
            if 2 * steps + 1 >= dim:
                axes.append(np.arange(dim))
            else:
                axes.append((int(place[k]) + np.arange(-steps, steps + 1)) % dim)
        x, y, z = axes
        cells = ((x[:, None] * self.dims[1] + y)[:, :, None] * self.dims[2] + z).ravel()
        found = self._slots[cells].ravel()
        found = found[found >= 0]
        apart = self.positions[found] - centre
        apart -= self.edges * np.round(apart / self.edges)
        return np.asarray(found[np.einsum("nc,nc->n", apart, apart) <= reach_ang**2])

    def overlaps(
        self, trials: NDArray[np.float64], radii: NDArray[np.float64], numbers: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return how much each trial overlaps with points: the sum of (1 - d/contact)^2.

        Parameters
        ----------
        trials
            Positions of several trials in angstrom. shape=(trials, atoms, 3)
        radii
            Of the trial atoms in angstrom; two touch at the sum of their radii. shape=(atoms,)
        numbers
            The points to look at. shape=(n,)

        Returns
        -------
        ndarray
            shape=(trials,)
        """
        if not len(numbers):
            return np.zeros(len(trials))
        apart = trials[:, :, None, :] - self.positions[numbers]
        apart -= self.edges * np.round(apart / self.edges)
        contact = radii[:, None] + self.radii[numbers]
        squared = np.einsum("tanc,tanc->tan", apart, apart)
        near = squared < contact**2
        share = np.where(near, np.sqrt(np.where(near, squared, 0.0)) / contact, 1.0)
        return np.asarray(((1.0 - share) ** 2).sum(axis=(1, 2)))

    def crowding(
        self, points: NDArray[np.float64], numbers: NDArray[np.int64], reach_ang: float
    ) -> NDArray[np.float64]:
        """Return how many of some points lie within a distance of each of others. shape=(n,)."""
        apart = points[:, None, :] - self.positions[numbers]
        apart -= self.edges * np.round(apart / self.edges)
        inside = np.einsum("pnc,pnc->pn", apart, apart) < reach_ang**2
        return np.asarray(inside.sum(axis=1, dtype=np.float64))

    def _cells(self, wrapped: NDArray[np.float64]) -> NDArray[np.int64]:
        place = np.minimum((wrapped / self.edges * self.dims).astype(np.int64), self.dims - 1)
        return np.asarray((place[:, 0] * self.dims[1] + place[:, 1]) * self.dims[2] + place[:, 2])
