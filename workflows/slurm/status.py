"""How far runs are, from their files and one look at the queue; changes nothing."""

from __future__ import annotations

import logging
import os
import re
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from superionic.structures.errors import ClusterError, RunFolderError
from superionic.workflows.runfolder import (
    INPUTS,
    PROGRESS,
    RESULT,
    read_optional,
    read_task,
    task_name,
)
from superionic.workflows.slurm.campaign import CAMPAIGN, read_campaign, read_legs
from superionic.workflows.slurm.client import QueueEntry, Slurm
from superionic.workflows.slurm.command_line import name_of, option_value
from superionic.workflows.slurm.outcome import judge
from superionic.workflows.slurm.records import SLURM, STOP, Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from superionic.workflows.slurm.records import Placed

log = logging.getLogger(__name__)

_TASK = re.compile(r".+-[0-9a-f]{16}")
_DEPTH = 4
"""Levels below a results folder at which runs are looked for."""


@dataclass(frozen=True)
class TaskStatus:
    """One task that is not simply done.

    Attributes
    ----------
    run, key : str
        Folder of the run, and the task's within it.
    state : str
        See ``runfolder.TaskState``; ``pending`` is not started.
    job : str
        Number of its job; empty if it has none.
    reason : str
        Why it waits or failed.
    progress : str
        What it is at, with the latest fmax or speed.
    """

    run: str
    key: str
    state: str
    job: str = ""
    reason: str = ""
    progress: str = ""


@dataclass(frozen=True)
class Survey:
    """How far everything below a folder is.

    Attributes
    ----------
    counts : dict
        Tasks by short name and state.
    tasks : tuple of TaskStatus
        All that are not done.
    runs : tuple of str
        Folders of runs.
    commands : tuple of tuple
        Of a campaign: command, state and message.
    driver : str
        Of a campaign: what is known of the job that goes on.
    remarks : tuple of str
        What could not be found out.
    """

    counts: dict[str, dict[str, int]]
    tasks: tuple[TaskStatus, ...]
    runs: tuple[str, ...]
    commands: tuple[tuple[str, str, str], ...] = ()
    driver: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def totals(self) -> dict[str, int]:
        """Tasks by state."""
        total: dict[str, int] = {}
        for states in self.counts.values():
            for state, number in states.items():
                total[state] = total.get(state, 0) + number
        return total

    @property
    def finished(self) -> bool:
        """Whether all that was asked for was done."""
        ended = all(state == "ended" for _, state, _ in self.commands)
        return ended and set(self.totals) <= {"done"}


def survey(folder: Path) -> Survey:
    """Look at all runs in and below a folder.

    Raises
    ------
    RunFolderError
        There is no such folder, or nothing in it that this package made.
    """
    if not folder.is_dir():
        raise RunFolderError(f"There is no folder {folder}.")
    runs = tuple(run_folders(folder))
    campaign = (folder / CAMPAIGN).is_dir()
    if not runs and not campaign:
        raise RunFolderError(
            f"There are no tasks in {folder}. Name the results folder of a command or a Run."
        )
    queue, remark = ask_queue()
    counts: dict[str, dict[str, int]] = {}
    open_tasks: list[TaskStatus] = []
    for run in runs:
        for status in _tasks(run, queue):
            states = counts.setdefault(task_name(status.key), {})
            states[status.state] = states.get(status.state, 0) + 1
            if status.state != "done":
                open_tasks.append(status)
    return Survey(
        counts=dict(sorted(counts.items())),
        tasks=tuple(open_tasks),
        runs=tuple(str(run) for run in runs),
        commands=_commands(folder) if campaign else (),
        driver=_driver(folder, queue) if campaign else "",
        remarks=(remark,) if remark else (),
    )


def run_folders(folder: Path, depth: int = _DEPTH) -> Iterator[Path]:
    """Yield the folders of runs in and below a folder, in order; does not enter tasks."""
    below: list[Path] = []
    is_run = False
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name in (SLURM, "run.log"):
                is_run = True
            elif not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
                if _TASK.fullmatch(entry.name):
                    is_run = is_run or Path(entry.path, INPUTS).exists()
                else:
                    below.append(Path(entry.path))
    if is_run:
        yield folder
    if depth:
        for path in sorted(below):
            yield from run_folders(path, depth - 1)


def ask_queue() -> tuple[dict[str, QueueEntry] | None, str]:
    """Return the queue, or None and why not."""
    if shutil.which("squeue") is None:
        return None, ""
    try:
        return Slurm(timeout_s=20.0).queue(), ""
    except ClusterError as error:
        return None, f"The queue could not be asked: {error}"


def _tasks(run: Path, queue: Mapping[str, QueueEntry] | None) -> Iterator[TaskStatus]:
    """Yield the state of every task of a run."""
    with os.scandir(run) as entries:
        keys = sorted(e.name for e in entries if _TASK.fullmatch(e.name) and e.is_dir())
    unfinished = []
    for key in keys:
        if Path(run, key, RESULT).exists():
            yield TaskStatus(str(run), key, "done")
        elif Path(run, key, INPUTS).exists():
            unfinished.append(key)
    ledger = Ledger(run) if unfinished else None
    for key in unfinished:
        placed = ledger.latest(key) if ledger else None
        yield _task(run, key, placed, queue)


def _task(
    run: Path, key: str, placed: Placed | None, queue: Mapping[str, QueueEntry] | None
) -> TaskStatus:
    """Return the state of one task that has no result."""
    folder = run / key
    if placed is None or (queue is None and placed.ended()):
        found = read_task(folder)
        state, reason = found.state, found.reason
        if state == "cancelled" and placed is None:
            state = "pending"
    elif queue is None:
        state = "running" if placed.started() else "queued"
        reason = "submitted from a machine whose queue cannot be asked here"
    else:
        outcome = judge(placed, queue.get(placed.job), folder, patient=False)
        state, reason = outcome.state, outcome.reason  # type: ignore[assignment]
        if state not in ("queued", "running") and read_optional(folder / "error.json"):
            skipped = read_task(folder)
            if skipped.state == "skipped":
                state, reason = skipped.state, skipped.reason
    told = progress_line(folder) if state == "running" else ""
    return TaskStatus(str(run), key, state, placed.job if placed else "", reason, told)


def progress_line(folder: Path) -> str:
    """Return what a running task last said of itself, in a few words."""
    told: dict[str, Any] = read_optional(folder / PROGRESS)
    words = [str(told.get("message", ""))]
    words.append(f"step {told['step']}" if "step" in told else "")
    words.append(f"of {told['total']}" if "step" in told and "total" in told else "")
    words.append(f"fmax {told['fmax']:.3f} eV/A" if "fmax" in told else "")
    return " ".join(w for w in words if w)


def _commands(folder: Path) -> tuple[tuple[str, str, str], ...]:
    """Return how far each command of a campaign is."""
    campaign = read_campaign(folder)
    legs = read_legs(campaign)
    rows = []
    for index, words in enumerate(campaign.commands):
        leg = legs.get(index)
        state: str = "not started" if leg is None else leg.state
        if leg is not None and leg.state == "ended" and leg.code:
            state = f"ended with exit code {leg.code}"
        rows.append((_told(words, folder), state, leg.message if leg else ""))
    return tuple(rows)


def _told(words: Sequence[str], folder: Path) -> str:
    """Return a command line; where many compute below one folder, what tells them apart."""
    out = Path(option_value(words) or folder)
    if out != folder and out.is_relative_to(folder):
        return f"{name_of(words)} -> {out.relative_to(folder)}"
    return shlex.join(words)


def _driver(folder: Path, queue: Mapping[str, QueueEntry] | None) -> str:
    """Say what is known of the job that takes the next step of a campaign."""
    campaign = read_campaign(folder)
    if (campaign.records / SLURM / STOP).exists():
        return f"cancelled; `superionic resume {folder}` goes on"
    if all(leg.state != "waiting" for leg in read_legs(campaign).values()):
        return "nothing left to do"
    latest = Ledger(campaign.records).latest("driver")
    if latest is None:
        return f"no next step is in the queue: `superionic resume {folder}` takes it"
    entry = queue.get(latest.job) if queue is not None else None
    if entry is not None and entry.active:
        return f"the next step is job {latest.job}, {entry.state.lower()} ({entry.reason})"
    if queue is None and not latest.ended():
        return f"the next step is job {latest.job}"
    why = str(latest.ended().get("reason") or "it ended")
    return f"job {latest.job} did not go on ({why}): `superionic resume {folder}` does"


def stop_all(folder: Path) -> list[str]:
    """Cancel all jobs of everything below a folder, drivers first; return their numbers.

    Raises
    ------
    ClusterError
        Slurm does not answer.
    """
    places = [p for p in (folder / CAMPAIGN,) if p.is_dir()] + list(run_folders(folder))
    for place in places:
        if (place / SLURM).is_dir():
            (place / SLURM / STOP).touch(mode=0o644)
    slurm = Slurm()
    cancelled: list[str] = []
    for place in (*places, *places):  # twice: a driver may have been in the middle of an sbatch
        names = {p.name for p in (place / SLURM).glob("*-*")}
        jobs = [e.job for e in slurm.queue().values() if e.active and e.name in names]
        slurm.cancel(sorted({job.partition("_")[0] for job in jobs}))
        cancelled += [job for job in jobs if job not in cancelled]
    return cancelled


def let_go_on(folder: Path) -> None:
    """Take back a cancellation."""
    for place in (folder / CAMPAIGN, *run_folders(folder)):
        (place / SLURM / STOP).unlink(missing_ok=True)
