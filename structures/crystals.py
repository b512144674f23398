"""Named reference crystals, packaged as CIF files with their source.

A file's header lines ``# key: value`` carry name, formula, source and note; an indented comment
line continues the value above it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from superionic.structures.cif import parse_cif
from superionic.structures.disordered import DisorderedStructure
from superionic.structures.errors import StructureFileError

__all__ = ["DisorderedStructure", "ReferenceCrystal", "reference_crystal", "reference_crystals"]

_ALIASES = {
    "na3zr2si2po12": "nzsp",
    "nasicon": "nzsp",
    "nasicon-x3": "na4zr2si3o12",
    "nzs": "na4zr2si3o12",
    "li1.3al0.3ti1.7(po4)3": "latp",
    "na3ps4-tetragonal": "na3ps4",
    "na3ps4-alpha": "na3ps4",
    "na3ps4-beta": "na3ps4-cubic",
    "prussian-blue": "pba",
    "zsm-5": "mfi",
    "silicalite-1": "mfi",
    "hkust1": "hkust-1",
    "cu-btc": "hkust-1",
}


@dataclass(frozen=True, eq=False)
class ReferenceCrystal:
    """A crystal with the place its numbers come from.

    Attributes
    ----------
    name : str
        Lower-case name, as in `reference_crystals`.
    structure : DisorderedStructure
        Sites of the conventional cell.
    formula : str
        Chemical formula as chemists write it.
    source : str
        Where cell and coordinates come from.
    note : str
        Whether refined, computed or derived, and what to do before comparing with it.
    """

    name: str
    structure: DisorderedStructure
    formula: str
    source: str
    note: str


def reference_crystals() -> tuple[str, ...]:
    """Return the names of all packaged crystals, sorted."""
    folder = files("superionic.structures").joinpath("data")
    return tuple(sorted(f.name[:-4] for f in folder.iterdir() if f.name.endswith(".cif")))


@cache
def reference_crystal(name: str) -> ReferenceCrystal:
    """Return a packaged crystal by name; case does not matter, common aliases work.

    Raises
    ------
    StructureFileError
        No crystal has that name; the message lists those there are.
    """
    key = name.strip().lower().replace("_", "-").replace(" ", "-")
    key = _ALIASES.get(key, key)
    if key not in reference_crystals():
        raise StructureFileError(
            f"There is no reference crystal {name!r}. Known: {', '.join(reference_crystals())}. "
            "Read your own file with superionic.structures.io.read_crystal."
        )
    resource = files("superionic.structures").joinpath("data", f"{key}.cif")
    text = resource.read_text(encoding="utf-8")
    header = _header(text)
    return ReferenceCrystal(
        name=key,
        structure=parse_cif(text, f"{key}.cif"),
        formula=header["formula"],
        source=header["source"],
        note=header["note"],
    )


def _header(text: str) -> dict[str, str]:
    """Return the ``# key: value`` lines before the data block."""
    values: dict[str, str] = {}
    key = ""
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        match = re.match(r"# ([a-z]+): (.*)", line)
        if match:
            key = match.group(1)
            values[key] = match.group(2).strip()
        elif key:
            values[key] += " " + line.lstrip("# ").strip()
    return values
