"""What `superionic binding` leaves in its folder beside the run: tables, geometry, report."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from superionic.structures.errors import RunFolderError
from superionic.workflows.commands.folders import read_marker
from superionic.workflows.runfolder import MANIFEST, read_optional, read_run
from superionic.workflows.serialise import (
    SerialiseError,
    decode,
    encode,
    read_json,
    write_json_atomic,
)

if TYPE_CHECKING:
    from pathlib import Path

    from superionic.analysis.binding import BindingResult
    from superionic.analysis.figures.style import SavedFigure
    from superionic.workflows.report.content import Block, Fact

RESULT = "binding.json"
"""The result of a folder, with all its structures."""


def write_binding(folder: Path, result: BindingResult) -> Path:
    """Write the result, the best geometry and the report; return the report.

    Raises
    ------
    RunFolderError
        A file cannot be written.
    """
    from superionic.structures.io import write_structure

    write_json_atomic(folder / RESULT, encode(result))
    for term in result.terms:
        name = "best" if term.role == "complex" else term.role
        write_structure(term.structure, folder / f"{name}.extxyz")
    return write_binding_report(folder)


def read_binding(folder: Path) -> BindingResult:
    """Return the result of a folder.

    Raises
    ------
    RunFolderError
        There is none yet, or it was edited.
    """
    from superionic.analysis.binding import BindingResult

    if not (folder / RESULT).is_file():
        raise RunFolderError(
            f"No binding energy has been found in {folder} yet. Run the `superionic binding` "
            "command again to resume it."
        )
    try:
        found = decode(read_json(folder / RESULT))
    except SerialiseError as error:
        raise RunFolderError(f"Cannot read {folder / RESULT}: {error}") from error
    if not isinstance(found, BindingResult):
        raise RunFolderError(f"{folder / RESULT} was edited; remove it and run again.")
    return found


def write_binding_report(folder: Path) -> Path:
    """Draw the figures and write ``report.html`` from what a folder holds; computes nothing."""
    from superionic import __version__
    from superionic.workflows.report.content import ReportContent, Section
    from superionic.workflows.report.render import write_report

    result = read_binding(folder)
    content = ReportContent(
        title=f"Binding of {result.molecule} on {result.surface_formula}",
        subtitle=f"{result.theory}.",
        facts=_facts(result),
        sections=(
            Section("Binding energy", _energies(folder, result)),
            Section("Starts and terms", _starts(folder, result)),
            Section("Evidence", _evidence(folder)),
        ),
        footer=f"superionic {__version__}",
    )
    return write_report(content, folder / "report.html")


def _facts(result: BindingResult) -> tuple[Fact, ...]:
    """Return what to read first."""
    from superionic.workflows.report.content import Fact

    if result.binding_energy_eV is None:
        return (Fact("Binding energy", "no value", result.reason, tone="warn"),)
    spread = "" if result.spread_eV is None else f"spread {result.spread_eV:.3f} eV"
    return (
        Fact("Binding energy E_b", f"{result.binding_energy_eV:+.3f} eV", "negative is bound"),
        Fact(
            "Converged starts", f"{result.converged_starts} of {result.relaxed_starts}", spread,
            tone="good" if result.converged_starts == result.relaxed_starts else "warn",
        ),
    )  # fmt: skip


def _energies(folder: Path, result: BindingResult) -> tuple[Block, ...]:
    """Return the levels side by side, their figure, charges and ions."""
    from superionic.workflows.report.binding_blocks import (
        charge_table,
        complex_viewer,
        ion_table,
        level_table,
        summary_line,
    )
    from superionic.workflows.report.blocks import figure_block

    blocks: list[Block] = [summary_line(result), *result.notes]
    if result.levels:
        blocks.append(
            figure_block(
                draw_binding_levels(result, folder),
                caption="Binding at each level of theory.",
                alt="Binding strength at each level; the numbers are in the table.",
            )
        )
        blocks.append(level_table([result], caption="Every level of theory."))
    ions = ion_table([result], caption="Against both references of a salt.")
    viewer = complex_viewer([result], caption="The best geometry.")
    if ions is not None:
        blocks.append(ions)
    if result.charges:
        blocks.append(charge_table([result], caption="Charge transfer, by named models."))
    return (*blocks, viewer) if viewer is not None else tuple(blocks)


def draw_binding_levels(result: BindingResult, folder: Path) -> SavedFigure:
    """Draw the binding energy at each level of theory."""
    from superionic.analysis.figures.binding_levels import binding_levels, binding_levels_data
    from superionic.analysis.figures.style import save_figure

    data = binding_levels_data([result])
    return save_figure(binding_levels([result]), folder / "levels", data)


def draw_binding_starts(result: BindingResult, folder: Path) -> SavedFigure:
    """Draw the binding energy of every converged start, and the parts of the best."""
    from superionic.analysis.figures.binding_starts import binding_starts, binding_starts_data
    from superionic.analysis.figures.style import save_figure

    data = binding_starts_data([result])
    return save_figure(binding_starts([result]), folder / "binding", data)


def _starts(folder: Path, result: BindingResult) -> tuple[Block, ...]:
    """Return every start and the terms of the value."""
    from superionic.workflows.report.binding_blocks import start_table, term_table
    from superionic.workflows.report.blocks import figure_block

    if not result.starts:
        return ("No start was made.",)
    return (
        figure_block(
            draw_binding_starts(result, folder),
            caption="Binding energy of every converged start, and the parts of the best.",
            alt="Binding energies of all starts; the numbers are in the table.",
        ),
        start_table([result], caption="Every start."),
        term_table([result], caption="The terms of the value; all share one hash of settings."),
    )


def _evidence(folder: Path) -> tuple[Block, ...]:
    """Return tasks, versions and what was asked for."""
    from superionic.workflows.report.content import CodeBlock
    from superionic.workflows.report.tables import task_table, version_table

    manifests = [
        m
        for record in read_run(folder)
        if "versions" in (m := read_optional(folder / record.key / MANIFEST))
    ]
    asked = CodeBlock("What was asked for", json.dumps(read_marker(folder), indent=2))
    if not manifests:
        return (asked,)
    return (
        task_table(manifests, caption="Tasks of this run."),
        version_table(manifests, caption="Versions they ran with."),
        asked,
    )
