"""Does a filler beside a chain ease the hops along it? A rule written first, then a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from superionic.analysis.claim import Claim, check_rule, said_by, unanimous

if TYPE_CHECKING:
    from superionic.analysis.chain_hops import ChainHop


@dataclass(frozen=True)
class ChainHopRule:
    """When "hops are easier beside the filler" counts as decided.

    Attributes
    ----------
    margin_eV : float
        Difference of climbs below which a pair of hops says nothing, in eV: what the method
        resolves.
    min_pairs : int
        Hops that must have a value both with and without the filler.
    """

    margin_eV: float = 0.1
    min_pairs: int = 1

    def __post_init__(self) -> None:
        """Refuse rules that cannot work."""
        check_rule(self.margin_eV, min_pairs=self.min_pairs)

    @property
    def text(self) -> str:
        """The rule in words."""
        return (
            "A hop and the same hop beside the filler (the ion put into the same two pockets) make "
            "a pair; each counts with its climb from the lower of its ends. Supported when the "
            f"climb beside the filler is lower by more than {self.margin_eV:g} eV in every pair; "
            "contradicted when it is higher by more than that in every pair; undecided otherwise, "
            f"also with fewer than {self.min_pairs} pair(s) in which both hops have a value."
        )


@dataclass(frozen=True)
class ChainHopClaim(Claim):
    """What pairs of hops say about the claim.

    Attributes
    ----------
    differences_eV : tuple of float
        Climb beside the filler less that without it, of each pair with both values, in eV.
    """

    differences_eV: tuple[float, ...]


def judge_chain_hops(
    pairs: Sequence[tuple[ChainHop, ChainHop]], rule: ChainHopRule
) -> ChainHopClaim:
    """Judge "hops are easier beside the filler".

    Parameters
    ----------
    pairs
        A hop without the filler, and the same hop beside it; those without a value too.
    rule
        Written down before the run.
    """
    differences, missing = [], []
    for bare, beside in pairs:
        first, second = bare.climb_eV, beside.climb_eV
        if first is None or second is None:
            which = bare if first is None else beside
            missing.append(f"{which.name} has no value ({which.barrier.reason})")
        else:
            differences.append(second - first)
    found = tuple(differences)
    if len(found) < rule.min_pairs:
        reason = f"{len(found)} of {rule.min_pairs} needed pairs have both values."
        return ChainHopClaim("undecided", " ".join([reason, *missing]), found)
    states = [said_by(-d, rule.margin_eV) for d in found]
    reason = (
        f"Beside the filler the climb is {', '.join(f'{d:+.2f}' for d in found)} eV: lower in "
        f"{states.count('supported')}, higher in {states.count('contradicted')} of {len(found)} "
        f"pair(s) by more than {rule.margin_eV:g} eV."
    )
    return ChainHopClaim(unanimous(states), reason, found)
