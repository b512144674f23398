from __future__ import annotations

import numpy as np
import pytest
import spglib
from ase.geometry import get_distances

from superionic.structures.crystals import reference_crystal, reference_crystals
from superionic.structures.disordered import (
    DisorderedStructure,
    atom_label,
    check_site_overlap,
    format_formula,
)
from superionic.structures.errors import (
    InvalidStructureError,
    PartialOccupancyError,
    StructureFileError,
)
from superionic.structures.structure import Structure

NAMES = (
    "hkust-1",
    "latp",
    "mfi",
    "na3ps4",
    "na3ps4-cubic",
    "na3sbs4",
    "na4zr2si3o12",
    "nzsp",
    "pba",
)


def distance(name: str, first: str, second: str) -> float:
    """Shortest distance between two labels, by ASE."""
    crystal = reference_crystal(name).structure
    i, j = crystal.indices(first), crystal.indices(second)
    _, d = get_distances(
        crystal.positions[list(i)], crystal.positions[list(j)], cell=crystal.cell, pbc=True
    )
    return float(d[d > 1e-3].min())


def test_names() -> None:
    assert reference_crystals() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_each_says_where_it_comes_from(name: str) -> None:
    crystal = reference_crystal(name)
    assert crystal.name == name
    assert len(crystal.source) > 20
    assert crystal.note.startswith(("Refined", "Derived", "Computed"))
    assert "elax" in crystal.note
    assert crystal.structure.notes == ()


@pytest.mark.parametrize(
    ("name", "number", "sites", "content"),
    [
        ("nzsp", 167, 126, {"Zr": 12, "Na": 18, "Si": 12, "P": 6, "O": 72}),
        ("na4zr2si3o12", 167, 126, {"Zr": 12, "Na": 24, "Si": 18, "O": 72}),
        ("latp", 167, 126, {"Li": 7.8, "Al": 1.8, "Ti": 10.2, "P": 18, "O": 72}),
        ("na3ps4", 114, 16, {"Na": 6, "P": 2, "S": 8}),
        ("na3ps4-cubic", 217, 16, {"Na": 6, "P": 2, "S": 8}),
        ("na3sbs4", 217, 16, {"Na": 6, "Sb": 2, "S": 8}),
        ("pba", 225, 64, {"Fe": 8, "C": 24, "N": 24, "Na": 6.12}),
        ("mfi", 62, 288, {"Si": 96, "O": 192}),
        ("hkust-1", 225, 624, {"Cu": 48, "C": 288, "H": 96, "O": 192}),
    ],
)
def test_content_and_space_group(
    name: str, number: int, sites: int, content: dict[str, float]
) -> None:
    crystal = reference_crystal(name).structure
    assert len(crystal) == sites
    assert crystal.composition == pytest.approx(content, abs=1e-4)
    kinds = sorted({str(o) for o in crystal.occupancies})
    cell = (
        crystal.cell.tolist(),
        crystal.fractional.tolist(),
        [kinds.index(str(o)) + 1 for o in crystal.occupancies],
    )
    dataset = spglib.get_symmetry_dataset(cell, symprec=1e-4)
    assert dataset is not None
    assert dataset.number == number


@pytest.mark.parametrize(
    ("name", "first", "second", "expected"),
    [
        ("na4zr2si3o12", "Zr1", "O2", 2.037),
        ("na4zr2si3o12", "Si1", "O1", 1.629),
        ("na4zr2si3o12", "Na1", "Na2", 3.478),
        ("na3ps4-cubic", "P1", "S1", 7.06985 * 0.1672 * 3**0.5),
        ("na3sbs4", "Sb1", "S1", 7.17 * 0.187 * 3**0.5),
        ("pba", "Fe1", "C1", 1.92),
        ("pba", "C1", "N1", 1.17),
        ("hkust-1", "Cu1", "O1", 1.951),
        ("latp", "P1", "O1", 1.525),
    ],
)
def test_distances(name: str, first: str, second: str, expected: float) -> None:
    assert distance(name, first, second) == pytest.approx(expected, abs=2e-3)


def test_multiplicities_of_the_nasicon_sites() -> None:
    labels = reference_crystal("nzsp").structure.labels
    counts = {x: labels.count(x) for x in dict.fromkeys(labels)}
    assert counts == {"Zr1": 12, "Na1": 6, "Na2": 18, "O1": 36, "O2": 36, "Si1/P1": 18}


@pytest.mark.parametrize(
    ("alias", "name"),
    [("NZSP", "nzsp"), ("Na3Zr2Si2PO12", "nzsp"), ("ZSM-5", "mfi"), ("HKUST_1", "hkust-1")],
)
def test_aliases(alias: str, name: str) -> None:
    assert reference_crystal(alias).name == name


def test_unknown_name_lists_the_known() -> None:
    with pytest.raises(StructureFileError, match=r"'llzo'.*na3ps4-cubic"):
        reference_crystal("llzo")


def test_partial_occupancy_is_not_turned_into_atoms() -> None:
    with pytest.raises(PartialOccupancyError, match=r"Na2, Si1/P1 .*superionic structure order"):
        reference_crystal("nzsp").structure.to_structure()


def test_empty_sites_are_left_out_and_atoms_take_the_label_of_their_part() -> None:
    crystal = DisorderedStructure(
        fractional=np.array([[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0, 0]]),
        occupancies=({"P": 1.0}, {"Na": 1.0}, {"Na": 0.0}),
        cell=4 * np.eye(3),
        labels=("Si1/P1", "Na1", "Na2"),
    )
    atoms = crystal.to_structure()
    assert atoms.labels == ("P1", "Na1")
    assert crystal.is_ordered
    assert crystal.indices("Si1") == crystal.indices("Si1/P1") == (0,)
    assert len(crystal.to_pymatgen()) == 2


@pytest.mark.parametrize(
    ("label", "symbol", "expected"),
    [
        ("Si1/P1", "P", "P1"),
        ("Si1/P1", "Si", "Si1"),
        ("Zr1", "Sc", "Zr1"),
        ("P2/Pb2", "Pb", "Pb2"),
    ],
)
def test_atom_label(label: str, symbol: str, expected: str) -> None:
    assert atom_label(label, symbol) == expected


def test_formulas() -> None:
    crystal = reference_crystal("nzsp").structure
    assert crystal.formula == "Na18O72P6Si12Zr12"
    assert crystal.reduced_formula == "Na3O12PSi2Zr2"
    assert format_formula({"H": 4.0, "O": 1.5, "C": 1.0}) == "CH4O1.5"


def test_from_structure_needs_three_periodic_directions() -> None:
    slab = Structure(np.array([3]), np.zeros((1, 3)), 5 * np.eye(3), pbc=(True, True, False))
    with pytest.raises(InvalidStructureError, match="periodic in three"):
        DisorderedStructure.from_structure(slab)


@pytest.mark.parametrize(
    ("occupancy", "message"),
    [
        ({"Na": 1.2}, "between 0 and 1"),
        ({"Na": -0.1}, "between 0 and 1"),
        ({"Na": float("nan")}, "between 0 and 1"),
        ({"Na": 0.7, "K": 0.6}, "beyond 1"),
        ({"Qq": 1.0}, "chemical elements"),
        ({}, "chemical elements"),
    ],
)
def test_impossible_occupancies(occupancy: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidStructureError, match=message):
        DisorderedStructure(np.zeros((1, 3)), (occupancy,), np.eye(3), ("A",))


def test_overlap_is_allowed_for_split_sites_only() -> None:
    def pair(share: float) -> DisorderedStructure:
        return DisorderedStructure(
            np.array([[0, 0, 0], [0.05, 0, 0]]),
            ({"Na": share}, {"Na": share}),
            5 * np.eye(3),
            ("Na1", "Na2"),
        )

    check_site_overlap(pair(0.5))
    with pytest.raises(InvalidStructureError, match=r"Na1.*Na2.*0.250 A"):
        check_site_overlap(pair(0.6))
