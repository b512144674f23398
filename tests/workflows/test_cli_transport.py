"""`superionic analyse transport|speciation|residence` and `fit arrhenius` on known ions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from commands import refused, superionic
from walking_ions import IONS, write_walk

from superionic.workflows.serialise import decode, read_json


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Na and two-atom anions that walk, some held together for a while, in heavy argon."""
    folder = tmp_path_factory.mktemp("ions")
    top, path = folder / "box.pdb", folder / "run.xtc"
    write_walk(top, path, anion="XX")
    return path, top


SPECIES = ("--ion", "Na:+1:element Na", "--ion", "X:-1:resname XX")


def test_transport_of_known_ions(files: tuple[Path, Path], tmp_path: Path) -> None:
    path, top = files
    said = superionic(
        "analyse", "transport", path, "--top", top, *SPECIES, "--temperature", 400,
        "--keep-drift", "-o", tmp_path,
        "--json",
    )  # fmt: skip
    assert said.code == 0, said.err + said.out
    found = said.json["onsager"]
    assert found["ions"] == [IONS, IONS]
    assert found["verdict"] == "diffusive"
    low, high = said.json["transference"]["onsager"][0]["interval"]
    assert low < 0.25 / 0.89 < high
    assert said.json["conductivity"]["haven_ratio"]["value"] == pytest.approx(1.0, abs=0.35)
    stored = decode(read_json(tmp_path / "transport.json"))
    assert stored["onsager"].species == ("Na", "X")
    assert {p.name for p in tmp_path.iterdir()} >= {"transport.png", "transport.csv"}


def test_transport_in_words(files: tuple[Path, Path]) -> None:
    path, top = files
    said = superionic("analyse", "transport", path, "--top", top, *SPECIES, "--temperature", 400)
    assert "20 Na, 20 X; formal: Na +1 e, X -1 e" in said.out
    assert "Haven ratio" in said.out
    assert "t of Na, Onsager" in said.out


def test_short_run_has_a_verdict_and_exit_code_one(files: tuple[Path, Path]) -> None:
    path, top = files
    said = superionic(
        "analyse", "transport", path, "--top", top, *SPECIES, "--temperature", 400, "--stop", 30
    )
    assert said.code == 1
    assert "too short" in said.out
    assert "S/cm" not in said.out


@pytest.mark.parametrize("text", ["Na", "Na:x:element Na", ":1:element Na", "Na:1: "])
def test_wrong_species_are_named(files: tuple[Path, Path], text: str) -> None:
    said = superionic(
        "analyse", "transport", files[0], "--top", files[1], "--ion", text, "--temperature", 400
    )
    assert "NAME:CHARGE:SELECTION" in refused(said)


def test_species_that_share_ions_are_named(files: tuple[Path, Path]) -> None:
    said = superionic(
        "analyse", "transport", files[0], "--top", files[1], "--ion", "A:1:element Na",
        "--ion", "B:-1:element Na O", "--temperature", 400, "--stop", 5,
    )  # fmt: skip
    assert "two of the species" in refused(said)


def test_speciation(files: tuple[Path, Path], tmp_path: Path) -> None:
    path, top = files
    said = superionic(
        "analyse", "speciation", path, "--top", top, "--cations", "element Na", "--anions",
        "resname XX", "--contact", 3.0, "--separated", 5.0, "-o", tmp_path, "--json",
    )  # fmt: skip
    assert said.code == 0, said.err
    states = said.json["anions"]
    assert sum(states[k]["value"] for k in states) == pytest.approx(1.0)
    assert said.json["anion_count"] == IONS
    assert states["SSIP"]["value"] > 0.05
    assert (tmp_path / "speciation.png").stat().st_size > 5_000


def test_contact_distance_of_a_gas_must_be_given(files: tuple[Path, Path]) -> None:
    said = superionic(
        "analyse", "speciation", files[0], "--top", files[1], "--cations", "element Na",
        "--anions", "resname XX", "--step", 20,
    )  # fmt: skip
    assert "Give " in refused(said)


def test_residence(files: tuple[Path, Path], tmp_path: Path) -> None:
    path, top = files
    said = superionic(
        "analyse", "residence", path, "--top", top, "--centres", "element Na", "--partners",
        "resname XX", "--contact", 6.0, "-o", tmp_path,
    )  # fmt: skip
    assert said.code == 0, said.err + said.out
    assert said.out.startswith("residence time")
    assert (tmp_path / "residence.svg").exists()
    short = superionic(
        "analyse", "residence", path, "--top", top, "--centres", "element Na", "--partners",
        "resname XX", "--contact", 11.9, "--stop", 12,
    )  # fmt: skip
    assert short.code == 1
    assert "no residence time" in short.out


def table(folder: Path, rows: list[str], header: str = "temperature_K,value") -> Path:
    path = folder / "values.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_fit_of_a_table(tmp_path: Path) -> None:
    T = np.array([280.0, 300, 320, 340, 360, 380])
    values = np.exp(3 - 0.4 / (8.617333e-5 * T))
    rows = [f"{t},{v},{0.9 * v},{1.1 * v}" for t, v in zip(T, values, strict=True)]
    file = table(tmp_path, rows, "temperature_K,value,low_95,high_95")
    said = superionic("fit", "arrhenius", file, "--unit", "S/cm", "-o", tmp_path / "fit", "--json")
    assert said.code == 0, said.err
    fit = said.json["fits"]["arrhenius"]
    assert fit["activation_energy_eV"]["value"] == pytest.approx(0.4, rel=1e-4)
    assert said.json["comparison"]["preferred"] in ("arrhenius", "undecided")
    assert (tmp_path / "fit/thermal.png").exists()
    words = superionic("fit", "arrhenius", file)
    assert "arrhenius: E_a 0.4" in words.out


def test_fit_of_too_few_temperatures_is_refused(tmp_path: Path) -> None:
    said = superionic("fit", "arrhenius", table(tmp_path, ["300,1", "320,2"]))
    assert "3 temperatures at least" in refused(said)
    some = superionic("fit", "arrhenius", table(tmp_path, ["300,1", "320,2", "340,3"]))
    assert some.code == 0
    assert "no vtf" in some.out


@pytest.mark.parametrize(
    ("rows", "header", "words"),
    [
        (["300,1"], "T,value", "expected temperature_K"),
        (["300,1,2"], "temperature_K,value,low_95", "both low_95"),
        (["300,1", "320,-", "340,2"], "temperature_K,value", "Line 3"),
    ],
)
def test_wrong_tables_are_named(tmp_path: Path, rows: list[str], header: str, words: str) -> None:
    assert words in refused(superionic("fit", "arrhenius", table(tmp_path, rows, header)))
