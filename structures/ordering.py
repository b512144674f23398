"""From partial occupancies to whole atoms: ordered cells of lowest electrostatic energy.

Ewald order is a start, not the ground state: re-rank and anneal with a potential afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from ase.data import atomic_numbers

from superionic.structures.decorations import (
    Decorations,
    Group,
    anneal_lowest,
    distinct,
    enumerate_lowest,
)
from superionic.structures.disordered import (
    DisorderedStructure,
    atom_label,
    format_formula,
)
from superionic.structures.electrostatics import ewald_matrix
from superionic.structures.errors import InvalidStructureError, PartialOccupancyError
from superionic.structures.fillings import (
    amounts_on,
    exchanging_sites,
    nearest_whole,
    smallest_supercell,
    worst_fraction,
)
from superionic.structures.labels import site_permutations
from superionic.structures.lattices import (
    expand,
    primitive,
    supercell_matrix,
)
from superionic.structures.oxidation import formal_charges
from superionic.structures.structure import Structure, check_no_overlap, readonly

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "ANNEALING_RUNS",
    "ENUMERATION_LIMIT",
    "OrderedCandidate",
    "expand",
    "ordered_candidates",
    "primitive",
]

ENUMERATION_LIMIT = 250_000
"""Up to so many arrangements all are tried; beyond, they are sampled."""

ANNEALING_RUNS = 32
"""Independent annealing runs when arrangements are sampled."""


@dataclass(frozen=True, eq=False)
class OrderedCandidate:
    """Whole atoms on the sites of a disordered parent.

    Attributes
    ----------
    structure : Structure
        The atoms, labelled by the site they are on.
    ewald_energy_eV : float
        Electrostatic energy of the formal charges in eV per cell.
    empty_sites : ndarray
        Cartesian positions of the parent's sites that hold no atom, in angstrom. shape=(m, 3)
    empty_labels : tuple of str
        Site labels of the empty sites. length=m
    supercell : ndarray
        Rows are the lattice vectors in units of those of ``parent_cell``. shape=(3, 3)
    parent_cell : ndarray
        The cell that was repeated, in angstrom. shape=(3, 3)
    arrangements : int
        How many arrangements of the atoms the cell has, symmetry not used.
    exhaustive : bool
        True when all of them were tried; False when they were sampled.
    """

    structure: Structure
    ewald_energy_eV: float
    empty_sites: NDArray[np.float64]
    empty_labels: tuple[str, ...]
    supercell: NDArray[np.int64]
    parent_cell: NDArray[np.float64]
    arrangements: int
    exhaustive: bool

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        set_ = object.__setattr__
        set_(self, "empty_sites", readonly(np.reshape(self.empty_sites, (-1, 3)), np.float64))
        set_(self, "supercell", readonly(self.supercell, np.int64))
        set_(self, "parent_cell", readonly(self.parent_cell, np.float64))
        set_(self, "empty_labels", tuple(self.empty_labels))
        if len(self.empty_labels) != len(self.empty_sites):
            raise InvalidStructureError(
                f"Expected one label for each of {len(self.empty_sites)} empty sites, got "
                f"{len(self.empty_labels)}."
            )


def ordered_candidates(
    crystal: DisorderedStructure,
    *,
    supercell: Sequence[int] | ArrayLike | None = None,
    oxidation_states: Mapping[str, float] | None = None,
    pool: Sequence[str] = (),
    count: int = 10,
    seed: int = 0,
    min_atoms: int = 1,
    max_atoms: int = 200,
    enumeration_limit: int = ENUMERATION_LIMIT,
    extra_eV_per_e2: ArrayLike | None = None,
) -> tuple[OrderedCandidate, ...]:
    """Return the ordered cells of lowest Ewald energy, none a symmetry image of another.

    Sites of one label and occupancy exchange their contents. Up to ``enumeration_limit``
    arrangements are all tried; more are sampled by swap annealing from random starts.

    Parameters
    ----------
    crystal
        Sites with occupancies. An ordered crystal gives one candidate.
    supercell
        Three repeats or a 3x3 integer matrix on the cell given. By default the most compact
        supercell of the primitive cell, of the smallest size that makes all counts whole.
    oxidation_states
        Element -> formal charge in e; the others are guessed.
    pool
        Elements that spread freely over all sites that hold nothing else, whatever each site's
        own occupancy (mobile ions on several sites); only their total is kept.
    count
        At most so many candidates.
    seed
        Of the sampling; the same seed gives the same candidates.
    min_atoms, max_atoms
        Bounds on the automatic supercell, in atoms.
    enumeration_limit
        Most arrangements to try one by one.
    extra_eV_per_e2
        Added to the matrix of the Ewald energy of charges on the sites, in eV/e2: of a slab, the
        energy of its dipole. The sites are those of the supercell in their order, so it needs
        ``supercell``. shape=(sites, sites)

    Returns
    -------
    tuple of OrderedCandidate
        Ascending in Ewald energy.

    Raises
    ------
    PartialOccupancyError
        The occupancies give no whole atoms in the supercell, or in any up to ``max_atoms``; the
        message lists the nearest compositions that do.
    InvalidStructureError
        All formal charges are zero, or every arrangement has overlapping atoms.
    """
    if count < 1:
        raise InvalidStructureError(f"Expected to return at least one candidate, got {count=}.")
    if supercell is None:
        parent = primitive(crystal)
        matrix = smallest_supercell(parent, pool, min_atoms, max_atoms)
    else:
        parent, matrix = crystal, supercell_matrix(supercell)
    cell = expand(parent, matrix)
    species = tuple(cell.composition)
    groups = _groups(cell, species, pool)
    problem = _problem(cell, species, groups, oxidation_states, pool)
    if extra_eV_per_e2 is not None:
        problem = replace(problem, matrix=problem.matrix + np.asarray(extra_eV_per_e2))
    keep = count * min(len(problem.permutations), 200)
    exhaustive = problem.ways <= enumeration_limit
    if exhaustive:
        found = enumerate_lowest(problem, keep=keep)
    else:
        rng = np.random.default_rng(seed)
        found = anneal_lowest(problem, keep=keep, runs=ANNEALING_RUNS, rng=rng)
    built = [
        OrderedCandidate(
            structure=_structure(cell, species, state),
            ewald_energy_eV=energy,
            empty_sites=cell.positions[state == 0],
            empty_labels=tuple(cell.labels[k] for k in np.flatnonzero(state == 0)),
            supercell=matrix,
            parent_cell=parent.cell,
            arrangements=problem.ways,
            exhaustive=exhaustive,
        )
        for energy, state in distinct(problem, found, count=count)
    ]
    return _without_overlaps(built)


def _without_overlaps(candidates: list[OrderedCandidate]) -> tuple[OrderedCandidate, ...]:
    """Return the candidates without overlapping atoms; raise the first overlap if none is left."""
    kept, first = [], None
    for candidate in candidates:
        try:
            check_no_overlap(candidate.structure)
        except InvalidStructureError as error:
            first = first or error
        else:
            kept.append(candidate)
    if first is not None and not kept:
        raise first
    return tuple(kept)


def _groups(
    cell: DisorderedStructure, species: tuple[str, ...], pool: Sequence[str]
) -> tuple[Group, ...]:
    """Turn occupancies into whole atoms on each set of sites."""
    if worst_fraction(cell, pool, 1) > 1.0:
        raise PartialOccupancyError(
            f"The occupancies of {cell.reduced_formula} give no whole atoms in this supercell of "
            f"{sum(cell.composition.values()):.2f} atoms. {nearest_whole(cell, pool, range(1, 4))} "
            "Leave the supercell out to have one chosen, or change the occupancies."
        )
    groups = []
    for sites in exchanging_sites(cell, pool):
        contents = [
            species.index(symbol) + 1
            for symbol, amount in amounts_on(cell, sites).items()
            for _ in range(round(amount))
        ]
        contents += [0] * (len(sites) - len(contents))
        groups.append(Group(sites=sites, contents=np.array(contents)))
    return tuple(groups)


def _problem(
    cell: DisorderedStructure,
    species: tuple[str, ...],
    groups: tuple[Group, ...],
    oxidation_states: Mapping[str, float] | None,
    pool: Sequence[str],
) -> Decorations:
    contents = np.concatenate([group.contents for group in groups])
    whole = {s: float((contents == k + 1).sum()) for k, s in enumerate(species)}
    whole = {s: n for s, n in whole.items() if n}
    states = formal_charges(whole, oxidation_states=oxidation_states).states
    if not any(states.values()):
        raise InvalidStructureError(
            f"All formal charges of {format_formula(whole)} are zero, so electrostatics cannot "
            "rank its arrangements. Give oxidation_states."
        )
    kinds: list[object] = [None] * len(cell)
    for k, group in enumerate(groups):
        for site in group.sites:
            kinds[site] = k
    return Decorations(
        matrix=ewald_matrix(cell.fractional, cell.cell),
        charges=np.array([0.0, *(states.get(s, 0.0) for s in species)]),
        groups=groups,
        permutations=site_permutations(cell.fractional, cell.cell, kinds),
    )


def _structure(
    cell: DisorderedStructure, species: tuple[str, ...], state: NDArray[np.int64]
) -> Structure:
    filled = np.flatnonzero(state)
    symbols = [species[state[k] - 1] for k in filled]
    return Structure(
        numbers=np.array([atomic_numbers[s] for s in symbols]),
        positions=cell.positions[filled],
        cell=cell.cell,
        labels=tuple(atom_label(cell.labels[k], s) for k, s in zip(filled, symbols, strict=True)),
    )
