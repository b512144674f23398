"""How every paper is reproduced: compute what is missing, write the report, seal both."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import asdict, dataclass, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from superionic.structures.errors import TaskFailedError
from superionic.workflows.execution import Run
from superionic.workflows.papers.frame import framed
from superionic.workflows.papers.page import PAGE, write_part, write_reproduction_page
from superionic.workflows.papers.summary import PaperReport, ReproductionSummary
from superionic.workflows.recall import Recall
from superionic.workflows.report.part import render_part
from superionic.workflows.report.sources import TaskIndex
from superionic.workflows.runfolder import RESULT
from superionic.workflows.serialise import PACKAGE, canonical_hash, read_json, write_bytes_atomic

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["PROTOCOL", "SEAL", "Paper", "reproduce", "retell"]

P = TypeVar("P")
R = TypeVar("R")

SEAL, PROTOCOL = "finished.json", "protocol.toml"
"""In a paper's folder: what its report was written from and what was written; its settings."""


@dataclass(frozen=True)
class Paper(Generic[P, R]):
    """One paper as a worked example.

    Attributes
    ----------
    name : str
        Name on the command line, and of the folder its figures and tables go to.
    load : callable
        Fidelity to the protocol and its resolved text.
    compute : callable
        Protocol to results; submits its tasks to the run that is open.
    report : callable
        Folder for figures and tables, protocol and results to what the report says.
    """

    name: str
    load: Callable[[str], tuple[P, str]]
    compute: Callable[[P], R]
    report: Callable[[Path, P, R], PaperReport]


def reproduce(
    paper: Paper[P, R],
    out: Path,
    *,
    fidelity: str = "quick",
    workers: int | None = None,
    progress: bool = True,
    title: str = "",
    archive: Path | None = None,
) -> ReproductionSummary:
    """Compute what is missing of a paper and write its report.

    Nothing is done where the report was written by this very code from this protocol and all of
    its tasks' results and files are still as they were left.

    Parameters
    ----------
    paper
        Which one.
    out
        Results folder; finished tasks in it are not done again.
    fidelity
        ``quick`` or ``standard``.
    workers
        Worker processes; by default one a core.
    progress
        Show a live table.
    title
        Shown above it; the paper's name by default.
    archive
        File for an archive of what was found; see `superionic.workflows.papers.archive`.

    Raises
    ------
    TaskFailedError
        A task without which there is nothing to report failed.
    """
    protocol, text = paper.load(fidelity)
    seal, origin = out / paper.name / SEAL, canonical_hash((text, source_digest()))
    if archive is None and (sealed := _unbroken(seal, out, origin)) is not None:
        write_reproduction_page(out)
        return sealed
    with Run(out / "runs", workers=workers, progress=progress, title=title or paper.name) as run:
        results = paper.compute(protocol)
    told = run.summary()
    keys = [record.key for record in told.tasks]
    seal.unlink(missing_ok=True)
    summary = write_paper_report(paper, out, protocol, text, results, keys)
    if not (told.failed or told.skipped or told.unfinished):
        _seal(seal, out, origin, keys, summary)
    if archive is not None:
        from superionic.workflows.papers.archive import write_archive

        write_archive(
            archive, out, paper.name, fidelity=fidelity, protocol=protocol, protocol_text=text,
            results=results, task_keys=keys,
        )  # fmt: skip
    return summary


def retell(paper: Paper[P, R], out: Path, *, fidelity: str = "quick") -> ReproductionSummary:
    """Draw and write anew what a results folder holds of a paper; computes nothing.

    A hop, or whatever else has no result in the folder, is told to have none.

    Parameters
    ----------
    paper
        Which one.
    out
        Results folder.
    fidelity
        At which it was computed, where no protocol is kept with its report.

    Raises
    ------
    TaskFailedError
        A task without which there is nothing to report has no result there.
    """
    protocol, text, results, found = recalled(paper, out, fidelity=fidelity)
    (out / paper.name / SEAL).unlink(missing_ok=True)
    summary = write_paper_report(paper, out, protocol, text, results, found.keys)
    if not found.missing:
        origin = canonical_hash((text, source_digest()))
        _seal(out / paper.name / SEAL, out, origin, found.keys, summary)
    return summary


def recalled(paper: Paper[P, R], out: Path, *, fidelity: str) -> tuple[P, str, R, Recall]:
    """Return what a results folder holds of a paper; computes nothing.

    Parameters
    ----------
    paper
        Which one.
    out
        Results folder.
    fidelity
        At which it was computed, where no protocol is kept with its report.

    Returns
    -------
    tuple
        Protocol, its resolved text, results, and which tasks were found and which were not.

    Raises
    ------
    TaskFailedError
        A task without which there is nothing to report has no result there.
    """
    kept = out / paper.name / PROTOCOL
    protocol, text = paper.load(str(kept) if kept.is_file() else fidelity)
    with Recall(out / "runs") as found:
        results = paper.compute(protocol)
    if not found.keys:
        raise TaskFailedError(f"No task of {paper.name} has a result in {out}.")
    return protocol, text, results, found


def write_paper_report(
    paper: Paper[P, R],
    out: Path,
    protocol: P,
    text: str,
    results: R,
    task_keys: Sequence[str],
    *,
    remark: str = "",
) -> ReproductionSummary:
    """Draw the figures and tables of a paper to its folder, take it into the report, and sum up.

    Parameters
    ----------
    paper
        Which one.
    out
        Results folder.
    protocol, text
        What was run, and its resolved text.
    results
        What it found.
    task_keys
        Tasks that the results rest on.
    remark
        What the report has to say before all else.
    """
    folder = out / paper.name
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes_atomic(folder / PROTOCOL, text.encode())
    told = paper.report(folder, protocol, results)
    content = framed(
        told,
        paper=paper.name,
        fidelity=str(tomllib.loads(text).get("fidelity", "")),
        out=out,
        protocol_text=text,
        task_keys=task_keys,
        remark=remark,
    )
    index = TaskIndex(out / "runs", task_keys)
    write_part(render_part(content, name=paper.name, index=index), folder)
    page = write_reproduction_page(out)
    lines = (remark, *told.lines) if remark else told.lines
    return ReproductionSummary(report=str(page), lines=lines, ok=told.ok)


def source_digest() -> str:
    """Return a hash of all source files of this package, data files included."""
    root = Path(str(resources.files(PACKAGE)))
    digest = hashlib.sha256()
    for room in sorted(path for path in root.iterdir() if path.is_dir()):
        for path in sorted(room.resolve().rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(path.read_bytes())
    return digest.hexdigest()


def _seal(
    seal: Path, out: Path, origin: str, keys: Sequence[str], summary: ReproductionSummary
) -> None:
    """Note what the report was written from and how its files look."""
    written = [p for p in sorted(seal.parent.rglob("*")) if p.is_file()]
    results = [out / "runs" / key / RESULT for key in keys]
    content = {
        "origin": origin,
        "summary": asdict(replace(summary, report=PAGE)),
        "files": {p.relative_to(out).as_posix(): _look(p) for p in (*results, *written)},
    }
    write_bytes_atomic(seal, json.dumps(content, indent=1).encode())


def _unbroken(seal: Path, out: Path, origin: str) -> ReproductionSummary | None:
    """Return the summary of a report that is still as it was sealed."""
    if not seal.is_file():
        return None
    content: Any = read_json(seal)
    if not isinstance(content, dict) or content.get("origin") != origin:
        return None
    if any(_look(out / name) != look for name, look in content["files"].items()):
        return None
    told = content["summary"]
    return ReproductionSummary(
        report=str(out / told["report"]), lines=tuple(told["lines"]), ok=told["ok"]
    )


def _look(path: Path) -> list[int] | None:
    """Return size in bytes and time of change in ns of a file; None if it is gone."""
    if not path.is_file():
        return None
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]
