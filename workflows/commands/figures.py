"""`superionic figures`: every figure of a results folder drawn again, for a paper or for slides."""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from superionic.structures.errors import RunFolderError, TaskFailedError
from superionic.workflows.commands.console import chatter_to_stderr, emit_json, note, say
from superionic.workflows.commands.folders import read_marker

if TYPE_CHECKING:
    from collections.abc import Callable

PICTURES = (".svg", ".pdf", ".png", ".csv")


def redraw_figures(path: Path, *, style: str, out: Path | None, as_json: bool) -> None:
    """Draw the figures of a folder; computes nothing, and writes nothing to what it reads.

    Parameters
    ----------
    path
        Folder of a command.
    style
        Name of a `superionic.analysis.figures.style.FigureStyle`.
    out
        Where to; by default ``figures-<style>`` in the folder.
    as_json
        List the files as JSON.

    Raises
    ------
    RunFolderError
        The folder holds nothing to draw.
    """
    from superionic.analysis.figures.style import STYLES, drawn_for

    marker, folder = read_marker(path), path.expanduser().absolute()
    command = str(marker.get("command"))
    if command not in _DRAWERS:
        raise RunFolderError(
            f"`superionic {command}`, which made {path}, has no figures to draw again. Name a "
            f"folder of {', '.join(f'`superionic {name}`' for name in _DRAWERS)}."
        )
    target = folder / f"figures-{style}" if out is None else out.expanduser().absolute()
    with chatter_to_stderr(), drawn_for(STYLES[style]):
        target.mkdir(parents=True, exist_ok=True)
        _DRAWERS[command](folder, marker["inputs"], target)
    written = sorted(p for p in target.rglob("*") if p.suffix in PICTURES)
    if not written:
        raise RunFolderError(f"{path} holds no result that a figure could show yet.")
    if as_json:
        emit_json([str(p) for p in written])
    else:
        stems: dict[str, list[str]] = {}
        for file in written:
            stem = str(file.relative_to(target)).removesuffix(file.suffix)
            stems.setdefault(stem, []).append(file.suffix)
        for stem, suffixes in stems.items():
            say(f"{stem}: {', '.join(suffixes)}")
        say(f"{len(stems)} figures in {target}")


def _draw_papers(folder: Path, inputs: dict[str, Any], target: Path) -> None:
    """Draw the figures of every paper that has results."""
    from superionic.workflows.commands.results import fidelity_of
    from superionic.workflows.papers import PAPERS
    from superionic.workflows.papers.reproduction import recalled

    for name in PAPERS:
        if not (folder / name).is_dir():
            continue
        paper = importlib.import_module(f"superionic.workflows.papers.{name}").PAPER
        try:
            protocol, _, results, found = recalled(
                paper, folder, fidelity=fidelity_of(folder, inputs)
            )
        except TaskFailedError as error:
            note(f"note: nothing of {name} can be drawn: {error}")
            continue
        if found.missing:
            note(f"note: {len(found.missing)} tasks of {name} have no result; they are left out.")
        with tempfile.TemporaryDirectory(dir=target) as scratch:
            paper.report(Path(scratch), protocol, results)
            _take_pictures(Path(scratch), target / name)


def _take_pictures(drawn: Path, target: Path) -> None:
    """Keep the figures of a folder, and of the tables only those that belong to one."""
    for picture in sorted(drawn.rglob("*.svg")):
        for suffix in PICTURES:
            file = picture.with_name(picture.name.removesuffix(".svg") + suffix)
            if file.exists():
                place = target / file.relative_to(drawn)
                place.parent.mkdir(parents=True, exist_ok=True)
                file.replace(place)


def _draw_barriers(folder: Path, inputs: dict[str, Any], target: Path) -> None:
    from superionic.workflows.commands.barrier_report import draw_barriers, stored_results

    draw_barriers(stored_results(folder), target / "barriers")


def _draw_binding(folder: Path, inputs: dict[str, Any], target: Path) -> None:
    from superionic.workflows.commands.binding_files import (
        draw_binding_levels,
        draw_binding_starts,
        read_binding,
    )

    result = read_binding(folder)
    if result.levels:
        draw_binding_levels(result, target)
    if result.starts:
        draw_binding_starts(result, target)


_DRAWERS: dict[str, Callable[[Path, dict[str, Any], Path], None]] = {
    "reproduce": _draw_papers,
    "barrier": _draw_barriers,
    "binding": _draw_binding,
}
"""Who draws the figures of a command's folder."""
