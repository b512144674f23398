"""What became of a job: one word and a reason, from Slurm's queue and the files it left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from superionic.workflows.runfolder import ERROR, INPUTS, RESULT, read_optional
from superionic.workflows.slurm.client import NEVER, WAITING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from superionic.workflows.slurm.client import QueueEntry
    from superionic.workflows.slurm.config import Ladder
    from superionic.workflows.slurm.records import Placed

JobState = Literal[
    "queued",
    "running",
    "done",
    "failed",
    "cancelled",
    "timeout",
    "out_of_memory",
    "unconverged",
    "node_failure",
    "never_started",
    "unknown",
]
"""``unconverged``: an external code used up its steps; ``never_started``: a job that it waited for
failed; ``unknown``: files may still arrive."""

_SLURM = {
    "TIMEOUT": "timeout",
    "DEADLINE": "timeout",
    "OUT_OF_MEMORY": "out_of_memory",
    "NODE_FAIL": "node_failure",
    "BOOT_FAIL": "node_failure",
    "PREEMPTED": "node_failure",
    "CANCELLED": "cancelled",
    "REVOKED": "cancelled",
}
_WORDS = {
    "timeout": "The walltime was too short.",
    "out_of_memory": "The memory was too little.",
    "node_failure": "Its node failed, or it had to make room for another job.",
    "cancelled": "The job was cancelled.",
    "never_started": "A job that it waited for did not end well.",
}


@dataclass(frozen=True)
class Outcome:
    """How far a job is, or how it ended.

    Attributes
    ----------
    state : str
        See ``JobState``.
    reason : str
        Why; for a job that waits, Slurm's word.
    """

    state: JobState
    reason: str = ""

    @classmethod
    def recorded(cls, told: Mapping[str, Any]) -> Outcome:
        """Return what the file of an end says."""
        state = told.get("state")
        known: JobState = state if state in get_args(JobState) else "failed"  # type: ignore[assignment]
        return cls(known, str(told.get("reason", "")))

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.state not in ("queued", "running", "unknown")


def judge(placed: Placed, entry: QueueEntry | None, folder: Path, *, patient: bool) -> Outcome:
    """Say what became of a job.

    Parameters
    ----------
    placed
        The submission.
    entry
        What Slurm says of it; None if Slurm does not know it any more.
    folder
        The task's folder.
    patient
        Files may still be on their way from the compute node.
    """
    if entry is not None and entry.active:
        reason = "" if entry.reason == "None" else entry.reason
        if entry.state in WAITING:
            never = NEVER in entry.reason
            return Outcome("never_started" if never else "queued", reason)
        return Outcome("running", reason)
    if (folder / RESULT).exists():
        return Outcome("done")
    if entry is not None and entry.state in _SLURM:
        return _by_slurm(placed, entry)
    told = placed.ended()
    if told.get("state") not in (None, "done"):
        return Outcome.recorded(told)
    if patient:
        return Outcome("unknown", "the job has left the queue; waiting for its files")
    return _without_word(placed, entry, folder)


def _by_slurm(placed: Placed, entry: QueueEntry) -> Outcome:
    """Believe Slurm, and take the numbers from what the job wrote if they agree."""
    state = _SLURM[entry.state]
    told = placed.ended()
    if state == "cancelled" and told.get("state") in ("timeout", "out_of_memory", "failed"):
        return Outcome.recorded(told)
    if state == "cancelled" and not placed.started() and NEVER in entry.reason:
        state = "never_started"
    reason = str(told.get("reason", "")) if told.get("state") == state else ""
    return Outcome(state, reason or f"{_WORDS[state]} (Slurm: {entry.state})")  # type: ignore[arg-type]


def _without_word(placed: Placed, entry: QueueEntry | None, folder: Path) -> Outcome:
    """Judge a job that is gone and left no word."""
    error = read_optional(folder / ERROR)
    if error and error.get("state") != "skipped":
        return Outcome("failed", f"{error.get('type')}: {error.get('message')}")
    if placed.started():
        said = f"; Slurm: {entry.state}" if entry is not None else ""
        return Outcome("node_failure", f"It began and vanished without a word{said}.")
    if entry is not None:
        return Outcome("failed", f"The job ended before Python began: {last_line(placed.log)}")
    if _waits_in_vain(folder):  # such jobs are forgotten by Slurm at once
        return Outcome("never_started", _WORDS["never_started"])
    return Outcome("cancelled", "The job left the queue before it began.")


def _waits_in_vain(folder: Path) -> bool:
    """Return whether a task needs the result of another that has none."""
    parents = read_optional(folder / INPUTS).get("parents", [])
    return any(not (folder.parent / str(key) / RESULT).exists() for key in parents)


def last_line(path: Path) -> str:
    """Return the last line of a log, shortened."""
    try:
        lines = path.read_text(errors="replace").strip().splitlines()
    except OSError:
        return f"it printed nothing (see {path.parent})"
    return lines[-1][:200] if lines else f"it printed nothing (see {path})"


def may_retry(states: Sequence[str], ladder: Ladder) -> bool:
    """Return whether a task is tried again by itself.

    Parameters
    ----------
    states
        How it ended so far in this session; the last is the one that counts.
    ladder
        The rule.
    """
    last = states[-1] if states else ""
    allowed = {
        "timeout": len(ladder.walltime),
        "out_of_memory": len(ladder.memory),
        "unconverged": ladder.convergence,
        "node_failure": ladder.node_failures,
        "never_started": 8,
    }.get(last, 0)
    return states.count(last) <= allowed
