"""Reading a run's folder as it was written, and telling its inputs and sources."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import demo_jobs as demo
import numpy as np
import pytest

from superionic.structures.errors import RunFolderError, TaskFailedError
from superionic.structures.structure import Structure
from superionic.workflows.commands.results import fidelity_of
from superionic.workflows.execution import Run
from superionic.workflows.jobs import OPEN_RUNS
from superionic.workflows.recall import Recall
from superionic.workflows.report.content import Traced
from superionic.workflows.report.sources import TaskIndex, is_telling
from superionic.workflows.report.task_records import task_records
from superionic.workflows.serialise import encode
from superionic.workflows.told_inputs import told_inputs

PI, E = 3.141592653589793, 2.718281828459045


def look(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_recall_answers_from_the_folder_alone(tmp_path: Path) -> None:
    with Run(tmp_path, workers=1):
        demo.add.submit(1.0, 2.0).result()
    before = look(tmp_path)
    with Recall(tmp_path) as found:
        first = demo.add.submit(1.0, 2.0)
        assert first.result() == 3.0
        assert demo.add.submit(1.0, 2.0) is first
        with pytest.raises(TaskFailedError, match="has not been computed in this folder"):
            demo.add.submit(first, 5.0).result()
    assert OPEN_RUNS == []
    assert found.keys == [first.key]
    assert len(found.missing) == 1
    assert look(tmp_path) == before


def test_recall_believes_no_edited_result(tmp_path: Path) -> None:
    with Run(tmp_path, workers=1):
        key = demo.add.submit(1.0, 2.0).key
    result = tmp_path / key / "result.json"
    result.write_text(result.read_text().replace("3.0", "4.0"))
    with Recall(tmp_path), pytest.raises(TaskFailedError, match="checksum"):
        demo.add.submit(1.0, 2.0).result()


def test_recall_needs_a_folder(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="no run folder"):
        Recall(tmp_path / "absent")


@pytest.mark.parametrize(
    ("number", "telling"),
    [(PI, True), (-1.2345678912e-7, True), (0.05, False), (298.15, False), (0.0, False),
     (1e-300, False), (100000000000.0, False)],
)  # fmt: skip
def test_telling_numbers(number: float, telling: bool) -> None:
    assert is_telling(number) is telling


@dataclass(frozen=True)
class Found:
    energy_eV: float
    others: dict[str, tuple[float, ...]]
    curve: np.ndarray


def made(runs: Path, key: str, result: object) -> str:
    (runs / key).mkdir()
    (runs / key / "result.json").write_text(json.dumps({"key": key, "result": result}))
    return key


def test_numbers_are_found_where_they_were_made(tmp_path: Path) -> None:
    keys = [
        made(tmp_path, "relax-1", {"energy_eV": PI, "fmax": 0.05}),
        made(tmp_path, "barrier-2", {"start": PI, "barrier": {"$tuple": [-E, 0.05]}}),
        made(tmp_path, "long-3", encode(np.full(500, 1.23456789123))),
    ]
    index = TaskIndex(tmp_path, [*keys, "gone-4"])
    assert index.tasks_of(PI) == (0,), "the later task was handed it"
    assert index.tasks_of(E) == (1,), "a barrier may be told with the other sign"
    assert index.tasks_of(0.05) == (), "a setting comes from nowhere"
    assert index.tasks_of(1.23456789123) == (), "long arrays are not searched"
    assert index.tasks_of(Traced(PI - E, (PI, E))) == (0, 1)
    assert index.tasks_of(Found(0.5, {"a": (E,)}, np.array([PI, 1.0]))) == (0, 1)
    assert index.tasks_of(Found(0.5, {}, np.zeros((3, 3)))) == ()


def test_inputs_are_told_in_short() -> None:
    host = Structure(numbers=np.array([11, 17]), positions=np.eye(3)[:2] * 2, cell=6 * np.eye(3))
    told = dict(
        told_inputs(
            {
                "structure": encode(host),
                "theory": "emt",
                "held": encode((1, 2)),
                "pairs": encode(((1, "a"), (2, "b"))),
                "other": {"$type": "superionic.workflows.runfolder:TaskRef", "key": "relax-1"},
                "curve": encode(np.zeros((40, 3))),
                "text": "word " * 100,
                "none": None,
            }
        )
    )
    assert told["structure"] == "2 atoms, ClNa"
    assert told["theory"] == "emt"
    assert told["held"] == "[1, 2]"
    assert told["pairs.1"] == "[2, b]"
    assert told["other"] == "result of relax-1"
    assert told["curve"] == "array of 40 x 3 float64"
    assert len(told["text"]) < 200
    assert told["none"] == "none"


def test_records_of_tasks(tmp_path: Path) -> None:
    with Run(tmp_path, workers=1) as run:
        first = demo.add.submit(1.0, 2.0)
        second = demo.add.submit(first, 5.0)
        assert second.result() == 8.0
    keys = [record.key for record in run.summary().tasks]
    told = task_records(tmp_path, [*keys, "gone-1"])
    assert [task["key"] for task in told["tasks"]] == [*keys, "gone-1"]
    one, two, gone = told["tasks"]
    assert one["function"] == "demo_jobs.add"
    assert two["parents"] == [first.key]
    assert f"result of {first.key}" in two["inputs"]
    assert len(one["sha256"]) == 64
    assert told["versions"][one["versions"]]["numpy"] == np.__version__
    assert "host" not in gone


def test_a_folder_that_does_not_say_its_fidelity_is_refused(tmp_path: Path) -> None:
    assert fidelity_of(tmp_path, {"fidelity": "standard"}) == "standard"
    with pytest.raises(RunFolderError, match="does not say at which fidelity"):
        fidelity_of(tmp_path, {})
