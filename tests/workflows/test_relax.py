"""Relaxations: springs by hand, EMT against ASE's own optimisers, and what must be refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from ase.build import bulk, molecule
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms
from ase.filters import FrechetCellFilter
from ase.optimize import BFGS
from numpy.typing import NDArray
from potentials import Analytic, one_atom, polynomial, stationary, tilted_well

from superionic.structures.errors import (
    InvalidStructureError,
    NotConvergedError,
    ProtocolError,
    UnknownElementError,
)
from superionic.structures.structure import Structure
from superionic.workflows.evaluation import CallCounter
from superionic.workflows.relax import RelaxSettings, framework_shift, relax, relax_task

TIGHT = RelaxSettings(fmax_eV_per_A=1e-4, max_steps=200)


def copper(a: float = 3.7, *, shake: float = 0.0) -> Structure:
    atoms = bulk("Cu", "fcc", a=a, cubic=True)
    atoms.rattle(shake, seed=3)
    return Structure.from_ase(atoms)


# ---- by hand


def test_a_spring_relaxes_to_its_rest() -> None:
    rest = np.array([1.0, 2.0, 3.0])
    spring = Analytic(lambda r: (float(((r - rest) ** 2).sum()), 2 * (r - rest)))
    done = relax(one_atom((1.3, 1.8, 3.1)), calculator=spring, settings=TIGHT)
    assert done.converged
    np.testing.assert_allclose(done.structure.positions[0], rest, atol=1e-4)
    assert done.start_energy_eV == pytest.approx(0.09 + 0.04 + 0.01)
    assert done.energy_eV == pytest.approx(0.0, abs=1e-8)


def test_a_double_well_relaxes_downhill_even_from_near_its_top() -> None:
    curve = tilted_well()
    (left, low), (top, _), (right, high) = stationary(curve)
    for away in (-0.5, -0.05, -1e-3, 1e-3, 0.05, 0.5):
        start = one_atom((top + away, 0.05, 0.0))
        done = relax(start, calculator=polynomial(curve), settings=TIGHT)
        x, energy = (left, low) if away < 0 else (right, high)
        assert done.converged
        assert done.structure.positions[0, 0] == pytest.approx(x, abs=1e-3)
        assert done.energy_eV == pytest.approx(energy, abs=1e-6)
        assert done.force_calls < 40


def test_only_a_rattle_leaves_a_saddle() -> None:
    curve = tilted_well(tilt=0.0)
    at_top = one_atom((0.0, 0.0, 0.0))
    stuck = relax(at_top, calculator=polynomial(curve), settings=TIGHT)
    assert stuck.converged  # the force is zero: this is why ends of hops are rattled and judged
    assert stuck.energy_eV == pytest.approx(0.4)
    left = relax(at_top, calculator=polynomial(curve), settings=replace(TIGHT, rattle_ang=0.01))
    assert left.energy_eV == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("atoms", [16, 32])  # below and above the size that is preconditioned
def test_a_rattled_saddle_of_many_atoms_is_left(atoms: int) -> None:
    rest = 3.0 * np.array(list(np.ndindex(4, 4, 2)), dtype=float)[:atoms]
    curve = np.poly1d(tilted_well(tilt=0.0))

    def function(r: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        away = r - rest
        x, y = away[0, 0], away[1, 1]
        gradient = 3.0 * away
        gradient[0, 0] = curve.deriv()(x) + 0.3 * y
        gradient[1, 1] += 0.3 * x
        energy = 1.5 * ((away**2).sum() - x**2) + curve(x) + 0.3 * x * y
        return float(energy), gradient

    saddle = Structure(numbers=np.full(atoms, 29), positions=rest, cell=np.eye(3) * 20.0)
    for seed in range(4):
        settings = RelaxSettings(fmax_eV_per_A=1e-3, max_steps=300, rattle_ang=0.05, seed=seed)
        done = relax(saddle, calculator=Analytic(function), settings=settings)
        assert done.converged
        assert done.energy_eV < 0.0


# ---- evidence


def test_stopped_by_its_step_limit_it_is_not_converged() -> None:
    done = relax(
        copper(shake=0.1), calculator=EMT(), settings=RelaxSettings(fmax_eV_per_A=1e-3, max_steps=2)
    )
    assert not done.converged
    assert done.fmax_eV_per_A > 1e-3
    with pytest.raises(NotConvergedError, match="stopped at fmax"):
        done.require_converged()


def test_an_abandoned_relaxation_ends_at_once_and_is_not_converged() -> None:
    """Falling from the top of a double well, given up as soon as it is 0.2 A down the left side."""
    curve = tilted_well()
    top = stationary(curve)[1][0]
    start, calculator = one_atom((top - 0.05, 0.05, 0.0)), polynomial(curve)
    whole = relax(start, calculator=calculator, settings=TIGHT)
    seen: list[float] = []

    def lost(positions: NDArray[np.float64]) -> bool:
        seen.append(float(positions[0, 0]))
        return seen[-1] < top - 0.2

    done = relax(start, calculator=calculator, settings=TIGHT, abandon=lost)
    assert not done.converged
    assert done.force_calls < whole.force_calls
    assert done.structure.positions[0, 0] == seen[-1] < top - 0.2 <= min(seen[:-1])
    kept = relax(start, calculator=calculator, settings=TIGHT, abandon=lambda _: False)
    np.testing.assert_array_equal(kept.structure.positions, whole.structure.positions)


def test_residual_and_energy_are_those_of_the_structure_returned() -> None:
    done = relax(copper(shake=0.1), calculator=EMT(), settings=TIGHT, theory="emt")
    atoms = done.structure.to_ase()
    atoms.calc = EMT()
    assert done.converged
    assert done.require_converged() is done
    assert done.energy_eV == pytest.approx(atoms.get_potential_energy(), abs=1e-10)
    largest = np.linalg.norm(atoms.get_forces(), axis=1).max()
    assert done.fmax_eV_per_A == pytest.approx(largest, abs=1e-10)
    assert done.fmax_eV_per_A <= TIGHT.fmax_eV_per_A
    assert done.theory == "emt"


def test_force_calls_are_counted_and_added() -> None:
    counter = CallCounter(calls=7)
    done = relax(copper(shake=0.1), calculator=EMT(), settings=TIGHT, counter=counter)
    assert counter.calls == 7 + done.force_calls
    assert done.force_calls > 2
    still = relax(copper(), calculator=EMT(), settings=RelaxSettings(max_steps=0))
    assert still.force_calls == 1


def test_rattle_is_seeded() -> None:
    def start(seed: int) -> float:
        settings = RelaxSettings(max_steps=0, rattle_ang=0.05, seed=seed)
        return relax(copper(), calculator=EMT(), settings=settings).start_energy_eV

    assert start(1) == start(1)
    assert start(1) != start(2)


def test_labels_and_the_structure_handed_in_survive() -> None:
    given = replace(copper(shake=0.1), labels=("Cu1", "Cu1", "Cu2", "Cu2"))
    before = given.positions.copy()
    done = relax(given, calculator=EMT(), settings=TIGHT)
    assert done.structure.labels == given.labels
    np.testing.assert_array_equal(given.positions, before)
    assert done.structure.pbc == given.pbc


def test_held_atoms_stay() -> None:
    given = copper(shake=0.1)
    done = relax(given, calculator=EMT(), settings=TIGHT, constraint=FixAtoms([0]))
    np.testing.assert_array_equal(done.structure.positions[0], given.positions[0])
    assert np.abs(done.structure.positions[1:] - given.positions[1:]).max() > 0.01
    assert done.converged


# ---- an independent package


def test_cell_against_ase() -> None:
    atoms = bulk("Cu", "fcc", a=3.7)
    atoms.calc = EMT()
    cell = FrechetCellFilter(atoms)
    assert BFGS(cell, logfile=None).run(fmax=1e-4, steps=100)  # type: ignore[arg-type]
    done = relax(
        Structure.from_ase(bulk("Cu", "fcc", a=3.7)),
        calculator=EMT(),
        settings=replace(TIGHT, cell="full"),
    )
    assert done.converged
    assert done.energy_eV == pytest.approx(atoms.get_potential_energy(), abs=1e-6)
    assert done.structure.volume == pytest.approx(atoms.get_volume(), rel=1e-4)
    lattice_constant = (4 * done.structure.volume) ** (1 / 3)
    assert lattice_constant == pytest.approx(3.59, abs=0.005)  # EMT's copper


def test_residual_of_a_relaxed_cell_counts_the_stress() -> None:
    squeezed = Structure.from_ase(bulk("Cu", "fcc", a=3.5))
    done = relax(
        squeezed,
        calculator=EMT(),
        settings=RelaxSettings(fmax_eV_per_A=1e-3, max_steps=0, cell="full"),
    )
    assert not done.converged  # the force on the only atom is zero by symmetry
    assert done.fmax_eV_per_A > 0.1
    fixed = relax(squeezed, calculator=EMT(), settings=RelaxSettings(max_steps=0))
    assert fixed.converged


def test_positions_against_ase() -> None:
    given = molecule("C2H6")
    given.rattle(0.1, seed=1)
    atoms = given.copy()
    atoms.calc = EMT()
    assert BFGS(atoms, logfile=None).run(fmax=1e-4, steps=200)
    given.cell = np.eye(3) * 15.0
    done = relax(Structure.from_ase(given), calculator=EMT(), settings=TIGHT)
    assert done.converged
    assert done.energy_eV == pytest.approx(atoms.get_potential_energy(), abs=1e-5)


# ---- refused


def test_an_energy_that_is_not_a_number_is_an_error() -> None:
    broken = Analytic(lambda r: (float("nan"), np.zeros_like(r)))
    with pytest.raises(NotConvergedError, match="not finite"):
        relax(one_atom((0.0, 0.0, 0.0)), calculator=broken, settings=TIGHT)
    wild = Analytic(lambda r: (0.0, np.full_like(r, np.inf)))
    with pytest.raises(NotConvergedError, match="not finite"):
        relax(one_atom((0.0, 0.0, 0.0)), calculator=wild, settings=TIGHT)


def test_overlapping_atoms_are_an_error_before_anything_is_computed() -> None:
    counter = CallCounter()
    close = copper()
    positions = close.positions.copy()
    positions[1] = positions[0] + close.cell[0] + [0.2, 0.0, 0.0]  # across the boundary
    with pytest.raises(InvalidStructureError, match=r"0\.200 A apart"):
        relax(close.with_positions(positions), calculator=EMT(), settings=TIGHT, counter=counter)
    assert counter.calls == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"fmax_eV_per_A": 0.0},
        {"fmax_eV_per_A": -1.0},
        {"max_steps": -1},
        {"rattle_ang": -0.1},
        {"cell": "volume"},
    ],
)
def test_refuses_settings_that_cannot_work(changes: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        RelaxSettings(**changes)


# ---- the job


def test_the_job_is_the_function_at_a_level_of_theory() -> None:
    given = copper(shake=0.1)
    one = relax_task(given, "emt", TIGHT)
    other = relax(given, calculator=EMT(), settings=TIGHT, theory="emt")
    np.testing.assert_array_equal(one.structure.positions, other.structure.positions)
    assert one.theory == "emt"
    with pytest.raises(UnknownElementError, match="no parameters for Na"):
        relax_task(one_atom((0.0, 0.0, 0.0), symbol=11), "emt", TIGHT)


# ---- drift


def test_shift_of_the_framework_alone() -> None:
    before = np.random.default_rng(0).normal(size=(5, 3))
    framework = np.array([True, True, True, False, False])
    after = before + np.array([0.1, 0.0, -0.2])
    after[3] += 2.0
    after[0] += [0.03, 0.0, 0.0]
    np.testing.assert_allclose(framework_shift(before, after, framework), [0.11, 0.0, -0.2])
    np.testing.assert_array_equal(framework_shift(before, after, ~np.ones(5, bool)), np.zeros(3))
    with pytest.raises(InvalidStructureError, match="disagree"):
        framework_shift(before, after[:4], framework)
