"""Bader charges from the density that a GPAW script of this package left, ``density.npz``."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import numpy as np

from superionic.inputs.outputs.bader import Density, RawCharges, divide
from superionic.inputs.outputs.gpaw import read_gpaw
from superionic.inputs.outputs.records import CollectedNEB, OutputFileError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

GPAW_DENSITY = "density.npz"


def read_gpaw_charges(folder: Path) -> RawCharges:
    """Divide the density of a finished GPAW run among its atoms.

    The density is that of all electrons, cores included, so that it has a maximum at every nucleus;
    its zero-flux surfaces are the borders.

    Raises
    ------
    NotConvergedError
        The run did not finish.
    OutputFileError
        There is no density, or it cannot be read, or is of another run.
    """
    run = read_gpaw(folder)
    if isinstance(run, CollectedNEB):
        raise OutputFileError(f"{folder} is a path; charges are those of one structure.")
    structure = run.require_finished().structure
    if structure is None:
        raise OutputFileError(f"{folder} holds no final structure.")
    numbers, values, charge = _read(folder / GPAW_DENSITY)
    if not np.array_equal(numbers, structure.numbers):
        raise OutputFileError(f"{folder / GPAW_DENSITY} is of other atoms than the run beside it.")
    density = Density(structure, values)
    electrons, unassigned, farthest = divide(density, values)
    valences = structure.numbers.astype(float)
    expected = float(valences.sum()) - charge
    return RawCharges(
        method="bader",
        reference="density of all electrons",
        symbols=structure.symbols,
        valence_electrons=valences,
        electrons=electrons,
        expected_electrons=expected,
        unassigned_electrons=unassigned,
        tolerance=1e-3 * max(10.0, expected),
        farthest_maximum_ang=farthest,
        theory=run.theory,
    )


def _read(path: Path) -> tuple[NDArray[np.int64], NDArray[np.float64], float]:
    """Return atomic numbers, density in electrons per cubic angstrom, and charge of the cell."""
    if not path.is_file():
        raise OutputFileError(
            f"There is no {path}. Write the script again with `superionic inputs gpaw` and run it: "
            "single points and relaxations leave one."
        )
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as found:
            if "reason" in found:
                raise OutputFileError(f"GPAW could not give its density: {found['reason']}.")
            values = np.array(found["density"], dtype=float)
            numbers, charge = np.array(found["numbers"], dtype=np.int64), float(found["charge"])
    except (KeyError, ValueError, TypeError, EOFError, OSError, zipfile.BadZipFile) as error:
        if isinstance(error, OutputFileError):
            raise
        raise OutputFileError(f"{path} is cut off or no density ({error}).") from error
    if values.ndim != 3 or not np.isfinite(values).all():
        raise OutputFileError(f"{path} holds no density on a grid of three dimensions.")
    return numbers, values, charge
