"""Molecules by name, from SMILES or from a file; boxes around them.

Packaged are the molecules of liquid and polymer electrolytes: solvents, plastic crystals, anions
and their salts. Each has its geometry, level of theory and remarks in ``data/molecules.sdf``.
"""

from __future__ import annotations

import difflib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

from superionic.structures.conformers import (
    ATTEMPTS,
    Conformer,
    find_conformers,
    molecule_from_smiles,
)
from superionic.structures.errors import InvalidStructureError, UnknownMoleculeError
from superionic.structures.molecule import (
    Molecule,
    boxed,
    check_box,
    framed,
    image_separation,
    torsion_deg,
)
from superionic.structures.molecule_files import (
    SUFFIXES,
    from_structure,
    parse_sdf,
    read_molecule,
    write_molecule,
)
from superionic.structures.rotamers import rotamer, rotamers

__all__ = [
    "Conformer", "Molecule", "boxed", "check_box", "find_conformers", "find_molecule", "framed",
    "from_structure", "image_separation", "kind_of", "molecule_from_smiles", "read_molecule",
    "reference_molecule", "reference_molecules", "rotamer", "rotamers", "torsion_deg",
    "write_molecule",
]  # fmt: skip

_ALIASES = {
    "sn": "succinonitrile-gauche",
    "sn-gauche": "succinonitrile-gauche",
    "sn-trans": "succinonitrile-trans",
    "succinonitrile": "succinonitrile-gauche",
    "tfsi": "tfsi-trans",
    "tfsi-": "tfsi-trans",
    "ntf2": "tfsi-trans",
    "tfsa": "tfsi-trans",
    "perchlorate": "clo4",
    "clo4-": "clo4",
    "hexafluorophosphate": "pf6",
    "pf6-": "pf6",
    "li": "li+",
    "na": "na+",
    "ethylene carbonate": "ec",
    "propylene carbonate": "pc",
    "fluoroethylene carbonate": "fec",
    "monoglyme": "g1",
    "dme": "g1",
    "diglyme": "g2",
    "triglyme": "g3",
    "tetraglyme": "g4",
}


def reference_molecules() -> tuple[str, ...]:
    """Return the names of the packaged molecules."""
    return tuple(_packaged())


def reference_molecule(name: str) -> Molecule:
    """Return a packaged molecule.

    Parameters
    ----------
    name
        One of `reference_molecules`, or another usual name of it; case does not matter. Where
        conformers are packaged apart, the plain name means the one of lower energy in free space:
        ``succinonitrile`` the gauche, ``tfsi`` the trans.

    Raises
    ------
    UnknownMoleculeError
        No molecule goes by that name; names the nearest.
    """
    word = name.strip().lower()
    known = _packaged()
    found = known.get(_ALIASES.get(word, word))
    if found is None:
        near = difflib.get_close_matches(word, [*known, *_ALIASES], n=3, cutoff=0.6)
        help_ = (
            f"Did you mean {' or '.join(repr(w) for w in near)}?"
            if near
            else f"There are {', '.join(known)}; any other comes from its SMILES or a file."
        )
        raise UnknownMoleculeError(f"No packaged molecule is called {name!r}. {help_}")
    return found


def find_molecule(
    source: str, *, charge: int | None = None, attempts: int = ATTEMPTS, seed: int = 0
) -> Molecule:
    """Return the molecule that a word stands for: a file, a packaged name, or a SMILES.

    A file is looked for first, then a name: ``pc`` is propylene carbonate, whatever SMILES may
    make of it.

    Parameters
    ----------
    source
        The word.
    charge
        Total charge in e; must agree with a name or a SMILES, overrides a file.
    attempts, seed
        Of the conformer search of a SMILES.

    Raises
    ------
    StructureFileError
        It ends as a file does, and there is none, or it cannot be read.
    UnknownMoleculeError
        It is none of the three; says why.
    InvalidStructureError
        The charge does not agree.
    """
    kind = kind_of(source)
    if kind == "file":
        return read_molecule(source, charge=charge)
    if kind == "smiles":
        return _from_words(source, charge, attempts, seed)
    found = reference_molecule(source)
    if charge is not None and charge != found.charge:
        raise InvalidStructureError(
            f"{found.name} has a charge of {found.charge} e, but {charge} e was declared."
        )
    return found


def kind_of(source: str) -> Literal["file", "name", "smiles"]:
    """Return what a word is taken for: a molecule file, a packaged name, or else a SMILES."""
    if Path(source).is_file() or Path(source).suffix.lower() in SUFFIXES:
        return "file"
    word = source.strip().lower()
    return "name" if _ALIASES.get(word, word) in _packaged() else "smiles"


def _from_words(source: str, charge: int | None, attempts: int, seed: int) -> Molecule:
    """Return the molecule of a SMILES; where it is none, say that it is no name either."""
    try:
        return molecule_from_smiles(source, charge=charge, conformers=attempts, seed=seed)
    except InvalidStructureError as error:
        if _looks_like_smiles(source):
            raise
        try:
            return reference_molecule(source)
        except UnknownMoleculeError as unknown:
            why = "" if "Did you mean" in str(unknown) else f" As a SMILES: {error}"
            raise UnknownMoleculeError(f"{unknown}{why}") from error


def _looks_like_smiles(text: str) -> bool:
    """Return whether a text has a character of SMILES that names do not have."""
    return any(sign in text for sign in "()[]=#.@")


@cache
def _packaged() -> dict[str, Molecule]:
    text = files("superionic.structures").joinpath("data/molecules.sdf").read_text("utf-8")
    return {molecule.name: molecule for molecule in parse_sdf(text, "molecules.sdf")}
