"""Placing whole atoms on shared sites: every way, or the low-energy ones by swap annealing.

A *state* is an integer array with the content of each site: 0 is a vacancy, k the k-th species.
"""

from __future__ import annotations

import heapq
import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.structure import readonly

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

SWEEPS = 1000
"""Attempted swaps per free site in one annealing run."""

FINAL_TEMPERATURE_RATIO = 5e-3
"""Annealing ends at this share of its first temperature."""

ENERGY_TOLERANCE_EV = 1e-6
"""States closer than this in energy are compared for symmetry."""

_BATCH = 4096


@dataclass(frozen=True, eq=False)
class Group:
    """Sites that exchange their contents.

    Attributes
    ----------
    sites : ndarray
        Indices of the sites. shape=(sites,)
    contents : ndarray
        What lies on them, in any order: species numbers, 0 for a vacancy. shape=(sites,)
    """

    sites: NDArray[np.int64]
    contents: NDArray[np.int64]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        object.__setattr__(self, "sites", readonly(self.sites, np.int64))
        object.__setattr__(self, "contents", readonly(np.sort(self.contents), np.int64))

    @property
    def ways(self) -> int:
        """Number of distinct arrangements."""
        _, counts = np.unique(self.contents, return_counts=True)
        return math.factorial(len(self.contents)) // math.prod(
            math.factorial(int(c)) for c in counts
        )


@dataclass(frozen=True, eq=False)
class Decorations:
    """All arrangements of atoms on sites, with their electrostatic energy.

    Attributes
    ----------
    matrix : ndarray
        Energy matrix of `electrostatics.ewald_matrix` in eV/e^2. shape=(sites, sites)
    charges : ndarray
        Charge of each species in e, the vacancy (0) first. shape=(species + 1,)
    groups : tuple of Group
        Every site belongs to exactly one.
    permutations : ndarray
        Where each symmetry operation sends the sites, the identity included.
        shape=(operations, sites)
    """

    matrix: NDArray[np.float64]
    charges: NDArray[np.float64]
    groups: tuple[Group, ...]
    permutations: NDArray[np.int64]

    @property
    def ways(self) -> int:
        """Number of distinct arrangements, symmetry not used."""
        return math.prod(group.ways for group in self.groups)

    def energies(self, states: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the energy of each state in eV. shape=(states,)."""
        charge = self.charges[states]
        return np.asarray(((charge @ self.matrix) * charge).sum(axis=-1))

    def canonical(self, state: NDArray[np.int64]) -> bytes:
        """Return the same key for all symmetry images of a state."""
        images = state[self.permutations].astype(np.uint8)
        return bytes(images[np.lexsort(images.T[::-1])[0]])

    def random(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Return a random state."""
        state = np.zeros(len(self.matrix), dtype=np.int64)
        for group in self.groups:
            state[group.sites] = rng.permutation(group.contents)
        return state


def enumerate_lowest(problem: Decorations, *, keep: int) -> list[tuple[float, NDArray[np.int64]]]:
    """Go through every arrangement; return those of lowest energy, ascending."""
    best: list[tuple[float, NDArray[np.int64]]] = []
    states = _all_states(problem)
    while batch := list(itertools.islice(states, _BATCH)):
        array = np.array(batch)
        energies = problem.energies(array)
        order = np.argsort(energies, kind="stable")[:keep]
        best += [(float(energies[k]), array[k]) for k in order]
        best = heapq.nsmallest(keep, best, key=lambda item: item[0])
    return best


def _all_states(problem: Decorations) -> Iterator[NDArray[np.int64]]:
    arrangements = [list(_arrangements(group.contents)) for group in problem.groups]
    for choice in itertools.product(*arrangements):
        state = np.zeros(len(problem.matrix), dtype=np.int64)
        for group, contents in zip(problem.groups, choice, strict=True):
            state[group.sites] = contents
        yield state


def _arrangements(contents: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yield the distinct orders of a multiset."""
    values = np.unique(contents)
    if len(values) == 1:
        yield contents.copy()
        return
    rarest = min(values, key=lambda v: int((contents == v).sum()))
    rest = contents[contents != rarest]
    for places in itertools.combinations(range(len(contents)), len(contents) - len(rest)):
        free = np.ones(len(contents), dtype=bool)
        free[list(places)] = False
        for inner in _arrangements(rest):
            result = np.full(len(contents), rarest)
            result[free] = inner
            yield result


def anneal_lowest(
    problem: Decorations, *, keep: int, runs: int, rng: np.random.Generator
) -> list[tuple[float, NDArray[np.int64]]]:
    """Anneal by swaps from random states; return the states of lowest energy that were met.

    Each run swaps the contents of two sites of a group with Metropolis acceptance, cools down
    geometrically, then takes the best swap until none lowers the energy. All states
    on the way, the minimum and those one swap away from it count as met.
    """
    found: dict[bytes, NDArray[np.int64]] = {}
    pairs = _swap_pairs(problem)
    for _ in range(runs):
        state = _quench(problem, _cool(problem, problem.random(rng), pairs, rng, found), pairs)
        found[state.tobytes()] = state
        for k in np.argsort(_changes(problem, state, pairs), kind="stable")[:keep]:
            near = state.copy()
            near[pairs[k]] = near[pairs[k][::-1]]
            found[near.tobytes()] = near
        found = {s.tobytes(): s for _, s in _lowest(problem, found, keep)}
    return _lowest(problem, found, keep)


def _lowest(
    problem: Decorations, found: dict[bytes, NDArray[np.int64]], keep: int
) -> list[tuple[float, NDArray[np.int64]]]:
    energies = problem.energies(np.array(list(found.values())))
    ranked = sorted(zip(np.round(energies, 6), found, strict=True))[:keep]
    return [(float(energy), found[key]) for energy, key in ranked]


def _swap_pairs(problem: Decorations) -> NDArray[np.int64]:
    """Return all pairs of sites that may exchange contents. shape=(pairs, 2)."""
    pairs = [
        pair
        for group in problem.groups
        if len(np.unique(group.contents)) > 1
        for pair in itertools.combinations(group.sites.tolist(), 2)
    ]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _changes(
    problem: Decorations, state: NDArray[np.int64], pairs: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the energy change of each swap in eV. shape=(pairs,)."""
    charge, matrix = problem.charges[state], problem.matrix
    potential = matrix @ charge
    i, j = pairs.T
    step = charge[j] - charge[i]
    bend = matrix[i, i] + matrix[j, j] - 2 * matrix[i, j]
    return np.asarray(2 * step * (potential[i] - potential[j]) + step**2 * bend)


def _cool(
    problem: Decorations,
    state: NDArray[np.int64],
    pairs: NDArray[np.int64],
    rng: np.random.Generator,
    met: dict[bytes, NDArray[np.int64]],
) -> NDArray[np.int64]:
    """Anneal a state in place and return it; states on the way are added to ``met``."""
    changes = np.abs(_changes(problem, state, pairs))
    start = float(np.median(changes[changes > 0])) if (changes > 0).any() else 0.0
    if start == 0.0:
        return state
    steps = SWEEPS * len(np.unique(pairs))
    temperatures = start * FINAL_TEMPERATURE_RATIO ** (np.arange(steps) / steps)
    thresholds = -temperatures * np.log(rng.random(steps) + 1e-300)
    charge, matrix = problem.charges[state].copy(), problem.matrix
    potential = matrix @ charge
    chosen = rng.integers(len(pairs), size=steps)
    for k, limit in zip(chosen, thresholds, strict=True):
        i, j = pairs[k]
        step = charge[j] - charge[i]
        if step == 0.0:
            continue
        bend = matrix[i, i] + matrix[j, j] - 2 * matrix[i, j]
        if 2 * step * (potential[i] - potential[j]) + step**2 * bend < limit:
            charge[i] += step
            charge[j] -= step
            state[i], state[j] = state[j], state[i]
            potential += step * (matrix[:, i] - matrix[:, j])
            met[state.tobytes()] = state.copy()
    return state


def _quench(
    problem: Decorations, state: NDArray[np.int64], pairs: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Take the best swap until none lowers the energy."""
    while len(pairs):
        changes = _changes(problem, state, pairs)
        k = int(np.argmin(changes))
        if changes[k] > -ENERGY_TOLERANCE_EV:
            break
        state[pairs[k]] = state[pairs[k][::-1]]
    return state


def distinct(
    problem: Decorations, found: list[tuple[float, NDArray[np.int64]]], *, count: int
) -> list[tuple[float, NDArray[np.int64]]]:
    """Return the lowest ``count`` states of which none is a symmetry image of another."""
    chosen: list[tuple[float, NDArray[np.int64]]] = []
    keys: set[bytes] = set()
    for energy, state in found:
        if len(chosen) == count:
            break
        key = problem.canonical(state)
        if key not in keys:
            keys.add(key)
            chosen.append((energy, state))
    return chosen
