"""Energy against route coordinate, one panel a method, one colour a route (Fig. 6c of P1)."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.barriers import BarrierResult, largest_climb
from superionic.analysis.figures.style import (
    DOUBLE_COLUMN_IN,
    FAINT,
    GRID,
    SINGLE_COLUMN_IN,
    Cell,
    FigureData,
    figure_style,
    joined,
    new_figure,
    series_style,
)
from superionic.analysis.figures.traces import Method, Trace, method_of, trace_of
from superionic.analysis.scans import ScanProfile
from superionic.structures.errors import EvidenceError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

METHODS: dict[Method, str] = {
    "rigid": "Rigid scan",
    "relaxed": "Framework-relaxed scan",
    "neb": "Nudged elastic band",
}
"""Panels from left to right, and their titles."""


@dataclass(frozen=True)
class RouteProfiles:
    """What was computed along one route.

    Attributes
    ----------
    route : str
        Short name drawn at the curve, such as ``A``.
    name : str
        What the route is, such as ``inner channel``.
    profiles : tuple of ScanProfile or BarrierResult
        At most one rigid scan, one relaxed scan and one band (NEB).

    Raises
    ------
    EvidenceError
        Two profiles of one method.
    """

    route: str
    name: str
    profiles: tuple[ScanProfile | BarrierResult, ...]

    def __post_init__(self) -> None:
        """Validate."""
        methods = [method_of(p) for p in self.profiles]
        if len(set(methods)) != len(methods):
            raise EvidenceError(
                f"Route {self.route} has two profiles of one method: {methods}. Draw one route a "
                "profile, or all hops together with `barrier_distribution`."
            )

    def trace(self, method: Method) -> Trace | None:
        """Return what to draw of the profile made by a method, or None."""
        return next((trace_of(p) for p in self.profiles if method_of(p) == method), None)


def migration_profiles(
    routes: Sequence[RouteProfiles], *, fidelity: str = "", shared_energy_axis: bool = False
) -> Figure:
    """Draw energy against route coordinate for each route and method.

    Each panel says at which theory and fidelity it was made and whether it converged. A point
    that did not converge is a cross at the foot of the panel, without an energy; a band that did
    not converge is not drawn. Bands are drawn through their images by a monotone cubic, which
    never passes the highest image. The numbers above the curves are forward barriers; a dotted
    line shows the foot of a climb that does not start at the first point.

    Parameters
    ----------
    routes
        One entry a route, in drawing order.
    fidelity
        Named in every panel, if any.
    shared_energy_axis
        Draw all panels on one energy scale; by default each has its own.

    Raises
    ------
    EvidenceError
        No profile is given.
    """
    methods = [m for m in METHODS if any(r.trace(m) is not None for r in routes)]
    if not methods:
        raise EvidenceError("A figure of migration profiles needs at least one profile; got none.")
    width = SINGLE_COLUMN_IN if len(methods) == 1 else DOUBLE_COLUMN_IN
    with figure_style():
        figure = new_figure(width, 3.3)
        axes = figure.subplots(1, len(methods), sharey=shared_energy_axis, squeeze=False)[0]
        for k, (ax, method) in enumerate(zip(axes, methods, strict=True)):
            letter = f"{'abc'[k]}  " if len(methods) > 1 else ""
            ax.set_title(letter + METHODS[method], pad=14)
            _draw_panel(ax, {r.route: r.trace(method) for r in routes}, fidelity=fidelity)
        axes[0].set_ylabel("Energy (eV)")
        if shared_energy_axis:
            limits = [float(y) for ax in axes for y in ax.dataLim.intervaly]
            _set_energy_limits(axes[0], limits, routes=len(routes))
        handles, labels = _legend_entries(routes)
        figure.legend(handles, labels, loc="outside upper left", ncols=min(3, len(labels)))
    return figure


def migration_profiles_data(routes: Sequence[RouteProfiles], *, fidelity: str = "") -> FigureData:
    """Return the points that `migration_profiles` draws; None where there is no value."""
    rows: list[tuple[Cell, ...]] = []
    for route in routes:
        for trace in map(trace_of, route.profiles):
            what = (route.route, route.name, trace.method, trace.theory, fidelity, trace.key)
            for x, y in zip(trace.x.tolist(), trace.y.tolist(), strict=True):
                ok = bool(np.isfinite(y))
                rows.append((*what, x, y if ok else None, ok, trace.barrier_eV))
    return FigureData(
        header=(
            "route",
            "route_name",
            "method",
            "theory",
            "fidelity",
            "hop_key",
            "coordinate",
            "energy_eV",
            "converged",
            "forward_barrier_eV",
        ),
        rows=tuple(rows),
    )


def _draw_panel(ax: Axes, traces: Mapping[str, Trace | None], *, fidelity: str) -> None:
    """Draw every route's trace of one method, its barriers above and its evidence below."""
    evidence: list[str] = []
    barriers: list[tuple[str, str]] = []
    for index, (route, trace) in enumerate(traces.items()):
        if trace is None:
            evidence.append(f"{route}: not computed")
            continue
        _draw_trace(ax, trace, route=route, index=index)
        evidence.append(f"{route}: {trace.evidence}")
        value = "no value" if trace.barrier_eV is None else f"{trace.barrier_eV:.3f} eV"
        barriers.append((f"{route}  {value}", series_style(index)[0]))
    ax.set_xlim(-0.04, 1.04)
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    ax.set_xlabel("Route coordinate")
    _set_energy_limits(ax, ax.dataLim.intervaly, routes=len(barriers))
    ax.axhline(0.0, color=GRID, linewidth=0.8, zorder=0)
    _write_barriers(ax, barriers)
    theories = dict.fromkeys(t.theory for t in traces.values() if t is not None)
    ax.text(
        0.0,
        1.015,
        joined(" / ".join(theories), fidelity),
        transform=ax.transAxes,
        fontsize=7.0,
        color=FAINT,
        va="bottom",
    )
    _write_evidence(ax, evidence)


def _draw_trace(ax: Axes, trace: Trace, *, route: str, index: int) -> None:
    """Draw one profile: values as a line with markers, unconverged points as crosses below."""
    colour, marker = series_style(index)
    band = trace.method == "neb"
    ax.plot(*trace.curve, "-", color=colour, linewidth=1.5 if band else 1.0, gid=f"{route}-curve")
    ax.plot(
        trace.x,
        trace.y,
        linestyle="none",
        marker=marker,
        markersize=4.8 if band else 3.2,
        color=colour,
        markeredgecolor="white" if band else colour,
        markeredgewidth=0.5,
        gid=f"{route}-points",
    )
    missing = trace.x[np.isnan(trace.y)]
    if len(missing) and not band:
        ax.plot(
            missing,
            np.full(len(missing), 0.02 + 0.035 * index),
            "x",
            color=colour,
            markersize=3.5,
            transform=ax.get_xaxis_transform(),
            gid=f"{route}-unconverged",
        )
    if trace.barrier_eV is not None:
        _draw_climb(ax, trace, colour)


def _draw_climb(ax: Axes, trace: Trace, colour: str) -> None:
    """Show the foot of a barrier that does not start at the first point."""
    x, y = trace.x, trace.y
    top = largest_climb(y)[1]
    foot = int(np.argmin(y[: top + 1]))
    if foot:
        corner = ([x[foot], x[top], x[top]], [y[foot], y[foot], y[top]])
        ax.plot(*corner, ":", color=colour, linewidth=0.9, zorder=1, gid="climb")


def _set_energy_limits(ax: Axes, energies: Sequence[float], *, routes: int) -> None:
    """Leave room below for the crosses and above for a row of barriers for every two routes."""
    shown = np.asarray([0.0, *energies])
    shown = shown[np.isfinite(shown)]
    low, high = float(shown.min()), float(shown.max())
    span = max(high - low, 0.02)
    ax.set_ylim(low - 0.14 * span, high + (0.06 + 0.11 * ((routes + 1) // 2)) * span)


def _write_barriers(ax: Axes, barriers: Sequence[tuple[str, str]]) -> None:
    """Write the forward barriers in rows of their own above the curves."""
    for k, (text, colour) in enumerate(barriers):
        ax.text(
            (k % 2) * 0.5 + 0.02,
            0.985 - 0.075 * (k // 2),
            text,
            transform=ax.transAxes,
            color=colour,
            fontsize=7.5,
            fontweight="bold",
            va="top",
        )


def _write_evidence(ax: Axes, evidence: Sequence[str]) -> None:
    """Write a wrapped line of evidence a route under the axis."""
    lines = [line for e in evidence for line in textwrap.wrap(e, 44, subsequent_indent="    ")]
    ax.annotate(
        "\n".join(lines),
        (0.0, 0.0),
        xytext=(0, -34),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=6.3,
        color=FAINT,
        va="top",
        linespacing=1.35,
    )


def _legend_entries(routes: Sequence[RouteProfiles]) -> tuple[list[Artist], list[str]]:
    """Return one handle and label a route, and one for points without a value if there are any."""
    from matplotlib.lines import Line2D

    handles: list[Artist] = []
    for index in range(len(routes)):
        colour, marker = series_style(index)
        handles.append(Line2D([], [], color=colour, marker=marker))
    labels = [f"{r.route}  {r.name}" for r in routes]
    scans = [p for r in routes for p in r.profiles if isinstance(p, ScanProfile)]
    if not all(s.all_converged for s in scans):
        handles.append(Line2D([], [], color=FAINT, marker="x", linestyle="none", markersize=4))
        labels.append("point not converged, no value")
    return handles, labels
