"""Archives of reproductions: written, read and redrawn without computing anything."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from made_archives import ION, RULE, made_archive

from superionic.structures.errors import RunFolderError
from superionic.workflows.papers.archive import (
    HEAD,
    RESULTS,
    read_archive,
    redraw_archive,
)
from superionic.workflows.papers.reproduction import Paper
from superionic.workflows.papers.summary import PaperReport

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Asked:
    """What a report was drawn from."""

    protocol: object
    results: object


def report(seen: list[Asked]) -> Callable[[Path, object, object], PaperReport]:
    """Return what writes a report of one line, and remembers what it was drawn from."""

    def drawn(folder: Path, protocol: object, results: object) -> PaperReport:
        seen.append(Asked(protocol, results))
        (folder / "msd.csv").write_text("time_ps,msd\n1,2\n")
        return PaperReport("Title", "Fig. 1.", (), (), ("D = 1",), True)

    return drawn


def never(*_: object) -> None:
    raise AssertionError("nothing may be computed")


def paper(seen: list[Asked], name: str = "toy") -> Paper[object, object]:
    return Paper(name, lambda _: (RULE, 'fidelity = "quick"'), never, report(seen))


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """An archive of a run with one task; the same run gives the same bytes."""
    first, second = (made_archive(tmp_path, file=name) for name in ("a.zip", "b.zip"))
    assert first.read_bytes() == second.read_bytes()
    return first


def test_archive_holds_what_a_report_needs(made: Path) -> None:
    held = read_archive(made)
    assert held.protocol == RULE
    assert held.results.formula == ION.formula
    assert held.protocol_text == 'fidelity = "quick"'
    assert list(held.manifests) == ["task-1"]
    assert "fidelity quick" in held.remark
    assert "finished 2026-01-02" in held.remark
    with zipfile.ZipFile(made) as archive:
        assert "toy/rdf.csv" in archive.namelist()
        assert not any(b"secret" in archive.read(name) for name in archive.namelist())


def test_report_is_drawn_from_it_and_says_so(made: Path, tmp_path: Path) -> None:
    seen: list[Asked] = []
    summary = redraw_archive(paper(seen), made, tmp_path / "new")
    assert summary.ok
    assert summary.lines[0].startswith("Redrawn from an archive")
    assert seen[0].protocol == RULE
    page = Path(summary.report).read_text()
    assert "nothing was computed now" in page
    assert "task-1" in page
    with pytest.raises(RunFolderError, match="archive of toy, not of other"):
        redraw_archive(paper(seen, "other"), made, tmp_path / "other")


def broken(source: Path, target: Path, name: str, text: str) -> Path:
    """Copy an archive with another text for one member."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for member in old.namelist():
            new.writestr(member, text if member == name else old.read(member))
    return target


def test_archives_that_cannot_be_read(made: Path, tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="Cannot read the archive"):
        read_archive(tmp_path / "none.zip")
    (tmp_path / "text.zip").write_text("no zip")
    with pytest.raises(RunFolderError, match="It is broken"):
        read_archive(tmp_path / "text.zip")
    with zipfile.ZipFile(made) as archive:
        head = json.loads(archive.read(HEAD))
        results = json.loads(archive.read(RESULTS))
    other = broken(made, tmp_path / "v.zip", HEAD, json.dumps({**head, "format": 99}))
    with pytest.raises(RunFolderError, match="another format"):
        read_archive(other)
    results["surplus"] = 1
    newer = broken(made, tmp_path / "f.zip", RESULTS, json.dumps(results))
    with pytest.raises(RunFolderError, match="other fields in this version"):
        read_archive(newer)
