"""The value of a diffusion coefficient with its evidence, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from superionic.analysis.estimate import html_table
from superionic.structures.errors import EvidenceError
from superionic.structures.structure import readonly

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from superionic.analysis.figures.style import SavedFigure

DiffusionVerdict = Literal["diffusive", "subdiffusive", "ballistic", "too short"]


@dataclass(frozen=True, eq=False)
class Diffusivity:
    """A self-diffusion coefficient, if the motion is diffusive.

    Attributes
    ----------
    verdict : {"diffusive", "subdiffusive", "ballistic", "too short"}
        What the motion is on the time scale of the run; ``ballistic`` is anything that spreads
        faster than diffusion. There is a value only where it is diffusive.
    reason : str
        Why, in one sentence.
    D_cm2_s : float or None
        Diffusion coefficient in cm^2/s.
    interval_cm2_s : tuple of float or None
        95 % interval in cm^2/s.
    loglog_slope : float or None
        Slope of log(MSD) against log(lag) over the window; None where nothing moves.
    loglog_slope_interval : tuple of float or None
        Its 95 % interval.
    fit_window_ps : tuple of float
        First and last lag of the fit in ps.
    window_rule : str
        How the window was chosen.
    error_rule : str
        From what the intervals were taken.
    offset_ang2 : float or None
        Where the fitted line meets lag 0, in angstrom^2; 0 where it was held there.
    needed_ps : float or None
        Length of run in ps for an interval of +- ``target_precision`` where diffusive, else the
        least length that may tell; None where it cannot be said.
    needed_rule : str
        How that was estimated.
    target_precision : float
        Half-width of the interval over the value that ``needed_ps`` is for.
    finite_size_cm2_s : float or None
        What Yeh and Hummer's correction adds for an infinite box, in cm^2/s; not in ``D_cm2_s``.
    ions, frames, replicas : int
        Size of the data; frames of the longest replica.
    length_ps : float
        Length of all replicas together in ps.
    dt_ps : float
        Time between frames in ps.
    lag_ps, msd_ang2 : ndarray
        The mean squared displacement that was fitted. shape=(lags,)
    msd_error_ang2 : ndarray
        Standard error of each point, correlated between points. shape=(lags,)
    """

    verdict: DiffusionVerdict
    reason: str
    D_cm2_s: float | None
    interval_cm2_s: tuple[float, float] | None
    loglog_slope: float | None
    loglog_slope_interval: tuple[float, float] | None
    fit_window_ps: tuple[float, float]
    window_rule: str
    error_rule: str
    offset_ang2: float | None
    needed_ps: float | None
    needed_rule: str
    target_precision: float
    finite_size_cm2_s: float | None
    ions: int
    frames: int
    replicas: int
    length_ps: float
    dt_ps: float
    lag_ps: NDArray[np.float64]
    msd_ang2: NDArray[np.float64]
    msd_error_ang2: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Hold a value and the verdict together."""
        for name in ("lag_ps", "msd_ang2", "msd_error_ang2"):
            object.__setattr__(self, name, readonly(getattr(self, name), float))
        for name in ("interval_cm2_s", "loglog_slope_interval", "fit_window_ps"):
            pair = getattr(self, name)
            object.__setattr__(self, name, None if pair is None else tuple(map(float, pair)))
        if (self.D_cm2_s is not None) != (self.verdict == "diffusive"):
            raise EvidenceError(f"Motion that is {self.verdict} has D = {self.D_cm2_s} cm2/s.")
        if (self.D_cm2_s is None) != (self.interval_cm2_s is None):
            raise EvidenceError("A diffusion coefficient comes with its interval, and only then.")

    @property
    def diffusive(self) -> bool:
        """Whether there is a value."""
        return self.verdict == "diffusive"

    @property
    def summary(self) -> str:
        """One line: the value with its interval, or the verdict with what would be needed."""
        if self.D_cm2_s is not None and self.interval_cm2_s is not None:
            low, high = self.interval_cm2_s
            return f"D = {self.D_cm2_s:.3g} cm2/s (95 % interval {low:.3g} to {high:.3g})"
        needed = "" if self.needed_ps is None else f"; {self.needed_rule}: {self.needed_ps:.3g} ps"
        return f"no D, {self.verdict}: {self.reason}{needed}"

    def value(self) -> float:
        """Return the diffusion coefficient in cm^2/s.

        Raises
        ------
        EvidenceError
            There is none.
        """
        if self.D_cm2_s is None:
            raise EvidenceError(f"There is {self.summary}.")
        return self.D_cm2_s

    def _repr_html_(self) -> str:
        """Return a table for notebooks."""
        low, high = self.loglog_slope_interval or (None, None)
        slope = "none" if self.loglog_slope is None else f"{self.loglog_slope:.3f}"
        if low is not None and high is not None:
            slope += f" (95 % interval {low:.3f} to {high:.3f})"
        first, last = self.fit_window_ps
        rows = [
            ("self-diffusion", self.summary), ("verdict", f"{self.verdict}: {self.reason}"),
            ("log-log slope", slope), ("fit window", f"{first:.3g} to {last:.3g} ps"),
            ("error from", self.error_rule),
            ("data", f"{self.ions} ions, {self.length_ps:.4g} ps in {self.replicas} runs"),
        ]  # fmt: skip
        if self.needed_ps is not None:
            rows.append((self.needed_rule, f"{self.needed_ps:.3g} ps"))
        if self.finite_size_cm2_s is not None:
            rows.append(("finite size adds", f"{self.finite_size_cm2_s:.3g} cm2/s"))
        return html_table("Self-diffusion", rows)

    def plot(self, stem: str) -> SavedFigure:
        """Draw the mean squared displacement into ``stem.png``, ``.svg`` and ``.csv``."""
        from superionic.analysis.figures.mean_squared_displacement import (
            msd_figure,
            msd_figure_data,
        )
        from superionic.analysis.figures.style import save_figure

        return save_figure(msd_figure({"": self}), stem, msd_figure_data({"": self}))
