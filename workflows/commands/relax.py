"""`superionic relax`: structures to the nearest minimum, many at once."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from superionic.structures.errors import TaskFailedError
from superionic.workflows.commands.console import (
    chatter_to_stderr,
    emit_json,
    emit_table,
    note,
    say,
)
from superionic.workflows.relax import RelaxResult, RelaxSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

COLUMNS = ("structure", "formula", "energy_eV", "fmax_eV_per_A", "calls", "verdict")


def relax_files(
    files: Sequence[str],
    *,
    theory: str,
    settings: RelaxSettings,
    out: Path,
    workers: int | None,
    progress: bool,
    as_json: bool,
) -> None:
    """Relax structures side by side; the exit code is 0 only when all converged."""
    from superionic.structures.io import write_structure
    from superionic.workflows.commands.folders import claim_folder
    from superionic.workflows.commands.loading import load_atoms
    from superionic.workflows.execution import Run
    from superionic.workflows.relax import relax_task
    from superionic.workflows.serialise import write_bytes_atomic
    from superionic.workflows.slurm.campaign_file import labels
    from superionic.workflows.theory import get_theory

    get_theory(theory)
    structures = [load_atoms(file).structure for file in files]
    names = labels(tuple(files))
    folder = claim_folder(out, "relax", {"theory": theory, "cell": settings.cell})
    with chatter_to_stderr(), Run(folder / "runs", workers=workers, progress=progress):
        futures = [relax_task.submit(structure, theory, settings) for structure in structures]
        results: list[RelaxResult | str] = []
        for future in futures:
            try:
                results.append(future.result())
            except TaskFailedError as error:
                results.append(str(error))
    rows = [_row(name, result) for name, result in zip(names, results, strict=True)]
    for name, result in zip(names, results, strict=True):
        if isinstance(result, RelaxResult) and result.converged:
            suffix = ".cif" if all(result.structure.pbc) else ".extxyz"
            write_structure(result.structure, folder / f"{name}{suffix}")
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS)
    table.writeheader()
    table.writerows(rows)
    write_bytes_atomic(folder / "relaxed.csv", text.getvalue().encode())
    if as_json:
        emit_json(rows)
    else:
        emit_table(COLUMNS, [[row[c] for c in COLUMNS] for row in rows])
        say(f"{theory}; the relaxed structures are in {folder}")
    if any(row["verdict"] != "converged" for row in rows):
        note("error: not every structure has a converged minimum.")
        raise typer.Exit(1)


def _row(name: str, result: RelaxResult | str) -> dict[str, Any]:
    """Return one line of the table; no energy without convergence."""
    if isinstance(result, str):
        return dict.fromkeys(COLUMNS) | {"structure": name, "verdict": result}
    return {
        "structure": name,
        "formula": result.structure.formula,
        "energy_eV": result.energy_eV if result.converged else None,
        "fmax_eV_per_A": result.fmax_eV_per_A,
        "calls": result.force_calls,
        "verdict": "converged" if result.converged else "not converged",
    }
