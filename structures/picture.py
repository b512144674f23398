"""Cards for notebooks: what a value is in a few lines, beside a small picture of its atoms."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from superionic.structures.structure import Structure

MOST_ATOMS = 2000
"""Larger structures get no picture."""
SIDE_PX = 260.0
"""Longer side of a picture."""
_TILT_DEG = (-12.0, 14.0)
_RADIUS = 0.55
_PATH = "#d55e00"


def html_card(title: str, rows: Mapping[str, str], picture: str = "") -> str:
    """Return names and values as an HTML table, with a picture beside it.

    Parameters
    ----------
    title
        Above the table.
    rows
        Names and values, as text.
    picture
        What `svg_picture` returned; may be empty.
    """
    body = "".join(
        f'<tr><th style="text-align:left">{escape(name)}</th>'
        f'<td style="text-align:left">{escape(value)}</td></tr>'
        for name, value in rows.items()
    )
    table = f"<table><caption><b>{escape(title)}</b></caption>{body}</table>"
    return (
        '<div style="display:flex;flex-wrap:wrap;gap:1em;align-items:center">'
        f"{picture}{table}</div>"
    )


def svg_picture(structure: Structure, *, path: ArrayLike | None = None) -> str:
    """Return a small picture of a structure: near atoms over far ones, and the edges of its cell.

    Parameters
    ----------
    structure
        The atoms; those of a periodic structure are drawn inside the cell.
    path
        Positions to join by a line in angstrom, such as both ends of a hop. shape=(points, 3)

    Returns
    -------
    str
        An ``svg`` element; empty for more than `MOST_ATOMS` atoms.
    """
    if len(structure) > MOST_ATOMS:
        return ""
    turn = _camera(structure)
    atoms = _wrapped(structure) @ turn.T
    edges = _edges(structure) @ turn.T
    line = np.zeros((0, 3)) if path is None else np.asarray(path, dtype=float) @ turn.T
    everything = np.vstack([atoms, edges.reshape(-1, 3), line])
    low, high = everything[:, :2].min(axis=0) - 1.5, everything[:, :2].max(axis=0) + 1.5
    scale = SIDE_PX / float((high - low).max())
    flip = np.array([scale, -scale])

    def place(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((points[..., :2] - np.array([low[0], high[1]])) * flip)

    width, height = (high - low) * scale
    drawn = [
        f'<line x1="{a[0]:.1f}" y1="{a[1]:.1f}" x2="{b[0]:.1f}" y2="{b[1]:.1f}" stroke="#999"/>'
        for a, b in place(edges)
    ]
    drawn += _balls(structure, place(atoms), atoms[:, 2], scale)
    if len(line):
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in place(line))
        drawn.append(f'<polyline points="{points}" fill="none" stroke="{_PATH}" stroke-width="3"/>')
    label = escape(f"Picture of {structure.formula}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'role="img" aria-label="{label}">{"".join(drawn)}</svg>'
    )


def _camera(structure: Structure) -> NDArray[np.float64]:
    """Return the rotation to right, up and towards the reader: c upwards, a little from aside."""
    up = structure.cell[2] / np.linalg.norm(structure.cell[2])
    right = structure.cell[0] - (structure.cell[0] @ up) * up
    right = right / np.linalg.norm(right)
    frame = np.array([right, up, np.cross(right, up)])
    yaw, pitch = np.radians(_TILT_DEG)
    about_up = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    about_right = np.array(
        [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
    )
    return np.asarray(about_right @ about_up @ frame)


def _wrapped(structure: Structure) -> NDArray[np.float64]:
    """Return positions brought into the cell along the vectors that repeat."""
    outside = np.floor(structure.fractional + 1e-6) * np.array(structure.pbc)
    return np.asarray(structure.positions - outside @ structure.cell)


def _edges(structure: Structure) -> NDArray[np.float64]:
    """Return the edges of the cell, none where nothing repeats. shape=(edges, 2, 3)."""
    if not any(structure.pbc):
        return np.zeros((0, 2, 3))
    corners = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
    pairs = [(a, b) for a in range(8) for b in range(a) if abs(corners[a] - corners[b]).sum() == 1]
    return np.asarray(
        [[corners[a] @ structure.cell, corners[b] @ structure.cell] for a, b in pairs]
    )


def _balls(
    structure: Structure,
    places: NDArray[np.float64],
    depths: NDArray[np.float64],
    scale: float,
) -> list[str]:
    """Return a circle for each atom, the farthest first."""
    from ase.data import covalent_radii
    from ase.data.colors import jmol_colors

    found = []
    for k in np.argsort(depths):
        number = structure.numbers[k]
        red, green, blue = (round(255 * float(c)) for c in jmol_colors[number])
        radius = _RADIUS * float(covalent_radii[number]) * scale
        found.append(
            f'<circle cx="{places[k][0]:.1f}" cy="{places[k][1]:.1f}" r="{radius:.1f}" '
            f'fill="#{red:02x}{green:02x}{blue:02x}" stroke="#333" stroke-width="0.5"/>'
        )
    return found
