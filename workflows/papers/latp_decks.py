"""Input decks for the LATP binding energies at the printed settings, from what was relaxed here."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from superionic.structures.molecule import boxed
from superionic.structures.structure import Structure
from superionic.workflows.serialise import write_bytes_atomic

if TYPE_CHECKING:
    from pathlib import Path

    from superionic.workflows.papers.latp_protocol import LatpProtocol
    from superionic.workflows.papers.latp_results import LatpResults

CODES = ("vasp", "castep")


@dataclass(frozen=True)
class WrittenDeck:
    """A deck in the results folder.

    Attributes
    ----------
    folder : str
        Relative to the results folder.
    code : str
        ``vasp`` or ``castep``.
    what : str
        Which structure, and where it comes from.
    formula : str
        Its atoms.
    """

    folder: str
    code: str
    what: str
    formula: str


def write_decks(
    place: Path, *, protocol: LatpProtocol, results: LatpResults
) -> tuple[WrittenDeck, ...]:
    """Write decks of slab, molecules and complexes for VASP and CASTEP.

    The slab is written once for each molecule, in the cell of its complex, as a binding energy
    needs it. A molecule without a converged complex gets none.

    Parameters
    ----------
    place
        The paper's folder; decks go to ``decks`` in it.
    protocol, results
        What was run, and what it found.
    """
    from superionic.inputs.decks import write_deck
    from superionic.inputs.dft_protocol import load_dft_protocol

    written = []
    for code in CODES:
        settings = load_dft_protocol(protocol.decks, code)
        for name, (structure, what) in _structures(results, protocol).items():
            folder = place / "decks" / code / name
            write_deck(settings.deck([structure], title=f"LATP (001), {name}"), folder)
            written.append(
                WrittenDeck(
                    folder.relative_to(place.parent).as_posix(), code, what, structure.formula
                )
            )
    (place / "decks").mkdir(parents=True, exist_ok=True)
    write_bytes_atomic(
        place / "decks" / "provenance.json",
        (json.dumps(_provenance(results, protocol), indent=2) + "\n").encode(),
    )
    return tuple(written)


def _structures(results: LatpResults, protocol: LatpProtocol) -> dict[str, tuple[Structure, str]]:
    """Return the structures of both binding energies by folder name."""
    found: dict[str, tuple[Structure, str]] = {}
    for result in results.both:
        if not result.terms:
            continue
        complex_, surface, molecule = result.terms[:3]
        name, vacuum = result.molecule.lower(), protocol.binding.box_vacuum_ang
        level = f"relaxed with {result.theory}"
        found[f"{name}-complex"] = (complex_.structure, f"best start {result.best_start}, {level}")
        found[f"{name}-slab"] = (surface.structure, f"bare slab in the same cell, {level}")
        found[f"{name}-molecule"] = (
            _boxed(molecule.structure, vacuum),
            f"molecule by itself in a box, {level}",
        )
    return found


def _boxed(structure: Structure, vacuum_ang: float) -> Structure:
    """Return a molecule in a periodic box."""
    from superionic.structures.molecule import free_molecule

    if all(structure.pbc):
        return structure
    return boxed(free_molecule(structure), vacuum_ang=vacuum_ang)


def _provenance(results: LatpResults, protocol: LatpProtocol) -> dict[str, object]:
    """Return where each structure comes from."""
    return {
        "theory": protocol.theory,
        "decks": protocol.decks,
        "binding": {
            result.molecule: {
                "verdict": result.verdict,
                "best_start": result.best_start,
                "settings_hash": result.settings_hash,
                "binding_energy_eV": result.binding_energy_eV,
            }
            for result in results.both
        },
    }
