"""OpenMM, a chunk of steps at a time, each of them repeatable."""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.structures.errors import TheoryError, UnstableRunError
from superionic.workflows.md_settings import PLATFORMS, Stage
from superionic.workflows.md_system import read_system

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from superionic.workflows.md_system import MDSystem

DRIFT_STEPS = 10
"""Steps between removals of the motion of the centre of mass: else all would diffuse."""
BAROSTAT_STEPS = 25
HOTTEST = 5.0
"""Times the wanted temperature beyond which a run has blown up."""
MINIMISER_TOLERANCE = 10.0
"""Root mean square force in kJ/mol/nm."""
GAS_CONSTANT = 0.00831446261815324
"""kJ/mol/K"""


class Engine:
    """A system in one stage.

    Parameters
    ----------
    system
        What is moved.
    stage
        Ensemble and time step.
    platform
        A platform of OpenMM, or ``auto`` for the fastest that works.
    seed
        Seed of the run.
    """

    def __init__(self, system: MDSystem, stage: Stage, *, platform: str, seed: int) -> None:
        import openmm

        self.stage, self._seed = stage, seed
        self._system = read_system(system.system_xml)
        self._mass = _total_mass(self._system)
        self._freedom = self._add_forces(openmm)
        self._integrator = openmm.LangevinMiddleIntegrator(
            stage.first_K, stage.friction_per_ps, stage.timestep_fs * 1e-3
        )
        self._context = self._make_context(openmm, platform)
        self.platform = str(self._context.getPlatform().getName())

    def _add_forces(self, openmm: Any) -> int:
        """Add barostat and removal of drift; return the degrees of freedom."""
        system, stage = self._system, self.stage
        masses = [system.getParticleMass(k)._value for k in range(system.getNumParticles())]
        held = any(m == 0 for m in masses)
        if stage.pressure_bar is not None:
            if not system.usesPeriodicBoundaryConditions():
                raise TheoryError("A system without periodic cell has no pressure: leave it out.")
            if held:
                raise TheoryError(
                    "Atoms without mass are held in place, and a barostat would move them: run "
                    "without pressure."
                )
            barostat = openmm.MonteCarloBarostat(stage.pressure_bar, stage.first_K, BAROSTAT_STEPS)
            system.addForce(barostat)
            self._barostat: Any = barostat
        else:
            self._barostat = None
        freedom = int(3 * sum(m > 0 for m in masses) - system.getNumConstraints())
        if held:
            return freedom
        if not any(isinstance(f, openmm.CMMotionRemover) for f in system.getForces()):
            system.addForce(openmm.CMMotionRemover(DRIFT_STEPS))
        return freedom - 3

    def _make_context(self, openmm: Any, wanted: str) -> Any:
        """Return a context on the wanted platform, or on the first that works."""
        known = {
            openmm.Platform.getPlatform(k).getName()
            for k in range(openmm.Platform.getNumPlatforms())
        }
        if wanted != "auto" and wanted not in known:
            raise TheoryError(
                f"OpenMM has no platform {wanted!r} here; it has {', '.join(sorted(known))}."
            )
        names = [n for n in PLATFORMS if n in known] if wanted == "auto" else [wanted]
        failures = []
        for name in names:
            try:
                platform = openmm.Platform.getPlatformByName(name)
                return openmm.Context(self._system, self._integrator, platform, _properties(name))
            except openmm.OpenMMException as error:
                failures.append(f"{name}: {error}")
                self._integrator = openmm.LangevinMiddleIntegrator(
                    self.stage.first_K, self.stage.friction_per_ps, self.stage.timestep_fs * 1e-3
                )
        raise TheoryError(f"No platform of OpenMM works here: {'; '.join(failures)}.")

    def place(
        self, positions_nm: Any, cell_nm: Any, *, velocities: Any = None, temperature_K: float = 0.0
    ) -> str:
        """Put atoms where they are, with given or random velocities; return the state as XML."""
        self._context.setPeriodicBoxVectors(*np.asarray(cell_nm, dtype=float).tolist())
        self._context.setPositions(positions_nm)
        self._context.applyConstraints(1e-6)
        self._context.setTime(0.0)
        self._context.setStepCount(0)
        if velocities is None:
            seed = self._derived("velocities", 0)
            self._context.setVelocitiesToTemperature(temperature_K, seed)
        else:
            self._context.setVelocities(velocities)
        return self.state_xml()

    def begin(self, state_xml: str, *, step: int, temperature_K: float) -> None:
        """Start a chunk from a state, with random numbers of its own.

        A chunk that is repeated after a crash thus repeats the same numbers, and on a
        deterministic platform the same motion.
        """
        with self._guarded(step):
            self._integrator.setTemperature(temperature_K)
            self._integrator.setRandomNumberSeed(self._derived("thermostat", step))
            if self._barostat is not None:
                self._barostat.setDefaultTemperature(temperature_K)
                self._barostat.setRandomNumberSeed(self._derived("barostat", step))
            self._context.reinitialize()
            state = read_state(state_xml)
            self._context.setPeriodicBoxVectors(*state.getPeriodicBoxVectors())
            self._context.setPositions(state.getPositions())
            self._context.setVelocities(state.getVelocities())
            self._context.setTime(step * self.stage.timestep_fs * 1e-3)
            self._context.setStepCount(step)

    def step(self, count: int, *, at: int) -> float:
        """Make steps; return the wall time in seconds."""
        begun = time.monotonic()
        with self._guarded(at):
            self._integrator.step(count)
        return time.monotonic() - begun

    def minimise(self) -> tuple[float, float]:
        """Go down to the next minimum; return the potential energies before and after, kJ/mol."""
        import openmm

        before = self._potential()
        with self._guarded(0):
            openmm.LocalEnergyMinimizer.minimize(self._context, MINIMISER_TOLERANCE)
        after = self._potential()
        if not math.isfinite(after):
            raise UnstableRunError(
                f"The minimisation ended at {after} kJ/mol, from {before:.4g}: atoms overlap, or "
                "parameters are wrong. Look at the closest contacts of the box."
            )
        return before, after

    def row(self, step: int) -> tuple[float, ...]:
        """Return a row of the log, after looking whether the run has blown up."""
        with self._guarded(step):
            state = self._context.getState(getEnergy=True)
        potential = float(state.getPotentialEnergy()._value)
        kinetic = float(state.getKineticEnergy()._value)
        temperature = 2.0 * kinetic / (self._freedom * GAS_CONSTANT)
        hottest = HOTTEST * max(self.stage.first_K, self.stage.last_K) + 300.0
        if not (math.isfinite(potential) and math.isfinite(temperature) and temperature < hottest):
            raise self._unstable(step, f"it is at {temperature:.4g} K and {potential:.4g} kJ/mol")
        volume = 1e3 * float(state.getPeriodicBoxVolume()._value)
        density = self._mass / 0.602214076 / volume
        time_ps = step * self.stage.timestep_fs * 1e-3
        return step, time_ps, potential, kinetic, temperature, volume, density

    def frame(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return continuous positions and the cell in nm."""
        state = self._context.getState(getPositions=True)
        cell = state.getPeriodicBoxVectors(asNumpy=True)._value
        return state.getPositions(asNumpy=True)._value, cell

    def state_xml(self) -> str:
        """Return positions, velocities and box as XML, to all digits."""
        import openmm

        state = self._context.getState(getPositions=True, getVelocities=True)
        for values in (state.getPositions(asNumpy=True), state.getVelocities(asNumpy=True)):
            if not np.isfinite(values._value).all():
                raise self._unstable(state.getStepCount(), "positions are no numbers any more")
        return str(openmm.XmlSerializer.serialize(state))

    def checkpoint(self) -> bytes:
        """Return OpenMM's own checkpoint."""
        return bytes(self._context.createCheckpoint())

    def molecules(self) -> list[list[int]]:
        """Return the atoms of each molecule."""
        return [list(m) for m in self._context.getMolecules()]

    def _potential(self) -> float:
        return float(self._context.getState(getEnergy=True).getPotentialEnergy()._value)

    def _derived(self, purpose: str, step: int) -> int:
        """Return a seed of its own for each purpose, stage and step; never 0, which is random."""
        text = f"{self._seed}/{self.stage.name}/{purpose}/{step}"
        digest = hashlib.sha256(text.encode()).digest()
        return int.from_bytes(digest[:4], "big") % (2**31 - 1) + 1

    def _unstable(self, step: int, what: str) -> UnstableRunError:
        return UnstableRunError(
            f"The run blew up in stage {self.stage.name} near step {step}: {what}. The time step "
            f"of {self.stage.timestep_fs:g} fs is too large for this system, or atoms overlap at "
            "its start. The last good state is kept; start anew in another folder with a shorter "
            "time step."
        )

    @contextlib.contextmanager
    def _guarded(self, step: int) -> Iterator[None]:
        """Turn what OpenMM says of NaN into an error of a run that blew up."""
        import openmm

        try:
            yield
        except openmm.OpenMMException as error:
            text = str(error)
            if any(w in text for w in ("NaN", "nan", "infinite", "constraint", "Constraint")):
                raise self._unstable(step, text.splitlines()[0].rstrip(".")) from error
            if "periodic box size has decreased" in text:
                raise UnstableRunError(
                    f"The box has become smaller than twice the cutoff in stage {self.stage.name} "
                    f"near step {step}. Use a larger box or a shorter cutoff; the last good state "
                    "is kept."
                ) from error
            raise


def read_state(state_xml: str) -> Any:
    """Return the ``openmm.State`` of some XML."""
    import openmm

    return openmm.XmlSerializer.deserialize(state_xml)


def _properties(platform: str) -> dict[str, str]:
    """Return settings of a platform: mixed precision on devices, the CPUs we may use on CPU."""
    if platform in ("CUDA", "OpenCL", "HIP"):
        return {"Precision": "mixed"}
    if platform == "CPU" and "OPENMM_CPU_THREADS" not in os.environ:
        threads = os.environ.get("OMP_NUM_THREADS", "")
        ours = getattr(os, "sched_getaffinity", None)
        free = len(ours(0)) if ours else os.cpu_count() or 1
        return {"Threads": threads if threads.isdigit() else str(free)}
    return {}


def _total_mass(system: Any) -> float:
    """Return the mass of all particles in g/mol."""
    return float(sum(system.getParticleMass(k)._value for k in range(system.getNumParticles())))
