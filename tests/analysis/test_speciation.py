"""Contacts, ion pairs and clusters: by hand, against brute force, MDAnalysis and a naive search."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from MDAnalysis.lib.distances import capped_distance
from numpy.typing import NDArray
from scipy.signal import lfilter

from superionic.analysis.block_average import block_mean
from superionic.analysis.contacts import Contacts, contact_cutoff, find_contacts
from superionic.analysis.ion_clusters import cluster_sizes
from superionic.analysis.neighbour_pairs import pairs_within
from superionic.analysis.rdf import rdf
from superionic.analysis.speciation import Speciation, ion_pairs, speciation_of
from superionic.structures.errors import EvidenceError, TrajectoryError
from superionic.workflows.serialise import decode, encode

CELL = np.diag([20.0, 22.0, 24.0])
SKEWED = np.array([[20.0, 0.0, 0.0], [6.0, 21.0, 0.0], [-5.0, 4.0, 22.0]])
Array = NDArray[np.float64]


def brute(a: Array, b: Array, cell: Array, cutoff: float) -> set[tuple[int, int]]:
    shifts = np.array(list(product((-1, 0, 1), repeat=3))) @ cell
    a, b = ((x @ np.linalg.inv(cell) % 1.0) @ cell for x in (a, b))
    gap = a[:, None, None] - b[None, :, None] + shifts
    near = (np.linalg.norm(gap, axis=3) <= cutoff).any(axis=2)
    return {(int(i), int(j)) for i, j in np.argwhere(near)}


@pytest.mark.parametrize("cell", [CELL, SKEWED], ids=["cuboid", "skewed"])
def test_pairs_agree_with_brute_force_over_images(cell: Array) -> None:
    rng = np.random.default_rng(1)
    a, b = rng.uniform(-40, 60, (40, 3)), rng.uniform(-40, 60, (70, 3))
    i, j = pairs_within(a, b, cell, cutoff_ang=6.0)
    assert set(zip(i.tolist(), j.tolist(), strict=True)) == brute(a, b, cell, 6.0)


def test_pairs_agree_with_mdanalysis() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.uniform(0, 20, (50, 3)), rng.uniform(0, 20, (90, 3))
    box = np.array([20.0, 22.0, 24.0, 90.0, 90.0, 90.0], dtype=np.float32)
    found = capped_distance(a, b, 5.0, box=box, return_distances=False)
    i, j = pairs_within(a, b, CELL, cutoff_ang=5.0)
    assert {tuple(p) for p in found.tolist()} == set(zip(i.tolist(), j.tolist(), strict=True))


@pytest.mark.parametrize(
    ("cell", "cutoff", "words"),
    [
        (CELL, 10.5, "within the cell"),
        (CELL, 0.0, "positive"),
        (np.zeros((3, 3)), 3.0, "no periodic"),
    ],
)
def test_pairs_that_cannot_be_told_are_refused(cell: Array, cutoff: float, words: str) -> None:
    with pytest.raises(TrajectoryError, match=words):
        pairs_within(np.zeros((1, 3)), np.ones((1, 3)), cell, cutoff_ang=cutoff)


def test_positions_that_are_not_finite_are_refused() -> None:
    with pytest.raises(TrajectoryError, match="not finite"):
        pairs_within(np.full((1, 3), np.nan), np.ones((1, 3)), CELL, cutoff_ang=3.0)


# --- one frame by hand -------------------------------------------------------------------------

CATIONS = np.array([[0.5, 5, 5], [5, 10, 10], [9, 10, 10], [15, 15, 15]], dtype=float)
ANIONS = np.array(
    [
        [18.5, 5, 5], [17.5, 5, 5],  # 0: touches cation 0 through the wall
        [6.9, 10, 10], [7.1, 10, 10],  # 1: between cations 1 and 2
        [15, 15, 11], [15, 15, 10],  # 2: apart from cation 3 by 4 A
        [2, 18, 20], [2, 19, 20],  # 3: alone
    ],
    dtype=float,
)  # fmt: skip
GROUPS = np.repeat(np.arange(4), 2)


def frames(x: Array, n: int = 24) -> Array:
    return np.repeat(x[None], n, axis=0)


@pytest.fixture(scope="module")
def by_hand() -> Speciation:
    return ion_pairs(
        frames(CATIONS), frames(ANIONS), cell=CELL, contact_ang=2.5, anion_groups=GROUPS,
        separated_ang=5.0,
    )  # fmt: skip


def test_states_by_hand(by_hand: Speciation) -> None:
    values = {k: v.get() for k, v in by_hand.anions.items()}
    assert values == {"free": 0.25, "SSIP": 0.25, "CIP": 0.25, "AGG": 0.25}
    assert {k: v.get() for k, v in by_hand.cations.items()} == {
        "free": 0.0, "SSIP": 0.25, "CIP": 0.75, "AGG": 0.0,
    }  # fmt: skip
    assert by_hand.uncoordinated_anions.get() == 0.5
    assert by_hand.uncoordinated_anions.interval == (0.5, 0.5)


def test_clusters_by_hand(by_hand: Speciation) -> None:
    """Na X (2 ions), Na X Na (3), and Na, X, X by themselves."""
    found = {(c.cations, c.anions): c.per_frame for c in by_hand.clusters}
    assert found == {(1, 1): 1.0, (2, 1): 1.0, (1, 0): 1.0, (0, 1): 2.0}
    charge = {k: v.get() for k, v in by_hand.cluster_charge.items()}
    assert charge == {"-1": 0.25, "0": 0.25, "+1": 0.5}
    assert by_hand.largest_cluster.get() == 3.0
    assert sum(c.ion_fraction.get() for c in by_hand.clusters) == pytest.approx(1.0)


def test_chelating_anion_counts_once() -> None:
    """Two oxygen atoms of one anion on one cation are one contact."""
    both = np.array([[6.5, 10, 10], [5, 12, 10]], dtype=float)
    found = ion_pairs(
        frames(CATIONS[1:2]), frames(both), cell=CELL, contact_ang=2.5, anion_groups=[0, 0]
    )
    assert found.anions["CIP"].get() == 1.0
    assert found.anions["AGG"].get() == 0.0
    assert list(found.cations) == ["free", "CIP", "AGG"]  # separated pairs were not asked for


def naive_components(contacts: Contacts) -> list[tuple[int, int, int]]:
    """Grow clusters ion by ion."""
    found = []
    for f in range(contacts.frames):
        edges = [
            (("c", c), ("a", g))
            for t, c, g in zip(contacts.frame, contacts.centre, contacts.group, strict=True)
            if t == f
        ]
        left: set[Any] = {("c", k) for k in range(contacts.centres)}
        left |= {("a", k) for k in range(contacts.groups)}
        while left:
            grown, new = set(), {left.pop()}
            while new:
                grown |= new
                new = {b for e in edges for a, b in (e, e[::-1]) if a in new} - grown
            left -= grown
            found.append((f, sum(k == "c" for k, _ in grown), sum(k == "a" for k, _ in grown)))
    return sorted(found)


def test_clusters_agree_with_a_naive_search() -> None:
    rng = np.random.default_rng(3)
    contacts = find_contacts(
        rng.uniform(0, 20, (12, 15, 3)), rng.uniform(0, 20, (12, 30, 3)), cell=CELL,
        cutoff_ang=4.0, groups=np.repeat(np.arange(15), 2),
    )  # fmt: skip
    assert sorted(map(tuple, cluster_sizes(contacts).tolist())) == naive_components(contacts)
    assert contacts.counts_of_groups().sum() == contacts.counts_of_centres().sum()


def test_salt_melt_is_one_neutral_aggregate() -> None:
    """A rock-salt lattice: every ion has six partners, and all are one cluster."""
    grid = np.array(list(product(range(4), repeat=3)))
    odd = grid.sum(axis=1) % 2 == 1
    found = ion_pairs(
        frames(grid[~odd] * 2.8), frames(grid[odd] * 2.8), cell=np.eye(3) * 11.2, contact_ang=3.2
    )
    assert found.anions["AGG"].get() == 1.0
    assert found.largest_cluster.get() == 64
    assert {k: v.get() for k, v in found.cluster_charge.items()} == {"0": 1.0}


def test_cutoff_comes_from_the_first_minimum() -> None:
    rng = np.random.default_rng(4)
    anions = rng.uniform(0, 24, (60, 30, 3))
    way = rng.normal(size=(60, 30, 3))
    way /= np.linalg.norm(way, axis=2, keepdims=True)
    cations = anions + way * rng.normal(2.4, 0.1, size=(60, 30, 1))
    cutoff, rule = contact_cutoff(rdf(cations, anions, cell=np.eye(3) * 24))
    assert 2.7 < cutoff < 6.0
    assert "first minimum" in rule
    with pytest.raises(EvidenceError, match="Give one"):
        contact_cutoff(rdf(rng.uniform(0, 24, (60, 30, 3)), anions, cell=np.eye(3) * 24))


def test_wrong_inputs_are_named(by_hand: Speciation) -> None:
    with pytest.raises(TrajectoryError, match="without gaps"):
        ion_pairs(
            frames(CATIONS), frames(ANIONS), cell=CELL, contact_ang=2.5, anion_groups=GROUPS * 2
        )
    with pytest.raises(TrajectoryError, match="same number of frames"):
        ion_pairs(frames(CATIONS, 3), frames(ANIONS, 4), cell=CELL, contact_ang=2.5)
    near = find_contacts(frames(CATIONS), frames(ANIONS), cell=CELL, cutoff_ang=2.5)
    with pytest.raises(EvidenceError, match="wider apart"):
        speciation_of(near, separated=near)
    with pytest.raises(EvidenceError, match="charges of a cation"):
        speciation_of(near, charges_e=(1.0, 1.0))


def test_result_survives_json(by_hand: Speciation) -> None:
    again = decode(encode(by_hand))
    assert again.anions == by_hand.anions
    assert again.clusters == by_hand.clusters
    assert "<table>" in by_hand._repr_html_()


# --- means of series ---------------------------------------------------------------------------


def remembering(rng: np.random.Generator, n: int, tau: float) -> Array:
    a = np.exp(-1 / tau)
    kicks = np.sqrt(1 - a * a) * rng.normal(size=n)
    kicks[0] = rng.normal()
    return np.asarray(lfilter([1.0], [1.0, -a], kicks), dtype=np.float64)


@pytest.mark.parametrize("tau", [0.1, 5.0, 20.0])
def test_means_of_series_with_memory_are_covered(tau: float) -> None:
    rng = np.random.default_rng(5)
    found = [block_mean(remembering(rng, 2000, tau)) for _ in range(120)]
    told = [f for f in found if f.value is not None]
    assert len(told) > 90
    assert 0.88 <= np.mean([f.covers(0.0) for f in told]) <= 0.995


def test_series_that_remembers_the_whole_run_has_no_mean() -> None:
    rng = np.random.default_rng(6)
    missing = [block_mean(remembering(rng, 500, 300.0)).value is None for _ in range(40)]
    assert np.mean(missing) > 0.7
    assert block_mean([1.0, 2.0, 3.0]).value is None
    with pytest.raises(EvidenceError, match="finite"):
        block_mean([1.0, np.nan])
