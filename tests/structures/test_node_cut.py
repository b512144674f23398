"""Cutting nodes out of frameworks, and built nodes against those of refined crystals."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from superionic.structures.clusters import node_of, paddlewheel_node, trinuclear_node
from superionic.structures.crystals import reference_crystal
from superionic.structures.errors import InvalidStructureError
from superionic.structures.molecules import boxed, read_molecule, reference_molecule
from superionic.structures.node import Node
from superionic.structures.node_bonds import carboxylates
from superionic.structures.node_cut import cut_node, metal_nodes
from superionic.structures.node_starts import node_starts
from superionic.structures.structure import Structure

if TYPE_CHECKING:
    from numpy.typing import NDArray

CLUSTERS = Path(__file__).parents[1] / "data" / "clusters"
"""Nodes of MIL-100(Fe), cut from CoRE MOF entry CIGXIA; not relaxed."""


@pytest.fixture(scope="module")
def hkust() -> Structure:
    return reference_crystal("hkust-1").structure.to_structure()


def lengths(node: Node, symbols: tuple[str, str], longest: float) -> list[float]:
    """Distances between two elements up to a limit, sorted."""
    points, names = node.molecule.positions, node.molecule.symbols
    first, second = ([k for k, s in enumerate(names) if s == symbol] for symbol in symbols)
    apart = np.linalg.norm(points[first][:, None] - points[second][None], axis=-1)
    return sorted(float(x) for x in apart[(apart > 1e-6) & (apart < longest)])


def test_paddlewheels_of_hkust(hkust: Structure) -> None:
    nodes = metal_nodes(hkust)
    assert len(nodes) == 24
    assert sorted(k for node in nodes for k in node) == hkust.indices("Cu").tolist()
    assert {len(node) for node in nodes} == {2}


@pytest.mark.parametrize(
    ("cap", "formula"),
    [
        ("formate", "C4H4Cu2O8"), ("acetate", "C8H12Cu2O8"), ("benzoate", "C28H20Cu2O8"),
        ("trimesate", "C36H20Cu2O24"), ("linker", "C36H20Cu2O24"),
    ],
)  # fmt: skip
def test_node_of_hkust(hkust: Structure, cap: str, formula: str) -> None:
    node = cut_node(hkust, cap=cap)
    assert node.molecule.formula == formula
    assert node.kind == "paddlewheel"
    assert node.coordination == (4, 4)
    assert node.bridges == {"Cu1-Cu2": 4}
    assert [str(ion) for ion in node.ions] == ["Cu(II)", "Cu(II)"]
    assert (node.molecule.charge, node.molecule.spin_multiplicity) == (0, 3)
    assert len(node.sites) == 2
    assert len(carboxylates(node.molecule)) == 4
    metals = node.molecule.positions[:2]
    assert np.linalg.norm(metals[0] - metals[1]) == pytest.approx(2.630, abs=0.002)
    np.testing.assert_allclose(lengths(node, ("Cu", "O"), 2.3), 1.951, atol=0.002)


def test_linkers_of_hkust_end_as_free_acids(hkust: Structure) -> None:
    node = cut_node(hkust, cap="linker")
    acids = lengths(node, ("O", "H"), 1.1)
    assert len(acids) == 8
    np.testing.assert_allclose(acids, 0.97, atol=1e-9)


def test_every_node_of_hkust_is_the_same(hkust: Structure) -> None:
    def all_distances(metal: int) -> NDArray[np.float64]:
        points = cut_node(hkust, metal=metal).molecule.positions
        return np.sort(np.linalg.norm(points[:, None] - points[None], axis=-1), axis=None)

    first, *others = (all_distances(metals[1]) for metals in metal_nodes(hkust)[:5])
    for other in others:
        np.testing.assert_allclose(other, first, atol=1e-6)


def test_waters_on_hkust(hkust: Structure) -> None:
    node = cut_node(hkust, water=True)
    assert node.molecule.formula == "C4H8Cu2O10"
    assert node.sites == ()
    assert cut_node(hkust, charge=1).oxidation_states == (2, 3)


def test_built_paddlewheel_is_near_that_of_hkust(hkust: Structure) -> None:
    built = paddlewheel_node(["Cu", "Cu"], metal_oxygen_ang={"Cu": 1.951})
    cut = cut_node(hkust)
    for pair, longest in ((("Cu", "Cu"), 3), (("Cu", "C"), 4), (("O", "O"), 5), (("C", "C"), 7)):
        np.testing.assert_allclose(
            lengths(built, pair, longest), lengths(cut, pair, longest), atol=0.09
        )


def test_built_node_is_near_that_of_mil100() -> None:
    read = node_of(read_molecule(CLUSTERS / "fe3o-formate.xyz", charge=1, spin_multiplicity=16))
    assert read.kind == "trinuclear"
    assert read.coordination == (5, 5, 5)
    assert set(read.bridges.values()) == {2}
    assert read.oxidation_states == (3, 3, 3)
    assert len(read.sites) == 3
    built = trinuclear_node(["Fe"] * 3, charge=1)
    np.testing.assert_allclose(lengths(built, ("Fe", "Fe"), 4), lengths(read, ("Fe", "Fe"), 4),
                               atol=0.02)  # fmt: skip
    np.testing.assert_allclose(lengths(built, ("Fe", "O"), 2.3), lengths(read, ("Fe", "O"), 2.3),
                               atol=0.04)  # fmt: skip
    np.testing.assert_allclose(lengths(built, ("C", "O"), 1.5), lengths(read, ("C", "O"), 1.5),
                               atol=0.03)  # fmt: skip
    np.testing.assert_allclose(lengths(built, ("Fe", "C"), 3.2), lengths(read, ("Fe", "C"), 3.2),
                               atol=0.08)  # fmt: skip


@pytest.mark.parametrize("name", ["fe3o-formate", "fe3o-btc"])
def test_a_node_is_found_across_the_boundaries_of_its_cell(name: str) -> None:
    molecule = read_molecule(CLUSTERS / f"{name}.xyz", charge=1, spin_multiplicity=16)
    box = boxed(molecule, vacuum_ang=8.0)
    shifted = box.positions - molecule.positions.mean(axis=0)  # the node lies over a corner
    wrapped = np.linalg.solve(box.cell.T, shifted.T).T % 1.0 @ box.cell
    broken = box.with_positions(wrapped)
    (metals,) = metal_nodes(broken)
    assert len(metals) == 3
    node = cut_node(broken, cap="linker", charge=1)
    assert node.kind == "trinuclear"
    assert node.molecule.formula == molecule.formula
    assert node.oxidation_states == (3, 3, 3)
    expected = node_of(molecule)
    for pair in (("Fe", "O"), ("C", "O"), ("O", "O")):
        np.testing.assert_allclose(lengths(node, pair, 5), lengths(expected, pair, 5), atol=1e-6)
    small = cut_node(broken, charge=1)
    assert small.molecule.formula == "C6H6Fe3O13"
    assert small.bridges == node.bridges


def crystal_of(node: Node) -> Structure:
    return boxed(node.molecule, vacuum_ang=8.0)


def test_terminal_ligands_go_or_stay() -> None:
    wet = crystal_of(trinuclear_node(["Fe"] * 3, water=True))
    assert cut_node(wet).molecule.formula == "C6H6Fe3O13"
    assert len(cut_node(wet).sites) == 3
    kept = cut_node(wet, terminal="keep")
    assert kept.molecule.formula == "C6H12Fe3O16"
    assert kept.coordination == (6, 6, 6)
    dry = wet.without([k for k in range(len(wet) - 9, len(wet)) if wet.symbols[k] == "H"])
    assert cut_node(dry).molecule.formula == "C6H6Fe3O13"
    with pytest.raises(InvalidStructureError, match="has no hydrogen; it would count as oxide"):
        cut_node(dry, terminal="keep")


def test_alkali_ions_are_guests() -> None:
    node = trinuclear_node(["Fe", "Fe", "Ni"])
    (start,) = node_starts(node, reference_molecule("na+"), sites=["Ni1"], count=1)
    crystal = boxed(start.molecule, vacuum_ang=8.0)
    assert metal_nodes(crystal) == ((0, 1, 2),)
    assert cut_node(crystal).molecule.formula == node.molecule.formula
    with pytest.raises(InvalidStructureError, match="metal atom of a node"):
        cut_node(crystal, metal=len(crystal) - 1)


def test_metals_are_chosen_by_index() -> None:
    node = crystal_of(trinuclear_node(["Fe", "Fe", "Ni"]))
    cut = cut_node(node, metal=2)
    assert cut.molecule.symbols[:3] == ("Ni", "Fe", "Fe")
    assert cut.oxidation_states == (2, 3, 3)


def test_refused(hkust: Structure) -> None:
    with pytest.raises(InvalidStructureError, match="index of a metal atom"):
        cut_node(hkust, metal=int(hkust.indices("O")[0]))
    with pytest.raises(InvalidStructureError, match="holds no metal"):
        metal_nodes(boxed(reference_molecule("ec"), vacuum_ang=8.0))
    with pytest.raises(InvalidStructureError, match="there are formate"):
        cut_node(hkust, cap="sulfonate")
    with pytest.raises(InvalidStructureError, match="multiplicity of 2"):
        cut_node(hkust, spin_multiplicity=2)


def test_endless_rods_are_refused() -> None:
    node = paddlewheel_node(["Cu", "Cu"])
    length = 6.4  # an oxide between the paddlewheels along their axis
    points = node.molecule.positions - node.molecule.positions[:2].mean(axis=0)
    rod = Structure(
        numbers=np.r_[node.molecule.structure.numbers, 8],
        positions=np.vstack([points, [0.0, 0.0, length / 2]]),
        cell=np.diag([16.0, 16.0, length]),
    )
    with pytest.raises(InvalidStructureError, match="endless rods"):
        cut_node(rod)


def test_another_linker_is_refused() -> None:
    node = paddlewheel_node(["Cu", "Cu"])
    points = node.molecule.positions - node.molecule.positions[:2].mean(axis=0)
    bridge = np.array([[0.0, 0.0, 3.35], [0.0, 0.0, 4.55], [0.0, 0.0, 6.0], [0.0, 0.0, 7.2]])
    pillared = Structure(  # N-C-C-N from one paddlewheel to the next
        numbers=np.r_[node.molecule.structure.numbers, 7, 6, 6, 7],
        positions=np.vstack([points, bridge]),
        cell=np.diag([16.0, 16.0, 10.55]),
    )
    with pytest.raises(InvalidStructureError, match="Only carboxylate linkers can be cut"):
        cut_node(pillared)


def test_the_charge_of_ligands_can_be_declared() -> None:
    node = node_of(replace(paddlewheel_node(["Cu", "Cu"]).molecule, bonds=()), ligand_charge=-4)
    assert node.oxidation_states == (2, 2)
