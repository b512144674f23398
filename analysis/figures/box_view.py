"""Pictures of boxes of molecules (Fig. 4d of P4): a colour for each kind, sticks, ions as balls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from ase.data import covalent_radii
from ase.data.colors import jmol_colors

from superionic.analysis.figures.painter import Colour, Scene, camera
from superionic.analysis.figures.style import (
    DOUBLE_COLUMN_IN,
    FAINT,
    OKABE_ITO,
    Cell,
    FigureData,
    figure_style,
    new_figure,
)
from superionic.structures.errors import EvidenceError
from superionic.structures.structure import Structure, readonly

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

KIND_COLOURS = ("#8c96a3", *(OKABE_ITO[c] for c in ("purple", "green", "orange", "sky", "yellow")))
"""Of the kinds of molecules in their order, the polymer grey; single ions and metals have that of
their element."""

_TILT_DEG = (20.0, 14.0)
_STICK_PT, _FILLER_PT = 1.1, 2.0
_METAL_ANG, _ION_ANG = 1.0, 1.1


@dataclass(frozen=True, eq=False)
class BoxView:
    """One picture of a box.

    Attributes
    ----------
    title : str
        Written above it.
    structure : Structure
        The atoms, in an orthorhombic periodic cell.
    bonds : ndarray
        Pairs of bonded atoms. shape=(bonds, 2)
    kinds : ndarray
        Kind of molecule of each atom, an index of ``names``. shape=(atoms,)
    names : tuple of str
        Names of the kinds.
    thick : tuple of str
        Kinds that are drawn with thick sticks, such as a filler.

    Raises
    ------
    EvidenceError
        Shapes do not fit, a kind has no name, or the cell is not orthorhombic along the axes.
    """

    title: str
    structure: Structure
    bonds: NDArray[np.int64]
    kinds: NDArray[np.int64]
    names: tuple[str, ...]
    thick: tuple[str, ...] = ("FIL",)

    def __post_init__(self) -> None:
        """Validate and freeze."""
        object.__setattr__(self, "bonds", readonly(self.bonds, np.int64).reshape(-1, 2))
        object.__setattr__(self, "kinds", readonly(self.kinds, np.int64))
        atoms = len(self.structure)
        if len(self.kinds) != atoms or not (
            (self.kinds >= 0).all() and (self.kinds < len(self.names)).all()
        ):
            raise EvidenceError(
                f"'{self.title}': expected for each of {atoms} atoms the index of one of "
                f"{len(self.names)} kinds; got {len(self.kinds)}."
            )
        cell = self.structure.cell
        if np.abs(cell - np.diag(cell.diagonal())).max() > 1e-3 or cell.diagonal().min() <= 0:
            raise EvidenceError(
                f"'{self.title}': only a box with its edges along x, y and z can be drawn; got the "
                f"cell {cell.tolist()}."
            )

    @property
    def single(self) -> NDArray[np.bool_]:
        """Which atoms have no bond: ions. shape=(atoms,)."""
        alone = np.ones(len(self.structure), dtype=bool)
        alone[self.bonds.ravel()] = False
        return alone

    @property
    def metals(self) -> NDArray[np.bool_]:
        """Which bonded atoms are transition metals. shape=(atoms,)."""
        z = self.structure.numbers
        return np.asarray(~self.single & (((z >= 21) & (z <= 30)) | ((z >= 39) & (z <= 48))))


def box_view(panels: Sequence[BoxView]) -> Figure:
    """Draw boxes side by side, seen from far away; farther things are paler, hydrogens left out.

    Each bond is drawn where its middle lies in the cell, so that the cell is filled.

    Raises
    ------
    EvidenceError
        No panel is given.
    """
    if not panels:
        raise EvidenceError("A picture of boxes needs at least one; got none.")
    with figure_style():
        width = DOUBLE_COLUMN_IN / 2 * len(panels)
        figure = new_figure(width, DOUBLE_COLUMN_IN / 2 + 0.45)
        axes = figure.subplots(1, len(panels), squeeze=False)[0]
        for k, (ax, panel) in enumerate(zip(axes, panels, strict=True)):
            letter = f"{'abcdefgh'[k % 8]}  " if len(panels) > 1 else ""
            ax.set_title(letter + panel.title)
            _draw(ax, panel)
        figure.legend(
            handles=_handles(panels), loc="outside lower left", ncols=7, columnspacing=1.2,
            handletextpad=0.4,
        )  # fmt: skip
    return figure


def box_view_data(panels: Sequence[BoxView]) -> FigureData:
    """Return every atom inside the cell, in angstrom."""
    rows: list[tuple[Cell, ...]] = []
    for panel in panels:
        s = panel.structure
        inside = _inside(s.positions, s.cell.diagonal())
        rows += [
            (panel.title, panel.names[kind], symbol, label, *xyz)
            for kind, symbol, label, xyz in zip(
                panel.kinds.tolist(), s.symbols, s.labels, inside.tolist(), strict=True
            )
        ]
    return FigureData(
        header=("panel", "molecule", "element", "label", "x_ang", "y_ang", "z_ang"),
        rows=tuple(rows),
    )


def _draw(ax: Axes, panel: BoxView) -> None:
    """Draw sticks, balls and the cell of one box."""
    structure = panel.structure
    edges = structure.cell.diagonal()
    rotation = camera(structure.cell, along=(1, 0, 0), up=(0, 0, 1), tilt_deg=_TILT_DEG)
    corners = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)]) * edges
    seen = corners @ rotation.T
    scene = Scene(rotation, (float(seen[:, 2].min()), float(seen[:, 2].max())))
    for kind, start, end in _sticks(panel):
        thick = panel.names[kind] in panel.thick
        scene.edge(start, end, _colour(kind), width_pt=_FILLER_PT if thick else _STICK_PT)
    inside = _inside(structure.positions, edges)
    for atom in np.flatnonzero(panel.single | panel.metals):
        number = int(structure.numbers[atom])
        share = _ION_ANG if panel.single[atom] else _METAL_ANG
        scene.sphere(inside[atom], share * 0.6 * float(covalent_radii[number]), _element(number))
    for i in range(8):
        for axis in (1, 2, 4):
            if not i & axis:
                ends = seen[[i, i | axis]]
                ax.plot(ends[:, 0], ends[:, 1], "-", color=FAINT, linewidth=0.5, zorder=0)
    scene.draw(ax)
    ax.set_xlim(seen[:, 0].min() - 1.5, seen[:, 0].max() + 1.5)
    ax.set_ylim(seen[:, 1].min() - 1.5, seen[:, 1].max() + 1.5)
    ax.set_aspect("equal")
    ax.set_axis_off()
    ax.annotate(
        f"{edges[0]:.1f} Å", (0.5, 0.0), xycoords="axes fraction", ha="center", va="top",
        fontsize=6.8, color=FAINT,
    )  # fmt: skip


def _sticks(panel: BoxView) -> list[tuple[int, NDArray[np.float64], NDArray[np.float64]]]:
    """Return kind and ends of each bond without hydrogen, its middle inside the cell."""
    structure = panel.structure
    heavy = (structure.numbers[panel.bonds] > 1).all(axis=1)
    bonds = panel.bonds[heavy]
    edges = structure.cell.diagonal()
    starts = structure.positions[bonds[:, 0]]
    along = structure.positions[bonds[:, 1]] - starts
    along = along - edges * np.round(along / edges)
    middle = starts + along / 2
    starts = starts + _inside(middle, edges) - middle
    kinds = panel.kinds[bonds[:, 0]].tolist()
    return list(zip(kinds, starts, starts + along, strict=True))


def _inside(points: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(points - edges * np.floor(points / edges))


def _colour(kind: int) -> Colour:
    from matplotlib.colors import to_rgb

    r, g, b = to_rgb(KIND_COLOURS[kind % len(KIND_COLOURS)])
    return (float(r), float(g), float(b))


def _element(number: int) -> Colour:
    r, g, b = (float(c) for c in jmol_colors[number])
    return (r, g, b)


def _handles(panels: Sequence[BoxView]) -> list[object]:
    """Return one entry a kind, and one for each element that is drawn as a ball."""
    from matplotlib.lines import Line2D

    kinds: dict[str, int] = {}
    balls: dict[str, int] = {}
    for panel in panels:
        for kind, name in enumerate(panel.names):
            own = panel.kinds == kind
            if (own & ~panel.single).any():
                kinds.setdefault(name, kind)
            for atom in np.flatnonzero(own & (panel.single | panel.metals)):
                balls.setdefault(panel.structure.symbols[atom], panel.structure.numbers[atom])
    found: list[object] = [
        Line2D([], [], color=_colour(kind), linewidth=2.0, label=name)
        for name, kind in kinds.items()
    ]
    found += [
        Line2D(
            [], [], linestyle="none", marker="o", markersize=6, markeredgecolor=FAINT,
            markeredgewidth=0.5, markerfacecolor=_element(int(number)), label=symbol,
        )
        for symbol, number in balls.items()
    ]  # fmt: skip
    return found
