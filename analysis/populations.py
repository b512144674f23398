"""Electrons by atom, angular momentum and spin: what orbitals were projected to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.electronic import ORBITALS
from superionic.structures.errors import EvidenceError
from superionic.structures.structure import readonly

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Populations:
    """Electrons of each atom, angular momentum and spin by one partition of the orbitals.

    Attributes
    ----------
    method : str
        ``loewdin`` or ``mulliken``.
    symbols : tuple of str
        Chemical symbol of each atom.
    nuclear_charges : ndarray
        Electrons of the neutral atom in this calculation. shape=(atoms,)
    orbitals : tuple of str
        ``s``, ``p``, ``d``, ``f`` as far as there are any.
    electrons : ndarray
        shape=(spins, atoms, orbitals)
    expected_electrons : float
        Electrons of the whole system.
    tolerance : float
        How many electrons may be missing or too many.

    Raises
    ------
    EvidenceError
        Shapes disagree, or electrons were lost or made.
    """

    method: str
    symbols: tuple[str, ...]
    nuclear_charges: NDArray[np.float64]
    orbitals: tuple[str, ...]
    electrons: NDArray[np.float64]
    expected_electrons: float
    tolerance: float = 1e-4

    def __post_init__(self) -> None:
        """Freeze the arrays and count the electrons."""
        for name in ("nuclear_charges", "electrons"):
            object.__setattr__(self, name, readonly(getattr(self, name), np.float64))
        atoms = len(self.symbols)
        spins = len(self.electrons)
        if (
            spins not in (1, 2)
            or self.electrons.shape != (spins, atoms, len(self.orbitals))
            or self.nuclear_charges.shape != (atoms,)
            or not set(self.orbitals) <= set(ORBITALS)
        ):
            raise EvidenceError(
                f"Populations of {atoms} atoms in {self.orbitals} need electrons of shape (spins, "
                f"atoms, orbitals); got {self.electrons.shape} and "
                f"{self.nuclear_charges.shape}."
            )
        if not abs(float(self.electrons.sum()) - self.expected_electrons) <= self.tolerance:
            raise EvidenceError(
                f"The {self.method} populations hold {float(self.electrons.sum()):.4f} electrons "
                f"of {self.expected_electrons:.4f}, off by more than {self.tolerance}."
            )

    @property
    def charges(self) -> NDArray[np.float64]:
        """Charge of each atom in e. shape=(atoms,)."""
        return np.asarray(self.nuclear_charges - self.electrons.sum(axis=(0, 2)))

    @property
    def spins(self) -> NDArray[np.float64]:
        """Electrons of spin up less those of spin down on each atom. shape=(atoms,)."""
        by_spin = self.electrons.sum(axis=2)
        return np.asarray(
            by_spin[0] - by_spin[1] if len(by_spin) == 2 else np.zeros(by_spin.shape[1])
        )

    def count(self, atom: int, orbital: str) -> float:
        """Return the electrons of both spins on an atom in an angular momentum.

        Raises
        ------
        EvidenceError
            There is no such atom or orbital.
        """
        if not 0 <= atom < len(self.symbols) or orbital not in self.orbitals:
            raise EvidenceError(
                f"No populations of atom {atom} {orbital!r}; there are {len(self.symbols)} atoms "
                f"with {self.orbitals}."
            )
        return float(self.electrons[:, atom, self.orbitals.index(orbital)].sum())
