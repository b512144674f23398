"""Atoms, constraints, k points and potentials: the .cell file."""

from __future__ import annotations

import math
import re
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
from ase.data import atomic_numbers

from superionic.inputs.castep.cutoffs import is_library
from superionic.inputs.castep.keys import TO_ANG, FreeForm
from superionic.inputs.dft import FixedAtom, KGrid
from superionic.structures.errors import DeckError
from superionic.structures.structure import Structure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from superionic.inputs.castep.options import CastepOptions
    from superionic.inputs.dft import DFTSpec

SAME = 1e-6
_NUMBER = r"[-+]?\s*(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"


def cell_file(spec: DFTSpec, structures: Sequence[Structure], options: CastepOptions) -> FreeForm:
    """Return the contents of the .cell file.

    Parameters
    ----------
    spec
        The calculation.
    structures
        One; or start, middle and end of a band.
    options
        Pseudopotentials and other keywords.
    """
    first = structures[0]
    words = {"kpoint_mp_grid": " ".join(str(n) for n in spec.kgrid.divisions)}
    offset = _offset(spec.kgrid)
    if any(offset):
        words["kpoint_mp_offset"] = " ".join(f"{x:.12g}" for x in offset)
    free = spec.relax is not None and spec.relax.cell == "full"
    words |= {"fix_all_cell": "FALSE" if free else "TRUE", "fix_com": "FALSE"}
    words |= {k: str(v) for k, v in options.extra_cell.items()}
    blocks = {
        "lattice_cart": ["ang", *(" ".join(f"{x:22.16f}" for x in row) for row in first.cell)],
        "positions_frac": _positions(first, spec.spin.moments(first)),
    }
    if len(structures) > 1:
        middle = structures[len(structures) // 2]
        blocks["positions_frac_intermediate"] = _positions(middle)
        blocks["positions_frac_product"] = _positions(structures[-1])
    species = list(dict.fromkeys(first.symbols))
    chosen = [f"{e} {options.potentials[e]}" for e in species if e in options.potentials]
    blocks["species_pot"] = ([options.library] if options.library else []) + chosen
    if not blocks["species_pot"]:
        del blocks["species_pot"]
    if spec.hubbard_u_eV:
        rows = ([*k.split("-"), f"{u:.12g}"] for k, u in spec.hubbard_u_eV.items())
        blocks["hubbard_u"] = ["eV", *(f"{e} {shell}: {u}" for e, shell, u in rows)]
    if spec.fixed:
        blocks["ionic_constraints"] = _constraints(first, spec.fixed)
    return FreeForm(words, blocks)


def _positions(structure: Structure, moments: Sequence[float] = ()) -> list[str]:
    lines = [
        " ".join([f"{symbol:<2}", *(f"{x:20.16f}" for x in row)])
        for symbol, row in zip(structure.symbols, structure.fractional, strict=True)
    ]
    for k, moment in enumerate(moments):
        if moment:
            lines[k] += f" SPIN={moment:.12g}"
    return lines


def _offset(kgrid: KGrid) -> list[float]:
    """Return what shifts the grid of Monkhorst and Pack onto the zone centre."""
    if not kgrid.gamma_centred:
        return [0.0, 0.0, 0.0]
    return [0.0 if n % 2 else 0.5 / n for n in kgrid.divisions]


def _constraints(structure: Structure, fixed: Sequence[FixedAtom]) -> list[str]:
    """Return one line a held coordinate: the direction along which the atom may not move."""
    place = _places_in_species(structure)
    lines: list[str] = []
    for atom in fixed:
        normals = np.eye(3) if all(atom.axes) else _reciprocal(structure)[list(atom.axes)]
        symbol, number = place[atom.index]
        for normal in normals:
            words = " ".join(f"{x:18.14f}" for x in normal)
            lines.append(f"{len(lines) + 1} {symbol} {number} {words}")
    return lines


def _places_in_species(structure: Structure) -> list[tuple[str, int]]:
    """Return symbol and place among the atoms of its element, from 1, of each atom."""
    counts: dict[str, int] = {}
    places = []
    for symbol in structure.symbols:
        counts[symbol] = counts.get(symbol, 0) + 1
        places.append((symbol, counts[symbol]))
    return places


def _reciprocal(structure: Structure) -> NDArray[np.float64]:
    """Return unit vectors along which each fractional coordinate grows fastest. shape=(3, 3)."""
    vectors = np.linalg.inv(structure.cell).T
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1)[:, None])


def read_structures(cell: FreeForm) -> tuple[tuple[Structure, ...], list[float]]:
    """Return the structures of a .cell file and the starting moments in Bohr magnetons.

    Raises
    ------
    DeckError
        No lattice, no atoms, or lines that cannot be read.
    """
    lattice = _lattice(cell)
    first, moments = _atoms(cell, "positions", lattice)
    if first is None:
        raise DeckError(f"{cell.name} has no block POSITIONS_FRAC or POSITIONS_ABS.")
    found = [first]
    for part in ("_intermediate", "_product"):
        image, _ = _atoms(cell, "positions", lattice, part)
        if image is not None:
            found.append(image)
    return tuple(found), moments


def _lattice(cell: FreeForm) -> NDArray[np.float64]:
    from ase.geometry import cellpar_to_cell

    if "lattice_cart" in cell.blocks:
        rows, factor = _numbers(cell, "lattice_cart")
        if len(rows) == 3:
            return np.asarray(rows) * factor
    elif "lattice_abc" in cell.blocks:
        rows, factor = _numbers(cell, "lattice_abc")
        if len(rows) == 2:
            with suppress(AssertionError):  # angles that no three vectors have
                return np.asarray(cellpar_to_cell([x * factor for x in rows[0]] + rows[1]))
    raise DeckError(
        f"{cell.name} needs a block LATTICE_CART of three vectors, or LATTICE_ABC of lengths and "
        "angles."
    )


def _numbers(cell: FreeForm, block: str) -> tuple[list[list[float]], float]:
    """Return the rows of a block, three numbers each, and its unit in angstrom."""
    lines, factor = _unit(cell.blocks[block])
    try:
        rows = [[float(x) for x in line.split()[:3]] for line in lines]
    except ValueError as error:
        raise DeckError(f"{cell.name}: block {block}: {error}.") from error
    if any(len(row) != 3 or not all(map(math.isfinite, row)) for row in rows):
        raise DeckError(f"{cell.name}: block {block} needs three numbers a line.")
    return rows, factor


def _unit(lines: list[str]) -> tuple[list[str], float]:
    if lines and lines[0].lower() in TO_ANG:
        return lines[1:], TO_ANG[lines[0].lower()]
    return lines, 1.0


def _atoms(
    cell: FreeForm, stem: str, lattice: NDArray[np.float64], part: str = ""
) -> tuple[Structure | None, list[float]]:
    frac, absolute = f"{stem}_frac{part}", f"{stem}_abs{part}"
    name = frac if frac in cell.blocks else absolute
    if name not in cell.blocks:
        return None, []
    lines, factor = _unit(cell.blocks[name])
    numbers, rows, moments = [], [], []
    for line in lines:
        words = line.split()
        symbol = words[0].split(":")[0].capitalize()
        try:
            numbers.append(int(symbol) if symbol.isdigit() else atomic_numbers[symbol])
            rows.append([float(x) for x in words[1:4]])
        except (KeyError, ValueError) as error:
            raise DeckError(f"{cell.name}: block {name}: cannot read '{line}'.") from error
        spin = re.search(rf"\b(?:SPIN|MAGMOM)\s*[=:]?\s*({_NUMBER})", line)
        moments.append(float(spin[1].replace(" ", "")) if spin else 0.0)
    if not rows or any(len(row) != 3 for row in rows):
        raise DeckError(f"{cell.name}: block {name} needs atoms with three coordinates each.")
    positions = np.array(rows) * factor
    if name == frac:
        positions = np.array(rows) @ lattice
    return Structure(np.array(numbers), positions, lattice), moments


def read_kgrid(cell: FreeForm, structure: Structure) -> KGrid:
    """Return the grid of a .cell file.

    Raises
    ------
    DeckError
        It lists points, or shifts its grid elsewhere than onto the zone centre.
    """
    words = {k.replace("kpoints_", "kpoint_"): v for k, v in cell.words.items()}
    if any(k in cell.blocks for k in ("kpoint_list", "kpoints_list")):
        raise DeckError(f"{cell.name}: lists of k points are not covered; give a grid.")
    try:
        if "kpoint_mp_grid" in words:
            n = [int(x) for x in words["kpoint_mp_grid"].split()]
        else:
            spacing = float(words.get("kpoint_mp_spacing", "0.1").split()[0])
            if not spacing > 0:
                raise ValueError("the spacing must be above 0")
            lengths = np.linalg.norm(np.linalg.inv(structure.cell), axis=0)
            n = [max(1, math.ceil(x / spacing - 1e-9)) for x in lengths]
        shift = [float(x) for x in words.get("kpoint_mp_offset", "0 0 0").split()]
        if len(n) != 3 or len(shift) != 3:
            raise ValueError("expected three divisions, and three numbers for a shift")
        divisions = (n[0], n[1], n[2])
    except (ValueError, IndexError) as error:
        raise DeckError(f"{cell.name}: the k grid cannot be read: {error}.") from error
    if not any(abs(s * m - round(s * m)) > SAME for s, m in zip(shift, n, strict=True)):
        return KGrid(divisions, gamma_centred=False)
    centre = _offset(KGrid(divisions))
    if all(
        abs((s - c) * m - round((s - c) * m)) < SAME
        for s, c, m in zip(shift, centre, n, strict=True)
    ):
        return KGrid(divisions)
    raise DeckError(
        f"{cell.name}: KPOINT_MP_OFFSET {words['kpoint_mp_offset']} shifts the grid neither onto "
        "the zone centre nor not at all."
    )


def read_fixed(cell: FreeForm, structure: Structure) -> tuple[FixedAtom, ...]:
    """Return the coordinates that a .cell file holds.

    Raises
    ------
    DeckError
        A constraint that ties several atoms, or holds an atom along no fractional coordinate.
    """
    if cell.truth("fix_all_ions", False):
        return tuple(FixedAtom(k) for k in range(len(structure)))
    lines = cell.blocks.get("ionic_constraints", [])
    index = {place: k for k, place in enumerate(_places_in_species(structure))}
    held: dict[int, list[list[float]]] = {}
    owner: dict[str, int] = {}
    for line in lines:
        words = line.split()
        try:
            atom = index[words[1].capitalize(), int(words[2])]
            vector = [float(x) for x in words[3:6]]
        except (KeyError, ValueError, IndexError) as error:
            raise DeckError(
                f"{cell.name}: cannot read the constraint '{line}'. Expected its number, an "
                "element, the place among its atoms from 1, and three numbers."
            ) from error
        if owner.setdefault(words[0], atom) != atom or len(vector) != 3:
            raise DeckError(
                f"{cell.name}: constraint {words[0]} ties several atoms, which is not covered."
            )
        held.setdefault(atom, []).append(vector)
    return tuple(FixedAtom(k, _axes(cell, structure, v)) for k, v in held.items())


def _axes(
    cell: FreeForm, structure: Structure, vectors: list[list[float]]
) -> tuple[bool, bool, bool]:
    """Return which fractional coordinates are held by directions that may not be moved along."""
    normals = np.array(vectors)
    rank = int(np.linalg.matrix_rank(normals, tol=SAME))
    if rank == 3:
        return (True, True, True)
    inside = [
        int(np.linalg.matrix_rank(np.vstack([normals, b]), tol=SAME)) == rank
        for b in _reciprocal(structure)
    ]
    if rank == 0 or sum(inside) != rank:
        raise DeckError(
            f"{cell.name}: a constraint holds an atom along no fractional coordinate, which is not "
            "covered."
        )
    return (inside[0], inside[1], inside[2])


def read_potentials(cell: FreeForm) -> tuple[str, dict[str, str]]:
    """Return the library of pseudopotentials and those of single elements."""
    library, chosen = "", {}
    for line in cell.blocks.get("species_pot", []):
        words = line.split(maxsplit=1)
        if len(words) == 1 and is_library(words[0]):
            library = words[0]
        elif len(words) == 2:
            chosen[words[0].split(":")[0].capitalize()] = words[1]
        else:
            raise DeckError(f"{cell.name}: SPECIES_POT has '{line}', no library CASTEP brings.")
    return library, chosen


def read_hubbard(cell: FreeForm) -> Mapping[str, float]:
    """Return Hubbard U in eV by element and shell.

    Raises
    ------
    DeckError
        A line that cannot be read.
    """
    from superionic.inputs.castep.keys import TO_EV

    lines = cell.blocks.get("hubbard_u", [])
    factor = 1.0
    if lines and lines[0].lower() in TO_EV:
        factor, lines = TO_EV[lines[0].lower()], lines[1:]
    table = {}
    for line in lines:
        match = re.fullmatch(rf"([A-Za-z]+)\s+([spdf])\s*:\s*({_NUMBER})", line)
        if match is None:
            raise DeckError(f"{cell.name}: cannot read the Hubbard U '{line}'.")
        table[f"{match[1].capitalize()}-{match[2]}"] = float(match[3].replace(" ", "")) * factor
    return table
