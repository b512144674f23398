"""CASTEP's eigenvalues and their projections: .bands and .pdos_bin files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.inputs.outputs.records import OutputFileError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Levels:
    """Eigenvalues of a .bands file, in eV.

    Attributes
    ----------
    energies_eV : ndarray
        shape=(spins, k points, bands)
    weights : ndarray
        Of the k points; they sum to one. shape=(k points,)
    fermi_eV : float
        Fermi level; the mean where the two spins have their own.
    electrons : float
        Valence electrons of both spins.
    """

    energies_eV: NDArray[np.float64]
    weights: NDArray[np.float64]
    fermi_eV: float
    electrons: float


def read_bands(path: Path) -> Levels:
    """Read a CASTEP .bands file.

    Raises
    ------
    OutputFileError
        It is missing, cut off or holds different numbers of bands for the two spins.
    """
    from ase.units import Hartree
    from castep_outputs.parsers.bands_file_parser import parse_bands_file

    try:
        head = _bands_header(path)
        data: Any = parse_bands_file(path)
        points = data["bands"]
        names = ("band",) if head["spins"] == 1 else ("band_up", "band_down")
        values = np.array([[point[name] for point in points] for name in names], dtype=float)
    except (OSError, KeyError, ValueError, IndexError, TypeError) as error:
        raise OutputFileError(
            f"{path} cannot be read as CASTEP eigenvalues ({type(error).__name__}: {error}): it is "
            "missing or cut off, or its two spins have different numbers of bands."
        ) from error
    expected = (int(head["spins"]), int(head["points"]))
    if values.ndim != 3 or values.shape[:2] != expected:
        raise OutputFileError(
            f"{path} is cut off: (spins, k points) should be {expected}, are {values.shape[:2]}."
        )
    weights = np.array([point["weight"] for point in points], dtype=float)
    return Levels(
        energies_eV=values * Hartree,
        weights=weights / weights.sum(),
        fermi_eV=head["fermi"] * Hartree,
        electrons=head["electrons"],
    )


def _bands_header(path: Path) -> dict[str, float]:
    """Return the head of a .bands file; castep_outputs 0.3 does not read one of two spins."""
    head: dict[str, float] = {}
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line, _ in zip(lines, range(5), strict=False):
            numbers = [float(word) for word in line.split() if word[-1].isdigit() and word[-1:]]
            if line.startswith("Number of k-points"):
                head["points"] = numbers[-1]
            elif line.startswith("Number of spin components"):
                head["spins"] = numbers[-1]
            elif line.startswith("Number of electrons"):
                head["electrons"] = sum(numbers)
            elif line.startswith("Fermi energ"):
                head["fermi"] = float(np.mean(numbers))
    if set(head) != {"points", "spins", "electrons", "fermi"}:
        raise ValueError(f"the head holds only {sorted(head)}")
    return head


@dataclass(frozen=True, eq=False)
class Projections:
    """Mulliken weights of a .pdos_bin file.

    Attributes
    ----------
    share : ndarray
        Part of each state on each local orbital. shape=(spins, k points, bands, local orbitals)
    species, ion, momentum : ndarray
        Species, number within it (both from 0), angular momentum. shape=(local orbitals,)
    """

    share: NDArray[np.float64]
    species: NDArray[np.int64]
    ion: NDArray[np.int64]
    momentum: NDArray[np.int64]


def read_pdos_bin(path: Path) -> Projections:
    """Read a CASTEP .pdos_bin file: big-endian Fortran records.

    Records are version and title (in newer ones), the numbers of k points, spins, local orbitals
    and bands, species, ion and angular momentum of the orbitals; then for each k point its index
    and coordinates, and for each spin its number, its number of bands, and the weights of each
    band.

    Raises
    ------
    OutputFileError
        It is missing or cut off.
    """
    from castep_outputs.bin_parsers.fortran_bin_parser import FortranBinaryReader

    if not path.is_file():
        raise OutputFileError(
            f"{path} is missing; set pdos_calculate_weights : true and run again."
        )
    with path.open("rb") as stream:
        records = list(FortranBinaryReader(stream))
    try:
        return _projections(records)
    except (IndexError, ValueError) as error:
        raise OutputFileError(f"{path} is cut off or no .pdos_bin file: {error}") from error


def _projections(records: list[bytes]) -> Projections:
    """Decode the records of a .pdos_bin file."""
    at = 2 if len(records[0]) == 8 else 0
    points, spins, orbitals, most_bands = (_integers(records[at + k])[0] for k in range(4))
    species, ion, momentum = (_integers(records[at + 4 + k]) for k in range(3))
    if len(species) != orbitals:
        raise ValueError(f"{len(species)} local orbitals described, {orbitals} announced")
    share = np.zeros((spins, points, most_bands, orbitals))
    at += 7
    for _ in range(points):
        point = _integers(records[at][:4])[0] - 1
        at += 1
        for _ in range(spins):
            spin, bands = _integers(records[at])[0] - 1, _integers(records[at + 1])[0]
            at += 2
            for band in range(bands):
                share[spin, point, band] = np.frombuffer(records[at + band], dtype=">f8")
            at += bands
    return Projections(share, species - 1, ion - 1, momentum)


def _integers(record: bytes) -> NDArray[np.int64]:
    return np.frombuffer(record, dtype=">i4").astype(np.int64)
