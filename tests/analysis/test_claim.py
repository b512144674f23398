"""What rules about claims share: margins that say nothing, and one voice of all comparisons."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from superionic.analysis.claim import ClaimState, check_rule, said_by, unanimous
from superionic.structures.errors import EvidenceError

OPPOSITE = {"supported": "contradicted", "contradicted": "supported", "undecided": "undecided"}


@pytest.mark.parametrize(
    ("difference", "state"),
    [
        (0.11, "supported"), (0.1, "undecided"), (0.0, "undecided"), (-0.1, "undecided"),
        (-0.11, "contradicted"),
    ],
)  # fmt: skip
def test_within_the_margin_nothing_is_said(difference: float, state: str) -> None:
    assert said_by(difference, 0.1) == state


@given(st.floats(-5, 5), st.floats(0, 5))
def test_the_opposite_difference_says_the_opposite(difference: float, margin: float) -> None:
    assert said_by(-difference, margin) == OPPOSITE[said_by(difference, margin)]


@pytest.mark.parametrize(
    ("states", "whole"),
    [
        (("supported", "supported"), "supported"),
        (("contradicted",), "contradicted"),
        (("supported", "contradicted"), "undecided"),
        (("supported", "undecided"), "undecided"),
        (("undecided", "undecided"), "undecided"),
        ((), "undecided"),
    ],
)
def test_all_must_agree(states: tuple[ClaimState, ...], whole: str) -> None:
    assert unanimous(states) == whole


def test_rules_that_cannot_work_say_what_they_need() -> None:
    check_rule(0.0, min_pairs=1)
    with pytest.raises(EvidenceError, match=r"margin_eV >= 0 and min_pairs >= 1; got -0.1 and 2"):
        check_rule(-0.1, min_pairs=2)
    with pytest.raises(EvidenceError, match=r"min_pairs >= 1; got 0.1 and 0"):
        check_rule(0.1, min_pairs=0)
    with pytest.raises(EvidenceError, match="got nan"):
        check_rule(float("nan"))
