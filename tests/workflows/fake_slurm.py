"""A Slurm for tests: three small commands on the PATH, and a thread that runs the jobs.

It knows what the package uses: arrays, ``afterok`` and ``afterany``, cancellation, walltimes, and
the states a job goes through. Jobs are real processes.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

COMMAND = """#!{python} -SE
import json, os, re, sys, time
home = {home!r}
words = sys.argv[1:]

def note(name):
    path = home + "/" + name
    return open(path).read() if os.path.exists(path) else ""

"""

SBATCH = """
with open(home + "/calls", "a") as stream:
    stream.write(json.dumps([os.getcwd(), words]) + chr(10))
time.sleep(float(note("slow-before") or 0))
if note("refuse"):
    sys.stderr.write("sbatch: error: " + note("refuse") + chr(10))
    sys.exit(1)
script = open(words[-1]).read()
options = dict(re.findall(r"(?m)^#SBATCH --([a-z-]+)=(.*)$", script))
number = 1
while True:
    try:
        os.close(os.open("%s/ids/%d" % (home, number), os.O_CREAT | os.O_EXCL))
        break
    except FileExistsError:
        number += 1
job = dict(id=number, cwd=os.getcwd(), script=words[-1], options=options, env=dict(os.environ))
open("%s/.%d" % (home, number), "w").write(json.dumps(job))
os.rename("%s/.%d" % (home, number), "%s/jobs/%d.json" % (home, number))
time.sleep(float(note("slow-after") or 0))
if note("mute"):
    sys.stderr.write("sbatch: error: Batch job submission failed: Socket timed out" + chr(10))
    sys.exit(1)
print(number)
"""

SQUEUE = """
if note("down"):
    sys.stderr.write("slurm_load_jobs error: Unable to contact slurm controller" + chr(10))
    sys.exit(1)
states = json.loads(note("states.json") or "{}")
for name in sorted(os.listdir(home + "/jobs")):
    job = json.load(open(home + "/jobs/" + name))
    last = re.match(r"0-([0-9]+)", job["options"].get("array", ""))
    for element in range(int(last.group(1)) + 1) if last else [None]:
        key = str(job["id"]) if element is None else "%d_%d" % (job["id"], element)
        state, reason = states.get(key, ["PENDING", "Priority"])
        if state != "PURGED":
            print("|".join([key, state, reason, job["options"]["job-name"]]))
"""

SCANCEL = """
for word in words:
    open(home + "/cancel/" + word, "w").close()
"""

HANGING = f"sleep 86{os.getpid()}"
"""What a command does that never answers; only commands of this test process sleep for so long."""


class FakeSlurm:
    """The controller.

    Attributes
    ----------
    held : bool
        No job is started.
    """

    def __init__(self, home: Path, *, slots: int = 2) -> None:
        self.home, self.slots = home, slots
        self.held = False
        for name in ("bin", "ids", "jobs", "cancel"):
            (home / name).mkdir(parents=True)
        for name, body in {"sbatch": SBATCH, "squeue": SQUEUE, "scancel": SCANCEL}.items():
            path = home / "bin" / name
            path.write_text(COMMAND.format(python=sys.executable, home=str(home)) + body)
            path.chmod(0o755)
        self.states: dict[str, tuple[str, str]] = {}
        self._running: dict[str, tuple[subprocess.Popen[bytes], float]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def calls(self) -> list[tuple[str, list[str]]]:
        """Working directory and words of every sbatch."""
        path = self.home / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        return [(cwd, words) for cwd, words in map(json.loads, lines)]

    def say(self, name: str, text: str) -> None:
        """Make a command misbehave; an empty text ends it."""
        (self.home / name).write_text(text)

    def hang(self) -> None:
        """Let every command wait for ever, as a site's wrapper does whose controller is silent."""
        for path in (self.home / "bin").iterdir():
            path.write_text(f"#!/bin/sh\n{HANGING}\nexit 1\n")

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        for process, _ in self._running.values():
            self._kill(process)

    def forget(self, job: str) -> None:
        """Purge a job from the queue."""
        self.states[job] = ("PURGED", "")
        self._publish()

    def fail_node(self, job: str) -> None:
        """Let the node of a running job die."""
        process, _ = self._running.pop(job)
        self._kill(process)
        self.states[job] = ("NODE_FAIL", "None")
        self._publish()

    def time_out(self, job: str) -> None:
        """Let the walltime of a running job end soon."""
        self._running[job] = (self._running[job][0], 0.0)
        self._publish()

    def idle(self) -> bool:
        """Whether no job is running or waiting."""
        return all(self.states.get(e, ("PENDING", ""))[0] not in ("PENDING", "RUNNING")
                   for _, elements in self._jobs() for e in elements)  # fmt: skip

    def _serve(self) -> None:
        while not self._stop.wait(0.02):
            self._cancel()
            self._reap()
            if not self.held:
                self._start()
            self._publish()

    def _jobs(self) -> list[tuple[dict[str, object], list[str]]]:
        found = []
        for path in sorted((self.home / "jobs").iterdir(), key=lambda p: int(p.stem)):
            job = json.loads(path.read_text())
            last = re.match(r"0-(\d+)", job["options"].get("array", ""))
            count = range(int(last.group(1)) + 1) if last else ()
            found.append((job, [f"{job['id']}_{k}" for k in count] or [str(job["id"])]))
        return found

    def _publish(self) -> None:
        temporary = self.home / ".states"
        temporary.write_text(json.dumps(self.states))
        temporary.replace(self.home / "states.json")

    def _cancel(self) -> None:
        for path in (self.home / "cancel").iterdir():
            elements = [e for _, es in self._jobs() for e in es]
            for key in [e for e in elements if e == path.name or e.startswith(f"{path.name}_")]:
                if key in self._running:
                    process, _ = self._running.pop(key)
                    self._end(process)
                if self.states.get(key, ("PENDING", ""))[0] in ("PENDING", "RUNNING"):
                    self.states[key] = ("CANCELLED", "None")
            path.unlink()

    def _reap(self) -> None:
        for key, (process, until) in list(self._running.items()):
            code = process.poll()
            if code is not None:
                if self._running.pop(key, None) is None:
                    continue  # its node failed just now
                self.states[key] = ("COMPLETED" if code == 0 else "FAILED", "None")
            elif time.monotonic() > until:
                del self._running[key]
                self._end(process)
                self.states[key] = ("TIMEOUT", "TimeLimit")

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """SIGTERM, a moment, SIGKILL."""
        process.terminate()
        try:
            process.wait(2.0)
        except subprocess.TimeoutExpired:
            self._kill(process)

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        """Kill a job and the sessions it has started."""
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(path.read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
            if parent == process.pid:
                os.kill(int(path.parent.name), signal.SIGKILL)
        process.kill()
        process.wait()

    def _start(self) -> None:
        for job, elements in self._jobs():
            options = job["options"]
            assert isinstance(options, dict)
            verdict = self._dependency(options.get("dependency", ""))
            for key in elements:
                if key in self.states:
                    continue
                if verdict is False:
                    self.states[key] = ("CANCELLED", "DependencyNeverSatisfied")
                elif verdict and len(self._running) < self.slots:
                    self._launch(job, options, key)

    def _launch(self, job: dict[str, object], options: dict[str, str], key: str) -> None:
        cwd = str(job["cwd"])
        number, _, element = key.partition("_")
        env = job["env"]
        assert isinstance(env, dict)
        env = {**env, "SLURM_JOB_ID": number, "SLURM_SUBMIT_DIR": cwd}
        if element:
            env |= {"SLURM_ARRAY_JOB_ID": number, "SLURM_ARRAY_TASK_ID": element}
        name = options["output"].replace("%a", element)
        descriptor = os.open(Path(cwd) / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        with os.fdopen(descriptor, "ab") as out:
            process = subprocess.Popen(
                ["bash", str(job["script"])], cwd=cwd, env=env, stdout=out, stderr=out,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
        days, clock = options["time"].split("-")
        hours, minutes, seconds = (int(x) for x in clock.split(":"))
        limit = ((int(days) * 24 + hours) * 60 + minutes) * 60 + seconds
        until = time.monotonic() + limit
        self._running[key] = (process, until)
        self.states[key] = ("RUNNING", "None")

    def _dependency(self, text: str) -> bool | None:
        """Whether a job may start; None for not yet."""
        if not text:
            return True
        separator = "?" if "?" in text else ","
        verdicts = [self._clause(clause) for clause in text.split(separator)]
        if separator == "?":
            return True if True in verdicts else (None if None in verdicts else False)
        return False if False in verdicts else (None if None in verdicts else True)

    def _clause(self, clause: str) -> bool | None:
        kind, *jobs = clause.split(":")
        states = [self.states.get(job, ("PENDING", ""))[0] for job in jobs]
        if any(s in ("PENDING", "RUNNING") for s in states):
            return None
        return kind == "afterany" or all(s == "COMPLETED" for s in states)


@contextmanager
def first_on_the_path(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSlurm]:
    """A controller in a folder, whose commands are found before any others, and no clusters yet."""
    fake = FakeSlurm(home)
    monkeypatch.setenv("PATH", f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home.parent / "config"))
    yield fake
    fake.close()
