"""CIF text in and out, partial occupancies and site labels kept.

The grammar, the cell and the symmetry operations are read by pymatgen; sites are expanded here, in
the file's order, so that labels, shared positions and special positions are under our control.
"""

from __future__ import annotations

import math
import re
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from ase.data import atomic_numbers

from superionic.structures.disordered import (
    OCCUPANCY_TOLERANCE,
    DisorderedStructure,
    format_formula,
)
from superionic.structures.errors import InvalidStructureError, StructureFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

MERGE_ANG = 0.05
"""Symmetry images of a site closer than this (angstrom) are one special position."""

FORMULA_TOLERANCE = 0.10
"""Relative disagreement with the file's own formula, beyond which reading is an error."""

SITE_LABEL = "_superionic_site_label"
_SYMMETRY_KEYS = ("h-m", "h_m", "hall", "it_number", "int_tables_number")


@dataclass
class _Site:
    """A site of the asymmetric unit with all its images."""

    label: str
    points: NDArray[np.float64]
    occupancy: dict[str, float] = field(default_factory=dict)


def parse_cif(text: str, name: str) -> DisorderedStructure:
    """Return the crystal of the first data block that has atoms.

    Parameters
    ----------
    text
        Content of the file.
    name
        How messages call the file.

    Raises
    ------
    StructureFileError
        The text is truncated, is no CIF, or contradicts its own chemical formula.
    InvalidStructureError
        A coordinate is not a number, an element is unknown, or a site is filled beyond 1.
    """
    notes: list[str] = []
    parser, block = _atom_block(text, name, notes)
    cell = _cell(parser, block, name)
    rotations, translations = _operations(parser, block, name, notes)
    sites: list[_Site] = []
    for row in _rows(block, name, notes):
        label, symbol, coordinate, occupancy = row
        points = _orbit(coordinate, rotations, translations, cell)
        _add_site(sites, label, symbol, points, occupancy, cell)
    _rescale(sites, name, notes)
    crystal = DisorderedStructure(
        fractional=np.vstack([s.points for s in sites]),
        occupancies=tuple(s.occupancy for s in sites for _ in s.points),
        cell=cell,
        labels=tuple(s.label for s in sites for _ in s.points),
    )
    _compare_formula(crystal, block, name, notes)
    return DisorderedStructure(
        crystal.fractional, crystal.occupancies, crystal.cell, crystal.labels, tuple(notes)
    )


def _quiet(call: Callable[[], Any]) -> tuple[Any, list[str]]:
    """Run ``call``; return its result and the text of the warnings it raised."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = call()
    return result, [str(w.message) for w in caught]


def _broken(name: str, reason: str) -> StructureFileError:
    return StructureFileError(
        f"{name} is not a complete CIF file: {reason}. The file may be truncated; open it, or "
        "export it again from its source."
    )


def _atom_block(text: str, name: str, notes: list[str]) -> tuple[Any, dict[str, Any]]:
    if not re.search(r"^\s*data_", text, flags=re.MULTILINE):
        raise _broken(name, "no data_ block was found")
    from pymatgen.io.cif import CifParser

    try:
        parser, _ = _quiet(lambda: CifParser.from_str(text, check_cif=False))
    except (ValueError, IndexError, KeyError, ZeroDivisionError, TypeError) as error:
        raise _broken(name, f"a table or value ends too early ({error})") from error
    if any(parser.feature_flags.values()):
        notes.append("Magnetic moments and magnetic symmetry of the file were ignored.")
    blocks = [b.data for b in parser._cif.data.values() if b.data.get("_atom_site_fract_x")]
    if not blocks:
        raise _broken(name, "it holds no fractional atom positions (_atom_site_fract_x)")
    if len(blocks) > 1:
        notes.append(f"The file has {len(blocks)} structures; the first was read.")
    return parser, blocks[0]


def _cell(parser: Any, block: dict[str, Any], name: str) -> NDArray[np.float64]:
    values = []
    for key in ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma"):
        raw = block.get(f"_cell_{key}")
        if not isinstance(raw, str) or _number(raw) is None:
            raise _broken(name, f"_cell_{key} is missing or not a number")
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


def _operations(
    parser: Any, block: dict[str, Any], name: str, notes: list[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    try:
        operations, messages = _quiet(lambda: parser.get_symops(_Block(block)))
    except (ValueError, KeyError, IndexError) as error:
        raise _broken(name, f"its symmetry operations cannot be read ({error})") from error
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
        raise _broken(name, f"{key} has {len(values)} entries for {n} atoms")
    return values


def _rows(
    block: dict[str, Any], name: str, notes: list[str]
) -> list[tuple[str, str, NDArray[np.float64], float]]:
    x = block["_atom_site_fract_x"]
    n = 1 if isinstance(x, str) else len(x)
    xyz = [_column(block, f"_atom_site_fract_{k}", n, name) for k in "xyz"]
    types = _column(block, "_atom_site_type_symbol", n, name)
    labels = _column(block, SITE_LABEL, n, name) or _column(block, "_atom_site_label", n, name)
    filled = _column(block, "_atom_site_occupancy", n, name)
    flags = _column(block, "_atom_site_calc_flag", n, name)
    if None in xyz or (types is None and labels is None):
        raise _broken(name, "atoms need three fractional coordinates and a label or a symbol")
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
        rows.append((label, symbol, np.array(values, dtype=float), share))
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


def _orbit(
    coordinate: NDArray[np.float64],
    rotations: NDArray[np.float64],
    translations: NDArray[np.float64],
    cell: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the distinct images of a point, coincident ones averaged, wrapped to [0, 1)."""
    images = rotations @ coordinate + translations
    groups: list[list[NDArray[np.float64]]] = []
    for image in images:
        for group in groups:
            shift = image - group[0]
            shift -= np.round(shift)
            if np.linalg.norm(shift @ cell) < MERGE_ANG:
                group.append(group[0] + shift)
                break
        else:
            groups.append([image])
    points = np.array([np.mean(group, axis=0) for group in groups])
    points -= np.floor(points + 1e-9)
    return points


def _add_site(
    sites: list[_Site],
    label: str,
    symbol: str,
    points: NDArray[np.float64],
    share: float,
    cell: NDArray[np.float64],
) -> None:
    """Add a listed atom as a new site, or to the site that already has its position."""
    if sites:
        shift = np.vstack([s.points for s in sites]) - points[0]
        shift -= np.round(shift)
        near = np.flatnonzero(np.linalg.norm(shift @ cell, axis=1) < MERGE_ANG)
        if len(near):
            ends = np.cumsum([len(s.points) for s in sites])
            site = sites[int(np.searchsorted(ends, near[0], side="right"))]
            site.occupancy[symbol] = site.occupancy.get(symbol, 0.0) + share
            site.label = "/".join(dict.fromkeys([*site.label.split("/"), *label.split("/")]))
            return
    sites.append(_Site(label, points, {symbol: share}))


def _rescale(sites: Sequence[_Site], name: str, notes: list[str]) -> None:
    for site in sites:
        total = sum(site.occupancy.values())
        if total > 1 + OCCUPANCY_TOLERANCE:
            raise InvalidStructureError(
                f"{name}: site {site.label} is filled to {total:.3f}, beyond 1: "
                f"{site.occupancy}. A duplicated line is the usual cause."
            )
        if total > 1 + 1e-9:
            site.occupancy = {s: x / total for s, x in site.occupancy.items()}
            if total > 1 + 1e-4:
                notes.append(f"Site {site.label} was filled to {total:.4f}; scaled to 1.")


def _compare_formula(
    crystal: DisorderedStructure, block: dict[str, Any], name: str, notes: list[str]
) -> None:
    """Compare the sites with _chemical_formula_sum: the one sign of rows that are missing."""
    text = block.get("_chemical_formula_sum")
    if not isinstance(text, str):
        return
    stated = {"H" if s == "D" else s: float(x or 1) for s, x in _FORMULA.findall(text)}
    found = crystal.composition
    if ("H" in stated) != ("H" in found):
        notes.append("The file's formula and its sites disagree on hydrogen.")
    stated, found = ({s: x for s, x in c.items() if s != "H"} for c in (stated, found))
    if not stated or not found or not all(s in atomic_numbers for s in stated):
        return
    scale = sum(stated.values()) / sum(found.values())
    worst = max(
        abs(found.get(s, 0.0) * scale - stated.get(s, 0.0)) / stated.get(s, 1e-9)
        for s in {*stated, *found}
    )
    sentence = (
        f"the sites give {crystal.reduced_formula}, the file's _chemical_formula_sum is "
        f"{format_formula(stated)}"
    )
    if worst > FORMULA_TOLERANCE:
        raise _broken(
            name, f"{sentence}; rows may be missing, else correct or delete the formula line"
        )
    if worst > 0.01:
        notes.append(sentence[0].upper() + sentence[1:] + ".")


_FORMULA = re.compile(r"([A-Z][a-z]?)\s*([0-9]*\.?[0-9]*)")


def format_cif(crystal: DisorderedStructure, title: str = "superionic") -> str:
    """Return CIF text in P1: every site listed, occupancies and site labels kept.

    ``_atom_site_label`` must be unique in a CIF, so it is numbered; the shared site label goes to
    ``_superionic_site_label``, which `parse_cif` reads back.
    """
    from ase.cell import Cell

    a, b, c, alpha, beta, gamma = (f"{x:.10g}" for x in Cell(crystal.cell).cellpar())
    amounts = crystal.composition
    formula = " ".join(f"{s}{x:.6g}" for s, x in amounts.items())
    lines = [
        f"data_{re.sub(r'[^A-Za-z0-9_.-]', '_', title)}",
        f"_chemical_formula_sum '{formula}'",
        *(f"_cell_length_{k} {v}" for k, v in zip("abc", (a, b, c), strict=True)),
        f"_cell_angle_alpha {alpha}",
        f"_cell_angle_beta {beta}",
        f"_cell_angle_gamma {gamma}",
        "_space_group_name_H-M_alt 'P 1'",
        "_space_group_IT_number 1",
        "loop_",
        "_space_group_symop_operation_xyz",
        "'x, y, z'",
        "loop_",
        "_atom_site_label",
        "_atom_site_type_symbol",
        "_atom_site_fract_x",
        "_atom_site_fract_y",
        "_atom_site_fract_z",
        "_atom_site_occupancy",
        SITE_LABEL,
    ]
    counts: dict[str, int] = {}
    for point, occupancy, label in zip(
        crystal.fractional, crystal.occupancies, crystal.labels, strict=True
    ):
        xyz = " ".join(f"{v:.12f}" for v in point)
        for symbol, share in occupancy.items():
            counts[symbol] = counts.get(symbol, 0) + 1
            unique = f"{symbol}_{counts[symbol]}"
            lines.append(f"{unique} {symbol} {xyz} {share:.10g} {_quoted(label)}")
    return "\n".join(lines) + "\n"


def _quoted(label: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9+*/.()-]+", label):
        return label
    return f'"{label}"' if "'" in label else f"'{label}'"
