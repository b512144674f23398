"""Verdicts on a filler in an electrolyte: intervals between boxes, never one box, never no D."""

from __future__ import annotations

import numpy as np
import pytest

from superionic.analysis.diffusion import self_diffusion
from superionic.analysis.electrolyte_claims import ElectrolyteRule, judge_motion, judge_pairing
from superionic.structures.errors import EvidenceError

RULE = ElectrolyteRule(min_boxes=3)


@pytest.mark.parametrize(
    ("bare", "filled", "state"),
    [
        ((1.0, 1.1, 0.9), (0.4, 0.5, 0.45), "supported"),
        ((0.4, 0.5, 0.45), (1.0, 1.1, 0.9), "contradicted"),
        ((1.0, 0.2, 0.6), (0.9, 0.3, 0.5), "undecided"),
        ((1.0, 1.0), (0.1, 0.1, 0.1), "undecided"),
        ((), (0.1,), "undecided"),
    ],
)
def test_pairing_is_judged_between_boxes(
    bare: tuple[float, ...], filled: tuple[float, ...], state: str
) -> None:
    assert judge_pairing(bare, filled, RULE).state == state


def test_interval_is_that_of_scipy() -> None:
    from scipy.stats import ttest_ind

    bare, filled = (1.0, 1.2, 0.9, 1.1), (0.7, 0.9, 0.6)
    reason = judge_pairing(bare, filled, RULE).reason
    both = ttest_ind(filled, bare, equal_var=False).confidence_interval(0.95)
    assert f"half-width of {0.5 * (both.high - both.low):.2f}" in reason


def walk(step_ang: float, seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    rng = np.random.default_rng(seed)
    return np.cumsum(rng.normal(scale=step_ang, size=(2000, 60, 3)), axis=0)


def test_motion_needs_two_coefficients_apart() -> None:
    slow, fast = (self_diffusion(walk(s, k), dt_ps=1.0) for k, s in enumerate((0.3, 0.9)))
    assert slow.diffusive
    assert fast.diffusive
    assert judge_motion(slow, fast).state == "supported"
    assert judge_motion(fast, slow).state == "contradicted"
    assert judge_motion(slow, slow).state == "undecided"
    short = self_diffusion(walk(0.3, 3)[:20], dt_ps=1.0)
    verdict = judge_motion(short, fast)
    assert verdict.state == "undecided"
    assert "no D" in verdict.reason
    assert judge_motion(slow, None).state == "undecided"


def test_rule_says_itself_and_refuses_one_box() -> None:
    assert "3.2 A" in ElectrolyteRule().text
    with pytest.raises(EvidenceError, match="one box has no scatter"):
        ElectrolyteRule(min_boxes=1)
