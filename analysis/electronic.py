"""Projected densities of states: by atom and angular momentum, whatever code they came from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from superionic.structures.errors import EvidenceError
from superionic.structures.structure import readonly

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

Reference = Literal["fermi", "vacuum", "code"]
"""What an energy of zero stands for: the Fermi level, the vacuum level, or the code's own zero."""
ORBITALS = ("s", "p", "d", "f")


@dataclass(frozen=True, eq=False)
class ProjectedDOS:
    """Densities of states of a system, total and projected on atoms and angular momenta.

    Attributes
    ----------
    energies_eV : ndarray
        Ascending energies relative to ``reference``, in eV. shape=(energies,)
    total : ndarray
        Total density in states/eV, by spin. shape=(spins, energies)
    projected : ndarray
        Density in states/eV on each atom and angular momentum.
        shape=(spins, atoms, orbitals, energies)
    orbitals : tuple of str
        ``s``, ``p``, ``d``, ``f`` as far as there are any.
    symbols : tuple of str
        Chemical symbol of each atom.
    reference : {"fermi", "vacuum", "code"}
        What zero stands for.
    reference_eV : float
        That level on the code's own scale, in eV; zero if the zero is the code's own.
    fermi_eV : float
        Fermi level on this energy axis, in eV.
    width_eV : float or None
        Standard deviation of the Gaussian that widened the levels, in eV; None where the code
        made the densities itself (tetrahedra, its own smearing).
    electrons : float or None
        Valence electrons of the system.
    projection : str
        How states were projected on atoms: ``PAW spheres``, ``Mulliken``, ...
    theory : str
        Level of theory.
    """

    energies_eV: NDArray[np.float64]
    total: NDArray[np.float64]
    projected: NDArray[np.float64]
    orbitals: tuple[str, ...]
    symbols: tuple[str, ...]
    reference: Reference
    reference_eV: float
    fermi_eV: float
    width_eV: float | None
    electrons: float | None
    projection: str
    theory: str

    def __post_init__(self) -> None:
        """Freeze the arrays and check that they belong together."""
        for name in ("energies_eV", "total", "projected"):
            object.__setattr__(self, name, readonly(getattr(self, name), np.float64))
        points = self.energies_eV.shape
        spins = len(self.total)
        shapes = (
            len(points) == 1
            and points[0] >= 2
            and spins in (1, 2)
            and self.total.shape == (spins, *points)
            and self.projected.shape == (spins, len(self.symbols), len(self.orbitals), *points)
        )
        if not shapes:
            raise EvidenceError(
                f"Densities of states need energies (n,), total (spins, n) and projections "
                f"(spins, atoms, orbitals, n); got {points}, {self.total.shape} and "
                f"{self.projected.shape} for {len(self.symbols)} atoms and {self.orbitals}."
            )
        if not (np.diff(self.energies_eV) > 0).all():
            raise EvidenceError("The energies of a density of states must ascend.")
        if not set(self.orbitals) <= set(ORBITALS):
            raise EvidenceError(f"Unknown orbitals among {self.orbitals}; known: {ORBITALS}.")
        if self.reference == "fermi" and abs(self.fermi_eV) > 1e-6:
            raise EvidenceError(
                f"Energies are said to be relative to the Fermi level, which lies at "
                f"{self.fermi_eV} eV."
            )

    @property
    def spin_polarised(self) -> bool:
        """Whether the two spins differ."""
        return len(self.total) == 2

    def on(
        self,
        *,
        atoms: Sequence[int] | None = None,
        element: str | None = None,
        orbital: str | None = None,
        spin: int | None = None,
    ) -> NDArray[np.float64]:
        """Return the density on some atoms and orbitals in states/eV. shape=(energies,).

        Parameters
        ----------
        atoms
            Indices; all of them by default.
        element
            Only atoms of this element.
        orbital
            Only this angular momentum.
        spin
            0 or 1; both, summed, by default.

        Raises
        ------
        EvidenceError
            There is no such atom, orbital or spin.
        """
        chosen = list(range(len(self.symbols)) if atoms is None else atoms)
        if element is not None:
            chosen = [k for k in chosen if self.symbols[k] == element]
        places = range(len(self.orbitals))
        if orbital is not None:
            places = [k for k, name in enumerate(self.orbitals) if name == orbital]  # type: ignore[assignment]
        spins = range(len(self.total)) if spin is None else (spin,)
        if not chosen or not places or max(chosen) >= len(self.symbols):
            raise EvidenceError(
                f"No projection on {element or 'atoms'} {list(atoms or ())} {orbital or ''}; there "
                f"are {len(self.symbols)} atoms of {sorted(set(self.symbols))} with "
                f"{self.orbitals}."
            )
        if not set(spins) <= set(range(len(self.total))):
            raise EvidenceError(f"Spin {spin} asked for; there are {len(self.total)}.")
        part = self.projected[np.ix_(list(spins), chosen, list(places))]
        return np.asarray(part.sum(axis=(0, 1, 2)))

    def relative_to_fermi(self) -> ProjectedDOS:
        """Return the same densities with the Fermi level at zero."""
        return replace(
            self,
            energies_eV=self.energies_eV - self.fermi_eV,
            reference="fermi",
            reference_eV=self.reference_eV + self.fermi_eV,
            fermi_eV=0.0,
        )

    def relative_to(self, reference: Reference, level_eV: float) -> ProjectedDOS:
        """Return the same densities with another zero.

        Parameters
        ----------
        reference
            What the zero stands for.
        level_eV
            That level on the code's own scale, in eV.
        """
        shift = self.reference_eV - level_eV
        return replace(
            self,
            energies_eV=self.energies_eV + shift,
            reference=reference,
            reference_eV=level_eV,
            fermi_eV=self.fermi_eV + shift,
        )

    def states(self, density: ArrayLike, *, below_eV: float | None = None) -> float:
        """Return how many states a density of this axis holds, up to an energy if one is given."""
        values = np.asarray(density, dtype=float)
        keep = self.energies_eV <= (np.inf if below_eV is None else below_eV)
        return float(np.trapezoid(values[keep], self.energies_eV[keep]))

    @property
    def captured(self) -> float:
        """Share of the total density that the projections hold, from 0 to about 1.

        Projections on spheres miss what lies between them; a share that differs between two
        systems makes their projections hard to compare.
        """
        whole = self.states(self.total.sum(axis=0))
        part = self.states(self.projected.sum(axis=(0, 1, 2)))
        return part / whole if whole else 0.0
