"""Shells of a radial distribution function: first peak, first minimum, neighbours within it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.block_average import block_half_width
from superionic.analysis.estimate import html_table
from superionic.analysis.rdf import RDF
from superionic.structures.errors import EvidenceError

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMOOTHING_ANG = 0.05
NOISE_Z = 4.0
LEAST_RISE = 0.1

RULE = (
    "the lowest point of g(r) between its first maximum and the next, or the middle where it stays "
    f"within noise of the lowest; g is smoothed by a Gaussian of {SMOOTHING_ANG:g} A, and maximum "
    f"and minimum must stand out by {LEAST_RISE:g} and by {NOISE_Z:g} standard errors of blocks"
)


@dataclass(frozen=True)
class Shell:
    """The first shell of neighbours.

    Attributes
    ----------
    peak_ang, peak_g : float or None
        Where the first maximum is, in angstrom, and its height; None where there is none.
    next_peak_ang : float or None
        Where the next maximum is, in angstrom.
    cutoff_ang : float or None
        The first minimum in angstrom; None where there is none.
    neighbours : float or None
        Mean number of neighbours within it.
    neighbours_interval : tuple of float or None
        Its 95 % interval from the scatter of blocks; None with fewer than four.
    reason : str
        Why there is no cutoff; empty where there is one.
    rule : str
        How the cutoff was chosen.
    """

    peak_ang: float | None
    peak_g: float | None
    next_peak_ang: float | None
    cutoff_ang: float | None
    neighbours: float | None
    neighbours_interval: tuple[float, float] | None
    reason: str
    rule: str

    def __post_init__(self) -> None:
        """Hold the cutoff and the reason together."""
        if (self.cutoff_ang is None) != bool(self.reason):
            raise EvidenceError("A shell has a cutoff, or a reason why it has none.")
        if self.neighbours_interval is not None:
            low, high = self.neighbours_interval
            object.__setattr__(self, "neighbours_interval", (float(low), float(high)))

    @property
    def rows(self) -> tuple[tuple[str, str], ...]:
        """Names and values as text."""
        peak = "none that stands out"
        if self.peak_ang is not None and self.peak_g is not None:
            peak = f"{self.peak_ang:.2f} A, {self.peak_g:.2f} high"
        if self.cutoff_ang is None or self.neighbours is None:
            return (("first peak", peak), ("coordination number", f"no value: {self.reason}"))
        spread = ""
        if self.neighbours_interval is not None:
            low, high = self.neighbours_interval
            spread = f" (95 % interval {low:.3g} to {high:.3g})"
        return (
            ("first peak", peak),
            ("coordination number", f"{self.neighbours:.3g}{spread}"),
            ("within", f"{self.cutoff_ang:.2f} A"),
        )

    def _repr_html_(self) -> str:
        """Return a table for notebooks."""
        return html_table("First shell", self.rows)


def first_shell(found: RDF, *, cutoff_ang: float | None = None) -> Shell:
    """Return the first shell of neighbours, its cutoff from the first minimum of g(r).

    Parameters
    ----------
    found
        The radial distribution function.
    cutoff_ang
        A cutoff in angstrom to use instead.
    """
    smooth, limit = _smoothed(found)
    peaks = _standing_out(smooth, limit)
    peaks = peaks[smooth[peaks] > 1.0]
    r = found.r_ang
    if not len(peaks) and cutoff_ang is None:
        return _shell(found, None, None, None, "g(r) has no maximum that stands out of its noise")
    peak = int(peaks[0]) if len(peaks) else None
    later = int(peaks[1]) if len(peaks) > 1 else None
    if cutoff_ang is not None:
        if not found.edges_ang[1] <= cutoff_ang <= found.edges_ang[-1]:
            raise EvidenceError(
                f"The cutoff of {cutoff_ang} A is outside g(r), which ends at "
                f"{found.edges_ang[-1]:.2f} A."
            )
        return _shell(found, peak, later, cutoff_ang, "", rule="given")
    minimum = None if peak is None else _minimum(smooth, limit, peak)
    if minimum is None:
        return _shell(found, peak, later, None, "g(r) has no minimum behind its first maximum")
    return _shell(found, peak, later, float(r[minimum]), "")


def coordination_number(found: RDF, *, cutoff_ang: float | None = None) -> float:
    """Return the mean number of neighbours in the first shell.

    Raises
    ------
    EvidenceError
        g(r) has no first minimum, and no cutoff was given.
    """
    shell = first_shell(found, cutoff_ang=cutoff_ang)
    if shell.neighbours is None:
        raise EvidenceError(
            f"There is no coordination number of {found.centre_name} by {found.other_name}: "
            f"{shell.reason}. Average more frames, go to larger distances, or give a cutoff."
        )
    return shell.neighbours


def _smoothed(found: RDF) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return smooth g(r) and how far a feature must stand out at each distance."""
    from scipy.ndimage import gaussian_filter1d

    width = SMOOTHING_ANG / float(found.edges_ang[1])
    smooth = gaussian_filter1d(found.g, width, mode="nearest")
    limit = np.full(len(smooth), LEAST_RISE)
    n = len(found.g_blocks)
    if n > 1:
        blocks = gaussian_filter1d(found.g_blocks, width, axis=1, mode="nearest")
        noise = blocks.std(axis=0, ddof=1) / np.sqrt(n)
        limit = np.maximum(limit, NOISE_Z * gaussian_filter1d(noise, 4 * width, mode="nearest"))
    return smooth, limit


def _standing_out(values: NDArray[np.float64], limit: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the maxima of a curve that rise above both their sides by the limit."""
    from scipy.signal import find_peaks

    peaks, about = find_peaks(np.concatenate([[values.min()], values]), prominence=0.0)
    peaks -= 1
    return np.asarray(peaks[about["prominences"] > limit[peaks]])


def _minimum(smooth: NDArray[np.float64], limit: NDArray[np.float64], peak: int) -> int | None:
    """Return the place of the first minimum behind a peak: the middle where it is flat."""
    behind, noise = smooth[peak:], limit[peak:]
    dips = _standing_out(-behind, noise)
    if not len(dips):
        return None
    dip = int(dips[0])
    flat = behind <= behind[dip] + 0.25 * noise[dip]
    first = dip - int(np.argmin(flat[dip::-1])) + 1
    last = dip + int(np.argmin(np.append(flat[dip:], False))) - 1
    return peak + (first + last) // 2


def _shell(
    found: RDF,
    peak: int | None,
    later: int | None,
    cutoff_ang: float | None,
    reason: str,
    *,
    rule: str = RULE,
) -> Shell:
    """Return the shell up to a cutoff."""
    r = found.r_ang
    neighbours, interval = None, None
    if cutoff_ang is not None:
        neighbours = float(_at(found, found.neighbours, cutoff_ang))
        half = block_half_width(
            np.array([[_at(found, row, cutoff_ang)] for row in found.neighbours_blocks])
        )
        if half is not None:
            interval = (max(neighbours - float(half[0]), 0.0), neighbours + float(half[0]))
    return Shell(
        peak_ang=None if peak is None else float(r[peak]),
        peak_g=None if peak is None else float(found.g[peak]),
        next_peak_ang=None if later is None else float(r[later]),
        cutoff_ang=cutoff_ang,
        neighbours=neighbours,
        neighbours_interval=interval,
        reason=reason,
        rule=rule,
    )


def _at(found: RDF, running: NDArray[np.float64], r_ang: float) -> float:
    """Return the running coordination number at a distance, between edges by a straight line."""
    return float(np.interp(r_ang, found.edges_ang, np.concatenate([[0.0], running])))
