"""What a job runs: ``python -m superionic.workflows.slurm.supervise``, in the folder of its script.

A child process computes the task, exactly as a local worker would. This one watches it, and writes
down how it ended when the child cannot: walltime, cancellation, memory, a crash. It imports nothing
but the standard library, so that the child starts clean.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

BATCH = "batch.json"
FUNCTION = "function.pkl"
START_TIME = "SUPERIONIC_JOB_START"
"""Environment variable with the time at which the script began, in seconds since 1970."""

_MARGIN_S = 5.0
"""Slurm ends jobs at their walltime or later; clocks differ by less than this."""


def started_name(index: int) -> str:
    """Name the file that says that a task of a batch has begun, and in which job."""
    return f"{index}.started.json"


def ended_name(index: int) -> str:
    """Name the file that says how a task of a batch has ended."""
    return f"{index}.ended.json"


class Supervisor:
    """Runs one task of a batch in a child process.

    Parameters
    ----------
    batch
        Folder of the batch.
    index
        Which of its tasks.
    """

    def __init__(self, batch: Path, index: int) -> None:
        told = json.loads((batch / BATCH).read_text(encoding="utf-8"))
        self.batch, self.index = batch, index
        self.folder = batch.parent.parent / str(told["keys"][index])
        self.cpus = int(told["asked"]["cpus"])
        self.walltime_s = float(told["asked"]["walltime_s"])
        memory = told["asked"].get("memory_gb")
        self.memory_kb = memory * 1024**2 if memory else None
        self.began = float(os.environ.get(START_TIME) or time.time())
        self.peak_kb = 0.0
        self.cause = ""
        self.child = 0

    def run(self) -> int:
        """Compute the task and return the exit code of the job: 0 only with a result."""
        (self.batch / ended_name(self.index)).unlink(missing_ok=True)  # of a job put back
        write_json(self.batch / started_name(self.index), {"job": job_id(), **_here()})
        os.umask(os.umask(0o022) | 0o022)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGXCPU):
            signal.signal(number, self._told_to_stop)
        self.child = os.fork()
        if self.child == 0:
            _compute(self.folder, self.cpus, self.batch / FUNCTION)
        state, reason = self._verdict(self._watch())
        told = {"state": state, "reason": reason, "job": job_id(), **_here()}
        write_json(self.batch / ended_name(self.index), told | {"peak_gb": self.peak_kb / 1024**2})
        return 0 if state == "done" else 1

    def _told_to_stop(self, number: int, _frame: object) -> None:
        """Take note of Slurm's signal and end the child."""
        over = time.time() - self.began >= self.walltime_s - _MARGIN_S
        self.cause = self.cause or ("timeout" if over else "cancelled")
        self._kill()

    def _kill(self) -> None:
        """Kill the child and what it has started."""
        if self.child:
            try:
                os.killpg(self.child, signal.SIGKILL)
            except ProcessLookupError:
                return

    def _watch(self) -> int:
        """Wait for the child, with an eye on its memory; return its wait status."""
        pause = 0.02
        while True:
            pid, status = os.waitpid(self.child, os.WNOHANG)
            if pid:
                return status
            if self.cause:  # told to stop before the child could be killed
                self._kill()
            elif self.memory_kb is not None:
                self.peak_kb = max(self.peak_kb, memory_of_family(self.child))
                if self.peak_kb > self.memory_kb:
                    self.cause = "out_of_memory"
                    continue
            time.sleep(pause)
            pause = min(pause * 1.5, 0.5)

    def _verdict(self, status: int) -> tuple[str, str]:
        """Return state and reason, and leave them in the task's folder if the child could not."""
        if (self.folder / "result.json").exists():
            return "done", ""
        error = _read(self.folder / "error.json")
        if self.cause:
            state, reason = self.cause, self._reason(self.cause)
        elif os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            state = "out_of_memory" if number == signal.SIGKILL else "failed"
            name = signal.Signals(number).name
            hint = "; out of memory is the usual cause" if number == signal.SIGKILL else ""
            reason = f"The process was killed by {name}{hint}."
        elif error.get("type") == "MemoryError":
            state, reason = "out_of_memory", f"MemoryError: {error.get('message', '')}"
        elif error.get("type") == "TimeoutError":  # of a code that was asked to stop in time
            state, reason = "timeout", str(error.get("message", ""))
        elif error.get("type") == "StepsUsedUpError":  # of a code that can go on
            state, reason = "unconverged", str(error.get("message", ""))
        elif error:
            return "failed", f"{error.get('type')}: {error.get('message')}"
        else:
            code = os.waitstatus_to_exitcode(status)
            state, reason = "failed", f"The process ended with exit code {code}."
        kind = {"failed": "WorkerDied"}.get(state, state)
        write_json(
            self.folder / "error.json",
            {"traceback": "", **error, "state": state, "type": kind, "message": reason},
        )
        (self.folder / "running.json").unlink(missing_ok=True)
        return state, reason

    def _reason(self, cause: str) -> str:
        """Say what a cause means in numbers."""
        spent = time.time() - self.began
        if cause == "timeout":
            return f"The walltime of {self.walltime_s:.0f} s was too short."
        if cause == "cancelled":
            return f"The job was cancelled after {spent:.0f} s."
        asked = (self.memory_kb or 0.0) / 1024**2
        return f"It took {self.peak_kb / 1024**2:.2f} GB of memory; {asked:.2f} were asked for."


def _compute(folder: Path, cpus: int, pickled: Path) -> None:
    """Compute the task in the child process, and end it."""
    code = 1
    try:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGXCPU):
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        from superionic.workflows.task import execute_task

        function = pickled.read_bytes() if pickled.exists() else None
        told = execute_task(str(folder), cpus, function)
        code = 0 if told["state"] in ("done", "reused") else 1
    except BaseException:  # whatever it is, the parent must not run on in two copies
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def memory_of_family(leader: int) -> float:
    """Return the resident memory of a process and all that descend from it in kB; 0 without /proc.

    Also of those in its session whose parents have ended.
    """
    parents: dict[int, int] = {}
    family: dict[int, float] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "stat").read_text().rpartition(")")[2].split()
            pages = int((folder / "statm").read_text().split()[1])
        except (OSError, ValueError, IndexError):
            continue
        pid = int(folder.name)
        parents[pid] = leader if int(words[3]) == leader else int(words[1])
        family[pid] = pages * os.sysconf("SC_PAGE_SIZE") / 1024
    return sum(size for pid, size in family.items() if _descends(pid, leader, parents))


def _descends(pid: int, leader: int, parents: dict[int, int]) -> bool:
    """Return whether a process is another, or descends from it."""
    while pid != leader and pid in parents and pid > 1:
        pid = parents[pid]
    return pid == leader


def job_id() -> str:
    """Return the number of the job that this process is in: ``123`` or ``123_4``."""
    array, element = (os.environ.get(f"SLURM_ARRAY_{x}") for x in ("JOB_ID", "TASK_ID"))
    return f"{array}_{element}" if array and element else os.environ.get("SLURM_JOB_ID", "")


def _here() -> dict[str, Any]:
    """Return where and when this is."""
    return {"host": socket.gethostname(), "pid": os.getpid(), "time": time.time()}


def _read(path: Path) -> dict[str, Any]:
    """Return a JSON object, or an empty one."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a file at once or not at all; a full disk is no reason to lose the exit code."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(content, stream)
        temporary.replace(path)
    except OSError as error:
        sys.stderr.write(f"cannot write {path}: {error}\n")


def main() -> int:
    """Run the task that this job, or this element of a job array, is for."""
    index = int(os.environ.get("SLURM_ARRAY_TASK_ID") or 0)
    return Supervisor(Path.cwd(), index).run()


if __name__ == "__main__":
    sys.exit(main())
