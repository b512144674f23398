"""States of ions as stacked bars, and ions by the charge of their cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from superionic.analysis.figures.marks import bounds_of, whisker
from superionic.analysis.figures.style import (
    DOUBLE_COLUMN_IN,
    FAINT,
    OKABE_ITO,
    FigureData,
    figure_style,
    new_figure,
    series_style,
)
from superionic.structures.errors import EvidenceError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from superionic.analysis.estimate import Estimate
    from superionic.analysis.figures.style import Cell
    from superionic.analysis.speciation import Speciation

COLOURS = {
    "free": OKABE_ITO["sky"], "SSIP": OKABE_ITO["green"], "CIP": OKABE_ITO["orange"],
    "AGG": OKABE_ITO["vermillion"],
}  # fmt: skip
HATCHES = {"free": "", "SSIP": "..", "CIP": "//", "AGG": "xx"}


@dataclass(frozen=True)
class PublishedFraction:
    """A printed fraction of free anions to stand beside the computed ones.

    Attributes
    ----------
    label : str
        What it is, as printed.
    value : float
        Between 0 and 1.
    """

    label: str
    value: float


def speciation_figure(
    runs: Mapping[str, Speciation], *, published: Sequence[PublishedFraction] = ()
) -> Figure:
    """Draw states of anions and of cations, and ions by the charge of their cluster.

    The whisker is the 95 % interval of the anions without a cation; printed fractions are hatched
    bars of their own.

    Parameters
    ----------
    runs
        By name.
    published
        Printed fractions of free anions.

    Raises
    ------
    EvidenceError
        No run is given.
    """
    if not runs:
        raise EvidenceError("A figure of speciation needs at least one run; got none.")
    with figure_style():
        figure = new_figure(DOUBLE_COLUMN_IN, 2.8)
        anions, cations, charges = figure.subplots(1, 3, width_ratios=(1.2, 0.9, 1.4))
        _draw_states(anions, {n: r.anions for n, r in runs.items()}, "a  Anions")
        _draw_free(anions, runs, published)
        _draw_states(cations, {n: r.cations for n, r in runs.items()}, "b  Cations")
        _draw_charges(charges, runs)
        handles, labels = anions.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower left", ncols=4)
    return figure


def speciation_data(
    runs: Mapping[str, Speciation], *, published: Sequence[PublishedFraction] = ()
) -> FigureData:
    """Return what `speciation_figure` draws; printed fractions are rows of their own kind."""
    rows: list[tuple[Cell, ...]] = []
    for name, run in runs.items():
        parts: list[tuple[str, str, Estimate]] = [
            *(("anions", k, x) for k, x in run.anions.items()),
            ("anions", "without a cation", run.uncoordinated_anions),
            *(("cations", k, x) for k, x in run.cations.items()),
            *(("ions in clusters of charge", q, x) for q, x in run.cluster_charge.items()),
        ]
        for what, state, found in parts:
            rows.append((name, what, state, *bounds_of(found), found.reason))
    rows += [(p.label, "published", "free", p.value, None, None, "") for p in published]
    return FigureData(
        header=("run", "ions", "state", "fraction", "low_95", "high_95", "reason"),
        rows=tuple(rows),
    )


def _draw_states(ax: Axes, runs: Mapping[str, dict[str, Estimate]], title: str) -> None:
    """Draw one stacked bar a run."""
    ax.set_title(title)
    named: set[str] = set()
    for k, states in enumerate(runs.values()):
        bottom = 0.0
        for state, found in states.items():
            if found.value is None:
                continue
            ax.bar(
                k, found.value, 0.62, bottom=bottom, color=COLOURS[state], edgecolor="white",
                linewidth=0.6, hatch=HATCHES[state], label=None if state in named else state,
            )  # fmt: skip
            named.add(state)
            if found.value > 0.08:
                ax.text(
                    k, bottom + 0.5 * found.value, f"{found.value:.2f}", ha="center", va="center",
                    fontsize=6.5, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
                )  # fmt: skip
            bottom += found.value
        if not bottom:
            ax.text(k, 0.5, "no value", ha="center", rotation=90, color=FAINT)
    ax.set_xticks(range(len(runs)), list(runs))
    ax.set_xlim(-0.6, len(runs) - 0.4)
    ax.set_ylim(0.0, 1.02)
    ax.set_ylabel("Fraction")


def _draw_free(
    ax: Axes, runs: Mapping[str, Speciation], published: Sequence[PublishedFraction]
) -> None:
    """Draw the interval of anions without a cation, and printed fractions."""
    for k, run in enumerate(runs.values()):
        whisker(ax, k + 0.36, run.uncoordinated_anions)
    names = list(runs)
    for k, printed in enumerate(published, start=len(runs)):
        ax.bar(k, printed.value, 0.62, color="white", edgecolor=FAINT, hatch="////", linewidth=0.8)
        ax.text(k, printed.value, f"{printed.value:.3f}", ha="center", va="bottom", fontsize=6.5)
        names.append(printed.label)
    ax.set_xticks(range(len(names)), names, rotation=20 if published else 0)
    ax.set_xlim(-0.6, len(names) - 0.4)


def _draw_charges(ax: Axes, runs: Mapping[str, Speciation]) -> None:
    """Draw which fraction of ions is in clusters of which charge."""
    ax.set_title("c  Charge of clusters")
    every = sorted({float(q) for run in runs.values() for q in run.cluster_charge})
    width = 0.8 / len(runs)
    for k, (name, run) in enumerate(runs.items()):
        colour, _ = series_style(k)
        label = name or None
        for text, found in run.cluster_charge.items():
            if found.value is None:
                continue
            x = every.index(float(text)) + (k - 0.5 * (len(runs) - 1)) * width
            ax.bar(x, found.value, width * 0.92, color=colour, label=label)
            whisker(ax, x, found, linewidth=0.8, capsize=1.5)
            label = None
    ax.set_xticks(range(len(every)), [f"{q:+g}" if q else "0" for q in every])
    ax.set_xlabel("Charge (e)")
    ax.set_ylabel("Fraction of ions")
    if len(runs) > 1:
        ax.legend()
