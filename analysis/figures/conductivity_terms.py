"""Terms of the conductivity with intervals: each species by itself, each pair, the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superionic.analysis.conductivity import conductivity, transference
from superionic.analysis.figures.marks import bounds_of, footnote, whisker
from superionic.analysis.figures.style import (
    DOUBLE_COLUMN_IN,
    FAINT,
    INK,
    SINGLE_COLUMN_IN,
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

    from superionic.analysis.conductivity import Conductivity, Transference
    from superionic.analysis.estimate import Estimate
    from superionic.analysis.figures.style import Cell
    from superionic.analysis.onsager_result import OnsagerCoefficients

IDEAL, WHOLE = "Nernst-Einstein", "Einstein-Helfand"
HEADER = ("run", "quantity", "unit", "value", "low_95", "high_95", "reason")


def conductivity_terms_figure(runs: Mapping[str, OnsagerCoefficients]) -> Figure:
    """Draw self and distinct terms and both conductivities with 95 % intervals, and t+ beside them.

    A run whose motion is not diffusive has no bars; its verdict stands in the figure.

    Parameters
    ----------
    runs
        By name.

    Raises
    ------
    EvidenceError
        No run is given.
    """
    if not runs:
        raise EvidenceError("A figure of conductivities needs at least one run; got none.")
    with figure_style():
        figure = new_figure(DOUBLE_COLUMN_IN, 3.0)
        left, right = figure.subplots(1, 2, width_ratios=(2.4, 1.0))
        left.set_title("a  Conductivity and its terms")
        _draw_terms(left, {name: conductivity(run) for name, run in runs.items()})
        right.set_title("b  Transference")
        _draw_shares(right, [transference(run) for run in runs.values()])
        handles, labels = left.get_legend_handles_labels()
        if any(labels):
            figure.legend(handles, labels, loc="outside lower left", ncols=3)
    return figure


def conductivity_terms_data(runs: Mapping[str, OnsagerCoefficients]) -> FigureData:
    """Return what `conductivity_terms_figure` draws; no value is an empty field with its reason."""
    rows: list[tuple[Cell, ...]] = []
    for name, run in runs.items():
        rows += _term_rows(name, conductivity(run)) + _share_rows(name, transference(run))
    return FigureData(header=HEADER, rows=tuple(rows))


def single_conductivity_figure(told: Conductivity) -> Figure:
    """Draw the terms of one conductivity."""
    with figure_style():
        figure = new_figure(SINGLE_COLUMN_IN, 2.9)
        ax = figure.subplots()
        _draw_terms(ax, {"": told})
        footnote(figure, f"charges {told.charge_rule}")
    return figure


def single_conductivity_data(told: Conductivity) -> FigureData:
    """Return what `single_conductivity_figure` draws."""
    return FigureData(header=HEADER, rows=tuple(_term_rows("", told)))


def transference_figure(found: Transference) -> Figure:
    """Draw the transference numbers of all species from self-diffusion and with correlations."""
    with figure_style():
        figure = new_figure(SINGLE_COLUMN_IN, 2.6)
        ax = figure.subplots()
        for k, name in enumerate(found.species):
            _draw_shares(ax, [found], species=name, place=(k, len(found.species)), label=name)
        ax.set_ylabel("Transference number")
        reasons = [x.reason for x in (*found.onsager, *found.nernst_einstein) if x.reason]
        if len(reasons) < 2 * len(found.species):
            ax.legend()
        if reasons:
            footnote(figure, f"no value: {reasons[0]}", wrap=True)
    return figure


def transference_data(found: Transference) -> FigureData:
    """Return what `transference_figure` draws."""
    return FigureData(header=HEADER, rows=tuple(_share_rows("", found)))


def _term_rows(name: str, told: Conductivity) -> list[tuple[Cell, ...]]:
    return [(name, term, "S/cm", *_numbers(x)) for term, x in _terms(told)]


def _share_rows(name: str, shares: Transference) -> list[tuple[Cell, ...]]:
    return [
        (name, f"transference of {s}, {kind}", "", *_numbers(x))
        for kind, values in ((IDEAL, shares.nernst_einstein), (WHOLE, shares.onsager))
        for s, x in zip(shares.species, values, strict=True)
    ]


def _numbers(found: Estimate) -> tuple[Cell, ...]:
    return (*bounds_of(found), found.reason)


def _terms(told: Conductivity) -> list[tuple[str, Estimate]]:
    return [
        *((t.name, t.value_S_cm) for t in told.terms),
        (IDEAL, told.nernst_einstein_S_cm),
        (WHOLE, told.einstein_helfand_S_cm),
    ]


def _draw_terms(ax: Axes, runs: Mapping[str, Conductivity]) -> None:
    """Draw one group of bars a term, one bar a run."""
    names = list(dict.fromkeys(t for run in runs.values() for t, _ in _terms(run)))
    width = 0.8 / len(runs)
    for k, (label, run) in enumerate(runs.items()):
        colour, _ = series_style(k)
        shown = label
        for term, value in _terms(run):
            if value.value is None:
                continue
            x = names.index(term) + (k - 0.5 * (len(runs) - 1)) * width
            whole = term in (IDEAL, WHOLE)
            ax.bar(
                x, value.value, width * 0.92, color=colour if whole else "white",
                edgecolor=colour, linewidth=0.9, label=shown or None,
            )  # fmt: skip
            whisker(ax, x, value)
            shown = ""
        if run.verdict != "diffusive":
            ax.text(
                0.5, 0.92 - 0.1 * k, f"{label}: no value, {run.verdict}".lstrip(": "),
                transform=ax.transAxes, ha="center", color=FAINT, fontsize=7.0,
            )  # fmt: skip
    ax.axhline(0.0, color=INK, linewidth=0.6)
    ax.set_xticks(range(len(names)), names, rotation=28, ha="right")
    ax.set_ylabel("Conductivity (S/cm)")
    ax.ticklabel_format(axis="y", style="sci", scilimits=(-2, 2))


def _draw_shares(
    ax: Axes,
    runs: Sequence[Transference],
    *,
    species: str | None = None,
    place: tuple[int, int] | None = None,
    label: str | None = None,
) -> None:
    """Draw the transference number of a species, by default the first, by both ways."""
    chosen = runs[0].species[0] if species is None else species
    for k, found in enumerate(runs):
        at, of = (k, len(runs)) if place is None else place
        colour, marker = series_style(at)
        shown = label
        for x, values in enumerate((found.nernst_einstein, found.onsager)):
            share = values[found.species.index(chosen)] if chosen in found.species else None
            if share is None or share.value is None:
                continue
            whisker(
                ax, x + 0.12 * (at - 0.5 * (of - 1)), share, color=colour, linewidth=1.0,
                marker=marker, label=shown,
            )  # fmt: skip
            shown = None
    ax.axhline(0.0, color=INK, linewidth=0.6)
    ax.set_xlim(-0.6, 1.6)
    low, high = ax.get_ylim()
    ax.set_ylim(min(low, 0.0), max(high, 1.0))
    ax.set_xticks([0, 1], ["self", "Onsager"])
    ax.set_ylabel(f"t of {chosen}")
