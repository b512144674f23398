"""Is one node the strongest, are others the weakest? Rules written down first, then a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from superionic.structures.errors import EvidenceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from superionic.analysis.node_binding import NodeAdsorption, PairBinding

NodeClaimState = Literal["supported", "contradicted", "undecided"]


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
        if self.margin_eV < 0 or self.min_converged < 1:
            raise EvidenceError(
                "A rule needs margin_eV >= 0 and min_converged >= 1; got "
                f"{self.margin_eV} and {self.min_converged}."
            )
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
    def state(self) -> NodeClaimState:
        """What this comparison says."""
        if self.reversed:
            return "contradicted"
        return "undecided" if self.even else "supported"

    @property
    def name(self) -> str:
        """Level and mode."""
        return f"{self.theory}, {self.mode or 'lowest start of each'}"


@dataclass(frozen=True)
class RankingClaim:
    """What a screen says about the claim.

    Attributes
    ----------
    state : str
        ``supported``, ``contradicted`` or ``undecided``.
    reason : str
        One sentence.
    comparisons : tuple of Comparison
        All that were made.
    """

    state: NodeClaimState
    reason: str
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
    states = [c.state for c in comparisons]
    count = {s: states.count(s) for s in ("supported", "contradicted", "undecided")}
    reason = (
        f"Of {len(states)} comparisons {count['supported']} support the claim, "
        f"{count['contradicted']} contradict it and {count['undecided']} are within "
        f"{rule.margin_eV:g} eV. {_first(comparisons)}"
    ).rstrip()
    if states and count["supported"] == len(states):
        return RankingClaim("supported", reason, comparisons)
    if states and count["contradicted"] == len(states):
        return RankingClaim("contradicted", reason, comparisons)
    return RankingClaim("undecided", reason, comparisons)


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
    found: dict[str, list[str]] = {"held": [], "reversed": [], "even": []}
    for low, high in below:
        gap = energies[high] - energies[low]
        kind = "held" if gap > rule.margin_eV else "reversed" if gap < -rule.margin_eV else "even"
        found[kind].append(f"{low} < {high}")
    return Comparison(
        theory=theory,
        mode=mode,
        energies=tuple(sorted(energies.items(), key=lambda item: item[1])),
        held=tuple(found["held"]),
        reversed=tuple(found["reversed"]),
        even=tuple(found["even"]),
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
        if self.margin_eV < 0:
            raise EvidenceError(f"A rule needs margin_eV >= 0; got {self.margin_eV}.")

    @property
    def text(self) -> str:
        """The rule in words."""
        return (
            "Supported when the cation binds to the anion at the node by more than "
            f"{self.margin_eV:g} eV less than without it at every level of theory computed; "
            "contradicted when it binds by more than that more strongly at every level; undecided "
            "otherwise, also where a value is missing."
        )


@dataclass(frozen=True)
class WeakeningClaim:
    """What the levels say about the weakening.

    Attributes
    ----------
    state : str
        ``supported``, ``contradicted`` or ``undecided``.
    reason : str
        One sentence.
    """

    state: NodeClaimState
    reason: str


def judge_weakening(pairs: Sequence[PairBinding], rule: WeakeningRule) -> WeakeningClaim:
    """Judge "the node weakens the binding", from one node at one or more levels of theory."""
    if not pairs:
        return WeakeningClaim("undecided", "No level of theory has all terms.")
    told = ", ".join(f"{p.weakened_eV:+.2f} eV ({p.theory})" for p in pairs)
    reason = (
        f"At {pairs[0].node} the binding of {pairs[0].cation} to {pairs[0].anion} changes by "
        f"{told}; positive is weaker."
    )
    if all(p.weakened_eV > rule.margin_eV for p in pairs):
        return WeakeningClaim("supported", reason)
    if all(p.weakened_eV < -rule.margin_eV for p in pairs):
        return WeakeningClaim("contradicted", reason)
    return WeakeningClaim("undecided", reason)
