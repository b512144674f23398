"""VASP's DOSCAR: densities of states where no whole vasprun.xml is left."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.inputs.outputs.records import OutputFileError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

SHELLS = {3: (1, 1, 1), 4: (1, 1, 1, 1), 9: (1, 3, 5), 16: (1, 3, 5, 7)}
"""Columns of one spin -> columns of s, p, d and f among them."""
_LOST_E = re.compile(r"(\d)([+-]\d{3})(?!\d)")
"""Three digits of an exponent leave Fortran no room for its E."""
_HEADER = (slice(0, 16), slice(16, 32), slice(32, 37), slice(37, 53))
"""Highest and lowest energy, number of energies, Fermi level, which may touch each other."""


@dataclass(frozen=True, eq=False)
class Doscar:
    """What a DOSCAR holds.

    Attributes
    ----------
    energies_eV : ndarray
        On the code's own scale. shape=(energies,)
    total : ndarray
        In states/eV. shape=(spins, energies)
    projected : ndarray
        In states/eV, summed over magnetic quantum numbers. shape=(spins, atoms, orbitals,
        energies); no atoms without LORBIT.
    fermi_eV : float
        Fermi level.
    """

    energies_eV: NDArray[np.float64]
    total: NDArray[np.float64]
    projected: NDArray[np.float64]
    fermi_eV: float


def read_doscar(path: Path) -> Doscar:
    """Read a DOSCAR: one spin, two, or spinors (the total of their four columns).

    Parameters
    ----------
    path
        The file; ``LORBIT`` 10 and 11 and their like are told by the columns.

    Raises
    ------
    OutputFileError
        It is missing, cut off, or no DOSCAR.
    """
    if not path.is_file():
        raise OutputFileError(f"There is no {path}.")
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            return _read(lines)
    except (ValueError, IndexError, KeyError, StopIteration) as error:
        raise OutputFileError(
            f"{path} is cut off or no DOSCAR ({type(error).__name__}: {error}). Copy it from the "
            "cluster again."
        ) from error


def _read(lines: Iterator[str]) -> Doscar:
    """Read the head, the total, then each atom."""
    atoms = int(next(lines).split()[0])
    for _ in range(4):
        next(lines)
    points, fermi = _header(next(lines))
    rows = _rows(lines, points)
    spins = {3: 1, 5: 2}[rows.shape[1]]
    projected = []
    for header in lines:
        if not header.strip():
            continue
        if _header(header)[0] != points:
            raise ValueError("an atom has another number of energies")
        projected.append(_rows(lines, points)[:, 1:])
    if projected and len(projected) != atoms:
        raise ValueError(f"projections of {len(projected)} atoms of {atoms}")
    return Doscar(
        energies_eV=rows[:, 0],
        total=rows[:, 1 : 1 + spins].T,
        projected=_by_shell(np.array(projected), spins)
        if projected
        else np.zeros((spins, 0, 0, points)),
        fermi_eV=fermi,
    )


def _header(line: str) -> tuple[int, float]:
    """Return the number of energies and the Fermi level of a header."""
    words = line.split()
    if len(words) < 5:
        words = [line[part] for part in _HEADER]
    return int(words[2]), float(words[3])


def _rows(lines: Iterator[str], count: int) -> NDArray[np.float64]:
    """Return so many lines of numbers. shape=(count, columns)."""
    return np.array([_numbers(next(lines)) for _ in range(count)])


def _numbers(line: str) -> Sequence[float]:
    """Return the numbers of a line."""
    try:
        return [float(word) for word in line.split()]
    except ValueError:
        return [float(word) for word in _LOST_E.sub(r"\1E\2", line).split()]


def _by_shell(columns: NDArray[np.float64], spins: int) -> NDArray[np.float64]:
    """Sum columns by angular momentum. shape=(spins, atoms, orbitals, energies).

    The columns of each orbital stand together: one, two for the spins, or four for a spinor (the
    density and three components of its spin).

    Parameters
    ----------
    columns
        shape=(atoms, energies, columns)
    spins
        One or two.
    """
    together, count = spins, columns.shape[2]
    if spins == 1 and (count not in SHELLS or (count == 16 and _are_spinors(columns))):
        together = 4
    if count % together:
        raise ValueError(f"{count} columns, {together} for each orbital")
    sizes = SHELLS[count // together]
    split = columns.reshape(*columns.shape[:2], -1, together)[..., :spins]
    starts = np.cumsum([0, *sizes[:-1]])
    return np.asarray(np.moveaxis(np.add.reduceat(split, starts, axis=2), (3, 1), (0, 3)))


def _are_spinors(columns: NDArray[np.float64]) -> bool:
    """Tell four spinors of s, p, d and f from sixteen orbitals: no spin exceeds its density."""
    split = columns.reshape(*columns.shape[:2], 4, 4)
    return bool((np.linalg.norm(split[..., 1:], axis=-1) <= 1.01 * split[..., 0] + 1e-3).all())
