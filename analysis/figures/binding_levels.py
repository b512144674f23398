"""Binding strengths at every level of theory, beside what was published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superionic.analysis.figures.style import (
    DOUBLE_COLUMN_IN,
    FAINT,
    GRID,
    INK,
    Cell,
    FigureData,
    figure_style,
    joined,
    new_figure,
    series_style,
)
from superionic.structures.errors import EvidenceError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from superionic.analysis.binding import BindingResult, LevelBinding

__all__ = ["binding_levels", "binding_levels_data"]

_ROW_IN = 0.24
_OFFSET = 0.13


def binding_levels(
    results: Sequence[BindingResult],
    *,
    published_eV: Mapping[str, float] | None = None,
    fidelity: str = "",
) -> Figure:
    """Draw ``-E_b`` of several molecules, a row for each level of theory.

    Filled markers are relaxed at their level, open ones are single points at the geometries of the
    first. A dashed line stands at each published value.

    Parameters
    ----------
    results
        One a molecule, on one surface.
    published_eV
        Name of the molecule and the binding strength printed, in eV.
    fidelity
        Written with the title, if any.

    Raises
    ------
    EvidenceError
        No molecule has a value.
    """
    levels = level_names(results)
    if not levels:
        raise EvidenceError("A figure of binding strengths needs at least one value; got none.")
    published = dict(published_eV or {})
    with figure_style():
        figure = new_figure(DOUBLE_COLUMN_IN * 0.8, 1.35 + _ROW_IN * len(levels))
        ax = figure.subplots()
        for k, result in enumerate(results):
            colour, marker = series_style(k)
            place = _OFFSET * (k - (len(results) - 1) / 2)
            if result.molecule in published:
                value = published[result.molecule]
                ax.axvline(value, color=colour, linestyle=(0, (4, 3)), linewidth=1.0, zorder=1)
            for level in result.levels:
                ax.plot(
                    -level.binding_energy_eV,
                    levels.index(level.theory) + place,
                    marker,
                    color=colour,
                    markerfacecolor=colour if level.kind == "relaxed" else "white",
                    markersize=5.5,
                    zorder=3,
                    gid=f"{result.molecule}-{level.theory}",
                )
        _finish(ax, levels, fidelity)
        _legend(figure, results, published)
    return figure


def binding_levels_data(
    results: Sequence[BindingResult], *, published_eV: Mapping[str, float] | None = None
) -> FigureData:
    """Return every level of every molecule, with its parts and what was published, in eV."""
    published = dict(published_eV or {})
    rows: list[tuple[Cell, ...]] = []
    for result in results:
        for level in result.levels:
            parts = level.parts
            rows.append(
                (
                    result.molecule,
                    level.theory,
                    level.kind,
                    level.geometry,
                    level.binding_energy_eV,
                    level.binding_strength_eV,
                    parts.surface_deformation_eV if parts else None,
                    parts.molecule_deformation_eV if parts else None,
                    parts.dispersion_eV if parts else None,
                    parts.rest_eV if parts else None,
                    level.separated_ions_eV,
                    published.get(result.molecule),
                )
            )
        if not result.levels:
            rows.append((result.molecule, result.theory, result.verdict, *[None] * 8,
                         published.get(result.molecule)))  # fmt: skip
    return FigureData(
        header=(
            "molecule", "theory", "kind", "geometry", "binding_energy_eV", "binding_strength_eV",
            "surface_deformation_eV", "molecule_deformation_eV", "dispersion_eV", "rest_eV",
            "against_separated_ions_eV", "published_binding_strength_eV",
        ),
        rows=tuple(rows),
    )  # fmt: skip


def level_names(results: Sequence[BindingResult]) -> list[str]:
    """Return all levels in the order in which they first occur."""
    return list(dict.fromkeys(level.theory for r in results for level in r.levels))


def _finish(ax: Axes, levels: Sequence[str], fidelity: str) -> None:
    """Label axes and rows."""
    ax.set_ylim(len(levels) - 0.5, -0.5)
    ax.set_yticks(range(len(levels)), levels)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", color=GRID, linewidth=0.6)
    ax.axvline(0.0, color=INK, linewidth=0.7, zorder=1)
    ax.set_xlabel("-E_b (eV): binding strength, where positive")
    ax.set_title(joined("Binding at each level of theory", fidelity))


def _legend(
    figure: Figure, results: Sequence[BindingResult], published: Mapping[str, float]
) -> None:
    """Explain colours, fillings and dashed lines."""
    from matplotlib.lines import Line2D

    handles = []
    for k, result in enumerate(results):
        colour, marker = series_style(k)
        label = result.molecule
        if result.molecule in published:
            label += f" (dashed: published, {published[result.molecule]:g} eV)"
        handles.append(Line2D([], [], color=colour, marker=marker, linestyle="none", label=label))
    for filled, label in ((True, "relaxed at this level"), (False, "single point")):
        handles.append(
            Line2D(
                [], [], color=FAINT, marker="o", linestyle="none", label=label,
                markerfacecolor=FAINT if filled else "white",
            )
        )  # fmt: skip
    figure.legend(handles=handles, loc="outside lower left", ncols=2)


def relaxed_level(result: BindingResult) -> LevelBinding | None:
    """Return the level at which a result was relaxed; None where it has no value."""
    return next((level for level in result.levels if level.kind == "relaxed"), None)
