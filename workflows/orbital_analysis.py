"""What PySCF's orbitals say of atoms: shares of levels, populations, Hirshfeld charges, spin.

Mulliken's partition is that of doi 10.1063/1.1740588, Loewdin's that of doi 10.1063/1.1747632 in
the orthogonalised basis, Hirshfeld's that of doi 10.1007/BF00549096 with neutral, spherically
averaged atoms in the same basis.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from superionic.analysis.charges import AtomicCharges
from superionic.analysis.electronic import ORBITALS
from superionic.analysis.levels import FermiRule, OrbitalLevels, valence_start
from superionic.analysis.populations import Populations
from superionic.structures.errors import EvidenceError, TheoryError
from superionic.workflows.scf_guess import free_atoms, momenta_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

Partition = Literal["loewdin", "mulliken"]
NAMES: dict[Partition, str] = {"loewdin": "Loewdin", "mulliken": "Mulliken"}
LEAST_DENSITY = 1e-14
"""Where free atoms have less than this, in e/bohr^3, a grid point belongs to nobody."""


def orbital_levels(
    field: Any,
    *,
    partition: Partition,
    window_eV: tuple[float, float],
    rule: FermiRule,
    smearing_eV: float,
    theory: str,
) -> OrbitalLevels:
    """Return the levels of a converged field in a window about the Fermi level.

    Parameters
    ----------
    field
        PySCF's object.
    partition
        How orbitals are shared out.
    window_eV
        Relative to the Fermi level; the lower end moves down into the next gap of 2 eV, and the
        lowest empty level is always kept.
    rule
        What the Fermi level is.
    smearing_eV
        Width of the filling.
    theory
        Level of theory.
    """
    from ase.units import Hartree

    energies, filled = np.atleast_2d(field.mo_energy) * Hartree, np.atleast_2d(field.mo_occ)
    every = OrbitalLevels(
        energies, filled, _grouped(field, orbital_shares(field, partition)), _orbitals(field),
        _symbols(field), 0.0, smearing_eV, NAMES[partition], theory,
    )  # fmt: skip
    fermi, lowest = every.fermi_level_eV(rule), every.frontier_eV()[1]
    low = valence_start(energies, fermi + window_eV[0])
    high = max(fermi + window_eV[1], -np.inf if lowest is None else lowest)
    inside = (energies >= low) & (energies <= high)
    # both spins keep as many levels as the one that has more of them
    first = int(inside.argmax(axis=1).min())
    last = energies.shape[1] - int(inside[:, ::-1].argmax(axis=1).min())
    return OrbitalLevels(
        energies[:, first:last],
        filled[:, first:last],
        every.shares[..., first:last],
        every.orbitals,
        every.symbols,
        float(filled[:, :first].sum()),
        smearing_eV,
        every.projection,
        theory,
    )


def populations(field: Any, partition: Partition) -> Populations:
    """Return the electrons of each atom, angular momentum and spin."""
    shares = _grouped(field, orbital_shares(field, partition))
    filled = np.atleast_2d(field.mo_occ)
    return Populations(
        method=partition,
        symbols=_symbols(field),
        nuclear_charges=np.asarray(field.mol.atom_charges(), dtype=float),
        orbitals=_orbitals(field),
        electrons=np.einsum("saol,sl->sao", shares, filled),
        expected_electrons=float(field.mol.nelectron),
    )


def population_charges(found: Populations, theory: str) -> AtomicCharges:
    """Return populations as charges."""
    return AtomicCharges(
        method=found.method,
        reference=f"{NAMES[found.method]} partition of the orbitals",  # type: ignore[index]
        symbols=found.symbols,
        valence_electrons=found.nuclear_charges,
        electrons=found.electrons.sum(axis=(0, 2)),
        expected_electrons=found.expected_electrons,
        theory=theory,
    )


def orbital_shares(field: Any, partition: Partition) -> NDArray[np.float64]:
    """Return the part of each orbital on each basis function. shape=(spins, functions, levels)."""
    overlap = np.asarray(field.get_ovlp(), dtype=float)
    coefficients = np.asarray(field.mo_coeff, dtype=float)
    if coefficients.ndim == 2:
        coefficients = coefficients[None]
    if partition == "mulliken":
        return np.asarray(
            coefficients * np.einsum("mn,snl->sml", overlap, coefficients, optimize=True)
        )
    values, vectors = np.linalg.eigh(overlap)
    root = (vectors * np.sqrt(np.clip(values, 0.0, None))) @ vectors.T
    return np.asarray(np.einsum("mn,snl->sml", root, coefficients, optimize=True) ** 2)


def spin_square(field: Any) -> float:
    """Return the expectation value of S^2, of one determinant; near it where levels are smeared."""
    up, down = _spin_densities(field)
    overlap = np.asarray(field.get_ovlp())
    first, second = float(np.sum(up * overlap)), float(np.sum(down * overlap))
    mixed = float(np.einsum("ij,ji->", up @ overlap, down @ overlap))
    return 0.25 * (first - second) ** 2 + 0.5 * (first + second) - mixed


def hirshfeld(
    field: Any, *, grid_level: int, theory: str
) -> tuple[AtomicCharges, tuple[float, ...]]:
    """Share the density among atoms by that of free atoms in the same place.

    Parameters
    ----------
    field
        PySCF's converged object.
    grid_level
        Of the integration grid; up to `FINER` levels finer where it loses electrons.
    theory
        Level of theory.

    Returns
    -------
    AtomicCharges
        Charges.
    tuple of float
        Electrons of spin up less those of spin down on each atom.

    Raises
    ------
    EvidenceError
        The finest of these grids loses electrons too.
    """
    for level in range(grid_level, grid_level + FINER):
        with contextlib.suppress(EvidenceError):
            return _hirshfeld(field, level, theory)
    return _hirshfeld(field, grid_level + FINER, theory)


def _hirshfeld(field: Any, grid_level: int, theory: str) -> tuple[AtomicCharges, tuple[float, ...]]:
    """Share the density out on one grid."""
    from pyscf import dft

    mole = field.mol
    grid = dft.gen_grid.Grids(mole)
    grid.level = grid_level
    grid.build()
    atoms = free_atoms(mole)
    blocks = mole.aoslice_by_atom()[:, 2:]
    free = [atoms[mole.atom_symbol(k)].density() for k in range(mole.natm)]
    densities = _spin_densities(field)
    found = np.zeros((2, mole.natm))
    unassigned = 0.0
    for start in range(0, len(grid.weights), BLOCK):
        part = slice(start, start + BLOCK)
        values = np.asarray(dft.numint.eval_ao(mole, grid.coords[part]))
        alone = np.array(
            [
                np.einsum("gi,gi->g", values[:, a:b] @ density, values[:, a:b])
                for density, (a, b) in zip(free, blocks, strict=True)
            ]
        )
        whole = alone.sum(axis=0)
        owned = whole > LEAST_DENSITY
        weights = np.where(owned, alone / np.where(owned, whole, 1.0), 0.0)
        for spin, density in enumerate(densities):
            here = grid.weights[part] * np.einsum("gi,gi->g", values @ density, values)
            found[spin] += weights @ here
            unassigned += float(here[~owned].sum())
    electrons = float(mole.nelectron)
    charges = AtomicCharges(
        method="hirshfeld",
        reference="neutral, spherically averaged atoms (Hartree-Fock, same basis)",
        symbols=_symbols(field),
        valence_electrons=np.asarray(mole.atom_charges(), dtype=float),
        electrons=found.sum(axis=0),
        expected_electrons=electrons,
        unassigned_electrons=unassigned,
        tolerance=max(0.01, GRID_ERROR * electrons),
        theory=theory,
    )
    return charges, tuple(float(x) for x in found[0] - found[1])


BLOCK = 8000
"""Grid points at a time."""
FINER = 2
GRID_ERROR = 2e-4
"""Share of the electrons that an integration grid may lose."""


def _spin_densities(field: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the density matrices of both spins."""
    made = np.asarray(field.make_rdm1(), dtype=float)
    return (made[0], made[1]) if made.ndim == 3 else (made / 2.0, made / 2.0)


def _symbols(field: Any) -> tuple[str, ...]:
    return tuple(str(field.mol.atom_pure_symbol(k)) for k in range(field.mol.natm))


def _orbitals(field: Any) -> tuple[str, ...]:
    """Return the angular momenta that the basis has.

    Raises
    ------
    TheoryError
        It has functions beyond f.
    """
    highest = max(int(field.mol.bas_angular(k)) for k in range(field.mol.nbas))
    if highest >= len(ORBITALS):
        raise TheoryError(
            "The basis has functions beyond f, which densities of states are not projected on. "
            "Choose a smaller basis, such as def2-svp."
        )
    return ORBITALS[: highest + 1]


def _grouped(field: Any, shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum the shares of basis functions by atom and angular momentum."""
    mole = field.mol
    grouped = np.zeros((len(shares), mole.natm, len(_orbitals(field)), shares.shape[2]))
    for atom, (start, end) in enumerate(mole.aoslice_by_atom()[:, 2:]):
        momenta = momenta_of(mole, atom)
        for momentum in np.unique(momenta):
            grouped[:, atom, momentum] = shares[:, start:end][:, momenta == momentum].sum(axis=1)
    return grouped
