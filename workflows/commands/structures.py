"""`superionic structure`: check, order and cut crystals, and list the packaged ones."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from superionic.structures.errors import InvalidSlabError, NotConvergedError, StructureFileError
from superionic.workflows.commands.console import (
    Cell,
    chatter_to_stderr,
    emit_facts,
    emit_json,
    emit_table,
    note,
    plain,
    say,
)
from superionic.workflows.commands.loading import (
    check_output,
    load_crystal,
    parse_charges,
    write_atoms,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from superionic.structures.disordered import DisorderedStructure
    from superionic.structures.sanity import SanityReport
    from superionic.structures.slab import Slab
    from superionic.workflows.ordering import OrderResult

DEFAULT_THICKNESS_ANG = 10.0
"""Least thickness of a slab where none is asked for, in angstrom."""


def check(source: str, *, charges: Sequence[str], as_json: bool) -> None:
    """Write what a chemist would look at; leave with exit code 1 where something is wrong."""
    from superionic.structures.sanity import check_structure

    with chatter_to_stderr():
        crystal = load_crystal(source)
        report = check_structure(crystal, oxidation_states=parse_charges(charges))
    if as_json:
        head = {"formula": crystal.reduced_formula, "sites": len(crystal), "ok": report.ok}
        emit_json({**head, **plain(report)})
    else:
        _show_report(crystal, report)
    if not report.ok:
        raise typer.Exit(1)


def _show_report(crystal: DisorderedStructure, report: SanityReport) -> None:
    say(f"{crystal.reduced_formula}, {len(crystal)} sites in {crystal.volume:.1f} A3")
    say()
    rows: list[list[Cell]] = [
        [label, total, *report.bond_valence_ranges[label], report.expected_valences[label]]
        for label, total in report.bond_valence_sums.items()
    ]
    if rows:
        emit_table(["site", "bond valence", "least", "most", "expected"], rows, decimals=2)
        say()
    emit_table(["pair", "shortest A"], [[k, v] for k, v in report.shortest_distances_ang.items()])
    say()
    emit_facts(
        {
            "formal charge": f"{report.formal_charge_e:+.3f} e",
            "density": f"{report.density_g_cm3:.3f} g/cm3",
        }
    )
    for text in report.notes:
        say(f"note: {text}")
    for text in report.problems:
        say(f"problem: {text}")
    say("ok" if report.ok else f"{len(report.problems)} problem(s)")


def show_packaged(*, as_json: bool) -> None:
    """List the packaged reference crystals."""
    from superionic.structures.crystals import reference_crystal, reference_crystals

    crystals = [reference_crystal(name) for name in reference_crystals()]
    if as_json:
        emit_json(
            [
                {"name": c.name, "formula": c.formula, "source": c.source, "note": c.note}
                for c in crystals
            ]
        )
        return
    for crystal in crystals:
        say(f"{crystal.name}: {crystal.formula}")
        say(f"  {crystal.source}")
        say(f"  {crystal.note}")


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
                termination=int(chosen) if chosen and chosen.isdigit() else chosen,
                compensate=self.compensate,
                allow_polar=self.allow_polar,
                allow_nonstoichiometric=self.allow_nonstoichiometric,
                oxidation_states=parse_charges(self.charges),
                seed=self.seed,
            )
        except InvalidSlabError as error:
            raise InvalidSlabError(as_options(str(error))) from error


def as_options(message: str) -> str:
    """Return a message about a slab with the library's keywords as options of the command."""
    words = {
        r"such as \((\d+), (\d+)\)": r"such as --repeat \1 \2",
        r"\ballow_(polar|nonstoichiometric)=True": r"--allow-\1",
        r"\bcompensate=True": "--compensate",
        r"\btermination=(\d+)": r"--termination \1",
        r"\b(?:min_)?(thickness)_ang=(\S+)": r"--\1 \2",
        r"\blayers=(\S+)": r"--layers \1",
        r"\bvacuum_ang\b": "--vacuum",
        r", or lower minimum_vacuum_ang[^.]*": "",
    }
    for pattern, option in words.items():
        message = re.sub(pattern, option, message)
    return message


def slab(
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


@dataclass(frozen=True)
class OrderRequest:
    """How a crystal is to be ordered.

    Attributes
    ----------
    ion : str
        Mobile ion; empty to take the only one there is.
    theory : str
        Level of theory that ranks.
    min_atoms, candidates, moves, seed : int
        Least size of the cell, Ewald candidates, single-ion moves at most, seed of all choices.
    """

    ion: str
    theory: str
    min_atoms: int
    candidates: int
    moves: int
    seed: int


def order(
    source: str,
    request: OrderRequest,
    *,
    out: Path,
    empty_sites: bool,
    workers: int | None,
    progress: bool,
    as_json: bool,
) -> None:
    """Order a crystal by energy, write it and say how it was found.

    The evidence stays in a run folder beside the file, from which an interrupted command resumes.
    """
    from superionic.structures.fillings import smallest_supercell
    from superionic.structures.ordering import primitive
    from superionic.workflows.commands.folders import claim_folder, flattened
    from superionic.workflows.execution import Run
    from superionic.workflows.ordering import AnnealSettings, OrderSettings, order_task
    from superionic.workflows.preflight import check_elements
    from superionic.workflows.relax import RelaxSettings
    from superionic.workflows.serialise import canonical_hash

    check_output(out)
    if empty_sites and out.suffix.lower() != ".cif":
        raise StructureFileError(f"Only a .cif file can hold empty sites; got '{out.name}'.")
    with chatter_to_stderr():
        crystal = load_crystal(source)
        ion = request.ion or mobile_ion(crystal)
        check_elements(request.theory, list(crystal.composition))
        smallest_supercell(primitive(crystal), (ion,), request.min_atoms, 200)
    settings = OrderSettings(
        anneal=AnnealSettings(
            final=RelaxSettings(cell="full"), max_trials=request.moves, seed=request.seed
        ),
        candidates=request.candidates,
        min_atoms=request.min_atoms,
        seed=request.seed,
    )
    folder = claim_folder(
        out.with_name(f"{out.stem}.order"),
        "structure order",
        {
            "crystal": canonical_hash(crystal),
            "ion": ion,
            "theory": request.theory,
            **flattened("order", plain(settings)),
        },
    )
    with chatter_to_stderr(), Run(folder, workers=workers, progress=progress):
        result = order_task.submit(crystal, ion, request.theory, settings).result()
    if not result.converged:
        raise NotConvergedError(
            f"The last relaxation stopped at fmax {result.fmax_eV_per_A:.3f} eV/A after "
            f"{result.force_calls} force calls, so {out.name} was not written. Try another "
            f"theory or seed; what was found is in {folder}."
        )
    if empty_sites:
        write_atoms(
            out,
            result.structure,
            empty_sites=result.empty_sites,
            empty_labels=result.empty_labels,
            ion=ion,
        )
    else:
        write_atoms(out, result.structure)
    _show_order(result, out, folder, request, as_json=as_json)


def _show_order(
    result: OrderResult, out: Path, folder: Path, request: OrderRequest, *, as_json: bool
) -> None:
    """Say how an ordered structure was found."""
    facts: dict[str, Any] = {
        "file": str(out),
        "formula": result.structure.formula,
        "atoms": len(result.structure),
        "energy_eV": result.energy_eV,
        "candidates": len(result.candidate_energies_eV),
        "ewald_rank": result.ewald_rank,
        "fell_eV": result.fell_eV,
        "moves_tried": result.moves_tried,
        "moves_accepted": result.moves_accepted,
        "moves_blocked": result.moves_blocked,
        "exhausted": result.exhausted,
        "empty_sites": len(result.empty_labels),
        "converged": result.converged,
        "fmax_eV_per_A": result.fmax_eV_per_A,
        "force_calls": result.force_calls,
        "theory": result.theory,
        "seed": request.seed,
        "run": str(folder),
    }
    if as_json:
        emit_json(facts)
    else:
        emit_facts(facts)
    if not result.exhausted:
        note(
            f"note: {result.moves_tried} moves were tried and some are left; a lower energy may "
            "exist. Allow more with --moves."
        )


def mobile_ion(crystal: DisorderedStructure) -> str:
    """Return the only mobile ion of a crystal.

    Raises
    ------
    typer.BadParameter
        There is none, or more than one.
    """
    from superionic.structures.axes import MOBILE

    found = [s for s in crystal.composition if s in MOBILE]
    if len(found) != 1:
        raise typer.BadParameter(
            f"name the mobile ion of {crystal.reduced_formula}; it holds "
            f"{' and '.join(found) or 'none of ' + ', '.join(MOBILE)}.",
            param_hint="--ion",
        )
    return found[0]
