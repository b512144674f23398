from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from superionic.structures.composition import nasicon_nzsp
from superionic.structures.crystals import reference_crystal
from superionic.structures.decorations import Decorations, Group, enumerate_lowest
from superionic.structures.disordered import DisorderedStructure
from superionic.structures.electrostatics import ewald_matrix
from superionic.structures.errors import InvalidStructureError, PartialOccupancyError
from superionic.structures.lattices import compact_supercell
from superionic.structures.ordering import expand, ordered_candidates, primitive
from superionic.structures.structure import distance_matrix

COULOMB = 14.3996454784255
"""e^2 / (4 pi eps0) in eV angstrom."""
MADELUNG = {"NaCl": 1.747564594633, "CsCl": 1.762674773070}
FCC = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])


def simple_cubic(share: float = 0.5, a: float = 2.82) -> DisorderedStructure:
    """A simple cubic lattice, each site Na or Cl: the ground state is rock salt."""
    return DisorderedStructure(
        np.zeros((1, 3)), ({"Na": share, "Cl": 1 - share},), a * np.eye(3), ("Na1/Cl1",)
    )


def half_filled() -> DisorderedStructure:
    """Rock salt with every other Ca missing: CaCl2 on four cation sites."""
    return DisorderedStructure(
        np.vstack([FCC, FCC + np.array([0.5, 0, 0])]),
        ({"Ca": 0.5},) * 4 + ({"Cl": 1.0},) * 4,
        5.6 * np.eye(3),
        ("Ca1",) * 4 + ("Cl1",) * 4,
    )


def test_madelung_constants() -> None:
    fractional = np.vstack([FCC, FCC + np.array([0.5, 0, 0])])
    charges = np.array([1.0] * 4 + [-1.0] * 4)
    salt = charges @ ewald_matrix(fractional, 5.64 * np.eye(3)) @ charges
    assert salt / 4 == pytest.approx(-MADELUNG["NaCl"] * COULOMB / 2.82, rel=1e-8)
    caesium = ewald_matrix(np.array([[0, 0, 0], [0.5, 0.5, 0.5]]), 4 * np.eye(3))
    pair = np.array([1.0, -1.0])
    expected = -MADELUNG["CsCl"] * COULOMB / (4 * 3**0.5 / 2)
    assert pair @ caesium @ pair == pytest.approx(expected, rel=1e-8)


def test_energy_matrix_against_pymatgen_for_any_charges() -> None:
    from pymatgen.analysis.ewald import EwaldSummation
    from pymatgen.core import Lattice, Species
    from pymatgen.core import Structure as PymatgenStructure

    rng = np.random.default_rng(1)
    cell = np.array([[5.0, 0, 0], [1.5, 6, 0], [-1, 0.5, 4.5]])
    sites = rng.random((5, 3))
    charges = [1, 2, -1, 4, -2]
    species = [Species("X" if q == 0 else "Ti", q) for q in charges]
    theirs = EwaldSummation(PymatgenStructure(Lattice(cell), species, sites)).total_energy
    ours = np.array(charges) @ ewald_matrix(sites, cell) @ np.array(charges)
    assert ours == pytest.approx(float(theirs), rel=1e-7)


def test_rock_salt_is_found_on_a_simple_cubic_lattice() -> None:
    best = ordered_candidates(simple_cubic(), supercell=(2, 2, 2), count=3)
    expected = -4 * MADELUNG["NaCl"] * COULOMB / 2.82
    assert best[0].ewald_energy_eV == pytest.approx(expected, rel=1e-7)
    assert best[0].arrangements == math.comb(8, 4)
    assert best[0].exhaustive
    distances = distance_matrix(best[0].structure)
    unlike = np.array(best[0].structure.symbols)[:, None] != best[0].structure.symbols
    assert distances[unlike].min() == pytest.approx(2.82)
    assert distances[~unlike & (distances > 0)].min() == pytest.approx(2.82 * 2**0.5)
    assert set(best[0].structure.labels) == {"Na1", "Cl1"}
    assert best[0].ewald_energy_eV < best[1].ewald_energy_eV


def test_sampling_finds_rock_salt_in_a_larger_cell() -> None:
    best = ordered_candidates(
        simple_cubic(), supercell=(4, 2, 2), count=2, enumeration_limit=0, seed=3
    )
    assert not best[0].exhaustive
    expected = -8 * MADELUNG["NaCl"] * COULOMB / 2.82
    assert best[0].ewald_energy_eV == pytest.approx(expected, rel=1e-7)


def test_enumeration_against_all_permutations() -> None:
    rng = np.random.default_rng(5)
    contents = [np.array([0, 1, 1]), np.array([2, 2, 0, 3])]
    groups = (Group(np.array([0, 2, 4]), contents[0]), Group(np.array([1, 3, 5, 6]), contents[1]))
    matrix = rng.normal(size=(7, 7))
    problem = Decorations(
        matrix + matrix.T, np.array([0.0, 1.0, -2.0, 3.0]), groups, np.arange(7)[None]
    )
    naive = set()
    for a in set(itertools.permutations(contents[0].tolist())):
        for b in set(itertools.permutations(contents[1].tolist())):
            state = [a[0], b[0], a[1], b[1], a[2], b[2], b[3]]
            charge = problem.charges[state]
            naive.add((round(float(charge @ problem.matrix @ charge), 9), tuple(state)))
    found = enumerate_lowest(problem, keep=10_000)
    assert problem.ways == len(naive) == len(found) == 3 * 12
    assert {(round(e, 9), tuple(s.tolist())) for e, s in found} == naive
    assert [e for e, _ in found] == sorted(e for e, _ in found)


def test_sampling_against_enumeration() -> None:
    crystal = nasicon_nzsp(2)
    every = ordered_candidates(crystal, count=6)
    sampled = ordered_candidates(crystal, count=6, enumeration_limit=0, seed=1)
    assert every[0].exhaustive
    assert not sampled[0].exhaustive
    assert [c.ewald_energy_eV for c in sampled] == pytest.approx(
        [c.ewald_energy_eV for c in every], abs=1e-6
    )


def test_lowest_energy_against_pymatgen() -> None:
    from pymatgen.transformations.standard_transformations import (
        OrderDisorderedStructureTransformation,
    )

    crystal = half_filled()
    foreign = expand(crystal, (1, 1, 2)).to_pymatgen()
    foreign.add_oxidation_state_by_element({"Ca": 2, "Cl": -1})
    ordering = OrderDisorderedStructureTransformation(algo=2)
    theirs: list[dict[str, float]] = ordering.apply_transformation(  # type: ignore[assignment]
        foreign, return_ranked_list=3
    )
    ours = ordered_candidates(crystal, supercell=(1, 1, 2), count=1)
    assert ours[0].ewald_energy_eV == pytest.approx(theirs[0]["energy"], abs=1e-4)


def test_symmetry_images_are_one_candidate() -> None:
    assert len(ordered_candidates(half_filled(), supercell=(1, 1, 1), count=10)) == 1


def test_empty_sites_and_atoms_share_out_the_parent() -> None:
    crystal = nasicon_nzsp(2)
    candidate = ordered_candidates(crystal, count=1)[0]
    cell = expand(primitive(crystal), candidate.supercell)
    sites = np.vstack([candidate.structure.positions, candidate.empty_sites])
    gaps = np.linalg.norm(sites[:, None] - cell.positions[None], axis=2)
    assert gaps.min(axis=1).max() < 1e-9
    assert sorted(gaps.argmin(axis=1).tolist()) == list(range(len(cell)))
    assert set(candidate.empty_labels) == {"Na2"}
    with pytest.raises(ValueError, match="read-only"):
        candidate.empty_sites[0, 0] = 1.0


def test_eighty_atoms_of_nzsp() -> None:
    best = ordered_candidates(nasicon_nzsp(2), min_atoms=80, count=5, enumeration_limit=1000)
    for candidate in best:
        labels = candidate.structure.labels
        assert {x: labels.count(x) for x in set(labels)} == {
            "Zr1": 8, "Na1": 4, "Na2": 8, "O1": 24, "O2": 24, "Si1": 8, "P1": 4,
        }  # fmt: skip
        assert candidate.empty_labels == ("Na2",) * 4
    energies = [c.ewald_energy_eV for c in best]
    assert energies == sorted(energies)
    assert energies[0] == pytest.approx(-3404.689, abs=1e-3)  # lowest of all 245 025


def test_pooled_ions_may_leave_a_full_site() -> None:
    best = ordered_candidates(nasicon_nzsp(2), pool=("Na",), count=40)
    labels = [c.structure.labels for c in best]
    assert {x.count("Na1") + x.count("Na2") for x in labels} == {6}
    assert len({x.count("Na1") for x in labels}) > 1
    assert best[0].arrangements == math.comb(8, 6) * math.comb(6, 2)


def test_same_seed_same_answer() -> None:
    first, second = (
        ordered_candidates(nasicon_nzsp(2), count=4, enumeration_limit=0, seed=7) for _ in range(2)
    )
    for a, b in zip(first, second, strict=True):
        assert a.ewald_energy_eV == b.ewald_energy_eV
        np.testing.assert_array_equal(a.structure.numbers, b.structure.numbers)
        np.testing.assert_array_equal(a.structure.positions, b.structure.positions)


def test_ordered_crystal_is_its_only_candidate() -> None:
    best = ordered_candidates(reference_crystal("na3ps4").structure)
    assert len(best) == 1
    assert best[0].structure.formula == "Na6P2S8"
    assert best[0].empty_sites.shape == (0, 3)


def test_known_empty_sites_are_reported() -> None:
    best = ordered_candidates(nasicon_nzsp(0))
    assert best[0].structure.formula == "Na2O24P6Zr4"
    assert best[0].empty_labels == ("Na2",) * 6


def test_smallest_supercell_with_whole_atoms() -> None:
    best = ordered_candidates(simple_cubic(share=1 / 3), count=1)
    assert len(best[0].structure) == 3
    rounded = ordered_candidates(simple_cubic(share=0.333), count=1)
    assert len(rounded[0].structure) == 3


def test_a_nearly_full_site_is_not_filled_up() -> None:
    doped = simple_cubic(share=0.97).with_occupancies([{"Na": 0.97, "Cl": 0.03}])
    with pytest.raises(PartialOccupancyError, match="nearest whole compositions"):
        ordered_candidates(doped, max_atoms=20)
    assert len(ordered_candidates(doped, max_atoms=40, count=1)[0].structure) == 29


def test_occupancies_without_whole_atoms_list_the_nearest() -> None:
    with pytest.raises(PartialOccupancyError, match=r"nearest whole compositions are .*31 atoms"):
        ordered_candidates(reference_crystal("pba").structure, max_atoms=100)
    with pytest.raises(PartialOccupancyError, match="no whole atoms in this supercell"):
        ordered_candidates(reference_crystal("latp").structure, supercell=(1, 1, 1))


def test_uncharged_and_empty_requests() -> None:
    alloy = simple_cubic().with_occupancies([{"Cu": 0.5, "Zn": 0.5}])
    with pytest.raises(InvalidStructureError, match="oxidation_states"):
        ordered_candidates(alloy)
    with pytest.raises(InvalidStructureError, match="at least one"):
        ordered_candidates(simple_cubic(), count=0)


def test_overlapping_sites_are_never_filled_together() -> None:
    pair = DisorderedStructure(
        np.array([[0, 0, 0], [0.08, 0, 0], [0.5, 0.5, 0.5]]),
        ({"Na": 0.5}, {"Na": 0.5}, {"Cl": 1.0}),
        4 * np.eye(3),
        ("Na1", "Na2", "Cl1"),
    )
    best = ordered_candidates(pair, supercell=(1, 1, 2), pool=("Na",), count=20)
    assert best
    for candidate in best:
        distances = distance_matrix(candidate.structure)
        assert distances[distances > 0].min() > 1.0


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(-2, 2), min_size=9, max_size=9))
def test_supercells_hold_the_same_crystal(entries: list[int]) -> None:
    matrix = np.array(entries).reshape(3, 3)
    size = round(np.linalg.det(matrix))
    crystal = primitive(nasicon_nzsp(3))
    if not 1 <= size <= 6:
        if size <= 0:
            with pytest.raises(InvalidStructureError, match="positive determinant"):
                expand(crystal, matrix)
        return
    grown = expand(crystal, matrix)
    assert len(grown) == size * len(crystal)
    assert grown.volume == pytest.approx(size * crystal.volume)
    assert grown.labels[: len(crystal)] == crystal.labels
    steps = (grown.positions.reshape(size, -1, 3) - crystal.positions) @ np.linalg.inv(crystal.cell)
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-8)
    back = primitive(grown)
    assert len(back) == len(crystal)
    assert sorted(back.labels) == sorted(crystal.labels)
    assert back.volume == pytest.approx(crystal.volume)


def test_diagonal_supercell_orders_atoms_as_repeat_does() -> None:
    structure = reference_crystal("na3ps4").structure.to_structure()
    grown = expand(DisorderedStructure.from_structure(structure), (2, 1, 3)).to_structure()
    np.testing.assert_allclose(grown.positions, structure.repeat((2, 1, 3)).positions, atol=1e-9)
    assert grown.labels == structure.repeat((2, 1, 3)).labels


def test_primitive_keeps_orientation_and_occupancies() -> None:
    crystal = nasicon_nzsp(2)
    small = primitive(crystal)
    assert len(small) == 42
    assert small.reduced_formula == crystal.reduced_formula
    steps = small.cell @ np.linalg.inv(crystal.cell) * 3
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-9)
    gaps = (small.positions[:, None] - crystal.positions[None]) @ np.linalg.inv(small.cell)
    gaps -= np.round(gaps)
    nearest = np.linalg.norm(gaps @ small.cell, axis=2)
    assert nearest.min(axis=1).max() < 1e-6
    for site, parent in enumerate(nearest.argmin(axis=1)):
        assert small.labels[site] == crystal.labels[parent]
        assert small.occupancies[site] == crystal.occupancies[parent]


@pytest.mark.parametrize("matrix", [(1, 1), np.eye(2), [[1.5, 0, 0], [0, 1, 0], [0, 0, 1]]])
def test_supercells_are_whole_numbers(matrix: object) -> None:
    with pytest.raises(InvalidStructureError, match="whole numbers"):
        expand(simple_cubic(), matrix)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [1, 2, 4, 8])
def test_compact_supercells(size: int) -> None:
    matrix = compact_supercell(np.diag([3.0, 3.0, 3.0]), size)
    assert round(np.linalg.det(matrix)) == size
    shortest = np.linalg.norm(3.0 * matrix, axis=1).min()
    # the cubic lattices of these sizes: simple, (face-centred planes), body-centred, doubled
    assert shortest == pytest.approx({1: 3.0, 2: 18**0.5, 4: 27**0.5, 8: 6.0}[size])
