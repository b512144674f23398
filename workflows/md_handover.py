"""From constant pressure to constant volume: the box of the mean volume."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from superionic.workflows.md_store import StageFolder

LARGEST_SCALING = 0.05
"""Edges are scaled by this fraction at most."""


def box_for_production(before: StageFolder, cell_nm: NDArray[np.float64]) -> float:
    """Return the factor for the edges that gives the mean volume of the stage before.

    The mean is over the second half of its log; 1 where that stage had a constant volume.
    """
    volumes = read_log(before.log).get("volume_ang3", np.empty(0))
    half = volumes[len(volumes) // 2 :]
    if len(half) < 5 or np.ptp(half) == 0:
        return 1.0
    now = 1e3 * abs(np.linalg.det(cell_nm))
    factor = float((half.mean() / now) ** (1 / 3))
    return float(np.clip(factor, 1 - LARGEST_SCALING, 1 + LARGEST_SCALING))


def scaled_box(
    positions: NDArray[np.float64],
    cell: NDArray[np.float64],
    factor: float,
    molecules: Sequence[Sequence[int]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scale a box with the centres of its molecules, which keep their shapes.

    That is the move a barostat makes too.
    """
    moved = np.array(positions, dtype=float)
    for molecule in molecules:
        atoms = np.asarray(molecule)
        moved[atoms] += (factor - 1.0) * moved[atoms].mean(axis=0)
    return moved, np.asarray(cell, dtype=float) * factor


def read_log(path: Path) -> dict[str, NDArray[np.float64]]:
    """Return the columns of the log of a stage; empty where there is none."""
    if not path.is_file():
        return {}
    with path.open(newline="") as stream:
        rows = list(csv.reader(stream))
    if len(rows) < 2:
        return {}
    values = np.array(rows[1:], dtype=float)
    return {name: values[:, k] for k, name in enumerate(rows[0])}
