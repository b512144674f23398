"""Does one molecule bind more strongly than another? A rule written down first, then a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from superionic.analysis.claim import Claim, check_rule, said_by, unanimous

if TYPE_CHECKING:
    from superionic.analysis.binding import BindingResult


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
        check_rule(self.margin_eV, min_converged=self.min_converged)

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
class BindingClaim(Claim):
    """What two binding energies say about the claim.

    Attributes
    ----------
    differences : tuple of (str, float)
        Level of theory, and binding strength of the first less that of the second, in eV.
    """

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
    states = [said_by(d, rule.margin_eV) for _, d in differences]
    values = [d for _, d in differences]
    reason = (
        f"|E_b| of {first.molecule} less that of {second.molecule} lies between "
        f"{min(values):+.2f} and {max(values):+.2f} eV: larger at {states.count('supported')}, "
        f"smaller at {states.count('contradicted')} of {len(values)} levels by more than "
        f"{rule.margin_eV:g} eV."
        if values
        else "No level of theory has both."
    )
    return BindingClaim(unanimous(states), reason, differences)
