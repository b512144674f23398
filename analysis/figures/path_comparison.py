"""One path at two levels of theory: its profiles, and how far each image is off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

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

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from superionic.analysis.path_comparison import PathComparison


def path_comparison(comparison: PathComparison) -> Figure:
    """Draw both profiles of a path, and beside them the difference at each image.

    An image without an energy at the other level is a cross at the foot of the panel. A line joins
    neighbours only where both have a value. The barriers stand above the curves; that of the other
    level only where every image has an energy.

    Parameters
    ----------
    comparison
        What was handed over and what came back.
    """
    with figure_style():
        figure = new_figure(DOUBLE_COLUMN_IN, 3.2)
        left, right = figure.subplots(1, 2, width_ratios=(1.5, 1.0))
        _draw_profiles(left, comparison)
        _draw_differences(right, comparison)
        handles, labels = left.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper left", ncols=2)
    return figure


def path_comparison_data(comparison: PathComparison) -> FigureData:
    """Return every image of `path_comparison`, energies in eV; None where there is no value."""
    return FigureData(
        header=(
            "hop_key", "image", "state", "local_theory", "local_eV", "returned_theory",
            "returned_eV", "difference_eV", "residual_force_eV_per_A", "displacement_ang",
        ),
        rows=tuple(
            (
                comparison.key, i.index, i.state, comparison.local_theory, i.local_eV,
                comparison.returned_theory, i.returned_eV, i.difference_eV,
                i.residual_force_eV_per_A, i.displacement_ang,
            )
            for i in comparison.images
        ),
    )  # fmt: skip


def _draw_profiles(ax: Axes, comparison: PathComparison) -> None:
    """Draw energy against image at both levels."""
    x = [image.index for image in comparison.images]
    local = [image.local_eV for image in comparison.images]
    returned = [
        np.nan if image.returned_eV is None else image.returned_eV for image in comparison.images
    ]
    found = comparison.returned
    named = comparison.returned_theory or "other level"
    levels: tuple[tuple[str, Sequence[float], float | None], ...] = (
        (comparison.local_theory, local, comparison.local.forward_barrier_eV),
        (named, returned, None if found is None else found.forward_barrier_eV),
    )
    for k, (theory, energies, barrier) in enumerate(levels):
        colour, marker = series_style(k)
        gid = ("local", "returned")[k]
        ax.plot(x, energies, "-", color=colour, marker=marker, label=theory, gid=gid)
        value = "no value" if barrier is None else f"{barrier:.3f} eV"
        ax.text(
            0.02 + 0.5 * k, 0.985, f"barrier {value}", transform=ax.transAxes, color=colour,
            fontsize=7.5, fontweight="bold", va="top",
        )  # fmt: skip
    _mark_missing(ax, comparison)
    shown = np.asarray([*local, *returned])
    shown = shown[np.isfinite(shown)]
    span = max(float(np.ptp(shown)), 0.02)
    ax.set_ylim(shown.min() - 0.14 * span, shown.max() + 0.18 * span)
    ax.axhline(0.0, color=GRID, linewidth=0.8, zorder=0)
    ax.set_xticks(x)
    ax.set_xlabel("Image")
    ax.set_ylabel("Energy (eV)")
    how = "its own band" if comparison.returned_converged else "single points on the local path"
    ax.set_title(f"a  {comparison.key}", pad=14)
    ax.text(
        0.0, 1.015, f"{named}: {how}", transform=ax.transAxes, fontsize=7.0, color=FAINT,
        va="bottom",
    )  # fmt: skip


def _draw_differences(ax: Axes, comparison: PathComparison) -> None:
    """Draw the other level less the local one at each image."""
    colour, _ = series_style(1)
    for image in comparison.images:
        if image.difference_eV is not None:
            ax.bar(image.index, image.difference_eV, 0.7, color=colour, alpha=0.75)
    _mark_missing(ax, comparison)
    ax.axhline(0.0, color=INK, linewidth=0.7)
    ax.margins(y=0.15)
    ax.set_xticks([image.index for image in comparison.images])
    ax.set_xlabel("Image")
    ax.set_ylabel("Difference (eV)")
    ax.set_title("b  Returned less local", pad=14)
    worst = comparison.largest_difference_eV
    if worst is not None:
        ax.text(
            0.0, 1.015, f"largest {worst:.3f} eV", transform=ax.transAxes, fontsize=7.0,
            color=FAINT, va="bottom",
        )  # fmt: skip


def _mark_missing(ax: Axes, comparison: PathComparison) -> None:
    """Draw a cross at the foot for each image that has no energy at the other level."""
    if comparison.missing:
        ax.plot(
            comparison.missing, np.full(len(comparison.missing), 0.03), "x", color=FAINT,
            transform=ax.get_xaxis_transform(), label="no energy", gid="missing",
        )  # fmt: skip
