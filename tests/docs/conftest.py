"""Makes the helper modules of the workflows' tests importable here too, and a Slurm."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fake_slurm import FakeSlurm

sys.path.insert(0, str(Path(__file__).parents[1] / "workflows"))


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSlurm]:
    """Commands that look like those of Slurm, first on the PATH."""
    from fake_slurm import first_on_the_path

    with first_on_the_path(tmp_path / "slurm", monkeypatch) as fake:
        yield fake
