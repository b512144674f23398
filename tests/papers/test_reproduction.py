"""How a paper is reproduced: once, and again only where something is missing or changed."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from superionic.structures.errors import RunFolderError, TaskFailedError
from superionic.structures.structure import Structure
from superionic.workflows.papers import reproduction
from superionic.workflows.papers.page import read_part, write_reproduction_page
from superionic.workflows.papers.reproduction import Paper, reproduce, retell
from superionic.workflows.papers.summary import PaperReport
from superionic.workflows.papers.together import reproduce_all
from superionic.workflows.relax import RelaxResult, RelaxSettings, relax_task
from superionic.workflows.report.content import ReportTable, Section, Traced
from superionic.workflows.report.templating import fixed

SETTINGS = RelaxSettings(fmax_eV_per_A=0.05, max_steps=30)


class Example:
    """A paper of one relaxation, which counts its reports."""

    def __init__(self, *, name: str = "toy", text: str = "fmax = 0.05") -> None:
        self.name, self.text, self.reports, self.energy_eV = name, text, 0, 0.0

    @property
    def paper(self) -> Paper[str, RelaxResult]:
        return Paper(self.name, lambda _: (self.text, self.text), self.compute, self.report)

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
        self.energy_eV = result.energy_eV
        (folder / "energy.csv").write_text(f"{result.energy_eV}\n")
        table = ReportTable(
            "Energies.",
            ("Energy (eV)", "Twice (eV)", "Published (eV)"),
            ((result.energy_eV, Traced(2 * result.energy_eV, (result,)), 1.35),),
        )
        sections = (Section("Energy", (table,)),)
        return PaperReport(text, "", (), sections, (f"{result.energy_eV:.6f}",), ok=True)


def test_a_second_time_does_nothing(tmp_path: Path) -> None:
    example = Example()
    first = reproduce(example.paper, tmp_path, progress=False)
    log = (tmp_path / "runs" / "run.log").read_bytes()
    assert reproduce(example.paper, tmp_path, progress=False) == first
    assert example.reports == 1
    assert (tmp_path / "runs" / "run.log").read_bytes() == log


def lose_part(out: Path) -> None:
    (out / "toy" / "part.json").unlink()


def edit_table(out: Path) -> None:
    (out / "toy" / "energy.csv").write_text("0\n")


def lose_result(out: Path) -> None:
    shutil.rmtree(next((out / "runs").glob("relax-*")))


def break_seal(out: Path) -> None:
    (out / "toy" / reproduction.SEAL).write_text("[]")


@pytest.mark.parametrize("harm", [lose_part, edit_table, lose_result, break_seal])
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


@pytest.mark.parametrize("text", ["", "<p>edited</p>"])
def test_a_page_is_put_together_again(tmp_path: Path, text: str) -> None:
    example = Example()
    page = Path(reproduce(example.paper, tmp_path, progress=False).report)
    assert page == tmp_path / "report.html"
    before = page.read_text()
    page.write_text(text) if text else page.unlink()
    reproduce(example.paper, tmp_path, progress=False)
    assert page.read_text() == before
    assert example.reports == 1


def test_telling_again_computes_nothing(tmp_path: Path) -> None:
    example = Example()
    with pytest.raises(RunFolderError, match="no run folder"):
        retell(example.paper, tmp_path)
    first = reproduce(example.paper, tmp_path, progress=False)
    assert retell(example.paper, tmp_path) == first
    assert example.reports == 2
    assert reproduce(example.paper, tmp_path, progress=False) == first
    assert example.reports == 2, "sealed anew"
    lose_result(tmp_path)
    with pytest.raises(TaskFailedError, match="has not been computed"):
        retell(example.paper, tmp_path)
    assert not list((tmp_path / "runs").glob("relax-*"))


def test_all_papers_stand_on_one_page(tmp_path: Path) -> None:
    first, second = Example(name="one"), Example(name="two")
    broken = replace(Example(name="lost").paper, compute=lose_task)
    said: list[str] = []
    outcomes = reproduce_all(
        [first.paper, broken, second.paper], tmp_path, tell=said.append, progress=False
    )
    assert [outcome.summary.ok for outcome in outcomes] == [True, False, True]
    assert "Nothing converged." in outcomes[1].summary.lines[0]
    assert [line.split(":")[0] for line in said] == ["one", "lost", "two"]
    page = (tmp_path / "report.html").read_text()
    assert page.index('<article class="part" id="one"') < page.index('id="two"')
    assert 'id="lost"' not in page


def lose_task(_: str) -> RelaxResult:
    raise TaskFailedError("Nothing converged.")


def test_numbers_name_their_tasks(tmp_path: Path) -> None:
    example = Example()
    page = Path(reproduce(example.paper, tmp_path, progress=False).report).read_text()
    part = read_part(tmp_path / "toy")
    assert part is not None
    (task,) = json.loads(part.tasks)["tasks"]
    assert task["key"].startswith("relax-")
    assert task["function"] == "superionic.workflows.relax.relax_task"
    assert "theory = emt" in task["inputs"]
    assert "structure = 2 atoms, Al2" in task["inputs"]
    computed = re.findall(r'data-tasks="([^"]*)">([^<]*)<', page)
    assert computed == [("0", fixed(example.energy_eV, 3)), ("0", fixed(2 * example.energy_eV, 3))]


def test_what_another_version_wrote_is_left_out(tmp_path: Path) -> None:
    reproduce(Example(name="one").paper, tmp_path, progress=False)
    reproduce(Example(name="two").paper, tmp_path, progress=False)
    part = tmp_path / "one" / "part.json"
    part.write_text(part.read_text().replace('"subtitle"', '"motto"'))
    page = write_reproduction_page(tmp_path).read_text()
    assert 'id="two"' in page
    assert 'id="one"' not in page


def test_a_moved_folder_names_its_new_place(tmp_path: Path) -> None:
    example = Example()
    reproduce(example.paper, tmp_path / "here", progress=False)
    (tmp_path / "here").rename(tmp_path / "there")
    moved = reproduce(example.paper, tmp_path / "there", progress=False)
    assert moved.report == str(tmp_path / "there" / "report.html")
    assert example.reports == 1
