"""`superionic electronic`: a molecule computed here, a run read back, errors told."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from commands import packaged, refused, superionic
from made_dos import metal_dos
from made_vasp import step, write_vasp_run
from small_molecules import molecule, oxygen, water
from small_salt import salt

from superionic.structures.molecule_files import write_molecule
from superionic.workflows.commands.electronic import ElectronicRequest, molecule_file
from superionic.workflows.electronic_results import ElectronicSettings
from superionic.workflows.scf_settings import ScfSettings

FIGURES = ("projected_dos.png", "projected_dos.svg", "projected_dos.csv")


def test_a_molecule_from_a_file(tmp_path: Path) -> None:
    file, out = tmp_path / "water.xyz", tmp_path / "out"
    write_molecule(water(), file)
    said = superionic("electronic", file, "-o", out, "--json", "--no-progress")
    assert said.code == 0
    found = said.json
    assert found["converged"]
    assert found["electrons"]["share_off"] < 0.01
    assert [a["element"] for a in found["atoms"]] == ["O", "H", "H"]
    assert found["potential"]["lowest_V"] < 0 < found["potential"]["highest_V"]
    assert found["attempts"][-1]["converged"]
    for name in (*FIGURES, "potential.png", "charges.csv", "electronic.json"):
        assert (out / name).is_file()
    assert not (out / "d_band_centres.csv").exists()
    assert json.loads((out / "electronic.json").read_text())["energy_eV"] == found["energy_eV"]
    again = superionic("electronic", file, "-o", out, "--no-progress")
    assert "1.0" not in again.err
    assert "energy eV" in again.out
    other = superionic("electronic", file, "-o", out, "--basis", "def2-tzvp", "--no-progress")
    assert "belongs to other inputs" in refused(other)


def test_a_finished_run_is_read(tmp_path: Path) -> None:
    run = write_vasp_run(tmp_path / "run", salt(), [step(salt(), -1.0)], dos=metal_dos())
    out = tmp_path / "out"
    said = superionic("electronic", run, "-o", out, "--json")
    assert said.code == 0
    assert said.json["theory"].startswith("vasp")
    assert said.json["d_band_centres"] == []  # sodium is no transition metal
    assert any("bader" in remark for remark in said.json["notes"])
    assert any("do not share the states out whole" in remark for remark in said.json["notes"])
    with (out / "projected_dos.csv").open() as lines:
        assert {row["states"] for row in csv.DictReader(lines)} == {"total", "O p"}
    table = superionic("electronic", run, "-o", out)
    assert "note: no bader charges" in table.out


def test_metals_of_a_plain_file_are_at_high_spin(tmp_path: Path) -> None:
    from superionic.structures.clusters import build_node

    node = build_node(["Fe", "Fe", "Ni"]).molecule
    file = tmp_path / "node.xyz"
    lines = [f"{s} {x:.6f} {y:.6f} {z:.6f}"
             for s, (x, y, z) in zip(node.symbols, node.positions, strict=True)]  # fmt: skip
    file.write_text("\n".join([str(len(node)), "a node", *lines]) + "\n")
    assert molecule_file(file, None, None).spin_multiplicity == 13
    assert molecule_file(file, None, 11).spin_multiplicity == 11
    write_molecule(node, tmp_path / "told.xyz")
    assert molecule_file(tmp_path / "told.xyz", None, None).spin_multiplicity == 13


def test_what_does_not_converge_leaves_with_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = ElectronicSettings(scf=ScfSettings(grid_level=0, max_cycles=1, rungs=("mixed",)))
    monkeypatch.setattr(ElectronicRequest, "settings", lambda self, atoms: short)
    file = tmp_path / "o2.xyz"
    write_molecule(oxygen(), file)
    said = superionic("electronic", file, "-o", tmp_path / "out", "--no-progress")
    assert said.code == 1
    assert "no self-consistent field after 1 attempts (mixed: " in said.err
    assert not (tmp_path / "out" / "projected_dos.png").exists()


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (("--theory", "gfn1-xtb"), "no orbitals"),
        (("--multiplicity", "2"), "do not make a multiplicity"),
        (("--theory", "pbe"), "Unknown level"),
    ],
)
def test_what_is_refused(tmp_path: Path, words: tuple[str, ...], match: str) -> None:
    file = tmp_path / "water.xyz"
    write_molecule(water(), file)
    said = superionic("electronic", file, "-o", tmp_path / "out", *words)
    assert match in refused(said)
    assert not (tmp_path / "out").exists()


def test_a_metal_that_the_level_lacks(tmp_path: Path) -> None:
    file = tmp_path / "gold.xyz"
    write_molecule(molecule(("Au",), [[0, 0, 0]], multiplicity=2), file)
    said = superionic("electronic", file, "-o", tmp_path / "out")
    assert "has no parameters for Au" in refused(said)


def test_moments_are_read(tmp_path: Path) -> None:
    file = tmp_path / "o2.xyz"
    write_molecule(oxygen(), file)
    said = superionic("electronic", file, "-o", tmp_path / "out", "--moment", "7=1")
    assert said.code == 2
    assert "atoms from 0 to 1" in said.err


def test_a_crystal_is_no_molecule(tmp_path: Path) -> None:
    said = superionic("electronic", packaged("na3ps4"), "-o", tmp_path / "out")
    assert "is a crystal; expected a molecule" in refused(said)
