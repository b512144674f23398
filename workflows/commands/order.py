"""`superionic structure order`: an ordered cell of a disordered crystal, with its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from superionic.structures.errors import (
    InvalidStructureError,
    NoHopFoundError,
    NotConvergedError,
    PartialOccupancyError,
    StructureFileError,
)
from superionic.workflows.commands.console import (
    chatter_to_stderr,
    emit_facts,
    emit_json,
    note,
    plain,
)
from superionic.workflows.commands.loading import (
    check_output,
    load_crystal,
    write_atoms,
)
from superionic.workflows.commands.structures import mobile_ion

if TYPE_CHECKING:
    from superionic.structures.disordered import DisorderedStructure
    from superionic.workflows.annealing import OrderResult


MAX_ATOMS = 200
"""Largest cell that is ordered, in atoms."""


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
    from superionic.workflows.annealing import AnnealSettings
    from superionic.workflows.commands.folders import claim_folder, flattened
    from superionic.workflows.execution import Run
    from superionic.workflows.ordering import OrderSettings, order_task
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
        _check_ions(crystal, ion)
        try:
            smallest_supercell(primitive(crystal), (ion,), request.min_atoms, MAX_ATOMS)
        except PartialOccupancyError as error:
            raise PartialOccupancyError(as_options(str(error))) from error
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


def _check_ions(crystal: DisorderedStructure, ion: str) -> None:
    """Raise unless a crystal holds an ion, and charges by which electrostatics can rank."""
    from superionic.structures.oxidation import formal_charges

    if ion not in crystal.composition:
        raise NoHopFoundError(
            f"There is no {ion} in {crystal.reduced_formula}: it holds "
            f"{', '.join(crystal.composition)}. Name its mobile ion with --ion."
        )
    if not any(formal_charges(crystal.composition).states.values()):
        raise InvalidStructureError(
            f"{crystal.reduced_formula} is metallic by its formal charges, so that electrostatics "
            "cannot rank its arrangements. Only ionic crystals are ordered; for others call "
            "superionic.structures.ordering.ordered_candidates with charges of your own."
        )


def as_options(message: str) -> str:
    """Return a message about cells with the library's keywords as options of the command."""
    for words, option in {
        "Ask for a smaller least size, or raise max_atoms": "Give a smaller --min-atoms",
        " or raise max_atoms": "",
        "the occupancies (superionic.structures.composition.substitute)": "the occupancies",
    }.items():
        message = message.replace(words, option)
    return message


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
