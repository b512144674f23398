"""Heat a structure a little and quench it, for minima that a plain relaxation does not find.

A surface as cut relaxes into whatever is downhill of it; which tetrahedra turn then depends on
the seed of a rattle, by an electronvolt. A short run of molecular dynamics lets it find a better
minimum, and the lowest of several quenches goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.structures.errors import ProtocolError
from superionic.workflows.context import load_checkpoint, save_checkpoint
from superionic.workflows.evaluation import CallCounter, shared_atoms
from superionic.workflows.execution import job
from superionic.workflows.progress import report_progress
from superionic.workflows.relax import RelaxResult, RelaxSettings, relax
from superionic.workflows.theory import get_theory

if TYPE_CHECKING:
    from ase.calculators.calculator import BaseCalculator
    from numpy.typing import NDArray

    from superionic.structures.structure import Structure

CHECKPOINT = "quench"


@dataclass(frozen=True)
class QuenchSettings:
    """How to heat and quench.

    Attributes
    ----------
    relax : RelaxSettings
        Every quench, and the relaxation before the first heating.
    rounds : int
        Times that it is heated, each time from where the last heating ended.
    temperature_K : float
        Of the Langevin thermostat.
    steps : int
        Steps of molecular dynamics in one round.
    timestep_fs : float
        Time step in fs.
    friction_per_fs : float
        Friction of the thermostat in 1/fs.
    seed : int
        Seed of velocities and noise.
    """

    relax: RelaxSettings = field(default_factory=RelaxSettings)
    rounds: int = 2
    temperature_K: float = 600.0
    steps: int = 150
    timestep_fs: float = 2.0
    friction_per_fs: float = 0.02
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        positive = (self.temperature_K, self.timestep_fs, self.friction_per_fs)
        if min(positive) <= 0 or self.rounds < 0 or self.steps < 1:
            raise ProtocolError(
                "Heating needs a positive temperature, time step and friction, at least one step "
                f"and no negative number of rounds; got {self}."
            )
        if self.relax.cell != "fixed":
            raise ProtocolError("A quench keeps its cell; set cell = 'fixed' in its relaxation.")


@dataclass(frozen=True, eq=False)
class QuenchResult:
    """The lowest of several quenches.

    Attributes
    ----------
    lowest : RelaxResult
        The lowest minimum found, with its evidence.
    energies_eV : tuple of float
        Energies of the relaxed start and of each quench, in eV; of those that converged.
    temperature_K : float
        Temperature between the quenches.
    heating_ps : float
        Time spent hot, in ps.
    unconverged : int
        Quenches that reached their limit of steps; none of them counts, however low it ended.
    """

    lowest: RelaxResult
    energies_eV: tuple[float, ...]
    temperature_K: float
    heating_ps: float
    unconverged: int

    @property
    def fell_eV(self) -> float:
        """How far below the relaxed start the lowest lies, in eV."""
        return self.energies_eV[0] - self.lowest.energy_eV


def quench(
    structure: Structure,
    *,
    calculator: BaseCalculator,
    settings: QuenchSettings,
    theory: str = "",
) -> QuenchResult:
    """Relax, then heat and quench; return the lowest minimum.

    Inside a task it goes on after a kill from the last round that ended.

    Parameters
    ----------
    structure
        Where to start.
    calculator
        Any ASE calculator with energy and forces.
    settings
        Temperatures, times, criteria.
    theory
        Name recorded in the result.

    Raises
    ------
    NotConvergedError
        The first relaxation did not converge.
    """
    counter = CallCounter()

    def cool(hot: Structure, label: str) -> RelaxResult:
        return relax(
            hot,
            calculator=calculator,
            settings=settings.relax,
            theory=theory,
            counter=counter,
            label=label,
        )

    found = [cool(structure, "relaxation of the start").require_converged()]
    hot = found[0].structure
    velocities: NDArray[np.float64] | None = None
    for k in range(settings.rounds):
        saved = load_checkpoint(f"{CHECKPOINT}-{k}")
        if saved is None:
            hot, velocities = _heat(hot, velocities, calculator, settings, counter, k)
            save_checkpoint(f"{CHECKPOINT}-{k}", {"x": hot.positions, "v": velocities})
        else:
            hot, velocities = hot.with_positions(saved["x"]), saved["v"]
        cold = cool(hot, f"quench {k + 1} of {settings.rounds}")
        if cold.converged:
            found.append(cold)
    return QuenchResult(
        lowest=min(found, key=lambda r: r.energy_eV),
        energies_eV=tuple(r.energy_eV for r in found),
        temperature_K=settings.temperature_K,
        heating_ps=settings.rounds * settings.steps * settings.timestep_fs / 1000.0,
        unconverged=settings.rounds + 1 - len(found),
    )


def _heat(
    structure: Structure,
    velocities: NDArray[np.float64] | None,
    calculator: BaseCalculator,
    settings: QuenchSettings,
    counter: CallCounter,
    k: int,
) -> tuple[Structure, NDArray[np.float64]]:
    """Run one round of molecular dynamics; return where it ended, with velocities."""
    from ase import units
    from ase.constraints import FixCom
    from ase.md.langevin import Langevin
    from ase.md.velocitydistribution import thermalize_momenta

    rng = np.random.default_rng([settings.seed, k])
    atoms = shared_atoms(structure, calculator, counter)
    if velocities is None:
        thermalize_momenta(atoms, settings.temperature_K, rng=rng)
    else:
        atoms.set_velocities(velocities)
    if len(atoms) > 1:
        atoms.set_constraint(FixCom())
    motion: Any = Langevin(
        atoms,
        settings.timestep_fs * units.fs,
        temperature_K=settings.temperature_K,
        friction=settings.friction_per_fs / units.fs,
        fixcm=False,
        rng=rng,
    )
    motion.attach(
        lambda: report_progress(
            step=motion.nsteps,
            total=settings.steps,
            message=f"{settings.temperature_K:.0f} K, round {k + 1} of {settings.rounds}",
        ),
        interval=5,
    )
    motion.run(settings.steps)
    return structure.with_positions(atoms.positions), np.asarray(atoms.get_velocities())


@job(version=2, name="quench")
def quench_task(structure: Structure, theory: str, settings: QuenchSettings) -> QuenchResult:
    """Relax, heat and quench a structure at a level of theory; see `quench`.

    Raises
    ------
    UnknownElementError
        The level of theory does not know an element.
    NotConvergedError
        The first relaxation did not converge.
    """
    level = get_theory(theory)
    level.check(structure)
    return quench(structure, calculator=level.calculator(), settings=settings, theory=theory)
