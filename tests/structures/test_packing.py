"""Boxes packed from a recipe: composition, overlaps, geometry, refusals."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from superionic.structures.box import FILLER, Box
from superionic.structures.box_contacts import (
    CONTACT_SHARE,
    bonded_pairs,
    box_contacts,
    contact_radii_ang,
)
from superionic.structures.cell_grid import CellGrid
from superionic.structures.clusters import build_node
from superionic.structures.contacts import vdw_radii_ang
from superionic.structures.errors import InvalidStructureError, PackingError, UnknownMoleculeError
from superionic.structures.molecules import reference_molecule
from superionic.structures.packing import LEAST_SHARE, build_box
from superionic.structures.polymers import BACKBONE_DEG, chain_layout, peo_chain
from superionic.structures.push_off import chain_strain_ang, push_apart, superimposed
from superionic.structures.recipe import (
    SALTS,
    BoxSpec,
    components_of,
    filler_count,
    find_salt,
    salt_pairs,
    small_molecule,
)
from superionic.structures.rotations import random_rotations

SPEC = BoxSpec(10, 8, salt="NaTFSI", units_per_cation=20.0, density_g_cm3=0.9, seed=3)

NO_SALT: dict[str, Any] = {"salt": None, "units_per_cation": None}


@cache
def packed() -> Box:
    """Eight chains of ten units, four ion pairs and a node."""
    node = build_node(("Fe", "Fe", "Ni")).molecule
    return build_box(replace(SPEC, filler=node, filler_wt_percent=10.0))


def naive_shares(box: Box) -> NDArray[np.float64]:
    """Distance over contact distance of all pairs, all 27 images, atom by atom."""
    radii = np.concatenate([np.tile(contact_radii_ang(c), c.count) for c in box.components])
    joined: set[tuple[int, int]] = set()
    for c in box.components:
        pairs = bonded_pairs(c, 3) if c.is_polymer else np.argwhere(~np.eye(c.atoms, dtype=bool))
        for atoms in box.molecules_of(c.name):
            joined |= {(atoms[i], atoms[j]) for i, j in pairs.tolist()}
    shifts = np.array(np.meshgrid(*[(-1, 0, 1)] * 3)).reshape(3, -1).T * box.edges_ang
    x = box.structure.positions % box.edges_ang
    found = []
    for i in range(len(box)):
        for j in range(i + 1, len(box)):
            if (i, j) not in joined and (j, i) not in joined:
                nearest = np.linalg.norm(x[i] - x[j] + shifts, axis=1).min()
                found.append(nearest / (radii[i] + radii[j]))
    return np.array(found)


# --- composition ----------------------------------------------------------------------------------


def test_composition_of_the_published_kind() -> None:
    """Ten chains of fifty units at EO:Na = 20 hold 25 NaTFSI, 3920 atoms."""
    found = components_of(BoxSpec(50, 10, salt="NaTFSI", units_per_cation=20.0))
    assert [(c.name, c.count, c.units) for c in found] == [
        ("PEO", 10, 50), ("NA", 25, 1), ("TFSI", 25, 1)
    ]  # fmt: skip
    assert sum(c.count * c.atoms for c in found) == 3920


@pytest.mark.parametrize("salt", SALTS)
def test_salts(salt: str) -> None:
    found = components_of(BoxSpec(4, 5, salt=salt, units_per_cation=10.0))
    assert [c.count for c in found] == [5, 2, 2]
    cation, anion = found[1:]
    assert (cation.is_bare_cation, cation.molecule.charge) == (True, 1)
    assert anion.molecule.charge == -1
    assert salt.upper() == f"{cation.name}{anion.name}"
    assert find_salt(salt.lower()) == salt


@pytest.mark.parametrize(
    ("units", "ratio", "pairs"),
    [(500, 20.0, 25), (500, 8.33, 60), (500, 500.0, 1), (10, 0.5, 20), (6, 6, 1)],
)
def test_ratios_that_are_met(units: int, ratio: float, pairs: int) -> None:
    assert salt_pairs(units, ratio) == pairs


def test_ratio_that_is_not_met_names_the_nearest() -> None:
    with pytest.raises(PackingError, match=r"7\.042 \(71 ion pairs\), 6\.944 \(72 ion pairs\)"):
        salt_pairs(500, 7.0)
    with pytest.raises(PackingError, match=r"Nearest are 10 \(1 ion pairs\)"):
        salt_pairs(10, 20.0)


def test_filler_count() -> None:
    node = build_node(("Fe", "Fe", "Ni")).molecule
    single = node.structure.mass_g_per_mol
    assert filler_count(9 * single, node, 10.0) == 1
    assert filler_count(36 * single, node, 10.0) == 4
    with pytest.raises(PackingError, match=r"nearest are 33\.3 wt% \(1\)"):
        filler_count(2 * single, node, 10.0)


def test_extras_of_one_kind_are_added_up() -> None:
    one, two = small_molecule("succinonitrile", 3), small_molecule("succinonitrile", 2)
    found = components_of(replace(SPEC, extras=(one, two)))
    assert [(c.name, c.count) for c in found][3:] == [("SUCC", 5)]
    clash = small_molecule("ec", 1, name="SUCC")
    with pytest.raises(InvalidStructureError, match="name one of them otherwise"):
        components_of(replace(SPEC, extras=(one, clash)))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"salt": "NaTFSA"}, UnknownMoleculeError, "Did you mean NaTFSI"),
        ({"salt": "MgCl2"}, UnknownMoleculeError, "there are NaTFSI, LiTFSI, NaClO4"),
        ({"units_per_cation": 7.0}, PackingError, "cannot meet EO:cation = 7"),
        ({"units_per_cation": None}, PackingError, "needs a ratio"),
        ({"units_per_cation": -20.0}, PackingError, "positive number"),
        ({"salt": None}, PackingError, "ratio needs a salt"),
        ({"chains": 0}, PackingError, "one or more chains"),
        ({"units": 1}, PackingError, "two or more units"),
        ({"filler_wt_percent": 10.0}, PackingError, "weight fraction a filler"),
        ({"density_g_cm3": 0.0}, PackingError, "at least 0.05"),
        ({"density_g_cm3": float("nan")}, PackingError, "at least 0.05"),
        ({"density_g_cm3": 30.0}, PackingError, "Expected at most about"),
        ({"density_g_cm3": 2.3}, PackingError, "do not fit at 2.3"),
        ({"extras": (small_molecule("na+", 2),)}, InvalidStructureError, r"charge of \+2 e"),
        ({"units": 2, "chains": 2, **NO_SALT}, PackingError, "more or longer chains"),
    ],
)
def test_bad_recipes(changes: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build_box(replace(SPEC, **changes))


def test_charged_filler_is_refused_unless_compensated() -> None:
    node = build_node(("Fe", "Fe", "Fe"), charge=1).molecule
    spec = replace(SPEC, filler=node, filler_wt_percent=10.0)
    with pytest.raises(InvalidStructureError, match=r"charge of \+1 e \(4 NA .* 1 FIL of \+1\)"):
        components_of(spec)
    found = components_of(replace(spec, extras=(small_molecule("clo4", 1),)))
    assert [(c.name, c.count) for c in found][2:] == [("TFSI", 4), ("CLO4", 1), (FILLER, 1)]


@settings(max_examples=12, deadline=None)
@given(
    units=st.integers(2, 6),
    chains=st.integers(6, 9),
    salt=st.sampled_from([None, "NaClO4", "LiTFSI"]),
    pairs=st.integers(1, 4),
    nitriles=st.integers(0, 3),
    seed=st.integers(0, 10**6),
)
def test_composition_is_exact(
    units: int, chains: int, salt: str | None, pairs: int, nitriles: int, seed: int
) -> None:
    extras = (small_molecule("sn", nitriles),) if nitriles else ()
    ratio = None if salt is None else units * chains / pairs
    spec = BoxSpec(
        units, chains, salt=salt, units_per_cation=ratio, extras=extras, density_g_cm3=0.7,
        seed=seed,
    )  # fmt: skip
    box = build_box(spec)
    counts = {c.name: c.count for c in box.components}
    assert counts["PEO"] == chains
    assert box.repeat_units == units * chains
    assert box.cations == (0 if salt is None else pairs)
    assert counts.get("SUCC", 0) == nitriles
    assert box.charge == 0
    assert box.density_g_cm3 == pytest.approx(0.7)
    oxygens = units * chains + {None: 0, "NaClO4": 4 * pairs, "LiTFSI": 4 * pairs}[salt]
    assert len(box.structure.indices("O")) == oxygens
    assert box_contacts(box).lowest_share >= LEAST_SHARE


# --- the packed box -------------------------------------------------------------------------------


def test_packed_box_holds_what_was_asked() -> None:
    box = packed()
    assert [(c.name, c.count, c.rigid) for c in box.components] == [
        ("PEO", 8, False), ("NA", 4, False), ("TFSI", 4, False), (FILLER, 1, True)
    ]  # fmt: skip
    assert box.units_per_cation == 20.0
    assert box.filler_weight_fraction == pytest.approx(0.1, rel=0.2)
    assert box.density_g_cm3 == pytest.approx(0.9)
    assert box.structure.labels[:4] == ("C1", "H11", "H12", "H13")


def test_nothing_overlaps_by_a_naive_reference() -> None:
    box = packed()
    shares = naive_shares(box)
    report = box_contacts(box)
    assert shares.min() >= LEAST_SHARE
    assert report.lowest_share == pytest.approx(shares.min(), abs=1e-9)


def test_shortest_distances_by_pair() -> None:
    box = packed()
    report = box_contacts(box)
    symbols = np.array(box.structure.symbols)
    assert {"H-H", "C-H", "H-O", "Na-O"} <= set(report.shortest_ang)
    for pair, distance in report.shortest_ang.items():
        numbers = [int(box.structure.numbers[symbols == s][0]) for s in pair.split("-")]
        if "Na" not in pair:
            assert distance >= LEAST_SHARE * CONTACT_SHARE * vdw_radii_ang(numbers).sum()
    assert report.shortest_ang["Na-O"] >= LEAST_SHARE * 2.34


def test_molecules_keep_their_geometry() -> None:
    """Chains keep bonds and angles within 0.03 A and 2 degrees; all else is its template."""
    box = packed()
    for c in box.components:
        template = c.molecule.positions
        for atoms in box.molecules_of(c.name):
            found = box.structure.positions[list(atoms)]
            pairs = bonded_pairs(c, 2) if c.is_polymer else np.argwhere(np.tri(c.atoms, k=-1))
            lengths, expected = (
                np.linalg.norm(x[pairs[:, 0]] - x[pairs[:, 1]], axis=1) for x in (found, template)
            )
            tolerance = 0.03 if c.is_polymer else 1e-6
            np.testing.assert_allclose(lengths, expected, atol=tolerance)
            if c.atoms > 3 and not c.is_polymer:
                assert handedness(found) == pytest.approx(handedness(template), abs=1e-6)
    spine = np.array(chain_layout(10).skeleton)
    for atoms in box.molecules_of("PEO"):
        x = box.structure.positions[np.array(atoms)[spine]]
        u, v = x[:-2] - x[1:-1], x[2:] - x[1:-1]
        cosine = (u * v).sum(axis=1) / np.linalg.norm(u, axis=1) / np.linalg.norm(v, axis=1)
        np.testing.assert_allclose(np.degrees(np.arccos(cosine)), BACKBONE_DEG, atol=2.0)


def handedness(positions: NDArray[np.float64]) -> float:
    a, b, c = positions[1:4] - positions[0]
    return float(np.linalg.det([a, b, c]))


def test_molecules_are_whole_and_their_middles_in_the_cell() -> None:
    box = packed()
    ends = box.structure.positions[box.bonds]
    assert np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1).max() < 2.7
    for c in box.components:
        for atoms in box.molecules_of(c.name):
            middle = box.structure.positions[list(atoms)].mean(axis=0)
            assert (middle >= -1e-9).all()
            assert (middle < box.edges_ang + 1e-9).all()


def test_hydroxyl_ends() -> None:
    box = build_box(BoxSpec(5, 8, ends="hydroxyl", density_g_cm3=1.0, seed=1))
    assert len(box.structure.indices("O")) == 8 * 6
    assert box.structure.labels[:3] == ("O1", "HO1", "C1")
    assert box_contacts(box).lowest_share >= LEAST_SHARE


def test_chains_fill_the_cell_evenly() -> None:
    """No eighth of the cell is left empty, although chains are longer than its edge."""
    box = build_box(BoxSpec(50, 5, density_g_cm3=0.9, seed=0))
    assert box.component("PEO").molecule.length_ang > 4 * box.edges_ang[0]
    eighth = np.floor(box.structure.fractional % 1.0 * 2).astype(int) % 2
    counts = np.bincount(eighth @ [4, 2, 1], minlength=8) / len(box)
    assert (counts > 0.08).all()
    assert (counts < 0.17).all()


def test_same_seed_same_box() -> None:
    spec = replace(SPEC, chains=6, units_per_cation=30.0)
    first, again, other = (build_box(replace(spec, seed=s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.structure.positions, again.structure.positions)
    assert not np.allclose(first.structure.positions, other.structure.positions)
    np.testing.assert_array_equal(first.structure.numbers, other.structure.numbers)


def test_chains_keep_their_rotational_states() -> None:
    """Pushing apart leaves most torsions about C-C gauche, most about C-O trans."""
    box = build_box(BoxSpec(25, 6, density_g_cm3=0.9, seed=5))
    spine = np.array(chain_layout(25).skeleton)
    kinds = {"CC": [], "CO": []}  # type: dict[str, list[float]]
    backbone = chain_layout(25).backbone
    from superionic.structures.molecule import torsion_deg

    for atoms in box.molecules_of("PEO"):
        x = box.structure.positions[np.array(atoms)[spine]]
        for k in range(len(spine) - 3):
            pair = backbone[k + 1 : k + 3]
            kinds["CC" if pair == "CC" else "CO"].append(abs(torsion_deg(x[k : k + 4])))
    gauche = {kind: float((np.array(found) < 120).mean()) for kind, found in kinds.items()}
    assert 0.6 < gauche["CC"] < 0.9
    assert 0.15 < gauche["CO"] < 0.5


# --- its tools ------------------------------------------------------------------------------------


def test_grid_finds_what_a_loop_finds() -> None:
    rng = np.random.default_rng(0)
    for edges in ([9.0, 9.0, 9.0], [30.0, 17.0, 41.0]):
        box = np.array(edges)
        points = rng.uniform(-2, 3, size=(400, 3)) * box
        grid = CellGrid(box, len(points))
        grid.add(points[:150], np.full(150, 1.0))
        assert grid.add(points[150:], np.full(250, 1.0)) == (150, 400)
        for centre in rng.uniform(-1, 2, size=(20, 3)) * box:
            apart = points - centre
            apart -= box * np.round(apart / box)
            expected = np.flatnonzero(np.linalg.norm(apart, axis=1) <= 6.0)
            np.testing.assert_array_equal(np.sort(grid.near(centre, 6.0)), expected)


def test_overlap_of_two_atoms() -> None:
    grid = CellGrid(np.full(3, 20.0), 1)
    grid.add(np.array([[0.5, 0.5, 0.5]]), np.array([1.0]))
    trials = np.array([[[19.5, 0.5, 0.5]], [[2.5, 0.5, 0.5]], [[1.5, 0.5, 0.5]]])
    found = grid.overlaps(trials, np.array([1.0]), np.array([0]))
    np.testing.assert_allclose(found, [0.25, 0.0, 0.25])


def test_templates_are_laid_over_copies() -> None:
    rng = np.random.default_rng(1)
    template = reference_molecule("tfsi").centred()
    turned = template @ random_rotations(7, rng) + rng.normal(size=(7, 1, 3)) * 10
    np.testing.assert_allclose(superimposed(template, turned), turned, atol=1e-9)
    shaken = turned + rng.normal(size=turned.shape) * 0.1
    found = superimposed(template, shaken)
    assert np.sqrt(((found - turned) ** 2).sum(axis=2).mean()) < 0.15


def test_radii_of_bare_cations_are_ionic() -> None:
    natfsi = components_of(SPEC)
    sodium, anion = (contact_radii_ang(c) for c in natfsi[1:])
    oxygen = anion[natfsi[2].molecule.symbols.index("O")]
    assert sodium[0] + oxygen == pytest.approx(2.34)


def test_template_of_chains_is_the_helix() -> None:
    chain = components_of(SPEC)[0]
    np.testing.assert_array_equal(
        chain.molecule.positions, peo_chain(10, torsions="helix").positions
    )
    assert chain.residues == chain_layout(10).residues


def test_strain_of_chains_is_seen() -> None:
    """A bond that is drawn out by a quarter of an angstrom, in the second of two chains."""
    (chain,) = components_of(BoxSpec(4, 2, **NO_SALT))
    both = np.vstack([chain.molecule.positions, chain.molecule.positions + 20.0])
    assert chain_strain_ang([chain], both) == pytest.approx(0.0, abs=1e-9)
    terminal = both[chain.atoms + 1] - both[chain.atoms]  # C-H at the end of the chain
    both[chain.atoms + 1] += 0.25 * terminal / np.linalg.norm(terminal)
    assert chain_strain_ang([chain], both) == pytest.approx(0.25, abs=1e-6)


def test_chains_that_stay_strained_are_refused() -> None:
    (chain,) = components_of(BoxSpec(10, 4, **NO_SALT))
    edges = np.full(3, 5.0)  # 70 atoms a chain in 125 cubic angstrom
    places = np.random.default_rng(0).random((chain.count, 1, 3)) * edges
    start = (chain.molecule.centred() + places).reshape(-1, 3)
    with pytest.raises(PackingError, match=r"chains do not fit: after \d+ steps"):
        push_apart([chain], edges, start)
