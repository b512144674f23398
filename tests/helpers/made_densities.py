"""Densities of Gaussian atoms in VASP's files, whose electrons are known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from superionic.structures.structure import Structure


def pair() -> Structure:
    """Return an aluminium and a nitrogen, far apart in a box."""
    return Structure(
        numbers=np.array([13, 7]),
        positions=np.array([[2.0, 4.0, 4.0], [6.0, 4.0, 4.0]]),
        cell=np.diag([8.0, 8.0, 8.0]),
    )


def gaussians(
    structure: Structure, electrons: Sequence[float], points: int, width: float = 0.6
) -> NDArray[np.float64]:
    """Return a density in electrons per cubic angstrom with so many electrons at each atom."""
    axes = [np.arange(points) / points] * 3
    fractional = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    density = np.zeros((points,) * 3)
    for place, count in zip(structure.fractional, electrons, strict=True):
        away = fractional - place
        away -= np.round(away)
        squared = ((away @ structure.cell) ** 2).sum(axis=-1)
        shape = np.exp(-squared / (2.0 * width**2))
        density += count * shape / shape.mean() / structure.volume
    return density


def write_density(path: Path, structure: Structure, density: NDArray[np.float64]) -> None:
    """Write a CHGCAR or AECCAR."""
    symbols = list(dict.fromkeys(structure.symbols))
    lines = ["made up", "1.0", *(" ".join(f"{x:.8f}" for x in v) for v in structure.cell)]
    lines += [" ".join(symbols), " ".join(str(structure.symbols.count(s)) for s in symbols)]
    lines += ["Direct", *(" ".join(f"{x:.8f}" for x in f) for f in structure.fractional), ""]
    lines += [" ".join(str(n) for n in density.shape)]
    values = (density * structure.volume).ravel(order="F")
    rows = [values[k : k + 5] for k in range(0, len(values), 5)]
    lines += [" ".join(f"{x:.11E}" for x in row) for row in rows]
    path.write_text("\n".join(lines) + "\n")
