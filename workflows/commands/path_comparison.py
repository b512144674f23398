"""How a handed-over path compares with what came back, as text and as plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from superionic.workflows.commands.console import emit_table, plain, say

if TYPE_CHECKING:
    from superionic.analysis.path_comparison import PathComparison


def show_images(comparison: PathComparison) -> None:
    """Write a row an image, what is wrong with any, and the summary."""
    emit_table(
        ["image", "state", f"{comparison.local_theory} eV",
         f"{comparison.returned_theory or 'returned'} eV", "difference eV", "residual eV/A",
         "moved A"],
        [
            [f"{i.index:02d}", i.state, i.local_eV, i.returned_eV, i.difference_eV,
             i.residual_force_eV_per_A, i.displacement_ang]
            for i in comparison.images
        ],
        decimals=4,
    )  # fmt: skip
    for image in comparison.images:
        if image.reason:
            say(f"image {image.index:02d}: {image.reason}")
    say(comparison.summary)


def comparison_record(comparison: PathComparison) -> dict[str, Any]:
    """Return a comparison and what follows from it as plain values."""
    record: dict[str, Any] = plain(comparison)
    for image, source in zip(record["images"], comparison.images, strict=True):
        image["difference_eV"] = source.difference_eV
    return record | {
        "complete": comparison.complete,
        "local": plain(comparison.local),
        "returned": plain(comparison.returned),
        "barrier_change_eV": comparison.barrier_change_eV,
        "largest_difference_eV": comparison.largest_difference_eV,
        "softening": comparison.softening,
        "summary": comparison.summary,
    }
