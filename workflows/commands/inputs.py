"""`superionic inputs`: write decks of DFT codes, and compare them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from superionic.structures.errors import DeckError
from superionic.workflows.commands.console import (
    chatter_to_stderr,
    emit_facts,
    emit_json,
    emit_table,
    note,
    say,
)
from superionic.workflows.commands.loading import load_atoms

if TYPE_CHECKING:
    from superionic.inputs.deck import Deck
    from superionic.inputs.dft_protocol import DFTProtocol
    from superionic.structures.structure import Structure


@dataclass(frozen=True)
class DeckRequest:
    """How a deck is asked for on the command line.

    Attributes
    ----------
    code : str
        ``vasp``, ``castep`` or ``gpaw``.
    protocol : str
        Name or file of a protocol for DFT.
    end : str or None
        The other end of a band.
    images : int or None
        Its moving images; None leaves them to the protocol.
    changes : tuple of str
        Assignments such as ``spec.cutoff_eV=520``.
    fix_bottom : float
        Part of a slab's height whose atoms are held.
    title : str
        One line for the files.
    """

    code: str
    protocol: str
    end: str | None
    images: int | None
    changes: tuple[str, ...]
    fix_bottom: float
    title: str

    def build(self, source: str) -> Deck:
        """Read the protocol and the structures, and make the deck."""
        from superionic.inputs.deck_checks import bottom_atoms
        from superionic.inputs.dft_protocol import load_dft_protocol

        protocol = load_dft_protocol(self.protocol, self.code, self.changes)
        start = load_atoms(source).structure
        if self.fix_bottom:
            held = bottom_atoms(start, self.fix_bottom)
            protocol = replace(protocol, spec=replace(protocol.spec, fixed=held))
        structures = [start] if self.end is None else self._band(protocol, start, self.end)
        if self.end is None and self.images is not None:
            raise DeckError("--images is for a band: name its other end with --end.")
        return protocol.deck(structures, title=self.title)

    def _band(self, protocol: DFTProtocol, start: Structure, end: str) -> list[Structure]:
        from superionic.inputs.deck import check_ends
        from superionic.workflows.neb import band_guess

        if protocol.band is None:
            raise DeckError(
                f"Protocol {protocol.name} says nothing of bands: leave out --end, or add a table "
                "[band] to a protocol of your own."
            )
        last = load_atoms(end).structure
        check_ends(start, last)
        path = band_guess(start, last, self.images or protocol.band.images)
        return [start, *(start.with_positions(p) for p in path), last]


def make_deck(
    source: str,
    request: DeckRequest,
    *,
    out: Path,
    potentials: Path | None = None,
    as_json: bool,
) -> None:
    """Write a deck and say what it holds."""
    from superionic.inputs.decks import write_deck
    from superionic.inputs.notes import summary
    from superionic.inputs.vasp.deck import write_vasp

    if potentials is not None and not potentials.is_dir():
        raise DeckError(f"There is no folder of potentials {potentials}.")
    with chatter_to_stderr():
        deck = request.build(source)
        if request.code == "vasp":
            folder = write_vasp(deck, out, potentials=potentials)
        else:
            folder = write_deck(deck, out)
    files = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    facts: dict[str, Any] = {
        "folder": str(folder),
        "code": request.code,
        "protocol": request.protocol,
        "calculation": summary(deck.spec),
        "formula": deck.structure.formula,
        "atoms": len(deck.structure),
        "images": len(deck.structures),
        "files": files,
    }
    if as_json:
        emit_json(facts | {"spec": deck.spec, "order": deck.order})
    else:
        shown = files if len(files) <= 8 else [*files[:7], f"... ({len(files)} files)"]
        emit_facts(facts | {"files": " ".join(shown)})
    if (folder / "POTCAR.spec").is_file():
        note("note: no POTCAR was written; NOTES.md says how to join yours, or use --potentials.")
    note(f"note: read {folder / 'NOTES.md'} before you run it.")


def compare_decks(first: Path, second: Path, *, as_json: bool) -> None:
    """Show each difference between two decks; leave with 1 where the physics differs."""
    from superionic.inputs.compare import same_physics

    with chatter_to_stderr():
        found = same_physics(first, second)
    if as_json:
        emit_json({"same": found.same, "differences": found.differences, "remarks": found.remarks})
    else:
        if found.differences:
            rows = [[d.name, d.first, d.second, d.weight] for d in found.differences]
            emit_table(["difference", str(first), str(second), "weight"], rows)
        say("same physics" if found.same else "not the same physics")
        for remark in found.remarks:
            note(f"note: {remark}")
    if not found.same:
        raise typer.Exit(1)
