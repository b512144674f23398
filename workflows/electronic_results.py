"""Settings and results of the electronic structure of a molecule."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from superionic.analysis.charges import AtomicCharges
from superionic.analysis.electronic import ProjectedDOS
from superionic.analysis.levels import (
    ElectronCount,
    FermiRule,
    OrbitalLevels,
    count_electrons,
)
from superionic.analysis.populations import Populations
from superionic.analysis.potential import PotentialSurface
from superionic.structures.errors import NotConvergedError, TheoryError
from superionic.structures.molecule import Molecule
from superionic.workflows.scf_settings import ScfAttempt, ScfSettings

Projection = Literal["loewdin", "mulliken"]
PotentialMethod = Literal["fitted", "exact"]


@dataclass(frozen=True)
class SurfaceSettings:
    """How the potential on an isosurface of the density is sampled.

    Attributes
    ----------
    isodensity_e_bohr3 : float
        Electrons per cubic bohr on the surface.
    spacing_ang : float
        Of the grid whose edges are cut by the surface, in angstrom.
    method : {"fitted", "exact"}
        ``fitted``: of the density fitted to the auxiliary basis, quick; on water within 0.04 V of
        ``exact``, that of the density itself.

    Raises
    ------
    TheoryError
        A number makes no sense.
    """

    isodensity_e_bohr3: float = 1e-3
    spacing_ang: float = 0.3
    method: PotentialMethod = "fitted"

    def __post_init__(self) -> None:
        """Validate."""
        if not 0.0 < self.isodensity_e_bohr3 < 0.1 or not 0.05 <= self.spacing_ang <= 1.0:
            raise TheoryError(
                f"Expected an isodensity from 0 to 0.1 e/bohr^3 and a spacing from 0.05 to 1 A; "
                f"got {self.isodensity_e_bohr3} and {self.spacing_ang}."
            )


@dataclass(frozen=True)
class ElectronicSettings:
    """What is computed of a molecule's electrons, and how.

    Attributes
    ----------
    scf : ScfSettings
        How the field is found.
    projection : {"loewdin", "mulliken"}
        How orbitals are shared out in the density of states.
    width_eV : float
        Standard deviation of the Gaussians that widen levels, in eV.
    window_eV : tuple of float
        Levels that are kept, relative to the Fermi level, in eV; the lower end moves down into the
        next gap of the levels.
    fermi_rule : {"common", "homo"}
        What the Fermi level is; see `superionic.analysis.levels.FermiRule`.
    hirshfeld : bool
        Hirshfeld charges beside those of Loewdin and Mulliken.
    hirshfeld_grid_level : int
        Of PySCF's grids for them.
    surface : SurfaceSettings or None
        Potential on an isosurface; None for none.
    """

    scf: ScfSettings = field(default_factory=ScfSettings)
    projection: Projection = "loewdin"
    width_eV: float = 0.1
    window_eV: tuple[float, float] = (-30.0, 10.0)
    fermi_rule: FermiRule = "common"
    hirshfeld: bool = True
    hirshfeld_grid_level: int = 2
    surface: SurfaceSettings | None = SurfaceSettings()


@dataclass(frozen=True, eq=False)
class ElectronicResult:
    """The electronic structure of a molecule, or why there is none.

    Attributes
    ----------
    molecule : Molecule
        In the geometry it was computed at.
    theory : str
        Level of theory.
    settings : ElectronicSettings
        How it was computed.
    converged : bool
        Whether the field became self-consistent; without that nothing else has a value.
    reason : str
        Why it did not.
    attempts : tuple of ScfAttempt
        What was tried.
    energy_eV : float or None
        Total energy at zero smearing, dispersion included where the level has one; None on a grid
        too coarse for it (`ScfSettings.has_energy`).
    dispersion_eV : float or None
        The dispersion in it.
    moment : float or None
        Electrons of spin up less those of spin down.
    spin_square : float or None
        Expectation value of S^2; S (S + 1) for a pure spin state.
    levels : OrbitalLevels or None
        Levels in the window with their shares on atoms.
    fermi_eV : float or None
        Fermi level above the vacuum, in eV.
    gap_eV : float or None
        Lowest level less than half filled above the highest other one, over both spins, in eV;
        negative where the multiplicity keeps a lower level of one spin empty.
    populations : tuple of Populations
        By Loewdin and by Mulliken.
    charges : tuple of AtomicCharges
        By Loewdin, Mulliken and Hirshfeld.
    hirshfeld_spins : tuple of float
        Electrons of spin up less those of spin down on each atom, by Hirshfeld; empty without.
    surface : PotentialSurface or None
        Potential on the isosurface.
    """

    molecule: Molecule
    theory: str
    settings: ElectronicSettings
    converged: bool
    reason: str
    attempts: tuple[ScfAttempt, ...]
    energy_eV: float | None = None
    dispersion_eV: float | None = None
    moment: float | None = None
    spin_square: float | None = None
    levels: OrbitalLevels | None = None
    fermi_eV: float | None = None
    gap_eV: float | None = None
    populations: tuple[Populations, ...] = ()
    charges: tuple[AtomicCharges, ...] = ()
    hirshfeld_spins: tuple[float, ...] = ()
    surface: PotentialSurface | None = None

    def require(self) -> ElectronicResult:
        """Return this, or raise `NotConvergedError`."""
        if not self.converged:
            raise NotConvergedError(f"{self.molecule.name or self.molecule.formula}: {self.reason}")
        return self

    def dos(self, *, width_eV: float | None = None) -> ProjectedDOS:
        """Return the projected densities of states, the Fermi level at zero.

        Parameters
        ----------
        width_eV
            Standard deviation of the Gaussians in eV; by default the settings'.

        Raises
        ------
        NotConvergedError
            There is no self-consistent field.
        """
        levels = self.require().levels
        if levels is None:
            raise NotConvergedError("The result holds no levels.")
        width = self.settings.width_eV if width_eV is None else width_eV
        return levels.dos(
            width_eV=width, step_eV=min(0.02, 0.5 * width), rule=self.settings.fermi_rule
        )

    def electron_count(self) -> ElectronCount:
        """Return whether the projected densities of states hold the electrons of their levels."""
        smearing = 0.0 if self.levels is None else self.levels.smearing_eV
        return count_electrons(self.dos(), smearing_eV=smearing)

    def population(self, method: Projection = "loewdin") -> Populations:
        """Return the populations of one method."""
        self.require()
        return next(p for p in self.populations if p.method == method)

    def charge(self, method: str) -> AtomicCharges:
        """Return the charges of one method: ``loewdin``, ``mulliken`` or ``hirshfeld``."""
        self.require()
        for found in self.charges:
            if found.method == method:
                return found
        raise NotConvergedError(
            f"No {method} charges were computed; there are "
            f"{', '.join(c.method for c in self.charges)}."
        )
