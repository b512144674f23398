"""`superionic reproduce --from-archive`."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import refused, superionic
from made_archives import made_archive

from superionic.structures.errors import RunFolderError
from superionic.workflows.papers import archive
from superionic.workflows.papers.archive import packaged_archive


def test_archive_of_another_paper(tmp_path: Path) -> None:
    file = made_archive(tmp_path)
    said = superionic(
        "reproduce", "latp", "--from-archive", "--archive", file, "--out", tmp_path / "r"
    )
    assert "archive of toy, not of latp" in refused(said)


def test_archives_are_for_one_paper(tmp_path: Path) -> None:
    two = superionic("reproduce", "latp", "nzsp", "--from-archive", "--out", tmp_path / "s")
    assert two.code == 2
    assert "name one paper" in two.err
    with pytest.raises(RunFolderError, match="No archive of latp"):
        packaged_archive("latp", "paper")


@pytest.mark.slow
def test_packaged_archives_are_drawn(tmp_path: Path) -> None:
    files = sorted((Path(archive.__file__).parent / "archives").glob("*.zip"))
    assert files
    for file in files:
        paper, fidelity = file.stem.split("-")
        out = tmp_path / file.stem
        told = superionic(
            "reproduce", paper, "--from-archive", "--fidelity", fidelity, "--out", out, "--json"
        )
        assert told.code == 0, told.err
        assert paper in told.json
        assert "Redrawn from an archive" in (out / "report.html").read_text("utf-8")
        assert list((out / paper).glob("*.svg"))
