"""Hops along a chain: what the numbers say, what is refused, and the verdict's rule."""

from __future__ import annotations

from dataclasses import replace

import made_chain_hops
import numpy as np
import pytest

from superionic.analysis.chain_hop_claims import ChainHopRule, judge_chain_hops
from superionic.analysis.chain_hops import SinglePoints
from superionic.structures.errors import EvidenceError


def test_climb_steps_and_stations_follow_from_the_profile() -> None:
    hop = made_chain_hops.chain_hop(energies=(0.0, 0.3, 0.1, 0.4, 0.05))
    assert hop.barrier.forward_barrier_eV == pytest.approx(0.4)
    assert hop.climb_eV == pytest.approx(0.4)
    assert hop.steps_eV == pytest.approx((0.3, 0.3))
    assert len(hop.stations) == 3
    downhill = made_chain_hops.chain_hop(energies=(0.0, 0.2, -0.5))
    assert downhill.climb_eV == pytest.approx(0.7), "from the lower end"


def test_hysteresis_is_the_largest_gap_between_both_drags() -> None:
    hop = made_chain_hops.chain_hop(energies=(0.0, 0.4, 0.1))
    assert hop.hysteresis_eV == pytest.approx(0.04)
    assert hop.drag_climbs_eV[0] is not None
    assert replace(hop, drags=()).hysteresis_eV is None
    assert replace(hop, drags=hop.drags[:1]).hysteresis_eV is None
    assert replace(hop, difference_eV=None).hysteresis_eV is None
    assert replace(hop, drags=()).drag_climbs_eV == (None, None)


def test_card_shows_the_climb_or_why_there_is_none() -> None:
    hop = made_chain_hops.chain_hop(energies=(0.0, 0.2, -0.5))
    card = hop._repr_html_()
    assert "<td>0.700 eV</td>" in card
    assert hop.barrier.theory in card
    reason = made_chain_hops.no_hop()._repr_html_()
    assert "one pocket" in reason
    assert "climb" not in reason


def test_one_pocket_at_both_ends_is_refused() -> None:
    hop = made_chain_hops.chain_hop()
    with pytest.raises(EvidenceError, match="no hop between two pockets"):
        replace(hop, ends=((1, 2), (1, 2)))
    with pytest.raises(EvidenceError, match="each of 5 images"):
        replace(hop, sets=hop.sets[:-1])


def test_single_points_are_relative_and_finite() -> None:
    assert SinglePoints("x", (0, 2, 4), np.array([0.0, 0.5, 0.2])).climb_eV == pytest.approx(0.5)
    with pytest.raises(EvidenceError, match="relative to the first"):
        SinglePoints("x", (0, 1), np.array([1.0, 2.0]))
    with pytest.raises(EvidenceError, match="two or more"):
        SinglePoints("x", (0,), np.array([0.0]))


@pytest.mark.parametrize(
    ("peak", "state"), [(0.2, "supported"), (0.6, "contradicted"), (0.45, "undecided")]
)
def test_rule_is_a_margin_either_way(peak: float, state: str) -> None:
    bare = made_chain_hops.chain_hop(energies=(0.0, 0.4, 0.0))
    beside = made_chain_hops.chain_hop("CPE", energies=(0.0, peak, 0.0))
    verdict = judge_chain_hops([(bare, beside)], ChainHopRule(margin_eV=0.1))
    assert verdict.state == state
    assert verdict.differences_eV == pytest.approx((peak - 0.4,))


def test_all_pairs_must_agree_and_missing_ones_are_told() -> None:
    bare = made_chain_hops.chain_hop(energies=(0.0, 0.4, 0.0))
    low, high = (made_chain_hops.chain_hop("CPE", energies=(0.0, e, 0.0)) for e in (0.1, 0.9))
    assert judge_chain_hops([(bare, low), (bare, high)], ChainHopRule()).state == "undecided"
    verdict = judge_chain_hops([(bare, made_chain_hops.no_hop())], ChainHopRule())
    assert verdict.state == "undecided"
    assert "one pocket" in verdict.reason
    assert verdict.differences_eV == ()
    few = judge_chain_hops([(bare, low)], ChainHopRule(min_pairs=2))
    assert few.state == "undecided"


def test_rule_says_itself_and_refuses_nonsense() -> None:
    assert "0.25 eV" in ChainHopRule(margin_eV=0.25).text
    with pytest.raises(EvidenceError, match="margin_eV >= 0"):
        ChainHopRule(margin_eV=-1.0)
