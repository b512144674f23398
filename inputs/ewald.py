"""How a Coulomb sum is split between pairs within the cutoff and a mesh: one rule for every code.

The rule is that of OpenMM. A relative error d of forces and a cutoff r give the splitting parameter
a = sqrt(-ln 2d) / r, and a mesh whose spacing is 3 d^(1/5) / 2a for splines of order 5 (Essmann et
al., doi 10.1063/1.470117, is the method). The error of a mesh goes as (a h)^p with spacing h and
order p; for another order the spacing is the one that has the same error at `REFERENCE_TOLERANCE`
and follows d from there.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from superionic.inputs.md_options import MDOptions

ORDER = 5
"""Order of splines that the rule is for; that of OpenMM, and the usual one of LAMMPS."""
GROMACS_ORDER = 4
"""Order of splines for GROMACS: the only one that its graphics processors know."""
REFERENCE_TOLERANCE = 5e-4


def splitting_per_ang(options: MDOptions) -> float:
    """Return the splitting parameter of the Ewald sum in 1/angstrom."""
    return math.sqrt(-math.log(2.0 * options.ewald_tolerance)) / options.cutoff_ang


def mesh_spacing_ang(options: MDOptions, *, order: int = ORDER) -> float:
    """Return the largest spacing of the mesh in angstrom, for splines of an order."""
    there = 1.5 * math.pow(REFERENCE_TOLERANCE, 1 / ORDER)
    finer = math.pow(options.ewald_tolerance / REFERENCE_TOLERANCE, 1 / order)
    return there * finer / splitting_per_ang(options)


def direct_tolerance(options: MDOptions) -> float:
    """Return erfc(a r): the share of a pair's Coulomb energy that is left at the cutoff."""
    return math.erfc(splitting_per_ang(options) * options.cutoff_ang)


def mesh_points(edges_ang: NDArray[np.float64], options: MDOptions) -> tuple[int, ...]:
    """Return points along each edge, with no prime factor above 5, for splines of order 5."""
    least = np.ceil(np.asarray(edges_ang) / mesh_spacing_ang(options)).astype(int)
    return tuple(_smooth(int(n)) for n in least)


def _smooth(least: int) -> int:
    """Return the least number that is not below another and a product of 2, 3 and 5."""
    n = max(least, 1)
    while _rest(n) > 1:
        n += 1
    return n


def _rest(n: int) -> int:
    for prime in (2, 3, 5):
        while n % prime == 0:
            n //= prime
    return n
