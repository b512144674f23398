"""The ions of a salt molecule, each with its charge."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.errors import InvalidStructureError
from superionic.structures.molecule import Molecule, framed

if TYPE_CHECKING:
    from collections.abc import Mapping


def is_salt(molecule: Molecule) -> bool:
    """Return whether a molecule consists of several parts without covalent bonds between them."""
    return len(molecule.fragments) > 1


def ions_of(molecule: Molecule, charges: Mapping[str, int] | None = None) -> tuple[Molecule, ...]:
    """Take a salt molecule apart into its ions, in the geometry that they have in it.

    Parameters
    ----------
    molecule
        An ion pair such as LiTFSI, with bonds.
    charges
        Formula of an ion (Hill order) and its charge in e; by default those of the SMILES.

    Returns
    -------
    tuple of Molecule
        Closed shells, in the order of `Molecule.fragments`.

    Raises
    ------
    InvalidStructureError
        It has one part only, its charges are not known, or they do not add up.
    """
    if not is_salt(molecule):
        raise InvalidStructureError(
            f"{molecule.name or molecule.formula} is one covalently bonded molecule; only a salt "
            "has ions."
        )
    known = dict(charges) if charges is not None else _charges_of(molecule.smiles)
    parts = molecule.fragments
    formulas = [molecule.structure.take(part).formula for part in parts]
    unknown = sorted(set(formulas) - set(known))
    if unknown:
        raise InvalidStructureError(
            f"The charge of {', '.join(unknown)} in {molecule.name or molecule.formula} is not "
            "known: give the molecule a SMILES, or name the charges."
        )
    if sum(known[f] for f in formulas) != molecule.charge:
        raise InvalidStructureError(
            f"The ions {dict(zip(formulas, (known[f] for f in formulas), strict=True))} do not add "
            f"up to the charge {molecule.charge:+d} of {molecule.name or molecule.formula}."
        )
    return tuple(
        _part(molecule, part, known[formula]) for part, formula in zip(parts, formulas, strict=True)
    )


def _part(molecule: Molecule, atoms: tuple[int, ...], charge: int) -> Molecule:
    """Return one ion."""
    place = {atom: k for k, atom in enumerate(atoms)}
    index = list(atoms)
    structure = framed(molecule.structure.numbers[index], molecule.positions[index])
    return replace(
        molecule,
        structure=structure,
        charge=charge,
        spin_multiplicity=1,
        name=f"{structure.formula}{charge:+d}",
        smiles="",
        note=f"Part of {molecule.name or molecule.formula}.",
        bonds=tuple((place[i], place[j], order) for i, j, order in molecule.bonds if i in place),
    )


def _charges_of(smiles: str) -> dict[str, int]:
    """Return formula and charge of each part of a SMILES; nothing where there is none."""
    if not smiles:
        return {}
    from rdkit import Chem
    from rdkit.Chem import GetMolFrags

    graph = Chem.MolFromSmiles(smiles)
    if graph is None:
        return {}
    found = {}
    for part in GetMolFrags(Chem.AddHs(graph), asMols=True):
        numbers = np.array([atom.GetAtomicNum() for atom in part.GetAtoms()])
        formula = framed(numbers, np.arange(3 * len(numbers)).reshape(-1, 3)).formula
        found[formula] = int(sum(atom.GetFormalCharge() for atom in part.GetAtoms()))
    return found
