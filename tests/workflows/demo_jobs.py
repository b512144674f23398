"""Small jobs for the tests of runs; worker processes import this module by name."""

from __future__ import annotations

import ctypes
import logging
import os
import resource
import sys
import time
from pathlib import Path

import numpy as np

from superionic.structures.structure import Structure
from superionic.workflows.context import (
    current_folder,
    load_checkpoint,
    save_checkpoint,
)
from superionic.workflows.execution import Resources, job
from superionic.workflows.progress import report_progress


def note(where: str, word: str) -> None:
    """Append a line to a file, whole even when many processes do."""
    descriptor = os.open(where, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(descriptor, f"{word}\n".encode())
    os.close(descriptor)


@job(version=1)
def add(a: float, b: float = 1.0, *, journal: str = "") -> float:
    if journal:
        note(journal, f"add {a} {b}")
    return a + b


@job(version=1)
def total(values: tuple[float, ...], *more: float, extra: dict[str, float]) -> float:
    return sum(values) + sum(more) + sum(extra.values())


@job(version=1)
def sleep(seconds: float, tag: int = 0, journal: str = "") -> tuple[float, float, int]:
    if journal:
        note(journal, f"sleep {tag}")
    start = time.time()
    time.sleep(seconds)
    return start, time.time(), os.getpid()


@job(version=1, resources=Resources(cpus=2))
def sleep_wide(seconds: float) -> tuple[float, float, str]:
    start = time.time()
    time.sleep(seconds)
    return start, time.time(), os.environ["OMP_NUM_THREADS"]


@job(version=1)
def threads(tag: int) -> str:
    return os.environ["OMP_NUM_THREADS"]


@job(version=1)
def fail_unless(flag: str) -> str:
    if not Path(flag).exists():
        raise ValueError(f"no file {Path(flag).name}")
    return "fine"


@job(version=1)
def leave(code: int) -> None:
    sys.exit(code)


@job(version=1)
def die_unless(flag: str) -> str:
    if not Path(flag).exists():
        os.kill(os.getpid(), 9)
    return "alive"


@job(version=1)
def crash() -> None:
    ctypes.string_at(0)


@job(version=1)
def too_big() -> np.ndarray:
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
    return np.linspace(0.0, 1.0, 5000)


@job(version=1)
def not_storable(a: float) -> object:
    return object() if a else float("nan")


@job(version=1)
def shift(structure: Structure, by: float) -> Structure:
    return structure.with_positions(structure.positions + by / 3.0)


@job(version=1)
def talk() -> str:
    sys.stdout.write("printed by Python\n")
    os.write(1, b"printed by a compiled code\n")
    logging.getLogger("anything").info("logged by a library")
    report_progress(step=3, total=10, fmax=0.25, message="relaxing")
    (current_folder() / "raw.txt").write_text("raw")
    Path("stray.txt").write_text("stray")
    return str(current_folder())


@job(version=1)
def inner(a: int) -> str:
    return str(current_folder())


@job(version=1)
def outer() -> tuple[str, str, str, str]:
    return str(current_folder()), inner(1), inner(2), inner(1)


@job(version=1)
def count(steps: int, die_at: int, error: str, journal: str) -> np.ndarray:
    """Add up step by step; interrupted once, by a kill or an error, at one of them."""
    state = load_checkpoint("count") or {"step": np.array(0), "sum": np.array(0.0)}
    step, running = int(state["step"]), float(state["sum"])
    note(journal, f"from {step}")
    first = step == 0
    while step < steps:
        step, running = step + 1, running + 1.0 / (step + 1)
        save_checkpoint("count", {"step": step, "sum": running})
        if first and step == die_at and Path(journal).read_text().count("from") == 1:
            if error == "kill":
                os.kill(os.getpid(), 9)
            raise OSError("disk gone") if error == "disk" else ValueError("bad")
    return np.array([running])


@job(version=1)
def emt_energy(structure: Structure) -> float:
    from ase.calculators.emt import EMT

    atoms = structure.to_ase()
    atoms.calc = EMT()
    return float(atoms.get_potential_energy())


@job(version=1)
def chatty(seconds: float) -> int:
    """Report progress for a while."""
    step = 0
    until = time.time() + seconds
    while time.time() < until:
        step += 1
        report_progress(step=step, fmax=1.0 / step, message="[bold] relaxing")
        time.sleep(0.05)
    return step
