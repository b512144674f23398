from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from superionic.structures.errors import RunFolderError
from superionic.workflows.locks import is_locked, task_lock
from superionic.workflows.runfolder import (
    TaskRef,
    TaskSpec,
    load_result,
    prepare_run_folder,
    prepare_task_folder,
    read_run,
    remove_leftovers,
)
from superionic.workflows.serialise import Json, canonical_hash


def spec(**inputs: Json) -> TaskSpec:
    return TaskSpec(name="relax", module="m", qualname="relax", version=1, inputs=inputs)


def test_folder_is_named_by_the_hash_of_what_the_task_is(tmp_path: Path) -> None:
    folder = prepare_task_folder(tmp_path, spec(a=1.5))
    identity = {"module": "m", "qualname": "relax", "version": 1, "inputs": {"a": 1.5}}
    assert folder.name == f"relax-{canonical_hash(identity)[:16]}"
    stored = json.loads((folder / "inputs.json").read_text())
    assert stored == identity | {"key": folder.name, "name": "relax", "parents": []}


def test_preparing_again_changes_nothing(tmp_path: Path) -> None:
    folder = prepare_task_folder(tmp_path, spec(a=1))
    before = (folder / "inputs.json").stat().st_mtime_ns
    assert prepare_task_folder(tmp_path, spec(a=1)) == folder
    assert (folder / "inputs.json").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("stored", "where"),
    [
        ({"a": 1.0, "b": [1, 2]}, r"task.inputs.b\[1\]: expected 3, found 2"),
        ({"a": 1.0}, r"task.inputs.b \(only in one\)"),
        ({"a": 1.0, "b": [1, 3], "c": 0}, r"task.inputs.c \(only in the other\)"),
        ({"a": "x" * 99, "b": [1, 3]}, r"found 'x{50,60}\.\.\."),
    ],
)
def test_other_inputs_are_named_to_the_first_difference(
    tmp_path: Path, stored: dict[str, Json], where: str
) -> None:
    wanted = spec(a=1.0, b=[1, 3])
    folder = prepare_task_folder(tmp_path, wanted)
    other = spec(**stored)
    (folder / "inputs.json").write_text(json.dumps({"key": wanted.key, **other.identity}))
    with pytest.raises(RunFolderError, match=rf"{other.key}, this run needs {wanted.key}") as info:
        prepare_task_folder(tmp_path, wanted)
    assert info.match(where)
    assert info.match("remove that folder")


@pytest.mark.parametrize("content", ["[]", "{}", '{"inputs": 3', ""])
def test_broken_inputs_are_an_error(tmp_path: Path, content: str) -> None:
    folder = prepare_task_folder(tmp_path, spec(a=1))
    (folder / "inputs.json").write_text(content)
    with pytest.raises(RunFolderError, match=r"Cannot read|belongs to other inputs"):
        prepare_task_folder(tmp_path, spec(a=1))


def test_a_result_of_unknown_inputs_is_not_taken(tmp_path: Path) -> None:
    folder = prepare_task_folder(tmp_path, spec(a=1))
    (folder / "inputs.json").unlink()
    (folder / "result.json").write_text("{}")
    with pytest.raises(RunFolderError, match="nobody knows what it is the result of"):
        prepare_task_folder(tmp_path, spec(a=1))


@pytest.mark.parametrize("below", ["file/run", "file"])
def test_a_place_that_is_no_folder_is_refused(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunFolderError, match="Choose an output folder"):
        prepare_run_folder(tmp_path / below)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(RunFolderError, match="Permission denied"):
            prepare_run_folder(tmp_path)
    finally:
        tmp_path.chmod(0o700)


def test_run_folder_is_made_with_its_parents_and_odd_names(tmp_path: Path) -> None:
    folder = prepare_run_folder(tmp_path / "a b" / "é'\"$x")
    assert folder.is_dir()
    assert list(folder.iterdir()) == []
    assert prepare_task_folder(folder, spec(a=1)).is_dir()


def test_lock_waits_for_another_process_and_is_freed_by_its_death(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from superionic.workflows.locks import task_lock\n"
        f"with task_lock(Path({str(tmp_path)!r})):\n"
        "    print('held', flush=True); time.sleep(60)\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    assert is_locked(tmp_path)
    threading.Timer(0.3, holder.kill).start()
    before = time.monotonic()
    with task_lock(tmp_path, poll_s=0.02):
        assert time.monotonic() - before > 0.2
        assert is_locked(tmp_path)
    assert not is_locked(tmp_path)
    holder.communicate()


def test_a_folder_without_a_lock_is_not_locked(tmp_path: Path) -> None:
    assert not is_locked(tmp_path)


def test_only_leftovers_are_removed(tmp_path: Path) -> None:
    for name in (".result.json.12ab.tmp", "raw.tmp", ".lock", "result.json"):
        (tmp_path / name).touch()
    remove_leftovers(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {"raw.tmp", ".lock", "result.json"}


def test_results_are_read_back(tmp_path: Path) -> None:
    content = {"key": tmp_path.name, "result": {"$tuple": [1, None]}}
    (tmp_path / "result.json").write_text(json.dumps(content))
    assert load_result(tmp_path) == (1, None)
    (tmp_path / "result.json").write_text(json.dumps(content | {"key": "relax-77"}))
    with pytest.raises(RunFolderError, match="is the result of the task relax-77"):
        load_result(tmp_path)
    (tmp_path / "result.json").write_text("[]")
    with pytest.raises(RunFolderError, match="is not the result of a task"):
        load_result(tmp_path)


def test_every_state_is_told_from_the_files(tmp_path: Path) -> None:
    folders = [prepare_task_folder(tmp_path, spec(a=i)) for i in range(6)]
    done, failed, skipped, running, interrupted, pending = folders
    (done / "result.json").write_text("{}")
    (done / "manifest.json").write_text('{"wall_s": 1.5}')
    (failed / "error.json").write_text('{"type": "ValueError", "message": "no"}')
    (skipped / "error.json").write_text(
        '{"state": "skipped", "type": "TaskFailedError", "message": "x"}'
    )
    (running / "running.json").write_text("{}")
    (interrupted / "running.json").write_text("{}")
    (interrupted / ".lock").touch()
    (tmp_path / "workers").mkdir()
    with task_lock(running):
        found = {r.key: r for r in read_run(tmp_path)}
    assert len(found) == 6
    states = [found[f.name].state for f in folders]
    assert states == ["done", "failed", "skipped", "running", "interrupted", "pending"]
    assert found[done.name].wall_s == 1.5
    assert found[failed.name].reason == "ValueError: no"
    assert {r.name for r in found.values()} == {"relax"}
    assert found[pending.name].folder == str(pending)


def test_reading_a_run_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="There is no run folder"):
        read_run(tmp_path / "none")
    assert read_run(tmp_path) == ()


def test_references_are_part_of_what_a_task_is() -> None:
    assert canonical_hash(TaskRef("a-1")) != canonical_hash(TaskRef("a-2"))
