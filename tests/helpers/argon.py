"""A small box of argon, and runs of it that can be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import openmm
from openmm import app

from superionic.workflows.md_run import RunEnd, run_md
from superionic.workflows.md_settings import MDSettings
from superionic.workflows.md_store import StageFolder
from superionic.workflows.md_system import MDSystem

EDGE = 22.0
PRODUCTION = "5-production"


def argon(per_edge: int = 3, *, epsilon: float = 0.996) -> MDSystem:
    """Argon on a cubic lattice; a wrong well depth makes another system."""
    system, topology = openmm.System(), app.Topology()
    edge = EDGE / 10
    system.setDefaultPeriodicBoxVectors([edge, 0, 0], [0, edge, 0], [0, 0, edge])
    force = openmm.NonbondedForce()
    force.setNonbondedMethod(openmm.NonbondedForce.CutoffPeriodic)
    force.setCutoffDistance(0.85)
    chain = topology.addChain()
    for _ in range(per_edge**3):
        system.addParticle(39.948)
        force.addParticle(0.0, 0.34, epsilon)
        residue = topology.addResidue("AR", chain)
        topology.addAtom("Ar", app.Element.getBySymbol("Ar"), residue)
    system.addForce(force)
    topology.setUnitCellDimensions(openmm.Vec3(edge, edge, edge))
    grid = np.stack(np.meshgrid(*[np.arange(per_edge)] * 3, indexing="ij"), axis=-1)
    return MDSystem.from_openmm(system, topology, grid.reshape(-1, 3) * EDGE / per_edge)


def settings(*, timestep_fs: float = 4.0, temperature_K: float = 120.0) -> MDSettings:
    return MDSettings(
        temperature_K=temperature_K, pressure_bar=50.0, timestep_fs=timestep_fs, anneal_K=200.0,
        anneal_steps=100, equilibrate_steps=300, frame_steps=10, log_steps=20, chunk_steps=100,
        seed=7,
    )  # fmt: skip


def run(folder: Path, *, steps: int = 400, system: MDSystem | None = None) -> RunEnd:
    return run_md(folder, system or argon(), settings(), steps=steps, platform="Reference")


def production(folder: Path) -> StageFolder:
    return StageFolder(folder / PRODUCTION)


def contents(folder: Path) -> dict[str, bytes]:
    """What must be the same after any number of kills: frames, rows and the final state."""
    files = production(folder)
    commit = files.committed()
    assert commit is not None
    return {
        "trajectory": files.trajectory.read_bytes(),
        "log": files.log.read_bytes(),
        "state": (files.path / commit.state).read_bytes(),
        "equilibration": StageFolder(folder / "4-equilibrate").log.read_bytes(),
    }


def start(folder: Path, *, steps: int) -> subprocess.Popen[bytes]:
    """Start a run in a process of its own; it writes a line once everything is imported."""
    code = (
        f"from argon import run; from pathlib import Path; print('ready', flush=True); "
        f"run(Path({str(folder)!r}), steps={steps})"
    )
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}
    )


def kill_until_done(folder: Path, *, steps: int, kills: int, longest_s: float, seed: int) -> int:
    """Kill a run at random times so often, then let it end; return the kills."""
    rng = np.random.default_rng(seed)
    done = 0
    while True:
        process = start(folder, steps=steps)
        assert process.stdout is not None
        process.stdout.readline()
        if done < kills:
            time.sleep(float(rng.uniform(0.0, longest_s)))
            process.send_signal(signal.SIGKILL)
        code = process.wait()
        process.stdout.close()
        if code == 0:
            return done
        assert code == -signal.SIGKILL
        done += 1
