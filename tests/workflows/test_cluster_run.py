"""Runs on a cluster, with commands that look like those of Slurm."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cluster_jobs as jobs
import pytest
from fake_slurm import FakeSlurm

from superionic.structures.errors import ClusterError, TaskFailedError
from superionic.workflows.execution import LeftRunning, Resources, Run, TaskFuture
from superionic.workflows.runfolder import read_run
from superionic.workflows.slurm.client import SlurmDownError
from superionic.workflows.slurm.config import ClusterConfig, JobResources, Ladder
from superionic.workflows.slurm.records import batches_of

CLUSTER = ClusterConfig(name="fake", poll_s=0.1, grace_s=0.5, walltime="00:10:00")


def wait_for(condition: Callable[[], object], seconds: float = 120.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def running_job(future: TaskFuture[Any]) -> str:
    """Wait until a task runs and return the number of its job."""
    wait_for((future.folder / "running.json").exists)
    run = future.folder.parent
    (batch,) = [b for b in batches_of(run) if future.key in b.keys]
    return batch.job(batch.keys.index(future.key))


def test_tasks_become_jobs_and_arrays(tmp_path: Path, slurm: FakeSlurm) -> None:
    with Run(tmp_path / "run", cluster=CLUSTER) as run:
        parts = [jobs.plus.submit(float(i)) for i in range(4)]
        whole = jobs.added.submit(tuple(parts))
        assert whole.result() == 10.0
    assert run.summary().done == 5
    assert len(slurm.calls) == 2
    batches = list(batches_of(run.folder))
    assert [len(b.keys) for b in batches] == [4, 1]
    script = (batches[1].folder / "job.sh").read_text()
    assert "--dependency=afterok:1_0:1_1:1_2:1_3" in script
    assert "--kill-on-invalid-dep=yes" in script
    manifest = json.loads((parts[2].folder / "manifest.json").read_text())
    assert manifest["job"] == "1_2"
    with Run(tmp_path / "run", cluster=CLUSTER) as again:
        assert jobs.added.submit(tuple(jobs.plus.submit(float(i)) for i in range(4))).result() == 10
    assert again.summary().reused == 5
    assert len(slurm.calls) == 2
    with Run(tmp_path / "run") as local:
        assert jobs.plus.submit(2.0).result() == 3.0
    assert local.summary().reused == 1


def test_states_are_told_apart(tmp_path: Path, slurm: FakeSlurm) -> None:
    """Cancelled by hand, walltime, memory, failed node, failed parent: each by its name."""
    cluster = replace(CLUSTER, retries=Ladder(walltime=(), memory=(), node_failures=0))
    slurm.slots = 5
    with Run(tmp_path / "run", cluster=cluster):
        late = jobs.nap.submit(600.0)
        failing = jobs.bad.submit('it\'s "broken"; $(touch /tmp/never)')
        child = jobs.added.submit((failing,))
        grandchild = jobs.added.submit((child,))
        hungry = jobs.hungry.submit(str(tmp_path / "ate"), 0.4)
        lost = jobs.nap.submit(601.0)
        cancelled = jobs.plus.submit(5.0)
        slurm.fail_node(running_job(lost))
        slurm.time_out(running_job(late))
        futures = (late, failing, child, grandchild, hungry, lost, cancelled)
        errors = [f.exception() for f in futures]
    states = {r.key: r.state for r in read_run(tmp_path / "run")}
    assert [states[f.key] for f in futures] == [
        "timeout", "failed", "skipped", "skipped", "out_of_memory", "node_failure", "done",
    ]  # fmt: skip
    assert "walltime" in str(errors[0])
    assert 'it\'s "broken"' in str(errors[1])
    assert all(isinstance(e, TaskFailedError) for e in errors[:6])
    assert "0.20 were asked for" in str(errors[4])


def test_cancelled_by_hand_is_final_until_resumed(tmp_path: Path, slurm: FakeSlurm) -> None:
    slurm.held = True
    with Run(tmp_path / "run", cluster=CLUSTER):
        future = jobs.plus.submit(1.0)
        wait_for(lambda: slurm.calls)
        subprocess.run(["scancel", "1"], check=True)
        with pytest.raises(TaskFailedError, match="cancelled"):
            future.result()
    slurm.held = False
    with Run(tmp_path / "run", cluster=CLUSTER):
        assert jobs.plus.submit(1.0).result() == 2.0
    assert len(slurm.calls) == 2


def test_a_job_that_slurm_put_back_is_not_submitted_again(tmp_path: Path, slurm: FakeSlurm) -> None:
    """Its first try wrote that it was cancelled, then it went back into the queue."""
    slurm.held = True
    with Run(tmp_path / "run", cluster=CLUSTER, detach=True):
        jobs.plus.submit(1.0)
    (batch,) = batches_of(tmp_path / "run")
    (batch.folder / "0.ended.json").write_text('{"state": "cancelled", "reason": "preempted"}')
    slurm.held = False
    with Run(tmp_path / "run", cluster=CLUSTER):
        assert jobs.plus.submit(1.0).result() == 2.0
    assert len(slurm.calls) == 1


def test_retries_climb_the_ladder(tmp_path: Path, slurm: FakeSlurm) -> None:
    slurm.slots = 4
    with Run(tmp_path / "run", cluster=CLUSTER):
        late = jobs.once.submit(str(tmp_path / "flag"))
        hungry = jobs.hungry.submit(str(tmp_path / "ate"), 0.4)
        wait_for((tmp_path / "flag").exists)
        slurm.time_out(running_job(late))
        assert late.result() == "done"
        assert hungry.result() == 0.0
    asked: dict[str, list[Resources]] = {}
    for batch in batches_of(tmp_path / "run"):
        asked.setdefault(batch.keys[0], []).append(batch.asked)
    assert [a.walltime_s for a in asked[late.key]] == [600, 1200]
    assert [a.memory_gb for a in asked[hungry.key]] == [0.2, 0.4]


def test_children_follow_a_parent_that_is_tried_again(tmp_path: Path, slurm: FakeSlurm) -> None:
    with Run(tmp_path / "run", cluster=CLUSTER):
        late = jobs.once.submit(str(tmp_path / "flag"))
        child = jobs.describe.submit(late)
        wait_for((tmp_path / "flag").exists)
        slurm.time_out(running_job(late))
        assert child.result() == "got done"


def test_detached_run_leaves_and_comes_back(tmp_path: Path, slurm: FakeSlurm) -> None:
    with Run(tmp_path / "run", cluster=CLUSTER, detach=True):
        parts = tuple(jobs.plus.submit(float(i)) for i in range(3))
        whole = jobs.added.submit(parts)
    assert not whole.done()
    wait_for(slurm.idle)
    with Run(tmp_path / "run", cluster=CLUSTER, detach=True) as run:
        assert jobs.added.submit(tuple(jobs.plus.submit(float(i)) for i in range(3))).result() == 6
    assert run.summary().reused == 4
    slurm.held = True
    with (
        pytest.raises(LeftRunning, match="run the same again later"),
        Run(tmp_path / "run", cluster=CLUSTER, detach=True),
    ):
        jobs.plus.submit(9.0).result()


def test_slurm_that_does_not_answer_gets_each_job_once(tmp_path: Path, slurm: FakeSlurm) -> None:
    """An sbatch that times out although the job was taken; then a squeue that is down."""
    slurm.say("mute", "x")
    with Run(tmp_path / "run", cluster=CLUSTER):
        future = jobs.plus.submit(1.0)
        wait_for(lambda: slurm.calls)
        slurm.say("mute", "")
        slurm.say("down", "x")
        time.sleep(0.3)
        slurm.say("down", "")
        assert future.result() == 2.0
    assert len(slurm.calls) == 1


def test_script_without_an_answer_ends_soon(
    tmp_path: Path, slurm: FakeSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But not one whose results are all there."""
    with Run(tmp_path / "run", cluster=CLUSTER):
        jobs.plus.submit(1.0).result()
    monkeypatch.setattr("superionic.workflows.slurm.client.PROBE_S", 1.0)
    slurm.hang()
    with Run(tmp_path / "run", cluster=CLUSTER) as run:
        assert jobs.plus.submit(1.0).result() == 2.0
        with pytest.raises(SlurmDownError, match="squeue did not answer in 1 s"):
            jobs.plus.submit(2.0)
    assert run.summary().unfinished == 0
    monkeypatch.setenv("PATH", "/nowhere")
    with (
        Run(tmp_path / "run", cluster=CLUSTER),
        pytest.raises(ClusterError, match="There is no `squeue` on this machine"),
    ):
        jobs.plus.submit(2.0)


def test_refusal_is_told(tmp_path: Path, slurm: FakeSlurm) -> None:
    slurm.say("refuse", "invalid partition specified: nowhere\nsbatch: error: Batch job failed")
    with Run(tmp_path / "run", cluster=CLUSTER):
        future = jobs.plus.submit(1.0)
        with pytest.raises(TaskFailedError, match="partition specified: nowhere; Batch job failed"):
            future.result()
    slurm.say("refuse", "")
    with Run(tmp_path / "run", cluster=CLUSTER):
        assert jobs.plus.submit(1.0).result() == 2.0


def test_two_drivers_do_not_submit_at_once(
    tmp_path: Path, slurm: FakeSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("superionic.workflows.slurm.submission.PATIENCE_S", 0.2)
    with (
        Run(tmp_path / "run", cluster=CLUSTER),
        pytest.raises(ClusterError, match="Another driver"),
    ):
        Run(tmp_path / "run", cluster=CLUSTER).__enter__()
    assert slurm.calls == []


@pytest.mark.parametrize("name", ["it's 1", 'say "hi"', "$(touch X);`touch X`", "Li\u2013ün\ndé"])
def test_no_name_reaches_a_shell(
    tmp_path: Path, slurm: FakeSlurm, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing is written but into the run's folder, and nothing that the world can write."""
    folder, elsewhere = tmp_path / name, tmp_path / "elsewhere"
    folder.mkdir()
    for variable in ("HOME", "TMPDIR", "PWD"):
        (elsewhere / variable).mkdir(parents=True)
        monkeypatch.setenv(variable, str(elsewhere / variable))
    monkeypatch.chdir(elsewhere / "PWD")
    old = os.umask(0)
    try:
        with Run(folder / "run", cluster=CLUSTER):
            future = jobs.nap.submit(0.0, tag=name)
            assert future.result().endswith(name)
    finally:
        os.umask(old)
    (batch,) = batches_of(folder / "run")
    script = (batch.folder / "job.sh").read_text()
    options = [line for line in script.splitlines() if line.startswith("#SBATCH")]
    assert all(line.isascii() for line in options)
    assert name not in script.replace(str(Path(__file__).parent), "")
    assert not list(tmp_path.rglob("X"))
    worldly = [
        p for p in (folder / "run").rglob("*")
        if not p.is_symlink() and p.stat().st_mode & stat.S_IWOTH
    ]  # fmt: skip
    assert worldly == []
    assert [p.name for p in folder.iterdir()] == ["run"]
    assert all(not any(p.iterdir()) for p in elsewhere.iterdir())


def test_own_resources_and_modules(tmp_path: Path, slurm: FakeSlurm) -> None:
    cluster = replace(
        CLUSTER,
        partition="short",
        setup=("export HELLO='a b'",),
        sbatch=("--constraint=intel",),
        jobs={"nap": JobResources(cpus=3, walltime="1-02:00:00", memory_gb=2.0, gpus=1)},
    )
    with Run(tmp_path / "run", cluster=cluster):
        jobs.nap.submit(0.0).result()
    (batch,) = batches_of(tmp_path / "run")
    script = (batch.folder / "job.sh").read_text()
    for line in (
        "--cpus-per-task=3", "--time=1-02:00:00", "--mem=2048M", "--gres=gpu:1",
        "--partition=short", "--constraint=intel",
    ):  # fmt: skip
        assert f"#SBATCH {line}\n" in script
    assert "export HELLO='a b'\n" in script
    assert "export OMP_NUM_THREADS=3\n" in script


def test_record_of_a_later_version_is_refused(tmp_path: Path, slurm: FakeSlurm) -> None:
    with Run(tmp_path / "run", cluster=CLUSTER):
        jobs.plus.submit(1.0).result()
    (batch,) = batches_of(tmp_path / "run")
    path = batch.folder / "batch.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(OSError, match="does not know"):
        Run(tmp_path / "run", cluster=CLUSTER).__enter__()


SCRIPT = """
from superionic.workflows.execution import Run, job
from superionic.workflows.slurm.config import ClusterConfig

OFFSET = 2

@job(version=1)
def double(x: int) -> int:
    return 2 * x + OFFSET

if True:  # no __main__ guard needed
    with Run("run", cluster=ClusterConfig(poll_s=0.1, grace_s=0.5)) as run:
        print(double.submit(double.submit(1)).result())
"""


def test_jobs_of_a_script(tmp_path: Path, slurm: FakeSlurm) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert done.stdout == b"10\n"
    (sent,) = {p.stat().st_mode & 0o777 for p in tmp_path.rglob("function.pkl")}
    assert sent == 0o600


DRIVER = """
import sys
import cluster_jobs as jobs
from superionic.workflows.execution import Run
from superionic.workflows.slurm.config import ClusterConfig

folder, journal, array = sys.argv[1:4]
cluster = ClusterConfig(poll_s=0.1, grace_s=0.5, array=int(array))
with Run(folder, cluster=cluster) as run:
    parts = tuple(jobs.plus.submit(float(i), journal=journal) for i in range(6))
    whole = jobs.added.submit(parts, journal=journal)
    pairs = tuple(jobs.plus.submit(whole, float(k), journal=journal) for k in range(3))
    assert jobs.added.submit(pairs, journal=journal).result() == 66.0
"""


def driver(tmp_path: Path, *words: str) -> subprocess.Popen[bytes]:
    (tmp_path / "driver.py").write_text(DRIVER)
    return subprocess.Popen(
        [sys.executable, str(tmp_path / "driver.py"), *words],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])},
    )


def kill_and_resume(tmp_path: Path, slurm: FakeSlurm, delays: list[float], array: int) -> None:
    """Kill the driver again and again, then let it finish: all is done, and done once."""
    words = (str(tmp_path / "run"), str(tmp_path / "journal"), str(array))
    for delay in delays:
        process = driver(tmp_path, *words)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
    process = driver(tmp_path, *words)
    assert process.wait(300) == 0
    journal = (tmp_path / "journal").read_text().splitlines()
    assert len(journal) == len(set(journal)) == 22
    submitted = [key for b in batches_of(tmp_path / "run") for key in b.keys]
    assert len(submitted) == len(set(submitted)) == 11
    assert len(slurm.calls) == len(list(batches_of(tmp_path / "run")))


def test_driver_killed_while_it_submits(tmp_path: Path, slurm: FakeSlurm) -> None:
    slurm.say("slow-before", "0.15")
    slurm.say("slow-after", "0.15")
    kill_and_resume(tmp_path, slurm, [1.0, 1.3], array=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_driver_killed_at_random_times(tmp_path: Path, slurm: FakeSlurm, seed: int) -> None:
    import random

    rng = random.Random(seed)
    slurm.say("slow-before", str(rng.choice([0.0, 0.1])))
    slurm.say("slow-after", str(rng.choice([0.0, 0.2])))
    kill_and_resume(
        tmp_path, slurm, [rng.uniform(0.4, 3.0), rng.uniform(0.4, 3.0)], array=rng.choice([1, 100])
    )
