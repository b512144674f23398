"""Writing the report: one HTML file that opens from disk and asks the network for nothing."""

from __future__ import annotations

import base64
import hashlib
import re
import struct
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from superionic.analysis.figures.style import write_atomically
from superionic.structures.errors import EvidenceError
from superionic.workflows.report.content import (
    Badge,
    CodeBlock,
    ReportFigure,
    ReportTable,
    ReportViewer,
)
from superionic.workflows.report.payload import viewer_payload

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

    from superionic.workflows.report.content import Block, Cell, ReportContent

_PNG = b"\x89PNG\r\n\x1a\n"
_CSS_PX_PER_IN = 96.0
_WIDE_PX = 560
_DOI = re.compile(
    r"(?:https?://(?:dx\.)?doi\.org/|doi:\s?)?(10\.\d{4,9}/[^\s<>\"'`]*[^\s<>\"'`.,;:)])"
)
_MARK = re.compile(rf"`([^`]+)`|{_DOI.pattern}")


def write_report(content: ReportContent, path: Path | str) -> Path:
    """Write a report as one self-contained HTML file.

    Figures, tables, paths and scripts are all inside; a content security policy forbids every
    request and every script but the three that are shipped. The file is written aside and
    renamed. The same content gives the same bytes.

    Parameters
    ----------
    content
        What to say.
    path
        The file; its folder is made.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    EvidenceError
        A picture is neither PNG nor SVG.
    OSError
        A picture cannot be read, or the file cannot be written.
    """
    target = Path(path)
    page = render_report(content).encode()
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomically({target: page})
    return target


def render_report(content: ReportContent) -> str:
    """Return the HTML of a report; see `write_report`."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("superionic.workflows.report", "templates")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    environment.filters.update(prose=prose, fixed=fixed)
    sections: list[dict[str, Any]] = [
        {
            "id": f"section-{k}",
            "heading": section.heading,
            "caution": section.caution,
            "blocks": [_block(b, f"block-{k}-{n}") for n, b in enumerate(section.blocks)],
        }
        for k, section in enumerate(content.sections)
    ]
    has_viewer = any(b["kind"] == "viewer" for s in sections for b in s["blocks"])
    names = ["report.js", *(["3Dmol-min.js", "viewer.js"] if has_viewer else [])]
    scripts = [asset(name) for name in names]
    return environment.get_template("report.html.j2").render(
        content=content,
        sections=sections,
        css=asset("report.css"),
        scripts=scripts,
        licence=asset("3Dmol-LICENSE.txt") if has_viewer else "",
        policy=security_policy(scripts),
    )


def asset(name: str) -> str:
    """Return the text of a packaged style sheet, script or licence."""
    return (files("superionic.workflows.report") / "assets" / name).read_text(encoding="utf-8")


def security_policy(scripts: Sequence[str]) -> str:
    """Return a policy that allows these inline scripts, inline style and embedded pictures only."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'"
        for s in scripts
    )
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; "
        "connect-src 'none'; base-uri 'none'; form-action 'none'"
    )


def prose(text: str) -> Markup:
    """Return escaped text in which `` `code` `` is set as code and a DOI is a link."""
    from markupsafe import Markup

    pieces: list[Markup] = []
    end = 0
    for match in _MARK.finditer(text):
        pieces.append(Markup.escape(text[end : match.start()]))
        code, doi = match.groups()
        if code is not None:
            pieces.append(Markup("<code>{}</code>").format(code))
        else:
            link = Markup('<a href="https://doi.org/{}">{}</a>')
            pieces.append(link.format(doi, match.group().removeprefix("https://")))
        end = match.end()
    pieces.append(Markup.escape(text[end:]))
    return Markup("").join(pieces)


def fixed(value: float, decimals: int) -> str:
    """Return a number with a true minus sign and no negative zero."""
    text = f"{value:.{decimals}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", "\N{MINUS SIGN}")


def _block(block: Block, identity: str) -> dict[str, Any]:
    """Return what the template needs to draw one block."""
    if isinstance(block, str):
        return {"kind": "text", "text": block}
    if isinstance(block, ReportTable):
        return {
            "kind": "table",
            "id": identity,
            "caption": block.caption,
            "header": block.header,
            "rows": block.rows,
            "decimals": block.decimals,
            "numeric": [_is_numeric(column) for column in zip(*block.rows, strict=True)]
            or [False] * len(block.header),
        }
    if isinstance(block, ReportFigure):
        return _figure(block)
    if isinstance(block, ReportViewer):
        payload = viewer_payload(block.models)
        return {"kind": "viewer", "id": identity, "caption": block.caption, "payload": payload}
    return _code(block)


def _code(block: CodeBlock) -> dict[str, Any]:
    return {"kind": "code", "title": block.title, "text": block.text}


def _is_numeric(column: Sequence[Cell]) -> bool:
    """Return whether a column holds numbers, words in place of numbers, and gaps."""
    numbers = [x for x in column if isinstance(x, (int, float)) and not isinstance(x, bool)]
    return bool(numbers) and not any(isinstance(x, (bool, Badge)) for x in column)


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
