"""May steps of 4 fs be taken? Energy drift without thermostat, and 4 fs against 2 fs.

    python benchmarks/time_step.py FOLDER drift                        # OpenMM, minutes
    python benchmarks/time_step.py FOLDER run --ps 75 --replicas 5     # GROMACS; resumes
    python benchmarks/time_step.py FOLDER compare                      # what these runs say

Boxes are PEO/NaTFSI at EO:Na 20, 800 atoms, with the force field, cutoff, constraints and heavy
hydrogens (3.024 g/mol) of the papers' quick runs, at 400 K. The drift is the slope of the total
energy of a Verlet run from an equilibrated state on one thread of OpenMM's CPU platform, which
computes forces in single precision, per degree of freedom in units of kT, with the scatter of ten
stretches. Densities and distributions are compared at 1 bar by GROMACS, which is faster there.

Chains hardly forget their start in such a run, so both time steps start from the same boxes, and
intervals are those of Student's t for the differences of pairs of runs, box by box. The criteria:
the 95 % interval of the difference in density holds zero and is within 2 %; those of the
neighbours within `REACH_ANG` hold zero. Of all shells of g(r), 5 % would be beyond by chance.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openmm
from scipy.stats import t as student

from superionic.analysis.equilibration import judge_equilibration
from superionic.analysis.rdf import RDF, PairCounter
from superionic.analysis.trajectory import read
from superionic.inputs.forcefield import assign_parameters
from superionic.inputs.gromacs import write_gromacs
from superionic.inputs.md_options import MDOptions
from superionic.inputs.openmm import build_system, system_xml
from superionic.structures.box import Box
from superionic.structures.packing import build_box
from superionic.structures.recipe import BoxSpec
from superionic.workflows.boxes import pdb_text
from superionic.workflows.gromacs_files import COORDINATES, INPUTS, GromacsStage, gromacs_stages
from superionic.workflows.md_engine import GAS_CONSTANT, read_state
from superionic.workflows.md_gromacs import run_gromacs
from superionic.workflows.md_handover import read_log
from superionic.workflows.md_run import run_md, stage_folder
from superionic.workflows.md_settings import MDSettings, stages
from superionic.workflows.md_store import StageFolder
from superionic.workflows.md_system import MDSystem, read_system

SPEC = BoxSpec(units=10, chains=10, salt="NaTFSI", units_per_cation=20)
TEMPERATURE_K = 400.0
STEPS_FS = (2.0, 4.0)
FRAME_PS = 0.4
REACH_ANG = 3.5, 7.0
"""Up to where neighbours are counted: sodium's ether oxygens, and those of other chains."""
DRIFT_STEPS, APART = 12_000, 50
"""Steps of each run without thermostat, and steps between looks at its energy."""
STRETCHES = 10


def options(timestep_fs: float, ps: float = 1.0, seed: int = 0) -> MDOptions:
    """Return how forces are computed, and a run at constant pressure of so many ps."""
    return MDOptions(
        cutoff_ang=10.0, hydrogen_mass_amu=3.024, timestep_fs=timestep_fs,
        temperature_K=TEMPERATURE_K, steps=5 * round(ps * 1e3 / timestep_fs),
        frame_every=round(FRAME_PS * 1e3 / timestep_fs), seed=seed + 1,
    )  # fmt: skip


def system(box: Box, timestep_fs: float) -> MDSystem:
    """Put the forces of the papers' runs on the box."""
    forces = build_system(assign_parameters(box, charge_scale=0.8), options(timestep_fs))
    return MDSystem(system_xml(forces), pdb_text(box), box.structure.positions, box.structure.cell)


def settings(timestep_fs: float) -> MDSettings:
    """Return a run at constant pressure whose frames come at equal times."""
    frame = round(FRAME_PS * 1e3 / timestep_fs)
    return MDSettings(
        temperature_K=TEMPERATURE_K, timestep_fs=timestep_fs, anneal_steps=5 * frame,
        equilibrate_steps=50 * frame, production="npt", frame_steps=frame, log_steps=frame,
        chunk_steps=25 * frame, seed=1,
    )  # fmt: skip


def folder_of(folder: Path, timestep_fs: float, seed: int) -> Path:
    return folder / f"{timestep_fs:g}fs-{seed}"


def production(folder: Path, timestep_fs: float) -> StageFolder:
    plan = stages(settings(timestep_fs), 1)
    return stage_folder(folder, len(plan), plan[-1])


def run(folder: Path, ps: float, replicas: int) -> None:
    """Run both time steps at constant pressure, from each box."""
    for seed in range(replicas):
        box = assign_parameters(build_box(replace(SPEC, seed=seed)), charge_scale=0.8)
        for timestep in STEPS_FS:
            place = folder_of(folder, timestep, seed)
            source = write_gromacs(box, place / "inputs", options(timestep, ps, seed))
            run_gromacs(place / "md", source, steps=1)


def at_pressure(place: Path) -> GromacsStage:
    """Return the stage at constant pressure."""
    return next(s for s in gromacs_stages(place / "md", 1) if s.name == "npt")


def drift(folder: Path) -> None:
    """Print the slope of the total energy at several time steps, from one equilibrated state."""
    box = build_box(SPEC)
    start = folder / "start"
    plan = settings(STEPS_FS[-1])
    if not (start / "5-production" / "commit.json").is_file():
        run_md(start, system(box, STEPS_FS[-1]), plan, steps=plan.chunk_steps, platform="CPU")
    commit = (files := production(start, STEPS_FS[-1])).committed()
    if commit is None:
        raise SystemExit("There is no state to start from.")
    state = read_state((files.path / commit.state).read_text())
    for timestep in (1.0, *STEPS_FS):
        slope, error, noise = nve(system(box, timestep), state, timestep)
        print(
            f"{timestep:g} fs, {DRIFT_STEPS * timestep * 1e-3:g} ps: drift {slope:+.4f} +- "
            f"{1.96 * error:.4f} kT/ns a degree of freedom, fluctuation {noise:.1f} kJ/mol"
        )


def nve(made: MDSystem, state: Any, timestep_fs: float) -> tuple[float, float, float]:
    """Return the drift of the total energy (kT/ns a degree of freedom), its error, the scatter."""
    forces = read_system(made.system_xml)
    integrator = openmm.VerletIntegrator(timestep_fs * 1e-3)
    integrator.setConstraintTolerance(1e-6)
    platform = openmm.Platform.getPlatformByName("CPU")
    context = openmm.Context(forces, integrator, platform, {"Threads": "1"})
    context.setPeriodicBoxVectors(*state.getPeriodicBoxVectors())
    context.setPositions(state.getPositions())
    context.setVelocities(state.getVelocities())
    energies, times = [], []
    for k in range(DRIFT_STEPS // APART):
        integrator.step(APART)
        now = context.getState(getEnergy=True)
        total = now.getPotentialEnergy() + now.getKineticEnergy()
        energies.append(float(total._value))
        times.append((k + 1) * APART * timestep_fs * 1e-6)
    freedom = 3 * forces.getNumParticles() - forces.getNumConstraints() - 3
    unit = GAS_CONSTANT * TEMPERATURE_K * freedom
    x, t = np.array(energies), np.array(times)
    slope, offset = np.polyfit(t, x, 1)
    noise = float((x - slope * t - offset).std())
    means = x[: len(x) // STRETCHES * STRETCHES].reshape(STRETCHES, -1).mean(axis=1)
    middles = t[: len(x) // STRETCHES * STRETCHES].reshape(STRETCHES, -1).mean(axis=1)
    line = np.polyfit(middles, means, 1)
    rest = means - np.polyval(line, middles)
    error = np.sqrt((rest**2).sum() / (STRETCHES - 2) / ((middles - middles.mean()) ** 2).sum())
    return float(slope / unit), float(error / unit), noise


def compare(folder: Path) -> None:
    """Print density and distributions of both time steps, and how they differ."""
    box = build_box(SPEC)
    seeds = sorted(int(p.name.split("-")[1]) for p in folder.glob(f"{STEPS_FS[0]:g}fs-*"))
    densities, curves = [], []
    for seed in seeds:
        runs = [at_pressure(folder_of(folder, timestep, seed)) for timestep in STEPS_FS]
        logs = [read_log(stage.log) for stage in runs]
        told = [
            judge_equilibration(log["density_g_per_cm3"], name="density", unit="g/cm3")
            for log in logs
        ]
        densities.append([one.mean for one in told])
        curves.append([distributions(stage.trajectory, box) for stage in runs])
        values = ", ".join(
            f"{t:g} fs {log['time_ps'][-1]:.0f} ps {one.mean:.4f} +- "
            f"{1.96 * one.standard_error:.4f}"
            for t, log, one in zip(STEPS_FS, logs, told, strict=True)
        )
        print(f"box {seed}: density {values} g/cm3")
    means = np.array(densities)
    middle, error = paired(means)
    print(
        f"density {means[:, 0].mean():.4f} and {means[:, 1].mean():.4f} g/cm3: difference "
        f"{100 * middle / means.mean():+.2f} +- {100 * error / means.mean():.2f} %"
    )
    for name, reach in zip(curves[0][0], REACH_ANG, strict=True):
        pairs = [[one[name] for one in both] for both in curves]
        shells(name, reach, pairs)


def shells(name: str, reach_ang: float, pairs: list[list[RDF]]) -> None:
    """Print how two sets of distributions differ."""
    within = int(np.searchsorted(pairs[0][0].edges_ang[1:], reach_ang - 1e-9))
    counts = np.array([[one.neighbours[within] for one in both] for both in pairs])
    off, error = paired(counts)
    apart, wide = paired(np.array([[one.g for one in both] for both in pairs]))
    seen = wide > 0
    beyond = int((np.abs(apart) > wide)[seen].sum())
    tops = [np.mean([both[k].g for both in pairs], axis=0) for k in (0, 1)]
    r = pairs[0][0].r_ang
    print(
        f"{name}: highest at {r[tops[0].argmax()]:.2f} and {r[tops[1].argmax()]:.2f} A, "
        f"{tops[0].max():.2f} and {tops[1].max():.2f}; neighbours within {reach_ang:g} A "
        f"{counts[:, 0].mean():.3f} and {counts[:, 1].mean():.3f}, difference {off:+.3f} +- "
        f"{error:.3f}; {beyond} of {seen.sum()} shells beyond 95 %"
    )


def paired(values: Any) -> tuple[Any, Any]:
    """Return the mean of the second less the first of each pair, and its 95 % half-width.

    Of values of shape (pairs, 2) or (pairs, 2, n).
    """
    gaps = np.asarray(values)[:, 1] - np.asarray(values)[:, 0]
    count = len(gaps)
    spread = gaps.std(axis=0, ddof=1) / np.sqrt(count)
    return gaps.mean(axis=0), float(student.ppf(0.975, count - 1)) * spread


def distributions(trajectory: Path, box: Box) -> dict[str, RDF]:
    """Return Na-O(ether), and the ether oxygens of different chains."""
    numbers, molecules = box.structure.numbers, box.molecule_index
    names = np.array([c.name for c in box.components])[box.component_index]
    sodium = np.flatnonzero(names == "NA")
    oxygen = np.flatnonzero((names == "PEO") & (numbers == 8))
    near = PairCounter(r_max_ang=10.0, bin_ang=0.1, names=("Na", "O"))
    chains = PairCounter(
        r_max_ang=10.0, bin_ang=0.1, centre_groups=molecules[oxygen],
        other_groups=molecules[oxygen], same=True, names=("O", "O"),
    )  # fmt: skip
    topology = trajectory.parent.parent / INPUTS / COORDINATES
    whole = read(trajectory, topology=topology)
    for frame in whole.frames(start=whole.frame_count // 4):
        if frame.cell is None:
            raise SystemExit("The trajectory holds no cell.")
        near.add(frame.positions[sodium], frame.positions[oxygen], frame.cell)
        chains.add(frame.positions[oxygen], frame.positions[oxygen], frame.cell)
    return {
        "Na-O(ether)": near.result(),
        "O-O of different chains": chains.result(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("what", choices=("drift", "run", "compare"))
    parser.add_argument("--ps", type=float, default=75.0)
    parser.add_argument("--replicas", type=int, default=5)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    if asked.what == "run":
        run(asked.folder, asked.ps, asked.replicas)
    elif asked.what == "drift":
        drift(asked.folder)
    else:
        compare(asked.folder)


if __name__ == "__main__":
    main()
