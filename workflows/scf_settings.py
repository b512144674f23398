"""How self-consistent fields are found: settings, the ladder, and the record of what was tried."""

from __future__ import annotations

from dataclasses import dataclass

from superionic.structures.errors import TheoryError

ENERGY_GRID = 1
"""Coarsest of PySCF's grids whose total energy is told. On grid 0, whose density serves for levels
and charges, that of a metal node is off by electronvolts."""


@dataclass(frozen=True)
class Rung:
    """One way to make a field self-consistent.

    Attributes
    ----------
    name : str
        What the record calls it.
    mixing : float
        Before DIIS extrapolates, the density moves by this share towards that of its own field, so
        that d shells do not empty and fill in turns.
    mixing_steps : int
        So many times.
    damping : float
        Share of the last Fock matrix in each that DIIS is given.
    smearing_factor : float
        Width of the filling in units of the settings' `ScfSettings.smearing_eV`; the field is made
        self-consistent at this width first, then at the settings' own.
    level_shift_eV : float
        Empty levels are raised by so much while it iterates on the coarse grid.
    second_order : bool
        Newton steps on whole electrons, without smearing.
    fresh : bool
        Start from free atoms, not from where the last rung ended.
    """

    name: str
    mixing: float = 0.1
    mixing_steps: int = 0
    damping: float = 0.0
    smearing_factor: float = 1.0
    level_shift_eV: float = 0.0
    second_order: bool = False
    fresh: bool = False


LADDER: tuple[Rung, ...] = (
    Rung("mixed", mixing_steps=6, damping=0.7, fresh=True),
    Rung("hot", mixing_steps=8, damping=0.8, smearing_factor=4.0, fresh=True),
    Rung("slow", mixing=0.05, mixing_steps=30, damping=0.9, smearing_factor=2.0, fresh=True),
    Rung("shifted", mixing_steps=3, level_shift_eV=5.0),
    Rung("second-order", second_order=True),
)
"""What is tried, in this order, until the field is self-consistent."""


@dataclass(frozen=True)
class ScfSettings:
    """How a self-consistent field is found.

    Attributes
    ----------
    basis : str
        Basis set.
    auxiliary_basis : str
        For the Coulomb part; a functional without exact exchange needs no more.
    grid_level : int
        Of PySCF's integration grids, 0 to 9; below `ENERGY_GRID` there is no total energy.
    coarse_grid_level : int
        Of the grid on which it is made self-consistent first; where it is not below
        ``grid_level`` there is one grid only.
    smearing_eV : float
        kT of the Fermi-Dirac filling in eV. The energy is that of zero width, from the energy and
        the free energy.
    energy_eV : float
        The field is self-consistent when the energy changes by less.
    max_cycles : int
        Limit of each rung.
    fix_moment : bool
        Keep the multiplicity; else both spins share one Fermi level.
    moments : tuple of float or None
        Unpaired electrons of each atom at the start, negative for spin down; by default those of
        the multiplicity are shared among the metals with an open d shell, parallel.
    rungs : tuple of str
        Names of the rungs of `LADDER` to try.

    Raises
    ------
    TheoryError
        A number makes no sense, or there is no such rung.
    """

    basis: str = "def2-svp"
    auxiliary_basis: str = "def2-universal-jfit"
    grid_level: int = 1
    coarse_grid_level: int = 0
    smearing_eV: float = 0.1
    energy_eV: float = 1e-5
    max_cycles: int = 80
    fix_moment: bool = True
    moments: tuple[float, ...] | None = None
    rungs: tuple[str, ...] = tuple(rung.name for rung in LADDER)

    def __post_init__(self) -> None:
        """Validate."""
        known = [rung.name for rung in LADDER]
        if not self.rungs or not set(self.rungs) <= set(known):
            raise TheoryError(f"Rungs are some of {', '.join(known)}; got {self.rungs}.")
        if (
            not 0 <= self.grid_level <= 9
            or self.smearing_eV <= 0.0
            or self.energy_eV <= 0.0
            or self.max_cycles < 1
        ):
            raise TheoryError(
                f"Expected a grid level from 0 to 9, widths and energies above 0 eV and at least "
                f"one cycle; got {self}."
            )

    @property
    def has_energy(self) -> bool:
        """Whether the grid is fine enough for a total energy."""
        return self.grid_level >= ENERGY_GRID


@dataclass(frozen=True)
class ScfAttempt:
    """What became of one rung.

    Attributes
    ----------
    rung : str
        Its name.
    converged : bool
        Whether the field became self-consistent.
    cycles : int
        Cycles it took.
    energy_eV : float or None
        Energy at the end, converged or not; never a result by itself. None on a grid too coarse.
    last_change_eV : float or None
        Last change of the energy.
    smearing_eV : float
        Width of the filling at the end; zero for whole electrons.
    reason : str
        Why it did not converge.
    seconds : float
        Processor time.
    """

    rung: str
    converged: bool
    cycles: int
    energy_eV: float | None
    last_change_eV: float | None
    smearing_eV: float
    reason: str = ""
    seconds: float = 0.0


def check_energy_grid(settings: ScfSettings) -> None:
    """Refuse settings whose total energy means nothing.

    Raises
    ------
    TheoryError
        The grid is coarser than `ENERGY_GRID`.
    """
    if not settings.has_energy:
        raise TheoryError(
            f"An energy needs an integration grid of level {ENERGY_GRID} or finer; got "
            f"{settings.grid_level}, which serves for levels and charges only."
        )
