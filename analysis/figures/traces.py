"""What to draw of a scan or a band: points that are values, a curve, and the evidence in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from superionic.analysis.barriers import BarrierResult
from superionic.analysis.scans import ScanProfile

if TYPE_CHECKING:
    from numpy.typing import NDArray

Method = Literal["rigid", "relaxed", "neb"]
"""How a profile was made: a scan with a rigid or a relaxed framework, or a band."""

_CURVE_POINTS = 40


@dataclass(frozen=True, eq=False)
class Trace:
    """One profile, ready to be drawn.

    Attributes
    ----------
    method : str
        ``rigid``, ``relaxed`` or ``neb``.
    key : str
        The hop.
    x : ndarray
        Route coordinate of each point, 0 to 1. shape=(points,)
    y : ndarray
        Energy of each point relative to the first, in eV; NaN where it is not a value.
        shape=(points,)
    curve : tuple of ndarray
        Coordinates and energies (eV) of the line to draw through the points.
    barrier_eV : float or None
        Forward barrier in eV, if there is one.
    theory : str
        Level of theory.
    evidence : str
        A few words on why the profile can, or cannot, be believed.
    """

    method: Method
    key: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    curve: tuple[NDArray[np.float64], NDArray[np.float64]]
    barrier_eV: float | None
    theory: str
    evidence: str


def trace_of(profile: ScanProfile | BarrierResult) -> Trace:
    """Return what may be drawn of a profile; of a band that did not converge that is nothing."""
    if isinstance(profile, ScanProfile):
        y = np.where(profile.converged, profile.energies_eV, np.nan)
        return Trace(
            method=profile.kind,
            key=profile.hop_key,
            x=profile.coordinate,
            y=y,
            curve=(profile.coordinate, y),
            barrier_eV=profile.barrier_eV,
            theory=profile.theory,
            evidence=_scan_evidence(profile),
        )
    x = profile.ion_coordinate
    y = np.where(profile.verdict == "converged", profile.energies_eV, np.nan)
    return Trace(
        method="neb",
        key=profile.key,
        x=x,
        y=y,
        curve=(x, y) if np.isnan(y).any() else smooth_curve(profile.coordinate_ang, x, y),
        barrier_eV=profile.forward_barrier_eV,
        theory=profile.theory,
        evidence=_band_evidence(profile),
    )


def method_of(profile: ScanProfile | BarrierResult) -> Method:
    """Return how a profile was made."""
    return profile.kind if isinstance(profile, ScanProfile) else "neb"


def smooth_curve(
    length_ang: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a curve through the images of a band that never passes the highest of them.

    Both the ion's coordinate and the energy are monotone cubics (PCHIP, doi:10.1137/0717021) of
    the path length, so a path on which the ion turns back is drawn as such. Images at one and the
    same path length are joined by straight lines.

    Parameters
    ----------
    length_ang
        Path length at each image in angstrom. shape=(images,)
    x, y
        What to draw at each image. shape=(images,)

    Returns
    -------
    tuple of ndarray
        ``x`` and ``y`` along the curve, the images themselves included.
    """
    from scipy.interpolate import PchipInterpolator

    steps = np.diff(length_ang)
    if len(length_ang) < 3 or (steps <= 0).any():
        return x, y
    within = np.linspace(0.0, 1.0, _CURVE_POINTS, endpoint=False)
    fine = np.append(length_ang[:-1, None] + steps[:, None] * within, length_ang[-1])
    return (
        np.asarray(PchipInterpolator(length_ang, x)(fine)),
        np.asarray(PchipInterpolator(length_ang, y)(fine)),
    )


def _scan_evidence(scan: ScanProfile) -> str:
    """Say how many points of a scan converged, and to what force."""
    done, points = int(scan.converged.sum()), len(scan.converged)
    if done < points:
        return f"{done} of {points} points converged, no barrier"
    if scan.fmax_target_eV_per_A is None:
        return f"all {points} single points"
    worst = float(scan.fmax_eV_per_A.max())
    return f"converged, fmax {worst:.3f} ≤ {scan.fmax_target_eV_per_A:g} eV/Å"


def _band_evidence(result: BarrierResult) -> str:
    """Say how a band ended."""
    if result.verdict != "converged":
        return f"{result.verdict}, not drawn. {result.reason}".strip()
    text = f"converged, fmax {result.fmax_eV_per_A:.3f} ≤ {result.fmax_target_eV_per_A:g} eV/Å"
    inner = len(result.minima) - 2
    if inner > 0:
        text += f"; {inner} minim{'um' if inner == 1 else 'a'} on the way"
    return text
