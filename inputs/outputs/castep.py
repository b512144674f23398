"""A CASTEP run in one folder, read back: `read_castep_run`."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.inputs.outputs.castep_geometry import finest, last_geometry
from superionic.inputs.outputs.castep_scan import CastepScan, scan_castep
from superionic.inputs.outputs.castep_theory import settings_of, theory_of
from superionic.inputs.outputs.failures import (
    QUIET_S,
    failure_in,
    logs_of,
    seconds_quiet,
    without_end,
)
from superionic.inputs.outputs.records import CollectedRun, OutputFileError, RunState, RunTask
from superionic.structures.errors import DeckError
from superionic.structures.structure import Structure

if TYPE_CHECKING:
    from pathlib import Path

TASKS: dict[str, RunTask] = {
    "single point energy": "static",
    "geometry optimization": "relax",
    "molecular dynamics": "md",
}
"""Types of calculation in CASTEP's words; the rest is ``other``."""
SAME_ENTHALPY = 3e-8
"""CASTEP prints a final enthalpy with nine digits: relative difference of equal ones."""


def is_castep_folder(folder: Path) -> bool:
    """Tell whether a folder holds the output, or at least the input, of a CASTEP run."""
    return bool(list(folder.glob("*.castep"))) or (
        bool(list(folder.glob("*.param"))) and bool(list(folder.glob("*.cell")))
    )


def read_castep_run(
    folder: Path, *, quiet_s: float = QUIET_S, now: float | None = None
) -> CollectedRun:
    """Read a CASTEP run back.

    Parameters
    ----------
    folder
        Holds one ``SEED.castep``; ``SEED.cell``, ``SEED.geom``, ``SEED.bands`` and ``SEED.*.err``
        are used where they are. Atoms come in the order of ``SEED.cell``, not in CASTEP's.
    quiet_s
        Seconds of silence after which output without an end counts as broken off.
    now
        Time to measure the silence from, in seconds since the epoch; the clock by default.

    Raises
    ------
    OutputFileError
        There are several seeds, or output that should be whole cannot be read.
    """
    seed, outputs = _seed(folder)
    known = _Known(folder, seed, tuple(path.name for path in outputs))
    main = folder / f"{seed}.castep"
    failure = _error_file(folder, seed) or failure_in(logs_of(folder, outputs))
    if main not in outputs:
        if failure:
            return _run(known, "crashed", failure)
        known = replace(known, scan=CastepScan(calculation=_asked(folder / f"{seed}.param")))
        return _run(known, "not-started", "there are inputs but no .castep file")
    known = replace(known, scan=scan_castep(main))
    if known.scan.ended and not _error_file(folder, seed):
        notes = (f"the run ended by itself, but a log says: {failure}",) if failure else ()
        return _ended(replace(known, notes=notes), main)
    known = replace(known, structure=last_geometry(folder, seed))
    quiet = seconds_quiet(outputs, now=now)
    return _run(known, *without_end(quiet, quiet_s, failure or failure_in((main,))))


@dataclass(frozen=True)
class _Known:
    """What is known of a run beside its numbers."""

    folder: Path
    seed: str
    files: tuple[str, ...]
    scan: CastepScan = field(default_factory=CastepScan)
    header: dict[str, Any] = field(default_factory=dict)
    structure: Structure | None = None
    start: Structure | None = None
    fmax: float | None = None
    notes: tuple[str, ...] = ()


def _seed(folder: Path) -> tuple[str, list[Path]]:
    """Return the seed name and the files that CASTEP writes to as it runs."""
    seeds = sorted({p.stem for p in folder.glob("*.castep")})
    seeds = seeds or sorted({p.stem for p in folder.glob("*.param")})
    if len(seeds) != 1:
        raise OutputFileError(
            f"{folder} holds {len(seeds)} CASTEP seeds ({', '.join(seeds) or 'none'}); expected "
            "one a folder. Move the others elsewhere."
        )
    names = [f"{seeds[0]}.{end}" for end in ("castep", "geom", "md", "ts", "bands")]
    return seeds[0], [
        folder / n for n in names if (folder / n).is_file() and (folder / n).stat().st_size > 0
    ]


def seed_of(folder: Path) -> str:
    """Return the seed name of the one CASTEP run in a folder.

    Raises
    ------
    OutputFileError
        There is none, or more than one.
    """
    return _seed(folder)[0]


def _error_file(folder: Path, seed: str) -> str:
    """Return what an error file of the run says; CASTEP writes one for each dead process."""
    from castep_outputs.parsers.err_file_parser import parse_err_file

    for path in sorted(folder.glob(f"{seed}*.err")):
        if path.stat().st_size == 0:
            continue
        try:
            message = str(parse_err_file(path)["message"])
        except Exception:  # a parser of half-written text may fail in any way
            message = ""
        return f"CASTEP stopped with an error ({path.name}: {message or 'see the file'!r})"
    return ""


def _ended(known: _Known, main: Path) -> CollectedRun:
    """Read a run that ended by itself."""
    from superionic.inputs.outputs.castep_cell import cell_order

    images = _images(main)
    order, note = cell_order(known.folder / f"{known.seed}.cell", images[-1].get_chemical_symbols())
    last, results = images[-1], images[-1].calc.results
    forces = results.get("forces")
    fixed = "forces" in results
    known = replace(
        known,
        header=dict(getattr(last.calc, "_parameters_header", {})),
        structure=finest(Structure.from_ase(last[order]), last_geometry(known.folder, known.seed)),
        start=Structure.from_ase(images[0][order]),
        fmax=float(np.linalg.norm(forces, axis=1).max()) if fixed else None,
        notes=(*known.notes, *([note] if note else ()), *_remarks(known.scan)),
    )
    state, reason = _verdict(known)
    if state != "finished" or "energy" not in results:
        return _run(known, state, reason)
    return _run(known, "finished", "", **_numbers(known, images, order))


def _images(main: Path) -> list[Any]:
    """Return the ionic steps of a whole .castep file, in CASTEP's order of atoms."""
    from ase.io import ParseError, read

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return list(read(main, index=":", format="castep-castep"))
    except (ParseError, ValueError, IndexError, KeyError, UnboundLocalError, TypeError) as error:
        raise OutputFileError(
            f"{main} has its end but cannot be read ({type(error).__name__}: {error}). Copy it "
            "from the cluster again."
        ) from error


def _remarks(scan: CastepScan) -> tuple[str, ...]:
    """Return what a reader should know of a run that ended."""
    notes = []
    if scan.runs > 1:
        notes.append(f"the file holds {scan.runs} runs; this is the last")
    if scan.facts.get("basis_correction", "none") not in ("none", ""):
        notes.append("energies are without CASTEP's finite basis set correction")
    return tuple(notes)


def _verdict(known: _Known) -> tuple[RunState, str]:
    """Judge a run that ended."""
    scan = known.scan
    if scan.unconverged_scf and scan.unconverged_scf[-1] == len(scan.scf) - 1:
        return "unconverged", (
            f"the electrons of the last step did not converge in {scan.scf[-1]} cycles: raise "
            "max_scf_cycles, or change metals_method or the mixing, and continue"
        )
    if scan.stopped:
        return "unconverged", f"it stopped before it was done: {scan.stopped}"
    if _task(scan) == "relax" and scan.geometry != "done":
        residual = f" at a residual force of {known.fmax:.3f} eV/A" if known.fmax else ""
        return (
            "unconverged",
            f"the ions are not relaxed{residual}; continue with more geom_max_iter",
        )
    return "finished", ""


def _asked(path: Path) -> str:
    """Return the type of calculation that a .param file asks for, in CASTEP's words."""
    from superionic.inputs.castep.keys import parse_free_form
    from superionic.inputs.castep.param import TASK_WORDS
    from superionic.inputs.folders import read_input

    try:
        word = parse_free_form(read_input(path), path.name).word("task", "singlepoint")
    except DeckError:
        return ""
    task = "md" if word == "moleculardynamics" else TASK_WORDS.get(word)
    return next((title for title, known in TASKS.items() if known == task), "")


def _task(scan: CastepScan) -> RunTask:
    return TASKS.get(scan.calculation, "other")


def _numbers(known: _Known, images: list[Any], order: list[int]) -> dict[str, Any]:
    """Return the results of a finished run by field, atoms in the order of the .cell file."""
    results = images[-1].calc.results
    energies = [_energies(image.calc.results) for image in images]
    last = _accepted([free for _, free in energies], known.scan.enthalpy_eV)
    moments, forces = results.get("magmoms"), results.get("forces")
    fits = moments is not None and len(moments) == len(order)
    return {
        "energy_eV": energies[last][0],
        "free_energy_eV": energies[last][1],
        "forces_eV_per_A": None if forces is None else np.array(forces)[order],
        "stress_eV_per_A3": (
            images[-1].get_stress(voigt=False) if results.get("stress") is not None else None
        ),
        "magnetic_moments": np.array(moments)[order] if fits else None,
        "total_magnetic_moment": known.scan.spin,
        "fermi_energy_eV": _fermi_energy(known.folder / f"{known.seed}.bands"),
        "step_energies_eV": np.array([energy for energy, _ in energies]),
    }


def _energies(results: dict[str, Any]) -> tuple[float, float]:
    """Return the energy at zero smearing and the free energy in eV, dispersion included.

    ASE 3.29 stores the corrected energies under names that it does not look up itself, so its
    ``energy`` of a run with dispersion leaves dispersion out.
    """
    for suffix in (
        "with_dispersion_correlation", "with_dispersion_correction",
        "without_dispersion_correction",
    ):  # fmt: skip
        plain = results.get(f"energy_{suffix}")
        if plain is not None:
            free = results.get(f"free_energy_{suffix}", plain)
            return float(results.get(f"energy_zero_{suffix}", plain)), float(free)
    return float(results["energy"]), float(results.get("free_energy", results["energy"]))


def _accepted(free_energies: list[float], enthalpy_eV: float | None) -> int:
    """Return which ground state a geometry optimisation ended with.

    The last that was computed may be a line search step that was not taken.
    """
    last = len(free_energies) - 1
    if enthalpy_eV is None:
        return last
    near = [
        k for k in range(last, max(-1, last - 8), -1)
        if abs(free_energies[k] - enthalpy_eV) <= SAME_ENTHALPY * abs(enthalpy_eV)
    ]  # fmt: skip
    return near[0] if near else last


def _fermi_energy(path: Path) -> float | None:
    """Return the Fermi energy of a .bands file in eV; None where there is none to be read."""
    from superionic.inputs.outputs.levels import read_bands

    try:
        return read_bands(path).fermi_eV if path.is_file() else None
    except OutputFileError:
        return None


def _run(known: _Known, state: RunState, reason: str, **numbers: Any) -> CollectedRun:
    """Return a run with what is known and, if it finished, its numbers."""
    scan = known.scan
    empty: dict[str, Any] = dict.fromkeys(
        ("energy_eV", "free_energy_eV", "forces_eV_per_A", "stress_eV_per_A3", "magnetic_moments",
         "total_magnetic_moment", "fermi_energy_eV"),
    )  # fmt: skip
    tolerance = scan.facts.get("force_tolerance", "").split()
    relaxing = _task(scan) == "relax" and tolerance
    return CollectedRun(
        folder=str(known.folder),
        code="castep",
        version=scan.version,
        task=_task(scan),
        state=state,
        reason=reason,
        theory=theory_of(scan, known.header),
        settings=settings_of(scan, known.header),
        structure=known.structure,
        start=known.start,
        ionic_steps=len(scan.scf),
        electronic_steps=scan.scf[-1] if scan.scf else 0,
        unconverged_steps=scan.unconverged_scf,
        fmax_eV_per_A=known.fmax,
        fmax_target_eV_per_A=float(tolerance[0]) if relaxing else None,
        notes=known.notes,
        files=known.files,
        **({**empty, "step_energies_eV": np.zeros(0)} | numbers),
    )
