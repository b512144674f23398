"""The tables of a CIF data block: cell, symmetry operations, listed atoms."""

from __future__ import annotations

import math
import re
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from ase.data import atomic_numbers

from superionic.structures.cif_writer import SITE_LABEL
from superionic.structures.disordered import OCCUPANCY_TOLERANCE
from superionic.structures.errors import InvalidStructureError, StructureFileError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_SYMMETRY_KEYS = ("h-m", "h_m", "hall", "it_number", "int_tables_number")


class ListedAtom(NamedTuple):
    """One row of the atom table.

    Attributes
    ----------
    label : str
        Site label.
    symbol : str
        Chemical symbol.
    coordinate : ndarray
        In units of the lattice vectors. shape=(3,)
    occupancy : float
        Between 0 and 1.
    """

    label: str
    symbol: str
    coordinate: NDArray[np.float64]
    occupancy: float


def _quiet(call: Callable[[], Any]) -> tuple[Any, list[str]]:
    """Run ``call``; return its result and the text of the warnings it raised."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = call()
    return result, [str(w.message) for w in caught]


def broken(name: str, reason: str) -> StructureFileError:
    """Return the error for a file that is cut off or no CIF at all."""
    return StructureFileError(
        f"{name} is not a complete CIF file: {reason}. The file may be truncated; open it, or "
        "export it again from its source."
    )


def atom_block(text: str, name: str, notes: list[str]) -> tuple[Any, dict[str, Any]]:
    """Return pymatgen's parser and the items of the first data block that has atoms.

    Raises
    ------
    StructureFileError
        The text is truncated, no CIF, or describes a magnetic structure.
    """
    if not re.search(r"^\s*data_", text, flags=re.MULTILINE):
        raise broken(name, "no data_ block was found")
    from pymatgen.io.cif import CifParser

    try:
        parser, _ = _quiet(lambda: CifParser.from_str(text, check_cif=False))
    except (ValueError, IndexError, KeyError, ZeroDivisionError, TypeError) as error:
        raise broken(name, "a table or a value in it ends too early") from error
    if any(parser.feature_flags.values()):
        raise StructureFileError(
            f"{name} describes a magnetic structure, whose symmetry is not read. Export it as a "
            "plain CIF."
        )
    blocks = [b.data for b in parser._cif.data.values() if b.data.get("_atom_site_fract_x")]
    if not blocks:
        raise broken(name, "it holds no fractional atom positions (_atom_site_fract_x)")
    if len(blocks) > 1:
        notes.append(f"The file has {len(blocks)} structures; the first was read.")
    return parser, blocks[0]


def block_cell(block: dict[str, Any], name: str) -> NDArray[np.float64]:
    """Return the lattice vectors as rows, in angstrom. shape=(3, 3).

    Raises
    ------
    StructureFileError
        A length or an angle is missing.
    InvalidStructureError
        They make no cell.
    """
    values = []
    for key in ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma"):
        raw = block.get(f"_cell_{key}")
        if not isinstance(raw, str) or _number(raw) is None:
            raise broken(name, f"_cell_{key} is missing or not a number")
        values.append(float(_number(raw) or 0.0))
    lengths, angles = values[:3], values[3:]
    if not (all(0.1 < x < 1e4 for x in lengths) and all(1.0 < x < 179.0 for x in angles)):
        raise InvalidStructureError(
            f"{name}: the cell {lengths} A, {angles} degrees is not possible."
        )
    from pymatgen.core.lattice import Lattice

    matrix = np.array(Lattice.from_parameters(*lengths, *angles).matrix)
    if not np.isfinite(matrix).all():
        raise InvalidStructureError(f"{name}: the angles {angles} do not make a cell.")
    return matrix


def block_operations(
    parser: Any, block: dict[str, Any], name: str, notes: list[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return rotations and translations of the space group, listed or from its symbol.

    Raises
    ------
    StructureFileError
        A space group is named but unknown, and no operations are listed.
    """
    try:
        operations, messages = _quiet(lambda: parser.get_symops(_Block(block)))
    except (ValueError, KeyError, IndexError) as error:
        raise broken(name, f"its symmetry operations cannot be read ({error})") from error
    stated = [str(v) for k, v in block.items() if any(s in k.lower() for s in _SYMMETRY_KEYS) and v]
    if any("Defaulting to P1" in m for m in messages):
        groups = [s for s in stated if re.sub(r"[\s_]", "", s).upper() not in {"P1", "1", "?"}]
        if groups:
            raise StructureFileError(
                f"{name} names the space group {groups[0]!r}, which is not known, and lists no "
                "symmetry operations. Add a _space_group_symop_operation_xyz table."
            )
        notes.append("The file states no symmetry; its atoms were read as the whole cell (P1).")
    elif any("Spacegroup from" in m for m in messages):
        notes.append(
            f"Symmetry operations were made from the space-group symbol {stated[0]!r}; where "
            "that group has two origins, check the atoms."
        )
    rotations = np.array([op.rotation_matrix for op in operations], dtype=float)
    return rotations, np.array([op.translation_vector for op in operations], dtype=float)


class _Block:
    """The two ways in which pymatgen looks at a block of data."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data

    def __getitem__(self, key: str) -> Any:
        return self.data[key]


def _number(text: str) -> float | None:
    """Return a CIF number without its uncertainty; None when it is not one."""
    try:
        return float(re.sub(r"\(.*\)?$", "", text.strip()))
    except ValueError:
        return None


def _column(block: dict[str, Any], key: str, n: int, name: str) -> list[str] | None:
    raw = block.get(key)
    if raw is None:
        return None
    values = [raw] if isinstance(raw, str) else list(raw)
    if len(values) != n:
        raise broken(name, f"{key} has {len(values)} entries for {n} atoms")
    return values


def listed_atoms(block: dict[str, Any], name: str, notes: list[str]) -> list[ListedAtom]:
    """Return the rows of the atom table, dummies left out.

    Raises
    ------
    StructureFileError
        Columns are missing or differ in length.
    InvalidStructureError
        A coordinate or an occupancy is not a possible number, or an element is unknown.
    """
    x = block["_atom_site_fract_x"]
    n = 1 if isinstance(x, str) else len(x)
    xyz = [_column(block, f"_atom_site_fract_{k}", n, name) for k in "xyz"]
    types = _column(block, "_atom_site_type_symbol", n, name)
    labels = _column(block, SITE_LABEL, n, name) or _column(block, "_atom_site_label", n, name)
    filled = _column(block, "_atom_site_occupancy", n, name)
    flags = _column(block, "_atom_site_calc_flag", n, name)
    if None in xyz or (types is None and labels is None):
        raise broken(name, "atoms need three fractional coordinates and a label or a symbol")
    rows = []
    for i in range(n):
        if flags is not None and flags[i] == "dum":
            continue
        label = labels[i] if labels is not None else (types or [""])[i]
        symbol = _symbol(types[i] if types is not None else label, label, name, notes)
        values = [_number(column[i]) for column in xyz if column is not None]
        if any(v is None or not math.isfinite(v) for v in values):
            raise InvalidStructureError(
                f"{name}: the coordinates of {label} are not finite numbers: "
                f"{[c[i] for c in xyz if c is not None]}. Mend or remove that line."
            )
        share = _occupancy(filled[i] if filled is not None else "1", label, name)
        rows.append(ListedAtom(label, symbol, np.array(values, dtype=float), share))
    return rows


def _occupancy(text: str, label: str, name: str) -> float:
    if text.strip() in {".", "?", ""}:
        return 1.0
    value = _number(text)
    if value is None or not math.isfinite(value) or not 0.0 <= value <= 1 + OCCUPANCY_TOLERANCE:
        raise InvalidStructureError(
            f"{name}: the occupancy of {label} must lie between 0 and 1, got {text!r}."
        )
    return value


def _symbol(text: str, label: str, name: str, notes: list[str]) -> str:
    match = re.match(r"[A-Za-z]{1,3}", text.strip())
    letters = match.group() if match else ""
    if letters.title() in {"Wat", "Oh"}:
        raise InvalidStructureError(
            f"{name}: {label} stands for a group with hydrogens that the file does not place. "
            "Write O and H atoms out, or remove it."
        )
    if letters == "D":
        if "Deuterium was read as hydrogen." not in notes:
            notes.append("Deuterium was read as hydrogen.")
        return "H"
    for candidate in (letters[:2].title(), letters[:1].upper()):
        if candidate and candidate != "X" and candidate in atomic_numbers:
            return candidate
    raise InvalidStructureError(f"{name}: {text!r} ({label}) names no chemical element.")
