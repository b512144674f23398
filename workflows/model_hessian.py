"""How stiff a molecule is, without computing it: the model of Lindh and others.

Each stretch, bend and torsion of atoms that are near has a force constant that falls off with
distance (R. Lindh, A. Bernhardsson, G. Karlstrom, P.-A. Malmqvist, Chem. Phys. Lett. 241, 423
(1995), doi:10.1016/0009-2614(95)00646-L). As a start for L-BFGS it took TFSI- at a metal node to
the same force in a third of the steps.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
from ase.units import Bohr, Hartree

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ase import Atoms
    from numpy.typing import ArrayLike, NDArray

STRETCH, BEND, TORSION = 0.45, 0.15, 0.005
"""Force constants in atomic units."""
_DECAY = np.array([[1.0, 0.3949, 0.3949], [0.3949, 0.28, 0.28], [0.3949, 0.28, 0.28]])
_LENGTH = np.array([[1.35, 2.10, 2.53], [2.10, 2.87, 3.40], [2.53, 3.40, 3.40]])
"""Decay in 1/bohr^2 and length in bohr, by row of the periodic table: first, second, later."""
LEAST = 0.01
"""Pairs, and terms, whose weight is below this are left out."""
FLOOR_EV_A2 = 1.0
"""Softest motion of the model in eV/angstrom^2; overall motion and loose contacts come to it."""
REMAKE_ANG = 0.3
"""The model is made again once an atom has moved so far, in angstrom."""
_STRAIGHT = 0.1
"""Bends and torsions at angles whose sine is below this are left out."""

Term = tuple[float, tuple[int, ...], "NDArray[np.float64]"]
"""Force constant, atoms, and the change of the coordinate with their positions."""


def model_hessian(numbers: ArrayLike, positions: ArrayLike) -> NDArray[np.float64]:
    """Return second derivatives of the energy by the model.

    Parameters
    ----------
    numbers
        Atomic numbers. shape=(atoms,)
    positions
        In angstrom. shape=(atoms, 3)

    Returns
    -------
    ndarray
        In eV/angstrom^2; no negative eigenvalue, six or more that vanish. shape=(3 atoms, 3 atoms)
    """
    points = np.asarray(positions, dtype=float) / Bohr
    weights = _weights(np.asarray(numbers), points)
    near = [np.flatnonzero(row > LEAST) for row in weights]
    hessian = np.zeros((points.size, points.size))
    for kind in (_stretches, _bends, _torsions):
        for constant, atoms, change in kind(points, weights, near):
            index = np.concatenate([np.arange(3 * k, 3 * k + 3) for k in atoms])
            flat = change.ravel()
            hessian[np.ix_(index, index)] += constant * np.outer(flat, flat)
    return hessian * (Hartree / Bohr**2)


def _weights(numbers: NDArray[np.int64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how strongly each pair is joined, 1 at the length of a bond. shape=(atoms, atoms)."""
    row = np.digitize(numbers, [3, 11])
    decay, length = _DECAY[row[:, None], row], _LENGTH[row[:, None], row]
    squares = ((points[:, None] - points[None]) ** 2).sum(axis=-1)
    found = np.exp(decay * (length**2 - squares))
    np.fill_diagonal(found, 0.0)
    return np.asarray(found)


def _stretches(
    points: NDArray[np.float64], weights: NDArray[np.float64], near: Sequence[NDArray[np.int64]]
) -> Iterator[Term]:
    for i, others in enumerate(near):
        for j in others[others > i]:
            along = points[j] - points[i]
            along /= np.linalg.norm(along)
            yield STRETCH * weights[i, j], (i, int(j)), np.array([-along, along])


def _bends(
    points: NDArray[np.float64], weights: NDArray[np.float64], near: Sequence[NDArray[np.int64]]
) -> Iterator[Term]:
    for j, others in enumerate(near):
        for i, k in itertools.combinations(others.tolist(), 2):
            weight = weights[i, j] * weights[j, k]
            if weight < LEAST:
                continue
            first, second = points[i] - points[j], points[k] - points[j]
            a, b = np.linalg.norm(first), np.linalg.norm(second)
            u, v = first / a, second / b
            cosine = float(np.clip(u @ v, -1.0, 1.0))
            sine = np.sqrt(1.0 - cosine**2)
            if sine < _STRAIGHT:
                continue
            at_i, at_k = (cosine * u - v) / (a * sine), (cosine * v - u) / (b * sine)
            yield BEND * weight, (i, j, k), np.array([at_i, -at_i - at_k, at_k])


def _torsions(
    points: NDArray[np.float64], weights: NDArray[np.float64], near: Sequence[NDArray[np.int64]]
) -> Iterator[Term]:
    for j, around in enumerate(near):
        for k in around[around > j].tolist():
            for i, m in itertools.product(around.tolist(), near[k].tolist()):
                weight = weights[i, j] * weights[j, k] * weights[k, m]
                if i == k or m in (i, j) or weight < LEAST:
                    continue
                change = torsion_change(points[[i, j, k, m]])
                if change is not None:
                    yield TORSION * weight, (i, j, k, m), change


def torsion_change(points: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return how a torsion changes with the positions of its four atoms. shape=(4, 3).

    None where three of them are nearly in a line.
    """
    b1, b2, b3 = np.diff(points, axis=0)
    n1, n2 = np.cross(b1, b2), np.cross(b2, b3)
    q1, q2, length = n1 @ n1, n2 @ n2, float(np.linalg.norm(b2))
    limit = _STRAIGHT**2 * length**2
    if q1 < limit * (b1 @ b1) or q2 < limit * (b3 @ b3):
        return None
    first, last = -length / q1 * n1, length / q2 * n2
    one, other = (b1 @ b2) / length**2, (b3 @ b2) / length**2
    second = -(1 + one) * first + other * last
    return np.array([first, second, -first - second - last, last])


class ModelSoftness:
    """The inverse of the model, as far as L-BFGS needs it: times a gradient.

    Parameters
    ----------
    atoms
        Whose positions count; the model is made again as they move.
    """

    def __init__(self, atoms: Atoms) -> None:
        self.atoms = atoms
        self._at: NDArray[np.float64] | None = None
        self._stiffness = np.zeros(0)
        self._modes = np.zeros((0, 0))

    def __matmul__(self, gradient: NDArray[np.float64]) -> Any:
        """Return displacements in angstrom for a gradient in eV/angstrom, both flat."""
        now = np.array(self.atoms.positions)
        if self._at is None or float(abs(now - self._at).max()) > REMAKE_ANG:
            self._at = now
            found, self._modes = np.linalg.eigh(model_hessian(self.atoms.numbers, now))
            self._stiffness = np.maximum(found, FLOOR_EV_A2)
        return self._modes @ ((self._modes.T @ gradient) / self._stiffness)
