"""Decks of any code: written, read, and made from a protocol."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from superionic.inputs.castep.deck import load_castep, write_castep
from superionic.inputs.gpaw.script import SCRIPT, write_gpaw
from superionic.inputs.vasp.deck import load_vasp, write_vasp
from superionic.structures.errors import DeckError

if TYPE_CHECKING:
    from superionic.inputs.deck import Deck
    from superionic.inputs.dft import DFTSpec


def write_deck(deck: Deck, folder: str | Path) -> Path:
    """Write a deck for the code that its options are for.

    Parameters
    ----------
    deck
        What to write.
    folder
        A new or empty folder.

    Returns
    -------
    Path
        The folder's full path.

    Raises
    ------
    DeckError
        The code cannot do it, or the folder holds something else. Then nothing is written.
    """
    return {"vasp": write_vasp, "castep": write_castep, "gpaw": write_gpaw}[deck.code](deck, folder)


def load_deck(folder: str | Path) -> Deck:
    """Read the input files of VASP or CASTEP in a folder, whoever wrote them.

    Defaults of the code stand in for what its files leave out.

    Raises
    ------
    DeckError
        No such folder or no deck in it, files that cannot be read or contradict each other, an
        unknown keyword, or a calculation of a kind that a specification has no words for.
    """
    place = Path(folder).expanduser()
    if not place.is_dir():
        raise DeckError(f"There is no folder {place}.")
    vasp, castep = (place / "INCAR").is_file(), any(place.glob("*.param"))
    if vasp and castep:
        raise DeckError(f"{place} holds decks of VASP and of CASTEP. Keep each in its own folder.")
    if vasp:
        return load_vasp(place)
    if castep:
        return load_castep(place)
    if (place / SCRIPT).is_file():
        raise DeckError(
            f"{place} holds a script for GPAW, which is not read back. Name a deck of VASP or "
            "CASTEP."
        )
    raise DeckError(
        f"{place} holds no deck: neither an INCAR file of VASP nor a .param file of CASTEP."
    )


def read_deck(folder: str | Path) -> DFTSpec:
    """Read what the input files of VASP or CASTEP in a folder ask for; see `load_deck`."""
    return load_deck(folder).spec
