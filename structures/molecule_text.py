"""A molecule as text: extended XYZ, V2000 blocks, and the data fields of SDF."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from superionic.structures.errors import StructureFileError

if TYPE_CHECKING:
    from superionic.structures.molecule import Molecule

_FIELDS = ("smiles", "source", "note")
_BOND_CODES = {1.0: 1, 2.0: 2, 3.0: 3, 1.5: 4}


def xyz_text(molecule: Molecule) -> str:
    """Return extended XYZ, with name, SMILES, charge and multiplicity in the comment line."""
    from ase import Atoms
    from ase.io import write

    atoms = Atoms(numbers=molecule.structure.numbers, positions=molecule.centred())
    atoms.info = {
        "name": molecule.name or molecule.formula,
        "charge": molecule.charge,
        "spin_multiplicity": molecule.spin_multiplicity,
    }
    if molecule.smiles:
        atoms.info["smiles"] = molecule.smiles
    buffer = io.StringIO()
    write(buffer, atoms, format="extxyz")
    return buffer.getvalue()


def mol_block(molecule: Molecule) -> str:
    """Return a V2000 block; total charge and multiplicity stand in its comment line."""
    if len(molecule) > 999 or len(molecule.bonds) > 999:
        raise StructureFileError(
            f"A V2000 file holds at most 999 atoms; this molecule has {len(molecule)}. Write .xyz."
        )
    lines = [
        molecule.name or molecule.formula,
        "  superionic          3D",
        f"charge={molecule.charge} spin_multiplicity={molecule.spin_multiplicity}",
        f"{len(molecule):3d}{len(molecule.bonds):3d}  0  0  0  0  0  0  0  0999 V2000",
    ]
    lines += [
        f"{x:10.4f}{y:10.4f}{z:10.4f} {symbol:<3s} 0  0  0  0  0  0  0  0  0  0  0  0"
        for (x, y, z), symbol in zip(molecule.centred(), molecule.symbols, strict=True)
    ]
    lines += [f"{i + 1:3d}{j + 1:3d}{_BOND_CODES.get(o, 1):3d}  0" for i, j, o in molecule.bonds]
    lines += _charge_lines(molecule)
    return "\n".join([*lines, "M  END", ""])


def _charge_lines(molecule: Molecule) -> list[str]:
    """Return the formal charges where they follow from the SMILES."""
    from rdkit import Chem, rdBase

    if (not molecule.charge and len(molecule.fragments) == 1) or not molecule.smiles:
        return []
    with rdBase.BlockLogs():
        graph = Chem.MolFromSmiles(molecule.smiles)
    if graph is None:
        return []
    template = Chem.AddHs(graph)
    match = _match(molecule, template)
    charged = [
        (match[atom.GetIdx()], atom.GetFormalCharge())
        for atom in template.GetAtoms()
        if match and atom.GetFormalCharge()
    ]
    return [f"M  CHG  1 {k + 1:3d} {q:3d}" for k, q in sorted(charged)]


def _match(molecule: Molecule, template: Any) -> tuple[int, ...]:
    """Return which atom of the molecule each atom of its SMILES is; empty if they differ."""
    from rdkit import Chem

    def skeleton(numbers: Any, pairs: Any) -> Any:
        graph = Chem.RWMol()
        for number in numbers:
            atom = Chem.Atom(int(number))
            atom.SetNoImplicit(True)
            graph.AddAtom(atom)
        for i, j in pairs:
            graph.AddBond(int(i), int(j), Chem.BondType.SINGLE)
        return graph.GetMol()

    wanted = skeleton(
        [a.GetAtomicNum() for a in template.GetAtoms()],
        [(b.GetBeginAtomIdx(), b.GetEndAtomIdx()) for b in template.GetBonds()],
    )
    own = skeleton(molecule.structure.numbers, [(i, j) for i, j, _ in molecule.bonds])
    if wanted.GetNumAtoms() != own.GetNumAtoms() or wanted.GetNumBonds() != own.GetNumBonds():
        return ()
    return tuple(own.GetSubstructMatch(wanted))


def sdf_fields(molecule: Molecule) -> str:
    """Return charge, multiplicity, SMILES, source and note as data fields, and the end."""
    facts = {
        "charge": molecule.charge,
        "spin_multiplicity": molecule.spin_multiplicity,
        **{field: getattr(molecule, field) for field in _FIELDS},
    }
    fields = [f"> <{key}>\n{value}\n\n" for key, value in facts.items() if value != ""]
    return "".join(fields) + "$$$$\n"
