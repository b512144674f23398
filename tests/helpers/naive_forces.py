"""Energies by the plainest code there is, and forces from them by complex steps.

Written from the formulas, without a look at the package: loops over terms, all pairs, a direct
Ewald sum. An imaginary step of 1e-30 in a coordinate gives the derivative to machine precision.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from superionic.inputs.parametrised import ParametrisedBox

COULOMB = 1389.35457644382  # kJ/mol A / e^2
Energy = dict[str, Any]


def _norm(v: Any) -> Any:
    return np.sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2])  # not abs: complex steps


def bonded(box: ParametrisedBox, x: Any) -> Energy:
    """Bonds, angles, torsions and springs in kJ/mol; positions in angstrom."""
    bond = angle = torsion = spring = 0.0
    for (i, j), r0, k in zip(
        box.bonds, box.bond_length_ang, box.bond_k_kJ_per_mol_ang2, strict=True
    ):
        bond = bond + k / 2 * (_norm(x[i] - x[j]) - r0) ** 2
    for (i, j), r0 in zip(box.springs, box.spring_length_ang, strict=True):
        spring = spring + box.spring_k_kJ_per_mol_ang2 / 2 * (_norm(x[i] - x[j]) - r0) ** 2
    for (i, j, k), t0, c in zip(
        box.angles, box.angle_deg, box.angle_k_kJ_per_mol_rad2, strict=True
    ):
        a, b = x[i] - x[j], x[k] - x[j]
        cosine = (a * b).sum() / (_norm(a) * _norm(b))
        angle = angle + c / 2 * (np.arccos(cosine) - math.radians(t0)) ** 2
    for (i, j, k, m), v in zip(box.torsions, box.torsion_fourier_kJ_per_mol, strict=True):
        n1 = np.cross(x[j] - x[i], x[k] - x[j])
        n2 = np.cross(x[k] - x[j], x[m] - x[k])
        c = (n1 * n2).sum() / (_norm(n1) * _norm(n2))  # cos of the torsion, 1 in cis
        two, three, four = 2 * c**2 - 1, 4 * c**3 - 3 * c, 8 * c**4 - 8 * c**2 + 1
        torsion = (
            torsion
            + (v[0] * (1 + c) + v[1] * (1 - two) + v[2] * (1 + three) + v[3] * (1 - four)) / 2
        )
    return {"bonds": bond, "angles": angle, "torsions": torsion, "springs": spring}


def pair_scales(box: ParametrisedBox) -> Any:
    """Factor of the interaction of each pair. shape=(atoms, atoms)."""
    n = len(box)
    scale = np.ones((n, n))
    for i, j in box.excluded:
        scale[i, j] = scale[j, i] = 0.0
    for i, j in box.pairs_14:
        scale[i, j] = scale[j, i] = 0.5
    return scale


def _lj_pair(box: ParametrisedBox, i: int, j: int) -> tuple[float, float]:
    s, e = box.sigma_ang, box.epsilon_kJ_per_mol
    sigma = math.sqrt(s[i] * s[j]) if box.mixing == "geometric" else (s[i] + s[j]) / 2
    return sigma, math.sqrt(e[i] * e[j])


def free(box: ParametrisedBox, x: Any) -> Energy:
    """Lennard-Jones and Coulomb energy of all pairs in free space, in kJ/mol."""
    scale, q = pair_scales(box), box.charges_e
    lj = coulomb = 0.0
    for i in range(len(box)):
        for j in range(i + 1, len(box)):
            if scale[i, j]:
                r = _norm(x[i] - x[j])
                sigma, epsilon = _lj_pair(box, i, j)
                six = (sigma / r) ** 6
                lj = lj + scale[i, j] * 4 * epsilon * (six**2 - six)
                coulomb = coulomb + scale[i, j] * COULOMB * q[i] * q[j] / r
    return {"lennard-jones": lj, "coulomb": coulomb}


def periodic(box: ParametrisedBox, x: Any, *, cutoff_ang: float, waves: int = 14) -> Energy:
    """Lennard-Jones within a cutoff, and Coulomb by a direct Ewald sum, in a cubic box."""
    scale, q, edge = pair_scales(box), box.charges_e, float(box.box.edges_ang[0])
    alpha = 9.0 / edge  # erfc(4.5) at half an edge
    lj = real = 0.0
    for i in range(len(box)):
        for j in range(i + 1, len(box)):
            d = x[i] - x[j]
            r = _norm(d - edge * np.round(d / edge))
            if r < cutoff_ang and scale[i, j]:
                sigma, epsilon = _lj_pair(box, i, j)
                six = (sigma / r) ** 6
                weight = scale[i, j] if scale[i, j] == 1.0 else 0.0
                lj += weight * 4 * epsilon * (six**2 - six)
            if scale[i, j] == 0.5:  # scaled pairs know no cutoff, and no image
                r0 = _norm(d)
                sigma, epsilon = _lj_pair(box, i, j)
                six = (sigma / r0) ** 6
                lj += 0.5 * 4 * epsilon * (six**2 - six)
            if scale[i, j] == 1.0:
                real += q[i] * q[j] * math.erfc(alpha * r) / r
            else:
                r0 = _norm(d)
                real += q[i] * q[j] * (scale[i, j] - math.erf(alpha * r0)) / r0
    k = 2 * np.pi / edge
    grid = np.array(
        [
            (a, b, c)
            for a in range(-waves, waves + 1)
            for b in range(-waves, waves + 1)
            for c in range(-waves, waves + 1)
            if (a, b, c) != (0, 0, 0)
        ]
    )
    waves_k = k * grid
    k2 = (waves_k**2).sum(axis=1)
    structure = np.exp(1j * waves_k @ np.asarray(x).T) @ q
    far = 2 * np.pi / edge**3 * (np.exp(-k2 / 4 / alpha**2) / k2 * np.abs(structure) ** 2).sum()
    own = -alpha / math.sqrt(math.pi) * (q**2).sum()
    return {"lennard-jones": lj, "coulomb": COULOMB * (real + far + own)}


def forces(energy: Callable[[Any], Any], x: Any) -> Any:
    """Minus the gradient of an energy, in kJ/mol/A. shape=(atoms, 3)."""
    found = np.zeros(x.shape)
    for k in range(len(x)):
        for axis in range(3):
            moved = x.astype(complex)
            moved[k, axis] += 1e-30j
            found[k, axis] = -np.imag(energy(moved)) / 1e-30
    return found
