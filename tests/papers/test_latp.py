"""The LATP reproduction: its protocol, its report, and that no printed number is a computed one."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from pathlib import Path

import made_binding
import numpy as np
import pytest

from superionic.analysis.binding import BindingResult
from superionic.analysis.binding_claims import judge_binding
from superionic.structures.composition import latp
from superionic.structures.ordering import primitive
from superionic.structures.slab_ordering import OrderedSlab
from superionic.workflows.papers.latp import PAPER, slab_task, stretched
from superionic.workflows.papers.latp_protocol import (
    PUBLISHED_EV,
    LatpProtocol,
    load_latp_protocol,
)
from superionic.workflows.papers.latp_results import LatpResults
from superionic.workflows.papers.reproduction import write_paper_report
from superionic.workflows.surface_ions import SurfaceIonResult

END = primitive(latp(0.0)).to_structure()


@pytest.fixture(scope="module")
def protocol() -> LatpProtocol:
    return load_latp_protocol("quick")[0]


@pytest.fixture(scope="module")
def slabs(protocol: LatpProtocol) -> tuple[OrderedSlab, ...]:
    return slab_task(END, protocol.slab)


def results(
    protocol: LatpProtocol, slab: OrderedSlab, sn: BindingResult, litfsi: BindingResult
) -> LatpResults:
    return LatpResults(
        bulk=END,
        slab=slab,
        surface=SurfaceIonResult(slab.slab.structure, -800.0, 1.2, 16, 4, False),
        slab_energies_eV=(-800.0, -799.8, None),
        succinonitrile=sn,
        litfsi=litfsi,
        claim=judge_binding(sn, litfsi, protocol.claim),
    )


@pytest.mark.parametrize("fidelity", ["quick", "standard"])
def test_protocols_follow_the_paper(fidelity: str) -> None:
    made, text = load_latp_protocol(fidelity)
    assert made.fidelity == fidelity
    assert made.slab.x == 0.3
    assert made.slab.miller == (0, 0, 1)
    assert made.slab.vacuum_ang == made.binding.vacuum_ang == 15.0, "the paper's vacuum"
    assert made.binding.starts >= 12
    assert made.binding.relax.fmax_eV_per_A <= 0.05
    shown = {made.theory, *made.binding.levels}
    for dispersion in ("d2", "d3bj", "d4"):
        assert any(name.endswith(f"+{dispersion}") for name in shown)
    assert f'fidelity = "{fidelity}"' in text


def test_the_rule_does_not_depend_on_the_fidelity() -> None:
    quick, standard = (load_latp_protocol(f)[0] for f in ("quick", "standard"))
    assert standard.claim == quick.claim
    assert standard.binding.relax.fmax_eV_per_A <= quick.binding.relax.fmax_eV_per_A
    assert standard.binding.starts >= quick.binding.starts


def test_published_values_are_those_printed() -> None:
    assert PUBLISHED_EV == {"succinonitrile": 1.35, "litfsi": 0.75}


def test_slab_is_the_nearest_composition(slabs: tuple[OrderedSlab, ...]) -> None:
    first = slabs[0]
    assert first.found == "Al2Li8O72P18Ti10"
    assert "Al1.8" in first.wanted
    assert first.slab.net_charge_e == pytest.approx(0.0, abs=1e-9)
    assert abs(first.slab.dipole_e_ang) < 1e-6
    assert first.slab.vacuum_ang == 15.0
    assert slabs[1].ewald_energy_eV >= first.ewald_energy_eV


def test_the_slab_takes_the_cell_of_the_relaxed_end_member() -> None:
    wide = replace(END, cell=END.cell * 1.02, positions=END.positions * 1.02)
    crystal = stretched(latp(0.3), wide)
    old = np.linalg.norm(latp(0.3).cell, axis=1)
    assert np.linalg.norm(crystal.cell, axis=1) == pytest.approx(1.02 * old, rel=1e-6)
    assert np.allclose(crystal.fractional, latp(0.3).fractional)


@pytest.mark.parametrize(
    ("sn", "litfsi", "state"),
    [(-1.3, -0.7, "supported"), (-0.9, -1.9, "contradicted"), (-0.9, -0.85, "undecided")],
)
def test_report_says_what_was_computed(
    protocol: LatpProtocol,
    slabs: tuple[OrderedSlab, ...],
    tmp_path: Path,
    sn: float,
    litfsi: float,
    state: str,
) -> None:
    made = results(
        protocol,
        slabs[0],
        made_binding.binding("SN", sn, others=(("gfn1-xtb", sn - 0.02),)),
        made_binding.binding("LiTFSI", litfsi, others=(("gfn1-xtb", litfsi),)),
    )
    summary = write_paper_report(PAPER, tmp_path, protocol, "x = 1", made, [])
    assert summary.ok
    assert state in summary.lines[-1]
    page = Path(summary.report).read_text()
    for word in (
        state,
        "SN",
        "LiTFSI",
        "1.350",
        "0.750",
        "Al1.8",
        "negative means bound",
        "1.20 eV",
    ):
        assert word in page
    assert not re.search(r'(?:src|href)="https?://(?!doi\.org)', page)
    folder = tmp_path / "latp"
    for stem in ("binding-levels", "binding-starts", "geometries", "close-ups"):
        assert {p.suffix for p in folder.glob(f"{stem}.*")} == {".png", ".svg", ".csv"}
    rows = list(csv.DictReader(io.StringIO((folder / "binding-levels.csv").read_text())))
    assert float(rows[0]["binding_energy_eV"]) == pytest.approx(sn)
    for code, name in (("vasp", "INCAR"), ("castep", "latp.param")):
        for what in ("complex", "slab", "molecule"):
            assert (folder / "decks" / code / f"sn-{what}" / name).is_file()


def test_no_published_number_in_a_computed_column(
    protocol: LatpProtocol, slabs: tuple[OrderedSlab, ...], tmp_path: Path
) -> None:
    made = results(
        protocol, slabs[0], made_binding.no_binding("SN"), made_binding.no_binding("LiTFSI")
    )
    summary = write_paper_report(PAPER, tmp_path, protocol, "", made, [])
    assert not summary.ok
    page = Path(summary.report).read_text()
    assert page.count("no value") >= 3
    assert "300 steps" in page
    assert not list((tmp_path / "latp" / "decks").rglob("INCAR"))
