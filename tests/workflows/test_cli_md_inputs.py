"""`superionic inputs openmm|gromacs|lammps` and `superionic forcefield`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from commands import refused, superionic
from small_boxes import CHARGES, ion, node_box, salt_box, small_box

from superionic.workflows.boxes import write_box


@pytest.fixture
def salt(tmp_path: Path) -> Path:
    write_box(salt_box(), tmp_path / "box")
    return tmp_path / "box"


@pytest.mark.parametrize(
    ("code", "files"),
    [
        ("openmm", {"system.xml", "topology.pdb", "positions.csv", "run.py"}),
        ("gromacs", {"box.gro", "topol.top", "em.mdp", "npt.mdp", "nvt.mdp"}),
        ("lammps", {"box.data", "in.lammps"}),
    ],
)
def test_inputs_of_each_code(code: str, files: set[str], salt: Path, tmp_path: Path) -> None:
    out = tmp_path / code
    said = superionic("inputs", code, salt, "-o", out, "--charge-scale", 0.8, "--json")
    assert said.code == 0
    assert said.json["charge_e"] == 0.0
    assert said.json["charge_scale"] == 0.8
    assert {p.name for p in out.iterdir()} == files | {"NOTES.md", "parameters.csv"}
    assert sum(r["count"] for r in said.json["parameters"] if r["kind"] == "atom") == 62
    assert "NOTES.md" in said.err


def test_openmm_folder_is_what_a_run_starts_from(salt: Path, tmp_path: Path) -> None:
    from superionic.workflows.md_system import MDSystem

    superionic("inputs", "openmm", salt, "-o", tmp_path / "omm", "--charge-scale", 1)
    found = MDSystem.load(tmp_path / "omm")
    np.testing.assert_allclose(found.positions_ang, salt_box().structure.positions, atol=6e-4)


def test_charge_scale_must_be_stated(salt: Path, tmp_path: Path) -> None:
    said = superionic("inputs", "gromacs", salt, "-o", tmp_path / "x")
    assert said.code == 2
    assert "--charge-scale" in said.err
    assert not (tmp_path / "x").exists()


def test_other_mixing_is_told(salt: Path, tmp_path: Path) -> None:
    words = ("--charge-scale", 1, "--mixing", "lorentz-berthelot")
    said = superionic("inputs", "lammps", salt, "-o", tmp_path / "x", *words)
    assert said.code == 0
    assert "made for geometric mixing" in said.err


def test_rigid_molecules_take_charges_from_a_file(tmp_path: Path) -> None:
    write_box(node_box(), tmp_path / "box")
    words = ("inputs", "gromacs", tmp_path / "box", "-o", tmp_path / "x", "--charge-scale", 1)
    assert "--charges FIL=FILE" in refused(superionic(*words))
    (tmp_path / "q.txt").write_text("\n".join(map(str, CHARGES)))
    assert superionic(*words, "--charges", f"FIL={tmp_path / 'q.txt'}").code == 0
    table = (tmp_path / "x" / "parameters.csv").read_text()
    assert "charge: file q.txt" in table
    assert "NAME=FILE" in refused(superionic(*words, "--charges", "FIL"))
    (tmp_path / "q.txt").write_text("one two")
    assert "one number in e" in refused(
        superionic(*words, "--charges", f"FIL={tmp_path / 'q.txt'}")
    )


def test_charges_of_rigid_molecules_are_computed(tmp_path: Path) -> None:
    pytest.importorskip("tblite")
    write_box(node_box(), tmp_path / "box")
    words = ("inputs", "lammps", tmp_path / "box", "-o", tmp_path / "x", "--charge-scale", 1)
    said = superionic(*words, "--charges", "FIL=gfn1-xtb", "--json")
    assert said.code == 0
    rows = [r for r in said.json["parameters"] if "FIL" in r["site"]]
    assert all("gfn1-xtb, Mulliken" in r["source"] for r in rows)
    metal = next(r for r in rows if r["name"] == "UFF_Mg")
    assert metal["values"]["charge_e"] > 0.2
    assert "no 'MOF'" in refused(superionic(*words, "--charges", "MOF=gfn1-xtb"))


def test_bad_requests_are_refused(salt: Path, tmp_path: Path) -> None:
    words = ("inputs", "openmm", salt, "-o", tmp_path / "x", "--charge-scale", 1)
    assert "at most 2 fs" in refused(superionic(*words, "--timestep", 4))
    assert "half the shortest edge" in refused(superionic(*words, "--cutoff", 14))
    assert "superionic box" in refused(
        superionic("inputs", "openmm", tmp_path, "-o", tmp_path / "y", "--charge-scale", 1)
    )
    write_box(small_box([ion("ec", "EC")], 24.0), tmp_path / "ec")
    said = superionic(
        "inputs", "openmm", tmp_path / "ec", "-o", tmp_path / "y", "--charge-scale", 1
    )
    assert "No force-field row covers" in refused(said)
    assert not (tmp_path / "y").exists()


def test_estimates_are_asked_for_and_told(tmp_path: Path) -> None:
    write_box(small_box([ion("sn", "SN", 2)], 24.0), tmp_path / "box")
    words = ("inputs", "lammps", tmp_path / "box", "-o", tmp_path / "x", "--charge-scale", 1)
    assert "CZ-CT-CT-CZ" in refused(superionic(*words))
    said = superionic(*words, "--estimates")
    assert said.code == 0
    assert "by analogy" in said.err


def test_forcefield_tables(salt: Path) -> None:
    listed = superionic("forcefield", "list", "--json").json
    assert {"opls-aa", "clp-2004", "clp-2025", "aqvist", "uff"} <= {r["set"] for r in listed}
    shown = superionic("forcefield", "show", "clp")
    assert "SB-NB-SB-CF" in shown.out
    assert "il.ff" in shown.out
    assert "Known" in refused(superionic("forcefield", "show", "gaff"))
    said = superionic("forcefield", "box", salt, "--charge-scale", 0.8, "--json")
    assert abs(said.json["charge_e"]) < 1e-9
    assert said.json["atoms"] == 62
