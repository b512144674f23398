"""Heat and quench: out of a poor minimum into a better one, the lowest kept, the same each time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from potentials import one_atom, polynomial, stationary, tilted_well

from superionic.structures.errors import NotConvergedError, ProtocolError
from superionic.structures.structure import Structure
from superionic.workflows.quench import QuenchSettings, quench, quench_task
from superionic.workflows.relax import RelaxSettings

WELL = tilted_well(tilt=-0.1)
HOT = QuenchSettings(
    relax=RelaxSettings(fmax_eV_per_A=1e-3, max_steps=300),
    rounds=6,
    temperature_K=8000.0,
    steps=200,
    timestep_fs=2.0,
)


def upper() -> tuple[Structure, float, float]:
    """Return an atom in the higher of two wells, and both energies."""
    (left, low), _, (right, high) = stationary(WELL)
    higher, lower = ((left, low), (right, high)) if low > high else ((right, high), (left, low))
    return one_atom((higher[0], 0.0, 0.0)), higher[1], lower[1]


def test_hot_enough_it_finds_the_lower_well() -> None:
    start, higher, lower = upper()
    found = quench(start, calculator=polynomial(WELL), settings=HOT, theory="toy")
    assert found.energies_eV[0] == pytest.approx(higher, abs=1e-4)
    assert found.lowest.energy_eV == pytest.approx(lower, abs=1e-4)
    assert found.fell_eV == pytest.approx(higher - lower, abs=2e-4)
    assert found.lowest.converged
    assert found.lowest.theory == "toy"
    assert found.heating_ps == pytest.approx(2.4)
    assert len(found.energies_eV) == 7


def test_cold_it_stays_where_it_was() -> None:
    start, higher, _ = upper()
    cold = replace(HOT, temperature_K=1.0, rounds=1)
    found = quench(start, calculator=polynomial(WELL), settings=cold)
    assert found.energies_eV == pytest.approx((higher, higher), abs=1e-4)
    assert found.fell_eV == pytest.approx(0.0, abs=1e-5)


def test_without_rounds_it_is_a_relaxation() -> None:
    start, higher, _ = upper()
    found = quench(start, calculator=polynomial(WELL), settings=replace(HOT, rounds=0))
    assert found.energies_eV == pytest.approx((higher,), abs=1e-4)
    assert found.heating_ps == 0.0


def test_a_quench_that_does_not_converge_is_left_out_and_counted() -> None:
    start, higher, _ = upper()
    stopped = replace(HOT, relax=RelaxSettings(fmax_eV_per_A=1e-3, max_steps=0), rounds=2)
    found = quench(start, calculator=polynomial(WELL), settings=stopped)
    assert found.unconverged == 2
    assert found.energies_eV == pytest.approx((higher,), abs=1e-6), "only the start, at its minimum"
    assert found.lowest.converged


def test_the_seed_decides() -> None:
    start, _, _ = upper()

    def positions(seed: int) -> NDArray[np.float64]:
        short = replace(HOT, rounds=1, seed=seed, relax=RelaxSettings(fmax_eV_per_A=10.0))
        return quench(start, calculator=polynomial(WELL), settings=short).lowest.structure.positions

    np.testing.assert_array_equal(positions(1), positions(1))


def test_a_start_that_does_not_relax_is_refused() -> None:
    start, _, _ = upper()
    settings = replace(HOT, relax=RelaxSettings(fmax_eV_per_A=1e-9, max_steps=0, rattle_ang=0.1))
    with pytest.raises(NotConvergedError, match="fmax"):
        quench(start, calculator=polynomial(WELL), settings=settings)


@pytest.mark.parametrize(
    "change", [{"temperature_K": 0.0}, {"rounds": -1}, {"steps": 0}, {"timestep_fs": -1.0}]
)
def test_settings_that_cannot_work(change: dict[str, float]) -> None:
    with pytest.raises(ProtocolError, match="Heating"):
        replace(HOT, **change)  # type: ignore[arg-type]
    with pytest.raises(ProtocolError, match="cell"):
        replace(HOT, relax=RelaxSettings(cell="full"))


def test_as_a_task_with_emt() -> None:
    rng = np.random.default_rng(0)
    lattice = 3.6 * np.array([(i, j, k) for i in range(2) for j in range(2) for k in range(2)])
    basis = 3.6 * np.array([(0, 0, 0), (0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5)])
    sites = (lattice[:, None] + basis[None]).reshape(-1, 3)
    copper = Structure(
        numbers=np.full(32, 29),
        positions=sites + rng.normal(scale=0.02, size=sites.shape),
        cell=7.2 * np.eye(3),
    )
    settings = QuenchSettings(
        relax=RelaxSettings(fmax_eV_per_A=0.01), rounds=1, temperature_K=300.0, steps=20
    )
    found = quench_task(copper, "emt", settings)
    assert found.energies_eV[1] == pytest.approx(found.energies_eV[0], abs=1e-3), "one crystal"
    assert found.lowest.force_calls > 0
