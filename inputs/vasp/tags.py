"""INCAR tags: which the specification decides, and how values are written and read."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from superionic.structures.errors import DeckError

if TYPE_CHECKING:
    from collections.abc import Mapping

SPEC_TAGS = {
    "SYSTEM": "the deck's title",
    "PREC": "the option precision",
    "ENCUT": "cutoff_eV",
    "GGA": "functional",
    "METAGGA": "functional",
    "XC": "functional",
    "LHFCALC": "functional",
    "HFSCREEN": "functional",
    "AEXX": "functional",
    "AGGAX": "functional",
    "AGGAC": "functional",
    "ALDAC": "functional",
    "LUSE_VDW": "functional",
    "IVDW": "dispersion",
    "EDIFF": "scf_energy_eV",
    "NELM": "scf_max_steps",
    "ISMEAR": "smearing",
    "SIGMA": "smearing",
    "ISPIN": "spin",
    "MAGMOM": "spin",
    "NUPDOWN": "spin",
    "LNONCOLLINEAR": "spin",
    "LSORBIT": "spin",
    "NELECT": "charge_e",
    "LDAU": "hubbard_u_eV",
    "LDAUTYPE": "hubbard_u_eV",
    "LDAUL": "hubbard_u_eV",
    "LDAUU": "hubbard_u_eV",
    "LDAUJ": "hubbard_u_eV",
    "IBRION": "relax or band",
    "NSW": "relax or band",
    "ISIF": "relax or band",
    "EDIFFG": "relax or band",
    "POTIM": "relax or band",
    "IOPT": "relax or band",
    "IMAGES": "band",
    "SPRING": "band",
    "LCLIMB": "band",
    "LDIPOL": "dipole_axis",
    "IDIPOL": "dipole_axis",
    "DIPOL": "dipole_axis",
    "KSPACING": "kgrid",
    "KGAMMA": "kgrid",
}
"""Tags that extra ones may not repeat, and what decides them."""

CHARGE_COMMENT = "# charge:"
"""Starts the comment line that holds the statement on a charged cell."""


def as_text(value: str | int | float | bool) -> str:
    """Return the value of a tag as VASP reads it."""
    if isinstance(value, bool):
        return ".TRUE." if value else ".FALSE."
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def format_incar(tags: Mapping[str, str], comments: tuple[str, ...] = ()) -> str:
    """Return the text of an INCAR file: comment lines, then one tag a line."""
    width = max(map(len, tags))
    lines = [*comments, *(f"{tag:<{width}} = {value}" for tag, value in tags.items())]
    return "\n".join(lines) + "\n"


def parse_incar(text: str) -> dict[str, str]:
    """Return the tags of an INCAR file, upper case, with their values as text.

    Comments, several tags on a line with ``;``, lines continued with a backslash and quoted
    values over several lines are understood.

    Raises
    ------
    DeckError
        A line that is no tag, or a tag given twice with two values.
    """
    tags: dict[str, str] = {}
    quoted = re.compile(r'([A-Za-z_0-9]+)\s*=\s*"([^"]*)"')
    text = re.sub(r"(?m)^\s*[#!].*", "", text)
    for name, value in quoted.findall(text):
        tags[name.upper()] = " ".join(value.split())
    plain = quoted.sub("", text)
    plain = re.sub(r"[#!].*", "", plain)
    plain = re.sub(r"\\[ \t]*\n", " ", plain)
    for statement in re.split(r"[;\n]", plain):
        if not statement.strip():
            continue
        name, equals, value = statement.partition("=")
        name, value = name.strip().upper(), " ".join(value.split())
        if not equals or not re.fullmatch(r"[A-Z_][A-Z_0-9]*", name) or not value:
            raise DeckError(
                f"INCAR: '{statement.strip()}' is no tag with a value. Write TAG = value, and '#' "
                "before comments."
            )
        if tags.get(name, value) != value:
            raise DeckError(
                f"INCAR: {name} is given twice, as {tags[name]} and {value}. VASP takes the first; "
                "delete one."
            )
        tags[name] = value
    return tags


class Tags:
    """Typed access to the tags of an INCAR file, with the defaults of VASP."""

    def __init__(self, tags: Mapping[str, str]) -> None:
        self.tags = dict(tags)

    def number(self, tag: str, default: float) -> float:
        """Return a real number."""
        if tag not in self.tags:
            return default
        try:
            value = float(self.tags[tag].split()[0].lower().replace("d", "e"))
        except (ValueError, IndexError):
            value = math.nan
        if not math.isfinite(value):
            raise DeckError(f"INCAR: {tag} must be a number; got '{self.tags[tag]}'.")
        return value

    def whole(self, tag: str, default: int) -> int:
        """Return a whole number."""
        value = self.number(tag, default)
        if value != int(value):
            raise DeckError(f"INCAR: {tag} must be a whole number; got '{self.tags[tag]}'.")
        return int(value)

    def truth(self, tag: str, default: bool = False) -> bool:
        """Return a truth value."""
        if tag not in self.tags:
            return default
        word = self.tags[tag].strip().strip(".").upper()
        if word[:1] not in ("T", "F"):
            raise DeckError(f"INCAR: {tag} must be .TRUE. or .FALSE.; got '{self.tags[tag]}'.")
        return word[0] == "T"

    def word(self, tag: str, default: str = "") -> str:
        """Return the first word, upper case."""
        return self.tags.get(tag, default).split()[0].upper() if self.tags.get(tag) else default

    def numbers(self, tag: str) -> list[float]:
        """Return a list of numbers, in which ``4*0.5`` stands for four."""
        values: list[float] = []
        for word in self.tags.get(tag, "").split():
            count, star, value = word.rpartition("*")
            try:
                number, times = float(value), int(count) if star else 1
            except ValueError:
                number, times = math.nan, 1
            if not math.isfinite(number):
                raise DeckError(f"INCAR: {tag} must be a list of numbers; got '{self.tags[tag]}'.")
            values += [number] * times
        return values
