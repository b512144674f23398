"""A part of a page: one report, rendered once, so that pages are put together from files."""

from __future__ import annotations

import base64
import json
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from superionic.structures.errors import EvidenceError
from superionic.workflows.report.content import (
    Badge,
    CodeBlock,
    ReportFigure,
    ReportTable,
    ReportViewer,
    Traced,
    bare,
)
from superionic.workflows.report.payload import script_safe, viewer_payload
from superionic.workflows.report.task_records import task_records

if TYPE_CHECKING:
    from collections.abc import Sequence

    from superionic.workflows.report.content import Block, Cell, Fact, ReportContent, Tone
    from superionic.workflows.report.sources import TaskIndex

_PNG = b"\x89PNG\r\n\x1a\n"
_CSS_PX_PER_IN = 96.0
_WIDE_PX = 560


@dataclass(frozen=True)
class RenderedFact:
    """A fact as the page shows it.

    Attributes
    ----------
    label, value, detail, tone : str
        As in `Fact`.
    tasks : str
        Numbers of the tasks behind it, separated by spaces.
    """

    label: str
    value: str
    detail: str
    tone: Tone
    tasks: str


@dataclass(frozen=True)
class RenderedSection:
    """A section as the page shows it.

    Attributes
    ----------
    identity : str
        Of its element.
    heading : str
        As in `Section`.
    caution : bool
        As in `Section`.
    html : str
        Its blocks.
    """

    identity: str
    heading: str
    caution: bool
    html: str


@dataclass(frozen=True)
class RenderedPart:
    """One report as a part of a page.

    Attributes
    ----------
    name : str
        Begins the identities of its elements.
    title, subtitle : str
        Head of the part.
    facts : tuple of RenderedFact
        What to read first.
    sections : tuple of RenderedSection
        In reading order.
    footer : str
        Last line.
    viewer : bool
        Whether it has interactive views.
    tasks : str
        JSON on the tasks behind its numbers, safe inside a script element; empty for none.
    """

    name: str
    title: str
    subtitle: str
    facts: tuple[RenderedFact, ...]
    sections: tuple[RenderedSection, ...]
    footer: str
    viewer: bool
    tasks: str


def render_part(
    content: ReportContent, *, name: str = "report", index: TaskIndex | None = None
) -> RenderedPart:
    """Return a report as a part of a page.

    Parameters
    ----------
    content
        What to say.
    name
        Begins the identities of its elements; differs between the parts of a page.
    index
        Finds the tasks behind its numbers.

    Raises
    ------
    EvidenceError
        A picture is neither PNG nor SVG.
    OSError
        A picture cannot be read.
    """
    from superionic.workflows.report.templating import template

    blocks = template("blocks.html.j2")
    sections = tuple(
        RenderedSection(
            identity=f"{name}-{k}",
            heading=section.heading,
            caution=section.caution,
            html=blocks.render(
                blocks=[
                    _block(block, f"{name}-{k}-{n}", index)
                    for n, block in enumerate(section.blocks)
                ]
            ),
        )
        for k, section in enumerate(content.sections)
    )
    tasks = script_safe(_json(task_records(index.runs, index.keys))) if index is not None else ""
    return RenderedPart(
        name=name,
        title=content.title,
        subtitle=content.subtitle,
        facts=tuple(_fact(fact, index) for fact in content.facts),
        sections=sections,
        footer=content.footer,
        viewer=any(isinstance(b, ReportViewer) for s in content.sections for b in s.blocks),
        tasks=tasks,
    )


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def _fact(fact: Fact, index: TaskIndex | None) -> RenderedFact:
    return RenderedFact(fact.label, fact.value, fact.detail, fact.tone, _tasks_of(fact.of, index))


def _tasks_of(source: object, index: TaskIndex | None) -> str:
    """Return the numbers of the tasks behind something, as text."""
    return "" if index is None else " ".join(map(str, index.tasks_of(source)))


def _block(block: Block, identity: str, index: TaskIndex | None) -> dict[str, Any]:
    """Return what the template needs to draw one block."""
    if isinstance(block, str):
        return {"kind": "text", "text": block}
    if isinstance(block, ReportTable):
        return _table(block, identity, index)
    if isinstance(block, ReportFigure):
        return _figure(block)
    if isinstance(block, ReportViewer):
        payload = viewer_payload(block.models)
        return {"kind": "viewer", "id": identity, "caption": block.caption, "payload": payload}
    return _code(block)


def _code(block: CodeBlock) -> dict[str, Any]:
    return {"kind": "code", "title": block.title, "text": block.text}


def _table(block: ReportTable, identity: str, index: TaskIndex | None) -> dict[str, Any]:
    """Return a table, each number with the tasks behind it."""
    return {
        "kind": "table",
        "id": identity,
        "caption": block.caption,
        "header": block.header,
        "rows": [
            [(bare(c), _tasks_of(c, index) if _is_number(c) else "") for c in row]
            for row in block.rows
        ],
        "decimals": block.decimals,
        "numeric": [_is_numeric(column) for column in zip(*block.rows, strict=True)]
        or [False] * len(block.header),
    }


def _is_number(cell: Cell) -> bool:
    return isinstance(cell, (float, Traced))


def _is_numeric(column: Sequence[Cell]) -> bool:
    """Return whether a column holds numbers, words in place of numbers, and gaps."""
    shown = [bare(cell) for cell in column]
    numbers = [x for x in shown if isinstance(x, (int, float)) and not isinstance(x, bool)]
    return bool(numbers) and not any(isinstance(x, (bool, Badge)) for x in shown)


def _figure(block: ReportFigure) -> dict[str, Any]:
    """Return a picture with its size in CSS pixels, as wide as it would be printed or wider."""
    image = _bytes_of(block.image)
    media_type, width, height = _picture(image)
    return {
        "kind": "figure",
        "source": _data_url(image, media_type),
        "alt": block.alt,
        "caption": block.caption,
        "width": width,
        "height": height,
        "wide": width > _WIDE_PX,
        "downloads": [
            {"name": d.name, "source": _data_url(_bytes_of(d.content), d.media_type)}
            for d in block.downloads
        ],
    }


def _picture(image: bytes) -> tuple[str, int, int]:
    """Return media type, width and height (CSS pixels) of a PNG or SVG."""
    if image.startswith(_PNG):
        width, height = struct.unpack(">II", image[16:24])
        scale = 1.3 * _CSS_PX_PER_IN / 300.0
        return "image/png", round(width * scale), round(height * scale)
    head = image[:2000].decode("utf-8", errors="replace")
    box = re.search(r'<svg[^>]*viewBox="[\d.]+ [\d.]+ ([\d.]+) ([\d.]+)"', head)
    if box is None:
        raise EvidenceError(
            "A figure of a report must be a PNG, or an SVG with a viewBox; got bytes that start "
            f"with {image[:16]!r}."
        )
    scale = 1.3 * _CSS_PX_PER_IN / 72.0
    return "image/svg+xml", round(float(box[1]) * scale), round(float(box[2]) * scale)


def _bytes_of(content: bytes | Path) -> bytes:
    return content if isinstance(content, bytes) else content.read_bytes()


def _data_url(content: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"
