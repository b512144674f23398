"""`superionic structure molecule`: write a molecule, or list the packaged ones."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from superionic.structures.errors import ConformerError
from superionic.workflows.commands.console import (
    Cell,
    chatter_to_stderr,
    emit_facts,
    emit_json,
    emit_table,
    note,
)
from superionic.workflows.commands.loading import check_output, write_atoms

if TYPE_CHECKING:
    from superionic.structures.molecule import Molecule


@dataclass(frozen=True)
class MoleculeRequest:
    """How a molecule is asked for on the command line.

    Attributes
    ----------
    source : str
        File, packaged name or SMILES.
    charge : int or None
        Total charge in e; None takes what the source says.
    conformer : int
        Which conformer of a SMILES, 0 for the lowest.
    attempts : int
        Embeddings of a SMILES to try.
    seed : int
        Of the embedding.
    """

    source: str
    charge: int | None
    conformer: int
    attempts: int
    seed: int

    def build(self) -> tuple[Molecule, dict[str, Any]]:
        """Return the molecule, and what is known of its conformers."""
        from superionic.structures.molecules import find_conformers, find_molecule, kind_of

        if kind_of(self.source) != "smiles":
            if self.conformer:
                raise typer.BadParameter(
                    f"{self.source!r} has one geometry; only a SMILES has several.",
                    param_hint="--conformer",
                )
            return find_molecule(self.source, charge=self.charge), {}
        with contextlib.suppress(ConformerError):  # says at once what is wrong with the word
            find_molecule(self.source, charge=self.charge, attempts=1)
        found = find_conformers(
            self.source, charge=self.charge, attempts=self.attempts, seed=self.seed
        )
        if self.conformer >= len(found):
            raise typer.BadParameter(
                f"{len(found)} conformer(s) were found, 0 to {len(found) - 1}; try more with "
                "--attempts.",
                param_hint="--conformer",
            )
        chosen = found[self.conformer]
        facts = {
            "conformers": len(found),
            "conformer": self.conformer,
            "above_lowest_eV": chosen.energy_eV,
            "force_field": chosen.force_field,
        }
        return chosen.molecule, facts


def write(
    request: MoleculeRequest, *, out: Path | None, box_ang: float | None, as_json: bool
) -> None:
    """Write a molecule or its box, and say what it is."""
    from superionic.structures.molecule_files import check_molecule_suffix
    from superionic.structures.molecules import boxed, image_separation, write_molecule

    if out is not None:
        if box_ang is None:
            check_molecule_suffix(out)
        else:
            check_output(out)
    with chatter_to_stderr():
        molecule, conformers = request.build()
        facts = described(molecule) | conformers
        if box_ang is not None:
            structure = boxed(molecule, vacuum_ang=box_ang)
            facts["box_ang"] = [float(x) for x in structure.cell.diagonal()]
            facts["image_separation_ang"] = image_separation(structure)
            if out is not None:
                write_atoms(out, structure)
        elif out is not None:
            write_molecule(molecule, out)
    facts = {"file": None if out is None else str(out), **facts}
    if as_json:
        emit_json(facts)
        return
    if "box_ang" in facts:
        facts["box_ang"] = " x ".join(f"{x:.3f}" for x in facts["box_ang"])
    emit_facts(facts)
    if out is None:
        note("note: nothing was written; name a file with -o.")


def described(molecule: Molecule) -> dict[str, Any]:
    """Return what a reader wants to know of a molecule."""
    return {
        "name": molecule.name,
        "formula": molecule.formula,
        "atoms": len(molecule),
        "charge": molecule.charge,
        "spin_multiplicity": molecule.spin_multiplicity,
        "length_ang": molecule.length_ang,
        "smiles": molecule.smiles or None,
        "source": molecule.source or None,
        "note": molecule.note or None,
    }


def show_packaged(*, as_json: bool) -> None:
    """List the packaged molecules."""
    from superionic.structures.molecules import reference_molecule, reference_molecules

    found = [reference_molecule(name) for name in reference_molecules()]
    if as_json:
        emit_json([described(molecule) for molecule in found])
        return
    rows: list[list[Cell]] = [[m.name, m.formula, m.charge, m.length_ang, m.smiles] for m in found]
    emit_table(["name", "formula", "charge e", "length A", "SMILES"], rows)
