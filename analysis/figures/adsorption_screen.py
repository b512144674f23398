"""Adsorption energies of one ion at many nodes, each way of holding on, beside printed ones."""

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

    from superionic.analysis.node_binding import NodeAdsorption

_LEVEL_IN = 0.17
"""Height for each level of theory, in inches; a row has room for two at least."""
_FILLED = 0.6
"""Of a row that its levels take."""


def adsorption_screen(
    results: Sequence[NodeAdsorption],
    *,
    published_eV: Mapping[str, float] | None = None,
    fidelity: str = "",
) -> Figure:
    """Draw a row for each node: the lowest start filled, other ways of holding on open.

    Parameters
    ----------
    results
        One adsorbate at every node.
    published_eV
        Name of a node and the adsorption energy printed, in eV.
    fidelity
        Written with the title, if any.

    Raises
    ------
    EvidenceError
        No node has a value.
    """
    theories = _theories(results)
    if not theories:
        raise EvidenceError("A figure of a screen needs at least one value; got none.")
    printed = dict(published_eV or {})
    apart = _FILLED / max(len(theories), 2)
    with figure_style():
        figure = new_figure(
            DOUBLE_COLUMN_IN * 0.85, 1.5 + _LEVEL_IN * max(len(theories), 2) * len(results)
        )
        ax = figure.subplots()
        for row, result in enumerate(results):
            for k, theory in enumerate(theories):
                _draw(ax, result, theory, row, k, apart * (k - (len(theories) - 1) / 2))
            if not result.theories:
                ax.text(0.0, row, f"no value: {result.verdict} ", ha="right", va="center",
                        fontsize=6.5, color=FAINT)  # fmt: skip
            if result.node in printed:
                ax.plot(printed[result.node], row, "|", color=INK, markersize=13, zorder=4,
                        markeredgewidth=1.6, gid=f"published-{result.node}")  # fmt: skip
        _finish(ax, results, fidelity)
        _legend(figure, theories, bool(printed))
    return figure


def adsorption_screen_data(
    results: Sequence[NodeAdsorption],
    *,
    published_eV: Mapping[str, float] | None = None,
    fidelity: str = "",
) -> FigureData:
    """Return every value that is drawn, in eV, with the start it comes from."""
    printed = dict(published_eV or {})
    rows: list[tuple[Cell, ...]] = []
    for result in results:
        head: tuple[Cell, ...] = (
            result.node, result.node_formula, result.adsorbate, result.node_charge,
            result.charge, result.spin_multiplicity,
        )  # fmt: skip
        if not result.theories:
            rows.append((*head, result.theory, fidelity, None, None, None, None, None,
                         result.verdict, None, None, None, printed.get(result.node)))  # fmt: skip
        for theory in result.theories:
            lowest = result.best(theory)
            for mode in result.modes:
                found = result.best(theory, mode=mode)
                if found is None:
                    continue
                start = result.start(found.start)
                rows.append(
                    (*head, theory, fidelity, start.key, start.site, mode, start.denticity,
                     found.adsorption_energy_eV, "lowest" if found == lowest else "other mode",
                     start.scf_converged, start.geometry_converged, start.fmax_eV_per_A,
                     printed.get(result.node))
                )  # fmt: skip
    return FigureData(
        header=(
            "node", "node_formula", "adsorbate", "node_charge_e", "charge_e",
            "spin_multiplicity", "theory", "fidelity", "start", "site", "mode", "denticity",
            "adsorption_energy_eV", "kind", "scf_converged", "geometry_converged",
            "fmax_eV_per_A", "published_eV",
        ),
        rows=tuple(rows),
    )  # fmt: skip


def _theories(results: Sequence[NodeAdsorption]) -> list[str]:
    return list(dict.fromkeys(theory for r in results for theory in r.theories))


def _draw(ax: Axes, result: NodeAdsorption, theory: str, row: int, k: int, shift: float) -> None:
    """Draw the lowest of each mode of one node at one level."""
    colour, marker = series_style(k)
    lowest = result.best(theory)
    for mode in result.modes:
        found = result.best(theory, mode=mode)
        if found is None:
            continue
        filled = found == lowest
        ax.plot(
            found.adsorption_energy_eV,
            row + shift,
            marker,
            color=colour,
            markerfacecolor=colour if filled else "white",
            markersize=6.0 if filled else 4.5,
            zorder=3 if filled else 2,
            gid=f"{result.node}-{theory}-{mode}",
        )
        if filled:
            ax.annotate(
                result.start(found.start).held_by,
                (found.adsorption_energy_eV, row + shift),
                xytext=(-5, 0),
                textcoords="offset points",
                ha="right",
                va="center",
                fontsize=5.8,
                color=FAINT,
            )


def _finish(ax: Axes, results: Sequence[NodeAdsorption], fidelity: str) -> None:
    """Label axes and rows."""
    ax.set_ylim(len(results) - 0.45, -0.55)
    ax.set_yticks(range(len(results)), [r.node for r in results], fontweight="bold")
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", color=GRID, linewidth=0.6)
    ax.axvline(0.0, color=INK, linewidth=0.7, zorder=1)
    low, high = ax.get_xlim()
    ax.set_xlim(low - 0.22 * (high - low), max(high, 0.05))
    ax.set_xlabel("E_ads (eV), negative is bound")
    one = results[0]
    kind = {2: f"M2({one.cap})4", 3: f"M3O({one.cap})6"}.get(len(one.metals), one.cap)
    ax.set_title(joined(f"{one.adsorbate} at {kind} nodes", fidelity))


def _legend(figure: Figure, theories: Sequence[str], printed: bool) -> None:
    """Explain colours, fillings and the printed values."""
    from matplotlib.lines import Line2D

    handles = []
    for k, theory in enumerate(theories):
        colour, marker = series_style(k)
        handles.append(Line2D([], [], color=colour, marker=marker, linestyle="none", label=theory))
    for filled, label in ((True, "lowest start"), (False, "lowest of another way of holding on")):
        handles.append(
            Line2D([], [], color=FAINT, marker="o", linestyle="none", label=label,
                   markerfacecolor=FAINT if filled else "white")
        )  # fmt: skip
    if printed:
        handles.append(
            Line2D([], [], color=INK, marker="|", markersize=9, markeredgewidth=1.6,
                   linestyle="none", label="published")
        )  # fmt: skip
    figure.legend(handles=handles, loc="outside lower left", ncols=3)
