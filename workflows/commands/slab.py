"""`superionic structure slab`: cut a crystal, and list the ways to end it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from superionic.structures.errors import InvalidSlabError, InvalidStructureError
from superionic.workflows.commands.console import (
    Cell,
    chatter_to_stderr,
    emit_facts,
    emit_json,
    emit_table,
    note,
)
from superionic.workflows.commands.loading import (
    check_output,
    load_crystal,
    named_charges,
    parse_charges,
    write_atoms,
)
from superionic.workflows.commands.structures import mobile_ion

if TYPE_CHECKING:
    from superionic.structures.disordered import DisorderedStructure
    from superionic.structures.slab import Slab

DEFAULT_THICKNESS_ANG = 10.0
"""Least thickness of a slab where none is asked for, in angstrom."""


@dataclass(frozen=True)
class SlabRequest:
    """How a slab is asked for on the command line; see `superionic.structures.surfaces`.

    Attributes
    ----------
    miller, repeat : tuple of int
        Plane of the conventional cell, and cells in the plane.
    vacuum_ang : float
        In angstrom.
    layers : int or None
        Slices between equivalent cuts.
    thickness_ang : float or None
        Least thickness in angstrom.
    termination : str or None
        Index or name.
    compensate, allow_polar, allow_nonstoichiometric : bool
        Move ions between the faces; declare what is wanted.
    charges : tuple of str
        Such as ``Zr=4``.
    seed : int
        Chooses among equivalent patterns of moved ions.
    """

    miller: tuple[int, int, int]
    repeat: tuple[int, int]
    vacuum_ang: float
    layers: int | None
    thickness_ang: float | None
    termination: str | None
    compensate: bool
    allow_polar: bool
    allow_nonstoichiometric: bool
    charges: tuple[str, ...]
    seed: int

    def build(self, crystal: DisorderedStructure) -> Slab:
        """Cut the slab."""
        from superionic.structures.surfaces import build_slab

        thickness = self.thickness_ang
        if self.layers is None and thickness is None:
            thickness = DEFAULT_THICKNESS_ANG
        chosen = self.termination
        try:
            return build_slab(
                crystal,
                miller=self.miller,
                layers=self.layers,
                min_thickness_ang=thickness,
                vacuum_ang=self.vacuum_ang,
                repeat=self.repeat,
                termination=int(chosen) if chosen and chosen.isdecimal() else chosen,
                compensate=self.compensate,
                allow_polar=self.allow_polar,
                allow_nonstoichiometric=self.allow_nonstoichiometric,
                oxidation_states=parse_charges(self.charges),
                seed=self.seed,
            )
        except InvalidSlabError as error:
            raise InvalidSlabError(as_options(str(error))) from error
        except InvalidStructureError as error:
            raise type(error)(named_charges(str(error))) from error


def as_options(message: str) -> str:
    """Return a message about a slab with the library's keywords as options of the command."""
    words = {
        r"such as \((\d+), (\d+)\)": r"such as --repeat \1 \2",
        r"\ballow_(polar|nonstoichiometric)=True": r"--allow-\1",
        r"\bcompensate=True": "--compensate",
        r"\btermination=(\d+)": r"--termination \1",
        r"\b(?:min_)?(thickness)_ang=(\S+)": r"--\1 \2",
        r"\blayers=(\S+)": r"--layers \1",
        r"\bmin_thickness_ang\b": "--thickness",
        r"\bvacuum_ang\b": "--vacuum",
        r", or lower minimum_vacuum_ang[^.]*": "",
    }
    for pattern, option in words.items():
        message = re.sub(pattern, option, message)
    return named_charges(message)


def cut(
    source: str, request: SlabRequest, *, out: Path, empty_sites: bool, ion: str, as_json: bool
) -> None:
    """Cut a slab, write it and say what it is."""
    check_output(out)
    with chatter_to_stderr():
        crystal = load_crystal(source)
        made = request.build(crystal)
        if empty_sites:
            write_atoms(
                out,
                made.structure,
                empty_sites=made.empty_sites,
                empty_labels=made.empty_labels,
                ion=ion or mobile_ion(crystal),
            )
        else:
            write_atoms(out, made.structure)
    facts: dict[str, Any] = {
        "file": str(out),
        "formula": made.structure.formula,
        "atoms": len(made.structure),
        "miller": made.miller,
        "axes": made.setting,
        "termination": made.termination,
        "layers": made.layers,
        "thickness_ang": made.thickness_ang,
        "vacuum_ang": made.vacuum_ang,
        "area_ang2": made.area_ang2,
        "stoichiometric": made.stoichiometric,
        "polar": made.polar,
        "dipole_e_ang": made.dipole_e_ang,
        "moved_ions": len(made.moved),
    }
    if as_json:
        emit_json(facts)
        return
    facts["miller"] = " ".join(str(k) for k in made.miller)
    emit_facts(facts)
    if made.moved:
        note(
            f"note: {len(made.moved)} ion(s) of a boundary plane were moved to the other face, so "
            "that the slab is not polar (--no-compensate refuses it instead)."
        )


def show_terminations(source: str, request: SlabRequest, *, as_json: bool) -> None:
    """List the ways to end a crystal along a plane."""
    from superionic.structures.surfaces import terminations

    with chatter_to_stderr():
        crystal = load_crystal(source)
        found = terminations(
            crystal, request.miller, oxidation_states=parse_charges(request.charges)
        )
    if as_json:
        emit_json(list(found))
        return
    rows: list[list[Cell]] = [
        [
            t.index,
            t.name,
            t.polar,
            t.stoichiometric,
            t.layers_per_repeat,
            t.layer_ang,
            t.valence_cut_per_ang2,
        ]
        for t in found
    ]
    header = ["index", "upper|lower", "polar", "stoichiometric", "layers", "layer A", "cut v.u./A2"]
    emit_table(header, rows)
