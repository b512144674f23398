"""The rule about two binding energies: decided only where every level agrees."""

from __future__ import annotations

import made_binding
import pytest

from superionic.analysis.binding_claims import BindingClaimRule, judge_binding
from superionic.structures.errors import EvidenceError

RULE = BindingClaimRule(margin_eV=0.1, min_converged=2)


@pytest.mark.parametrize(
    ("first", "second", "state"),
    [
        ((-1.4, -1.5), (-0.7, -0.8), "supported"),
        ((-0.7, -0.8), (-1.4, -1.5), "contradicted"),
        ((-1.4, -0.8), (-0.7, -1.5), "undecided"),
        ((-1.4, -1.5), (-1.35, -0.8), "undecided"),
        ((-0.1, -0.1), (0.2, 0.3), "supported"),
    ],
)
def test_verdict(first: tuple[float, float], second: tuple[float, float], state: str) -> None:
    one, other = (
        made_binding.binding(name, a, others=(("gfn1-xtb", b),))
        for name, (a, b) in (("SN", first), ("LiTFSI", second))
    )
    claim = judge_binding(one, other, RULE)
    assert claim.state == state
    assert [theory for theory, _ in claim.differences] == ["chgnet-0.3.0+d3bj", "gfn1-xtb"]
    assert claim.differences[0][1] == pytest.approx(second[0] - first[0])
    assert "of 2 levels" in claim.reason


def test_too_little_evidence_leaves_it_undecided() -> None:
    good = made_binding.binding("SN", -1.4)
    few = made_binding.binding("LiTFSI", -0.7, converged=1)
    claim = judge_binding(good, few, RULE)
    assert claim.state == "undecided"
    assert "Only 1 of 2 needed starts of LiTFSI" in claim.reason
    lost = judge_binding(good, made_binding.no_binding("LiTFSI"), RULE)
    assert lost.state == "undecided"
    assert "LiTFSI has no value" in lost.reason
    assert lost.differences == ()


def test_only_levels_of_both_count() -> None:
    one = made_binding.binding("SN", -1.4, others=(("gfn1-xtb", -0.1), ("gfn2-xtb", -0.1)))
    other = made_binding.binding("LiTFSI", -0.7, others=())
    claim = judge_binding(one, other, RULE)
    assert claim.state == "supported"
    assert len(claim.differences) == 1


def test_rule_in_words_and_refused() -> None:
    assert "at every level" in RULE.text
    assert "0.1 eV" in RULE.text
    with pytest.raises(EvidenceError, match="margin_eV"):
        BindingClaimRule(margin_eV=-0.1)
    with pytest.raises(EvidenceError, match="min_converged"):
        BindingClaimRule(min_converged=0)
