"""Energy along hops of an ion on a chain: bands with their pockets, drags both ways, climbs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.figures.style import (
    DOUBLE_COLUMN_IN,
    FAINT,
    GRID,
    FigureData,
    figure_style,
    joined,
    new_figure,
    series_style,
)
from superionic.analysis.figures.traces import smooth_curve
from superionic.structures.errors import EvidenceError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from superionic.analysis.chain_hops import ChainHop
    from superionic.analysis.figures.style import Cell

__all__ = ["PublishedClimb", "chain_hop_data", "chain_hop_figure"]


@dataclass(frozen=True)
class PublishedClimb:
    """A printed barrier to stand beside the computed ones.

    Attributes
    ----------
    label : str
        What it is, as printed.
    value_eV : float
        In eV.
    """

    label: str
    value_eV: float


def chain_hop_figure(
    hops: Sequence[ChainHop], *, published: Sequence[PublishedClimb], fidelity: str = ""
) -> Figure:
    """Draw bands, drags and climbs.

    Left the bands, each minimum with the donors that hold the ion in it; in the middle the drags
    along the hop (full) and against it (open), from the same zero; right all climbs, hatched those
    that were printed. What has no value is not drawn and said so.

    Parameters
    ----------
    hops
        In drawing order.
    published
        Printed barriers.
    fidelity
        Named in the figure, if any.

    Raises
    ------
    EvidenceError
        No hop is given.
    """
    if not hops:
        raise EvidenceError("A figure of hops along a chain needs at least one hop; got none.")
    with figure_style():
        figure = new_figure(DOUBLE_COLUMN_IN, 3.2)
        bands, drags, climbs = figure.subplots(1, 3, width_ratios=(1.1, 1.0, 0.9))
        _draw_bands(bands, hops)
        _draw_drags(drags, hops)
        _draw_climbs(climbs, hops, published)
        theories = ", ".join(dict.fromkeys(h.barrier.theory for h in hops))
        figure.suptitle(joined(theories, fidelity), fontsize=7.0, color=FAINT, x=0.01, ha="left")
        handles, labels = bands.get_legend_handles_labels()
        if handles:
            figure.legend(handles, labels, loc="outside lower left", ncols=3)
    return figure


def chain_hop_data(
    hops: Sequence[ChainHop], *, published: Sequence[PublishedClimb], fidelity: str = ""
) -> FigureData:
    """Return what `chain_hop_figure` draws; printed values are rows of their own kind."""
    rows: list[tuple[Cell, ...]] = []
    for hop in hops:
        found = hop.barrier
        ok = found.verdict == "converged"
        way = found.coordinate_ang / found.coordinate_ang[-1] if ok else found.coordinate_ang
        for k in range(len(found.energies_eV)):
            held = "+".join(map(str, hop.sets[k]))
            energy = float(found.energies_eV[k]) if ok else None
            spring = float(hop.spring_eV[k])
            x = float(way[k]) if ok else None
            rows.append((hop.name, "band", found.theory, fidelity, x, energy, spring, held))
        for kind, drag in zip(("drag-along", "drag-against"), hop.drags, strict=False):
            for x, e in zip(drag.coordinate.tolist(), drag.values_eV, strict=True):
                rows.append((hop.name, kind, drag.theory, fidelity, x, e, None, ""))
        for level in hop.levels:
            for image, e in zip(level.images, level.energies_eV.tolist(), strict=True):
                x = float(way[image]) if ok else None
                held = "+".join(map(str, hop.sets[image]))
                rows.append((hop.name, "single-point", level.theory, fidelity, x, e, None, held))
        rows.append((hop.name, "climb", found.theory, fidelity, None, hop.climb_eV, None, ""))
    rows += [(p.label, "published", "", "", None, p.value_eV, None, "") for p in published]
    return FigureData(
        header=(
            "hop", "kind", "theory", "fidelity", "coordinate", "energy_eV", "spring_eV", "held_by",
        ),
        rows=tuple(rows),
    )  # fmt: skip


def _draw_bands(ax: Axes, hops: Sequence[ChainHop]) -> None:
    """Draw every converged band through its images."""
    ax.set_title("a  Elastic bands")
    missing = []
    for index, hop in enumerate(hops):
        colour, marker = series_style(index)
        found = hop.barrier
        if found.verdict != "converged":
            missing.append(hop.name)
            ax.plot([], [], color=colour, marker=marker, label=f"{hop.name}: no band")
            continue
        x, y = found.coordinate_ang / found.coordinate_ang[-1], found.energies_eV
        ax.plot(*smooth_curve(x, x, y), "-", color=colour, linewidth=1.4)
        ax.plot(
            x, y, linestyle="none", marker=marker, color=colour, markersize=4.0,
            markeredgecolor="white", markeredgewidth=0.4, label=hop.name,
        )  # fmt: skip
        _name_pockets(ax, hop, colour, above=bool(index % 2))
    ax.axhline(0.0, color=GRID, linewidth=0.8, zorder=0)
    ax.margins(y=0.2)
    ax.set_xlim(-0.05, 1.05)
    ax.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    ax.set_xlabel("Part of the path")
    ax.set_ylabel("Energy (eV)")


def _name_pockets(ax: Axes, hop: ChainHop, colour: str, *, above: bool) -> None:
    """Write beside each minimum which donors hold the ion."""
    way = hop.barrier.coordinate_ang
    for k in hop.barrier.minima:
        x = float(way[k] / way[-1])
        ax.annotate(
            short_set(hop.sets[k]), (x, float(hop.barrier.energies_eV[k])),
            xytext=(0, 7 if above else -6), textcoords="offset points", color=colour, fontsize=5.8,
            ha="left" if x < 0.15 else "right" if x > 0.85 else "center",
            va="bottom" if above else "top",
        )  # fmt: skip


def short_set(numbers: Sequence[int]) -> str:
    """Return donor numbers with runs joined: ``3-6, 8``."""
    runs: list[list[int]] = []
    for n in numbers:
        if runs and n == runs[-1][-1] + 1:
            runs[-1].append(n)
        else:
            runs.append([n])
    return ", ".join(f"O{r[0]}" if len(r) == 1 else f"O{r[0]}-{r[-1]}" for r in runs) or "none"


def _draw_drags(ax: Axes, hops: Sequence[ChainHop]) -> None:
    """Draw drags along and against each hop from one zero."""
    ax.set_title("b  Drags, both ways")
    drawn = False
    for index, hop in enumerate(hops):
        colour, marker = series_style(index)
        for against, scan in enumerate(hop.drags):
            shift = hop.difference_eV if against else 0.0
            if shift is None:
                continue
            y = np.where(scan.converged, scan.energies_eV + shift, np.nan)
            x = 1.0 - scan.coordinate if against else scan.coordinate
            ax.plot(
                x, y, "--" if against else "-", color=colour, marker=marker, linewidth=1.0,
                markersize=3.4, markerfacecolor="white" if against else colour,
            )  # fmt: skip
            drawn = drawn or bool(np.isfinite(y).any())
    ax.axhline(0.0, color=GRID, linewidth=0.8, zorder=0)
    ax.set_xlim(-0.05, 1.05)
    ax.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    ax.set_xlabel("Part of the ion's straight way")
    if drawn:
        ax.text(
            0.02, 0.98, "full: along, open: against", transform=ax.transAxes, fontsize=6.3,
            color=FAINT, va="top",
        )  # fmt: skip
        ax.margins(y=0.15)
    else:
        ax.text(0.5, 0.5, "no value", transform=ax.transAxes, ha="center", color=FAINT)


def _draw_climbs(ax: Axes, hops: Sequence[ChainHop], published: Sequence[PublishedClimb]) -> None:
    """Draw computed climbs as bars and printed ones hatched, on one axis."""
    ax.set_title("c  Climbs")
    rows: list[tuple[str, float | None, str, bool]] = []
    for index, hop in enumerate(hops):
        colour = series_style(index)[0]
        rows.append((f"{hop.name}, band", hop.climb_eV, colour, False))
        rows += [
            (f"{hop.name}, drag {way}", climb, colour, False)
            for way, climb in zip(("along", "against"), hop.drag_climbs_eV, strict=True)
            if hop.drags
        ]
    rows += [(p.label, p.value_eV, FAINT, True) for p in published]
    for y, (_, value, colour, printed) in enumerate(rows):
        if value is not None:
            ax.barh(
                y, value, color="white" if printed else colour, edgecolor=colour,
                hatch="////" if printed else "", linewidth=0.6, height=0.7,
            )  # fmt: skip
        said = "no value" if value is None else f"{value:.2f}"
        end = 0.0 if value is None else max(value, 0.0)
        ax.text(end, y, f" {said}", va="center", fontsize=6.3)
    ax.set_yticks(range(len(rows)), [name for name, *_ in rows], fontsize=6.3)
    ax.invert_yaxis()
    ax.set_xlim(0.0, 1.25 * max([v for _, v, *_ in rows if v is not None] or [1.0]))
    ax.set_xlabel("Climb (eV)")
    if published:
        ax.text(
            1.0, 1.0, "hatched: published", transform=ax.transAxes, fontsize=6.3, color=FAINT,
            ha="right", va="bottom",
        )  # fmt: skip
