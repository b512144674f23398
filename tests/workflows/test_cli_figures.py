"""`superionic figures` and `superionic doctor`, and views in notebooks."""

from __future__ import annotations

import csv
import io
import re
import struct
from dataclasses import replace
from pathlib import Path

import made_binding
import made_up
import pytest
from commands import Said, refused, superionic

from superionic.structures.crystals import reference_crystal
from superionic.structures.errors import EvidenceError
from superionic.structures.hops import find_hops
from superionic.structures.io import read_structure
from superionic.structures.molecules import reference_molecule
from superionic.workflows.commands.barrier_report import stored_results
from superionic.workflows.notebook import show
from superionic.workflows.selftest import self_test


@pytest.fixture(scope="module")
def folder(here: Path) -> Path:
    """The vacancy hop of aluminium."""
    said = superionic(
        "barrier", here / "al.cif", "--ion", "Al", "--theory", "emt", "--max-length", 3,
        "-o", here / "hop", "--workers", 1,
    )  # fmt: skip
    assert said.code == 0
    return here / "hop"


def look(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def width_of(png: Path) -> int:
    return int(struct.unpack(">I", png.read_bytes()[16:20])[0])


def test_figures_are_drawn_again(folder: Path, tmp_path: Path) -> None:
    before = look(folder)
    widths, sizes = {}, {}
    for style in ("paper", "slides"):
        said = superionic("figures", folder, "--style", style, "-o", tmp_path / style)
        assert said.code == 0
        assert said.out.startswith("barriers: .csv, .pdf, .png, .svg\n1 figures in")
        assert {p.name for p in (tmp_path / style).iterdir()} == {
            "barriers.svg", "barriers.pdf", "barriers.png", "barriers.csv",
        }  # fmt: skip
        assert (tmp_path / style / "barriers.pdf").read_bytes().startswith(b"%PDF")
        widths[style] = width_of(tmp_path / style / "barriers.png")
        svg = (tmp_path / style / "barriers.svg").read_text()
        sizes[style] = float(re.search(r'<svg[^>]* width="([\d.]+)pt"', svg)[1])  # type: ignore[index]
    assert look(folder) == before, "what is read is left alone"
    assert widths["slides"] == pytest.approx(13.33 / 7.2 * widths["paper"], abs=2)
    assert sizes["slides"] == pytest.approx(13.33 / 7.2 * sizes["paper"], rel=1e-4)
    tables = [(tmp_path / style / "barriers.csv").read_text() for style in widths]
    assert tables[0] == tables[1] == (folder / "figure.csv").read_text()
    rows = list(csv.DictReader(io.StringIO(tables[0])))
    assert {row["fidelity"] for row in rows} == {""}, "no fidelity was chosen"


def test_figures_lie_in_the_folder_by_default(folder: Path) -> None:
    written = superionic("figures", folder, "--json").json
    assert sorted(Path(p).name for p in written) == [
        "barriers.csv", "barriers.pdf", "barriers.png", "barriers.svg",
    ]  # fmt: skip
    assert {Path(p).parent for p in written} == {folder / "figures-paper"}


def test_what_has_no_figures(tmp_path: Path) -> None:
    assert "no folder" in refused(superionic("figures", tmp_path / "absent"))
    (tmp_path / "superionic.json").write_text('{"command": "box", "inputs": {}}')
    assert "has no figures to draw again" in refused(superionic("figures", tmp_path))
    (tmp_path / "superionic.json").write_text('{"command": "reproduce", "inputs": {}}')
    assert "no result that a figure could show" in refused(superionic("figures", tmp_path))


@pytest.fixture(scope="module")
def examined() -> Said:
    return superionic("doctor", "--json")


def test_doctor(examined: Said) -> None:
    assert examined.code == 0
    told = examined.json
    ready = {row["theory"]: row["ready"] for row in told["theories"]}
    assert ready["emt"] == "yes"
    assert "...+d3bj" in ready
    assert {row["program"] for row in told["programs"]} >= {"vasp", "castep", "gpaw", "sbatch"}
    assert [check["ok"] for check in told["checks"]] == [True] * 4
    assert told["machine"]["cores"] >= 1


def test_doctor_says_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> str:
        raise OSError("the crystals are gone")

    monkeypatch.setattr("superionic.workflows.selftest._read_crystal", broken)
    checks = self_test()
    assert (checks[0].ok, checks[0].found) == (False, "OSError: the crystals are gone")
    assert all(check.ok for check in checks[1:])
    monkeypatch.setattr("superionic.workflows.selftest.self_test", lambda: checks[:1])
    said = superionic("doctor")
    assert said.code == 1
    assert "FAIL  a crystal is read and checked" in said.out
    assert said.err == "error: the self-test failed: a crystal is read and checked.\n"


def test_cards(here: Path, folder: Path) -> None:
    structure = read_structure(here / "al.cif")
    (hop,) = find_hops(structure, ion="Al", max_length_ang=3.0)
    (result,) = stored_results(folder)
    for thing, words in (
        (structure, ("Al4", "<svg", "<circle", "4.000")),
        (hop, ("Hop of Al", "vacancy", "<polyline")),
        (reference_molecule("litfsi"), ("charge", "+0 e", "<svg")),
        (reference_crystal("nzsp").structure, ("shared or partly empty",)),
        (result, ("forward barrier", "converged", "emt")),
        (made_binding.binding("SN", -1.0), ("Binding of SN", "-1.000 eV")),
        (made_binding.no_binding("SN"), ("reason", "300 steps")),
    ):
        card = thing._repr_html_()
        for word in words:
            assert word in card, (type(thing), word)
        assert card.count("<svg") == card.count("</svg>")


def test_picture_is_of_all_atoms_in_the_frame() -> None:
    crystal = reference_crystal("na4zr2si3o12").structure.to_structure()
    card = crystal._repr_html_()
    width, height = (float(x) for x in re.search(r'width="(\d+)" height="(\d+)"', card).groups())  # type: ignore[union-attr]
    circles = re.findall(r'<circle cx="([\d.-]+)" cy="([\d.-]+)"', card)
    assert len(circles) == len(crystal)
    assert all(0 < float(x) < width and 0 < float(y) < height for x, y in circles)
    assert max(width, height) == pytest.approx(260, abs=1)
    many = crystal.with_positions(crystal.positions)
    assert many._repr_html_() == card


def test_views(here: Path, folder: Path) -> None:
    structure = read_structure(here / "al.cif")
    (hop,) = find_hops(structure, ion="Al", max_length_ang=3.0)
    (result,) = stored_results(folder)
    view = show(structure, hop, result, made_binding.binding("SN", -1.0), caption="Four.")
    assert "<title>4 views</title>" in view.html
    assert view.html.count('"name":') == 4
    shown = view._repr_html_()
    assert shown.startswith('<iframe srcdoc="&lt;!DOCTYPE html&gt;')
    assert "<script" not in shown
    with pytest.raises(TypeError, match="got list"):
        show([structure])
    lost = replace(
        made_up.barrier([0.0, 0.3, 0.0], verdict="failed", reason="It blew up."), structure=None
    )
    with pytest.raises(EvidenceError, match="It blew up"):
        show(lost)
