"""What a report says: frozen values that any paper, or a user, fills in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from superionic.structures.errors import EvidenceError
from superionic.structures.structure import Structure, readonly

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Badge",
    "Block",
    "Cell",
    "CodeBlock",
    "Download",
    "Fact",
    "ReportContent",
    "ReportFigure",
    "ReportTable",
    "ReportViewer",
    "Section",
    "Tone",
    "Traced",
    "ViewerModel",
]

Tone = Literal["plain", "good", "warn", "bad"]
"""How a badge or a fact is coloured; its text must say the same without the colour."""


@dataclass(frozen=True)
class Badge:
    """A word that stands out, such as a verdict.

    Attributes
    ----------
    text : str
        The word.
    tone : str
        ``plain``, ``good``, ``warn`` or ``bad``.
    """

    text: str
    tone: Tone = "plain"


@dataclass(frozen=True)
class Traced:
    """A number that was worked out from others.

    A number that stands in a task's result needs none of this: it is found there.

    Attributes
    ----------
    value : float or None
        The number; None where there is no value.
    of : tuple
        Results, or numbers, that it was worked out from; the tasks that have those in their
        results are shown as its source.
    """

    value: float | None
    of: tuple[object, ...]


Cell = str | float | int | bool | None | Badge | Traced
"""One entry of a table; None where there is no value."""


def bare(cell: Cell) -> str | float | int | bool | Badge | None:
    """Return what a cell shows, without where it comes from."""
    return cell.value if isinstance(cell, Traced) else cell


@dataclass(frozen=True)
class ReportTable:
    """A table that readers can sort by any column.

    Attributes
    ----------
    caption : str
        What it shows.
    header : tuple of str
        Column names with their unit.
    rows : tuple of tuple
        Entries; a float is shown with ``decimals`` digits and sorted at full precision.
    decimals : int
        Digits after the point.

    Raises
    ------
    EvidenceError
        A row is not as long as the header, or a number is not finite.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    decimals: int = 3

    def __post_init__(self) -> None:
        """Validate."""
        for k, row in enumerate(self.rows):
            if len(row) != len(self.header):
                raise EvidenceError(
                    f"Table '{self.caption}': row {k} has {len(row)} entries for "
                    f"{len(self.header)} columns."
                )
            if not all(np.isfinite(x) for x in map(bare, row) if isinstance(x, float)):
                raise EvidenceError(
                    f"Table '{self.caption}': row {k} holds NaN or infinity; use None for no value."
                )


@dataclass(frozen=True)
class Download:
    """A small file that readers can save from the report.

    Attributes
    ----------
    name : str
        File name.
    content : bytes or Path
        Its bytes, or where to read them.
    media_type : str
        Such as ``text/csv``.
    """

    name: str
    content: bytes | Path
    media_type: str = "text/csv"


@dataclass(frozen=True)
class ReportFigure:
    """A picture with its caption.

    Attributes
    ----------
    image : bytes or Path
        PNG or SVG.
    caption : str
        What it shows.
    alt : str
        What a reader who cannot see it needs to know.
    downloads : tuple of Download
        The numbers behind it.
    """

    image: bytes | Path
    caption: str
    alt: str
    downloads: tuple[Download, ...] = ()


@dataclass(frozen=True, eq=False)
class ViewerModel:
    """One path, or one structure, in the interactive view.

    Attributes
    ----------
    name : str
        Shown in the list of paths.
    group : str
        Heading in that list; may be empty.
    structure : Structure
        Species, cell and labels.
    frames : ndarray
        Positions of all atoms in each image, in angstrom. shape=(images, atoms, 3)
    ion : int or None
        Index of the hopping ion; None for a plain structure.
    energies_eV : ndarray or None
        Energy of each image relative to the first, in eV; None where there is no value.
        shape=(images,)
    coordinate : ndarray or None
        Route coordinate of each image, 0 to 1; None for even steps. shape=(images,)
    note : str
        One sentence shown with it: the barrier, or why there is none.

    Raises
    ------
    EvidenceError
        Shapes disagree, or a number is not finite.
    """

    name: str
    group: str
    structure: Structure
    frames: NDArray[np.float64]
    ion: int | None = None
    energies_eV: NDArray[np.float64] | None = None
    coordinate: NDArray[np.float64] | None = None
    note: str = ""

    def __post_init__(self) -> None:
        """Validate and freeze."""
        object.__setattr__(self, "frames", readonly(self.frames, np.float64))
        n, images = len(self.structure), len(self.frames)
        shapes_agree = self.frames.shape == (images, n, 3) and images > 0
        for name in ("energies_eV", "coordinate"):
            values = getattr(self, name)
            if values is not None:
                frozen = readonly(values, np.float64)
                object.__setattr__(self, name, frozen)
                shapes_agree = shapes_agree and frozen.shape == (images,)
        if not shapes_agree or (self.ion is not None and not 0 <= self.ion < n):
            raise EvidenceError(
                f"Path '{self.name}': expected frames (images, {n}, 3), as many energies and "
                f"coordinates as images, and an ion below {n}; got frames {self.frames.shape} and "
                f"ion {self.ion}."
            )
        arrays = [a for a in (self.frames, self.energies_eV, self.coordinate) if a is not None]
        if not all(np.isfinite(a).all() for a in arrays):
            raise EvidenceError(f"Path '{self.name}': holds NaN or infinity.")


@dataclass(frozen=True)
class ReportViewer:
    """An interactive view of structures and paths, one shown at a time.

    Attributes
    ----------
    caption : str
        What it shows.
    models : tuple of ViewerModel
        What can be chosen; the first is shown first.
    """

    caption: str
    models: tuple[ViewerModel, ...]

    def __post_init__(self) -> None:
        """Validate."""
        if not self.models:
            raise EvidenceError(f"Viewer '{self.caption}' has nothing to show.")


@dataclass(frozen=True)
class CodeBlock:
    """Text shown as it is, folded until it is opened.

    Attributes
    ----------
    title : str
        Always shown.
    text : str
        Such as a resolved protocol.
    """

    title: str
    text: str


Block = str | ReportFigure | ReportTable | ReportViewer | CodeBlock
"""A piece of a section. Text is a paragraph: `` `code` `` is set as code, a DOI is linked."""


@dataclass(frozen=True)
class Section:
    """A heading and what follows it.

    Attributes
    ----------
    heading : str
        Also the entry in the table of contents.
    blocks : tuple
        Paragraphs, figures, tables, viewers and code in reading order.
    caution : bool
        Set apart, for what the report does not show.
    """

    heading: str
    blocks: tuple[Block, ...]
    caution: bool = False


@dataclass(frozen=True)
class Fact:
    """One of the few things to read first.

    Attributes
    ----------
    label : str
        What it is.
    value : str
        With its unit, or ``no value``.
    detail : str
        How it is known.
    tone : str
        As in `Badge`.
    of : tuple
        As in `Traced`.
    """

    label: str
    value: str
    detail: str = ""
    tone: Tone = "plain"
    of: tuple[object, ...] = ()


@dataclass(frozen=True)
class ReportContent:
    """A whole report.

    Attributes
    ----------
    title, subtitle : str
        Head of the page.
    facts : tuple of Fact
        Shown as cards under the title.
    sections : tuple of Section
        In reading order.
    footer : str
        Last line, such as the version that wrote it.
    """

    title: str
    subtitle: str
    facts: tuple[Fact, ...]
    sections: tuple[Section, ...]
    footer: str = ""
