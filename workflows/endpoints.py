"""The two ends of a hop: relaxed, and shown to be what they were meant to be."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.structure import minimum_image
from superionic.workflows.evaluation import CallCounter, shared_atoms
from superionic.workflows.relax import RelaxResult, RelaxSettings, framework_shift, relax

if TYPE_CHECKING:
    from ase.calculators.calculator import BaseCalculator
    from numpy.typing import NDArray

    from superionic.analysis.barriers import HopVerdict
    from superionic.structures.hop import Hop
    from superionic.structures.structure import Structure

__all__ = [
    "CURVATURE_STEP_ANG",
    "LOST_ANG",
    "EndSettings",
    "Ends",
    "ion_force_constants",
    "ion_hessian",
    "relax_ends",
]

CURVATURE_STEP_ANG = 0.02
"""Displacement of the hopping ion for its force constants, in angstrom."""
LOST_ANG = 0.4
"""An ion that is nearer to another site than to its own by so much, in angstrom, is followed no
further: the end has left its basin."""


def _end_relaxation() -> RelaxSettings:
    return RelaxSettings(fmax_eV_per_A=0.01, max_steps=400, rattle_ang=0.01)


@dataclass(frozen=True)
class EndSettings:
    """How the ends of a hop are relaxed and judged.

    Attributes
    ----------
    relax : RelaxSettings
        Criterion, limits and symmetry-breaking rattle.
    max_step_ang : float
        No atom moves farther in one optimiser step, in angstrom, so that a shallow basin is not
        left by a stride.
    nudge_fraction : float
        Each end starts with the ion this fraction of the way towards the other end, so that of
        several equivalent distortions the one on the path is taken.
    same_site_ang : float
        Two relaxed ends with the ion closer than this are one basin, in angstrom.
    other_ion_fraction : float
        No other ion of the element may move farther between the relaxed ends than this fraction
        of the hop's length.
    curvature_tolerance_eV_per_A2 : float
        The ion's lowest force constant may not be more negative than this, eV/angstrom^2.
    """

    relax: RelaxSettings = field(default_factory=_end_relaxation)
    max_step_ang: float = 0.1
    nudge_fraction: float = 0.05
    same_site_ang: float = 0.5
    other_ion_fraction: float = 0.5
    curvature_tolerance_eV_per_A2: float = 0.05


@dataclass(frozen=True, eq=False)
class Ends:
    """Relaxed ends of a hop and what they turned out to be.

    Attributes
    ----------
    start, end : RelaxResult
        The relaxed ends.
    verdict : str
        ``converged`` when the ends can carry a band, else why not.
    reason : str
        One sentence for a person; empty when all is well.
    other_ion_displacement_ang : float
        Farthest that another ion of the element moved between the ends, in angstrom.
    """

    start: RelaxResult
    end: RelaxResult
    verdict: HopVerdict
    reason: str
    other_ion_displacement_ang: float


def relax_ends(
    hop: Hop,
    *,
    calculator: BaseCalculator,
    settings: EndSettings,
    theory: str = "",
    counter: CallCounter | None = None,
) -> Ends:
    """Relax both ends of a hop and judge them.

    An end must converge, must leave every ion on the site it was put on (nearest of the hop's
    sites), must be a minimum for the hopping ion, and the two must differ by that ion's hop only.

    Parameters
    ----------
    hop
        The hop.
    calculator
        Any ASE calculator.
    settings
        Relaxation and rules.
    theory
        Name recorded in the results.
    counter
        Counts the force calls.
    """
    counter = counter or CallCounter()
    relaxed = []
    for name, structure, sign in (("start", hop.initial, 1.0), ("end", hop.final, -1.0)):
        positions = structure.positions.copy()
        positions[hop.ion] += sign * settings.nudge_fraction * hop.displacement
        relaxed.append(
            relax(
                structure.with_positions(positions),
                calculator=calculator,
                settings=settings.relax,
                theory=theory,
                counter=counter,
                label=name,
                max_step_ang=settings.max_step_ang,
                abandon=partial(_is_lost, hop, structure),
            )
        )
    start, end = relaxed
    verdict, reason = _judge(hop, start, end, settings)
    if verdict == "converged":
        verdict, reason = _judge_curvature(hop, start, end, calculator, settings, counter)
    return Ends(start, end, verdict, reason, other_ion_displacement(hop, start, end))


def mobile_mask(structure: Structure, ion: int) -> NDArray[np.bool_]:
    """Return which atoms are of the hopping ion's element. shape=(atoms,)."""
    return np.asarray(structure.numbers == structure.numbers[ion])


def other_ion_displacement(hop: Hop, start: RelaxResult, end: RelaxResult) -> float:
    """Return how far any other ion of the element moved between the ends, in angstrom.

    The mean displacement of the framework (all other elements) is taken off first.
    """
    mobile = mobile_mask(hop.host, hop.ion)
    moved = _displacement(start.structure.positions, end.structure, mobile)
    mobile[hop.ion] = False
    if not mobile.any():
        return 0.0
    return float(np.linalg.norm(moved[mobile], axis=1).max())


def _displacement(
    before: NDArray[np.float64], after: Structure, mobile: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return shortest displacements with the framework's drift taken off. shape=(atoms, 3)."""
    moved = minimum_image(after.positions - before, after.cell, after.pbc)
    return moved - framework_shift(before, before + moved, ~mobile)


def _judge(
    hop: Hop, start: RelaxResult, end: RelaxResult, settings: EndSettings
) -> tuple[HopVerdict, str]:
    """Judge convergence, basins and single-ion character."""
    for name, ideal, result in (("start", hop.initial, start), ("end", hop.final, end)):
        strayed = _strayed_ions(hop, ideal, result.structure.positions)
        if strayed:
            i, label = strayed[0]
            return "other-basin", (
                f"Relaxing the {name} took ion {i} ({ideal.labels[i]}) to another site ({label})."
            )
    for name, result in (("start", start), ("end", end)):
        if not result.converged:
            return "unconverged", (
                f"The {name} did not relax: fmax {result.fmax_eV_per_A:.3f} eV/A after "
                f"{result.force_calls} force calls."
            )
    ion = _displacement(start.structure.positions, end.structure, mobile_mask(hop.host, hop.ion))[
        hop.ion
    ]
    if np.linalg.norm(ion) < settings.same_site_ang:
        return "other-basin", (
            f"Both ends relaxed into one basin: the ion moves only {np.linalg.norm(ion):.2f} A."
        )
    others = other_ion_displacement(hop, start, end)
    if others > settings.other_ion_fraction * hop.length_ang:
        return "not-single-ion", (
            f"Another ion moves {others:.2f} A between the relaxed ends of a hop of "
            f"{hop.length_ang:.2f} A."
        )
    return "converged", ""


def _strayed_ions(
    hop: Hop, ideal: Structure, positions: NDArray[np.float64], *, margin_ang: float = 0.0
) -> list[tuple[int, str]]:
    """Return ions nearer, by a margin, to another site of the hop than to their own."""
    mobile = mobile_mask(hop.host, hop.ion)
    moved = _displacement(ideal.positions, ideal.with_positions(positions), mobile)
    sites = np.vstack([hop.initial.positions[mobile], hop.final.positions[hop.ion]])
    labels = [hop.host.labels[i] for i in np.flatnonzero(mobile)] + [hop.site_types[1]]
    strayed = []
    for i in np.flatnonzero(mobile):
        away = minimum_image(ideal.positions[i] + moved[i] - sites, ideal.cell, ideal.pbc)
        home = minimum_image(ideal.positions[i] - sites, ideal.cell, ideal.pbc)
        own = int(np.argmin(np.linalg.norm(home, axis=1)))
        distances = np.linalg.norm(away, axis=1)
        nearest = int(np.argmin(distances))
        if distances[nearest] < distances[own] - margin_ang:
            strayed.append((int(i), labels[nearest]))
    return strayed


def _is_lost(hop: Hop, ideal: Structure, positions: NDArray[np.float64]) -> bool:
    """Tell whether an ion is so far on its way to another site that it will not come back."""
    return bool(_strayed_ions(hop, ideal, positions, margin_ang=LOST_ANG))


def _judge_curvature(
    hop: Hop,
    start: RelaxResult,
    end: RelaxResult,
    calculator: BaseCalculator,
    settings: EndSettings,
    counter: CallCounter,
) -> tuple[HopVerdict, str]:
    """Judge whether each end is a minimum for the hopping ion."""
    for name, result in (("start", start), ("end", end)):
        lowest = float(ion_force_constants(result.structure, hop.ion, calculator, counter)[0])
        if lowest < -settings.curvature_tolerance_eV_per_A2:
            return "not-a-minimum", (
                f"The {name} is no minimum: the ion's lowest force constant is {lowest:.2f} eV/A^2."
            )
    return "converged", ""


def ion_force_constants(
    structure: Structure, ion: int, calculator: BaseCalculator, counter: CallCounter | None = None
) -> NDArray[np.float64]:
    """Return the three force constants of one ion, others held, ascending, in eV/angstrom^2."""
    return np.asarray(np.linalg.eigvalsh(ion_hessian(structure, ion, calculator, counter)))


def ion_hessian(
    structure: Structure, ion: int, calculator: BaseCalculator, counter: CallCounter | None = None
) -> NDArray[np.float64]:
    """Return the force-constant matrix of one ion, others held, in eV/angstrom^2. shape=(3, 3).

    Central differences of the force; six force calls. The whole crystal's matrix has at least as
    many negative eigenvalues as this block of it.
    """
    atoms = shared_atoms(structure, calculator, counter or CallCounter())
    origin = atoms.positions.copy()
    hessian = np.zeros((3, 3))
    for axis in range(3):
        for sign in (1.0, -1.0):
            atoms.positions = origin
            atoms.positions[ion, axis] += sign * CURVATURE_STEP_ANG
            hessian[axis] -= sign * atoms.get_forces()[ion] / (2 * CURVATURE_STEP_ANG)
    return 0.5 * (hessian + hessian.T)
