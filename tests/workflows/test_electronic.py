"""The electronic structure of molecules: sum rules, charges, potentials, one node."""

from __future__ import annotations

import numpy as np
import pytest
from small_molecules import hydrogen_atom, iron_oxide, oxygen, sodium_ion, water

from superionic.analysis.band_centre import band_centres, nearest_to_fermi
from superionic.analysis.levels import count_electrons
from superionic.structures.errors import NotConvergedError, TheoryError, UnknownElementError
from superionic.workflows.density_surface import (
    auxiliary_charges,
    crossings,
    fitted_density,
    potential,
)
from superionic.workflows.electronic import electronic_task
from superionic.workflows.electronic_results import (
    ElectronicResult,
    ElectronicSettings,
    SurfaceSettings,
)
from superionic.workflows.orbital_analysis import orbital_shares, spin_square
from superionic.workflows.scf import solve_field
from superionic.workflows.scf_settings import ScfSettings
from superionic.workflows.serialise import decode, encode

QUICK = ElectronicSettings(
    scf=ScfSettings(grid_level=0), hirshfeld_grid_level=1, surface=SurfaceSettings(spacing_ang=0.5)
)
COULOMB_V_ANG = 14.399645


@pytest.fixture(scope="module")
def triplet() -> ElectronicResult:
    return electronic_task(oxygen(), "pyscf-pbe", QUICK)


@pytest.fixture(scope="module")
def wet() -> ElectronicResult:
    return electronic_task(water(), "pyscf-pbe", QUICK)


def test_triplet_oxygen_has_two_unpaired_electrons(triplet: ElectronicResult) -> None:
    assert triplet.converged
    assert triplet.energy_eV is None, "not on the coarsest grid"
    assert triplet.moment == pytest.approx(2.0, abs=1e-6)
    assert triplet.spin_square == pytest.approx(2.0, abs=0.02)
    for populations in triplet.populations:
        assert populations.electrons.sum() == pytest.approx(16.0, abs=1e-6)
        assert populations.spins == pytest.approx([1.0, 1.0], abs=1e-4)
        assert populations.charges == pytest.approx([0.0, 0.0], abs=1e-4)
    assert triplet.charge("hirshfeld").charges == pytest.approx([0.0, 0.0], abs=0.01)
    assert triplet.hirshfeld_spins == pytest.approx([1.0, 1.0], abs=0.01)


def test_densities_of_states_hold_the_electrons(
    triplet: ElectronicResult, wet: ElectronicResult
) -> None:
    for result, valence in ((triplet, 12.0), (wet, 8.0)):
        dos = result.dos()
        count = count_electrons(dos)
        assert count.expected == pytest.approx(valence, abs=1e-3)
        assert count.share_off < 0.01
        assert dos.captured == pytest.approx(1.0, abs=1e-6)
        assert result.levels is not None
        assert result.levels.core_electrons + count.expected == pytest.approx(
            result.molecule.structure.numbers.sum()
        )
    assert triplet.dos().spin_polarised
    assert not wet.dos().spin_polarised


def test_hydrogen_is_all_s_and_all_up() -> None:
    result = electronic_task(
        hydrogen_atom(), "pyscf-pbe", ElectronicSettings(scf=ScfSettings(grid_level=1))
    )
    loewdin = result.population()
    assert loewdin.count(0, "s") == pytest.approx(1.0, abs=1e-6)
    assert result.energy_eV == pytest.approx(-13.6, abs=0.4)
    assert loewdin.spins == pytest.approx([1.0], abs=1e-6)
    assert result.spin_square == pytest.approx(0.75, abs=1e-6)
    assert result.surface is not None
    assert result.surface.area_ang2 == pytest.approx(4 * np.pi * 1.5**2, rel=0.25)


def test_partitions_of_water_keep_its_symmetry(wet: ElectronicResult) -> None:
    for method, oxygen_charge in (("loewdin", -0.2), ("mulliken", -0.3), ("hirshfeld", -0.3)):
        charges = wet.charge(method).charges
        assert charges[1] == pytest.approx(charges[2], abs=5e-3)
        assert charges[0] == pytest.approx(oxygen_charge, abs=0.15)
        assert abs(charges.sum()) < 0.01
    with pytest.raises(NotConvergedError, match="No bader charges"):
        wet.charge("bader")


def test_shares_obey_their_sum_rules() -> None:
    """Each orbital is shared out whole; Loewdin's shares of a function over all levels are one."""
    field = solve_field(iron_oxide(), "pbe", ScfSettings(grid_level=0)).require().field
    for partition in ("loewdin", "mulliken"):
        shares = orbital_shares(field, partition)
        assert shares.sum(axis=1) == pytest.approx(np.ones(shares.shape[::2]), abs=1e-8)
        assert shares.sum(axis=2) == pytest.approx(np.ones(shares.shape[:2]), abs=1e-8)
    assert orbital_shares(field, "loewdin").min() >= 0.0
    assert spin_square(field) == pytest.approx(6.0, abs=0.3)


def test_a_level_set_of_a_sphere() -> None:
    axis = np.linspace(-3.0, 3.0, 61)
    grid = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)
    radius = np.linalg.norm(grid, axis=-1)
    places, normals = crossings(-radius, -2.0)
    points = -3.0 + 0.1 * places
    assert np.linalg.norm(points, axis=1) == pytest.approx(np.full(len(points), 2.0), abs=2e-3)
    outward = points / np.linalg.norm(points, axis=1, keepdims=True)
    assert (normals * outward).sum(axis=1).min() > 0.99
    area = (0.1**2 / np.abs(normals).sum(axis=1)).sum()
    assert area == pytest.approx(4 * np.pi * 4.0, rel=0.01)


def test_potential_far_from_an_ion_is_that_of_its_charge() -> None:
    field = solve_field(sodium_ion(), "pbe", ScfSettings(grid_level=0)).require().field
    from ase.units import Bohr

    centre = field.mol.atom_coords()[0]
    for distance in (5.0, 30.0, 200.0):
        points = centre + np.eye(3) * distance / Bohr
        for method in ("fitted", "exact"):
            found = potential(field, points, method)
            assert found == pytest.approx(np.full(3, COULOMB_V_ANG / distance), rel=1e-4)


def test_fitted_potential_is_that_of_the_whole_density() -> None:
    field = solve_field(water(), "pbe", ScfSettings(grid_level=0)).require().field
    auxiliary, weights = fitted_density(field)
    assert auxiliary_charges(auxiliary) @ weights == pytest.approx(10.0, abs=1e-9)
    random = np.random.default_rng(5)
    directions = random.normal(size=(40, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    points = field.mol.atom_coords()[0] + 4.2 * directions
    fitted, exact = (potential(field, points, m) for m in ("fitted", "exact"))
    assert fitted == pytest.approx(exact, abs=0.05)
    assert np.ptp(exact) > 1.0


def test_potential_of_water_is_negative_at_oxygen(wet: ElectronicResult) -> None:
    surface = wet.surface
    assert surface is not None
    low, high = surface.extremes_V
    assert low < -1.0 < 1.0 < high
    atoms = surface.extreme_atoms()
    assert atoms[0] == 0
    assert atoms[1] in (1, 2)


def test_iron_oxide_has_a_d_band() -> None:
    settings = ElectronicSettings(scf=ScfSettings(grid_level=0), hirshfeld=False, surface=None)
    result = electronic_task(iron_oxide(), "pyscf-pbe+d3bj", settings)
    assert result.moment == pytest.approx(4.0, abs=1e-6)
    assert 5.8 < result.population().count(0, "d") < 7.2
    assert 3.0 < result.population().spins[0] < 4.2
    assert result.dispersion_eV is not None
    assert result.electron_count().share_off < 0.01
    centres = band_centres(result.dos())
    assert {c.label for c in centres} == {"Fe d"}
    assert nearest_to_fermi(centres) == {}


def test_results_survive_storage(triplet: ElectronicResult) -> None:
    again = decode(encode(triplet))
    assert isinstance(again, ElectronicResult)
    assert again.attempts == triplet.attempts
    assert np.array_equal(again.dos().projected, triplet.dos().projected)


def test_without_a_field_there_are_no_numbers() -> None:
    settings = ElectronicSettings(scf=ScfSettings(grid_level=0, max_cycles=1, rungs=("mixed",)))
    result = electronic_task(iron_oxide(), "pyscf-pbe", settings)
    assert not result.converged
    assert result.energy_eV is None
    assert result.levels is None
    assert result.charges == ()
    assert "no self-consistent field" in result.reason
    with pytest.raises(NotConvergedError, match="no self-consistent field"):
        result.dos()
    assert not decode(encode(result)).converged


def test_levels_that_have_no_orbitals_or_lack_an_element() -> None:
    with pytest.raises(TheoryError, match="no orbitals"):
        electronic_task(water(), "gfn1-xtb")
    from small_molecules import molecule

    with pytest.raises(UnknownElementError, match="Au"):
        electronic_task(molecule(("Au",), [[0, 0, 0]], multiplicity=2))
