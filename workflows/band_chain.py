"""A path split into elementary bands, wherever it has a minimum inside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.barriers import interior_minima
from superionic.structures.structure import minimum_image
from superionic.workflows.endpoints import ion_hessian
from superionic.workflows.neb import Band, run_band
from superionic.workflows.relax import RelaxResult, relax
from superionic.workflows.zoom import evenly_along, zoom

if TYPE_CHECKING:
    from ase.calculators.calculator import BaseCalculator
    from numpy.typing import NDArray

    from superionic.structures.structure import Structure
    from superionic.workflows.barrier import BarrierSettings
    from superionic.workflows.evaluation import CallCounter

PUSH_ANG = 0.2
"""How far the ion is pushed off a ridge, in angstrom."""


class Chain:
    """Splits a path into elementary bands.

    Parameters
    ----------
    ion
        Index of the hopping ion.
    calculator
        Any ASE calculator with energy and forces.
    settings
        Criteria and rules.
    counter
        Counts the force calls.
    """

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
        if len(pushed) != self.settings.band.images:  # looked at closer
            pushed = evenly_along(band.positions, self.settings.band.images)
        images = np.arange(1, len(pushed) + 1) / (len(pushed) + 1)
        pushed[:, self.ion] += PUSH_ANG * np.sin(np.pi * images)[:, None] * sideways
        band = self._nearer(start, self._band(start, end, pushed))
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
