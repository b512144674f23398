"""Compositions of the NaSICON families, and site substitution in any crystal."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from superionic.structures.crystals import reference_crystal
from superionic.structures.disordered import DisorderedStructure
from superionic.structures.errors import InvalidStructureError
from superionic.structures.oxidation import COMMON_STATES, formal_charges
from superionic.structures.structure import Structure

if TYPE_CHECKING:
    from collections.abc import Mapping


def nasicon_nzsp(x: float, *, na1: float = 1.0) -> DisorderedStructure:
    """Return Na(1+x) Zr2 Si(x) P(3-x) O12 in the rhombohedral cell, R-3c.

    The framework and the cell are those of x = 3 at 573 K for every x: relax the cell before any
    comparison.

    Parameters
    ----------
    x
        Si per formula unit, 0 to 3.
    na1
        Occupancy of Na1 (6b, one a formula unit), full by default. The rest of the sodium is on
        Na2 (18e, three a formula unit); ``na1=(1 + x) / 4`` spreads it evenly.

    Returns
    -------
    DisorderedStructure
        Sites Zr1, Na1, Na2, O1, O2 and Si1/P1; 126 sites. An empty Na2 stays as a known site.

    Raises
    ------
    InvalidStructureError
        x is outside 0 to 3, or ``na1`` leaves no possible occupancy for Na2.
    """
    _within("x of Na(1+x)Zr2Si(x)P(3-x)O12", x, 0.0, 3.0)
    na2 = _rest("Na", 1.0 + x, na1)
    base = reference_crystal("nzsp").structure
    filling = {
        "Na1": {"Na": na1},
        "Na2": {"Na": na2},
        "Si1/P1": {"Si": x / 3, "P": 1 - x / 3},
    }
    note = f"Na(1+x)Zr2Si(x)P(3-x)O12 with x = {x:g} in the framework and cell of x = 3 at 573 K."
    return _filled(base, filling, note)


def latp(x: float, *, li1: float = 1.0) -> DisorderedStructure:
    """Return Li(1+x) Al(x) Ti(2-x) (PO4)3 in the rhombohedral cell, R-3c.

    Framework and cell are those of the reference crystal (x = 0.3) for every x: relax the cell
    before any comparison. Single phases are made up to about x = 0.5; beyond is hypothetical.

    Parameters
    ----------
    x
        Al per formula unit, 0 to 2.
    li1
        Occupancy of Li1 (6b, one a formula unit), full by default; the rest is on Li2 (18e).

    Raises
    ------
    InvalidStructureError
        x is outside 0 to 2, or ``li1`` leaves no possible occupancy for Li2.
    """
    _within("x of Li(1+x)Al(x)Ti(2-x)(PO4)3", x, 0.0, 2.0)
    li2 = _rest("Li", 1.0 + x, li1)
    base = reference_crystal("latp").structure
    filling = {
        "Li1": {"Li": li1},
        "Li2": {"Li": li2},
        "Ti1/Al1": {"Ti": 1 - x / 2, "Al": x / 2},
    }
    note = f"Li(1+x)Al(x)Ti(2-x)(PO4)3 with x = {x:g} in the framework and cell of x = 0.3."
    return _filled(base, filling, note)


def substitute(
    structure: DisorderedStructure | Structure,
    sites: Mapping[str, Mapping[str, float]],
    *,
    compensate_on: str | None = None,
    oxidation_states: Mapping[str, float] | None = None,
) -> DisorderedStructure:
    """Fill labelled sites anew, and balance the charge on another site if asked to.

    Parameters
    ----------
    structure
        The crystal to change.
    sites
        Site label -> element -> occupancy, e.g. ``{"Zr1": {"Zr": 0.9, "Sc": 0.1}}``. All sites of
        the label are filled alike; less than 1 in total leaves vacancies; an occupancy of 0 keeps
        an empty site. A part of a joined label (``Si1`` of ``Si1/P1``) names the whole site.
    compensate_on
        Label of a site that holds one element, whose occupancy is set so that the formal charges
        of the whole are neutral.
    oxidation_states
        Element -> formal charge in e for the balance; others take their commonest states, or
        those that make the original crystal neutral.

    Returns
    -------
    DisorderedStructure
        Without ``compensate_on`` it may be charged: `superionic.structures.sanity` tells.

    Raises
    ------
    InvalidStructureError
        Unknown label or element, occupancies beyond 1, or a balance that would need an occupancy
        outside [0, 1].
    """
    if isinstance(structure, Structure):
        structure = DisorderedStructure.from_structure(structure)
    changed = _filled(structure, sites, "")
    if compensate_on is None:
        return changed
    original = formal_charges(structure.composition, oxidation_states=oxidation_states).states
    common = {s: float(COMMON_STATES[s][0]) for s in changed.composition if s in COMMON_STATES}
    return _compensated(changed, compensate_on, {**common, **original, **(oxidation_states or {})})


def _compensated(
    crystal: DisorderedStructure, label: str, states: Mapping[str, float]
) -> DisorderedStructure:
    """Set the occupancy of one site so that the formal charges sum to zero."""
    sites = _sites(crystal, label)
    elements = {s for i in sites for s in crystal.occupancies[i]}
    if len(elements) != 1:
        raise InvalidStructureError(
            f"The charge can be balanced on a site of one element; {label} holds "
            f"{', '.join(sorted(elements))}."
        )
    symbol = elements.pop()
    unknown = sorted({*crystal.composition, symbol} - set(states))
    if unknown:
        raise InvalidStructureError(f"Give oxidation_states for {', '.join(unknown)}.")
    rest = sum(n * states[s] for s, n in crystal.composition.items())
    rest -= states[symbol] * sum(crystal.occupancies[i].get(symbol, 0.0) for i in sites)
    if states[symbol] == 0.0:
        raise InvalidStructureError(f"{symbol} on {label} has no charge to balance with.")
    needed = -rest / (states[symbol] * len(sites))
    if not -1e-9 <= needed <= 1 + 1e-9:
        raise InvalidStructureError(
            f"Neutrality needs {symbol} on {label} filled to {needed:.3f}, outside 0 to 1. "
            "Substitute less, or balance on another site."
        )
    return _filled(crystal, {label: {symbol: min(max(needed, 0.0), 1.0)}}, "")


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:  # NaN fails too
        raise InvalidStructureError(f"{name} must lie between {low:g} and {high:g}, got {value:g}.")


def _rest(symbol: str, total: float, first: float) -> float:
    """Return the occupancy of the second site (three a formula unit) of a mobile ion."""
    _within(f"The occupancy of {symbol}1", first, 0.0, 1.0)
    second = (total - first) / 3
    if not -1e-9 <= second <= 1 + 1e-9:
        raise InvalidStructureError(
            f"{total:g} {symbol} a formula unit with {symbol}1 filled to {first:g} would fill "
            f"{symbol}2 to {second:.3f}, outside 0 to 1. Choose another occupancy of {symbol}1."
        )
    return min(max(second, 0.0), 1.0)


def _sites(crystal: DisorderedStructure, label: str) -> tuple[int, ...]:
    found = crystal.indices(label)
    if not found:
        raise InvalidStructureError(
            f"No site is labelled {label!r}; there are {', '.join(sorted(set(crystal.labels)))}."
        )
    return found


def _filled(
    crystal: DisorderedStructure, sites: Mapping[str, Mapping[str, float]], note: str
) -> DisorderedStructure:
    """Return the crystal with some labels filled anew; elements at 0 go unless all are."""
    occupancies = list(crystal.occupancies)
    for label, wanted in sites.items():
        kept = {s: float(x) for s, x in wanted.items() if x != 0.0}
        for i in _sites(crystal, label):
            occupancies[i] = kept or dict.fromkeys(wanted, 0.0)
    notes = (*crystal.notes, note) if note else crystal.notes
    return replace(crystal, occupancies=tuple(occupancies), notes=notes)
