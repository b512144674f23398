"""The value of a spectrum at frequency zero, from as many low ordinates as tell the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

LEAST_ORDINATES = 8
"""Ordinates, of three axes each, that a value is taken from at least."""
FACTOR = 1.4
"""Ratio of the widths of bands that are tried."""
TREND_P = 0.02
"""Chance that an even spectrum fails for a trend in the band."""
NARROWER_Z = 3.5
"""Standard errors that the mean of a narrower band may differ by."""
NARROWED = 4
"""A band that is not the whole spectrum is divided by this."""
ZERO_LR = 3.8414588
"""Twice the difference of log likelihoods that rejects a value at 5 %."""

RULE = (
    "mean of the lowest ordinates of the current spectrum, in the widest band over which it is "
    f"even: no trend with squared frequency (p > {TREND_P:g}), the means of all narrower bands "
    f"within {NARROWER_Z:g} standard errors, and the spectra of single ions give the "
    "self-diffusion coefficient within half of the error of the mean; a band that is not the whole "
    f"spectrum is then divided by {NARROWED}. Ordinates are independent, so the mean follows a "
    "Wishart distribution"
)
LINE_RULE = (
    "intercept of a line in squared frequency through the low ordinates of the current spectrum, "
    "by maximum likelihood (Brownian motion seen through bounded noise), interval by profile "
    "likelihood"
)


def band_widths(total: int) -> list[int]:
    """Return the widths of bands that are tried, widest first."""
    widths: list[int] = []
    width = float(total)
    while width >= 2 * LEAST_ORDINATES:
        widths.append(round(width))
        width /= FACTOR
    return widths


@dataclass(frozen=True, eq=False)
class SingleSpectrum:
    """The spectrum of single ions, whose value at frequency zero is known from self-diffusion.

    It tells the shape of a spectrum better than that of all ions together does, by the number of
    ions.

    Attributes
    ----------
    power : ndarray
        Mean over ions and axes. shape=(ordinates,)
    at_zero : float
        At frequency zero.
    relative_error : float
        Of that value.
    ions : int
        How many.
    """

    power: NDArray[np.float64]
    at_zero: float
    relative_error: float
    ions: int

    def told_by(self, width: int, *, axes: int) -> bool:
        """Return whether the mean of a band tells the value at zero well enough."""
        ratio = float(self.power[:width].mean()) / self.at_zero
        share = 0.5 + 1.5 / np.sqrt(self.ions)
        return bool(abs(ratio - 1) <= share * np.sqrt(2 / (axes * width)) + 2 * self.relative_error)


def even_band(
    roughness: NDArray[np.float64],
    powers: NDArray[np.float64],
    *,
    axes: int = 3,
    singles: Sequence[SingleSpectrum] = (),
) -> int | None:
    """Return over how many low ordinates spectra are even; None where they are not.

    Parameters
    ----------
    roughness
        Ascending. shape=(ordinates,)
    powers
        One spectrum a row, each ordinate a mean over axes. shape=(spectra, ordinates)
    axes
        How many axes it is a mean of.
    singles
        Spectra of single ions.
    """
    if not (powers.mean(axis=1) > 0).all():
        return None
    widths = np.array([*band_widths(len(roughness)), *_narrowest(len(roughness))])
    means = np.cumsum(powers, axis=1)[:, widths - 1] / widths
    for k, n in enumerate(band_widths(len(roughness))):
        gap = np.abs(np.log(np.maximum(means[:, k + 1 :], 1e-300) / means[:, k, None]))
        narrower = widths[k + 1 :]
        error = np.sqrt(2.0 / (axes * narrower) * (1.0 - narrower / n))
        even = not len(narrower) or float((gap / error).max()) <= NARROWER_Z
        if (
            even
            and trend(roughness[:n], powers[:, :n], axes=axes) <= _limit(len(powers))
            and all(s.told_by(n, axes=axes) for s in singles)
        ):
            return n if k == 0 else max(n // NARROWED, LEAST_ORDINATES)
    return None


def _narrowest(total: int) -> list[int]:
    """Return widths below those that may be chosen, which they are compared with."""
    last = band_widths(total)[-1] if band_widths(total) else 0
    return [n for n in (round(last / FACTOR), round(last / FACTOR**2)) if n >= LEAST_ORDINATES]


def _limit(tests: int) -> float:
    from scipy.stats import norm

    return float(norm.ppf(1 - TREND_P / (2 * tests)))


def trend(roughness: NDArray[np.float64], powers: NDArray[np.float64], *, axes: int) -> float:
    """Return the largest standardised trend of spectra with squared frequency."""
    relative = powers / powers.mean(axis=1, keepdims=True) - 1.0
    contrast = roughness - roughness.mean()
    error = np.sqrt(2.0 / axes * (contrast**2).sum())
    return float(np.abs(relative @ contrast).max() / error)


def slope_of_spectrum(roughness: NDArray[np.float64], power: NDArray[np.float64]) -> float:
    """Return d log(spectrum) / d log(frequency) over the ordinates given.

    Positive where motion slows down with time (subdiffusive, bound), negative where it persists.
    """
    x = 0.5 * np.log(roughness)
    return float(np.polyfit(x, np.log(np.maximum(power, 1e-300)), 1)[0])


@dataclass(frozen=True)
class Intercept:
    """A line in squared frequency through a spectrum.

    Attributes
    ----------
    value : float
        At frequency zero.
    interval : tuple of float
        Its 95 % interval; starts at 0 where 0 is not rejected.
    ordinates : int
        How many it was fitted to.
    """

    value: float
    interval: tuple[float, float]
    ordinates: int

    @property
    def may_be_zero(self) -> bool:
        """Whether a bounded path, which carries nothing, is not rejected."""
        return self.interval[0] == 0.0


def intercept(
    roughness: NDArray[np.float64], power: NDArray[np.float64], *, axes: int = 3
) -> Intercept | None:
    """Fit a line in squared frequency over the widest band that it describes.

    Parameters
    ----------
    roughness
        Ascending. shape=(ordinates,)
    power
        Mean over axes. shape=(ordinates,)
    axes
        How many.

    Returns
    -------
    Intercept or None
        None where a line describes no band.
    """
    for k, n in enumerate(band_widths(len(roughness))):
        fit = _Line.through(roughness[:n], power[:n], axes=axes)
        relative = power[:n] / (fit.best[0] + fit.best[1] * roughness[:n])
        uneven = trend(roughness[:n], relative[None], axes=axes)
        uneven = max(uneven, trend(np.log(roughness[:n]), relative[None], axes=axes))
        if uneven <= _limit(2):
            n = n if k == 0 else max(n // 2, 2 * LEAST_ORDINATES)
            return _Line.through(roughness[:n], power[:n], axes=axes).intercept(n)
    return None


@dataclass(frozen=True, eq=False)
class _Line:
    """The likelihood of a line through ordinates that are gathered in bins of like frequency."""

    roughness: NDArray[np.float64]
    power: NDArray[np.float64]
    freedom: NDArray[np.float64]
    best: tuple[float, float]
    top: float

    @classmethod
    def through(
        cls, roughness: NDArray[np.float64], power: NDArray[np.float64], *, axes: int
    ) -> _Line:
        """Fit the line."""
        from scipy.optimize import minimize_scalar

        edges = np.unique(np.rint(np.geomspace(1, len(power) + 1, 120)).astype(int)) - 1
        counts = np.diff(edges).astype(float)
        bins = cls(
            np.add.reduceat(roughness, edges[:-1]) / counts,
            np.add.reduceat(power, edges[:-1]) / counts, counts * axes, (0.0, 0.0), 0.0,
        )  # fmt: skip
        scale = float(power.mean())
        found = minimize_scalar(
            lambda x: -bins.profile(float(np.exp(x)))[0],
            bounds=(np.log(scale * 1e-7), np.log(scale * 10)), method="bounded",
            options={"xatol": 1e-4},
        )  # fmt: skip
        q = float(np.exp(found.x))
        at_zero, at_best = bins.profile(0.0), bins.profile(q)
        if at_zero[0] >= at_best[0]:
            q, at_best = 0.0, at_zero
        return cls(bins.roughness, bins.power, bins.freedom, (q, at_best[1]), at_best[0])

    def profile(self, q: float) -> tuple[float, float]:
        """Return the largest log likelihood at an intercept, and the slope it is at."""
        from scipy.optimize import minimize_scalar

        scale = float(self.power.mean() / self.roughness.mean())

        def minus(x: float) -> float:
            s = q + np.exp(x) * self.roughness
            return 0.5 * float((self.freedom * (np.log(s) + self.power / s)).sum())

        found = minimize_scalar(
            minus, bounds=(np.log(scale) - 20.0, np.log(scale) + 6.0), method="bounded",
            options={"xatol": 1e-3},
        )  # fmt: skip
        return -float(found.fun), float(np.exp(found.x))

    def intercept(self, ordinates: int) -> Intercept:
        """Return the intercept with its profile-likelihood interval."""
        from scipy.optimize import brentq

        best = self.best[0]

        def beyond(q: float) -> float:
            return 2.0 * (self.top - self.profile(q)[0]) - ZERO_LR

        high = max(best, 1e-9 * float(self.power.mean())) * 2
        while beyond(high) < 0:
            high *= 2
        upper = float(brentq(beyond, best, high, rtol=1e-4))
        lower = 0.0
        if best > 0 and beyond(0.0) > 0:
            lower = float(brentq(beyond, 0.0, best, rtol=1e-4))
        return Intercept(best, (lower, upper), ordinates)
