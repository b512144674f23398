"""Writing the report: one HTML file that opens from disk and asks the network for nothing."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from superionic.analysis.figures.style import write_atomically
from superionic.workflows.report.part import render_part
from superionic.workflows.report.templating import template

if TYPE_CHECKING:
    from collections.abc import Sequence

    from superionic.workflows.report.content import ReportContent
    from superionic.workflows.report.part import RenderedPart

__all__ = ["PageHead", "render_report", "write_report"]


@dataclass(frozen=True)
class PageHead:
    """What stands above several parts on one page.

    Attributes
    ----------
    title, subtitle : str
        Head of the page.
    summary : str
        One sentence on what the parts found.
    footer : str
        Last line.
    """

    title: str
    subtitle: str
    summary: str
    footer: str


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
    return _write(render_report(content), path)


def write_page(head: PageHead, parts: Sequence[RenderedPart], path: Path | str) -> Path:
    """Write several rendered reports as one page; see `write_report`.

    Parameters
    ----------
    head
        What stands above them.
    parts
        The reports, in reading order, each under a name of its own.
    path
        The file; its folder is made. A file with the same content is left alone.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    return _write(_page(parts, head), path)


def render_report(content: ReportContent) -> str:
    """Return the HTML of a report; see `write_report`."""
    return _page((render_part(content),), None)


def _page(parts: Sequence[RenderedPart], head: PageHead | None) -> str:
    """Return the HTML of a page of one report, or of several below a head."""
    viewer = any(part.viewer for part in parts)
    names = ["report.js", *(["3Dmol-min.js", "viewer.js"] if viewer else [])]
    scripts = [asset(name) for name in names]
    return template("report.html.j2").render(
        head=head,
        parts=parts,
        title=parts[0].title if head is None else head.title,
        footer=parts[0].footer if head is None else head.footer,
        css=asset("report.css"),
        scripts=scripts,
        licence=asset("3Dmol-LICENSE.txt") if viewer else "",
        policy=security_policy(scripts),
    )


def _write(page: str, path: Path | str) -> Path:
    """Write a page unless it is there already."""
    target, content = Path(path), page.encode()
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.is_file() or target.read_bytes() != content:
        write_atomically({target: content})
    return target


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
