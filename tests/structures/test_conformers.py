"""Molecules from SMILES, and single ions put beside them."""

from __future__ import annotations

import numpy as np
import pytest
from rdkit import Chem
from scipy.spatial.transform import Rotation

from superionic.structures.conformers import (
    Conformer,
    find_conformers,
    molecule_from_smiles,
    same_shape,
)
from superionic.structures.errors import ConformerError, InvalidStructureError
from superionic.structures.ion_pairs import (
    CATION_RADII_ANG,
    DONOR_RADII_ANG,
    attach_ions,
    contacts,
)
from superionic.structures.molecule import Molecule, framed
from superionic.structures.molecules import reference_molecule
from superionic.structures.rotamers import rotamers
from superionic.structures.structure import distance_matrix

TFSI = "[N-](S(=O)(=O)C(F)(F)F)S(=O)(=O)C(F)(F)F"


@pytest.fixture(scope="module")
def succinonitrile() -> tuple[Conformer, ...]:
    return find_conformers("N#CCCC#N", attempts=25, seed=1)


def test_gauche_and_trans_are_kept_apart(succinonitrile: tuple[Conformer, ...]) -> None:
    assert len(succinonitrile) == 2
    forms = {rotamers(c.molecule)[0].rstrip("+-") for c in succinonitrile}
    assert forms == {"gauche", "trans"}
    assert sum(c.found for c in succinonitrile) == 25
    assert succinonitrile[0].energy_eV == 0.0
    assert 0 < succinonitrile[1].energy_eV < 0.2
    assert {c.force_field for c in succinonitrile} == {"MMFF94s"}


def test_same_seed_same_geometry() -> None:
    first, again, other = (
        molecule_from_smiles("COCCOC", conformers=3, seed=seed) for seed in (5, 5, 6)
    )
    np.testing.assert_array_equal(first.positions, again.positions)
    assert not np.allclose(first.positions, other.positions)


def test_mirror_images_and_equal_atoms_are_one_shape() -> None:
    gauche = reference_molecule("succinonitrile-gauche")
    trans = reference_molecule("succinonitrile-trans")
    turn = Rotation.random(rng=0).as_matrix()
    assert same_shape(gauche, gauche.mirrored())
    assert same_shape(gauche, gauche.with_positions(gauche.positions @ turn.T + 3))
    swapped = Molecule(gauche.structure.take(np.arange(len(gauche))[::-1]))
    assert same_shape(gauche, swapped)
    assert not same_shape(gauche, trans)
    assert not same_shape(gauche, reference_molecule("ec"))


@pytest.mark.parametrize(
    ("smiles", "formula", "charge", "multiplicity"),
    [
        ("O", "H2O", 0, 1),
        ("[Li+]", "Li", 1, 1),
        ("[Ar]", "Ar", 0, 1),
        ("[CH3]", "CH3", 0, 2),
        ("F[P-](F)(F)(F)(F)F", "F6P", -1, 1),
        ("[O-]Cl(=O)(=O)=O", "ClO4", -1, 1),
        ("c1ccccc1", "C6H6", 0, 1),
    ],
)
def test_small_molecules(smiles: str, formula: str, charge: int, multiplicity: int) -> None:
    found = molecule_from_smiles(smiles, conformers=4, name="it")
    assert (found.formula, found.charge, found.spin_multiplicity) == (formula, charge, multiplicity)
    assert found.name == "it"
    assert Chem.CanonSmiles(found.smiles) == Chem.CanonSmiles(smiles)
    orders = {order for _, _, order in found.bonds}
    assert orders == ({1.0, 1.5} if formula == "C6H6" else orders)


def test_open_stereocentres_are_told() -> None:
    assert "1 stereocentre" in molecule_from_smiles("CC1COC(=O)O1", conformers=2).note
    assert molecule_from_smiles("C[C@H]1COC(=O)O1", conformers=2).note == ""


@pytest.mark.parametrize(
    ("smiles", "charge", "message"),
    [
        ("C1CC", None, "syntax is broken"),
        ("", None, "got an empty one"),
        ("C(C)(C)(C)(C)C", None, "valence"),
        ("CC*", None, "open valence"),
        ("CC.CC", None, "one molecule or polyatomic ion"),
        ("[Li+].[O-]C(=O)C(=O)[O-]", None, r"carry -1 e together.*charge=-1"),
        ("[Li+].[Li+]", None, r"\+2 e together"),
        (TFSI, 0, "carries -1 e, but charge=0"),
        ("O.[Na]", None, "one molecule or polyatomic ion"),
    ],
)
def test_what_no_molecule_can_be_made_of(smiles: str, charge: int | None, message: str) -> None:
    with pytest.raises(InvalidStructureError, match=message):
        molecule_from_smiles(smiles, charge=charge)


def test_charge_may_be_declared() -> None:
    found = molecule_from_smiles("[Li+].[O-]C(=O)C(=O)[O-]", charge=-1, conformers=2)
    assert (found.formula, found.charge) == ("C2LiO4", -1)


def test_impossible_geometry_is_told() -> None:
    with pytest.raises(ConformerError, match="No three-dimensional geometry"):
        molecule_from_smiles("C1[C@H]2C[C@@H]1C2(C#C3)C3", conformers=1)  # strained beyond bonding
    with pytest.raises(InvalidStructureError, match="at least one embedding"):
        molecule_from_smiles("CC", conformers=0)


def test_window_drops_the_high_ones() -> None:
    wide = find_conformers("COCCOC", attempts=20, window_eV=1.0)
    narrow = find_conformers("COCCOC", attempts=20, window_eV=0.05)
    energies = [c.energy_eV for c in wide]
    assert energies == sorted(energies)
    assert len(narrow) == sum(e <= 0.05 for e in energies)


# --- ion pairs ------------------------------------------------------------------------------------


@pytest.mark.parametrize("ion", ["Li", "Na", "K"])
@pytest.mark.parametrize("anion", [TFSI, "[O-]Cl(=O)(=O)=O", "[O-]C=O"])
def test_salt_is_a_bidentate_contact_pair(ion: str, anion: str) -> None:
    pair = molecule_from_smiles(f"[{ion}+].{anion}", conformers=6)
    assert pair.charge == 0
    assert pair.symbols[-1] == ion
    assert len(pair.fragments) == 2
    apart = np.sort(distance_matrix(pair.structure)[-1, :-1])
    contact = CATION_RADII_ANG[ion] + DONOR_RADII_ANG["O"]
    np.testing.assert_allclose(apart[:2], contact, atol=1e-6)
    assert apart[2] > contact - 1e-6


def test_contact_of_two_ions() -> None:
    pair = molecule_from_smiles("[Na+].[Cl-]")
    assert sorted(pair.symbols) == ["Cl", "Na"]
    assert pair.length_ang == pytest.approx(0.99 + 1.81)


def test_two_cations_keep_apart() -> None:
    pair = molecule_from_smiles("[Li+].[Li+].[O-]C(=O)C(=O)[O-]", conformers=3)
    apart = distance_matrix(pair.structure)
    assert pair.symbols[-2:] == ("Li", "Li")
    assert apart[-1, -2] > 3.0
    assert apart[-1, :-2].min() > 1.9


def test_energy_is_that_of_point_charges() -> None:
    """Two donors of -1/2 e each: the energy of the bidentate site in closed form."""
    oxygens = Molecule(framed([8, 8], [[0.0, 0.0, 0.0], [2.2, 0.0, 0.0]]), charge=-2)
    best = contacts(oxygens, 3, 1)[0]
    assert best.donors == (0, 1)
    assert best.energy_eV == pytest.approx(-14.399645 * 2 / 1.94)
    pair, energy = attach_ions(oxygens, [(3, 1), (3, 1)])
    assert pair.charge == 0
    lithium = np.linalg.norm(pair.positions[-1] - pair.positions[-2])
    assert energy == pytest.approx(-2 * 14.399645 * 2 / 1.94 + 14.399645 / lithium)
    height = np.sqrt(1.94**2 - 1.1**2)
    assert lithium == pytest.approx(2 * height)  # opposite sides


def test_ions_without_radius_or_room_are_told() -> None:
    with pytest.raises(InvalidStructureError, match="No ionic radius is known for Xe"):
        attach_ions(reference_molecule("clo4"), [(54, 1)])
    with pytest.raises(InvalidStructureError, match="No place for Li"):
        attach_ions(molecule_from_smiles("C", conformers=1), [(3, 1)])
