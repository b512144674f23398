"""Onsager coefficients with their evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.estimate import Estimate, html_table
from superionic.structures.errors import EvidenceError
from superionic.structures.structure import readonly

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from superionic.analysis.diffusivity import DiffusionVerdict, Diffusivity
    from superionic.analysis.figures.style import SavedFigure


@dataclass(frozen=True, eq=False)
class OnsagerCoefficients:
    """How the fluxes of ionic species answer to forces on each of them, if the motion is diffusive.

    Attributes
    ----------
    species : tuple of str
        Names.
    ions : tuple of int
        How many of each.
    charges_e : tuple of float
        Charge of one ion in e, scaled.
    charge_scale : float
        What formal charges were multiplied with; 1 means formal charges.
    temperature_K, volume_ang3 : float
        Of the system, in K and angstrom^3.
    verdict : {"diffusive", "subdiffusive", "ballistic", "too short"}
        There are coefficients only where it is diffusive.
    reason : str
        Why, in one sentence; or what else is to be known.
    self_diffusivities : tuple of Diffusivity
        Of each species.
    self_correlation : ndarray
        How their errors go together, from the squared displacements of species in the same
        stretches of time. shape=(species, species)
    L_per_J_cm_s : ndarray or None
        L_ij in 1/(J cm s), shape=(species, species)
    L_interval_per_J_cm_s : ndarray or None
        95 % intervals, shape=(species, species, 2)
    conductivity_S_cm : Estimate
        Sum of z_i z_j e^2 L_ij (Einstein and Helfand) in S/cm.
    bound : bool
        Whether the conductivity cannot be told from zero.
    freedom : float or None
        Independent squares behind each coefficient.
    longest_period_ps : float or None
        Shortest period of the band of low frequencies in ps: only motion slower than this counts.
    rule : str
        How the values and intervals were taken.
    frames, replicas : int
        Size of the data.
    length_ps, dt_ps : float
        Length of all replicas together, and time between frames, in ps.
    """

    species: tuple[str, ...]
    ions: tuple[int, ...]
    charges_e: tuple[float, ...]
    charge_scale: float
    temperature_K: float
    volume_ang3: float
    verdict: DiffusionVerdict
    reason: str
    self_diffusivities: tuple[Diffusivity, ...]
    self_correlation: NDArray[np.float64]
    L_per_J_cm_s: NDArray[np.float64] | None
    L_interval_per_J_cm_s: NDArray[np.float64] | None
    conductivity_S_cm: Estimate
    bound: bool
    freedom: float | None
    longest_period_ps: float | None
    rule: str
    frames: int
    replicas: int
    length_ps: float
    dt_ps: float

    def __post_init__(self) -> None:
        """Hold values and verdict together and freeze the arrays."""
        n = len(self.species)
        together = readonly(self.self_correlation, np.float64)
        object.__setattr__(self, "self_correlation", together)
        if together.shape != (n, n):
            raise EvidenceError(f"Expected correlations of {n} species, got {together.shape}.")
        for name, shape in (
            ("L_per_J_cm_s", (n, n)), ("L_interval_per_J_cm_s", (n, n, 2)),
        ):  # fmt: skip
            value = getattr(self, name)
            if (value is None) == (self.verdict == "diffusive"):
                raise EvidenceError(f"Motion that is {self.verdict} has {name} = {value}.")
            if value is not None:
                object.__setattr__(self, name, readonly(value, np.float64))
                if value.shape != shape:
                    raise EvidenceError(f"Expected {name} of shape {shape}, got {value.shape}.")
        if not len(self.ions) == len(self.charges_e) == len(self.self_diffusivities) == n:
            raise EvidenceError("Species, ions, charges and diffusivities differ in number.")

    @property
    def diffusive(self) -> bool:
        """Whether there are values."""
        return self.verdict == "diffusive"

    def coefficient(self, first: str, second: str) -> Estimate:
        """Return L between two species in 1/(J cm s).

        Raises
        ------
        EvidenceError
            There is no such species.
        """
        i, j = self.index(first), self.index(second)
        if self.L_per_J_cm_s is None or self.L_interval_per_J_cm_s is None:
            return Estimate.missing(f"{self.verdict}: {self.reason}")
        low, high = self.L_interval_per_J_cm_s[i, j].tolist()
        return Estimate(float(self.L_per_J_cm_s[i, j]), (low, high))

    def self_part(self, name: str) -> Estimate:
        """Return N D / (k T V) of a species in 1/(J cm s)."""
        from scipy.constants import Boltzmann

        k = self.index(name)
        found = self.self_diffusivities[k]
        if found.D_cm2_s is None or found.interval_cm2_s is None:
            return Estimate.missing(f"{found.verdict}: {found.reason}")
        factor = self.ions[k] / (Boltzmann * self.temperature_K * self.volume_ang3 * 1e-24)
        return Estimate(found.D_cm2_s, found.interval_cm2_s).times(factor)

    def distinct_part(self, first: str, second: str) -> Estimate:
        """Return the part of L between different ions in 1/(J cm s).

        The error of the self part is added as if independent of that of the whole.
        """
        whole = self.coefficient(first, second)
        if first != second:
            return whole
        alone = self.self_part(first)
        if whole.value is None or alone.value is None:
            return whole if whole.value is None else alone
        return _difference(whole, alone)

    def index(self, name: str) -> int:
        """Return the place of a species."""
        if name not in self.species:
            raise EvidenceError(f"There is no species {name!r}; there are {self.species}.")
        return self.species.index(name)

    @property
    def summary(self) -> str:
        """One line: the conductivity, or the verdict."""
        return f"conductivity {self.conductivity_S_cm.text('S/cm')}"

    def _repr_html_(self) -> str:
        """Return a table for notebooks."""
        rows = [("verdict", f"{self.verdict} {self.reason}".strip())]
        rows += [
            (f"L {a},{b}", self.coefficient(a, b).text("1/(J cm s)"))
            for i, a in enumerate(self.species)
            for b in self.species[i:]
        ]
        rows.append(("conductivity", self.conductivity_S_cm.text("S/cm")))
        return html_table("Onsager coefficients", rows)

    def plot(self, stem: str) -> SavedFigure:
        """Draw the terms of the conductivity into ``stem.png``, ``.svg`` and ``.csv``."""
        from superionic.analysis.figures.conductivity_terms import (
            conductivity_terms_data,
            conductivity_terms_figure,
        )
        from superionic.analysis.figures.style import save_figure

        runs = {"": self}
        return save_figure(conductivity_terms_figure(runs), stem, conductivity_terms_data(runs))


def _difference(whole: Estimate, part: Estimate) -> Estimate:
    """Return the difference of two independent estimates: ends combined in quadrature."""
    if whole.interval is None or part.interval is None or whole.value is None or part.value is None:
        return Estimate.missing("a part has no value")
    value = whole.value - part.value
    down = np.hypot(whole.value - whole.interval[0], part.interval[1] - part.value)
    up = np.hypot(whole.interval[1] - whole.value, part.value - part.interval[0])
    return Estimate(value, (value - float(down), value + float(up)))
