"""Chains of poly(ethylene oxide): atoms, geometry, rotational states."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray

from superionic.structures.errors import InvalidStructureError
from superionic.structures.molecule import Molecule
from superionic.structures.polymers import (
    BACKBONE_DEG,
    BONDS_ANG,
    HCH_DEG,
    HELIX_DEG,
    METHYL_DEG,
    Ends,
    backbone_positions,
    chain_layout,
    peo_chain,
)
from superionic.structures.rotational_states import (
    GAS_KCAL_PER_MOL_K,
    GAUCHE_MINUS,
    GAUCHE_PLUS,
    ChainStatistics,
)
from superionic.structures.zmatrix import methylene_hydrogens, place_atom

ENDS: tuple[Ends, ...] = ("methyl", "hydroxyl")


def angle_deg(molecule: Molecule, i: int, j: int, k: int) -> float:
    a, b, c = molecule.positions[[i, j, k]]
    u, v = (a - b) / np.linalg.norm(a - b), (c - b) / np.linalg.norm(c - b)
    return float(np.degrees(np.arccos(u @ v)))


def neighbours(molecule: Molecule) -> list[list[int]]:
    found: list[list[int]] = [[] for _ in range(len(molecule))]
    for i, j, _ in molecule.bonds:
        found[i].append(j)
        found[j].append(i)
    return found


# --- atoms ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ends", "oxygens"), [("methyl", 0), ("hydroxyl", 1)])
@pytest.mark.parametrize("units", [2, 3, 20])
def test_formula_and_valences(units: int, ends: Ends, oxygens: int) -> None:
    chain = peo_chain(units, ends=ends, torsions="helix")
    expected = Counter(C=2 * units, H=4 * units + 2, O=units + oxygens)
    assert Counter(chain.symbols) == expected
    assert chain.charge == 0
    valence = Counter(k for i, j, _ in chain.bonds for k in (i, j))
    assert all(valence[k] == {"C": 4, "H": 1, "O": 2}[s] for k, s in enumerate(chain.symbols))
    assert len(chain.fragments) == 1
    assert len(chain.bonds) == len(chain) - 1


def test_methyl_chains_are_glymes() -> None:
    from superionic.structures.molecules import reference_molecule

    for units, name in ((2, "g1"), (3, "g2"), (4, "g3"), (5, "g4")):
        assert peo_chain(units).formula == reference_molecule(name).formula


@pytest.mark.parametrize("ends", ENDS)
def test_labels_are_unique_in_a_residue(ends: Ends) -> None:
    layout = chain_layout(4, ends=ends)
    names = list(zip(layout.residues, layout.labels, strict=True))
    assert len(set(names)) == len(names)
    assert max(map(len, layout.labels)) <= 4
    assert sorted(set(layout.residues)) == [0, 1, 2, 3]
    inner = [label for residue, label in names if residue == 1]
    assert (
        inner
        == {
            "methyl": ["C1", "H11", "H12", "O1", "C2", "H21", "H22"],
            "hydroxyl": ["O1", "C1", "H11", "H12", "C2", "H21", "H22"],
        }[ends]
    )
    assert [s + n[1:] for s, n in zip(layout.symbols, layout.labels, strict=True)] == list(
        layout.labels
    )


@pytest.mark.parametrize("units", [1, 0, -3])
def test_too_short(units: int) -> None:
    with pytest.raises(InvalidStructureError, match="two or more units"):
        peo_chain(units)


def test_unknown_ends() -> None:
    with pytest.raises(InvalidStructureError, match="methyl or hydroxyl"):
        chain_layout(5, ends="ethyl")  # type: ignore[arg-type]


def test_smiles_is_that_chain() -> None:
    from superionic.structures.molecules import molecule_from_smiles

    for ends in ENDS:
        chain = peo_chain(2, ends=ends, torsions="trans")
        assert molecule_from_smiles(chain.smiles, conformers=1).formula == chain.formula


# --- geometry -------------------------------------------------------------------------------------


@pytest.mark.parametrize("ends", ENDS)
@pytest.mark.parametrize("shape", ["states", "helix", "trans"])
def test_bond_lengths_and_angles(ends: Ends, shape: str) -> None:
    chain = peo_chain(8, ends=ends, torsions=shape, seed=3)  # type: ignore[arg-type]
    symbols = chain.symbols
    for i, j, _ in chain.bonds:
        length = np.linalg.norm(chain.positions[i] - chain.positions[j])
        kind = "".join(sorted((symbols[i], symbols[j]), key="COH".index))
        assert length == pytest.approx(BONDS_ANG[kind], abs=1e-9)
    layout = chain_layout(8, ends=ends)
    spine = layout.skeleton
    for k in range(1, len(spine) - 1):
        assert angle_deg(chain, *spine[k - 1 : k + 2]) == pytest.approx(BACKBONE_DEG, abs=1e-6)
        if hydrogens := layout.hydrogens[k]:
            first, second = hydrogens
            assert angle_deg(chain, first, spine[k], second) == pytest.approx(HCH_DEG, abs=1e-6)
            sides = {
                round(angle_deg(chain, h, spine[k], spine[k + m]), 6)
                for h in hydrogens
                for m in (-1, 1)
            }
            assert len(sides) == 1
            assert 108.0 < sides.pop() < 110.0
    if ends == "methyl":
        for end, inner in ((0, 1), (-1, -2)):
            for h in layout.hydrogens[end]:
                found = angle_deg(chain, h, spine[end], spine[inner])
                assert found == pytest.approx(METHYL_DEG, abs=1e-6)


@pytest.mark.parametrize("ends", ENDS)
def test_torsions_are_those_given(ends: Ends) -> None:
    layout = chain_layout(6, ends=ends)
    given = np.random.default_rng(5).uniform(-179, 179, len(layout.backbone) - 3)
    given[:] = np.where(np.abs(given) < 50, 120.0, given)
    chain = peo_chain(6, ends=ends, torsions=given.tolist())
    found = [
        chain.torsion_deg(*layout.skeleton[k : k + 4]) for k in range(len(layout.skeleton) - 3)
    ]
    np.testing.assert_allclose(found, given, atol=1e-6)


def test_all_trans_is_flat_and_stretched() -> None:
    layout = chain_layout(10)
    chain = peo_chain(10, torsions="trans")
    spine = chain.positions[list(layout.skeleton)]
    assert np.linalg.svd(spine - spine.mean(axis=0))[1][2] < 1e-9
    half = np.sin(np.radians(BACKBONE_DEG / 2))
    # two C-O and one C-C per unit, their projections on a line through equal angles
    assert np.linalg.norm(spine[-1] - spine[0]) == pytest.approx(
        half * (20 * BONDS_ANG["CO"] + 9 * BONDS_ANG["CC"]), rel=2e-3
    )


def test_helix_is_that_of_the_crystal() -> None:
    """Seven units in two turns repeat after 19.5 A (Takahashi and Tadokoro)."""
    layout = chain_layout(29)
    spine = peo_chain(29, torsions="helix").positions[list(layout.skeleton)]
    oxygens = spine[1::3]
    pitch = np.linalg.norm(oxygens[21] - oxygens[0]) / 3
    assert pitch == pytest.approx(19.5, abs=1.0)
    assert HELIX_DEG["CC"] == 65.0


@pytest.mark.parametrize("torsions", [[180.0], "gauche", [float("nan")] * 6])
def test_torsions_that_do_not_fit(torsions: list[float] | str) -> None:
    with pytest.raises(InvalidStructureError, match=r"torsions|Torsions"):
        peo_chain(3, torsions=torsions)  # type: ignore[arg-type]


def test_drawn_chains_are_free_of_overlaps_and_repeatable() -> None:
    first, again, other = (peo_chain(50, seed=s) for s in (4, 4, 5))
    np.testing.assert_array_equal(first.positions, again.positions)
    assert not np.allclose(first.positions, other.positions)
    apart = np.linalg.norm(first.positions[:, None] - first.positions[None], axis=-1)
    np.fill_diagonal(apart, np.inf)
    assert apart.min() > 0.5


def test_placing_against_naive_reference() -> None:
    rng = np.random.default_rng(0)
    a, b, c = rng.normal(size=(3, 5, 3))
    torsions = rng.uniform(-180, 180, 5)
    placed = place_atom(a, b, c, length_ang=1.4, angle_deg=110.0, torsion_deg=torsions)
    from superionic.structures.molecule import torsion_deg

    for k in range(5):
        assert np.linalg.norm(placed[k] - c[k]) == pytest.approx(1.4)
        u, v = b[k] - c[k], placed[k] - c[k]
        cosine = u @ v / np.linalg.norm(u) / np.linalg.norm(v)
        assert np.degrees(np.arccos(cosine)) == pytest.approx(110.0)
        found = torsion_deg([a[k], b[k], c[k], placed[k]])
        assert found == pytest.approx(torsions[k])


def test_methylene_of_a_tetrahedron() -> None:
    corners = np.array([[1.0, 1, 1], [-1, -1, 1], [-1, 1, -1], [1, -1, -1]])
    tetrahedral = np.degrees(np.arccos(-1 / 3))
    found = methylene_hydrogens(
        corners[0], np.zeros(3), corners[1], length_ang=np.sqrt(3.0), angle_deg=tetrahedral
    )
    assert {tuple(np.round(x, 9)) for x in found} == {tuple(x) for x in corners[2:]}


# --- rotational states ----------------------------------------------------------------------------


def naive_probabilities(backbone: str, temperature_K: float) -> dict[tuple[int, ...], float]:
    """Weight of every sequence of states, by the energies written out bond by bond."""
    from itertools import product

    thermal = GAS_KCAL_PER_MOL_K * temperature_K
    bonds = range(1, len(backbone) - 2)
    found: dict[tuple[int, ...], float] = {}
    for states in product(range(3), repeat=len(bonds)):
        energy = 0.0
        for n, k in enumerate(bonds):
            if states[n]:
                energy += -0.5 if backbone[k : k + 2] == "CC" else 0.9
            if n and {states[n - 1], states[n]} == {GAUCHE_PLUS, GAUCHE_MINUS}:
                energy += np.inf if backbone[k] == "O" else 0.4
        found[states] = float(np.exp(-energy / thermal))
    total = sum(found.values())
    return {states: weight / total for states, weight in found.items()}


@pytest.mark.parametrize("backbone", ["COCCOC", "OCCOCC", "CCOCCO"])
def test_drawn_states_have_their_weights(backbone: str) -> None:
    """The product of the conditional probabilities is the weight of the whole sequence."""
    statistics = ChainStatistics(backbone, temperature_K=350.0)
    for states, expected in naive_probabilities(backbone, 350.0).items():
        product, last = 1.0, 0
        for k, state in enumerate(states):
            product *= float(statistics.conditional[k, last, state])
            last = state
        assert product == pytest.approx(expected, abs=1e-12)


def test_frequencies_of_drawn_states() -> None:
    statistics = ChainStatistics("COCCOC", temperature_K=350.0)
    drawn = statistics.draw(40_000, np.random.default_rng(1))
    seen = Counter(map(tuple, drawn.tolist()))
    for states, expected in naive_probabilities("COCCOC", 350.0).items():
        error = np.sqrt(expected * (1 - expected) / 40_000) + 1e-9
        assert abs(seen[states] / 40_000 - expected) < 5 * error


def characteristic_ratio(units: int, count: int, temperature_K: float, seed: int) -> float:
    backbone = chain_layout(units).backbone
    statistics = ChainStatistics(backbone, temperature_K=temperature_K)
    rng = np.random.default_rng(seed)
    torsions = statistics.torsions_deg(statistics.draw(count, rng), rng, width_deg=0.0)
    spine = backbone_positions(backbone, torsions)
    squared: NDArray[np.float64] = ((spine[:, -1] - spine[:, 0]) ** 2).sum(axis=1)
    bonds = ((np.diff(spine[0], axis=0)) ** 2).sum()
    return float(squared.mean() / bonds)


def test_characteristic_ratio() -> None:
    """Long free chains have C = 5.2, as Abe and Mark found with these energies.

    Of 800 chains the mean square distance is known to 3 %.
    """
    assert characteristic_ratio(150, 800, 303.0, 0) == pytest.approx(5.2, rel=0.1)


def test_gauche_is_preferred_about_carbon_carbon_only() -> None:
    statistics = ChainStatistics(chain_layout(60).backbone, temperature_K=400.0)
    gauche = statistics.draw(500, np.random.default_rng(2)) > 0
    kinds = np.array(statistics.kinds)
    assert 0.70 < gauche[:, kinds == "CC"].mean() < 0.85
    assert 0.20 < gauche[:, kinds == "CO"].mean() < 0.40


@pytest.mark.parametrize(
    ("backbone", "temperature", "message"),
    [("COOC", 300.0, "O-O"), ("CNCC", 300.0, "C and O"), ("COCC", 0.0, "above 0 K")],
)
def test_statistics_refuse(backbone: str, temperature: float, message: str) -> None:
    with pytest.raises(InvalidStructureError, match=message):
        ChainStatistics(backbone, temperature_K=temperature)
