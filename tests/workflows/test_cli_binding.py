"""`superionic binding`: its value, its evidence, its files, and what it refuses."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ase import Atoms
from ase.build import add_adsorbate, bulk, fcc111
from ase.io import read, write
from commands import Said, refused, superionic

SLAB_OPTIONS = (
    "--theory", "emt", "--starts", 3, "--keep", 2, "--screen-steps", 3, "--fmax", 0.01,
    "--vacuum", 12, "--workers", 1, "--no-progress",
)  # fmt: skip


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("binding")
    write(folder / "slab.vasp", fcc111("Cu", (3, 3, 2), vacuum=12.0, periodic=True))
    write(folder / "crystal.vasp", bulk("Cu", cubic=True) * (2, 2, 2))
    write(folder / "palladium.xyz", Atoms("Pd"))
    return folder


def bind(here: Path, *words: object, molecule: object = None, out: str = "out") -> Said:
    return superionic(
        "binding", "--surface", here / "slab.vasp", "--molecule",
        molecule or here / "palladium.xyz", "-o", here / out, *SLAB_OPTIONS, *words,
    )  # fmt: skip


@pytest.fixture(scope="module")
def palladium(here: Path) -> Said:
    return bind(here, "--json")


def test_value_comes_with_its_evidence(palladium: Said) -> None:
    assert palladium.code == 0, palladium.err
    found: dict[str, Any] = palladium.json
    assert found["verdict"] == "converged"
    assert -4.5 < found["binding_energy_eV"] < -1.5
    assert found["binding_strength_eV"] == -found["binding_energy_eV"]
    assert "negative means bound" in found["sign_convention"]
    assert found["starts_tried"] == 3
    assert found["starts_relaxed"] == 2
    assert found["starts_converged"] == 2
    parts = found["parts"]
    assert sum(parts.values()) == pytest.approx(found["binding_energy_eV"], abs=1e-9)
    assert {term["settings_hash"] for term in found["terms"]} == {found["settings_hash"]}
    assert [term["role"] for term in found["terms"]] == ["complex", "surface", "molecule"]
    assert found["terms"][0]["held"] == found["terms"][1]["held"]


def test_it_leaves_geometry_tables_and_report(here: Path, palladium: Said) -> None:
    folder = here / "out"
    best: Any = read(folder / "best.extxyz")
    assert best.get_chemical_formula() == "Cu18Pd"
    for name in ("surface.extxyz", "molecule.extxyz", "levels.csv", "binding.csv", "binding.png"):
        assert (folder / name).is_file(), name
    page = (folder / "report.html").read_text()
    assert f"{palladium.json['binding_energy_eV']:+.3f}" in page


def test_the_same_again_computes_nothing_and_says_the_same(here: Path, palladium: Said) -> None:
    again = bind(here)
    assert again.code == 0
    assert f"{palladium.json['binding_energy_eV']:+.3f} eV" in again.out
    assert "negative means bound" in again.out
    (here / "out" / "report.html").unlink()
    said = superionic("report", here / "out")
    assert said.code == 0
    assert (here / "out" / "report.html").is_file()


def test_a_cap_leaves_with_an_error_and_without_a_value(here: Path) -> None:
    said = bind(here, "--max-steps", 2, "--fmax", 0.0001, "--json", out="capped")
    assert said.code == 1
    assert said.json["binding_energy_eV"] is None
    assert said.json["verdict"] == "unconverged"
    assert "no binding energy" in said.err
    told = bind(here, "--max-steps", 2, "--fmax", 0.0001, out="capped").out.splitlines()[-1]
    for name in told.split(" are in ")[0].split(", "):
        assert (here / "capped" / name).is_file()


def test_ions_of_the_face_are_settled_first(here: Path) -> None:
    slab = fcc111("Cu", (3, 3, 2), vacuum=12.0, periodic=True)
    add_adsorbate(slab, "Ag", 2.2, "fcc")
    write(here / "adatom.vasp", slab)
    said = superionic(
        "binding", "--surface", here / "adatom.vasp", "--molecule", here / "palladium.xyz", "-o",
        here / "settled", *SLAB_OPTIONS, "--settle", "Ag", "--json",
    )  # fmt: skip
    assert said.code == 0, said.err
    assert said.json["notes"][0].startswith("Ag of the face were tried in")


def test_other_inputs_need_another_folder(here: Path, palladium: Said) -> None:
    message = refused(bind(here, "--seed", 4))
    assert "other inputs" in message
    assert "seed" in message


@pytest.mark.parametrize(
    ("words", "molecule", "match"),
    [
        (("--theory", "dft"), None, "Unknown level of theory 'dft'"),
        (("--level", "chgnet+d9"), None, "Unknown level of theory"),
        ((), "C1CC", "C1CC"),
        (("--vacuum", 3), None, "vacuum of 3 A above the molecule is too thin: emt reaches 6 A"),
        (("--level", "lj", "--vacuum", 8), None, "lj reaches 10 A"),
        (("--settle", "Li"), None, "There is no Li on the surface to settle: it holds Cu"),
        (("--min-image", 30), None, "or lower --min-image"),
        ((), "litfsi", "emt has no parameters"),
        (("--keep", 0), None, ""),
    ],
)
def test_what_is_refused(here: Path, words: tuple[object, ...], molecule: Any, match: str) -> None:
    said = bind(here, *words, molecule=molecule, out="refused")
    assert said.code != 0
    assert match in said.err.replace("\n", " ")
    assert not (here / "refused" / "binding.json").exists()


def test_a_crystal_is_no_surface(here: Path) -> None:
    said = superionic(
        "binding", "--surface", here / "crystal.vasp", "--molecule", here / "palladium.xyz", "-o",
        here / "refused", *SLAB_OPTIONS,
    )  # fmt: skip
    assert "slab with a vacuum" in refused(said)
    assert not (here / "refused" / "binding.json").exists()


def test_report_of_a_folder_without_a_result(here: Path, palladium: Said) -> None:
    other = here / "unfinished"
    other.mkdir()
    (other / "superionic.json").write_text((here / "out" / "superionic.json").read_text())
    assert "No binding energy has been found" in refused(superionic("report", other))
