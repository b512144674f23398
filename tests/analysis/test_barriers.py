"""Reading barriers off profiles: by hand, against a slow reference, and turned round."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import made_up
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray

from superionic.analysis.barriers import (
    BarrierResult,
    interior_minima,
    largest_climb,
    read_profile,
)
from superionic.structures.errors import EvidenceError

NOISE = 1e-3

coarse = st.lists(st.integers(-8, 8), min_size=2, max_size=14)
"""Energies in units of 0.1 eV: many ties."""
fine = st.lists(
    st.floats(-2.0, 2.0, allow_nan=False, allow_subnormal=False), min_size=2, max_size=14
)


# ---- by hand


def test_one_hill() -> None:
    reading = read_profile([0.0, 0.1, 0.4, 0.2, 0.05])
    assert reading.forward_barrier_eV == pytest.approx(0.4)
    assert reading.reverse_barrier_eV == pytest.approx(0.35)
    assert reading.reaction_energy_eV == pytest.approx(0.05)
    assert reading.minima == (0, 4)
    assert reading.saddle == 2


def test_a_chain_has_its_largest_climb_not_its_highest_point() -> None:
    reading = read_profile([0.0, 0.30, -0.20, 0.25, 0.1])
    assert reading.forward_barrier_eV == pytest.approx(0.45)
    assert reading.saddle == 3
    assert reading.reverse_barrier_eV == pytest.approx(0.50)
    assert reading.minima == (0, 2, 4)


def test_a_path_that_only_falls_has_no_forward_barrier() -> None:
    reading = read_profile([0.0, -0.1, -0.5])
    assert reading.forward_barrier_eV == 0.0
    assert reading.reverse_barrier_eV == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("energies", "expected"),
    [
        ([0.0, 0.3, 0.1, 0.3, 0.0], (2,)),
        ([0.0, 0.3, 0.2995, 0.3, 0.0], ()),  # shallower than the noise
        ([0.0, 0.3, 0.2995, 0.4, 0.0], ()),  # on one side
        ([0.0, 0.3, 0.1, 0.1, 0.3, 0.0], (3,)),  # flat bottom: one minimum
        ([0.0, 0.3, 0.1, 0.1005, 0.1, 0.3, 0.0], (4,)),  # ripples in the bottom: still one
        ([0.0, -0.1, 0.2], (1,)),  # below the end it starts from
        ([0.0, 0.1, 0.2], ()),
        ([0.0, 0.3, 0.1, 0.3, 0.05, 0.3, 0.0], (2, 4)),
        ([0.2, 0.1], ()),
    ],
)
def test_minima_inside(energies: list[float], expected: tuple[int, ...]) -> None:
    assert interior_minima(energies) == expected


@pytest.mark.parametrize("energies", [[], [0.1], [0.0, np.nan, 0.1], [[0.0, 1.0], [1.0, 0.0]]])
def test_a_profile_needs_two_finite_energies(energies: ArrayLike) -> None:
    with pytest.raises(EvidenceError, match="two finite energies"):
        read_profile(energies)


# ---- a slow reference


def slow_climb(energies: list[float]) -> float:
    return max(b - a for i, a in enumerate(energies) for b in energies[i:])


def slow_minima_count(energies: list[float], noise: float) -> int:
    """Basins strictly inside: merge the two sides of any rise that is within the noise."""
    count = 0
    for k in range(1, len(energies) - 1):
        left = right = 0.0
        for e in energies[k - 1 :: -1]:
            if e < energies[k]:
                break
            left = max(left, e - energies[k])
        for e in energies[k + 1 :]:
            if e <= energies[k]:  # of equal ones the last counts
                break
            right = max(right, e - energies[k])
        count += left > noise and right > noise
    return count


@settings(deadline=None, max_examples=200, derandomize=True)
@given(st.one_of(fine, coarse.map(lambda v: [0.1 * x for x in v])))
def test_against_the_slow_reference(energies: list[float]) -> None:
    climb, index = largest_climb(energies)
    assert climb == pytest.approx(slow_climb(energies), abs=1e-12)
    assert energies[index] - min(energies[: index + 1]) == pytest.approx(climb, abs=1e-12)
    assert len(interior_minima(energies, noise_eV=NOISE)) == slow_minima_count(energies, NOISE)


@settings(deadline=None, max_examples=200, derandomize=True)
@given(st.one_of(fine, coarse.map(lambda v: [0.1 * x for x in v])))
def test_walked_backwards(energies: list[float]) -> None:
    there, back = read_profile(energies), read_profile(energies[::-1])
    assert there.forward_barrier_eV == pytest.approx(back.reverse_barrier_eV, abs=1e-12)
    assert there.reverse_barrier_eV == pytest.approx(back.forward_barrier_eV, abs=1e-12)
    assert there.reaction_energy_eV == pytest.approx(-back.reaction_energy_eV, abs=1e-12)
    assert len(there.minima) == len(back.minima)
    bottoms = sorted(round(energies[k], 12) for k in there.minima)
    assert bottoms == sorted(round(energies[::-1][k], 12) for k in back.minima)


@settings(deadline=None, max_examples=100, derandomize=True)
@given(fine, st.floats(-5.0, 5.0))
def test_barriers_know_no_zero_of_energy(energies: list[float], shift: float) -> None:
    one, other = read_profile(energies), read_profile(np.array(energies) + shift)
    assert one.forward_barrier_eV == pytest.approx(other.forward_barrier_eV, abs=1e-9)
    assert one.reverse_barrier_eV == pytest.approx(other.reverse_barrier_eV, abs=1e-9)


@settings(deadline=None, max_examples=100, derandomize=True)
@given(fine)
def test_climbs_are_bounded_by_the_ends_and_the_range(energies: list[float]) -> None:
    reading = read_profile(energies)
    assert reading.forward_barrier_eV >= max(energies) - energies[0] - 1e-12
    assert reading.reverse_barrier_eV >= max(energies) - energies[-1] - 1e-12
    assert reading.forward_barrier_eV <= max(energies) - min(energies) + 1e-12
    if not interior_minima(energies, noise_eV=0.0) and min(energies[0], energies[-1]) == min(
        energies
    ):
        net = reading.forward_barrier_eV - reading.reverse_barrier_eV
        assert net == pytest.approx(reading.reaction_energy_eV, abs=1e-12)


# ---- a value needs its evidence


def result(**changes: Any) -> BarrierResult:
    return replace(made_up.barrier([0.0, 0.4, 0.1]), **changes)


NO_VALUE: dict[str, Any] = {
    "forward_barrier_eV": None,
    "reverse_barrier_eV": None,
    "reaction_energy_eV": None,
    "converged": False,
}


def test_a_result_with_its_evidence_is_accepted() -> None:
    assert result().forward_barrier_eV == 0.4


def test_a_result_without_value_is_accepted() -> None:
    assert result(verdict="unconverged", reason="why", **NO_VALUE).forward_barrier_eV is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"forward_barrier_eV": None}, "lacks a barrier"),
        ({"reverse_barrier_eV": None}, "lacks a barrier"),
        ({"reaction_energy_eV": None}, "lacks a barrier"),
        ({"fmax_eV_per_A": None}, "residual force"),
        ({"converged": False}, "converged flag"),
        ({"fmax_eV_per_A": 0.06}, "above its criterion"),
        ({"fmax_eV_per_A": np.nan}, "above its criterion"),
        ({"forward_barrier_eV": np.nan}, "its profile"),
        ({"forward_barrier_eV": 0.39}, "its profile"),
        ({"reverse_barrier_eV": 0.4}, "its profile"),
        ({"reaction_energy_eV": -0.1}, "its profile"),
        ({"energies_eV": [0.0, np.nan, 0.1]}, "two finite energies"),
        ({"coordinate_ang": [0.0, 1.0]}, "differ in length"),
        ({"ion_coordinate": [0.0, 1.0]}, "differ in length"),
        ({"positions": np.zeros((2, 1, 3))}, "differ in length"),
        ({"verdict": "unconverged"}, "must not carry a barrier"),
        ({"verdict": "failed", **NO_VALUE, "reaction_energy_eV": 0.1}, "must not carry"),
        ({"verdict": "other-basin", **NO_VALUE, "converged": True}, "must not be called converged"),
        ({"verdict": "perhaps", **NO_VALUE}, "Unknown verdict"),
    ],
)
def test_refuses_values_without_evidence(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(EvidenceError, match=message):
        result(**changes)


def test_arrays_are_frozen_copies() -> None:
    energies: NDArray[np.float64] = np.array([0.0, 0.4, 0.1])
    made = result(energies_eV=energies)
    energies[1] = 9.0
    assert made.energies_eV[1] == 0.4
    with pytest.raises(ValueError, match="read-only"):
        made.energies_eV[1] = 1.0
