"""What mkdocs does beside turning Markdown into pages: tables, measured output, equations, links.

Equations become MathML while pages are built, so that reading them needs no network and no script.
"""

from __future__ import annotations

import html
import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import command_pages  # noqa: E402
import settings_tables  # noqa: E402
from latex2mathml.converter import convert  # noqa: E402

_OUTPUT = re.compile(r"^<!-- output: (\w+) -->$", re.MULTILINE)
_EQUATION = re.compile(
    r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</(?:span|div)>', re.DOTALL
)
_ROLE = re.compile(r":(?:func|class|meth|mod|attr):<code>~?(?:[\w.]*\.)?(\w+)</code>")
_DOI = re.compile(r"(?<![/\w])doi[ :](10\.\d{4,9}/[^\s<>\"]*[^\s<>\".,;:)])")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put tables of settings and commands, and what benchmarks printed, where a page asks."""
    markdown = _OUTPUT.sub(_measured, markdown)
    return command_pages.expand(settings_tables.expand(markdown))


def on_page_content(content: str, **_: Any) -> str:
    """Turn equations into MathML, DOIs into links, and roles of docstrings into plain code."""
    content = _EQUATION.sub(_mathml, content)
    content = _ROLE.sub(r"<code>\1</code>", content)
    return _DOI.sub(r'<a href="https://doi.org/\1">doi \1</a>', content)


def _measured(found: re.Match[str]) -> str:
    text = (HERE / "measured" / f"{found[1]}.txt").read_text(encoding="utf-8")
    return f"```text\n{text.rstrip()}\n```"


def _mathml(found: re.Match[str]) -> str:
    display = "inline" if found[2] == "(" else "block"
    return str(convert(html.unescape(found[3]).strip(), display=display))
