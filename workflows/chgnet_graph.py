"""The graph that CHGNet reads, built from whole arrays of neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ase import Atoms
    from numpy.typing import NDArray

    Indices = NDArray[np.int64]


def chgnet_graph(atoms: Atoms, converter: Any) -> Any:
    """Return the graph of a structure as CHGNet's converter makes it, in a fraction of the time.

    The converter walks over edges and angles one by one, which takes as long as a third of the
    evaluation that follows. Here pairs and angles come from sorted arrays; only their numbering
    differs (doi 10.1038/s42256-023-00716-3 defines atom graph and bond graph).

    Parameters
    ----------
    atoms
        With a cell; periodic or not along each of its vectors.
    converter
        The model's own: its cutoffs hold, and structures with isolated atoms are left to it.

    Returns
    -------
    chgnet.graph.CrystalGraph
        Its fractional coordinates require gradients.
    """
    import torch
    from chgnet.graph.crystalgraph import CrystalGraph
    from pymatgen.io.ase import AseAtomsAdaptor

    structure = AseAtomsAdaptor.get_structure(atoms)
    centre, neighbour, image, distance = structure.get_neighbor_list(
        r=converter.atom_graph_cutoff, sites=structure.sites, numerical_tol=1e-8
    )
    image = np.rint(image).astype(np.int64)
    partner = opposite_edges(centre, neighbour, image)
    if (partner < 0).any() or len(np.unique(centre)) < len(structure):
        return converter(structure)
    undirected, first = undirected_edges(partner)
    here, there = angles(centre, np.flatnonzero(distance < converter.bond_graph_cutoff))
    bond_graph = np.stack([centre[here], undirected[here], here, undirected[there], there], axis=1)

    def whole(values: Indices) -> Any:
        return torch.from_numpy(values.astype(np.int32))

    return CrystalGraph(
        atomic_number=whole(np.array(structure.atomic_numbers)),
        atom_frac_coord=torch.tensor(
            structure.frac_coords, dtype=torch.float32, requires_grad=True
        ),
        atom_graph=whole(np.stack([centre, neighbour], axis=1)),
        atom_graph_cutoff=converter.atom_graph_cutoff,
        neighbor_image=torch.from_numpy(image.astype(np.float32)),
        directed2undirected=whole(undirected),
        undirected2directed=whole(first),
        bond_graph=whole(bond_graph),
        bond_graph_cutoff=converter.bond_graph_cutoff,
        lattice=torch.tensor(structure.lattice.matrix, dtype=torch.float32),
    )


def opposite_edges(centre: Indices, neighbour: Indices, image: Indices) -> Indices:
    """Return for each directed edge the index of the one that leads back; -1 where there is none.

    Parameters
    ----------
    centre, neighbour
        Atoms at both ends. shape=(edges,)
    image
        Cell of the neighbour. shape=(edges, 3)
    """
    if not len(centre):
        return np.zeros(0, dtype=np.int64)
    atoms = int(max(centre.max(), neighbour.max())) + 1
    reach = int(np.abs(image).max())
    shape = (atoms, atoms, 2 * reach + 1, 2 * reach + 1, 2 * reach + 1)
    there = np.ravel_multi_index((centre, neighbour, *(image + reach).T), shape)
    back = np.ravel_multi_index((neighbour, centre, *(reach - image).T), shape)
    order = np.argsort(there)
    place = np.minimum(np.searchsorted(there[order], back), len(order) - 1)
    found = order[place]
    return np.where(there[found] == back, found, -1)


def undirected_edges(partner: Indices) -> tuple[Indices, Indices]:
    """Give both directions of an edge the same number.

    Parameters
    ----------
    partner
        As from `opposite_edges`, all of them found. shape=(edges,)

    Returns
    -------
    undirected : numpy.ndarray
        Number of each directed edge's undirected one. shape=(edges,)
    first : numpy.ndarray
        First directed edge of each undirected one. shape=(edges / 2,)
    """
    own = np.arange(len(partner))
    first = np.flatnonzero(own < partner)
    number = np.zeros(len(partner), dtype=np.int64)
    number[first] = np.arange(len(first))
    return number[np.minimum(own, partner)], first


def angles(centre: Indices, short: Indices) -> tuple[Indices, Indices]:
    """Return all ordered pairs of different short edges that leave the same atom.

    Parameters
    ----------
    centre
        Atom that each directed edge leaves. shape=(edges,)
    short
        Indices of the edges that take part. shape=(m,)
    """
    grouped = short[np.argsort(centre[short], kind="stable")]
    _, begins, counts = np.unique(centre[grouped], return_index=True, return_counts=True)
    size, begin = np.repeat(counts, counts), np.repeat(begins, counts)
    one = np.repeat(np.arange(len(grouped)), size)
    other = np.arange(len(one)) - np.repeat(np.cumsum(size) - size, size) + np.repeat(begin, size)
    different = one != other
    return grouped[one[different]], grouped[other[different]]
