"""From a hop to its barrier: ends, bands, and a split wherever the path has a minimum inside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.analysis.barriers import (
    BarrierResult,
    HopVerdict,
    interior_minima,
    read_profile,
)
from superionic.structures.errors import (
    InvalidStructureError,
    NotConvergedError,
    ProtocolError,
)
from superionic.structures.hop import Hop
from superionic.structures.structure import minimum_image
from superionic.workflows.endpoints import Ends, EndSettings, ion_hessian, relax_ends
from superionic.workflows.evaluation import CallCounter
from superionic.workflows.execution import job
from superionic.workflows.neb import Band, BandSettings, run_band
from superionic.workflows.relax import RelaxResult, relax
from superionic.workflows.theory import get_theory
from superionic.workflows.zoom import zoom

if TYPE_CHECKING:
    from ase.calculators.calculator import BaseCalculator
    from numpy.typing import NDArray

    from superionic.structures.structure import Structure

BELOW_ENDS_EV = 1e-3
"""An image this much below both ends is flagged, in eV."""
PUSH_ANG = 0.2
"""How far the ion is pushed off a ridge, in angstrom."""


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
    chain = _Chain(hop.ion, calculator, settings, counter)
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


class _Chain:
    """Splits a path into elementary bands."""

    def __init__(
        self,
        ion: int,
        calculator: BaseCalculator,
        settings: BarrierSettings,
        counter: CallCounter,
    ) -> None:
        self.ion, self.calculator = ion, calculator
        self.settings, self.counter = settings, counter
        self.bands_run, self.reason = 0, ""

    def resolve(self, start: Structure, end: Structure) -> list[Band]:
        """Return the elementary bands from start to end, in order."""
        self.bands_run += 1
        band = self._off_the_ridge(start, end, self._nearer(start, self._band(start, end)))
        dips = interior_minima(band.energies_eV, noise_eV=self.settings.split_depth_eV)
        if not dips:
            return [band]
        if self.bands_run >= self.settings.max_bands:
            self.reason = (
                f"The path still has a minimum inside after {self.bands_run} bands; allow more."
            )
            return [band]
        return self._split(start, end, band, dips)

    def _band(
        self, start: Structure, end: Structure, guess: NDArray[np.float64] | None = None
    ) -> Band:
        """Run one band, from a guess of the moving images if there is one."""
        name = f"band-{self.bands_run}" + ("" if guess is None else "-aside")
        return run_band(
            start,
            end,
            calculator=self.calculator,
            settings=self.settings.band,
            counter=self.counter,
            guess=guess,
            careful=guess is not None,
            label=name,
            checkpoint=name,
        )

    def _nearer(self, host: Structure, band: Band) -> Band:
        """Look closer where only the saddle is missing."""
        allowed = self.settings.band.fmax_eV_per_A
        for n in range(1, self.settings.zooms + 1):
            if band.converged or band.fmax_eV_per_A > allowed:
                break
            band = zoom(
                band,
                host,
                calculator=self.calculator,
                settings=self.settings.band,
                counter=self.counter,
                label=f"band-{self.bands_run}-zoom-{n}",
            )
        return band

    def _off_the_ridge(self, start: Structure, end: Structure, band: Band) -> Band:
        """Push a band aside whose saddle has a second way down, which symmetry can keep it on."""
        sideways = self._second_way_down(start, band)
        if sideways is None:
            return band
        pushed = band.positions[1:-1].copy()
        images = np.arange(1, len(pushed) + 1) / (len(pushed) + 1)
        pushed[:, self.ion] += PUSH_ANG * np.sin(np.pi * images)[:, None] * sideways
        band = self._band(start, end, pushed)
        if self._second_way_down(start, band) is not None:
            self.reason = "The saddle has a second way down for the ion: it is no barrier."
        return band

    def _second_way_down(self, start: Structure, band: Band) -> NDArray[np.float64] | None:
        """Return the unit vector across the path along which the ion falls off a saddle."""
        if not band.converged:
            return None
        k = 1 + int(np.argmax(band.energies_eV[1:-1]))
        values, modes = np.linalg.eigh(
            ion_hessian(
                start.with_positions(band.positions[k]), self.ion, self.calculator, self.counter
            )
        )
        if values[1] > -self.settings.ends.curvature_tolerance_eV_per_A2:
            return None
        along = band.positions[k + 1, self.ion] - band.positions[k - 1, self.ion]
        return np.asarray(modes[:, int(np.argmin(abs(along @ modes[:, :2])))])

    def _split(
        self, start: Structure, end: Structure, band: Band, dips: tuple[int, ...]
    ) -> list[Band]:
        """Relax the deepest dip and run a band to it and from it."""
        k = min(dips, key=lambda i: float(band.energies_eV[i]))
        middle = relax(
            start.with_positions(band.positions[k]),
            calculator=self.calculator,
            settings=self.settings.ends.relax,
            counter=self.counter,
            label=f"minimum at image {k}",
            max_step_ang=self.settings.ends.max_step_ang,
        )
        if not middle.converged:
            self.reason = "A minimum inside the path did not relax."
            return [band]
        if self._same(middle, start):
            return self.resolve(middle.structure, end)
        if self._same(middle, end):
            return self.resolve(start, middle.structure)
        first = self.resolve(start, middle.structure)
        if self.reason or not all(part.converged for part in first):
            self.reason = self.reason or "A part of the path did not converge; the rest was left."
            return first
        joined = start.with_positions(first[-1].positions[-1])
        return first + self.resolve(joined, end)

    def _same(self, middle: RelaxResult, end: Structure) -> bool:
        """Tell whether a relaxed image fell into the basin of an end."""
        away = minimum_image(middle.structure.positions - end.positions, end.cell, end.pbc)
        return bool(np.linalg.norm(away, axis=1).max() < self.settings.ends.same_site_ang)


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
    below = np.flatnonzero(energies[1:-1] < min(energies[0], energies[-1]) - BELOW_ENDS_EV) + 1
    return BarrierResult(
        **_description(hop, settings, theory, counter),
        verdict="converged" if converged else "unconverged",
        reason=reason,
        forward_barrier_eV=reading.forward_barrier_eV if converged else None,
        reverse_barrier_eV=reading.reverse_barrier_eV if converged else None,
        reaction_energy_eV=reading.reaction_energy_eV if converged else None,
        converged=converged,
        fmax_eV_per_A=fmax,
        coordinate_ang=path_length(positions),
        ion_coordinate=ion_progress(positions[:, hop.ion]),
        energies_eV=energies,
        positions=positions,
        structure=ends.start.structure.with_positions(positions[0]),
        minima=reading.minima,
        images_below_ends=tuple(int(k) for k in below),
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
    empty = np.zeros(0)
    return BarrierResult(
        **_description(hop, settings, theory, counter),
        verdict=verdict,
        reason=reason,
        forward_barrier_eV=None,
        reverse_barrier_eV=None,
        reaction_energy_eV=None,
        converged=False,
        fmax_eV_per_A=None,
        coordinate_ang=empty,
        ion_coordinate=empty,
        energies_eV=empty,
        positions=np.zeros((0, len(hop.host), 3)),
        structure=ends.start.structure if ends else None,
        minima=(),
        images_below_ends=(),
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


def path_length(positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the path length at each image in angstrom, from positions (images, atoms, 3)."""
    steps = np.sqrt((np.diff(positions, axis=0) ** 2).sum(axis=(1, 2)))
    return np.concatenate([[0.0], np.cumsum(steps)])


def ion_progress(ion_positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each point's projection on the straight line from first to last point, 0 to 1.

    Parameters
    ----------
    ion_positions
        Positions of one ion in angstrom. shape=(images, 3)
    """
    line = ion_positions[-1] - ion_positions[0]
    return np.asarray((ion_positions - ion_positions[0]) @ line / (line @ line))
