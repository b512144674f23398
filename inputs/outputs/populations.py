"""Population analyses that CASTEP prints: Mulliken and Hirshfeld."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from superionic.inputs.outputs.bader import RawCharges
from superionic.inputs.outputs.castep import read_castep_run, seed_of
from superionic.inputs.outputs.castep_cell import cell_order
from superionic.inputs.outputs.records import OutputFileError

if TYPE_CHECKING:
    from pathlib import Path

BLOCKS = {"mulliken": "mulliken_popn", "hirshfeld": "hirshfeld"}
PRINTED_E = 0.005
"""CASTEP prints two digits, in newer versions three: an atom's electrons are right to this."""


def read_castep_charges(
    folder: Path, *, method: Literal["mulliken", "hirshfeld"] = "mulliken"
) -> RawCharges:
    """Read the atomic charges of a finished CASTEP run.

    Raises
    ------
    NotConvergedError
        The run did not finish.
    OutputFileError
        It holds no such analysis, or cannot be read.
    """
    run = read_castep_run(folder).require_finished()
    seed = seed_of(folder)
    data = _last_run(folder / f"{seed}.castep")
    block = data.get(BLOCKS[method])
    if not block or run.structure is None:
        raise OutputFileError(
            f"{folder}/{seed}.castep holds no {method} analysis; set popn_calculate (Mulliken) or "
            "calculate_hirshfeld to true."
        )
    keys = list(block)
    order, _ = cell_order(folder / f"{seed}.cell", [str(s).split(":")[0] for s, _ in keys])
    rows = [block[keys[k]] for k in order]
    charges = np.array([row["charge"] if isinstance(row, dict) else row for row in rows], float)
    valences = _valences(rows, charges, run.structure.symbols, data)
    expected = float(run.settings.get("electrons", valences.sum()))
    return RawCharges(
        method=method,
        reference=f"CASTEP's {method.capitalize()} analysis",
        symbols=run.structure.symbols,
        valence_electrons=valences,
        electrons=valences - charges,
        expected_electrons=expected,
        unassigned_electrons=0.0,
        tolerance=PRINTED_E * len(rows) + 0.01,
        farthest_maximum_ang=None,
        theory=run.theory,
    )


def _last_run(path: Path) -> dict[str, Any]:
    """Return castep_outputs' reading of the last run of a .castep file."""
    from castep_outputs.parsers import parse_castep_file
    from castep_outputs.parsers.castep_file_parser import Filters

    wanted = Filters.POPN_ANALYSIS | Filters.SPECIES_PROPS | Filters.PSPOT
    try:
        return dict(parse_castep_file(path, wanted)[-1])
    except Exception as error:  # each block has its own ways to fail
        raise OutputFileError(
            f"{path} cannot be read ({type(error).__name__}: {error})."
        ) from error


def _valences(rows: list[Any], charges: Any, symbols: tuple[str, ...], data: dict[str, Any]) -> Any:
    """Return the valence electrons of each atom: of its pseudopotential, else what the rows say."""
    if rows and isinstance(rows[0], dict) and "total" in rows[0]:
        sums = np.array([row["total"] for row in rows], dtype=float) + charges
        return np.round(sums)  # whole electrons: the digits printed blur them
    ionic = {}
    for report in data.get("pspot_detail", []):
        element, charge = report.get("element"), report.get("ionic_charge")
        if element is not None and charge is not None:
            ionic[str(element)] = float(charge)
    if not set(symbols) <= set(ionic):
        raise OutputFileError("The output does not say how many valence electrons the atoms have.")
    return np.array([ionic[symbol] for symbol in symbols])
