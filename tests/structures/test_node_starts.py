"""Starts of anions, salts and cations at open metals, and how relaxed ones are described."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from superionic.structures.clusters import paddlewheel_node, trinuclear_node
from superionic.structures.contacts import touching_ang
from superionic.structures.errors import AdsorptionError, InvalidStructureError
from superionic.structures.ion_pairs import DONOR_RADII_ANG, attach_ions
from superionic.structures.metals import MetalIon
from superionic.structures.molecule import Molecule, framed
from superionic.structures.molecules import reference_molecule
from superionic.structures.node import Node
from superionic.structures.node_bonds import bonds_between
from superionic.structures.node_contacts import by_pattern, contact_geometry
from superionic.structures.node_seats import LADDER, LEAST_ANGLE_DEG, binding_modes
from superionic.structures.node_starts import count_modes, node_starts

if TYPE_CHECKING:
    from numpy.typing import NDArray


@pytest.fixture(scope="module")
def node() -> Node:
    return trinuclear_node(["Fe", "Fe", "Ni"])


def apart(molecule: Molecule, first: list[int], second: list[int]) -> NDArray[np.float64]:
    points = molecule.positions
    return np.asarray(np.linalg.norm(points[first][:, None] - points[second][None], axis=-1))


def test_modes_of_tfsi() -> None:
    modes = binding_modes(reference_molecule("tfsi"))
    assert {mode: len(groups) for mode, groups in modes.items() if "," not in mode} == {
        "O": 4, "N": 1, "F": 6,
    }  # fmt: skip
    assert {"O,O", "N,O"} <= set(modes)
    assert "S" not in "".join(modes), "sulfur of a sulfonyl has no lone pair"
    assert list(binding_modes(reference_molecule("na+"))) == ["Na"]
    assert "Na" in binding_modes(reference_molecule("natfsi"))
    chloride = Molecule(structure=framed([17], np.zeros((1, 3))), charge=-1)
    assert list(binding_modes(chloride)) == ["Cl"]


@pytest.mark.parametrize("name", ["tfsi", "natfsi"])
def test_starts_at_each_kind_of_metal_in_each_mode(node: Node, name: str) -> None:
    guest = reference_molecule(name)
    starts = node_starts(node, guest, count=2, seed=1)
    assert {start.site for start in starts} == {"Fe1", "Ni1"}, "Fe1 and Fe2 are alike"
    wanted = {"O", "N", "F", "O,O", "N,O"} | ({"Na"} if name == "natfsi" else set())
    assert {start.mode for start in starts if start.site == "Ni1"} == wanted
    assert len({start.key for start in starts}) == len(starts)
    assert max(count_modes(starts).values()) == 2
    for start in starts:
        assert start.molecule.charge == guest.charge
        assert start.molecule.spin_multiplicity == node.molecule.spin_multiplicity
        own = list(range(len(node)))
        np.testing.assert_allclose(  # both bodies are rigid
            apart(start.molecule, own, own), apart(node.molecule, own, own), atol=1e-9
        )
        guests, rest = list(start.adsorbate), list(range(len(guest)))
        np.testing.assert_allclose(
            apart(start.molecule, guests, guests), apart(guest, rest, rest), atol=1e-9
        )


def test_no_start_clashes(node: Node) -> None:
    least = min(share for share, _ in LADDER)
    for start in node_starts(node, reference_molecule("tfsi"), count=3):
        others = [k for k in range(len(node)) if k != start.metal]
        guests = list(start.adsorbate)
        numbers = start.molecule.structure.numbers
        limit = touching_ang(numbers[others], numbers[guests], share=least)
        assert (apart(start.molecule, others, guests) >= limit - 1e-9).all(), start.key


def test_donors_are_at_their_distance(node: Node) -> None:
    guest = reference_molecule("tfsi")
    stretches = {stretch for _, stretch in LADDER}
    for start in node_starts(node, guest, count=3, seed=5):
        ion = dict(zip(node.labels, node.ions, strict=True))[start.site]
        radius = ion.radius_ang(5 + len(start.donors))
        over = {
            round(d - radius - DONOR_RADII_ANG[start.molecule.symbols[k]], 6)
            for k, d in zip(start.donors, start.distances_ang, strict=True)
        }
        assert len(over) == 1
        assert over <= stretches
        assert ",".join(start.molecule.symbols[k] for k in start.donors) == start.mode


def test_one_donor_is_on_the_axis_and_its_bonds_are_bent(node: Node) -> None:
    for start in node_starts(node, reference_molecule("tfsi"), modes=["O", "N", "F"], count=3):
        (site,) = [s for s in node.sites if s.metal == start.metal]
        points = start.molecule.positions
        (donor,) = start.donors
        arm = points[donor] - points[start.metal]
        assert arm @ site.direction == pytest.approx(np.linalg.norm(arm))
        for i, j, _ in start.molecule.bonds:
            if donor in (i, j):
                bond = points[i + j - donor] - points[donor]
                cosine = -bond @ arm / np.linalg.norm(bond) / np.linalg.norm(arm)
                assert np.degrees(np.arccos(cosine)) >= LEAST_ANGLE_DEG - 1e-6


def test_two_donors_are_level(node: Node) -> None:
    for start in node_starts(node, reference_molecule("tfsi"), modes=["O,O", "O,N"], count=3):
        (site,) = [s for s in node.sites if s.metal == start.metal]
        points = start.molecule.positions
        first, second = (points[k] - points[start.metal] for k in start.donors)
        assert first @ site.direction == pytest.approx(second @ site.direction, abs=1e-6)
        assert first @ site.direction > 0.5


def test_planned_and_found_contacts_agree(node: Node) -> None:
    for start in node_starts(node, reference_molecule("tfsi"), modes=["O", "N", "F", "O,O"]):
        found = contact_geometry(node, start.molecule, start.adsorbate)
        assert found.mode.startswith(f"{start.site[:2]} {start.mode}")
        assert found.pattern.split(" ")[0] == start.mode
        assert found.denticity == len(start.donors)
        assert set(found.metals[0].donors) == set(start.donors)
        assert found.nearest_ang[start.site] == pytest.approx(min(start.distances_ang))
        assert found.broken == ()


def test_a_seed_decides(node: Node) -> None:
    guest = reference_molecule("tfsi")

    def positions(seed: int, sites: list[str] | None = None) -> dict[str, float]:
        starts = node_starts(node, guest, modes=["O", "O,O"], seed=seed, sites=sites)
        return {s.key: float(apart(s.molecule, [0], list(s.adsorbate)).sum()) for s in starts}

    assert positions(3) == positions(3)
    assert positions(3) != positions(4)
    alone = positions(3, ["Ni1"])
    assert alone == {k: v for k, v in positions(3).items() if k.startswith("Ni1")}


def test_sodium_is_held_by_the_oxygens_of_the_metal(node: Node) -> None:
    starts = node_starts(node, reference_molecule("na+"), count=2)
    assert [s.site for s in starts] == ["Fe1", "Fe1", "Ni1", "Ni1"]
    for start in starts:
        (ion,) = start.adsorbate
        assert start.molecule.charge == 1
        assert start.molecule.symbols[ion] == "Na"
        assert {start.molecule.symbols[k] for k in start.donors} == {"O"}
        assert set(start.donors) & set(node.donors(start.metal))
        np.testing.assert_allclose(start.distances_ang, 0.99 + 1.35, atol=1e-6)
        found = contact_geometry(node, start.molecule, start.adsorbate)
        assert found.metals == ()
        assert found.denticity == 0
        assert set(start.donors) <= set(found.ions[0].donors)
        assert found.mode.startswith("none | Na 2 node 0 own")


def test_salt_at_a_node_counts_both_sides(node: Node) -> None:
    (start,) = node_starts(node, reference_molecule("natfsi"), modes=["Na"], sites=["Ni1"], count=1)
    found = contact_geometry(node, start.molecule, start.adsorbate)
    assert found.mode == "none | Na 2 node 2 own"
    assert found.ions[0].denticity == 4
    assert found.ions[0].limit_ang["O"] == pytest.approx(0.99 + 1.35 + 0.5)


def test_a_donor_counts_up_to_the_limit(node: Node) -> None:
    chloride = Molecule(structure=framed([17], np.zeros((1, 3))), charge=-1)
    (start,) = node_starts(node, chloride, sites=["Ni1"], count=1)
    radius = MetalIon("Ni", 2).radius_ang(6) + DONOR_RADII_ANG["Cl"]
    (ion,) = start.adsorbate
    arm = start.molecule.positions[ion] - start.molecule.positions[start.metal]
    for over, held in ((0.0, True), (0.49, True), (0.51, False), (3.0, False)):
        points = start.molecule.positions.copy()
        points[ion] = points[start.metal] + arm / np.linalg.norm(arm) * (radius + over)
        found = contact_geometry(node, start.molecule.with_positions(points), [ion])
        assert bool(found.metals) is held
        assert found.pattern == ("Cl" if held else "none")
        assert found.nearest_ang["Ni1"] == pytest.approx(radius + over)


def test_a_torn_node_is_told(node: Node) -> None:
    start = node_starts(node, reference_molecule("tfsi"), modes=["O"], count=1)[0]
    points = start.molecule.positions.copy()
    points[3] += [0.0, 0.0, 2.5]  # the oxygen in the middle leaves
    found = contact_geometry(node, start.molecule.with_positions(points), start.adsorbate)
    assert found.broken == ("Fe1-O3", "Fe2-O3", "Ni1-O3")


def test_like_is_compared_with_like(node: Node) -> None:
    starts = node_starts(node, reference_molecule("tfsi-cis"), modes=["O", "O,O"], count=2)
    found = {s.key: contact_geometry(node, s.molecule, s.adsorbate) for s in starts}
    assert by_pattern(found) == {
        "O": ("Fe1-O-0", "Fe1-O-1", "Ni1-O-0", "Ni1-O-1"),
        "O,O ring 6": ("Fe1-O,O-0", "Ni1-O,O-0"),
        "O,O ring 4": ("Fe1-O,O-1", "Ni1-O,O-1"),
    }  # fmt: skip


def test_bonds_between() -> None:
    ring = [(k, (k + 1) % 6, 1.5) for k in range(6)]
    assert [bonds_between(ring, 0, k) for k in range(6)] == [0, 1, 2, 3, 2, 1]
    assert bonds_between(ring, 0, 9) == 0


def test_larger_caps_leave_room() -> None:
    large = trinuclear_node(["Fe", "Fe", "Ni"], cap="benzoate")
    modes = {s.mode for s in node_starts(large, reference_molecule("tfsi"), count=1)}
    assert {"O", "O,O", "N", "F"} <= modes
    wheel = paddlewheel_node(["Cu", "Zn"])
    assert {s.site for s in node_starts(wheel, reference_molecule("tfsi"))} == {"Cu1", "Zn1"}


def test_refused(node: Node) -> None:
    guest = reference_molecule("tfsi")
    for options, message in (
        ({"count": 0}, "at least one start"),
        ({"sites": ["Zn1"]}, "no open site Zn1; there are Fe1, Fe2, Ni1"),
        ({"modes": ["Na"]}, "cannot bind through Na; it can through O; N; F"),
        ({"modes": []}, "cannot bind through anything"),
    ):  # fmt: skip
        with pytest.raises(AdsorptionError, match=message):
            node_starts(node, guest, **options)
    closed = trinuclear_node(["Fe", "Fe", "Ni"], water=True)
    with pytest.raises(AdsorptionError, match="no open metal site"):
        node_starts(closed, guest)
    with pytest.raises(InvalidStructureError, match="in their order"):
        contact_geometry(node, attach_ions(guest, [(11, 1)])[0], [0])
