"""An orthographic painter: far shapes first, near ones over them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.errors import EvidenceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.patches import Patch
    from numpy.typing import ArrayLike, NDArray

Colour = tuple[float, float, float]

_LIGHT = np.array([-0.35, 0.55, 0.76])
_FOG = 0.45


def camera(
    cell: ArrayLike,
    *,
    along: Sequence[float],
    up: Sequence[float],
    tilt_deg: tuple[float, float] = (0.0, 0.0),
) -> NDArray[np.float64]:
    """Return the rotation from space to the picture: right, up, and towards the reader.

    Parameters
    ----------
    cell
        Lattice vectors as rows, in angstrom. shape=(3, 3)
    along
        Direction of view ``[u, v, w]`` in lattice vectors, pointing at the reader.
    up
        Direction ``[u, v, w]`` that points up in the picture.
    tilt_deg
        Turns about the picture's vertical and horizontal axis in degrees, to open a view along
        an axis a little.

    Returns
    -------
    ndarray
        Orthonormal rows. shape=(3, 3)

    Raises
    ------
    EvidenceError
        The two directions are parallel, or one of them is zero.
    """
    lattice = np.asarray(cell, dtype=float)
    towards, upwards = np.asarray(along) @ lattice, np.asarray(up) @ lattice
    right = np.cross(upwards, towards)
    if np.linalg.norm(right) < 1e-6:
        raise EvidenceError(f"View along {list(along)} and up {list(up)} must differ in direction.")
    right = right / np.linalg.norm(right)
    towards = towards / np.linalg.norm(towards)
    frame = np.array([right, np.cross(towards, right), towards])
    yaw, pitch = np.radians(tilt_deg)
    about_up = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    about_right = np.array(
        [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
    )
    return np.asarray(about_right @ about_up @ frame)


@dataclass
class Scene:
    """Shapes seen through a camera, in the order of their depth.

    Attributes
    ----------
    rotation : ndarray
        What `camera` returned. shape=(3, 3)
    depths : tuple of float
        Depth of the farthest and of the nearest thing in angstrom: farther shapes fade.
    """

    rotation: NDArray[np.float64]
    depths: tuple[float, float]
    _patches: list[tuple[float, int, Patch]] = field(default_factory=list)

    def sphere(self, centre: ArrayLike, radius_ang: float, colour: Colour) -> None:
        """Add a ball with a highlight."""
        from matplotlib.patches import Circle

        x, y, depth = self.rotation @ np.asarray(centre, dtype=float)
        faded = self._fade(colour, depth)
        edge = _mix(faded, (0.0, 0.0, 0.0), 0.45)
        ball = Circle((x, y), radius_ang, facecolor=faded, edgecolor=edge, linewidth=0.35)
        glint = Circle(
            (x - 0.3 * radius_ang, y + 0.32 * radius_ang),
            0.34 * radius_ang,
            facecolor=(1, 1, 1, 0.55),
            edgecolor="none",
        )
        self._add(depth, ball, glint)

    def face(self, corners: NDArray[np.float64], colour: Colour, *, alpha: float) -> None:
        """Add a translucent flat face, lit from the upper left. ``corners`` shape=(corners, 3)."""
        from matplotlib.patches import Polygon

        seen = corners @ self.rotation.T
        normal = np.cross(seen[1] - seen[0], seen[2] - seen[0])
        light = abs(float(normal @ _LIGHT)) / max(float(np.linalg.norm(normal)), 1e-9)
        depth = float(seen[:, 2].mean())
        lit = _mix(self._fade(colour, depth), (0.0, 0.0, 0.0), 0.28 * (1 - min(light, 1.0)))
        self._add(depth, Polygon(seen[:, :2], facecolor=(*lit, alpha), edgecolor="none"))

    def edge(
        self, start: ArrayLike, end: ArrayLike, colour: Colour, *, width_pt: float = 0.5
    ) -> None:
        """Add a straight line."""
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path

        seen = np.array([start, end], dtype=float) @ self.rotation.T
        depth = float(seen[:, 2].mean())
        self._add(
            depth,
            PathPatch(
                Path(seen[:, :2]),
                facecolor="none",
                edgecolor=self._fade(colour, depth),
                linewidth=width_pt,
            ),
        )

    def draw(self, ax: Axes) -> None:
        """Paint everything, the farthest first."""
        from matplotlib.collections import PatchCollection

        ordered = [patch for _, _, patch in sorted(self._patches, key=lambda p: p[:2])]
        ax.add_collection(PatchCollection(ordered, match_original=True), autolim=False)

    def _add(self, depth: float, *patches: Patch) -> None:
        for patch in patches:
            self._patches.append((float(depth), len(self._patches), patch))

    def _fade(self, colour: Colour, depth: float) -> Colour:
        """Mix a colour with the white of the paper, the more the farther away."""
        far, near = self.depths
        distance = (near - depth) / max(near - far, 1e-9)
        return _mix(colour, (1.0, 1.0, 1.0), _FOG * float(np.clip(distance, 0.0, 1.0)))


def _mix(colour: Colour, other: Colour, share: float) -> Colour:
    """Return a colour moved by a share towards another."""
    r, g, b = (c + (o - c) * share for c, o in zip(colour, other, strict=True))
    return (r, g, b)
