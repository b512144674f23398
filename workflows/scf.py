"""Self-consistent fields of molecules that converge for open shells too, by a stated ladder."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.structures.errors import NotConvergedError, TheoryError
from superionic.workflows.scf_guess import seeded_moments, starting_density
from superionic.workflows.scf_settings import LADDER, Rung, ScfAttempt, ScfSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from superionic.structures.molecule import Molecule

__all__ = ["COARSE_EV", "DIIS_SPACE", "MEMORY_MB", "SolvedField", "solve_field"]

log = logging.getLogger(__name__)

DIIS_SPACE = 12
COARSE_EV = 1e-3
"""Criterion of the stages before the last, in eV."""
MEMORY_MB = 4000
"""What PySCF may keep in memory before it goes to disk."""


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
        Energy at zero width in eV; None on a grid too coarse for one.
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
            "%s, %s: %s after %d cycles, %.0f s.", molecule.formula, rung.name,
            "converged" if attempt.converged else attempt.reason, attempt.cycles,
            attempt.seconds,
        )  # fmt: skip
        if found is not None:
            zero, entropy = _energies(found)
            energy = zero if settings.has_energy else None
            return SolvedField(found, tuple(attempts), energy, entropy, attempt.smearing_eV)
    return SolvedField(None, tuple(attempts), None)


def build_mole(molecule: Molecule, basis: str) -> Any:
    """Return a PySCF molecule in the frame of ours."""
    from superionic.workflows.fast_blas import load_pyscf

    load_pyscf()
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
            change = _change(trace)
            reason = (
                "it came to no second cycle"
                if change is None
                else f"the energy still changed by {change:.2g} eV in the last cycle"
            )
        told = self.settings.has_energy and bool(trace) and bool(np.isfinite(trace[-1]))
        attempt = ScfAttempt(
            rung=rung.name,
            converged=done,
            cycles=len(trace),
            energy_eV=trace[-1] if told else None,
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

        from superionic.workflows.molecule_calculators import in_continuum

        kind = dft.UKS if self.polarised else dft.RKS
        field = kind(self.mole, xc=self.functional).density_fit(
            auxbasis=self.settings.auxiliary_basis
        )
        if self._fit is None:
            self._fit = field.with_df.build()
        field.with_df = self._fit
        field = in_continuum(field, self.permittivity)
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
