"""How a paper is reproduced: once, and again only where something is missing or changed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from superionic.structures.structure import Structure
from superionic.workflows.papers import reproduction
from superionic.workflows.papers.reproduction import Paper, reproduce
from superionic.workflows.papers.summary import PaperReport
from superionic.workflows.relax import RelaxResult, RelaxSettings, relax_task

SETTINGS = RelaxSettings(fmax_eV_per_A=0.05, max_steps=30)


class Example:
    """A paper of one relaxation, which counts its reports."""

    def __init__(self, *, text: str = "fmax = 0.05") -> None:
        self.text, self.reports = text, 0

    @property
    def paper(self) -> Paper[str, RelaxResult]:
        return Paper("toy", lambda _: (self.text, self.text), self.compute, self.report)

    def compute(self, _: str) -> RelaxResult:
        pair = Structure(
            numbers=np.array([13, 13]),
            positions=np.array([[0.0, 0.0, 0.0], [2.4, 0.0, 0.0]]),
            cell=12.0 * np.eye(3),
            pbc=(True, True, True),
        )
        return relax_task.submit(pair, "emt", SETTINGS).result()

    def report(self, folder: Path, text: str, result: RelaxResult) -> PaperReport:
        self.reports += 1
        (folder / "energy.csv").write_text(f"{result.energy_eV}\n")
        return PaperReport(text, "", (), (), (f"{result.energy_eV:.6f}",), ok=True)


def test_a_second_time_does_nothing(tmp_path: Path) -> None:
    example = Example()
    first = reproduce(example.paper, tmp_path, progress=False)
    log = (tmp_path / "runs" / "run.log").read_bytes()
    assert reproduce(example.paper, tmp_path, progress=False) == first
    assert example.reports == 1
    assert (tmp_path / "runs" / "run.log").read_bytes() == log


def lose_report(out: Path) -> None:
    (out / "toy" / "report.html").unlink()


def edit_table(out: Path) -> None:
    (out / "toy" / "energy.csv").write_text("0\n")


def lose_result(out: Path) -> None:
    shutil.rmtree(next((out / "runs").glob("relax-*")))


def break_seal(out: Path) -> None:
    (out / "toy" / reproduction.SEAL).write_text("[]")


@pytest.mark.parametrize("harm", [lose_report, edit_table, lose_result, break_seal])
def test_what_is_missing_or_edited_is_made_again(
    tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    example = Example()
    first = reproduce(example.paper, tmp_path, progress=False)
    table = (tmp_path / "toy" / "energy.csv").read_text()
    harm(tmp_path)
    assert reproduce(example.paper, tmp_path, progress=False) == first
    assert example.reports == 2
    assert (tmp_path / "toy" / "energy.csv").read_text() == table
    assert list((tmp_path / "runs").glob("relax-*"))


def test_another_protocol_or_code_writes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    example = Example()
    reproduce(example.paper, tmp_path, progress=False)
    example.text = "fmax = 0.02"
    reproduce(example.paper, tmp_path, progress=False)
    assert example.reports == 2
    monkeypatch.setattr(reproduction, "source_digest", lambda: "other code")
    reproduce(example.paper, tmp_path, progress=False)
    assert example.reports == 3
    reproduce(example.paper, tmp_path, progress=False, redraw=True)
    assert example.reports == 4


def test_a_moved_folder_names_its_new_place(tmp_path: Path) -> None:
    example = Example()
    reproduce(example.paper, tmp_path / "here", progress=False)
    (tmp_path / "here").rename(tmp_path / "there")
    moved = reproduce(example.paper, tmp_path / "there", progress=False)
    assert moved.report == str(tmp_path / "there" / "toy" / "report.html")
    assert example.reports == 1
