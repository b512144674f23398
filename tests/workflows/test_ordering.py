"""Annealing of mobile ions: a lattice gas whose every arrangement can be listed."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.calculator import BaseCalculator
from numpy.typing import NDArray
from potentials import Toy, lattice_gas
from scipy.optimize import minimize

from superionic.structures.disordered import DisorderedStructure
from superionic.structures.errors import ProtocolError, UnknownElementError
from superionic.structures.ordering import ordered_candidates
from superionic.structures.structure import Structure, minimum_image
from superionic.workflows import ordering
from superionic.workflows.annealing import (
    AnnealSettings,
    OrderResult,
    anneal_ions,
    anneal_task,
)
from superionic.workflows.evaluation import CallCounter
from superionic.workflows.ordering import (
    OrderSettings,
    anneal_order_task,
    order_task,
    rank_orders_task,
)
from superionic.workflows.relax import RelaxSettings

Array = NDArray[np.float64]

CELL = np.diag([12.0, 6.0, 9.0])
SITES = np.array([(1.5 + 3.0 * i, 1.0 + 3.0 * j, 2.0) for i in range(4) for j in range(2)])
DEPTHS = np.array([1.00, 1.10, 1.05, 1.30, 0.95, 1.20, 1.15, 1.02])
FRAME = np.array([[0.0, 0.0, 6.0], [6.0, 3.0, 6.0]])
LABELS = tuple(f"Na{k}" for k in range(len(SITES)))
GAS = lattice_gas(SITES, DEPTHS, cell=CELL, framework=FRAME, width=0.6, repulsion=0.3, reach=2.0)
SETTINGS = AnnealSettings(
    final=RelaxSettings(fmax_eV_per_A=0.005, max_steps=200),
    max_move_ang=9.0,
    max_trials=200,
    accept_eV=1e-3,
    trial_fmax_eV_per_A=0.01,
)


def filled(sites: tuple[int, ...]) -> Structure:
    return Structure(
        numbers=np.array([8] * len(FRAME) + [11] * len(sites)),
        positions=np.vstack([FRAME, SITES[list(sites)]]),
        cell=CELL,
        labels=("O1",) * len(FRAME) + tuple(LABELS[k] for k in sites),
    )


def anneal(
    sites: tuple[int, ...],
    settings: AnnealSettings = SETTINGS,
    *,
    calculator: BaseCalculator = GAS,
    counter: CallCounter | None = None,
) -> OrderResult:
    empty = [k for k in range(len(SITES)) if k not in sites]
    return anneal_ions(
        filled(sites),
        empty_sites=SITES[empty],
        empty_labels=tuple(LABELS[k] for k in empty),
        ion="Na",
        calculator=calculator,
        settings=settings,
        counter=counter,
    )


def arrangement(result: OrderResult) -> tuple[int, ...]:
    """Which sites hold an ion, from the labels."""
    names = [name for name in result.structure.labels if name.startswith("Na")]
    return tuple(sorted(LABELS.index(name) for name in names))


@pytest.fixture(scope="module")
def listed() -> dict[tuple[int, ...], float]:
    """Relaxed energy of every arrangement of three ions, by an independent minimiser."""
    found: dict[tuple[int, ...], float] = {}
    for sites in combinations(range(len(SITES)), 3):
        start = np.vstack([FRAME, SITES[list(sites)]])

        def flat(x: Array) -> tuple[float, Array]:
            energy, gradient = GAS.function(x.reshape(-1, 3))
            return energy, gradient.ravel()

        done = minimize(flat, start.ravel(), jac=True, method="L-BFGS-B", tol=1e-10)
        found[sites] = float(done.fun)
    return found


# ---- the ground state


@pytest.mark.parametrize("start", [(0, 1, 2), (0, 2, 4), (4, 6, 7)])
def test_the_ground_state_is_found_from_anywhere(
    listed: dict[tuple[int, ...], float], start: tuple[int, ...]
) -> None:
    best = min(listed, key=lambda k: listed[k])
    found = anneal(start)
    assert arrangement(found) == best
    assert found.energy_eV == pytest.approx(listed[best], abs=1e-3)
    assert found.fell_eV == pytest.approx(listed[start] - listed[best], abs=5e-3)
    assert found.exhausted
    assert found.converged
    assert found.moves_accepted >= 1


@pytest.mark.parametrize("reach", [3.1, 4.5])
@pytest.mark.parametrize("seed", range(3))
def test_no_single_move_within_reach_helps_any_more(
    listed: dict[tuple[int, ...], float], reach: float, seed: int
) -> None:
    found = anneal((0, 1, 2), replace(SETTINGS, max_move_ang=reach, seed=seed))
    assert found.exhausted
    final = arrangement(found)
    for ion in final:
        for site in set(range(len(SITES))) - set(final):
            gap = minimum_image(SITES[site] - SITES[ion], CELL, (True, True, True))
            if np.linalg.norm(gap) <= reach:
                neighbour = tuple(sorted((*(k for k in final if k != ion), site)))
                assert listed[neighbour] >= listed[final] - SETTINGS.accept_eV - 1e-3


def test_nothing_to_gain_from_the_ground_state(listed: dict[tuple[int, ...], float]) -> None:
    best = min(listed, key=lambda k: listed[k])
    found = anneal(best)
    assert found.moves_accepted == 0
    assert found.fell_eV == 0.0
    assert found.exhausted
    assert found.moves_tried > 5


# ---- honesty


@pytest.mark.parametrize("limit", [0, 1, 3])
def test_cut_short_it_is_not_exhausted(limit: int) -> None:
    found = anneal((0, 1, 2), replace(SETTINGS, max_trials=limit))
    assert not found.exhausted
    assert found.moves_tried == limit
    assert found.converged  # the arrangement it stopped at is relaxed all the same


def test_blocked_moves_are_counted_and_not_relaxed() -> None:
    assert anneal((0, 1, 2)).moves_blocked == 0
    all_blocked = anneal((0, 1, 2), replace(SETTINGS, clash_ang=20.0))
    assert all_blocked.moves_tried == 0
    assert all_blocked.moves_blocked > 0
    assert all_blocked.exhausted  # nothing left to try; the count says why


def test_no_empty_site_no_move() -> None:
    found = anneal(tuple(range(8)))
    assert (found.moves_tried, found.moves_blocked, found.fell_eV) == (0, 0, 0.0)
    assert found.exhausted
    assert found.empty_sites.shape == (0, 3)
    assert found.empty_labels == ()


def test_force_calls_are_counted() -> None:
    counter = CallCounter(calls=5)
    found = anneal((0, 1, 2), counter=counter)
    assert found.force_calls == counter.calls > 50


def test_an_unfinished_last_relaxation_is_said() -> None:
    final = RelaxSettings(fmax_eV_per_A=1e-7, max_steps=1)
    found = anneal((0, 1, 2), replace(SETTINGS, final=final, max_trials=1))
    assert not found.converged
    assert found.fmax_eV_per_A > 1e-7


# ---- seeds, labels, sites


def test_the_seed_orders_the_trials() -> None:
    one, again = anneal((0, 1, 2)), anneal((0, 1, 2))
    other = anneal((0, 1, 2), replace(SETTINGS, seed=9))
    assert one.force_calls == again.force_calls
    np.testing.assert_array_equal(one.structure.positions, again.structure.positions)
    assert other.energy_eV == pytest.approx(one.energy_eV, abs=1e-3)
    assert (other.moves_tried, other.force_calls) != (one.moves_tried, one.force_calls)


def test_labels_and_empty_sites_together_are_all_sites() -> None:
    found = anneal((0, 1, 2))
    taken = arrangement(found)
    assert sorted([*found.empty_labels, *(LABELS[k] for k in taken)]) == sorted(LABELS)
    for name, place in zip(found.empty_labels, found.empty_sites, strict=True):
        np.testing.assert_allclose(place, SITES[LABELS.index(name)], atol=1e-9)
    ions = found.structure.indices("Na")
    for ion in ions:
        gap = found.structure.positions[ion] - SITES[LABELS.index(found.structure.labels[ion])]
        assert np.linalg.norm(minimum_image(gap, CELL, (True,) * 3)) < 0.5
    assert found.structure.labels[:2] == ("O1", "O1")
    with pytest.raises(ValueError, match="read-only"):
        found.empty_sites[0, 0] = 1.0


def test_atoms_keep_their_order_and_number() -> None:
    found = anneal((0, 1, 2))
    np.testing.assert_array_equal(found.structure.numbers, filled((0, 1, 2)).numbers)


class Stretching(Toy):
    """A gas whose cell wants to be 20 % longer; sites and wells move with the cell."""

    implemented_properties = ["energy", "forces", "stress"]  # noqa: RUF012

    def evaluate(self, atoms: Atoms) -> dict[str, float | Array]:
        stretch = atoms.cell.lengths() / CELL.diagonal()
        strain, stress = stretch - 1.2, np.zeros(6)
        stress[:3] = 100.0 * strain * stretch / atoms.get_volume()
        energy = float(50.0 * (strain**2).sum())
        return {"energy": energy, "forces": np.zeros((len(atoms), 3)), "stress": stress}


def test_sites_follow_a_cell_that_relaxes() -> None:
    """A fifth of 10 A is more than half way to the next site."""
    final = RelaxSettings(fmax_eV_per_A=0.005, max_steps=200, cell="full")
    found = anneal((0, 3, 7), replace(SETTINGS, final=final, max_trials=0), calculator=Stretching())
    assert found.converged
    np.testing.assert_allclose(found.structure.cell, 1.2 * CELL, rtol=1e-3)
    assert arrangement(found) == (0, 3, 7)
    expected = [1.2 * SITES[LABELS.index(name)] for name in found.empty_labels]
    np.testing.assert_allclose(found.empty_sites, expected, rtol=1e-2)


# ---- the jobs


def half_filled_gold() -> DisorderedStructure:
    """Copper on half of the sites between layers of gold, which EMT can relax."""
    fractional = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    occupancies = ({"Cu": 0.5}, {"Au": 1.0}, {"Au": 1.0}, {"Cu": 0.5})
    return DisorderedStructure(
        fractional, occupancies, 4.1 * np.eye(3), ("Cu1", "Au1", "Au1", "Cu1")
    )


def test_jobs_refuse_unknown_elements_first() -> None:
    with pytest.raises(UnknownElementError, match="Na"):
        anneal_task(filled((0, 1)), SITES[2:], LABELS[2:], "Na", "emt", SETTINGS)


def test_ordering_a_crystal_from_its_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    """EMT knows no elements with formal charges, so the Ewald step is told some."""
    charged = partial(
        ordered_candidates, oxidation_states={"Cu": 1.0, "Au": -0.5}, supercell=(2, 1, 1)
    )
    monkeypatch.setattr(ordering, "ordered_candidates", charged)
    settings = OrderSettings(
        anneal=replace(SETTINGS, max_move_ang=3.5, clash_ang=1.0, max_trials=3),
        candidates=2,
        candidate_fmax_eV_per_A=0.05,
    )
    found = order_task(half_filled_gold(), "Cu", "emt", settings)
    assert found.theory == "emt"
    assert len(found.candidate_energies_eV) == 2
    assert found.ewald_rank == int(np.argmin(found.candidate_energies_eV))
    assert found.structure.symbols.count("Cu") == len(found.empty_labels) == 2
    assert found.structure.symbols.count("Au") == 4
    assert set(found.empty_labels) == {"Cu1"}
    assert found.converged
    assert found.energy_eV <= min(found.candidate_energies_eV) + 0.01
    ranked = rank_orders_task(half_filled_gold(), "Cu", "emt", settings)
    energies = [c.energy_eV for c in ranked.candidates]
    assert energies == sorted(energies), "the lowest first"
    assert sorted(c.ewald_rank for c in ranked.candidates) == [0, 1]
    second = anneal_order_task(ranked, 1, "Cu", "emt", settings.anneal)
    assert second.ewald_rank == ranked.candidates[1].ewald_rank != found.ewald_rank
    assert second.candidate_energies_eV == pytest.approx(found.candidate_energies_eV, abs=1e-9)
    with pytest.raises(ProtocolError, match="there are 2"):
        anneal_order_task(ranked, 2, "Cu", "emt", settings.anneal)


@pytest.mark.parametrize(
    "changes", [{"max_move_ang": 0.0}, {"max_trials": -1}, {"trial_fmax_eV_per_A": 0.0}]
)
def test_refuses_settings_that_cannot_work(changes: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        replace(SETTINGS, **changes)
