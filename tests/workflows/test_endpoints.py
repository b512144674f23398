"""The ends of a hop: what passes, and each way in which a hop is no single-ion hop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from ase.calculators.emt import EMT
from numpy.typing import NDArray
from potentials import (
    Analytic,
    egg_box,
    make_hop,
    one_atom,
    point_hop,
    polynomial,
    stationary,
    tilted_well,
    vacancy_hop,
)

from superionic.structures.structure import Structure
from superionic.workflows.endpoints import (
    EndSettings,
    ion_force_constants,
    mobile_mask,
    other_ion_displacement,
    relax_ends,
)
from superionic.workflows.evaluation import CallCounter
from superionic.workflows.relax import RelaxResult, RelaxSettings

Array = NDArray[np.float64]
STRICT = EndSettings(relax=RelaxSettings(fmax_eV_per_A=1e-3, max_steps=300, rattle_ang=0.01))
UNSHAKEN = EndSettings(relax=RelaxSettings(fmax_eV_per_A=1e-3), nudge_fraction=0.0)


def relaxed(structure: Structure) -> RelaxResult:
    return RelaxResult(structure, 0.0, 0.0, True, 0.0, 1, "toy")


# ---- ends that are what they were meant to be


def test_both_minima_of_a_double_well() -> None:
    curve = tilted_well()
    (left, low), _, (right, high) = stationary(curve)
    hop = point_hop((left - 0.2, 0.1, 0.0), (right + 0.2, 0.0, 0.1))
    counter = CallCounter()
    ends = relax_ends(hop, calculator=polynomial(curve), settings=STRICT, counter=counter)
    assert (ends.verdict, ends.reason) == ("converged", "")
    assert ends.start.structure.positions[0, 0] == pytest.approx(left, abs=1e-3)
    assert ends.end.structure.positions[0, 0] == pytest.approx(right, abs=1e-3)
    assert ends.end.energy_eV - ends.start.energy_eV == pytest.approx(high - low, abs=1e-5)
    assert ends.other_ion_displacement_ang == 0.0
    assert counter.calls == ends.start.force_calls + ends.end.force_calls + 2 * 6


def test_a_vacancy_hop_in_a_metal() -> None:
    hop = vacancy_hop()
    ends = relax_ends(hop, calculator=EMT(), settings=EndSettings(), theory="emt")
    assert ends.verdict == "converged"
    assert ends.start.theory == "emt"
    assert ends.start.energy_eV == pytest.approx(ends.end.energy_eV, abs=1e-3)
    assert 0.01 < ends.other_ion_displacement_ang < 0.3  # neighbours of the vacancy follow it
    np.testing.assert_array_equal(ends.start.structure.numbers, hop.host.numbers)


def test_of_two_distortions_the_one_on_the_path_is_taken() -> None:
    """A site split by 0.2 A each way, seen from its middle."""

    def function(positions: Array) -> tuple[float, Array]:
        x, y, z = positions[0]
        near = x < 1.5
        energy = 12.5 * (x * x - 0.04) ** 2 if near else 0.5 * (x - 3.0) ** 2
        slope = 50.0 * x * (x * x - 0.04) if near else x - 3.0
        return energy + y * y + z * z, np.array([[slope, 2 * y, 2 * z]])

    for seed in range(3):
        for sign in (1.0, -1.0):
            mirrored = Analytic(partial(mirror, function, sign))
            hop = point_hop((0.0, 0.0, 0.0), (3.0 * sign, 0.0, 0.0))
            settings = replace(STRICT, relax=replace(STRICT.relax, seed=seed))
            ends = relax_ends(hop, calculator=mirrored, settings=settings)
            assert ends.verdict == "converged"
            x = ends.start.structure.positions[0, 0]
            assert x == pytest.approx(0.2 * sign, abs=5e-3)


def mirror(
    function: Callable[[Array], tuple[float, Array]], sign: float, positions: Array
) -> tuple[float, Array]:
    flip = np.array([sign, 1.0, 1.0])
    energy, gradient = function(positions * flip)
    return energy, gradient * flip


# ---- other basin


def test_an_end_that_slides_back_is_another_basin() -> None:
    """So steep a tilt leaves one minimum."""
    curve = tilted_well(tilt=1.0)
    points = stationary(curve)
    assert len(points) == 1
    hop = point_hop((points[0][0], 0.0, 0.0), (1.4, 0.0, 0.0), site_types=("Na1", "Na2"))
    ends = relax_ends(hop, calculator=polynomial(curve), settings=STRICT)
    assert ends.verdict == "other-basin"
    assert "Relaxing the end took ion 0" in ends.reason


def test_ends_that_meet_half_way_are_one_basin() -> None:
    spring = polynomial([0.5, 0.0, 0.0])
    ends = relax_ends(
        point_hop((-1.0, 0.0, 0.0), (0.999, 0.0, 0.0)), calculator=spring, settings=STRICT
    )
    assert ends.verdict == "other-basin"


def test_another_ion_that_falls_into_the_free_site_is_another_basin() -> None:
    sites = np.array([[1.0, 5, 5], [4.0, 5, 5], [7.0, 5, 5]])
    host = Structure(numbers=np.array([11, 11]), positions=sites[[0, 2]], cell=np.eye(3) * 10.0)

    def pulled(positions: Array) -> tuple[float, Array]:  # the second ion wants the middle site
        rest = positions - sites[[0, 1]]
        return float((rest**2).sum()), 2 * rest

    hop = make_hop(host, 0, (3.0, 0.0, 0.0))
    ends = relax_ends(hop, calculator=Analytic(pulled), settings=STRICT)
    assert ends.verdict == "other-basin"


# ---- not single-ion


def follower(hop_length: float, follow: float) -> tuple[Structure, Analytic]:
    """Ion 0 in an egg-box, ion 1 on a spring whose rest moves along with ion 0."""
    k = 2 * np.pi / hop_length

    def function(positions: Array) -> tuple[float, Array]:
        (x, y, z), other = positions
        away = other - np.array([0.0, 8.0, 0.0]) - follow * np.array([x, 0.0, 0.0])
        energy = 0.2 * (1 - np.cos(k * x)) + y * y + z * z + 1.5 * float(away @ away)
        gradient = np.zeros((2, 3))
        gradient[0] = [0.2 * k * np.sin(k * x) - 3.0 * follow * away[0], 2 * y, 2 * z]
        gradient[1] = 3.0 * away
        return energy, gradient

    host = Structure(
        numbers=np.array([11, 11]),
        positions=np.array([[0.0, 0, 0], [0, 8.0, 0]]),
        cell=np.eye(3) * 30.0,
        pbc=(False, False, False),
    )
    return host, Analytic(function)


@pytest.mark.parametrize(
    ("follow", "verdict"), [(0.2, "converged"), (0.45, "converged"), (0.6, "not-single-ion")]
)
def test_an_ion_that_follows_too_far(follow: float, verdict: str) -> None:
    host, calculator = follower(3.0, follow)
    hop = make_hop(host, 0, (3.0, 0.0, 0.0))
    settings = replace(
        STRICT, relax=replace(STRICT.relax, fmax_eV_per_A=1e-4), other_ion_fraction=0.5
    )
    ends = relax_ends(hop, calculator=calculator, settings=settings)
    assert ends.verdict == verdict
    assert ends.other_ion_displacement_ang == pytest.approx(3.0 * follow, abs=0.01)


# ---- not a minimum


def ridge() -> Analytic:
    """A minimum at the origin; at x = 3 a saddle between two pockets 0.15 A off the line."""

    def function(positions: Array) -> tuple[float, Array]:
        x, y, z = positions[0]
        step = 0.5 * (1 - np.cos(np.pi * x / 3.0))
        slope = 0.5 * np.pi / 3.0 * np.sin(np.pi * x / 3.0)
        pocket, pocket_slope = (y * y - 0.15**2) ** 2 * 20.0, 80.0 * y * (y * y - 0.15**2)
        energy = 0.2 * (1 - np.cos(2 * np.pi * x / 3.0)) + z * z
        energy += step * pocket + (1 - step) * y * y
        along = 0.2 * 2 * np.pi / 3.0 * np.sin(2 * np.pi * x / 3.0)
        along += slope * (pocket - y * y)
        return float(energy), np.array([[along, step * pocket_slope + (1 - step) * 2 * y, 2 * z]])

    return Analytic(function)


def test_an_end_left_on_a_symmetric_saddle_is_not_a_minimum() -> None:
    hop = point_hop((0.0, 0.0, 0.0), (3.0, 0.0, 0.0))
    ends = relax_ends(hop, calculator=ridge(), settings=UNSHAKEN)
    assert ends.end.converged
    assert ends.verdict == "not-a-minimum"
    assert "The end is no minimum" in ends.reason


def test_a_rattle_takes_it_into_a_pocket() -> None:
    hop = point_hop((0.0, 0.0, 0.0), (3.0, 0.0, 0.0))
    ends = relax_ends(hop, calculator=ridge(), settings=STRICT)
    assert ends.verdict == "converged"
    assert abs(ends.end.structure.positions[0, 1]) == pytest.approx(0.15, abs=0.01)


def test_force_constants_of_an_ion() -> None:
    matrix = np.array([[2.0, 0.3, 0.0], [0.3, -1.0, 0.2], [0.0, 0.2, 5.0]])

    def function(positions: Array) -> tuple[float, Array]:
        r = positions[1]
        gradient = np.zeros((2, 3))
        gradient[1] = matrix @ r
        return float(0.5 * r @ matrix @ r), gradient

    pair = Structure(
        numbers=np.array([8, 11]), positions=np.array([[4.0, 0, 0], [0, 0, 0]]), cell=np.eye(3) * 9
    )
    counter = CallCounter()
    found = ion_force_constants(pair, 1, Analytic(function), counter)
    np.testing.assert_allclose(found, np.linalg.eigvalsh(matrix), atol=1e-9)
    assert counter.calls == 6


# ---- not relaxed


def test_an_end_that_does_not_relax_is_unconverged() -> None:
    hop = vacancy_hop()
    settings = EndSettings(relax=RelaxSettings(fmax_eV_per_A=1e-4, max_steps=2, rattle_ang=0.01))
    ends = relax_ends(hop, calculator=EMT(), settings=settings)
    assert ends.verdict == "unconverged"
    assert "The start did not relax" in ends.reason


# ---- what is no motion


def crystal() -> tuple[Structure, NDArray[np.bool_]]:
    host = Structure(
        numbers=np.array([8, 14, 8, 11, 11]),
        positions=np.array([[0, 0, 0], [2, 2, 0], [4, 4, 4], [6, 1, 1], [1, 6, 6.0]]),
        cell=np.eye(3) * 9.0,
    )
    return host, np.array([False, False, False, True, True])


def test_drift_and_wrapping_are_no_motion() -> None:
    host, mobile = crystal()
    hop = make_hop(host, 3, (3.0, 0.0, 0.0))
    np.testing.assert_array_equal(mobile_mask(host, 3), mobile)
    end = hop.final.positions + np.array([0.7, -0.4, 0.2])
    end[4] += [9.0, -9.0, 0.0]
    end[0] += [0.0, 9.0, 9.0]
    moved = other_ion_displacement(hop, relaxed(hop.initial), relaxed(host.with_positions(end)))
    assert moved == pytest.approx(0.0, abs=1e-12)
    end[4] += [0.0, 0.3, 0.4]
    moved = other_ion_displacement(hop, relaxed(hop.initial), relaxed(host.with_positions(end)))
    assert moved == pytest.approx(0.5)


def test_only_other_ions_of_the_element_count() -> None:
    host, _ = crystal()
    hop = make_hop(host, 3, (3.0, 0.0, 0.0))
    end = hop.final.positions.copy()
    end[[0, 2]] += [[0.6, 0, 0], [-0.6, 0, 0]]  # the framework breathes, its mean stays
    end[3] += [0.4, 0.0, 0.0]  # the ion itself
    moved = other_ion_displacement(hop, relaxed(hop.initial), relaxed(host.with_positions(end)))
    assert moved == pytest.approx(0.0, abs=1e-12)


def test_a_crystal_that_drifts_while_relaxing_is_judged_by_its_ions() -> None:
    """The whole crystal is pushed by 0.8 A in both relaxations, ions included."""
    host, _ = crystal()
    hop = make_hop(host, 3, (3.0, 0.0, 0.0))
    push = np.array([0.8, 0.0, 0.0])
    places = host.positions + push

    def function(positions: Array) -> tuple[float, Array]:
        away = positions - places
        gradient = 2.0 * away
        k = 2 * np.pi / 3.0
        gradient[3, 0] = 0.4 * k * np.sin(k * away[3, 0])
        energy = (away**2).sum() - away[3, 0] ** 2 + 0.4 * (1 - np.cos(k * away[3, 0]))
        return float(energy), gradient

    ends = relax_ends(hop, calculator=Analytic(function), settings=STRICT)
    assert ends.verdict == "converged", ends.reason
    assert ends.other_ion_displacement_ang == pytest.approx(0.0, abs=0.01)


def test_a_hop_across_the_boundary() -> None:
    host = one_atom((6.0, 0.0, 0.0), box=9.0)
    host = Structure(numbers=host.numbers, positions=host.positions, cell=host.cell)
    hop = make_hop(host, 0, (3.0, 0.0, 0.0))
    ends = relax_ends(hop, calculator=egg_box(period=3.0, height=0.4), settings=STRICT)
    assert ends.verdict == "converged"
    gap = ends.end.structure.positions[0] - ends.start.structure.positions[0]
    np.testing.assert_allclose(gap, [3.0, 0.0, 0.0], atol=0.01)
