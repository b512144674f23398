"""Is one electrolyte faster than another? Compared run by run, not frame by frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from superionic.analysis.diffusivity import Diffusivity
from superionic.analysis.estimate import Estimate, html_table
from superionic.structures.errors import EvidenceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from superionic.analysis.figures.style import SavedFigure

Faster = Literal["first", "second", "undecided"]

LEAST_RUNS = 2
"""Runs a side that a scatter between runs is taken of; with fewer there is none."""
DRAWS = 20_000
MOST_RUNS = 1000
"""More runs a side than this are not counted out."""
RULE = (
    "logarithms of D of independent runs, by Welch's t: the scatter between runs holds what each "
    "run is off by and how boxes differ. Decided where the 95 % interval of the ratio leaves out 1"
)


@dataclass(frozen=True, eq=False)
class MotionComparison:
    """Whether ions move faster in the second system than in the first.

    Attributes
    ----------
    faster : {"first", "second", "undecided"}
        By the rule.
    reason : str
        In one sentence.
    ratio : Estimate
        D of the second over D of the first, geometric means over runs.
    effect_size : Estimate
        Difference of the means of log D over the scatter of a run (Hedges' g); about 0.8 is called
        large.
    probability : float or None
        That the second is faster, given the runs.
    needed_ps : float or None
        Further time of simulation, both sides together and in runs as long as these, after which
        a ratio as the one found would be decided; 0 where it is, None where it cannot be said.
    names : tuple of str
        Of both systems.
    first, second : tuple of Diffusivity
        The runs.
    rule : str
        How it was judged.
    """

    faster: Faster
    reason: str
    ratio: Estimate
    effect_size: Estimate
    probability: float | None
    needed_ps: float | None
    names: tuple[str, str]
    first: tuple[Diffusivity, ...]
    second: tuple[Diffusivity, ...]
    rule: str = RULE

    def __post_init__(self) -> None:
        """Hold the verdict and the numbers together."""
        if self.faster != "undecided" and self.ratio.value is None:
            raise EvidenceError("A decision needs a ratio.")

    @property
    def summary(self) -> str:
        """One line."""
        if self.faster == "undecided":
            return f"undecided: {self.reason}"
        quick, slow = self.names if self.faster == "first" else self.names[::-1]
        return f"{quick} is faster than {slow}: {self.reason}"

    @property
    def rows(self) -> tuple[tuple[str, str], ...]:
        """Names and values as text."""
        a, b = self.names
        chance = "not known" if self.probability is None else f"{self.probability:.4f}"
        needed = "not known" if self.needed_ps is None else f"{self.needed_ps * 1e-3:.4g} ns"
        return (
            ("verdict", self.summary),
            (f"D of {b} over {a}", self.ratio.text()),
            ("effect size", self.effect_size.text()),
            (f"chance that {b} is faster", chance),
            ("still needed", needed),
            ("runs", f"{len(self.first)} and {len(self.second)}"),
        )

    def _repr_html_(self) -> str:
        """Return a table for notebooks."""
        return html_table("Comparison of motion", self.rows)

    def plot(self, stem: str) -> SavedFigure:
        """Draw the runs of both sides into ``stem.png``, ``.svg`` and ``.csv``."""
        from superionic.analysis.figures.motion_comparison import (
            motion_comparison_data,
            motion_comparison_figure,
        )
        from superionic.analysis.figures.style import save_figure

        return save_figure(motion_comparison_figure(self), stem, motion_comparison_data(self))


def compare(
    first: Diffusivity | Sequence[Diffusivity],
    second: Diffusivity | Sequence[Diffusivity],
    *,
    names: tuple[str, str] = ("first", "second"),
) -> MotionComparison:
    """Return whether ions move faster in the second system: whether a filler raises D.

    Each :class:`Diffusivity` is one independent run: a box packed and equilibrated by itself. That
    boxes differ is seen between runs only, whatever the error of each of them. There is no ratio
    unless every run has a diffusion coefficient, as those without are the slow ones.

    Parameters
    ----------
    first, second
        Runs without, and with, what is to be judged; at least two of each for a verdict.
    names
        What the systems are called.

    Raises
    ------
    EvidenceError
        A side has no run.
    """
    a, b = ((x,) if isinstance(x, Diffusivity) else tuple(x) for x in (first, second))
    if not a or not b:
        raise EvidenceError("A comparison needs runs of both systems; one has none.")
    refusal = _refusal(a, b, names)
    if refusal:
        missing = Estimate.missing(refusal)
        return MotionComparison("undecided", refusal, missing, missing, None, None, names, a, b)
    x, y = (np.log([run.value() for run in side]) for side in (a, b))
    if min(len(x), len(y)) < LEAST_RUNS:
        return _of_single_runs(a, b, x, y, names)
    return _judge(a, b, x, y, names)


def _refusal(a: tuple[Diffusivity, ...], b: tuple[Diffusivity, ...], names: tuple[str, str]) -> str:
    """Return why nothing can be compared, or nothing."""
    for side, name in ((a, names[0]), (b, names[1])):
        without = [run for run in side if run.D_cm2_s is None]
        if without:
            return (
                f"{len(without)} of {len(side)} runs of {name} have no diffusion coefficient "
                f"({without[0].verdict})"
            )
    return ""


def _of_single_runs(
    a: tuple[Diffusivity, ...], b: tuple[Diffusivity, ...], x: NDArray[np.float64],
    y: NDArray[np.float64], names: tuple[str, str],
) -> MotionComparison:  # fmt: skip
    """Return the ratio with the errors of the runs alone: how boxes differ is not known."""
    gap = float(y.mean() - x.mean())
    errors = [
        0.5 * np.log(run.interval_cm2_s[1] / run.interval_cm2_s[0]) / len(side)
        for side in (a, b)
        for run in side
        if run.interval_cm2_s is not None
    ]
    half = float(np.sqrt(np.sum(np.square(errors))))
    reason = (
        f"{len(a)} and {len(b)} runs, of which {LEAST_RUNS} are needed each: the interval is that "
        "of these runs, how boxes differ is not known"
    )
    missing = Estimate.missing("there is no scatter between runs")
    return MotionComparison(
        "undecided", reason, _ratio(gap, half), missing, None, None, names, a, b
    )


def _judge(
    a: tuple[Diffusivity, ...], b: tuple[Diffusivity, ...], x: NDArray[np.float64],
    y: NDArray[np.float64], names: tuple[str, str],
) -> MotionComparison:  # fmt: skip
    """Compare means over runs by Welch's t."""
    from scipy.stats import t as student

    gap = float(y.mean() - x.mean())
    parts = [float(v.var(ddof=1)) / len(v) for v in (x, y)]
    error = float(np.sqrt(sum(parts)))
    if error == 0.0:
        raise EvidenceError("All runs of each side have the same D: they are copies of one run.")
    freedom = sum(parts) ** 2 / sum(p**2 / (len(v) - 1) for p, v in zip(parts, (x, y), strict=True))
    ratio = _ratio(gap, float(student.ppf(0.975, freedom)) * error)
    decided = not ratio.covers(1.0)
    faster: Faster = "undecided" if not decided else "second" if gap > 0 else "first"
    words = "leaves out 1" if decided else "holds 1"
    return MotionComparison(
        faster, f"the ratio of D is {ratio.text()}, which {words}", ratio,
        _effect_size(x, y), float(student.cdf(gap / error, freedom)),
        0.0 if decided else _needed_ps(gap, x, y, (*a, *b)), names, a, b,
    )  # fmt: skip


def _ratio(gap: float, half: float) -> Estimate:
    return Estimate(float(np.exp(gap)), (float(np.exp(gap - half)), float(np.exp(gap + half))))


def _effect_size(x: NDArray[np.float64], y: NDArray[np.float64]) -> Estimate:
    """Return Hedges' g with its 95 % interval, that of the noncentral t distribution.

    A noncentrality d has t = (z + d) / sqrt(chi2 / freedom), so that the ends of its interval are
    quantiles of t sqrt(chi2 / freedom) - z.
    """
    n, m = len(x), len(y)
    freedom = n + m - 2
    pooled = float(np.sqrt(((n - 1) * x.var(ddof=1) + (m - 1) * y.var(ddof=1)) / freedom))
    unbiased = 1.0 - 3.0 / (4.0 * freedom - 1.0)
    scale = float(np.sqrt(n * m / (n + m)))
    d = float(y.mean() - x.mean()) / pooled
    rng = np.random.default_rng(1)
    drawn = d * scale * np.sqrt(rng.chisquare(freedom, DRAWS) / freedom) - rng.normal(size=DRAWS)
    low, high = (unbiased / scale * np.quantile(drawn, [0.025, 0.975])).tolist()
    return Estimate(unbiased * d, (low, high))


def _needed_ps(
    gap: float, x: NDArray[np.float64], y: NDArray[np.float64], runs: tuple[Diffusivity, ...]
) -> float | None:
    """Return the further time after which a ratio as found would be decided, or None."""
    from scipy.stats import t as student

    variance = float(x.var(ddof=1) + y.var(ddof=1))
    length = float(np.mean([run.length_ps for run in runs]))
    for n in range(max(len(x), len(y)), MOST_RUNS + 1):
        if abs(gap) > student.ppf(0.975, 2 * n - 2) * np.sqrt(variance / n):
            return max(2 * n - len(x) - len(y), 1) * length
    return None
