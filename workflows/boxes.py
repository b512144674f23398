"""Boxes of molecules in a folder: the exact value as JSON, and files that other programs read."""

from __future__ import annotations

import io
from pathlib import Path

from superionic.structures.box import Box
from superionic.structures.errors import StructureFileError
from superionic.structures.io import write_text_atomic
from superionic.workflows.serialise import (
    decode,
    encode,
    read_json,
    write_bytes_atomic,
    write_json_atomic,
)

BOX, PDB, EXTXYZ, PICTURE = "box.json", "box.pdb", "box.extxyz", "box.png"
"""Files of a box's folder; the first alone is read back."""


def write_box(box: Box, folder: str | Path) -> None:
    """Write a box into a folder: ``box.json``, ``box.pdb`` and ``box.extxyz``.

    Raises
    ------
    RunFolderError, StructureFileError
        A file cannot be written.
    """
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    write_text_atomic(place / PDB, pdb_text(box))
    write_text_atomic(place / EXTXYZ, extxyz_text(box))
    write_json_atomic(place / BOX, encode(box))


def read_box(folder: str | Path) -> Box:
    """Read the box of a folder, or of a ``box.json``.

    Raises
    ------
    StructureFileError
        There is no box.
    RunFolderError, SerialiseError
        The file is broken, or of another version.
    """
    place = Path(folder).expanduser()
    file = place if place.is_file() else place / BOX
    if not file.is_file():
        raise StructureFileError(
            f"There is no {BOX} in {place}. Make a box with `superionic box ... -o {place}`."
        )
    found = decode(read_json(file))
    if not isinstance(found, Box):
        raise StructureFileError(f"{file} holds no box. Name a folder of `superionic box`.")
    return found


def draw_box(box: Box, folder: str | Path, *, title: str = "") -> None:
    """Draw a box into its folder as ``box.png``."""
    from superionic.analysis.figures.box_view import BoxView, box_view
    from superionic.analysis.figures.style import figure_style

    names = tuple(c.name for c in box.components)
    view = BoxView(title, box.structure, box.bonds, box.component_index, names)
    stream = io.BytesIO()
    with figure_style():
        box_view([view]).savefig(stream, format="png", dpi=200, metadata={"Software": None})
    write_bytes_atomic(Path(folder) / PICTURE, stream.getvalue())


def pdb_text(box: Box) -> str:
    """Return a box as PDB: molecules whole, a residue a repeat unit, numbers modulo 10^5 and 10^4.

    Chains are lettered by component; bonds stand nowhere in it.
    """
    a, b, c = box.edges_ang
    lines = [f"CRYST1{a:9.3f}{b:9.3f}{c:9.3f}{90:7.2f}{90:7.2f}{90:7.2f} P 1           1"]
    names = [n for k in box.components for n in k.atom_names * k.count]
    symbols = box.structure.symbols
    kinds, residues = box.component_index, box.residue_index
    for k, (x, y, z) in enumerate(box.structure.positions):
        name, symbol = names[k], symbols[k]
        name = name if len(symbol) == 2 or len(name) == 4 else f" {name}"
        residue = box.components[kinds[k]].name
        chain = chr(ord("A") + int(kinds[k]) % 26)
        lines.append(
            f"HETATM{(k + 1) % 100000:5d} {name:<4s} {residue[:4]:<4s}{chain}"
            f"{(int(residues[k]) + 1) % 10000:4d}    {x:8.3f}{y:8.3f}{z:8.3f}{1.0:6.2f}{0.0:6.2f}"
            f"          {symbol.upper():>2s}"
        )
    return "\n".join([*lines, "END", ""])


def extxyz_text(box: Box) -> str:
    """Return a box as extended XYZ, with names of atoms, residues and molecules as columns."""
    a, b, c = box.edges_ang
    head = (
        f'Lattice="{a:.8f} 0.0 0.0 0.0 {b:.8f} 0.0 0.0 0.0 {c:.8f}" '
        "Properties=species:S:1:pos:R:3:label:S:1:residue:S:1:molecule:I:1 "
        f'pbc="T T T" seed={box.seed}'
    )
    lines = [str(len(box)), head]
    names = [n for k in box.components for n in k.atom_names * k.count]
    rows = zip(
        box.structure.symbols, box.structure.positions, names, box.component_index,
        box.molecule_index, strict=True,
    )  # fmt: skip
    lines += [
        f"{symbol:<2s} {x:14.8f} {y:14.8f} {z:14.8f} {name:<4s} {box.components[kind].name:<5s} {m}"
        for symbol, (x, y, z), name, kind, m in rows
    ]
    return "\n".join([*lines, ""])
