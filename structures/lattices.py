"""Other cells of a disordered crystal: primitive, repeated, the most compact of a size."""

from __future__ import annotations

import itertools
import warnings
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.disordered import DisorderedStructure
from superionic.structures.errors import InvalidStructureError
from superionic.structures.supercells import hermite_normal_forms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

SYMPREC_ANG = 0.01
"""Sites equivalent by a translation to this distance in angstrom are folded together."""


def site_kinds(crystal: DisorderedStructure) -> list[tuple[object, ...]]:
    """Return a hashable for each site: equal for sites of the same label and occupancies."""
    return [
        (label, *sorted((s, round(x, 6)) for s, x in occupancy.items()))
        for label, occupancy in zip(crystal.labels, crystal.occupancies, strict=True)
    ]


def primitive(crystal: DisorderedStructure) -> DisorderedStructure:
    """Return the primitive cell, in the orientation given, with labels and occupancies kept.

    Sites of different label or occupancy are never folded together. A crystal that is primitive
    already keeps its content but may get other lattice vectors (spglib's standard choice).

    Raises
    ------
    InvalidStructureError
        spglib cannot analyse the cell.
    """
    import spglib

    kinds = site_kinds(crystal)
    first: dict[tuple[object, ...], int] = {}
    for i, kind in enumerate(kinds):
        first.setdefault(kind, i)
    order = list(first)
    cell = (
        crystal.cell.tolist(),
        (crystal.fractional % 1.0).tolist(),
        [order.index(kind) + 1 for kind in kinds],
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        found = spglib.standardize_cell(
            cell, to_primitive=True, no_idealize=True, symprec=SYMPREC_ANG
        )
    if found is None:
        raise InvalidStructureError(
            f"No primitive cell was found for {crystal.reduced_formula}. Look for overlapping "
            "sites."
        )
    lattice, points, numbers = found
    parents = [first[order[k - 1]] for k in numbers]
    sorting = sorted(range(len(parents)), key=lambda k: parents[k])
    return DisorderedStructure(
        fractional=np.array(points)[sorting],
        occupancies=tuple(crystal.occupancies[parents[k]] for k in sorting),
        cell=np.array(lattice),
        labels=tuple(crystal.labels[parents[k]] for k in sorting),
        notes=crystal.notes,
    )


def expand(crystal: DisorderedStructure, matrix: Sequence[int] | ArrayLike) -> DisorderedStructure:
    """Return a supercell; site ``i`` of image ``k`` has index ``k * len(crystal) + i``.

    Parameters
    ----------
    crystal
        The cell to repeat.
    matrix
        Three repeats, or integers whose rows are the new lattice vectors in units of the old.
        shape=(3,) or (3, 3)

    Raises
    ------
    InvalidStructureError
        The matrix is not integer or has no volume.
    """
    integers = supercell_matrix(matrix)
    images = _lattice_points(integers)
    points = (crystal.fractional[None, :, :] + images[:, None, :]).reshape(-1, 3)
    return DisorderedStructure(
        fractional=points @ np.linalg.inv(integers),
        occupancies=crystal.occupancies * len(images),
        cell=integers @ crystal.cell,
        labels=crystal.labels * len(images),
        notes=crystal.notes,
    )


def supercell_matrix(matrix: Sequence[int] | ArrayLike) -> NDArray[np.int64]:
    """Return three repeats or a 3x3 integer matrix as a matrix of positive determinant."""
    array = np.asarray(matrix, dtype=float)
    if array.shape == (3,):
        array = np.diag(array)
    integers = np.round(array).astype(np.int64) if np.isfinite(array).all() else np.zeros((3, 3))
    if array.shape != (3, 3) or np.abs(array - integers).max() > 1e-6:
        raise InvalidStructureError(
            f"A supercell is three repeats or a 3x3 matrix of whole numbers, got {matrix!r}."
        )
    if round(np.linalg.det(integers)) < 1:
        raise InvalidStructureError(
            f"The supercell {integers.tolist()} must have a positive determinant."
        )
    return np.asarray(integers, dtype=np.int64)


def compact_supercell(cell: ArrayLike, size: int) -> NDArray[np.int64]:
    """Return the supercell of ``size`` cells whose shortest lattice vector is the longest.

    Parameters
    ----------
    cell
        Lattice vectors as rows, in angstrom. shape=(3, 3)
    size
        How many cells the supercell holds.

    Returns
    -------
    ndarray
        Rows are the new (Minkowski-reduced) lattice vectors in units of the old. shape=(3, 3)
    """
    from ase.geometry import minkowski_reduce

    lattice = np.asarray(cell, dtype=float)
    best: tuple[tuple[float, ...], NDArray[np.int64]] | None = None
    for form in hermite_normal_forms(size):
        reduced, operation = minkowski_reduce(form @ lattice)
        lengths = np.sort(np.linalg.norm(reduced, axis=1))
        score = tuple(np.round([-lengths[0], lengths[2], lengths[1]], 6))
        if best is None or score < best[0]:
            best = (score, np.asarray(operation @ form, dtype=np.int64))
    chosen = best[1] if best is not None else np.eye(3, dtype=np.int64)
    if np.linalg.det(chosen) < 0:
        chosen = -chosen
    return np.asarray(chosen)


def _lattice_points(matrix: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the lattice points inside a supercell, ascending, the origin first."""
    corners = np.array(list(itertools.product((0, 1), repeat=3))) @ matrix
    axes = [range(a, b + 1) for a, b in zip(corners.min(0), corners.max(0), strict=True)]
    points = np.array(list(itertools.product(*axes)))
    inside = points @ np.linalg.inv(matrix)
    found = points[((inside > -1e-8) & (inside < 1 - 1e-8)).all(axis=1)]
    return np.asarray(found[np.argsort((found != 0).any(axis=1), kind="stable")])
