"""What a molecular dynamics run is asked to do: settings, and the stages that follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from superionic.structures.errors import ProtocolError

StageKind = Literal["minimise", "nvt", "npt"]
Platform = Literal["auto", "CUDA", "OpenCL", "HIP", "CPU", "Reference"]

PLATFORMS: tuple[str, ...] = ("CUDA", "HIP", "OpenCL", "CPU", "Reference")
"""In the order of preference."""

WARM_UP_STEPS = 2000
WARM_UP_FS = 0.5


@dataclass(frozen=True)
class Stage:
    """One part of a run.

    Attributes
    ----------
    name : str
        Also names its folder.
    kind : {"minimise", "nvt", "npt"}
        What happens in it.
    steps : int
        Steps; for a minimisation 1.
    timestep_fs : float
        Time step in fs.
    friction_per_ps : float
        Of the Langevin thermostat in 1/ps.
    first_K, last_K : float
        Temperature at its start and end; it changes from chunk to chunk.
    pressure_bar : float or None
        Of the barostat; None without.
    frames : bool
        Whether a trajectory is kept.
    """

    name: str
    kind: StageKind
    steps: int
    timestep_fs: float
    friction_per_ps: float
    first_K: float
    last_K: float
    pressure_bar: float | None
    frames: bool


@dataclass(frozen=True)
class MDSettings:
    """Settings of a run, all but the length of its production.

    Attributes
    ----------
    temperature_K : float
        Of equilibration and production.
    pressure_bar : float or None
        Of the stages with a barostat; None keeps the box as it is throughout.
    timestep_fs : float
        Time step in fs.
    friction_per_ps : float
        Of the Langevin thermostat in 1/ps.
    anneal_K : float
        Temperature from which the annealing cools down.
    anneal_steps, equilibrate_steps : int
        Lengths of annealing and equilibration in steps; 0 leaves them out.
    production : {"nvt", "npt"}
        Ensemble of the production; at constant volume the mean one of the equilibration is used.
    frame_steps, log_steps, chunk_steps : int
        Steps between frames, between rows of the log, and between two points from which a run is
        continued; the last is a multiple of the others.
    seed : int
        Of velocities and random forces.
    """

    temperature_K: float = 400.0
    pressure_bar: float | None = 1.0
    timestep_fs: float = 2.0
    friction_per_ps: float = 1.0
    anneal_K: float = 600.0
    anneal_steps: int = 50_000
    equilibrate_steps: int = 250_000
    production: Literal["nvt", "npt"] = "nvt"
    frame_steps: int = 500
    log_steps: int = 500
    chunk_steps: int = 25_000
    seed: int = 0

    def __post_init__(self) -> None:
        """Validate."""
        for name in ("temperature_K", "timestep_fs", "friction_per_ps", "anneal_K"):
            if not 0.0 < getattr(self, name) < 1e5:
                raise ProtocolError(f"{_words(name)} must be positive; got {getattr(self, name)}.")
        for name in ("frame_steps", "log_steps", "chunk_steps"):
            if getattr(self, name) < 1:
                raise ProtocolError(
                    f"{_words(name)} must be at least 1; got {getattr(self, name)}."
                )
        for name in ("anneal_steps", "equilibrate_steps"):
            if getattr(self, name) < 0:
                raise ProtocolError(f"{_words(name)} must not be negative.")
        if self.production not in ("nvt", "npt"):
            raise ProtocolError(f"Production is nvt or npt, not {self.production!r}.")
        if self.pressure_bar is None and self.production == "npt":
            raise ProtocolError("A production at constant pressure needs a pressure.")
        for name in ("frame_steps", "log_steps"):
            if self.chunk_steps % getattr(self, name):
                raise ProtocolError(
                    f"Chunks of {self.chunk_steps} steps do not hold a whole number of "
                    f"{_words(name)} ({getattr(self, name)}): choose a multiple."
                )
        if not 0 <= self.seed < 2**31:
            raise ProtocolError(f"The seed lies between 0 and 2^31 - 1; got {self.seed}.")


def stages(settings: MDSettings, production_steps: int) -> tuple[Stage, ...]:
    """Return the stages of a run: minimise, warm up, anneal, equilibrate, produce.

    The warm-up takes short steps at strong friction, so that what a minimisation leaves of overlaps
    can relax; annealing cools from ``anneal_K`` to the temperature.
    """
    s = settings
    kind: StageKind = "nvt" if s.pressure_bar is None else "npt"
    dt, hot, cold = s.timestep_fs, s.anneal_K, s.temperature_K
    found = [
        Stage("minimise", "minimise", 1, dt, 1.0, cold, cold, None, frames=False),
        Stage(
            "warm-up", "nvt", WARM_UP_STEPS, min(WARM_UP_FS, dt), 10.0, cold, cold, None,
            frames=False,
        ),
    ]  # fmt: skip
    rest = (
        ("anneal", kind, s.anneal_steps, hot, s.pressure_bar, False),
        ("equilibrate", kind, s.equilibrate_steps, cold, s.pressure_bar, False),
        ("production", s.production, production_steps, cold,
         s.pressure_bar if s.production == "npt" else None, True),
    )  # fmt: skip
    for name, what, steps, first, pressure, frames in rest:
        if steps:
            found.append(
                Stage(name, what, steps, dt, s.friction_per_ps, first, cold, pressure, frames)
            )
    return tuple(found)


def _words(name: str) -> str:
    return name.replace("_", " ")
