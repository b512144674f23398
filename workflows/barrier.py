"""From a hop to its barrier: ends, bands, and a split wherever the path has a minimum inside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.analysis.barriers import BarrierResult, HopVerdict, read_profile
from superionic.structures.errors import (
    InvalidStructureError,
    NotConvergedError,
    ProtocolError,
)
from superionic.structures.hop import Hop
from superionic.workflows.band_chain import Chain
from superionic.workflows.barrier_fields import fields_without_value, profile_fields
from superionic.workflows.endpoints import Ends, EndSettings, relax_ends
from superionic.workflows.evaluation import CallCounter
from superionic.workflows.execution import job
from superionic.workflows.neb import Band, BandSettings
from superionic.workflows.theory import get_theory

if TYPE_CHECKING:
    from ase.calculators.calculator import BaseCalculator


@dataclass(frozen=True)
class BarrierSettings:
    """How to find the barrier of a hop.

    Attributes
    ----------
    ends : EndSettings
        Relaxation and rules for the two ends.
    band : BandSettings
        Images and criteria of each elementary band.
    split_depth_eV : float
        A dip in the profile deeper than this on both sides is relaxed into a new end, in eV.
    max_bands : int
        Bands run for one hop at most; needing more means not converged.
    zooms : int
        How often a band that has converged but for its saddle is run again between the saddle's
        neighbours, at most.
    """

    ends: EndSettings = field(default_factory=EndSettings)
    band: BandSettings = field(default_factory=BandSettings)
    split_depth_eV: float = 0.005
    max_bands: int = 6
    zooms: int = 0

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        if self.split_depth_eV <= 0 or self.max_bands < 1 or self.zooms < 0:
            raise ProtocolError(
                "split_depth_eV must be positive, max_bands at least 1 and zooms zero or more; got "
                f"{self.split_depth_eV}, {self.max_bands} and {self.zooms}."
            )


def find_barrier(
    hop: Hop,
    *,
    calculator: BaseCalculator,
    settings: BarrierSettings | None = None,
    theory: str = "",
) -> BarrierResult:
    """Return the barrier of a hop, or the reason why it has none.

    The ends are relaxed and judged; a climbing-image band joins them. Where the converged profile
    has a minimum inside, that image is relaxed into a new end and each part gets its own band, so
    that the barrier of a chain is its largest climb between a minimum and a later maximum. A saddle
    from which the ion could also fall sideways is no barrier: the band is pushed off it once.

    Parameters
    ----------
    hop
        The hop.
    calculator
        Any ASE calculator with energy and forces.
    settings
        Criteria and rules.
    theory
        Name recorded in the result.
    """
    settings = settings or BarrierSettings()
    counter = CallCounter()
    try:
        ends = relax_ends(
            hop, calculator=calculator, settings=settings.ends, theory=theory, counter=counter
        )
    except (NotConvergedError, InvalidStructureError) as error:  # atoms ran into each other
        return _without_value(hop, "failed", str(error), counter, settings, theory)
    return join_ends(
        hop, ends, calculator=calculator, settings=settings, counter=counter, theory=theory
    )


def join_ends(
    hop: Hop,
    ends: Ends,
    *,
    calculator: BaseCalculator,
    settings: BarrierSettings,
    counter: CallCounter | None = None,
    theory: str = "",
) -> BarrierResult:
    """Return the barrier between ends that were relaxed and judged, as `find_barrier` does.

    Parameters
    ----------
    hop
        What the result is filed under; its ion hops.
    ends
        The relaxed ends and their verdict; any but ``converged`` gives a result without a value.
    calculator, settings, theory
        As in `find_barrier`.
    counter
        Counts the force calls; those of the ends are in it already.
    """
    counter = counter or CallCounter()
    if ends.verdict != "converged":
        return _without_value(hop, ends.verdict, ends.reason, counter, settings, theory, ends)
    chain = Chain(hop.ion, calculator, settings, counter)
    try:
        bands = chain.resolve(ends.start.structure, ends.end.structure)
    except NotConvergedError as error:
        return _without_value(hop, "failed", str(error), counter, settings, theory, ends)
    return _assemble(hop, ends, bands, chain.reason, counter, settings, theory)


def failed_barrier(
    hop: Hop, reason: str, *, settings: BarrierSettings, theory: str
) -> BarrierResult:
    """Return the result of a hop whose task died, so that it is counted and shown as such.

    Parameters
    ----------
    hop
        The hop.
    reason
        What happened, one sentence.
    settings, theory
        What it was to be computed with.
    """
    return _without_value(hop, "failed", reason, CallCounter(), settings, theory)


@job(version=5, name="barrier")
def barrier_task(hop: Hop, theory: str, settings: BarrierSettings) -> BarrierResult:
    """Find the barrier of a hop at a level of theory; see `find_barrier`.

    Raises
    ------
    UnknownElementError
        The level of theory does not know an element.
    """
    level = get_theory(theory)
    level.check(hop.host)
    return find_barrier(hop, calculator=level.calculator(), settings=settings, theory=theory)


def _assemble(
    hop: Hop,
    ends: Ends,
    bands: list[Band],
    reason: str,
    counter: CallCounter,
    settings: BarrierSettings,
    theory: str,
) -> BarrierResult:
    """Join the bands into one profile and read it."""
    positions = np.concatenate([bands[0].positions, *(b.positions[1:] for b in bands[1:])])
    energies = np.concatenate([bands[0].energies_eV, *(b.energies_eV[1:] for b in bands[1:])])
    energies = energies - energies[0]
    fmax = max(b.fmax_eV_per_A for b in bands)
    saddle = max(b.saddle_fmax_eV_per_A for b in bands)
    converged = all(b.converged for b in bands) and not reason
    if not converged and not reason:
        reason = f"The band stopped at fmax {fmax:.3f} eV/A, its saddle at {saddle:.3f} eV/A."
    reading = read_profile(energies)
    return BarrierResult(
        **_description(hop, settings, theory, counter),
        **profile_fields(positions, energies, ion=hop.ion),
        verdict="converged" if converged else "unconverged",
        reason=reason,
        forward_barrier_eV=reading.forward_barrier_eV if converged else None,
        reverse_barrier_eV=reading.reverse_barrier_eV if converged else None,
        reaction_energy_eV=reading.reaction_energy_eV if converged else None,
        converged=converged,
        fmax_eV_per_A=fmax,
        structure=ends.start.structure.with_positions(positions[0]),
        minima=reading.minima,
        other_ion_displacement_ang=ends.other_ion_displacement_ang,
        start_energy_eV=float(bands[0].energies_eV[0]),
    )


def _without_value(
    hop: Hop,
    verdict: HopVerdict,
    reason: str,
    counter: CallCounter,
    settings: BarrierSettings,
    theory: str,
    ends: Ends | None = None,
) -> BarrierResult:
    """Return a result that says why there is no barrier."""
    return BarrierResult(
        **_description(hop, settings, theory, counter),
        **fields_without_value(len(hop.host)),
        verdict=verdict,
        reason=reason,
        structure=ends.start.structure if ends else None,
        other_ion_displacement_ang=ends.other_ion_displacement_ang if ends else None,
    )


def _description(
    hop: Hop, settings: BarrierSettings, theory: str, counter: CallCounter
) -> dict[str, Any]:
    """Return the fields of a result that do not depend on its outcome."""
    return {
        "key": hop.key,
        "site_types": hop.site_types,
        "mechanism": hop.mechanism,
        "environment": "bulk" if hop.depth_ang is None else "surface",
        "length_ang": hop.length_ang,
        "depth_ang": hop.depth_ang,
        "direction": hop.direction,
        "fmax_target_eV_per_A": settings.band.fmax_eV_per_A,
        "force_calls": counter.calls,
        "ion": hop.ion,
        "theory": theory,
        "seed": settings.ends.relax.seed,
    }
