"""From a recipe to what a short run says of an electrolyte: packed, parametrised, run, analysed.

One task a box. The run lives in the task's folder in chunks, so that a task that was killed goes on
where it was (`superionic.workflows.md_run`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.analysis.coordination import Shell, first_shell
from superionic.analysis.diffusion import self_diffusion
from superionic.analysis.diffusivity import Diffusivity
from superionic.analysis.rdf import RDF
from superionic.inputs.md_options import MDOptions
from superionic.inputs.parametrised import Mixing
from superionic.inputs.templates import Cations, LennardJones
from superionic.structures.box import FILLER, Box
from superionic.structures.errors import ProtocolError
from superionic.structures.recipe import BoxSpec
from superionic.structures.structure import Structure, readonly
from superionic.workflows.context import current_folder
from superionic.workflows.electrolyte_frames import follow
from superionic.workflows.execution import job
from superionic.workflows.md_handover import read_log
from superionic.workflows.md_settings import MDSettings
from superionic.workflows.progress import report_progress

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from superionic.workflows.md_run import Progress
    from superionic.workflows.md_store import StageFolder


@dataclass(frozen=True)
class ForceFieldChoice:
    """Which parameters a box gets; see `superionic.inputs.forcefield.assign_parameters`.

    Attributes
    ----------
    charge_scale : float
        Factor on the charges of ions.
    lennard_jones, cations, mixing : str
        Sets of rows, and how unlike atoms mix.
    """

    charge_scale: float
    lennard_jones: LennardJones = "clp-2025"
    cations: Cations = "aqvist"
    mixing: Mixing = "geometric"


@dataclass(frozen=True)
class RunPlan:
    """How long, and with which forces and time step.

    Attributes
    ----------
    options : MDOptions
        Cutoff, constraints, masses. The time step and temperature of ``settings`` count.
    settings : MDSettings
        Stages.
    steps : int
        Steps of production.
    """

    options: MDOptions
    settings: MDSettings
    steps: int

    def __post_init__(self) -> None:
        """Refuse two time steps or temperatures."""
        pairs = (
            ("time step", self.options.timestep_fs, self.settings.timestep_fs),
            ("temperature", self.options.temperature_K, self.settings.temperature_K),
        )
        for name, first, second in pairs:
            if first != second:
                raise ProtocolError(
                    f"Forces and stages name two values of the {name}: {first} and {second}."
                )
        if self.steps < 1:
            raise ProtocolError(f"A production of {self.steps} steps makes no sense.")


@dataclass(frozen=True)
class Observables:
    """What is read off the trajectory.

    Attributes
    ----------
    cation : str
        Residue name of the ion whose surroundings and motion are followed.
    anion, polymer : str
        Residue names; their oxygens are counted around the cation.
    r_max_ang, bin_ang : float
        Reach and width of shells of g(r), in angstrom.
    blocks : int
        Stretches whose scatter gives the intervals.
    """

    cation: str = "NA"
    anion: str = "TFSI"
    polymer: str = "PEO"
    r_max_ang: float = 10.0
    bin_ang: float = 0.05
    blocks: int = 10


@dataclass(frozen=True, eq=False)
class ElectrolyteRun:
    """What a run found.

    Attributes
    ----------
    name : str
        What it is.
    counts : dict of str to int
        Molecules of each component.
    atoms : int
        Atoms in the box.
    filler_wt_percent : float
        Share of the filler that whole molecules make.
    density_g_cm3 : float
        Of the box in production.
    density_drift_percent : float or None
        Change of the density over the second half of the equilibration, fitted by a line, in
        percent; None without a barostat.
    temperature_K : float
        Mean over production.
    production_ps, dt_ps : float
        Length of production and time between frames in ps.
    platform : str
        That moved it.
    anion_oxygen, ether_oxygen : RDF
        Oxygens of the anion, and of the polymer, around the cation.
    anion_shell, ether_shell : Shell
        First shells of both.
    cation_motion : Diffusivity
        Self-diffusion of the cation, or why there is none.
    cation_path_ang : ndarray
        Continuous positions of the cations in angstrom, the drift of the whole box taken off, to
        0.001 angstrom. shape=(frames, cations, 3)
    snapshot : Structure
        The last frame.
    box : Box
        As it was packed.
    seed : int
        Of packing and dynamics.
    """

    name: str
    counts: dict[str, int]
    atoms: int
    filler_wt_percent: float
    density_g_cm3: float
    density_drift_percent: float | None
    temperature_K: float
    production_ps: float
    dt_ps: float
    platform: str
    anion_oxygen: RDF
    ether_oxygen: RDF
    anion_shell: Shell
    ether_shell: Shell
    cation_motion: Diffusivity
    cation_path_ang: NDArray[np.float64]
    snapshot: Structure
    box: Box
    seed: int

    def __post_init__(self) -> None:
        """Freeze the array."""
        path = readonly(np.round(self.cation_path_ang, 3), np.float64)
        object.__setattr__(self, "cation_path_ang", path)


@dataclass(frozen=True, eq=False)
class FillerModel:
    """A filler molecule's charges.

    Attributes
    ----------
    charges_e : ndarray
        Charge of each atom in e; of no atoms where there is no filler. shape=(atoms,)
    source : str
        Where they come from.
    """

    charges_e: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    source: str = ""

    def __post_init__(self) -> None:
        """Freeze."""
        object.__setattr__(self, "charges_e", readonly(self.charges_e, np.float64))


@job(version=1, name="electrolyte_md")
def electrolyte_task(
    name: str,
    recipe: BoxSpec,
    filler: FillerModel,
    force_field: ForceFieldChoice,
    plan: RunPlan,
    observables: Observables,
) -> ElectrolyteRun:
    """Pack a box, run it, and say what it shows.

    Raises
    ------
    PackingError, MissingParametersError, UnstableRunError
        The box cannot be packed or parametrised, or the run blew up.
    InvalidStructureError
        The box holds no residue of a name that is to be observed; told before the run.
    TimeoutError
        It was asked to stop, or the walltime ends; the next try goes on.
    """
    from superionic.inputs.forcefield import assign_parameters
    from superionic.inputs.openmm import build_system, system_xml
    from superionic.structures.packing import build_box
    from superionic.workflows.boxes import pdb_text
    from superionic.workflows.md_run import run_md
    from superionic.workflows.md_system import MDSystem

    folder = current_folder() / "md"
    box = build_box(recipe)
    for residue in (observables.cation, observables.anion, observables.polymer):
        box.component(residue)
    charges = {FILLER: filler.charges_e} if len(filler.charges_e) else None
    parametrised = assign_parameters(
        box, charge_scale=force_field.charge_scale, lennard_jones=force_field.lennard_jones,
        cations=force_field.cations, mixing=force_field.mixing, charges=charges,
    )  # fmt: skip
    forces = system_xml(build_system(parametrised, plan.options))
    system = MDSystem(forces, pdb_text(box), box.structure.positions, box.structure.cell)
    end = run_md(
        folder, system, plan.settings, steps=plan.steps, platform="auto", watch=_tell(name)
    )
    if not end.finished:
        raise TimeoutError(
            f"The run of {name} was stopped by {end.signal_name} in stage {end.stage} at step "
            f"{end.step}; the same command continues it."
        )
    return _read(name, folder, box, plan, observables, recipe.seed)


def _tell(name: str) -> Any:
    """Return what hands the progress of a run to the task's display."""

    def tell(progress: Progress) -> None:
        report_progress(
            step=progress.step,
            total=progress.target,
            message=f"{name}, {progress.stage}, {progress.ns_per_day:.1f} ns/day",
        )

    return tell


def _read(
    name: str, folder: Path, box: Box, plan: RunPlan, seen: Observables, seed: int
) -> ElectrolyteRun:
    """Read structure, motion and state off a finished run."""
    from superionic.workflows.md_run import stage_folder
    from superionic.workflows.md_settings import stages

    made = {
        stage.name: stage_folder(folder, number, stage)
        for number, stage in enumerate(stages(plan.settings, plan.steps), start=1)
    }
    files = made["production"]
    followed = follow(files.trajectory, folder / "topology.pdb", box, seen)
    dt_ps = plan.settings.frame_steps * plan.settings.timestep_fs * 1e-3
    shells = [first_shell(rdf) for rdf in followed.around]
    commit = files.committed()
    return ElectrolyteRun(
        name=name,
        counts={c.name: c.count for c in box.components},
        atoms=len(box),
        filler_wt_percent=100.0 * box.filler_weight_fraction,
        density_g_cm3=box.density_g_cm3 * box.structure.volume / followed.last.volume,
        density_drift_percent=_drift(made.get("equilibrate")),
        temperature_K=float(read_log(files.log)["temperature_K"].mean()),
        production_ps=plan.steps * plan.settings.timestep_fs * 1e-3,
        dt_ps=dt_ps,
        platform=commit.platform if commit else "",
        anion_oxygen=followed.around[0],
        ether_oxygen=followed.around[1],
        anion_shell=shells[0],
        ether_shell=shells[1],
        cation_motion=self_diffusion(followed.path, dt_ps=dt_ps),
        cation_path_ang=followed.path,
        snapshot=followed.last,
        box=box,
        seed=seed,
    )


def _drift(stage: StageFolder | None) -> float | None:
    """Return how far the density went in the second half of a stage, in percent."""
    density = read_log(stage.log).get("density_g_per_cm3", np.zeros(0)) if stage else np.zeros(0)
    half = density[len(density) // 2 :]
    if len(half) < 4 or np.ptp(half) == 0.0:
        return None
    x = np.linspace(0.0, 1.0, len(half))
    return float(100.0 * np.polyfit(x, half, 1)[0] / half.mean())


def pooled_motion(runs: Sequence[ElectrolyteRun]) -> Diffusivity | None:
    """Return the self-diffusion of the cations of all boxes of one kind; None without one."""
    if not runs:
        return None
    if len(runs) == 1:
        return runs[0].cation_motion
    return self_diffusion([run.cation_path_ang for run in runs], dt_ps=runs[0].dt_ps)
