"""Chains grown into a periodic cell, three skeletal atoms at a time, among what is there already.

Each step draws several continuations from the rotational states of the chain and takes one with
the Boltzmann-like weight of its overlap with everything placed so far. All chains grow in turn, so
that none meets a denser cell than the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.polymers import (
    ChainLayout,
    chain_layout,
    first_three,
    hydrogens_of,
    next_atom,
)
from superionic.structures.rotational_states import WIDTH_DEG, ChainStatistics
from superionic.structures.rotations import random_rotations

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from superionic.structures.cell_grid import CellGrid
    from superionic.structures.polymers import Ends

TRIALS = 16
"""Continuations that are tried at each step."""
STARTS = 48
"""Places that are tried for the first atoms of a chain."""
SOFTNESS = 0.03
"""Overlap, as the sum of (1 - d/contact)^2, that costs a factor e."""
CROWD_ANG, CROWDING = 5.0, 6.0
"""A place costs this many factors of e where as many atoms lie around it, within that distance in
angstrom, as will in the filled cell."""
STEP = 3
_REACH_ANG = 9.0
"""Atoms farther than this from the end of a chain do not touch its next unit, in angstrom."""


class ChainGrower:
    """One chain that grows.

    Parameters
    ----------
    layout, statistics
        Its atoms, and what its torsions do.
    radii_ang
        Of all its atoms; two touch at the sum of their radii. shape=(atoms,)
    grid
        What is in the cell; grown atoms are added.
    rng
        Of all draws.
    """

    def __init__(
        self,
        layout: ChainLayout,
        statistics: ChainStatistics,
        radii_ang: NDArray[np.float64],
        grid: CellGrid,
        rng: np.random.Generator,
    ) -> None:
        self.layout, self.statistics, self.grid, self.rng = layout, statistics, grid, rng
        self.radii = radii_ang
        self.positions = np.zeros((len(layout), 3))
        self._spine = np.zeros((len(layout.backbone), 3))
        self._state = 0
        self._grown = 0
        self._last = (0, 0)

    @property
    def finished(self) -> bool:
        """Whether the chain is whole."""
        return self._grown == len(self.layout.backbone)

    def grow(self) -> None:
        """Add the next unit, the one of several that overlaps little."""
        spines, states = self._start() if self._grown == 0 else self._continue()
        done = self._grown
        end = min(done + STEP, len(self.layout.backbone))
        atoms, positions = self._atoms(spines, done, end)
        anchor = spines[0, max(done - 1, 0)]
        if done:
            near = self.grid.near(anchor, _REACH_ANG)
            first, last = self._last
            near = near[(near < first) | (near >= last)]
            costs = self._costs(positions, spines[:, end - 1], atoms, near)
        else:
            costs = np.array([self._cost_at(p, atoms) for p in positions])
        weights = np.exp(costs.min() - costs)
        chosen = int(self.rng.choice(len(costs), p=weights / weights.sum()))
        self._spine[:end] = spines[chosen, :end]
        self.positions[atoms] = positions[chosen]
        self._state = int(states[chosen])
        self._grown = end
        self._last = self.grid.add(positions[chosen], self.radii[atoms])

    def _cost_at(self, positions: NDArray[np.float64], atoms: list[int]) -> float:
        near = self.grid.near(positions.mean(axis=0), _REACH_ANG)
        return float(self._costs(positions[None], positions[:1], atoms, near)[0])

    def _costs(
        self,
        positions: NDArray[np.float64],
        ends: NDArray[np.float64],
        atoms: list[int],
        near: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        """Return the cost of each trial in factors of e: its overlap, and how full its place is."""
        full = 4 / 3 * np.pi * CROWD_ANG**3 * len(self.grid.positions) / self.grid.edges.prod()
        overlap = self.grid.overlaps(positions, self.radii[atoms], near) / SOFTNESS
        return np.asarray(overlap + CROWDING / full * self.grid.crowding(ends, near, CROWD_ANG))

    def _start(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return first three skeletal atoms at random places in random orientations."""
        turned = first_three(self.layout.backbone) @ random_rotations(STARTS, self.rng)
        places = self.rng.random((STARTS, 1, 3)) * self.grid.edges
        return np.asarray(turned + places), np.zeros(STARTS, dtype=np.int64)

    def _continue(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return several ways to go on, and the state in which each leaves the chain."""
        spines = np.repeat(self._spine[None], TRIALS, axis=0)
        states = np.full(TRIALS, self._state)
        backbone = self.layout.backbone
        for k in range(self._grown, min(self._grown + STEP, len(backbone))):
            states = self.statistics.next_states(k - 3, states, self.rng)
            spread = WIDTH_DEG * self.rng.normal(size=TRIALS)
            torsions = self.statistics.angles_deg[k - 3, states] + spread
            spines[:, k] = next_atom(backbone, k, spines, torsions)
        return spines, states

    def _atoms(
        self, spines: NDArray[np.float64], done: int, end: int
    ) -> tuple[list[int], NDArray[np.float64]]:
        """Return the atoms that a step places, and where: skeletal ones, and their hydrogens.

        Those of the last skeletal atom wait until the one after it is known.
        """
        layout = self.layout
        atoms = list(layout.skeleton[done:end])
        parts = [spines[:, done:end]]
        whole = end == len(layout.backbone)
        for k in range(max(done - 1, 0), end if whole else end - 1):
            if layout.hydrogens[k]:
                atoms += layout.hydrogens[k]
                parts.append(hydrogens_of(layout.backbone, k, spines[:, :end]))
        return atoms, np.concatenate(parts, axis=1)


def grow_chains(
    units: int,
    count: int,
    *,
    ends: Ends,
    radii_ang: NDArray[np.float64],
    grid: CellGrid,
    rng: np.random.Generator,
    temperature_K: float,
) -> NDArray[np.float64]:
    """Grow chains of poly(ethylene oxide) into a cell.

    Parameters
    ----------
    units, count, ends
        Repeat units of each chain, number of chains, and their ends.
    radii_ang
        Of the atoms of a chain. shape=(atoms,)
    grid
        What is in the cell already; the chains are added.
    rng
        Of all draws.
    temperature_K
        Of the rotational states.

    Returns
    -------
    ndarray
        Whole chains, in angstrom. shape=(count, atoms, 3)
    """
    layout = chain_layout(units, ends=ends)
    statistics = ChainStatistics(layout.backbone, temperature_K=temperature_K)
    chains = [ChainGrower(layout, statistics, radii_ang, grid, rng) for _ in range(count)]
    while not chains[-1].finished:
        for chain in chains:
            chain.grow()
    return np.array([chain.positions for chain in chains])
