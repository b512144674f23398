"""Onsager coefficients of several ionic species, each with an interval, or a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.analysis.current_spectrum import CurrentSpectrum, current_spectrum, path_spectrum
from superionic.analysis.diffusion import self_diffusion
from superionic.analysis.estimate import Estimate
from superionic.analysis.lag_data import replicas_of
from superionic.analysis.mean_squared_displacement import particle_blocks
from superionic.analysis.onsager_result import OnsagerCoefficients
from superionic.analysis.shared_motion import SquaredSteps, correlation_of, stretch_of
from superionic.analysis.spectral_band import (
    LEAST_ORDINATES,
    LINE_RULE,
    RULE,
    SingleSpectrum,
    even_band,
    intercept,
    slope_of_spectrum,
)
from superionic.structures.errors import TrajectoryError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from superionic.analysis.diffusivity import DiffusionVerdict, Diffusivity

__all__ = ["OnsagerCoefficients", "onsager_coefficients"]

ANG2_PER_PS_IN_CM2_PER_S = 1e-4
DRAWS = 20_000
LOWEST = 32
"""Ordinates that say which way a spectrum bends where it is not even."""


def onsager_coefficients(
    positions: Mapping[str, ArrayLike | Sequence[ArrayLike]],
    *,
    charges: Mapping[str, float],
    dt_ps: float,
    temperature_K: float,
    volume_ang3: ArrayLike,
    charge_scale: float = 1.0,
    cell: ArrayLike | None = None,
    drift_ang: ArrayLike | None = None,
) -> OnsagerCoefficients:
    """Return Onsager coefficients and the conductivity from the motion of several ionic species.

    L_ij = 1 / (6 k T V) d<dP_i . dP_j>/dt, P_i being the sum of the positions of the ions of a
    species (Fong et al., doi 10.1002/aic.17091). The slope is read from the spectrum of the
    increments of P at frequency zero, whose ordinates are independent, so that the intervals hold
    whatever the memory of the motion. Self parts are from
    :func:`~superionic.analysis.diffusion.self_diffusion`.

    Coefficients are in the frame of reference of the positions: that of the centre of mass of the
    whole system if its drift is none or was subtracted. There are no numbers unless each species
    diffuses and the spectra are even at low frequency; leave out species that are tied to a
    framework.

    Parameters
    ----------
    positions
        For each species, the continuous positions of its ions in angstrom, those of polyatomic ions
        being their centres of mass. shape=(frames, ions, 3), or a list of such for replicas, equal
        in number for all species.
    charges
        Formal charge of an ion of each species in e.
    dt_ps
        Time between frames in ps.
    temperature_K
        In K.
    volume_ang3
        Volume of the cell in angstrom^3; the mean is taken of several.
    charge_scale
        What formal charges are multiplied with, as in force fields with scaled charges; the
        conductivity goes with its square.
    cell
        Lattice vectors as rows in angstrom: positions are then unwrapped with it. shape=(3, 3) or
        (frames, 3, 3)
    drift_ang
        Path of the centre of mass of the whole system in angstrom, to be subtracted.
        shape=(frames, 3); only without replicas

    Raises
    ------
    TrajectoryError
        Species without a charge, frames that differ, positions that are wrapped or not finite.
    """
    volume = float(np.mean(np.asarray(volume_ang3, dtype=float)))
    _check_state(positions, charges, temperature_K, volume, charge_scale)
    replicas = {name: replicas_of(x, dt_ps) for name, x in positions.items()}
    _check_frames(replicas, drift_ang)
    lone = next(iter(replicas.values()))
    selves = tuple(
        self_diffusion(x if len(x) > 1 else x[0], dt_ps=dt_ps, cell=cell, drift_ang=drift_ang)
        for x in replicas.values()
    )
    drift = None if drift_ang is None else np.asarray(drift_ang, dtype=np.float64)
    lag = stretch_of(
        (d.fit_window_ps[0] for d in selves), dt_ps=dt_ps, frames=min(len(x) for x in lone)
    )
    steps = [[SquaredSteps(lag) for _ in replicas] for _ in lone]
    spectrum = current_spectrum(
        [
            [
                path_spectrum(s.through(particle_blocks(x[k], cell=cell, drift_ang=drift)))
                for s, x in zip(row, replicas.values(), strict=True)
            ]
            for k, row in enumerate(steps)
        ]
    )
    setting = _Setting(
        tuple(replicas), tuple(sum(x.shape[1] for x in r) // len(r) for r in replicas.values()),
        np.array([charge_scale * float(charges[name]) for name in replicas]),
        float(charge_scale), float(temperature_K), volume, float(dt_ps),
    )  # fmt: skip
    together = correlation_of([[s.sums for s in row] for row in steps])
    return _judge(setting, spectrum, _Selves(selves, together))


@dataclass(frozen=True, eq=False)
class _Setting:
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
class _Selves:
    """Self-diffusion of each species, and how its errors go together. shape=(species, species)."""

    found: tuple[Diffusivity, ...]
    correlation: NDArray[np.float64]


def _check_state(
    positions: Mapping[str, object], charges: Mapping[str, float], temperature: float,
    volume: float, scale: float,
) -> None:  # fmt: skip
    """Refuse missing charges and impossible states."""
    if not positions or set(positions) != set(charges):
        raise TrajectoryError(
            f"Expected one charge for each species; species {sorted(positions)}, charges of "
            f"{sorted(charges)}."
        )
    values = (*charges.values(), temperature, volume, scale)
    if not np.isfinite(values).all() or min(temperature, volume, scale) <= 0:
        raise TrajectoryError(
            "Temperature (K), volume (A^3) and charge scale must be positive, charges finite; got "
            f"{temperature}, {volume}, {scale}, {dict(charges)}."
        )
    if not any(charges.values()):
        raise TrajectoryError("No species has a charge, so there is no conductivity.")


def _check_frames(
    replicas: Mapping[str, list[NDArray[np.floating]]], drift_ang: ArrayLike | None
) -> None:
    """Refuse species that were not seen in the same frames."""
    lengths = {name: [len(x) for x in parts] for name, parts in replicas.items()}
    if len({tuple(v) for v in lengths.values()}) > 1:
        raise TrajectoryError(f"Species must share their frames; got frames {lengths}.")
    if drift_ang is not None and any(len(v) > 1 for v in lengths.values()):
        raise TrajectoryError("Subtract the drift of replicas from each before they are combined.")


def _judge(setting: _Setting, spectrum: CurrentSpectrum, selves: _Selves) -> OnsagerCoefficients:
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
    setting: _Setting, spectrum: CurrentSpectrum, found: Diffusivity, k: int
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


def _scaled(setting: _Setting, value: float, interval: tuple[float, float]) -> Estimate:
    """Return a conductivity in S/cm from a spectrum of the current."""
    factor = setting.per_ang2 * setting.siemens
    return Estimate(value, interval).times(factor)


def degrees_of_freedom(spectrum: CurrentSpectrum, weights: NDArray[np.float64], band: int) -> float:
    """Return how many squares of normal numbers a band holds: three axes, if they are alike.

    Where the axes differ (p < 1 %, Bartlett's test) the number is Satterthwaite's.
    """
    from scipy.stats import chi2

    each = (spectrum.by_axis(weights)[:band] ** 2).mean(axis=0)
    mean = float(each.mean())
    if not mean > 0 or not (each > 0).all():
        return float(3 * band)
    statistic = band * float(np.log(mean / each).sum())
    if statistic < chi2.ppf(0.99, 2):
        return float(3 * band)
    return float(band * each.sum() ** 2 / (each**2).sum())


def wishart_draws(
    mean: NDArray[np.float64], freedom: float, *, draws: int = DRAWS, seed: int = 0
) -> NDArray[np.float64]:
    """Draw covariance matrices that may lie behind an observed mean of products.

    Inverse Wishart draws scaled so that the interval of each quadratic form is the exact one of
    chi squared. A matrix without full rank (all ions of a melt, whose momentum is conserved) keeps
    its null space.

    Parameters
    ----------
    mean
        Observed. shape=(n, n)
    freedom
        Degrees of freedom.
    draws, seed
        How many, and of which sequence.

    Returns
    -------
    ndarray
        shape=(draws, n, n)
    """
    rng = np.random.default_rng(seed)
    values, vectors = np.linalg.eigh(mean)
    keep = values > 1e-10 * values.max()
    root = vectors[:, keep] * np.sqrt(values[keep])
    rank = int(keep.sum())
    # Bartlett's decomposition of a Wishart matrix of freedom + rank - 1
    lower = np.zeros((draws, rank, rank))
    for i in range(rank):
        lower[:, i, i] = np.sqrt(rng.chisquare(freedom + rank - 1 - i, draws))
        lower[:, i, :i] = rng.normal(size=(draws, i))
    inverse = np.linalg.solve(lower, np.broadcast_to(root.T, (draws, *root.T.shape)))
    return np.asarray(freedom * np.einsum("dki,dkj->dij", inverse, inverse))


def _result(
    setting: _Setting,
    selves: _Selves,
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


def _current(setting: _Setting, mean: NDArray[np.float64], freedom: float) -> Estimate:
    """Return the conductivity from the even band, with the exact interval of chi squared."""
    from scipy.stats import chi2

    value = float(setting.charges @ mean @ setting.charges)
    low, high = chi2.ppf([0.975, 0.025], freedom)
    return _scaled(setting, value, (value * freedom / float(low), value * freedom / float(high)))


def _period(roughness: float, dt_ps: float) -> float:
    """Return the shortest period in a band of low frequencies in ps."""
    angle = float(np.arccos(1.0 - 0.5 * roughness))
    return 2.0 * np.pi * dt_ps / angle
