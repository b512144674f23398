"""Folders appear whole or not at all, and never in the place of others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from superionic.inputs.folders import write_folder
from superionic.structures.errors import DeckError

FILES = {"INCAR": "a = 1\n", "00/POSCAR": "b\n"}


def test_a_folder_is_written_and_written_again(tmp_path: Path) -> None:
    made = write_folder(tmp_path / "new" / "deck", FILES)
    assert {p.relative_to(made).as_posix() for p in made.rglob("*") if p.is_file()} == set(FILES)
    assert write_folder(made, FILES) == made
    assert sorted(p.name for p in made.parent.iterdir()) == ["deck"]
    (tmp_path / "empty").mkdir()
    write_folder(tmp_path / "empty", FILES)


def test_another_deck_stays(tmp_path: Path) -> None:
    made = write_folder(tmp_path / "deck", FILES)
    with pytest.raises(DeckError, match="another deck: its INCAR differs"):
        write_folder(made, FILES | {"INCAR": "a = 2\n"})
    with pytest.raises(DeckError, match="lacks KPOINTS"):
        write_folder(made, FILES | {"KPOINTS": "x"})
    (made / "OUTCAR").write_text("results")
    with pytest.raises(DeckError, match="holds OUTCAR"):
        write_folder(made, FILES)
    assert (made / "INCAR").read_text() == FILES["INCAR"]
    assert (made / "OUTCAR").read_text() == "results"
    (tmp_path / "file").write_text("x")
    with pytest.raises(DeckError, match="is a file"):
        write_folder(tmp_path / "file", FILES)


def test_nothing_is_left_of_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DeckError, match="No space left on device"):
        write_folder(tmp_path / "deck", FILES)
    assert list(tmp_path.iterdir()) == []
