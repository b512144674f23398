"""Verdicts on "barriers at the surface are lower": small samples whose p can be counted by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from math import comb

import made_up
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from superionic.analysis.barriers import BarrierResult, HopVerdict
from superionic.analysis.claims import ClaimRule, climb_from_lower_end, judge_claim
from superionic.structures.errors import EvidenceError

RULE = ClaimRule(margin_eV=0.02, alpha=0.05, min_hops=4, max_rejected_fraction=0.5)
SWAPPED = {"supported": "contradicted", "contradicted": "supported", "undecided": "undecided"}


def hop(forward: float, reverse: float | None = None) -> BarrierResult:
    reverse = forward if reverse is None else reverse
    return made_up.barrier([0.0, forward, forward - reverse])


def valueless(verdict: HopVerdict = "unconverged") -> BarrierResult:
    return made_up.valueless(hop(0.3), verdict=verdict)


def hops(*barriers: float) -> list[BarrierResult]:
    return [hop(b) for b in barriers]


BULK = hops(0.30, 0.31, 0.32, 0.33)
LOW = hops(0.20, 0.21, 0.22, 0.23)


# ---- by hand


def test_four_below_four_is_one_arrangement_in_seventy() -> None:
    verdict = judge_claim(BULK, LOW, RULE)
    assert verdict.state == "supported"
    assert verdict.p_surface_lower == pytest.approx(1 / 70)
    assert verdict.p_surface_higher == pytest.approx(1.0)
    assert verdict.bulk_median_eV == pytest.approx(0.315)
    assert verdict.surface_median_eV == pytest.approx(0.215)
    assert (verdict.bulk_hops, verdict.surface_hops) == (4, 4)
    assert "0.100 eV lower" in verdict.reason


def test_the_other_way_round_it_is_contradicted() -> None:
    verdict = judge_claim(LOW, BULK, RULE)
    assert verdict.state == "contradicted"
    assert verdict.p_surface_higher == pytest.approx(1 / 70)


def test_the_margin_counts_whatever_p_says() -> None:
    near = hops(0.281, 0.291, 0.299, 0.2999)
    verdict = judge_claim(hops(0.30, 0.301, 0.302, 0.303), near, RULE)
    assert verdict.p_surface_lower == pytest.approx(1 / 70)
    assert verdict.state == "undecided"
    wide = replace(RULE, margin_eV=0.0)
    assert judge_claim(hops(0.30, 0.301, 0.302, 0.303), near, wide).state == "supported"


def test_overlap_is_undecided_however_far_the_medians() -> None:
    verdict = judge_claim(hops(0.1, 0.5, 0.5, 0.6), hops(0.2, 0.2, 0.3, 0.7), RULE)
    assert verdict.state == "undecided"
    assert verdict.p_surface_lower is not None
    assert verdict.p_surface_lower > 0.05


def test_too_few_converged_hops() -> None:
    verdict = judge_claim(BULK, LOW[:3], RULE)
    assert verdict.state == "undecided"
    assert verdict.reason == "Only 3 of 4 needed surface hops converged."
    assert verdict.p_surface_lower is None
    assert judge_claim(BULK[:3], LOW, RULE).reason.startswith("Only 3 of 4 needed bulk")


def test_nothing_at_all_is_undecided() -> None:
    verdict = judge_claim([], [], RULE)
    assert verdict.state == "undecided"
    assert verdict.bulk_median_eV is None
    assert verdict.surface_median_eV is None


def test_hops_without_a_value_count_against_a_group() -> None:
    half = [*LOW, *[valueless() for _ in range(4)]]
    assert judge_claim(BULK, half, RULE).state == "supported"
    verdict = judge_claim(BULK, [*half, valueless("other-basin")], RULE)
    assert verdict.state == "undecided"
    assert verdict.reason == "56% of the surface hops have no value."
    assert judge_claim([*BULK, *[valueless() for _ in range(5)]], LOW, RULE).state == "undecided"


@pytest.mark.parametrize("verdict", ["unconverged", "other-basin", "not-single-ion", "failed"])
def test_never_decided_by_hops_without_a_value(verdict: HopVerdict) -> None:
    bad = [valueless(verdict) for _ in range(9)]
    for one_class in (False, True):
        for pair in ((bad, LOW), (BULK, bad), (bad, bad)):
            assert judge_claim(*pair, RULE, one_bulk_class=one_class).state == "undecided"


# ---- one class of bulk hops


def test_one_bulk_hop_stands_for_all_where_symmetry_says_so() -> None:
    verdict = judge_claim(hops(0.30), LOW, RULE, one_bulk_class=True)
    assert verdict.state == "supported"
    assert verdict.p_surface_lower is None
    assert judge_claim(hops(0.30), LOW, RULE).state == "undecided"


@pytest.mark.parametrize(
    ("surface", "state"),
    [
        ((0.35, 0.36, 0.37, 0.38), "contradicted"),
        ((0.20, 0.21, 0.22, 0.29), "undecided"),  # the last within the margin
        ((0.20, 0.21, 0.22, 0.40), "undecided"),
        ((0.20, 0.21, 0.22), "undecided"),  # three hops are too few
    ],
)
def test_every_surface_hop_must_lie_on_one_side(surface: tuple[float, ...], state: str) -> None:
    verdict = judge_claim(hops(0.30), hops(*surface), RULE, one_bulk_class=True)
    assert verdict.state == state


# ---- what a hop counts with


def test_a_hop_counts_with_its_climb_from_the_lower_end() -> None:
    assert climb_from_lower_end(hop(0.3, 0.1)) == pytest.approx(0.3)
    assert climb_from_lower_end(hop(0.1, 0.3)) == pytest.approx(0.3)
    assert climb_from_lower_end(valueless()) is None
    assert judge_claim([hop(0.1, b) for b in (0.30, 0.31, 0.32, 0.33)], LOW, RULE).state == (
        "supported"
    )


# ---- against slow counting, and under swapping

barriers = st.lists(
    st.integers(1, 400).map(lambda n: n / 1000), min_size=10, max_size=10, unique=True
)


def counted_p(surface: list[float], bulk: list[float]) -> float:
    """Share of all ways to deal the pooled values in which the surface wins as often or more."""

    def wins(low: tuple[float, ...], high: list[float]) -> int:
        return sum(a < b for a in low for b in high)

    pool = surface + bulk
    seen = wins(tuple(surface), bulk)
    dealt = combinations(pool, len(surface))
    as_good = sum(wins(s, [v for v in pool if v not in s]) >= seen for s in dealt)
    return as_good / comb(len(pool), len(surface))


@settings(deadline=None, max_examples=40, derandomize=True)
@given(barriers)
def test_p_is_the_share_of_deals(values: list[float]) -> None:
    verdict = judge_claim(hops(*values[:5]), hops(*values[5:]), RULE)
    assert verdict.p_surface_lower == pytest.approx(counted_p(values[5:], values[:5]))
    assert verdict.p_surface_higher == pytest.approx(counted_p(values[:5], values[5:]))


@settings(deadline=None, max_examples=100, derandomize=True)
@given(barriers)
def test_swapping_the_groups_swaps_the_verdict(values: list[float]) -> None:
    one = judge_claim(hops(*values[:5]), hops(*values[5:]), RULE)
    other = judge_claim(hops(*values[5:]), hops(*values[:5]), RULE)
    assert other.state == SWAPPED[one.state]
    assert one.p_surface_lower == pytest.approx(other.p_surface_higher)
    assert one.bulk_median_eV == other.surface_median_eV


@settings(deadline=None, max_examples=60, derandomize=True)
@given(barriers, st.permutations(range(5)), st.floats(0.0, 2.0))
def test_order_and_a_common_shift_do_not_matter(
    values: list[float], order: list[int], shift: float
) -> None:
    bulk, surface = values[:5], values[5:]
    one = judge_claim(hops(*bulk), hops(*surface), replace(RULE, margin_eV=0.0123))
    moved = [bulk[i] + shift for i in order]
    other = judge_claim(
        hops(*moved), hops(*[v + shift for v in surface]), replace(RULE, margin_eV=0.0123)
    )
    assert one.state == other.state
    assert one.p_surface_lower == pytest.approx(other.p_surface_lower)


# ---- the rule itself


def test_the_rule_says_its_own_numbers() -> None:
    text = ClaimRule(margin_eV=0.03, alpha=0.01, min_hops=6, max_rejected_fraction=0.25).text
    for number in ("0.03 eV", "0.01", "6 converged", "25%"):
        assert number in text


@pytest.mark.parametrize(
    "changes",
    [
        {"margin_eV": -0.1},
        {"alpha": 0.0},
        {"alpha": 1.0},
        {"min_hops": 0},
        {"max_rejected_fraction": 1.0},
        {"max_rejected_fraction": -0.1},
    ],
)
def test_refuses_rules_that_cannot_work(changes: dict[str, float]) -> None:
    with pytest.raises(EvidenceError):
        replace(RULE, **changes)  # type: ignore[arg-type]
