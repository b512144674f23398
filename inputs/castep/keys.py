"""Keywords of CASTEP: which the specification decides, and how files are written and read."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from superionic.structures.errors import DeckError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SPEC_PARAM = {
    "task": "relax or band",
    "comment": "the deck's title",
    "xc_functional": "functional",
    "xc_definition": "functional",
    "cut_off_energy": "cutoff_eV",
    "basis_precision": "cutoff_eV",
    "sedc_apply": "dispersion",
    "sedc_scheme": "dispersion",
    "elec_energy_tol": "scf_energy_eV",
    "max_scf_cycles": "scf_max_steps",
    "fix_occupancy": "smearing",
    "smearing_scheme": "smearing",
    "smearing_width": "smearing",
    "elec_temp": "smearing",
    "spin_polarized": "spin",
    "spin_polarised": "spin",
    "spin": "spin",
    "spin_fix": "spin",
    "geom_spin_fix": "spin",
    "nup": "spin",
    "ndown": "spin",
    "spin_treatment": "spin",
    "charge": "charge_e",
    "nelectrons": "charge_e",
    "dipole_correction": "dipole_axis",
    "dipole_dir": "dipole_axis",
    "geom_method": "relax",
    "geom_max_iter": "relax",
    "geom_force_tol": "relax",
    "geom_energy_tol": "relax",
    "tssearch_method": "band",
    "tssearch_max_path_points": "band",
    "tssearch_force_tol": "band",
    "tssearch_neb_max_iter": "band",
    "tssearch_neb_climbing": "band",
    "tssearch_neb_spring_constant": "band",
    "tssearch_neb_method": "band",
}
"""Keywords of the .param file that extra ones may not repeat, and what decides them."""

SPEC_CELL = {
    "lattice_cart": "the structure",
    "lattice_abc": "the structure",
    "positions_frac": "the structure",
    "positions_abs": "the structure",
    "positions_frac_product": "the images",
    "positions_frac_intermediate": "the images",
    "positions_abs_product": "the images",
    "positions_abs_intermediate": "the images",
    "kpoint_mp_grid": "kgrid",
    "kpoints_mp_grid": "kgrid",
    "kpoint_mp_offset": "kgrid",
    "kpoints_mp_offset": "kgrid",
    "kpoint_mp_spacing": "kgrid",
    "kpoints_mp_spacing": "kgrid",
    "kpoint_list": "kgrid",
    "kpoints_list": "kgrid",
    "fix_all_cell": "relax",
    "fix_cell": "relax",
    "fix_all_ions": "fixed",
    "fix_com": "fixed",
    "ionic_constraints": "fixed",
    "species_pot": "the options library and potentials",
    "hubbard_u": "hubbard_u_eV",
}
"""Keywords of the .cell file that extra ones may not repeat, and what decides them."""

CHARGE_COMMENT = "! charge:"
"""Starts the comment line that holds the statement on a charged cell."""

TO_EV = {
    "ev": 1.0, "mev": 1e-3, "ha": 27.211386245988, "hartree": 27.211386245988,
    "ry": 13.605693122994, "kj/mol": 0.0103642696562, "kcal/mol": 0.0433641043,
}  # fmt: skip
TO_ANG = {"ang": 1.0, "bohr": 0.529177210903, "a0": 0.529177210903, "nm": 10.0, "m": 1e10}


def as_text(value: str | int | float | bool) -> str:
    """Return a value as CASTEP reads it."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return f"{value:.12g}" if isinstance(value, float) else str(value)


@dataclass
class FreeForm:
    """Contents of a .cell or .param file.

    Attributes
    ----------
    words : dict of str to str
        Value of each keyword, lower-case keys.
    blocks : dict of str to list of str
        Lines of each block, lower-case keys.
    name : str
        How messages name the file.
    """

    words: dict[str, str] = field(default_factory=dict)
    blocks: dict[str, list[str]] = field(default_factory=dict)
    name: str = "file"

    def text(self, comments: Sequence[str] = ()) -> str:
        """Return the text of the file: comments, keywords, blocks."""
        lines = list(comments)
        width = max((len(k) for k in self.words), default=0)
        lines += [f"{k.upper():<{width}} : {v}".rstrip() for k, v in self.words.items()]
        for key, rows in self.blocks.items():
            lines += ["", f"%BLOCK {key.upper()}", *rows, f"%ENDBLOCK {key.upper()}"]
        return "\n".join(lines) + "\n"

    def truth(self, key: str, default: bool) -> bool:
        """Return a truth value; a keyword without a value is true."""
        if key not in self.words:
            return default
        word = self.words[key].strip(".").upper() or "TRUE"
        if word in ("T", "TRUE"):
            return True
        if word in ("F", "FALSE"):
            return False
        raise DeckError(f"{self.name}: {key} must be TRUE or FALSE; got '{self.words[key]}'.")

    def whole(self, key: str, default: int) -> int:
        """Return a whole number."""
        value = self.quantity(key, default, {})
        if value != int(value):
            raise DeckError(f"{self.name}: {key} must be a whole number; got {value}.")
        return int(value)

    def quantity(self, key: str, default: float, units: Mapping[str, float]) -> float:
        """Return a number in the unit whose factor is 1; that unit is taken where none is given."""
        if key not in self.words:
            return default
        parts = self.words[key].lower().replace("d+", "e+").replace("d-", "e-").split()
        try:
            number = float(parts[0])
        except (ValueError, IndexError):
            number = math.nan
        if not math.isfinite(number):
            raise DeckError(f"{self.name}: {key} must be a number; got '{self.words[key]}'.")
        if len(parts) == 1:
            return number
        if parts[1] not in units:
            raise DeckError(
                f"{self.name}: {key} has the unit '{parts[1]}'; known here: "
                f"{', '.join(units) or 'none'}."
            )
        return number * units[parts[1]]

    def word(self, key: str, default: str) -> str:
        """Return a value without blanks, lower case."""
        return "".join(self.words.get(key, default).split()).lower()


def force_units() -> dict[str, float]:
    """Return units of force in eV/A."""
    return {f"{e}/{a}": x / y for e, x in TO_EV.items() for a, y in TO_ANG.items()}


def spring_units() -> dict[str, float]:
    """Return units of spring constants in eV/A2."""
    return {
        f"{e}/{a}{power}": x / y**2
        for e, x in TO_EV.items()
        for a, y in TO_ANG.items()
        for power in ("**2", "2", "^2")
    }


def parse_free_form(text: str, name: str) -> FreeForm:
    """Read a .cell or .param file.

    Parameters
    ----------
    text
        Its contents.
    name
        How messages name it.

    Raises
    ------
    DeckError
        A block that is not closed, or a keyword or block that comes twice.
    """
    found = FreeForm(name=name)
    block = ""
    for raw in text.splitlines():
        line = re.split(r"[!#]", raw, maxsplit=1)[0].strip()
        if not line:
            continue
        opening = re.fullmatch(r"%block\s+(\S+)", line, re.IGNORECASE)
        closing = re.fullmatch(r"%endblock\s+(\S+)", line, re.IGNORECASE)
        if opening and not block:
            block = opening[1].lower()
            if block in found.blocks:
                raise DeckError(f"{name}: the block {block} comes twice. Delete one.")
            found.blocks[block] = []
        elif closing and closing[1].lower() == block:
            block = ""
        elif opening or closing:
            raise DeckError(f"{name}: '{line}' does not fit the open block '{block or 'none'}'.")
        elif block:
            found.blocks[block].append(line)
        else:
            parts = re.split(r"\s*[:=]\s*|\s+", line, maxsplit=1)
            key = parts[0].lower()
            if key in found.words:
                raise DeckError(f"{name}: {key} comes twice. Delete one.")
            found.words[key] = parts[1].strip() if len(parts) > 1 else ""
    if block:
        raise DeckError(f"{name}: the block {block} is not closed; the file may be cut off.")
    return found
