"""`superionic barrier`: from a structure to the barriers of its hops, in one resumable folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from superionic.structures.errors import InvalidSlabError, NoHopFoundError, TaskFailedError
from superionic.workflows.commands.console import (
    Cell,
    cell,
    chatter_to_stderr,
    emit_json,
    emit_table,
    note,
    plain,
    say,
)
from superionic.workflows.commands.folders import claim_folder, flattened
from superionic.workflows.commands.hop_outcome import HopOutcome
from superionic.workflows.commands.hops import (
    HopQuery,
    ListedHop,
    in_relaxed_host,
    listed_hops,
    pick_hops,
)
from superionic.workflows.commands.loading import load_atoms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from superionic.analysis.barriers import BarrierResult
    from superionic.structures.hosts import Search
    from superionic.workflows.barrier import BarrierSettings
    from superionic.workflows.commands.loading import WholeAtoms
    from superionic.workflows.execution import TaskFuture
    from superionic.workflows.relax import RelaxSettings


@dataclass(frozen=True)
class BarrierRequest:
    """What `superionic barrier` was asked for.

    Attributes
    ----------
    query : HopQuery
        Which hops there are.
    wanted : tuple of str
        Indices or keys of the hops to compute; all of them if empty.
    theory : str
        Level of theory.
    relax_cell : bool or None
        Relax the cell of the host too; None for crystals yes, slabs no.
    fmax_eV_per_A : float
        Criterion of the bands; ends and saddles are held to their own stricter one.
    images : int
        Moving images of a band.
    seed : int
        Seed of every random choice.
    """

    query: HopQuery
    wanted: tuple[str, ...]
    theory: str
    relax_cell: bool | None
    fmax_eV_per_A: float
    images: int
    seed: int

    def barrier_settings(self) -> BarrierSettings:
        """Return how barriers are found."""
        from superionic.workflows.barrier import BarrierSettings
        from superionic.workflows.endpoints import EndSettings
        from superionic.workflows.neb import BandSettings
        from superionic.workflows.relax import RelaxSettings

        fmax, usual = self.fmax_eV_per_A, EndSettings().relax
        return BarrierSettings(
            ends=EndSettings(
                relax=RelaxSettings(
                    fmax_eV_per_A=min(usual.fmax_eV_per_A, fmax),
                    max_steps=usual.max_steps,
                    rattle_ang=usual.rattle_ang,
                    seed=self.seed,
                )
            ),
            band=BandSettings(
                images=self.images,
                fmax_eV_per_A=fmax,
                saddle_fmax_eV_per_A=min(BandSettings().saddle_fmax_eV_per_A, fmax),
            ),
        )

    def host_settings(self, *, vacuum: bool) -> RelaxSettings:
        """Return how the host is relaxed before hops are found in it.

        Raises
        ------
        InvalidSlabError
            The cell of a slab was to relax.
        """
        from superionic.workflows.relax import RelaxSettings

        if vacuum and self.relax_cell:
            raise InvalidSlabError(
                "The cell of a slab is not relaxed: its vacuum would close. Leave --relax-cell out."
            )
        full = not vacuum if self.relax_cell is None else self.relax_cell
        return RelaxSettings(
            fmax_eV_per_A=min(0.01, self.fmax_eV_per_A),
            max_steps=500,
            cell="full" if full else "fixed",
        )


@dataclass(frozen=True, eq=False)
class _Plan:
    """Everything that was checked before the folder is made."""

    request: BarrierRequest
    atoms: WholeAtoms
    search: Search
    picked: tuple[ListedHop, ...]
    host: RelaxSettings
    settings: BarrierSettings


def run_barriers(
    source: str,
    request: BarrierRequest,
    *,
    out: Path,
    workers: int | None,
    progress: bool,
    as_json: bool,
    arrays: bool,
) -> None:
    """Compute the barriers of the hops asked for, write them out and say what was found.

    Leaves with exit code 1 unless every hop has a converged barrier.
    """
    from superionic.workflows.commands.barrier_files import write_results
    from superionic.workflows.commands.barrier_report import write_barrier_report

    with chatter_to_stderr():
        plan = _prepare(source, request)
        folder = claim_folder(out, "barrier", _inputs(plan))
        outcomes = _compute(plan, folder, workers=workers, progress=progress)
        write_results(folder, outcomes)
        write_barrier_report(folder)
    if as_json:
        emit_json([o.row(arrays=arrays) for o in outcomes])
    else:
        _show(outcomes, folder)
    missing = [o for o in outcomes if not o.converged]
    if missing:
        note(
            f"error: {len(missing)} of {len(outcomes)} hops have no converged barrier; the reasons "
            "are above. Try another --fmax, --images or --seed, or look at the paths in the folder."
        )
        raise typer.Exit(1)


def _prepare(source: str, request: BarrierRequest) -> _Plan:
    """Check all that can be checked, and list the hops."""
    from superionic.workflows.preflight import check_elements, check_vacuum

    atoms = load_atoms(source)
    check_elements(request.theory, atoms.structure.symbols)
    vacuum = check_vacuum(atoms.structure, request.theory)
    settings = request.barrier_settings()
    host = request.host_settings(vacuum=vacuum is not None)
    search = request.query.search(atoms)
    picked = pick_hops(listed_hops(search), request.wanted)
    return _Plan(request, atoms, search, picked, host, settings)


def _inputs(plan: _Plan) -> dict[str, Any]:
    """Return what the results depend on, but for the choice among the hops."""
    from superionic.workflows.serialise import canonical_hash

    request, query = plan.request, plan.request.query
    return {
        "formula": plan.atoms.structure.formula,
        "structure": canonical_hash(plan.atoms.structure),
        "ion": query.ion,
        "theory": request.theory,
        "mechanism": query.mechanism,
        "empty_sites": "voids" if query.voids else canonical_hash(plan.atoms.empty_sites),
        "max_length_ang": query.max_length_ang,
        "min_atoms": query.min_atoms,
        "fmax_eV_per_A": request.fmax_eV_per_A,
        "seed": request.seed,
        **flattened("host", plain(plan.host)),
        **flattened("barrier", plain(plan.settings)),
    }


def _compute(
    plan: _Plan, folder: Path, *, workers: int | None, progress: bool
) -> tuple[HopOutcome, ...]:
    """Relax the host, find the hops in it again, and run their barriers side by side."""
    from superionic.workflows.barrier import barrier_task
    from superionic.workflows.execution import Run
    from superionic.workflows.relax import relax_task

    theory = plan.request.theory
    outcomes: list[tuple[ListedHop, TaskFuture[BarrierResult] | str]] = []
    with Run(folder, workers=workers, progress=progress):
        base = plan.search.base.structure
        relaxed = relax_task.submit(base, theory, plan.host).result().require_converged()
        search = plan.request.query.search_relaxed(plan.search, relaxed.structure)
        _write_host(folder, search)
        for listed in plan.picked:
            try:
                hop, kinds = in_relaxed_host(listed, search)
            except NoHopFoundError as error:
                outcomes.append((listed, str(error)))
                continue
            if kinds > 1:
                note(
                    f"note: relaxation lowered the symmetry, and hop {listed.index} now stands for "
                    f"{kinds} kinds; one of them is computed. `superionic hops "
                    f"{folder / 'relaxed.cif'}` lists them all."
                )
            outcomes.append((listed, barrier_task.submit(hop, theory, plan.settings)))
        return tuple(_settled(listed, future) for listed, future in outcomes)


def _write_host(folder: Path, search: Search) -> None:
    """Keep the relaxed host where a user finds it."""
    from superionic.structures.io import write_structure

    structure = search.base.structure
    name = "relaxed.cif" if all(structure.pbc) else "relaxed.extxyz"
    write_structure(structure, folder / name)


def _settled(listed: ListedHop, future: TaskFuture[BarrierResult] | str) -> HopOutcome:
    """Wait for one hop."""
    if isinstance(future, str):
        return HopOutcome(listed, None, reason=future)
    try:
        return HopOutcome(listed, future.result(), future.key)
    except TaskFailedError as error:
        return HopOutcome(listed, None, future.key, str(error))


def _show(outcomes: Sequence[HopOutcome], folder: Path) -> None:
    """Write the barriers to standard output."""
    columns = {
        "hop": "hop",
        "sites": "site_types",
        "length A": "length_ang",
        "forward eV": "forward_barrier_eV",
        "reverse eV": "reverse_barrier_eV",
        "reaction eV": "reaction_energy_eV",
        "fmax eV/A": "fmax_eV_per_A",
        "calls": "force_calls",
        "verdict": "verdict",
    }
    rows: list[list[Cell]] = []
    for outcome in outcomes:
        row = outcome.row()
        row["site_types"] = " to ".join(row["site_types"])
        rows.append([row[name] for name in columns.values()])
    emit_table(list(columns), rows)
    for outcome in outcomes:
        row = outcome.row()
        if row["reason"]:
            say(f"hop {cell(row['hop'])}: {row['reason']}")
    theory = next((o.result.theory for o in outcomes if o.result), "")
    say()
    say(f"{theory}; barriers.csv, the paths and report.html are in {folder}".lstrip("; "))
