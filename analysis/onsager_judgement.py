"""Onsager coefficients from spectra of currents, or the verdict why there are none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.analysis.estimate import Estimate
from superionic.analysis.onsager_result import OnsagerCoefficients
from superionic.analysis.spectral_band import (
    LEAST_ORDINATES,
    LINE_RULE,
    RULE,
    SingleSpectrum,
    even_band,
    intercept,
    slope_of_spectrum,
)
from superionic.analysis.wishart import degrees_of_freedom, wishart_draws

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from superionic.analysis.current_spectrum import CurrentSpectrum
    from superionic.analysis.diffusivity import DiffusionVerdict, Diffusivity

ANG2_PER_PS_IN_CM2_PER_S = 1e-4
LOWEST = 32
"""Ordinates that say which way a spectrum bends where it is not even."""


@dataclass(frozen=True, eq=False)
class Setting:
    """What was asked for. ``charges`` are scaled, shape=(species,)."""

    species: tuple[str, ...]
    ions: tuple[int, ...]
    charges: NDArray[np.float64]
    charge_scale: float
    temperature_K: float
    volume_ang3: float
    dt_ps: float

    @property
    def per_ang2(self) -> float:
        """L in 1/(J cm s) of a spectrum of 1 angstrom^2 a frame and axis."""
        from scipy.constants import Boltzmann

        cm2_s = ANG2_PER_PS_IN_CM2_PER_S / self.dt_ps
        return float(cm2_s / (2.0 * Boltzmann * self.temperature_K * self.volume_ang3 * 1e-24))

    @property
    def siemens(self) -> float:
        """Conductivity in S/cm of L = 1/(J cm s) between charges of 1 e."""
        from scipy.constants import elementary_charge

        return float(elementary_charge**2)


@dataclass(frozen=True, eq=False)
class Selves:
    """Self-diffusion of each species, and how its errors go together. shape=(species, species)."""

    found: tuple[Diffusivity, ...]
    correlation: NDArray[np.float64]


def judge(setting: Setting, spectrum: CurrentSpectrum, selves: Selves) -> OnsagerCoefficients:
    """Give the coefficients, or the verdict why there are none."""
    for name, found in zip(setting.species, selves.found, strict=True):
        if not found.diffusive:
            return _result(setting, selves, found.verdict, f"{name} by itself: {found.reason}")
    single = np.eye(len(setting.species))
    current = spectrum.power(setting.charges)
    if len(spectrum) < 2 * LEAST_ORDINATES:
        return _result(setting, selves, "too short", f"only {len(spectrum)} ordinates of spectra")
    powers = np.stack([*(spectrum.power(w) for w in single), current])
    line = intercept(spectrum.roughness, current)
    singles = [_single(setting, spectrum, d, k) for k, d in enumerate(selves.found)]
    band = even_band(spectrum.roughness, powers, singles=singles)
    if line is not None and line.may_be_zero:
        band = even_band(spectrum.roughness, powers[:-1], singles=singles)
        if band is not None:
            return _result(
                setting, selves, "diffusive", _BOUND, spectrum=spectrum, band=band,
                conductivity=_scaled(setting, line.value, line.interval), bound=True,
            )  # fmt: skip
    if band is None:
        verdict, reason = _bent(spectrum, powers, setting.species)
        return _result(setting, selves, verdict, reason)
    return _result(setting, selves, "diffusive", "", spectrum=spectrum, band=band)


def _single(
    setting: Setting, spectrum: CurrentSpectrum, found: Diffusivity, k: int
) -> SingleSpectrum:
    """Return the spectrum of single ions of a species with its value at zero, 2 D dt."""
    low, high = found.interval_cm2_s or (1.0, 1.0)
    return SingleSpectrum(
        spectrum.single_powers[:, k],
        2.0 * found.value() / ANG2_PER_PS_IN_CM2_PER_S * setting.dt_ps,
        float(np.log(high / low)) / 3.92, setting.ions[k],
    )  # fmt: skip


_BOUND = (
    "the charges carry no current that can be told from zero: they move together, as bound pairs do"
)


def _bent(
    spectrum: CurrentSpectrum, powers: NDArray[np.float64], species: tuple[str, ...]
) -> tuple[DiffusionVerdict, str]:
    """Return which way the spectra bend down to the lowest frequencies."""
    low = min(LOWEST, len(spectrum))
    slopes = [slope_of_spectrum(spectrum.roughness[:low], p[:low]) for p in powers]
    error = 2.0 * float(np.sqrt(2.0 / 3.0 / low))
    k = int(np.argmax(np.abs(slopes)))
    name = (*species, "the current")[k]
    text = f"the spectrum of {name} goes with frequency to the power {slopes[k]:.2f} at its low end"
    if slopes[k] > error:
        return "subdiffusive", text
    if slopes[k] < -error:
        return "ballistic", text
    return "too short", "no band of low frequencies is even: too few ordinates to tell"


def _scaled(setting: Setting, value: float, interval: tuple[float, float]) -> Estimate:
    """Return a conductivity in S/cm from a spectrum of the current."""
    factor = setting.per_ang2 * setting.siemens
    return Estimate(value, interval).times(factor)


def _result(
    setting: Setting,
    selves: Selves,
    verdict: DiffusionVerdict,
    reason: str,
    *,
    spectrum: CurrentSpectrum | None = None,
    band: int | None = None,
    conductivity: Estimate | None = None,
    bound: bool = False,
) -> OnsagerCoefficients:
    """Gather the result, with numbers where there is a band."""
    n = len(setting.species)
    full: dict[str, Any] = {
        "L_per_J_cm_s": None, "L_interval_per_J_cm_s": None, "freedom": None,
        "conductivity_S_cm": Estimate.missing(f"{verdict}: {reason}"), "longest_period_ps": None,
    }  # fmt: skip
    if spectrum is not None and band is not None:
        freedom = degrees_of_freedom(spectrum, setting.charges, band)
        for w in np.eye(n):
            freedom = min(freedom, degrees_of_freedom(spectrum, w, band))
        mean = spectrum.matrix(band)
        drawn = wishart_draws(mean, freedom) * setting.per_ang2
        ends = np.quantile(drawn, [0.025, 0.975], axis=0)
        full = {
            "L_per_J_cm_s": mean * setting.per_ang2,
            "L_interval_per_J_cm_s": np.moveaxis(ends, 0, -1),
            "freedom": freedom,
            "conductivity_S_cm": conductivity or _current(setting, mean, freedom),
            "longest_period_ps": _period(spectrum.roughness[band - 1], setting.dt_ps),
        }
    first = selves.found[0]
    return OnsagerCoefficients(
        species=setting.species, ions=setting.ions, charges_e=tuple(setting.charges.tolist()),
        charge_scale=setting.charge_scale, temperature_K=setting.temperature_K,
        volume_ang3=setting.volume_ang3, verdict=verdict, reason=reason,
        self_diffusivities=selves.found, self_correlation=selves.correlation, bound=bound,
        frames=first.frames, replicas=first.replicas, length_ps=first.length_ps,
        dt_ps=setting.dt_ps,
        rule=f"{RULE}; conductivity: {LINE_RULE}" if bound else RULE, **full,
    )  # fmt: skip


def _current(setting: Setting, mean: NDArray[np.float64], freedom: float) -> Estimate:
    """Return the conductivity from the even band, with the exact interval of chi squared."""
    from scipy.stats import chi2

    value = float(setting.charges @ mean @ setting.charges)
    low, high = chi2.ppf([0.975, 0.025], freedom)
    return _scaled(setting, value, (value * freedom / float(low), value * freedom / float(high)))


def _period(roughness: float, dt_ps: float) -> float:
    """Return the shortest period in a band of low frequencies in ps."""
    angle = float(np.arccos(1.0 - 0.5 * roughness))
    return 2.0 * np.pi * dt_ps / angle
