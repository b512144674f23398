"""Is one node the strongest, are others the weakest? Rules written down first, then a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from superionic.analysis.claim import Claim, ClaimState, check_rule, said_by, unanimous
from superionic.structures.errors import EvidenceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from superionic.analysis.node_binding import NodeAdsorption, PairBinding


@dataclass(frozen=True)
class RankingRule:
    """When "one node holds it most strongly, others least" counts as decided.

    Attributes
    ----------
    strongest : str
        Name of the node said to be the strongest.
    weakest : tuple of str
        Names of those said to be the weakest.
    margin_eV : float
        Difference of adsorption energies below which a comparison says nothing, in eV.
    min_converged : int
        Starts that must have converged at each node.
    """

    strongest: str
    weakest: tuple[str, ...]
    margin_eV: float = 0.1
    min_converged: int = 2

    def __post_init__(self) -> None:
        """Refuse rules that cannot work."""
        check_rule(self.margin_eV, min_converged=self.min_converged)
        if self.strongest in self.weakest:
            raise EvidenceError(f"{self.strongest} cannot be both the strongest and the weakest.")

    @property
    def text(self) -> str:
        """The rule in words."""
        weak = " and ".join(self.weakest) or "none"
        return (
            f"The claim is a set of orderings: {self.strongest} below every other node in E_ads, "
            f"and {weak} above every node that is not one of them. In one comparison an ordering "
            f"holds or is reversed where the difference exceeds {self.margin_eV:g} eV; a "
            "comparison supports the claim where all orderings hold, contradicts it where at least "
            "one is reversed. Comparisons are the lowest start of each node, and like with like "
            "each way of holding on (denticity and donor atoms) that all nodes have, at every "
            "level of theory computed. Supported when every comparison supports, contradicted when "
            "every comparison contradicts, undecided otherwise, also when a node has no value or "
            f"fewer than {self.min_converged} converged starts."
        )


@dataclass(frozen=True)
class Comparison:
    """One comparison of all nodes.

    Attributes
    ----------
    theory : str
        Level of theory.
    mode : str
        Way of holding on; empty for the lowest start of each node.
    energies : tuple of (str, float)
        Node and adsorption energy in eV, the strongest first.
    held, reversed, even : tuple of str
        Orderings (``Fe2Ni < Co3``) that hold, are reversed, or are within the margin.
    """

    theory: str
    mode: str
    energies: tuple[tuple[str, float], ...]
    held: tuple[str, ...]
    reversed: tuple[str, ...]
    even: tuple[str, ...]

    @property
    def state(self) -> ClaimState:
        """What this comparison says."""
        if self.reversed:
            return "contradicted"
        return "undecided" if self.even else "supported"

    @property
    def name(self) -> str:
        """Level and mode."""
        return f"{self.theory}, {self.mode or 'lowest start of each'}"


@dataclass(frozen=True)
class RankingClaim(Claim):
    """What a screen says about the claim.

    Attributes
    ----------
    comparisons : tuple of Comparison
        All that were made.
    """

    comparisons: tuple[Comparison, ...]


def judge_ranking(results: Sequence[NodeAdsorption], rule: RankingRule) -> RankingClaim:
    """Judge "one node holds it most strongly, others least".

    Parameters
    ----------
    results
        One adsorbate at every node of the screen.
    rule
        Written down before the run.

    Raises
    ------
    EvidenceError
        A node of the rule is not in the screen, or a node occurs twice.
    """
    names = [r.node for r in results]
    unknown = [n for n in (rule.strongest, *rule.weakest) if n not in names]
    if unknown or len(set(names)) != len(names):
        raise EvidenceError(
            f"The rule is about {', '.join((rule.strongest, *rule.weakest))}; the screen has "
            f"{', '.join(names) or 'nothing'}, each to be named once."
        )
    comparisons = tuple(_comparisons(results, rule))
    for one in results:
        if one.verdict != "converged":
            reason = f"{one.adsorbate} at {one.node} has no value: {one.reason}"
            return RankingClaim("undecided", reason, comparisons)
        if one.converged_starts < rule.min_converged:
            reason = (
                f"Only {one.converged_starts} of {rule.min_converged} needed starts of "
                f"{one.adsorbate} at {one.node} converged."
            )
            return RankingClaim("undecided", reason, comparisons)
    lacking = _lacking(results)
    if lacking:
        return RankingClaim("undecided", f"No value of {', '.join(lacking)}.", comparisons)
    states = [c.state for c in comparisons]
    reason = (
        f"Of {len(states)} comparisons {states.count('supported')} support the claim, "
        f"{states.count('contradicted')} contradict it and {states.count('undecided')} are within "
        f"{rule.margin_eV:g} eV. {_first(comparisons)}"
    ).rstrip()
    return RankingClaim(unanimous(states), reason, comparisons)


def _lacking(results: Sequence[NodeAdsorption]) -> list[str]:
    """Return what has no lowest start at a level of theory that others have one at."""
    levels = dict.fromkeys(
        level for r in results for level in (*r.theories, *(name for name, _ in r.missing))
    )
    return [
        f"{r.adsorbate} at {r.node} with {level}"
        for level in levels
        for r in results
        if r.value(level) is None
    ]


def _first(comparisons: Sequence[Comparison]) -> str:
    """Say what the first comparison found."""
    if not comparisons:
        return ""
    one = comparisons[0]
    ranked = ", ".join(f"{name} {value:+.2f}" for name, value in one.energies)
    return f"{one.name}, strongest first: {ranked} eV."


def _comparisons(results: Sequence[NodeAdsorption], rule: RankingRule) -> Iterable[Comparison]:
    """Return every comparison that all nodes take part in."""
    theories = [t for t in results[0].theories if all(t in r.theories for r in results)]
    modes = [m for m in results[0].modes if all(m in r.modes for r in results)]
    for theory in theories:
        for mode in (None, *modes):
            values = {r.node: r.value(theory, mode=mode) for r in results}
            known = {name: v for name, v in values.items() if v is not None}
            if len(known) == len(values):
                yield _compared(theory, mode or "", known, rule)


def _compared(theory: str, mode: str, energies: dict[str, float], rule: RankingRule) -> Comparison:
    """Go through the orderings of the claim."""
    below = [(rule.strongest, name) for name in energies if name != rule.strongest]
    below += [
        (name, weak)
        for weak in rule.weakest
        for name in energies
        if name not in rule.weakest and name != rule.strongest
    ]
    found: dict[ClaimState, list[str]] = {"supported": [], "contradicted": [], "undecided": []}
    for low, high in below:
        state = said_by(energies[high] - energies[low], rule.margin_eV)
        found[state].append(f"{low} < {high}")
    return Comparison(
        theory=theory,
        mode=mode,
        energies=tuple(sorted(energies.items(), key=lambda item: item[1])),
        held=tuple(found["supported"]),
        reversed=tuple(found["contradicted"]),
        even=tuple(found["undecided"]),
    )


@dataclass(frozen=True)
class WeakeningRule:
    """When "the node weakens the binding of cation and anion" counts as decided.

    Attributes
    ----------
    margin_eV : float
        Change of the binding below which a level says nothing, in eV.
    """

    margin_eV: float = 0.1

    def __post_init__(self) -> None:
        """Refuse rules that cannot work."""
        check_rule(self.margin_eV)

    @property
    def text(self) -> str:
        """The rule in words."""
        return (
            "Supported when the cation binds to the anion at the node by more than "
            f"{self.margin_eV:g} eV less than without it at every level of theory computed; "
            "contradicted when it binds by more than that more strongly at every level; undecided "
            "otherwise, also where a value is missing."
        )


def judge_weakening(
    pairs: Sequence[PairBinding], rule: WeakeningRule, *, levels: Sequence[str]
) -> Claim:
    """Judge "the node weakens the binding" at one node.

    Parameters
    ----------
    pairs
        Of one node, one for each level of theory that has all terms.
    rule
        Written down before the run.
    levels
        All levels of theory asked for.
    """
    if not pairs:
        return Claim("undecided", "No level of theory has all terms.")
    told = ", ".join(f"{p.weakened_eV:+.2f} eV ({p.theory})" for p in pairs)
    reason = (
        f"At {pairs[0].node} the binding of {pairs[0].cation} to {pairs[0].anion} changes by "
        f"{told}; positive is weaker."
    )
    known = {p.theory for p in pairs}
    lacking = [level for level in levels if level not in known]
    if lacking:
        return Claim("undecided", f"{reason} A term is missing with {', '.join(lacking)}.")
    return Claim(unanimous([said_by(p.weakened_eV, rule.margin_eV) for p in pairs]), reason)
