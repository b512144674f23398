"""Paths of images in folders 00 to NN, as VASP and CASTEP leave them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from made_castep import write_castep_run
from made_vasp import Step, VaspEnd, VaspTags, write_vasp_inputs, write_vasp_run
from numpy.typing import NDArray
from small_salt import salt

from superionic.structures.structure import Structure

BAND = VaspTags(NSW=50, IBRION=3, EDIFFG=-0.05)
HILL = (0.0, 0.15, 0.4, 0.2, 0.1)
"""Relative energies in eV of a path with five images."""


def images(count: int = 5, shift: float = 2.0) -> list[Structure]:
    """Return the salt, its sodium moved along the third axis in even steps."""
    start = salt()
    path = []
    for fraction in np.linspace(0.0, 1.0, count):
        positions = np.array(start.positions)
        positions[0, 2] += fraction * shift
        path.append(start.with_positions(positions))
    return path


def true_forces(path: Sequence[Structure], energies: Sequence[float]) -> list[NDArray[np.float64]]:
    """Return forces along the path that fit its energies."""
    coordinate = np.array([s.positions[0, 2] for s in path])
    slopes = -np.gradient(np.array(energies), coordinate)
    forces = [np.zeros((4, 3)) for _ in path]
    for force, slope in zip(forces, slopes, strict=True):
        force[0, 2] = slope
    for end in (0, -1):
        forces[end][:] = 0.0
    return forces


def write_band(
    folder: Path,
    energies: Sequence[float] = HILL,
    *,
    ends: bool = True,
    end_folders: bool = True,
    band_fmax: float | None = 0.03,
    reached: bool = True,
    tags: VaspTags = BAND,
    base: float = -20.0,
    sideways: float = 0.0,
    end_force: float = 0.0,
) -> Path:
    """Write a band that VASP relaxed, with or without energies of its ends."""
    path = images(len(energies))
    tags = replace(tags, IMAGES=len(energies) - 2)
    write_vasp_inputs(folder, path[0], tags)
    (folder / "POSCAR").unlink()
    for k, (structure, energy, force) in enumerate(
        zip(path, energies, true_forces(path, energies), strict=True)
    ):
        place, is_end = folder / f"{k:02d}", k in (0, len(path) - 1)
        if is_end and not end_folders:
            continue
        if is_end and not ends:
            write_vasp_inputs(place, structure, tags)
            for name in ("INCAR", "KPOINTS"):
                (place / name).unlink()
            continue
        force = np.array(force)
        force[1, 0] += end_force if is_end else sideways
        step = Step(structure.positions, base + energy, force)
        if is_end:
            write_vasp_run(place, structure, [step], VaspTags(grid=tags.grid), xml=False)
        else:
            end = VaspEnd(reached=reached, band_fmax=band_fmax)
            write_vasp_run(place, structure, [step], tags, end, xml=False)
            for name in ("INCAR", "KPOINTS"):
                (place / name).unlink()
    return folder


def write_single_points(
    folder: Path,
    path: Sequence[Structure],
    energies: Sequence[float],
    *,
    code: str = "vasp",
    forces: Sequence[NDArray[np.float64]] | None = None,
    base: float = -20.0,
) -> Path:
    """Write a static run of each image beside whatever inputs are there."""
    for k, (structure, energy) in enumerate(zip(path, energies, strict=True)):
        force = np.zeros((len(structure), 3)) if forces is None else forces[k]
        step = Step(np.array(structure.positions), base + energy, force)
        place = folder / f"{k:02d}"
        if code == "vasp":
            write_vasp_run(place, structure, [step])
        else:
            write_castep_run(place, structure, [step])
    return folder
