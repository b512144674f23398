"""Binding energies as results: the best of many starts, with the evidence for it.

The sign convention is that of `superionic.analysis.binding_terms`: negative means bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from superionic.analysis.binding_terms import (
    SIGN_CONVENTION,
    BindingParts,
    EnergyTerm,
    FiveEnergies,
    binding_energy,
    check_terms,
    split_binding,
)
from superionic.analysis.estimate import html_table
from superionic.structures.errors import EvidenceError

__all__ = [
    "SIGN_CONVENTION",
    "BindingParts",
    "BindingResult",
    "BindingVerdict",
    "ChargeTransfer",
    "EnergyTerm",
    "FiveEnergies",
    "LevelBinding",
    "StartOutcome",
    "StartState",
    "binding_energy",
    "check_terms",
    "split_binding",
    "strength",
]

BindingVerdict = Literal["converged", "unconverged", "failed"]
"""What became of a binding energy. Only ``converged`` carries a value."""
StartState = Literal["converged", "unconverged", "not-intact", "desorbed", "failed", "screened-out"]
"""What became of one start. Only ``converged`` can be the best."""

_EXACT_EV = 1e-6


@dataclass(frozen=True)
class LevelBinding:
    """The binding energy at one level of theory.

    Attributes
    ----------
    theory : str
        Level of theory.
    geometry : str
        Level at which the geometries were relaxed; another one than ``theory`` makes this a
        single-point value.
    binding_energy_eV : float
        ``E_b`` in eV; negative means bound.
    parts : BindingParts or None
        What it is made of; None where that was not computed.
    separated_ions_eV : float or None
        For a salt: ``E_b`` against its ions, each alone, in eV; None where there is none.
    separated_reason : str
        Why not.
    energies : tuple of FiveEnergies
        Total energies that it was worked out from: those of the level, and dispersion added.
    """

    theory: str
    geometry: str
    binding_energy_eV: float
    parts: BindingParts | None
    separated_ions_eV: float | None = None
    separated_reason: str = ""
    energies: tuple[FiveEnergies, ...] = ()

    def __post_init__(self) -> None:
        """Refuse parts that do not add up."""
        if self.parts is not None and abs(self.parts.total_eV - self.binding_energy_eV) > _EXACT_EV:
            raise EvidenceError(
                f"{self.theory}: the parts add up to {self.parts.total_eV:.6f} eV, not to the "
                f"binding energy {self.binding_energy_eV:.6f} eV."
            )

    @property
    def binding_strength_eV(self) -> float | None:
        """``|E_b|`` in eV of a bound molecule; None where it is not bound."""
        return strength(self.binding_energy_eV)

    @property
    def kind(self) -> str:
        """``relaxed`` or ``single point``."""
        return "relaxed" if self.theory == self.geometry else "single point"


@dataclass(frozen=True)
class ChargeTransfer:
    """Charge that moved on adsorption, by one named model of atomic charges.

    Attributes
    ----------
    model : str
        Such as ``gfn1-xtb Mulliken``. Numbers of two models must not be compared.
    molecule_e : float
        Charge of all atoms of the adsorbed molecule in the complex less its charge alone, in e;
        positive where it gave electrons to the surface.
    fragments : tuple of (str, float)
        Formula and charge in the complex of each covalently bonded part, in e.
    """

    model: str
    molecule_e: float
    fragments: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class StartOutcome:
    """What became of one start.

    Attributes
    ----------
    key : str
        Identifies the start.
    site : str
        Where on the surface it was put.
    state : str
        ``converged``, or why it cannot be the best.
    reason : str
        One sentence for a person; empty when converged.
    screen_eV : float or None
        Energy after the short first relaxation, above the lowest of all starts, in eV.
    energy_eV : float or None
        Total energy of the relaxed complex in eV; None unless relaxed to the criterion.
    binding_energy_eV : float or None
        Against the same references as the best; None unless ``converged``.
    fmax_eV_per_A : float or None
        Residual force, eV/angstrom.
    force_calls : int
        Energy-and-force evaluations.
    """

    key: str
    site: str
    state: StartState
    reason: str
    screen_eV: float | None
    energy_eV: float | None
    binding_energy_eV: float | None
    fmax_eV_per_A: float | None
    force_calls: int

    def __post_init__(self) -> None:
        """Refuse a value without its evidence."""
        if self.state not in get_args(StartState):
            raise EvidenceError(f"Start {self.key}: unknown state '{self.state}'.")
        if (self.state == "converged") != (self.binding_energy_eV is not None):
            raise EvidenceError(
                f"Start {self.key} is {self.state} and has the binding energy "
                f"{self.binding_energy_eV}: a value and convergence come together."
            )


def strength(binding_energy_eV: float | None) -> float | None:
    """Return ``|E_b|`` of a bound molecule in eV; None where it is not bound or has no value."""
    if binding_energy_eV is None or binding_energy_eV >= 0:
        return None
    return -binding_energy_eV


@dataclass(frozen=True, eq=False)
class BindingResult:
    """A molecule's binding energy on a surface, or the reason why there is none.

    Attributes
    ----------
    molecule, molecule_formula, surface_formula : str
        Name of the molecule and what both are made of.
    theory : str
        Level of theory of all terms.
    verdict : str
        ``converged``, ``unconverged`` or ``failed``.
    reason : str
        One sentence for a person; empty when converged.
    binding_energy_eV : float or None
        ``E_b`` of the best start in eV, see `SIGN_CONVENTION`; None without its evidence.
    parts : BindingParts or None
        What it is made of.
    starts : tuple of StartOutcome
        All starts, those without a value included.
    best_start : str
        Key of the start with the lowest energy; empty where none converged.
    settings_hash : str
        Hash that all three terms share.
    terms : tuple of EnergyTerm
        Complex, surface and molecule of the best start; empty where there is no value.
    adsorbate : tuple of int
        Indices of the molecule's atoms in the complex.
    surface_fell_eV, molecule_fell_eV : float
        How far below its first relaxation each reference was found by starting again from the
        complex, in eV; zero where it was not lower.
    box_shift_eV : float or None
        Change of the molecule's energy in a larger box, in eV; None where it is in free space.
    levels : tuple of LevelBinding
        Side by side, the level of the geometries first.
    charges : tuple of ChargeTransfer
        One for each model asked for.
    notes : tuple of str
        What a reader has to know.
    """

    molecule: str
    molecule_formula: str
    surface_formula: str
    theory: str
    verdict: BindingVerdict
    reason: str
    binding_energy_eV: float | None
    parts: BindingParts | None
    starts: tuple[StartOutcome, ...]
    best_start: str
    settings_hash: str
    terms: tuple[EnergyTerm, ...] = ()
    adsorbate: tuple[int, ...] = ()
    surface_fell_eV: float = 0.0
    molecule_fell_eV: float = 0.0
    box_shift_eV: float | None = None
    levels: tuple[LevelBinding, ...] = ()
    charges: tuple[ChargeTransfer, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a value without its evidence."""
        if self.verdict not in get_args(BindingVerdict):
            raise EvidenceError(f"{self.molecule}: unknown verdict '{self.verdict}'.")
        if self.verdict != "converged":
            if self.binding_energy_eV is not None or self.parts or not self.reason:
                raise EvidenceError(
                    f"{self.molecule} is {self.verdict}: it must have a reason and no value."
                )
            return
        if self.binding_energy_eV is None or self.parts is None or len(self.terms) < 3:
            raise EvidenceError(f"{self.molecule} is called converged but lacks value or terms.")
        shown = binding_energy(self.terms[0], self.terms[1], self.terms[2:])
        lowest = min(
            s.binding_energy_eV for s in self._converged if s.binding_energy_eV is not None
        )
        for name, value in (
            ("its terms", shown),
            ("its parts", self.parts.total_eV),
            ("the lowest converged start", lowest),
        ):
            if abs(value - self.binding_energy_eV) > _EXACT_EV:
                raise EvidenceError(
                    f"{self.molecule}: the binding energy {self.binding_energy_eV:.6f} eV is not "
                    f"what {name} make it, {value:.6f} eV."
                )

    def _repr_html_(self) -> str:
        """Return a table for notebooks: the value at each level, or why there is none."""
        rows = [("surface", self.surface_formula), ("verdict", self.verdict)]
        rows += [(f"E_b, {one.theory}", f"{one.binding_energy_eV:+.3f} eV") for one in self.levels]
        if self.binding_energy_eV is None:
            rows.append(("reason", self.reason))
        rows.append(("converged starts", f"{self.converged_starts} of {self.relaxed_starts}"))
        if self.spread_eV is not None:
            rows.append(("spread of starts", f"{self.spread_eV:.3f} eV"))
        return html_table(f"Binding of {self.molecule} (negative is bound)", rows)

    @property
    def _converged(self) -> tuple[StartOutcome, ...]:
        found = tuple(s for s in self.starts if s.state == "converged")
        if not found:
            raise EvidenceError(f"{self.molecule}: no start converged, and there is a value.")
        return found

    @property
    def binding_strength_eV(self) -> float | None:
        """``|E_b|`` in eV of a bound molecule; None where it is not bound or has no value."""
        return strength(self.binding_energy_eV)

    @property
    def relaxed_starts(self) -> int:
        """Starts that were to be relaxed to the end."""
        return sum(s.state != "screened-out" for s in self.starts)

    @property
    def converged_starts(self) -> int:
        """Starts that were."""
        return sum(s.state == "converged" for s in self.starts)

    @property
    def spread_eV(self) -> float | None:
        """Highest less lowest ``E_b`` of the converged starts, in eV; None for fewer than two."""
        values = [s.binding_energy_eV for s in self.starts if s.binding_energy_eV is not None]
        return max(values) - min(values) if len(values) > 1 else None
