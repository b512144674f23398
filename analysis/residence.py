"""How long partners stay together, also those that were together before or after the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.estimate import Estimate, html_table
from superionic.structures.errors import EvidenceError
from superionic.structures.structure import readonly

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from superionic.analysis.contacts import Contacts
    from superionic.analysis.figures.style import SavedFigure

LEAST_EVENTS = 10
SEEN = float(np.exp(-1.0))
"""The survival curve must fall to this within the run."""
UNITS = 8
MEAN_RULE = (
    "time at risk in contact over the number of partings: the mean spell of a steady state, "
    "whatever its distribution, with spells cut off at either end of the run counted; error by "
    "jackknife over centres, or over stretches of time if there are few"
)
SURVIVAL_RULE = (
    "product limit (Kaplan and Meier) of spells that begin within the run; those that last beyond "
    "its end are censored, those that began before it are left out"
)


@dataclass(frozen=True, eq=False)
class ResidenceTime:
    """How long partners stay together.

    Attributes
    ----------
    verdict : {"observed", "too short"}
        Whether the run is long enough for partings to be seen; there is a mean only then.
    reason : str
        Why not; empty where it is.
    mean_ps : Estimate
        Mean spell in ps.
    median_ps : float or None
        Time at which half of the spells that begin have ended, in ps; None if the survival curve
        does not fall that far.
    lower_bound_ps : float
        What the mean exceeds with 97.5 % confidence, in ps, if partings are independent.
    time_ps : ndarray
        Times of the survival curve in ps. shape=(times,)
    survival : ndarray
        Fraction of spells that last longer. shape=(times,)
    survival_interval : ndarray
        Its 95 % interval (Greenwood, of log-log survival). shape=(times, 2)
    partings : int
        Ends of spells that were seen.
    censored : int
        Spells that last beyond the end of the run.
    left_out : int
        Spells that began before the run, which the survival curve leaves out.
    mean_partners : float
        Partners of a centre on average.
    patience_ps : float
        Interruptions up to this long do not end a spell, in ps.
    dt_ps, length_ps : float
        Time between frames and length of the run in ps.
    mean_rule, survival_rule : str
        How they were found.
    """

    verdict: str
    reason: str
    mean_ps: Estimate
    median_ps: float | None
    lower_bound_ps: float
    time_ps: NDArray[np.float64]
    survival: NDArray[np.float64]
    survival_interval: NDArray[np.float64]
    partings: int
    censored: int
    left_out: int
    mean_partners: float
    patience_ps: float
    dt_ps: float
    length_ps: float
    mean_rule: str = MEAN_RULE
    survival_rule: str = SURVIVAL_RULE

    def __post_init__(self) -> None:
        """Freeze the arrays and hold value and verdict together."""
        for name in ("time_ps", "survival", "survival_interval"):
            object.__setattr__(self, name, readonly(getattr(self, name), float))
        if (self.mean_ps.value is not None) != (self.verdict == "observed"):
            raise EvidenceError(f"A run that is {self.verdict} has the mean {self.mean_ps}.")

    @property
    def summary(self) -> str:
        """One line."""
        if self.mean_ps.value is not None:
            return f"residence time {self.mean_ps.text('ps')}"
        return f"no residence time: {self.reason}; above {self.lower_bound_ps:.3g} ps"

    def _repr_html_(self) -> str:
        """Return a table for notebooks."""
        rows = [
            ("mean", self.mean_ps.text("ps")), ("partings", str(self.partings)),
            ("censored", str(self.censored)), ("verdict", f"{self.verdict} {self.reason}".strip()),
        ]  # fmt: skip
        return html_table("Residence", rows)

    def plot(self, stem: str) -> SavedFigure:
        """Draw the survival curve into ``stem.png``, ``.svg`` and ``.csv``."""
        from superionic.analysis.figures.style import save_figure
        from superionic.analysis.figures.survival import survival_data, survival_figure

        return save_figure(survival_figure({"": self}), stem, survival_data({"": self}))


def residence_time(contacts: Contacts, *, dt_ps: float, patience_ps: float = 0.0) -> ResidenceTime:
    """Return how long centres keep their partners.

    For ion pairs take cations as centres and anions as groups; for a shell its atoms or molecules.

    Parameters
    ----------
    contacts
        Who touches whom.
    dt_ps
        Time between frames in ps; shorter spells and interruptions are not seen.
    patience_ps
        Interruptions up to this long do not end a spell: 0 gives the continuous residence time.

    Raises
    ------
    EvidenceError
        No contact at all, or times that cannot be.
    """
    if not (np.isfinite(dt_ps) and dt_ps > 0 and np.isfinite(patience_ps) and patience_ps >= 0):
        raise EvidenceError(f"Expected dt > 0 and patience >= 0 in ps; got {dt_ps}, {patience_ps}.")
    if not len(contacts.frame) or contacts.frames < 2:
        raise EvidenceError(
            f"No pair comes within {contacts.cutoff_ang:g} A in {contacts.frames} frames: there is "
            "nothing whose residence could be told."
        )
    found = spells(contacts, gap=int(patience_ps / dt_ps + 1e-9))
    time, curve, ends = kaplan_meier(found, dt_ps=dt_ps)
    partings = int((~found.open_end).sum())
    total = float((found.length.sum() - found.open_end.sum()) * dt_ps)
    length = (contacts.frames - 1) * dt_ps
    reason = _refusal(partings, curve, length, total)
    mean = Estimate.missing(reason) if reason else _mean(found, contacts, dt_ps)
    if mean.value is None:
        reason = mean.reason
    return ResidenceTime(
        verdict="too short" if reason else "observed", reason=reason, mean_ps=mean,
        median_ps=_median(time, curve), lower_bound_ps=_bound(total, partings), time_ps=time,
        survival=curve, survival_interval=ends, partings=partings,
        censored=int((found.open_end & ~found.open_start).sum()),
        left_out=int(found.open_start.sum()),
        mean_partners=len(contacts.frame) / (contacts.frames * contacts.centres),
        patience_ps=float(patience_ps), dt_ps=float(dt_ps), length_ps=length,
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Spells:
    """Stretches of uninterrupted contact.

    Attributes
    ----------
    centre, start, length : ndarray
        Index of the centre, first frame, and frames. shape=(spells,)
    open_start, open_end : ndarray
        Whether the contact was there in the first, or in the last, frame of the run.
        shape=(spells,)
    """

    centre: NDArray[np.int64]
    start: NDArray[np.int64]
    length: NDArray[np.int64]
    open_start: NDArray[np.bool_]
    open_end: NDArray[np.bool_]


def spells(contacts: Contacts, *, gap: int = 0) -> Spells:
    """Return the stretches of contact of each pair.

    Parameters
    ----------
    contacts
        Who touches whom.
    gap
        Frames without contact that do not end a spell.
    """
    pair = contacts.centre * contacts.groups + contacts.group
    order = np.lexsort((contacts.frame, pair))
    pair, frame = pair[order], contacts.frame[order]
    new = np.ones(len(pair), dtype=bool)
    new[1:] = (pair[1:] != pair[:-1]) | (frame[1:] - frame[:-1] > gap + 1)
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(pair)) - 1
    start, end = frame[first], frame[last]
    return Spells(
        pair[first] // contacts.groups, start, end - start + 1, start == 0,
        end >= contacts.frames - 1 - gap,
    )  # fmt: skip


def kaplan_meier(
    found: Spells, *, dt_ps: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return times in ps, survival of spells that begin within the run, and its 95 % interval.

    Kaplan and Meier, doi 10.1080/01621459.1958.10501452; the interval is that of log(-log S), and
    before the first parting that of a binomial.
    """
    seen = ~found.open_start
    length, cut = found.length[seen], found.open_end[seen]
    if not len(length):
        return np.zeros(1), np.ones(1), np.array([[0.0, 1.0]])
    top = int(length.max())
    ended = np.bincount(length[~cut], minlength=top + 1).astype(float)
    lost = np.bincount(length[cut], minlength=top + 1).astype(float)
    risk = len(length) - np.concatenate([[0.0], np.cumsum(ended + lost)[:-1]])
    with np.errstate(divide="ignore", invalid="ignore"):
        curve = np.cumprod(np.where(risk > 0, 1.0 - ended / risk, 1.0))
        variance = np.cumsum(np.where(risk > ended, ended / (risk * (risk - ended)), 0.0))
        bend = 1.959963984540054 * np.sqrt(variance) / np.log(curve)
        low, high = curve ** np.exp(-bend), curve ** np.exp(bend)
    inside = (curve > 0) & (curve < 1)
    none_yet = np.where(risk > 0, 0.025 ** (1.0 / np.maximum(risk, 1.0)), 0.0)
    low = np.where(inside, low, np.where(curve == 1, none_yet, curve))
    high = np.where(inside, high, curve)
    ends = np.stack([np.minimum(low, high), np.maximum(low, high)], axis=1)
    return dt_ps * np.arange(top + 1.0), np.asarray(curve), np.asarray(ends)


def _refusal(partings: int, curve: NDArray[np.float64], length: float, total: float) -> str:
    """Return why there is no mean, or nothing."""
    if partings < LEAST_EVENTS:
        return f"{partings} partings were seen, {LEAST_EVENTS} are needed"
    if curve[-1] > SEEN:
        return f"{curve[-1]:.0%} of the spells last as long as could be seen"
    if total / partings > length:
        return (
            f"spells last about {total / partings:.3g} ps, longer than the run of {length:.3g} ps"
        )
    return ""


def _median(time: NDArray[np.float64], curve: NDArray[np.float64]) -> float | None:
    below = np.flatnonzero(curve <= 0.5)
    return float(time[below[0]]) if len(below) else None


def _bound(total_ps: float, partings: int) -> float:
    """Return the lower end of the mean if partings come independently of each other."""
    from scipy.stats import chi2

    return float(2.0 * total_ps / chi2.ppf(0.975, 2 * (partings + 1)))


def _mean(found: Spells, contacts: Contacts, dt_ps: float) -> Estimate:
    """Return time in contact over partings with a jackknife interval of its logarithm."""
    from scipy.stats import t as student

    by_centre = contacts.centres >= UNITS
    unit = found.centre if by_centre else found.start * UNITS // contacts.frames
    count = contacts.centres if by_centre else UNITS
    time = np.bincount(unit, (found.length - found.open_end) * dt_ps, minlength=count)
    ends = np.bincount(unit, ~found.open_end, minlength=count)
    value = float(time.sum() / ends.sum())
    rest = ends.sum() - ends
    if (rest == 0).any():
        return Estimate.missing("all partings are those of one centre or stretch of time")
    without = np.log((time.sum() - time) / rest)
    error = np.sqrt((count - 1) / count * ((without - without.mean()) ** 2).sum())
    spread = float(np.exp(student.ppf(0.975, count - 1) * error))
    return Estimate(value, (value / spread, value * spread))


def contact_correlation(contacts: Contacts, *, longest: int | None = None) -> NDArray[np.float64]:
    """Return the intermittent correlation <h(0) h(t)> / <h> of pairs that are together now.

    That is the chance that they are together after t, whatever happened in between. It falls to
    the chance of meeting by accident, ``contacts a frame / pairs``.

    Parameters
    ----------
    contacts
        Who touches whom.
    longest
        Longest lag in frames; by default a quarter of the run.

    Returns
    -------
    ndarray
        At lags of 0, 1, ... frames. shape=(lags,)
    """
    from scipy.fft import irfft, next_fast_len, rfft

    n = contacts.frames
    top = n // 4 if longest is None else longest
    if not 0 < top < n or not len(contacts.frame):
        raise EvidenceError(f"Expected a lag from 1 to {n - 1} frames and contacts; got {top}.")
    pair = contacts.centre * contacts.groups + contacts.group
    size = next_fast_len(n + top, real=True)
    total, held = np.zeros(top + 1), np.zeros(n)
    for code in np.unique(pair):
        h = np.zeros(n)
        h[contacts.frame[pair == code]] = 1.0
        held += h
        transform = rfft(h, n=size)
        total += irfft(transform.real**2 + transform.imag**2, n=size)[: top + 1]
    ahead = np.concatenate([[0.0], np.cumsum(held)])
    lags = np.arange(top + 1)
    return np.asarray(total / (ahead[n - lags] + 1e-300))
