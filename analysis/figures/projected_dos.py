"""Projected densities of states, spin up above and spin down below, with band centres marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from superionic.analysis.band_centre import (
    BandCentre,
    CentreDefinition,
    StateGroup,
    band_centres,
    d_groups,
)
from superionic.analysis.figures.style import (
    DOUBLE_COLUMN_IN,
    FAINT,
    GRID,
    INK,
    FigureData,
    figure_style,
    new_figure,
    series_style,
)
from superionic.structures.errors import EvidenceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from superionic.analysis.band_centre import SpinChoice
    from superionic.analysis.electronic import ProjectedDOS


@dataclass(frozen=True, eq=False)
class DosPanel:
    """One density of states to draw.

    Attributes
    ----------
    title : str
        Of the panel.
    dos : ProjectedDOS
        The densities.
    groups : tuple of StateGroup
        Which projections to draw; by default the d states of each transition metal and the p
        states of oxygen; where there is neither, the s and p states of every element.
    evidence : str
        A line under the title: convergence, moment, electrons.
    """

    title: str
    dos: ProjectedDOS
    groups: tuple[StateGroup, ...] = ()
    evidence: str = ""

    def series(self) -> tuple[StateGroup, ...]:
        """Return the groups that are drawn; without a metal or oxygen, all valence shells."""
        if self.groups:
            return self.groups
        found = d_groups(self.dos)
        if "O" in self.dos.symbols and "p" in self.dos.orbitals:
            found = (*found, StateGroup("O p", "p", "O"))
        if not found:
            found = tuple(
                StateGroup(f"{s} {o}", o, s)
                for s in dict.fromkeys(self.dos.symbols)
                for o in (("s",) if s == "H" else ("s", "p"))
                if o in self.dos.orbitals
            )
        return found


def projected_dos(
    panels: Sequence[DosPanel],
    *,
    definitions: Sequence[CentreDefinition] = (CentreDefinition(),),
    window_eV: tuple[float, float] = (-10.0, 6.0),
) -> Figure:
    """Draw projected densities of states side by side, the Fermi level at zero.

    The d band centres by each definition stand above the curves: a line at the centre in the colour
    of its group, with its value. Projections other than d carry no centre.

    Parameters
    ----------
    panels
        What to draw.
    definitions
        Of the centres that are marked, at most four.
    window_eV
        Energies shown, relative to the Fermi level.

    Raises
    ------
    EvidenceError
        No panel, too many definitions, or nothing in the window.
    """
    if not panels or len(definitions) > len(_LINES):
        raise EvidenceError(
            f"Expected at least one panel and at most {len(_LINES)} definitions; got "
            f"{len(panels)} and {len(definitions)}."
        )
    with figure_style():
        count = len(panels)
        figure = new_figure(min(DOUBLE_COLUMN_IN, 3.6 * count + 0.6), 3.6 + 0.16 * len(definitions))
        axes = figure.subplots(1, count, squeeze=False)[0]
        colours = _colours(panels)
        for ax, panel in zip(axes, panels, strict=True):
            _draw_panel(ax, panel, definitions, window_eV, colours)
        axes[0].set_ylabel("Density of states (1/eV)")
        _legend(figure, axes, definitions)
    return figure


def projected_dos_data(
    panels: Sequence[DosPanel], *, window_eV: tuple[float, float] = (-10.0, 6.0)
) -> FigureData:
    """Return the curves: energy relative to the Fermi level in eV, density in states/eV by spin."""
    rows = []
    for panel in panels:
        energies, keep = _window(panel.dos, window_eV)
        spins = _spins(panel.dos)
        curves: list[tuple[str, str, NDArray[np.float64]]] = [
            ("total", name, panel.dos.total[spin]) for spin, name in enumerate(spins)
        ]
        curves += [
            (group.label, name, group.density(panel.dos, name))
            for group in panel.series()
            for name in spins
        ]
        rows += [
            (panel.title, panel.dos.theory, label, name, float(e), float(y))
            for label, name, curve in curves
            for e, y in zip(energies[keep], curve[keep], strict=True)
        ]
    return FigureData(
        header=("panel", "theory", "states", "spin", "energy_eV", "density_per_eV"),
        rows=tuple(rows),
    )


def band_centres_data(centres: Sequence[tuple[str, BandCentre]]) -> FigureData:
    """Return a table of centres: title of the panel and centre, energies in eV."""
    return FigureData(
        header=(
            "panel", "states", "filling", "spin", "window_low_eV", "window_high_eV", "centre_eV",
            "states_averaged", "reason",
        ),
        rows=tuple(
            (
                title, c.label, c.definition.filling, c.definition.spin,
                *(c.definition.window_eV or (None, None)), c.centre_eV, c.states, c.reason,
            )
            for title, c in centres
        ),
    )  # fmt: skip


_LINES: tuple[Literal["-", "--", ":", "-."], ...] = ("-", "--", ":", "-.")
_VALUE_WIDTH = 0.04
"""Of the axis that the value of a centre takes; nearer ones stand in another row."""
_VALUE_LENGTH_PT = 21.0


def _colours(panels: Sequence[DosPanel]) -> dict[str, str]:
    """Return one colour a label, the same in all panels."""
    labels = dict.fromkeys(group.label for panel in panels for group in panel.series())
    return {label: series_style(k)[0] for k, label in enumerate(labels)}


def _window(
    dos: ProjectedDOS, window_eV: tuple[float, float]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return energies relative to the Fermi level, and which of them are shown."""
    energies = dos.energies_eV - dos.fermi_eV
    keep = (energies >= window_eV[0]) & (energies <= window_eV[1])
    if np.count_nonzero(keep) < 2:
        raise EvidenceError(
            f"No energies between {window_eV[0]:g} and {window_eV[1]:g} eV; there are "
            f"{energies[0]:.1f} to {energies[-1]:.1f} eV."
        )
    return energies, keep


def _spins(dos: ProjectedDOS) -> tuple[SpinChoice, ...]:
    """Return the curves that a density has, above and below the axis."""
    return ("up", "down") if dos.spin_polarised else ("both",)


def _draw_panel(
    ax: Axes,
    panel: DosPanel,
    definitions: Sequence[CentreDefinition],
    window_eV: tuple[float, float],
    colours: dict[str, str],
) -> None:
    """Draw the curves of one system and its centres."""
    energies, keep = _window(panel.dos, window_eV)
    x = energies[keep]
    highest = 0.0
    for spin, name in enumerate(_spins(panel.dos)):
        sign = 1.0 if spin == 0 else -1.0
        total = panel.dos.total[spin][keep]
        ax.fill_between(
            x, sign * total, color=GRID, linewidth=0, label="total" if spin == 0 else None, zorder=0
        )
        highest = max(highest, float(total.max()))
        for group in panel.series():
            y = sign * group.density(panel.dos, name)[keep]
            ax.plot(
                x, y, "-", color=colours[group.label], linewidth=1.1,
                label=group.label if spin == 0 else None, gid=f"{group.label} {spin}",
            )  # fmt: skip
    reach = 1.08 * max(highest, 1e-12)
    floor = -reach if panel.dos.spin_polarised else 0.0
    ax.set_ylim(floor, reach)
    ax.axhline(0.0, color=INK, linewidth=0.5)
    ax.axvline(0.0, color=FAINT, linewidth=0.8, linestyle=(0, (1, 1.5)), zorder=1)
    ax.set_xlim(*window_eV)
    ax.yaxis.set_major_formatter(lambda value, _: f"{abs(value):g}")
    ax.set_xlabel("Energy above the Fermi level (eV)")
    _mark_centres(ax, panel, definitions, colours)
    ax.set_title(panel.title, pad=14)
    ax.text(
        0.0, 1.015, panel.evidence or panel.dos.theory, transform=ax.transAxes, fontsize=6.6,
        color=FAINT, va="bottom",
    )  # fmt: skip
    if panel.dos.spin_polarised:
        for place, word in ((0.97, "spin up"), (0.03, "spin down")):
            ax.text(
                0.985, place, word, transform=ax.transAxes, fontsize=7.0, color=FAINT, ha="right",
                va="top" if place > 0.5 else "bottom",
            )  # fmt: skip


def _mark_centres(
    ax: Axes,
    panel: DosPanel,
    definitions: Sequence[CentreDefinition],
    colours: dict[str, str],
) -> None:
    """Draw a line at each d band centre that lies in the picture, over the spins it averages."""
    groups = [group for group in panel.series() if group.orbital == "d"]
    low, high = ax.get_xlim()
    spans = {"both": (0.0, 1.0), "up": (0.5, 1.0), "down": (0.0, 0.5)}
    found = band_centres(panel.dos, groups, definitions) if groups else ()
    shown = [
        (c.centre_eV, c) for c in found if c.centre_eV is not None and low <= c.centre_eV <= high
    ]
    rows: dict[float, list[float]] = {}  # of values, the rightmost of each, by where lines end
    for place, centre in sorted(shown, key=lambda pair: pair[0]):
        which = list(definitions).index(centre.definition)
        start, end = spans[centre.definition.spin]
        ax.axvline(
            place, start, end, color=colours[centre.label], linewidth=1.3,
            linestyle=_LINES[which], gid=f"centre {centre.label} {centre.definition.name}",
            zorder=3,
        )  # fmt: skip
        taken = rows.setdefault(end, [])
        row = next(
            (k for k, last in enumerate(taken) if place - last > _VALUE_WIDTH * (high - low)),
            len(taken),
        )
        taken[row : row + 1] = [place]
        ax.annotate(
            f"{place:.2f}", (place, end), xytext=(-1.5, -3 - _VALUE_LENGTH_PT * row), rotation=90,
            textcoords="offset points", xycoords=("data", "axes fraction"), ha="right", va="top",
            fontsize=6.3, color=colours[centre.label],
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.3},
        )  # fmt: skip


def _legend(figure: Figure, axes: Sequence[Axes], definitions: Sequence[CentreDefinition]) -> None:
    """Name the curves and the kinds of centres once for all panels."""
    from matplotlib.lines import Line2D

    handles: dict[str, Artist] = {}
    for ax in axes:
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    for definition, dash in zip(definitions, _LINES, strict=False):
        label = f"d centre: {definition.name}"
        handles[label] = Line2D([], [], color=INK, linewidth=1.3, linestyle=dash)
    handles["Fermi level"] = Line2D([], [], color=FAINT, linewidth=0.8, linestyle=(0, (1, 1.5)))
    figure.legend(
        list(handles.values()),
        list(handles),
        loc="outside upper left",
        ncols=2 if len(axes) == 1 else 4,
    )
