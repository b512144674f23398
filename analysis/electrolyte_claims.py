"""Does a filler free the cation, and does it move faster? Rules written first, then verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.claim import Claim
from superionic.structures.errors import EvidenceError

if TYPE_CHECKING:
    from superionic.analysis.diffusivity import Diffusivity


@dataclass(frozen=True)
class ElectrolyteRule:
    """When claims about a filler in an electrolyte count as decided.

    Attributes
    ----------
    cutoff_ang : float
        Oxygens of the anion within this distance of a cation are its neighbours, in angstrom.
    min_boxes : int
        Independently packed boxes needed of each electrolyte: one box tells of its packing.
    """

    cutoff_ang: float = 3.2
    min_boxes: int = 3

    def __post_init__(self) -> None:
        """Refuse rules that cannot work."""
        if self.cutoff_ang <= 0 or self.min_boxes < 2:
            raise EvidenceError(
                "A rule needs a positive cutoff and min_boxes >= 2, as one box has no scatter; got "
                f"{self.cutoff_ang} and {self.min_boxes}."
            )

    @property
    def text(self) -> str:
        """The rules in words."""
        return (
            f"Pairing counts as the mean number of anion oxygens within {self.cutoff_ang:g} A of a "
            "cation, one number a box. Supported when it is lower with the filler and the 95 % "
            "interval of the difference between boxes (Welch) leaves out zero; contradicted when "
            f"it is higher in the same way; undecided otherwise, or with fewer than "
            f"{self.min_boxes} boxes of either. Motion: supported when both diffusion coefficients "
            "exist and their 95 % intervals are apart, the one with the filler above; contradicted "
            "when below; undecided otherwise, also where a mean squared displacement is not "
            "diffusive and gives no coefficient."
        )


def judge_pairing(bare: Sequence[float], filled: Sequence[float], rule: ElectrolyteRule) -> Claim:
    """Judge "with the filler the cation has fewer anion oxygens beside it".

    Parameters
    ----------
    bare, filled
        Mean number of anion oxygens of each box, without and with the filler.
    rule
        Written down before the run.
    """
    if not bare or not filled:
        return Claim("undecided", "One of the two electrolytes was not computed.")
    gap = float(np.mean(filled) - np.mean(bare))
    told = f"{np.mean(bare):.2f} without and {np.mean(filled):.2f} with the filler"
    fewest = min(len(bare), len(filled))
    if fewest < rule.min_boxes:
        return Claim(
            "undecided",
            f"{told}, from {fewest} of {rule.min_boxes} needed boxes: the scatter between boxes "
            "is not known.",
        )
    half = _welch(bare, filled)
    reason = f"{told}; difference {gap:+.2f} with a 95 % half-width of {half:.2f}."
    if abs(gap) <= half:
        return Claim("undecided", reason)
    return Claim("supported" if gap < 0 else "contradicted", reason)


def _welch(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the half-width of the 95 % interval of a difference of means (Welch)."""
    from scipy.stats import t as student

    parts = [float(np.var(v, ddof=1)) / len(v) for v in (first, second)]
    total = sum(parts)
    if total == 0.0:
        return 0.0
    sizes = (len(first), len(second))
    freedom = total**2 / sum(p**2 / (n - 1) for p, n in zip(parts, sizes, strict=True))
    return float(student.ppf(0.975, freedom) * np.sqrt(total))


def judge_motion(bare: Diffusivity | None, filled: Diffusivity | None) -> Claim:
    """Judge "with the filler the cation diffuses faster".

    Parameters
    ----------
    bare, filled
        Self-diffusion without and with the filler; None where it was not computed.
    """
    for name, found in (("without", bare), ("with", filled)):
        if found is None:
            return Claim("undecided", f"The run {name} the filler was not computed.")
        if found.D_cm2_s is None:
            return Claim("undecided", f"{name.capitalize()} the filler: {found.summary}.")
    if bare is None or filled is None or not (bare.interval_cm2_s and filled.interval_cm2_s):
        return Claim("undecided", "No interval is known.")
    reason = f"{bare.summary} without, {filled.summary} with the filler."
    if filled.interval_cm2_s[0] > bare.interval_cm2_s[1]:
        return Claim("supported", reason)
    if filled.interval_cm2_s[1] < bare.interval_cm2_s[0]:
        return Claim("contradicted", reason)
    return Claim("undecided", f"{reason} The intervals overlap.")
