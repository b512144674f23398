"""Charges: the sign, the sum, and lost electrons."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from superionic.analysis.charges import AtomicCharges
from superionic.structures.errors import EvidenceError
from superionic.workflows.serialise import decode, encode


def made(**changes: Any) -> AtomicCharges:
    fields: dict[str, Any] = {
        "method": "bader",
        "reference": "AECCAR0 + AECCAR2",
        "symbols": ("Li", "O", "O"),
        "valence_electrons": [1.0, 6.0, 6.0],
        "electrons": [0.1, 6.4, 6.5],
        "expected_electrons": 13.0,
    }
    return AtomicCharges(**(fields | changes))


def test_a_cation_is_positive() -> None:
    charges = made()
    assert charges.charges == pytest.approx([0.9, -0.4, -0.5])
    assert charges.of([0]) == pytest.approx(0.9)
    assert charges.of([1, 2]) == pytest.approx(-0.9)
    assert charges.total_electrons == pytest.approx(13.0)
    assert charges.missing_electrons == pytest.approx(0.0)


def test_charge_of_the_cell_is_kept() -> None:
    """A cell with one electron too few is charged by as much."""
    charged = made(electrons=[0.1, 6.4, 5.5], expected_electrons=12.0)
    assert charged.charges.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("lost", [-0.05, 0.02])
def test_lost_or_made_electrons_are_an_error(lost: float) -> None:
    with pytest.raises(EvidenceError, match="finer grid"):
        made(electrons=[0.1, 6.4, 6.5 - lost])
    assert made(electrons=[0.1, 6.4, 6.5 - lost], tolerance=0.1).missing_electrons == pytest.approx(
        lost
    )


def test_vacuum_counts() -> None:
    assert made(electrons=[0.1, 6.4, 6.3], unassigned_electrons=0.2).missing_electrons == (
        pytest.approx(0.0)
    )


@pytest.mark.parametrize(
    "changes", [{"electrons": [0.1, 12.9]}, {"symbols": ("Li",)}, {"electrons": [0.1, 6.4, np.nan]}]
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(EvidenceError):
        made(**changes)


def test_storage() -> None:
    charges = made(farthest_maximum_ang=0.1)
    with pytest.raises(ValueError, match="read-only"):
        charges.electrons[0] = 1.0
    again = decode(encode(charges))
    assert again.charges == pytest.approx(charges.charges)
    assert again.farthest_maximum_ang == 0.1
