"""Electrons shared out among atoms: by which method, and whether all of them are there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.errors import EvidenceError
from superionic.structures.structure import readonly

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class AtomicCharges:
    """The electrons of each atom, by one method.

    Attributes
    ----------
    method : str
        ``bader``, ``mulliken``, ``hirshfeld``, ...
    reference : str
        What the division followed, in words: for Bader the density whose maxima are the atoms.
    symbols : tuple of str
        Chemical symbol of each atom.
    valence_electrons : ndarray
        Electrons that the neutral atom has in this calculation (those of its pseudopotential, all
        of them in an all-electron one). shape=(atoms,)
    electrons : ndarray
        Electrons found on each atom. shape=(atoms,)
    expected_electrons : float
        Electrons of the whole system.
    unassigned_electrons : float
        Electrons given to no atom (vacuum).
    tolerance : float
        How many electrons may be missing or too many.
    farthest_maximum_ang : float or None
        For Bader: largest distance of a density maximum from the atom that it was given to, in
        angstrom; more than half a bond means that a maximum belongs to no atom.
    theory : str
        Level of theory.

    Raises
    ------
    EvidenceError
        Shapes disagree, or electrons were lost or made.
    """

    method: str
    reference: str
    symbols: tuple[str, ...]
    valence_electrons: NDArray[np.float64]
    electrons: NDArray[np.float64]
    expected_electrons: float
    unassigned_electrons: float = 0.0
    tolerance: float = 0.01
    farthest_maximum_ang: float | None = None
    theory: str = ""

    def __post_init__(self) -> None:
        """Freeze the arrays and count the electrons."""
        for name in ("valence_electrons", "electrons"):
            object.__setattr__(self, name, readonly(getattr(self, name), np.float64))
        atoms = (len(self.symbols),)
        if self.valence_electrons.shape != atoms or self.electrons.shape != atoms:
            raise EvidenceError(
                f"Charges of {atoms[0]} atoms need as many valences and electrons; got "
                f"{self.valence_electrons.shape} and {self.electrons.shape}."
            )
        if not abs(self.missing_electrons) <= self.tolerance:
            raise EvidenceError(
                f"The {self.method} division holds {self.total_electrons:.4f} electrons of "
                f"{self.expected_electrons:.4f}, off by more than {self.tolerance}. Use a finer "
                "grid (PREC = Accurate, larger NGXF), and files of one and the same run."
            )

    @property
    def charges(self) -> NDArray[np.float64]:
        """Charge of each atom in e: valence electrons less electrons. shape=(atoms,)."""
        return np.asarray(self.valence_electrons - self.electrons)

    @property
    def total_electrons(self) -> float:
        """Electrons found, those given to no atom included."""
        return float(self.electrons.sum()) + self.unassigned_electrons

    @property
    def missing_electrons(self) -> float:
        """Electrons of the system less those found."""
        return self.expected_electrons - self.total_electrons

    def of(self, atoms: Sequence[int]) -> float:
        """Return the charge of a group of atoms in e, such as an adsorbate's."""
        return float(self.charges[list(atoms)].sum())
