"""Molecule files: what is written is read back, and broken files are told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.io import read as ase_read
from ase.io import write as ase_write
from rdkit import Chem

from superionic.structures.errors import InvalidStructureError, StructureFileError
from superionic.structures.molecule import boxed
from superionic.structures.molecule_files import parse_sdf, read_molecule, write_molecule
from superionic.structures.molecules import reference_molecule, reference_molecules
from superionic.structures.structure import distance_matrix


@pytest.mark.parametrize("name", ["tfsi-trans", "litfsi", "pc", "g2", "li+", "clo4"])
@pytest.mark.parametrize("suffix", [".xyz", ".extxyz", ".sdf", ".mol"])
def test_round_trip(tmp_path: Path, name: str, suffix: str) -> None:
    written = reference_molecule(name)
    write_molecule(written, tmp_path / f"m{suffix}")
    found = read_molecule(tmp_path / f"m{suffix}")
    assert found.symbols == written.symbols
    assert (found.charge, found.spin_multiplicity) == (written.charge, written.spin_multiplicity)
    assert found.name == name
    assert {b[:2] for b in found.bonds} == {b[:2] for b in written.bonds}
    if suffix in (".sdf", ".mol"):
        assert found.bonds == written.bonds
    np.testing.assert_allclose(
        distance_matrix(found.structure), distance_matrix(written.structure), atol=2e-4
    )
    if suffix != ".mol":
        assert found.smiles == written.smiles
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"m{suffix}"]


@pytest.mark.parametrize("name", reference_molecules())
def test_rdkit_reads_the_same_molecule(tmp_path: Path, name: str) -> None:
    """Formal charges go to the right atoms: RDKit finds the SMILES again."""
    written = reference_molecule(name)
    write_molecule(written, tmp_path / "m.sdf")
    (graph,) = Chem.SDMolSupplier(str(tmp_path / "m.sdf"), removeHs=True)
    Chem.RemoveStereochemistry(graph)
    assert Chem.GetFormalCharge(graph) == written.charge
    assert Chem.MolToSmiles(graph) == Chem.CanonSmiles(written.smiles)


def test_ase_reads_the_xyz(tmp_path: Path) -> None:
    write_molecule(reference_molecule("tfsi"), tmp_path / "m.xyz")
    atoms = ase_read(tmp_path / "m.xyz")
    assert isinstance(atoms, Atoms)
    assert atoms.info["charge"] == -1
    assert not atoms.pbc.any()


def test_plain_xyz_needs_a_charge_where_electrons_are_odd(tmp_path: Path) -> None:
    ase_write(tmp_path / "m.xyz", reference_molecule("tfsi").structure.to_ase(), format="xyz")
    with pytest.raises(InvalidStructureError, match=r"odd number of electrons.*charge=-1"):
        read_molecule(tmp_path / "m.xyz")
    assert read_molecule(tmp_path / "m.xyz", charge=-1).spin_multiplicity == 1
    assert read_molecule(tmp_path / "m.xyz", spin_multiplicity=2).charge == 0
    assert read_molecule(tmp_path / "m.xyz", charge=-1).name == "m"


def test_declared_charge_wins_over_the_file(tmp_path: Path) -> None:
    write_molecule(reference_molecule("ec"), tmp_path / "m.sdf")
    cation = read_molecule(tmp_path / "m.sdf", charge=1)
    assert (cation.charge, cation.spin_multiplicity) == (1, 2)
    assert read_molecule(tmp_path / "m.sdf", name="other").name == "other"


def test_periodic_file_gives_the_whole_molecule(tmp_path: Path) -> None:
    molecule = reference_molecule("succinonitrile-trans")
    box = boxed(molecule, vacuum_ang=8)
    wrapped = box.to_ase()
    wrapped.translate(box.cell.diagonal() / 2)
    wrapped.wrap()
    ase_write(tmp_path / "m.extxyz", wrapped)
    found = read_molecule(tmp_path / "m.extxyz")
    np.testing.assert_allclose(
        distance_matrix(found.structure), distance_matrix(molecule.structure), atol=1e-6
    )


def test_broken_files_are_told(tmp_path: Path) -> None:
    good = tmp_path / "good.sdf"
    write_molecule(reference_molecule("ec"), good)
    text = good.read_text()
    cases = {
        "cut.sdf": (text[:400], StructureFileError, "complete V2000"),
        "words.sdf": ("hello\n", StructureFileError, "cannot be read|no atoms|complete"),
        "empty.xyz": ("", StructureFileError, "cannot be read|no atoms"),
        "cut.xyz": ("3\n\nO 0 0 0\n", StructureFileError, "cannot be read"),
        "nan.xyz": ("2\ncharge=0\nH 0 0 nan\nH 0 0 1\n", InvalidStructureError, "finite"),
        "close.xyz": ("2\n\nH 0 0 0\nH 0 0 0.1\n", InvalidStructureError, "closer than"),
    }
    for name, (content, error, message) in cases.items():
        (tmp_path / name).write_text(content)
        with pytest.raises(error, match=message):
            read_molecule(tmp_path / name)
    with pytest.raises(StructureFileError, match="There is no molecule file"):
        read_molecule(tmp_path / "nothing.xyz")


def test_flat_drawing_is_refused() -> None:
    graph = Chem.MolFromSmiles("C1COC(=O)O1")
    from rdkit.Chem import rdDepictor

    rdDepictor.Compute2DCoords(graph)
    with pytest.raises(InvalidStructureError, match="flat drawing"):
        parse_sdf(Chem.MolToMolBlock(graph), "drawing.mol")


def test_unknown_suffix_and_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StructureFileError, match="written as"):
        write_molecule(reference_molecule("ec"), tmp_path / "m.cif")
    with pytest.raises(StructureFileError, match="Could not write"):
        write_molecule(reference_molecule("ec"), tmp_path / "no" / "m.xyz")


def test_name_without_smiles_has_no_charge_lines(tmp_path: Path) -> None:
    write_molecule(replace(reference_molecule("tfsi"), smiles=""), tmp_path / "m.mol")
    assert "M  CHG" not in (tmp_path / "m.mol").read_text()
    assert read_molecule(tmp_path / "m.mol").charge == -1
