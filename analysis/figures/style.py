"""One look for every figure, and one way to write it: PNG, SVG and the numbers as CSV."""

from __future__ import annotations

import csv
import io
import os
import re
import tempfile
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.structures.errors import EvidenceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure

__all__ = [
    "DOUBLE_COLUMN_IN",
    "DPI",
    "FAINT",
    "GRID",
    "INK",
    "OKABE_ITO",
    "PAPER",
    "SCREEN_DPI",
    "SERIES_COLOURS",
    "SERIES_MARKERS",
    "SINGLE_COLUMN_IN",
    "SLIDES",
    "STYLES",
    "Cell",
    "FigureData",
    "FigureStyle",
    "SavedFigure",
    "drawn_for",
    "figure_style",
    "save_figure",
]

OKABE_ITO: dict[str, str] = {
    "blue": "#0072B2",
    "vermillion": "#D55E00",
    "green": "#009E73",
    "purple": "#CC79A7",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "yellow": "#F0E442",
    "black": "#000000",
}
"""Colours told apart by readers with any common colour vision (Okabe and Ito, 2008)."""

SERIES_COLOURS: tuple[str, ...] = tuple(
    OKABE_ITO[name] for name in ("blue", "vermillion", "green", "purple", "orange", "sky")
)
SERIES_MARKERS: tuple[str, ...] = ("o", "s", "^", "D", "v", "P")
"""Every series differs in marker as well as in colour, so that grey prints stay readable."""

INK = "#1a1a1a"
FAINT = "#6b6b6b"
GRID = "#e3e3e3"

SINGLE_COLUMN_IN = 3.5
DOUBLE_COLUMN_IN = 7.2
DPI = 300
SCREEN_DPI = 100

_RC: Any = {  # typed by matplotlib only in some of its versions
    "font.family": "DejaVu Sans",
    "font.size": 8.0,
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8.0,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "text.color": INK,
    "text.parse_math": False,  # a hop may be called "Na$1"
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "lines.linewidth": 1.4,
    "lines.markersize": 4.5,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.hashsalt": "superionic",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,  # text stays text that an editor can change
}

Cell = str | float | int | bool | None
"""One entry of a figure's table; None where there is no value."""


@dataclass(frozen=True)
class FigureData:
    """The numbers that a figure draws.

    Attributes
    ----------
    header : tuple of str
        Column names with their unit, such as ``energy_eV``.
    rows : tuple of tuple
        Entries: text, number, truth value, or None where there is no value.

    Raises
    ------
    EvidenceError
        A row is not as long as the header, or a number is not finite.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def __post_init__(self) -> None:
        """Validate."""
        for k, row in enumerate(self.rows):
            if len(row) != len(self.header):
                raise EvidenceError(
                    f"Row {k} has {len(row)} entries for {len(self.header)} columns: {row}."
                )
            if not all(np.isfinite(x) for x in row if isinstance(x, float)):
                raise EvidenceError(f"Row {k} holds NaN or infinity; use None for no value: {row}.")

    def to_csv(self) -> str:
        """Return the table as CSV; numbers read back to the same bits, None is an empty field."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.header)
        writer.writerows([_csv_field(x) for x in row] for row in self.rows)
        return text.getvalue()


@dataclass(frozen=True)
class FigureStyle:
    """What figures are drawn for.

    Attributes
    ----------
    name : str
        Such as ``paper``.
    magnified : float
        How much larger than in a paper they are shown, text and lines with them: size of the SVG,
        and pixels of the PNG, which has `DPI` at that size.
    transparent : bool
        Leave the background out.
    pdf : bool
        Write a PDF too, in the size of a paper.
    """

    name: str
    magnified: float = 1.0
    transparent: bool = False
    pdf: bool = True


PAPER = FigureStyle("paper")
SLIDES = FigureStyle("slides", magnified=13.33 / DOUBLE_COLUMN_IN, transparent=True)
"""A figure of two columns then fills a slide of 13.33 inches, its text 15 points high."""
STYLES: dict[str, FigureStyle] = {style.name: style for style in (PAPER, SLIDES)}

_REPORT = FigureStyle("report", pdf=False)
_DRAWN_FOR: ContextVar[FigureStyle] = ContextVar("drawn_for", default=_REPORT)


@dataclass(frozen=True)
class SavedFigure:
    """Where a figure was written.

    Attributes
    ----------
    png, svg, csv : Path
        Files of one stem.
    pdf : Path or None
        Another one where the style asks for it.
    """

    png: Path
    svg: Path
    csv: Path
    pdf: Path | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """All that was written."""
        return (self.png, self.svg, *((self.pdf,) if self.pdf is not None else ()), self.csv)

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """Return the picture for a notebook, with its width on the page in pixels."""
        pixels = self.png.read_bytes()
        wide = int.from_bytes(pixels[16:20], "big")  # the first chunk of a PNG begins with it
        return pixels, {"width": round(wide * SCREEN_DPI / DPI)}


@contextmanager
def drawn_for(style: FigureStyle) -> Iterator[None]:
    """Draw and save figures in a style inside this context."""
    token = _DRAWN_FOR.set(style)
    try:
        yield
    finally:
        _DRAWN_FOR.reset(token)


@contextmanager
def figure_style() -> Iterator[None]:
    """Draw in the package's style inside this context; settings outside are left alone."""
    from matplotlib import rc_context

    with rc_context(_RC):
        yield


def new_figure(width_in: float, height_in: float) -> Figure:
    """Return an empty figure of a size in inches, with automatic layout and no global state."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    layout = ConstrainedLayoutEngine(w_pad=0.07, h_pad=0.05)
    return Figure(figsize=(width_in, height_in), layout=layout)


def series_style(index: int) -> tuple[str, str]:
    """Return colour and marker of the ``index``-th series."""
    return (
        SERIES_COLOURS[index % len(SERIES_COLOURS)],
        SERIES_MARKERS[index % len(SERIES_MARKERS)],
    )


def joined(*parts: str) -> str:
    """Return what there is of several remarks as one line."""
    return " · ".join(part for part in parts if part)


def save_figure(figure: Figure, stem: Path | str, data: FigureData) -> SavedFigure:
    """Write ``stem.png`` (300 dpi), ``stem.svg`` and ``stem.csv``, in some styles ``stem.pdf``.

    The same figure gives the same bytes: no dates, no version, fixed SVG identifiers. All of them
    are written aside first and renamed at the end, so that a full disk leaves the old ones whole.

    Parameters
    ----------
    figure
        The figure.
    stem
        Path without suffix; its folder is made.
    data
        The numbers that the figure draws.

    Raises
    ------
    OSError
        The folder cannot be written.
    """
    target = Path(stem)
    contents = {
        ".png": _render(figure, "png", {"Software": None}),
        ".svg": _render(figure, "svg", {"Date": None, "Creator": None}),
        ".csv": data.to_csv().encode(),
    }
    if _DRAWN_FOR.get().pdf:
        nothing = dict.fromkeys(("CreationDate", "Creator", "Producer"))
        contents[".pdf"] = _render(figure, "pdf", nothing)
    target.parent.mkdir(parents=True, exist_ok=True)
    paths = {suffix: target.with_name(target.name + suffix) for suffix in contents}
    write_atomically({paths[suffix]: content for suffix, content in contents.items()})
    return SavedFigure(paths[".png"], paths[".svg"], paths[".csv"], paths.get(".pdf"))


def write_atomically(contents: dict[Path, bytes]) -> None:
    """Write files by temporary name and rename; none is renamed until all are on disk."""
    written: list[tuple[str, Path]] = []
    try:
        for path, content in contents.items():
            handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
            written.append((name, path))
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o644)
        while written:
            name, path = written[0]
            Path(name).replace(path)
            written.pop(0)
    finally:
        for name, _ in written:
            Path(name).unlink(missing_ok=True)


def _render(figure: Figure, kind: str, metadata: dict[str, str | None]) -> bytes:
    """Return the bytes of one picture format."""
    stream, style = io.BytesIO(), _DRAWN_FOR.get()
    smaller: dict[str, Any] = {"pil_kwargs": {"optimize": True}} if kind == "png" else {}
    dpi = DPI * style.magnified if kind == "png" else DPI
    with figure_style():
        figure.savefig(
            stream,
            format=kind,
            dpi=dpi,
            metadata=metadata,
            transparent=style.transparent,
            **smaller,
        )
    content = stream.getvalue()
    return _magnified_svg(content, style.magnified) if kind == "svg" else content


def _magnified_svg(content: bytes, factor: float) -> bytes:
    """Return an SVG that is shown larger; what it draws is left alone."""
    if factor == 1.0:
        return content

    def larger(match: re.Match[bytes]) -> bytes:
        return b'%s="%.4fpt"' % (match[1], factor * float(match[2]))

    head, tag, rest = content.partition(b"<svg")
    attributes, end, body = rest.partition(b">")
    return head + tag + re.sub(rb'(width|height)="([\d.]+)pt"', larger, attributes) + end + body


def _csv_field(value: Cell) -> str:
    """Return a CSV field; ``repr`` of a float is the shortest text that reads back exactly."""
    if value is None:
        return ""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (float, np.floating)):
        return repr(float(value))
    return str(value)
