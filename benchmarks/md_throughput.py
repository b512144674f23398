"""Throughput of a run that survives anything, beside a bare loop of OpenMM and beside GROMACS.

    python benchmarks/md_throughput.py BOX [STEPS]

BOX is a folder of `superionic box`, of molecules whose parameters need no charges from elsewhere.
All move the same system with the same cutoff, constraints, heavy hydrogens and steps of 4 fs, on
one thread, in turns; CPU time is compared, which other programs on the machine disturb least, as
ns a day of one core, and the middle of all turns is told. Six minutes on one core for 1300 atoms
and 2000 steps a turn. Ours saves a frame and a row every 500 steps and a state, synced to disk, at
the end of each chunk; the bare loop saves nothing. GROMACS, where `gmx` is found, is timed by the
difference of a long and a short run, from a box that was relaxed.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import openmm

from superionic.inputs.forcefield import assign_parameters
from superionic.inputs.gromacs import write_gromacs
from superionic.inputs.md_options import MDOptions
from superionic.inputs.openmm import build_system, system_xml
from superionic.inputs.parametrised import ParametrisedBox
from superionic.structures.errors import TheoryError
from superionic.workflows.boxes import pdb_text, read_box
from superionic.workflows.gmx import find_gmx, gmx_version
from superionic.workflows.md_engine import read_state
from superionic.workflows.md_gromacs import extend_gromacs, run_gromacs
from superionic.workflows.md_run import extend_md, run_md
from superionic.workflows.md_settings import MDSettings
from superionic.workflows.md_store import StageFolder
from superionic.workflows.md_system import MDSystem, read_system

TURNS = 5
PLATFORM = "CPU"
TIMESTEP_FS = 4.0
SETTLE_STEPS = 2500


def options(steps: int) -> MDOptions:
    """Return what both codes are told."""
    return MDOptions(
        cutoff_ang=10.0, hydrogen_mass_amu=3.024, timestep_fs=TIMESTEP_FS, steps=steps,
        frame_every=500,
    )  # fmt: skip


def bare(system: MDSystem, state_xml: str, settings: MDSettings, steps: int) -> float:
    """Return the CPU seconds of a plain loop, its context included."""
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


def openmm_turns(box: ParametrisedBox, folder: Path, steps: int) -> None:
    """Print the throughput of the bare loop and of ours, turn by turn."""
    forces = system_xml(build_system(box, options(steps)))
    start = box.box.structure
    system = MDSystem(forces, pdb_text(box.box), start.positions, start.cell)
    settings = MDSettings(
        timestep_fs=TIMESTEP_FS, anneal_steps=0, equilibrate_steps=SETTLE_STEPS,
        frame_steps=500, log_steps=500, chunk_steps=steps,
    )  # fmt: skip
    run_md(folder, system, settings, steps=steps, platform=PLATFORM)
    files = StageFolder(folder / "4-production")
    unit = steps * TIMESTEP_FS * 1e-6 * 86400
    ratios = []
    for turn in range(TURNS):
        commit = files.committed()
        if commit is None:
            raise SystemExit("nothing was committed")
        plain = bare(system, (files.path / commit.state).read_text(), settings, steps)
        begun = time.process_time()
        extend_md(folder, steps=steps, platform=PLATFORM)
        ours = time.process_time() - begun
        print(
            f"turn {turn + 1}: bare OpenMM {unit / plain:.1f}, ours {unit / ours:.1f} ns/day of "
            f"one core, ratio {plain / ours:.3f}"
        )
        ratios.append(plain / ours)
    print(f"ratio of ours to the bare loop, middle of {TURNS} turns: {median(ratios):.3f}")


def gromacs_turns(box: ParametrisedBox, folder: Path, steps: int) -> None:
    """Print the throughput of GROMACS, turn by turn."""
    source = write_gromacs(box, folder / "inputs", options(5 * SETTLE_STEPS))
    run_gromacs(folder / "md", source, steps=500)
    speeds = []
    for turn in range(TURNS):
        seconds = []
        for count in (500, steps + 500):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            extend_gromacs(folder / "md", steps=count)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        spent = seconds[1] - seconds[0]
        unit = steps * TIMESTEP_FS * 1e-6 * 86400
        speeds.append(unit / spent)
        print(f"turn {turn + 1}: GROMACS {unit / spent:.1f} ns/day of one core")
    print(f"GROMACS, middle of {TURNS} turns: {median(speeds):.1f} ns/day of one core")


def main() -> None:
    """Run all on one box."""
    found = read_box(Path(sys.argv[1]))
    steps = max((int(sys.argv[2]) if len(sys.argv) > 2 else 2000) // 500, 1) * 500
    box = assign_parameters(found, charge_scale=0.8)
    print(f"{len(found)} atoms, {steps} steps a turn, OpenMM {openmm.__version__}")
    with tempfile.TemporaryDirectory() as scratch:
        openmm_turns(box, Path(scratch) / "openmm", steps)
        try:
            print(f"GROMACS {gmx_version(find_gmx())}")
        except TheoryError as error:
            print(error)
            return
        gromacs_turns(box, Path(scratch) / "gromacs", steps)


if __name__ == "__main__":
    main()
