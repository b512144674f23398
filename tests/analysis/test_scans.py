from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from superionic.analysis.scans import ScanProfile, scan_profile
from superionic.structures.errors import EvidenceError


def relaxed_scan(fmax: list[float], **changes: object) -> ScanProfile:
    s = np.linspace(0.0, 1.0, len(fmax))
    arguments: dict[str, object] = {
        "route": "A",
        "kind": "relaxed",
        "hop_key": "h0",
        "coordinate": s,
        "energies_eV": -7.0 + 0.4 * np.sin(np.pi * s) ** 2,
        "ion_positions": np.outer(s, [1.0, 0.0, 0.0]),
        "theory": "toy",
        "constraint": "ion held",
        "force_calls": 10,
        "fmax_eV_per_A": fmax,
        "fmax_target_eV_per_A": 0.05,
    }
    return scan_profile(**(arguments | changes))  # type: ignore[arg-type]


def test_barrier_and_values_of_a_converged_scan() -> None:
    scan = relaxed_scan([0.01] * 5)
    assert scan.barrier_eV == pytest.approx(0.4, abs=1e-12)
    assert scan.values_eV == pytest.approx((0.0, 0.2, 0.4, 0.2, 0.0), abs=1e-12)
    assert scan.all_converged


def test_one_unconverged_point_takes_the_barrier_away_and_only_its_own_value() -> None:
    scan = relaxed_scan([0.01, 0.01, 0.20, 0.01, 0.01])
    assert scan.barrier_eV is None
    assert scan.values_eV[2] is None
    assert scan.values_eV[1] == pytest.approx(0.2)


def test_no_point_has_a_value_without_a_converged_reference() -> None:
    scan = relaxed_scan([0.20, 0.01, 0.01])
    assert scan.values_eV == (None, None, None)
    assert scan.barrier_eV is None


def test_barrier_is_the_largest_climb_not_the_highest_point() -> None:
    energies = [0.0, 0.1, -0.3, 0.05, -0.1]
    scan = relaxed_scan([0.0] * 5, energies_eV=energies)
    assert scan.barrier_eV == pytest.approx(0.35)


def test_a_rigid_scan_needs_no_forces() -> None:
    scan = relaxed_scan([0.0] * 4, kind="rigid", fmax_eV_per_A=None, fmax_target_eV_per_A=None)
    assert scan.all_converged
    assert not scan.fmax_eV_per_A.any()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "springy"}, "'rigid' or 'relaxed'"),
        ({"coordinate": [0.0, 0.5, 0.4, 1.0]}, "must increase"),
        ({"coordinate": [0.0, 0.5, 0.9, 1.2]}, "within 0 to 1"),
        ({"energies_eV": [0.0, np.nan, 0.1, 0.0]}, "NaN or infinity"),
        ({"ion_positions": np.zeros((3, 3))}, r"ion positions \(n, 3\)"),
        ({"fmax_target_eV_per_A": None}, "needs a force criterion"),
        ({"kind": "rigid"}, "a rigid one has none"),
        ({"fmax_eV_per_A": [0.01, 0.3, 0.01, 0.01], "converged": [True] * 4}, "above the"),
    ],
)
def test_refuses(changes: dict[str, object], message: str) -> None:
    with pytest.raises(EvidenceError, match=message):
        relaxed_scan([0.01] * 4, **changes)


def test_refuses_a_barrier_that_the_points_do_not_show() -> None:
    scan = relaxed_scan([0.01] * 4)
    with pytest.raises(EvidenceError, match="scan_profile"):
        replace(scan, barrier_eV=0.9)
    with pytest.raises(EvidenceError, match=r"reads 0\.1"):
        replace(scan, energies_eV=scan.energies_eV + 0.1)


def test_arrays_are_frozen() -> None:
    scan = relaxed_scan([0.01] * 4)
    with pytest.raises(ValueError, match="read-only"):
        scan.energies_eV[0] = 1.0
