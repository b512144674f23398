"""A small salt box as inputs of GROMACS, and runs of it that can be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from superionic.inputs.forcefield import assign_parameters
from superionic.inputs.gromacs import write_gromacs
from superionic.inputs.md_options import MDOptions
from superionic.structures.packing import build_box
from superionic.structures.recipe import BoxSpec

STEPS, FRAME = 4000, 20


@dataclass(frozen=True)
class Asked:
    """How a box is written."""

    timestep_fs: float = 2.0
    pressure_bar: float | None = 1.0
    seed: int = 3


def write_inputs(folder: Path, asked: Asked | None = None) -> Path:
    """Write PEO/NaTFSI of some hundred atoms."""
    wanted = asked or Asked()
    spec = BoxSpec(units=6, chains=6, salt="NaTFSI", units_per_cation=12.0, seed=2)
    options = MDOptions(
        cutoff_ang=7.0, timestep_fs=wanted.timestep_fs, pressure_bar=wanted.pressure_bar,
        steps=2000, frame_every=FRAME, seed=wanted.seed,
    )  # fmt: skip
    return write_gromacs(assign_parameters(build_box(spec), charge_scale=0.8), folder, options)


def start(folder: Path, source: Path, *, steps: int) -> subprocess.Popen[bytes]:
    """Start a run in a process of its own; it writes a line once everything is imported."""
    code = (
        "from pathlib import Path; from superionic.workflows.md_gromacs import run_gromacs; "
        "print('ready', flush=True); "
        f"run_gromacs(Path({str(folder)!r}), Path({str(source)!r}), steps={steps}, "
        "checkpoint_min=0.002)"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def kill_until_done(folder: Path, source: Path, *, steps: int, kills: int, seed: int) -> int:
    """Kill a run at random times so often, then let it end; return the kills."""
    rng = np.random.default_rng(seed)
    done = 0
    while True:
        process = start(folder, source, steps=steps)
        if process.stdout is None:
            raise RuntimeError("no pipe")
        process.stdout.readline()
        if done < kills:
            time.sleep(float(rng.uniform(0.5, 4.0)))
            process.send_signal(signal.SIGKILL)
        code = process.wait()
        process.stdout.close()
        if code == 0:
            return done
        if code != -signal.SIGKILL:
            raise RuntimeError(f"the run left with {code}")
        done += 1
