"""What `superionic barrier` leaves in its folder beside the run itself: tables and paths."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.structures.errors import RunFolderError
from superionic.workflows.serialise import read_json, write_bytes_atomic, write_json_atomic

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from superionic.analysis.barriers import BarrierResult
    from superionic.workflows.commands.hop_outcome import HopOutcome

LISTED = "hops.json"
"""Outcome of every hop that was asked of a folder, by key."""


def write_results(folder: Path, outcomes: Sequence[HopOutcome]) -> None:
    """Write the paths, and the tables of all hops computed in this folder so far.

    Raises
    ------
    RunFolderError
        A file cannot be written.
    """
    rows = {row["key"]: row for row in listed_rows(folder)} if (folder / LISTED).exists() else {}
    for outcome in outcomes:
        rows[outcome.listed.hop.key] = outcome.row()
        if outcome.result is not None and len(outcome.result.positions):
            path = folder / f"{file_stem(outcome.listed.hop.key)}.extxyz"
            write_bytes_atomic(path, path_text(outcome.result).encode())
    ordered = sorted(rows.values(), key=lambda row: (row["hop"], row["key"]))
    write_json_atomic(folder / LISTED, {row["key"]: row for row in ordered})
    write_bytes_atomic(folder / "barriers.csv", csv_text(ordered).encode())


def listed_rows(folder: Path) -> list[dict[str, Any]]:
    """Return the outcomes of all hops that were asked of a folder.

    Raises
    ------
    RunFolderError
        None has ended yet, or the list was edited.
    """
    if not (folder / LISTED).is_file():
        raise RunFolderError(
            f"No hop has ended in {folder} yet. Run the `superionic barrier` command again to "
            "resume it."
        )
    rows = read_json(folder / LISTED)
    if not isinstance(rows, dict):
        raise RunFolderError(f"{folder / LISTED} was edited or cut off; remove it and run again.")
    return [dict(row) for row in rows.values() if isinstance(row, dict)]


def csv_text(rows: Sequence[dict[str, Any]]) -> str:
    """Return outcomes as CSV; what has no value is an empty field."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    header = list(rows[0]) if rows else []
    writer.writerow(header)
    for row in rows:
        fields = [row.get(name) for name in header]
        writer.writerow(
            " ".join(str(x) for x in field) if isinstance(field, list) else field
            for field in fields
        )
    return text.getvalue()


def file_stem(key: str) -> str:
    """Return a hop's key as it stands in file names: letters, digits and ``._+-`` only."""
    return re.sub(r"[^\w.+-]", "_", key)


def path_text(result: BarrierResult) -> str:
    """Return a path as extended XYZ, a frame an image, each with its energy.

    Energies (eV, relative to the first image) are in ``energy`` for a converged hop, and in
    ``unconverged_energy`` for any other.
    """
    from ase import Atoms
    from ase.calculators.singlepoint import SinglePointCalculator
    from ase.io import write

    if result.structure is None:
        return ""
    converged = result.verdict == "converged"
    frames = []
    for k, positions in enumerate(result.positions):
        atoms: Atoms = result.structure.with_positions(positions).to_ase()
        atoms.set_array("site_labels", np.array(result.structure.labels))
        atoms.info = {"hop": result.key, "image": k, "theory": result.theory, "ion": result.ion}
        atoms.info["converged"] = converged
        energy = float(result.energies_eV[k])
        if converged:
            atoms.calc = SinglePointCalculator(atoms, energy=energy)
        else:
            atoms.info["unconverged_energy"] = energy
        frames.append(atoms)
    text = io.StringIO()
    write(text, frames, format="extxyz")
    return text.getvalue()
