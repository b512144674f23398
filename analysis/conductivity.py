"""Conductivity, Haven ratio and transference numbers, from Onsager coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.estimate import Estimate, html_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from superionic.analysis.figures.style import SavedFigure
    from superionic.analysis.onsager_result import OnsagerCoefficients

__all__ = [
    "DRAWS",
    "Z95",
    "Conductivity",
    "ConductivityTerm",
    "Transference",
    "conductivity",
    "transference",
]

DRAWS = 20_000
Z95 = 1.959963984540054


@dataclass(frozen=True)
class ConductivityTerm:
    """One term of the conductivity in S/cm.

    Attributes
    ----------
    name : str
        Such as ``Na self`` or ``Na-TFSI``.
    value_S_cm : Estimate
        Both orders of a pair of species are in one term.
    """

    name: str
    value_S_cm: Estimate


@dataclass(frozen=True)
class Conductivity:
    """The conductivity, with and without correlations between ions.

    Attributes
    ----------
    einstein_helfand_S_cm : Estimate
        Of all ions together, in S/cm.
    nernst_einstein_S_cm : Estimate
        As if ions moved independently of each other, in S/cm.
    haven_ratio : Estimate
        Nernst-Einstein over Einstein-Helfand; none where the latter may be zero.
    ionicity : Estimate
        Its inverse, which has a value even where charges are bound: 1 for independent ions, 0 for
        bound pairs.
    terms : tuple of ConductivityTerm
        Self and distinct parts, which add up to the whole.
    charge_rule : str
        Which charges were taken.
    verdict, reason : str
        As those of the Onsager coefficients.
    """

    einstein_helfand_S_cm: Estimate
    nernst_einstein_S_cm: Estimate
    haven_ratio: Estimate
    ionicity: Estimate
    terms: tuple[ConductivityTerm, ...]
    charge_rule: str
    verdict: str
    reason: str

    @property
    def rows(self) -> tuple[tuple[str, str], ...]:
        """Names and values as text."""
        return (
            ("Einstein-Helfand", self.einstein_helfand_S_cm.text("S/cm")),
            ("Nernst-Einstein", self.nernst_einstein_S_cm.text("S/cm")),
            ("Haven ratio", self.haven_ratio.text()),
            ("ionicity", self.ionicity.text()),
            *((t.name, t.value_S_cm.text("S/cm")) for t in self.terms),
            ("charges", self.charge_rule),
        )

    def _repr_html_(self) -> str:
        """Return a table for notebooks."""
        return html_table("Conductivity", self.rows)

    def plot(self, stem: str) -> SavedFigure:
        """Draw the terms into ``stem.png``, ``.svg`` and ``.csv``."""
        from superionic.analysis.figures.conductivity_terms import (
            single_conductivity_data,
            single_conductivity_figure,
        )
        from superionic.analysis.figures.style import save_figure

        return save_figure(single_conductivity_figure(self), stem, single_conductivity_data(self))


@dataclass(frozen=True)
class Transference:
    """Which part of the current each species carries.

    Attributes
    ----------
    species : tuple of str
        Names.
    nernst_einstein : tuple of Estimate
        From self-diffusion.
    onsager : tuple of Estimate
        From Onsager coefficients; may be negative or above 1.
    """

    species: tuple[str, ...]
    nernst_einstein: tuple[Estimate, ...]
    onsager: tuple[Estimate, ...]

    def _repr_html_(self) -> str:
        """Return a table for notebooks."""
        pairs = zip(self.species, self.nernst_einstein, self.onsager, strict=True)
        return html_table(
            "Transference numbers",
            [
                row
                for name, ne, full in pairs
                for row in (
                    (f"{name}, Nernst-Einstein", ne.text()), (f"{name}, Onsager", full.text()),
                )
            ],
        )  # fmt: skip

    def plot(self, stem: str) -> SavedFigure:
        """Draw the numbers of all species into ``stem.png``, ``.svg`` and ``.csv``."""
        from superionic.analysis.figures.conductivity_terms import (
            transference_data,
            transference_figure,
        )
        from superionic.analysis.figures.style import save_figure

        return save_figure(transference_figure(self), stem, transference_data(self))


def conductivity(found: OnsagerCoefficients) -> Conductivity:
    """Return the conductivity with its terms, the Haven ratio and the ionicity.

    Parameters
    ----------
    found
        Onsager coefficients.
    """
    whole = found.conductivity_S_cm
    drawn = _self_draws(found)
    if drawn is None:
        missing = Estimate.missing(f"{found.verdict}: {found.reason}")
        return Conductivity(
            whole, missing, missing, missing, (), charge_rule(found), found.verdict, found.reason
        )
    single = drawn.sum(axis=1)
    ideal = _from_draws(float(_self_values(found).sum()), single)
    haven, ionicity = _ratios(found, whole, ideal)
    return Conductivity(
        whole, ideal, haven, ionicity, _terms(found), charge_rule(found), found.verdict,
        found.reason,
    )  # fmt: skip


def transference(found: OnsagerCoefficients) -> Transference:
    """Return transference numbers of all species, from self-diffusion and with correlations.

    With correlations the number is the regression of a species' current on the whole current,
    whose error is that of Student's t.

    Parameters
    ----------
    found
        Onsager coefficients.
    """
    drawn = _self_draws(found)
    missing = Estimate.missing(f"{found.verdict}: {found.reason}")
    if drawn is None:
        n = len(found.species)
        return Transference(found.species, (missing,) * n, (missing,) * n)
    values = _self_values(found)
    shares = drawn / drawn.sum(axis=1, keepdims=True)
    ideal = tuple(
        _from_draws(float(values[k] / values.sum()), shares[:, k]) for k in range(len(values))
    )
    return Transference(found.species, ideal, _regressions(found))


def charge_rule(found: OnsagerCoefficients) -> str:
    """Return in words which charges were taken."""
    charges = ", ".join(
        f"{n} {q:+g} e" for n, q in zip(found.species, found.charges_e, strict=True)
    )
    kind = "formal" if found.charge_scale == 1 else f"formal times {found.charge_scale:g}"
    return f"{kind}: {charges}"


def _siemens(found: OnsagerCoefficients) -> NDArray[np.float64]:
    """Return z_i z_j e^2 in C^2. shape=(species, species)."""
    from scipy.constants import elementary_charge

    z = np.array(found.charges_e)
    return np.asarray(np.outer(z, z) * elementary_charge**2)


def _self_values(found: OnsagerCoefficients) -> NDArray[np.float64]:
    """Return the self part of each species in S/cm. shape=(species,)."""
    factor = np.diag(_siemens(found))
    return np.array(
        [found.self_part(n).get() * f for n, f in zip(found.species, factor, strict=True)]
    )


def _self_draws(found: OnsagerCoefficients) -> NDArray[np.float64] | None:
    """Draw the self parts from their intervals, correlated, in S/cm. shape=(draws, species)."""
    if not all(d.diffusive for d in found.self_diffusivities):
        return None
    rng = np.random.default_rng(1)
    values = _self_values(found)
    spread = np.array(
        [np.log(d.interval_cm2_s[1] / d.interval_cm2_s[0]) / (2 * Z95)
         for d in found.self_diffusivities if d.interval_cm2_s is not None]
    )  # fmt: skip
    even, vectors = np.linalg.eigh(found.self_correlation)
    root = vectors * np.sqrt(np.maximum(even, 0.0))
    return np.asarray(values * np.exp(spread * (rng.normal(size=(DRAWS, len(values))) @ root.T)))


def _from_draws(value: float, drawn: NDArray[np.float64]) -> Estimate:
    low, high = np.quantile(drawn, [0.025, 0.975]).tolist()
    return Estimate(value, (low, high))


def _ratios(
    found: OnsagerCoefficients, whole: Estimate, ideal: Estimate
) -> tuple[Estimate, Estimate]:
    """Return Haven ratio and ionicity; the errors of both conductivities are independent."""
    if whole.value is None or whole.interval is None or ideal.value is None:
        return (Estimate.missing(whole.reason or ideal.reason),) * 2
    if ideal.interval is None:
        return (Estimate.missing(ideal.reason),) * 2
    if found.bound or whole.interval[0] <= 0:
        upper = whole.interval[1] / ideal.value
        share = Estimate(whole.value / ideal.value, (whole.interval[0] / ideal.value, upper))
        return Estimate.missing(f"the conductivity may be zero: at least {1 / upper:.3g}"), share
    value = ideal.value / whole.value
    up = float(
        np.hypot(np.log(ideal.interval[1] / ideal.value), np.log(whole.value / whole.interval[0]))
    )
    down = float(
        np.hypot(np.log(ideal.value / ideal.interval[0]), np.log(whole.interval[1] / whole.value))
    )
    haven = Estimate(value, (value * np.exp(-down), value * np.exp(up)))
    return haven, Estimate(1 / value, (np.exp(-up) / value, np.exp(down) / value))


def _terms(found: OnsagerCoefficients) -> tuple[ConductivityTerm, ...]:
    """Return self and distinct parts in S/cm."""
    factor = _siemens(found)
    terms: list[ConductivityTerm] = []
    for i, a in enumerate(found.species):
        terms.append(ConductivityTerm(f"{a} self", found.self_part(a).times(factor[i, i])))
    for i, a in enumerate(found.species):
        for j, b in enumerate(found.species[i:], start=i):
            twice = 1.0 if i == j else 2.0
            value = found.distinct_part(a, b).times(twice * factor[i, j])
            terms.append(ConductivityTerm(f"{a}-{b}", value))
    return tuple(terms)


def _regressions(found: OnsagerCoefficients) -> tuple[Estimate, ...]:
    """Return the regression of each species' current on the whole."""
    from scipy.stats import t as student

    n = len(found.species)
    if found.L_per_J_cm_s is None or found.freedom is None:
        return (Estimate.missing(f"{found.verdict}: {found.reason}"),) * n
    if found.bound:
        return (Estimate.missing(found.reason),) * n
    parts = found.L_per_J_cm_s * _siemens(found)
    total = float(parts.sum())
    share = parts.sum(axis=1) / total
    rest = np.maximum(np.diag(parts) / total - share**2, 0.0)
    half = student.ppf(0.975, found.freedom - 1) * np.sqrt(rest / (found.freedom - 1))
    return tuple(
        Estimate(s, (s - h, s + h)) for s, h in zip(share.tolist(), half.tolist(), strict=True)
    )
