"""Images in a sphere and distances to a segment, against counting by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from superionic.structures.geometry import images_within, segment_distances

PBC = (True, True, True)


def naive(
    positions: np.ndarray, cell: np.ndarray, centre: np.ndarray, radius: float, span: int
) -> set[tuple[int, int, int, int]]:
    """Try every lattice vector of a cube of cells, one point at a time."""
    found = set()
    for i, point in enumerate(positions):
        for a in range(-span, span + 1):
            for b in range(-span, span + 1):
                for c in range(-span, span + 1):
                    image = point + np.array([a, b, c]) @ cell
                    if np.sqrt(((image - centre) ** 2).sum()) <= radius:
                        found.add((i, a, b, c))
    return found


def test_simple_cubic_shells() -> None:
    near = images_within(np.zeros((1, 3)), np.eye(3) * 2.0, PBC, centre=[0, 0, 0], radius_ang=2.9)
    assert len(near.indices) == 1 + 6 + 12
    lengths = np.sort(np.linalg.norm(near.positions, axis=1))
    np.testing.assert_allclose(lengths, [0.0] + [2.0] * 6 + [2 * np.sqrt(2)] * 12)


def test_axes_that_do_not_repeat_have_no_images() -> None:
    near = images_within(
        np.zeros((1, 3)), np.eye(3), (True, False, False), centre=[0, 0, 0], radius_ang=2.5
    )
    assert {tuple(s) for s in near.shifts.tolist()} == {(k, 0, 0) for k in range(-2, 3)}


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_triclinic_against_trying_every_cell(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cell = np.eye(3) * 4.0 + rng.uniform(-1.5, 1.5, (3, 3))
    if np.linalg.norm(np.linalg.inv(cell), axis=0).max() > 0.5:
        cell = np.eye(3) * 4.0  # planes closer than 2 A would need more cells than are tried
    positions = rng.uniform(-2, 2, (3, 3))
    centre = rng.uniform(-2, 2, 3)
    radius = float(rng.uniform(1.0, 4.0))
    near = images_within(positions, cell, PBC, centre=centre, radius_ang=radius)
    rows = zip(near.indices.tolist(), near.shifts.tolist(), strict=True)
    assert {(i, *s) for i, s in rows} == naive(positions, cell, centre, radius, 6)
    np.testing.assert_allclose(near.positions, positions[near.indices] + near.shifts @ cell)


@pytest.mark.parametrize(
    ("point", "distance", "fraction"),
    [([1, 2, 0], 2.0, 0.25), ([-3, 4, 0], 5.0, 0.0), ([7, 0, 4], 5.0, 1.0), ([2, 0, 0], 0.0, 0.5)],
)
def test_segment(point: list[float], distance: float, fraction: float) -> None:
    d, t = segment_distances(np.array([point], dtype=float), [0, 0, 0], [4, 0, 0])
    assert d[0] == pytest.approx(distance)
    assert t[0] == pytest.approx(fraction)
