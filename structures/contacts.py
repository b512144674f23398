"""How near atoms of two bodies may start: van der Waals radii, and letting one rest on another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

TOUCH = 0.8
"""Two bodies touch where two atoms are at this share of the sum of their van der Waals radii."""
UNKNOWN_RADIUS_ANG = 2.3
"""For elements without a van der Waals radius, in angstrom."""


def vdw_radii_ang(numbers: ArrayLike) -> NDArray[np.float64]:
    """Return van der Waals radii in angstrom (Alvarez 2013, doi:10.1039/c3dt50599e).

    Parameters
    ----------
    numbers
        Atomic numbers. shape=(n,)
    """
    from ase.data.vdw_alvarez import vdw_radii

    wanted = np.asarray(numbers, dtype=np.int64)
    table = np.full(max(len(vdw_radii), int(wanted.max(initial=0)) + 1), UNKNOWN_RADIUS_ANG)
    table[: len(vdw_radii)] = np.nan_to_num(vdw_radii, nan=UNKNOWN_RADIUS_ANG)
    return np.asarray(table[wanted])


def touching_ang(
    first: ArrayLike, second: ArrayLike, *, share: float = TOUCH
) -> NDArray[np.float64]:
    """Return the distances at which atoms of two bodies touch, in angstrom.

    Parameters
    ----------
    first, second
        Atomic numbers of the two bodies. shape=(n,) and (m,)
    share
        Of the sum of the van der Waals radii.

    Returns
    -------
    ndarray
        shape=(n, m)
    """
    return np.asarray(share * (vdw_radii_ang(first)[:, None] + vdw_radii_ang(second)[None, :]))


def resting_lift(
    body: NDArray[np.float64],
    ground: NDArray[np.float64],
    normal: NDArray[np.float64],
    contact: NDArray[np.float64],
) -> float:
    """Return how far a body must be moved along a normal until it just rests on the ground.

    Parameters
    ----------
    body, ground
        Positions in angstrom; the ground with all images that the body could touch.
        shape=(n, 3) and (m, 3)
    normal
        Unit vector out of the ground. shape=(3,)
    contact
        Distance at which each pair touches, in angstrom. shape=(n, m)

    Returns
    -------
    float
        The least displacement in angstrom, of either sign, at which no pair is nearer than its
        contact when the body comes from far along the normal; minus infinity if none can touch.
    """
    apart = ground[None, :, :] - body[:, None, :]
    rise = apart @ normal
    aside = np.einsum("nmc,nmc->nm", apart, apart) - rise**2
    inside = contact**2 - aside
    lifts = np.where(inside > 0.0, rise + np.sqrt(np.maximum(inside, 0.0)), -np.inf)
    return float(lifts.max(initial=-np.inf))
