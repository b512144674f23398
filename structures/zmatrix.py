"""Atoms placed by bond length, angle and torsion, many at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def place_atom(
    first: ArrayLike,
    second: ArrayLike,
    third: ArrayLike,
    *,
    length_ang: float,
    angle_deg: float,
    torsion_deg: ArrayLike,
) -> NDArray[np.float64]:
    """Return the atom that continues a chain of three.

    Parameters
    ----------
    first, second, third
        Positions in angstrom; the new atom is bonded to the third. shape=(..., 3)
    length_ang
        Of the new bond.
    angle_deg
        At the third atom.
    torsion_deg
        About the bond of the second and third, IUPAC sign. shape=(...)

    Returns
    -------
    ndarray
        shape=(..., 3)
    """
    a, b, c = (np.asarray(x, dtype=float) for x in (first, second, third))
    along = _unit(c - b)
    normal = _unit(np.cross(b - a, along))
    across = np.cross(normal, along)
    angle, torsion = np.radians(angle_deg), np.radians(np.asarray(torsion_deg))[..., None]
    turned = np.cos(torsion) * across + np.sin(torsion) * normal
    return np.asarray(c + length_ang * (np.sin(angle) * turned - np.cos(angle) * along))


def methylene_hydrogens(
    before: ArrayLike,
    centre: ArrayLike,
    after: ArrayLike,
    *,
    length_ang: float,
    angle_deg: float,
) -> NDArray[np.float64]:
    """Return the two atoms that complete a centre with two neighbours, symmetric to both.

    Parameters
    ----------
    before, centre, after
        Positions in angstrom. shape=(..., 3)
    length_ang, angle_deg
        Of both new bonds, and between them.

    Returns
    -------
    ndarray
        shape=(..., 2, 3)
    """
    a, b, c = (np.asarray(x, dtype=float) for x in (before, centre, after))
    left, right = _unit(a - b), _unit(c - b)
    outward = -_unit(left + right)
    normal = _unit(np.cross(left, right))
    half = np.radians(angle_deg) / 2
    up = np.cos(half) * outward + np.sin(half) * normal
    down = np.cos(half) * outward - np.sin(half) * normal
    return np.asarray(b[..., None, :] + length_ang * np.stack([up, down], axis=-2))


def methyl_hydrogens(
    second: ArrayLike, first: ArrayLike, end: ArrayLike, *, length_ang: float, angle_deg: float
) -> NDArray[np.float64]:
    """Return the three atoms at the end of a chain, staggered.

    Parameters
    ----------
    second, first, end
        The last three atoms of the chain, the end last, in angstrom. shape=(..., 3)
    length_ang, angle_deg
        Of the new bonds, and to the bond that they end.

    Returns
    -------
    ndarray
        shape=(..., 3, 3)
    """
    return np.stack(
        [
            place_atom(
                second, first, end, length_ang=length_ang, angle_deg=angle_deg,
                torsion_deg=np.full(np.shape(end)[:-1], torsion),
            )
            for torsion in (180.0, 60.0, -60.0)
        ],
        axis=-2,
    )  # fmt: skip


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))
