"""`superionic handover`: decks for the images of a path that `superionic barrier` converged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from superionic.structures.errors import InvalidHopError, RunFolderError
from superionic.workflows.commands.console import chatter_to_stderr, emit_json, plain, say

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from superionic.workflows.handover import DeckCode


def hand_over_hop(
    folder: Path,
    hop: str,
    *,
    protocol: str,
    codes: Sequence[DeckCode],
    changes: Sequence[str],
    out: Path,
    as_json: bool,
) -> None:
    """Write decks for the images of a converged hop in a folder of `superionic barrier`."""
    from superionic.inputs.dft_protocol import load_dft_protocol
    from superionic.workflows.commands.barrier_files import listed_rows
    from superionic.workflows.commands.folders import read_marker
    from superionic.workflows.handover import hand_over
    from superionic.workflows.runfolder import load_result

    maker = read_marker(folder).get("command")
    if maker != "barrier":
        raise RunFolderError(
            f"{folder} was made by `superionic {maker}` and has no hops. Name a folder of "
            "`superionic barrier`."
        )
    row = _row(listed_rows(folder.expanduser()), hop)
    if not row["converged"]:
        why = str(row["reason"]).rstrip(".")
        raise InvalidHopError(
            f"Hop {row['hop']} has no converged path ({why}); hand over another, or converge it "
            "first."
        )
    with chatter_to_stderr():
        result = load_result(folder.expanduser() / str(row["task"]))
        settings = {code: load_dft_protocol(protocol, code, changes) for code in codes}
        record = hand_over(result, settings, out.expanduser())
    if as_json:
        emit_json(plain(record))
        return
    places = dict.fromkeys(place.rsplit("/", 1)[0] for place in record.images[0].folders)
    for place in places:
        say(f"{out / place}: {len(record.images)} images")
    say(
        f"Run them there; `superionic collect {out}` then compares them with {record.theory}, "
        "image by image."
    )


def _row(rows: Sequence[dict[str, Any]], hop: str) -> dict[str, Any]:
    """Return the row of a hop by its place or key."""
    for row in rows:
        if hop in (str(row["hop"]), row["key"]):
            return row
    if not rows:
        raise RunFolderError("The folder lists no hops.")
    known = ", ".join(str(row["hop"]) for row in rows)
    raise InvalidHopError(f"There is no hop '{hop}' in the folder; it holds {known}.")
