"""What a user names on the command line: a structure file, a packaged crystal, charges."""

from __future__ import annotations

import contextlib
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer

from superionic.structures.errors import InvalidStructureError, StructureFileError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from superionic.structures.disordered import DisorderedStructure
    from superionic.structures.structure import Structure

CIF_SUFFIXES = (".cif", ".mcif")
WRITTEN_SUFFIXES = (".cif", ".vasp", ".poscar", ".extxyz", ".xyz")


class WholeAtoms(NamedTuple):
    """An ordered structure with the sites its file knows to be empty.

    Attributes
    ----------
    structure : Structure
        The atoms, none overlapping.
    empty_sites : ndarray
        Cartesian positions in angstrom of sites with occupancy zero. shape=(m, 3)
    empty_labels : tuple of str
        Their labels. length=m
    """

    structure: Structure
    empty_sites: NDArray[np.float64]
    empty_labels: tuple[str, ...]


def load_crystal(source: str) -> DisorderedStructure:
    """Read a structure file, or return the packaged crystal of that name.

    Raises
    ------
    StructureFileError
        Neither exists, or the file cannot be read.
    InvalidStructureError
        The file holds no sound crystal.
    """
    from superionic.structures.io import read_crystal

    if Path(source).is_file():
        return read_crystal(source)
    return _packaged(source)


def load_atoms(source: str) -> WholeAtoms:
    """Read whole atoms; sites with occupancy zero in a CIF are kept apart.

    Raises
    ------
    PartialOccupancyError
        Sites are shared or partly filled.
    StructureFileError
        There is no such file or crystal, or it cannot be read.
    InvalidStructureError
        Non-finite coordinates or overlapping atoms.
    """
    import numpy as np

    from superionic.structures.io import read_structure
    from superionic.structures.structure import check_no_overlap

    if Path(source).is_file() and Path(source).suffix.lower() not in CIF_SUFFIXES:
        return WholeAtoms(read_structure(source), np.zeros((0, 3)), ())
    crystal = load_crystal(source)
    structure = crystal.to_structure()
    check_no_overlap(structure)
    free = [k for k, shares in enumerate(crystal.occupancies) if sum(shares.values()) < 0.5]
    return WholeAtoms(structure, crystal.positions[free], tuple(crystal.labels[k] for k in free))


def _packaged(name: str) -> DisorderedStructure:
    from superionic.structures.crystals import reference_crystal, reference_crystals

    try:
        return reference_crystal(name).structure
    except StructureFileError:
        if Path(name).is_dir():
            raise StructureFileError(
                f"'{name}' is a folder; name the structure file in it."
            ) from None
        raise StructureFileError(
            f"There is no structure file '{name}', and no packaged crystal of that name. Check "
            f"the path, or name one of: {', '.join(reference_crystals())}."
        ) from None


def parse_charges(pairs: Sequence[str]) -> dict[str, float] | None:
    """Return formal charges from words such as ``Zr=4``; None where there are none."""
    charges: dict[str, float] = {}
    for pair in pairs:
        symbol, _, value = pair.partition("=")
        try:
            charge = float(value)
        except ValueError:
            charge = math.nan
        if not symbol.strip() or not math.isfinite(charge):
            raise typer.BadParameter(
                f"expected SYMBOL=CHARGE such as Zr=4 or O=-2; got {pair!r}.",
                param_hint="--oxidation-state",
            )
        charges[symbol.strip()] = charge
    return charges or None


@contextlib.contextmanager
def charges_as_options() -> Iterator[None]:
    """Let errors of the library ask for charges by the option of the command line."""
    try:
        yield
    except InvalidStructureError as error:
        raise type(error)(named_charges(str(error))) from error


def named_charges(message: str) -> str:
    """Return a message with the library's keyword for charges as the option."""
    message = re.sub(
        r"oxidation_states=\{'(\w+)': (-?[\d.]+)\}", r"--oxidation-state \1=\2", message
    )
    return re.sub(r"\boxidation_states\b", "--oxidation-state", message)


def check_output(path: Path) -> None:
    """Raise before anything is computed if a structure could not be written there.

    Raises
    ------
    StructureFileError
        No format goes by that suffix, or the folder does not exist.
    """
    name = path.name.upper()
    if path.suffix.lower() not in WRITTEN_SUFFIXES and not name.startswith(("POSCAR", "CONTCAR")):
        raise StructureFileError(
            f"Cannot tell the format of '{path.name}'. Use .cif, .vasp, POSCAR, .extxyz or .xyz."
        )
    if not path.absolute().parent.is_dir():
        raise StructureFileError(f"There is no folder '{path.parent}' to write {path.name} into.")


def write_atoms(
    path: Path,
    structure: Structure,
    *,
    empty_sites: NDArray[np.float64] | None = None,
    empty_labels: Sequence[str] = (),
    ion: str = "",
) -> None:
    """Write a structure, in a CIF on request with its empty sites at occupancy zero.

    Parameters
    ----------
    path
        The file; its suffix names the format.
    structure
        The atoms.
    empty_sites, empty_labels
        Positions in angstrom (shape=(m, 3)) and labels of empty sites to keep.
    ion
        Chemical symbol of the ion that would fill them.

    Raises
    ------
    StructureFileError
        The file cannot be written, or empty sites are to go elsewhere than into a CIF.
    """
    import numpy as np

    from superionic.structures.disordered import DisorderedStructure
    from superionic.structures.io import write_structure

    if empty_sites is None or len(empty_sites) == 0:
        write_structure(structure, path)
        return
    if path.suffix.lower() != ".cif":
        raise StructureFileError(f"Only a .cif file can hold empty sites; got '{path.name}'.")
    fractional = np.linalg.solve(structure.cell.T, np.asarray(empty_sites).T).T
    crystal = DisorderedStructure(
        fractional=np.vstack([structure.fractional, fractional]),
        occupancies=(*({s: 1.0} for s in structure.symbols), *({ion: 0.0} for _ in fractional)),
        cell=structure.cell,
        labels=(*structure.labels, *empty_labels),
    )
    write_structure(crystal, path)
