"""Self-consistent fields of molecules that converge for open shells too, by a stated ladder."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.structures.errors import NotConvergedError, TheoryError
from superionic.workflows.scf_guess import seeded_moments, starting_density

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from superionic.structures.molecule import Molecule

log = logging.getLogger(__name__)

DIIS_SPACE = 12
COARSE_EV = 1e-3
"""Criterion of the stages before the last, in eV."""
MEMORY_MB = 4000
"""What PySCF may keep in memory before it goes to disk."""


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
        Of PySCF's integration grids, 0 to 9.
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
        Energy at the end, converged or not; never a result by itself.
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


@dataclass
class SolvedField:
    """A field and how it was found; holds PySCF's objects, so it is not stored.

    Attributes
    ----------
    field : object or None
        PySCF's converged object; None where no rung converged.
    attempts : tuple of ScfAttempt
        What was tried.
    energy_eV : float or None
        Energy at zero width in eV.
    entropy_eV : float
        -TS of the filling in eV.
    smearing_eV : float
        Width it was found at.
    """

    field: Any
    attempts: tuple[ScfAttempt, ...]
    energy_eV: float | None
    entropy_eV: float = 0.0
    smearing_eV: float = 0.0

    @property
    def converged(self) -> bool:
        """Whether a rung converged."""
        return self.field is not None

    @property
    def reason(self) -> str:
        """Why there is none."""
        if self.converged:
            return ""
        tried = "; ".join(f"{a.rung}: {a.reason}" for a in self.attempts)
        return f"no self-consistent field after {len(self.attempts)} attempts ({tried})"

    def require(self) -> SolvedField:
        """Return this, or raise `NotConvergedError`."""
        if not self.converged:
            raise NotConvergedError(
                f"There is {self.reason}. Check geometry, charge and multiplicity; other starting "
                "moments, a wider smearing or more cycles may help."
            )
        return self


def solve_field(
    molecule: Molecule,
    functional: str,
    settings: ScfSettings,
    *,
    permittivity: float | None = None,
) -> SolvedField:
    """Climb the ladder until a field is self-consistent.

    Parameters
    ----------
    molecule
        Charge and multiplicity count.
    functional
        As PySCF names it; without exact exchange.
    settings
        Basis, grid, widths, rungs.
    permittivity
        Relative permittivity of a continuum around the molecule (C-PCM); None for free space.

    Returns
    -------
    SolvedField
        Without a field where no rung converged.

    Raises
    ------
    TheoryError
        The starting moments do not fit the molecule.
    """
    mole = build_mole(molecule, settings.basis)
    moments = _moments(molecule, settings)
    climb = _Climb(mole, functional, settings, bool(mole.spin or moments.any()), permittivity)
    density = None
    attempts: list[ScfAttempt] = []
    for rung in (r for r in LADDER if r.name in settings.rungs):
        if density is None or rung.fresh:
            density = starting_density(mole, moments)
        found, attempt, density = climb.try_rung(rung, density)
        attempts.append(attempt)
        log.info(
            "%s, %s: %s after %d cycles, %s eV, %.0f s.", molecule.formula, rung.name,
            "converged" if attempt.converged else attempt.reason, attempt.cycles,
            attempt.energy_eV, attempt.seconds,
        )  # fmt: skip
        if found is not None:
            zero, entropy = _energies(found)
            return SolvedField(found, tuple(attempts), zero, entropy, attempt.smearing_eV)
    return SolvedField(None, tuple(attempts), None)


def build_mole(molecule: Molecule, basis: str) -> Any:
    """Return a PySCF molecule in the frame of ours."""
    from pyscf import gto

    return gto.M(
        atom=list(zip(molecule.symbols, molecule.positions.tolist(), strict=True)),
        basis=basis,
        charge=molecule.charge,
        spin=molecule.spin_multiplicity - 1,
        verbose=0,
        max_memory=MEMORY_MB,
    )


def _moments(molecule: Molecule, settings: ScfSettings) -> NDArray[np.float64]:
    """Return the unpaired electrons of each atom at the start."""
    if settings.moments is None:
        return seeded_moments(molecule.symbols, molecule.spin_multiplicity - 1)
    if len(settings.moments) != len(molecule):
        raise TheoryError(
            f"Expected one starting moment for each of {len(molecule)} atoms; got "
            f"{len(settings.moments)}."
        )
    return np.array(settings.moments, dtype=float)


def _energies(field: Any) -> tuple[float, float]:
    """Return the energy at zero width and -TS in eV."""
    from ase.units import Hartree

    if getattr(field, "e_zero", None) is None:
        return float(field.e_tot) * Hartree, 0.0
    return float(field.e_zero) * Hartree, float(field.e_free - field.e_tot) * Hartree


class _Climb:
    """One molecule on the ladder; the fitted integrals are computed once."""

    def __init__(
        self,
        mole: Any,
        functional: str,
        settings: ScfSettings,
        polarised: bool,
        permittivity: float | None,
    ) -> None:
        self.mole, self.functional, self.settings = mole, functional, settings
        self.polarised, self.permittivity = polarised, permittivity
        self._fit: Any = None

    def try_rung(
        self, rung: Rung, density: NDArray[np.float64]
    ) -> tuple[Any, ScfAttempt, NDArray[np.float64]]:
        """Return the converged field or None, the record, and the last density."""
        started = time.process_time()
        trace: list[float] = []
        stages = self._stages(rung)
        field: Any = None
        reason = ""
        try:
            for number, stage in enumerate(stages):
                field = self._prepared(rung, stage, trace)
                if number == 0:
                    density = self._mixed(field, rung, density, trace)
                field.kernel(dm0=density if self.polarised else density.sum(axis=0))
                made = np.asarray(field.make_rdm1())
                density = made if self.polarised else np.array([made, made]) / 2.0
        except (np.linalg.LinAlgError, RuntimeError, ValueError) as error:
            reason = f"broke off: {type(error).__name__}: {error}"
        done = not reason and bool(field.converged) and bool(np.isfinite(field.e_tot))
        if not done and not reason:
            reason = f"the energy still changed by {_change(trace) or 0.0:.2g} eV in the last cycle"
        attempt = ScfAttempt(
            rung=rung.name,
            converged=done,
            cycles=len(trace),
            energy_eV=trace[-1] if trace and np.isfinite(trace[-1]) else None,
            last_change_eV=_change(trace),
            smearing_eV=stages[-1].width_eV,
            reason=reason,
            seconds=round(time.process_time() - started, 1),
        )
        return (field if done else None), attempt, density

    def _stages(self, rung: Rung) -> list[_Stage]:
        """Return the stages of a rung: wide, its own width on the coarse grid, the fine grid."""
        own, given = self.settings.smearing_eV, self.settings
        coarse = min(given.coarse_grid_level, given.grid_level)
        if rung.second_order:
            return [_Stage(0.0, given.grid_level, given.energy_eV)]
        stages = []
        if rung.smearing_factor != 1.0:
            stages.append(_Stage(own * rung.smearing_factor, coarse, COARSE_EV))
        if coarse < given.grid_level or rung.level_shift_eV:
            stages.append(_Stage(own, coarse, COARSE_EV, rung.level_shift_eV))
        return [*stages, _Stage(own, given.grid_level, given.energy_eV)]

    def _mixed(
        self, field: Any, rung: Rung, density: NDArray[np.float64], trace: list[float]
    ) -> NDArray[np.float64]:
        """Move a density a little towards that of its own field, several times."""
        from ase.units import Hartree

        if not rung.mixing_steps or rung.second_order:
            return density
        field.grids.build()
        core, overlap = field.get_hcore(), field.get_ovlp()
        for _ in range(rung.mixing_steps):
            whole = density if self.polarised else density.sum(axis=0)
            potential = field.get_veff(self.mole, whole)
            trace.append(float(field.energy_tot(whole, core, potential)) * Hartree)
            energies, orbitals = field.eig(core + np.asarray(potential), overlap)
            made = np.asarray(field.make_rdm1(orbitals, field.get_occ(energies, orbitals)))
            new = made if self.polarised else np.array([made, made]) / 2.0
            density = density + rung.mixing * (new - density)
        return density

    def _prepared(self, rung: Rung, stage: _Stage, trace: list[float]) -> Any:
        """Return PySCF's object for a stage of a rung."""
        from ase.units import Hartree
        from pyscf import dft
        from pyscf.scf import addons

        kind = dft.UKS if self.polarised else dft.RKS
        field = kind(self.mole, xc=self.functional).density_fit(
            auxbasis=self.settings.auxiliary_basis
        )
        if self._fit is None:
            self._fit = field.with_df.build()
        field.with_df = self._fit
        if self.permittivity is not None:
            field = field.PCM()
            field.with_solvent.method = "C-PCM"
            field.with_solvent.eps = self.permittivity
        field.grids.level = stage.grid_level
        field.conv_tol = stage.energy_eV / Hartree
        field.max_cycle = self.settings.max_cycles
        field.conv_check = rung.second_order  # a last full step would undo damped ones
        field.diis_space = DIIS_SPACE
        field.diis_damp = rung.damping
        field.level_shift = stage.level_shift_eV / Hartree
        if rung.second_order:
            field = field.newton()
        else:
            field = addons.smearing(
                field, sigma=stage.width_eV / Hartree, method="fermi",
                fix_spin=self.settings.fix_moment and self.polarised,
            )  # fmt: skip
        field.callback = lambda told: trace.append(float(told["e_tot"]) * Hartree)
        return field


@dataclass(frozen=True)
class _Stage:
    """Part of a rung: width of the filling, grid, criterion, shift of empty levels."""

    width_eV: float
    grid_level: int
    energy_eV: float
    level_shift_eV: float = 0.0


def _change(trace: list[float]) -> float | None:
    """Return the last change of an energy that was followed."""
    if len(trace) < 2 or not np.isfinite(trace[-2:]).all():
        return None
    return abs(trace[-1] - trace[-2])
