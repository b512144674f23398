"""What molecular dynamics needs besides a force field; the same for every code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from superionic.structures.errors import DeckError

if TYPE_CHECKING:
    from superionic.inputs.parametrised import ParametrisedBox

Electrostatics = Literal["pme", "all-pairs"]
Constraints = Literal["h-bonds", "none"]
Rigid = Literal["springs", "held"]

LONGEST_STEP_FS = {("none", False): 1.0, ("h-bonds", False): 2.0, ("h-bonds", True): 4.0}
"""Longest usual time step by constraints, and whether hydrogens are heavier than they are."""

HEAVY_AMU = 2.9
"""Hydrogens of at least this mass count as heavier."""


@dataclass(frozen=True)
class MDOptions:
    """How forces are computed and atoms moved.

    Attributes
    ----------
    cutoff_ang : float
        Of Lennard-Jones and of the direct part of the Coulomb sum; at most half the shortest edge.
    electrostatics : str
        ``pme`` in a periodic box; ``all-pairs`` takes the box as free in space, without cutoff.
    ewald_tolerance : float
        Relative error of forces that Ewald parameters are chosen for, below 0.5; by one rule for
        every code, see `superionic.inputs.ewald`.
    tail_correction : bool
        Add the Lennard-Jones energy and pressure beyond the cutoff for a homogeneous box.
    constraints : str
        ``h-bonds`` fixes the length of every bond to a hydrogen.
    hydrogen_mass_amu : float or None
        Mass of hydrogens, taken from the atom beside each; None leaves them.
    rigid : str
        ``springs`` lets rigid molecules move as bodies that are nearly rigid, ``held`` leaves them
        where they are: then pressure coupling is refused.
    timestep_fs, temperature_K, pressure_bar : float
        Of the dynamics that scripts ask for. No pressure, no pressure coupling.
    steps, frame_every : int
        Length of production in steps, and steps between frames.
    seed : int
        Of velocities and random forces.

    Raises
    ------
    DeckError
        A value out of range, or a time step too long for constraints and masses.
    """

    cutoff_ang: float = 10.0
    electrostatics: Electrostatics = "pme"
    ewald_tolerance: float = 5e-4
    tail_correction: bool = True
    constraints: Constraints = "h-bonds"
    hydrogen_mass_amu: float | None = None
    rigid: Rigid = "springs"
    timestep_fs: float = 2.0
    temperature_K: float = 400.0
    pressure_bar: float | None = 1.0
    steps: int = 500_000
    frame_every: int = 500
    seed: int = 0

    def __post_init__(self) -> None:
        """Validate."""
        self._check_words()
        self._check_numbers()
        if self.pressure_bar is not None and self.rigid == "held":
            raise DeckError(
                "Molecules that are held in place make no box of constant pressure: choose "
                "rigid='springs', or pressure_bar=None (--nvt)."
            )
        heavy = (self.hydrogen_mass_amu or 0.0) >= HEAVY_AMU
        longest = LONGEST_STEP_FS.get((self.constraints, heavy), 2.0)
        if self.timestep_fs > longest:
            raise DeckError(
                f"A time step of {self.timestep_fs:g} fs is too long for constraints "
                f"'{self.constraints}' and a hydrogen mass of {self.hydrogen_mass_amu or 1.008:g} "
                f"g/mol: at most {longest:g} fs. Constrain bonds to hydrogen, and for 4 fs set "
                "hydrogen_mass_amu to 3.024."
            )

    def _check_numbers(self) -> None:
        names = ["cutoff_ang", "ewald_tolerance", "timestep_fs", "temperature_K"]
        names += ["hydrogen_mass_amu"] if self.hydrogen_mass_amu is not None else []
        for name in names:
            if not 0.0 < getattr(self, name) < 1e4:
                raise DeckError(
                    f"{name} must be positive and below 10000; got {getattr(self, name):g}."
                )
        if self.ewald_tolerance >= 0.5:
            raise DeckError(
                "ewald_tolerance is a relative error of forces and below 0.5, such as 5e-4; got "
                f"{self.ewald_tolerance:g}."
            )
        for name in ("steps", "frame_every"):
            if getattr(self, name) < 1:
                raise DeckError(f"{name} must be positive; got {getattr(self, name)}.")
        if self.pressure_bar is not None and not abs(self.pressure_bar) < 1e7:
            raise DeckError(f"pressure_bar must be a number of bar; got {self.pressure_bar:g}.")

    def _check_words(self) -> None:
        known = {"electrostatics": Electrostatics, "constraints": Constraints, "rigid": Rigid}
        for name, words in known.items():
            if getattr(self, name) not in get_args(words):
                raise DeckError(
                    f"{name} is one of {', '.join(get_args(words))}; got {getattr(self, name)!r}."
                )

    def check_cutoff(self, box: ParametrisedBox) -> None:
        """Raise `DeckError` where the cutoff does not fit into a periodic box."""
        if self.electrostatics == "all-pairs":
            return
        half = float(box.box.edges_ang.min()) / 2
        if self.cutoff_ang > half:
            raise DeckError(
                f"The cutoff of {self.cutoff_ang:g} A exceeds half the shortest edge of the box, "
                f"{half:.2f} A. Take a larger box, or a shorter cutoff."
            )
