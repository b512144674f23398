"""POSCAR and KPOINTS files."""

from __future__ import annotations

import io
import math
import re
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.inputs.dft import FixedAtom, KGrid
from superionic.structures.errors import DeckError
from superionic.structures.structure import Structure

if TYPE_CHECKING:
    from collections.abc import Mapping


def format_poscar(structure: Structure, fixed: tuple[FixedAtom, ...], title: str) -> str:
    """Return a POSCAR file of atoms that stand element by element.

    Parameters
    ----------
    structure
        The atoms. Their labels follow each line as a comment.
    fixed
        Coordinates that are held; selective dynamics is written where there are any.
    title
        First line.
    """
    symbols = list(dict.fromkeys(structure.symbols))
    lines = [title, "1.0"]
    lines += [" ".join(f"{x:22.16f}" for x in row) for row in structure.cell]
    lines += [" ".join(symbols), " ".join(str(structure.symbols.count(s)) for s in symbols)]
    held = {f.index: f.axes for f in fixed}
    if held:
        lines.append("Selective dynamics")
    lines.append("Direct")
    for k, row in enumerate(structure.fractional):
        flags = ["F" if h else "T" for h in held.get(k, (False, False, False))] if held else []
        words = [f"{x:20.16f}" for x in row] + flags + [structure.labels[k]]
        lines.append(" ".join(words))
    return "\n".join(lines) + "\n"


def parse_poscar(text: str, name: str) -> tuple[Structure, tuple[FixedAtom, ...]]:
    """Return the atoms of a POSCAR file and which of their coordinates are held.

    Raises
    ------
    DeckError
        It cannot be read, or does not name its elements.
    """
    from ase.constraints import FixAtoms, FixScaled
    from ase.io.vasp import read_vasp

    if not re.match(r"\s*[A-Za-z]", (text.splitlines() + [""] * 6)[5]):
        raise DeckError(
            f"{name} does not name its elements in line 6. Write it as VASP 5 and later do."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            atoms: Any = read_vasp(io.StringIO(text))
        structure = Structure.from_ase(atoms)
    except Exception as error:  # a cut-off file makes the reader fail in many ways
        raise DeckError(f"{name} cannot be read as a POSCAR file: {error}.") from error
    fixed: list[FixedAtom] = []
    for constraint in atoms.constraints:
        if isinstance(constraint, FixAtoms):
            fixed += [FixedAtom(int(k)) for k in constraint.get_indices()]
        elif isinstance(constraint, FixScaled):
            axes = tuple(bool(x) for x in constraint.mask)
            fixed += [FixedAtom(int(k), axes) for k in constraint.get_indices()]  # type: ignore[arg-type]
    return structure, tuple(fixed)


def format_kpoints(kgrid: KGrid, title: str) -> str:
    """Return a KPOINTS file of an even grid."""
    scheme = "Gamma" if kgrid.gamma_centred else "Monkhorst-Pack"
    divisions = " ".join(str(n) for n in kgrid.divisions)
    return f"{title}\n0\n{scheme}\n{divisions}\n0 0 0\n"


def parse_kpoints(text: str) -> KGrid:
    """Return the grid of a KPOINTS file.

    Raises
    ------
    DeckError
        It lists points, or shifts its grid.
    """
    lines = [re.split(r"[!#]", x)[0].strip() for x in text.splitlines()]
    scheme = lines[2][:1].upper() if len(lines) > 2 else ""
    if len(lines) < 4 or lines[1].split()[:1] != ["0"] or scheme not in ("G", "M"):
        raise DeckError(
            "KPOINTS: only an even grid (0, then Gamma or Monkhorst-Pack, then three divisions) "
            "is covered."
        )
    try:
        divisions = [int(x) for x in lines[3].split()[:3]]
        shift = [float(x) for x in lines[4].split()[:3]] if len(lines) > 4 and lines[4] else []
    except ValueError as error:
        raise DeckError(f"KPOINTS: {error}. Expected whole numbers, then a shift.") from error
    if len(divisions) != 3 or any(shift):
        raise DeckError(
            "KPOINTS: a grid takes three divisions and no shift; choose Gamma or Monkhorst-Pack "
            "in the place of a shift."
        )
    return KGrid((divisions[0], divisions[1], divisions[2]), scheme == "G")


def grid_from_spacing(tags: Mapping[str, str], structure: Structure) -> KGrid:
    """Return the grid that VASP makes from KSPACING (in 1/A, with the factor 2 pi).

    Raises
    ------
    DeckError
        The spacing is not positive.
    """
    from superionic.inputs.vasp.tags import Tags

    read = Tags(tags)
    spacing = read.number("KSPACING", 0.5)
    if spacing <= 0:
        raise DeckError(f"INCAR: KSPACING must be above 0; got {spacing:g}.")
    reciprocal = 2.0 * math.pi * np.linalg.norm(np.linalg.inv(structure.cell), axis=0)
    counts = [max(1, math.ceil(length / spacing)) for length in reciprocal]
    return KGrid((counts[0], counts[1], counts[2]), read.truth("KGAMMA", True))
