"""Fits against temperature: exact data, scipy as reference, coverage, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import curve_fit
from scipy.stats import linregress

from superionic.analysis.thermal import ThermalFit, arrhenius, compare_laws, vtf
from superionic.structures.errors import EvidenceError
from superionic.workflows.serialise import decode, encode

K_EV = 8.617333262e-5
T = np.array([280.0, 300.0, 320.0, 340.0, 360.0, 380.0])
ERROR = 0.05
"""Standard error of logarithms."""


def straight(energy: float = 0.35, power: float = 0.0) -> NDArray[np.float64]:
    return np.asarray(np.exp(7.0 + power * np.log(T) - energy / (K_EV * T)))


def curved(T0: float = 200.0, B: float = 900.0) -> NDArray[np.float64]:
    return np.asarray(np.exp(1.0 - 0.5 * np.log(T) - B / (T - T0)))


def intervals(values: NDArray[np.float64]) -> list[tuple[float, float]]:
    spread = np.exp(1.96 * ERROR)
    return [(v / spread, v * spread) for v in values.tolist()]


def noisy(values: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    noise = np.random.default_rng(seed).normal(size=len(values))
    return np.asarray(values * np.exp(ERROR * noise))


def test_exact_line_is_found_again() -> None:
    found = arrhenius(T, straight(), unit="S/cm")
    assert found.activation_energy_eV.get() == pytest.approx(0.35, rel=1e-6)
    assert found.log_prefactor.get() == pytest.approx(7.0, rel=1e-6)
    assert found.at(310.0).get() == pytest.approx(np.exp(7 - 0.35 / (K_EV * 310)), rel=1e-6)
    assert found.T0_K is None


def test_power_of_the_prefactor_is_kept() -> None:
    found = arrhenius(T, straight(0.3, -1.0), prefactor_power=-1.0)
    assert found.activation_energy_eV.get() == pytest.approx(0.3, rel=1e-6)
    np.testing.assert_allclose(found.curve(T), straight(0.3, -1.0), rtol=1e-9)


def test_without_errors_it_is_the_ordinary_regression_with_students_t() -> None:
    y = noisy(straight(), 3)
    found = arrhenius(T, y)
    reference = linregress(1 / T, np.log(y))
    assert found.activation_energy_eV.get() == pytest.approx(-K_EV * reference.slope, rel=1e-6)
    interval = found.activation_energy_eV.interval
    assert interval is not None
    half = 2.776 * K_EV * reference.stderr
    assert 0.5 * (interval[1] - interval[0]) == pytest.approx(half, rel=0.04)
    assert found.p_value is None


def test_with_errors_it_is_the_weighted_fit_of_scipy() -> None:
    y = noisy(straight(), 4)
    found = arrhenius(T, y, intervals=intervals(y))
    best, covariance = curve_fit(
        lambda x, a, e: a - e / (K_EV * x), T, np.log(y), p0=(7.0, 0.3), sigma=np.full(6, ERROR),
        absolute_sigma=True,
    )  # fmt: skip
    assert found.activation_energy_eV.get() == pytest.approx(best[1], rel=1e-4)
    interval = found.activation_energy_eV.interval
    assert interval is not None
    assert not found.scaled
    half = 1.96 * np.sqrt(covariance[1, 1])
    assert 0.5 * (interval[1] - interval[0]) == pytest.approx(half, rel=0.03)


def test_errors_that_are_too_small_are_widened_and_said_so() -> None:
    y = noisy(straight(), 5) * np.exp([0.5, -0.5, 0.5, -0.5, 0.5, -0.5])
    found = arrhenius(T, y, intervals=intervals(y))
    assert found.scaled
    assert found.p_value is not None
    assert found.p_value < 1e-6
    calm = arrhenius(T, straight(), intervals=intervals(straight()))
    wide, narrow = (f.activation_energy_eV.interval for f in (found, calm))
    assert wide is not None
    assert narrow is not None
    assert wide[1] - wide[0] > 4 * (narrow[1] - narrow[0])


def test_curved_data_give_back_their_parameters() -> None:
    y = curved()
    found = vtf(T, y, intervals=intervals(y))
    assert found.T0_K is not None
    assert found.T0_K.get() == pytest.approx(200.0, abs=1.0)
    assert found.activation_energy_eV.get() == pytest.approx(900 * K_EV, rel=0.02)
    np.testing.assert_allclose(found.curve(T), y, rtol=1e-2)
    assert found.T0_K.covers(200.0)


def test_comparison_prefers_what_made_the_data() -> None:
    for data, expected in ((curved(230.0), "vtf"), (straight(), "arrhenius")):
        y = noisy(data, 8)
        told = compare_laws(
            arrhenius(T, y, intervals=intervals(y)), vtf(T, y, intervals=intervals(y))
        )
        assert told.preferred == expected, told
    few = noisy(curved(60.0, 3000.0), 8)
    told = compare_laws(arrhenius(T, few), vtf(T, few))
    assert told.preferred != "vtf"


def test_comparison_of_different_data_is_refused() -> None:
    with pytest.raises(EvidenceError, match="same values"):
        compare_laws(arrhenius(T, straight()), vtf(T, curved()))


def test_bands_hold_the_curve_and_extrapolation_must_be_asked_for() -> None:
    y = noisy(straight(), 6)
    found = arrhenius(T, y, intervals=intervals(y))
    low, high = found.band(T)
    assert (low < found.curve(T)).all()
    assert (found.curve(T) < high).all()
    with pytest.raises(EvidenceError, match="extrapolate"):
        found.at(250.0)
    far, near = found.at(200.0, extrapolate=True), found.at(330.0)
    assert far.interval is not None
    assert near.interval is not None
    assert np.log(far.interval[1] / far.interval[0]) > np.log(near.interval[1] / near.interval[0])


@pytest.mark.parametrize(("law", "count"), [(arrhenius, 2), (vtf, 4)], ids=["arrhenius", "vtf"])
def test_too_few_temperatures_are_refused(law: Any, count: int) -> None:
    with pytest.raises(EvidenceError, match="temperatures at least"):
        law(T[:count], straight()[:count])


@pytest.mark.parametrize(
    ("temperatures", "values", "words"),
    [
        ([300, 310], [1.0, 2.0, 3.0], "one value"),
        ([300, 310, 320], [1.0, -2.0, 3.0], "positive"),
        ([300, 310, 320], [1.0, float("nan"), 3.0], "positive"),
    ],
)
def test_wrong_values_are_named(temperatures: list[float], values: list[float], words: str) -> None:
    with pytest.raises(EvidenceError, match=words):
        arrhenius(temperatures, values)


def test_interval_without_its_value_is_named() -> None:
    with pytest.raises(EvidenceError, match="holds it"):
        arrhenius([300, 310, 320], [1.0, 2.0, 3.0], intervals=[(2, 3), (1, 3), (2, 4)])


def test_fit_survives_json() -> None:
    found = arrhenius(T, noisy(straight(), 1), unit="S/cm")
    again = decode(encode(found))
    assert isinstance(again, ThermalFit)
    assert again.activation_energy_eV == found.activation_energy_eV
    assert again.at(300.0) == found.at(300.0)
    assert "<table>" in found._repr_html_()
    assert "E_a" in found.summary


@pytest.mark.slow
def test_energies_are_covered() -> None:
    """Of 200 noisy data sets 92 to 98 % of the intervals hold the true energy and value."""
    hits = np.zeros(4)
    for seed in range(200):
        y = noisy(straight(), 100 + seed)
        known, unknown = arrhenius(T, y, intervals=intervals(y)), arrhenius(T, y)
        hits += [
            known.activation_energy_eV.covers(0.35), unknown.activation_energy_eV.covers(0.35),
            known.at(300.0).covers(straight()[1]), unknown.at(300.0).covers(straight()[1]),
        ]  # fmt: skip
    assert (hits >= 182).all(), hits
    assert (hits <= 199).all(), hits


@pytest.mark.slow
def test_ideal_glass_temperatures_are_covered() -> None:
    hits = np.zeros(2)
    count = 60
    for seed in range(count):
        y = noisy(curved(), 400 + seed)
        found = vtf(T, y, intervals=intervals(y))
        assert found.T0_K is not None
        hits += [found.T0_K.covers(200.0), found.activation_energy_eV.covers(900 * K_EV)]
    assert (hits >= 0.88 * count).all(), hits
