"""`superionic box`, and boxes in folders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.io import read
from commands import refused, superionic

from superionic.structures.box import Box
from superionic.structures.errors import RunFolderError, StructureFileError
from superionic.structures.packing import build_box
from superionic.structures.recipe import BoxSpec
from superionic.workflows.boxes import pdb_text, read_box, write_box

SMALL = ("box", "--polymer", "PEO:6x6", "--salt", "NaTFSI", "--ratio", 12)


@pytest.fixture(scope="module")
def box() -> Box:
    return build_box(BoxSpec(6, 6, salt="NaTFSI", units_per_cation=12.0, seed=2))


def same(first: Box, second: Box) -> bool:
    a, b = first.structure, second.structure
    return bool(
        (a.positions == b.positions).all()
        and (a.numbers == b.numbers).all()
        and a.labels == b.labels
        and [(c.name, c.count, c.residues, c.molecule.bonds) for c in first.components]
        == [(c.name, c.count, c.residues, c.molecule.bonds) for c in second.components]
        and first.seed == second.seed
    )


def test_box_by_composition(tmp_path: Path) -> None:
    out = tmp_path / "box"
    said = superionic(*SMALL, "--seed", 2, "-o", out, "--json").json
    assert said["atoms"] == 6 * 44 + 3 * 16
    assert said["EO_per_cation"] == 12.0
    assert said["charge"] == 0
    assert said["density_g_cm3"] == pytest.approx(0.9)
    assert [(c["name"], c["count"]) for c in said["components"]] == [
        ("PEO", 6), ("NA", 3), ("TFSI", 3)
    ]  # fmt: skip
    assert sum(c["wt_percent"] for c in said["components"]) == pytest.approx(100)
    assert said["shortest_nonbonded_ang"]["Na-O"] > 2.0
    assert {p.name for p in out.iterdir()} >= {"box.json", "box.pdb", "box.extxyz", "box.png"}
    again = superionic(*SMALL, "--seed", 2, "-o", out)
    assert "holds this box already" in again.err
    assert "EO_per_cation" in again.out


def test_folder_is_that_of_its_inputs(tmp_path: Path) -> None:
    out = tmp_path / "box"
    superionic(*SMALL, "-o", out)
    assert "seed was 0, now it is 1" in refused(superionic(*SMALL, "--seed", 1, "-o", out))
    (tmp_path / "other").mkdir()
    (tmp_path / "other/notes.txt").write_text("mine")
    assert "holds other files" in refused(superionic(*SMALL, "-o", tmp_path / "other"))


def test_filler_and_small_molecules(tmp_path: Path) -> None:
    node = tmp_path / "node.xyz"
    superionic("structure", "cluster", "Fe", "Fe", "Ni", "-o", node)
    said = superionic(
        *SMALL, "--filler", node, "--wt", 16, "--add", "succinonitrile=2", "--density", 0.8,
        "-o", tmp_path / "box", "--json",
    ).json  # fmt: skip
    assert [(c["name"], c["count"]) for c in said["components"]][3:] == [("SUCC", 2), ("FIL", 1)]
    assert said["filler_wt_percent"] == pytest.approx(16, rel=0.2)
    filler = read_box(tmp_path / "box").component("FIL")
    assert filler.rigid
    metals = {"Fe", "Ni"}
    symbols = filler.molecule.symbols
    assert sum(bool({symbols[i], symbols[j]} & metals) for i, j, _ in filler.molecule.bonds) == 15


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--polymer", "PEO:6x6", "--salt", "NaTFSI", "--ratio", 7), "cannot meet EO:cation = 7"),
        (("--polymer", "PEO:6x6", "--salt", "NaCl", "--ratio", 12), "No salt is called 'NaCl'"),
        (("--polymer", "PEO:6x6", "--density", 9), "Expected at most about"),
        (("--polymer", "PEO:6x6", "--add", "na+=1"), "charge of +1 e"),
        (("--polymer", "PEO:1x6"), "two or more units"),
        (("--polymer", "PEO:6x6", "--filler", "tfsi", "--wt", 15), "charge of -"),
        (("--polymer", "PEO:6x6", "--filler", "no.xyz", "--wt", 20), "no molecule file 'no.xyz'"),
        (("--polymer", "PEO:2x2"), "Take more or longer chains"),
    ],
)
def test_refusals_leave_nothing(tmp_path: Path, words: tuple[object, ...], message: str) -> None:
    out = tmp_path / "box"
    assert message in refused(superionic("box", *words, "-o", out))
    assert not out.exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--polymer", "PEO"), "PEO:UNITSxCHAINS"),
        (("--polymer", "PVDF:6x6"), "PEO:UNITSxCHAINS"),
        (("--polymer", "PEO:6x6", "--salt", "NaTFSI"), "both a salt and its ratio"),
        (("--polymer", "PEO:6x6", "--ratio", 12), "both a salt and its ratio"),
        (("--polymer", "PEO:6x6", "--wt", 12), "both a filler and its weight percent"),
        (("--polymer", "PEO:6x6", "--add", "sn"), "MOLECULE=COUNT"),
        (("--polymer", "PEO:6x6", "--add", "sn=0"), "MOLECULE=COUNT"),
    ],
)
def test_options_that_do_not_fit(tmp_path: Path, words: tuple[object, ...], message: str) -> None:
    said = superionic("box", *words, "-o", tmp_path / "box")
    assert said.code == 2
    assert message in " ".join(said.err.replace("│", " ").split())


# --- folders --------------------------------------------------------------------------------------


def test_box_comes_back_exactly(tmp_path: Path, box: Box) -> None:
    write_box(box, tmp_path / "deep" / "box")
    assert same(read_box(tmp_path / "deep" / "box"), box)
    assert same(read_box(tmp_path / "deep" / "box" / "box.json"), box)


def test_reading_refuses_what_is_no_box(tmp_path: Path, box: Box) -> None:
    with pytest.raises(StructureFileError, match=r"no box\.json"):
        read_box(tmp_path)
    (tmp_path / "box.json").write_text("{")
    with pytest.raises(RunFolderError, match="Cannot read"):
        read_box(tmp_path)
    (tmp_path / "box.json").write_text(json.dumps({"a": 1}))
    with pytest.raises(StructureFileError, match="holds no box"):
        read_box(tmp_path)


@pytest.mark.parametrize("name", ["box.pdb", "box.extxyz"])
def test_other_programs_read_the_same_atoms(tmp_path: Path, box: Box, name: str) -> None:
    write_box(box, tmp_path)
    atoms: Any = read(tmp_path / name)
    assert atoms.get_chemical_symbols() == list(box.structure.symbols)
    np.testing.assert_allclose(atoms.positions, box.structure.positions, atol=6e-4)
    np.testing.assert_allclose(np.diag(atoms.cell), box.edges_ang, atol=6e-4)
    assert all(atoms.pbc)


def test_pdb_names_residues_by_repeat_unit(box: Box) -> None:
    lines = [line for line in pdb_text(box).splitlines() if line.startswith("HETATM")]
    assert lines[0][12:26] == " C1  PEO A   1"
    assert lines[44][12:26] == " C1  PEO A   7"
    assert lines[-1][12:21] == f" {box.structure.labels[-1]:<3s} TFSI"
    keys = [(line[17:20], line[21:26], line[12:16]) for line in lines]
    assert len(set(keys)) == len(keys)
