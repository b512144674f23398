"""The model of a molecule's stiffness: its coordinates by differences, its symmetries, its use."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from ase.build import molecule

from superionic.structures.molecule import torsion_deg
from superionic.structures.molecules import reference_molecule
from superionic.structures.structure import Structure
from superionic.workflows.model_hessian import model_hessian, torsion_change
from superionic.workflows.relax import RelaxSettings, relax
from superionic.workflows.theory import get_theory


def test_torsions_by_differences() -> None:
    rng = np.random.default_rng(1)
    for _ in range(5):
        points = rng.normal(size=(4, 3))
        change = torsion_change(points)
        assert change is not None
        for atom, axis in np.ndindex(4, 3):
            step = np.zeros((4, 3))
            step[atom, axis] = 1e-6
            two = [np.radians(torsion_deg(points + s * step)) for s in (1, -1)]
            slope = (two[0] - two[1]) / 2e-6
            assert abs(slope) == pytest.approx(abs(change[atom, axis]), abs=1e-6)
    line = np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [2, 1, 0]])
    assert torsion_change(line) is None


def test_moving_and_turning_cost_nothing() -> None:
    found = reference_molecule("tfsi")
    points = found.positions - found.positions.mean(axis=0)
    hessian = model_hessian(found.structure.numbers, points)
    np.testing.assert_allclose(hessian, hessian.T, atol=1e-9)
    for axis in np.eye(3):
        shift = np.tile(axis, len(found))
        turn = np.cross(axis, points).ravel()
        np.testing.assert_allclose(hessian @ shift, 0.0, atol=1e-8)
        np.testing.assert_allclose(hessian @ turn, 0.0, atol=1e-7)
    values = np.linalg.eigvalsh(hessian)
    assert values.min() > -1e-8
    assert (values < 1e-6).sum() == 6


def test_a_diatomic_by_hand() -> None:
    """H2 at 1.35 bohr has weight 1: k = 0.45 Ha/bohr^2, twice that along the stretch."""
    points = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 1.35 * 0.529177210544]])
    hessian = model_hessian([1, 1], points)
    assert np.linalg.eigvalsh(hessian)[-1] == pytest.approx(2 * 0.45 * 97.1736, rel=1e-3)


@pytest.mark.skipif(importlib.util.find_spec("tblite") is None, reason="tblite is not installed")
def test_same_minimum_in_fewer_steps() -> None:
    atoms = molecule("CH3CH2OH")
    atoms.rattle(0.08, seed=2)
    start = Structure(atoms.numbers, atoms.positions, np.eye(3) * 20.0, (False, False, False))
    settings = RelaxSettings(fmax_eV_per_A=0.01, max_steps=200)
    plain, quick = (
        relax(start, calculator=get_theory("gfn1-xtb").calculator(), settings=settings,
              molecular=molecular)
        for molecular in (False, True)
    )  # fmt: skip
    assert plain.converged
    assert quick.converged
    assert quick.energy_eV == pytest.approx(plain.energy_eV, abs=1e-3)
    assert quick.force_calls < plain.force_calls
