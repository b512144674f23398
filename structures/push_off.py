"""Push molecules of a box apart until none overlap, their own geometry kept.

The energy is a sum of squares that can all be zero together: of the depths to which atoms of
different molecules overlap, and of the changes of bond lengths and angles in chains, or of all
distances in other molecules. Torsions of chains are free.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.structures.box_contacts import NonBonded, bonded_pairs
from superionic.structures.errors import PackingError
from superionic.structures.tiling import tiled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from superionic.structures.box import Component

STIFFNESS = 10.0
"""Of distances in a molecule, where that of an overlap is 1."""
SKIN_ANG = 1.0
DEEPEST_ANG = 0.02
"""Atoms that overlap by less than this (angstrom) are left as they are."""
MOST_STRAIN_ANG = 0.1
"""Bonds of chains, and distances across their angles, must end this near to theirs, in angstrom."""
_STEPS = 1500
_WHOLE, _ANCHORS = 60, 12


def push_apart(
    components: Sequence[Component], edges_ang: NDArray[np.float64], positions: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return positions in which molecules overlap as little as could be reached.

    Parameters
    ----------
    components
        What is in the box.
    edges_ang
        Edges of the cell in angstrom. shape=(3,)
    positions
        Whole molecules, in angstrom. shape=(atoms, 3)

    Returns
    -------
    ndarray
        Molecules other than chains have exactly the geometry of their template. shape=(atoms, 3)

    Raises
    ------
    PackingError
        Chains stay strained: they do not fit.
    """
    from scipy.optimize import minimize

    energy = _Energy(components, edges_ang, positions)

    def stop(intermediate_result: Any) -> None:
        if energy.deepest < DEEPEST_ANG and energy.strained < DEEPEST_ANG:
            raise StopIteration

    found = minimize(
        energy, positions.ravel(), jac=True, method="L-BFGS-B", callback=stop,
        options={"maxiter": _STEPS, "maxfun": 2 * _STEPS, "maxcor": 20, "ftol": 1e-9, "gtol": 1e-4},
    )  # fmt: skip
    moved = np.asarray(found.x).reshape(-1, 3)
    strain = chain_strain_ang(components, moved)
    if strain > MOST_STRAIN_ANG:
        raise PackingError(
            f"The chains do not fit: after {found.nit} steps of pushing atoms apart a bond or an "
            f"angle is strained by {strain:.2f} A. Pack at a lower density, or try another seed."
        )
    return as_templates(components, moved)


def chain_strain_ang(components: Sequence[Component], positions: NDArray[np.float64]) -> float:
    """Return by how much a bond of a chain, or a distance across an angle, is off at most."""
    pairs, lengths = _springs(components)
    atoms = [c.count * c.atoms for c in components]
    chain = np.repeat([c.is_polymer for c in components], atoms)[pairs[:, 0]]
    ends = positions[pairs[chain]]
    apart = np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1)
    return float(np.abs(apart - lengths[chain]).max(initial=0.0))


def as_templates(
    components: Sequence[Component], positions: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return positions in which each molecule but a chain is its template, turned and moved."""
    moved = positions.copy()
    first = 0
    for c in components:
        last = first + c.atoms * c.count
        if not c.is_polymer and c.atoms > 1:
            held = moved[first:last].reshape(c.count, c.atoms, 3)
            moved[first:last] = superimposed(c.molecule.positions, held).reshape(-1, 3)
        first = last
    return moved


def superimposed(template: NDArray[np.float64], copies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the template laid over each of its distorted copies (least squares).

    Parameters
    ----------
    template
        shape=(atoms, 3)
    copies
        shape=(copies, atoms, 3)

    Returns
    -------
    ndarray
        shape=(copies, atoms, 3)
    """
    centres = copies.mean(axis=1, keepdims=True)
    own = template - template.mean(axis=0)
    left, _, right = np.linalg.svd(np.einsum("ai,naj->nij", own, copies - centres))
    signs = np.ones((len(copies), 3))
    signs[:, 2] = np.sign(np.linalg.det(left @ right))
    return np.asarray(own @ (left * signs[:, None, :] @ right) + centres)


class _Energy:
    """The sum of squares and its gradient."""

    def __init__(
        self,
        components: Sequence[Component],
        edges_ang: NDArray[np.float64],
        positions: NDArray[np.float64],
    ) -> None:
        self._nonbonded = NonBonded(components, edges_ang)
        self._springs, self._lengths = _springs(components)
        self._reach = 2 * float(self._nonbonded.radii.max()) + SKIN_ANG
        self.deepest = self.strained = np.inf
        self._list(positions)

    def _list(self, positions: NDArray[np.float64]) -> None:
        """Find the pairs that can touch before any atom has moved by half the skin."""
        pairs = self._nonbonded.pairs(positions, self._reach)
        contact = self._nonbonded.radii[pairs].sum(axis=1)
        near = np.linalg.norm(self._nonbonded.apart(positions, pairs), axis=1) < contact + SKIN_ANG
        self._pairs, self._contact = pairs[near], contact[near]
        self._listed = positions.copy()

    def __call__(self, flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        positions = flat.reshape(-1, 3)
        moved = positions - self._listed
        if np.einsum("nc,nc->n", moved, moved).max() > (SKIN_ANG / 2) ** 2:
            self._list(positions)
        gradient = np.zeros_like(positions)
        apart = self._nonbonded.apart(positions, self._pairs)
        squared = np.einsum("nc,nc->n", apart, apart)
        deep = np.flatnonzero(squared < self._contact**2)
        distance = np.sqrt(squared[deep]) + 1e-9
        depth = self._contact[deep] - distance
        self._pull(gradient, self._pairs[deep], apart[deep] * (-2 * depth / distance)[:, None])
        bond = positions[self._springs[:, 0]] - positions[self._springs[:, 1]]
        length = np.linalg.norm(bond, axis=1)
        strain = length - self._lengths
        pull = bond * (2 * STIFFNESS * strain / length)[:, None]
        self._pull(gradient, self._springs, pull)
        self.deepest = float(depth.max(initial=0.0))
        self.strained = float(np.abs(strain).max(initial=0.0))
        total = float(depth @ depth) + STIFFNESS * float(strain @ strain)
        return total, gradient.ravel()

    @staticmethod
    def _pull(
        gradient: NDArray[np.float64], pairs: NDArray[np.int64], pull: NDArray[np.float64]
    ) -> None:
        atoms = len(gradient)
        for axis in range(3):
            gradient[:, axis] += np.bincount(pairs[:, 0], pull[:, axis], atoms)
            gradient[:, axis] -= np.bincount(pairs[:, 1], pull[:, axis], atoms)


def _springs(components: Sequence[Component]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return pairs of atoms whose distance is kept, and that distance in angstrom."""
    kept = [_kept(c) for c in components]
    lengths = [np.zeros(0)]
    for c, own in zip(components, kept, strict=True):
        ends = c.molecule.positions[own]
        lengths.append(np.tile(np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1), c.count))
    return tiled(components, kept, 2), np.concatenate(lengths)


def _kept(component: Component) -> NDArray[np.int64]:
    """Return the pairs of one molecule that are kept: all of a small one. shape=(n, 2)."""
    if component.is_polymer:
        return bonded_pairs(component, 2)
    lower, upper = np.triu_indices(component.atoms, 1)
    everything = np.column_stack([lower, upper])
    if component.atoms <= _WHOLE:
        return everything
    anchors = np.linspace(0, component.atoms - 1, _ANCHORS).astype(np.int64)
    held = np.isin(everything, anchors).any(axis=1)
    near = bonded_pairs(component, 3)
    return np.unique(np.concatenate([everything[held], near]), axis=0)
