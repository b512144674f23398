"""Resting one body on another."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq

from superionic.structures.contacts import (
    UNKNOWN_RADIUS_ANG,
    resting_lift,
    touching_ang,
    vdw_radii_ang,
)


def test_radii_are_those_of_alvarez() -> None:
    np.testing.assert_allclose(
        vdw_radii_ang([1, 3, 6, 7, 8, 22]), [1.2, 2.12, 1.77, 1.66, 1.5, 2.46]
    )
    assert np.isfinite(vdw_radii_ang(np.arange(1, 119))).all()
    assert vdw_radii_ang([118])[0] == UNKNOWN_RADIUS_ANG
    np.testing.assert_allclose(touching_ang([1, 8], [3], share=0.5), [[1.66], [1.81]])


def test_atom_on_two_atoms_rests_in_between() -> None:
    """Two ground atoms 2 apart, contact 3: sqrt(9 - 1) above them."""
    ground = np.array([[-1.0, 0, 0], [1, 0, 0]])
    lift = resting_lift(np.array([[0, 0, 7.0]]), ground, np.array([0, 0, 1.0]), np.full((1, 2), 3))
    assert 7 + lift == pytest.approx(np.sqrt(8))


def test_nothing_below() -> None:
    far = np.array([[50.0, 0, 0]])
    lift = resting_lift(np.zeros((1, 3)), far, np.array([0, 0, 1.0]), np.full((1, 1), 3))
    assert lift == -np.inf


def test_lift_agrees_with_lowering_step_by_step() -> None:
    rng = np.random.default_rng(0)
    for _ in range(10):
        normal = rng.normal(size=3)
        normal /= np.linalg.norm(normal)
        body, ground = rng.normal(size=(6, 3)), rng.normal(size=(20, 3)) * 2
        contact = rng.uniform(1, 3, (6, 20))

        def gap(lift: float) -> float:
            moved = body + lift * normal  # noqa: B023
            apart = np.linalg.norm(moved[:, None] - ground[None], axis=-1)  # noqa: B023
            return float((apart - contact).min())  # noqa: B023

        lift = resting_lift(body, ground, normal, contact)
        assert gap(lift) == pytest.approx(0.0, abs=1e-9)
        steps = np.linspace(0, 15, 3000)
        assert min(gap(lift + s) for s in steps) > -1e-9  # free all the way up
        assert brentq(gap, lift - 1e-3, lift + 1.0) == pytest.approx(lift, abs=1e-6)
