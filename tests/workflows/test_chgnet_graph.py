"""Our graph against the one that CHGNet's own converter makes, edge by edge and angle by angle."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111, molecule

from superionic.workflows.chgnet_graph import angles, chgnet_graph, opposite_edges, undirected_edges

pytest.importorskip("chgnet")


def converter() -> Any:
    from chgnet.graph.converter import CrystalGraphConverter

    return CrystalGraphConverter(
        atom_graph_cutoff=6, bond_graph_cutoff=3, on_isolated_atoms="ignore"
    )


def shaken(atoms: Atoms, seed: int = 0) -> Atoms:
    atoms.rattle(0.1, seed=seed)
    return atoms


def boxed_molecule() -> Atoms:
    atoms: Atoms = molecule("CH3CN", vacuum=8.0)
    atoms.pbc = True
    return atoms


def slab() -> Atoms:
    atoms: Atoms = fcc111("Al", (2, 2, 3), vacuum=8.0, periodic=True)
    return shaken(atoms)


CASES = {
    "one atom, bonded to its own images": bulk("Al", "fcc", a=4.05),
    "two atoms": shaken(bulk("NaCl", "rocksalt", a=5.6), 1),
    "supercell": shaken(bulk("NaCl", "rocksalt", a=5.6) * (3, 2, 2), 2),
    "slab": slab(),
    "molecule in a box": boxed_molecule(),
    "no bond under 3 A": bulk("Cs", "bcc", a=6.1) * (2, 1, 1),
}


def edges_of(graph: Any) -> list[tuple[int, ...]]:
    """Every directed edge as centre, neighbour and cell."""
    ends, image = graph.atom_graph.numpy(), graph.neighbor_image.numpy().astype(int)
    return [(*map(int, e), *map(int, i)) for e, i in zip(ends, image, strict=True)]


def angles_of(graph: Any) -> list[tuple[int, tuple[int, ...], tuple[int, ...]]]:
    """Every angle as its atom and both directed edges."""
    edges = edges_of(graph)
    return [(int(row[0]), edges[int(row[2])], edges[int(row[4])]) for row in graph.bond_graph]


@pytest.mark.parametrize("atoms", CASES.values(), ids=CASES)
def test_graph_is_that_of_the_converter(atoms: Atoms) -> None:
    from pymatgen.io.ase import AseAtomsAdaptor

    ours = chgnet_graph(atoms, converter())
    theirs = converter()(AseAtomsAdaptor.get_structure(atoms))
    assert sorted(edges_of(ours)) == sorted(edges_of(theirs))
    assert sorted(angles_of(ours)) == sorted(angles_of(theirs))
    assert ours.atomic_number.tolist() == theirs.atomic_number.tolist()
    np.testing.assert_array_equal(
        ours.atom_frac_coord.detach().numpy(), theirs.atom_frac_coord.detach().numpy()
    )
    np.testing.assert_array_equal(ours.lattice.numpy(), theirs.lattice.detach().numpy())
    for name in ("atom_graph", "directed2undirected", "undirected2directed", "bond_graph"):
        one, other = getattr(ours, name), getattr(theirs, name)
        assert one.dtype == other.dtype or not len(other), name


@pytest.mark.parametrize("atoms", CASES.values(), ids=CASES)
def test_numbers_of_undirected_edges_agree_with_each_other(atoms: Atoms) -> None:
    graph = chgnet_graph(atoms, converter())
    edges, number = edges_of(graph), graph.directed2undirected.tolist()
    for k, (i, j, *image) in enumerate(edges):
        back = edges.index((j, i, *(-c for c in image)))
        assert number[k] == number[back]
        assert graph.undirected2directed[number[k]] in (k, back)
    for _, one, d_one, other, d_other in graph.bond_graph.tolist():
        assert (number[d_one], number[d_other]) == (one, other)


def test_isolated_atoms_are_left_to_the_converter() -> None:
    pair = Atoms("Na2", positions=[[0, 0, 0], [20, 0, 0]], cell=[40, 40, 40], pbc=True)
    strict = converter()
    strict.set_isolated_atom_response("error")
    with pytest.raises(ValueError, match="isolated"):
        chgnet_graph(pair, strict)


def test_an_edge_without_a_way_back_is_seen() -> None:
    centre, neighbour = np.array([0, 1, 0]), np.array([1, 0, 1])
    image = np.array([[0, 0, 0], [0, 0, 0], [1, 0, 0]])
    assert opposite_edges(centre, neighbour, image).tolist() == [1, 0, -1]


def test_undirected_edges_are_numbered_by_their_first() -> None:
    number, first = undirected_edges(np.array([2, 3, 0, 1]))
    assert number.tolist() == [0, 1, 0, 1]
    assert first.tolist() == [0, 1]


def test_angles_are_all_ordered_pairs_at_an_atom() -> None:
    centre = np.array([0, 1, 0, 1, 0])
    one, other = angles(centre, np.array([0, 1, 2, 4]))
    pairs = {(0, 2), (0, 4), (2, 0), (2, 4), (4, 0), (4, 2)}
    assert set(zip(one.tolist(), other.tolist(), strict=True)) == pairs
    assert len(one) == len(pairs)
