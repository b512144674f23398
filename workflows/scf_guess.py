"""Starting densities for open shells: free atoms, with high-spin d shells on the metals."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from ase.data import atomic_numbers

from superionic.structures.errors import EvidenceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FIRST_D, LAST_D, ARGON = 21, 30, 18
ELECTRONEGATIVE = frozenset({"N", "O", "F", "S", "Cl", "Se", "Br"})
"""Elements whose p shells take up what the metals of a starting density lack."""


@dataclass(frozen=True, eq=False)
class FreeAtom:
    """A neutral atom in the basis of a molecule, spherically averaged.

    Attributes
    ----------
    coefficients : ndarray
        Orbitals as columns. shape=(functions, orbitals)
    occupations : ndarray
        Electrons in each, spread evenly over a shell. shape=(orbitals,)
    momenta : ndarray
        Angular momentum of each. shape=(orbitals,)
    energies : ndarray
        In hartree. shape=(orbitals,)
    """

    coefficients: NDArray[np.float64]
    occupations: NDArray[np.float64]
    momenta: NDArray[np.int64]
    energies: NDArray[np.float64]

    def density(self, occupations: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Return its density matrix. shape=(functions, functions)."""
        filled = self.occupations if occupations is None else occupations
        return np.asarray((self.coefficients * filled) @ self.coefficients.T)


def free_atoms(molecule: Any) -> dict[str, FreeAtom]:
    """Return the free atoms of a PySCF molecule by label, from spherically averaged Hartree-Fock.

    Shells are filled as in the ground states of the neutral atoms.

    Parameters
    ----------
    molecule
        A ``pyscf.gto.Mole`` with spherical functions.
    """
    from pyscf.data.elements import CONFIGURATION
    from pyscf.scf.atom_hf import get_atm_nrhf

    with warnings.catch_warnings():  # it calls what it says is deprecated
        warnings.simplefilter("ignore", DeprecationWarning)
        found = get_atm_nrhf(molecule, atomic_configuration=CONFIGURATION)
    atoms = {}
    for index in range(molecule.natm):
        label = molecule.atom_symbol(index)
        if label in atoms:
            continue
        energies, coefficients, occupations = (np.asarray(x, dtype=float) for x in found[label][1:])
        momenta = momenta_of(molecule, index)
        heaviest = np.abs(coefficients).argmax(axis=0) if coefficients.size else np.zeros(0, int)
        atoms[label] = FreeAtom(coefficients, occupations, momenta[heaviest], energies)
    return atoms


def momenta_of(molecule: Any, atom: int) -> NDArray[np.int64]:
    """Return the angular momentum of each basis function of an atom. shape=(functions,)."""
    first, last = molecule.aoslice_by_atom()[atom, :2]
    momenta: list[int] = []
    for shell in range(first, last):
        momentum = int(molecule.bas_angular(shell))
        momenta += [momentum] * ((2 * momentum + 1) * int(molecule.bas_nctr(shell)))
    return np.array(momenta, dtype=np.int64)


def d_metals(symbols: Sequence[str]) -> tuple[int, ...]:
    """Return the atoms with an open 3d shell in their usual ions: titanium to copper."""
    return tuple(k for k, s in enumerate(symbols) if 22 <= atomic_numbers[s] <= 29)


def seeded_moments(symbols: Sequence[str], unpaired: int) -> NDArray[np.float64]:
    """Share unpaired electrons among the metals in proportion to their high-spin M(II) ions.

    Parameters
    ----------
    symbols
        Chemical symbol of each atom.
    unpaired
        Unpaired electrons of the molecule.

    Returns
    -------
    ndarray
        Unpaired electrons of each atom, at most five; zero throughout where there is no metal with
        an open shell. shape=(atoms,)
    """
    moments = np.zeros(len(symbols))
    metals = list(d_metals(symbols))
    if not metals or not unpaired:
        return moments
    counts = np.array([atomic_numbers[symbols[k]] - ARGON - 2 for k in metals], dtype=float)
    shares = np.maximum(np.minimum(counts, 10.0 - counts), 0.5)
    moments[metals] = np.minimum(shares * unpaired / shares.sum(), 5.0)
    return moments


def starting_density(
    molecule: Any, moments: NDArray[np.float64], atoms: dict[str, FreeAtom] | None = None
) -> NDArray[np.float64]:
    """Return spin densities of free atoms side by side, open shells polarised.

    A 3d metal with a moment gives up its 4s electrons and fills its d shell as M(II), or as M(III)
    where the moment asks for it; the p shells of electronegative atoms take up the rest. Any other
    atom keeps its electrons, and has the moment in its open shell.

    Parameters
    ----------
    molecule
        A ``pyscf.gto.Mole``.
    moments
        Unpaired electrons of each atom; negative for spin down. shape=(atoms,)
    atoms
        What `free_atoms` returned, if it is known.

    Returns
    -------
    ndarray
        Density matrices. shape=(2, functions, functions)

    Raises
    ------
    EvidenceError
        There is not one moment for each atom, or one is larger than the open shell of its atom
        allows.
    """
    if len(moments) != molecule.natm:
        raise EvidenceError(
            f"Expected one moment for each of {molecule.natm} atoms; got {len(moments)}."
        )
    atoms = free_atoms(molecule) if atoms is None else atoms
    labels = [molecule.atom_symbol(k) for k in range(molecule.natm)]
    filled = [_spin_occupations(atoms[s], s, m) for s, m in zip(labels, moments, strict=True)]
    _take_up(filled, atoms, labels, molecule.nelectron)
    density = np.zeros((2, molecule.nao, molecule.nao))
    for k, (start, end) in enumerate(molecule.aoslice_by_atom()[:, 2:]):
        for spin in (0, 1):
            density[spin, start:end, start:end] = atoms[labels[k]].density(filled[k][spin])
    return density


def _spin_occupations(atom: FreeAtom, label: str, moment: float) -> NDArray[np.float64]:
    """Return how an atom's orbitals are filled by spin. shape=(2, orbitals)."""
    half = np.array([atom.occupations, atom.occupations]) / 2.0
    number = atomic_numbers["".join(c for c in label if c.isalpha())]
    if not moment:
        return half
    if not FIRST_D <= number <= LAST_D:
        return _polarised(atom, label, moment)
    shell = np.flatnonzero((atom.momenta == 2) & (atom.occupations > 0))
    filled = np.flatnonzero((atom.momenta == 0) & (atom.occupations > 0))
    half[:, filled[np.argsort(atom.energies[filled])][3:]] = 0.0  # 4s
    count = float(number - ARGON - 2)
    if min(count, 10.0 - count) < abs(moment) - 0.5:
        count -= 1.0
    count = float(np.clip(count, abs(moment), 10.0 - abs(moment)))
    half[0, shell] = min((count + moment) / 2.0, 5.0) / 5.0
    half[1, shell] = min((count - moment) / 2.0, 5.0) / 5.0
    return half


def _polarised(atom: FreeAtom, label: str, moment: float) -> NDArray[np.float64]:
    """Return the same for an atom whose open shell takes the moment."""
    half = np.array([atom.occupations, atom.occupations]) / 2.0
    partly = (atom.occupations > 0.01) & (atom.occupations < 1.99)
    shell = np.flatnonzero(partly & (atom.momenta == atom.momenta[partly].max(initial=-1)))
    held = float(atom.occupations[shell].sum())
    room = min(held, 2.0 * len(shell) - held)
    if abs(moment) > room + 1e-6:
        raise EvidenceError(
            f"A free {label} has an open shell for {room:.0f} unpaired electrons at most; got a "
            f"starting moment of {moment:g}. Give it to another atom."
        )
    half[:, shell] *= np.array([[1.0 + moment / held], [1.0 - moment / held]])
    return half


def _take_up(
    filled: list[NDArray[np.float64]], atoms: dict[str, FreeAtom], labels: list[str], total: int
) -> None:
    """Scale the p shells of electronegative atoms so that all electrons are there."""
    lacking = total - sum(float(part.sum()) for part in filled)
    shells = [
        (k, np.flatnonzero((atoms[s].momenta == 1) & (atoms[s].occupations > 0)))
        for k, s in enumerate(labels)
        if "".join(c for c in s if c.isalpha()) in ELECTRONEGATIVE
    ]
    held = sum(float(filled[k][:, p].sum()) for k, p in shells)
    if held <= 0.0:
        return
    for k, p in shells:
        filled[k][:, p] *= max(1.0 + lacking / held, 0.0)
