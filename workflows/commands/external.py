"""`superionic run`: decks of external codes, each as a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from superionic.structures.errors import TaskFailedError
from superionic.workflows.commands.console import (
    chatter_to_stderr,
    emit_json,
    emit_table,
    note,
    say,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

COLUMNS = ("deck", "code", "state", "starts", "rungs", "folder", "reason")


def run_decks(
    decks: Sequence[Path], *, out: Path, workers: int | None, progress: bool, as_json: bool
) -> None:
    """Run decks side by side; the exit code is 0 only when all of them finished."""
    from superionic.workflows.commands.folders import claim_folder
    from superionic.workflows.execution import Run
    from superionic.workflows.external import DECK_JOBS, WORK, code_of, deck_files

    asked = [(code_of(deck), deck.absolute()) for deck in decks]
    folder = claim_folder(out, "run", {})
    rows: list[dict[str, Any]] = []
    with chatter_to_stderr(), Run(folder / "runs", workers=workers, progress=progress):
        futures = [DECK_JOBS[code].submit(code, deck, deck_files(deck)) for code, deck in asked]
        for (code, deck), future in zip(asked, futures, strict=True):
            row: dict[str, Any] = {"deck": deck.name, "code": code, "starts": None, "reason": ""}
            row["rungs"] = ""
            row["folder"] = str(future.folder / WORK)
            try:
                done = future.result()
                row |= {"state": done.state, "starts": done.starts, "rungs": "; ".join(done.rungs)}
            except TaskFailedError as error:
                row |= {"state": "failed", "reason": str(error)}
            rows.append(row)
    if as_json:
        emit_json(rows)
    else:
        emit_table(COLUMNS, [[row[name] for name in COLUMNS] for row in rows])
        say(f"`superionic collect {folder / 'runs'}` reads them back")
    if any(row["state"] != "finished" for row in rows):
        note("error: not every run finished.")
        raise typer.Exit(1)
