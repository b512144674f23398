"""`superionic reproduce` and `superionic report`: papers redrawn, and reports written again."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import typer

from superionic.inputs.protocol import OWN, paper_protocol
from superionic.structures.errors import RunFolderError, TaskFailedError
from superionic.workflows.commands.console import chatter_to_stderr, emit_json, note, plain, say
from superionic.workflows.commands.folders import claim_folder, read_marker
from superionic.workflows.serialise import canonical_hash, write_bytes_atomic

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from superionic.workflows.papers.reproduction import Paper
    from superionic.workflows.papers.summary import ReproductionSummary

PROTOCOL = "protocol.toml"
"""A protocol of the user's own, in a results folder."""

_WRITERS = {
    "barrier": ("superionic.workflows.commands.barrier_report", "write_barrier_report"),
    "binding": ("superionic.workflows.commands.binding_files", "write_binding_report"),
}
"""Who writes the report of a command's folder."""


def reproduce(
    papers: Sequence[str],
    *,
    fidelity: str,
    out: Path,
    workers: int | None,
    progress: bool,
    as_json: bool,
    from_archive: bool = False,
    archive: Path | None = None,
) -> None:
    """Redraw the computed figures of papers; leave with exit code 1 unless all numbers exist."""
    if from_archive or archive is not None:
        if len(papers) != 1:
            raise typer.BadParameter("name one paper with an archive.", param_hint="PAPERS")
        if from_archive:
            _from_archive(papers[0], archive, fidelity=fidelity, out=out, as_json=as_json)
            return
    from superionic.workflows.papers.together import reproduce_all

    chosen = _known(papers)
    folder, held = _claimed(out, chosen, fidelity)
    kept = {} if archive is None else {"archive": archive.expanduser().absolute()}
    with chatter_to_stderr():
        outcomes = reproduce_all(
            [_paper(name) for name in chosen], folder, tell=note, fidelity=held,
            workers=workers, progress=progress, **kept,
        )  # fmt: skip
    _show({one.name: one.summary for one in outcomes}, as_json=as_json)


def _from_archive(name: str, file: Path | None, *, fidelity: str, out: Path, as_json: bool) -> None:
    """Draw the report of a paper from an archive, that of this package unless one is named."""
    from superionic.workflows.papers.archive import packaged_archive, redraw_archive

    (paper,) = _known([name])
    source = packaged_archive(paper, fidelity) if file is None else file.expanduser().absolute()
    folder = claim_folder(out, "reproduce", {"fidelity": fidelity, "archive": str(source)})
    with chatter_to_stderr():
        summary = redraw_archive(_paper(paper), source, folder)
    _show({paper: summary}, as_json=as_json)


def _claimed(out: Path, papers: Sequence[str], fidelity: str) -> tuple[Path, str]:
    """Return the results folder and the fidelity; a protocol of the user's own is kept there."""
    if not fidelity.endswith(".toml"):
        return claim_folder(out, "reproduce", {"fidelity": fidelity}), fidelity
    if len(papers) != 1:
        raise typer.BadParameter("a protocol of your own is for one paper; name that one.")
    protocol = paper_protocol(papers[0], fidelity)
    _paper(papers[0]).load(fidelity)  # refuses what it does not know
    text = protocol.resolved_text()
    folder = claim_folder(out, "reproduce", {"fidelity": OWN, "protocol": canonical_hash(text)})
    kept = folder / PROTOCOL
    if not kept.exists():
        write_bytes_atomic(kept, text.encode())
    return folder, str(kept)


def rebuild(path: Path, *, as_json: bool) -> None:
    """Write the report of a results folder again; computes nothing."""
    marker, folder = read_marker(path), path.expanduser().absolute()
    command = marker.get("command")
    if command in _WRITERS:
        module, name = _WRITERS[command]
        with chatter_to_stderr():
            written = getattr(importlib.import_module(module), name)(folder)
        if as_json:
            emit_json({"report": str(written)})
        else:
            say(str(written))
    elif command == "reproduce" and "archive" in marker["inputs"]:
        raise RunFolderError(
            f"{path} was drawn from an archive: run `superionic reproduce --from-archive` again."
        )
    elif command == "reproduce":
        _show(_retold(folder, fidelity_of(folder, marker["inputs"])), as_json=as_json)
    else:
        raise RunFolderError(
            f"There is no report on `superionic {command}`, which made {path}. Name a folder of "
            "`superionic reproduce`, `superionic barrier` or `superionic binding`."
        )


def fidelity_of(folder: Path, inputs: dict[str, Any]) -> str:
    """Return at which fidelity, or by which protocol, the papers in a results folder were computed.

    Parameters
    ----------
    folder
        Of `superionic reproduce`.
    inputs
        What its marker says of them.

    Raises
    ------
    RunFolderError
        It does not say.
    """
    if "fidelity" not in inputs:
        raise RunFolderError(
            f"{folder} does not say at which fidelity it was computed. Run `superionic reproduce` "
            "with the fidelity it was made at and this folder as --out."
        )
    fidelity = str(inputs["fidelity"])
    return str(folder / PROTOCOL) if fidelity == OWN else fidelity


def _retold(folder: Path, fidelity: str) -> dict[str, ReproductionSummary]:
    """Write the report of all papers of which a results folder holds something."""
    from superionic.workflows.papers.reproduction import retell

    told: dict[str, ReproductionSummary] = {}
    begun = [paper for paper in _known(()) if (folder / paper).is_dir()]
    for name in begun or _known(()):
        with chatter_to_stderr():
            try:
                told[name] = retell(_paper(name), folder, fidelity=fidelity)
            except TaskFailedError as error:
                if begun:
                    note(f"note: nothing of {name} can be told: {error}")
    if not told:
        raise RunFolderError(
            f"Nothing in {folder} is far enough to be told yet. Run the `superionic reproduce` "
            "command again to resume it."
        )
    return told


def _show(summaries: dict[str, ReproductionSummary], *, as_json: bool) -> None:
    """Write what was found, and leave with exit code 1 unless all of it has its evidence."""
    if as_json:
        emit_json({paper: plain(summary) for paper, summary in summaries.items()})
    else:
        for paper, summary in summaries.items():
            say(f"{paper}:")
            for line in summary.lines:
                say(f"  {line}")
        for report in dict.fromkeys(summary.report for summary in summaries.values()):
            say(f"report: {report}")
    short = [paper for paper, summary in summaries.items() if not summary.ok]
    if short:
        note(
            f"error: not every number of {', '.join(short)} exists with its evidence; the report "
            "says what has none and why."
        )
        raise typer.Exit(1)


def _known(papers: Sequence[str]) -> tuple[str, ...]:
    """Return the papers asked for, all of them if none."""
    from superionic.workflows.papers import PAPERS

    unknown = [paper for paper in papers if paper not in PAPERS]
    if unknown:
        raise typer.BadParameter(
            f"there is no paper {' or '.join(unknown)}; known: {', '.join(PAPERS)}.",
            param_hint="PAPERS",
        )
    return tuple(dict.fromkeys(papers)) or PAPERS


def _paper(name: str) -> Paper[Any, Any]:
    """Return a paper by its name."""
    paper: Paper[Any, Any] = importlib.import_module(f"superionic.workflows.papers.{name}").PAPER
    return paper
