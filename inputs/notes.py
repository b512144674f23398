"""The page that goes with a deck, for whoever runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superionic.inputs.combinations import NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from superionic.inputs.deck import Deck
    from superionic.inputs.dft import DFTSpec

ORDER_HEAD = "Atom order (place in the structure given, from 0, of each atom written):"


def format_notes(deck: Deck, found: Sequence[str]) -> str:
    """Return the page: what is computed, what to know, where each atom came from.

    Parameters
    ----------
    deck
        The deck.
    found
        What was noticed while it was written, besides the deck's own notes.
    """
    lines = [f"# {deck.title}", "", f"{NAMES[deck.code]} deck: {summary(deck.spec)}.", ""]
    notes = [*deck.notes, *found]
    if notes:
        lines += ["## To know before you run it", "", *(f"- {note}" for note in notes), ""]
    if deck.order != tuple(range(len(deck.order))):
        lines += [ORDER_HEAD, "", " ".join(map(str, deck.order)), ""]
    return "\n".join(lines)


def parse_order(text: str) -> tuple[int, ...]:
    """Return the atom order that a page tells; empty where the order is that of the structure."""
    _, found, rest = text.partition(ORDER_HEAD)
    return tuple(int(word) for word in rest.split()) if found else ()


def summary(spec: DFTSpec) -> str:
    """Return one line on a specification."""
    name = spec.functional.upper()
    if spec.dispersion != "none":
        name += f"-{spec.dispersion.upper()}"
    grid = " x ".join(str(n) for n in spec.kgrid.divisions)
    parts = [spec.task, name, f"{spec.cutoff_eV:g} eV", f"k grid {grid}"]
    if spec.spin.polarised:
        parts.append("spin-polarised")
    if spec.charge_e:
        parts.append(f"charge {spec.charge_e:+g} e")
    if spec.relax is not None and spec.relax.force_eV_per_A is not None:
        parts.append(f"forces to {spec.relax.force_eV_per_A:g} eV/A")
    if spec.band is not None:
        climb = "climbing " if spec.band.climb else ""
        parts.append(f"{climb}band of {spec.band.images} images")
    return ", ".join(parts)


def charge_statement(text: str, mark: str) -> str:
    """Return what a comment of an input file says of its charge; nothing where there is none.

    Parameters
    ----------
    text
        The file.
    mark
        What such a line starts with.
    """
    said = (line for line in text.splitlines() if line.startswith(mark))
    return next(said, "").removeprefix(mark).strip()
