from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk
from ase.spacegroup import crystal as ase_crystal
from samples import rock_salt, rutile

from superionic.structures.crystals import reference_crystal
from superionic.structures.errors import InvalidSlabError
from superionic.structures.polarity import bond_valences, site_charges
from superionic.structures.structure import Structure
from superionic.structures.surfaces import terminations


def fluorite() -> Structure:
    basis = [(0, 0, 0), (0.25, 0.25, 0.25)]
    return Structure.from_ase(
        ase_crystal(["Ca", "F"], basis, spacegroup=225, cellpar=[5.46] * 3 + [90] * 3)
    )


def test_rock_salt_100_has_one_neutral_cut() -> None:
    (cut,) = terminations(rock_salt(), (1, 0, 0))
    assert not cut.polar
    assert cut.stoichiometric
    assert cut.layer_ang == pytest.approx(5.64 / 2)
    # one Na and one Cl of each plane lose one bond each
    assert cut.bonds_cut == {"Cl-Na": 2}
    assert cut.upper_face == cut.lower_face == ("Cl", "Na")


def test_rock_salt_111_is_type_three() -> None:
    (cut,) = terminations(rock_salt(), (1, 1, 1))
    assert cut.polar
    assert cut.bonds_cut == {"Cl-Na": 3}
    # planes of +1 and -1 e, a / (2 sqrt 3) apart, once per repeat
    assert abs(cut.dipole_e_ang) == pytest.approx(5.64 / (2 * np.sqrt(3)), abs=1e-9)
    area = np.sqrt(3) / 4 * 5.64**2
    layer = 5.64 / np.sqrt(3)
    assert cut.layer_ang == pytest.approx(layer)
    assert abs(cut.polarisation_e_per_ang2) == pytest.approx(0.5 / area, abs=1e-9)


def test_fluorite_111_prefers_the_non_polar_cut() -> None:
    between_f, at_ca = terminations(fluorite(), (1, 1, 1))
    assert between_f.name == "F|F"
    assert not between_f.polar
    assert at_ca.polar
    assert at_ca.valence_cut_per_ang2 > between_f.valence_cut_per_ang2
    # each fluorine of the outermost plane had four calcium neighbours and keeps three
    assert between_f.bonds_cut == {"Ca-F": 2}


def test_rutile_110_prefers_bridging_oxygen() -> None:
    easiest, other = terminations(rutile(), (1, 1, 0))
    assert easiest.name == "O|O"
    assert not easiest.polar
    assert easiest.layer_ang == pytest.approx(4.594 / np.sqrt(2))
    assert other.polar


def test_metals_are_never_polar() -> None:
    for miller in ((1, 1, 1), (1, 0, 0), (2, 1, 0)):
        (cut,) = terminations(Structure.from_ase(bulk("Al", "fcc", a=4.05)), miller)
        assert not cut.polar
        assert cut.dipole_e_ang == 0.0


def test_nasicon_001_is_cut_at_the_na1_plane_by_default() -> None:
    crystal = reference_crystal("na4zr2si3o12").structure.to_structure()
    easiest, other = terminations(crystal, (0, 0, 1))
    assert easiest.name == "Na|Zr"
    assert easiest.layers_per_repeat == 2  # of the primitive repeat c / 3: slices of c / 6
    assert easiest.layer_ang == pytest.approx(22.181 / 6, abs=1e-4)
    assert easiest.stoichiometric
    assert easiest.polar
    assert "O-Si" not in easiest.bonds_cut
    assert other.name == "Na+SiO4|Zr"
    assert abs(other.dipole_e_ang) > abs(easiest.dipole_e_ang)


@pytest.mark.parametrize("miller", [(0, 0, 1), (1, 1, 0), (1, 1, 1), (1, 0, 2)])
def test_no_cut_parts_a_thiophosphate(miller: tuple[int, int, int]) -> None:
    crystal = reference_crystal("na3ps4").structure.to_structure()
    cuts = terminations(crystal, miller)
    assert [c.index for c in cuts] == list(range(len(cuts)))
    assert len({c.name for c in cuts}) == len(cuts)
    assert not any(c.parts_network for c in cuts)
    assert all(set(c.bonds_cut) == {"Na-S"} for c in cuts)


def test_networks_are_parted_and_say_so() -> None:
    mfi = reference_crystal("mfi").structure.to_structure()
    assert all(c.parts_network for c in terminations(mfi, (0, 1, 0)))


def test_bond_valence_sums_are_the_charges() -> None:
    crystal = reference_crystal("na4zr2si3o12").structure.to_structure()
    charges = site_charges(crystal.numbers, crystal.labels)
    assert charges.sum() == pytest.approx(0.0)
    bonds, valences = bond_valences(crystal.numbers, crystal.fractional, crystal.cell, charges)
    sums = np.zeros(len(crystal))
    np.add.at(sums, bonds.first, valences)
    np.add.at(sums, bonds.second, valences)
    for symbol, charge in (("Zr", 4.0), ("Si", 4.0), ("O", 2.0)):
        assert sums[crystal.indices(symbol)].mean() == pytest.approx(charge, rel=0.15)


def test_charges_by_label_and_unbalanced_charges() -> None:
    crystal = rock_salt()
    given = site_charges(crystal.numbers, ("Na1", "Cl1"), {"Na1": 0.9, "Cl": -0.9, "Na": 1.0})
    assert given.tolist() == [0.9, -0.9]
    with pytest.raises(InvalidSlabError, match="Correct oxidation_states"):
        site_charges(crystal.numbers, crystal.labels, {"Na": 2.0, "Cl": -1.0})
    charges = site_charges(
        crystal.numbers, crystal.labels, {"Na": 2.0, "Cl": -1.0}, allow_charged=True
    )
    assert charges.tolist() == [1.5, -1.5]
