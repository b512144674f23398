"""Density of melts of PEO at 400 K, and what the ends of chains take from it.

    python benchmarks/melt_density.py FOLDER run --units 20 --chains 8 --ps 600 --kelvin 400
    python benchmarks/melt_density.py FOLDER compare        # all runs in FOLDER

Each run is one of methyl-ended chains at 1 bar by GROMACS; it resumes. Specific volumes of a
homologous series at 400 K lie on a line in 1/M, its slope the room that two ends take beyond that
of the repeat units beside them; where the line meets 1/M = 0 are chains without ends. The
criterion: that density with its whole 95 % interval within 3 % of the measured one. Runs that
still drift are told, and left out of the line.

Measured, long chains: 1 / (0.8766 exp(7.087e-4 t)) g/cm3, t in degrees Celsius from 88 to 224, at
no pressure: the fit for PEO in P. A. Rodgers, J. Appl. Polym. Sci. 48 (1993) 1061, doi
10.1002/app.1993.070480613. Measured, five units (tetraglyme) at 288.15 K: 1.01563 g/cm3, the upper
end of the densities of its mixtures with butanol, which is less dense, in doi
10.1007/s10765-013-1469-0.
"""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from superionic.analysis.equilibration import Equilibration, judge_equilibration
from superionic.inputs.forcefield import assign_parameters
from superionic.inputs.gromacs import write_gromacs
from superionic.inputs.md_options import MDOptions
from superionic.structures.packing import build_box
from superionic.structures.polymers import peo_chain
from superionic.structures.recipe import BoxSpec
from superionic.workflows.gromacs_files import gromacs_stages
from superionic.workflows.md_gromacs import run_gromacs
from superionic.workflows.md_handover import read_log

TEMPERATURE_K = 400.0
WITHIN = 0.03
TWO_SIDED = 1.96
MEASURED_G_CM3 = {(5, 288.15): 1.01563}
"""By units and temperature in K."""


@dataclass(frozen=True)
class Melt:
    """One run: its chains, temperature, their mass (g/mol), its length, what its density did."""

    units: int
    chains: int
    kelvin: float
    mass_g_per_mol: float
    ps: float
    density: Equilibration

    @property
    def volume(self) -> tuple[float, float]:
        """Specific volume and its standard error in cm3/g."""
        mean = self.density.mean
        return 1.0 / mean, self.density.standard_error / mean**2


def long_chains_g_cm3(temperature_K: float) -> float:
    """Measured density of liquid PEO of high molar mass at 1 bar."""
    return float(1.0 / (0.8766 * np.exp(7.087e-4 * (temperature_K - 273.15))))


def run(folder: Path, *, units: int, chains: int, kelvin: float, ps: float, seed: int) -> Melt:
    """Run chains at constant pressure, or go on with that run."""
    place = folder / f"{units}x{chains}-{kelvin:g}K-{seed}"
    options = MDOptions(
        cutoff_ang=10.0, hydrogen_mass_amu=3.024, timestep_fs=4.0, temperature_K=kelvin,
        steps=5 * round(ps * 1e3 / 4.0), frame_every=250, seed=seed,
    )  # fmt: skip
    source = place / "inputs"
    if not source.is_dir():
        box = build_box(BoxSpec(units, chains, seed=seed))
        write_gromacs(assign_parameters(box, charge_scale=1.0), source, options)
    run_gromacs(place / "md", source, steps=1)
    return read(place)


def read(place: Path) -> Melt:
    """Return what the run in a folder says."""
    found = re.fullmatch(r"(\d+)x(\d+)-([\d.]+)K-\d+", place.name)
    if found is None:
        raise SystemExit(f"{place} is no folder of a run here.")
    stage = next(s for s in gromacs_stages(place / "md", 1) if s.name == "npt")
    log = read_log(stage.log)
    told = judge_equilibration(log["density_g_per_cm3"], name="density", unit="g/cm3")
    units, chains = int(found[1]), int(found[2])
    mass = peo_chain(units).structure.mass_g_per_mol
    return Melt(units, chains, float(found[3]), mass, float(log["time_ps"][-1]), told)


def tell(melt: Melt) -> None:
    """Print one run beside what is measured."""
    told = melt.density
    expected = MEASURED_G_CM3.get((melt.units, melt.kelvin))
    whose = "measured"
    if expected is None:
        expected, whose = long_chains_g_cm3(melt.kelvin), "long chains measured"
    print(
        f"{melt.chains} chains of {melt.units} units ({melt.mass_g_per_mol:.1f} g/mol), "
        f"{melt.ps:.0f} ps at {melt.kelvin:g} K: {told.mean:.4f} +- "
        f"{TWO_SIDED * told.standard_error:.4f} g/cm3 ({told.reason}); {whose} {expected:.4f}, "
        f"{100 * (told.mean / expected - 1):+.1f} %"
    )


def compare(folder: Path) -> None:
    """Print all runs, and the line through their specific volumes."""
    melts = [read(place) for place in folder.iterdir() if (place / "md").is_dir()]
    melts.sort(key=lambda melt: (melt.kelvin, melt.units))
    for melt in melts:
        tell(melt)
    melts = [m for m in melts if m.density.equilibrated and m.kelvin == TEMPERATURE_K]
    if len({melt.units for melt in melts}) < 2:
        return
    inverse = np.array([1.0 / melt.mass_g_per_mol for melt in melts])
    volumes, errors = np.array([melt.volume for melt in melts]).T
    (slope, volume), covariance = np.polyfit(inverse, volumes, 1, w=1 / errors, cov="unscaled")
    off = (volumes - slope * inverse - volume) / errors
    freedom = len(melts) - 2
    worse = max(1.0, float(np.sqrt((off**2).sum() / freedom))) if freedom else 1.0
    slope_error, volume_error = worse * np.sqrt(np.diag(covariance))
    density, wide = 1 / volume, TWO_SIDED * volume_error / volume**2
    expected = long_chains_g_cm3(TEMPERATURE_K)
    low, high = (100 * ((density + sign * wide) / expected - 1) for sign in (-1, 1))
    limit = 100 * WITHIN
    if max(abs(low), abs(high)) <= limit:
        verdict = "within"
    elif low > limit or high < -limit:
        verdict = "outside"
    else:
        verdict = "undecided against"
    print(
        f"Line in 1/M: two ends take {slope:.1f} +- {TWO_SIDED * slope_error:.1f} cm3/mol more; "
        f"largest distance from the line {np.abs(off).max():.1f} standard errors. Without ends "
        f"{density:.4f} +- {wide:.4f} g/cm3, {low:+.1f} to {high:+.1f} % of the measured "
        f"{expected:.4f}: {verdict} {limit:g} %"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("what", choices=("run", "compare"))
    parser.add_argument("--units", type=int, default=20)
    parser.add_argument("--chains", type=int, default=8)
    parser.add_argument("--kelvin", type=float, default=TEMPERATURE_K)
    parser.add_argument("--ps", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    if asked.what == "run":
        melt = run(
            asked.folder, units=asked.units, chains=asked.chains, kelvin=asked.kelvin,
            ps=asked.ps, seed=asked.seed,
        )  # fmt: skip
        tell(melt)
    else:
        compare(asked.folder)


if __name__ == "__main__":
    main()
