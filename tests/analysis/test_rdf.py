"""Radial distributions: exact cases first, then pairs counted one by one, then MDAnalysis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from superionic.analysis.coordination import coordination_number, first_shell
from superionic.analysis.pair_histogram import pair_histogram, widest_sphere_ang
from superionic.analysis.rdf import RDF, PairCounter, rdf
from superionic.structures.errors import EvidenceError, TrajectoryError
from superionic.structures.structure import minimum_image

if TYPE_CHECKING:
    from numpy.typing import NDArray

CUBE = 20.0 * np.eye(3)
SKEWED = np.array([[20.0, 0.0, 0.0], [8.0, 18.0, 0.0], [-6.0, 5.0, 17.0]])


def gas(seed: int, frames: int, n: int, cell: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.random.default_rng(seed).uniform(size=(frames, n, 3)) @ cell


@pytest.mark.parametrize("cell", [CUBE, SKEWED], ids=["cube", "skewed"])
def test_an_ideal_gas_is_flat(cell: NDArray[np.float64]) -> None:
    """1 within counting error in every shell, n(r) the volume of the sphere times the density."""
    a, b = gas(0, 40, 100, cell), gas(1, 40, 150, cell)
    found = rdf(a, b, cell=cell, bin_ang=0.5)
    shells = 4 / 3 * np.pi * np.diff(found.edges_ang**3)
    volume = abs(np.linalg.det(cell))
    expected = 40 * 100 * 150 * shells / volume
    assert np.abs((found.g - 1.0) * np.sqrt(expected)).max() < 4.5
    assert found.density_per_ang3 == pytest.approx(150 / volume)
    sphere = 4 / 3 * np.pi * found.edges_ang[-1] ** 3
    assert found.neighbours[-1] == pytest.approx(150 * sphere / volume, rel=0.02)
    assert found.edges_ang[-1] == pytest.approx(widest_sphere_ang(cell), rel=0.1)


def test_the_same_particles_are_no_neighbours_of_themselves() -> None:
    """A gas of n around itself has (n - 1) / n of the density and is flat at 1 all the same."""
    a = gas(2, 60, 50, CUBE)
    found = rdf(a, cell=CUBE, bin_ang=1.0)
    assert found.excluded_pairs == 50
    assert found.g[3:] == pytest.approx(np.ones(len(found.g) - 3), abs=0.08)
    assert found.density_per_ang3 == pytest.approx(49 / 8000)


def test_shells_of_a_simple_cubic_lattice() -> None:
    grid = np.stack(np.meshgrid(*[np.arange(5.0)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    found = rdf((4.0 * grid)[None], cell=CUBE, bin_ang=0.1, r_max_ang=9.9)
    n = dict(zip(np.round(found.edges_ang[1:], 1), found.neighbours, strict=True))
    assert [n[r] for r in (3.9, 4.1, 5.6, 5.7, 6.9, 7.0, 8.1, 9.0)] == [0, 6, 6, 18, 18, 26, 32, 56]
    shell = first_shell(found)
    assert shell.peak_ang == pytest.approx(4.05)
    assert shell.next_peak_ang == pytest.approx(5.65)
    assert 4.1 < (shell.cutoff_ang or 0.0) < 5.6
    assert shell.neighbours == pytest.approx(6.0)
    assert coordination_number(found) == pytest.approx(6.0)


@pytest.mark.parametrize("cell", [CUBE, SKEWED], ids=["cube", "skewed"])
@pytest.mark.parametrize("pairs", ["all", "boxes"])
def test_histograms_are_those_of_pairs_one_by_one(
    cell: NDArray[np.float64], pairs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if pairs == "boxes":
        monkeypatch.setattr("superionic.analysis.pair_histogram.FEW_PAIRS", 0)
    rng = np.random.default_rng(3)
    a, b = (rng.normal(scale=25.0, size=(n, 3)) for n in (30, 40))
    groups = (np.arange(30) // 3, np.arange(40) // 4)
    top = widest_sphere_ang(cell) if pairs == "all" else 0.5 * widest_sphere_ang(cell)
    edges = np.arange(0.0, top, 0.25)
    found = pair_histogram(a, b, cell, edges_ang=edges, groups=groups)
    vectors = minimum_image((a[:, None] - b[None]).reshape(-1, 3), cell, (True, True, True))
    distance = np.linalg.norm(vectors, axis=1)
    other = (groups[0][:, None] != groups[1][None]).ravel()
    assert found.tolist() == np.histogram(distance[other], edges)[0].tolist()


@pytest.mark.parametrize("cell", [CUBE, SKEWED], ids=["cube", "skewed"])
@pytest.mark.parametrize("grouped", [False, True], ids=["atoms", "molecules"])
def test_the_same_particles_are_counted_once_and_doubled(
    cell: NDArray[np.float64], grouped: bool
) -> None:
    """Against two copies, whose pairs are all looked at; near and far, in boxes and without."""
    x = gas(8, 1, 600, cell)[0]
    groups = (np.arange(600) // 3,) * 2 if grouped else None
    for top in (4.0, 8.0):
        edges = np.arange(0.0, top, 0.25)
        found = pair_histogram(x, x, cell, edges_ang=edges, groups=groups)
        copies = pair_histogram(x, x.copy(), cell, edges_ang=edges, groups=groups)
        assert found.tolist() == copies.tolist()


def test_frames_are_gathered_in_bunches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost when they are joined, and blocks stay stretches of time."""
    a = gas(9, 37, 30, CUBE)
    whole = rdf(a, cell=CUBE, bin_ang=0.5, blocks=4)
    monkeypatch.setattr("superionic.analysis.frame_bunches.BUNCHES", 3)
    bunched = rdf(a, cell=CUBE, bin_ang=0.5, blocks=4)
    assert bunched.g == pytest.approx(whole.g)
    assert bunched.neighbours == pytest.approx(whole.neighbours)
    assert bunched.g_blocks.shape == whole.g_blocks.shape
    assert bunched.frames == 37


def test_pairs_within_a_molecule_are_left_out() -> None:
    """Dimers of a gas: the bond is gone, and what is left is flat."""
    rng = np.random.default_rng(4)
    centres = gas(5, 50, 60, CUBE)
    direction = rng.normal(size=centres.shape)
    others = centres + 2.0 * direction / np.linalg.norm(direction, axis=2, keepdims=True)
    molecules = np.arange(60)
    with_bond = rdf(centres, others, cell=CUBE, bin_ang=0.5)
    without = rdf(
        centres, others, cell=CUBE, bin_ang=0.5, centre_groups=molecules, other_groups=molecules
    )
    assert with_bond.g[3:5].max() > 3.0
    assert without.g[3:5].max() < 1.5
    assert without.excluded_pairs == 60


def test_a_breathing_cell_is_weighted_by_frames() -> None:
    """Each frame is compared with the density of its own."""
    counter = PairCounter(bin_ang=1.0, r_max_ang=8.0)
    for k in range(60):
        cell = CUBE * (0.9 + 0.2 * (k % 2))
        counter.add(gas(k, 1, 60, cell)[0], gas(k + 99, 1, 60, cell)[0], cell)
    assert counter.result().g[3:] == pytest.approx(np.ones(5), abs=0.05)


def test_intervals_cover() -> None:
    """n(5 A) of a gas is within its interval in about 95 of 100 cases."""
    inside = 0
    sphere = 4 / 3 * np.pi * 5.0**3 / 8000 * 50
    for seed in range(40):
        found = rdf(gas(seed, 20, 20, CUBE), gas(seed + 500, 20, 50, CUBE), cell=CUBE, bin_ang=0.5)
        half = found.neighbours_error
        assert half is not None
        inside += bool(abs(found.neighbours[9] - sphere) <= half[9])
    assert inside >= 35


def made(g: NDArray[np.float64], blocks: NDArray[np.float64] | None = None) -> RDF:
    edges = np.asarray(0.05 * np.arange(len(g) + 1), dtype=np.float64)
    shells = 4 / 3 * np.pi * np.diff(edges**3) * 0.03
    many = np.stack([g] * 5) if blocks is None else blocks
    return RDF(
        edges,
        g,
        many,
        np.cumsum(g * shells),
        np.cumsum(many * shells, axis=1),
        0.03,
        100,
        10,
        90,
        0,
    )


def test_first_minimum_by_its_rule() -> None:
    r = 0.05 * np.arange(160) + 0.025
    narrow = 20.0 * np.exp(-(((r - 2.4) / 0.15) ** 2))
    bulk = 1.0 / (1.0 + np.exp(-(r - 5.0) / 0.2))
    second = 0.8 * np.exp(-(((r - 4.6) / 0.3) ** 2))
    shell = first_shell(made(narrow + bulk + second))
    assert shell.peak_ang == pytest.approx(2.4, abs=0.03)
    assert 2.9 < (shell.cutoff_ang or 0) < 4.0
    assert shell.neighbours_interval == pytest.approx((shell.neighbours, shell.neighbours))
    decay = first_shell(made(1.0 + np.where(r > 2.0, 4.0 * np.exp(-(r - 2.0)), -1.0)))
    assert decay.cutoff_ang is None
    assert "no minimum" in decay.reason
    flat = made(np.where(r > 3.0, 1.0, 0.0))
    with pytest.raises(EvidenceError, match="no maximum that stands out"):
        coordination_number(flat)
    given = first_shell(flat, cutoff_ang=4.0)
    assert (given.rule, given.reason) == ("given", "")
    assert coordination_number(flat, cutoff_ang=4.0) == pytest.approx(
        0.03 * 4 / 3 * np.pi * (4.0**3 - 3.0**3), rel=0.03
    )
    with pytest.raises(EvidenceError, match="outside g"):
        first_shell(flat, cutoff_ang=40.0)


def test_noise_is_no_shell() -> None:
    """Bumps of a short run of a gas do not make a coordination number."""
    found = rdf(gas(0, 8, 10, CUBE), gas(1, 8, 30, CUBE), cell=CUBE)
    assert first_shell(found).cutoff_ang is None


def test_bad_frames_are_named() -> None:
    a = gas(0, 2, 10, CUBE)
    with pytest.raises(TrajectoryError, match="has no periodic cell"):
        rdf(a, cell=np.zeros((3, 3)))
    with pytest.raises(TrajectoryError, match=r"holds spheres of 10.00 A only"):
        rdf(a, cell=CUBE, r_max_ang=12.0)
    broken = a.copy()
    broken[1, 2, 0] = np.inf
    with pytest.raises(TrajectoryError, match="Frame 1 holds positions"):
        rdf(broken, cell=CUBE)
    with pytest.raises(TrajectoryError, match=r"Frame 1 has 9 and 9 particles"):
        rdf([a[0], a[1, :9]], cell=CUBE)
    with pytest.raises(TrajectoryError, match="more frames of centres"):
        rdf(a, a[:1], cell=CUBE)
    with pytest.raises(EvidenceError, match="No frame was counted"):
        PairCounter().result()


def test_mdanalysis_counts_the_same() -> None:
    from MDAnalysis import Universe
    from MDAnalysis.analysis.rdf import InterRDF

    frames, n = gas(7, 10, 90, CUBE).astype(np.float32), 90
    universe = Universe.empty(n, trajectory=True)
    universe.load_new(frames, dimensions=[20, 20, 20, 90, 90, 90])
    theirs = InterRDF(universe.atoms[:30], universe.atoms[30:], nbins=18, range=(0.0, 9.0)).run()
    ours = rdf(frames[:, :30], frames[:, 30:], cell=CUBE, bin_ang=0.5, r_max_ang=9.0)
    assert ours.neighbours * 30 * 10 == pytest.approx(np.cumsum(theirs.results.count))
    assert ours.g == pytest.approx(theirs.results.rdf, rel=1e-6)
