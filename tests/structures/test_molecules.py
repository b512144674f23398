"""The molecule value, the packaged molecules, boxes and rotamers."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import molecule as ase_molecule
from ase.data import covalent_radii
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdMolTransforms
from scipy.spatial.transform import Rotation

from superionic.structures.errors import InvalidStructureError, UnknownMoleculeError
from superionic.structures.molecule import (
    Molecule,
    boxed,
    check_box,
    fragments,
    framed,
    free_molecule,
    image_separation,
    torsion_deg,
)
from superionic.structures.molecules import (
    find_molecule,
    reference_molecule,
    reference_molecules,
)
from superionic.structures.rotamers import rotamer, rotamers, rotatable_torsions
from superionic.structures.structure import Structure, distance_matrix

CHARGES = {"tfsi-trans": -1, "tfsi-cis": -1, "clo4": -1, "pf6": -1, "li+": 1, "na+": 1}
FORMULAS = {
    "succinonitrile-gauche": "C4H4N2", "succinonitrile-trans": "C4H4N2",
    "tfsi-trans": "C2F6NO4S2", "tfsi-cis": "C2F6NO4S2", "litfsi": "C2F6LiNO4S2",
    "natfsi": "C2F6NNaO4S2", "clo4": "ClO4", "naclo4": "ClNaO4", "ec": "C3H4O3", "pc": "C4H6O3",
    "fec": "C3H3FO3", "g1": "C4H10O2", "g2": "C6H14O3", "g3": "C8H18O4", "g4": "C10H22O5",
    "li+": "Li", "na+": "Na", "pf6": "F6P", "napf6": "F6NaP",
}  # fmt: skip


def moved(molecule: Molecule, seed: int) -> Molecule:
    """The same molecule elsewhere, turned."""
    rng = np.random.default_rng(seed)
    turn = Rotation.random(rng=rng).as_matrix()
    return molecule.with_positions(molecule.positions @ turn.T + rng.normal(size=3) * 10)


def bond_lengths(molecule: Molecule) -> NDArray[np.float64]:
    pairs = np.array([(i, j) for i, j, _ in molecule.bonds])
    apart = molecule.positions[pairs[:, 0]] - molecule.positions[pairs[:, 1]]
    return np.asarray(np.linalg.norm(apart, axis=1))


# --- the packaged molecules -----------------------------------------------------------------------


def test_what_is_packaged() -> None:
    assert {name: reference_molecule(name).formula for name in reference_molecules()} == FORMULAS


@pytest.mark.parametrize("name", FORMULAS)
def test_packaged_molecule_is_whole_and_sourced(name: str) -> None:
    found = reference_molecule(name)
    assert found.name == name
    assert found.charge == CHARGES.get(name, 0)
    assert found.spin_multiplicity == 1
    assert found.source
    assert not any(found.structure.pbc)
    assert len(found.fragments) == 1 + (name in ("litfsi", "natfsi", "naclo4", "napf6"))
    if found.bonds:
        radii = covalent_radii[found.structure.numbers]
        sums = np.array([radii[i] + radii[j] for i, j, _ in found.bonds])
        assert (bond_lengths(found) > 0.75 * sums).all()
        assert (bond_lengths(found) < 1.15 * sums).all()


@pytest.mark.parametrize("name", FORMULAS)
def test_packaged_bonds_are_those_of_the_smiles_and_of_the_distances(name: str) -> None:
    found = reference_molecule(name)
    graph = Chem.AddHs(Chem.MolFromSmiles(found.smiles))
    assert graph.GetNumAtoms() == len(found)
    assert graph.GetNumBonds() == len(found.bonds)
    assert Chem.GetFormalCharge(graph) == found.charge
    by_distance = free_molecule(found.structure, charge=found.charge)
    assert {b[:2] for b in by_distance.bonds} == {b[:2] for b in found.bonds}


def test_succinonitrile_comes_in_two_forms() -> None:
    gauche, trans = (reference_molecule(f"succinonitrile-{form}") for form in ("gauche", "trans"))
    (four,) = rotatable_torsions(gauche)
    assert [gauche.symbols[k] for k in four] == ["C", "C", "C", "C"]
    assert abs(gauche.torsion_deg(*four)) == pytest.approx(65, abs=10)
    assert abs(trans.torsion_deg(*four)) == pytest.approx(180, abs=1)
    assert rotamers(trans) == ("trans",)
    assert rotamers(gauche)[0] in ("gauche+", "gauche-")
    assert {rotamers(gauche)[0], rotamers(gauche.mirrored())[0]} == {"gauche+", "gauche-"}
    assert rotamers(gauche, trans.positions) == ("trans",)
    assert reference_molecule("succinonitrile") is gauche


def sulfonyl_torsion(molecule: Molecule) -> float:
    """C-S...S-C of TFSI in degrees."""
    near: dict[int, list[int]] = {k: [] for k in range(len(molecule))}
    for i, j, _ in molecule.bonds:
        near[i].append(j)
        near[j].append(i)
    first, last = (k for k, s in enumerate(molecule.symbols) if s == "S")
    ends = [next(k for k in near[s] if molecule.symbols[k] == "C") for s in (first, last)]
    return molecule.torsion_deg(ends[0], first, last, ends[1])


def test_tfsi_comes_in_two_forms() -> None:
    assert abs(sulfonyl_torsion(reference_molecule("tfsi-trans"))) > 120
    assert abs(sulfonyl_torsion(reference_molecule("tfsi-cis"))) < 90
    assert reference_molecule("TFSI-").name == "tfsi-trans"


@pytest.mark.parametrize(
    ("name", "ion", "length"),
    [("litfsi", "Li", 1.94), ("natfsi", "Na", 2.34), ("naclo4", "Na", 2.34)],
)
def test_salts_start_bidentate(name: str, ion: str, length: float) -> None:
    pair = reference_molecule(name)
    apart = distance_matrix(pair.structure)[pair.symbols.index(ion)]
    order = np.argsort(apart)[1:]
    assert [pair.symbols[k] for k in order[:2]] == ["O", "O"]
    np.testing.assert_allclose(apart[order[:2]], length, atol=2e-3)
    assert apart[order[2]] > length + 0.2


def test_unknown_name_names_the_nearest() -> None:
    with pytest.raises(UnknownMoleculeError, match="Did you mean 'litfsi'"):
        reference_molecule("litsfi")
    with pytest.raises(UnknownMoleculeError, match="There are succinonitrile-gauche"):
        reference_molecule("water-like stuff")


def test_a_word_stands_for_a_name_before_a_smiles() -> None:
    assert find_molecule("pc").formula == "C4H6O3"
    assert find_molecule("CP").formula == "CH5P"
    assert find_molecule("tfsi", charge=-1).charge == -1
    with pytest.raises(InvalidStructureError, match="charge of -1 e, but 0 e"):
        find_molecule("tfsi", charge=0)
    with pytest.raises(UnknownMoleculeError, match="Did you mean 'litfsi'"):
        find_molecule("litsfi")
    with pytest.raises(InvalidStructureError, match="syntax is broken"):
        find_molecule("C(=O")


# --- the value ------------------------------------------------------------------------------------


def water(charge: int = 0, spin_multiplicity: int = 1) -> Molecule:
    atoms = ase_molecule("H2O")
    bonds = ((0, 1, 1.0), (0, 2, 1.0))
    return Molecule(framed(atoms.numbers, atoms.positions), charge, spin_multiplicity, bonds=bonds)


def test_electrons_must_fit() -> None:
    assert water(charge=1, spin_multiplicity=2).charge == 1
    for charge, multiplicity in ((1, 1), (0, 2), (0, 0), (10, 3)):
        with pytest.raises(InvalidStructureError, match="electrons"):
            water(charge=charge, spin_multiplicity=multiplicity)


def test_bonds_must_join_atoms() -> None:
    plain = water()
    for bonds in (((0, 3, 1.0),), ((1, 1, 1.0),), ((0, 1, 1.0), (1, 0, 2.0)), ((-1, 0, 1.0),)):
        with pytest.raises(InvalidStructureError, match="Bonds must join"):
            Molecule(plain.structure, bonds=bonds)


def test_nan_overlap_and_periodic_atoms_are_refused() -> None:
    with pytest.raises(InvalidStructureError, match="finite"):
        framed([8], [[np.nan, 0.0, 0.0]])
    with pytest.raises(InvalidStructureError, match="at least one atom"):
        framed([], np.zeros((0, 3)))
    with pytest.raises(InvalidStructureError, match="closer than"):
        Molecule(framed([1, 1], [[0.0, 0.0, 0.0], [0.1, 0.0, 0.0]]))
    with pytest.raises(InvalidStructureError, match="not periodic"):
        Molecule(Structure(np.array([2]), np.zeros((1, 3)), np.eye(3) * 9))


def test_fragments_follow_bonds() -> None:
    assert fragments(5, ((0, 3, 1.0), (1, 2, 1.0))) == ((0, 3), (1, 2), (4,))
    assert fragments(3, ()) == ((0,), (1,), (2,))


def test_length_and_centre() -> None:
    found = Molecule(framed([6, 8], [[1.0, 2.0, 3.0], [1.0, 2.0, 4.2]]))
    assert found.length_ang == pytest.approx(1.2)
    masses = np.array([12.011, 15.999])
    np.testing.assert_allclose(masses @ found.centred(), 0, atol=1e-9)


@given(st.floats(-179.9, 179.9))
def test_torsion_is_what_it_was_built_with(angle: float) -> None:
    rad = np.radians(angle)
    points = np.array([[1, 0, 0], [0, 0, 0], [0, 0, 1.5], [np.cos(rad), np.sin(rad), 2]])
    # looking along +z, from the front atom on, growing angles turn clockwise
    assert torsion_deg(points) == pytest.approx(angle, abs=1e-6)
    assert torsion_deg(points * [1, -1, 1]) == pytest.approx(-angle, abs=1e-6)
    turn = Rotation.random(rng=3).as_matrix()
    assert torsion_deg(points @ turn.T + 5) == pytest.approx(angle, abs=1e-6)


def test_torsion_agrees_with_rdkit() -> None:
    found = reference_molecule("g2")
    graph = Chem.AddHs(Chem.MolFromSmiles(found.smiles))
    shape = Chem.Conformer(len(found))
    for k, point in enumerate(found.positions):
        shape.SetAtomPosition(k, [float(x) for x in point])
    graph.AddConformer(shape)
    for four in rotatable_torsions(found):
        expected = rdMolTransforms.GetDihedralDeg(graph.GetConformer(), *four)
        assert found.torsion_deg(*four) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("angle", "expected"),
    [
        (180, "trans"), (-180, "trans"), (130, "trans"), (240, "trans"), (65, "gauche+"),
        (-65, "gauche-"), (295, "gauche-"), (0, "cis"), (359, "cis"), (-29, "cis"),
    ],
)  # fmt: skip
def test_rotamer_classes(angle: float, expected: str) -> None:
    assert rotamer(angle) == expected


def test_rings_nitriles_and_methyl_have_no_rotamer() -> None:
    for name in ("ec", "pc", "fec"):
        assert rotatable_torsions(reference_molecule(name)) == ()
    assert len(rotatable_torsions(reference_molecule("g1"))) == 3
    assert len(rotatable_torsions(reference_molecule("g4"))) == 12


# --- boxes ----------------------------------------------------------------------------------------


def naive_separation(structure: Structure) -> float:
    found = np.inf
    reach = range(-3, 4)
    for i in reach:
        for j in reach:
            for k in reach:
                if (i, j, k) != (0, 0, 0):
                    shifted = structure.positions + np.array([i, j, k]) @ structure.cell
                    apart = np.linalg.norm(structure.positions[:, None] - shifted[None], axis=-1)
                    found = min(found, float(apart.min()))
    return found


@pytest.mark.parametrize("name", ["li+", "succinonitrile-trans", "litfsi"])
@pytest.mark.parametrize("cubic", [False, True])
def test_box_keeps_images_away(name: str, cubic: bool) -> None:
    found = moved(reference_molecule(name), 4)
    box = boxed(found, vacuum_ang=9.0, cubic=cubic)
    assert box.pbc == (True, True, True)
    extent = np.ptp(found.positions, axis=0)
    edges = np.full(3, extent.max() + 9.0) if cubic else extent + 9.0
    np.testing.assert_allclose(np.diag(box.cell), edges)
    np.testing.assert_allclose((box.fractional.min(axis=0) + box.fractional.max(axis=0)) / 2, 0.5)
    assert image_separation(box) >= 9.0 - 1e-9
    assert image_separation(box) == pytest.approx(naive_separation(box))
    np.testing.assert_allclose(
        np.diff(box.positions, axis=0), np.diff(found.positions, axis=0), atol=1e-9
    )


def test_separation_in_skewed_cells() -> None:
    rng = np.random.default_rng(0)
    for _ in range(10):
        cell = np.diag(rng.uniform(4, 7, 3)) + np.tril(rng.uniform(-3, 3, (3, 3)), -1)
        structure = Structure(np.full(3, 8), rng.uniform(0, 2, (3, 3)), cell)
        assert image_separation(structure) == pytest.approx(naive_separation(structure))
    assert image_separation(reference_molecule("ec").structure) == np.inf
    assert image_separation(structure, [0]) >= image_separation(structure)


def test_too_small_a_box_is_refused() -> None:
    box = boxed(reference_molecule("ec"), vacuum_ang=5.0)
    assert check_box(box, least_ang=5.0) >= 5.0
    with pytest.raises(InvalidStructureError, match="Enlarge the box"):
        check_box(box, least_ang=8.0)
    for vacuum in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(InvalidStructureError, match="vacuum around a molecule"):
            boxed(reference_molecule("ec"), vacuum_ang=vacuum)


def test_wrapped_molecule_is_made_whole_again() -> None:
    pair = moved(reference_molecule("litfsi"), 1)
    box = boxed(pair, vacuum_ang=8.0)
    for shift in (np.zeros(3), np.array([0.5, 0.5, 0.5]), np.array([0.1, 0.9, 0.4])):
        wrapped = (box.fractional + shift) % 1.0 @ box.cell
        found = free_molecule(box.with_positions(wrapped))
        np.testing.assert_allclose(
            distance_matrix(found.structure), distance_matrix(pair.structure), atol=1e-9
        )
        assert {b[:2] for b in found.bonds} == {b[:2] for b in pair.bonds}


@pytest.mark.parametrize("name", [n for n in FORMULAS if n not in ("li+", "na+")])
def test_packaged_molecule_is_a_minimum_at_its_level(name: str) -> None:
    """Single parts are relaxed with GFN2-xTB; ion pairs are starts and say so."""
    tblite = pytest.importorskip("tblite.ase")
    found = reference_molecule(name)
    if len(found.fragments) > 1:
        assert "a start, not a minimum" in found.note
        return
    assert "GFN2-xTB" in found.source
    atoms = found.structure.to_ase()
    atoms.calc = tblite.TBLite(method="GFN2-xTB", charge=found.charge, verbosity=0)
    assert np.linalg.norm(atoms.get_forces(), axis=1).max() < 0.02  # four decimals in the file
