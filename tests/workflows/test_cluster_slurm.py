"""Runs and campaigns on a real Slurm that the tests may do anything with.

They drain its node and cancel jobs, so they run only where SUPERIONIC_TEST_SLURM is set, which says
that the Slurm that answers here was started for them.
"""

from __future__ import annotations

import json
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import cluster_jobs as jobs
import pytest
from ase.build import bulk
from ase.io import write
from commands import superionic

from superionic.structures.errors import TaskFailedError
from superionic.workflows.execution import Run
from superionic.workflows.runfolder import read_run
from superionic.workflows.slurm.campaign import CAMPAIGN, read_campaign
from superionic.workflows.slurm.client import Slurm
from superionic.workflows.slurm.cluster_file import cluster_path
from superionic.workflows.slurm.config import ClusterConfig, JobResources
from superionic.workflows.slurm.records import Ledger, batches_of
from superionic.workflows.slurm.status import run_folders, survey

CLUSTER = ClusterConfig(name="ci", poll_s=0.5, grace_s=3.0, walltime="00:10:00")


def answers() -> bool:
    """Whether there is a Slurm, and it is ours."""
    if not os.environ.get("SUPERIONIC_TEST_SLURM"):
        return False
    try:
        told = subprocess.run(["scontrol", "ping"], capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return b"UP" in told.stdout


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not answers(), reason="no Slurm of our own (SUPERIONIC_TEST_SLURM)"),
]


def scontrol(*words: str) -> None:
    subprocess.run(["scontrol", *words], check=True, timeout=30)


@pytest.fixture(autouse=True)
def node_is_up() -> Iterator[str]:
    """Leave the node in service."""
    found = subprocess.run(["sinfo", "-h", "-o", "%n"], capture_output=True, check=True)
    name = found.stdout.split()[0].decode()
    yield name
    subprocess.run(["scontrol", "update", f"nodename={name}", "state=resume"], check=False)


def wait_for(
    condition: Callable[[], object], seconds: float = 300.0, *, pause: float = 0.5
) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(pause)


def queue_is_empty() -> bool:
    return not any(e.active for e in Slurm().queue().values())


def test_array_of_two_hundred_is_one_sbatch(tmp_path: Path) -> None:
    with Run(tmp_path / "run", cluster=CLUSTER) as run:
        futures = [jobs.plus.submit(float(k)) for k in range(200)]
        assert [f.result() for f in futures] == [k + 1.0 for k in range(200)]
    assert run.summary().done == 200
    assert len(list(batches_of(tmp_path / "run"))) == 1


def test_queue_drains_without_a_driver(tmp_path: Path) -> None:
    with Run(tmp_path / "run", cluster=CLUSTER, detach=True):
        parts = tuple(jobs.plus.submit(float(k)) for k in range(4))
        whole = jobs.added.submit(parts)
        jobs.describe.submit("leaves")
    assert not whole.done()
    wait_for(queue_is_empty)
    assert survey(tmp_path / "run").totals == {"done": 6}
    with Run(tmp_path / "run") as run:  # and on the laptop
        assert jobs.added.submit(tuple(jobs.plus.submit(float(k)) for k in range(4))).result() == 10
    assert run.summary().reused == 5


def test_a_launcher_starts_the_ranks_of_the_job(tmp_path: Path) -> None:
    cluster = replace(CLUSTER, jobs={"ranks_of": JobResources(ranks=3)})
    with Run(tmp_path / "run", cluster=cluster):
        assert jobs.ranks_of.submit("srun").result() == 3


def test_each_end_has_its_name_and_resume_finishes(tmp_path: Path, node_is_up: str) -> None:
    """Drained node, cancelled by hand, walltime, memory, failed parent."""
    ladder = replace(CLUSTER.retries, walltime=(), memory=(), node_failures=0)
    cluster = replace(CLUSTER, retries=ladder, jobs={"once": JobResources(walltime="00:01:00")})
    flag, late_flag, ate = tmp_path / "flag", str(tmp_path / "late"), str(tmp_path / "ate")

    def everything() -> list[Any]:
        failing = jobs.fail_unless.submit(str(flag))
        return [
            failing,
            jobs.describe.submit(failing),
            jobs.once.submit(late_flag, 900.0),
            jobs.hungry.submit(ate, 0.5),
            jobs.nap.submit(8.0),
        ]

    scontrol("update", f"nodename={node_is_up}", "state=drain", "reason=test")
    with Run(tmp_path / "run", cluster=cluster):
        futures = everything()
        wait_for(lambda: len(list(batches_of(tmp_path / "run"))) == 5)
        time.sleep(3.0)
        assert set(survey(tmp_path / "run").totals) == {"queued"}
        assert any("DRAIN" in t.reason.upper() for t in survey(tmp_path / "run").tasks)
        (nap,) = [b for b in batches_of(tmp_path / "run") if b.keys == (futures[4].key,)]
        subprocess.run(["scancel", nap.job(0)], check=True)
        scontrol("update", f"nodename={node_is_up}", "state=resume")
        assert all(isinstance(f.exception(), TaskFailedError) for f in futures)
    ends = {t.key: t.state for t in survey(tmp_path / "run").tasks}
    assert [ends[f.key] for f in futures] == [
        "failed", "skipped", "timeout", "out_of_memory", "cancelled",
    ]  # fmt: skip
    records = {r.key: r.state for r in read_run(tmp_path / "run")}
    assert records == ends
    flag.touch()
    with Run(tmp_path / "run", cluster=cluster):
        assert [f.result() for f in everything()[:4]] == ["fine", "got fine", "done", 0.0]
    assert survey(tmp_path / "run").totals == {"done": 5}


DRIVER = """
import sys
import cluster_jobs as jobs
from superionic.workflows.execution import Run
from superionic.workflows.slurm.config import ClusterConfig

folder, journal = sys.argv[1:3]
with Run(folder, cluster=ClusterConfig(poll_s=0.5, grace_s=3.0, array=4)) as run:
    parts = tuple(jobs.plus.submit(float(i), journal=journal) for i in range(10))
    whole = jobs.added.submit(parts, journal=journal)
    pairs = tuple(jobs.plus.submit(whole, float(k), journal=journal) for k in range(5))
    assert jobs.added.submit(pairs, journal=journal).result() == 285.0
"""


def test_driver_killed_at_twenty_random_times(tmp_path: Path) -> None:
    """Nothing redone, nothing lost, nothing submitted twice."""
    rng = random.Random(7)
    (tmp_path / "driver.py").write_text(DRIVER)
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    kills, rounds = 0, 0
    while kills < 20:
        run, journal = tmp_path / f"run {rounds}", tmp_path / f"journal {rounds}"
        words = [sys.executable, *map(str, (tmp_path / "driver.py", run, journal))]
        rounds += 1
        for limit in (*(rng.uniform(0.3, 4.0) for _ in range(5)), 300.0):
            process = subprocess.Popen(words, env=env)
            try:
                assert process.wait(limit) == 0
                break
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
                kills += 1
        lines = journal.read_text().splitlines()
        assert len(lines) == len(set(lines)) == 2 * 17
        submitted = [key for batch in batches_of(run) for key in batch.keys]
        assert len(submitted) == len(set(submitted)) == 17
        for batch in batches_of(run):
            jobs_of_name = [e.job for e in Slurm().queue().values() if e.name == batch.name]
            assert len({job.partition("_")[0] for job in jobs_of_name}) == 1


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An awkward folder to work in, with a cluster file for it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    here = tmp_path / "it's $(touch X) \u00fc"
    here.mkdir()
    monkeypatch.chdir(here)
    path = cluster_path("ci")
    path.parent.mkdir(parents=True)
    path.write_text('walltime = "00:10:00"\npoll_s = 0.5\ngrace_s = 3.0\n')
    return here


def test_campaign_from_the_command_line(place: Path, tmp_path: Path) -> None:
    assert superionic("cluster", "test", "ci").code == 0
    for k in range(3):
        atoms = bulk("Al", cubic=True, a=3.9 + 0.1 * k)
        atoms.rattle(0.05, seed=k)
        write(place / f"it's {k}.cif", atoms)
    words = ["relax", *(f"it's {k}.cif" for k in range(3)), "--theory", "emt"]
    said = superionic("submit", *words, "--out", "there", "--cluster", "ci")
    assert said.code == 0, said.err
    wait_for(lambda: survey(place / "there").finished)
    assert superionic(*words, "--out", "here", "--no-progress").code == 0
    same_numbers(place / "here/runs", place / "there/runs")
    assert not list(tmp_path.rglob("X"))
    assert superionic("trace", next((place / "there/runs").glob("relax-*"))).code == 0
    words = ["barrier", "it's 0.cif", "--ion", "Al", "--theory", "emt", "--hop", "0"]
    more = ["--max-length", "3", "--images", "3", "--fmax", "0.1", "--out", "hop"]
    said = superionic("submit", *words, *more, "--cluster", "ci", "--whole")
    assert said.code == 0, said.err
    wait_for(lambda: survey(place / "hop").finished)
    shutil.move(place / "hop", place / "lap top")
    (place / "lap top/report.html").unlink()
    assert superionic("report", "lap top").code == 0
    assert (place / "lap top/report.html").is_file()


def same_numbers(local: Path, remote: Path) -> None:
    """Both hold the same tasks with the same results, bit for bit."""
    tasks = [record.key for record in read_run(local) if record.state == "done"]
    assert tasks == [record.key for record in read_run(remote) if record.state == "done"]
    for key in tasks:
        assert (local / key / "result.json").read_bytes() == (
            remote / key / "result.json"
        ).read_bytes()


PLAN = """out = "there"
cluster = "ci"
structures = ["*.cif"]

[[workflow]]
command = "barrier"
options = { ion = "Al", theory = "emt", hop = 0, max_length = 3.0, images = 3, fmax = 0.1 }

[[workflow]]
command = "relax"
options = { theory = "emt", fmax = 0.05 }
"""


def end_driver(job: str, how: str) -> None:
    """Cancel a job, or kill its process where it stands."""
    if how == "scancel":
        subprocess.run(["scancel", job], check=True)
        return
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            ours = f"SLURM_JOB_ID={job}".encode() in path.read_bytes().split(b"\0")
            words = (path.parent / "cmdline").read_bytes().split(b"\0")
            if ours and b"superionic.workflows.slurm.driver" in words:
                os.kill(int(path.parent.name), signal.SIGKILL)


def batches(folder: Path) -> set[Path]:
    """What was submitted from a campaign's folder, or is just being."""
    return set(folder.rglob("slurm/*/batch.json"))


def active(job: str) -> bool:
    entry = Slurm().queue().get(job)
    return entry is not None and entry.active


SLOW = """#!/bin/bash
# A second before Slurm is asked, and one more before what it said is passed on.
sleep 1
said=$({sbatch} "$@")
code=$?
sleep 1
echo "$said"
exit $code
"""


@pytest.mark.parametrize("moment_s", [0.3, 1.6], ids=["before_sbatch", "number_lost"])
@pytest.mark.parametrize("how", ["scancel", "SIGKILL"])
def test_driver_job_killed_while_it_submits(place: Path, how: str, moment_s: float) -> None:
    """In every wave: nothing is done or submitted twice, nothing lost, and all is completed."""
    known = set(Slurm().queue())
    (place / "bin").mkdir()
    (place / "bin/sbatch").write_text(SLOW.format(sbatch=shutil.which("sbatch")))
    (place / "bin/sbatch").chmod(0o755)
    line = f"export PATH={shlex.quote(str(place / 'bin'))}:$PATH"
    with cluster_path("ci").open("a") as stream:
        stream.write(f"setup = [{json.dumps(line, ensure_ascii=False)}]\n")
    for k in range(2):
        atoms = bulk("Al", cubic=True, a=4.0 + 0.05 * k)
        atoms.rattle(0.05, seed=k)
        write(f"it's {k}.cif", atoms)
    (place / "plan.toml").write_text(PLAN)
    there, kills = place / "there", 0
    finished: dict[Path, int] = {}
    assert superionic("submit", "plan.toml").code == 0
    while not survey(there).finished:
        step = Ledger(there / CAMPAIGN).latest("driver")
        assert step is not None
        before = batches(there)
        wait_for(lambda: step.ended() or batches(there) != before, pause=0.01)  # noqa: B023
        time.sleep(moment_s)
        finished |= {p: p.stat().st_mtime_ns for p in there.rglob("*/result.json")}
        if step.ended():
            continue  # the last one submits nothing
        end_driver(step.job, how)
        wait_for(lambda: not active(step.job))  # noqa: B023
        kills += 1
        wait_for(lambda: not survey(there).going_on)
        assert f"job {step.job} did not go on (" in survey(there).driver
        said = superionic("resume", "there")
        assert said.code == 0, said.err
    assert kills >= 1
    assert {p: p.stat().st_mtime_ns for p in finished} == finished
    runs = [*run_folders(there)]
    assert len(runs) == 3
    for run in runs:
        keys = [key for batch in batches_of(run) for key in batch.keys]
        assert sorted(keys) == [record.key for record in read_run(run)]
    numbers: dict[str, set[str]] = {}
    for entry in Slurm().queue().values():
        if entry.job not in known:
            numbers.setdefault(entry.name, set()).add(entry.job.partition("_")[0])
    assert numbers == {
        b.name: {b.job(0).partition("_")[0]}
        for run in (*runs, there / CAMPAIGN)
        for b in batches_of(run)
    }
    plan = read_campaign(there).commands[0]
    words = ["here" if word == str(there / "barrier/it_s_0") else word for word in plan]
    assert superionic(*words[:1], "--no-progress", *words[1:]).code == 0
    same_numbers(place / "here", there / "barrier/it_s_0")


TINY = """# The quick protocol cut down until it means nothing and takes minutes.
extends = "nzsp-quick"

[bulk_relax]
fmax_eV_per_A = 0.5
max_steps = 20

[ordered]
surface_hops = 1
bulk_max_tried = 1
surface_max_tried = 1
scans = false

[disordered]
orders = 1
bulk_hops = 1
surface_hops = 1
bulk_max_tried = 1
surface_max_tried = 1

[order]
candidates = 1
candidate_steps = 2

[order.anneal]
max_trials = 1
screen_steps = 1
trial_steps = 2

[order.anneal.final]
fmax_eV_per_A = 8.0
max_steps = 5

[slab_quench]
steps = 2

[slab_quench.relax]
fmax_eV_per_A = 8.0
max_steps = 4

[slab_anneal]
max_trials = 1
screen_steps = 1
trial_steps = 2

[slab_anneal.final]
fmax_eV_per_A = 8.0
max_steps = 5

[barrier.ends.relax]
fmax_eV_per_A = 0.5
max_steps = 3

[barrier.band]
images = 1
max_steps = 2
saddle_max_steps = 2
"""


def test_nzsp_gives_the_same_numbers_there(place: Path) -> None:
    """From the command line on, bit for bit; then the folder is moved and its report redrawn."""
    (place / "tiny.toml").write_text(TINY)
    words = ("reproduce", "nzsp", "--fidelity", "tiny.toml")
    said = superionic("submit", *words, "--out", "there", "--cluster", "ci")
    assert said.code == 0, said.err
    here = superionic(*words, "--out", "here", "--workers", 1, "--no-progress")
    wait_for(queue_is_empty)
    told = survey(place / "there")
    assert set(told.totals) == {"done"}
    assert here.code == 1, "so coarse a run has no number with its evidence"
    assert told.driver.startswith("nothing goes on: ")
    same_numbers(place / "here/runs", place / "there/runs")
    shutil.move(place / "there", place / "lap top")
    moved = superionic("report", "lap top")
    assert moved.code == here.code
    found = [[x for x in said.out.splitlines() if x.startswith("  ")] for said in (here, moved)]
    assert found[0] == found[1] != []
    pages = [(place / name / "nzsp/comparison.csv").read_bytes() for name in ("here", "lap top")]
    assert pages[0] == pages[1]
