"""The electrostatic potential on a surface of constant electron density, from PySCF's density."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.analysis.potential import PotentialSurface
from superionic.structures.errors import EvidenceError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from superionic.workflows.electronic_results import PotentialMethod, SurfaceSettings

MARGIN_ANG = 4.0
"""How far beyond the nuclei the surface is looked for at first, in angstrom."""
FLOOR = 1e-30
"""Densities below this, in e/bohr^3, are taken as this."""
BLOCK = 8000
EXACT_BLOCK = 32
SOLID_ANGLE = 0.28209479177387814
"""The angular part of an s function."""


def potential_surface(field: Any, settings: SurfaceSettings, *, theory: str) -> PotentialSurface:
    """Find points on an isosurface of the density and compute the potential there.

    The points are where the surface cuts the edges of a regular grid; each stands for the area that
    the direction of the surface gives it.

    Parameters
    ----------
    field
        PySCF's converged object, with density fitting.
    settings
        Isodensity, spacing, how the potential is computed.
    theory
        Level of theory.

    Raises
    ------
    EvidenceError
        The density nowhere reaches that value.
    """
    from ase.units import Bohr

    mole = field.mol
    density = total_density(field)
    spacing = settings.spacing_ang / Bohr
    origin, values = _density_grid(mole, density, spacing, settings.isodensity_e_bohr3)
    points, normals = crossings(np.log(values), np.log(settings.isodensity_e_bohr3))
    if not len(points):
        raise EvidenceError(
            f"The density nowhere reaches {settings.isodensity_e_bohr3:g} e/bohr^3 on a grid of "
            f"{settings.spacing_ang:g} A. Choose a lower value or a finer grid."
        )
    places = origin + spacing * points
    return PotentialSurface(
        numbers=np.array([int(z) for z in mole.atom_charges()]),
        positions=mole.atom_coords() * Bohr,
        points=places * Bohr,
        normals=normals,
        areas_ang2=settings.spacing_ang**2 / np.abs(normals).sum(axis=1),
        potential_V=potential(field, places, settings.method),
        isodensity_e_bohr3=settings.isodensity_e_bohr3,
        charge=int(mole.charge),
        method={"fitted": "density fitted to the auxiliary basis", "exact": "whole density"}[
            settings.method
        ],
        theory=theory,
    )


def total_density(field: Any) -> NDArray[np.float64]:
    """Return the density matrix of both spins together."""
    made = np.asarray(field.make_rdm1(), dtype=float)
    return made.sum(axis=0) if made.ndim == 3 else made


def crossings(
    values: NDArray[np.float64], level: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where a level cuts the edges of a grid, and the directions of descent there.

    Parameters
    ----------
    values
        On the nodes. shape=(nx, ny, nz)
    level
        Value looked for, linearly between neighbours.

    Returns
    -------
    ndarray
        Places in units of the spacing. shape=(points, 3)
    ndarray
        Unit vectors. shape=(points, 3)
    """
    slopes = np.stack([np.gradient(values, axis=axis) for axis in range(3)], axis=-1)
    places, normals = [], []
    for axis in range(3):
        near = [slice(None)] * 3
        far = [slice(None)] * 3
        near[axis], far[axis] = slice(None, -1), slice(1, None)
        first, second = values[tuple(near)], values[tuple(far)]
        found = np.argwhere((first >= level) != (second >= level))
        index = tuple(found.T)
        share = (level - first[index]) / (second[index] - first[index])
        place = found.astype(float)
        place[:, axis] += share
        slope = (1 - share)[:, None] * slopes[tuple(near)][index]
        slope = slope + share[:, None] * slopes[tuple(far)][index]
        places.append(place)
        normals.append(-slope / np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-300))
    return np.concatenate(places), np.concatenate(normals)


def potential(
    field: Any, points: NDArray[np.float64], method: PotentialMethod = "fitted"
) -> NDArray[np.float64]:
    """Return the electrostatic potential at points.

    Parameters
    ----------
    field
        PySCF's converged object.
    points
        In bohr. shape=(points, 3)
    method
        ``fitted`` or ``exact``.

    Returns
    -------
    ndarray
        In V. shape=(points,)
    """
    from ase.units import Hartree

    mole = field.mol
    apart = np.linalg.norm(points[:, None] - mole.atom_coords()[None, :], axis=2)
    nuclear = (mole.atom_charges() / apart).sum(axis=1)
    electrons = _exact(field, points) if method == "exact" else _fitted(field, points)
    return np.asarray((nuclear - electrons) * Hartree)


def _exact(field: Any, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the repulsion of the density on a unit charge at each point, in hartree."""
    density = total_density(field)
    found = []
    for start in range(0, len(points), EXACT_BLOCK):
        block = field.mol.intor("int1e_grids", grids=points[start : start + EXACT_BLOCK])
        found.append(np.einsum("gij,ij->g", block, density))
    return np.concatenate(found)


def _fitted(field: Any, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the same of the density fitted to the auxiliary basis, its electrons kept."""
    from pyscf import gto

    auxiliary, weights = fitted_density(field)
    found = []
    for start in range(0, len(points), BLOCK):
        probes = gto.fakemol_for_charges(points[start : start + BLOCK])
        found.append(weights @ gto.mole.intor_cross("int2c2e", auxiliary, probes))
    return np.concatenate(found)


def fitted_density(field: Any) -> tuple[Any, NDArray[np.float64]]:
    """Fit the density to the auxiliary basis by its Coulomb energy, with all its electrons.

    Returns
    -------
    object
        The auxiliary basis as a PySCF molecule.
    ndarray
        Weight of each of its functions. shape=(functions,)
    """
    import scipy.linalg
    from pyscf import df

    mole, density = field.mol, total_density(field)
    auxiliary = df.addons.make_auxmol(mole, field.with_df.auxbasis)
    metric = auxiliary.intor("int2c2e")
    target = np.zeros(auxiliary.nao)
    layout = auxiliary.ao_loc_nr()
    for first, last in _shell_blocks(layout, max(1, FIT_MEMORY // (mole.nao**2 * 8))):
        shells = (0, mole.nbas, 0, mole.nbas, first, last)
        block = df.incore.aux_e2(mole, auxiliary, "int3c2e", aosym="s1", shls_slice=shells)
        target[layout[first] : layout[last]] = np.einsum("ijp,ij->p", block, density)
    factor = scipy.linalg.cho_factor(metric)
    weights = scipy.linalg.cho_solve(factor, target)
    charges = auxiliary_charges(auxiliary)
    response = scipy.linalg.cho_solve(factor, charges)
    lacking = float(mole.nelectron) - charges @ weights
    return auxiliary, np.asarray(weights + response * lacking / (charges @ response))


FIT_MEMORY = 200_000_000
"""Bytes of three-centre integrals held at a time."""


def auxiliary_charges(auxiliary: Any) -> NDArray[np.float64]:
    """Return the integral of each auxiliary function over space; zero but for s functions."""
    charges: list[float] = []
    for shell in range(auxiliary.nbas):
        momentum = int(auxiliary.bas_angular(shell))
        exponents = np.asarray(auxiliary.bas_exp(shell))
        contraction = np.asarray(auxiliary._libcint_ctr_coeff(shell))
        each = SOLID_ANGLE * ((np.pi / exponents) ** 1.5) @ contraction
        for one in each:
            charges += [float(one)] if momentum == 0 else [0.0] * (2 * momentum + 1)
    return np.array(charges)


def _shell_blocks(layout: NDArray[np.int64], size: int) -> list[tuple[int, int]]:
    """Cut shells into runs of at most so many functions, at least one shell each."""
    blocks, first = [], 0
    for shell in range(1, len(layout)):
        if shell == len(layout) - 1 or layout[shell + 1] - layout[first] > size:
            blocks.append((first, shell))
            first = shell
    return blocks


def _density_grid(
    mole: Any, density: NDArray[np.float64], spacing: float, level: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return origin (bohr) and values of the density, on a grid whose borders are below a level."""
    from ase.units import Bohr
    from pyscf import dft

    margin = MARGIN_ANG / Bohr
    while True:
        low = mole.atom_coords().min(axis=0) - margin
        counts = np.ceil((mole.atom_coords().max(axis=0) + margin - low) / spacing).astype(int) + 1
        nodes = low + spacing * np.indices(counts).reshape(3, -1).T
        values = np.empty(len(nodes))
        for start in range(0, len(nodes), BLOCK):
            functions = np.asarray(dft.numint.eval_ao(mole, nodes[start : start + BLOCK]))
            values[start : start + BLOCK] = np.einsum("gi,gi->g", functions @ density, functions)
        grid = np.maximum(values, FLOOR).reshape(counts)
        border = max(
            float(np.take(grid, side, axis=axis).max()) for axis in range(3) for side in (0, -1)
        )
        if border < level:
            return low, grid
        margin += MARGIN_ANG / Bohr
