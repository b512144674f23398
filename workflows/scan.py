"""Energy along a straight route in fixed steps: framework frozen, or relaxed at each step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.barriers import BarrierResult
from superionic.analysis.scans import ScanProfile, scan_profile
from superionic.structures.errors import EvidenceError
from superionic.structures.route import sample_route
from superionic.structures.structure import minimum_image
from superionic.workflows.evaluation import CallCounter
from superionic.workflows.execution import job
from superionic.workflows.progress import report_progress
from superionic.workflows.relax import RelaxSettings, relax
from superionic.workflows.theory import get_theory

if TYPE_CHECKING:
    from ase.calculators.calculator import BaseCalculator
    from numpy.typing import NDArray

    from superionic.structures.structure import Structure

__all__ = ["RIGID", "ScanSettings", "relaxed_scan", "rigid_scan", "scan_task"]

RIGID = "all atoms but the ion frozen as in the relaxed start"


@dataclass(frozen=True)
class ScanSettings:
    """How to sample a route.

    Attributes
    ----------
    step_fractional : float
        Step as a fraction of the route.
    fmax_eV_per_A : float
        Largest residual force of the framework-relaxed scan, eV/angstrom.
    max_steps : int
        Optimiser steps at each point, at most.
    """

    step_fractional: float = 0.05
    fmax_eV_per_A: float = 0.05
    max_steps: int = 100


def rigid_scan(
    result: BarrierResult,
    *,
    route: str,
    calculator: BaseCalculator,
    settings: ScanSettings | None = None,
) -> ScanProfile:
    """Return the energy of the ion on the straight line between the relaxed ends of a hop.

    Everything else stays as it is in the relaxed start, so the last point is not the relaxed end.

    Parameters
    ----------
    result
        A hop with relaxed ends and images.
    route
        What to call the route in figures.
    calculator
        Any ASE calculator.
    settings
        The step; the rest does not matter here.

    Raises
    ------
    EvidenceError
        The hop has no images.
    """
    settings = settings or ScanSettings()
    structure, line = _route_of(result)
    samples = sample_route(line, step_fractional=settings.step_fractional)
    counter = CallCounter()
    energies = []
    for k, point in enumerate(samples.positions):
        positions = structure.positions.copy()
        positions[result.ion] = point
        one = relax(
            structure.with_positions(positions),
            calculator=calculator,
            settings=RelaxSettings(max_steps=0),
            counter=counter,
            label=f"point {k}",
        )
        energies.append(one.energy_eV)
    return scan_profile(
        route=route,
        kind="rigid",
        hop_key=result.key,
        coordinate=samples.fractions,
        energies_eV=energies,
        ion_positions=samples.positions,
        theory=result.theory,
        constraint=RIGID,
        force_calls=counter.calls,
    )


def relaxed_scan(
    result: BarrierResult,
    *,
    route: str,
    calculator: BaseCalculator,
    settings: ScanSettings | None = None,
    molecular: bool = False,
) -> ScanProfile:
    """Return the energy along the straight route with everything relaxed around the ion.

    At each point the ion is held in the plane normal to the route and everything else relaxes,
    but for one framework atom, the one farthest from the route, which keeps the crystal from
    following the ion. Each point starts from the one before it.

    Parameters
    ----------
    result
        A hop with relaxed ends and images.
    route
        What to call the route in figures.
    calculator
        Any ASE calculator.
    settings
        Step, criterion, limit.
    molecular
        Relax as a molecule; see `superionic.workflows.relax.relax`.

    Raises
    ------
    EvidenceError
        The hop has no images.
    """
    from ase.constraints import FixAtoms, FixedPlane

    settings = settings or ScanSettings()
    structure, line = _route_of(result)
    samples = sample_route(line, step_fractional=settings.step_fractional)
    anchor = farthest_framework_atom(structure, result.ion, line)
    anchors = [] if anchor is None else [FixAtoms([anchor])]
    counter = CallCounter()
    current, energies, residuals, ions = structure, [], [], []
    for k, (point, normal) in enumerate(zip(samples.positions, samples.normals, strict=True)):
        positions = current.positions.copy()
        positions[result.ion] += normal * ((point - positions[result.ion]) @ normal)
        held = relax(
            current.with_positions(positions),
            calculator=calculator,
            settings=RelaxSettings(
                fmax_eV_per_A=settings.fmax_eV_per_A, max_steps=settings.max_steps
            ),
            counter=counter,
            label=f"point {k + 1} of {len(samples.positions)}",
            constraint=[*anchors, FixedPlane([result.ion], normal)],
            molecular=molecular,
        )
        report_progress(step=k + 1, total=len(samples.positions), message="relaxed scan")
        current = held.structure
        energies.append(held.energy_eV)
        residuals.append(held.fmax_eV_per_A)
        ions.append(current.positions[result.ion])
    return scan_profile(
        route=route,
        kind="relaxed",
        hop_key=result.key,
        coordinate=samples.fractions,
        energies_eV=energies,
        ion_positions=ions,
        theory=result.theory,
        constraint="ion held in the plane normal to the route, all else relaxed"
        + ("" if anchor is None else f" but atom {anchor} ({structure.labels[anchor]})"),
        force_calls=counter.calls,
        fmax_eV_per_A=residuals,
        fmax_target_eV_per_A=settings.fmax_eV_per_A,
    )


@job(version=1, name="scan")
def scan_task(result: BarrierResult, route: str, kind: str, settings: ScanSettings) -> ScanProfile:
    """Scan the route of a hop at the level of theory of its barrier.

    Raises
    ------
    EvidenceError
        The hop has no images.
    """
    calculator = get_theory(result.theory).calculator()
    scan = {"rigid": rigid_scan, "relaxed": relaxed_scan}[kind]
    return scan(result, route=route, calculator=calculator, settings=settings)


def _route_of(result: BarrierResult) -> tuple[Structure, NDArray[np.float64]]:
    """Return the relaxed start and the two corners of the straight route."""
    if result.structure is None or len(result.positions) < 2:
        raise EvidenceError(
            f"Hop {result.key} ({result.verdict}) has no images, so there is no route to scan."
        )
    line = result.positions[[0, -1], result.ion]
    return result.structure.with_positions(result.positions[0]), line


def farthest_framework_atom(
    structure: Structure, ion: int, line: NDArray[np.float64]
) -> int | None:
    """Return the atom of another element that is farthest from the middle of a route.

    In an element any other atom will do; None where the ion is alone.
    """
    away = minimum_image(structure.positions - line.mean(axis=0), structure.cell, structure.pbc)
    distance = np.linalg.norm(away, axis=1)
    framework = structure.numbers != structure.numbers[ion]
    others = framework if framework.any() else np.arange(len(structure)) != ion
    distance[~others] = -1.0
    return int(np.argmax(distance)) if others.any() else None
