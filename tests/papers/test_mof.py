"""The MOF reproduction: its protocol, its report, and that no printed number is a computed one."""

from __future__ import annotations

import csv
import importlib.util
import io
from dataclasses import replace
from pathlib import Path

import made_nodes
import pytest

from superionic.analysis.node_binding import NodeAdsorption
from superionic.analysis.node_claims import RankingRule
from superionic.structures.clusters import build_node
from superionic.structures.errors import InvalidStructureError, TaskFailedError
from superionic.structures.molecule import Molecule, framed
from superionic.workflows.electronic import electronic_task
from superionic.workflows.electronic_results import ElectronicSettings
from superionic.workflows.node_settings import (
    Guest,
    chosen_sites,
    named_nodes,
    node_name,
    parse_metals,
)
from superionic.workflows.papers.mof import PAPER, judged
from superionic.workflows.papers.mof_electronic import (
    ElectronicPlan,
    collect_electronic,
    electronic_blocks,
    metal_centres,
)
from superionic.workflows.papers.mof_protocol import (
    PUBLISHED_EV,
    MofProtocol,
    load_mof_protocol,
)
from superionic.workflows.papers.reproduction import Paper, reproduce, write_paper_report
from superionic.workflows.relax import RelaxSettings
from superionic.workflows.scf_settings import ScfSettings
from superionic.workflows.theory import get_theory


@pytest.fixture(scope="module")
def protocol() -> MofProtocol:
    return load_mof_protocol("quick")[0]


class Failed:
    """A task that is not done."""

    def result(self) -> object:
        raise TaskFailedError("the worker died")


def made(*, lacking: bool = False) -> tuple[NodeAdsorption, ...]:
    results = list(made_nodes.nine())
    if lacking:
        results[0] = made_nodes.without_value("Fe3")
    pair = made_nodes.adsorption(
        "Fe2Ni", {"O | Na 1 node 2 own": -1.2}, adsorbate="NaTFSI", charge=0
    )
    cation = made_nodes.adsorption(
        "Fe2Ni", {"none | Na 2 node 0 own": -0.9}, adsorbate="Na+", charge=1
    )
    return (*results, pair, cation)


def test_printed_values() -> None:
    assert PUBLISHED_EV == {"Fe3": -0.27, "Ni3": -0.55}


@pytest.mark.parametrize("fidelity", ["quick", "standard"])
def test_protocols(fidelity: str) -> None:
    made_, text = load_mof_protocol(fidelity)
    assert made_.fidelity == fidelity
    assert made_.search.relax.fmax_eV_per_A <= 0.03
    assert made_.search.relax.max_steps >= 400
    assert made_.theory == "gfn1-xtb", "never GFN2 unless asked for"
    assert not any("gfn2" in level for level in made_.search.levels)
    wet = [get_theory(level).permittivity for level in made_.search.levels]
    assert all(7.5 <= eps <= 10 for eps in wet if eps is not None)
    assert any(eps is not None for eps in wet), "a continuum like PEO"
    assert f'fidelity = "{fidelity}"' in text


def test_the_nine_metals(protocol: MofProtocol) -> None:
    metals = [parse_metals(name) for name in protocol.nodes]
    assert sum(len(set(m)) == 1 for m in metals) == 5
    assert sum(len(set(m)) == 2 for m in metals) == 4
    assert {"Fe3", "Ni3", "Fe2Ni"} <= set(protocol.nodes)
    nodes = named_nodes(protocol.nodes, cap=protocol.cap, charge=protocol.charge)
    assert tuple(nodes) == protocol.nodes
    for node in nodes.values():
        assert node.molecule.charge == 0
        assert sorted(node.oxidation_states) == [2, 3, 3], "one convention for all"


def test_the_rules_do_not_depend_on_the_fidelity(protocol: MofProtocol) -> None:
    standard = load_mof_protocol("standard")[0]
    assert (standard.ranking, standard.weakening) == (protocol.ranking, protocol.weakening)
    assert standard.nodes == protocol.nodes
    assert set(protocol.tfsi.shapes) <= set(standard.tfsi.shapes)
    assert standard.natfsi.nodes == (), "every node"


@pytest.mark.parametrize(
    ("text", "metals"),
    [
        ("FeFeNi", ("Fe", "Fe", "Ni")),
        ("Fe2Ni", ("Fe", "Fe", "Ni")),
        ("Fe, Fe Ni", ("Fe", "Fe", "Ni")),
        ("Co2Zn", ("Co", "Co", "Zn")),
        ("Cu2", ("Cu", "Cu")),
    ],
)
def test_names_of_nodes(text: str, metals: tuple[str, ...]) -> None:
    assert parse_metals(text) == metals
    assert parse_metals(node_name(metals)) == metals


@pytest.mark.parametrize("text", ["", "FeFe0Ni", "fefeni", "Fe-Fe-Ni", "FeFeO", "FeFeXx"])
def test_names_that_are_no_nodes(text: str) -> None:
    with pytest.raises(InvalidStructureError):
        parse_metals(text)


@pytest.mark.parametrize("name", ["Co2Zn", "Mn2Ni", "Cr2Fe", "Zn2Co"])
def test_pairs_outside_the_nine(name: str) -> None:
    if name == "Zn2Co":  # M(II)M(III)2 asks for Zn(III)
        with pytest.raises(InvalidStructureError, match="Zn2Co with"):
            named_nodes([name], cap="formate")
        return
    (node,) = named_nodes([name], cap="formate").values()
    assert len(chosen_sites(node, "elements")) == 2


def test_sites() -> None:
    iron = build_node(["Fe", "Fe", "Fe"], cap="formate", charge=0)
    assert chosen_sites(iron, "elements") == ("Fe2",), "the first Fe(III)"
    assert chosen_sites(iron, "ions") == ("Fe1", "Fe2")


def test_report_of_synthetic_results(tmp_path: Path, protocol: MofProtocol) -> None:
    results = judged(made_nodes.screen(made()), protocol)
    assert results.ranking.state == "supported"
    assert [p.weakened_eV for p in results.pairs] == pytest.approx([1.8, 1.8])
    assert results.weakening.state == "supported"
    summary = write_paper_report(PAPER, tmp_path, protocol, "# text\n", results, [])
    assert summary.ok
    page = Path(summary.report).read_text()
    for word in ("supported", "Fe2Ni", "-0.27", "What this does not show", protocol.ranking.text):
        assert word in page
    rows = list(csv.DictReader(io.StringIO((tmp_path / "mof/adsorption-screen.csv").read_text())))
    assert {row["node"] for row in rows} == set(made_nodes.NINE)
    printed = {row["published_eV"] for row in rows if row["node"] not in PUBLISHED_EV}
    assert printed == {""}, "no number is printed for the others"
    for row in rows:
        assert float(row["adsorption_energy_eV"]) not in PUBLISHED_EV.values()
    assert (tmp_path / "mof/ion-pair.png").stat().st_size > 1000
    assert not (tmp_path / "mof/adsorption-d-band.png").exists(), "no centre, no figure"


def test_report_where_a_node_has_no_value(tmp_path: Path, protocol: MofProtocol) -> None:
    results = judged(made_nodes.screen(made(lacking=True)), protocol)
    assert results.ranking.state == "undecided"
    summary = write_paper_report(PAPER, tmp_path, protocol, "", results, [])
    assert not summary.ok
    assert "cap-hit" in Path(summary.report).read_text()
    assert any("no value" in line for line in summary.lines)


@pytest.mark.filterwarnings("ignore:remove_linear_dep_ is deprecated")
@pytest.mark.skipif(importlib.util.find_spec("pyscf") is None, reason="pyscf is not installed")
def test_electronic_structure_has_its_place(tmp_path: Path) -> None:
    """A molecule small enough for a test stands for a node."""
    settings = ElectronicSettings(
        scf=ScfSettings(grid_level=0, energy_eV=1e-3), hirshfeld=False, surface=None
    )
    plan = ElectronicPlan(nodes=("CuF", "lost"), settings=settings)
    fluoride = Molecule(structure=framed([29, 9], [[0.0, 0, 0], [0, 0, 1.75]]), name="CuF")
    result = electronic_task(fluoride, plan.theory, settings)
    assert result.converged, result.reason
    centres = metal_centres({"CuF": result}, plan.centre)
    assert list(centres["CuF"]) == ["Cu"]
    assert -8.0 < centres["CuF"]["Cu"] < 0.0
    failed = collect_electronic({"lost": (fluoride, Failed())}, plan)
    assert metal_centres(failed, plan.centre) == {}
    blocks = electronic_blocks({"CuF": result, **failed}, plan, tmp_path)
    assert "lost: no electronic structure with pyscf-pbe; the worker died" in str(blocks[-1])
    assert (tmp_path / "electronic/CuF/projected_dos.csv").is_file()


@pytest.mark.skipif(importlib.util.find_spec("tblite") is None, reason="tblite is not installed")
def test_the_whole_way_with_small_nodes(tmp_path: Path, protocol: MofProtocol) -> None:
    """Chloride for TFSI- and paddlewheels for the trinuclear nodes; run twice, computed once."""
    small = replace(
        protocol,
        nodes=("Zn2", "Mg2"),
        tfsi=Guest("Cl-", {"[Cl-]": ("Cl",)}),
        natfsi=Guest("NaCl", {"[Cl-] & na+": ()}, nodes=("Zn2",), upon="Cl-", places=1),
        na=Guest("Na+", {"na+": ("Na",)}, nodes=("Zn2",)),
        search=replace(protocol.search, starts=1, relax=RelaxSettings(0.05, 200)),
        ranking=RankingRule("Zn2", ("Mg2",), min_converged=1),
    )
    paper = Paper("mof", lambda _: (small, "# small\n"), PAPER.compute, PAPER.report)
    summary = reproduce(paper, tmp_path, workers=1, progress=False)
    text = "\n".join(summary.lines)
    assert "Cl- at Zn2: E_ads = -" in text
    assert "Cl- at Mg2: E_ads = -" in text
    assert "NaCl at Zn2" in text
    page = Path(summary.report).read_text()
    assert "starts converged" in page
    before = sorted((tmp_path / "runs").rglob("result.json"))
    stamps = [f.stat().st_mtime_ns for f in before]
    (tmp_path / "mof" / "finished.json").unlink()  # the report is written again
    again = reproduce(paper, tmp_path, workers=1, progress=False)
    assert again.lines == summary.lines
    assert [f.stat().st_mtime_ns for f in before] == stamps


def test_paper_is_registered_by_its_name() -> None:
    assert PAPER.name == "mof"
