"""Adsorption at nodes: values with their evidence, like beside like, rules that decide."""

from __future__ import annotations

from dataclasses import replace

import made_nodes
import pytest

from superionic.analysis.node_binding import NodeAdsorption, PairBinding, pair_bindings
from superionic.analysis.node_claims import (
    RankingRule,
    WeakeningRule,
    judge_ranking,
    judge_weakening,
)
from superionic.structures.errors import EvidenceError
from superionic.workflows.serialise import decode, encode

RULE = RankingRule("Fe2Ni", ("Fe3", "Ni3"))


# ---- results


def test_the_lowest_start_counts_and_each_mode_has_its_own() -> None:
    one = made_nodes.adsorption("Fe2Ni", {"O": -1.0, "O,O ring 6": -1.4})
    assert one.adsorption_energy_eV == -1.4
    assert one.adsorption_strength_eV == 1.4
    assert one.modes == ("O,O ring 6", "O"), "lowest first"
    assert one.value(mode="O") == -1.0
    assert one.value(made_nodes.WET, mode="O") == pytest.approx(0.2)
    assert one.value("pyscf-pbe") is None
    assert one.spread_eV == pytest.approx(0.4)
    assert (one.converged_starts, one.relaxed_starts) == (2, 3), "the capped one was relaxed"


def test_an_unbound_ion_has_no_strength() -> None:
    assert made_nodes.adsorption("Fe3", {"O": 0.1}).adsorption_strength_eV is None


def test_a_cap_is_no_result() -> None:
    with pytest.raises(EvidenceError, match="a value and convergence come together"):
        replace(made_nodes.start("a", -1.0), state="cap-hit")
    with pytest.raises(EvidenceError, match="a value and convergence come together"):
        replace(made_nodes.start("a", None), state="converged")
    with pytest.raises(EvidenceError, match="self-consistent"):
        replace(made_nodes.start("a", -1.0), scf_converged=False)


def test_values_need_their_starts() -> None:
    one = made_nodes.adsorption("Fe3", {"O": -1.0})
    stranger = replace(one.values[0], start="start capped")
    with pytest.raises(EvidenceError, match="did not converge: start capped"):
        replace(one, values=(*one.values, stranger))
    with pytest.raises(EvidenceError, match="two energies"):
        replace(one, values=(replace(one.values[0], adsorption_energy_eV=-1.1),))
    with pytest.raises(EvidenceError, match="must have a reason and no value"):
        replace(one, verdict="failed", reason="x")
    with pytest.raises(EvidenceError, match="without a converged start"):
        replace(one, starts=one.starts[-1:], values=())


def test_results_survive_a_run_folder() -> None:
    one = made_nodes.adsorption("Fe2Ni", {"O": -1.0})
    back = decode(encode(one))
    assert back == one


# ---- cation and anion


def pair(weakened: float, theory: str = "gfn1-xtb") -> PairBinding:
    return PairBinding("Fe2Ni", "Na+", "TFSI-", theory, -5.8, -2.5, -2.5 + weakened, "O", "O")


def test_the_cycle_closes() -> None:
    """By hand: E(node+pair) - E(node+anion) - E(cation) from total energies."""
    node, anion, cation, whole = -2000.0, -100.0, -5.0, -110.8
    node_anion, node_pair = node + anion - 2.5, node + whole - 0.7
    (found,) = pair_bindings(
        made_nodes.adsorption("Fe2Ni", {"O": -2.5}, wet_shift=None),
        made_nodes.adsorption("Fe2Ni", {"O": -0.7}, wet_shift=None, adsorbate="NaTFSI", charge=0),
        cation="Na+",
        bare_eV={"gfn1-xtb": whole - anion - cation},
    )
    assert found.bare_eV == pytest.approx(-5.8)
    assert found.at_node_eV == pytest.approx(node_pair - node_anion - cation)
    assert found.weakened_eV == pytest.approx(1.8), "the anion is held more strongly than the pair"


def test_pairs_share_their_node() -> None:
    with pytest.raises(EvidenceError, match="do not share their node"):
        pair_bindings(
            made_nodes.adsorption("Fe2Ni", {"O": -2.5}),
            made_nodes.adsorption("Co2Ni", {"O": -0.7}, adsorbate="NaTFSI"),
            cation="Na+",
            bare_eV={"gfn1-xtb": -5.8},
        )


@pytest.mark.parametrize(
    ("weakened", "state"),
    [
        ((1.8, 0.5), "supported"),
        ((-1.8, -0.5), "contradicted"),
        ((1.8, -0.5), "undecided"),
        ((1.8, 0.05), "undecided"),
        ((), "undecided"),
    ],
)
def test_weakening(weakened: tuple[float, ...], state: str) -> None:
    pairs = [pair(w, f"level-{k}") for k, w in enumerate(weakened)]
    levels = [p.theory for p in pairs]
    assert judge_weakening(pairs, WeakeningRule(), levels=levels).state == state


def test_a_level_without_all_terms_decides_nothing() -> None:
    pairs = [pair(1.8, "level-0")]
    claim = judge_weakening(pairs, WeakeningRule(), levels=("level-0", "level-1"))
    assert claim.state == "undecided"
    assert "missing with level-1" in claim.reason


# ---- the ranking


def test_the_papers_order_is_supported() -> None:
    claim = judge_ranking(made_nodes.nine(), RULE)
    assert claim.state == "supported"
    assert len(claim.comparisons) == 6, "two levels, each in two modes and over all"
    assert len(claim.comparisons[0].held) == 8 + 2 * 6


def test_one_stronger_node_contradicts() -> None:
    claim = judge_ranking(made_nodes.nine(Co3=-3.5), RULE)
    assert claim.state == "contradicted"
    assert claim.comparisons[0].reversed == ("Fe2Ni < Co3",)
    assert claim.comparisons[0].energies[0] == ("Co3", -3.5)


def test_a_strong_iron_contradicts() -> None:
    claim = judge_ranking(made_nodes.nine(Fe3=-2.6), RULE)
    assert claim.state == "contradicted"
    assert "Co3 < Fe3" in claim.comparisons[0].reversed


def test_within_the_margin_nothing_is_decided() -> None:
    claim = judge_ranking(made_nodes.nine(Co3=-2.95), RULE)
    assert claim.state == "undecided"
    assert claim.comparisons[0].even == ("Fe2Ni < Co3",)


def test_modes_and_levels_must_agree() -> None:
    """Reversed in one way of holding on only: the comparison is not of like with like."""
    results = list(made_nodes.nine())
    results[1] = made_nodes.adsorption("Co3", {"O": -3.5, "O,O ring 6": -1.95})
    claim = judge_ranking(results, RULE)
    assert claim.state == "undecided"
    by_mode = {c.mode: c.state for c in claim.comparisons if c.theory == made_nodes.THEORY}
    assert by_mode == {"": "contradicted", "O": "contradicted", "O,O ring 6": "supported"}


def test_a_mode_that_a_node_lacks_is_not_compared() -> None:
    results = list(made_nodes.nine())
    results[1] = made_nodes.adsorption("Co3", {"O": -2.0, "O,O ring 4": -1.95})
    assert {c.mode for c in judge_ranking(results, RULE).comparisons} == {"", "O"}


def test_a_missing_value_decides_nothing() -> None:
    results = (*made_nodes.nine()[:-1], made_nodes.without_value("Co2Ni"))
    claim = judge_ranking(results, RULE)
    assert claim.state == "undecided"
    assert "no value" in claim.reason


def test_a_value_missing_at_one_level_decides_nothing() -> None:
    """The lowest start there may be the one that has none."""
    results = list(made_nodes.nine())
    whole = results[1]
    gone = next(v for v in whole.values if v.theory == made_nodes.WET)
    results[1] = replace(
        whole,
        values=tuple(v for v in whole.values if v != gone),
        missing=((made_nodes.WET, f"{gone.start}: not self-consistent"),),
    )
    assert results[1].best(made_nodes.WET) is None, "nobody knows which is lowest"
    assert results[1].best(made_nodes.WET, mode="O,O ring 6") is not None
    assert results[1].best() == whole.best()
    claim = judge_ranking(results, RULE)
    assert claim.state == "undecided"
    assert f"TFSI- at Co3 with {made_nodes.WET}" in claim.reason
    assert judge_ranking(made_nodes.nine(), RULE).state == "supported"


def test_one_start_is_not_enough() -> None:
    results = list(made_nodes.nine())
    results[1] = made_nodes.adsorption("Co3", {"O": -2.0})
    claim = judge_ranking(results, RULE)
    assert claim.state == "undecided"
    assert "Only 1 of 2" in claim.reason


def test_rules_that_cannot_work() -> None:
    with pytest.raises(EvidenceError, match="margin_eV >= 0"):
        RankingRule("Fe2Ni", (), margin_eV=-0.1)
    with pytest.raises(EvidenceError, match="both the strongest and the weakest"):
        RankingRule("Fe3", ("Fe3",))
    with pytest.raises(EvidenceError, match="margin_eV >= 0"):
        WeakeningRule(-1.0)
    with pytest.raises(EvidenceError, match="The rule is about"):
        judge_ranking(made_nodes.nine()[:3], RULE)
    twice: tuple[NodeAdsorption, ...] = (*made_nodes.nine(), made_nodes.nine()[0])
    with pytest.raises(EvidenceError, match="named once"):
        judge_ranking(twice, RULE)


def test_card_shows_a_value_at_each_level_or_why_there_is_none() -> None:
    one = made_nodes.adsorption("Fe2Ni", {"O": -1.0, "O,O ring 6": -1.4})
    card = one._repr_html_()
    assert "TFSI- at Fe2Ni" in card
    assert "<td>-1.400 eV</td>" in card
    assert "<td>-0.200 eV</td>" in card
    assert "<td>2 of 3</td>" in card
    dry = replace(one, missing=((made_nodes.WET, "1 < 2 levels"),))._repr_html_()
    assert "1 &lt; 2 levels" in dry
    assert "-0.200 eV" not in dry
    none = replace(
        one, verdict="failed", reason="no start converged",
        starts=(made_nodes.start("a", None),), values=(),
    )  # fmt: skip
    assert "no start converged" in none._repr_html_()
    assert "E_ads" not in none._repr_html_()
