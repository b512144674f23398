"""The archives of the package: whole, small, and of today's protocols."""

from __future__ import annotations

from pathlib import Path

import pytest

from superionic.inputs.protocol import paper_protocol
from superionic.workflows.papers import archive
from superionic.workflows.papers.archive import packaged_archive, read_archive

PACKAGED = sorted((Path(archive.__file__).parent / "archives").glob("*.zip"))
BYTES = 1_500_000
"""The wheel carries them all."""


def test_there_are_some() -> None:
    assert "peo-quick" in [file.stem for file in PACKAGED]


@pytest.mark.parametrize("file", PACKAGED, ids=lambda file: file.stem)
def test_an_archive_is_whole_and_of_the_packaged_protocol(file: Path) -> None:
    paper, fidelity = file.stem.split("-")
    assert packaged_archive(paper, fidelity) == file
    assert file.stat().st_size < BYTES
    held = read_archive(file)
    assert held.protocol_text == paper_protocol(paper, fidelity).resolved_text()
    assert held.manifests
    assert all(manifest["state"] == "done" for manifest in held.manifests.values())
