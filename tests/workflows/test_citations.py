"""Methods texts: every citation has its entry, and the protocol's numbers are in the words."""

from __future__ import annotations

import importlib
import re

import pytest

from superionic.analysis.claim import ClaimState
from superionic.structures.errors import EvidenceError
from superionic.workflows.papers import PAPERS
from superionic.workflows.papers.fidelities import fidelity_section
from superionic.workflows.papers.latp_methods import latp_methods
from superionic.workflows.papers.latp_protocol import load_latp_protocol
from superionic.workflows.papers.mof_methods import mof_methods
from superionic.workflows.papers.mof_protocol import load_mof_protocol
from superionic.workflows.papers.nzsp_methods import nzsp_methods
from superionic.workflows.papers.nzsp_protocol import load_nzsp_protocol
from superionic.workflows.papers.peo_methods import peo_methods
from superionic.workflows.papers.peo_protocol import load_peo_protocol
from superionic.workflows.report.agreement import claim_mark, number_mark
from superionic.workflows.report.citations import bibtex, cited, known_references, numbered
from superionic.workflows.report.content import ReportTable
from superionic.workflows.report.theory_words import theories_in_words, theory_in_words
from superionic.workflows.theory import theory_names

FIDELITIES = ("quick", "standard")


def methods(paper: str, fidelity: str) -> tuple[str, ...]:
    if paper == "nzsp":
        return nzsp_methods(load_nzsp_protocol(fidelity)[0])
    if paper == "latp":
        return latp_methods(load_latp_protocol(fidelity)[0])
    if paper == "mof":
        return mof_methods(load_mof_protocol(fidelity)[0])
    return peo_methods(load_peo_protocol(fidelity)[0])


@pytest.mark.parametrize("fidelity", FIDELITIES)
@pytest.mark.parametrize("paper", ["nzsp", "latp", "mof", "peo"])
def test_methods_follow_the_protocol(paper: str, fidelity: str) -> None:
    text = methods(paper, fidelity)
    assert cited(text)
    whole = " ".join(numbered(text))
    assert not re.search(r"@\w|None|  |\bnan\b", whole)
    assert all(paragraph.rstrip().endswith(".") for paragraph in text)
    other = methods(paper, next(f for f in FIDELITIES if f != fidelity))
    assert text != other, "what differs between fidelities is in the words"


def test_every_paper_has_methods_and_a_reference() -> None:
    for name in PAPERS:
        paper = importlib.import_module(f"superionic.workflows.papers.{name}_report")
        assert hasattr(paper, f"{name}_methods")
    assert {"shen2026", "hu2022", "dong2025"} <= set(known_references())


def test_every_reference_is_whole() -> None:
    for key, reference in known_references().items():
        fields = dict(reference.fields)
        assert {"author", "title", "journal", "volume", "pages", "year", "doi"} <= set(fields), key
        assert re.fullmatch(r"10\.\d{4,9}/\S+", fields["doi"]), key
        assert reference.bibtex.count("{") == reference.bibtex.count("}"), key
        assert not set(reference.line) & set("{}\\$"), reference.line


def test_lines_of_references() -> None:
    known = known_references()
    assert known["idpp"].line.startswith("S. Smidstrup, A. Pedersen, K. Stokbro et al. Improved")
    assert "H. Jónsson" in known["tangent"].line
    assert "at \N{MINUS SIGN}20 to 60 \N{DEGREE SIGN}C." in known["shen2026"].line
    assert known["aqvist1990"].line.startswith("J. Åqvist. Ion-water")
    assert known["pbe"].line.endswith(
        "Physical Review Letters, 77, 3865\N{EN DASH}3868 (1996), doi 10.1103/PhysRevLett.77.3865"
    )


def test_numbers_of_citations() -> None:
    text = ("By [@pbe; @d2] and [@pbe].", "Later [@ase2017].")
    assert [reference.key for reference in cited(text)] == ["pbe", "d2", "ase2017"]
    assert numbered(text) == ("By [1, 2] and [1].", "Later [3].")
    assert bibtex(cited(text)).count("@article{") == 3
    with pytest.raises(EvidenceError, match="nobody2020"):
        cited(["As [@nobody2020] says."])


@pytest.mark.parametrize("name", theory_names())
def test_every_level_of_theory_has_words(name: str) -> None:
    cited([theory_in_words(name)])


def test_words_of_levels() -> None:
    words = theory_in_words("gfn1-xtb@eps7.5")
    assert "permittivity 7.5" in words
    assert "D3(BJ)" in theory_in_words("chgnet-0.3.0+d3bj")
    several = theories_in_words(("sevennet-0", "sevennet-0+d2", "sevennet-0+d4", "gfn1-xtb"))
    assert several.count("SevenNet-0") == 1
    assert "by itself and with D2 [@d2], D4 [@d4]" in several


def test_marks() -> None:
    assert number_mark(1.0, 1.05, margin=0.1).text == "agrees"
    assert number_mark(1.0, 1.35, margin=0.1).text == "disagrees"
    assert number_mark(None, 1.35, margin=0.1).text == "not decided"
    assert number_mark(1.0, None, margin=0.1).text == "not printed"
    states: tuple[ClaimState, ...] = ("supported", "contradicted", "undecided")
    assert [claim_mark(s).text for s in states] == ["agrees", "disagrees", "not decided"]


def test_other_fidelities() -> None:
    section = fidelity_section("latp", "quick")
    assert section is not None
    (table,) = [block for block in section.blocks if isinstance(block, ReportTable)]
    rows = {str(row[0]): row[1:] for row in table.rows}
    assert rows["theory"] == ("chgnet-0.3.0+d3bj", "sevennet-l3i5+d3bj")
    assert rows["slab.repeat"] == ("2, 1", "2, 2")
    assert "claim.margin_eV" not in rows, "the rule is the same"
    assert any("VASP" in block for block in section.blocks if isinstance(block, str))
    assert fidelity_section("nobody", "quick") is None
