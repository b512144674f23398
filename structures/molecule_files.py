"""Molecule files: XYZ, SDF and MOL, with charge, spin and bonds."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ase.data import atomic_numbers, covalent_radii

from superionic.structures.errors import InvalidStructureError, StructureFileError
from superionic.structures.io import write_text_atomic
from superionic.structures.molecule import Bond, Molecule, fragments, framed
from superionic.structures.molecule_text import mol_block, sdf_fields, xyz_text
from superionic.structures.polyanions import BOND_FACTOR, NONMETALS
from superionic.structures.structure import Structure, check_no_overlap, minimum_image

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SUFFIXES", "from_structure", "parse_sdf", "read_molecule", "write_molecule"]

SUFFIXES = (".xyz", ".extxyz", ".sdf", ".mol")
"""Suffixes of molecule files."""


def read_molecule(
    path: str | Path,
    *,
    charge: int | None = None,
    spin_multiplicity: int | None = None,
    name: str = "",
) -> Molecule:
    """Read a molecule from a file.

    Parameters
    ----------
    path
        ``.sdf`` or ``.mol`` (bonds and charges as written; the first record), ``.xyz`` or
        ``.extxyz`` (bonds from distances; ``charge=`` and ``spin_multiplicity=`` in the comment
        line are read), or another format with coordinates that ASE knows.
    charge
        Total charge in e, over what the file says.
    spin_multiplicity
        2S + 1, over what the file says; else the lowest.
    name
        What to call it; by default the title in the file, or its stem.

    Raises
    ------
    StructureFileError
        The file is missing or cannot be read.
    InvalidStructureError
        Non-finite or flat coordinates, overlapping atoms, or an odd number of electrons with
        neither charge nor multiplicity declared.
    """
    file = Path(path)
    if not file.is_file():
        raise StructureFileError(f"There is no molecule file {str(file)!r}. Check its name.")
    if file.suffix.lower() in {".sdf", ".mol"}:
        records = parse_sdf(file.read_text(encoding="utf-8", errors="replace"), file.name)
        found = records[0]
        if charge is not None or spin_multiplicity is not None:
            total = found.charge if charge is None else charge
            spin = spin_multiplicity or _multiplicity(found.structure, total, declared=True)
            found = replace(found, charge=total, spin_multiplicity=spin)
        return replace(found, name=name or found.name or file.stem)
    atoms = _read_with_ase(file)
    facts = atoms.info
    if charge is None and "charge" in facts:
        charge = int(facts["charge"])
    if spin_multiplicity is None and "spin_multiplicity" in facts:
        spin_multiplicity = int(facts["spin_multiplicity"])
    if not any(atoms.pbc):
        structure = framed(atoms.numbers, atoms.positions)
    else:
        structure = Structure.from_ase(atoms)
    check_no_overlap(structure)
    molecule = from_structure(
        structure, charge=charge, spin_multiplicity=spin_multiplicity,
        name=name or str(facts.get("name", "")) or file.stem,
    )  # fmt: skip
    return replace(molecule, smiles=str(facts.get("smiles", "")), source=f"file {file.name}")


def write_molecule(molecule: Molecule, path: str | Path) -> None:
    """Write a molecule; the file appears whole or not at all.

    ======================  ===================================================================
    ``.xyz``, ``.extxyz``   name, SMILES, charge and multiplicity in the comment line; no bonds
    ``.sdf``                bonds; charge, multiplicity, SMILES, source and note as data fields
    ``.mol``                bonds; charge and multiplicity in the comment line
    ======================  ===================================================================

    Raises
    ------
    StructureFileError
        Another suffix, or the file cannot be written.
    """
    file = Path(path)
    check_molecule_suffix(file)
    if file.suffix.lower() in {".sdf", ".mol"}:
        text = mol_block(molecule)
        if file.suffix.lower() == ".sdf":
            text += sdf_fields(molecule)
    else:
        text = xyz_text(molecule)
    write_text_atomic(file, text)


def check_molecule_suffix(file: Path) -> None:
    """Raise `StructureFileError` when no molecule format goes by the file's suffix."""
    if file.suffix.lower() not in SUFFIXES:
        raise StructureFileError(
            f"Cannot tell the format of {file.name!r}. A molecule is written as "
            f"{', '.join(SUFFIXES)}."
        )


def from_structure(
    structure: Structure,
    *,
    charge: int | None = None,
    spin_multiplicity: int | None = None,
    name: str = "",
) -> Molecule:
    """Make a molecule of atoms: bonds from distances, pieces of a wrapped molecule joined.

    Two nonmetal atoms are bonded below 1.2 times the sum of their covalent radii; all bonds get
    order 1.

    Parameters
    ----------
    structure
        The atoms of one molecule or ion pair.
    charge
        Total charge in e; 0 by default, unless that makes an odd number of electrons.
    spin_multiplicity
        2S + 1; by default the lowest.
    name
        What it is called; by default its formula.
    """
    bonds, positions = _bonded(structure)
    total = charge or 0
    spin = spin_multiplicity or _multiplicity(structure, total, declared=charge is not None)
    return Molecule(
        structure=framed(structure.numbers, positions, structure.labels),
        charge=total,
        spin_multiplicity=spin,
        name=name or structure.formula,
        bonds=bonds,
    )


def parse_sdf(text: str, title: str) -> tuple[Molecule, ...]:
    """Return the molecules of an SDF or MOL file's text.

    Raises
    ------
    StructureFileError
        No record, a broken one, or one without three-dimensional coordinates.
    """
    from rdkit import Chem, rdBase

    supplier = Chem.SDMolSupplier()
    with rdBase.BlockLogs():
        supplier.SetData(text, sanitize=False, removeHs=False)
        records = list(supplier)
    if not records or any(record is None for record in records):
        raise StructureFileError(
            f"{title} cannot be read as SDF or MOL. Expected complete V2000 or V3000 blocks."
        )
    return tuple(_from_record(record, title) for record in records)


def _from_record(record: Any, title: str) -> Molecule:
    name = record.GetProp("_Name") if record.HasProp("_Name") else ""
    where = f"{title}, {name}" if name else title
    if record.GetNumAtoms() == 0 or record.GetNumConformers() == 0:
        raise StructureFileError(f"{where} holds no atoms with coordinates.")
    points = np.array(record.GetConformer().GetPositions())
    numbers = np.array([atom.GetAtomicNum() for atom in record.GetAtoms()])
    if len(points) > 3 and np.ptp(points[:, 2]) == 0.0 and not record.GetConformer().Is3D():
        raise InvalidStructureError(
            f"{where} is a flat drawing. Give a file with three-dimensional coordinates, or build "
            "the molecule from its SMILES."
        )
    said = dict(record.GetPropsAsDict())
    if record.HasProp("_MolFileComments"):
        said |= dict(
            word.split("=", 1) for word in record.GetProp("_MolFileComments").split() if "=" in word
        )
    charge = int(said.get("charge", sum(a.GetFormalCharge() for a in record.GetAtoms())))
    structure = framed(numbers, points)
    spin = said.get("spin_multiplicity") or _multiplicity(structure, charge, declared=False)
    return Molecule(
        structure=structure,
        charge=charge,
        spin_multiplicity=int(spin),
        name=name,
        smiles=str(said.get("smiles", "")),
        source=str(said.get("source", "")) or f"file {title}",
        note=str(said.get("note", "")),
        bonds=tuple(
            (b.GetBeginAtomIdx(), b.GetEndAtomIdx(), b.GetBondTypeAsDouble())
            for b in record.GetBonds()
        ),
    )


def _read_with_ase(file: Path) -> Any:
    from ase import Atoms
    from ase.io import read

    kind = "extxyz" if file.suffix.lower() in {".xyz", ".extxyz"} else None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = read(file, index=-1, format=kind)
    except Exception as error:  # readers of 80 formats raise anything on a broken file
        detail = str(error).strip().splitlines() or [type(error).__name__]
        raise StructureFileError(
            f"{file.name} cannot be read as a molecule: {detail[0]}. Expected .sdf, .mol, .xyz, "
            "or another format with coordinates."
        ) from error
    if not isinstance(found, Atoms) or len(found) == 0:
        raise StructureFileError(f"{file.name} holds no atoms.")
    return found


def _multiplicity(structure: Structure, charge: int, *, declared: bool) -> int:
    """Return the lowest multiplicity; refuse to guess a radical nobody declared."""
    electrons = int(structure.numbers.sum()) - charge
    if electrons % 2 and not declared:
        raise InvalidStructureError(
            f"{structure.formula} with charge {charge:+d} has an odd number of electrons. Declare "
            "the charge of an ion (charge=-1) or that it is a radical (spin_multiplicity=2)."
        )
    return 1 + electrons % 2


def _bonded(structure: Structure) -> tuple[tuple[Bond, ...], Any]:
    """Return bonds by distance, and positions with bonded parts whole and next to each other."""
    from ase.neighborlist import neighbor_list

    numbers = structure.numbers
    covalent = np.isin(numbers, [atomic_numbers[s] for s in NONMETALS])
    radii = np.where(covalent, BOND_FACTOR * covalent_radii[numbers], 0.0)
    first, second, vectors = neighbor_list("ijD", structure.to_ase(), list(radii))
    keep = covalent[first] & covalent[second]
    step = {(int(i), int(j)): d for i, j, d in zip(first[keep], second[keep], vectors[keep],
                                                   strict=True)}  # fmt: skip
    bonds = tuple((i, j, 1.0) for i, j in sorted(step) if i < j)
    positions = structure.positions.copy()
    parts = fragments(len(structure), bonds)
    for part in parts:
        _make_whole(positions, part, step)
    largest = max(parts, key=lambda part: len(part))
    anchor = positions[list(largest)].mean(axis=0)
    for part in parts:
        centre = positions[list(part)].mean(axis=0)
        near = anchor + minimum_image(centre - anchor, structure.cell, structure.pbc)
        positions[list(part)] += near - centre
    return bonds, positions


def _make_whole(positions: Any, part: tuple[int, ...], step: Mapping[tuple[int, int], Any]) -> None:
    """Bring the atoms of one bonded part next to each other, in place."""
    placed, waiting = {part[0]}, [part[0]]
    while waiting:
        i = waiting.pop()
        for j in part:
            if j not in placed and (i, j) in step:
                positions[j] = positions[i] + step[i, j]
                placed.add(j)
                waiting.append(j)
