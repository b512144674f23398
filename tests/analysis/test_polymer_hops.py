"""Hops along and between chains: histories written by hand, rates of random ones."""

from __future__ import annotations

import numpy as np
import pytest

from superionic.analysis.contacts import Contacts
from superionic.analysis.polymer_hops import PolymerHops, chain_hops_from_trajectory
from superionic.structures.errors import EvidenceError
from superionic.workflows.serialise import decode, encode

CHAIN = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1])


def history(*ions: list[set[int]]) -> Contacts:
    """One list of donor sets an ion."""
    rows = [(f, i, d) for i, sets in enumerate(ions) for f, s in enumerate(sets) for d in s]
    frame, centre, group = np.array(sorted(rows)).reshape(-1, 3).T
    return Contacts(frame, centre, group, len(ions[0]), len(ions), len(CHAIN), 3.2, "given")


def hops(*ions: list[set[int]], dwell: float = 3.0) -> PolymerHops:
    return chain_hops_from_trajectory(history(*ions), donor_chain=CHAIN, dt_ps=1.0, dwell_ps=dwell)


def test_inter_chain_hop() -> None:
    found = hops([{0, 1, 2}] * 6 + [{2, 6, 7}] * 6)
    assert (found.inter_chain, found.intra_chain) == (1, 0)
    assert found.events.tolist() == [[6, 0, 0, 1]]
    assert found.host[:, 0].tolist() == [0] * 6 + [1] * 6
    np.testing.assert_allclose(found.chains_held, [0.0, 0.5, 0.5])
    assert found.mean_donors == 3.0


def test_intra_chain_hop_needs_donors_that_are_all_new() -> None:
    walking = [{0, 1, 2}] * 4 + [{1, 2, 3}] * 4 + [{2, 3, 4}] * 4
    assert hops(walking).intra_chain == 0
    gone = [*walking, *[{3, 4, 5}] * 4]
    assert hops(gone).intra_chain == 1
    assert hops(gone).events.tolist() == [[12, 0, 0, 0]]


def test_excursion_shorter_than_the_dwell_time_is_no_hop() -> None:
    found = hops([{0, 1}] * 5 + [{6, 7}] * 2 + [{0, 1}] * 5)
    assert (found.inter_chain, found.intra_chain) == (0, 0)
    assert hops([{0, 1}] * 5 + [{6, 7}] * 2 + [{0, 1}] * 5, dwell=1.0).inter_chain == 2


def test_ties_stay_and_ions_in_between_have_no_host() -> None:
    found = hops([{0, 1}] * 4 + [{0, 6}] * 4 + [set()] * 2 + [{6, 7}] * 4)
    assert found.host[:, 0].tolist() == [0] * 8 + [-1] * 2 + [1] * 4
    assert found.inter_chain == 1
    assert found.chains_held[0] == pytest.approx(2 / 14)


def test_rates_of_random_hops_are_covered() -> None:
    """Ions that choose another chain at a known chance a frame."""
    rng = np.random.default_rng(1)
    sites = [{0, 1, 2}, {6, 7, 8}]
    hits = 0
    for _ in range(30):
        ions = []
        for _ in range(12):
            side = np.cumsum(rng.random(400) < 0.01) % 2
            ions.append([sites[s] for s in side.tolist()])
        found = hops(*ions, dwell=1.0)
        hits += found.inter_rate_per_ns.covers(10.0)
    assert hits >= 26


def test_no_hop_gives_an_upper_end() -> None:
    found = hops([{0, 1}] * 1001)
    assert found.inter_rate_per_ns.get() == 0.0
    interval = found.inter_rate_per_ns.interval
    assert interval is not None
    assert interval[0] == 0.0
    assert interval[1] == pytest.approx(3.689, abs=0.01)


def test_wrong_inputs_are_named() -> None:
    with pytest.raises(EvidenceError, match="chain of each"):
        chain_hops_from_trajectory(
            history([{0}] * 9), donor_chain=CHAIN[:4], dt_ps=1.0, dwell_ps=1.0
        )
    with pytest.raises(EvidenceError, match="too few"):
        hops([{0}] * 9, dwell=8.0)


def test_result_survives_json() -> None:
    found = hops([{0, 1, 2}] * 6 + [{2, 6, 7}] * 6)
    again = decode(encode(found))
    np.testing.assert_array_equal(again.events, found.events)
    assert "<table>" in found._repr_html_()
