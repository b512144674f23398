"""Figures of what DFT codes sent back: a relaxation, a path, a path at two levels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superionic.analysis.path_comparison import PathComparison
from superionic.inputs.outputs.records import CollectedRun
from superionic.structures.errors import NotConvergedError

if TYPE_CHECKING:
    from pathlib import Path

    from superionic.analysis.barriers import BarrierResult
    from superionic.analysis.figures.style import SavedFigure


def draw_collected(found: CollectedRun | BarrierResult | PathComparison, stem: Path) -> SavedFigure:
    """Draw a finished run, a converged path or a comparison of two levels.

    Parameters
    ----------
    found
        What came back.
    stem
        Path without suffix.

    Raises
    ------
    NotConvergedError
        It has no value to draw.
    """
    from superionic.analysis.figures.path_comparison import path_comparison, path_comparison_data
    from superionic.analysis.figures.style import save_figure

    if isinstance(found, PathComparison):
        return save_figure(path_comparison(found), stem, path_comparison_data(found))
    if isinstance(found, CollectedRun):
        return _draw_run(found, stem)
    return _draw_path(found, stem)


def _draw_run(run: CollectedRun, stem: Path) -> SavedFigure:
    """Draw the steps of one run."""
    from superionic.analysis.figures.relaxation_trace import (
        relaxation_trace,
        relaxation_trace_data,
    )
    from superionic.analysis.figures.style import save_figure

    if not run.finished:
        raise NotConvergedError(
            f"{run.folder} is {run.state} ({run.reason}); a figure is drawn of a finished run only."
        )
    theory = run.theory or run.code
    evidence = f"finished, {run.ionic_steps} steps"
    if run.fmax_eV_per_A is not None and run.fmax_target_eV_per_A is not None:
        evidence += f", fmax {run.fmax_eV_per_A:.3f} ≤ {run.fmax_target_eV_per_A:g} eV/Å"
    figure = relaxation_trace(run.step_energies_eV, theory=theory, evidence=evidence)
    return save_figure(figure, stem, relaxation_trace_data(run.step_energies_eV, theory=theory))


def _draw_path(result: BarrierResult, stem: Path) -> SavedFigure:
    """Draw the profile of a path that converged."""
    from superionic.analysis.figures.migration_profiles import (
        RouteProfiles,
        migration_profiles,
        migration_profiles_data,
    )
    from superionic.analysis.figures.style import save_figure

    if not result.converged:
        raise NotConvergedError(
            f"The path has no barrier: {result.reason} A figure is drawn of a converged path only."
        )
    routes = (RouteProfiles(route="path", name=result.key, profiles=(result,)),)
    return save_figure(migration_profiles(routes), stem, migration_profiles_data(routes))
