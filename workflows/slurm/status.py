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
from superionic.workflows.slurm.client import PROBE_S, QueueEntry, Slurm
from superionic.workflows.slurm.command_line import name_of, option_value
from superionic.workflows.slurm.outcome import judge
from superionic.workflows.slurm.records import SLURM, STOP, Ledger

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

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
    going_on : bool
        Whether anything is queued or running, as far as is known.
    remarks : tuple of str
        What could not be found out.
    """

    counts: dict[str, dict[str, int]]
    tasks: tuple[TaskStatus, ...]
    runs: tuple[str, ...]
    commands: tuple[tuple[str, str, str], ...] = ()
    driver: str = ""
    going_on: bool = False
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
    listed = [_listed(run) for run in runs]
    step = _step(folder) if campaign else None
    queue, remark = ask_queue()  # after the records: whatever they name was submitted before
    counts: dict[str, dict[str, int]] = {}
    open_tasks: list[TaskStatus] = []
    for status in _statuses(zip(runs, listed, strict=True), queue):
        states = counts.setdefault(task_name(status.key), {})
        states[status.state] = states.get(status.state, 0) + 1
        if status.state != "done":
            open_tasks.append(status)
    driver, driven = _driver(folder, queue, step) if campaign else ("", False)
    return Survey(
        counts=dict(sorted(counts.items())),
        tasks=tuple(open_tasks),
        runs=tuple(str(run) for run in runs),
        commands=_commands(folder) if campaign else (),
        driver=driver,
        going_on=driven or any(t.state in ("queued", "running") for t in open_tasks),
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
        return Slurm(timeout_s=PROBE_S).queue(), ""
    except ClusterError as error:
        return None, f"The queue could not be asked: {error}"


def _listed(run: Path) -> tuple[list[str], dict[str, Placed | None]]:
    """Return the tasks of a run that are done, and the last submission of each other one."""
    with os.scandir(run) as entries:
        keys = sorted(e.name for e in entries if _TASK.fullmatch(e.name) and e.is_dir())
    done = [key for key in keys if Path(run, key, RESULT).exists()]
    left = [key for key in sorted({*keys} - {*done}) if Path(run, key, INPUTS).exists()]
    ledger = Ledger(run) if left else None
    return done, {key: ledger.latest(key) if ledger else None for key in left}


def _statuses(
    listed: Iterable[tuple[Path, tuple[list[str], dict[str, Placed | None]]]],
    queue: Mapping[str, QueueEntry] | None,
) -> Iterator[TaskStatus]:
    """Yield the state of every task of some runs."""
    for run, (done, left) in listed:
        for key in done:
            yield TaskStatus(str(run), key, "done")
        for key, placed in left.items():
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


def _step(folder: Path) -> Placed | None:
    """Return the last submission of the job that takes the next step of a campaign."""
    return Ledger(folder / CAMPAIGN).latest("driver")


def _driver(
    folder: Path, queue: Mapping[str, QueueEntry] | None, known: Placed | None
) -> tuple[str, bool]:
    """Say what is known of the job that takes the next step of a campaign, and whether it will.

    Parameters
    ----------
    folder
        The results folder.
    queue
        All jobs.
    known
        The last one that had been submitted when the queue was asked.
    """
    campaign = read_campaign(folder)
    again = f"`superionic resume {shlex.quote(str(folder))}`"
    if (campaign.records / SLURM / STOP).exists():
        return f"cancelled; {again} goes on", False
    legs = read_legs(campaign)
    if all(k in legs and legs[k].state != "waiting" for k in range(len(campaign.commands))):
        bad = any(leg.state == "refused" or leg.code for leg in legs.values())
        why = f"nothing goes on: {again} tries again what failed" if bad else "nothing left to do"
        return why, False
    latest = _step(folder)
    if latest is None:
        return f"no next step is in the queue: {again} takes it", False
    job, end = latest.job, latest.ended()
    entry = queue.get(job) if queue is not None else None
    if entry is not None and entry.active:
        why = f" ({entry.reason})" if entry.reason != "None" else ""
        return f"the next step is job {job}, {entry.state.lower()}{why}", True
    newer = known is None or known.job != job
    if (queue is None or newer) and not end:
        return f"the next step is job {job}", True
    why = end.get("reason") or (entry.state.lower() if entry is not None else "it ended")
    return f"job {job} did not go on ({why}): {again} does", False
