from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import demo_jobs as demo
import pytest

from superionic.workflows.execution import Run
from superionic.workflows.pool import LocalPool
from superionic.workflows.runfolder import TaskSpec, prepare_task_folder


def pid_task(run: Path, number: int) -> Path:
    """A task that returns the pid of its worker, or its parent's for odd numbers."""
    name = "getppid" if number % 2 else "getpid"
    spec = TaskSpec(name=f"{name}{number}", module="os", qualname=name, version=1, inputs={})
    return prepare_task_folder(run, spec)


def result_of(pool: LocalPool, folder: Path) -> int:
    import json

    told = pool.submit(folder, cpus=1, function=None).result(timeout=30)
    assert told == {"state": "done"}
    pid: int = json.loads((folder / "result.json").read_text())["result"]
    return pid


def test_a_worker_stays_and_is_a_child_of_the_driver(tmp_path: Path) -> None:
    pool = LocalPool(workers=1, folder=tmp_path)
    first, parent, second = (result_of(pool, pid_task(tmp_path, n)) for n in (0, 1, 2))
    pool.close()
    assert first == second != os.getpid() == parent


def test_a_worker_killed_between_tasks_is_replaced(tmp_path: Path) -> None:
    pool = LocalPool(workers=1, folder=tmp_path)
    first = result_of(pool, pid_task(tmp_path, 0))
    os.kill(first, signal.SIGKILL)
    time.sleep(0.05)
    assert result_of(pool, pid_task(tmp_path, 2)) != first
    pool.close()


@pytest.mark.parametrize("program", ["/bin/false", "/nonexistent/python"])
def test_workers_that_do_not_start_are_an_error_not_a_hang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    monkeypatch.setattr(sys, "executable", program)
    pool = LocalPool(workers=2, folder=tmp_path)
    futures = [pool.submit(pid_task(tmp_path, n), cpus=1, function=None) for n in range(4)]
    for future in futures:
        assert isinstance(future.exception(timeout=30), Exception)
    pool.close()


def test_the_last_words_of_a_worker_are_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho 'no libstdc++ here' >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    pool = LocalPool(workers=1, folder=tmp_path)
    error = pool.submit(pid_task(tmp_path, 0), cpus=1, function=None).exception(timeout=30)
    pool.close()
    assert "do not start: no libstdc++ here (see" in str(error)


def test_closing_with_kill_ends_tasks_at_once(tmp_path: Path) -> None:
    spec = TaskSpec(name="nap", module="time", qualname="sleep", version=1, inputs={})
    folder = prepare_task_folder(tmp_path, spec)
    pool = LocalPool(workers=1, folder=tmp_path)
    function = cloudpickled_nap()
    future = pool.submit(folder, cpus=1, function=function)
    while not (folder / "running.json").exists():
        time.sleep(0.02)
    before = time.monotonic()
    pool.close(kill=True)
    assert time.monotonic() - before < 5.0
    assert future.result()["state"] == "died"
    assert "SIGKILL" in future.result()["message"]
    assert not (folder / "result.json").exists()


def cloudpickled_nap() -> bytes:
    import cloudpickle  # type: ignore[import-untyped]

    content: bytes = cloudpickle.dumps(lambda: __import__("time").sleep(60))
    return content


@pytest.mark.slow
def test_a_thousand_tiny_tasks_cost_less_than_a_minute(tmp_path: Path) -> None:
    with Run(tmp_path / "run", workers=2) as run:
        futures = [demo.add.submit(float(k), 1.0) for k in range(1000)]
        assert [f.result() for f in futures] == [k + 1.0 for k in range(1000)]
    assert run.summary().done == 1000
    assert run.summary().wall_s < 60.0
    with Run(tmp_path / "run", workers=2) as again:
        assert demo.add.submit(7.0, 1.0).result() == 8.0
    assert again.summary().reused == 1
