"""Pictures of a structure and its migration paths: balls, polyhedra, beads (Fig. 6a, b of P1)."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np
from ase.data import covalent_radii
from ase.data.colors import jmol_colors

from superionic.analysis.figures.painter import Colour, Scene
from superionic.analysis.figures.style import (
    DOUBLE_COLUMN_IN,
    FAINT,
    INK,
    Cell,
    FigureData,
    figure_style,
    new_figure,
    series_style,
)
from superionic.analysis.figures.view_panel import (
    PathView,
    ViewPanel,
    Visible,
    cell_corners,
    visible_of,
)
from superionic.structures.errors import EvidenceError

__all__ = ["PathView", "ViewPanel", "structure_view", "structure_view_data"]

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from superionic.structures.structure import Structure

_BEAD_ANG = 0.34
_LEGEND_COLUMNS = 7
_EDGE: Colour = (0.25, 0.25, 0.25)
_BOND: Colour = (0.55, 0.55, 0.55)


def structure_view(panels: Sequence[ViewPanel], *, path_order: Sequence[str] = ()) -> Figure:
    """Draw structures and paths side by side, seen from far away (orthographic).

    Mobile ions are large balls, other atoms small ones, framework polyhedra translucent; farther
    things are paler. Paths lie over everything, so that a path inside a channel can be seen.

    Parameters
    ----------
    panels
        From left to right.
    path_order
        Labels of paths in the order of their colours, so that a path keeps its colour in figures
        that do not show all of them.

    Raises
    ------
    EvidenceError
        No panel is given, or its directions of view and top are parallel.
    """
    if not panels:
        raise EvidenceError("A structure view needs at least one panel; got none.")
    shown = [visible_of(panel) for panel in panels]
    ratios = [(x1 - x0) / (y1 - y0) for x0, x1, y0, y1 in (v.extent for v in shown)]
    height = float(np.clip((DOUBLE_COLUMN_IN - 0.4) / sum(ratios), 1.6, 4.4))
    labels = dict.fromkeys([*path_order, *(path.label for p in panels for path in p.paths)])
    drawn = {path.label for panel in panels for path in panel.paths}
    colours = {label: k for k, label in enumerate(labels) if label in drawn}
    with figure_style():
        figure = new_figure(
            min(DOUBLE_COLUMN_IN, max(3.5, height * sum(ratios) + 0.6)), height + 0.9
        )
        axes = figure.subplots(1, len(panels), width_ratios=ratios, squeeze=False)[0]
        for k, (ax, panel, visible) in enumerate(zip(axes, panels, shown, strict=True)):
            letter = f"{'abcdefgh'[k % 8]}  " if len(panels) > 1 else ""
            room = max(8, int(13 * height * ratios[k]))
            ax.set_title("\n".join(textwrap.wrap(letter + panel.title, room)))
            _draw_panel(ax, panel, visible, colours)
        handles = _legend_handles(panels, colours)
        columns = min(len(handles), _LEGEND_COLUMNS)
        figure.legend(
            handles=_by_rows(handles, columns),
            loc="outside lower left",
            ncols=columns,
            columnspacing=1.2,
            handletextpad=0.4,
        )
    return figure


def structure_view_data(panels: Sequence[ViewPanel]) -> FigureData:
    """Return every atom and every bead of a path in angstrom."""
    rows: list[tuple[Cell, ...]] = []
    for panel in panels:
        s = panel.structure
        for symbol, label, xyz in zip(s.symbols, s.labels, s.positions.tolist(), strict=True):
            rows.append((panel.title, "atom", symbol, label, *xyz))
        for path in panel.paths:
            rows += [(panel.title, "path", "", path.label, *xyz) for xyz in path.positions.tolist()]
    return FigureData(
        header=("panel", "kind", "element", "label", "x_ang", "y_ang", "z_ang"), rows=tuple(rows)
    )


def _draw_panel(ax: Axes, panel: ViewPanel, visible: Visible, colours: dict[str, int]) -> None:
    """Draw cell, framework, ions and paths of one panel."""
    structure = panel.structure
    scene = Scene(visible.rotation, visible.depths)
    for shape in visible.shapes:
        for face in shape.faces:
            scene.face(shape.corners[face], element_colour(shape.number), alpha=0.42)
        for a, b in shape.edges:
            scene.edge(shape.corners[a], shape.corners[b], _EDGE, width_pt=0.35)
    for start, end in visible.bonds:
        scene.edge(start, end, _BOND, width_pt=1.4)
    for atom, place in zip(visible.atoms, visible.places, strict=True):
        number = int(structure.numbers[atom])
        large = structure.symbols[atom] in panel.mobile
        scene.sphere(place, ball_radius(number, large=large), element_colour(number))
    if panel.radius_ang is None:
        _draw_cell(ax, structure, visible.rotation)
    scene.draw(ax)
    for path, points in zip(panel.paths, visible.paths, strict=True):
        _draw_path(ax, points @ visible.rotation.T, path.label, colours[path.label])
    left, right, bottom, top = visible.extent
    ax.set_xlim(left, right)
    ax.set_ylim(bottom, top)
    ax.set_aspect("equal")
    ax.set_axis_off()
    _draw_scale_bar(ax, visible.extent)


def _draw_cell(ax: Axes, structure: Structure, rotation: NDArray[np.float64]) -> None:
    """Draw the twelve edges of the cell behind everything."""
    seen = cell_corners(structure) @ rotation.T
    for i in range(8):
        for axis in (1, 2, 4):
            if not i & axis:
                ends = seen[[i, i | axis]]
                ax.plot(ends[:, 0], ends[:, 1], "-", color=FAINT, linewidth=0.5, zorder=0)


def _draw_path(ax: Axes, seen: NDArray[np.float64], label: str, index: int) -> None:
    """Draw a chain of beads over everything else, the ends larger."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Circle

    colour, _ = series_style(index)
    x, y = seen[:, 0], seen[:, 1]
    ax.plot(x, y, "-", color="white", linewidth=3.2, solid_capstyle="round", zorder=4)
    ax.plot(x, y, "-", color=colour, linewidth=1.6, solid_capstyle="round", zorder=5, gid=label)
    ends = (0, len(x) - 1)
    beads = [
        Circle((a, b), _BEAD_ANG * (1.35 if k in ends else 1.0))
        for k, (a, b) in enumerate(zip(x, y, strict=True))
    ]
    ax.add_collection(
        PatchCollection(beads, facecolor=colour, edgecolor="white", linewidth=0.5, zorder=6),
        autolim=False,
    )


def _draw_scale_bar(ax: Axes, extent: tuple[float, float, float, float]) -> None:
    """Draw a bar of a round length, about a fifth of the picture's width."""
    width = extent[1] - extent[0]
    length = max((n for n in (1, 2, 5, 10, 20, 50) if n <= 0.3 * width), default=1)
    y = extent[2] + 0.01 * (extent[3] - extent[2])
    x = extent[1] - length
    ax.plot([x, x + length], [y, y], "-", color=INK, linewidth=1.6, clip_on=False)
    ax.annotate(
        f"{length} Å",
        (x + length / 2, y),
        xytext=(0, -3),
        textcoords="offset points",
        ha="center",
        va="top",
        fontsize=6.8,
    )


def _legend_handles(panels: Sequence[ViewPanel], colours: dict[str, int]) -> list[Artist]:
    """Return one entry an element and one a path."""
    from matplotlib.lines import Line2D

    handles: list[Artist] = []
    elements = {
        (int(z), s)
        for p in panels
        for z, s in zip(p.structure.numbers, p.structure.symbols, strict=True)
    }
    mobile = {m for p in panels for m in p.mobile}
    for number, symbol in sorted(elements, key=lambda e: (e[1] not in mobile, -e[0])):
        handles.append(
            Line2D(
                [],
                [],
                linestyle="none",
                marker="o",
                markersize=7 if symbol in mobile else 5.5,
                markerfacecolor=element_colour(number),
                markeredgecolor=FAINT,
                markeredgewidth=0.5,
                label=symbol,
            )
        )
    for label, index in colours.items():
        colour, _ = series_style(index)
        handles.append(Line2D([], [], color=colour, marker="o", markersize=4, label=label))
    return handles


def _by_rows(handles: list[Artist], columns: int) -> list[Artist]:
    """Reorder legend entries, which matplotlib fills in by columns, to read by rows."""
    return [handle for start in range(columns) for handle in handles[start::columns]]


def element_colour(number: int) -> Colour:
    """Return the usual (Jmol) colour of an element."""
    r, g, b = (float(c) for c in jmol_colors[number])
    return (r, g, b)


def ball_radius(number: int, *, large: bool) -> float:
    """Return the drawn radius of an atom in angstrom."""
    return float((0.5 if large else 0.3) * covalent_radii[number])
