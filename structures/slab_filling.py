"""Sites of a disordered crystal's slab, and whole atoms to fill them with.

The cutter sees one atom, or none, on each site of the average crystal; what may stand there is kept
beside it, and gives the slab cut from it occupancies of whole atoms and no charge.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from ase.data import atomic_numbers

from superionic.structures.cuts import cleave
from superionic.structures.disordered import DisorderedStructure
from superionic.structures.errors import InvalidSlabError, InvalidStructureError
from superionic.structures.lattices import primitive
from superionic.structures.oxidation import check_states, formal_charges
from superionic.structures.structure import Structure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike

    from superionic.structures.axes import Frame
    from superionic.structures.cuts import Cleavage
    from superionic.structures.slab import Slab


@dataclass(frozen=True, eq=False)
class Parent:
    """A disordered crystal as the cutter sees it: its majority atoms, empty sites and charges."""

    crystal: DisorderedStructure
    structure: Structure
    empty: tuple[int, ...]
    occupancy: dict[str, dict[str, float]]
    by_element: dict[str, float]
    by_label: dict[str, float]


def parent_of(
    crystal: DisorderedStructure,
    pool: Sequence[str],
    oxidation_states: Mapping[str, float] | None,
) -> Parent:
    """Choose the atom that stands for each site, and the charges of elements and sites."""
    if len(set(pool)) != 1:
        raise InvalidStructureError(f"Expected one mobile element in pool; got {tuple(pool)}.")
    base = primitive(crystal)
    if not any(set(shares) <= set(pool) for shares in base.occupancies):
        raise InvalidStructureError(
            f"{base.reduced_formula} has no site of {pool[0]} alone; name its mobile element."
        )
    check_states(oxidation_states, base.composition)
    states = formal_charges(base.composition, oxidation_states=oxidation_states).states
    numbers, filled, empty = [], [], []
    occupancy: dict[str, dict[str, float]] = {}
    for k, (label, shares) in enumerate(zip(base.labels, base.occupancies, strict=True)):
        mobile = set(shares) <= set(pool)
        occupancy[label] = dict(shares)
        if mobile and sum(shares.values()) < 0.5:
            empty.append(k)
            continue
        if not mobile and abs(sum(shares.values()) - 1.0) > 0.01:
            raise InvalidStructureError(
                f"Site {label} of the framework is filled to {sum(shares.values()):.2f}; only "
                f"sites of {pool[0]} may be partly empty. Fill it, or order the crystal first."
            )
        numbers.append(atomic_numbers[max(shares, key=lambda s: shares[s])])
        filled.append(k)
    structure = Structure(
        numbers=np.array(numbers),
        positions=base.positions[filled],
        cell=base.cell,
        labels=tuple(base.labels[k] for k in filled),
    )
    by_label = {
        label: sum(states[s] * x for s, x in shares.items()) / max(sum(shares.values()), 1e-9)
        for label, shares in occupancy.items()
        if sum(shares.values()) > 0
    }
    _share_charge(by_label, base, filled, pool)
    return Parent(base, structure, tuple(empty), occupancy, dict(states), by_label)


def _share_charge(
    by_label: dict[str, float],
    crystal: DisorderedStructure,
    filled: Sequence[int],
    pool: Sequence[str],
) -> None:
    """Give the filled mobile sites the charge that makes the average crystal neutral, in place."""
    mobile = [k for k in filled if set(crystal.occupancies[k]) <= set(pool)]
    if mobile:
        framework = sum(by_label[crystal.labels[k]] for k in set(filled) - set(mobile))
        by_label.update((crystal.labels[k], -framework / len(mobile)) for k in mobile)


def cleaved(
    parent: Parent,
    miller: tuple[int, int, int],
    frame: Frame | ArrayLike,
    keep_together: Sequence[tuple[str, str]] | None,
) -> Cleavage:
    """Cleave the atoms that stand for the sites; the empty sites go with them."""
    empty = list(parent.empty)
    return cleave(
        parent.structure, miller, frame=frame, keep_together=keep_together,
        oxidation_states=parent.by_label, allow_charged=True,
        empty_sites=parent.crystal.positions[empty] if empty else None,
        empty_labels=tuple(parent.crystal.labels[k] for k in empty),
    )  # fmt: skip


def whole_filling(cut: Slab, parent: Parent, pool: Sequence[str]) -> DisorderedStructure:
    """Return the sites of a slab with occupancies that give whole atoms and a neutral slab."""
    atoms = cut.structure
    labels = [*atoms.labels, *cut.empty_labels]
    points = np.vstack([atoms.positions, cut.empty_sites])
    charge = 0.0
    whole: dict[str, dict[str, float]] = {}
    for label, many in Counter(labels).items():
        shares = parent.occupancy[label]
        if not set(shares) <= set(pool):
            whole[label] = {s: n / many for s, n in _rounded(shares, many).items() if n}
            charge += sum(parent.by_element[s] * n * many for s, n in whole[label].items())
    sites = sum(1 for label in labels if label not in whole)
    each = parent.by_element[pool[0]]
    ions = -charge / each
    if abs(ions - round(ions)) > 1e-6 or not 0 <= round(ions) <= sites:
        raise InvalidSlabError(
            f"{ions:.2f} {pool[0]} would make this slab neutral, on {sites} sites; expected a "
            "whole number that fits. Take another repeat, thickness or composition."
        )
    share = {pool[0]: round(ions) / sites}
    return DisorderedStructure(
        fractional=points @ np.linalg.inv(atoms.cell),
        occupancies=tuple(whole.get(label, share) for label in labels),
        cell=atoms.cell,
        labels=tuple(labels),
    )


def _rounded(shares: Mapping[str, float], sites: int) -> dict[str, int]:
    """Return whole numbers of atoms nearest to shares of a number of sites."""
    exact = {s: x * sites / sum(shares.values()) for s, x in shares.items()}
    whole = {s: int(np.floor(x + 1e-9)) for s, x in exact.items()}
    by_rest = sorted(exact, key=lambda s: whole[s] - exact[s])
    for symbol in by_rest[: sites - sum(whole.values())]:
        whole[symbol] += 1
    return whole


def wanted_and_excess(
    atoms: Structure, parent: Parent
) -> tuple[dict[str, float], dict[str, float]]:
    """Return the composition wanted, scaled by the commonest element, and what differs from it."""
    bulk = parent.crystal.composition
    anchor = max(bulk, key=lambda s: bulk[s])
    have = Counter(atoms.symbols)
    wanted = {s: x * have[anchor] / bulk[anchor] for s, x in bulk.items()}
    excess = {s: have[s] - x for s, x in wanted.items() if abs(have[s] - x) > 1e-6}
    return wanted, excess
