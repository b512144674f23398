"""Is one group of barriers lower than another? A rule written down first, then a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.claim import Claim, ClaimState, said_by, unanimous
from superionic.structures.errors import EvidenceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from superionic.analysis.barriers import BarrierResult


@dataclass(frozen=True)
class ClaimRule:
    """When a claim "surface barriers are lower than bulk barriers" counts as decided.

    Attributes
    ----------
    margin_eV : float
        Difference of medians below which nothing is decided, in eV: what the method resolves.
    alpha : float
        Largest one-sided p of the exact rank test that decides.
    min_hops : int
        Converged hops needed in each group (one suffices where symmetry makes all hops equal).
    max_rejected_fraction : float
        More hops than this share without a value leave the claim undecided.
    """

    margin_eV: float = 0.02
    alpha: float = 0.05
    min_hops: int = 4
    max_rejected_fraction: float = 0.5

    def __post_init__(self) -> None:
        """Refuse rules that cannot work."""
        if self.margin_eV < 0 or not 0 < self.alpha < 1 or self.min_hops < 1:
            raise EvidenceError(
                "A rule needs margin_eV >= 0, 0 < alpha < 1 and min_hops >= 1; got "
                f"{self.margin_eV}, {self.alpha}, {self.min_hops}."
            )
        if not 0 <= self.max_rejected_fraction < 1:
            raise EvidenceError("max_rejected_fraction must be at least 0 and below 1.")

    @property
    def text(self) -> str:
        """The rule in words."""
        return (
            "Each hop counts with its climb from the lower of its two ends. Supported when the "
            f"median at the surface is lower by more than {self.margin_eV:g} eV and a one-sided "
            f"exact rank test gives p <= {self.alpha:g} (where symmetry leaves one bulk hop: when "
            "every surface hop lies below it by more than that margin); contradicted when the "
            "same holds the other way round; undecided otherwise, or with fewer than "
            f"{self.min_hops} converged hops in a group, or with more than "
            f"{self.max_rejected_fraction:.0%} of a group's hops without a value."
        )


@dataclass(frozen=True)
class ClaimVerdict(Claim):
    """What the computed barriers say about the claim.

    Attributes
    ----------
    bulk_median_eV, surface_median_eV : float or None
        Medians of the climbs from the lower end, in eV; None without a converged hop.
    p_surface_lower, p_surface_higher : float or None
        One-sided p of the exact rank test; None where it is not used.
    bulk_hops, surface_hops : int
        Converged hops in each group.
    """

    bulk_median_eV: float | None
    surface_median_eV: float | None
    p_surface_lower: float | None
    p_surface_higher: float | None
    bulk_hops: int
    surface_hops: int


def climb_from_lower_end(result: BarrierResult) -> float | None:
    """Return the larger of a hop's two barriers in eV, which does not depend on its direction."""
    if result.forward_barrier_eV is None or result.reverse_barrier_eV is None:
        return None
    return max(result.forward_barrier_eV, result.reverse_barrier_eV)


def judge_claim(
    bulk: Sequence[BarrierResult],
    surface: Sequence[BarrierResult],
    rule: ClaimRule,
    *,
    one_bulk_class: bool = False,
) -> ClaimVerdict:
    """Judge "surface barriers are lower than bulk barriers".

    Parameters
    ----------
    bulk, surface
        All hops tried, those without a value included.
    rule
        Written down before the run.
    one_bulk_class
        Symmetry makes all bulk hops of the kind equal, so that one stands for all.
    """
    low = [c for r in bulk if (c := climb_from_lower_end(r)) is not None]
    top = [c for r in surface if (c := climb_from_lower_end(r)) is not None]
    medians = [float(np.median(v)) if v else None for v in (low, top)]
    reason = _too_little(bulk, surface, len(low), len(top), rule, one_bulk_class)
    state: ClaimState = "undecided"
    lower = higher = None
    if not reason:
        if one_bulk_class:
            state, reason = _against_one(low, top, rule)
        else:
            state, reason, lower, higher = _rank_test(low, top, rule)
    return ClaimVerdict(
        state=state,
        reason=reason,
        bulk_median_eV=medians[0],
        surface_median_eV=medians[1],
        p_surface_lower=lower,
        p_surface_higher=higher,
        bulk_hops=len(low),
        surface_hops=len(top),
    )


def _too_little(
    bulk: Sequence[BarrierResult],
    surface: Sequence[BarrierResult],
    bulk_values: int,
    surface_values: int,
    rule: ClaimRule,
    one_bulk_class: bool,
) -> str:
    """Return why there is not enough to judge, or nothing."""
    for name, tried, values, needed in (
        ("bulk", bulk, bulk_values, 1 if one_bulk_class else rule.min_hops),
        ("surface", surface, surface_values, rule.min_hops),
    ):
        if values < needed:
            return f"Only {values} of {needed} needed {name} hops converged."
        rejected = 1 - values / len(tried)
        if rejected > rule.max_rejected_fraction:
            return f"{rejected:.0%} of the {name} hops have no value."
    return ""


def _against_one(
    bulk: Sequence[float], surface: Sequence[float], rule: ClaimRule
) -> tuple[ClaimState, str]:
    """Compare all surface hops with the one barrier of the bulk."""
    reference = float(np.median(bulk))
    states = [said_by(reference - v, rule.margin_eV) for v in surface]
    reason = (
        f"Of {len(surface)} surface hops {states.count('supported')} lie below and "
        f"{states.count('contradicted')} above the bulk barrier of {reference:.3f} eV by more than "
        f"{rule.margin_eV:g} eV."
    )
    return unanimous(states), reason


def _rank_test(
    bulk: Sequence[float], surface: Sequence[float], rule: ClaimRule
) -> tuple[ClaimState, str, float, float]:
    """Compare two samples with the exact Mann-Whitney test."""
    from scipy.stats import mannwhitneyu

    lower = float(mannwhitneyu(surface, bulk, alternative="less", method="exact").pvalue)
    higher = float(mannwhitneyu(surface, bulk, alternative="greater", method="exact").pvalue)
    gap = float(np.median(surface) - np.median(bulk))
    reason = (
        f"Median {abs(gap):.3f} eV {'lower' if gap < 0 else 'higher'} at the surface; one-sided "
        f"p {lower:.3f} for lower, {higher:.3f} for higher."
    )
    state: ClaimState = "undecided"
    if lower <= rule.alpha and gap < -rule.margin_eV:
        state = "supported"
    elif higher <= rule.alpha and gap > rule.margin_eV:
        state = "contradicted"
    return state, reason, lower, higher
