"""PAW potentials of VASP: labels, valence electrons, cutoffs, and the user's own files."""

from __future__ import annotations

import gzip
import os
import re
import zlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from superionic.structures.errors import DeckError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FOLDER_VARIABLES = ("SUPERIONIC_VASP_POTENTIALS", "PMG_VASP_PSP_DIR", "VASP_PP_PATH")
"""Environment variables that name the folder of the user's own potentials; the first set counts."""

SET_FOLDERS = {
    "PBE": ("POT_GGA_PAW_PBE", "potpaw_PBE"),
    "PBE_52": ("POT_GGA_PAW_PBE_52", "potpaw_PBE.52"),
    "PBE_54": ("POT_GGA_PAW_PBE_54", "potpaw_PBE.54", "potpaw_PBE"),
    "PBE_64": ("POT_PAW_PBE_64", "potpaw_PBE.64", "potpaw.64"),
    "LDA": ("POT_LDA_PAW", "potpaw_LDA"),
    "LDA_52": ("POT_LDA_PAW_52", "potpaw_LDA.52"),
    "LDA_54": ("POT_LDA_PAW_54", "potpaw_LDA.54", "potpaw"),
    "LDA_64": ("POT_PAW_LDA_64", "potpaw_LDA.64"),
}
"""Where a set lies inside the folder, in the layouts of pymatgen and of VASP's own archives."""

ENMIN_FRACTION = 0.75
"""Headers of POTCAR files give an ENMIN of about this part of ENMAX; used where only ENMAX is
known."""


@dataclass(frozen=True)
class Potential:
    """One PAW potential.

    Attributes
    ----------
    label : str
        Such as ``Na_pv``.
    enmax_eV, enmin_eV : float
        Default and least cutoff in eV.
    valence_electrons : float
        Electrons it treats.
    source : str
        ``POTCAR`` or ``table``.
    functional : str
        Functional it was made with (LEXCH), empty where not known.
    text : str
        The POTCAR file itself; empty where the user's potentials are not at hand.
    """

    label: str
    enmax_eV: float
    enmin_eV: float
    valence_electrons: float
    source: str
    functional: str = ""
    text: str = ""


@cache
def _table() -> Mapping[str, tuple[str, float, float, bool]]:
    """Return element, ENMAX, valence electrons and recommendation of each label."""
    text = files("superionic.inputs").joinpath("vasp", "potentials.csv").read_text("utf-8")
    rows = [x.split(",") for x in text.splitlines() if x and not x.startswith("#")][1:]
    return {r[1]: (r[0], float(r[2]), float(r[3]), r[4] == "yes") for r in rows}


def recommended_label(element: str) -> str:
    """Return the potential that the VASP Wiki recommends for an element.

    Raises
    ------
    DeckError
        The packaged table has none.
    """
    for label, (symbol, _, _, best) in _table().items():
        if symbol == element and best:
            return label
    raise DeckError(
        f"No potential of VASP for {element} is in the packaged table. Name one in the option "
        f"potentials, such as {{ {element} = '{element}' }}."
    )


def labels_for(elements: Sequence[str], chosen: Mapping[str, str]) -> tuple[str, ...]:
    """Return the potential of each element: the chosen one, else the recommended one."""
    return tuple(chosen.get(e) or recommended_label(e) for e in elements)


def potential_folder() -> Path | None:
    """Return the folder of the user's own potentials, or None where none is configured."""
    for name in FOLDER_VARIABLES:
        value = os.environ.get(name)
        if value:
            return Path(value).expanduser()
    return None


def find_potential(label: str, potential_set: str, folder: Path | None) -> Potential | None:
    """Return a potential from the user's folder, else from the packaged table, else None.

    Parameters
    ----------
    label
        Such as ``Na_pv``.
    potential_set
        Released set, such as ``PBE_54``.
    folder
        Folder of the user's potentials; None where there is none.

    Raises
    ------
    DeckError
        The folder is configured but has no such potential.
    """
    if folder is not None:
        return _from_folder(label, potential_set, folder)
    if label not in _table():
        return None
    _, enmax, electrons, _ = _table()[label]
    return Potential(label, enmax, ENMIN_FRACTION * enmax, electrons, "table")


def parse_header(text: str, name: str) -> Potential:
    """Return what the header of one POTCAR says.

    Raises
    ------
    DeckError
        It is none, or cut off.
    """
    patterns = {
        "label": r"TITEL\s*=\s*\S+\s+(\S+)",
        "enmax": r"ENMAX\s*=\s*(\d+\.?\d*)",
        "enmin": r"ENMIN\s*=\s*(\d+\.?\d*)",
        "zval": r"ZVAL\s*=\s*(\d+\.?\d*)",
        "lexch": r"LEXCH\s*=\s*(\S+)",
    }
    found = {key: re.search(pattern, text) for key, pattern in patterns.items()}
    lacking = [key for key in ("label", "enmax", "zval") if found[key] is None]
    if lacking:
        raise DeckError(
            f"{name} is no POTCAR file, or cut off: it lacks {', '.join(lacking)}. Copy it again "
            "from your release of VASP."
        )
    value = {key: match[1] if match else "" for key, match in found.items()}
    enmax = float(value["enmax"])
    enmin = float(value["enmin"]) if value["enmin"] else ENMIN_FRACTION * enmax
    return Potential(
        value["label"], enmax, enmin, float(value["zval"]), "POTCAR", value["lexch"], text
    )


def split_potcar(text: str, name: str = "POTCAR") -> tuple[Potential, ...]:
    """Return the potentials that one POTCAR file joins."""
    parts = [p for p in re.split(r"End of Dataset[^\n]*\n?", text) if p.strip()]
    return tuple(parse_header(part, name) for part in parts)


def _from_folder(label: str, potential_set: str, folder: Path) -> Potential:
    if potential_set not in SET_FOLDERS:
        raise DeckError(
            f"There is no set of potentials '{potential_set}'. Known: {', '.join(SET_FOLDERS)}."
        )
    for base in (*(folder / name for name in SET_FOLDERS[potential_set]), folder):
        for path in (
            base / label / "POTCAR",
            base / label / "POTCAR.gz",
            base / f"POTCAR.{label}",
            base / f"POTCAR.{label}.gz",
        ):
            if path.is_file():
                raw = path.read_bytes()
                try:
                    text = gzip.decompress(raw) if path.suffix == ".gz" else raw
                except (OSError, EOFError, zlib.error) as error:
                    raise DeckError(
                        f"{path} cannot be unpacked: {error}. Copy it again."
                    ) from error
                return parse_header(text.decode("utf-8", errors="replace"), str(path))
    raise DeckError(
        f"The folder of VASP potentials {folder} has no {label} of the set {potential_set}. "
        f"Looked for {label}/POTCAR and POTCAR.{label}, also in "
        f"{', '.join(SET_FOLDERS[potential_set])}. Choose another potential or folder, or unset "
        f"{', '.join(FOLDER_VARIABLES)} to write POTCAR.spec instead."
    )
