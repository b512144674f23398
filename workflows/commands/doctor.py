"""`superionic doctor`: what is installed, what each level of theory needs, and a quick test."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
import time
from typing import TYPE_CHECKING, Any

import typer

from superionic.workflows.commands.console import emit_facts, emit_json, emit_table, note, say

if TYPE_CHECKING:
    from superionic.workflows.commands.console import Cell

PROGRAMS = {
    "vasp": "runs VASP decks",
    "castep": "runs CASTEP decks",
    "gromacs": "runs GROMACS decks",
    "sbatch": "submits to a Slurm cluster",
}
"""Programs outside Python that superionic can start, and what for."""
DISTRIBUTIONS = {"torch_dftd": "torch-dftd"}
"""Names to install a package by, where they differ from its module."""


def examine(*, as_json: bool) -> None:
    """Say what is there, run the self-test, and leave with exit code 1 if it fails."""
    from superionic.workflows.selftest import self_test

    machine, levels, programs = _machine(), _levels(), _programs()
    if not as_json:
        emit_facts(machine)
        say()
        emit_table(["level of theory", "needs", "ready"], levels)
        emit_table(["program", "command", "found", "for"], programs)
    begun = time.monotonic()
    checks = self_test()
    wall_s = time.monotonic() - begun
    if as_json:
        emit_json(_record(machine, levels, programs) | {"checks": checks, "wall_s": wall_s})
    else:
        say(f"Self-test ({wall_s:.1f} s)")
        for check in checks:
            say(f"  {'ok  ' if check.ok else 'FAIL'}  {check.name}: {check.found}")
    failed = [check.name for check in checks if not check.ok]
    if failed:
        note(f"error: the self-test failed: {'; '.join(failed)}.")
        raise typer.Exit(1)


def _machine() -> dict[str, Cell]:
    """Return what this machine and installation are."""
    from superionic import __version__
    from superionic.workflows.execution import usable_cores

    return {
        "superionic": __version__,
        "python": f"{platform.python_version()} ({sys.executable})",
        "platform": platform.platform(),
        "cores": usable_cores(),
        "memory GB": _memory_gb(),
        "device": _device(),
        **{name: _version(name) for name in ("numpy", "ase", "pymatgen", "torch", "openmm")},
    }


def _memory_gb() -> float | None:
    """Return the memory of this machine in gigabytes, where the system tells it."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    except (AttributeError, ValueError, OSError):
        return None


def _device() -> str:
    """Return where potentials run."""
    from superionic.workflows.theory_calculators import pick_device

    if importlib.util.find_spec("torch") is None:
        return "no torch, so no potentials"
    return pick_device()


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _levels() -> list[list[Cell]]:
    """Return every level of theory with the packages that it needs, dispersion corrections last."""
    from superionic.workflows.dispersion import DISPERSIONS
    from superionic.workflows.dispersion import MODULES as ADDED
    from superionic.workflows.theory import get_theory, theory_names
    from superionic.workflows.theory_calculators import PACKAGES

    needed = {name: PACKAGES[get_theory(name).code] for name in theory_names()}
    needed |= {f"...+{kind}": ADDED[kind] for kind in DISPERSIONS}
    return [[name, *_package(module)] for name, module in needed.items()]


def _package(module: str) -> tuple[str, str]:
    """Return a package with its version, and whether it is there or how it comes."""
    name = DISTRIBUTIONS.get(module, module)
    if importlib.util.find_spec(module) is None:
        return name, f"no: pip install {name}"
    return f"{name} {_version(name)}", "yes"


def _programs() -> list[list[Cell]]:
    """Return the programs outside Python and whether they are on the PATH."""
    from superionic.workflows.external import command_of

    rows: list[list[Cell]] = []
    for name, purpose in PROGRAMS.items():
        line = [name] if name == "sbatch" else command_of(name)
        rows.append([name, " ".join(line), "yes" if shutil.which(line[0]) else "no", purpose])
    gpaw = importlib.util.find_spec("gpaw") is not None
    rows.append(["gpaw", "Python package", "yes" if gpaw else "no", "runs GPAW scripts"])
    return rows


def _record(
    machine: dict[str, Cell], levels: list[list[Cell]], programs: list[list[Cell]]
) -> dict[str, Any]:
    """Return what is there as plain values."""
    return {
        "machine": machine,
        "theories": [dict(zip(("theory", "needs", "ready"), row, strict=True)) for row in levels],
        "programs": [
            dict(zip(("program", "command", "found", "for"), row, strict=True)) for row in programs
        ],
    }
