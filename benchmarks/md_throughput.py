"""Throughput of a run that survives anything, against a bare loop of OpenMM on the same system.

Both make the same steps from the same state on the CPU platform with one thread, in turns; CPU time
is compared, which other programs on the machine disturb least. Ours saves a frame and a row every
500 steps and a state, synced to disk, at the end of each chunk; the bare loop saves nothing.

    python benchmarks/md_throughput.py DIR [STEPS]

DIR is a folder of `superionic inputs openmm`, or one with system.xml and topology.pdb.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import openmm

from superionic.workflows.md_engine import read_state
from superionic.workflows.md_run import extend_md, run_md
from superionic.workflows.md_settings import MDSettings
from superionic.workflows.md_store import StageFolder
from superionic.workflows.md_system import MDSystem, read_system, usual_timestep_fs

TURNS = 3
PLATFORM = "CPU"


def bare(system: MDSystem, state_xml: str, settings: MDSettings, steps: int) -> float:
    """CPU seconds of a plain loop, its context included."""
    begun = time.process_time()
    forces = read_system(system.system_xml)
    forces.addForce(openmm.CMMotionRemover(10))
    integrator = openmm.LangevinMiddleIntegrator(
        settings.temperature_K, settings.friction_per_ps, settings.timestep_fs * 1e-3
    )
    platform = openmm.Platform.getPlatformByName(PLATFORM)
    context = openmm.Context(forces, integrator, platform, {"Threads": "1"})
    context.setState(read_state(state_xml))
    integrator.step(steps)
    return time.process_time() - begun


def main() -> None:
    source, steps = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    system = MDSystem.load(source)
    timestep = usual_timestep_fs(read_system(system.system_xml))
    settings = MDSettings(
        timestep_fs=timestep, pressure_bar=None, anneal_steps=0, equilibrate_steps=0,
        frame_steps=500, log_steps=500, chunk_steps=max(steps // 500, 1) * 500,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "md"
        run_md(folder, system, settings, steps=settings.chunk_steps, platform=PLATFORM)
        files = StageFolder(folder / "3-production")
        for turn in range(TURNS):
            commit = files.committed()
            if commit is None:
                raise SystemExit("nothing was committed")
            state = (files.path / commit.state).read_text()
            plain = bare(system, state, settings, settings.chunk_steps)
            begun = time.process_time()
            extend_md(folder, steps=settings.chunk_steps, platform=PLATFORM)
            ours = time.process_time() - begun
            unit = settings.chunk_steps * timestep * 1e-6 * 86400
            print(
                f"turn {turn + 1}: bare {unit / plain:.1f}, ours {unit / ours:.1f} ns/day of CPU "
                f"time, ratio {plain / ours:.3f}"
            )


if __name__ == "__main__":
    main()
