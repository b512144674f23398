"""Depths and directions in slabs, wherever the cell boundary cuts them."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk, surface

from superionic.structures.depths import slab_faces, vacuum_axis
from superionic.structures.hops import Hop, find_hops
from superionic.structures.structure import Structure


def salt_slab(
    layers: int = 5, lift: float = 0.0, order: tuple[int, int, int] = (0, 1, 2)
) -> Structure:
    """Cut rock salt (001), a = 5.64, with 15 A of vacuum along the last axis of ``order``."""
    atoms = surface(bulk("NaCl", "rocksalt", a=5.64, cubic=True), (0, 0, 1), 3, periodic=True)
    heights = np.unique(np.round(atoms.positions[:, 2], 3))
    atoms = atoms[atoms.positions[:, 2] < heights[layers - 1] + 0.1]
    atoms.cell[2] = [0, 0, (layers - 1) * 2.82 + 15.0]
    atoms.positions[:, 2] = (atoms.positions[:, 2] + lift) % atoms.cell[2, 2]
    slab = Structure.from_ase(atoms)
    return Structure(
        numbers=slab.numbers,
        positions=slab.positions[:, order],
        cell=slab.cell[np.ix_(order, order)],
    )


def test_a_crystal_has_no_vacuum() -> None:
    assert vacuum_axis(Structure.from_ase(bulk("NaCl", "rocksalt", a=5.64, cubic=True))) is None


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
@pytest.mark.parametrize("lift", [0.0, 7.0, 20.0])
def test_faces_wherever_the_slab_sits(order: tuple[int, int, int], lift: float) -> None:
    slab = salt_slab(lift=lift, order=order)
    axis = order.index(2)
    assert vacuum_axis(slab) == axis
    faces = slab_faces(slab, axis)
    assert faces.thickness_ang == pytest.approx(4 * 2.82)
    assert faces.period_ang == pytest.approx(4 * 2.82 + 15.0)
    depths = faces.depths(slab.positions)
    assert sorted(set(np.round(np.abs(depths), 6))) == pytest.approx([0.0, 2.82, 5.64])


def test_points_outside_are_negative_and_directions_follow_the_nearer_face() -> None:
    slab = salt_slab()
    faces = slab_faces(slab, 2)
    top = float(slab.positions[:, 2].max())
    np.testing.assert_allclose(
        faces.depths([[0, 0, top + 2], [0, 0, top - 1], [0, 0, -2.0]]), [-2.0, 1.0, -2.0], atol=1e-9
    )
    near_top, near_bottom = [0, 0, top - 2], [0, 0, 2.0]
    assert faces.direction(near_top, [0, 0, 1.0]) == "outward"
    assert faces.direction(near_top, [0, 0, -1.0]) == "inward"
    assert faces.direction(near_bottom, [0, 0, 1.0]) == "inward"
    assert faces.direction(near_bottom, [0, 0, -1.0]) == "outward"
    assert faces.direction(near_top, [1.0, 0, 1.0]) == "lateral"  # 45 degrees and no more
    assert faces.direction(near_top, [1.0, 0, 1.01]) == "outward"


def test_hops_of_a_rock_salt_slab() -> None:
    hops = find_hops(salt_slab(), max_length_ang=4.5)
    # three kinds of layer: lateral in each, and between neighbouring layers
    lateral = sorted(round(h.depth_ang or 0.0, 3) for h in hops if _flat(h.displacement))
    between = sorted(round(h.depth_ang or 0.0, 3) for h in hops if not _flat(h.displacement))
    assert lateral == [0.0, 2.82, 5.64]
    assert between == [1.41, 4.23]
    assert {h.direction for h in hops} == {"lateral"}  # 45 degrees at the most
    for hop in hops:
        assert len(hop.host) == 4 * len(salt_slab()) - 1  # 7.98 A between images is too little
        np.testing.assert_allclose(hop.host.cell[2], salt_slab().cell[2])
        assert hop.length_ang == pytest.approx(5.64 / np.sqrt(2))
    # both faces are equivalent: their hops are one class, with the hops of either counted
    surface_hop = next(h for h in hops if abs(h.depth_ang or 0.0) < 1e-6)
    per_face = 2 * len([s for s in salt_slab().symbols if s == "Na"]) / 5
    assert surface_hop.multiplicity == 2 * per_face


def test_deeper_site_comes_first() -> None:
    hops = find_hops(salt_slab(lift=3.0), max_length_ang=5.7)
    for hop in hops:
        faces = slab_faces(hop.host, 2)
        ends = [hop.host.positions[hop.ion], hop.final.positions[hop.ion]]
        first, last = faces.depths(ends)
        assert first >= last - 1e-6
        # one that crosses the middle plane ends as deep as it began
        assert hop.direction != "inward" or first == pytest.approx(last)
    assert any(h.direction == "outward" for h in hops)  # straight up by a


def test_a_slab_that_does_not_repeat_needs_no_vacuum() -> None:
    atoms = salt_slab().to_ase()
    atoms.pbc = (True, True, False)
    atoms.cell[2] = [0, 0, 4 * 2.82]
    slab = Structure.from_ase(atoms)
    assert vacuum_axis(slab) == 2
    faces = slab_faces(slab, 2)
    assert faces.thickness_ang == pytest.approx(4 * 2.82)
    np.testing.assert_allclose(
        faces.depths(slab.positions),
        slab_faces(salt_slab(), 2).depths(salt_slab().positions),
        atol=1e-9,
    )
    ours = find_hops(slab, max_length_ang=4.5)
    theirs = find_hops(salt_slab(), max_length_ang=4.5)
    assert [h.multiplicity for h in ours] == [h.multiplicity for h in theirs]
    np.testing.assert_allclose([_depth(h) for h in ours], [_depth(h) for h in theirs], atol=1e-9)


def _depth(hop: Hop) -> float:
    assert hop.depth_ang is not None
    return hop.depth_ang


def _flat(vector: np.ndarray) -> bool:
    return abs(float(vector[2])) < 1e-6
