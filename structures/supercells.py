"""Supercells: the smallest host in which a hopping ion does not see its own image."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.errors import InvalidStructureError
from superionic.structures.geometry import images_within
from superionic.structures.structure import Structure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

MIN_IMAGE_SEPARATION_ANG = 8.0
"""Default least distance in angstrom between an ion and its periodic images."""
ALIKE_ANG = 0.02
"""Distances in angstrom that differ by less do not tell two equivalent choices apart."""


def hop_supercell(
    structure: Structure,
    *,
    min_separation_ang: float = MIN_IMAGE_SEPARATION_ANG,
    min_atoms: int = 1,
    max_atoms: int = 400,
    frozen: Sequence[int] = (),
    rotations: ArrayLike | None = None,
) -> NDArray[np.int64]:
    """Choose the smallest supercell whose lattice vectors are all long enough.

    All supercells of each size are tried (Hermite normal forms), not only the diagonal ones. Of
    the smallest that serve, the one with the longest shortest vector wins, then the one that keeps
    most rotations of the crystal, so that the choice does not hang on how the cell was set up.

    Parameters
    ----------
    structure
        The cell to repeat.
    min_separation_ang
        Least distance between periodic images in angstrom.
    min_atoms, max_atoms
        Bounds on the size of the supercell, in atoms. A cell that needs no repeat is never too
        large.
    frozen
        Lattice vectors that are not repeated, combined or counted: the vacuum of a slab. Those
        that are not periodic are always frozen.
    rotations
        Integer rotations of the crystal, used to decide between equals. shape=(operations, 3, 3)

    Returns
    -------
    ndarray
        Rows are the new lattice vectors in units of the old ones. shape=(3, 3)

    Raises
    ------
    InvalidStructureError
        No supercell of at most ``max_atoms`` atoms serves.

    References
    ----------
    G. L. W. Hart, R. W. Forcade, Phys. Rev. B 77, 224115 (2008),
    doi:10.1103/PhysRevB.77.224115, for the enumeration of supercells.
    """
    still = _frozen_axes(structure, frozen)
    first = max(1, -(-min_atoms // len(structure)))
    if not still:  # no lattice is packed more densely than this
        first = max(first, int(min_separation_ang**3 / np.sqrt(2) / structure.volume + 1 - 1e-6))
    if min_atoms > max(max_atoms, len(structure)):
        raise InvalidStructureError(
            f"A supercell of at least {min_atoms} and at most {max_atoms} atoms was asked for. "
            "Lower the least size, or raise max_atoms."
        )
    for index in range(first, max(1, max_atoms // len(structure)) + 1):
        forms = hermite_normal_forms(index, frozen=still)
        vectors, lengths = _short_vectors(structure, index, min_separation_ang, still)
        shortest = _shortest_in(forms, vectors, lengths)
        if (shortest >= min_separation_ang - 1e-6).any():
            return _best(forms, shortest, vectors, lengths, rotations)
    raise InvalidStructureError(
        f"No supercell of at most {max_atoms} atoms keeps periodic images of the "
        f"{len(structure)}-atom cell {min_separation_ang} A apart. Raise max_atoms or lower the "
        "separation."
    )


def hermite_normal_forms(index: int, *, frozen: Sequence[int] = ()) -> NDArray[np.int64]:
    """Return one matrix for each sublattice of an index: upper triangular, rows are vectors.

    Parameters
    ----------
    index
        How many cells the supercell holds.
    frozen
        Keep only the sublattices that leave these lattice vectors as they are and apart.

    Returns
    -------
    ndarray
        shape=(sublattices, 3, 3)
    """
    forms = [
        [[a, b, c], [0, d, e], [0, 0, index // (a * d)]]
        for a in _divisors(index)
        for d in _divisors(index // a)
        for b in range(d)
        for c in range(index // (a * d))
        for e in range(index // (a * d))
    ]
    found = np.array(forms, dtype=np.int64)
    for axis in frozen:
        unit = np.eye(3, dtype=np.int64)[axis]
        keep = (found[:, axis] == unit).all(axis=1) & (found[:, :, axis] == unit).all(axis=1)
        found = found[keep]
    return found


def make_supercell(
    structure: Structure, matrix: ArrayLike, *, frozen: Sequence[int] = ()
) -> Structure:
    """Repeat a structure over the lattice spanned by the rows of an integer matrix.

    Atom ``i`` of the ``k``-th cell has index ``k * len(structure) + i``. The lattice vectors are
    the shortest of the new lattice and the atoms are wrapped into the cell. A matrix of ones and
    zeros that repeats nothing gives the structure back as it is.

    Parameters
    ----------
    structure
        The cell to repeat.
    matrix
        Integers; rows are the new lattice vectors in units of the old. shape=(3, 3)
    frozen
        Lattice vectors that the matrix leaves alone (a slab's vacuum): they are not mixed with the
        others, and nothing is wrapped along them.
    """
    integers = np.asarray(matrix, dtype=np.int64)
    if (integers == np.eye(3, dtype=np.int64)).all():
        return structure
    cells = _cells_of(integers)
    positions = structure.positions[None, :, :] + (cells @ structure.cell)[:, None, :]
    grown = Structure(
        numbers=np.tile(structure.numbers, len(cells)),
        positions=positions.reshape(-1, 3),
        cell=integers @ structure.cell,
        pbc=structure.pbc,
        labels=structure.labels * len(cells),
    )
    return _tidied(grown, _frozen_axes(structure, frozen))


def _frozen_axes(structure: Structure, frozen: Sequence[int]) -> tuple[int, ...]:
    """Return the axes that must not be repeated: those named and those that are not periodic."""
    return tuple(a for a in range(3) if a in frozen or not structure.pbc[a])


def _tidied(structure: Structure, frozen: tuple[int, ...]) -> Structure:
    """Return the same crystal with short lattice vectors and wrapped atoms."""
    from ase.geometry import minkowski_reduce

    free = np.array([axis not in frozen for axis in range(3)])
    cell = minkowski_reduce(structure.cell, pbc=free)[0]
    if np.linalg.det(cell) * np.linalg.det(structure.cell) < 0:
        cell[int(np.flatnonzero(free)[0])] *= -1
    fractional = structure.positions @ np.linalg.inv(cell)
    # an atom a hair below zero stays there: wrapping it would split planes of atoms
    wrapped = np.where(free, (fractional + 1e-4) % 1.0 - 1e-4, fractional)
    return replace(structure, positions=wrapped @ cell, cell=cell)


def _cells_of(matrix: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the lattice points inside a supercell, the origin first. shape=(index, 3)."""
    corners = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)]) @ matrix
    axes = [np.arange(lo, hi + 1) for lo, hi in zip(corners.min(0), corners.max(0), strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    inside = points @ np.linalg.inv(matrix)
    keep = ((inside > -1e-8) & (inside < 1 - 1e-8)).all(axis=1)
    found = points[keep]
    order = np.argsort((found != 0).any(axis=1), kind="stable")
    return np.asarray(found[order])


def _divisors(n: int) -> list[int]:
    """Return the divisors of a positive integer, ascending."""
    return [k for k in range(1, n + 1) if n % k == 0]


def _short_vectors(
    structure: Structure, index: int, min_separation_ang: float, frozen: tuple[int, ...]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return lattice vectors, shortest first, up to the longest a supercell could be tied at."""
    free = [axis not in frozen for axis in range(3)]
    vectors = structure.cell[free]
    content = index * float(np.sqrt(np.linalg.det(vectors @ vectors.T))) if any(free) else 0.0
    # the densest lattice packing bounds the shortest vector of a lattice of given content
    bounds = (0.0, content, np.sqrt(2 / np.sqrt(3) * content), (np.sqrt(2) * content) ** (1 / 3))
    reach = max(min_separation_ang, bounds[sum(free)]) + 1e-3
    images = images_within(
        np.zeros((1, 3)), structure.cell, free, centre=np.zeros(3), radius_ang=reach
    )
    lengths = np.linalg.norm(images.positions, axis=1)
    order = np.argsort(lengths, kind="stable")[1:]
    return images.shifts[order], lengths[order]


def _members(forms: NDArray[np.int64], vectors: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return whether each vector belongs to each sublattice. shape=(sublattices, vectors)."""
    inside = np.einsum("vi,fij->fvj", vectors, np.linalg.inv(forms))
    return np.asarray((np.abs(inside - np.round(inside)) < 1e-6).all(axis=-1))


def _shortest_in(
    forms: NDArray[np.int64], vectors: NDArray[np.int64], lengths: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the length of the shortest vector of each sublattice; infinity when none is listed."""
    if not len(vectors):
        return np.full(len(forms), np.inf)
    member = _members(forms, vectors)
    shortest = lengths[member.argmax(axis=1)]
    return np.asarray(np.where(member.any(axis=1), shortest, np.inf))


def _best(
    forms: NDArray[np.int64],
    shortest: NDArray[np.float64],
    vectors: NDArray[np.int64],
    lengths: NDArray[np.float64],
    rotations: ArrayLike | None,
) -> NDArray[np.int64]:
    """Choose between sublattices of one index by measures that no choice of axes changes."""
    top = forms[shortest >= shortest.max() - ALIKE_ANG]
    turns = np.eye(3)[None] if rotations is None else np.unique(np.asarray(rotations), axis=0)
    images = top[:, None] @ turns.transpose(0, 2, 1) @ np.linalg.inv(top)[:, None]
    kept = (np.abs(images - np.round(images)) < 1e-6).all(axis=(2, 3)).sum(axis=1)
    top = top[kept == kept.max()]
    shells = [lengths[member][:12] for member in _members(top, vectors)]
    return np.asarray(top[widest(shells)])


def widest(shells: Sequence[NDArray[np.float64]]) -> int:
    """Return which list of ascending distances is the largest, compared one by one.

    Distances within `ALIKE_ANG` count as equal, so that the noise of a relaxed structure does not
    decide; a list that ends has its next distance far away. The first of equals wins.
    """
    depth = max(len(shell) for shell in shells)
    table = np.full((len(shells), depth), np.inf)
    for row, shell in zip(table, shells, strict=True):
        row[: len(shell)] = shell
    left = np.arange(len(shells))
    for column in table.T:
        values = column[left]
        left = left[(values >= values.max() - ALIKE_ANG) | np.isposinf(values)]
    return int(left[0])
