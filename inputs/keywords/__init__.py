"""Lists of the keywords that codes know, against which every deck is checked.

A misspelt keyword is worse than a missing one: VASP passes over it in silence.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

from superionic.inputs.typed import did_you_mean
from superionic.structures.errors import DeckError

if TYPE_CHECKING:
    from collections.abc import Iterable

Kind = Literal["INCAR", "cell", "param"]

_FILES = {"INCAR": "incar.txt", "cell": "cell.txt", "param": "param.txt"}


@cache
def known_keywords(kind: str) -> frozenset[str]:
    """Return the keywords of a file, as its manual writes them; ``*`` stands for any rest.

    Parameters
    ----------
    kind
        ``INCAR``, ``cell`` or ``param``.
    """
    text = files("superionic.inputs").joinpath("keywords", _FILES[kind]).read_text("utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return frozenset(word for line in lines for word in line.split())


def check_keywords(kind: Kind | str, words: Iterable[str], *, where: str) -> None:
    """Raise unless every word is a keyword; case does not matter.

    Parameters
    ----------
    kind
        ``INCAR``, ``cell`` or ``param``.
    words
        Keywords to check.
    where
        How the message names their place.

    Raises
    ------
    DeckError
        Names the first unknown one, and the nearest that there are.
    """
    known = known_keywords(kind)
    stems = tuple(word[:-1] for word in known if word.endswith("*"))
    upper = kind == "INCAR"
    for word in words:
        name = word.upper() if upper else word.lower()
        if name in known or (stems and name.startswith(stems)):
            continue
        plain = sorted(word for word in known if not word.endswith("*"))
        guess = did_you_mean(name, plain)
        if guess.startswith("Known"):
            guess = "Look it up in the manual of the code."
        what = "tag" if upper else "keyword"
        raise DeckError(f"{where}: there is no {kind} {what} '{word}'. {guess}")
