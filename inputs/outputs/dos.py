"""Densities of states as codes leave them.

VASP: vasprun.xml, or DOSCAR; CASTEP: .bands and .pdos_bin; GPAW: dos.json of our scripts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from ase.data import atomic_numbers

from superionic.inputs.outputs.castep_cell import cell_order, cell_symbols
from superionic.inputs.outputs.doscar import read_doscar
from superionic.inputs.outputs.levels import Projections, read_bands, read_pdos_bin
from superionic.inputs.outputs.outcar import OutcarScan, scan_outcar
from superionic.inputs.outputs.records import OutputFileError
from superionic.inputs.outputs.vasprun import is_closed, load_vasprun
from superionic.structures.io import read_structure

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

ORBITALS = ("s", "p", "d", "f")
GPAW_DOS = "dos.json"
MARGIN_WIDTHS = 5.0
"""A widened level is followed this many standard deviations."""


@dataclass(frozen=True, eq=False)
class RawDOS:
    """Densities of states on a code's own energy scale.

    Attributes
    ----------
    energies_eV : ndarray
        shape=(energies,)
    total : ndarray
        In states/eV. shape=(spins, energies)
    projected : ndarray
        In states/eV. shape=(spins, atoms, orbitals, energies)
    orbitals : tuple of str
        Angular momenta.
    symbols : tuple of str
        Chemical symbol of each atom.
    fermi_eV : float
        Fermi level on the same scale.
    width_eV : float or None
        Gaussian widening added here; None where the code widened.
    electrons : float or None
        Valence electrons.
    projection : str
        How states were projected.
    """

    energies_eV: NDArray[np.float64]
    total: NDArray[np.float64]
    projected: NDArray[np.float64]
    orbitals: tuple[str, ...]
    symbols: tuple[str, ...]
    fermi_eV: float
    width_eV: float | None
    electrons: float | None
    projection: str


def read_vasp_dos(folder: Path) -> RawDOS:
    """Read the densities of states of a VASP run, from its DOSCAR where vasprun.xml is not whole.

    Raises
    ------
    OutputFileError
        The run did not end, or has no projections (LORBIT was not set).
    """
    path = folder / "vasprun.xml"
    if not is_closed(path):
        return _from_doscar(folder)
    run = load_vasprun(path, dos=True)
    if getattr(run, "dos_has_errors", True) or not run.pdos:
        raise OutputFileError(
            f"{path} holds no projected densities of states. Run with LORBIT = 11 and a fine k "
            "grid."
        )
    spins = sorted(run.tdos.densities, key=lambda spin: -spin.value)
    orbitals = tuple(o for o in ORBITALS if any(str(name)[0] == o for name in run.pdos[0]))
    projected = np.zeros((len(spins), len(run.pdos), len(orbitals), len(run.tdos.energies)))
    for atom, by_orbital in enumerate(run.pdos):
        for orbital, by_spin in by_orbital.items():
            for k, spin in enumerate(spins):
                projected[k, atom, orbitals.index(str(orbital)[0])] += by_spin[spin]
    return RawDOS(
        energies_eV=np.array(run.tdos.energies),
        total=np.array([run.tdos.densities[spin] for spin in spins]),
        projected=projected,
        orbitals=orbitals,
        symbols=tuple(str(s) for s in run.atomic_symbols),
        fermi_eV=float(run.efermi),
        width_eV=None,
        electrons=float(run.parameters["NELECT"]) if "NELECT" in run.parameters else None,
        projection="PAW spheres",
    )


def _from_doscar(folder: Path) -> RawDOS:
    """Read DOSCAR, with the atoms of CONTCAR or POSCAR and the electrons of OUTCAR.

    Raises
    ------
    OutputFileError
        There is none, or it has no projections, or is of another run.
    """
    path = folder / "DOSCAR"
    if not path.is_file():
        raise OutputFileError(
            f"The vasprun.xml in {folder} is missing or cut off, and there is no DOSCAR; densities "
            "of states need one of them whole."
        )
    found = read_doscar(path)
    _, atoms, shells, _ = found.projected.shape
    if not atoms:
        raise OutputFileError(f"{path} holds the total only. Run with LORBIT = 11.")
    names = [n for n in ("CONTCAR", "POSCAR") if (folder / n).is_file()]
    if not names:
        raise OutputFileError(f"{path} names no atoms: put the CONTCAR or POSCAR beside it.")
    symbols = read_structure(folder / names[0]).symbols
    if len(symbols) != atoms:
        raise OutputFileError(
            f"{path} has {atoms} atoms, {names[0]} has {len(symbols)}: they are of two runs."
        )
    scan = scan_outcar(folder / "OUTCAR") if (folder / "OUTCAR").is_file() else OutcarScan()
    electrons = scan.number("NELECT", np.nan)
    return RawDOS(
        energies_eV=found.energies_eV,
        total=found.total,
        projected=found.projected,
        orbitals=ORBITALS[:shells],
        symbols=symbols,
        fermi_eV=found.fermi_eV,
        width_eV=None,
        electrons=electrons if np.isfinite(electrons) else None,
        projection="PAW spheres",
    )


def read_castep_dos(
    folder: Path, seed: str, *, width_eV: float = 0.1, step_eV: float = 0.02
) -> RawDOS:
    """Read the levels and projections of a CASTEP run and widen them.

    Parameters
    ----------
    folder, seed
        ``SEED.bands`` and ``SEED.pdos_bin`` (``pdos_calculate_weights : true``), ``SEED.cell``.
    width_eV
        Standard deviation of the Gaussian for each level, in eV.
    step_eV
        Spacing of the energies, in eV.

    Raises
    ------
    OutputFileError
        A file is missing, cut off, or of another run.
    """
    levels = read_bands(folder / f"{seed}.bands")
    weights = read_pdos_bin(folder / f"{seed}.pdos_bin")
    if weights.share.shape[:3] != levels.energies_eV.shape:
        raise OutputFileError(
            f"{seed}.bands and {seed}.pdos_bin in {folder} are of different runs: (spins, k "
            f"points, bands) are {levels.energies_eV.shape} and {weights.share.shape[:3]}."
        )
    edge = MARGIN_WIDTHS * width_eV
    low, high = levels.energies_eV.min() - edge, levels.energies_eV.max() + edge
    energies = np.arange(low, high + step_eV, step_eV)
    spins, points, bands = levels.energies_eV.shape
    orbitals = ORBITALS[: int(weights.momentum.max()) + 1]
    symbols, place = _atoms(folder / f"{seed}.cell", weights)
    slot = (place * len(orbitals) + weights.momentum).tolist()
    share = np.zeros((spins, points, bands, len(symbols) * len(orbitals)))
    for orbital, place_in_row in enumerate(slot):
        share[..., place_in_row] += weights.share[..., orbital]
    total = np.zeros((spins, len(energies)))
    projected = np.zeros((spins, share.shape[-1], len(energies)))
    filling = 1.0 if spins == 2 else 2.0
    for spin in range(spins):
        for k in range(points):
            curves = (
                filling
                * levels.weights[k]
                * _gaussians(energies, levels.energies_eV[spin, k], width_eV)
            )
            total[spin] += curves.sum(axis=0)
            projected[spin] += share[spin, k].T @ curves
    return RawDOS(
        energies_eV=energies,
        total=total,
        projected=projected.reshape(spins, len(symbols), len(orbitals), len(energies)),
        orbitals=orbitals,
        symbols=symbols,
        fermi_eV=levels.fermi_eV,
        width_eV=width_eV,
        electrons=levels.electrons,
        projection="Mulliken",
    )


def read_gpaw_dos(folder: Path) -> RawDOS:
    """Read the densities of states that a GPAW script of this package wrote, ``dos.json``.

    Raises
    ------
    OutputFileError
        There are none, or they cannot be read.
    """
    path = folder / GPAW_DOS
    if not path.is_file():
        raise OutputFileError(
            f"{folder} holds no {GPAW_DOS}. Write the script again with `superionic inputs gpaw` "
            "and run it: single points and relaxations leave one."
        )
    try:
        found = json.loads(path.read_text())
        if "reason" in found:
            raise OutputFileError(f"GPAW could not project the states: {found['reason']}.")
        return RawDOS(
            energies_eV=np.array(found["energies_eV"], dtype=float),
            total=np.array(found["total"], dtype=float),
            projected=np.array(found["projected"], dtype=float),
            orbitals=tuple(str(o) for o in found["orbitals"]),
            symbols=tuple(str(s) for s in found["symbols"]),
            fermi_eV=float(found["fermi_eV"]),
            width_eV=float(found["width_eV"]),
            electrons=float(found["electrons"]),
            projection="PAW projectors",
        )
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, OutputFileError):
            raise
        raise OutputFileError(f"{path} was edited or cut off ({error}).") from error


def _gaussians(
    energies: NDArray[np.float64], levels: NDArray[np.float64], width: float
) -> NDArray[np.float64]:
    """Return a normalised Gaussian for each level. shape=(levels, energies)."""
    reduced = (energies[None, :] - levels[:, None]) / width
    return np.asarray(np.exp(-0.5 * reduced**2) / (width * np.sqrt(2.0 * np.pi)))


def _atoms(cell: Path, weights: Projections) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Return the symbols in the order of the .cell file, and each local orbital's atom.

    CASTEP numbers species by ascending atomic number, whatever their order in the .cell file.
    """
    wanted = cell_symbols(cell)
    if wanted is None:
        raise OutputFileError(f"{cell} is needed to tell which atoms the projections belong to.")
    kinds = sorted(set(wanted), key=lambda symbol: atomic_numbers[symbol])
    counts = [wanted.count(kind) for kind in kinds]
    if len(kinds) <= int(weights.species.max()) or any(
        int(weights.ion[weights.species == k].max()) >= counts[k]
        for k in set(weights.species.tolist())
    ):
        raise OutputFileError(f"{cell} does not hold the atoms of the projections.")
    grouped = [kind for kind, count in zip(kinds, counts, strict=True) for _ in range(count)]
    order, _ = cell_order(cell, grouped)
    first = np.cumsum([0, *counts])
    place_in_cell = np.empty(len(order), dtype=np.int64)
    place_in_cell[order] = np.arange(len(order))
    return tuple(wanted), place_in_cell[first[weights.species] + weights.ion]
