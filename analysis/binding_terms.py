"""The terms of a binding energy: what has to be the same in them, and what they are made of.

Sign convention, the same everywhere: ``E_b = E(complex) - E(surface) - E(molecule)``. Negative
means bound. The *binding strength* of a bound molecule is ``|E_b|``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from superionic.structures.errors import EvidenceError
from superionic.structures.structure import Structure

if TYPE_CHECKING:
    from collections.abc import Sequence

SIGN_CONVENTION = (
    "E_b = E(complex) - E(surface) - E(molecule); negative means bound, and the binding strength "
    "is |E_b|."
)

Role = Literal["complex", "surface", "molecule"]
SAME_CELL_ANG = 1e-6


@dataclass(frozen=True, eq=False)
class EnergyTerm:
    """One relaxed energy of a binding energy, with what it rests on.

    Attributes
    ----------
    role : {"complex", "surface", "molecule"}
        Which term it is.
    structure : Structure
        The relaxed atoms.
    energy_eV : float
        Total energy in eV.
    converged : bool
        The force criterion was met.
    fmax_eV_per_A : float
        Residual force, eV/angstrom.
    theory : str
        Level of theory.
    settings_hash : str
        Hash of everything that must be the same in all terms: level of theory, convergence, and
        for density-functional runs cutoff, k grid and potentials.
    charge : int
        Total charge in e.
    held : tuple of int
        Atoms that were not moved.
    origin : str
        Where the relaxation started from.
    force_calls : int
        Energy-and-force evaluations.
    """

    role: Role
    structure: Structure
    energy_eV: float
    converged: bool
    fmax_eV_per_A: float
    theory: str
    settings_hash: str
    charge: int = 0
    held: tuple[int, ...] = ()
    origin: str = ""
    force_calls: int = 0

    def __post_init__(self) -> None:
        """Refuse what is no energy."""
        if self.role not in get_args(Role):
            raise EvidenceError(f"A term is one of {', '.join(get_args(Role))}; got '{self.role}'.")
        if not np.isfinite(self.energy_eV):
            raise EvidenceError(f"The energy of the {self.role} is {self.energy_eV}, not a number.")


def binding_energy(
    complex_: EnergyTerm, surface: EnergyTerm, molecules: Sequence[EnergyTerm]
) -> float:
    """Return ``E(complex) - E(surface) - E(molecules)`` in eV, if the terms belong together.

    Parameters
    ----------
    complex_
        Surface with the adsorbed molecule: the surface's atoms first, in their order.
    surface
        The bare surface, in the same cell.
    molecules
        The molecule; or the ions it is made of, each alone.

    Raises
    ------
    EvidenceError
        A term is not converged, has other settings, another cell or other fixed atoms, or the
        atoms or charges do not add up. Names the term and the difference.
    """
    check_terms(complex_, surface, molecules)
    return complex_.energy_eV - surface.energy_eV - sum(m.energy_eV for m in molecules)


def check_terms(complex_: EnergyTerm, surface: EnergyTerm, molecules: Sequence[EnergyTerm]) -> None:
    """Raise unless the terms of a binding energy belong together; see `binding_energy`."""
    if not molecules:
        raise EvidenceError("A binding energy needs the energy of the molecule; got none.")
    terms = (complex_, surface, *molecules)
    for term, role in zip(terms, ("complex", "surface", *("molecule" for _ in molecules)),
                          strict=True):  # fmt: skip
        if term.role != role:
            raise EvidenceError(f"Expected the {role}, got a term for the {term.role}.")
        if not term.converged:
            raise EvidenceError(
                f"The {role} ({term.structure.formula}) is not converged: fmax "
                f"{term.fmax_eV_per_A:.3f} eV/A after {term.force_calls} force calls. A binding "
                "energy needs three converged terms; allow more steps."
            )
        if (term.theory, term.settings_hash) != (complex_.theory, complex_.settings_hash):
            raise EvidenceError(
                f"The reference for the {role} ({term.structure.formula}) was computed with "
                f"{term.theory} and settings {term.settings_hash[:12]}, the complex with "
                f"{complex_.theory} and {complex_.settings_hash[:12]}. Compute all terms at one "
                "level and one convergence."
            )
    _check_atoms(complex_, surface, molecules)


def _check_atoms(
    complex_: EnergyTerm, surface: EnergyTerm, molecules: Sequence[EnergyTerm]
) -> None:
    """Raise unless atoms, charges and cells of the terms add up."""
    whole, bare = complex_.structure, surface.structure
    parts = np.concatenate([m.structure.numbers for m in molecules])
    first = whole.numbers[: len(bare)]
    rest = np.sort(whole.numbers[len(bare) :])
    if not np.array_equal(first, bare.numbers) or not np.array_equal(rest, np.sort(parts)):
        names = " + ".join(m.structure.formula for m in molecules)
        raise EvidenceError(
            f"The composition does not add up: the complex is {whole.formula}, the references are "
            f"{bare.formula} + {names} (the atoms of the surface come first, in one order)."
        )
    total = surface.charge + sum(m.charge for m in molecules)
    if total != complex_.charge:
        raise EvidenceError(
            f"The charges do not add up: the complex has {complex_.charge:+d} e, the references "
            f"have {total:+d} e together."
        )
    other = float(abs(whole.cell - bare.cell).max())
    if whole.pbc != bare.pbc or (any(whole.pbc) and other > SAME_CELL_ANG):
        raise EvidenceError(
            "The surface was computed in another cell than the complex (they differ by "
            f"{other:.3g} A, or in what repeats). Use one cell for both."
        )
    if complex_.held != surface.held:
        raise EvidenceError(
            f"In the complex {len(complex_.held)} atoms are held, in the surface "
            f"{len(surface.held)}, or other ones. Hold the same atoms in both."
        )


@dataclass(frozen=True)
class BindingParts:
    """A binding energy taken apart; the parts add up to it.

    Attributes
    ----------
    surface_deformation_eV : float
        Energy of the surface in its geometry in the complex less its own minimum, in eV.
    molecule_deformation_eV : float
        The same of the molecule.
    dispersion_eV : float or None
        Added dispersion between the two, both as they are in the complex; None where it is part
        of the method.
    rest_eV : float
        Everything else between the two: electrostatics, induction, exchange, bonding (and, where
        ``dispersion_eV`` is None, dispersion).
    """

    surface_deformation_eV: float
    molecule_deformation_eV: float
    dispersion_eV: float | None
    rest_eV: float

    @property
    def interaction_eV(self) -> float:
        """Energy between surface and molecule as they are in the complex, in eV."""
        return self.rest_eV + (self.dispersion_eV or 0.0)

    @property
    def total_eV(self) -> float:
        """The binding energy, in eV."""
        deformation = self.surface_deformation_eV + self.molecule_deformation_eV
        return deformation + self.interaction_eV


@dataclass(frozen=True)
class FiveEnergies:
    """Energies of one level of theory at the geometries of another, in eV.

    Attributes
    ----------
    complex_eV, surface_eV, molecule_eV : float
        The three relaxed geometries.
    surface_there_eV, molecule_there_eV : float or None
        Surface and molecule as they are in the complex, each alone; None where not computed.
    """

    complex_eV: float
    surface_eV: float
    molecule_eV: float
    surface_there_eV: float | None = None
    molecule_there_eV: float | None = None

    def __add__(self, other: FiveEnergies) -> FiveEnergies:
        """Return the sums, such as of a level and its dispersion."""
        return FiveEnergies(
            self.complex_eV + other.complex_eV,
            self.surface_eV + other.surface_eV,
            self.molecule_eV + other.molecule_eV,
            _sum(self.surface_there_eV, other.surface_there_eV),
            _sum(self.molecule_there_eV, other.molecule_there_eV),
        )

    @property
    def binding_eV(self) -> float:
        """``E_b`` in eV."""
        return self.complex_eV - self.surface_eV - self.molecule_eV

    @property
    def interaction_eV(self) -> float | None:
        """Complex less both parts as they are in it, in eV."""
        if self.surface_there_eV is None or self.molecule_there_eV is None:
            return None
        return self.complex_eV - self.surface_there_eV - self.molecule_there_eV


def _sum(first: float | None, second: float | None) -> float | None:
    """Return a sum, None where a term is missing."""
    return None if first is None or second is None else first + second


def split_binding(
    whole: FiveEnergies, dispersion: FiveEnergies | None = None, *, separable: bool = True
) -> BindingParts | None:
    """Take a binding energy apart.

    Parameters
    ----------
    whole
        Energies of the level of theory, its added dispersion included.
    dispersion
        The added dispersion alone; None for none.
    separable
        False where the level has dispersion of its own, which cannot be told apart.

    Returns
    -------
    BindingParts or None
        None where the parts as they are in the complex were not computed.
    """
    between = whole.interaction_eV
    there = (whole.surface_there_eV, whole.molecule_there_eV)
    added = 0.0 if dispersion is None else dispersion.interaction_eV
    if between is None or there[0] is None or there[1] is None or added is None:
        return None
    return BindingParts(
        surface_deformation_eV=there[0] - whole.surface_eV,
        molecule_deformation_eV=there[1] - whole.molecule_eV,
        dispersion_eV=added if separable else None,
        rest_eV=between - (added if separable else 0.0),
    )
