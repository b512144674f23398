"""Transport against temperature: Arrhenius and Vogel-Tammann-Fulcher fits, and which to believe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from superionic.analysis.estimate import Estimate, html_table
from superionic.analysis.thermal_data import ThermalData
from superionic.analysis.thermal_posterior import (
    criterion_of,
    estimate_of,
    k_eV_per_K,
    line_design,
    student_draws,
    vtf_draws,
    weighted_line,
    widening,
)
from superionic.structures.errors import EvidenceError
from superionic.structures.structure import readonly

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from superionic.analysis.figures.style import SavedFigure

Law = Literal["arrhenius", "vtf"]
LEAST_POINTS = {"arrhenius": 3, "vtf": 5}
DECIDED = 4.0
"""Difference of corrected information criteria from which on a law is preferred."""
T0_GRID = 400


@dataclass(frozen=True, eq=False)
class ThermalFit:
    """One law fitted to values at several temperatures.

    Attributes
    ----------
    law : {"arrhenius", "vtf"}
        ``arrhenius``: y = A T^m exp(-E_a / (k T)); ``vtf``: y = A T^m exp(-B / (T - T0)).
    prefactor_power : float
        The power m: 0, -1 where y T is plotted, -1/2 in the usual form of the second.
    log_prefactor : Estimate
        Natural logarithm of A in the unit of the values.
    activation_energy_eV : Estimate
        E_a, or k B, in eV.
    T0_K : Estimate or None
        In K; None for ``arrhenius``.
    data : ThermalData
        What was fitted.
    chi_squared : float
        Of the best fit; without errors of the values, that of a unit error of the logarithm.
    freedom : int
        Points less parameters.
    p_value : float or None
        Chance of a larger chi squared; None without errors of the values.
    scaled : bool
        Whether intervals were widened as the points scatter more than their errors say.
    criterion : float
        Corrected Akaike information criterion.
    draws : ndarray
        Draws from the posterior: log A, energy in eV, T0 in K. shape=(draws, 3)
    """

    law: Law
    prefactor_power: float
    log_prefactor: Estimate
    activation_energy_eV: Estimate
    T0_K: Estimate | None
    data: ThermalData
    chi_squared: float
    freedom: int
    p_value: float | None
    scaled: bool
    criterion: float
    draws: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Freeze the draws."""
        object.__setattr__(self, "draws", readonly(self.draws, np.float64))

    def at(self, temperature_K: float, *, extrapolate: bool = False) -> Estimate:
        """Return the value of the law at a temperature with its interval.

        Raises
        ------
        EvidenceError
            The temperature is outside the data, and this was not asked for.
        """
        T = self.data.temperature_K
        if not (T.min() <= temperature_K <= T.max() or extrapolate):
            raise EvidenceError(
                f"{temperature_K:g} K is outside the data ({T.min():g} to {T.max():g} K). A law "
                "that fits there need not hold elsewhere; say extrapolate=True if it should."
            )
        drawn = self._log_curve(np.array([temperature_K]))[:, 0]
        low, high = np.exp(np.quantile(drawn, [0.025, 0.975])).tolist()
        return Estimate(float(self.curve([temperature_K])[0]), (min(low, high), max(low, high)))

    def curve(self, temperature_K: ArrayLike) -> NDArray[np.float64]:
        """Return the best fit at temperatures in K, in the unit of the values."""
        T = np.asarray(temperature_K, dtype=float)
        T0 = 0.0 if self.T0_K is None else self.T0_K.get()
        energy, log_a = self.activation_energy_eV.get(), self.log_prefactor.get()
        return np.asarray(
            np.exp(log_a + self.prefactor_power * np.log(T) - energy / k_eV_per_K() / (T - T0))
        )

    def band(self, temperature_K: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return both ends of the 95 % band of the law at temperatures in K."""
        ends = np.quantile(
            self._log_curve(np.asarray(temperature_K, dtype=float)), [0.025, 0.975], 0
        )
        return np.exp(ends[0]), np.exp(ends[1])

    def _log_curve(self, T: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the logarithm of the law for each draw. shape=(draws, temperatures)."""
        log_a, energy, T0 = (self.draws[:, k, None] for k in range(3))
        gap = T[None] - T0
        with np.errstate(over="ignore", divide="ignore"):
            value = log_a + self.prefactor_power * np.log(T) - energy / k_eV_per_K() / gap
        return np.asarray(np.where(gap > 0, value, -np.inf))

    @property
    def summary(self) -> str:
        """One line."""
        text = f"E_a {self.activation_energy_eV.text('eV')}"
        if self.T0_K is not None:
            text = f"k B {self.activation_energy_eV.text('eV')}, T0 {self.T0_K.text('K')}"
        told = "" if self.p_value is None else f", chi squared p {self.p_value:.2g}"
        return f"{self.law}: {text}{told}"

    def _repr_html_(self) -> str:
        """Return a table for notebooks."""
        rows = [
            ("law", self.law), ("energy", self.activation_energy_eV.text("eV")),
            ("log prefactor", self.log_prefactor.text()),
        ]  # fmt: skip
        if self.T0_K is not None:
            rows.append(("T0", self.T0_K.text("K")))
        return html_table("Fit against temperature", rows)

    def plot(self, stem: str) -> SavedFigure:
        """Draw values and law into ``stem.png``, ``.svg`` and ``.csv``."""
        from superionic.analysis.figures.arrhenius import arrhenius_data, arrhenius_figure
        from superionic.analysis.figures.style import save_figure

        return save_figure(arrhenius_figure([("", self)]), stem, arrhenius_data([("", self)]))


@dataclass(frozen=True)
class LawComparison:
    """Which of both laws the values prefer.

    Attributes
    ----------
    preferred : {"arrhenius", "vtf", "undecided"}
        By the corrected information criterion, if it differs by more than 4.
    difference : float or None
        Criterion of ``arrhenius`` less that of ``vtf``; None where one could not be fitted.
    reason : str
        In one sentence.
    """

    preferred: str
    difference: float | None
    reason: str

    def _repr_html_(self) -> str:
        """Return a table for notebooks."""
        return html_table("Which law", [("preferred", self.preferred), ("reason", self.reason)])


def arrhenius(
    temperature_K: ArrayLike,
    values: ArrayLike,
    *,
    intervals: Sequence[tuple[float, float]] | None = None,
    unit: str = "",
    prefactor_power: float = 0.0,
    seed: int = 0,
) -> ThermalFit:
    """Fit y = A T^m exp(-E_a / (k T)) by weighted least squares of the logarithms.

    With errors of the values the posterior is normal with these errors, and is widened where the
    points scatter more than they allow (p < 5 %); without them it is that of Student's t.

    Parameters
    ----------
    temperature_K
        In K. shape=(points,)
    values
        Conductivities or diffusion coefficients, positive. shape=(points,)
    intervals
        Their 95 % intervals.
    unit
        Unit of the values.
    prefactor_power
        The power m; -1 for the slope of log(y T).
    seed
        Of the draws from the posterior.

    Raises
    ------
    EvidenceError
        Fewer than three temperatures, or values that cannot be.
    """
    data = ThermalData.checked(temperature_K, values, intervals, unit)
    _enough(data, "arrhenius")
    T = data.temperature_K
    y = np.log(data.value) - prefactor_power * np.log(T)
    design = line_design(T, 0.0)
    best, covariance, chi = weighted_line(design, y, data.log_error)
    freedom = len(T) - 2
    factor, scaled, p = widening(chi, freedom, known=data.log_error is not None)
    draws = student_draws(best, covariance * factor, freedom, data, scaled=scaled, seed=seed)
    return ThermalFit(
        law="arrhenius", prefactor_power=prefactor_power,
        log_prefactor=estimate_of(best[0], draws[:, 0]),
        activation_energy_eV=estimate_of(best[1], draws[:, 1]), T0_K=None, data=data,
        chi_squared=chi, freedom=freedom, p_value=p, scaled=scaled,
        criterion=criterion_of(chi, len(T), 2, known=data.log_error is not None),
        draws=np.column_stack([draws, np.zeros(len(draws))]),
    )  # fmt: skip


def vtf(
    temperature_K: ArrayLike,
    values: ArrayLike,
    *,
    intervals: Sequence[tuple[float, float]] | None = None,
    unit: str = "",
    prefactor_power: float = -0.5,
    seed: int = 0,
) -> ThermalFit:
    """Fit y = A T^m exp(-B / (T - T0)): Vogel, Tammann and Fulcher.

    The posterior is evaluated over all T0 from 0 K to the lowest temperature, evenly likely
    beforehand, with A and B integrated out; negative B is not allowed.

    Parameters
    ----------
    temperature_K, values, intervals, unit, seed
        As for :func:`arrhenius`.
    prefactor_power
        The power m; -1/2 in the usual form (doi 10.1039/d5eb00117j and reviews).

    Raises
    ------
    EvidenceError
        Fewer than five temperatures, values that cannot be, or data that rise so little that no B
        is positive.
    """
    data = ThermalData.checked(temperature_K, values, intervals, unit)
    _enough(data, "vtf")
    T = data.temperature_K
    y = np.log(data.value) - prefactor_power * np.log(T)
    freedom = len(T) - 3
    grid = np.linspace(0.0, T.min() - 1.0, T0_GRID)
    fits = [weighted_line(line_design(T, t0), y, data.log_error) for t0 in grid]
    chis = np.array([chi if best[1] > 0 else np.inf for best, _, chi in fits])
    if not np.isfinite(chis).any():
        raise EvidenceError(
            "The values do not rise with temperature: there is no law of this form."
        )
    chi = float(chis.min())
    factor, scaled, p = widening(chi, freedom, known=data.log_error is not None)
    draws = vtf_draws(grid, fits, chis, factor, freedom, data, scaled=scaled, seed=seed)
    k = int(chis.argmin())
    best = fits[k][0]
    return ThermalFit(
        law="vtf", prefactor_power=prefactor_power, log_prefactor=estimate_of(best[0], draws[:, 0]),
        activation_energy_eV=estimate_of(best[1], draws[:, 1]),
        T0_K=estimate_of(float(grid[k]), draws[:, 2]), data=data, chi_squared=chi, freedom=freedom,
        p_value=p, scaled=scaled,
        criterion=criterion_of(chi, len(T), 3, known=data.log_error is not None), draws=draws,
    )  # fmt: skip


def compare_laws(straight: ThermalFit, curved: ThermalFit) -> LawComparison:
    """Return which law the values prefer.

    Parameters
    ----------
    straight, curved
        Fits of both laws to the same values.

    Raises
    ------
    EvidenceError
        They were fitted to different values.
    """
    same = straight.data.temperature_K.shape == curved.data.temperature_K.shape and np.array_equal(
        straight.data.value, curved.data.value
    )
    if not same or (straight.law, curved.law) != ("arrhenius", "vtf"):
        raise EvidenceError("Compare an Arrhenius fit and a VTF fit of the same values.")
    gap = straight.criterion - curved.criterion
    text = f"the corrected information criterion differs by {abs(gap):.1f}"
    if abs(gap) <= DECIDED:
        return LawComparison("undecided", gap, f"{text}, no more than {DECIDED:g}")
    name = "vtf" if gap > 0 else "arrhenius"
    return LawComparison(name, gap, f"{text} in favour of {name}")


def _enough(data: ThermalData, law: Law) -> None:
    """Refuse too few temperatures."""
    found = len(np.unique(data.temperature_K))
    if found < LEAST_POINTS[law]:
        raise EvidenceError(
            f"A fit of {law} with an interval needs {LEAST_POINTS[law]} temperatures at least; "
            f"there are {found}. Measure more, or use two_point_activation_energy_eV for a number "
            "without evidence."
        )
