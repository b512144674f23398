"""Springs: energy and force as written down, also through a calculator, and a piece that stays."""

from __future__ import annotations

import numpy as np
import pytest
from ase.calculators.emt import EMT
from potentials import Analytic, Array, aluminium

from superionic.structures.errors import InvalidStructureError
from superionic.workflows.relax import RelaxSettings, relax
from superionic.workflows.tethers import Tethers, tethered


def test_energy_and_forces_are_those_of_springs() -> None:
    tethers = Tethers((0, 2), np.zeros((2, 3)), 2.0)
    positions = np.array([[1.0, 0.0, 0.0], [5.0, 5.0, 5.0], [0.0, 0.0, -2.0]])
    assert tethers.energy(positions) == pytest.approx(0.5 * 2.0 * (1.0 + 4.0))
    expected = [[-2.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 4.0]]
    assert tethers.forces(positions) == pytest.approx(np.array(expected))


def test_calculator_adds_them_and_its_forces_are_slopes() -> None:
    structure = aluminium(cubic=True)
    tethers = Tethers((1,), structure.positions[[1]] + 0.3, 1.5)
    atoms = structure.to_ase()
    atoms.rattle(0.05, seed=1)
    atoms.calc = EMT()
    plain, force = atoms.get_potential_energy(), atoms.get_forces()
    atoms.calc = tethered(EMT(), tethers)
    assert atoms.get_potential_energy() == pytest.approx(plain + tethers.energy(atoms.positions))
    assert atoms.get_forces() == pytest.approx(force + tethers.forces(atoms.positions))
    assert tethered(atoms.calc, Tethers((), np.zeros((0, 3)))) is atoms.calc


def test_a_tethered_atom_stays_where_a_free_one_drifts() -> None:
    def downhill(positions: Array) -> tuple[float, Array]:
        return float(0.2 * positions[0, 0]), np.array([[0.2, 0.0, 0.0]])

    structure = aluminium().with_positions([[1.0, 1.0, 1.0]])
    held = relax(
        structure,
        calculator=tethered(Analytic(downhill), Tethers((0,), structure.positions, 1.0)),
        settings=RelaxSettings(fmax_eV_per_A=1e-4, max_steps=100),
    )
    assert held.converged
    assert held.structure.positions[0] == pytest.approx([0.8, 1.0, 1.0], abs=1e-3)


def test_refuses_what_holds_nothing() -> None:
    with pytest.raises(InvalidStructureError, match="one anchor for each"):
        Tethers((0, 1), np.zeros((1, 3)))
    with pytest.raises(InvalidStructureError, match="different atoms"):
        Tethers((1, 1), np.zeros((2, 3)))
    with pytest.raises(InvalidStructureError, match="positive force constant"):
        Tethers((0,), np.zeros((1, 3)), 0.0)
