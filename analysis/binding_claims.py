"""Does one molecule bind more strongly than another? A rule written down first, then a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from superionic.structures.errors import EvidenceError

if TYPE_CHECKING:
    from superionic.analysis.binding import BindingResult

BindingClaimState = Literal["supported", "contradicted", "undecided"]


@dataclass(frozen=True)
class BindingClaimRule:
    """When "the first binds more strongly than the second" counts as decided.

    Attributes
    ----------
    margin_eV : float
        Difference of binding strengths below which a level of theory says nothing, in eV: what the
        choice of dispersion and of start moves it by.
    min_converged : int
        Starts that must have converged for each molecule.
    """

    margin_eV: float = 0.1
    min_converged: int = 2

    def __post_init__(self) -> None:
        """Refuse rules that cannot work."""
        if self.margin_eV < 0 or self.min_converged < 1:
            raise EvidenceError(
                "A rule needs margin_eV >= 0 and min_converged >= 1; got "
                f"{self.margin_eV} and {self.min_converged}."
            )

    @property
    def text(self) -> str:
        """The rule in words."""
        return (
            f"Supported when |E_b| of the first exceeds that of the second by more than "
            f"{self.margin_eV:g} eV at every level of theory computed; contradicted when it is "
            "smaller by more than that at every level; undecided otherwise, also when either has "
            f"no value or fewer than {self.min_converged} converged starts."
        )


@dataclass(frozen=True)
class BindingClaim:
    """What two binding energies say about the claim.

    Attributes
    ----------
    state : str
        ``supported``, ``contradicted`` or ``undecided``.
    reason : str
        One sentence.
    differences : tuple of (str, float)
        Level of theory, and binding strength of the first less that of the second, in eV.
    """

    state: BindingClaimState
    reason: str
    differences: tuple[tuple[str, float], ...]


def judge_binding(
    first: BindingResult, second: BindingResult, rule: BindingClaimRule
) -> BindingClaim:
    """Judge "the first binds more strongly than the second".

    Parameters
    ----------
    first, second
        On one surface, at the same levels.
    rule
        Written down before the run.
    """
    for one in (first, second):
        if one.verdict != "converged":
            return BindingClaim("undecided", f"{one.molecule} has no value: {one.reason}", ())
    other = {level.theory: level.binding_energy_eV for level in second.levels}
    differences = tuple(
        (level.theory, other[level.theory] - level.binding_energy_eV)
        for level in first.levels
        if level.theory in other
    )
    for one in (first, second):
        if one.converged_starts < rule.min_converged:
            reason = (
                f"Only {one.converged_starts} of {rule.min_converged} needed starts of "
                f"{one.molecule} converged."
            )
            return BindingClaim("undecided", reason, differences)
    return BindingClaim(*_verdict(first.molecule, second.molecule, differences, rule), differences)


def _verdict(
    first: str,
    second: str,
    differences: tuple[tuple[str, float], ...],
    rule: BindingClaimRule,
) -> tuple[BindingClaimState, str]:
    """Count the levels on either side."""
    more = sum(d > rule.margin_eV for _, d in differences)
    less = sum(d < -rule.margin_eV for _, d in differences)
    values = [d for _, d in differences]
    reason = (
        f"|E_b| of {first} less that of {second} lies between {min(values):+.2f} and "
        f"{max(values):+.2f} eV: larger at {more}, smaller at {less} of {len(values)} levels by "
        f"more than {rule.margin_eV:g} eV."
        if values
        else "No level of theory has both."
    )
    if values and more == len(values):
        return "supported", reason
    return ("contradicted" if values and less == len(values) else "undecided"), reason
