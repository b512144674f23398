"""The PEO reproduction: its protocol, its report, and a tiny run from end to end."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import made_chain_hops
import numpy as np
import pytest

from superionic.analysis.chain_hop_claims import judge_chain_hops
from superionic.analysis.chain_hops import ChainHop
from superionic.analysis.coordination import coordination_number, first_shell
from superionic.analysis.diffusion import self_diffusion
from superionic.analysis.electrolyte_claims import judge_motion, judge_pairing
from superionic.analysis.rdf import rdf
from superionic.inputs.md_options import MDOptions
from superionic.structures.box import Box
from superionic.structures.clusters import build_node
from superionic.structures.errors import TaskFailedError
from superionic.structures.packing import build_box
from superionic.structures.pockets import Pocket
from superionic.structures.recipe import BoxSpec
from superionic.workflows.barrier import BarrierSettings
from superionic.workflows.chain_pockets import (
    ChainHopSettings,
    ChainSystem,
    RelaxedPocket,
    choose_pair,
    middle_pockets,
)
from superionic.workflows.electrolyte_md import (
    ElectrolyteRun,
    FillerModel,
    RunPlan,
    pooled_motion,
)
from superionic.workflows.md_settings import MDSettings
from superionic.workflows.neb import BandSettings
from superionic.workflows.papers import peo
from superionic.workflows.papers.peo_protocol import (
    PUBLISHED_D_CM2_S,
    PUBLISHED_HOPS_EV,
    PUBLISHED_PEAKS_ANG,
    PeoProtocol,
    load_peo_protocol,
)
from superionic.workflows.papers.peo_results import HopStudy, NodeModel, PeoResults
from superionic.workflows.papers.reproduction import Paper, reproduce, write_paper_report
from superionic.workflows.relax import RelaxResult, RelaxSettings
from superionic.workflows.scan import ScanSettings

NODE = build_node(("Fe", "Fe", "Ni")).molecule


@pytest.fixture(scope="module")
def protocol() -> PeoProtocol:
    return load_peo_protocol("quick")[0]


@pytest.fixture(scope="module")
def box() -> Box:
    spec = BoxSpec(units=8, chains=5, salt="NaTFSI", units_per_cation=20, density_g_cm3=0.7)
    return build_box(spec)


def made_run(box: Box, name: str, *, seed: int, step_ang: float = 0.4) -> ElectrolyteRun:
    """A run of which the ions walk at random and the oxygens sit anywhere."""
    rng = np.random.default_rng(seed)
    path = np.cumsum(rng.normal(scale=step_ang, size=(600, 40, 3)), axis=0)
    cell = 20.0 * np.eye(3)
    around = rdf(
        rng.uniform(0, 20, size=(50, 10, 3)), rng.uniform(0, 20, size=(50, 60, 3)), cell=cell,
        r_max_ang=8.0, bin_ang=0.2,
    )  # fmt: skip
    return ElectrolyteRun(
        name=name,
        counts={c.name: c.count for c in box.components},
        atoms=len(box),
        filler_wt_percent=0.0,
        density_g_cm3=1.1,
        density_drift_percent=0.4,
        temperature_K=401.0,
        production_ps=60.0,
        dt_ps=0.1,
        platform="CPU",
        anion_oxygen=around,
        ether_oxygen=around,
        anion_shell=first_shell(around),
        ether_shell=first_shell(around),
        cation_motion=self_diffusion(path, dt_ps=0.1),
        cation_path_ang=path,
        snapshot=box.structure,
        box=box,
        seed=seed,
    )


def results(
    protocol: PeoProtocol,
    runs: tuple[tuple[ElectrolyteRun, ...], tuple[ElectrolyteRun, ...]],
    hops: tuple[ChainHop | None, ChainHop | None],
) -> PeoResults:
    relaxed = RelaxResult(NODE.structure, -1.0, 0.0, True, 0.04, 30, "gfn1-xtb")
    studies = tuple(
        HopStudy(name, (), hop, "" if hop else "No two pockets differ.")
        for name, hop in zip((peo.BARE, peo.FILLED), hops, strict=True)
    )
    pairs = [(hops[0], hops[1])] if hops[0] is not None and hops[1] is not None else []
    cutoff = protocol.electrolyte_claim.cutoff_ang
    near = [
        [coordination_number(run.anion_oxygen, cutoff_ang=cutoff) for run in group]
        for group in runs
    ]
    return PeoResults(
        node=NodeModel(NODE, relaxed, FillerModel(np.zeros(len(NODE)), "Mulliken charges")),
        bare=runs[0],
        filled=runs[1],
        failures=() if runs[0] else ("PEO 1 blew up.",),
        hops=studies,
        hop_claim=judge_chain_hops(pairs, protocol.hop_claim),
        pairing=judge_pairing(near[0], near[1], protocol.electrolyte_claim),
        motion=judge_motion(pooled_motion(runs[0]), pooled_motion(runs[1])),
    )


@pytest.mark.parametrize("fidelity", ["quick", "standard"])
def test_protocols_state_what_the_paper_leaves_open(fidelity: str) -> None:
    made, text = load_peo_protocol(fidelity)
    assert made.fidelity == fidelity
    assert made.electrolyte.filler_wt_percent == 10.0, "the paper's CPE-10"
    assert made.electrolyte.salt == "NaTFSI"
    assert made.force_field.mixing == "geometric"
    assert made.chain.theory == "gfn1-xtb", "GFN2 binds Na+ too strongly"
    assert made.hops.cutoff_ang == made.electrolyte_claim.cutoff_ang == 3.2
    assert made.run.options.timestep_fs == made.run.settings.timestep_fs
    assert f'fidelity = "{fidelity}"' in text


def test_standard_is_larger_and_repeats() -> None:
    quick, standard = (load_peo_protocol(f)[0] for f in ("quick", "standard"))
    assert standard.electrolyte.boxes >= 3
    assert standard.run.steps > 100 * quick.run.steps
    assert standard.hop_claim == quick.hop_claim
    assert standard.electrolyte_claim == quick.electrolyte_claim
    assert standard.hops.relax.fmax_eV_per_A <= quick.hops.relax.fmax_eV_per_A


def test_published_values_are_those_printed() -> None:
    assert tuple(PUBLISHED_HOPS_EV.values()) == (5.10, 0.73, 2.29)
    assert tuple(PUBLISHED_D_CM2_S.values()) == (4.9e-7, 2.12e-6)
    assert PUBLISHED_PEAKS_ANG == (2.3, 4.5)


def test_boxes_of_both_kinds_share_their_salt_and_seed(protocol: PeoProtocol) -> None:
    bare, filled = (peo.recipe(protocol, 1, node) for node in (None, NODE))
    assert bare.seed == filled.seed == protocol.run.settings.seed + 1
    assert bare.units_per_cation == filled.units_per_cation
    assert bare.filler is None
    assert filled.filler_wt_percent == 10.0


def test_chain_is_held_at_its_ends_and_the_node_at_its_carbons(protocol: PeoProtocol) -> None:
    alone, beside = (peo.chain_system(protocol, node) for node in (None, NODE))
    assert [alone.molecule.symbols[k] for k in alone.tethers.atoms] == ["C", "C"]
    assert len(beside.tethers.atoms) == 2 + 6
    assert beside.donors == alone.donors
    assert (alone.charge, alone.molecule.spin_multiplicity) == (1, 1)
    assert (beside.charge, beside.molecule.spin_multiplicity) == (1, 13)
    pockets = middle_pockets(alone, protocol.hops)
    assert len(pockets) == protocol.hops.pockets
    assert choose_pair([], protocol.hops) is None


def test_report_says_what_was_computed(protocol: PeoProtocol, box: Box, tmp_path: Path) -> None:
    peak, state = 0.9, "contradicted"
    hops = (
        made_chain_hops.chain_hop("PEO", (0.0, 0.4, 0.1), levels=True),
        made_chain_hops.chain_hop("CPE", (0.0, peak, 0.1)),
    )
    runs = (
        (made_run(box, "PEO 1", seed=1),),
        (made_run(box, "CPE 1", seed=2, step_ang=0.8),),
    )
    made = results(protocol, runs, hops)
    summary = write_paper_report(peo.PAPER, tmp_path, protocol, "x = 1", made, [])
    assert summary.ok
    assert any(f"beside the node: {state}" in line for line in summary.lines)
    page = Path(summary.report).read_text()
    for word in ("5.100", "0.730", "2.290", "4.900", "21.200", "2.300", "4.500", state):
        assert word in page
    assert "the scatter between boxes" in page, "one box decides nothing"
    assert not re.search(r'(?:src|href)="https?://(?!doi\.org)', page)
    folder = tmp_path / "peo"
    for stem in ("boxes", "na-o-tfsi", "na-o-ether", "msd", "hops"):
        assert {p.suffix for p in folder.glob(f"{stem}.*")} == {".png", ".svg", ".csv"}
    rows = list(csv.DictReader(io.StringIO((folder / "hops.csv").read_text())))
    printed = {r["energy_eV"] for r in rows if r["kind"] == "published"}
    assert printed == {"5.1", "0.73", "2.29"}
    assert not printed & {r["energy_eV"] for r in rows if r["kind"] != "published"}


def test_without_values_the_report_says_so(protocol: PeoProtocol, tmp_path: Path) -> None:
    made = results(protocol, ((), ()), (made_chain_hops.no_hop("PEO"), None))
    summary = write_paper_report(peo.PAPER, tmp_path, protocol, "", made, [])
    assert not summary.ok
    page = Path(summary.report).read_text()
    assert page.count("no value") >= 2
    assert "PEO 1 blew up." in page
    assert "No two pockets differ." in page
    assert "5.100" in page


class AtOnce:
    """Stands for a job whose tasks are done as soon as they are submitted."""

    def __init__(self, function: Callable[..., object]) -> None:
        self.function = function
        self.calls: list[tuple[object, ...]] = []

    def submit(self, *args: object) -> AtOnce.Done:
        self.calls.append(args)
        try:
            return self.Done(self.function(*args), None)
        except TaskFailedError as error:
            return self.Done(None, error)

    class Done:
        def __init__(self, value: object, error: TaskFailedError | None) -> None:
            self.value, self.error = value, error

        def result(self) -> object:
            if self.error is not None:
                raise self.error
            return self.value


def held(system: ChainSystem, pocket: Pocket, *_: object) -> RelaxedPocket:
    """A pocket in which the ion stays where it was put, held by its run of oxygens."""
    relaxed = RelaxResult(
        system.with_ion_at(pocket).structure, -1.0, 0.0, True, 0.01, 9, "gfn1-xtb"
    )
    numbers = tuple(system.donors.index(d) + 1 for d in pocket.donors)
    return RelaxedPocket(pocket, relaxed, numbers, "converged", "", system.tethers.anchors)


def stand_in(monkeypatch: pytest.MonkeyPatch, box: Box) -> dict[str, AtOnce]:
    """Put quick tasks in the place of all."""
    relaxed = RelaxResult(NODE.structure, -1.0, 0.0, True, 0.04, 30, "gfn1-xtb")
    node = NodeModel(NODE, relaxed, FillerModel(np.zeros(len(NODE)), "none"))
    made = {
        "node_task": AtOnce(lambda _: node),
        "pocket_task": AtOnce(held),
        "chain_hop_task": AtOnce(lambda s, *_: made_chain_hops.chain_hop(s.name, drags=False)),
        "chain_drag_task": AtOnce(lambda *_: made_chain_hops.chain_hop().drags[0]),
        "electrolyte_task": AtOnce(lambda name, *_: made_run(box, name, seed=1)),
    }
    for name, task in made.items():
        monkeypatch.setattr(peo, name, task)
    return made


def test_both_hops_join_the_same_pockets(
    protocol: PeoProtocol, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = stand_in(monkeypatch, box)
    found = peo.compute(protocol)
    assert [study.name for study in found.hops] == ["PEO", "CPE"]
    assert all(study.hop is not None and len(study.hop.drags) == 2 for study in found.hops)
    pockets = made["pocket_task"].calls
    assert len(pockets) == protocol.hops.pockets + 2, "beside the node only the two ends"
    alone = [call[4] for call in pockets[-2:]]
    hops = made["chain_hop_task"].calls
    assert [hops[0][1], hops[0][2]] == alone, "seated as they were relaxed without the node"
    donors = [[end.pocket.donors for end in call[1:3]] for call in hops]  # type: ignore[attr-defined]
    assert donors[0] == donors[1]
    names = [call[0] for call in made["electrolyte_task"].calls]
    assert names == ["PEO 1", "CPE 1"]
    assert found.hop_claim.state == "undecided", "both are the same made-up profile"
    assert found.pairing.state == "undecided", "one box"


def test_a_task_that_fails_leaves_the_rest(
    protocol: PeoProtocol, box: Box, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = stand_in(monkeypatch, box)

    def blown(name: str, *_: object) -> ElectrolyteRun:
        if name.startswith("CPE"):
            raise TaskFailedError("CPE 1 blew up.")
        return made_run(box, name, seed=1)

    def lost(system: ChainSystem, pocket: Pocket, *rest: object) -> RelaxedPocket:
        if system.name == "CPE":
            raise TaskFailedError("The electrons did not settle.")
        return held(system, pocket, *rest)

    made["electrolyte_task"].function = blown
    made["pocket_task"].function = lost
    found = peo.compute(protocol)
    assert found.failures == ("CPE 1 blew up.",)
    assert found.hops[0].hop is not None
    assert found.hops[1].hop is None
    summary = write_paper_report(peo.PAPER, tmp_path, protocol, "", found, [])
    assert not summary.ok
    assert "CPE 1 blew up." in Path(summary.report).read_text()


def tiny(protocol: PeoProtocol) -> PeoProtocol:
    """The same, small enough for a test: other metals, four oxygens, some steps of few atoms."""
    loose = RelaxSettings(fmax_eV_per_A=0.3, max_steps=60)
    band = BandSettings(images=1, fmax_eV_per_A=1.0, max_steps=2, saddle_max_steps=2)
    return replace(
        protocol,
        electrolyte=replace(protocol.electrolyte, units=8, chains=5, filler_wt_percent=11.0),
        run=RunPlan(
            options=MDOptions(cutoff_ang=6.0, timestep_fs=2.0),
            settings=MDSettings(
                timestep_fs=2.0, anneal_steps=0, equilibrate_steps=100, frame_steps=5,
                log_steps=5, chunk_steps=50,
            ),
            steps=250,
        ),
        observables=replace(protocol.observables, r_max_ang=6.0, bin_ang=0.2),
        node=replace(protocol.node, metals=("Zn", "Zn"), facing="Zn", relax=loose),
        chain=replace(protocol.chain, oxygens=4),
        hops=ChainHopSettings(
            pocket_size=2, pockets=2, relax=loose,
            barrier=BarrierSettings(band=band, max_bands=1),
            drag=ScanSettings(step_fractional=0.5, fmax_eV_per_A=0.5, max_steps=5),
        ),
    )  # fmt: skip


@pytest.mark.slow
def test_a_tiny_run_from_end_to_end(protocol: PeoProtocol, tmp_path: Path) -> None:
    small = tiny(protocol)
    paper = Paper("peo", lambda _: (small, "x = 1"), peo.compute, peo.PAPER.report)
    summary = reproduce(paper, tmp_path, workers=1, progress=False)
    assert "EES Batteries" in Path(summary.report).read_text()
    done = [p.parent.name.rpartition("-")[0] for p in (tmp_path / "runs").glob("*/result.json")]
    assert done.count("electrolyte_md") == 2, summary.lines
    assert {"peo_node", "pocket"} <= set(done)
    for name in ("boxes", "na-o-tfsi", "na-o-ether"):
        assert (tmp_path / "peo" / f"{name}.png").is_file()
    assert reproduce(paper, tmp_path, workers=1, progress=False) == summary
