"""Densities of states and charges of finished VASP, CASTEP and GPAW runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from superionic.analysis.charges import AtomicCharges
from superionic.analysis.electronic import ProjectedDOS
from superionic.inputs.collect import collect
from superionic.inputs.outputs.records import CollectedNEB, CollectedRun, OutputFileError
from superionic.structures.errors import EvidenceError

if TYPE_CHECKING:
    from pathlib import Path

    from superionic.inputs.outputs.bader import RawCharges
    from superionic.inputs.outputs.dos import RawDOS

ChargeMethod = Literal["bader", "mulliken", "hirshfeld"]
CHARGES: dict[str, tuple[ChargeMethod, ...]] = {
    "vasp": ("bader",), "castep": ("mulliken", "hirshfeld"), "gpaw": ("bader",),
}  # fmt: skip
"""Which charges are read of which code, the default first."""


def projected_dos(folder: Path, *, width_eV: float = 0.1) -> ProjectedDOS:
    """Read the projected densities of states of a finished run, the Fermi level at zero.

    Parameters
    ----------
    folder
        A VASP run with ``LORBIT``, a CASTEP run with ``.bands`` and ``.pdos_bin``, or a GPAW run
        with ``dos.json``.
    width_eV
        Standard deviation of the Gaussians that widen CASTEP's levels, in eV.

    Raises
    ------
    NotConvergedError
        The run did not finish.
    OutputFileError
        It has no projections, or they cannot be read.
    """
    from superionic.inputs.outputs.castep import seed_of
    from superionic.inputs.outputs.dos import read_castep_dos, read_gpaw_dos, read_vasp_dos

    run = _one_run(folder).require_finished()
    raw: RawDOS
    if run.code == "vasp":
        raw = read_vasp_dos(folder)
    elif run.code == "gpaw":
        raw = read_gpaw_dos(folder)
    else:
        raw = read_castep_dos(folder, seed_of(folder), width_eV=width_eV)
    made = ProjectedDOS(
        energies_eV=raw.energies_eV,
        total=raw.total,
        projected=raw.projected,
        orbitals=raw.orbitals,
        symbols=raw.symbols,
        reference="code",
        reference_eV=0.0,
        fermi_eV=raw.fermi_eV,
        width_eV=raw.width_eV,
        electrons=raw.electrons,
        projection=raw.projection,
        theory=run.theory,
    )
    return made.relative_to_fermi()


def atomic_charges(folder: Path, *, method: ChargeMethod | None = None) -> AtomicCharges:
    """Divide the electrons of a finished run among its atoms.

    Parameters
    ----------
    folder
        A VASP run with ``CHGCAR``, ``AECCAR0`` and ``AECCAR2``, or a GPAW run with ``density.npz``
        (both Bader), or a CASTEP run with a population analysis (Mulliken or Hirshfeld).
    method
        ``mulliken`` for CASTEP and ``bader`` for the others by default.

    Raises
    ------
    NotConvergedError
        The run did not finish.
    OutputFileError
        What the method needs is missing or cut off.
    EvidenceError
        Electrons were lost; or the code has no such method.
    """
    from superionic.inputs.outputs.bader import read_bader_charges
    from superionic.inputs.outputs.gpaw_density import read_gpaw_charges
    from superionic.inputs.outputs.populations import read_castep_charges

    run = _one_run(folder).require_finished()
    known = CHARGES[run.code]
    if method is not None and method not in known:
        there = " and ".join(known)
        raise EvidenceError(f"For {run.code} there are {there} charges; {method} were asked for.")
    chosen = method or known[0]
    raw: RawCharges
    if run.code == "gpaw":
        raw = read_gpaw_charges(folder)
    elif chosen == "bader":
        raw = read_bader_charges(folder)
    else:
        raw = read_castep_charges(folder, method=chosen)
    return AtomicCharges(
        method=raw.method,
        reference=raw.reference,
        symbols=raw.symbols,
        valence_electrons=raw.valence_electrons,
        electrons=raw.electrons,
        expected_electrons=raw.expected_electrons,
        unassigned_electrons=raw.unassigned_electrons,
        tolerance=raw.tolerance,
        farthest_maximum_ang=raw.farthest_maximum_ang,
        theory=raw.theory or run.theory,
    )


def _one_run(folder: Path) -> CollectedRun:
    """Return the run in a folder, which must be no path."""
    run = collect(folder)
    if isinstance(run, CollectedNEB):
        raise OutputFileError(f"{folder} is a path; name the folder of one of its images.")
    return run
