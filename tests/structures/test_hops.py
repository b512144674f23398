"""Hops of textbook lattices, of real conductors, and of random cells counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from samples import turned

from superionic.structures.crystals import reference_crystal
from superionic.structures.errors import (
    InvalidHopError,
    InvalidStructureError,
    NoHopFoundError,
    UnknownElementError,
)
from superionic.structures.hops import Hop, find_hops
from superionic.structures.routes import match_hops
from superionic.structures.structure import Structure, check_no_overlap, distance_matrix
from superionic.structures.surfaces import build_slab

Array = NDArray[np.float64]


def lattice(name: str, kind: str, a: float, cubic: bool = False) -> Structure:
    return Structure.from_ase(bulk(name, kind, a=a, cubic=cubic))


def crystal(name: str) -> Structure:
    return reference_crystal(name).structure.to_structure()


def surroundings(hop: Hop) -> list[np.ndarray]:
    """Distances from the ion to every atom at either end, sorted: they name host and hop."""
    ends = []
    for structure in (hop.initial, hop.final):
        distances = distance_matrix(structure)[hop.ion]
        order = np.lexsort((np.round(distances, 4), structure.numbers))
        ends.append(distances[order])
    return ends


@pytest.mark.parametrize(
    ("kind", "shells"),
    [
        # distance over a, and half the coordination number
        ("sc", [(1.0, 3), (np.sqrt(2), 6), (np.sqrt(3), 4)]),  # 2a runs through a site
        ("bcc", [(np.sqrt(3) / 2, 4), (1.0, 3), (np.sqrt(2), 6)]),
        ("fcc", [(np.sqrt(0.5), 6), (1.0, 3), (np.sqrt(1.5), 12)]),  # sqrt(2) a does too
    ],
)
def test_shells_of_cubic_lattices(kind: str, shells: list[tuple[float, int]]) -> None:
    a = 4.0
    hops = find_hops(lattice("Na", kind, a), max_length_ang=max(s[0] for s in shells) * a + 0.1)
    assert [hop.multiplicity for hop in hops] == [count for _, count in shells]
    np.testing.assert_allclose([hop.length_ang for hop in hops], [d * a for d, _ in shells])


def test_collinear_chains_are_left_out() -> None:
    lengths = {round(h.length_ang / 4, 3) for h in find_hops(lattice("Na", "sc", 4.0),
                                                               max_length_ang=8.1)}  # fmt: skip
    assert lengths == {1.0, 1.414, 1.732}  # 2.0 is two hops of 1.0


def test_fcc_aluminium() -> None:
    (hop,) = find_hops(lattice("Al", "fcc", 4.05, cubic=True), ion="Al", max_length_ang=3.5)
    assert hop.length_ang == pytest.approx(4.05 / np.sqrt(2))
    assert hop.multiplicity == 4 * 12 // 2
    assert hop.site_types == ("Al", "Al")
    assert hop.bottleneck_radius_ang is None
    assert hop.depth_ang is None
    # the vacancy is where the ion goes: twelve neighbours less the ion, eleven at the other end
    for end in (hop.initial, hop.final):
        distances = distance_matrix(end)[hop.ion]
        assert (np.abs(distances - hop.length_ang) < 1e-6).sum() == 11


def test_rock_salt() -> None:
    (hop,) = find_hops(lattice("NaCl", "rocksalt", 5.64), max_length_ang=4.5)
    assert hop.length_ang == pytest.approx(5.64 / np.sqrt(2))
    assert hop.multiplicity == 6
    assert hop.bottleneck_radius_ang == pytest.approx(5.64 / np.sqrt(8))
    assert hop.bottleneck_area_ang2 == pytest.approx(np.sqrt(3) / 8 * 5.64**2)
    assert hop.host.formula.startswith("Cl")
    assert hop.host.symbols.count("Cl") == hop.host.symbols.count("Na") + 1


def test_nasicon_has_one_hop_from_every_cell() -> None:
    conventional = crystal("na4zr2si3o12")
    inputs = [conventional, turned(conventional, 1), turned(conventional, 2)]
    inputs.append(conventional.repeat((2, 1, 1)))
    skewed = conventional.cell @ np.eye(3)
    skewed[2] = skewed[2] + skewed[0] - skewed[1]
    inputs.append(
        Structure(
            numbers=conventional.numbers,
            positions=conventional.positions,
            cell=skewed,
            labels=conventional.labels,
        )
    )
    first = None
    for structure in inputs:
        (hop,) = find_hops(structure)
        assert hop.site_types == ("Na1", "Na2")
        assert hop.multiplicity / len(structure) == 12 / 42  # six neighbours for each Na1
        assert hop.host.labels[hop.ion] == "Na1"
        check_no_overlap(hop.final)
        first = first or hop
        assert len(hop.host) == len(first.host)
        assert hop.length_ang == pytest.approx(first.length_ang, abs=1e-6)
        assert hop.bottleneck_radius_ang == pytest.approx(first.bottleneck_radius_ang, abs=1e-6)
        assert hop.bottleneck_area_ang2 == pytest.approx(first.bottleneck_area_ang2, abs=1e-6)
        for ours, theirs in zip(surroundings(hop), surroundings(first), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_host_of_84_atoms_on_demand() -> None:
    hops = [
        find_hops(s, min_atoms=80)[0]
        for s in (crystal("na4zr2si3o12"), turned(crystal("na4zr2si3o12"), 5))
    ]
    assert [len(h.host) for h in hops] == [83, 83]
    assert hops[0].host.formula == "Na15O48Si12Zr8"
    for ours, theirs in zip(surroundings(hops[0]), surroundings(hops[1]), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_every_equivalent_hop_on_demand() -> None:
    hops = find_hops(crystal("na4zr2si3o12"), distinct=False)
    assert len(hops) == 12  # those of the primitive cell
    assert len({hop.key for hop in hops}) == 12
    (distinct,) = find_hops(crystal("na4zr2si3o12"))
    assert distinct.key in {hop.key for hop in hops}
    for hop in hops:
        assert hop.length_ang == pytest.approx(distinct.length_ang, abs=1e-6)
        assert hop.bottleneck_area_ang2 == pytest.approx(distinct.bottleneck_area_ang2, abs=1e-5)


def test_thiophosphate() -> None:
    tetragonal = find_hops(crystal("na3ps4"))
    assert [h.site_types for h in tetragonal] == [("Na1", "Na2"), ("Na1", "Na1")]
    assert [h.multiplicity for h in tetragonal] == [8, 4]
    (cubic,) = find_hops(crystal("na3ps4-cubic"))
    assert cubic.multiplicity == 12  # each of the six Na has four neighbours at a / 2
    assert len(cubic.host) == 31  # a body-centred host of 32 atoms, 9.9 A between images


def test_key_does_not_hang_on_the_host() -> None:
    structure = crystal("na3ps4")
    keys = [h.key for h in find_hops(structure)]
    assert keys == [h.key for h in find_hops(structure)]
    assert keys == [h.key for h in find_hops(structure, min_image_separation_ang=11.0)]
    assert keys == [h.key for h in find_hops(structure, max_length_ang=5.0)][: len(keys)]
    assert len(set(keys)) == len(keys)
    assert keys[0].startswith("Na1-Na2-3.53A-")


def test_taken_as_given() -> None:
    structure = crystal("na4zr2si3o12")
    (hop,) = find_hops(structure, standardise=False)
    assert len(hop.host) == 125
    # untouched: the given atoms without the one at the destination
    rest = [i for i in range(126) if (structure.positions[i] == hop.host.positions).all(1).any()]
    assert len(rest) == 125
    assert hop.multiplicity == 36


def test_plain_labels_are_numbered_by_orbit() -> None:
    structure = crystal("na3ps4")
    plain = Structure(numbers=structure.numbers, positions=structure.positions, cell=structure.cell)
    names = {frozenset(h.site_types) for h in find_hops(plain)}
    assert len(names) == 2
    assert set().union(*names) == {"Na1", "Na2"}
    again = {frozenset(h.site_types) for h in find_hops(turned(plain, 4))}
    assert again == names


def triclinic(seed: int) -> Structure:
    """Place six ions and four anions at random, no two closer than 1.6 A."""
    rng = np.random.default_rng(seed)
    while True:
        cell = np.diag(rng.uniform(5.0, 7.0, 3)) + rng.uniform(-1.5, 1.5, (3, 3))
        structure = Structure(
            numbers=np.array([11] * 6 + [17] * 4),
            positions=rng.uniform(0, 1, (10, 3)) @ cell,
            cell=cell,
        )
        spacing = 1 / np.linalg.norm(np.linalg.inv(cell), axis=0)
        if spacing.min() > 4 and (distance_matrix(structure) + 9 * np.eye(10)).min() > 1.6:
            return structure


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_random_triclinic_against_counting_images(seed: int) -> None:
    structure = triclinic(seed)
    limit = 3.6
    expected = []
    for i in range(6):
        for j in range(i, 6):
            for shift in np.ndindex(5, 5, 5):
                offset = (np.array(shift) - 2) @ structure.cell
                if i == j and tuple(shift) <= (2, 2, 2):
                    continue  # the way back, or no way at all
                vector = structure.positions[j] + offset - structure.positions[i]
                length = float(np.linalg.norm(vector))
                if length <= limit and not _through_a_site(structure, i, vector):
                    expected.append(length)
    if not expected:
        with pytest.raises(NoHopFoundError):
            find_hops(structure, max_length_ang=limit)
        return
    hops = find_hops(structure, max_length_ang=limit, min_image_separation_ang=6.0)
    assert all(hop.multiplicity == 1 for hop in hops)
    np.testing.assert_allclose([h.length_ang for h in hops], sorted(expected), atol=1e-6)


def _through_a_site(structure: Structure, i: int, vector: Array) -> bool:
    """Walk the line in small steps and look for a third ion within 1 A, ends excepted."""
    length = float(np.linalg.norm(vector))
    unit = vector / length
    for k in range(6):
        for shift in np.ndindex(5, 5, 5):
            other = structure.positions[k] + (np.array(shift) - 2) @ structure.cell
            along = float((other - structure.positions[i]) @ unit)
            off = other - structure.positions[i] - along * unit
            if 0.5 < along < length - 0.5 and np.linalg.norm(off) < 1.0:
                return True
    return False


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_turning_and_permuting_change_nothing(seed: int) -> None:
    structure = triclinic(seed % 50)
    try:
        ours = find_hops(structure, max_length_ang=4.0)
    except NoHopFoundError:
        return
    theirs = find_hops(turned(structure, seed), max_length_ang=4.0)
    for one, other in zip(ours, theirs, strict=True):
        assert one.length_ang == pytest.approx(other.length_ang, abs=1e-6)
        assert one.bottleneck_radius_ang == pytest.approx(other.bottleneck_radius_ang, abs=1e-6)
        assert (one.multiplicity, len(one.host)) == (other.multiplicity, len(other.host))
        # forward stays forward
        for end, same in zip(surroundings(one), surroundings(other), strict=True):
            np.testing.assert_allclose(end, same, atol=1e-6)


def test_classes_agree_with_pymatgen_operations() -> None:
    from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

    structure = crystal("na3ps4")
    theirs = structure.to_pymatgen()
    operations = SpacegroupAnalyzer(theirs, symprec=0.05).get_symmetry_operations(cartesian=True)
    pairs: list[tuple[Array, Array]] = []
    for i in structure.indices("Na"):
        near = theirs.get_neighbors(theirs[int(i)], 5.0)
        ions = [np.asarray(n.coords) for n in near if n.specie.symbol == "Na"]
        pairs.extend((structure.positions[i], point) for point in ions)
    left, sizes = list(range(len(pairs))), []
    while left:
        a, b = pairs[left[0]]
        images = [(op.operate(a), op.operate(b)) for op in operations]
        same = [
            k
            for k in left
            if any(
                _same_pair(pairs[k], image, structure.cell)
                or _same_pair(pairs[k], image[::-1], structure.cell)
                for image in images
            )
        ]
        sizes.append((round(float(np.linalg.norm(b - a)), 3), len(same) // 2))
        left = [k for k in left if k not in same]
    hops = find_hops(structure, max_length_ang=5.0)
    assert sorted(sizes) == sorted((round(h.length_ang, 3), h.multiplicity) for h in hops)


def _same_pair(one: tuple[Array, Array], other: tuple[Array, Array], cell: Array) -> bool:
    """Say whether two pairs of points differ by a lattice vector."""
    shift = np.array(one) - np.array(other)
    whole = np.round(shift[0] @ np.linalg.inv(cell)) @ cell
    return bool(np.abs(shift - whole).max() < 0.05)


def test_hole_is_the_vacancy_hop_of_the_full_crystal() -> None:
    full = lattice("NaCl", "rocksalt", 5.64, cubic=True).repeat((2, 2, 2))
    gone = int(full.indices("Na")[3])
    site = full.positions[gone]
    holed = full.without([gone])
    (hole,) = find_hops(
        holed, mechanism="hole", max_length_ang=4.5, empty_sites=[site], empty_labels=["Na"]
    )
    (vacancy,) = find_hops(full, max_length_ang=4.5, standardise=False)
    assert hole.multiplicity == 12
    assert hole.mechanism == "hole"
    assert len(hole.host) == len(holed)
    np.testing.assert_allclose(
        np.mod(hole.final.positions[hole.ion] - site + 0.1, 11.28), 0.1, atol=1e-9
    )
    for ours, theirs in zip(surroundings(hole), surroundings(vacancy), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-9)


def test_interstitial_adds_an_ion() -> None:
    host = lattice("Al", "fcc", 4.05)
    octahedral = host.cell.sum(axis=0) / 2
    tetrahedral = [host.cell.sum(axis=0) / 4, 3 * host.cell.sum(axis=0) / 4]
    hops = find_hops(
        host, ion="Li", mechanism="interstitial", max_length_ang=2.0,
        empty_sites=[octahedral, *tetrahedral], empty_labels=["o", "t", "t"],
    )  # fmt: skip
    (hop,) = hops  # tetrahedral to tetrahedral is 2.025 A
    assert hop.site_types == ("o", "t")
    assert hop.length_ang == pytest.approx(np.sqrt(3) / 4 * 4.05)
    assert hop.multiplicity == 8
    assert hop.host.symbols.count("Li") == 1
    assert hop.ion == len(hop.host) - 1
    assert hop.host.labels[hop.ion] == "o"
    # the face of three atoms between the two voids
    edge = 4.05 / np.sqrt(2)
    assert hop.bottleneck_radius_ang == pytest.approx(edge / np.sqrt(3))


def test_a_site_beside_an_ion_takes_no_other() -> None:
    host = Structure(
        numbers=np.array([11, 11]), positions=np.array([[0, 0, 0], [3, 0, 0]]), cell=np.eye(3) * 9.0
    )
    (hop,) = find_hops(host, mechanism="hole", max_length_ang=2.2, empty_sites=[[1.2, 0, 0]])
    assert hop.ion == 0  # the other would land 1.2 A from this one
    three = Structure(
        numbers=np.array([11] * 3),
        positions=np.array([[0, 0, 0], [3, 0, 0], [1.2, 1, 0]]),
        cell=np.eye(3) * 9.0,
    )
    with pytest.raises(NoHopFoundError, match="beside another ion"):
        find_hops(three, mechanism="hole", max_length_ang=2.2, empty_sites=[[1.2, 0, 0.3]])


def test_errors_say_what_there_is() -> None:
    salt = lattice("NaCl", "rocksalt", 5.64)
    with pytest.raises(NoHopFoundError, match="No Li in the structure: it holds Cl, Na"):
        find_hops(salt, ion="Li")
    with pytest.raises(UnknownElementError, match="'Xx'"):
        find_hops(salt, ion="Xx")
    with pytest.raises(NoHopFoundError, match=r"the shortest is 3\.988 A"):
        find_hops(salt, max_length_ang=3.0)
    with pytest.raises(NoHopFoundError, match="an ion and an empty site"):
        find_hops(salt, mechanism="hole")
    with pytest.raises(InvalidHopError, match="vacancy, hole, interstitial"):
        find_hops(salt, mechanism="teleport")  # type: ignore[arg-type]
    with pytest.raises(InvalidStructureError, match="lies on atom 1"):
        find_hops(salt, mechanism="hole", empty_sites=[salt.positions[1]])
    with pytest.raises(InvalidStructureError, match="label each"):
        find_hops(salt, mechanism="hole", empty_sites=[[1.0, 1, 1]], empty_labels=["a", "b"])
    overlapping = Structure(
        numbers=np.array([11, 11]), positions=np.array([[0, 0, 0], [0.2, 0, 0]]), cell=np.eye(3) * 9
    )
    with pytest.raises(InvalidStructureError, match="apart, closer than"):
        find_hops(overlapping)
    with pytest.raises(InvalidStructureError, match="at most 10 atoms"):
        find_hops(salt, max_atoms=10)
    with pytest.raises(InvalidHopError, match="periodic image"):
        find_hops(salt, min_image_separation_ang=0.0)
    for length in (0.0, 1000.0, float("nan")):
        with pytest.raises(InvalidHopError, match="between 0 and 15 A"):
            find_hops(salt, max_length_ang=length)
    with pytest.raises(InvalidStructureError, match="at least 500 and at most 400"):
        find_hops(salt, min_atoms=500)


def test_hops_that_brush_the_framework_are_listed() -> None:
    hops = find_hops(lattice("NaCl", "rocksalt", 5.64), max_length_ang=5.7)
    assert hops[1].length_ang == pytest.approx(5.64)
    assert hops[1].bottleneck_radius_ang == pytest.approx(0.0, abs=1e-9)


def test_nasicon_surface_hops_match_the_bulk_one() -> None:
    structure = crystal("na4zr2si3o12")
    slab = build_slab(structure, miller=(0, 0, 1), layers=4, repeat=(2, 1), compensate=True)
    hops = find_hops(slab.structure)
    (bulk_hop,) = find_hops(structure)
    assert {hop.site_types for hop in hops} == {("Na1", "Na2")}
    for hop in hops:
        assert hop.length_ang == pytest.approx(bulk_hop.length_ang, abs=1e-3)
        assert hop.host.volume >= slab.structure.volume - 1e-6
        assert 0 <= (hop.depth_ang or 0.0) <= slab.thickness_ang / 2
    matched = match_hops([bulk_hop], hops)
    assert matched.bulk == (bulk_hop,)
    assert len(matched.surface) >= 4
    assert all((hop.depth_ang or 0.0) <= 3.0 for hop in matched.surface)
    # each hop of the slab is listed once: together they are all pairs of neighbours in it
    ions = slab.structure.take(slab.structure.indices("Na"))
    gaps = distance_matrix(ions)[np.triu_indices(len(ions), 1)]
    assert sum(hop.multiplicity for hop in hops) == (gaps <= 4.5).sum()


def test_hops_survive_a_run_folder() -> None:
    from superionic.workflows.serialise import decode, encode

    (hop,) = find_hops(crystal("na4zr2si3o12"))
    again = decode(encode(hop))
    assert isinstance(again, Hop)
    assert again.key == hop.key
    np.testing.assert_array_equal(again.final.positions, hop.final.positions)


@pytest.mark.parametrize("pbc", [(False,) * 3, (True, True, False)])
def test_axes_that_do_not_repeat(pbc: tuple[bool, bool, bool]) -> None:
    square = np.array([[0, 0, 0], [3, 0, 0], [0, 3, 0], [3, 3, 0.0]])
    cell = np.diag([9.0, 9.0, 2.0])  # the last would let an ion hop onto its image
    cluster = Structure(numbers=np.array([11] * 4), positions=square, cell=cell, pbc=pbc)
    hops = find_hops(cluster, max_length_ang=4.5)
    assert [(round(h.length_ang, 3), h.multiplicity) for h in hops] == [(3.0, 4), (4.243, 2)]
    assert hops[0].host.pbc == pbc
    assert len(hops[0].host) == 3
