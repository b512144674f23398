"""What rules about claims share: a margin, an outcome, and that all comparisons must agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from superionic.structures.errors import EvidenceError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Claim", "ClaimState"]

ClaimState = Literal["supported", "contradicted", "undecided"]


@dataclass(frozen=True)
class Claim:
    """What the computed values say about a claim.

    Attributes
    ----------
    state : str
        ``supported``, ``contradicted`` or ``undecided``.
    reason : str
        What was found, for a person.
    """

    state: ClaimState
    reason: str


def check_rule(margin_eV: float, **needed: int) -> None:
    """Refuse rules that cannot work.

    Parameters
    ----------
    margin_eV
        Difference below which a comparison says nothing, in eV.
    needed
        How many of what a rule asks for, by the name of its setting.

    Raises
    ------
    EvidenceError
        The margin is negative, or nothing is needed.
    """
    if not margin_eV >= 0 or any(count < 1 for count in needed.values()):
        words = ["margin_eV >= 0", *(f"{name} >= 1" for name in needed)]
        values = map(str, (margin_eV, *needed.values()))
        raise EvidenceError(f"A rule needs {' and '.join(words)}; got {' and '.join(values)}.")


def said_by(difference_eV: float, margin_eV: float) -> ClaimState:
    """Return what one comparison says about "greater": nothing within the margin."""
    if difference_eV > margin_eV:
        return "supported"
    return "contradicted" if difference_eV < -margin_eV else "undecided"


def unanimous(states: Sequence[ClaimState]) -> ClaimState:
    """Return what all comparisons say; undecided where they differ, or where there is none."""
    return states[0] if states and len(set(states)) == 1 else "undecided"
