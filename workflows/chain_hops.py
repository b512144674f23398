"""Hops of an ion along a chain, between two relaxed pockets: bands, drags both ways, single points.

A band joins the pockets and is split where it has a minimum inside; drags along and against the hop
show what a path made by hand would say, and by how much it would depend on its direction.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.barriers import BarrierResult, HopVerdict
from superionic.analysis.chain_hops import ChainHop, SinglePoints
from superionic.analysis.scans import ScanProfile
from superionic.structures.errors import NotConvergedError
from superionic.structures.hop import Hop
from superionic.workflows.barrier import join_ends
from superionic.workflows.chain_pockets import (
    ChainHopSettings,
    ChainSystem,
    RelaxedPocket,
    what_broke,
)
from superionic.workflows.endpoints import Ends
from superionic.workflows.evaluation import CallCounter, shared_atoms
from superionic.workflows.execution import job
from superionic.workflows.scan import relaxed_scan

if TYPE_CHECKING:
    from ase.calculators.calculator import BaseCalculator

__all__ = ["drag", "find_chain_hop", "single_points_task", "stationary_images"]


@job(version=1, name="chain_hop")
def chain_hop_task(
    system: ChainSystem,
    start: RelaxedPocket,
    end: RelaxedPocket,
    theory: str,
    settings: ChainHopSettings,
) -> ChainHop:
    """Find the barrier between two relaxed pockets; see `find_chain_hop`."""
    return find_chain_hop(
        system, start, end, calculator=system.calculator(theory), settings=settings, theory=theory
    )


def find_chain_hop(
    system: ChainSystem,
    start: RelaxedPocket,
    end: RelaxedPocket,
    *,
    calculator: BaseCalculator,
    settings: ChainHopSettings,
    theory: str = "",
) -> ChainHop:
    """Join two relaxed pockets by bands, or say why there is no barrier.

    Parameters
    ----------
    system
        What hops where.
    start, end
        Relaxed with the same calculator.
    calculator
        Any ASE calculator for all atoms, springs included.
    settings
        Bands, cutoff.
    theory
        Name recorded in the result.
    """
    counter = CallCounter(start.relaxed.force_calls + end.relaxed.force_calls)
    ends = _judged(start, end, settings)
    found = join_ends(
        _hop(system, start, end), ends, calculator=calculator, settings=settings.barrier,
        counter=counter, theory=theory,
    )  # fmt: skip
    images = found.positions
    broken = next((r for p in images if (r := what_broke(system.with_ion_at(start.pocket), p))), "")
    if broken:
        found = _withdrawn(found, f"On the way: {broken}")
    both = start.verdict == end.verdict == "converged"
    return ChainHop(
        name=system.name,
        barrier=found,
        donors=system.donors,
        cutoff_ang=settings.cutoff_ang,
        sets=tuple(system.coordination(p, settings.cutoff_ang) for p in images),
        ends=(start.held_by, end.held_by),
        difference_eV=end.relaxed.energy_eV - start.relaxed.energy_eV if both else None,
        spring_eV=np.array([system.tethers.energy(p) for p in images]),
        charge=system.charge,
        spin_multiplicity=system.molecule.spin_multiplicity,
    )


def _judged(start: RelaxedPocket, end: RelaxedPocket, settings: ChainHopSettings) -> Ends:
    """Judge whether two relaxed pockets can be the ends of a hop."""
    verdict: HopVerdict = "converged"
    reason = ""
    for name, pocket in (("start", start), ("end", end)):
        if pocket.verdict != "converged":
            verdict, reason = pocket.verdict, f"The {name}: {pocket.reason}"
            break
    else:
        a, b = set(start.held_by), set(end.held_by)
        if not (a and b):
            verdict = "other-basin"
            reason = f"An end left the chain: no donor within {settings.cutoff_ang:g} A of the ion."
        elif a <= b or b <= a:
            verdict = "other-basin"
            reason = (
                f"Both ends relaxed into one pocket, held by donors {start.held_by} and "
                f"{end.held_by}: neither has one that the other lacks."
            )
    return Ends(start.relaxed, end.relaxed, verdict, reason, 0.0)


def _hop(system: ChainSystem, start: RelaxedPocket, end: RelaxedPocket) -> Hop:
    """Return the hop that the band is filed under."""
    first, last = start.relaxed.structure, end.relaxed.structure
    ion = system.ion_index
    path = last.positions[ion] - first.positions[ion]
    names = tuple("+".join(map(str, p.held_by)) or "none" for p in (start, end))
    return Hop(
        host=first,
        ion=ion,
        displacement=path,
        mechanism="interstitial",
        site_types=(names[0], names[1]),
        length_ang=float(np.linalg.norm(path)),
        multiplicity=1,
        key=f"{system.name} {names[0]} to {names[1]}",
    )


def _withdrawn(result: BarrierResult, reason: str) -> BarrierResult:
    """Return a result without its value."""
    return replace(
        result, verdict="failed", reason=reason, converged=False, forward_barrier_eV=None,
        reverse_barrier_eV=None, reaction_energy_eV=None,
    )  # fmt: skip


@job(version=2, name="chain_drag")
def chain_drag_task(
    system: ChainSystem,
    start: RelaxedPocket,
    end: RelaxedPocket,
    theory: str,
    settings: ChainHopSettings,
) -> ScanProfile:
    """Drag the ion from one relaxed pocket to another, all else relaxed at every point.

    The straight way between both ions is sampled; see `superionic.workflows.scan.relaxed_scan`.
    """
    return drag(
        system, start, end, calculator=system.calculator(theory), settings=settings, theory=theory
    )


def drag(
    system: ChainSystem,
    start: RelaxedPocket,
    end: RelaxedPocket,
    *,
    calculator: BaseCalculator,
    settings: ChainHopSettings,
    theory: str = "",
) -> ScanProfile:
    """Drag the ion from one relaxed pocket to another; see `chain_drag_task`."""
    hop = _hop(system, start, end)
    ends = Ends(start.relaxed, end.relaxed, "unconverged", "No band was run.", 0.0)
    empty = join_ends(hop, ends, calculator=calculator, settings=settings.barrier, theory=theory)
    both = np.array([start.relaxed.structure.positions, end.relaxed.structure.positions])
    route = replace(
        empty,
        positions=both,
        coordinate_ang=np.array([0.0, hop.length_ang]),
        ion_coordinate=np.array([0.0, 1.0]),
        energies_eV=np.array([0.0, end.relaxed.energy_eV - start.relaxed.energy_eV]),
    )
    return relaxed_scan(
        route, route=hop.key, calculator=calculator, settings=settings.drag, molecular=True
    )


@job(version=1, name="chain_single_points")
def single_points_task(system: ChainSystem, hop: ChainHop, theory: str) -> SinglePoints:
    """Compute the stationary images of a band at another level of theory, springs included.

    Stationary are the minima, both ends among them, and the highest image between each two.

    Raises
    ------
    NotConvergedError
        The hop has no band, or the level gave no energy.
    """
    if hop.barrier.structure is None or not len(hop.barrier.positions):
        raise NotConvergedError(f"{hop.name} has no band, so there are no images to compute.")
    calculator = system.calculator(theory)
    images = stationary_images(hop.barrier)
    counter = CallCounter()
    energies = np.array(
        [
            shared_atoms(
                hop.barrier.structure.with_positions(hop.barrier.positions[k]), calculator, counter
            ).get_potential_energy()
            for k in images
        ]
    )
    return SinglePoints(theory, images, energies - energies[0])


def stationary_images(result: BarrierResult) -> tuple[int, ...]:
    """Return the minima of a band and the highest image between each two, in order."""
    minima = result.minima or (0, len(result.energies_eV) - 1)
    tops = [a + int(np.argmax(result.energies_eV[a : b + 1])) for a, b in pairwise(minima)]
    return tuple(sorted({*minima, *tops}))
