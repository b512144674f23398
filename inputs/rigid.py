"""Keep a molecule in its shape without bonded terms: springs between near atoms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPRING_REACH_ANG = 5.0
"""Atoms of a rigid molecule up to this distance apart (angstrom) are joined by a spring."""

FEWEST_SPRINGS = 6
"""Each atom is joined at least to so many others, the nearest, where there are so many."""

Pairs = tuple[tuple[int, int], ...]


def rigid_terms(positions: NDArray[np.float64]) -> tuple[Pairs, tuple[float, ...], Pairs]:
    """Return the springs of a rigid molecule, their lengths at rest, and all pairs of its atoms.

    Parameters
    ----------
    positions
        Of one molecule, in angstrom. shape=(n, 3)

    Returns
    -------
    springs : tuple of pairs
        The lower atom first.
    lengths : tuple of float
        In angstrom.
    pairs : tuple of pairs
        Which atoms do not interact otherwise.
    """
    apart = np.linalg.norm(positions[:, None] - positions[None, :], axis=-1)
    joined = apart <= SPRING_REACH_ANG
    near = np.argsort(apart, axis=1, kind="stable")[:, 1 : FEWEST_SPRINGS + 1]
    np.put_along_axis(joined, near, values=True, axis=1)
    joined |= joined.T
    i, j = np.nonzero(np.triu(joined, k=1))
    a, b = np.triu_indices(len(positions), k=1)
    springs = tuple(zip(i.tolist(), j.tolist(), strict=True))
    pairs = tuple(zip(a.tolist(), b.tolist(), strict=True))
    return springs, tuple(apart[i, j].tolist()), pairs
