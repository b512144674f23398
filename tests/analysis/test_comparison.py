"""Comparing runs: Welch by scipy, how often it errs, what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ttest_ind

from superionic.analysis.comparison import MotionComparison, compare
from superionic.analysis.diffusion import self_diffusion
from superionic.analysis.diffusivity import Diffusivity
from superionic.structures.errors import EvidenceError
from superionic.workflows.serialise import decode, encode


def run(D: float | None, *, error: float = 0.1, length_ps: float = 1000.0) -> Diffusivity:
    """A run of a known outcome; the interval is D over and times exp(error)."""
    known = D is not None
    return Diffusivity(
        verdict="diffusive" if known else "subdiffusive", reason="made up", D_cm2_s=D,
        interval_cm2_s=(D * np.exp(-error), D * np.exp(error)) if D is not None else None,
        loglog_slope=1.0 if known else 0.6, loglog_slope_interval=(0.9, 1.1), fit_window_ps=(1, 10),
        window_rule="", error_rule="", offset_ang2=0.0 if known else None, needed_ps=None,
        needed_rule="", target_precision=0.1, finite_size_cm2_s=None, ions=10, frames=100,
        replicas=1, length_ps=length_ps, dt_ps=1.0, lag_ps=np.ones(1), msd_ang2=np.ones(1),
        msd_error_ang2=np.ones(1),
    )  # fmt: skip


SLOW, FAST = (1.0e-7, 1.2e-7, 0.9e-7, 1.1e-7), (2.0e-7, 2.3e-7, 1.9e-7)


@pytest.fixture(scope="module")
def clear() -> MotionComparison:
    return compare([run(D) for D in SLOW], [run(D) for D in FAST], names=("PEO", "PEO + MOF"))


def test_welch_as_scipy_does_it(clear: MotionComparison) -> None:
    test = ttest_ind(np.log(FAST), np.log(SLOW), equal_var=False)
    interval = test.confidence_interval(0.95)
    assert clear.faster == "second"
    assert clear.ratio.interval == pytest.approx((np.exp(interval.low), np.exp(interval.high)))
    assert clear.ratio.get() == pytest.approx(np.exp(np.mean(np.log(FAST)) - np.mean(np.log(SLOW))))
    assert clear.probability == pytest.approx(1 - test.pvalue / 2)
    assert clear.needed_ps == 0.0
    assert "PEO + MOF is faster than PEO" in clear.summary


def test_effect_size_is_hedges_g(clear: MotionComparison) -> None:
    x, y = np.log(SLOW), np.log(FAST)
    pooled = np.sqrt((3 * x.var(ddof=1) + 2 * y.var(ddof=1)) / 5)
    assert clear.effect_size.get() == pytest.approx((1 - 3 / 19) * (y.mean() - x.mean()) / pooled)
    assert clear.effect_size.covers(clear.effect_size.get())
    assert clear.effect_size.interval is not None
    assert clear.effect_size.interval[0] > 0


def test_other_way_round(clear: MotionComparison) -> None:
    back = compare([run(D) for D in FAST], [run(D) for D in SLOW])
    assert back.faster == "first"
    assert back.ratio.get() == pytest.approx(1 / clear.ratio.get())
    assert back.effect_size.get() == pytest.approx(-clear.effect_size.get())


def test_equal_systems_are_called_different_in_one_of_twenty() -> None:
    rng = np.random.default_rng(1)
    wrong = 0
    for _ in range(400):
        a, b = ([run(D) for D in np.exp(rng.normal(-16, 0.2, n))] for n in (4, 5))
        wrong += compare(a, b).faster != "undecided"
    assert 8 <= wrong <= 34


def test_effect_sizes_are_covered() -> None:
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(100):
        a, b = ([run(D) for D in np.exp(rng.normal(m, 0.2, 5))] for m in (-16.0, -15.7))
        found = compare(a, b).effect_size.interval
        assert found is not None
        hits += found[0] <= 1.5 * 0.9 and found[1] >= 1.5 * 0.9
    assert hits >= 90


def test_undecided_says_how_much_longer() -> None:
    """With as many runs as were said a gap like this one is decided."""
    found = compare([run(1.0e-7), run(1.5e-7)], [run(1.4e-7), run(2.0e-7)])
    assert found.faster == "undecided"
    assert found.needed_ps is not None
    more = 4 + found.needed_ps / 1000.0
    assert more == round(more)
    side = round(more / 2)
    x, y = np.log([1.0, 1.5]), np.log([1.4, 2.0])
    noise = np.sqrt((x.var(ddof=1) + y.var(ddof=1)) / side)
    from scipy.stats import t

    assert y.mean() - x.mean() > t.ppf(0.975, 2 * side - 2) * noise
    alike = compare([run(1.0e-7), run(3.0e-7)], [run(1.0e-7), run(3.001e-7)])
    assert alike.needed_ps is None


def test_runs_without_a_value_decide_nothing() -> None:
    found = compare([run(1e-7), run(None), run(1e-7)], [run(D) for D in FAST])
    assert found.faster == "undecided"
    assert found.ratio.value is None
    assert "1 of 3 runs of first have no diffusion coefficient (subdiffusive)" in found.reason


def test_single_runs_give_a_ratio_and_no_verdict() -> None:
    found = compare(run(1e-7), run(5e-7))
    assert found.faster == "undecided"
    assert found.probability is None
    assert found.ratio.interval == pytest.approx(
        (5 * np.exp(-0.1 * 2**0.5), 5 * np.exp(0.1 * 2**0.5))
    )


def test_nothing_to_compare_is_refused() -> None:
    with pytest.raises(EvidenceError, match="one has none"):
        compare([], [run(1e-7)])
    with pytest.raises(EvidenceError, match="copies of one run"):
        compare([run(1e-7)] * 2, [run(1e-7)] * 2)


def test_from_walks_to_a_verdict() -> None:
    rng = np.random.default_rng(3)
    sides = [
        [
            self_diffusion(np.cumsum(rng.normal(scale=s, size=(400, 20, 3)), axis=0), dt_ps=1.0)
            for _ in range(3)
        ]
        for s in (0.5, 1.0)
    ]
    assert compare(*sides).faster == "second"


def test_result_is_drawn_and_survives_json(clear: MotionComparison, tmp_path: Path) -> None:
    saved = clear.plot(str(tmp_path / "faster"))
    assert saved.png.stat().st_size > 10_000
    rows = saved.csv.read_text().splitlines()
    assert sum(row.startswith("run,") for row in rows) == 7
    assert "effect size" in clear._repr_html_()
    again = decode(encode(clear))
    assert isinstance(again, MotionComparison)
    assert again.ratio == clear.ratio
