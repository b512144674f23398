"""Formal charges from a composition: common oxidation states that make it neutral."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from superionic.structures.errors import InvalidStructureError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

CHARGE_TOLERANCE_PER_ATOM = 1e-3
"""Net charge, in e per atom, below which a composition counts as neutral.

Occupancies in files are rounded: 0.667 for 2/3 on 18 sites of Si among 126 leaves 5e-5 e per atom.
"""

_STATES = """
H 1 -1;Li 1;Be 2;B 3;C 4 2 -4;N -3 5 3;O -2;F -1;Na 1;Mg 2;Al 3;Si 4 -4;P 5 3 -3;S -2 6 4;Cl -1 7 5
K 1;Ca 2;Sc 3;Ti 4 3 2;V 5 4 3 2;Cr 3 6 2;Mn 2 4 3 7;Fe 3 2;Co 2 3 4;Ni 2 3 4;Cu 2 1;Zn 2;Ga 3
Ge 4 2 -4;As 5 3 -3;Se -2 4 6;Br -1 5;Rb 1;Sr 2;Y 3;Zr 4;Nb 5 4 3;Mo 6 4 5 3;Tc 7 4;Ru 4 3;Rh 3
Pd 2 4;Ag 1;Cd 2;In 3;Sn 4 2 -4;Sb 5 3 -3;Te -2 4 6;I -1 5 7;Cs 1;Ba 2;La 3;Ce 3 4;Pr 3;Nd 3;Pm 3
Sm 3;Eu 3 2;Gd 3;Tb 3 4;Dy 3;Ho 3;Er 3;Tm 3;Yb 3 2;Lu 3;Hf 4;Ta 5;W 6 4 5;Re 7 4;Os 4;Ir 4 3;Pt 4 2
Au 3 1;Hg 2;Tl 1 3;Pb 2 4;Bi 3 5;Th 4;U 6 4
"""

COMMON_STATES: dict[str, tuple[int, ...]] = {
    entry.split()[0]: tuple(int(x) for x in entry.split()[1:])
    for entry in _STATES.strip().replace("\n", ";").split(";")
}
"""Oxidation states seen in solids, commonest first."""

_MIXED = "Ti V Cr Mn Fe Co Ni Cu Nb Mo Ru W Re Ce Eu C"
MIXED_VALENCE = frozenset(_MIXED.split())
"""Elements that may take a broken average state (mixed valence; carbon of organic groups)."""


@dataclass(frozen=True)
class FormalCharges:
    """Oxidation states of a composition.

    Attributes
    ----------
    states : dict
        Element -> formal charge in e; an average where the element has mixed valence.
    net_charge_e : float
        Sum over the composition in e.
    neutral : bool
        True when the net charge is below `CHARGE_TOLERANCE_PER_ATOM` times the atoms.
    how : str
        ``given``, ``common states``, ``mixed valence``, ``metallic`` or ``not balanced``.
    """

    states: dict[str, float]
    net_charge_e: float
    neutral: bool
    how: str


def check_states(oxidation_states: Mapping[str, float] | None, known: Collection[str]) -> None:
    """Raise unless every oxidation state is a number, given for something that is there.

    Parameters
    ----------
    oxidation_states
        As given by a user.
    known
        Elements, and site labels where these may be named too.

    Raises
    ------
    InvalidStructureError
        Names what is not there, or the state that is no number.
    """
    given = oxidation_states or {}
    absent = [name for name in given if name not in known]
    if absent:
        names = list(dict.fromkeys(known))
        raise InvalidStructureError(
            f"An oxidation state is given for {', '.join(absent)}, but the structure holds "
            f"{', '.join(names[:12])}{', ...' if len(names) > 12 else ''}. Correct the symbol."
        )
    for name, state in given.items():
        if not math.isfinite(state):
            raise InvalidStructureError(
                f"The oxidation state of {name} must be finite; got {state}."
            )


def formal_charges(
    composition: Mapping[str, float], *, oxidation_states: Mapping[str, float] | None = None
) -> FormalCharges:
    """Return oxidation states, those given kept, the rest guessed to make the whole neutral.

    Among all combinations of common states that are neutral the one with the commonest states
    wins. Failing that one element of mixed valence takes the average state that balances the
    rest. Failing that every element has its commonest state, and the net charge says by how much
    the composition is off. Compositions without any possible anion or cation are metallic:
    all states are 0.

    Parameters
    ----------
    composition
        Element -> amount.
    oxidation_states
        Element -> formal charge in e, not to be changed.

    Raises
    ------
    InvalidStructureError
        An element has no known oxidation state and none was given.
    """
    given = {s: float(q) for s, q in (oxidation_states or {}).items() if s in composition}
    unknown = [s for s in composition if s not in given and s not in COMMON_STATES]
    if unknown:
        raise InvalidStructureError(
            f"No common oxidation state is known for {', '.join(unknown)}. Give it, for example "
            f"oxidation_states={{'{unknown[0]}': 3}}."
        )
    choices = {s: (given[s],) if s in given else COMMON_STATES[s] for s in composition}
    tolerance = CHARGE_TOLERANCE_PER_ATOM * sum(composition.values())
    if not given and _one_sign(choices):
        return FormalCharges(dict.fromkeys(composition, 0.0), 0.0, True, "metallic")
    combinations = sorted(_combinations(choices), key=lambda c: c[0])
    all_given = len(given) == len(composition)
    for _, states in combinations:
        net = _net(composition, states)
        if all_given or abs(net) <= tolerance:
            how = "given" if all_given else "common states"
            return FormalCharges(states, net, abs(net) <= tolerance, how)
    mixed = _mixed(composition, combinations, [s for s in composition if s not in given])
    if mixed is not None:
        return FormalCharges(mixed, _net(composition, mixed), True, "mixed valence")
    states = combinations[0][1]
    return FormalCharges(states, _net(composition, states), False, "not balanced")


def _one_sign(choices: Mapping[str, tuple[float, ...]]) -> bool:
    """Return whether the elements' commonest states all have one sign."""
    signs = {states[0] > 0 for states in choices.values()}
    return len(signs) < 2 and not any(
        state * states[0] < 0 for states in choices.values() for state in states
    )


def _combinations(
    choices: Mapping[str, tuple[float, ...]],
) -> Iterator[tuple[int, dict[str, float]]]:
    """Yield (rarity, states) for every combination of states, at most some ten thousand."""
    keep = 4 if len(choices) <= 6 else 3 if len(choices) <= 8 else 2 if len(choices) <= 13 else 1
    ranked = [list(enumerate(states[:keep])) for states in choices.values()]
    for combination in itertools.product(*ranked):
        rarity = sum(rank for rank, _ in combination)
        yield rarity, {s: float(q) for s, (_, q) in zip(choices, combination, strict=True)}


def _mixed(
    composition: Mapping[str, float],
    combinations: list[tuple[int, dict[str, float]]],
    free: list[str],
) -> dict[str, float] | None:
    flexible = [s for s in free if s in MIXED_VALENCE]
    for symbol in sorted(flexible, key=lambda s: s == "C"):  # metals before carbon
        for _, states in combinations:
            average = -_net(composition, {**states, symbol: 0.0}) / composition[symbol]
            if min(COMMON_STATES[symbol]) <= average <= max(COMMON_STATES[symbol]):
                return {**states, symbol: average}
    return None


def _net(composition: Mapping[str, float], states: Mapping[str, float]) -> float:
    return float(sum(amount * states[s] for s, amount in composition.items()))
