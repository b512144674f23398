"""The value that the whole package passes around: atoms in a cell, as frozen numpy arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from ase.data import atomic_masses, chemical_symbols

from superionic.structures.errors import InvalidStructureError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ase import Atoms
    from numpy.typing import ArrayLike, NDArray

__all__ = ["OVERLAP_ANG", "Structure", "check_no_overlap", "distance_matrix", "minimum_image"]

OVERLAP_ANG = 0.5
"""Two atoms closer than this (angstrom) are an error in any structure."""


def readonly(values: ArrayLike, dtype: type | None = None) -> NDArray[Any]:
    """Return a read-only copy of ``values`` as an array."""
    array = np.array(values, dtype=dtype)
    array.flags.writeable = False
    return array


@dataclass(frozen=True, eq=False)
class Structure:
    """Whole atoms in a cell.

    Attributes
    ----------
    numbers : ndarray
        Atomic numbers. shape=(atoms,)
    positions : ndarray
        Cartesian positions in angstrom, not wrapped. shape=(atoms, 3)
    cell : ndarray
        Lattice vectors as rows, in angstrom. shape=(3, 3)
    pbc : tuple of bool
        Which lattice vectors repeat.
    labels : tuple of str
        Crystallographic site label of each atom (``Na1``), carried through supercells and slabs;
        the chemical symbol where a structure has none. length=atoms

    Raises
    ------
    InvalidStructureError
        Shapes disagree, a number is not finite, or the cell has no volume.
    """

    numbers: NDArray[np.int64]
    positions: NDArray[np.float64]
    cell: NDArray[np.float64]
    pbc: tuple[bool, bool, bool] = (True, True, True)
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Validate, copy and freeze the arrays."""
        set_ = object.__setattr__
        set_(self, "numbers", readonly(self.numbers, np.int64))
        set_(self, "positions", readonly(self.positions, np.float64))
        set_(self, "cell", readonly(self.cell, np.float64))
        set_(self, "pbc", tuple(bool(p) for p in self.pbc))
        n = len(self.numbers)
        if n == 0:
            raise InvalidStructureError("A structure needs at least one atom; this one has none.")
        if self.positions.shape != (n, 3) or self.cell.shape != (3, 3) or len(self.pbc) != 3:
            raise InvalidStructureError(
                f"For {n} atoms expected positions ({n}, 3), cell (3, 3) and three pbc flags; got "
                f"{self.positions.shape}, {self.cell.shape} and {len(self.pbc)}."
            )
        if not (np.isfinite(self.positions).all() and np.isfinite(self.cell).all()):
            bad = np.flatnonzero(~np.isfinite(self.positions).all(axis=1))[:5].tolist()
            raise InvalidStructureError(
                f"Positions and cell must be finite; atoms {bad} (or the cell) hold NaN or "
                "infinity. Look for a failed relaxation or a broken line in the file."
            )
        if (self.numbers < 1).any() or (self.numbers >= len(chemical_symbols)).any():
            raise InvalidStructureError("Atomic numbers must lie between 1 and 118.")
        if abs(np.linalg.det(self.cell)) < 1e-6:
            raise InvalidStructureError("The cell has no volume: lattice vectors are coplanar.")
        labels = tuple(str(x) for x in self.labels) or self.symbols
        if len(labels) != n:
            raise InvalidStructureError(f"Expected {n} labels, got {len(labels)}.")
        set_(self, "labels", labels)

    def __len__(self) -> int:
        """Return the number of atoms."""
        return len(self.numbers)

    @property
    def symbols(self) -> tuple[str, ...]:
        """Chemical symbol of each atom."""
        return tuple(chemical_symbols[z] for z in self.numbers)

    @property
    def fractional(self) -> NDArray[np.float64]:
        """Positions in units of the lattice vectors, not wrapped. shape=(atoms, 3)."""
        return np.asarray(np.linalg.solve(self.cell.T, self.positions.T).T)

    @property
    def volume(self) -> float:
        """Cell volume in cubic angstrom."""
        return float(abs(np.linalg.det(self.cell)))

    @property
    def mass_g_per_mol(self) -> float:
        """Mass of the cell's content in g/mol."""
        return float(atomic_masses[self.numbers].sum())

    @property
    def formula(self) -> str:
        """Chemical formula of the cell, in Hill order."""
        return str(self.to_ase().get_chemical_formula(mode="hill"))

    def _repr_html_(self) -> str:
        """Return a card with a picture for notebooks."""
        from superionic.structures.picture import html_card, svg_picture

        lengths = np.linalg.norm(self.cell, axis=1)
        repeats = "".join(name for name, on in zip("abc", self.pbc, strict=True) if on) or "none"
        rows = {"atoms": str(len(self)), "repeats along": repeats}
        if any(self.pbc):
            rows["a, b, c"] = ", ".join(f"{x:.3f}" for x in lengths) + " Å"
            rows["volume"] = f"{self.volume:.1f} Å³"
        return html_card(self.formula, rows, svg_picture(self))

    def indices(self, symbol: str) -> NDArray[np.int64]:
        """Return the indices of all atoms of one element, ascending."""
        return np.flatnonzero(np.array(self.symbols) == symbol)

    def with_positions(self, positions: ArrayLike) -> Structure:
        """Return the same atoms at other Cartesian positions (angstrom, shape=(atoms, 3))."""
        return replace(self, positions=np.asarray(positions))

    def without(self, indices: Sequence[int]) -> Structure:
        """Return the structure with some atoms removed; the rest keep their order."""
        keep = np.ones(len(self), dtype=bool)
        keep[list(indices)] = False
        return self.take(np.flatnonzero(keep))

    def take(self, indices: ArrayLike) -> Structure:
        """Return the atoms at ``indices``, in that order."""
        index = np.asarray(indices, dtype=np.int64)
        return replace(
            self,
            numbers=self.numbers[index],
            positions=self.positions[index],
            labels=tuple(self.labels[i] for i in index),
        )

    def repeat(self, repeat: tuple[int, int, int]) -> Structure:
        """Return a supercell; atom ``i`` of image ``k`` has index ``k * len(self) + i``."""
        atoms = self.to_ase().repeat(repeat)
        return Structure.from_ase(atoms, labels=self.labels * int(np.prod(repeat)))

    def to_ase(self) -> Atoms:
        """Return an ASE ``Atoms`` (a fresh copy, no calculator)."""
        from ase import Atoms

        return Atoms(
            numbers=self.numbers.copy(),
            positions=self.positions.copy(),
            cell=self.cell.copy(),
            pbc=self.pbc,
        )

    @classmethod
    def from_ase(cls, atoms: Atoms, labels: Sequence[str] = ()) -> Structure:
        """Take over an ASE ``Atoms``; ``labels`` default to the chemical symbols."""
        return cls(
            numbers=atoms.numbers,
            positions=atoms.positions,
            cell=np.asarray(atoms.cell),
            pbc=tuple(atoms.pbc),
            labels=tuple(labels),
        )

    def to_pymatgen(self) -> Any:
        """Return a pymatgen ``Structure`` with site property ``label``."""
        from pymatgen.core import Lattice
        from pymatgen.core import Structure as PymatgenStructure

        return PymatgenStructure(
            Lattice(self.cell, pbc=self.pbc),
            list(self.symbols),
            self.positions,
            coords_are_cartesian=True,
            labels=list(self.labels),
        )


def minimum_image(vectors: ArrayLike, cell: ArrayLike, pbc: Sequence[bool]) -> NDArray[np.float64]:
    """Return the shortest periodic image of each vector.

    Parameters
    ----------
    vectors
        Cartesian vectors in angstrom. shape=(n, 3) or (3,)
    cell
        Lattice vectors as rows, in angstrom. shape=(3, 3)
    pbc
        Which lattice vectors repeat.

    Returns
    -------
    ndarray
        Vectors of the input's shape, each the shortest of its periodic images in any cell,
        skewed ones included (Minkowski reduction, ``ase.geometry.find_mic``).
    """
    from ase.geometry import find_mic

    array = np.asarray(vectors, dtype=float)
    short, _ = find_mic(array.reshape(-1, 3), np.asarray(cell), pbc=list(pbc))
    return np.asarray(short).reshape(array.shape)


def distance_matrix(structure: Structure) -> NDArray[np.float64]:
    """Return minimum-image distances between all atoms in angstrom. shape=(atoms, atoms)."""
    difference = structure.positions[:, None, :] - structure.positions[None, :, :]
    short = minimum_image(difference.reshape(-1, 3), structure.cell, structure.pbc)
    n = len(structure)
    return np.asarray(np.linalg.norm(short, axis=1).reshape(n, n))


def check_no_overlap(structure: Structure, minimum_ang: float = OVERLAP_ANG) -> None:
    """Raise if two atoms, or an atom and its own periodic image, are closer than a limit.

    Raises
    ------
    InvalidStructureError
        Names the closest pair, its distance in angstrom and the limit.
    """
    from ase.neighborlist import neighbor_list

    i, j, d = neighbor_list("ijd", structure.to_ase(), minimum_ang)
    if len(d):
        k = int(np.argmin(d))
        raise InvalidStructureError(
            f"Atoms {i[k]} ({structure.labels[i[k]]}) and {j[k]} ({structure.labels[j[k]]}) are "
            f"{d[k]:.3f} A apart, closer than {minimum_ang} A. Two partially occupied positions "
            "read as full, or a duplicated line, are the usual causes."
        )
