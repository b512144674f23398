"""Small molecules, ions and fillers put at random places of a cell, apart from their own kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.box_contacts import contact_radii_ang
from superionic.structures.rotations import random_rotations

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from superionic.structures.box import Component
    from superionic.structures.cell_grid import CellGrid

BATCH, BATCHES, ENOUGH = 16, 8, 6
"""Places are drawn in so many batches at most, until so many are found that touch nothing."""
_MARGIN_ANG = 3.5


def insert_molecules(
    component: Component, grid: CellGrid, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Put all molecules of a component into a cell.

    Each goes to the one of several free places that is farthest from others of its kind; where
    none is free, to the place of least overlap.

    Parameters
    ----------
    component
        The molecules.
    grid
        What is in the cell; the molecules are added.
    rng
        Of all draws.

    Returns
    -------
    ndarray
        Whole molecules, in angstrom. shape=(count, atoms, 3)
    """
    template, radii = component.molecule.centred(), contact_radii_ang(component)
    reach = float(np.linalg.norm(template, axis=1).max()) + _MARGIN_ANG
    centres = np.zeros((0, 3))
    placed = []
    for _ in range(component.count):
        trials, costs = _trials(template, radii, grid, reach, rng)
        free = np.flatnonzero(costs == 0.0)
        if len(free):
            room = [_distance(trials[k].mean(axis=0), centres, grid.edges) for k in free]
            chosen = int(free[int(np.argmax(room))])
        else:
            chosen = int(costs.argmin())
        grid.add(trials[chosen], radii)
        centres = np.vstack([centres, trials[chosen].mean(axis=0)])
        placed.append(trials[chosen])
    return np.array(placed)


def _trials(
    template: NDArray[np.float64],
    radii: NDArray[np.float64],
    grid: CellGrid,
    reach: float,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return places for a molecule, and how much it overlaps at each."""
    found, costs = [], []
    for _ in range(BATCHES):
        centres = rng.random((BATCH, 3)) * grid.edges
        turned = template @ random_rotations(BATCH, rng)
        for centre, own in zip(centres, turned, strict=True):
            near = grid.near(centre, reach)
            found.append(own + centre)
            costs.append(float(grid.overlaps(found[-1][None], radii, near)[0]))
        if costs.count(0.0) >= ENOUGH:
            break
    return np.array(found), np.array(costs)


def _distance(
    centre: NDArray[np.float64], others: NDArray[np.float64], edges: NDArray[np.float64]
) -> float:
    apart = others - centre
    apart -= edges * np.round(apart / edges)
    return float(np.linalg.norm(apart, axis=1).min(initial=np.inf))
