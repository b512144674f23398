"""Reading and writing structure files."""

from __future__ import annotations

import contextlib
import io
import os
import re
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.structures.cif import parse_cif
from superionic.structures.cif_writer import format_cif
from superionic.structures.disordered import DisorderedStructure, check_site_overlap
from superionic.structures.errors import InvalidStructureError, StructureFileError
from superionic.structures.labels import orbit_labels
from superionic.structures.structure import Structure, check_no_overlap

if TYPE_CHECKING:
    from ase import Atoms

__all__ = ["read_crystal", "read_structure", "write_structure"]

_LABEL_COLUMNS = ("site_labels", "labels", "label", "atom_site_label")
_REFUSED = {
    ".res": "ASE drops the occupancies of SHELX files",
    ".ins": "ASE drops the occupancies of SHELX files",
    ".pkl": "a pickle runs code when it is read",
    ".pickle": "a pickle runs code when it is read",
}


def read_crystal(path: str | Path) -> DisorderedStructure:
    """Read a periodic crystal, partial occupancies kept.

    CIF files keep their occupancies and site labels, with symmetry expanded. Every other format
    (POSCAR, extended XYZ, anything ASE reads) has whole atoms; labels come from the file where it
    has them, else from element and symmetry orbit (`superionic.structures.labels.orbit_labels`).

    Parameters
    ----------
    path
        File to read.

    Returns
    -------
    DisorderedStructure
        Its ``notes`` tell what was assumed or changed.

    Raises
    ------
    StructureFileError
        The file is missing, empty, truncated, or in a format that cannot be read.
    InvalidStructureError
        Non-finite coordinates, overlapping sites, occupancies outside [0, 1], no periodic cell.
    """
    file = _existing(path)
    if _format(file) == "cif":
        return parse_cif(file.read_text(encoding="utf-8", errors="replace"), file.name)
    crystal = DisorderedStructure.from_structure(_read_with_ase(file))
    check_site_overlap(crystal)
    return crystal


def read_structure(path: str | Path) -> Structure:
    """Read whole atoms, checked: finite, in a cell, none overlapping.

    Parameters
    ----------
    path
        File to read, in any format of `read_crystal`; extended XYZ keeps its pbc flags.

    Raises
    ------
    PartialOccupancyError
        Sites are shared or partly filled; order the structure first.
    StructureFileError
        The file is missing, empty, truncated, or in a format that cannot be read.
    InvalidStructureError
        Non-finite coordinates or overlapping atoms.
    """
    file = _existing(path)
    structure = (
        read_crystal(file).to_structure() if _format(file) == "cif" else _read_with_ase(file)
    )
    check_no_overlap(structure)
    return structure


def write_structure(structure: Structure | DisorderedStructure, path: str | Path) -> None:
    """Write a structure; the suffix names the format. The file appears whole or not at all.

    ========================  ==========================================================
    ``.cif``                  P1, every site listed; labels and occupancies kept
    ``.vasp``, ``POSCAR*``    atoms grouped by element in order of first appearance;
                              labels follow each coordinate line as a comment
    ``.extxyz``, ``.xyz``     atom order, pbc and labels (column ``site_labels``) kept
    ========================  ==========================================================

    Raises
    ------
    StructureFileError
        Unknown suffix, or the file cannot be written (missing folder, full disk).
    InvalidStructureError
        The format cannot hold the structure: partial occupancy outside CIF, or open boundaries
        in a CIF or POSCAR.
    """
    file = Path(path)
    kind = _written_format(file)
    if kind != "cif" and isinstance(structure, DisorderedStructure):
        structure = structure.to_structure()
    if kind == "extxyz":
        text = _format_extxyz(structure)
    else:
        if isinstance(structure, Structure) and not all(structure.pbc):
            raise InvalidStructureError(
                f"A {kind} file is periodic in three directions; this structure has pbc "
                f"{structure.pbc}. Write it as .extxyz, or give it a periodic cell."
            )
        if kind == "vasp":
            text = _format_poscar(structure)
        else:
            if isinstance(structure, Structure):
                structure = DisorderedStructure.from_structure(structure)
            text = format_cif(structure, file.stem)
    write_text_atomic(file, text)


def _existing(path: str | Path) -> Path:
    file = Path(path)
    if not file.is_file():
        raise StructureFileError(f"There is no structure file {str(file)!r}. Check its name.")
    if file.stat().st_size == 0 or not file.read_bytes()[:65536].strip():
        raise StructureFileError(f"{file.name} is empty. Export it again from its source.")
    return file


def _is_poscar(file: Path) -> bool:
    name = file.name.upper()
    return name.startswith(("POSCAR", "CONTCAR")) or file.suffix.lower() in {".vasp", ".poscar"}


def _format(file: Path) -> str:
    """Return ``cif``, or the ASE name of the file's format."""
    suffix = file.suffix.lower()
    if suffix in _REFUSED:
        raise StructureFileError(
            f"{file.name} is not read: {_REFUSED[suffix]}. Convert it to CIF or extended XYZ."
        )
    if suffix in {".cif", ".mcif"}:
        return "cif"
    if _is_poscar(file):
        return "vasp"
    if suffix in {".xyz", ".extxyz"}:
        return "extxyz"
    from ase.io.formats import UnknownFileTypeError, filetype, ioformats

    try:
        kind = str(filetype(str(file), guess=True))
    except UnknownFileTypeError as error:
        raise _unreadable(file, "its format is not known") from error
    if kind not in ioformats:
        raise _unreadable(file, "its format is not known")
    return kind


def _unreadable(file: Path, reason: object) -> StructureFileError:
    return StructureFileError(
        f"{file.name} cannot be read as a structure: {reason}. Expected a complete CIF, POSCAR "
        "or extended XYZ file, or another format that ASE knows."
    )


def _read_with_ase(file: Path) -> Structure:
    from ase import Atoms
    from ase.io import read

    kind = _format(file)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = read(file, index=-1, format=kind)
    except Exception as error:  # readers of 80 formats raise anything on a broken file
        detail = str(error).strip().splitlines() or [type(error).__name__]
        raise _unreadable(file, f"{kind} reader: {detail[0]}") from error
    if not isinstance(found, Atoms) or len(found) == 0:
        raise _unreadable(file, "it holds no atoms")
    if "occupancy" in found.info or "occupancies" in found.arrays:
        raise StructureFileError(
            f"{file.name} has occupancies, which its reader would take as full. Use a CIF file."
        )
    if found.cell.rank < 3:
        raise InvalidStructureError(
            f"{file.name} has no three-dimensional cell. Give the file a cell (in extended XYZ: "
            'Lattice="..."); a molecule gets one by `superionic structure molecule FILE --box 15`.'
        )
    structure = Structure.from_ase(found)
    labels = _poscar_labels(file, found) if kind == "vasp" else _column_labels(found)
    return replace(structure, labels=labels or orbit_labels(structure))


def _column_labels(atoms: Atoms) -> tuple[str, ...]:
    for name in _LABEL_COLUMNS:
        if name in atoms.arrays and atoms.arrays[name].dtype.kind in "USO":
            return tuple(str(x) for x in atoms.arrays[name])
    return ()


def _poscar_labels(file: Path, atoms: Atoms) -> tuple[str, ...]:
    """Return the site labels after the coordinates; none if they are missing or mere symbols."""
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    start = next(
        (i for i, x in enumerate(lines[5:12], start=5) if re.match(r"\s*[cCkKdD]", x) and i >= 6),
        None,
    )
    if start is None:
        return ()
    rows = [x.split()[3:] for x in lines[start + 1 : start + 1 + len(atoms)]]
    labels = tuple(row[-1] if row else "" for row in rows)
    symbols = tuple(atoms.get_chemical_symbols())
    own = all(x.startswith(s) for x, s in zip(labels, symbols, strict=False))
    return labels if own and len(labels) == len(symbols) and labels != symbols else ()


def _written_format(file: Path) -> str:
    suffix = file.suffix.lower()
    if suffix == ".cif":
        return "cif"
    if suffix in {".extxyz", ".xyz"}:
        return "extxyz"
    if _is_poscar(file):
        return "vasp"
    raise StructureFileError(
        f"Cannot tell the format of {file.name!r}. Use .cif, .vasp, POSCAR, .extxyz or .xyz."
    )


def _format_extxyz(structure: Any) -> str:
    from ase.io import write

    atoms = structure.to_ase()
    atoms.set_array("site_labels", np.array(structure.labels))
    buffer = io.StringIO()
    write(buffer, atoms, format="extxyz", columns=["symbols", "positions", "site_labels"])
    return buffer.getvalue()


def _format_poscar(structure: Any) -> str:
    symbols = list(dict.fromkeys(structure.symbols))
    order = np.concatenate([structure.indices(s) for s in symbols])
    fractional = structure.fractional
    lines = [structure.formula, "1.0"]
    lines += [" ".join(f"{x:22.16f}" for x in row) for row in structure.cell]
    lines += [" ".join(symbols), " ".join(str(len(structure.indices(s))) for s in symbols)]
    lines += ["Direct"]
    lines += [
        " ".join(f"{x:20.16f}" for x in fractional[i]) + f" {structure.labels[i]}" for i in order
    ]
    return "\n".join(lines) + "\n"


def write_text_atomic(file: Path, text: str) -> None:
    """Write through a temporary file in the same folder; never leave half a file."""
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(file)
    except OSError as error:
        if temporary:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
        raise StructureFileError(
            f"Could not write {str(file)!r}: {error.strerror or error}. Check that the folder "
            "exists, is writable and has space left."
        ) from error
