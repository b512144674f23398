"""Marks beside numbers and claims: agrees, disagrees, not decided, or nothing printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superionic.workflows.report.content import Badge

if TYPE_CHECKING:
    from superionic.analysis.claim import ClaimState

AGREES, DISAGREES = Badge("agrees", "good"), Badge("disagrees", "bad")
NOT_DECIDED, NOT_PRINTED = Badge("not decided", "warn"), Badge("not printed")


def number_mark(computed: float | None, published: float | None, *, margin: float) -> Badge:
    """Return how a computed number compares with the published one.

    Parameters
    ----------
    computed, published
        None where there is no value, or none was printed.
    margin
        Difference up to which both count as equal; for energies that of the protocol's rule, which
        stood before the run.
    """
    if published is None:
        return NOT_PRINTED
    if computed is None:
        return NOT_DECIDED
    return AGREES if abs(computed - published) <= margin else DISAGREES


def claim_mark(state: ClaimState) -> Badge:
    """Return what a verdict says of a claim of the paper."""
    return {"supported": AGREES, "contradicted": DISAGREES, "undecided": NOT_DECIDED}[state]
