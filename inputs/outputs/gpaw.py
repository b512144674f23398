"""A run of one of this package's GPAW scripts, read back: `read_gpaw`."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.inputs.outputs.failures import (
    QUIET_S,
    failure_in,
    logs_of,
    seconds_quiet,
    without_end,
)
from superionic.inputs.outputs.records import (
    CollectedNEB,
    CollectedRun,
    OutputFileError,
    RunState,
    RunTask,
)
from superionic.structures.structure import Structure

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT, IMAGES, RESULT, FINAL = "run.py", "images.extxyz", "result.json", "final.extxyz"
TASKS: dict[str, RunTask] = {"static": "static", "relax": "relax", "neb": "neb-image"}
DISPERSIONS = {
    "TorchDFTD3Calculator(old=True": "d2", "damping='d3zero'": "d3", "damping='d3bj'": "d3bj",
    "DFTD4(": "d4",
}  # fmt: skip


def is_gpaw_folder(folder: Path) -> bool:
    """Tell whether a folder holds a GPAW script of this package."""
    script = folder / SCRIPT
    return (folder / IMAGES).is_file() and script.is_file() and "from gpaw" in script.read_text()


def read_gpaw(
    folder: Path, *, quiet_s: float = QUIET_S, now: float | None = None
) -> CollectedRun | CollectedNEB:
    """Read a run of a GPAW script back.

    Parameters
    ----------
    folder
        Holds ``run.py`` and ``images.extxyz``, and what the script wrote: ``result.json``,
        ``final.extxyz``, ``gpaw*.txt``.
    quiet_s, now
        As for other codes.

    Raises
    ------
    OutputFileError
        The script or its results were changed.
    """
    known = _Known(folder, _asked(folder / SCRIPT), _read(folder / IMAGES))
    if (folder / RESULT).is_file():
        return _ended(known)
    logs = [p for p in (*sorted(folder.glob("gpaw*.txt")), *folder.glob("*.log")) if p.is_file()]
    failure = failure_in(logs_of(folder, logs))
    state: RunState = "not-started"
    reason = "the script has not been run"
    if logs or failure:
        quiet = seconds_quiet(logs, now=now) if logs else 0.0
        state, reason = without_end(quiet, quiet_s, failure)
    return _without_numbers(known, state, reason)


@dataclass(frozen=True)
class _Asked:
    """What a script was told."""

    settings: dict[str, Any] = field(default_factory=dict)
    fixed: dict[int, tuple[bool, bool, bool]] = field(default_factory=dict)
    fmax: float | None = None
    climb: bool | None = None
    dispersion: str = "none"


@dataclass(frozen=True)
class _Known:
    """What is known beside the numbers."""

    folder: Path
    asked: _Asked
    images: list[Any]


def _asked(script: Path) -> _Asked:
    """Read the settings off a script without running it."""
    text = script.read_text()
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise OutputFileError(f"{script} is no longer Python: {error}.") from error
    named = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id in ("SETTINGS", "FIXED")
    }
    words = {
        word.arg: ast.literal_eval(word.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for word in node.keywords
        if word.arg in ("fmax", "climb") and isinstance(word.value, ast.Constant)
    }
    dispersion = next((name for sign, name in DISPERSIONS.items() if sign in text), "none")
    return _Asked(
        named.get("SETTINGS", {}), named.get("FIXED", {}), words.get("fmax"), words.get("climb"),
        dispersion,
    )  # fmt: skip


def _read(path: Path) -> list[Any]:
    """Return the frames of an extended XYZ file."""
    from ase.io import read

    try:
        return list(read(path, index=":", format="extxyz"))
    except (OSError, ValueError, IndexError, KeyError) as error:
        raise OutputFileError(f"{path} cannot be read: {error}.") from error


def _ended(known: _Known) -> CollectedRun | CollectedNEB:
    """Read what a script left when it ended."""
    path = known.folder / RESULT
    try:
        result: dict[str, Any] = json.loads(path.read_text())
        task, converged = result["task"], bool(result["converged"])
    except (ValueError, KeyError, TypeError) as error:
        raise OutputFileError(f"{path} cannot be read: {error}. Run the script again.") from error
    if not converged:
        force = result.get("max_force_eV_per_A")
        why = str(result.get("reason", "it did not converge"))
        return _without_numbers(known, "unconverged", why, task=task, fmax=force)
    frames = _read(known.folder / FINAL)
    if task == "neb":
        return _path([_image(known, k, frame) for k, frame in enumerate(frames)], known)
    if abs(float(result["energy_eV"]) - frames[-1].get_potential_energy()) > 1e-5:
        raise OutputFileError(f"{path} and {FINAL} beside it are of different runs.")
    return _finished(known, TASKS.get(task, "other"), frames[-1], int(result.get("steps", 1)))


def _path(images: list[CollectedRun], known: _Known) -> CollectedNEB:
    return CollectedNEB(
        folder=str(known.folder),
        code="gpaw",
        kind="band",
        climbing=known.asked.climb,
        images=tuple(images),
        missing_ends=tuple(
            k for k in (0, len(images) - 1) if images[k].energy_eV is None
        ),
    )  # fmt: skip


def _image(known: _Known, k: int, frame: Any) -> CollectedRun:
    """Return one image of a converged band; its band force is known only beside the others."""
    end = k in (0, len(known.images) - 1)
    return _finished(known, "static" if end else "neb-image", frame, 1, place=k)


def _finished(
    known: _Known, task: RunTask, frame: Any, steps: int, *, place: int = 0
) -> CollectedRun:
    """Return a finished run."""
    found = frame.calc.results if frame.calc is not None else {}
    forces = found.get("forces")
    free = np.ones((len(frame), 3), dtype=bool)
    for atom, axes in known.asked.fixed.items():
        free[int(atom)] = ~np.array(axes, dtype=bool)
    held = None if forces is None else float(np.linalg.norm(forces * free, axis=1).max())
    moments = found.get("magmoms")
    energy = float(found["energy"])
    return _run(
        known,
        "finished",
        "",
        task=task,
        place=place,
        structure=Structure.from_ase(frame),
        energy_eV=energy,
        free_energy_eV=float(found.get("free_energy", energy)),
        forces_eV_per_A=forces,
        magnetic_moments=moments,
        total_magnetic_moment=None if moments is None else float(np.sum(moments)),
        step_energies_eV=np.array([energy]),
        ionic_steps=steps,
        fmax_eV_per_A=None if task == "neb-image" else held,
    )


def _without_numbers(
    known: _Known, state: RunState, reason: str, *, task: str = "", fmax: float | None = None
) -> CollectedRun | CollectedNEB:
    """Return what did not finish: a run, or a path none of whose images has an energy."""
    if len(known.images) > 1:
        images = [
            _run(known, state, reason, task="neb-image", place=k) for k in range(len(known.images))
        ]
        return _path(images, known)
    kind = TASKS.get(task, "static" if known.asked.fmax is None else "relax")
    return _run(known, state, reason, task=kind, fmax_eV_per_A=fmax)


def _run(
    known: _Known, state: RunState, reason: str, *, task: RunTask, place: int = 0, **found: Any
) -> CollectedRun:
    """Return a run with what is known and what was found."""
    asked = known.asked
    functional = _functional(asked.settings)
    parts = ("gpaw", functional, "" if asked.dispersion == "none" else asked.dispersion)
    numbers: dict[str, Any] = dict.fromkeys(
        ("structure", "energy_eV", "free_energy_eV", "forces_eV_per_A", "stress_eV_per_A3",
         "magnetic_moments", "total_magnetic_moment", "fermi_energy_eV", "fmax_eV_per_A"),
    )  # fmt: skip
    numbers |= {"step_energies_eV": np.zeros(0), "ionic_steps": 0} | found
    return CollectedRun(
        folder=str(known.folder),
        code="gpaw",
        version="",
        task=task,
        state=state,
        reason=reason,
        theory="-".join(filter(None, parts)) if functional else "",
        settings=_settings(asked, functional),
        start=Structure.from_ase(known.images[place]),
        electronic_steps=0,
        unconverged_steps=(),
        fmax_target_eV_per_A=asked.fmax,
        files=tuple(n for n in (RESULT, FINAL) if (known.folder / n).is_file()),
        **numbers,
    )


def _functional(settings: dict[str, Any]) -> str:
    name = settings.get("xc", "")
    return str(name.get("name", "") if isinstance(name, dict) else name).lower()


def _settings(asked: _Asked, functional: str) -> dict[str, float | str]:
    """Return what two runs must share before their energies are subtracted."""
    told = asked.settings
    settings: dict[str, float | str] = {"functional": functional, "dispersion": asked.dispersion}
    mode = told.get("mode")
    if isinstance(mode, dict) and "ecut" in mode:
        settings["cutoff_eV"] = float(mode["ecut"])
    size = told.get("kpts", {}).get("size")
    if size:
        settings["kpoints"] = "x".join(str(n) for n in size)
    settings["spin_polarised"] = "yes" if told.get("spinpol") else "no"
    return settings
