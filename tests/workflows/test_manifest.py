from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import socket
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import superionic
from superionic.workflows.manifest import (
    Stopwatch,
    build_manifest,
    cpu_seconds,
    file_checksums,
    library_versions,
    sha256_of,
)
from superionic.workflows.serialise import decode, encode
from superionic.workflows.task import execute_task


def test_checksums_are_those_of_the_files(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    contents = {"inputs.json": b"{}", "raw/wave.bin": bytes(range(256)) * 1000, "empty": b""}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    for own in (".lock", "manifest.json", "progress.json", "running.json"):
        (tmp_path / own).write_text("x")
    (tmp_path / "link").symlink_to("empty")
    expected = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    assert file_checksums(tmp_path) == expected
    assert sha256_of(tmp_path / "empty") == hashlib.sha256(b"").hexdigest()


def test_versions_are_the_installed_ones() -> None:
    versions = library_versions()
    assert versions["superionic"] == superionic.__version__
    assert versions["numpy"] == importlib.metadata.version("numpy")
    assert versions["executorlib"].startswith("1.11.")


def test_clocks_measure_wall_and_cpu() -> None:
    watch = Stopwatch.start()
    time.sleep(0.15)
    began = cpu_seconds()
    while cpu_seconds() - began < 0.1:
        sum(range(1000))
    told = build_manifest(key="k", state="done", watch=watch, cpus=1, parents=(), checksums={})
    assert isinstance(told["wall_s"], float)
    assert isinstance(told["cpu_s"], float)
    assert told["wall_s"] >= 0.25
    assert 0.1 <= told["cpu_s"] < told["wall_s"]


def test_manifest_says_where_when_and_with_what() -> None:
    watch = Stopwatch.start()
    told = build_manifest(
        key="neb-1", state="failed", watch=watch, cpus=2, parents=("a", "b"), checksums={"x": "y"}
    )
    assert told["host"] == socket.gethostname()
    assert told["python"] == platform.python_version()
    assert told["cpu_count"] == os.cpu_count()
    assert (told["cpus"], told["state"], told["parents"]) == (2, "failed", ["a", "b"])
    assert told["checksums"] == {"x": "y"}
    started, ended = (datetime.fromisoformat(str(told[k])) for k in ("started", "ended"))
    assert started.tzinfo is not None
    assert started <= ended
    assert decode(encode(told)) == told


Finished = tuple[dict[str, Any], Path, dict[str, Any]]
"""What the worker said, the task's folder and its manifest."""


@pytest.fixture
def finished(tmp_path: Path) -> Finished:
    """A task that was executed here, in this process."""
    import json

    folder = tmp_path / "sqrt-0"
    folder.mkdir()
    described = {"module": "math", "qualname": "isqrt", "version": 1, "inputs": {"n": 17}}
    (folder / "inputs.json").write_text(json.dumps(described | {"parents": ["p-1"]}))
    told = execute_task(str(folder))
    return told, folder, json.loads((folder / "manifest.json").read_text())


def test_a_finished_task_has_a_true_manifest(finished: Finished) -> None:
    told, folder, manifest = finished
    assert told == {"state": "done"}
    assert manifest["state"] == "done"
    assert manifest["key"] == folder.name
    assert manifest["parents"] == ["p-1"]
    assert set(manifest["checksums"]) == {"inputs.json", "result.json", "task.log"}
    for name, digest in manifest["checksums"].items():
        assert sha256_of(folder / name) == digest
    assert execute_task(str(folder)) == {"state": "reused"}
