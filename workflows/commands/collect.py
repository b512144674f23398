"""`superionic collect`: what DFT codes left in a folder, and whether it may be used."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from superionic.structures.errors import RunFolderError, SuperionicError
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

if TYPE_CHECKING:
    from collections.abc import Sequence

    from superionic.analysis.barriers import BarrierResult
    from superionic.analysis.charges import AtomicCharges
    from superionic.analysis.path_comparison import PathComparison
    from superionic.inputs.outputs.records import CollectedNEB, CollectedRun

ARRAYS = (
    "forces_eV_per_A", "stress_eV_per_A3", "magnetic_moments", "step_energies_eV", "structure",
    "start", "positions", "coordinate_ang", "ion_coordinate", "energies_eV",
)  # fmt: skip
"""Fields that are left out of JSON unless they are asked for."""


@dataclass(frozen=True)
class CollectRequest:
    """What `superionic collect` was asked for.

    Attributes
    ----------
    ends : tuple of Path
        Folders of the ends of a path that were computed elsewhere.
    quiet_s : float
        Seconds of silence after which output without an end counts as broken off.
    charges : bool
        Divide the electrons among the atoms too.
    end_decks : Path or None
        Where to write decks for ends without energy.
    arrays : bool
        With JSON, forces, structures and profiles too.
    figure : Path or None
        Path without suffix to draw what came back to.
    """

    ends: tuple[Path, ...]
    quiet_s: float
    charges: bool
    end_decks: Path | None
    arrays: bool
    figure: Path | None = None


def show_collected(folder: Path, request: CollectRequest, *, as_json: bool) -> None:
    """Say what a folder holds; leave with exit code 1 unless all of it finished."""
    from superionic.inputs.outputs.records import CollectedNEB
    from superionic.workflows.commands import slurm
    from superionic.workflows.handover import RECORD
    from superionic.workflows.slurm.campaign import CAMPAIGN

    path = folder.expanduser()
    if (path / CAMPAIGN).is_dir():
        slurm.collect(path.absolute(), as_json=as_json)
        return
    if (path / RECORD).is_file():
        _show_comparison(path, request, as_json=as_json)
        return
    found = _found(path, request)
    if request.end_decks is not None and not isinstance(found, CollectedNEB):
        raise RunFolderError(
            f"{folder} is no path, so it has no ends to write decks for: expected subfolders 00, "
            "01, ... in it. Leave --end-decks out."
        )
    if isinstance(found, CollectedNEB):
        _show_path(found, request, as_json=as_json)
    elif len(found) == 1 and Path(found[0].folder) == path:
        _show_run(found[0], request, as_json=as_json)
    else:
        _show_runs(path, found, request, as_json=as_json)


def _found(folder: Path, request: CollectRequest) -> CollectedNEB | tuple[CollectedRun, ...]:
    """Return the path in a folder, or the runs in and below it."""
    from superionic.inputs.collect import collect, runs_below
    from superionic.inputs.outputs.records import CollectedNEB

    if not folder.is_dir():
        raise RunFolderError(f"There is no folder {folder}.")
    places = runs_below(folder)
    with chatter_to_stderr():
        if not places or places == (folder,) or request.ends:
            one = collect(folder, ends=request.ends, quiet_s=request.quiet_s)
            return one if isinstance(one, CollectedNEB) else (one,)
        runs: list[CollectedRun] = []
        for place in places:
            try:
                got = collect(place, quiet_s=request.quiet_s)
            except SuperionicError as error:
                note(f"note: {place}: {error}")
                continue
            runs += got.images if isinstance(got, CollectedNEB) else (got,)
    if not runs:
        raise RunFolderError(f"None of the {len(places)} runs below {folder} can be read.")
    return tuple(runs)


def _show_run(run: CollectedRun, request: CollectRequest, *, as_json: bool) -> None:
    """Say what became of one run."""
    charges = _charges(run) if request.charges else None
    drawn = _draw(run, request)
    if as_json:
        emit_json(_record(run, request) | ({"charges": _charge_record(charges)} if charges else {}))
    else:
        facts: dict[str, Cell] = {
            "state": run.state,
            "task": f"{run.code} {run.task}",
            "theory": run.theory or None,
            "energy eV": run.energy_eV,
            "fmax eV/A": run.fmax_eV_per_A,
            "criterion eV/A": run.fmax_target_eV_per_A,
            "ionic steps": run.ionic_steps,
            "moment": run.total_magnetic_moment,
        }
        emit_facts(facts, decimals=4)
        for remark in (*((run.reason,) if run.reason else ()), *run.notes):
            say(f"note: {remark}")
        if charges is not None:
            _show_charges(charges)
        _say_written(drawn)
    _leave(run.finished, f"{run.folder} is {run.state}: {run.reason}")


def _charges(run: CollectedRun) -> AtomicCharges:
    from superionic.workflows.collected_electrons import atomic_charges

    with chatter_to_stderr():
        return atomic_charges(Path(run.folder))


def _charge_record(charges: AtomicCharges) -> dict[str, Any]:
    return {**plain(charges), "charges": plain(charges.charges)}


def _show_charges(charges: AtomicCharges) -> None:
    """Write the charge of each atom."""
    say()
    emit_table(
        ["atom", "element", "valence", "electrons", "charge e"],
        [
            [k, symbol, float(valence), float(electrons), float(valence - electrons)]
            for k, (symbol, valence, electrons) in enumerate(
                zip(charges.symbols, charges.valence_electrons, charges.electrons, strict=True)
            )
        ],
        title=f"{charges.method} charges by {charges.reference}; {charges.missing_electrons:.4f} "
        f"of {charges.expected_electrons:g} electrons missing",
    )


def _draw(
    found: CollectedRun | BarrierResult | PathComparison, request: CollectRequest
) -> tuple[Path, ...]:
    """Draw what came back, if a figure was asked for; return the files."""
    if request.figure is None:
        return ()
    from superionic.workflows.collected_figures import draw_collected

    with chatter_to_stderr():
        saved = draw_collected(found, request.figure.expanduser())
    return saved.png, saved.svg, saved.csv


def _say_written(paths: Sequence[Path]) -> None:
    for path in paths:
        say(f"wrote {path}")


def _show_runs(
    folder: Path, runs: Sequence[CollectedRun], request: CollectRequest, *, as_json: bool
) -> None:
    """Say what became of all runs below a folder."""
    if request.figure is not None:
        raise RunFolderError(
            f"{folder} holds {len(runs)} runs, and a figure shows one run or one path. Name one of "
            "them, or leave --figure out."
        )
    if as_json:
        emit_json([_record(run, request) for run in runs])
    else:
        emit_table(
            ["run", "code", "task", "state", "energy eV", "fmax eV/A"],
            [
                [_below(run, folder), run.code, run.task, run.state, run.energy_eV,
                 run.fmax_eV_per_A]
                for run in runs
            ],
            decimals=4,
        )  # fmt: skip
        for run in runs:
            if run.reason:
                say(f"{_below(run, folder)}: {run.reason}")
    unfinished = [run for run in runs if not run.finished]
    _leave(not unfinished, f"{len(unfinished)} of {len(runs)} runs did not finish")


def _below(run: CollectedRun, folder: Path) -> str:
    path = Path(run.folder)
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)


def _show_path(path: CollectedNEB, request: CollectRequest, *, as_json: bool) -> None:
    """Say what became of a path, and offer decks for ends without energy."""
    from superionic.workflows.collected import barrier_result

    result = barrier_result(path)
    written = _write_end_decks(path, request)
    drawn = _draw(result, request)
    if as_json:
        emit_json(
            {
                "folder": path.folder,
                "kind": path.kind,
                "climbing": path.climbing,
                "state": path.state,
                "missing_ends": path.missing_ends,
                "end_decks": [str(p) for p in written],
                "images": [_record(image, request) for image in path.images],
                "relative_energies_eV": path.energies_eV,
                "barrier": _record(result, request),
            }
        )
    else:
        rows: list[list[Cell]] = [
            [
                f"{k:02d}",
                image.state,
                image.energy_eV,
                energy,
                image.fmax_eV_per_A,
                image.ionic_steps,
            ]
            for k, (image, energy) in enumerate(zip(path.images, path.energies_eV, strict=True))
        ]
        emit_table(
            ["image", "state", "energy eV", "relative eV", "fmax eV/A", "steps"], rows, decimals=4
        )
        for remark in path.notes:
            say(f"note: {remark}")
        if result.converged:
            say(
                f"forward barrier {result.forward_barrier_eV:.3f} eV, reverse "
                f"{result.reverse_barrier_eV:.3f} eV, reaction {result.reaction_energy_eV:.3f} eV"
            )
        else:
            say(f"no barrier: {result.reason}")
        _say_written((*written, *drawn))
        if path.missing_ends and path.kind == "band" and not written:
            say("--end-decks DIR writes their decks; --ends FIRST LAST names runs made elsewhere.")
    done = result.converged or (path.kind == "single-points" and path.complete)
    _leave(done, result.reason or f"{path.folder} is {path.state}")


def _write_end_decks(path: CollectedNEB, request: CollectRequest) -> tuple[Path, ...]:
    if request.end_decks is None:
        return ()
    from superionic.inputs.ends import write_end_decks

    return write_end_decks(path, request.end_decks)


def _show_comparison(folder: Path, request: CollectRequest, *, as_json: bool) -> None:
    """Say how a handed-over path compares with what came back."""
    from superionic.workflows.commands.path_comparison import comparison_record, show_images
    from superionic.workflows.handover import compare_handover

    with chatter_to_stderr():
        comparison = compare_handover(folder, quiet_s=request.quiet_s)
    drawn = _draw(comparison, request)
    if as_json:
        emit_json(comparison_record(comparison))
    else:
        show_images(comparison)
        _say_written(drawn)
    _leave(comparison.complete, comparison.summary)


def _record(value: Any, request: CollectRequest) -> dict[str, Any]:
    """Return a result as plain values, arrays only if they were asked for."""
    record: dict[str, Any] = plain(value)
    if not request.arrays:
        record = {name: item for name, item in record.items() if name not in ARRAYS}
    return record


def _leave(done: bool, reason: str) -> None:
    """Leave with exit code 1 and a message unless all was done."""
    if not done:
        note(f"error: {reason}")
        raise typer.Exit(1)
