"""Equations of the papers, against the numbers printed beside them."""

from __future__ import annotations

import math
from typing import Any

import pytest

from superionic.analysis.electrochemistry import (
    bruce_vincent_evans,
    conductivity_from_resistance,
    disc_area_cm2,
    gel_fraction,
    resistance_from_conductivity,
    transference_from_mobilities,
    two_point_activation_energy_eV,
)
from superionic.structures.errors import EvidenceError


def test_pellet_of_the_composite_gel_electrolyte() -> None:
    """1.35 mm thick, 15 mm across, 3.37e-3 S/cm (doi 10.1007/s40820-025-02032-4)."""
    area = disc_area_cm2(15.0)
    assert area == pytest.approx(1.767, abs=1e-3)
    ohm = resistance_from_conductivity(thickness_cm=0.135, conductivity_S_cm=3.37e-3, area_cm2=area)
    assert ohm == pytest.approx(22.67, abs=0.01)
    back = conductivity_from_resistance(thickness_cm=0.135, resistance_ohm=ohm, area_cm2=area)
    assert back == pytest.approx(3.37e-3)


def test_gel_fraction_as_printed() -> None:
    """29.83 % of 95.37 % at 600 C: 31.28 %; the paper prints 31.29."""
    share = 100 * gel_fraction(composite_loss=29.83, gel_loss=95.37)
    assert share == pytest.approx(31.28, abs=0.005)
    assert share == pytest.approx(31.29, abs=0.02)


def test_activation_energy_of_the_composite_polymer_electrolyte() -> None:
    """1.37e-4 S/cm at 30 C and 7.96e-4 at 60 C; 0.50 eV is printed (10.1039/d5eb00117j)."""
    found = two_point_activation_energy_eV(
        first_K=303.15, first_value=1.37e-4, second_K=333.15, second_value=7.96e-4
    )
    assert found == pytest.approx(0.510, abs=0.001)
    assert found == pytest.approx(0.50, abs=0.015)


def test_activation_energy_of_the_janus_electrolyte_bends() -> None:
    """0.73 mS/cm at 20 C and 0.045 at -20 C give 0.45 eV; 0.34 eV is printed for -20 to 80 C."""
    found = two_point_activation_energy_eV(
        first_K=253.15, first_value=0.045, second_K=293.15, second_value=0.73
    )
    assert found == pytest.approx(0.445, abs=0.001)


def test_bruce_vincent_evans_by_hand() -> None:
    """10 mV; 20 uA falls to 15 uA; 100 ohm rises to 120 ohm: 15 (10 - 2) / (20 (10 - 1.8))."""
    found = bruce_vincent_evans(
        initial_current=20e-6, steady_current=15e-6, initial_resistance=100.0,
        steady_resistance=120.0, voltage=10e-3,
    )  # fmt: skip
    assert found == pytest.approx(15 * 8.0 / (20 * 8.2))


def test_bruce_vincent_evans_gives_back_the_number_a_cell_was_made_with() -> None:
    """A cell of Ohm's law: I0 = V/(R0 + Re), Iss = V/(Rss + Re/t)."""
    for t in (0.23, 0.63, 0.72, 1.0):
        first, last, bulk, volt = 80.0, 95.0, 300.0, 0.01
        found = bruce_vincent_evans(
            initial_current=volt / (first + bulk), steady_current=volt / (last + bulk / t),
            initial_resistance=first, steady_resistance=last, voltage=volt,
        )  # fmt: skip
        assert found == pytest.approx(t)


def test_mobilities() -> None:
    assert transference_from_mobilities(1.0, 3.0) == 0.25
    assert transference_from_mobilities(1.0, 0.0) == 1.0


SIGMA, ENERGY, SHARE = (
    conductivity_from_resistance,
    two_point_activation_energy_eV,
    transference_from_mobilities,
)


@pytest.mark.parametrize(
    ("function", "readings", "words"),
    [
        (SIGMA, {"thickness_cm": 0.1, "resistance_ohm": 0.0, "area_cm2": 1}, "resistance"),
        (SIGMA, {"thickness_cm": math.nan, "resistance_ohm": 1, "area_cm2": 1}, "thickness"),
        (gel_fraction, {"composite_loss": 96.0, "gel_loss": 95.0}, "exchanged"),
        (
            ENERGY,
            {"first_K": 300, "first_value": 1, "second_K": 300, "second_value": 2},
            "two temperatures",
        ),
        (SHARE, {"cation": -1.0, "anion": 2.0}, "not negative"),
        (SHARE, {"cation": 0.0, "anion": 0.0}, "positive"),
    ],
)
def test_impossible_readings_are_named(
    function: Any, readings: dict[str, float], words: str
) -> None:
    with pytest.raises(EvidenceError, match=words):
        function(**readings)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"steady_current": 30e-6}, "not polarised"),
        ({"voltage": 1e-3}, "Compare the units"),
        ({"steady_resistance": 650.0, "steady_current": 15e-6}, "above 1"),
    ],
)
def test_impossible_cells_are_named(changed: dict[str, float], words: str) -> None:
    cell = {
        "initial_current": 20e-6, "steady_current": 15e-6, "initial_resistance": 100.0,
        "steady_resistance": 120.0, "voltage": 10e-3,
    }  # fmt: skip
    with pytest.raises(EvidenceError, match=words):
        bruce_vincent_evans(**(cell | changed))
