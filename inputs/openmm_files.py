"""A parametrised box as files that OpenMM runs from: System XML, PDB and a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from superionic.inputs.folders import write_folder
from superionic.inputs.openmm import NM, build_system, system_xml
from superionic.inputs.parameter_table import NOTES, PARAMETERS, notes_text, table_csv

if TYPE_CHECKING:
    from pathlib import Path

    from superionic.inputs.md_options import MDOptions
    from superionic.inputs.parametrised import ParametrisedBox

SYSTEM, COORDINATES, SCRIPT, POSITIONS = "system.xml", "topology.pdb", "run.py", "positions.csv"

_SCRIPT = '''"""Minimise, {what}; run it with `python run.py`.

system.xml holds all parameters, positions.csv the coordinates in nm with all their digits,
topology.pdb the names.
"""

import sys
from pathlib import Path

import numpy as np
import openmm
from openmm import app, unit

STEPS, EVERY, STEP_FS, KELVIN = {steps}, {every}, {dt!r}, {temperature!r}
BAR = {pressure!r}  # None: constant volume throughout

topology = app.PDBFile("topology.pdb").topology
positions = np.loadtxt("positions.csv", delimiter=",") * unit.nanometer


def simulation(barostat):
    system = openmm.XmlSerializer.deserialize(Path("system.xml").read_text())
    if barostat:
        system.addForce(
            openmm.MonteCarloBarostat(BAR * unit.bar, KELVIN * unit.kelvin, 25)
        )
    integrator = openmm.LangevinMiddleIntegrator(
        KELVIN * unit.kelvin, 1.0 / unit.picosecond, STEP_FS * unit.femtosecond
    )
    integrator.setRandomNumberSeed({seed})
    return app.Simulation(topology, system, integrator)


def report(run, name):
    run.reporters = [
        app.StateDataReporter(
            f"{{name}}.csv", EVERY, step=True, time=True, potentialEnergy=True, temperature=True,
            density=True, volume=True, speed=True,
        ),
        app.XTCReporter(f"{{name}}.xtc", EVERY),
        app.CheckpointReporter(f"{{name}}.chk", 20 * EVERY),
    ]


first = simulation(barostat=BAR is not None)
first.context.setPositions(positions)
first.minimizeEnergy()
first.context.setVelocitiesToTemperature(KELVIN, {seed})
if BAR is not None:
    report(first, "npt")
    first.step(max(STEPS // 5, 1))
state = first.context.getState(positions=True, velocities=True)
production = simulation(barostat=False)
production.context.setPeriodicBoxVectors(*state.getPeriodicBoxVectors())
production.context.setPositions(state.getPositions())
production.context.setVelocities(state.getVelocities())
report(production, "nvt")
production.step(STEPS)
sys.stdout.write("finished\\n")
'''


def write_openmm(box: ParametrisedBox, folder: str | Path, options: MDOptions, *, pdb: str) -> Path:
    """Write ``system.xml``, ``topology.pdb``, ``positions.csv``, ``run.py`` and two pages on them.

    Parameters
    ----------
    box
        Atoms with their parameters.
    folder
        A new or empty folder.
    options
        Cutoff, constraints, masses and dynamics.
    pdb
        Text of a PDB file of the box, for the names of atoms and residues.

    Returns
    -------
    Path
        The folder's full path.

    Raises
    ------
    DeckError
        OpenMM is not installed, the cutoff does not fit, or a folder that holds something else.
    """
    return write_folder(folder, openmm_files(box, options, pdb=pdb))


def openmm_files(box: ParametrisedBox, options: MDOptions, *, pdb: str) -> dict[str, str]:
    """Return the text of each file by its name; see `write_openmm`."""
    pressure = options.pressure_bar
    what = "relax the density, and run" if pressure is not None else "and run"
    remarks = ["Run: `python run.py`."]
    if box.rigid.any():
        held = options.rigid == "held"
        remarks.append(
            "Rigid molecules are held: their atoms have no mass."
            if held
            else "Rigid molecules keep their shape by springs, and move."
        )
    positions = box.box.structure.positions * NM
    return {
        SYSTEM: system_xml(build_system(box, options)),
        COORDINATES: pdb,
        POSITIONS: "".join(f"{x:.9f},{y:.9f},{z:.9f}\n" for x, y, z in np.asarray(positions)),
        SCRIPT: _SCRIPT.format(
            what=what,
            steps=options.steps,
            every=options.frame_every,
            dt=options.timestep_fs,
            temperature=options.temperature_K,
            pressure=pressure,
            seed=options.seed + 1,
        ),
        PARAMETERS: table_csv(box),
        NOTES: notes_text(box, options, code="OpenMM", remarks=tuple(remarks)),
    }
