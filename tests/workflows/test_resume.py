"""Drivers that are killed, interrupted, doubled: real processes, real signals."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from superionic.workflows.runfolder import read_run

HERE = Path(__file__).parent

DRIVER = """
import sys
import demo_jobs as demo
from superionic.workflows.execution import Run

folder, journal, tag = sys.argv[1:4]
with Run(folder, workers=2) as run:
    naps = [demo.sleep.submit(0.12, i, journal) for i in range(8)]
    sums = [demo.add.submit(float(i), journal=journal) for i in range(6)]
    chain = demo.total.submit(tuple(sums), extra={})
    last = demo.add.submit(chain, journal=journal)
    assert last.result() == 22.0
told = run.summary()
print(told.done, told.reused, told.unfinished)
"""

SCRIPT = """
from superionic.structures.structure import Structure
from superionic.workflows.execution import Run, job

OFFSET = 2

@job(version=1)
def double(x: int) -> int:
    return plain(x) + OFFSET

def plain(x: int) -> int:
    return 2 * x

@job(version=1)
def both(x: int) -> int:
    return double(x) + double(x + 1)

if True:  # no __main__ guard needed
    with Run("run") as run:
        print(both.submit(double.submit(1)).result(), run.summary().reused)
"""


def start(script: Path, *arguments: str | Path, cwd: Path | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(script), *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
    )


def finish(process: subprocess.Popen[str], timeout: float = 60.0) -> str:
    out, err = process.communicate(timeout=timeout)
    assert process.returncode == 0, err
    return out


def end(process: subprocess.Popen[str], how: signal.Signals) -> None:
    process.send_signal(how)
    process.communicate(timeout=30)


def done(run: Path) -> dict[str, int]:
    """Finished tasks and when their results were written."""
    if not run.exists():
        return {}
    return {
        r.key: (run / r.key / "result.json").stat().st_mtime_ns
        for r in read_run(run)
        if r.state == "done"
    }


def workers_of(run: Path) -> list[int]:
    """Live processes that work in a run's folder."""
    found = []
    for status in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = status.read_bytes().split(b"\0")
            if b"superionic.workflows.worker" in words:
                here = (status.parent / "cwd").resolve()
                found += [int(status.parent.name)] if run in here.parents else []
        except OSError:
            continue
    return found


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def driver(tmp_path: Path) -> Path:
    path = tmp_path / "driver.py"
    path.write_text(DRIVER)
    return path


def test_killed_at_random_moments_no_finished_task_is_redone(driver: Path, tmp_path: Path) -> None:
    run, journal = tmp_path / "run", tmp_path / "journal"
    moments = random.Random(7)
    finished: dict[str, int] = {}
    for attempt in range(4):
        process = start(driver, run, journal, "x")
        if attempt % 2:  # during start-up, else after some work was done
            time.sleep(moments.uniform(0.2, 0.9))
        else:
            known = len(finished)
            wait_until(lambda: len(done(run)) > known, 5.0)  # noqa: B023
            time.sleep(moments.uniform(0.0, 0.3))
        end(process, signal.SIGKILL)
        assert wait_until(lambda: not workers_of(run), 5.0), "workers outlived their driver"
        now = done(run)
        assert finished.items() <= now.items(), "a finished task was lost or done again"
        finished = now
    out = finish(start(driver, run, journal, "x"))
    computed, reused, unfinished = map(int, out.split())
    assert finished.items() <= done(run).items()
    assert (computed + reused, unfinished) == (16, 0)
    assert reused >= len(finished)
    assert finish(start(driver, run, journal, "x")).split() == ["0", "16", "0"]
    assert len(done(run)) == 16


def test_interrupt_ends_workers_at_once_and_keeps_what_is_finished(
    driver: Path, tmp_path: Path
) -> None:
    driver.write_text(DRIVER.replace("0.12", "0.8"))
    run, journal = tmp_path / "run", tmp_path / "journal"
    process = start(driver, run, journal, "x")
    assert wait_until(lambda: len(done(run)) >= 1, 20.0)
    end(process, signal.SIGINT)
    assert process.returncode != 0
    assert not workers_of(run)
    kept = done(run)
    assert kept
    states = {r.state for r in read_run(run)}
    assert states <= {"done", "interrupted", "pending"}
    assert "interrupted" in states
    driver.write_text(DRIVER.replace("0.12", "0.8").replace("range(8)", "range(1)"))
    finish(start(driver, run, journal, "x"))
    assert kept.items() <= done(run).items()


def test_two_drivers_on_one_folder_share_the_work(driver: Path, tmp_path: Path) -> None:
    run, journal = tmp_path / "run", tmp_path / "journal"
    pair = [start(driver, run, journal, str(i)) for i in range(2)]
    told = [[int(n) for n in finish(p).split()] for p in pair]
    lines = journal.read_text().splitlines()
    assert len(lines) == len(set(lines)) == 15  # every task that writes, once
    assert told[0][0] + told[1][0] == 16
    assert all(computed + reused == 16 for computed, reused, _ in told)


def test_jobs_of_a_script_run_in_workers(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    assert finish(start(script, cwd=tmp_path)).split() == ["22", "0"]
    assert finish(start(script, cwd=tmp_path)).split() == ["22", "2"]
    inputs = [json.loads(p.read_text()) for p in tmp_path.glob("run/*/inputs.json")]
    assert {i["module"] for i in inputs} == {"__main__:script.py"}
