"""Sites: names, order and orbits that no choice of axes or atom order changes."""

from __future__ import annotations

import numpy as np
import pytest

from superionic.structures.crystals import reference_crystal
from superionic.structures.errors import InvalidStructureError, NoHopFoundError
from superionic.structures.sites import natural_key, site_set
from superionic.structures.structure import Structure


def test_natural_order() -> None:
    names = ["Na10", "Na2", "Na1", "i3", "Na2b"]
    assert sorted(names, key=natural_key) == ["Na1", "Na2", "Na2b", "Na10", "i3"]


def test_occupied_sites_of_nasicon() -> None:
    structure = reference_crystal("na4zr2si3o12").structure.to_structure()
    sites = site_set(structure, ion="Na")
    assert len(sites) == 24
    assert sites.occupied.all()
    np.testing.assert_array_equal(sites.atoms, structure.indices("Na"))
    assert sites.labels == tuple(structure.labels[i] for i in sites.atoms)
    assert sorted(sites.ranks.tolist()) == [0] * 6 + [1] * 18
    assert dict(zip(sites.labels, sites.ranks.tolist(), strict=True)) == {
        "Na1": 0,
        "Na2": 1,
    }


def test_copies_of_an_empty_site_are_merged_and_named() -> None:
    cell = np.diag([5.0, 6.0, 7.0])
    structure = Structure(numbers=np.array([11]), positions=np.zeros((1, 3)), cell=cell)
    empty = [[2.5, 0, 0], [7.5, 0, 7.0], [0, 3.0, 0]]
    sites = site_set(structure, ion="Na", empty_sites=empty)
    assert len(sites) == 3
    assert sites.labels[0] == "Na"
    assert sorted(sites.labels[1:]) == ["i1", "i2"]
    assert sites.atoms.tolist() == [0, -1, -1]
    named = site_set(structure, ion="Na", empty_sites=empty, empty_labels=["b", "b", "a"])
    assert named.labels == ("Na", "b", "a")
    assert named.ranks.tolist() == [0, 2, 1]


def test_depth_decides_between_equal_labels() -> None:
    # four planes of atoms: the outer two are equivalent, and so are the inner two
    heights = np.arange(4) * 3.0
    slab = Structure(
        numbers=np.array([11] * 4),
        positions=np.stack([np.zeros(4), np.zeros(4), heights], axis=1),
        cell=np.diag([4.0, 4.0, 30.0]),
        labels=("Na7",) * 4,
    )
    assert site_set(slab, ion="Na", vacuum=2).ranks.tolist() == [1, 0, 0, 1]


def test_refusals() -> None:
    structure = Structure(numbers=np.array([11]), positions=np.zeros((1, 3)), cell=np.eye(3) * 5)
    with pytest.raises(NoHopFoundError, match="No K in the structure: it holds Na"):
        site_set(structure, ion="K")
    with pytest.raises(InvalidStructureError, match="finite empty sites"):
        site_set(structure, ion="Na", empty_sites=[[np.nan, 0, 0]])
    with pytest.raises(InvalidStructureError, match=r"site 0 \(x\) lies on atom 0"):
        site_set(structure, ion="Na", empty_sites=[[5.0, 10.0, -5.0]], empty_labels=["x"])
