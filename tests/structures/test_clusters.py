"""Metal nodes: distances, symmetry, connectivity, charges and spins."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from superionic.structures.bridges import BITE_ANG
from superionic.structures.caps import acid_hydrogen, caps, find_cap
from superionic.structures.clusters import (
    OUT_OF_PLANE_ANG,
    build_node,
    paddlewheel_node,
    trinuclear_node,
    with_waters,
)
from superionic.structures.errors import InvalidStructureError
from superionic.structures.metals import MetalIon
from superionic.structures.molecules import reference_molecule
from superionic.structures.node import Node, node_of
from superionic.structures.node_bonds import bonds_by_distance, carboxylates, check_clashes
from superionic.structures.rotations import random_rotations

if TYPE_CHECKING:
    from numpy.typing import NDArray

NINE = ("FeFeFe", "CoCoCo", "NiNiNi", "MnMnMn", "FeFeNi", "FeFeCo", "FeFeMn", "CoCoNi", "FeNiNi")


def split(word: str) -> list[str]:
    return [a + b for a, b in zip(word[::2], word[1::2], strict=True)]


def distance(node: Node, i: int, j: int) -> float:
    return float(np.linalg.norm(node.molecule.positions[i] - node.molecule.positions[j]))


def maps_onto_itself(node: Node, operation: NDArray[np.float64]) -> bool:
    """Whether an operation about the mean of the metals takes every atom to one of its element."""
    points = node.molecule.positions - node.molecule.positions[list(node.metals)].mean(axis=0)
    numbers = node.molecule.structure.numbers
    apart = np.linalg.norm((points @ operation.T)[:, None] - points[None], axis=-1)
    apart[numbers[:, None] != numbers[None]] = np.inf
    return bool((apart.min(axis=1) < 1e-9).all())


def turn(degrees: float) -> NDArray[np.float64]:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])


@pytest.mark.parametrize("cap", caps())
@pytest.mark.parametrize("water", [False, True])
def test_three_like_metals_have_the_symmetry_d3h(cap: str, water: bool) -> None:
    node = trinuclear_node(["Fe"] * 3, cap=cap, water=water, charge=1)
    for degrees in (120, 240):
        assert maps_onto_itself(node, turn(degrees))
        assert maps_onto_itself(node, turn(degrees) @ np.diag([1.0, -1.0, 1.0]))  # sigma v
    assert maps_onto_itself(node, np.diag([1.0, -1.0, 1.0]))
    assert maps_onto_itself(node, np.diag([1.0, 1.0, -1.0]))  # sigma h
    assert maps_onto_itself(node, np.diag([1.0, -1.0, -1.0]))  # C2
    assert not maps_onto_itself(node, turn(60))
    assert not maps_onto_itself(node, turn(90))


def test_one_other_metal_leaves_c2v() -> None:
    node = trinuclear_node(["Ni", "Fe", "Fe"])
    points = node.molecule.positions - node.molecule.positions[3]
    moved = replace(node, molecule=node.molecule.with_positions(points))
    numbers = node.molecule.structure.numbers

    def kept(operation: NDArray[np.float64]) -> bool:
        apart = np.linalg.norm((points @ operation.T)[:, None] - points[None], axis=-1)
        apart[numbers[:, None] != numbers[None]] = np.inf
        return bool((apart.min(axis=1) < 1e-9).all())

    assert moved.molecule.formula == "C6H6Fe2NiO13"
    assert kept(np.diag([1.0, -1.0, 1.0]))
    assert kept(np.diag([1.0, 1.0, -1.0]))
    assert not kept(turn(120))


@pytest.mark.parametrize("cap", ["formate", "benzoate"])
def test_two_like_metals_have_the_symmetry_d4h(cap: str) -> None:
    node = paddlewheel_node(["Cu", "Cu"], cap=cap)
    for operation in (
        turn(90), np.diag([1.0, 1.0, -1.0]), np.diag([1.0, -1.0, 1.0]), -np.eye(3),
    ):  # fmt: skip
        assert maps_onto_itself(node, operation)
    assert not maps_onto_itself(node, turn(45))


@pytest.mark.parametrize("word", [*NINE, "MnMnAl", "CoCoZn", "CrCrMg", "ScScMg", "RuRuNi"])
@pytest.mark.parametrize("water", [False, True])
def test_distances_are_the_sums_of_radii(word: str, water: bool) -> None:
    node = trinuclear_node(split(word), water=water)
    neighbours = 6 if water else 5
    centre = len(node.metals)
    for metal, ion in zip(node.metals, node.ions, strict=True):
        donors = node.donors(metal)
        assert len(donors) == neighbours
        for donor in donors:
            partners = 2 if donor != centre and donor < len(node) - 3 * water * 3 else 3
            expected = ion.oxygen_distance_ang(neighbours, oxygen_coordination=partners)
            assert distance(node, metal, donor) == pytest.approx(expected, abs=1e-9)


def test_metals_are_at_the_root_of_three() -> None:
    node = trinuclear_node(["Fe"] * 3, charge=1)
    radial = MetalIon("Fe", 3).oxygen_distance_ang(5, oxygen_coordination=3)
    for i, j in itertools.combinations(range(3), 2):
        assert distance(node, i, j) == pytest.approx(np.sqrt(3) * radial)
    for carbon, first, second in carboxylates(node.molecule):
        assert distance(node, first, second) == pytest.approx(BITE_ANG)
        assert distance(node, carbon, first) == pytest.approx(1.26)


def test_oxygens_make_a_square_around_the_axis() -> None:
    node = trinuclear_node(["Fe"] * 3, charge=1)
    points = node.molecule.positions - node.molecule.positions[0]
    axis = points[3] / np.linalg.norm(points[3])
    base = points[[k for k in node.donors(0) if k != 3]]
    flat = base - np.outer(base @ axis, axis)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    cosines = np.sort((flat @ flat.T)[np.triu_indices(4, 1)])
    np.testing.assert_allclose(cosines, [-1, -1, 0, 0, 0, 0], atol=1e-9)


@pytest.mark.parametrize("word", ["FeFeFe", "FeFeNi", "MnMnNi", "FeCoNi", "MnMnAl"])
@pytest.mark.parametrize("cap", caps())
def test_connectivity(word: str, cap: str) -> None:
    node = trinuclear_node(split(word), cap=cap)
    assert node.kind == "trinuclear"
    assert node.coordination == (5, 5, 5)
    assert sorted(node.bridges.values()) == [2, 2, 2]
    assert len(node.molecule.fragments) == 1
    assert len(carboxylates(node.molecule)) == 6
    assert len(node.donors(0)) == len(set(node.donors(0)))
    sharing = [k for k in range(len(node)) if sum(k in node.donors(m) for m in node.metals) == 3]
    assert sharing == [3]
    built = {(i, j) for i, j, _ in node.molecule.bonds}
    found = bonds_by_distance(node.molecule.structure.numbers, node.molecule.positions)
    assert built == {(i, j) for i, j, _ in found}, "what was bonded is what distances show"
    assert check_clashes(node.molecule) > 0.7


def test_atoms_of_each_cap() -> None:
    rests = {"formate": "CHO2", "acetate": "C2H3O2", "benzoate": "C7H5O2", "trimesate": "C9H5O6"}
    assert set(rests) == set(caps())
    formulas = {c: trinuclear_node(["Fe"] * 3, cap=c, charge=1).molecule.formula for c in caps()}
    assert formulas == {
        "formate": "C6H6Fe3O13", "acetate": "C12H18Fe3O13", "benzoate": "C42H30Fe3O13",
        "trimesate": "C54H30Fe3O37",
    }  # fmt: skip
    for name, word in (("formate", "H"), ("acetate", "CH3"), ("benzoate", "C6H5"),
                       ("trimesate", "BTC")):  # fmt: skip
        assert find_cap(word).name == name


def test_free_acids_of_trimesate() -> None:
    cap = find_cap("trimesate")
    acids = [k for k in range(len(cap.numbers)) if cap.numbers[k] == 8]
    hydrogens = [(i, j) for i, j, _ in cap.bonds if {cap.numbers[i], cap.numbers[j]} == {1, 8}]
    assert len(acids) == 4
    assert len(hydrogens) == 2
    np.testing.assert_allclose(cap.positions[:, 2], 0.0, atol=1e-12)  # flat
    mirror = cap.positions * [-1, 1, 1]
    apart = np.linalg.norm(mirror[:, None] - cap.positions[None], axis=-1).min(axis=1)
    assert apart.max() < 1e-9
    carbon, single, double = np.zeros(3), np.array([1.3, 0, 0]), np.array([-0.6, 1.0, 0])
    hydrogen = acid_hydrogen(carbon, single, double)
    assert np.linalg.norm(hydrogen - single) == pytest.approx(0.97)
    assert hydrogen[1] > 0.0, "on the side of the other oxygen"


def test_paddlewheel() -> None:
    node = paddlewheel_node(["Cu", "Cu"])
    assert node.kind == "paddlewheel"
    assert node.coordination == (4, 4)
    assert node.bridges == {"Cu1-Cu2": 4}
    assert distance(node, 0, 1) == pytest.approx(BITE_ANG + 2 * OUT_OF_PLANE_ANG)
    donors = node.donors(0)
    axis = (node.molecule.positions[1] - node.molecule.positions[0]) / distance(node, 0, 1)
    depth = (node.molecule.positions[list(donors)] - node.molecule.positions[0]) @ axis
    np.testing.assert_allclose(depth, OUT_OF_PLANE_ANG, atol=1e-9)
    for donor in donors:
        assert distance(node, 0, donor) == pytest.approx(0.65 + 1.35)
    mixed = paddlewheel_node(["Cu", "Zn"], cap="acetate", metal_metal_ang=2.9)
    assert distance(mixed, 0, 1) == pytest.approx(2.9)
    assert distance(mixed, 0, mixed.donors(0)[0]) == pytest.approx(2.00)
    assert distance(mixed, 1, mixed.donors(1)[0]) == pytest.approx(2.03)
    wet = paddlewheel_node(["Cu", "Cu"], water=True)
    assert wet.coordination == (5, 5)
    assert wet.sites == ()


@pytest.mark.parametrize(
    ("word", "charge", "states", "multiplicity"),
    [
        ("FeFeFe", 1, (3, 3, 3), 16), ("FeFeFe", 0, (2, 3, 3), 15), ("FeFeNi", 0, (3, 3, 2), 13),
        ("NiNiNi", 0, (2, 3, 3), 9), ("NiNiNi", -2, (2, 2, 2), 7), ("MnMnNi", 0, (3, 3, 2), 11),
        ("CoCoZn", 0, (3, 3, 2), 9), ("ScScMg", 0, (3, 3, 2), 1), ("CrCrCr", 1, (3, 3, 3), 10),
    ],
)  # fmt: skip
def test_charge_states_and_spin(
    word: str, charge: int, states: tuple[int, ...], multiplicity: int
) -> None:
    node = trinuclear_node(split(word), charge=charge)
    assert node.oxidation_states == states
    assert node.molecule.charge == charge
    assert node.molecule.spin_multiplicity == multiplicity
    assert node.ligand_charge == -8
    assert node.formal_charges.sum() == pytest.approx(charge)
    electrons = int(node.molecule.structure.numbers.sum()) - charge
    assert (electrons - multiplicity + 1) % 2 == 0
    by_state = trinuclear_node(split(word), oxidation_states=states)
    assert by_state.molecule.charge == charge, "M(II)M(III)2 is neutral, M(III)3 +1"


def test_low_spin_may_be_declared() -> None:
    assert paddlewheel_node(["Cu", "Cu"]).molecule.spin_multiplicity == 3
    assert paddlewheel_node(["Cu", "Cu"], spin_multiplicity=1).molecule.spin_multiplicity == 1


def test_open_sites_point_away_from_the_centre() -> None:
    node = trinuclear_node(["Fe", "Fe", "Ni"])
    assert node.labels == ("Fe1", "Fe2", "Ni1")
    assert [node.label(site.metal) for site in node.sites] == ["Fe1", "Fe2", "Ni1"]
    for site in node.sites:
        outward = node.molecule.positions[site.metal] - node.molecule.positions[3]
        angle = np.degrees(np.arccos(outward @ site.direction / np.linalg.norm(outward)))
        assert angle < 2.0
    wheel = paddlewheel_node(["Cu", "Cu"])
    axis = wheel.molecule.positions[0] - wheel.molecule.positions[1]
    for site, sign in zip(wheel.sites, (1, -1), strict=True):
        np.testing.assert_allclose(site.direction, sign * axis / np.linalg.norm(axis), atol=1e-9)


def test_waters_close_the_sites() -> None:
    node = trinuclear_node(["Fe"] * 3, charge=1)
    wet = with_waters(node)
    assert wet.sites == ()
    assert wet.coordination == (6, 6, 6)
    assert wet.molecule.charge == 1
    assert with_waters(wet) is wet
    built = trinuclear_node(["Fe"] * 3, charge=1, water=True)
    assert built.molecule.formula == wet.molecule.formula == "C6H12Fe3O16"


def test_a_node_is_recognised_in_its_atoms() -> None:
    node = trinuclear_node(["Fe", "Ni", "Fe"], cap="acetate")
    rotation = random_rotations(1, np.random.default_rng(3))[0]
    order = np.random.default_rng(4).permutation(len(node))
    shuffled = replace(
        node.molecule.with_positions(node.molecule.positions @ rotation.T),
        structure=node.molecule.structure.take(order), bonds=(),
    )  # fmt: skip
    found = node_of(shuffled)
    assert found.kind == "trinuclear"
    assert sorted(found.bridges.values()) == [2, 2, 2]
    assert found.ligand_charge == -8
    assert sorted(str(ion) for ion in found.ions) == ["Fe(III)", "Fe(III)", "Ni(II)"]
    assert len(found.sites) == 3
    assert node_of(paddlewheel_node(["Zn", "Zn"]).molecule).kind == "paddlewheel"
    stretched = node.with_positions(1.01 * node.molecule.positions)
    assert len(stretched.sites) == 3
    assert stretched.oxidation_states == node.oxidation_states


def test_refused() -> None:
    for metals, options, message in (
        (["Fe"], {}, "three metals .* or two"),
        (["Fe", "Fe", "O"], {}, "symbol of a metal"),
        (["Zn"] * 3, {}, r"no radius of Zn\(III\)"),
        (["Fe"] * 3, {"cap": "sulfonate"}, "no cap 'sulfonate'; there are formate"),
        (["Fe"] * 3, {"oxidation_states": (3, 3, 3), "charge": 0}, r"make \+1 e, but .* \+0 e"),
        (["Fe"] * 3, {"oxidation_states": (3, 3)}, "one oxidation state for each of 3"),
        (["Fe"] * 3, {"spin_multiplicity": 2}, "multiplicity of 2 is impossible"),
        (["Fe"] * 3, {"spin_multiplicity": 99}, "multiplicity of 99 is impossible"),
        (["Fe"] * 3, {"metal_oxygen_ang": {"Fe": 0.5}}, "between 1.2 and 3.5"),
        (["Fe", "Fe", "Ni"], {"metal_oxygen_ang": {"Cu": 1.95}}, "for Cu, but .* are Fe, Ni"),
        (["Cu"] * 2, {"metal_oxygen_ang": {"Zn": 2.0}}, "for Zn, but .* are Cu"),
        (["Cu"] * 2, {"charge": 1, "oxidation_states": (2, 2)}, "make .0 e"),
    ):  # fmt: skip
        with pytest.raises(InvalidStructureError, match=message):
            build_node(metals, **options)
    with pytest.raises(InvalidStructureError, match="No carboxylate bridges metals 6"):
        paddlewheel_node(["Cu", "Cu"], metal_metal_ang=6.5)
    with pytest.raises(InvalidStructureError, match="holds no metal"):
        node_of(reference_molecule("ec"))
