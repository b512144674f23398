"""Citations: ``[@key]`` in a text, a numbered list below it, and BibTeX to take along."""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from superionic.structures.errors import EvidenceError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ENTRY = re.compile(r"@(\w+)\{([\w-]+),\n(.*?)\n\}", re.DOTALL)
_FIELD = re.compile(r"^\s*(\w+)\s*=\s*\{(.*)\},?$", re.MULTILINE)
_CITED = re.compile(r"\[(@[\w-]+(?:; ?@[\w-]+)*)\]")
_CHARACTERS = {
    "{\\o}": "ø",
    "{\\AA}": "Å",
    "$^\\circ$": "\N{DEGREE SIGN}",
    "$-$": "\N{MINUS SIGN}",
}
_ACCENTS = {'"': "\N{COMBINING DIAERESIS}", "'": "\N{COMBINING ACUTE ACCENT}"}


@dataclass(frozen=True)
class Reference:
    """A published work.

    Attributes
    ----------
    key : str
        How texts cite it.
    bibtex : str
        Its entry.
    fields : tuple of (str, str)
        Names and values of the entry.
    """

    key: str
    bibtex: str
    fields: tuple[tuple[str, str], ...]

    @property
    def line(self) -> str:
        """Authors, title, place and DOI in one line."""
        found = dict(self.fields)
        names = [_surname_last(name) for name in found["author"].split(" and ")]
        shown = ", ".join(names[:3]) + (" et al" if len(names) > 3 else "")
        place = ", ".join(
            found[name] for name in ("journal", "volume", "pages") if found.get(name)
        ).replace("--", "\N{EN DASH}")
        line = f"{shown}. {found['title']}. {place} ({found['year']}), doi {found['doi']}"
        return _plain(line)


@functools.cache
def known_references() -> Mapping[str, Reference]:
    """Return the packaged references by key."""
    text = (files("superionic.workflows.report") / "references.bib").read_text(encoding="utf-8")
    return {
        entry[2]: Reference(key=entry[2], bibtex=entry[0], fields=tuple(_FIELD.findall(entry[3])))
        for entry in _ENTRY.finditer(text)
    }


def cited(paragraphs: Sequence[str]) -> tuple[Reference, ...]:
    """Return the references that a text cites, in the order in which it first does.

    Raises
    ------
    EvidenceError
        It cites what is not among the packaged references.
    """
    known, keys = known_references(), dict.fromkeys(k for text in paragraphs for k in _keys(text))
    unknown = [key for key in keys if key not in known]
    if unknown:
        raise EvidenceError(
            f"No reference is called {', '.join(unknown)}; known: {', '.join(known)}."
        )
    return tuple(known[key] for key in keys)


def numbered(paragraphs: Sequence[str]) -> tuple[str, ...]:
    """Return a text with ``[1, 2]`` in the place of ``[@one; @two]``, numbered as by `cited`."""
    places = {reference.key: k + 1 for k, reference in enumerate(cited(paragraphs))}

    def number(match: re.Match[str]) -> str:
        return "[" + ", ".join(str(places[key]) for key in _keys(match[0])) + "]"

    return tuple(_CITED.sub(number, text) for text in paragraphs)


def bibtex(references: Sequence[Reference]) -> str:
    """Return the BibTeX entries of references."""
    return "\n\n".join(reference.bibtex for reference in references) + "\n"


def _keys(text: str) -> list[str]:
    """Return the keys that a text cites, with repetitions."""
    groups = (match[1] for match in _CITED.finditer(text))
    return [key.strip().removeprefix("@") for group in groups for key in group.split(";")]


def _plain(latex: str) -> str:
    """Return text without braces, and accents as characters."""

    def accented(match: re.Match[str]) -> str:
        return unicodedata.normalize("NFC", match[2] + _ACCENTS[match[1]])

    for command, character in _CHARACTERS.items():
        latex = latex.replace(command, character)
    text = re.sub(r"\\([\"'])(\w)", accented, latex)
    return text.replace("---", "\N{EM DASH}").replace("{", "").replace("}", "")


def _surname_last(name: str) -> str:
    """Return ``A. B. Name`` for ``Name, Ann Bea``."""
    surname, _, given = name.partition(", ")
    initials = " ".join(f"{part[0]}." for part in re.split(r"[ -]", given) if part)
    return f"{initials} {surname}".strip()
