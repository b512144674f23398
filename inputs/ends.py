"""Decks for the ends of a band, whose energies the band itself does not compute."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from superionic.inputs.deck import Deck
from superionic.inputs.outputs.records import OutputFileError
from superionic.inputs.vasp.deck import load_vasp, write_vasp

if TYPE_CHECKING:
    from superionic.inputs.outputs.records import CollectedNEB


def write_end_decks(path: CollectedNEB, folder: Path) -> tuple[Path, ...]:
    """Write a static deck for each end of a VASP band that has no energy yet.

    The settings are those of the band's own INCAR, KPOINTS and potentials, so that the energies
    may be subtracted. Run the decks, then copy the OUTCAR files to ``00`` and ``NN`` of the band,
    or name the folders as its ends.

    Parameters
    ----------
    path
        A band as `collect` returns it.
    folder
        New or empty; decks are written to ``00`` and ``NN`` in it.

    Returns
    -------
    tuple of Path
        The folders written, one for each missing end.

    Raises
    ------
    OutputFileError
        Nothing is missing, or the path is no band of VASP.
    DeckError
        The band's own input cannot be read.
    """
    if path.code != "vasp" or path.kind != "band":
        raise OutputFileError(
            f"{path.folder} is no band of VASP: its images have decks of their own. Run those of "
            "the ends."
        )
    if not path.missing_ends:
        raise OutputFileError(f"Both ends of {path.folder} have their energies.")
    deck = load_vasp(Path(path.folder))
    return tuple(
        write_vasp(
            Deck(
                deck.spec.as_static(),
                (deck.structures[k],),
                deck.options,
                title=f"{deck.title} end {k:02d}"[:70],
                notes=(f"End {k:02d} of the band in {Path(path.folder).name}.",),
            ),
            folder / f"{k:02d}",
        )
        for k in path.missing_ends
    )
