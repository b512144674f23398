"""The NZSP reproduction: its protocols, its choices, and its report, on synthetic results."""

from __future__ import annotations

import csv
import io
import re
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import made_up
import numpy as np
import pytest

from superionic.analysis.barriers import BarrierResult
from superionic.analysis.claims import judge_claim
from superionic.analysis.figures import style
from superionic.analysis.scans import scan_profile
from superionic.structures.crystals import reference_crystal
from superionic.structures.errors import TaskFailedError
from superionic.structures.hops import find_hops
from superionic.structures.ordering import primitive
from superionic.structures.surfaces import build_slab
from superionic.workflows.annealing import OrderResult
from superionic.workflows.papers import nzsp
from superionic.workflows.papers.nzsp_figures import find_chain
from superionic.workflows.papers.nzsp_protocol import NzspProtocol, load_nzsp_protocol
from superionic.workflows.papers.nzsp_results import Cell, Comparison, first_converged
from superionic.workflows.papers.reproduction import write_paper_report

BULK = primitive(reference_crystal("na4zr2si3o12").structure).to_structure()
SLAB = build_slab(BULK, miller=(0, 0, 1), layers=3, repeat=(1, 1), allow_polar=True)


@pytest.fixture(scope="module")
def protocol() -> NzspProtocol:
    """The quick protocol, typed."""
    return load_nzsp_protocol("quick")[0]


def barrier(
    key: str, peak: float, *, surface: bool, end: tuple[float, float, float]
) -> BarrierResult:
    """Make a synthetic converged hop of the first Na of the bulk or the slab."""
    structure = SLAB.structure if surface else BULK
    made = made_up.barrier(
        [0.0, 0.5 * peak, peak, 0.5 * peak, 0.02],
        key=key,
        environment="surface" if surface else "bulk",
        depth_ang=1.0 if surface else None,
        direction="lateral" if surface else None,
        structure=structure,
        ion=int(structure.indices("Na")[0]),
        displacement=end,
    )
    return replace(made, theory="chgnet-0.3.0", start_energy_eV=-600.0)


def rejected(key: str) -> BarrierResult:
    """Make a synthetic surface hop that has no barrier."""
    return made_up.valueless(
        barrier(key, 0.1, surface=True, end=(3.0, 0.0, 0.0)),
        verdict="other-basin",
        reason="Relaxing the end took ion 7 (Na2) to another site (Na1).",
    )


def comparison(protocol: NzspProtocol, peaks: list[float], *, scans: bool = True) -> Comparison:
    """Make a synthetic comparison: one bulk hop of 0.30 eV and surface hops of given peaks."""
    bulk = (barrier("bulk-hop", 0.30, surface=False, end=(3.0, 0.0, 0.0)),)
    directions = [(3.0, 0.0, 0.0), (0.0, 3.0, 0.0), (-3.0, 0.0, 0.0), (0.0, -3.0, 0.0)]
    surface = (
        *(
            barrier(f"surface-hop-{k}", peak, surface=True, end=directions[k])
            for k, peak in enumerate(peaks)
        ),
        rejected("lost-hop"),
    )
    annealed = OrderResult(
        structure=SLAB.structure,
        energy_eV=-900.0,
        empty_sites=np.zeros((0, 3)),
        empty_labels=(),
        candidate_energies_eV=(),
        ewald_rank=0,
        fell_eV=0.2,
        moves_tried=6,
        moves_accepted=1,
        moves_blocked=0,
        exhausted=True,
        converged=True,
        fmax_eV_per_A=0.02,
        force_calls=100,
        theory="chgnet-0.3.0",
    )
    cell = Cell(
        bulk_structure=BULK,
        ordering=None,
        slab=SLAB,
        slab_energies_eV=(-899.5, -899.8),
        annealed=annealed,
        bulk=bulk,
        surface=surface,
        bulk_found=1,
        surface_found=9,
    )
    profiles = tuple(
        scan_profile(
            route="A",
            kind="rigid",
            hop_key="bulk-hop",
            coordinate=np.linspace(0, 1, 21),
            energies_eV=np.sin(np.linspace(0, np.pi, 21)),
            ion_positions=np.zeros((21, 3)),
            theory="chgnet-0.3.0",
            constraint="frozen",
            force_calls=21,
        )
        for _ in range(1 if scans else 0)
    )
    return Comparison(
        name="x = 3",
        cells=(cell,),
        one_bulk_class=True,
        verdict=judge_claim(bulk, surface, protocol.claim, one_bulk_class=True),
        scans=profiles,
    )


@pytest.mark.parametrize("fidelity", ["quick", "standard"])
def test_protocols_are_complete_and_say_their_fidelity(fidelity: str) -> None:
    protocol, text = load_nzsp_protocol(fidelity)
    assert protocol.fidelity == fidelity
    assert protocol.scan.step_fractional == 0.05, "the paper's step"
    assert protocol.ordered.slab.miller == protocol.disordered.slab.miller == (0, 0, 1)
    assert protocol.ordered.slab.vacuum_ang == 20.0, "the paper's 2 nm"
    assert protocol.claim.min_hops >= 4
    assert protocol.barrier.band.fmax_eV_per_A <= 0.05
    assert f'fidelity = "{fidelity}"' in text


def test_standard_is_no_looser_than_quick() -> None:
    quick, standard = (load_nzsp_protocol(f)[0] for f in ("quick", "standard"))
    assert standard.barrier.band.fmax_eV_per_A <= quick.barrier.band.fmax_eV_per_A
    assert standard.barrier.ends.relax.fmax_eV_per_A <= quick.barrier.ends.relax.fmax_eV_per_A
    assert standard.claim == quick.claim, "the rule must not depend on the fidelity"


def test_the_ordered_slab_of_the_protocol_is_not_polar(protocol: NzspProtocol) -> None:
    cut = protocol.ordered.slab
    slab = build_slab(
        BULK,
        miller=cut.miller,
        layers=cut.layers,
        repeat=cut.repeat,
        vacuum_ang=cut.vacuum_ang,
        compensate=cut.compensate,
        allow_polar=cut.allow_polar,
    )
    assert not slab.polar
    assert slab.stoichiometric
    assert slab.empty_labels == ("Na1", "Na1")


def test_the_drawn_hop_is_the_first_converged_not_the_lowest() -> None:
    hops = [rejected("lost")] + [
        barrier(k, p, surface=True, end=(3.0, 0.0, 0.0)) for k, p in (("b", 0.4), ("c", 0.1))
    ]
    chosen = first_converged(hops)
    assert chosen is not None
    assert chosen.key == "b"
    assert first_converged(hops[:1]) is None


def test_a_hop_whose_task_died_is_counted_and_replaced(
    protocol: NzspProtocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first dies, the second has no value, the third converges and is enough."""
    hop = find_hops(BULK, ion="Na", min_atoms=80)[0]
    lost, good = rejected("lost"), barrier("good", 0.3, surface=True, end=(3.0, 0.0, 0.0))
    outcomes: list[BarrierResult | Exception] = [TaskFailedError("out of memory"), lost, good, good]

    class Stub:
        @staticmethod
        def submit(*_: object) -> Future[BarrierResult]:
            future: Future[BarrierResult] = Future()
            outcome = outcomes.pop(0)
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
            return future

    monkeypatch.setattr(nzsp, "barrier_task", Stub)
    cell = SimpleNamespace(results={"bulk": [], "surface": []})
    candidates: Any = [(cell, hop)] * 4
    hops = nzsp._Hops(protocol, candidates, "surface", 1, 3, scanned=False)
    while hops.advance():
        pass
    verdicts = [r.verdict for r in cell.results["surface"]]
    assert verdicts == ["failed", "other-basin", "converged"]
    assert "out of memory" in cell.results["surface"][0].reason
    assert cell.results["surface"][0].key == hop.key
    assert len(outcomes) == 1, "no more than were needed"


def test_chains_of_both_routes(protocol: NzspProtocol) -> None:
    made = comparison(protocol, [0.2, 0.25, 0.22, 0.21])
    inner, surface = find_chain(made, "A"), find_chain(made, "B")
    assert inner is not None
    assert surface is not None
    assert inner.keys == ("bulk-hop", "bulk-hop")
    assert surface.keys == ("surface-hop-0", "surface-hop-1")


@pytest.mark.parametrize(
    ("peaks", "state", "ok"),
    [
        ([0.20, 0.25, 0.22, 0.21], "supported", True),
        ([0.40, 0.45, 0.42, 0.41], "contradicted", True),
        ([0.20, 0.45, 0.22, 0.41], "undecided", True),
        ([0.20, 0.25, 0.22], "undecided", True),
        ([], "undecided", False),
    ],
)
def test_report_says_what_was_computed(
    protocol: NzspProtocol,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    peaks: list[float],
    state: str,
    ok: bool,
) -> None:
    monkeypatch.setattr(style, "DPI", 40)  # coarse pictures, drawn as the fine ones are
    made = comparison(protocol, peaks)
    summary = write_paper_report(nzsp.PAPER, tmp_path, protocol, "x = 1", (made,), [])
    assert summary.ok is ok
    assert state in summary.lines[0]
    page = Path(summary.report).read_text()
    assert state in page
    assert "lost-hop" in page
    assert "took ion 7" in page
    assert not re.search(r'(?:src|href)="https?://(?!doi\.org)', page)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "nzsp/comparison.csv").read_text())))
    assert rows[0]["key"] == "bulk-hop"
    assert float(rows[0]["forward_barrier_eV"]) == 0.30
    assert rows[-1]["forward_barrier_eV"] == "", "a rejected hop has no number"
    drawn = ("fig6c-x3", "fig6a-x3", "fig6b-x3", "barriers-x3", "chains-x3") if peaks else ()
    for stem in drawn:
        assert {p.suffix for p in (tmp_path / "nzsp").glob(f"{stem}.*")} == {
            ".png",
            ".svg",
            ".csv",
        }


def test_no_published_number_in_a_computed_column(protocol: NzspProtocol, tmp_path: Path) -> None:
    """The paper prints no barrier, so without converged hops every computed cell is empty."""
    made = comparison(protocol, [], scans=False)
    cell = replace(made.cells[0], bulk=(rejected("lost-bulk"),))
    bare = replace(
        made,
        cells=(cell,),
        verdict=judge_claim(cell.bulk, cell.surface, protocol.claim, one_bulk_class=True),
    )
    summary = write_paper_report(nzsp.PAPER, tmp_path, protocol, "", (bare,), [])
    assert not summary.ok
    page = Path(summary.report).read_text()
    assert page.count("no value") >= 3
