"""Residence: by hand, telegraph processes of known rate cut off at both ends, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from superionic.analysis.contacts import Contacts
from superionic.analysis.residence import (
    ResidenceTime,
    contact_correlation,
    kaplan_meier,
    residence_time,
    spells,
)
from superionic.structures.errors import EvidenceError
from superionic.workflows.serialise import decode, encode

Touch = NDArray[np.bool_]


def contacts_of(touch: Touch) -> Contacts:
    """``touch`` has shape (frames, centres, groups)."""
    frame, centre, group = np.nonzero(touch)
    frames, centres, groups = touch.shape
    return Contacts(frame, centre, group, frames, centres, groups, 3.0, "given")


def telegraph(rng: np.random.Generator, *, on: float, off: float, frames: int, pairs: int) -> Touch:
    """Pairs that part and meet at constant chance a frame, from a steady state on."""
    end, begin = 1 / on, 1 / off
    state = rng.random(pairs) < begin / (begin + end)
    out = np.empty((frames, pairs), dtype=bool)
    for k in range(frames):
        out[k] = state
        change = rng.random(pairs) < np.where(state, end, begin)
        state = state ^ change
    return out[:, :, None]


def regular(rng: np.random.Generator, *, on: int, off: float, frames: int, pairs: int) -> Touch:
    """Spells of exactly ``on`` frames with random pauses: far from exponential."""
    out = np.zeros((frames, pairs, 1), dtype=bool)
    for p in range(pairs):
        t = -int(rng.integers(0, 40 * on))
        while t < frames:
            t += 1 + int(rng.exponential(off))
            out[max(t, 0) : max(t + on, 0), p, 0] = True
            t += on
    return out


def one_pair(text: str) -> Contacts:
    return contacts_of(np.array([c == "x" for c in text])[:, None, None])


def test_spells_by_hand() -> None:
    found = spells(one_pair("xx..xxx.x..xx"))
    assert found.start.tolist() == [0, 4, 8, 11]
    assert found.length.tolist() == [2, 3, 1, 2]
    assert found.open_start.tolist() == [True, False, False, False]
    assert found.open_end.tolist() == [False, False, False, True]


def test_patience_bridges_interruptions() -> None:
    found = spells(one_pair("xx..xxx.x..xx"), gap=1)
    assert found.length.tolist() == [2, 5, 2]
    assert spells(one_pair("xx..xxx.x..xx"), gap=2).length.tolist() == [13]


def test_product_limit_by_hand() -> None:
    """Spells of 1, 2 and 3 frames end, one of 2 is cut off: S = 3/4, 3/4 * 2/3, 0."""
    touch = np.array([[c == "x" for c in row] for row in (".x....", ".xx...", ".xxx..", "....xx")])
    time, curve, ends = kaplan_meier(spells(contacts_of(touch.T[:, :, None])), dt_ps=2.0)
    assert time.tolist() == [0.0, 2.0, 4.0, 6.0]
    np.testing.assert_allclose(curve, [1.0, 0.75, 0.5, 0.0])
    assert (ends[:, 0] <= curve).all()
    assert (curve <= ends[:, 1]).all()


def test_product_limit_agrees_with_scipy() -> None:
    from scipy.stats import CensoredData, ecdf

    rng = np.random.default_rng(1)
    found = spells(contacts_of(telegraph(rng, on=20, off=30, frames=200, pairs=40)))
    _, curve, _ = kaplan_meier(found, dt_ps=1.0)
    seen = ~found.open_start
    length, cut = found.length[seen].astype(float), found.open_end[seen]
    reference = ecdf(CensoredData(uncensored=length[~cut], right=length[cut])).sf
    np.testing.assert_allclose(
        curve[1:], reference.evaluate(np.arange(1.0, len(curve))), atol=1e-12
    )


@pytest.mark.parametrize(("tau", "frames"), [(20.0, 1500), (60.0, 300)])
def test_known_residence_times_are_covered(tau: float, frames: int) -> None:
    """Also in runs of five residence times, in which every fifth spell is cut off."""
    rng = np.random.default_rng(2)
    hits, values = 0, []
    for _ in range(60):
        touch = telegraph(rng, on=tau, off=2 * tau, frames=frames, pairs=25)
        found = residence_time(contacts_of(touch), dt_ps=0.5)
        assert found.verdict == "observed", found.reason
        hits += found.mean_ps.covers(0.5 * tau)
        values.append(found.mean_ps.get())
    assert np.mean(values) == pytest.approx(0.5 * tau, rel=0.04)
    assert 53 <= hits <= 60


def test_mean_does_not_rest_on_an_exponential_law() -> None:
    """Spells of exactly 50 frames in runs of 130: the naive mean of whole spells is no help."""
    rng = np.random.default_rng(3)
    values = [
        residence_time(
            contacts_of(regular(rng, on=50, off=30, frames=130, pairs=30)), dt_ps=1.0
        ).mean_ps.value
        for _ in range(40)
    ]
    told = [v for v in values if v is not None]
    assert len(told) >= 30
    assert np.mean(told) == pytest.approx(50.0, rel=0.04)


def test_survival_is_exponential_where_partings_are() -> None:
    rng = np.random.default_rng(4)
    touch = telegraph(rng, on=25, off=25, frames=4000, pairs=40)
    found = residence_time(contacts_of(touch), dt_ps=1.0)
    inside = found.time_ps < 80
    expected = (1 - 1 / 25) ** found.time_ps[inside]
    assert np.abs(found.survival[inside] - expected).max() < 0.03
    assert found.median_ps == pytest.approx(25 * np.log(2), abs=2)


def test_run_shorter_than_the_residence_has_a_bound_and_no_mean() -> None:
    rng = np.random.default_rng(5)
    for seed in range(10):
        rng = np.random.default_rng(seed)
        touch = telegraph(rng, on=2000, off=500, frames=200, pairs=40)
        found = residence_time(contacts_of(touch), dt_ps=1.0)
        assert found.verdict == "too short"
        assert found.mean_ps.value is None
        assert found.lower_bound_ps < 2000
        assert found.lower_bound_ps > 300
        assert "above" in found.summary


def test_pairs_that_never_part_have_no_mean() -> None:
    found = residence_time(contacts_of(np.ones((50, 10, 1), dtype=bool)), dt_ps=1.0)
    assert found.verdict == "too short"
    assert found.partings == 0
    assert found.left_out == 10
    assert found.survival.tolist() == [1.0]


def test_few_centres_take_stretches_of_time() -> None:
    rng = np.random.default_rng(6)
    touch = telegraph(rng, on=10, off=10, frames=4000, pairs=3)
    found = residence_time(contacts_of(touch), dt_ps=1.0)
    assert found.mean_ps.covers(10.0)


def test_no_contact_and_wrong_times_are_refused() -> None:
    with pytest.raises(EvidenceError, match="No pair"):
        residence_time(contacts_of(np.zeros((50, 4, 1), dtype=bool)), dt_ps=1.0)
    with pytest.raises(EvidenceError, match="dt > 0"):
        residence_time(one_pair("x..x"), dt_ps=0.0)


def test_intermittent_correlation_agrees_with_its_definition() -> None:
    rng = np.random.default_rng(7)
    touch = telegraph(rng, on=10, off=20, frames=120, pairs=6)
    h = touch.astype(float)
    expected = [(h[: 120 - m] * h[m:]).sum() / h[: 120 - m].sum() for m in range(31)]
    np.testing.assert_allclose(contact_correlation(contacts_of(touch)), expected, atol=1e-12)


def test_correlation_falls_to_the_chance_of_meeting() -> None:
    rng = np.random.default_rng(8)
    touch = telegraph(rng, on=10, off=30, frames=20_000, pairs=10)
    found = contact_correlation(contacts_of(touch), longest=300)
    assert found[0] == pytest.approx(1.0)
    assert found[200:].mean() == pytest.approx(0.25, abs=0.02)


def test_result_survives_json() -> None:
    rng = np.random.default_rng(9)
    found = residence_time(
        contacts_of(telegraph(rng, on=10, off=10, frames=500, pairs=10)), dt_ps=1.0
    )
    again = decode(encode(found))
    assert isinstance(again, ResidenceTime)
    assert again.mean_ps == found.mean_ps
    np.testing.assert_array_equal(again.survival, found.survival)
    assert "<table>" in found._repr_html_()
