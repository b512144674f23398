"""Tuples of atoms of one molecule, repeated over a box."""

from __future__ import annotations

import numpy as np

from superionic.structures.box import Component
from superionic.structures.molecules import reference_molecule
from superionic.structures.tiling import tiled


def test_tuples_follow_their_molecules() -> None:
    sodium, anion = reference_molecule("na+"), reference_molecule("tfsi")
    parts = (Component("NA", sodium, 2), Component("TFSI", anion, 3), Component("XNA", sodium, 1))
    size = len(anion)
    found = tiled(parts, [[], [(0, 1, 2), (2, 4, 3)], [(0, 0, 0)]], 3)
    expected = [
        (2 + n * size + i, 2 + n * size + j, 2 + n * size + k)
        for n in range(3)
        for i, j, k in ((0, 1, 2), (2, 4, 3))
    ]
    np.testing.assert_array_equal(found, [*expected, (2 + 3 * size,) * 3])
    assert found.dtype == np.int64


def test_no_tuples_keep_their_width() -> None:
    parts = (Component("NA", reference_molecule("na+"), 2),)
    assert tiled(parts, [[]], 4).shape == (0, 4)
    assert tiled((), [], 2).shape == (0, 2)
