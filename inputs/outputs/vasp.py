"""A VASP run in one folder, read back: `read_vasp_run`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from superionic.inputs.outputs.failures import (
    QUIET_S,
    failure_in,
    logs_of,
    seconds_quiet,
    without_end,
)
from superionic.inputs.outputs.outcar import OutcarScan, scan_outcar
from superionic.inputs.outputs.records import CollectedRun, OutputFileError, RunState
from superionic.inputs.outputs.vasp_files import (
    asked_tags,
    free_components,
    has_content,
    load_outcar,
    oszicar_steps,
    read_poscar,
    steps_from_outcar,
)
from superionic.inputs.outputs.vasp_theory import GRID, settings_of, theory_of
from superionic.inputs.outputs.vasp_verdict import (
    Course,
    breached_steps,
    force_target,
    is_nonscf,
    task_of,
    verdict_of,
)
from superionic.inputs.outputs.vasprun import (
    Steps,
    is_closed,
    load_vasprun,
    short_version,
    steps_of,
)
from superionic.structures.structure import Structure

OUTPUTS = ("OUTCAR", "vasprun.xml", "OSZICAR", "CONTCAR")
"""Files whose last change tells whether a run is alive."""
SAME_ENERGY_EV = 2e-3
"""OUTCAR and vasprun.xml of one run agree to this."""


def is_vasp_folder(folder: Path) -> bool:
    """Tell whether a folder holds the output, or at least the input, of a VASP run."""
    names = ("OUTCAR", "vasprun.xml", "OSZICAR", "INCAR", "POSCAR")
    return any((folder / name).is_file() for name in names)


def read_vasp_run(
    folder: Path, *, quiet_s: float = QUIET_S, now: float | None = None, image: bool = False
) -> CollectedRun:
    """Read a VASP run back.

    Parameters
    ----------
    folder
        Holds ``OUTCAR`` or ``vasprun.xml`` or both; ``POSCAR``, ``CONTCAR``, ``KPOINTS`` and logs
        are used where they are.
    quiet_s
        Seconds of silence after which output without an end counts as broken off.
    now
        Time to measure the silence from, in seconds since the epoch; the clock by default.
    image
        The folder is an image of a band that VASP relaxed.

    Raises
    ------
    OutputFileError
        Files of different runs lie together, or one that should be whole cannot be read.
    """
    present = [folder / name for name in OUTPUTS if has_content(folder / name)]
    names = {path.name for path in present}
    known = _Known(folder, read_poscar(folder / "POSCAR"), tuple(sorted(names)), image=image)
    if "OUTCAR" in names:
        known = replace(known, scan=scan_outcar(folder / "OUTCAR"))
    elif "OSZICAR" in names:
        known = replace(known, iterations=oszicar_steps(folder / "OSZICAR"))
    known = replace(known, tags=known.scan.settings)
    closed = is_closed(folder / "vasprun.xml")
    if known.scan.ended or closed:
        return _ended(known, closed=closed)
    logs = logs_of(folder, present)
    failure = failure_in((*logs, folder / "OUTCAR") if "OUTCAR" in names else logs)
    if failure or names & {"OUTCAR", "vasprun.xml", "OSZICAR"}:
        quiet = seconds_quiet(present, now=now) if present else 0.0
        return _run(known, *without_end(quiet, quiet_s, failure))
    if (folder / "INCAR").is_file():
        known = replace(known, tags=asked_tags(folder / "INCAR"))
    return _run(known, "not-started", "there are inputs but no OUTCAR and no vasprun.xml")


@dataclass(frozen=True)
class _Known:
    """What is known of a run beside its numbers."""

    folder: Path
    start: Structure | None
    files: tuple[str, ...]
    image: bool
    scan: OutcarScan = field(default_factory=OutcarScan)
    tags: dict[str, str] = field(default_factory=dict)
    steps: Steps | None = None
    iterations: tuple[int, ...] = ()
    fmax: float | None = None
    notes: tuple[str, ...] = ()


def _run(known: _Known, state: RunState, reason: str, **numbers: Any) -> CollectedRun:
    """Return a run with what is known and, if it finished, its numbers."""
    iterations = known.iterations or known.scan.iterations
    empty: dict[str, Any] = dict.fromkeys(
        ("energy_eV", "free_energy_eV", "forces_eV_per_A", "stress_eV_per_A3", "magnetic_moments",
         "total_magnetic_moment", "fermi_energy_eV"),
    )  # fmt: skip
    return CollectedRun(
        folder=str(known.folder),
        code="vasp",
        version=known.scan.version,
        task=task_of(known.tags, image=known.image),
        state=state,
        reason=reason,
        theory=theory_of(known.tags),
        settings=settings_of(known.scan, known.tags, known.folder),
        structure=known.steps.last if known.steps else None,
        start=known.start or (known.steps.start if known.steps else None),
        ionic_steps=len(iterations),
        electronic_steps=iterations[-1] if iterations else 0,
        unconverged_steps=breached_steps(iterations, known.tags),
        fmax_eV_per_A=known.fmax,
        fmax_target_eV_per_A=force_target(known.tags),
        notes=known.notes,
        files=known.files,
        **({**empty, "step_energies_eV": np.zeros(0)} | numbers),
    )


def _ended(known: _Known, *, closed: bool) -> CollectedRun:
    """Read a run that ended by itself."""
    folder, scan = known.folder, known.scan
    run = load_vasprun(folder / "vasprun.xml") if closed else None
    outcar = load_outcar(folder / "OUTCAR") if scan.ended else None
    steps = steps_of(run) if run is not None else steps_from_outcar(folder / "OUTCAR")
    if run is not None:
        scan = scan if scan.version else replace(scan, version=f"vasp.{short_version(run)}")
        known = replace(known, scan=scan, tags=_tags_of(run) | scan.settings)
    if run is not None and outcar is not None and steps is not None:
        _check_same_run(known, steps, outcar.final_energy)
    iterations = scan.iterations if scan.ended else steps.iterations if steps else ()
    known = replace(known, steps=steps, iterations=iterations, notes=_notes(known, closed=closed))
    known = replace(known, fmax=_residual(known))
    state, reason = verdict_of(
        Course(
            tags=known.tags,
            image=known.image,
            iterations=iterations,
            soft_stop=scan.soft_stop,
            reached_accuracy=scan.reached_accuracy if scan.ended else None,
            fmax_eV_per_A=known.fmax,
        )
    )
    if steps is None:
        return _run(known, "unconverged", "it ended, but no ionic step has an energy and forces")
    numbers = _numbers(known, steps, run, outcar) if state == "finished" else {}
    return _run(known, state, reason, **numbers)


def _notes(known: _Known, *, closed: bool) -> tuple[str, ...]:
    """Return what a reader should know of a run that ended."""
    folder, notes = known.folder, []
    if has_content(folder / "vasprun.xml") and not closed:
        notes.append("vasprun.xml is cut off although the run ended: the numbers are OUTCAR's")
    if has_content(folder / "OUTCAR") and not known.scan.ended:
        notes.append("OUTCAR is cut off although the run ended: the numbers are vasprun.xml's")
    present = [folder / name for name in known.files]
    failure = failure_in(logs_of(folder, present))
    if failure:
        notes.append(f"the run ended by itself, but a log says: {failure}")
    return tuple(notes)


def _tags_of(run: Any) -> dict[str, str]:
    """Return the resolved tags of a vasprun.xml as text."""
    tags = {
        name: str(value)
        for source in (run.parameters, run.incar)
        for name, value in dict(source).items()
        if not isinstance(value, list)
    }
    grid: Any = run.kpoints.kpts
    if run.kpoints.style.name in ("Gamma", "Monkhorst") and len(grid) == 1:
        tags[GRID] = "x".join(str(int(n)) for n in grid[0])
    if all(str(title).startswith("PAW_PBE") for title in run.potcar_symbols):
        tags.setdefault("LEXCH", "PE")
    return tags


def _residual(known: _Known) -> float | None:
    """Return the largest force on a free atom, or an image's band force, in eV/angstrom."""
    steps = known.steps
    if known.image:  # without its neighbours an image does not know its band force
        return known.scan.band_fmax_eV_per_A
    if steps is None or steps.forces_eV_per_A is None:
        return None
    forces = np.where(free_components(known.folder, len(steps.last)), steps.forces_eV_per_A, 0.0)
    return float(np.linalg.norm(forces, axis=1).max())


def _check_same_run(known: _Known, steps: Steps, outcar_energy: float | None) -> None:
    """Raise if OUTCAR and vasprun.xml tell of different runs."""
    counted, written = len(known.scan.iterations), len(steps.energies_eV)
    apart = 0.0 if outcar_energy is None else abs(outcar_energy - float(steps.energies_eV[-1]))
    counts_differ = counted != written and task_of(known.tags, image=known.image) != "other"
    if counts_differ or apart > SAME_ENERGY_EV:
        raise OutputFileError(
            f"OUTCAR and vasprun.xml in {known.folder} are of different runs: {counted} and "
            f"{written} ionic steps, last energies {apart:.3f} eV apart. Keep the files of one run "
            "only."
        )


def _numbers(known: _Known, steps: Steps, run: Any, outcar: Any) -> dict[str, Any]:
    """Return the results of a finished run by field."""
    numbers: dict[str, Any] = {"fermi_energy_eV": None if run is None else run.efermi}
    if outcar is not None:
        moments = [m["tot"] for m in outcar.magnetization if isinstance(m.get("tot"), float)]
        fits = len(moments) == len(steps.last)
        numbers["magnetic_moments"] = np.array(moments) if fits else None
        numbers["total_magnetic_moment"] = outcar.total_mag if outcar.spin else None
        numbers["fermi_energy_eV"] = outcar.efermi
    if is_nonscf(known.tags) or not np.isfinite(steps.energies_eV).all():
        return numbers
    return numbers | {
        "energy_eV": float(steps.energies_eV[-1]),
        "free_energy_eV": steps.free_energy_eV,
        "forces_eV_per_A": steps.forces_eV_per_A,
        "stress_eV_per_A3": steps.stress_eV_per_A3,
        "step_energies_eV": steps.energies_eV,
    }
