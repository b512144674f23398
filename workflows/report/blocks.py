"""Blocks of a report made from results: a saved figure, the paths of bands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superionic.workflows.report.content import Download, ReportFigure, ReportViewer, ViewerModel
from superionic.workflows.report.tables import hop_remark

if TYPE_CHECKING:
    from collections.abc import Sequence

    from superionic.analysis.barriers import BarrierResult
    from superionic.analysis.figures.style import SavedFigure


def figure_block(saved: SavedFigure, *, caption: str, alt: str) -> ReportFigure:
    """Return a saved figure with its numbers to download."""
    numbers = Download(name=saved.csv.name, content=saved.csv)
    return ReportFigure(image=saved.png, caption=caption, alt=alt, downloads=(numbers,))


def path_model(result: BarrierResult, *, name: str = "", group: str = "") -> ViewerModel | None:
    """Return the path of a hop for the interactive view, or None where no image exists.

    A hop that did not converge is shown with its reason and without energies.

    Parameters
    ----------
    result
        The hop.
    name
        In the list of paths; by default its key and its sites.
    group
        Heading in that list; by default where the hop is.
    """
    if result.structure is None or len(result.positions) == 0:
        return None
    converged = result.verdict == "converged"
    return ViewerModel(
        name=name or f"{result.key}: {' to '.join(result.site_types)}",
        group=group or result.environment,
        structure=result.structure,
        frames=result.positions,
        ion=result.ion,
        energies_eV=result.energies_eV if converged else None,
        coordinate=result.ion_coordinate if converged else None,
        note=_note(result),
    )


def path_viewer(results: Sequence[BarrierResult], *, caption: str) -> ReportViewer | None:
    """Return a viewer of all hops that have images, or None where none has."""
    models = tuple(m for r in results if (m := path_model(r)) is not None)
    return ReportViewer(caption=caption, models=models) if models else None


def _note(result: BarrierResult) -> str:
    """Say what the barrier is, or why there is none."""
    remark = hop_remark(result)
    if result.forward_barrier_eV is None or result.reverse_barrier_eV is None:
        return f"No barrier ({result.verdict}): {remark}"
    text = (
        f"Barrier {result.forward_barrier_eV:.3f} eV forward, "
        f"{result.reverse_barrier_eV:.3f} eV back, {result.theory}."
    )
    return f"{text} {remark[0].upper()}{remark[1:]}." if remark else text
