"""Rotations spread evenly or at random over all orientations, and turns about an axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_PHI = np.sqrt(2.0)
_PSI = 1.533751168755204288118041
"""Constants of the super-Fibonacci spiral: the second is the positive root of x^4 = x + 4."""


def from_quaternions(quaternions: ArrayLike) -> NDArray[np.float64]:
    """Return the rotation matrices of unit quaternions (x, y, z, w). shape=(n, 3, 3)."""
    x, y, z, w = np.asarray(quaternions, dtype=float).reshape(-1, 4).T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), -1, 0)


def random_rotations(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return independent rotations, uniform over all orientations. shape=(count, 3, 3)."""
    quaternions = rng.normal(size=(count, 4))
    return from_quaternions(quaternions / np.linalg.norm(quaternions, axis=1, keepdims=True))


def spread_rotations(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return rotations spread evenly over all orientations, turned together at random.

    Points of a super-Fibonacci spiral on the sphere of quaternions (M. Alexa, CVPR 2022, 8281,
    doi:10.1109/CVPR52688.2022.00811), all multiplied by one random rotation: each by itself is
    uniformly distributed, and no two of a call are near.

    Parameters
    ----------
    count
        How many.
    rng
        Source of the common rotation.

    Returns
    -------
    ndarray
        shape=(count, 3, 3)
    """
    k = np.arange(count) + 0.5
    inner, outer = np.sqrt(k / count), np.sqrt(1 - k / count)
    alpha, beta = 2 * np.pi * k / _PHI, 2 * np.pi * k / _PSI
    spiral = np.column_stack(
        [inner * np.sin(alpha), inner * np.cos(alpha), outer * np.sin(beta), outer * np.cos(beta)]
    )
    return np.asarray(random_rotations(1, rng) @ from_quaternions(spiral))


def turn_about(axis: ArrayLike, angle_rad: float) -> NDArray[np.float64]:
    """Return the rotation about an axis by an angle in radian. shape=(3, 3)."""
    unit = np.asarray(axis, dtype=float) / np.linalg.norm(axis)
    x, y, z = np.sin(angle_rad / 2) * unit
    return np.asarray(from_quaternions([x, y, z, np.cos(angle_rad / 2)])[0])


def align(vector: ArrayLike, target: ArrayLike) -> NDArray[np.float64]:
    """Return the shortest rotation that brings one direction onto another. shape=(3, 3)."""
    a = np.asarray(vector, dtype=float) / np.linalg.norm(vector)
    b = np.asarray(target, dtype=float) / np.linalg.norm(target)
    axis = np.cross(a, b)
    if np.linalg.norm(axis) < 1e-9:
        if a @ b > 0:
            return np.eye(3)
        axis = np.cross(a, np.eye(3)[int(np.argmin(np.abs(a)))])
    return turn_about(axis, float(np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b)))
