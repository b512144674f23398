"""Small jobs for the tests of clusters."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from demo_jobs import note

from superionic.workflows.context import load_checkpoint, save_checkpoint
from superionic.workflows.execution import Resources, job


@job(version=1)
def plus(a: float, b: float = 1.0, *, journal: str = "") -> float:
    """Add, and say so before and after."""
    if journal:
        note(journal, f"begin plus {a} {b}")
        note(journal, f"end plus {a} {b}")
    return a + b


@job(version=1)
def added(values: tuple[float, ...], journal: str = "") -> float:
    if journal:
        note(journal, f"begin added {len(values)}")
        note(journal, f"end added {len(values)}")
    return sum(values)


@job(version=1)
def nap(seconds: float, tag: str = "") -> str:
    time.sleep(seconds)
    return os.environ.get("SLURM_JOB_ID", "") + tag


@job(version=1)
def once(flag: str, seconds: float = 600.0) -> str:
    """Take long at the first try, and no time at all at the second."""
    path = Path(flag)
    if not path.exists():
        path.touch()
        time.sleep(seconds)
    return "done"


@job(version=1)
def steps(count: int, journal: str, pause: float) -> int:
    """Count with a checkpoint at every step."""
    state = load_checkpoint("steps")
    first = int(state["step"]) if state else 0
    note(journal, f"from {first}")
    for step in range(first, count):
        save_checkpoint("steps", {"step": step + 1})
        time.sleep(pause)
    return count


@job(version=1)
def bad(message: str) -> None:
    raise ValueError(message)


@job(version=1, resources=Resources(memory_gb=0.2))
def hungry(flag: str, gb: float) -> float:
    """Take memory at the first try."""
    if Path(flag).exists():
        return 0.0
    Path(flag).touch()
    block = bytearray(int(gb * 1024**3))
    for k in range(0, len(block), 4096):
        block[k] = 1
    time.sleep(600.0)
    return float(len(block))


@job(version=1)
def describe(text: str) -> str:
    return f"got {text}"


@job(version=1)
def fail_unless(flag: str) -> str:
    if not Path(flag).exists():
        raise ValueError(f"no file {Path(flag).name}")
    return "fine"


@job(version=1)
def ranks_of(command: str) -> int:
    """How many ranks a launcher starts in here."""
    done = subprocess.run([command, "hostname"], capture_output=True, check=True)
    return len(done.stdout.splitlines())
