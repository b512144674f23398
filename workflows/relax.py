"""Relax a structure to a force criterion, and say whether it got there."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from superionic.structures.errors import InvalidStructureError, NotConvergedError, ProtocolError
from superionic.structures.structure import Structure, check_no_overlap
from superionic.workflows.evaluation import CallCounter, largest_force, shared_atoms
from superionic.workflows.execution import job
from superionic.workflows.progress import report_progress
from superionic.workflows.theory import get_theory

if TYPE_CHECKING:
    from collections.abc import Callable

    from ase import Atoms
    from ase.calculators.calculator import BaseCalculator
    from numpy.typing import NDArray

__all__ = [
    "MAX_STEP_ANG",
    "PRECONDITIONED_FROM",
    "RelaxResult",
    "RelaxSettings",
    "relax",
    "relax_task",
]

PRECONDITIONED_FROM = 20
"""Atoms from which fixed cells are relaxed with the preconditioner of Packwood et al.
(doi 10.1063/1.4947024): a third fewer force calls to the same minimum on 83 atoms."""
MAX_STEP_ANG = 0.2
"""No atom moves farther in one step, in angstrom."""


@dataclass(frozen=True)
class RelaxSettings:
    """How to relax.

    Attributes
    ----------
    fmax_eV_per_A : float
        Largest residual force on any atom, eV/angstrom.
    max_steps : int
        Optimiser steps at most; reaching it means not converged.
    cell : {"fixed", "full"}
        Whether the lattice vectors relax too (the residual then includes the stress).
    rattle_ang : float
        Standard deviation of seeded random displacements before the start, in angstrom; breaks
        symmetry so that a saddle is not taken for a minimum.
    seed : int
        Seed of the rattle.
    """

    fmax_eV_per_A: float = 0.02
    max_steps: int = 300
    cell: Literal["fixed", "full"] = "fixed"
    rattle_ang: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse settings that cannot work before anything is computed."""
        if self.fmax_eV_per_A <= 0 or self.max_steps < 0 or self.rattle_ang < 0:
            raise ProtocolError(
                "Relaxation needs fmax > 0, max_steps >= 0 and rattle >= 0; got "
                f"{self.fmax_eV_per_A}, {self.max_steps}, {self.rattle_ang}."
            )
        if self.cell not in ("fixed", "full"):
            raise ProtocolError(f"cell must be 'fixed' or 'full'; got '{self.cell}'.")


@dataclass(frozen=True, eq=False)
class RelaxResult:
    """A relaxed structure with its evidence.

    Attributes
    ----------
    structure : Structure
        Where the relaxation ended.
    energy_eV : float
        Its energy in eV.
    start_energy_eV : float
        Energy of the structure handed in (after the rattle), in eV.
    converged : bool
        The criterion was met.
    fmax_eV_per_A : float
        Largest residual force on any atom, eV/angstrom.
    force_calls : int
        Energy-and-force evaluations.
    theory : str
        Level of theory.
    """

    structure: Structure
    energy_eV: float
    start_energy_eV: float
    converged: bool
    fmax_eV_per_A: float
    force_calls: int
    theory: str

    def require_converged(self) -> RelaxResult:
        """Return itself, or raise.

        Raises
        ------
        NotConvergedError
            The relaxation did not reach its criterion.
        """
        if not self.converged:
            raise NotConvergedError(
                f"Relaxation of {self.structure.formula} with {self.theory} stopped at fmax "
                f"{self.fmax_eV_per_A:.3f} eV/A after {self.force_calls} force calls. Allow more "
                "steps, or look at the structure."
            )
        return self


def relax(
    structure: Structure,
    *,
    calculator: BaseCalculator,
    settings: RelaxSettings,
    theory: str = "",
    counter: CallCounter | None = None,
    label: str = "relax",
    constraint: Any = None,
    max_step_ang: float = MAX_STEP_ANG,
    abandon: Callable[[NDArray[np.float64]], bool] | None = None,
    molecular: bool = False,
) -> RelaxResult:
    """Relax a structure with any ASE calculator.

    Parameters
    ----------
    structure
        Where to start.
    calculator
        Any ASE calculator with energy and forces (and stress for ``cell="full"``).
    settings
        Criterion, step limit, cell and rattle.
    theory
        Name recorded in the result.
    counter
        Counts the force calls; a fresh one by default.
    label
        What progress and log call it.
    constraint
        ASE constraints, if any.
    max_step_ang
        No atom moves farther in one step, in angstrom. Small steps stay in a shallow basin.
    abandon
        Asked after each step with the positions in angstrom, shape (atoms, 3); true ends the
        relaxation there, unconverged.
    molecular
        Start from the model stiffness of a molecule, whose bonds are far stiffer than its torsions
        (`superionic.workflows.model_hessian`), not from a network of like neighbours.

    Raises
    ------
    InvalidStructureError
        Atoms overlap.
    """
    check_no_overlap(structure)
    counter = counter or CallCounter()
    before = counter.calls
    atoms = shared_atoms(structure, calculator, counter)
    if settings.rattle_ang:
        rng = np.random.default_rng(settings.seed)
        atoms.positions += rng.normal(scale=settings.rattle_ang, size=atoms.positions.shape)
    if constraint is not None:
        atoms.set_constraint(constraint)
    start_energy = atoms.get_potential_energy()
    converged, fmax = _optimise(atoms, settings, label, max_step_ang, abandon, molecular=molecular)
    return RelaxResult(
        structure=Structure.from_ase(atoms, labels=structure.labels),
        energy_eV=float(atoms.get_potential_energy()),
        start_energy_eV=float(start_energy),
        converged=converged,
        fmax_eV_per_A=fmax,
        force_calls=counter.calls - before,
        theory=theory,
    )


def _optimise(
    atoms: Atoms,
    settings: RelaxSettings,
    label: str,
    max_step_ang: float,
    abandon: Callable[[NDArray[np.float64]], bool] | None,
    *,
    molecular: bool,
) -> tuple[bool, float]:
    """Run the optimiser on atoms in place; return convergence and the residual force."""
    from ase.filters import FrechetCellFilter

    from superionic.workflows.optimisers import Descent

    full = settings.cell == "full"
    target: Any = FrechetCellFilter(atoms) if full else atoms
    optimiser: Any = Descent(
        target,
        maxstep=max_step_ang,
        preconditioned=not full and not molecular and len(atoms) >= PRECONDITIONED_FROM,
    )
    if molecular:
        from superionic.workflows.model_hessian import ModelSoftness

        optimiser.state.H0 = ModelSoftness(atoms)

    def tell() -> None:
        report_progress(
            step=optimiser.nsteps,
            total=settings.max_steps,
            fmax=largest_force(target.get_forces()),
            message=label,
        )

    optimiser.attach(tell)
    with warnings.catch_warnings():  # FrechetCellFilter's matrix logarithm, off by 1e-13
        warnings.filterwarnings("ignore", "logm result may be inaccurate", RuntimeWarning)
        for _ in optimiser.irun(fmax=settings.fmax_eV_per_A, steps=settings.max_steps):
            if abandon is not None and abandon(atoms.positions):
                return False, largest_force(target.get_forces())
    fmax = largest_force(target.get_forces())
    return fmax <= settings.fmax_eV_per_A, fmax


@job(version=1, name="relax")
def relax_task(structure: Structure, theory: str, settings: RelaxSettings) -> RelaxResult:
    """Relax a structure at a level of theory; see `relax`.

    Raises
    ------
    UnknownElementError
        The level of theory does not know an element.
    InvalidStructureError
        Atoms overlap.
    """
    level = get_theory(theory)
    level.check(structure)
    return relax(structure, calculator=level.calculator(), settings=settings, theory=theory)


def framework_shift(
    before: NDArray[np.float64], after: NDArray[np.float64], framework: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return how far the framework as a whole moved, in angstrom. shape=(3,).

    Parameters
    ----------
    before, after
        Positions of the same atoms in angstrom, not wrapped. shape=(atoms, 3)
    framework
        Which atoms make up the framework. shape=(atoms,)

    Raises
    ------
    InvalidStructureError
        The shapes disagree.
    """
    if before.shape != after.shape or len(framework) != len(before):
        raise InvalidStructureError(
            f"Positions {before.shape}, {after.shape} and framework {framework.shape} disagree."
        )
    if not framework.any():
        return np.zeros(3)
    return np.asarray((after - before)[framework].mean(axis=0))
