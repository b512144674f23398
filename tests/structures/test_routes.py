"""Routes through textbook networks, their sampling, and hops matched by what they are."""

from __future__ import annotations

from dataclasses import replace

import networkx  # type: ignore[import-untyped]
import numpy as np
import pytest
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import nasicon

from superionic.structures.crystals import reference_crystal
from superionic.structures.errors import InvalidHopError, NoHopFoundError
from superionic.structures.hop import Hop
from superionic.structures.hops import find_hops
from superionic.structures.network import HopNetwork, hop_network
from superionic.structures.routes import Route, build_route, match_hops, sample_route
from superionic.structures.structure import Structure


def check(route: Route, network: HopNetwork) -> None:
    """Head to tail, every step an equivalent of its hop, ends a lattice vector apart."""
    steps = np.linalg.norm(np.diff(route.points, axis=0), axis=1)
    np.testing.assert_allclose(steps, [h.length_ang for h in route.hops], atol=1e-6)
    assert route.site_types[0] == route.site_types[-1]
    for k, (hop, back) in enumerate(zip(route.hops, route.backward, strict=True)):
        ends = route.site_types[k : k + 2]
        assert ends == (hop.site_types[::-1] if back else hop.site_types)
    whole = route.displacement @ np.linalg.inv(network.structure.cell)
    np.testing.assert_allclose(whole, np.round(whole), atol=1e-6)
    assert np.linalg.norm(route.displacement) > 1.0
    assert route.length_ang == pytest.approx(steps.sum())


def test_one_hop_carries_through_an_fcc_metal() -> None:
    metal = Structure.from_ase(bulk("Al", a=4.05))
    network = hop_network(metal, ion="Al", max_length_ang=3.0)
    route = build_route(network)
    check(route, network)
    assert len(route.hops) == 1
    assert route.length_ang == pytest.approx(4.05 / np.sqrt(2))
    # along a cube axis it takes two
    along = build_route(network, direction=[0, 0, 1])
    check(along, network)
    assert len(along.hops) == 2
    np.testing.assert_allclose(along.displacement, [0, 0, 4.05], atol=1e-9)


@pytest.mark.parametrize(("axis", "steps"), [(0, 4), (1, 4), (2, 12)])
def test_nasicon_channels(axis: int, steps: int) -> None:
    structure = nasicon()
    network = hop_network(structure)
    route = build_route(network, direction=structure.cell[axis])
    check(route, network)
    assert len(route.hops) == steps
    assert route.site_types[:3] == ("Na1", "Na2", "Na1")
    assert route.backward[:2] == (False, True)
    assert set(route.keys) == {network.hops[0].key}
    np.testing.assert_allclose(route.displacement, structure.cell[axis], atol=1e-3)
    started = build_route(network, direction=structure.cell[axis], start="Na2")
    assert started.site_types[0] == "Na2"
    assert started.length_ang == pytest.approx(route.length_ang)


def test_the_primitive_cell_has_the_same_route() -> None:
    structure = nasicon()
    lengths = [
        build_route(hop_network(structure, standardise=s), direction=structure.cell[0]).length_ang
        for s in (True, False)
    ]
    assert lengths[0] == pytest.approx(lengths[1], abs=1e-6)


def test_only_named_hops_are_used() -> None:
    structure = reference_crystal("na3ps4").structure.to_structure()
    network = hop_network(structure)
    by_types = {hop.site_types: hop.key for hop in network.hops}
    between = by_types["Na1", "Na2"]
    route = build_route(network, keys=[between], direction=structure.cell[0])
    check(route, network)
    assert set(route.keys) == {between}
    with pytest.raises(NoHopFoundError, match="No hop is called 'x'"):
        build_route(network, keys=["x"])
    with pytest.raises(NoHopFoundError, match="No site is called Na9; there are Na1, Na2"):
        build_route(network, start="Na9")
    with pytest.raises(InvalidHopError, match="direction of three numbers"):
        build_route(network, direction=[0, 0, 0])


def test_a_cut_network_says_so() -> None:
    pair = Structure(
        numbers=np.array([11, 11]), positions=np.array([[0, 0, 0], [3, 0, 0]]), cell=np.eye(3) * 9
    )
    with pytest.raises(NoHopFoundError, match="do not join up into a route"):
        build_route(hop_network(pair))
    sheet = Structure(
        numbers=np.array([11]), positions=np.zeros((1, 3)), cell=np.diag([3.5, 3.5, 5.5])
    )
    network = hop_network(sheet, max_length_ang=4.0)
    assert build_route(network, direction=[1, 0, 0]).length_ang == pytest.approx(3.5)
    with pytest.raises(NoHopFoundError, match=r"along \[0 0 1\]"):
        build_route(network, direction=[0, 0, 1])


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_shortest_against_networkx(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cell = np.diag([6.0, 6.5, 7.0])
    grid = np.array(list(np.ndindex(2, 2, 2))) / 2
    points = (grid + rng.uniform(-0.08, 0.08, (8, 3))) @ cell
    structure = Structure(numbers=np.array([11] * 8), positions=points, cell=cell)
    network = hop_network(structure, max_length_ang=4.2, min_image_separation_ang=6.0)
    # the same graph, unrolled over 5 x 5 x 5 cells, each site once
    graph = networkx.Graph()
    for a, b, *shift in network.edges.tolist():
        length = float(np.linalg.norm(points[b] + np.array(shift) @ cell - points[a]))
        for home in np.ndindex(5, 5, 5):
            there = tuple(np.array(home) + shift)
            if min(there) >= 0 and max(there) < 5:
                graph.add_edge((a, home), (b, there), weight=length)
    expected: list[float] = []
    for site in range(8):
        for far in ((2, 2, 2), (3, 2, 2), (4, 2, 2)):
            ends = (site, (1, 2, 2)), (site, far)
            if all(e in graph for e in ends) and networkx.has_path(graph, *ends):
                expected.append(networkx.shortest_path_length(graph, *ends, weight="weight"))
    if not expected:
        with pytest.raises(NoHopFoundError):
            build_route(network, direction=[1, 0, 0])
        return
    route = build_route(network, direction=[1, 0, 0])
    check(route, network)
    assert route.length_ang == pytest.approx(min(expected))


def test_samples_of_a_straight_line() -> None:
    samples = sample_route([[0, 0, 0], [4, 0, 0]])
    assert len(samples.fractions) == 21
    np.testing.assert_allclose(samples.fractions, np.arange(21) * 0.05, atol=1e-15)
    np.testing.assert_allclose(samples.positions[:, 0], np.arange(21) * 0.2, atol=1e-12)
    np.testing.assert_allclose(samples.normals, np.tile([1.0, 0, 0], (21, 1)))


def test_samples_round_a_corner() -> None:
    samples = sample_route([[0, 0, 0], [3, 0, 0], [3, 1, 0]], step_fractional=0.25)
    np.testing.assert_allclose(
        samples.positions, [[0, 0, 0], [1, 0, 0], [2, 0, 0], [3, 0, 0], [3, 1, 0]], atol=1e-12
    )
    half = np.sqrt(0.5)
    np.testing.assert_allclose(
        samples.normals,
        [[1, 0, 0], [1, 0, 0], [1, 0, 0], [half, half, 0], [0, 1, 0]],
        atol=1e-12,
    )
    back = sample_route([[0, 0, 0], [1, 0, 0], [0, 0, 0]], step_fractional=0.5)
    np.testing.assert_allclose(np.linalg.norm(back.normals, axis=1), 1.0)


def test_samples_of_hops_and_routes() -> None:
    network = hop_network(nasicon())
    hop = network.hops[0]
    samples = sample_route(hop)
    np.testing.assert_allclose(samples.positions[0], hop.initial.positions[hop.ion])
    np.testing.assert_allclose(samples.positions[-1], hop.final.positions[hop.ion])
    route = build_route(network)
    along = sample_route(route, step_fractional=0.125)
    np.testing.assert_allclose(along.positions[::2], route.points, atol=1e-6)  # four equal hops


@pytest.mark.parametrize(
    ("points", "step", "message"),
    [
        ([[0, 0, 0], [1, 0, 0]], 0.03, "step that divides"),
        ([[0, 0, 0], [1, 0, 0]], 0.0, "step that divides"),
        ([[0, 0, 0], [1, 0, 0]], -0.5, "step that divides"),
        ([[0, 0, 0], [0, 0, 0]], 0.5, "finite and apart"),
        ([[0, 0, 0]], 0.5, "at least two corners"),
        ([[0, 0, 0], [np.nan, 0, 0]], 0.5, "finite and apart"),
    ],
)
def test_samples_refuse(points: list[list[float]], step: float, message: str) -> None:
    with pytest.raises(InvalidHopError, match=message):
        sample_route(points, step_fractional=step)


def test_a_route_refuses_steps_that_do_not_fit() -> None:
    hop = hop_network(nasicon()).hops[0]
    with pytest.raises(InvalidHopError, match="do not fit hops"):
        Route((hop,), (False,), np.array([[0, 0, 0], [9.0, 0, 0]]), ("Na1", "Na2"))
    with pytest.raises(InvalidHopError, match="as many directions"):
        Route((hop,), (), np.zeros((2, 3)), ("Na1", "Na2"))


@pytest.fixture(scope="module")
def bulk_hop() -> Hop:
    return find_hops(nasicon())[0]


def test_hops_match_by_site_types_and_length_either_way_round(bulk_hop: Hop) -> None:
    good = replace(bulk_hop, depth_ang=1.0, direction="lateral")
    turned = replace(good, site_types=bulk_hop.site_types[::-1])
    longer = replace(
        good,
        displacement=1.2 * bulk_hop.displacement,
        length_ang=1.2 * bulk_hop.length_ang,
    )
    other = replace(good, site_types=("Na1", "Na3"))
    steep = replace(good, direction="outward")
    deep = replace(good, depth_ang=6.0)
    matched = match_hops([bulk_hop], [good, turned, longer, other, steep, deep])
    assert matched.bulk == (bulk_hop,)
    assert matched.surface == (good, turned)
    assert matched.unmatched == (longer, other)
    wide = match_hops([bulk_hop], [good, longer], length_tolerance_ang=1.0)
    assert wide.surface == (good, longer)
    assert match_hops([bulk_hop], [steep], lateral_only=False).surface == (steep,)
    # the middle of a slab may stand for the bulk
    assert match_hops([deep], [good]).bulk == (deep,)
    with pytest.raises(NoHopFoundError, match="None of 1 bulk and 1 surface"):
        match_hops([bulk_hop], [other])
