"""What density does the force field give a melt of PEO at 400 K? By GROMACS, at constant pressure.

    python benchmarks/melt_density.py FOLDER --units 20 --chains 8 --ps 1000 --seed 0

Measured: 1 / (0.8766 exp(7.087e-4 t)) g/cm3, t in degrees Celsius from 88 to 224, at no pressure
and high molar mass: the fit for PEO in P. A. Rodgers, J. Appl. Polym. Sci. 48 (1993) 1061, doi
10.1002/app.1993.070480613. Short chains with methyl ends are less dense: their ends take more room.
Runs resume.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from superionic.analysis.equilibration import judge_equilibration
from superionic.inputs.forcefield import assign_parameters
from superionic.inputs.gromacs import write_gromacs
from superionic.inputs.md_options import MDOptions
from superionic.structures.packing import build_box
from superionic.structures.recipe import BoxSpec
from superionic.workflows.gromacs_files import gromacs_stages
from superionic.workflows.md_gromacs import run_gromacs
from superionic.workflows.md_handover import read_log

TEMPERATURE_K = 400.0


def measured_g_cm3(temperature_K: float) -> float:
    """Density of liquid PEO of high molar mass at 1 bar."""
    return float(1.0 / (0.8766 * np.exp(7.087e-4 * (temperature_K - 273.15))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--units", type=int, default=20)
    parser.add_argument("--chains", type=int, default=8)
    parser.add_argument("--ps", type=float, default=1000.0)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    steps = round(asked.ps * 1e3 / 4.0)
    options = MDOptions(
        cutoff_ang=10.0, hydrogen_mass_amu=3.024, timestep_fs=4.0, temperature_K=TEMPERATURE_K,
        steps=5 * steps, frame_every=250, seed=asked.seed,
    )  # fmt: skip
    source = asked.folder / "inputs"
    if not source.is_dir():
        box = build_box(BoxSpec(asked.units, asked.chains, seed=asked.seed))
        write_gromacs(assign_parameters(box, charge_scale=1.0), source, options)
    run_gromacs(asked.folder / "md", source, steps=1)
    stage = next(s for s in gromacs_stages(asked.folder / "md", 1) if s.name == "npt")
    log = read_log(stage.log)
    told = judge_equilibration(log["density_g_per_cm3"], name="density", unit="g/cm3")
    expected = measured_g_cm3(TEMPERATURE_K)
    print(
        f"{asked.chains} chains of {asked.units} units, {log['time_ps'][-1]:.0f} ps at "
        f"{TEMPERATURE_K:g} K: {told.mean:.4f} +- {1.96 * told.standard_error:.4f} g/cm3 "
        f"({told.reason}); measured {expected:.4f}, {100 * (told.mean / expected - 1):+.1f} %"
    )


if __name__ == "__main__":
    main()
