from __future__ import annotations

import numpy as np
import pytest

from superionic.structures.crystals import reference_crystal
from superionic.structures.polyanions import Units, covalent_bonds, unit_name, whole_units
from superionic.structures.structure import Structure
from superionic.structures.symmetry import primitive_cell


def units_of(
    structure: Structure,
    miller: tuple[int, int, int] = (0, 0, 1),
    keep_together: tuple[tuple[str, str], ...] | None = None,
) -> tuple[Units, list[str]]:
    bonds = covalent_bonds(
        structure.numbers, structure.fractional, structure.cell, keep_together=keep_together
    )
    units = whole_units(structure.numbers, bonds, miller)
    names = [unit_name(structure.numbers[units.members(k)]) for k in range(len(units.centres))]
    return units, sorted(names)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("na4zr2si3o12", {"Na": 8, "Zr": 4, "SiO4": 6}),
        ("na3ps4", {"Na": 6, "PS4": 2}),
        ("na3sbs4", {"Na": 3, "SbS4": 1}),
        ("hkust-1", {"Cu": 12, "H3O6C9": 8}),
    ],
)
def test_polyanions_of_reference_crystals(name: str, expected: dict[str, int]) -> None:
    crystal = primitive_cell(reference_crystal(name).structure.to_structure()).structure
    units, names = units_of(crystal)
    assert {n: names.count(n) for n in set(names)} == expected
    assert not units.broken


def test_members_are_next_to_each_other() -> None:
    crystal = primitive_cell(reference_crystal("na3ps4").structure.to_structure()).structure
    units, _ = units_of(crystal)
    whole = (crystal.fractional + units.offsets) @ crystal.cell
    for unit, centre in enumerate(units.centres):
        apart = np.linalg.norm(whole[units.members(unit)] - whole[centre[0]], axis=1)
        assert len(centre) == 1
        assert apart.max() < 2.2


def test_octahedral_germanium_is_no_polyanion_and_tetrahedral_is() -> None:
    def cage(corners: list[list[int]]) -> Structure:
        directions = np.array(corners) / np.linalg.norm(corners[0])
        return Structure(
            numbers=np.array([32, *[16] * len(corners)]),
            positions=np.vstack([np.zeros(3), 2.2 * directions]) + 6.0,
            cell=12.0 * np.eye(3),
        )

    four = cage([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    six = cage([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]])
    assert units_of(four)[1] == ["GeS4"]
    assert units_of(six)[1] == ["Ge", *["S"] * 6]


def test_a_network_cannot_be_kept_and_a_sheet_can() -> None:
    mfi = reference_crystal("mfi").structure.to_structure()
    units, names = units_of(mfi)
    assert units.broken
    assert set(names) == {"Si", "O"}
    # graphite: sheets normal to c stay whole, a plane across them parts them
    graphite = Structure(
        numbers=np.array([6, 6]),
        positions=np.array([[0, 0, 1.0], [0, 1.42, 1.0]]),
        cell=np.array([[2.46, 0, 0], [-1.23, 2.1304, 0], [0, 0, 3.35]]),
    )
    flat, names = units_of(graphite, (0, 0, 1))
    assert not flat.broken
    assert names == ["C2"]
    across, names = units_of(graphite, (1, 0, 0))
    assert across.broken
    assert names == ["C", "C"]


def test_pairs_to_keep_can_be_named() -> None:
    crystal = primitive_cell(reference_crystal("na4zr2si3o12").structure.to_structure()).structure
    assert set(units_of(crystal, keep_together=())[1]) == {"Na", "Zr", "Si", "O"}
    assert set(units_of(crystal, keep_together=(("O", "Si"),))[1]) == {"Na", "Zr", "SiO4"}
