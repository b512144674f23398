"""A hop refuses what is not a single-ion move between two free, distinct sites."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from superionic.structures.errors import InvalidHopError
from superionic.structures.hop import Hop
from superionic.structures.structure import Structure, distance_matrix


def host() -> Structure:
    """Two ions and an anion in a skewed cell."""
    return Structure(
        numbers=np.array([11, 11, 17]),
        positions=np.array([[0.0, 0.0, 0.0], [3.0, 0.0, 0.0], [0.0, 0.0, 3.0]]),
        cell=np.array([[6.0, 0.0, 0.0], [2.0, 6.0, 0.0], [0.0, 0.0, 6.0]]),
        labels=("Na1", "Na2", "Cl"),
    )


def hop(**changes: Any) -> Hop:
    values: dict[str, Any] = {
        "host": host(),
        "ion": 0,
        "displacement": [0.0, 3.0, 0.0],
        "mechanism": "hole",
        "site_types": ("Na1", "i1"),
        "length_ang": 3.0,
        "multiplicity": 1,
    }
    return Hop(**{**values, **changes})


def test_ends_share_atoms_and_order() -> None:
    one = hop()
    assert one.initial is one.host
    assert one.final.labels == one.host.labels
    np.testing.assert_array_equal(one.final.numbers, one.host.numbers)
    moved = one.final.positions - one.initial.positions
    np.testing.assert_allclose(moved, [[0, 3, 0], [0, 0, 0], [0, 0, 0]])
    assert not one.displacement.flags.writeable


def test_a_hop_across_the_boundary_is_not_wrapped() -> None:
    one = hop(displacement=[0.0, -2.0, -1.0], length_ang=float(np.sqrt(5)))
    np.testing.assert_allclose(one.final.positions[0], [0.0, -2.0, -1.0])
    # the same end reached from inside the cell has the same distances
    wrapped = one.final.positions.copy()
    wrapped[0] += one.host.cell[1] + one.host.cell[2]
    np.testing.assert_allclose(
        distance_matrix(one.final), distance_matrix(one.final.with_positions(wrapped)), atol=1e-9
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ion": 3}, "not one of the host's 3 atoms"),
        ({"ion": -1}, "not one of"),
        ({"displacement": [0, 0, 0], "length_ang": 0.0}, "back to its own site"),
        ({"displacement": [0, 0, 6.0], "length_ang": 6.0}, "back to its own site"),
        ({"displacement": [0, 0, np.nan]}, "three finite numbers"),
        ({"displacement": [0, 3.0]}, "three finite numbers"),
        ({"displacement": [3.1, 0, 0], "length_ang": 3.1}, r"atom 1 \(Na2\)"),
        ({"displacement": [-3.0, 0, 0]}, r"atom 1 \(Na2\)"),  # the image across the boundary
        ({"length_ang": 2.0}, "length_ang is 2.0"),
        ({"multiplicity": 0}, "positive multiplicity"),
        ({"site_types": ("Na1",)}, "two site types"),
        ({"mechanism": "jump"}, "vacancy, hole, interstitial"),
    ],
)
def test_refusals(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidHopError, match=message):
        hop(**changes)
