"""Conventional axes of any cell: by symmetry, never by the shape of a reduced cell."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from superionic.structures.errors import InvalidStructureError
from superionic.structures.structure import readonly
from superionic.structures.symmetry import SYMPREC_ANG

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from superionic.structures.structure import Structure

Frame = Literal["conventional", "strict", "input"]
"""Whose axes Miller indices refer to; see :func:`crystal_setting`."""

MOBILE = ("Li", "Na", "K", "Rb", "Cs", "Ag")
"""Ions that are left out when the average framework of an ordered crystal is looked for."""

EMPTY = 118
"""Atomic number that stands for a known but empty site while a crystal is cut; never an atom."""

LIGANDS = ("H", "O", "S", "Se", "Te", "F", "Cl", "Br", "I")
METALLOIDS = ("B", "C", "N", "Si", "P", "As", "Ge", "Sb")
METAL, CENTRE = 202, 201
FRAMEWORK_SYMPREC = (0.05, 0.1, 0.2, 0.3)
SKELETON_SYMPREC = (0.1, 0.2, 0.3, 0.4)
FIRST_UNIAXIAL = 75
"""Space groups from this number on (tetragonal, trigonal, hexagonal, cubic) fix their own axes."""


@dataclass(frozen=True, eq=False)
class CrystalSetting:
    """Conventional axes of a crystal, and the symmetry that fixes them.

    Attributes
    ----------
    cell : ndarray
        Conventional lattice vectors as rows, in angstrom, in the Cartesian frame of the structure
        (not turned, not idealised). Rhombohedral crystals: hexagonal axes, c along the three-fold
        axis. shape=(3, 3)
    space_group : str
        International symbol of the symmetry that fixed the axes.
    number, hall_number : int
        Its number, 1 to 230, and the number of its setting in the tables of spglib.
    symmetry_cell : ndarray
        Conventional lattice vectors of the space group; `cell`, unless other axes were asked for.
        shape=(3, 3)
    rotations : ndarray
        Rotation parts, in units of the structure's own lattice vectors. shape=(operations, 3, 3)
    translations : ndarray
        Translation parts, same units. shape=(operations, 3)
    source : str
        Which atoms the symmetry was read from, and within which tolerance.
    """

    cell: NDArray[np.float64]
    space_group: str
    number: int
    hall_number: int
    symmetry_cell: NDArray[np.float64]
    rotations: NDArray[np.int64]
    translations: NDArray[np.float64]
    source: str

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        for name, dtype in (
            ("cell", np.float64),
            ("symmetry_cell", np.float64),
            ("rotations", np.int64),
            ("translations", np.float64),
        ):
            object.__setattr__(self, name, readonly(getattr(self, name), dtype))

    def __str__(self) -> str:
        """Return one line that says whose axes these are."""
        return f"{self.space_group} ({self.source})"


def _dataset(structure: Structure, types: NDArray[np.int64], symprec: float) -> Any | None:
    """Return spglib's dataset of the atoms whose type is not 0, or None where it finds none."""
    import spglib

    keep = np.flatnonzero(types)
    fractional = structure.fractional[keep] % 1.0
    cell = (structure.cell.tolist(), fractional.tolist(), types[keep].tolist())
    with warnings.catch_warnings():
        # 2.7 and 2.8 announce that failures will be exceptions; both kinds are handled
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            return spglib.get_symmetry_dataset(cell, symprec=symprec)
        except spglib.SpglibError:
            return None


def _setting(structure: Structure, dataset: Any, source: str) -> CrystalSetting:
    """Turn spglib's dataset into conventional axes in the structure's own Cartesian frame."""
    cell = np.linalg.inv(dataset.transformation_matrix).T @ structure.cell
    return CrystalSetting(
        cell=cell,
        space_group=str(dataset.international),
        number=int(dataset.number),
        hall_number=int(dataset.hall_number),
        symmetry_cell=cell,
        rotations=dataset.rotations,
        translations=dataset.translations,
        source=source,
    )


def strict_setting(structure: Structure, *, symprec: float = SYMPREC_ANG) -> CrystalSetting:
    """Return the conventional axes of the atoms exactly as they stand.

    Parameters
    ----------
    structure
        Any crystal.
    symprec
        Largest distance in angstrom between atoms that symmetry makes equal.

    Raises
    ------
    InvalidStructureError
        spglib finds no symmetry at all, not even the identity (atoms on top of each other).
    """
    dataset = _dataset(structure, structure.numbers, symprec)
    if dataset is None:
        raise InvalidStructureError(
            f"No space group could be found within {symprec} A, not even P1. Look for overlapping "
            "atoms, or choose another symprec."
        )
    return _setting(structure, dataset, f"all atoms, within {symprec:g} A")


def _framework_types(structure: Structure, *, ligands: bool) -> NDArray[np.int64]:
    """Return atom types of the average framework: 0 mobile, then metal, centre, each ligand."""
    kinds = np.full(len(structure), METAL, dtype=np.int64)
    symbols = np.array(structure.symbols)
    kinds[np.isin(symbols, METALLOIDS)] = CENTRE
    kinds[np.isin(symbols, MOBILE) | (structure.numbers == EMPTY)] = 0
    ligand = np.isin(symbols, LIGANDS)
    kinds[ligand] = structure.numbers[ligand] if ligands else 0
    return kinds


def framework_setting(structure: Structure) -> CrystalSetting | None:
    """Return the axes of the average framework, or None where there is none of high symmetry.

    Ordering and relaxation lower the symmetry of a disordered conductor, often to P1, while its
    planes keep the name they have in the parent crystal. The parent is found by leaving out mobile
    ions (`MOBILE`), by treating metals as one species and polyanion centres (P, Si, ...) as
    another, and by allowing displacements; where turned polyanions still hide it, the ligands are
    left out as well. The first tolerance that gives a tetragonal, trigonal, hexagonal or cubic
    group is taken.
    """
    if not set(structure.symbols) & set(MOBILE):
        return None
    ladder = [("framework without mobile ions", True, s) for s in FRAMEWORK_SYMPREC]
    ladder += [("framework cations", False, s) for s in SKELETON_SYMPREC]
    for name, ligands, symprec in ladder:
        types = _framework_types(structure, ligands=ligands)
        if not types.any():
            continue
        dataset = _dataset(structure, types, symprec)
        if dataset is not None and dataset.number >= FIRST_UNIAXIAL:
            return _setting(structure, dataset, f"{name}, within {symprec:g} A")
    return None


def crystal_setting(
    structure: Structure,
    *,
    frame: Frame | ArrayLike = "conventional",
    symprec: float = SYMPREC_ANG,
) -> CrystalSetting:
    """Return the axes that Miller indices and directions refer to.

    Parameters
    ----------
    structure
        Any ordered crystal, in any cell: primitive, conventional, reduced, turned.
    frame
        - ``"conventional"`` (default): conventional cell of the space group of the atoms. Where
          that group is triclinic, monoclinic or orthorhombic and the crystal holds mobile ions, of
          the average framework instead (see :func:`framework_setting`), if one of higher symmetry
          exists: an ordered P1 cell of a rhombohedral conductor keeps its rhombohedral (001).
        - ``"strict"``: conventional cell of the space group of the atoms, whatever it is.
        - ``"input"``: the cell vectors as given.
        - a (3, 3) array: these lattice vectors, as rows, in angstrom, in the structure's Cartesian
          frame, for example ``crystal_setting(parent).cell``.
    symprec
        Tolerance in angstrom for the space group of the atoms.
    """
    strict = strict_setting(structure, symprec=symprec)
    if isinstance(frame, str):
        if frame == "strict":
            return strict
        if frame == "conventional":
            if strict.number >= FIRST_UNIAXIAL:
                return strict
            return framework_setting(structure) or strict
        if frame != "input":
            raise InvalidStructureError(
                f"frame must be 'conventional', 'strict', 'input' or a (3, 3) array of lattice "
                f"vectors; got {frame!r}."
            )
        cell, source = structure.cell, "the cell as given"
    else:
        cell, source = np.asarray(frame, dtype=float), "the axes as given"
    symmetry = strict if strict.number >= FIRST_UNIAXIAL else framework_setting(structure) or strict
    return replace(symmetry, cell=cell, source=f"{source}; symmetry of {symmetry.source}")


def three_fold_axis(structure: Structure, *, symprec: float = SYMPREC_ANG) -> NDArray[np.float64]:
    """Return the unique three-fold axis of a trigonal, rhombohedral or hexagonal crystal.

    Found from the symmetry operations: a reduced rhombohedral cell is often nearly face-centred
    cubic, and its shape points to a wrong axis.

    Returns
    -------
    ndarray
        Unit vector in the structure's Cartesian frame, along c of :func:`crystal_setting`.
        shape=(3,)

    Raises
    ------
    InvalidStructureError
        The crystal has no three-fold axis, or (cubic) four.
    """
    setting = crystal_setting(structure, symprec=symprec)
    axes: list[NDArray[np.float64]] = []
    to_cartesian = structure.cell.T
    for fractional in setting.rotations:
        turn = to_cartesian @ fractional @ np.linalg.inv(to_cartesian)
        turn *= np.sign(np.linalg.det(turn))
        if abs(np.trace(turn)) > 0.1:
            continue
        values, vectors = np.linalg.eig(turn)
        axis = np.real(vectors[:, int(np.argmin(abs(values - 1.0)))])
        if all(abs(axis @ other) < 0.99 for other in axes):
            axes.append(axis / np.linalg.norm(axis))
    if len(axes) != 1:
        raise InvalidStructureError(
            f"Expected one three-fold axis; the symmetry {setting} has {len(axes)}."
        )
    c_axis = setting.cell[2] / np.linalg.norm(setting.cell[2])
    return readonly(axes[0] * np.sign(axes[0] @ c_axis))
