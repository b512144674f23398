"""The mixing of forces: roots of forces without a potential, patience, and giving up."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from superionic.workflows.optimisers import PATIENCE, mix

Array = NDArray[np.float64]


class Counted:
    """A force that counts how often it is asked for."""

    def __init__(self, matrix: Array, root: Array) -> None:
        self.matrix, self.root, self.calls = matrix, root, 0

    def __call__(self, x: Array) -> Array:
        self.calls += 1
        return -(self.matrix @ (x - self.root).ravel()).reshape(x.shape)


def linear(atoms: int, *, spread: float, turn: float, seed: int) -> Counted:
    """A linear force, stiffnesses 1 to 1/spread; not the slope of anything where turned."""
    rng = np.random.default_rng(seed)
    axes, _ = np.linalg.qr(rng.normal(size=(3 * atoms, 3 * atoms)))
    stiff = axes @ np.diag(np.geomspace(1 / spread, 1.0, 3 * atoms)) @ axes.T
    whirl = rng.normal(size=stiff.shape)
    whirl = turn * (whirl - whirl.T) / np.linalg.norm(whirl) / spread
    return Counted(stiff + whirl, rng.normal(scale=0.1, size=(atoms, 3)))


@pytest.mark.parametrize("turn", [0.0, 1.0])
def test_the_root_of_a_linear_force_is_found(turn: float) -> None:
    force = linear(4, spread=10.0, turn=turn, seed=3)
    found = mix(force, np.zeros((4, 3)), soften=lambda f: f, fmax=1e-6, steps=100)
    np.testing.assert_allclose(found, force.root, atol=1e-4)
    assert force.calls < 40


def test_an_atom_that_stands_still_is_waited_for_while_the_rest_goes_down() -> None:
    """The largest force is one atom's, the same until all others rest; then it goes away."""
    rest = linear(20, spread=1e3, turn=0.0, seed=5)
    sizes: list[float] = []

    def force(x: Array) -> Array:
        others = rest(x[1:])
        sizes.append(float(np.linalg.norm(others, axis=1).max()))
        lone = 1.0 if sizes[-1] > 1e-6 else 0.0
        return np.concatenate([[[lone, 0.0, 0.0]], others])

    def soften(forces: Array) -> Array:
        return np.concatenate([1e-9 * forces[:1], forces[1:]])

    found = mix(force, np.zeros((21, 3)), soften=soften, fmax=1e-2, steps=300)
    assert len(sizes) > PATIENCE + 2, "the lone force must outlast the patience"
    assert np.linalg.norm(rest(found[1:]), axis=1).max() <= 1e-6


def test_a_force_that_no_step_changes_is_given_up() -> None:
    calls = []

    def force(x: Array) -> Array:
        calls.append(x)
        return np.full((2, 3), 0.5)

    mix(force, np.zeros((2, 3)), soften=lambda f: f, fmax=0.01, steps=500)
    assert len(calls) == PATIENCE + 1


def test_no_atom_moves_farther_than_it_may() -> None:
    seen: list[Array] = []

    def force(x: Array) -> Array:
        seen.append(x)
        return -50.0 * (x - 5.0)

    mix(force, np.zeros((2, 3)), soften=lambda f: f, fmax=0.01, steps=200, max_step_ang=0.1)
    steps = np.linalg.norm(np.diff(seen, axis=0), axis=2)
    assert steps.max() <= 0.1 + 1e-12
    np.testing.assert_allclose(seen[-1], 5.0, atol=1e-3)
