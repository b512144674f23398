"""What a cluster's file may say, and what becomes of it in a script."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from superionic.structures.errors import ClusterError, ProtocolError
from superionic.workflows.jobs import Resources
from superionic.workflows.slurm.client import QueueEntry, submit_environment
from superionic.workflows.slurm.cluster_file import SCRIPT_TEMPLATE, init_cluster, load_cluster
from superionic.workflows.slurm.config import (
    ClusterConfig,
    JobResources,
    Ladder,
    walltime_seconds,
    walltime_text,
)
from superionic.workflows.slurm.outcome import judge, may_retry
from superionic.workflows.slurm.records import Batch, Placed, batch_name
from superionic.workflows.slurm.script import job_script, safe_name
from superionic.workflows.slurm.supervise import write_json


def test_template_is_a_valid_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = init_cluster("mine")
    assert path == tmp_path / "superionic/clusters/mine.toml"
    assert load_cluster("mine") == ClusterConfig(
        name="mine", walltime="04:00:00", driver=JobResources(cpus=1, walltime="01:00:00"),
        template=SCRIPT_TEMPLATE.replace("@NAME@", "mine"),
    )  # fmt: skip
    with pytest.raises(ClusterError, match="exists"):
        init_cluster("mine")
    with pytest.raises(ClusterError, match="known: mine"):
        load_cluster("yours")


def test_every_commented_key_exists(tmp_path: Path) -> None:
    """Take all comment signs away: what the template offers must be accepted."""
    path = init_cluster(tmp_path / "all.toml")
    lines = [
        line[2:] if line.startswith("# ") and ("= " in line or line.startswith("# [")) else line
        for line in path.read_text().splitlines()
    ]
    path.write_text("\n".join(lines))
    full = load_cluster(path)
    assert full.jobs["barrier"].walltime == "1-00:00:00"
    assert full.codes["vasp"] == "srun vasp_std"
    assert full.sbatch == ("--constraint=intel", "--mail-type=FAIL")
    assert full.retries.max_memory_gb == 128.0
    vasp = full.resources("vasp", Resources())
    assert (vasp.nodes, vasp.ranks, vasp.cpus, vasp.cores) == (2, 64, 1, 64)
    script = job_script(full, vasp, name="x")
    for line in ("--nodes=2", "--ntasks=64", "--cpus-per-task=1"):
        assert f"#SBATCH {line}\n" in script


def test_own_template_is_filled_in(tmp_path: Path) -> None:
    path = init_cluster(tmp_path / "mine.toml")
    own = path.with_suffix(".sh")
    text = own.read_text().replace("@OPTIONS@", "@OPTIONS@\n#SBATCH --licenses=vasp")
    own.write_text(text.replace("@COMMAND@", "echo $HOSTNAME >> hosts\n  @COMMAND@"))
    lines = job_script(load_cluster(path), Resources(walltime_s=60), name="x").splitlines()
    assert lines[0] == "#!/bin/bash"
    places = [
        lines.index(line)
        for line in ("#SBATCH --job-name=x", "#SBATCH --licenses=vasp",
                     "export OMP_NUM_THREADS=1", "echo $HOSTNAME >> hosts")
    ]  # fmt: skip
    assert places == sorted(places)
    assert lines[-1].startswith("exec ")
    assert not any(line.lstrip().startswith("@") for line in lines)
    with pytest.raises(ClusterError, match="exists"):
        init_cluster(path)


@pytest.mark.parametrize(
    "text",
    [
        "@OPTIONS@\n@SETUP@\n@COMMAND@\n",
        "#!/bin/bash\n@SETUP@\n@OPTIONS@\n@COMMAND@\n",
        "#!/bin/bash\n@OPTIONS@\n@COMMAND@\n",
        "#!/bin/bash\n@OPTIONS@\n@SETUP@\n@COMMAND@\n@COMMAND@\n",
        "\n",
    ],
)
def test_template_without_its_places_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "own.sh").write_text(text)
    (tmp_path / "c.toml").write_text("template = 'own.sh'")
    with pytest.raises((ProtocolError, ClusterError), match="template"):
        load_cluster(tmp_path / "c.toml")
    (tmp_path / "own.sh").unlink()
    with pytest.raises(ClusterError, match="Cannot read the template"):
        load_cluster(tmp_path / "c.toml")


@pytest.mark.parametrize(
    "line",
    [
        'partition = "a b"',
        'partition = "x\\n#SBATCH --uid=0"',
        'account = "$(id)"',
        "account = 'a\"b'",
        'sbatch = ["--x\\nrm -rf /"]',
        'sbatch = ["rm"]',
        'modules = ["a; b"]',
        'walltime = "1 hour"',
        'walltime = "00:00:00"',
        "walltme = '01:00:00'",
        "array = 0",
        "[retries]\nwalltime = [0.5]",
        "[jobs.relax]\ncpus = 0",
        "[jobs.relax]\nranks = 0",
        "[retries]\nconvergence = -1",
        "[retries]\nconvergance = 1",
    ],
)
def test_nonsense_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "c.toml"
    path.write_text(line)
    with pytest.raises(ProtocolError):
        load_cluster(path)


def test_walltimes() -> None:
    assert walltime_seconds("1-02:03:04") == 93784
    assert walltime_text(93784) == "1-02:04:00"
    assert walltime_text(1) == "0-00:01:00"


def test_resources_come_from_the_nearest() -> None:
    cluster = ClusterConfig(
        cpus=2, memory_gb=4.0, partition="p", jobs={"neb": JobResources(cpus=8, partition="q")}
    )
    assert cluster.resources("relax", Resources()) == Resources(
        cpus=2, walltime_s=3600, memory_gb=4.0, queue="p"
    )
    asked = Resources(cpus=4, walltime_s=60, memory_gb=1.0, gpus=1)
    assert cluster.resources("neb", asked) == Resources(
        cpus=8, walltime_s=60, memory_gb=1.0, queue="q", gpus=1
    )


def test_ladder_has_an_end() -> None:
    ladder = Ladder(walltime=(2.0, 4.0), memory=(3.0,), max_walltime="03:00:00")
    cluster = ClusterConfig(retries=ladder)
    base = Resources(walltime_s=3600, memory_gb=2.0)
    climbed = [cluster.climbed(base, timeouts=n, memory_failures=n) for n in range(4)]
    assert [c.walltime_s for c in climbed] == [3600, 7200, 10800, 10800]
    assert [c.memory_gb for c in climbed] == [2.0, 6.0, 6.0, 6.0]
    assert [may_retry(["timeout"] * n, ladder) for n in range(1, 4)] == [True, True, False]
    assert not may_retry(["failed"], ladder)
    assert not may_retry(["timeout", "cancelled"], ladder)
    assert [may_retry(["unconverged"] * n, Ladder(convergence=1)) for n in (1, 2)] == [True, False]


@pytest.mark.parametrize(
    "name", ["a b", "x'; touch Y; '", "$(touch Y)", "`touch Y`", "ü\n#SBATCH --uid=0", "-x", ""]
)
def test_job_names_are_tame(tmp_path: Path, name: str) -> None:
    safe = safe_name(name)
    assert safe
    assert not safe.startswith("-")
    assert set(safe) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")
    cluster = ClusterConfig(scratch='$HOME/`touch Y`/"$(touch Y)', python="/bin/true it's")
    script = job_script(cluster, Resources(walltime_s=60), name=name)
    named = [line for line in script.splitlines() if "uid" in line]
    assert all(line.startswith("#SBATCH --job-name=") for line in named)
    (tmp_path / "job.sh").write_text(script)
    subprocess.run(
        ["bash", "job.sh"], cwd=tmp_path, env={"SLURM_SUBMIT_DIR": str(tmp_path), "HOME": "/h"},
        capture_output=True, check=False,
    )  # fmt: skip
    assert [p.name for p in tmp_path.iterdir()] == ["job.sh"]


def test_names_of_jobs_follow_from_tasks(tmp_path: Path) -> None:
    first = batch_name(tmp_path, "relax", ["a"], [0])
    assert first == batch_name(tmp_path, "relax", ["a"], [0])
    others = {
        batch_name(tmp_path, "relax", ["b"], [0]),
        batch_name(tmp_path, "relax", ["a"], [1]),
        batch_name(tmp_path / "x", "relax", ["a"], [0]),
    }
    assert first not in others
    assert len(others) == 3


def test_a_driver_inside_a_job_passes_nothing_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLURM_JOB_ID", "SLURM_MEM_PER_NODE", "SBATCH_PARTITION", "SLURM_CONF"):
        monkeypatch.setenv(name, "1")
    left = {k for k in submit_environment() if k.startswith(("SLURM", "SBATCH"))}
    assert left == {"SLURM_CONF"}


@pytest.mark.parametrize(
    ("slurm", "reason", "files", "expected"),
    [
        ("PENDING", "Priority", {}, "queued"),
        ("PENDING", "DependencyNeverSatisfied", {}, "never_started"),
        ("RUNNING", "None", {}, "running"),
        ("RUNNING", "None", {"0.ended.json": {"state": "cancelled"}}, "running"),
        ("COMPLETED", "None", {"result.json": {}}, "done"),
        ("COMPLETED", "None", {}, "failed"),
        ("TIMEOUT", "TimeLimit", {"0.ended.json": {"state": "cancelled"}}, "timeout"),
        ("TIMEOUT", "TimeLimit", {"result.json": {}}, "done"),
        ("OUT_OF_MEMORY", "OutOfMemory", {}, "out_of_memory"),
        ("NODE_FAIL", "None", {}, "node_failure"),
        ("PREEMPTED", "None", {}, "node_failure"),
        ("CANCELLED", "None", {}, "cancelled"),
        ("CANCELLED", "DependencyNeverSatisfied", {}, "never_started"),
        ("CANCELLED", "None", {"0.ended.json": {"state": "timeout"}}, "timeout"),
        ("FAILED", "NonZeroExitCode", {"0.ended.json": {"state": "failed"}}, "failed"),
        ("FAILED", "NonZeroExitCode", {"0.started.json": {"job": "1"}}, "node_failure"),
        ("", "", {"0.ended.json": {"state": "out_of_memory"}}, "out_of_memory"),
        ("", "", {"0.started.json": {"job": "1"}}, "node_failure"),
        ("", "", {}, "cancelled"),
        ("", "", {"inputs.json": {"parents": ["p"]}}, "never_started"),
    ],
)
def test_every_end_has_a_name(
    tmp_path: Path, slurm: str, reason: str, files: dict[str, dict[str, Any]], expected: str
) -> None:
    batch = tmp_path / "slurm" / "b"
    batch.mkdir(parents=True)
    task = tmp_path / "t"
    task.mkdir()
    for name, content in files.items():
        write_json((task if name in ("result.json", "inputs.json") else batch) / name, content)
    placed = Placed(Batch(batch, ("t",), (0,), Resources(), "s", array=False), 0, "1")
    entry = QueueEntry("1", slurm, reason, "b") if slurm else None
    assert judge(placed, entry, task, patient=False).state == expected
