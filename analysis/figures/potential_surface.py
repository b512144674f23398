"""The electrostatic potential on the outside of molecules, as points on an isodensity surface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from ase.data import chemical_symbols, covalent_radii
from ase.data.colors import jmol_colors

from superionic.analysis.figures.style import (
    DOUBLE_COLUMN_IN,
    FAINT,
    INK,
    FigureData,
    figure_style,
    new_figure,
)
from superionic.structures.errors import EvidenceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from superionic.analysis.potential import PotentialSurface

COLOURS = "RdBu"
"""Red is negative, as chemists have it, blue positive; told apart with any colour vision."""
_LIGHT = np.array([-0.35, 0.45, 0.82])
_PANEL_IN = 2.1
_LABELLED = frozenset({"C", "H"})


@dataclass(frozen=True, eq=False)
class PotentialPanel:
    """One molecule to draw.

    Attributes
    ----------
    title : str
        Of the panel.
    surface : PotentialSurface
        Points, normals, potentials.
    rotation : ndarray or None
        Right, up and towards the reader as orthonormal rows, shape=(3, 3); by default the broad
        face of the molecule is shown.
    """

    title: str
    surface: PotentialSurface
    rotation: NDArray[np.float64] | None = None

    def view(self) -> NDArray[np.float64]:
        """Return the rotation from space to the picture. shape=(3, 3)."""
        if self.rotation is not None:
            return np.asarray(self.rotation, dtype=float)
        centred = self.surface.positions - self.surface.positions.mean(axis=0)
        _, _, axes = np.linalg.svd(np.vstack([centred, 1e-6 * np.eye(3)]))
        if np.linalg.det(axes) < 0:
            axes[2] *= -1.0
        return np.asarray(_turned(35.0, 0) @ _turned(12.0, 1) @ axes)


def potential_surface(panels: Sequence[PotentialPanel], *, limit_V: float | None = None) -> Figure:
    """Draw molecules as their isodensity surface, coloured by the electrostatic potential.

    One scale serves all panels. Its middle is zero where potentials of both signs occur, else the
    middle of their range, which the label of the scale then tells. The lowest and the highest
    value of each panel stand below it.

    Parameters
    ----------
    panels
        What to draw, at most six.
    limit_V
        Reach of the scale to either side of its middle in V; by default to the 99th percentile.

    Raises
    ------
    EvidenceError
        No panel, too many, or a reach that is not positive.
    """
    if not 1 <= len(panels) <= 6:
        raise EvidenceError(f"Expected one to six panels; got {len(panels)}.")
    if limit_V is not None and not limit_V > 0:
        raise EvidenceError(f"The reach of the scale must be above zero; got {limit_V} V.")
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    middle, reach = _scale(panels, limit_V)
    norm = Normalize(middle - reach, middle + reach)
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    with figure_style():
        figure = new_figure(min(DOUBLE_COLUMN_IN, 2.2 * columns + 1.1), 2.45 * rows + 0.2)
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for ax in axes[len(panels) :]:
            ax.set_axis_off()
        span = max(_span(panel) for panel in panels)
        for ax, panel in zip(axes, panels, strict=False):
            _draw(ax, panel, norm, span)
        bar = figure.colorbar(
            ScalarMappable(norm=norm, cmap=COLOURS), ax=list(axes), extend="both", shrink=0.85,
            aspect=28,
        )  # fmt: skip
        about = "" if middle == 0.0 else f" (white: {middle:.2f} V)"
        bar.set_label(f"Electrostatic potential (V){about}")
    return figure


def potential_surface_data(panels: Sequence[PotentialPanel]) -> FigureData:
    """Return every point in angstrom, its area in square angstrom and its potential in V."""
    return FigureData(
        header=("panel", "theory", "isodensity_e_bohr3", "x_ang", "y_ang", "z_ang", "area_ang2",
                "potential_V"),
        rows=tuple(
            (
                p.title, p.surface.theory, p.surface.isodensity_e_bohr3,
                *(float(c) for c in point), float(area), float(value),
            )
            for p in panels
            for point, area, value in zip(
                p.surface.points, p.surface.areas_ang2, p.surface.potential_V, strict=True
            )
        ),
    )  # fmt: skip


def _turned(angle_deg: float, axis: int) -> NDArray[np.float64]:
    """Return a rotation about an axis of the picture."""
    cos, sin = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    matrix = np.eye(3)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    matrix[i, i] = matrix[j, j] = cos
    matrix[i, j], matrix[j, i] = -sin, sin
    return matrix


def _scale(panels: Sequence[PotentialPanel], limit_V: float | None) -> tuple[float, float]:
    """Return the middle and the reach of the scale in V."""
    values = np.concatenate([panel.surface.potential_V for panel in panels])
    low, high = (float(x) for x in np.percentile(values, [1.0, 99.0]))
    middle = 0.0 if low < 0.0 < high else 0.5 * (low + high)
    reach = max(high - middle, middle - low, 1e-6) if limit_V is None else limit_V
    return middle, reach


def _span(panel: PotentialPanel) -> float:
    """Return half the width of the square that holds a panel, in angstrom."""
    seen = panel.surface.points @ panel.view().T
    disc = float(np.sqrt(panel.surface.areas_ang2.max()))
    return 0.52 * float(np.ptp(seen[:, :2], axis=0).max()) + 1.1 * disc


def _draw(ax: Axes, panel: PotentialPanel, norm: Any, span: float) -> None:
    """Draw the points that face the reader, far ones first, lit from the upper left."""
    from matplotlib import colormaps

    surface, view = panel.surface, panel.view()
    seen, facing = surface.points @ view.T, surface.normals @ view.T
    middle = 0.5 * (seen[:, :2].min(axis=0) + seen[:, :2].max(axis=0))
    order = np.argsort(seen[:, 2])
    order = order[facing[order, 2] > -0.05]
    light = np.clip(facing @ (_LIGHT / np.linalg.norm(_LIGHT)), 0.0, 1.0)
    colours = colormaps[COLOURS](norm(surface.potential_V))
    colours[:, :3] *= (0.72 + 0.28 * light)[:, None]
    # discs wide enough to hide the gaps between the points of an uneven set
    each = 2.2 * np.sqrt(surface.areas_ang2.max()) * 72.0 * _PANEL_IN / (2.0 * span)
    x, y = (seen[order, :2] - middle).T
    ax.scatter(
        x, y, s=each**2, c=colours[order], linewidths=0, rasterized=True,
        gid="surface",
    )  # fmt: skip
    _draw_atoms(ax, panel, view, middle)
    low, high = surface.extremes_V
    ax.set_xlim(-span, span)
    ax.set_ylim(-span, span)
    ax.set_aspect("equal")
    ax.set_axis_off()
    ax.set_title(panel.title)
    ax.text(
        0.5, -0.01, f"{low:+.2f} to {high:+.2f} V", transform=ax.transAxes, fontsize=7.0,
        color=FAINT, ha="center", va="top",
    )  # fmt: skip


def _draw_atoms(
    ax: Axes, panel: PotentialPanel, view: NDArray[np.float64], middle: NDArray[np.float64]
) -> None:
    """Draw the skeleton over the surface, thin, so that places can be named."""
    surface = panel.surface
    seen = surface.positions @ view.T
    seen[:, :2] -= middle
    radii = covalent_radii[surface.numbers]
    apart = np.linalg.norm(surface.positions[:, None] - surface.positions[None, :], axis=2)
    bonded = np.argwhere(np.triu(apart < 1.25 * (radii[:, None] + radii[None, :]), 1))
    for i, j in bonded:
        ax.plot(*seen[[i, j], :2].T, "-", color=INK, linewidth=0.6, alpha=0.55)
    for k in np.argsort(seen[:, 2]):
        number = int(surface.numbers[k])
        heavy = chemical_symbols[number] not in _LABELLED
        ax.plot(
            *seen[k, :2], "o", markersize=4.2 if heavy else 2.2, markeredgecolor=INK,
            markeredgewidth=0.4, markerfacecolor=tuple(jmol_colors[number]),
        )  # fmt: skip
        if number > 20:
            ax.annotate(
                chemical_symbols[number], (seen[k, 0], seen[k, 1]), xytext=(3.5, 2.5), fontsize=6.5,
                textcoords="offset points", color=INK,
            )  # fmt: skip
