"""Symmetry of a structure and of sites in it, and the primitive cell in the given orientation."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.errors import InvalidStructureError
from superionic.structures.geometry import images_within
from superionic.structures.structure import Structure, readonly

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

SYMPREC_ANG = 0.05
"""Atoms are called equivalent when they coincide to this distance in angstrom."""

_APART_ANG = 10.0


@dataclass(frozen=True, eq=False)
class SymmetryOperations:
    """Operations ``f -> R f + t`` on fractional coordinates (columns) of one cell.

    Attributes
    ----------
    rotations : ndarray
        Integer matrices. shape=(operations, 3, 3)
    translations : ndarray
        Fractional translations. shape=(operations, 3)
    """

    rotations: NDArray[np.int64]
    translations: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        object.__setattr__(self, "rotations", readonly(self.rotations, np.int64))
        object.__setattr__(self, "translations", readonly(self.translations, np.float64))

    def __len__(self) -> int:
        """Return the number of operations."""
        return len(self.rotations)


@dataclass(frozen=True, eq=False)
class SiteAction:
    """What each operation does to each site: ``site -> target + lattice vector``.

    Attributes
    ----------
    rotations : ndarray
        Integer matrices of the operations that map the sites onto themselves.
        shape=(operations, 3, 3)
    targets : ndarray
        Index of the site each site is sent to. shape=(operations, sites)
    shifts : ndarray
        Lattice vector to add to the target, as integers. shape=(operations, sites, 3)
    """

    rotations: NDArray[np.int64]
    targets: NDArray[np.int64]
    shifts: NDArray[np.int64]

    @property
    def orbits(self) -> NDArray[np.int64]:
        """Smallest index of a site equivalent to each site. shape=(sites,)."""
        return np.asarray(self.targets.min(axis=0))


def symmetry_operations(
    structure: Structure, *, symprec_ang: float = SYMPREC_ANG
) -> SymmetryOperations:
    """Return all operations of a structure, found by spglib from elements and positions.

    Labels are ignored. Translations of a cell that is not primitive are among the operations. Axes
    that do not repeat are set wide apart first, and no operation crosses to an image along them.

    Raises
    ------
    InvalidStructureError
        spglib finds no symmetry at all, not even the identity.

    References
    ----------
    A. Togo, K. Shinohara, I. Tanaka, Sci. Technol. Adv. Mater. Meth. 4, 2384822 (2024),
    doi:10.1080/27660400.2024.2384822.
    """
    import spglib

    stretch = _stretch(structure)
    fractional = structure.fractional / stretch
    with warnings.catch_warnings():
        # 2.7 and 2.8 announce that failures will be exceptions; None is handled below
        warnings.simplefilter("ignore", DeprecationWarning)
        dataset = spglib.get_symmetry_dataset(
            (
                (structure.cell * stretch[:, None]).tolist(),
                (fractional % 1.0).tolist(),
                structure.numbers.tolist(),
            ),
            symprec=symprec_ang,
        )
    if dataset is None:
        raise InvalidStructureError(
            f"spglib found no symmetry at a tolerance of {symprec_ang} A. Look for overlapping "
            "atoms, or give another symprec."
        )
    rotations, translations = dataset.rotations.astype(np.int64), dataset.translations
    if not all(structure.pbc):
        rotations, translations = _unstretched(structure, rotations, translations, stretch)
    return SymmetryOperations(rotations, translations)


def _stretch(structure: Structure) -> NDArray[np.float64]:
    """Return by how much to lengthen each lattice vector so that images stay apart. shape=(3,)."""
    extent = np.ptp(structure.fractional, axis=0) + _APART_ANG * np.linalg.norm(
        np.linalg.inv(structure.cell), axis=0
    )
    return np.where(structure.pbc, 1.0, np.maximum(extent, 1.0))


def _unstretched(
    structure: Structure,
    rotations: NDArray[np.int64],
    translations: NDArray[np.float64],
    stretch: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Bring operations of the stretched cell back to the given one, images left out."""
    middle = (structure.fractional / stretch).mean(axis=0)
    jump = np.round(rotations @ middle + translations - middle)
    translations = translations - np.where(structure.pbc, 0.0, jump)
    scaled = rotations * stretch[:, None] / stretch[None, :]
    whole = np.abs(scaled - np.round(scaled)).max(axis=(1, 2)) < 1e-6
    return np.round(scaled[whole]).astype(np.int64), translations[whole] * stretch


def site_action(
    operations: SymmetryOperations,
    positions: ArrayLike,
    cell: ArrayLike,
    *,
    pbc: Sequence[bool] = (True, True, True),
    kinds: ArrayLike | None = None,
    tolerance_ang: float = 2 * SYMPREC_ANG,
) -> SiteAction:
    """Return how the operations permute sites; those that do not map them onto themselves drop.

    Parameters
    ----------
    operations
        Operations of the structure the sites lie in.
    positions
        Cartesian positions of the sites in angstrom. shape=(sites, 3)
    cell
        Lattice vectors as rows, in angstrom. shape=(3, 3)
    pbc
        Which lattice vectors repeat.
    kinds
        Sites of different kind are never equivalent. shape=(sites,)
    tolerance_ang
        Largest distance in angstrom between the image of a site and the site it coincides with.
    """
    lattice = np.asarray(cell, dtype=float)
    sites = np.asarray(positions, dtype=float).reshape(-1, 3) @ np.linalg.inv(lattice)
    kind = np.zeros(len(sites)) if kinds is None else np.asarray(kinds)
    foreign = np.where(kind[:, None] == kind[None, :], 0.0, np.inf)
    rotations, targets, shifts = [], [], []
    for rotation, translation in zip(operations.rotations, operations.translations, strict=True):
        images = sites @ rotation.T + translation
        difference = images[:, None, :] - sites[None, :, :]
        shift = np.where(np.asarray(pbc), np.round(difference), 0.0)
        distance = np.linalg.norm((difference - shift) @ lattice, axis=-1) + foreign
        target = distance.argmin(axis=1)
        rows = np.arange(len(sites))
        if distance[rows, target].max() > tolerance_ang or len(set(target)) < len(sites):
            continue
        rotations.append(rotation)
        targets.append(target)
        shifts.append(shift[rows, target])
    return SiteAction(
        readonly(rotations, np.int64), readonly(targets, np.int64), readonly(shifts, np.int64)
    )


@dataclass(frozen=True, eq=False)
class PrimitiveCell:
    """The primitive cell of a structure, in the orientation and at the origin of the structure.

    Attributes
    ----------
    structure : Structure
        One atom for each class of atoms equivalent by translation, at the mean of the class, in
        the order of first appearance and with the label that appeared first.
    representatives : ndarray
        Index in the given structure of the first atom of each class. shape=(atoms,)
    copies : int
        How many primitive cells the given cell holds.
    """

    structure: Structure
    representatives: NDArray[np.int64]
    copies: int


def primitive_cell(structure: Structure, *, symprec_ang: float = SYMPREC_ANG) -> PrimitiveCell:
    """Reduce a structure to its primitive cell without turning it, keeping labels.

    A structure that is already primitive comes back as it is.

    Raises
    ------
    InvalidStructureError
        The translations spglib finds do not divide the cell evenly; change ``symprec_ang``.
    """
    operations = symmetry_operations(structure, symprec_ang=symprec_ang)
    pure = (operations.rotations == np.eye(3, dtype=int)).all(axis=(1, 2))
    copies = int(pure.sum())
    if copies <= 1:
        return PrimitiveCell(structure, readonly(np.arange(len(structure)), np.int64), 1)
    cell = _translation_lattice(operations.translations[pure] @ structure.cell, structure.cell)
    matrix = np.round(structure.cell @ np.linalg.inv(cell))
    if round(abs(np.linalg.det(matrix))) != copies:
        raise InvalidStructureError(
            f"{copies} translations at {symprec_ang} A do not form a lattice that divides the "
            "cell. Give another symprec."
        )
    return _fold(structure, np.asarray(np.linalg.solve(matrix, structure.cell), float), copies)


def _translation_lattice(
    translations: NDArray[np.float64], cell: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the shortest independent vectors of the lattice, right-handed. shape=(3, 3)."""
    from ase.geometry import minkowski_reduce

    reach = float(np.linalg.norm(minkowski_reduce(cell)[0], axis=1).max()) + 0.1
    images = images_within(translations, cell, (True,) * 3, centre=np.zeros(3), radius_ang=reach)
    lengths = np.linalg.norm(images.positions, axis=1)
    vectors: list[NDArray[np.float64]] = []
    for k in np.argsort(lengths, kind="stable"):
        trial = np.array([*vectors, images.positions[k]])
        volume = np.sqrt(abs(np.linalg.det(trial @ trial.T)))
        if volume > 0.05 * np.prod(np.linalg.norm(trial, axis=1)):
            vectors.append(images.positions[k])
        if len(vectors) == 3:
            break
    reduced = np.array(vectors)
    return reduced if np.linalg.det(reduced) > 0 else -reduced


def _fold(structure: Structure, cell: NDArray[np.float64], copies: int) -> PrimitiveCell:
    """Merge atoms that coincide modulo the lattice of ``cell``."""
    inverse = np.linalg.inv(cell)
    free = np.ones(len(structure), dtype=bool)
    first, positions = [], []
    for i in range(len(structure)):
        if not free[i]:
            continue
        difference = (structure.positions - structure.positions[i]) @ inverse
        offset = (difference - np.round(difference)) @ cell
        distance = np.linalg.norm(offset, axis=1)
        distance[~free | (structure.numbers != structure.numbers[i])] = np.inf
        members = np.argsort(distance, kind="stable")[:copies]
        if not np.isfinite(distance[members]).all():
            raise InvalidStructureError(
                f"Atom {i} ({structure.labels[i]}) lacks a copy in some primitive cell. Give "
                "another symprec."
            )
        free[members] = False
        first.append(i)
        positions.append(structure.positions[i] + offset[members].mean(axis=0))
    folded = Structure(
        numbers=structure.numbers[first],
        positions=np.array(positions),
        cell=cell,
        pbc=structure.pbc,
        labels=tuple(structure.labels[i] for i in first),
    )
    return PrimitiveCell(folded, readonly(first, np.int64), copies)
