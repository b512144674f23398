"""A route: a chain of hops head to tail, and points sampled along it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from superionic.structures.errors import InvalidHopError
from superionic.structures.hop import Hop
from superionic.structures.structure import readonly

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

STEP_FRACTIONAL = 0.05
"""Default step along a route, as a fraction of its length."""


@dataclass(frozen=True, eq=False)
class Route:
    """A chain of hops, head to tail, that ends on a lattice translation of where it starts.

    Attributes
    ----------
    hops : tuple of Hop
        The hop of each step: a representative of its class, in a host of its own. length=steps
    backward : tuple of bool
        Whether each step walks its hop from second to first site. length=steps
    points : ndarray
        Sites along the route in angstrom, not wrapped. shape=(steps + 1, 3)
    site_types : tuple of str
        Labels of those sites. length=steps + 1
    """

    hops: tuple[Hop, ...]
    backward: tuple[bool, ...]
    points: NDArray[np.float64]
    site_types: tuple[str, ...]

    def __post_init__(self) -> None:
        """Validate and freeze."""
        object.__setattr__(self, "points", readonly(self.points, np.float64))
        steps = len(self.hops)
        if steps == 0 or len(self.backward) != steps or self.points.shape != (steps + 1, 3):
            raise InvalidHopError(
                f"A route of {steps} hops needs as many directions and {steps + 1} points; got "
                f"{len(self.backward)} and shape {self.points.shape}."
            )
        lengths = np.linalg.norm(np.diff(self.points, axis=0), axis=1)
        expected = [hop.length_ang for hop in self.hops]
        if np.abs(lengths - expected).max() > 0.2 or len(self.site_types) != steps + 1:
            raise InvalidHopError(
                f"Steps of {np.round(lengths, 3)} A do not fit hops of {np.round(expected, 3)} A, "
                "or labels are missing. Build routes with build_route."
            )

    @property
    def displacement(self) -> NDArray[np.float64]:
        """Net displacement from first to last point in angstrom. shape=(3,)."""
        return np.asarray(self.points[-1] - self.points[0])

    @property
    def length_ang(self) -> float:
        """Length along the chain in angstrom."""
        return float(np.linalg.norm(np.diff(self.points, axis=0), axis=1).sum())

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of the hops. length=steps."""
        return tuple(hop.key for hop in self.hops)


class RouteSamples(NamedTuple):
    """Points along a route.

    Attributes
    ----------
    fractions : ndarray
        Distance along the route over its length, from 0 to 1. shape=(points,)
    positions : ndarray
        Cartesian positions of the ion in angstrom. shape=(points, 3)
    normals : ndarray
        Unit vectors along the route, normal to the plane in which a relaxed scan holds the ion;
        where two hops meet, half-way between theirs. shape=(points, 3)
    """

    fractions: NDArray[np.float64]
    positions: NDArray[np.float64]
    normals: NDArray[np.float64]


def sample_route(
    route: Route | Hop | ArrayLike, *, step_fractional: float = STEP_FRACTIONAL
) -> RouteSamples:
    """Sample a route in equal steps of its length: at 0, 0.05, 0.10, ... 1.

    Parameters
    ----------
    route
        A route, a hop, or the corners of a chain of straight pieces in angstrom.
        shape=(corners, 3)
    step_fractional
        Step as a fraction of the whole length; its inverse must be a whole number.

    Raises
    ------
    InvalidHopError
        The step does not divide the route, or two corners coincide.
    """
    corners = _corners(route)
    count = round(1 / step_fractional) if step_fractional > 0 else 0
    if count < 1 or abs(count * step_fractional - 1) > 1e-9:
        raise InvalidHopError(
            f"Expected a step that divides the route, such as 0.05; got {step_fractional}."
        )
    pieces = np.diff(corners, axis=0)
    lengths = np.linalg.norm(pieces, axis=1)
    if len(lengths) == 0 or not np.isfinite(corners).all() or lengths.min() < 1e-6:
        raise InvalidHopError(
            f"A route needs at least two corners, finite and apart; got {corners.tolist()}."
        )
    knots = np.concatenate([[0.0], np.cumsum(lengths)]) / lengths.sum()
    knots[-1] = 1.0
    fractions = np.linspace(0.0, 1.0, count + 1)
    positions = np.stack([np.interp(fractions, knots, axis) for axis in corners.T], axis=1)
    normals = _tangents(fractions, knots, pieces / lengths[:, None])
    return RouteSamples(readonly(fractions), readonly(positions), readonly(normals))


def _corners(route: Route | Hop | ArrayLike) -> NDArray[np.float64]:
    """Return the corners of a route, hop or chain of points. shape=(corners, 3)."""
    if isinstance(route, Route):
        return route.points
    if isinstance(route, Hop):
        first = route.host.positions[route.ion]
        return np.array([first, first + route.displacement])
    return np.asarray(route, dtype=float).reshape(-1, 3)


def _tangents(
    fractions: NDArray[np.float64], knots: NDArray[np.float64], units: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the direction of travel at each fraction, averaged at inner corners."""
    after = np.clip(np.searchsorted(knots, fractions + 1e-9, side="right") - 1, 0, len(units) - 1)
    before = np.clip(np.searchsorted(knots, fractions - 1e-9, side="left") - 1, 0, len(units) - 1)
    mean = units[before] + units[after]
    size = np.linalg.norm(mean, axis=1, keepdims=True)
    # a chain that turns straight back has no middle direction: keep the one it arrives in
    return np.asarray(np.where(size > 1e-6, mean / np.maximum(size, 1e-6), units[before]))
