"""A cation and its anion, bare and at a node: three binding energies side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superionic.analysis.figures.style import (
    DOUBLE_COLUMN_IN,
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
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from superionic.analysis.node_binding import PairBinding


def ion_pair_binding(pairs: Sequence[PairBinding], *, fidelity: str = "") -> Figure:
    """Draw anion at node, cation at the anion on the node, and the bare pair, for each level.

    Parameters
    ----------
    pairs
        One node at one or more levels of theory.
    fidelity
        Written with the title, if any.

    Raises
    ------
    EvidenceError
        There is no value, or there is more than one node.
    """
    if not pairs or len({p.node for p in pairs}) > 1:
        raise EvidenceError(
            "A figure of a pair needs the values of one node; got "
            f"{', '.join(p.node for p in pairs) or 'none'}."
        )
    one = pairs[0]
    names = (
        f"{one.anion}\nat {one.node}",
        f"{one.cation} to {one.anion}\nat {one.node}",
        f"{one.cation} to {one.anion}\nbare",
    )
    width = 0.8 / len(pairs)
    with figure_style():
        figure = new_figure(DOUBLE_COLUMN_IN * 0.7, 3.4)
        ax = figure.subplots()
        for k, pair in enumerate(pairs):
            colour, _ = series_style(k)
            shift = width * (k - (len(pairs) - 1) / 2)
            values = (pair.anion_eV, pair.at_node_eV, pair.bare_eV)
            for x, value in enumerate(values):
                ax.bar(x + shift, value, width * 0.92, color=colour,
                       label=f"{pair.theory}: {_word(pair)}" if x == 0 else None)  # fmt: skip
                ax.annotate(
                    f"{value:.2f}", (x + shift, value), xytext=(0, 2 if value >= 0 else -2),
                    textcoords="offset points", ha="center", fontsize=7.0,
                    va="bottom" if value >= 0 else "top",
                )  # fmt: skip
        ax.axhline(0.0, color=INK, linewidth=0.7)
        ax.margins(y=0.12)
        ax.grid(axis="y", color=GRID, linewidth=0.6)
        ax.set_xticks(range(len(names)), names)
        ax.tick_params(axis="x", length=0)
        ax.set_ylabel("Energy (eV), negative is bound")
        ax.set_title(joined(f"{one.cation} and {one.anion}, bare and at {one.node}", fidelity))
        figure.legend(loc="outside lower left", ncols=1)
    return figure


def _word(pair: PairBinding) -> str:
    """Say what the node does to the pair."""
    kind = "weakens" if pair.weakened_eV > 0 else "strengthens"
    return f"{pair.node} {kind} the pair by {abs(pair.weakened_eV):.2f} eV"


def ion_pair_binding_data(pairs: Sequence[PairBinding], *, fidelity: str = "") -> FigureData:
    """Return every energy behind the figure, in eV."""
    rows: list[tuple[Cell, ...]] = [
        (
            p.node, p.theory, fidelity, p.cation, p.anion, p.anion_eV, p.anion_mode, p.pair_eV,
            p.pair_mode, p.bare_eV, p.at_node_eV, p.weakened_eV,
        )
        for p in pairs
    ]  # fmt: skip
    return FigureData(
        header=(
            "node", "theory", "fidelity", "cation", "anion", "anion_at_node_eV", "anion_mode",
            "pair_at_node_eV", "pair_mode", "bare_pair_eV", "cation_to_anion_at_node_eV",
            "weakened_eV",
        ),
        rows=tuple(rows),
    )  # fmt: skip
