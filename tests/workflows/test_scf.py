"""Self-consistent fields: starting densities, the ladder and its record."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from small_molecules import hydrogen_atom, iron_oxide, molecule, oxygen, sodium_ion, water

from superionic.structures.errors import EvidenceError, NotConvergedError, TheoryError
from superionic.workflows.scf import build_mole, solve_field
from superionic.workflows.scf_guess import free_atoms, seeded_moments, starting_density
from superionic.workflows.scf_settings import LADDER, ScfSettings, check_energy_grid
from superionic.workflows.serialise import decode, encode

SMALL = ScfSettings(grid_level=0)


def test_moments_are_shared_among_open_d_shells() -> None:
    symbols = ("Fe", "O", "Ni", "Zn", "C")
    assert seeded_moments(symbols, 6) == pytest.approx([4.0, 0, 2.0, 0, 0])
    assert seeded_moments(symbols, 0) == pytest.approx(np.zeros(5))
    assert seeded_moments(("O", "O"), 2) == pytest.approx([0.0, 0.0])
    assert seeded_moments(("Fe", "Ni"), 60).max() == 5.0


def test_free_atoms_hold_their_electrons() -> None:
    mole = build_mole(iron_oxide(), "def2-svp")
    atoms = free_atoms(mole)
    for label, count in (("Fe", 26.0), ("O", 8.0)):
        atom = atoms[label]
        assert atom.occupations.sum() == pytest.approx(count)
        first = next(k for k in range(2) if mole.atom_symbol(k) == label)
        start, end = mole.aoslice_by_atom()[first, 2:]
        overlap = mole.intor("int1e_ovlp")[start:end, start:end]
        assert float(np.sum(atom.density() * overlap)) == pytest.approx(count)
        assert set(atom.momenta[atom.occupations > 0]) == ({0, 1, 2} if label == "Fe" else {0, 1})


@pytest.mark.parametrize("moment", [4.0, 5.0, -4.0])
def test_starting_densities_hold_electrons_and_moments(moment: float) -> None:
    mole = build_mole(iron_oxide(), "def2-svp")
    up, down = starting_density(mole, np.array([moment, 0.0]))
    overlap = mole.intor("int1e_ovlp")
    found = [float(np.sum(density * overlap)) for density in (up, down)]
    assert sum(found) == pytest.approx(34.0, abs=1e-6)
    assert found[0] - found[1] == pytest.approx(moment, abs=1e-6)
    with pytest.raises(EvidenceError, match="one moment for each"):
        starting_density(mole, np.zeros(3))


def test_hydrogen_has_its_energy_and_one_rung() -> None:
    """PBE hydrogen atom: -0.49999 hartree in a complete basis; a small one lies a little above."""
    found = solve_field(hydrogen_atom(), "pbe", ScfSettings(basis="def2-tzvpp", grid_level=2))
    assert found.converged
    assert [a.rung for a in found.attempts] == ["mixed"]
    assert found.energy_eV == pytest.approx(-0.4999 * 27.2114, abs=0.02)
    assert found.entropy_eV == pytest.approx(0.0, abs=1e-6)
    assert found.require() is found


@pytest.mark.parametrize("rung", [r.name for r in LADDER])
def test_every_rung_finds_the_same_field(rung: str) -> None:
    settings = ScfSettings(grid_level=1, rungs=(rung,), energy_eV=1e-6)
    found = solve_field(oxygen(), "pbe", settings)
    assert found.converged, found.reason
    first = solve_field(oxygen(), "pbe", ScfSettings(grid_level=1, energy_eV=1e-6))
    assert found.energy_eV is not None
    assert found.energy_eV == pytest.approx(first.energy_eV, abs=2e-3)
    spins = np.asarray(found.field.mo_occ).sum(axis=1)
    assert spins == pytest.approx([9.0, 7.0])


def test_an_ion_without_unpaired_electrons() -> None:
    found = solve_field(sodium_ion(), "pbe", SMALL).require()
    assert np.asarray(found.field.mo_occ).sum() == pytest.approx(10.0)


def test_broken_symmetry_needs_moments() -> None:
    """Two hydrogens far apart: a singlet of two atoms with opposite spins, or half an ion pair."""
    pair = molecule(("H", "H"), [[0, 0, 0], [0, 0, 4.0]])
    apart = solve_field(pair, "pbe", ScfSettings(grid_level=0, moments=(1.0, -1.0))).require()
    up, down = np.asarray(apart.field.make_rdm1())
    spins = np.einsum("ij,ji->i", up - down, apart.field.get_ovlp()).reshape(2, -1).sum(axis=1)
    assert spins == pytest.approx([1.0, -1.0], abs=0.01)
    with pytest.raises(EvidenceError, match=r"for 1 unpaired electrons at most; got .* 2"):
        solve_field(pair, "pbe", ScfSettings(moments=(2.0, -2.0)))
    with pytest.raises(TheoryError, match="one starting moment for each"):
        solve_field(pair, "pbe", ScfSettings(moments=(1.0,)))


def test_what_does_not_converge_is_recorded_and_has_no_value() -> None:
    settings = ScfSettings(grid_level=0, max_cycles=1, rungs=("mixed", "hot"))
    found = solve_field(iron_oxide(), "pbe", settings)
    assert not found.converged
    assert found.energy_eV is None
    assert [a.rung for a in found.attempts] == ["mixed", "hot"]
    assert all(not a.converged and a.reason for a in found.attempts)
    assert "2 attempts (mixed: " in found.reason
    with pytest.raises(NotConvergedError, match="other starting"):
        found.require()
    assert decode(encode(found.attempts)) == found.attempts


@pytest.mark.parametrize(
    "wrong",
    [{"rungs": ("prayer",)}, {"rungs": ()}, {"grid_level": 10}, {"smearing_eV": 0.0},
     {"max_cycles": 0}],
)  # fmt: skip
def test_settings_are_checked(wrong: dict[str, Any]) -> None:
    with pytest.raises(TheoryError):
        ScfSettings(**wrong)


def test_a_continuum_lowers_an_ion() -> None:
    settings = ScfSettings(grid_level=1)
    free = solve_field(sodium_ion(), "pbe", settings).require().energy_eV
    inside = solve_field(sodium_ion(), "pbe", settings, permittivity=7.5).require().energy_eV
    assert free is not None
    assert inside is not None
    assert inside - free < -2.0


def test_the_coarsest_grid_has_no_energy() -> None:
    """It serves for levels and charges; its total energy is neither told nor recorded."""
    found = solve_field(water(), "pbe", SMALL).require()
    assert found.energy_eV is None
    assert all(a.energy_eV is None and a.last_change_eV is not None for a in found.attempts)
    with pytest.raises(TheoryError, match="level 1 or finer; got 0"):
        check_energy_grid(SMALL)
    check_energy_grid(ScfSettings())


def test_water_is_restricted() -> None:
    found = solve_field(water(), "pbe", SMALL).require()
    assert np.asarray(found.field.mo_occ).ndim == 1
    assert found.smearing_eV == 0.1
