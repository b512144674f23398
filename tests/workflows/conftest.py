"""What holds for the tests of this folder; makes its helper modules importable."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fake_slurm import FakeSlurm

sys.path.insert(0, str(Path(__file__).parent))

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background of a script; processes that the tests interrupt would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with some structure files, good and bad."""
    from commands import write_structure_files

    return write_structure_files(tmp_path_factory.mktemp("cli"))


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSlurm]:
    """Commands that look like those of Slurm, first on the PATH."""
    from fake_slurm import first_on_the_path

    with first_on_the_path(tmp_path / "slurm", monkeypatch) as fake:
        yield fake


@pytest.fixture(scope="module", autouse=True)
def coarse_pictures() -> Iterator[None]:
    """Draw few pixels: every figure as always, but quicker."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("superionic.analysis.figures.style.DPI", 40)
        yield
