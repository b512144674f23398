"""`superionic mof`: nodes and screens from the command line."""

from __future__ import annotations

import csv
import importlib.util
import io
from pathlib import Path

import pytest
from commands import refused, superionic

from superionic.structures.molecules import read_molecule


def test_node_in_every_spelling(tmp_path: Path) -> None:
    words = (["--metals", "Fe", "Fe", "Ni"], ["--metals", "Fe2Ni"], ["--metals", "Fe,Fe,Ni"])
    for k, metals in enumerate(words):
        file = tmp_path / f"node-{k}.sdf"
        said = superionic("mof", "node", *metals, "--cap", "formate", "-o", file)
        assert said.code == 0, said.err
        found = read_molecule(file)
        assert found.formula == "C6H6Fe2NiO13"
        assert (found.charge, found.spin_multiplicity) == (0, 13)


def test_node_says_what_it_is() -> None:
    said = superionic("mof", "node", "--metals", "Co2Zn", "--json")
    assert said.code == 0
    assert said.json["ions"] == ["Co(III)", "Co(III)", "Zn(II)"]
    assert said.json["open_sites"] == ["Co1", "Co2", "Zn1"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("mof", "node", "--metals", "FeFeO"), "symbol of a metal"),
        (("mof", "node", "--metals", "Fe4"), "three metals"),
        (("mof", "node", "--metals", "Fe3", "--cap", "imidazolate"), "no cap"),
        (("mof", "node", "--metals", "Fe3", "--multiplicity", "14"), "impossible"),
        (("mof", "node", "--metals", "Fe3", "--charge", "9"), "Fe"),
        (("mof", "screen", "--metals", "Zn3", "-o", "x"), "Zn3 with"),
        (("mof", "screen", "--metals", "Fe3,FeFeFe", "-o", "x"), "named twice"),
        (("mof", "screen", "--metals", "Cd2", "--level", "pyscf-pbe", "-o", "x"), "Cd"),
        (("mof", "screen", "--metals", "Fe3", "--cap", "imidazolate", "-o", "x"), "no cap"),
        (("mof", "screen", "--metals", "Fe3", "--charge", "7", "-o", "x"), "Fe3 with +7 e"),
        (("mof", "screen", "--metals", "Fe3", "--theory", "emt", "-o", "x"), "no charge"),
        (("mof", "screen", "--metals", "Fe3", "--mode", "S", "-o", "x"), "cannot bind through S"),
        (("mof", "screen", "--metals", "Fe3", "--adsorbate", "nothing", "-o", "x"), "nothing"),
    ],
)
def test_what_is_refused(
    words: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert message in refused(superionic(*words))
    assert list(tmp_path.iterdir()) == [], "nothing is made for what cannot work"


@pytest.mark.skipif(importlib.util.find_spec("tblite") is None, reason="tblite is not installed")
def test_screen_of_a_small_node(tmp_path: Path) -> None:
    out = tmp_path / "screen"
    words = ("mof", "screen", "--metals", "Zn2", "--adsorbate", "[Cl-]", "--starts", 1, "--fmax",
             0.05, "--no-progress", "-o", out)  # fmt: skip
    said = superionic(*words)
    assert said.code == 0, said.err
    assert "negative means bound" in said.out
    (row,) = csv.DictReader(io.StringIO((out / "screen.csv").read_text()))
    assert row["node"] == "Zn2"
    assert float(row["adsorption_energy_eV"]) < 0
    assert row["mode"] == "Cl"
    assert row["scf_converged"] == row["geometry_converged"] == "true"
    assert float(row["fmax_eV_per_A"]) < 0.05
    assert (out / "screen-Cl.png").is_file()
    assert read_molecule(out / "Zn2-Cl.xyz", charge=-1).formula == "C4H4ClO8Zn2"
    again = superionic(*words, "--json")
    assert again.code == 0
    assert again.json[0]["adsorption_energy_eV"] == pytest.approx(
        float(row["adsorption_energy_eV"])
    ), "nothing is computed twice"
    other = superionic(*words[:3], "Cu2", *words[4:])
    assert "other inputs" in refused(other)
