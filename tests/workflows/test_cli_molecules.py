"""`superionic structure molecule` and `superionic structure adsorb`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from commands import refused, superionic

from superionic.structures.errors import StructureFileError
from superionic.structures.io import read_structure
from superionic.structures.molecules import read_molecule, reference_molecules
from superionic.structures.structure import distance_matrix


def test_list_of_molecules() -> None:
    listed = superionic("structure", "molecule", "--list", "--json").json
    assert [m["name"] for m in listed] == list(reference_molecules())
    assert "litfsi" in superionic("structure", "molecule", "--list").out


@pytest.mark.parametrize("suffix", ["xyz", "sdf", "mol"])
def test_molecule_by_name(tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"m.{suffix}"
    said = superionic("structure", "molecule", "TFSI", "-o", out, "--json")
    assert said.code == 0
    assert (said.json["name"], said.json["charge"], said.json["file"]) == (
        "tfsi-trans", -1, str(out),
    )  # fmt: skip
    assert read_molecule(out).formula == said.json["formula"] == "C2F6NO4S2"


def test_conformers_of_a_smiles(tmp_path: Path) -> None:
    words = ("structure", "molecule", "N#CCCC#N", "--attempts", 20, "-o")
    low, high = (
        superionic(*words, tmp_path / f"{k}.xyz", "--conformer", k, "--json").json for k in (0, 1)
    )
    assert low["conformers"] == high["conformers"] == 2
    assert low["above_lowest_eV"] == 0.0
    assert high["above_lowest_eV"] > 0.0
    again = superionic(*words, tmp_path / "again.xyz")
    assert again.code == 0
    assert (tmp_path / "again.xyz").read_bytes() == (tmp_path / "0.xyz").read_bytes()
    assert (tmp_path / "1.xyz").read_bytes() != (tmp_path / "0.xyz").read_bytes()
    assert superionic(*words, tmp_path / "x.xyz", "--conformer", 7).code == 2


def test_molecule_in_a_box(tmp_path: Path) -> None:
    out = tmp_path / "box.vasp"
    said = superionic("structure", "molecule", "ec", "--box", 12, "-o", out, "--json").json
    box = read_structure(out)
    np.testing.assert_allclose(np.diag(box.cell), said["box_ang"])
    assert said["image_separation_ang"] >= 12.0


def test_nothing_is_written_without_a_name(tmp_path: Path) -> None:
    said = superionic("structure", "molecule", "ec")
    assert "C3H4O3" in said.out
    assert "nothing was written" in said.err
    assert superionic("structure", "molecule").code == 2


def test_molecules_refused(tmp_path: Path) -> None:
    out = tmp_path / "m.xyz"
    for source, message in (
        ("litsfi", "Did you mean 'litfsi'"),
        ("C(=O", "syntax is broken"),
        ("[Li+].[O-]C(=O)C(=O)[O-]", "declare the charge"),
        (tmp_path / "nothing.xyz", "There is no molecule file"),
    ):
        assert message in refused(superionic("structure", "molecule", source, "-o", out))
    assert "written as" in refused(
        superionic("structure", "molecule", "ec", "-o", tmp_path / "m.pdb")
    )
    assert superionic("structure", "molecule", "ec", "--conformer", 1, "-o", out).code == 2
    assert list(tmp_path.iterdir()) == []


def test_adsorb_writes_starts_and_their_reference(here: Path, tmp_path: Path) -> None:
    out = tmp_path / "starts"
    words = ("structure", "adsorb", here / "slab.vasp", "-m", "ec", "-o", out)
    said = superionic(*words, "--count", 5, "--vacuum", 14, "--json")
    assert said.code == 0
    assert len(said.json) == 5
    slab = read_structure(out / "slab.extxyz")
    for row in said.json:
        start = read_structure(out / row["file"])
        assert len(start) == len(slab) + 10
        np.testing.assert_allclose(start.cell, slab.cell)
        np.testing.assert_allclose(start.positions[: len(slab)], slab.positions)
        assert row["adsorbate"] == list(range(len(slab), len(start)))
        apart = distance_matrix(start)[len(slab) :, : len(slab)].min()
        assert row["clearance_ang"] == pytest.approx(apart, abs=1e-6)
    assert min(row["vacuum_ang"] for row in said.json) == pytest.approx(14.0)
    assert json.loads((out / "starts.json").read_text())["starts"] == said.json
    assert read_molecule(out / "molecule.sdf").name == "ec"
    again = superionic(*words, "--count", 5, "--vacuum", 14)
    assert again.code == 0
    assert said.json[0]["key"] in again.out


def test_adsorb_of_a_smiles_in_another_format(here: Path, tmp_path: Path) -> None:
    said = superionic(
        "structure", "adsorb", here / "slab.vasp", "-m", "C#N", "--side", "bottom", "--count", 2,
        "--format", "cif", "-o", tmp_path / "starts", "--json",
    )  # fmt: skip
    start = read_structure(tmp_path / "starts" / said.json[1]["file"])
    heights = start.positions[:, 2]
    assert heights[-3:].max() < heights[:-3].min()


def test_starts_that_do_not_fit_on_the_disk_leave_nothing(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StructureFileError("No space left on device.")

    monkeypatch.setattr("superionic.structures.molecules.write_molecule", full)
    words = ("structure", "adsorb", here / "slab.vasp", "-m", "C#N", "--count", 1, "-o")
    assert "No space left" in refused(superionic(*words, tmp_path / "starts"))
    assert list(tmp_path.iterdir()) == []


def test_adsorb_refused(here: Path, tmp_path: Path) -> None:
    out = tmp_path / "starts"
    slab = here / "slab.vasp"
    message = refused(superionic("structure", "adsorb", slab, "-m", "g4", "-o", out))
    assert "lower --min-image" in message
    assert "no slab" in refused(
        superionic("structure", "adsorb", here / "al.cif", "-m", "ec", "-o", out)
    )
    message = refused(
        superionic("structure", "adsorb", slab, "-m", "ec", "--height", 0.5, "-o", out)
    )
    assert "larger --height" in message
    message = refused(superionic("structure", "adsorb", slab, "-m", "ec", "--vacuum", 3, "-o", out))
    assert "must be at least 8 A thick" in message
    assert "another --vacuum" in message
    assert superionic("structure", "adsorb", slab, "-m", "ec", "--seed", -1, "-o", out).code == 2
    assert not out.exists()
    assert superionic("structure", "adsorb", slab, "-m", "ec", "--count", 1, "-o", out).code == 0
    message = refused(superionic("structure", "adsorb", slab, "-m", "ec", "--count", 2, "-o", out))
    assert "belongs to other inputs: count" in message
