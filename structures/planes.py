"""Lattice planes: their indices in any cell, and a lattice basis that spans them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.errors import InvalidStructureError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def miller_in_cell(
    miller: tuple[int, int, int], axes: ArrayLike, cell: ArrayLike
) -> tuple[int, int, int]:
    """Express a plane given in one set of axes in another cell of the same lattice.

    Parameters
    ----------
    miller
        Indices of the plane with respect to ``axes``.
    axes, cell
        Lattice vectors as rows, in angstrom, in one Cartesian frame. shape=(3, 3)

    Returns
    -------
    tuple of int
        Coprime indices of the same plane, same side, with respect to ``cell``.

    Raises
    ------
    InvalidStructureError
        The indices are all zero, or the plane is no lattice plane of ``cell``.
    """
    if len(miller) != 3 or any(int(x) != x for x in miller):
        raise InvalidStructureError(
            f"Expected three whole Miller indices; got {miller}. Of four indices (h k i l) of a "
            "hexagonal crystal drop the third."
        )
    if not any(miller):
        raise InvalidStructureError("Miller indices (0 0 0) name no plane; give e.g. (0, 0, 1).")
    normal = np.linalg.solve(np.asarray(axes, dtype=float), np.array(miller, dtype=float))
    real = np.asarray(cell, dtype=float) @ normal
    real /= abs(real).max()
    for scale in range(1, 49):
        whole = np.rint(real * scale)
        if abs(real * scale - whole).max() < 0.01:
            divisor = math.gcd(*(int(x) for x in whole))
            h, k, m = (int(x) // divisor for x in whole)
            return h, k, m
    raise InvalidStructureError(
        f"The plane {miller} of the given axes is no lattice plane of the structure's cell. Check "
        "that both describe one crystal in one Cartesian frame."
    )


def _extended_gcd(a: int, b: int) -> tuple[int, int, int]:
    """Return g, x, y with a x + b y = g = gcd(a, b) >= 0."""
    if b == 0:
        return (abs(a), 1 if a >= 0 else -1, 0)
    g, x, y = _extended_gcd(b, a % b)
    return g, y, x - (a // b) * y


def plane_basis(miller: tuple[int, int, int], cell: ArrayLike) -> NDArray[np.int64]:
    """Return a lattice basis whose first two vectors span a plane.

    Parameters
    ----------
    miller
        Coprime indices of the plane with respect to ``cell``.
    cell
        Primitive lattice vectors as rows, in angstrom. shape=(3, 3)

    Returns
    -------
    ndarray
        Rows u, v, w in units of the lattice vectors, right-handed, |det| = 1: u and v are the
        shortest pair in the plane with an angle of 90 to 120 degrees between them, w climbs to the
        next lattice plane on the side that the normal points to. shape=(3, 3)
    """
    h, k, m = miller
    cell = np.asarray(cell, dtype=float)
    g, p, q = _extended_gcd(k, m)
    _, x, y = _extended_gcd(h, g)
    if g:
        u, v = np.array([0, m // g, -k // g]), np.array([g, -h * p, -h * q])
    else:
        u, v = np.array([0, 1, 0]), np.array([0, 0, 1])
    w = np.array([x, y * p, y * q])
    while True:  # Gauss reduction of the pair
        if np.linalg.norm(u @ cell) > np.linalg.norm(v @ cell) + 1e-9:
            u, v = v, u
        shift = round(float((u @ cell) @ (v @ cell) / np.linalg.norm(u @ cell) ** 2) - 1e-6)
        if shift == 0:
            break
        v = v - shift * u
    if (u @ cell) @ (v @ cell) > 1e-6:
        v = -v
    if np.linalg.det(np.array([u, v, w]) @ cell) < 0:
        u, v = v, u
    return np.array([u, v, w], dtype=np.int64)
