from __future__ import annotations

import io
import json
import logging
import time
from pathlib import Path

import demo_jobs as demo
import pytest
from rich.console import Console

from superionic.workflows.context import TaskContext, entered
from superionic.workflows.execution import Run
from superionic.workflows.progress import (
    ProgressWriter,
    RunProgress,
    TaskView,
    expected_seconds,
    format_seconds,
    remaining_seconds,
    report_progress,
)


def view(name: str, state: str, elapsed: float = 0.0, wall: float | None = None) -> TaskView:
    return TaskView(name, f"{name}-1", state, Path("none"), elapsed, wall)


def test_the_file_holds_the_latest_news(tmp_path: Path) -> None:
    path = tmp_path / "progress.json"
    writer = ProgressWriter(path, interval_s=0.0)
    writer.update(step=1, fmax=0.5, message="start")
    writer.update(step=2, fmax=None)
    assert json.loads(path.read_text()) == {"step": 2, "fmax": 0.5, "message": "start"}


def test_the_file_is_not_written_at_every_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr("superionic.workflows.progress.time.monotonic", lambda: clock[0])
    path = tmp_path / "progress.json"
    writer = ProgressWriter(path, interval_s=1.0)
    seen = []
    for step in range(30):
        writer.update(step=step)
        seen.append(json.loads(path.read_text())["step"])
        clock[0] += 0.125  # exact in binary
    assert sorted(set(seen)) == [0, 8, 16, 24]


def test_a_full_disk_does_not_stop_a_task(tmp_path: Path) -> None:
    ProgressWriter(tmp_path / "gone" / "progress.json").update(step=1)


def test_reports_go_to_the_log_and_to_the_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "progress.json"
    with (
        caplog.at_level(logging.INFO),
        entered(TaskContext(lambda: tmp_path, ProgressWriter(path))),
    ):
        report_progress(step=4, total=9, fmax=0.12345, message="band 1 of 2")
        report_progress(step=5, fmax=float("nan"))
    assert caplog.messages[0] == "band 1 of 2, step 4/9, fmax 0.1235 eV/A"
    told = json.loads(path.read_text())
    assert told == {"step": 4, "total": 9, "fmax": 0.12345, "message": "band 1 of 2"}


def test_reporting_outside_a_task_only_logs(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        report_progress(step=1)
    assert caplog.messages == ["step 1"]


def test_expected_time_is_the_median_of_finished_namesakes() -> None:
    tasks = [
        view("relax", "done", wall=10.0),
        view("relax", "reused", wall=30.0),
        view("relax", "done", wall=14.0),
        view("relax", "failed", wall=1.0),
        view("neb", "done", wall=500.0),
    ]
    assert expected_seconds("relax", tasks) == 14.0
    assert expected_seconds("scan", tasks) is None


def test_time_left_is_shared_by_the_workers() -> None:
    tasks = [
        view("relax", "done", wall=10.0),
        view("relax", "done", wall=40.0),
        view("relax", "running", elapsed=4.0),  # 25 s expected, as of any
        view("relax", "running", elapsed=30.0),  # 40 s expected: only one took longer than 30
        view("relax", "pending"),
    ]
    assert remaining_seconds(tasks, 2) == (21.0 + 10.0 + 25.0) / 2
    assert remaining_seconds([], 2) == 0.0


def test_time_left_is_that_of_the_longest_task_at_least() -> None:
    tasks = [view("relax", "done", wall=10.0), view("relax", "pending")]
    assert remaining_seconds(tasks, 8) == 10.0


def test_no_time_left_is_told_without_a_precedent() -> None:
    tasks = [view("relax", "done", wall=10.0), view("relax", "running", elapsed=11.0)]
    assert remaining_seconds(tasks, 2) is None
    assert remaining_seconds([view("neb", "pending")], 2) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "-"), (0.2, "0s"), (59.6, "1m00s"), (185, "3m05s"), (7800, "2h10m")],
)
def test_durations_are_short(seconds: float | None, text: str) -> None:
    assert format_seconds(seconds) == text


def shown(tasks: list[TaskView], folder: Path) -> tuple[str, str]:
    console = Console(file=io.StringIO(), width=120)
    display = RunProgress(lambda: tasks, workers=2, console=console)
    console.print(display.render())
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue(), display.line()


def test_table_and_line_show_what_runs(tmp_path: Path) -> None:
    (tmp_path / "progress.json").write_text(
        json.dumps({"step": 12, "total": 80, "fmax": 0.0712, "message": "[end 1]"})
    )
    tasks = [
        view("relax", "done", wall=60.0),
        view("relax", "pending"),
        TaskView("relax", "relax-77", "running", tmp_path, 40.0, None),
    ]
    table, line = shown(tasks, tmp_path)
    for expected in ("relax-77", "12/80", "0.071", "40s", "1m00s", "[end 1]", "1 of 3 tasks"):
        assert expected in table
    assert "relax-1 " not in table
    assert line == (
        "1 done, 1 pending, 1 running of 3 tasks; about 1m00s left; relax-77 40s [end 1] step 12 "
        "fmax 0.071"
    )


def test_nothing_to_show_yet(tmp_path: Path) -> None:
    table, line = shown([], tmp_path)
    assert "0 of 0 tasks" in table
    assert line == ""


def test_lines_are_printed_where_there_is_no_terminal() -> None:
    console = Console(file=io.StringIO(), width=120)
    tasks = [view("relax", "pending")]
    display = RunProgress(lambda: tasks, workers=1, console=console, line_interval_s=0.05)
    display.start()
    time.sleep(0.3)
    tasks[0] = view("relax", "done", wall=1.0)
    display.stop()
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert lines == ["1 pending of 1 tasks", "1 done of 1 tasks"]


def test_a_broken_display_does_not_stop_a_run(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> list[TaskView]:
        raise RuntimeError("no")

    display = RunProgress(broken, workers=1, console=Console(file=io.StringIO()))
    display.start()
    display.stop()
    assert "display stopped" in caplog.text


def test_a_run_is_shown_live_on_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Console(file=io.StringIO(), force_terminal=True, width=120)
    monkeypatch.setattr("rich.console.Console", lambda **_: screen)
    with Run(tmp_path, workers=1, progress=True):
        future = demo.chatty.submit(1.6)
    assert isinstance(screen.file, io.StringIO)
    text = screen.file.getvalue()
    assert future.key in text
    assert "[bold] relaxing" in text
    assert "1 done of 1 tasks" in text
    assert "fmax" in (future.folder / "task.log").read_text()
