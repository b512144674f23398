from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from superionic.structures.crystals import reference_crystal
from superionic.structures.disordered import DisorderedStructure
from superionic.structures.errors import (
    InvalidStructureError,
    PartialOccupancyError,
    StructureFileError,
)
from superionic.structures.io import read_crystal, read_structure, write_structure
from superionic.structures.labels import orbit_labels
from superionic.structures.structure import Structure, distance_matrix

CSCL = """data_CsCl_type
_chemical_formula_sum 'Na Cl'
_cell_length_a 4.12(1)
_cell_length_b 4.12(1)
_cell_length_c 4.12(1)
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P m -3 m'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Na1 Na1+ 0 0 0 1
Cl1 Cl1- 0.5 0.5 0.5 1.00(2)
"""


def cif(tmp_path: Path, text: str, name: str = "a.cif") -> Path:
    file = tmp_path / name
    file.write_text(text)
    return file


def end_member() -> Structure:
    return reference_crystal("na4zr2si3o12").structure.to_structure()


def test_symmetry_is_expanded_and_labels_kept(tmp_path: Path) -> None:
    structure = read_structure(cif(tmp_path, CSCL))
    assert structure.labels == ("Na1", "Cl1")
    distances = distance_matrix(structure)
    assert distances[distances > 0].min() == pytest.approx(4.12 * 3**0.5 / 2)
    assert "space-group symbol 'P m -3 m'" in read_crystal(cif(tmp_path, CSCL)).notes[0]


@pytest.mark.parametrize("name", ["mfi", "na3ps4", "na4zr2si3o12", "hkust-1"])
def test_packaged_files_against_pymatgen(name: str) -> None:
    from importlib.resources import files

    from pymatgen.io.cif import CifParser

    text = files("superionic.structures").joinpath("data", f"{name}.cif").read_text()
    theirs = CifParser.from_str(text).parse_structures(primitive=False, on_error="ignore")[0]
    ours = reference_crystal(name).structure.to_structure()
    assert len(theirs) == len(ours)
    gaps = theirs.frac_coords[:, None, :] - ours.fractional[None, :, :]
    gaps -= np.round(gaps)
    nearest = np.linalg.norm(gaps @ ours.cell, axis=2)
    assert nearest.min(axis=1).max() < 5e-3
    partner = nearest.argmin(axis=1)
    assert [s.specie.symbol for s in theirs] == [ours.symbols[k] for k in partner]
    assert [s.label for s in theirs] == [ours.labels[k] for k in partner]


@pytest.mark.parametrize("file", ["a.cif", "a.vasp", "POSCAR", "CONTCAR_1", "a.extxyz", "a.xyz"])
def test_round_trip_keeps_labels_and_geometry(tmp_path: Path, file: str) -> None:
    structure = end_member()
    write_structure(structure, tmp_path / file)
    back = read_structure(tmp_path / file)
    assert back.labels == structure.labels
    np.testing.assert_array_equal(back.numbers, structure.numbers)
    np.testing.assert_allclose(distance_matrix(back), distance_matrix(structure), atol=1e-6)


def test_poscar_groups_elements(tmp_path: Path) -> None:
    mixed = end_member().take([12, 0, 13])
    write_structure(mixed, tmp_path / "POSCAR")
    assert read_structure(tmp_path / "POSCAR").labels == ("Na1", "Na1", "Zr1")


def test_disordered_cif_round_trip(tmp_path: Path) -> None:
    crystal = reference_crystal("latp").structure
    write_structure(crystal, tmp_path / "latp.cif")
    back = read_crystal(tmp_path / "latp.cif")
    assert back.labels == crystal.labels
    assert back.notes == ()
    for ours, theirs in zip(crystal.occupancies, back.occupancies, strict=True):
        assert theirs == pytest.approx(ours)
    np.testing.assert_allclose(back.positions, crystal.positions, atol=1e-6)


@st.composite
def structures(draw: st.DrawFn) -> Structure:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    grid = np.array([[i, j, k] for i in range(2) for j in range(2) for k in range(2)]) / 2
    n = draw(st.integers(1, 8))
    points = rng.permutation(grid)[:n] + rng.uniform(0, 0.12, (n, 3))
    cell = np.tril(rng.uniform(-1.5, 1.5, (3, 3)), -1) + np.diag(rng.uniform(4, 9, 3))
    numbers = rng.choice([1, 3, 8, 11, 14, 15, 40], size=n)
    names = draw(st.lists(st.text("ab12'*+-", max_size=3), min_size=n, max_size=n))
    bare = Structure(numbers, points @ cell, cell)
    labels = [f"{s}1{x}" for s, x in zip(bare.symbols, names, strict=True)]
    return Structure(numbers, points @ cell, cell, labels=tuple(labels))


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(structure=structures(), suffix=st.sampled_from(["cif", "vasp", "extxyz"]))
def test_any_structure_survives_a_round_trip(
    tmp_path: Path, structure: Structure, suffix: str
) -> None:
    write_structure(structure, tmp_path / f"s.{suffix}")
    back = read_structure(tmp_path / f"s.{suffix}")
    order = np.arange(len(structure))
    if suffix == "vasp":
        symbols = list(dict.fromkeys(structure.symbols))
        order = np.argsort([symbols.index(s) for s in structure.symbols], kind="stable")
    assert back.symbols == structure.take(order).symbols
    assert back.labels == structure.take(order).labels
    assert back.volume == pytest.approx(structure.volume, rel=1e-7)
    np.testing.assert_allclose(
        distance_matrix(back), distance_matrix(structure.take(order)), atol=1e-6
    )


def test_extxyz_keeps_open_boundaries(tmp_path: Path) -> None:
    wire = Structure(np.array([3]), np.zeros((1, 3)), np.diag([9, 9, 3]), pbc=(False, False, True))
    write_structure(wire, tmp_path / "wire.extxyz")
    assert read_structure(tmp_path / "wire.extxyz").pbc == (False, False, True)
    with pytest.raises(InvalidStructureError, match="periodic in three directions"):
        write_structure(wire, tmp_path / "wire.cif")
    assert not (tmp_path / "wire.cif").exists()


def test_labels_from_symmetry_do_not_depend_on_the_cell(tmp_path: Path) -> None:
    from ase.io import write

    structure = end_member()
    write(tmp_path / "POSCAR", structure.to_ase(), format="vasp")
    conventional = read_structure(tmp_path / "POSCAR").labels
    assert {x: conventional.count(x) for x in sorted(set(conventional))} == {
        "Na1": 6, "Na2": 18, "O1": 36, "O2": 36, "Si1": 18, "Zr1": 12,
    }  # fmt: skip
    sodium = [x for x in structure.labels if x.startswith("Na")]
    assert [x for x in conventional if x.startswith("Na")] == sodium
    from superionic.structures.ordering import primitive

    small = primitive(DisorderedStructure.from_structure(structure)).to_structure()
    assert orbit_labels(small).count("Na1") == 2
    assert orbit_labels(small).count("Na2") == 6


def test_numbered_atoms_of_a_p1_export_get_shared_labels(tmp_path: Path) -> None:
    from pymatgen.io.cif import CifWriter

    structure = end_member()
    foreign = structure.to_pymatgen()
    for k, site in enumerate(foreign):
        site.label = f"{site.specie.symbol}{k}"
    (tmp_path / "p1.cif").write_text(str(CifWriter(foreign)))
    crystal = read_crystal(tmp_path / "p1.cif")
    assert set(crystal.labels) == {"Na1", "Na2", "O1", "O2", "Si1", "Zr1"}
    assert "numbers its atoms" in crystal.notes[0]


def test_shared_position_becomes_one_site(tmp_path: Path) -> None:
    text = CSCL.replace("Na1 Na1+ 0 0 0 1\n", "Na1 Na 0 0 0 0.75\nK1 K 0 0 0.0001 0.25\n")
    text = text.replace("'Na Cl'", "'Na0.75 K0.25 Cl'")
    crystal = read_crystal(cif(tmp_path, text))
    assert crystal.labels[0] == "Na1/K1"
    assert crystal.occupancies[0] == {"Na": 0.75, "K": 0.25}
    assert len(crystal) == 2
    with pytest.raises(PartialOccupancyError, match="Na1/K1"):
        read_structure(cif(tmp_path, text))


def test_special_position_within_rounding_is_not_doubled(tmp_path: Path) -> None:
    text = CSCL.replace("Cl1 Cl1- 0.5 0.5 0.5", "Cl1 Cl1- 0.5 0.5003 0.5")
    crystal = read_crystal(cif(tmp_path, text))
    assert len(crystal) == 2
    doubled = crystal.fractional[1] * 2
    np.testing.assert_allclose(doubled, np.round(doubled), atol=1e-9)


@pytest.mark.parametrize(
    ("old", "new", "error", "message"),
    [
        ("0.5 0.5 0.5 1.00(2)", "0.5 nan 0.5 1", InvalidStructureError, "Cl1 are not finite"),
        ("0.5 0.5 0.5 1.00(2)", "0.5 ? 0.5 1", InvalidStructureError, "Cl1 are not finite"),
        ("1.00(2)", "1.3", InvalidStructureError, "occupancy of Cl1"),
        ("1.00(2)", "-0.1", InvalidStructureError, "occupancy of Cl1"),
        ("Cl1 Cl1- 0.5", "Cl1 Qq 0.5", InvalidStructureError, "no chemical element"),
        ("Cl1 Cl1- 0.5", "Wat1 Wat 0.5", InvalidStructureError, "hydrogens"),
        ("_cell_length_b 4.12(1)\n", "", StructureFileError, "_cell_length_b"),
        ("_cell_length_b 4.12(1)", "_cell_length_b 0", InvalidStructureError, "not possible"),
        ("_cell_angle_gamma 90", "_cell_angle_gamma 190", InvalidStructureError, "not possible"),
        ("'P m -3 m'", "'F m m 7'", StructureFileError, "space group 'F m m 7'"),
        ("Cl1 Cl1- 0.5 0.5 0.5 1.00(2)\n", "", StructureFileError, "_chemical_formula_sum"),
        ("Cl1 Cl1- 0.5 0.5 0.5 1.00(2)\n", "Cl1 Cl1- 0.5", StructureFileError, "truncated"),
        ("Na1 Na1+ 0 0 0 1", "Na1 Na 0.45 0.5 0.5 1", InvalidStructureError, "apart"),
        ("Na1 Na1+ 0 0 0 1", "Na1 Na 0.5 0.5 0.5 1", InvalidStructureError, "filled to 2.0"),
    ],
)
def test_broken_cifs(
    tmp_path: Path, old: str, new: str, error: type[Exception], message: str
) -> None:
    assert old in CSCL
    with pytest.raises(error, match=message):
        read_crystal(cif(tmp_path, CSCL.replace(old, new)))


def test_every_truncation_is_an_error(tmp_path: Path) -> None:
    last = CSCL.rindex("1.00(2)") + 1
    for end in range(0, last, 23):
        with pytest.raises(StructureFileError):
            read_crystal(cif(tmp_path, CSCL[:end]))


def test_what_a_reader_had_to_assume_is_noted(tmp_path: Path) -> None:
    text = CSCL.replace("_space_group_name_H-M_alt 'P m -3 m'\n", "").replace("Cl1-", "D")
    text = text.replace("'Na Cl'", "'Na D'").replace("1.00(2)", "1.01")
    crystal = read_crystal(cif(tmp_path, text))
    assert crystal.composition == {"Na": 1.0, "H": 1.0}
    assert any("P1" in note for note in crystal.notes)
    assert any("Deuterium" in note for note in crystal.notes)
    assert any("1.0100" in note for note in crystal.notes)


def test_small_disagreement_with_the_formula_is_a_note(tmp_path: Path) -> None:
    crystal = read_crystal(cif(tmp_path, CSCL.replace("'Na Cl'", "'Na0.96 Cl'")))
    assert "ClNa0.96" in crystal.notes[-1]


def test_occupancy_zero_stays_as_a_known_empty_site(tmp_path: Path) -> None:
    text = CSCL + "Na2 Na 0.25 0.25 0.25 0\n"
    crystal = read_crystal(cif(tmp_path, text))
    assert len(crystal) == 10
    assert len(crystal.to_structure()) == 2


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.cif", "", "is empty"),
        ("blank.vasp", " \n\n", "is empty"),
        ("text.cif", "hello", "no data_ block"),
        ("POSCAR", "NaCl\n1.0\n5 0 0\n0 5 0\n", "vasp reader"),
        ("a.extxyz", '2\nLattice="5 0 0 0 5 0 0 0 5"\nNa 0 0 0\n', "extxyz reader"),
        ("notes.abc", "no structure", "format is not known"),
        ("a.res", "TITL x", "SHELX"),
        ("a.pkl", "x", "pickle"),
    ],
)
def test_unreadable_files(tmp_path: Path, name: str, content: str, message: str) -> None:
    with pytest.raises(StructureFileError, match=message):
        read_structure(cif(tmp_path, content, name))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(StructureFileError, match="There is no structure file"):
        read_crystal(tmp_path / "nowhere.cif")


def test_other_formats_are_checked_too(tmp_path: Path) -> None:
    nan = '2\nLattice="5 0 0 0 5 0 0 0 5"\nNa 0 0 0\nCl nan 0 0\n'
    with pytest.raises(InvalidStructureError, match="finite"):
        read_structure(cif(tmp_path, nan, "a.extxyz"))
    with pytest.raises(InvalidStructureError, match=r"apart"):
        read_structure(cif(tmp_path, nan.replace("nan", "0.2"), "a.extxyz"))
    with pytest.raises(InvalidStructureError, match=r"three-dimensional cell.*--box"):
        read_structure(cif(tmp_path, "1\n\nNa 0 0 0\n", "a.xyz"))


def test_unknown_suffix_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(StructureFileError, match="format"):
        write_structure(end_member(), tmp_path / "a.foo")
    assert list(tmp_path.iterdir()) == []


def test_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StructureFileError, match="No space left"):
        write_structure(end_member(), tmp_path / "a.cif")
    assert list(tmp_path.iterdir()) == []


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StructureFileError, match="folder"):
        write_structure(end_member(), tmp_path / "no" / "a.cif")
