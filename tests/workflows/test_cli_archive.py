"""`superionic reproduce --from-archive`."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import refused, superionic
from made_archives import made_archive

from superionic.structures.errors import RunFolderError
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
