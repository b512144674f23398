"""`superionic barrier`: its numbers, its evidence, its files, and what it refuses."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.io import iread
from commands import Said, refused, superionic

from superionic.structures.errors import TaskFailedError
from superionic.structures.io import read_structure
from superionic.workflows.barrier import BarrierSettings
from superionic.workflows.commands.barrier import BarrierRequest


@pytest.fixture(scope="module")
def vacancy(here: Path) -> Said:
    """The vacancy hop of aluminium."""
    return superionic(
        "barrier", here / "al.cif", "--ion", "Al", "--theory", "emt", "--max-length", 3,
        "-o", here / "vacancy", "--workers", 1, "--json",
    )  # fmt: skip


def test_vacancy_barrier_agrees_with_plain_ase(here: Path, vacancy: Said) -> None:
    """The same band from ASE alone: its own supercell, interpolation and optimiser."""
    from ase.mep import NEB
    from ase.optimize import BFGS, FIRE

    assert vacancy.code == 0
    (found,) = vacancy.json
    a = read_structure(here / "vacancy" / "relaxed.cif").volume ** (1 / 3) * 4 ** (1 / 3)
    cell = bulk("Al", a=a) * (3, 3, 3)
    first, last = cell.copy(), cell.copy()
    near = cell.get_distances(0, range(1, len(cell)), mic=True).argmin() + 1
    last.positions[near] = cell.positions[0]
    images = [first] + [first.copy() for _ in range(3)] + [last]
    for image in images:
        del image[0]
        image.calc = EMT()
    for end in (first, last):
        BFGS(end, logfile=None).run(fmax=0.01)
    neb = NEB(images, climb=True, method="improvedtangent")
    neb.interpolate(mic=True)
    FIRE(neb, logfile=None).run(fmax=0.03, steps=200)
    expected = max(image.get_potential_energy() for image in images)
    expected -= first.get_potential_energy()
    assert found["forward_barrier_eV"] == pytest.approx(expected, abs=0.005)
    assert found["reverse_barrier_eV"] == pytest.approx(expected, abs=0.005)


def test_barrier_comes_with_its_evidence(vacancy: Said) -> None:
    (found,) = vacancy.json
    assert (found["verdict"], found["converged"], found["reason"]) == ("converged", True, "")
    assert found["fmax_eV_per_A"] <= found["fmax_target_eV_per_A"] == 0.05
    assert found["reaction_energy_eV"] == pytest.approx(0.0, abs=1e-3)
    assert found["force_calls"] > 10
    assert (found["theory"], found["seed"], found["hop"]) == ("emt", 0, 0)
    assert found["site_types"] == ["Al1", "Al1"]
    assert found["length_ang"] == pytest.approx(3.994 / np.sqrt(2), abs=0.01)
    assert "positions" not in found


def test_barrier_leaves_tables_paths_and_report(here: Path, vacancy: Said) -> None:
    folder = here / "vacancy"
    (found,) = vacancy.json
    with (folder / "barriers.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert float(row["forward_barrier_eV"]) == found["forward_barrier_eV"]
    assert row["key"] == found["key"]
    (path,) = folder.glob("Al1-Al1-*.extxyz")
    frames = list(iread(path))
    energies = np.array([frame.get_potential_energy() for frame in frames])
    assert energies[0] == 0.0
    assert energies.max() == pytest.approx(found["forward_barrier_eV"], abs=1e-6)
    assert len(frames[0]) == found["atoms"]
    names = {file.name for file in folder.iterdir()}
    assert {"figure.png", "figure.svg", "figure.csv", "report.html"} <= names
    page = (folder / "report.html").read_text()
    assert found["key"].replace(">", "&gt;") in page


def test_same_command_again_computes_nothing(here: Path, vacancy: Said) -> None:
    results = sorted((here / "vacancy").glob("*/result.json"))
    before = [file.stat().st_mtime_ns for file in results]
    words = ["barrier", here / "al.cif", "--ion", "Al", "--theory", "emt", "--max-length", 3]
    again = superionic(*words, "-o", here / "vacancy", "--json", "--arrays", "--hop", "0")
    assert [file.stat().st_mtime_ns for file in results] == before
    (found,) = again.json
    assert found["forward_barrier_eV"] == vacancy.json[0]["forward_barrier_eV"]
    images = len(found["energies_eV"])
    assert np.shape(found["positions"]) == (images, found["atoms"], 3)
    assert len(found["structure"]["numbers"]) == found["atoms"]
    told = superionic(*words, "-o", here / "vacancy", "--hop", found["key"])
    assert told.code == 0
    assert f"{found['forward_barrier_eV']:.3f}" in told.out


def test_folder_of_other_inputs_is_refused(here: Path, vacancy: Said) -> None:
    folder = here / "vacancy"
    before = {p: p.stat().st_mtime_ns for p in folder.rglob("*")}
    words = ["barrier", here / "al.cif", "--ion", "Al", "--max-length", 3, "-o", folder]
    for change, message in (
        (["--theory", "lj"], "theory was emt, now it is lj"),
        (["--theory", "emt", "--seed", 1], "seed was 0, now it is 1"),
        (["--theory", "emt", "--hop", 5], "no hop '5': the structure has 1"),
    ):
        assert message in refused(superionic(*words, *change))
    said = refused(superionic("reproduce", "-o", folder))
    assert "belongs to `superionic barrier`" in said
    assert {p: p.stat().st_mtime_ns for p in folder.rglob("*")} == before


@pytest.mark.parametrize("name", ["held", "held/file.txt"])
def test_folder_with_other_things_is_refused(here: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "held").mkdir()
    (tmp_path / "held/file.txt").write_text("mine")
    words = ["barrier", here / "al.cif", "--ion", "Al", "--theory", "emt", "-o", tmp_path / name]
    refused(superionic(*words))
    refused(superionic("reproduce", "-o", tmp_path / name))
    assert [p.name for p in (tmp_path / "held").iterdir()] == ["file.txt"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nzsp", "--ion", "Na", "--theory", "chgnet-0.3.0"], "superionic structure order"),
        (["crowded.vasp", "--ion", "Al"], "0.100 A apart"),
        (["nacl.cif", "--ion", "Na"], "emt has no parameters for Cl, Na"),
        (["al.cif", "--ion", "Na"], "No Na in the structure: it holds Al"),
        (["al.cif", "--ion", "Al", "--max-length", "2"], "the shortest is 2.828 A"),
        (["al.cif", "--ion", "Al", "--hop", "2"], "no hop '2'"),
        (["al.cif", "--ion", "Al", "--mechanism", "hole"], "--voids"),
        (["al.cif", "--ion", "Xx"], "'Xx'"),
        (["al.cif", "--ion", "Al", "--theory", "emt2"], "Unknown level of theory 'emt2'"),
        (["thin.vasp", "--ion", "Al"], "vacuum along lattice vector c is 5.00 A thick; emt reach"),
        (["slab.vasp", "--ion", "Al", "--relax-cell"], "--relax-cell"),
        (["nan.cif", "--ion", "Na", "--theory", "lj"], "not finite"),
        (["nan.extxyz", "--ion", "Na", "--theory", "lj"], "NaN"),
        (["truncated.cif", "--ion", "Na", "--theory", "lj"], "truncated"),
        (["absent.cif", "--ion", "Na"], "no structure file"),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(
    here: Path, words: list[str], message: str
) -> None:
    before = sorted(p.name for p in here.iterdir())
    name, *options = words
    source = name if name == "nzsp" else str(here / name)
    theory = [] if "--theory" in options else ["--theory", "emt"]
    said = superionic("barrier", source, *options, *theory, "-o", here / "out", "--json")
    assert message in refused(said)
    assert sorted(p.name for p in here.iterdir()) == before


def test_hop_without_evidence_has_no_value(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A band that may take one step does not get there."""
    usual = BarrierRequest.barrier_settings

    def hasty(request: BarrierRequest) -> BarrierSettings:
        settings = usual(request)
        return replace(settings, band=replace(settings.band, max_steps=1))

    monkeypatch.setattr(BarrierRequest, "barrier_settings", hasty)
    folder = tmp_path / "hop"
    words = ["barrier", here / "al.cif", "--ion", "Al", "--theory", "emt", "--max-length", 3]
    said = superionic(*words, "-o", folder, "--workers", 1, "--json")
    assert said.code == 1
    (found,) = said.json
    assert (found["verdict"], found["converged"]) == ("unconverged", False)
    for name in ("forward_barrier_eV", "reverse_barrier_eV", "reaction_energy_eV"):
        assert found[name] is None
    assert found["reason"].startswith("The band stopped at fmax")
    assert "1 of 1 hops have no converged barrier" in said.err
    (path,) = folder.glob("Al1-Al1-*.extxyz")
    frames = list(iread(path))
    assert all(frame.calc is None for frame in frames)
    assert all("unconverged_energy" in frame.info for frame in frames)
    assert not (folder / "figure.png").exists()
    assert "The band stopped at fmax" in superionic(*words, "-o", folder).out


def test_hop_whose_task_dies_is_told(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from superionic.workflows.futures import TaskFuture

    result = TaskFuture.result

    def fail(future: TaskFuture[object], timeout: float | None = None) -> object:
        if future.key.startswith("barrier"):
            raise TaskFailedError("the machine was switched off")
        return result(future, timeout)

    monkeypatch.setattr(TaskFuture, "result", fail)
    said = superionic(
        "barrier", here / "al.cif", "--ion", "Al", "--theory", "emt", "--max-length", 3,
        "-o", tmp_path / "hop", "--workers", 1, "--json",
    )  # fmt: skip
    assert said.code == 1
    (found,) = said.json
    assert (found["verdict"], found["converged"]) == ("failed", False)
    assert found["reason"] == "the machine was switched off"
    assert "switched off" in (tmp_path / "hop" / "report.html").read_text()


def test_report_is_written_again(here: Path, vacancy: Said) -> None:
    assert vacancy.code == 0
    report = here / "vacancy" / "report.html"
    before = report.read_bytes()
    report.unlink()
    said = superionic("report", here / "vacancy")
    assert said.out.strip() == str(report)
    assert report.read_bytes() == before
