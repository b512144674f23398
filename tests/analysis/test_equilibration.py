"""Series that have settled, and series that have not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from superionic.analysis.equilibration import judge_equilibration, statistical_inefficiency
from superionic.structures.errors import EvidenceError


def noise(seed: int, memory: float, n: int = 2000) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Noise that remembers: correlation memory^lag, unit variance."""
    white = np.random.default_rng(seed).normal(size=n + 200)
    series = lfilter([np.sqrt(1 - memory**2)], [1.0, -memory], white)[200:]
    return np.asarray(series, dtype=np.float64)


def test_inefficiency_of_noise_with_memory() -> None:
    """(1 + a) / (1 - a) for correlation a^lag."""
    for memory in (0.0, 0.5, 0.8):
        found = np.mean([statistical_inefficiency(noise(s, memory)) for s in range(20)])
        assert found == pytest.approx((1 + memory) / (1 - memory), rel=0.15)


def test_error_of_the_mean_covers() -> None:
    found = [judge_equilibration(noise(s, 0.8), name="density", unit="g/cm3") for s in range(60)]
    assert sum(abs(f.mean) <= 2 * f.standard_error for f in found) >= 52
    assert sum(f.equilibrated for f in found) >= 55


def test_a_start_far_off_is_cut() -> None:
    series = noise(1, 0.5) + 20.0 * np.exp(-np.arange(2000) / 60.0)
    found = judge_equilibration(series, name="density", unit="g/cm3")
    assert found.equilibrated
    assert 150 <= found.discarded <= 1000
    assert abs(found.mean) < 0.3


def test_drift_is_seen() -> None:
    series = noise(2, 0.5) + np.linspace(0.0, 3.0, 2000)
    found = judge_equilibration(series, name="density", unit="g/cm3")
    assert not found.equilibrated
    assert "still drifts" in found.reason or "independent" in found.reason


def test_few_values_are_refused() -> None:
    with pytest.raises(EvidenceError, match="Twenty finite values of the density"):
        judge_equilibration([1.0] * 5, name="density", unit="g/cm3")
    with pytest.raises(EvidenceError, match="Twenty finite"):
        judge_equilibration([np.nan] * 50, name="density", unit="g/cm3")
    constant = judge_equilibration([2.0] * 50, name="energy", unit="kJ/mol")
    assert (constant.mean, constant.drift, constant.equilibrated) == (2.0, 0.0, True)
