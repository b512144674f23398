"""Where the results of analyses go: standard output, a folder, a figure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from superionic.structures.errors import EvidenceError
from superionic.workflows.commands.console import emit_json, plain, say
from superionic.workflows.serialise import encode, write_json_atomic

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from superionic.analysis.figures.style import SavedFigure

PICTURES = (".png", ".svg")


@dataclass(frozen=True)
class Keeping:
    """What is asked of a result.

    Attributes
    ----------
    out : Path or None
        Folder for figure, table and the result to all digits.
    plot : Path or None
        File for the figure alone, PNG or SVG; the other and the table are written beside it.
    as_json : bool
        JSON on standard output, nothing else with it.
    """

    out: Path | None
    plot: Path | None
    as_json: bool

    def __post_init__(self) -> None:
        """Refuse figures of other kinds before anything is computed."""
        if self.plot is not None and self.plot.suffix.lower() not in PICTURES:
            raise EvidenceError(
                f"A figure is written as {' or '.join(PICTURES)}, not as {self.plot.name!r}: its "
                "twin and its table (.csv) come beside it."
            )

    def keep(
        self, stem: str, results: dict[str, Any], draw: Callable[[str], SavedFigure] | None
    ) -> list[str]:
        """Write what was asked for; return the files.

        Parameters
        ----------
        stem
            Of the files in the folder.
        results
            What is kept to all digits.
        draw
            Writes the figure to a stem; None where there is nothing to draw.

        Raises
        ------
        EvidenceError
            A figure was asked for, and there is nothing to draw.
        """
        written: list[str] = []
        if self.plot is not None:
            if draw is None:
                raise EvidenceError("There is nothing to draw: all values are zero.")
            written += _files(draw(str(self.plot.expanduser().with_suffix(""))))
        if self.out is not None:
            target = self.out.expanduser()
            target.mkdir(parents=True, exist_ok=True)
            if draw is not None:
                written += _files(draw(str(target / stem)))
            path = target / f"{stem}.json"
            write_json_atomic(path, encode(results))
            written.append(str(path))
        return written

    def emit(
        self, record: object, written: list[str], *, without: tuple[str, ...] = (), **more: object
    ) -> None:
        """Write a result as JSON, without its long arrays."""
        told: dict[str, Any] = plain(record)
        for name in without:
            told.pop(name)
        emit_json({**told, **more, "written": written})


def tell(written: list[str]) -> None:
    """Name the files that were written."""
    for path in written:
        say(f"wrote {path}")


def _files(saved: SavedFigure) -> list[str]:
    return [str(saved.png), str(saved.svg), str(saved.csv)]
