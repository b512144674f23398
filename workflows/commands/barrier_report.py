"""The report of `superionic barrier`: every hop asked for, its profile, its path, its evidence."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from superionic.structures.errors import RunFolderError, SuperionicError
from superionic.workflows.commands.barrier_files import listed_rows
from superionic.workflows.commands.folders import read_marker
from superionic.workflows.runfolder import MANIFEST, RESULT, load_result, read_optional, read_run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

    from superionic.analysis.barriers import BarrierResult
    from superionic.analysis.figures.style import SavedFigure
    from superionic.workflows.report.content import Block, Fact, Section

MAX_CURVES = 6
"""Profiles drawn in one figure at most; more hops are drawn as a distribution."""


def write_barrier_report(folder: Path) -> Path:
    """Draw the figure and write ``report.html`` from what a folder holds; computes nothing.

    Raises
    ------
    RunFolderError
        No hop has ended in it, or it cannot be written.
    """
    from superionic import __version__
    from superionic.workflows.report.content import ReportContent
    from superionic.workflows.report.render import write_report

    marker, rows = read_marker(folder), listed_rows(folder)
    results = stored_results(folder)
    inputs = marker["inputs"]
    content = ReportContent(
        title=f"Migration barriers of {inputs.get('ion')} in {inputs.get('formula')}",
        subtitle=f"{inputs.get('mechanism')} hops with {inputs.get('theory')}, bands converged to "
        f"{inputs.get('fmax_eV_per_A')} eV/Å.",
        facts=_facts(rows),
        sections=_sections(folder, rows, results, marker),
        footer=f"superionic {__version__}",
    )
    try:
        return write_report(content, folder / "report.html")
    except OSError as error:
        raise RunFolderError(
            f"Cannot write {folder / 'report.html'}: {error.strerror or error}. Free some space, "
            f"then run `superionic report {folder}`."
        ) from error


def stored_results(folder: Path) -> list[BarrierResult]:
    """Return the result of every hop that was asked of a folder and has one.

    Raises
    ------
    RunFolderError
        No hop has ended in it.
    """
    return [r for row in listed_rows(folder) if (r := _result(folder, row)) is not None]


def _result(folder: Path, row: dict[str, Any]) -> BarrierResult | None:
    """Return the result behind a row, if its task has one."""
    task = row.get("task")
    if row["force_calls"] is None or not (folder / str(task) / RESULT).is_file():
        return None
    try:
        result: BarrierResult = load_result(folder / str(task))
    except SuperionicError:
        if row["converged"]:
            raise
        return None  # the row says why
    return result


def _facts(rows: Sequence[dict[str, Any]]) -> tuple[Fact, ...]:
    """Return what to read first: how many hops converged, and the lowest and highest barrier."""
    from superionic.workflows.report.content import Fact

    good = [row for row in rows if row["converged"]]
    facts = [
        Fact(
            "Converged hops",
            f"{len(good)} of {len(rows)}",
            tone="good" if len(good) == len(rows) else "warn",
        )
    ]
    if good:
        ranked = sorted(good, key=lambda row: float(row["forward_barrier_eV"]))
        for label, row in (("Lowest barrier", ranked[0]), ("Highest barrier", ranked[-1])):
            value = f"{row['forward_barrier_eV']:.3f} eV"
            facts.append(Fact(label, value, f"hop {row['hop']}, {' to '.join(row['site_types'])}"))
    return tuple(facts[:2] if len(good) == 1 else facts)


def _sections(
    folder: Path,
    rows: Sequence[dict[str, Any]],
    results: Sequence[BarrierResult],
    marker: dict[str, Any],
) -> tuple[Section, ...]:
    """Return hops, paths and evidence, in reading order."""
    from superionic.workflows.report.blocks import figure_block, path_viewer
    from superionic.workflows.report.content import CodeBlock, Section
    from superionic.workflows.report.tables import hop_table, task_table, version_table

    hops: list[Block] = []
    saved = draw_barriers(results, folder / "figure")
    if saved is not None:
        caption = "Energy along the hops, relative to the first image of each."
        alt = "Energy against the ion's coordinate for each hop; the numbers are in the CSV file."
        hops.append(figure_block(saved, caption=caption, alt=alt))
    if results:
        hops.append(hop_table(results, caption="Every hop that was asked for."))
    hops += [
        f"Hop {row['hop']} (`{row['key']}`) has no result: {row['reason']}"
        for row in rows
        if not any(r.key == row["key"] for r in results)
    ]
    viewer = path_viewer(results, caption="Choose a hop; play its images.")
    manifests = [
        m
        for record in read_run(folder)
        if "versions" in (m := read_optional(folder / record.key / MANIFEST))
    ]
    evidence: list[Block] = [CodeBlock("What was asked for", json.dumps(marker, indent=2))]
    if manifests:
        evidence = [
            task_table(manifests, caption="Tasks of this run."),
            version_table(manifests, caption="Versions they ran with."),
            *evidence,
        ]
    return (
        Section("Hops", tuple(hops)),
        *((Section("Paths in three dimensions", (viewer,)),) if viewer is not None else ()),
        Section("Evidence", tuple(evidence)),
    )


def draw_barriers(results: Sequence[BarrierResult], stem: Path) -> SavedFigure | None:
    """Draw the profiles of a few hops, or the distribution of many; None where none converged.

    Parameters
    ----------
    results
        Hops, converged or not.
    stem
        Path without suffix.
    """
    from superionic.analysis.figures.barrier_distribution import (
        BarrierGroup,
        barrier_distribution,
        barrier_distribution_data,
    )
    from superionic.analysis.figures.migration_profiles import (
        RouteProfiles,
        migration_profiles,
        migration_profiles_data,
    )
    from superionic.analysis.figures.style import save_figure

    good = [r for r in results if r.verdict == "converged"]
    if not good:
        return None
    if len(good) <= MAX_CURVES:
        routes = [
            RouteProfiles(route=f"hop {k}", name=" to ".join(r.site_types), profiles=(r,))
            for k, r in enumerate(good)
        ]
        return save_figure(migration_profiles(routes), stem, migration_profiles_data(routes))
    groups = [
        BarrierGroup(label=name, results=found)
        for name in ("bulk", "surface")
        if (found := tuple(r for r in results if r.environment == name))
    ]
    rule = f"Forward and reverse; bands to {good[0].fmax_target_eV_per_A:g} eV/Å."
    figure = barrier_distribution(groups, verdict="Barriers of all hops", rule=rule)
    return save_figure(figure, stem, barrier_distribution_data(groups))
