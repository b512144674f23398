"""The templates of a page, and how text and numbers are set in them."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment, Template
    from markupsafe import Markup

_DOI = re.compile(
    r"(?:https?://(?:dx\.)?doi\.org/|doi:\s?)?(10\.\d{4,9}/[^\s<>\"'`]*[^\s<>\"'`.,;:)])"
)
_MARK = re.compile(rf"`([^`]+)`|{_DOI.pattern}")


def template(name: str) -> Template:
    """Return a packaged template."""
    return _environment().get_template(name)


@functools.cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("superionic.workflows.report", "templates")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    environment.filters.update(prose=prose, fixed=fixed)
    return environment


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
