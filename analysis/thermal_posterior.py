"""Posteriors of laws that are straight lines in 1 / T, or in 1 / (T - T0) for each T0."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.estimate import Estimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from superionic.analysis.thermal_data import ThermalData


def k_eV_per_K() -> float:
    """Return the Boltzmann constant in eV/K."""
    from scipy.constants import Boltzmann, elementary_charge

    return float(Boltzmann / elementary_charge)


def line_design(T: NDArray[np.float64], T0: float) -> NDArray[np.float64]:
    """Return the columns that log A and the energy in eV go with. shape=(temperatures, 2)."""
    return np.stack([np.ones_like(T), -1.0 / (k_eV_per_K() * (T - T0))], axis=1)


def weighted_line(
    design: NDArray[np.float64], y: NDArray[np.float64], error: NDArray[np.float64] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return parameters, their covariance and chi squared of a weighted linear fit."""
    scale = np.ones_like(y) if error is None else 1.0 / error
    a, b = design * scale[:, None], y * scale
    size = np.linalg.norm(a, axis=0)
    q, r = np.linalg.qr(a / size)
    best = np.linalg.solve(r, q.T @ b) / size
    inverse = np.linalg.inv(r)
    covariance = inverse @ inverse.T / np.outer(size, size)
    return best, covariance, float(((b - a @ best) ** 2).sum())


def widening(chi: float, freedom: int, *, known: bool) -> tuple[float, bool, float | None]:
    """Return by how much the covariance is to be multiplied, whether so, and p of chi squared."""
    from scipy.stats import chi2

    if not known:
        return max(chi / freedom, 1e-24), False, None
    p = float(chi2.sf(chi, freedom))
    return (chi / freedom, True, p) if p < 0.05 else (1.0, False, p)


def student_draws(
    best: NDArray[np.float64], covariance: NDArray[np.float64], freedom: int, data: ThermalData,
    *, scaled: bool, seed: int, draws: int = 20_000,
) -> NDArray[np.float64]:  # fmt: skip
    """Draw from a normal posterior, or from Student's t where the scatter was estimated."""
    rng = np.random.default_rng(seed)
    root = np.linalg.cholesky(covariance + 1e-18 * np.diag(np.diag(covariance)))
    steps = rng.normal(size=(draws, len(best))) @ root.T
    if data.log_error is None or scaled:
        steps /= np.sqrt(rng.chisquare(freedom, draws) / freedom)[:, None]
    return np.asarray(best + steps)


def vtf_draws(
    grid: NDArray[np.float64],
    fits: list[tuple[NDArray[np.float64], NDArray[np.float64], float]],
    chis: NDArray[np.float64],
    factor: float,
    freedom: int,
    data: ThermalData,
    *,
    scaled: bool,
    seed: int,
    draws: int = 20_000,
) -> NDArray[np.float64]:
    """Draw T0 from its marginal posterior, and log A and the energy given T0."""
    rng = np.random.default_rng(seed)
    volume = np.array([0.5 * np.linalg.slogdet(c)[1] for _, c, _ in fits])
    if data.log_error is None or scaled:
        log_p = volume - 0.5 * (freedom + 1) * np.log(chis)
    else:
        log_p = volume - 0.5 * chis
    # B and log A are parameters of their own scale: the volume of the even prior is not a virtue
    log_p -= np.array([np.log(np.linalg.norm(b)) for b, _, _ in fits])
    weight = np.exp(
        log_p - log_p[np.isfinite(log_p)].max(), where=np.isfinite(log_p), out=np.zeros(len(grid))
    )
    chosen = rng.choice(len(grid), size=draws, p=weight / weight.sum())
    out = np.empty((draws, 3))
    for k in np.unique(chosen):
        mine = np.flatnonzero(chosen == k)
        best, covariance, _ = fits[k]
        part = student_draws(
            best, covariance * factor, freedom, data, scaled=scaled, seed=seed + 1 + int(k),
            draws=len(mine),
        )  # fmt: skip
        out[mine, :2] = part
    out[:, 2] = grid[chosen]
    return out


def estimate_of(best: float, drawn: NDArray[np.float64]) -> Estimate:
    """Return the best value with the 95 % interval of the draws, widened to hold it."""
    low, high = np.quantile(drawn, [0.025, 0.975]).tolist()
    return Estimate(float(best), (min(low, float(best)), max(high, float(best))))


def criterion_of(chi: float, points: int, parameters: int, *, known: bool) -> float:
    """Return the corrected Akaike information criterion."""
    k = parameters if known else parameters + 1
    fit = chi if known else points * float(np.log(max(chi, 1e-300) / points))
    return fit + 2 * k + 2 * k * (k + 1) / max(points - k - 1, 1)
