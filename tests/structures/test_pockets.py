"""Pockets of a chain: sets by distance, places by geometry, pairs that never ask for an energy."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from rdkit import Chem

from superionic.structures.beside import node_beside
from superionic.structures.chain_atoms import ether_oxygens
from superionic.structures.clusters import build_node
from superionic.structures.errors import InvalidStructureError
from superionic.structures.molecule import Molecule, framed
from superionic.structures.pockets import (
    candidate_pockets,
    coordination_set,
    neighbouring_pair,
    with_ion,
)
from superionic.structures.polymers import peo_chain


def zigzag(donors: int, *, step: float = 2.8, width: float = 2.0) -> Molecule:
    """Oxygens alone in a flat zigzag: every place between them can be written down."""
    along = step * np.arange(donors)
    across = np.where(np.arange(donors) % 2, width, 0.0)
    points = np.column_stack([along, across, np.zeros(donors)])
    return Molecule(structure=framed(np.full(donors, 8), points))


def test_coordination_set_is_by_distance_alone() -> None:
    points = [[0.0, 0.0, 0.0], [2.0, 0.0, 0.0], [0.0, 2.5, 0.0], [0.0, 0.0, 3.3]]
    assert coordination_set(points, 0, (3, 2, 1), cutoff_ang=3.0) == (1, 2)
    assert coordination_set(points, 0, (1, 2, 3), cutoff_ang=3.3) == (1, 2, 3)
    assert coordination_set(points, 0, (1, 2, 3), cutoff_ang=1.0) == ()
    with pytest.raises(InvalidStructureError, match="other than the ion"):
        coordination_set(points, 0, (0, 1), cutoff_ang=3.0)


def test_pockets_are_where_the_distances_are_as_wished() -> None:
    chain = zigzag(5)
    found = candidate_pockets(chain, range(5), size=2, distance_ang=2.4, clearance_ang=2.0, seed=3)
    assert [p.donors for p in found] == [(0, 1), (1, 2), (2, 3), (3, 4)]
    for pocket in found:
        apart = np.linalg.norm(chain.positions - pocket.position, axis=1)
        assert apart[list(pocket.donors)] == pytest.approx([2.4, 2.4], abs=0.35)
        others = [k for k in range(5) if k not in pocket.donors]
        assert apart[others].min() >= 2.0


def test_pockets_are_seeded_and_move_with_the_chain() -> None:
    chain = zigzag(4)
    first = candidate_pockets(chain, range(4), size=3, seed=1)
    again = candidate_pockets(chain, range(4), size=3, seed=1)
    other = candidate_pockets(chain, range(4), size=3, seed=2)
    assert all(np.array_equal(a.position, b.position) for a, b in zip(first, again, strict=True))
    assert not np.allclose(first[0].position, other[0].position)


def test_no_room_is_an_error() -> None:
    with pytest.raises(InvalidStructureError, match="No place"):
        candidate_pockets(zigzag(5), range(5), size=2, clearance_ang=9.0)
    with pytest.raises(InvalidStructureError, match="the chain has 5"):
        candidate_pockets(zigzag(5), range(5), size=6)


@pytest.mark.parametrize(
    ("sets", "reach", "pair"),
    [
        ([(1, 2), (2, 3), (3, 4), (4, 5)], 1, (1, 2)),  # the middle
        ([(1, 2), (2, 3), (2, 3), (4, 5)], 1, (0, 1)),  # the middle ones are one pocket
        ([(1, 2), None, (2, 3), (2, 3)], 2, (0, 2)),  # nothing nearer differs
        ([(1, 2), None, (2, 3), (2, 3)], 1, None),
        ([(1, 2), (1, 2), (1, 2)], 2, None),
        ([(), (1, 2), ()], 2, None),  # off the chain is no pocket
        ([(1, 2, 3), (2, 3), (2, 3, 4)], 2, (0, 2)),  # losing a donor is no hop
    ],
)
def test_pair_is_chosen_by_place_and_set(
    sets: list[tuple[int, ...] | None], reach: int, pair: tuple[int, int] | None
) -> None:
    assert neighbouring_pair(sets, reach=reach) == pair


def test_ion_keeps_the_frame() -> None:
    chain = zigzag(3)
    whole = with_ion(chain, "Na", 1, chain.positions[1] + np.array([0.0, 0.0, 2.4]))
    assert whole.symbols == ("O", "O", "O", "Na")
    assert whole.charge == 1
    assert np.array_equal(whole.positions[:3], chain.positions)
    assert np.array_equal(whole.structure.cell, chain.structure.cell)
    assert whole.smiles == "", "that of the chain is not known"


@pytest.mark.parametrize(("symbol", "charge", "smiles"), [("Na", 1, "[Na+]"), ("Mg", 2, "[Mg+2]")])
def test_an_ion_on_a_chain_is_part_of_its_smiles(symbol: str, charge: int, smiles: str) -> None:
    chain = peo_chain(3)
    far = chain.positions.max(axis=0) + 3.0
    whole = with_ion(chain, symbol, charge, far)
    graph = Chem.AddHs(Chem.MolFromSmiles(whole.smiles))
    assert Chem.MolToSmiles(Chem.RemoveHs(graph)).split(".")[-1] == smiles
    assert Chem.GetFormalCharge(graph) == whole.charge
    assert Counter(a.GetSymbol() for a in graph.GetAtoms()) == Counter(whole.symbols)


def test_node_rests_beside_the_chain_with_its_site_towards_it() -> None:
    chain = peo_chain(6, torsions="helix")
    atom = ether_oxygens(chain)[3]
    node = build_node(("Fe", "Fe", "Ni"))
    whole = node_beside(chain, node, facing="Ni", atom=atom)
    assert len(whole) == len(chain) + len(node)
    assert whole.charge == node.molecule.charge
    assert whole.spin_multiplicity == node.molecule.spin_multiplicity
    own, other = whole.positions[: len(chain)], whole.positions[len(chain) :]
    gaps = np.linalg.norm(own[:, None] - other[None], axis=-1)
    assert 1.9 < gaps.min() < 3.5
    nickel = next(s.metal for s in node.sites if node.molecule.symbols[s.metal] == "Ni")
    nearest = gaps[atom].argmin()
    metals = list(node.metals)
    assert min(metals, key=lambda k: gaps[atom, k]) == nickel
    assert gaps[atom].min() == gaps[atom, nearest]
    with pytest.raises(InvalidStructureError, match="no open site at Zn"):
        node_beside(chain, node, facing="Zn", atom=atom)


def test_node_keeps_clear_of_other_shapes_of_the_chain_too() -> None:
    chain = peo_chain(4, torsions="helix")
    atom = ether_oxygens(chain)[2]
    node = build_node(("Fe", "Fe", "Ni"))
    near = node_beside(chain, node, facing="Fe", atom=atom)
    middle = chain.positions.mean(axis=0)
    wide = chain.structure.with_positions(middle + 1.3 * (chain.positions - middle))
    far = node_beside(chain, node, facing="Fe", atom=atom, also=(wide,))
    gap = [np.linalg.norm(one.positions[0] - one.positions[len(chain)]) for one in (near, far)]
    assert gap[1] > gap[0]
    shift = far.positions[0] - chain.positions[0]
    body = far.positions[len(chain) :] - shift
    apart = np.linalg.norm(body[:, None] - wide.positions[None], axis=-1)
    assert apart.min() > 1.7
