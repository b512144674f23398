from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
import types
from pathlib import Path
from typing import Any

import demo_jobs as demo
import numpy as np
import pytest

from superionic.structures.errors import RunFolderError, TaskFailedError
from superionic.structures.structure import Structure
from superionic.workflows.context import current_folder, load_checkpoint, save_checkpoint
from superionic.workflows.execution import (
    JobDefinitionError,
    NoRunError,
    Resources,
    Run,
    TaskFuture,
    job,
)
from superionic.workflows.runfolder import read_run
from superionic.workflows.serialise import SerialiseError, canonical_hash

HERE = Path(__file__).parent


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


# ---- called, and submitted


def test_a_job_is_a_plain_function() -> None:
    assert demo.add(1.0, b=2.0) == 3.0
    assert vars(demo.add)["__name__"] == "add"
    assert str(demo.count.__doc__).startswith("Add up step by step")


def test_submitted_gives_what_the_call_gives_bit_by_bit(tmp_path: Path) -> None:
    cell = Structure(
        numbers=np.array([13] * 4),
        positions=np.random.default_rng(1).normal(size=(4, 3)) + np.eye(4, 3) * 2.5,
        cell=np.eye(3) * 8.0,
    )
    with Run(tmp_path) as run:
        moved = demo.shift.submit(cell, 0.1)
        energy = demo.emt_energy.submit(moved)
        live = moved.result()
    with Run(tmp_path) as again:
        stored = demo.shift.submit(cell, 0.1).result()
    expected = demo.shift(cell, 0.1)
    assert live.positions.tobytes() == stored.positions.tobytes() == expected.positions.tobytes()
    assert energy.result() == demo.emt_energy(expected)
    assert (run.summary().done, again.summary().reused) == (2, 1)


def test_same_inputs_are_one_task_however_written(tmp_path: Path) -> None:
    journal = str(tmp_path / "journal")
    with Run(tmp_path / "run") as run:
        futures = [
            demo.add.submit(2.0, journal=journal),
            demo.add.submit(2.0, 1.0, journal=journal),
            demo.add.submit(b=1.0, a=2.0, journal=journal),
        ]
        assert futures[0] is futures[1] is futures[2]
    assert lines(tmp_path / "journal") == ["add 2.0 1.0"]
    assert len(run.summary().tasks) == 1


def test_futures_stand_for_values_also_inside_collections(tmp_path: Path) -> None:
    with Run(tmp_path):
        a = demo.add.submit(1.0, 1.0)
        b = demo.add.submit(a, a)
        c = demo.total.submit((a, b, 10.0), b, a, extra={"x": b, "y": 0.5})
        assert c.result() == (2 + 4 + 10) + (4 + 2) + (4 + 0.5)
    described = json.loads((c.folder / "inputs.json").read_text())
    assert described["parents"] == [a.key, b.key]
    assert json.loads((c.folder / "manifest.json").read_text())["parents"] == [a.key, b.key]


def test_key_is_the_hash_of_function_version_and_inputs() -> None:
    spec = demo.add.spec((1.0,), {})
    identity = {
        "module": "demo_jobs",
        "qualname": "add",
        "version": 1,
        "inputs": {"a": 1.0, "b": 1.0, "journal": ""},
    }
    assert spec.key == f"add-{canonical_hash(identity)[:16]}"
    assert spec.key == "add-93403da6aac32b54"  # never to change: finished results are found by it


def test_version_makes_another_task(monkeypatch: pytest.MonkeyPatch) -> None:
    old = demo.add.spec((1.0,), {}).key
    monkeypatch.setattr(demo.add, "version", 2)
    assert demo.add.spec((1.0,), {}).key != old


# ---- never twice


def test_second_run_recomputes_nothing_and_starts_nothing(tmp_path: Path) -> None:
    journal = str(tmp_path / "journal")
    script = tmp_path / "again.py"
    script.write_text(
        "import sys, demo_jobs\n"
        "from superionic.workflows.execution import Run\n"
        f"with Run({str(tmp_path / 'run')!r}) as run:\n"
        f"    x = demo_jobs.add.submit(1.0, journal={journal!r})\n"
        f"    y = demo_jobs.add.submit(x, journal={journal!r})\n"
        "    assert y.result() == 3.0\n"
        "assert run.summary().reused == 2\n"
        "heavy = {'executorlib', 'torch', 'ase.optimize', 'pymatgen', 'rich'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    with Run(tmp_path / "run"):
        x = demo.add.submit(1.0, journal=journal)
        assert demo.add.submit(x, journal=journal).result() == 3.0
    subprocess.run(
        [sys.executable, str(script)], env=os.environ | {"PYTHONPATH": worker_path()}, check=True
    )
    assert len(lines(tmp_path / "journal")) == 2


def worker_path() -> str:
    return os.pathsep.join([str(HERE), *sys.path])


def test_results_that_are_not_as_written_are_kept_aside_and_computed_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Run(tmp_path):
        futures = [demo.add.submit(float(a)) for a in (1, 2, 3, 4)]
    edited, foreign, future_version, good = (f.folder / "result.json" for f in futures)
    foreign.write_text(good.read_text())
    edited.write_text(edited.read_text().replace('"result": 2.0', '"result": 2.5'))
    future_version.write_text('{"result": {"$type": "superionic.gone:Thing"}}')
    (future_version.parent / "manifest.json").unlink()
    with caplog.at_level(logging.WARNING), Run(tmp_path) as run:
        again = [demo.add.submit(float(a)) for a in (1, 2, 3, 4)]
    assert [f.result() for f in again] == [2.0, 3.0, 4.0, 5.0]
    assert (run.summary().done, run.summary().reused) == (3, 1)
    for path in (edited, foreign, future_version):
        assert path.with_name("result.json.unreadable").exists()
    assert "does not match its checksum" in caplog.text
    assert "computed again" in caplog.text


def test_tampered_inputs_are_an_error_that_names_both(tmp_path: Path) -> None:
    with Run(tmp_path):
        future = demo.add.submit(1.0, 2.0)
    path = future.folder / "inputs.json"
    path.write_text(path.read_text().replace('"b": 2.0', '"b": 2.5'))
    with (
        Run(tmp_path),
        pytest.raises(RunFolderError, match=rf"hashes to add-\w+.*{future.key}.*inputs.b: exp"),
    ):
        demo.add.submit(1.0, 2.0)


# ---- failures


def test_a_failed_task_names_its_reason_and_spares_the_others(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    with Run(tmp_path / "run") as run:
        bad = demo.fail_unless.submit(str(flag))
        child = demo.inner.submit(bad)
        grandchild = demo.inner.submit((child,))
        good = [demo.add.submit(float(i)) for i in range(4)]
        with pytest.raises(TaskFailedError, match=r"ValueError: no file flag .*task\.log"):
            bad.result()
        with pytest.raises(TaskFailedError, match=rf"not run because {bad.key} failed: ValueErr"):
            grandchild.result()
    assert [f.result() for f in good] == [1.0, 2.0, 3.0, 4.0]
    told = run.summary()
    assert (told.done, told.failed, told.skipped, told.unfinished) == (4, 1, 2, 0)
    error = json.loads((bad.folder / "error.json").read_text())
    assert error["type"] == "ValueError"
    assert "in fail_unless" in error["traceback"]
    assert not (child.folder / "task.log").exists()
    states = {r.key: r.state for r in read_run(tmp_path / "run")}
    assert (states[bad.key], states[child.key]) == ("failed", "skipped")
    flag.touch()
    with Run(tmp_path / "run") as again:
        assert demo.inner.submit(demo.fail_unless.submit(str(flag))).result()
    assert again.summary().done == 2
    assert not (bad.folder / "error.json").exists()


def test_an_error_in_the_block_does_not_stop_the_others(tmp_path: Path) -> None:
    run = Run(tmp_path)

    def block() -> None:
        with run:
            for i in range(3):
                demo.sleep.submit(0.2, i)
            demo.fail_unless.submit(str(tmp_path / "none")).result()

    with pytest.raises(TaskFailedError, match="no file"):
        block()
    assert (run.summary().done, run.summary().failed) == (3, 1)


def test_odd_endings_are_failures(tmp_path: Path) -> None:
    with Run(tmp_path, workers=1):
        futures: dict[str, TaskFuture[None] | TaskFuture[object]] = {
            "SystemExit: 3": demo.leave.submit(3),
            "SerialiseError: value is a builtins.object": demo.not_storable.submit(1.0),
            "SerialiseError: value is nan": demo.not_storable.submit(0.0),
        }
        after = demo.add.submit(1.0)
    for message, future in futures.items():
        with pytest.raises(TaskFailedError, match=message):
            future.result()
        assert not (future.folder / "result.json").exists()
    assert after.result() == 2.0


def test_a_killed_worker_is_a_failed_task_not_a_hang(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    with Run(tmp_path / "run") as run:
        killed = demo.die_unless.submit(str(flag))
        crashed = demo.crash.submit()
        child = demo.inner.submit(killed)
        good = [demo.add.submit(float(i)) for i in range(5)]
        with pytest.raises(TaskFailedError, match=r"killed by SIGKILL; out of memory is the usual"):
            killed.result(timeout=30)
        with pytest.raises(TaskFailedError, match="killed by SIGSEGV"):
            crashed.result(timeout=30)
        with pytest.raises(TaskFailedError, match="not run because"):
            child.result(timeout=30)
        assert [f.result(timeout=30) for f in good] == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert run.summary().failed == 2
    assert "Segmentation fault" in (crashed.folder / "task.log").read_text()
    assert json.loads((killed.folder / "error.json").read_text())["type"] == "WorkerDied"
    flag.touch()
    with Run(tmp_path / "run"):
        assert demo.die_unless.submit(str(flag)).result(timeout=30) == "alive"


def test_full_disk_is_named_and_leaves_no_half_result(tmp_path: Path) -> None:
    with Run(tmp_path, workers=1):
        future = demo.too_big.submit()
        with pytest.raises(RunFolderError, match=r"Cannot write .*result\.json.*Free some space"):
            future.result(timeout=30)
    names = {p.name for p in future.folder.iterdir()}
    assert "result.json" not in names
    assert not [n for n in names if n.endswith(".tmp")]
    assert json.loads((future.folder / "error.json").read_text())["type"] == "RunFolderError"


def test_a_folder_that_cannot_be_written_is_refused_at_the_door(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunFolderError, match="Cannot write into the run folder"):
        Run(tmp_path / "file" / "run").__enter__()


# ---- cores and workers


def test_both_cores_are_busy_and_workers_stay(tmp_path: Path) -> None:
    with Run(tmp_path, workers=2):
        spans = [f.result() for f in [demo.sleep.submit(0.4, i) for i in range(4)]]
    assert len({pid for _, _, pid in spans}) == 2
    starts, ends = [s for s, _, _ in spans], [e for _, e, _ in spans]
    assert max(ends) - min(starts) < 0.8 * 4 * 0.4
    overlap = max(sum(s <= t < e for s, e, _ in spans) for t in starts)
    assert overlap == 2


def test_a_job_for_two_cores_runs_alone_with_two_threads(tmp_path: Path) -> None:
    with Run(tmp_path, workers=2):
        narrow = [demo.sleep.submit(0.3, i) for i in range(2)]
        wide = demo.sleep_wide.submit(0.3)
        more = demo.threads.submit(1)
        start, end, count = wide.result()
        others = [f.result() for f in narrow]
    assert count == "2"
    assert more.result() == "1"
    assert all(e <= start or s >= end for s, e, _ in others)


def test_a_job_for_more_cores_than_there_are_still_runs(tmp_path: Path) -> None:
    with Run(tmp_path, workers=1):
        assert demo.sleep_wide.submit(0.0).result()[2] == "1"


# ---- what a task finds and leaves


def test_output_files_and_progress_land_in_the_folder(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = Path.cwd()
    with Run(tmp_path, workers=1):
        future = demo.talk.submit()
    folder = Path(future.result())
    assert folder == future.folder
    text = (folder / "task.log").read_text()
    for expected in (
        "printed by Python",
        "printed by a compiled code",
        "logged by a library",
        "relaxing, step 3/10, fmax 0.2500 eV/A",
        "is done",
    ):
        assert expected in text
    assert {p.name for p in folder.iterdir()} == {
        *(".lock", "inputs.json", "manifest.json", "raw.txt", "result.json", "stray.txt"),
        "task.log",
    }
    assert Path.cwd() == before
    assert capfd.readouterr() == ("", "")
    assert "1 done" in (tmp_path / "run.log").read_text()


def test_plain_calls_get_folders_that_never_meet(tmp_path: Path) -> None:
    folder = Path(demo.inner(1))
    assert folder.name.startswith("superionic-")
    assert not folder.exists()
    with Run(tmp_path):
        task, one, two, again = demo.outer.submit().result()
    assert one == again != two
    assert Path(one).parent == Path(two).parent == Path(task)


def test_outside_any_job_checkpoints_do_nothing() -> None:
    save_checkpoint("x", {"a": [1.0]})
    assert load_checkpoint("x") is None
    assert current_folder().is_dir()
    assert current_folder() != current_folder()


def test_a_checkpoint_is_used_after_a_kill_and_not_after_an_error(tmp_path: Path) -> None:
    journals = {error: tmp_path / error for error in ("kill", "disk", "bad")}
    for expect_failure in (True, False):
        with Run(tmp_path / "run"):
            futures = [demo.count.submit(9, 4, e, str(p)) for e, p in journals.items()]
        assert [f.exception() is not None for f in futures] == [expect_failure] * 3
    assert lines(journals["kill"]) == ["from 0", "from 4"]
    assert lines(journals["disk"]) == ["from 0", "from 4"]
    assert lines(journals["bad"]) == ["from 0", "from 0"]
    for future in futures:
        assert future.result()[0] == sum(1.0 / (k + 1) for k in range(9))
        assert not list(future.folder.glob("*.npz"))


# ---- misuse


def test_submit_needs_a_run(tmp_path: Path) -> None:
    with pytest.raises(NoRunError, match=r"with Run\(folder\)"):
        demo.add.submit(1.0)
    with Run(tmp_path / "a"):
        foreign = demo.add.submit(1.0)
    with Run(tmp_path / "b"), pytest.raises(NoRunError, match="belongs to another run"):
        demo.add.submit(foreign)


def test_bad_arguments_are_refused_before_anything_starts(tmp_path: Path) -> None:
    with Run(tmp_path) as run:
        with pytest.raises(TypeError, match="missing a required argument"):
            demo.add.submit()
        with pytest.raises(SerialiseError, match="which cannot be stored"):
            demo.add.submit(object())
    assert run.summary().tasks == ()
    assert {p.name for p in tmp_path.iterdir()} == {"run.log"}


def test_jobs_that_no_worker_could_find_are_refused() -> None:
    with pytest.raises(JobDefinitionError, match="inside another function"):

        @job()
        def local() -> None: ...


@pytest.mark.parametrize(
    "options", [{"version": 0}, {"name": "../up"}, {"name": "a b"}, {"name": ".hidden"}]
)
def test_bad_definitions_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(JobDefinitionError):
        job(**options)(lines)


@pytest.mark.parametrize("options", [{"cpus": 0}, {"gpus": -1}, {"walltime_s": 0}])
def test_bad_resources_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(JobDefinitionError):
        Resources(**options)


def test_a_module_that_workers_cannot_import_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ghost = types.ModuleType("ghost_of_a_notebook")
    monkeypatch.setitem(sys.modules, ghost.__name__, ghost)
    exec("from superionic.workflows.execution import job\n@job()\ndef one(): return 1", vars(ghost))
    with (
        Run(tmp_path, workers=1),
        pytest.raises(TaskFailedError, match=r"cannot import one from ghost.*top level"),
    ):
        ghost.one.submit().result(timeout=30)


def test_a_run_is_opened_once(tmp_path: Path) -> None:
    with Run(tmp_path) as run:
        pass
    with pytest.raises(NoRunError, match="opened before"):
        run.__enter__()
    with pytest.raises(JobDefinitionError, match="at least one worker"):
        Run(tmp_path, workers=0)


def test_tiny_tasks_cost_little(tmp_path: Path) -> None:
    start = time.monotonic()
    with Run(tmp_path) as run:
        for i in range(60):
            demo.add.submit(float(i))
    assert run.summary().done == 60
    assert time.monotonic() - start < 10.0
