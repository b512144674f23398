"""What was submitted: one folder for each `sbatch`, so that nothing is ever submitted twice.

``<run>/slurm/<name>/`` holds the script, ``batch.json`` (which tasks, at which attempt, with which
resources; written before `sbatch` is called), ``sbatch.id`` (written by `sbatch` itself) and, for
each task, ``N.started.json``, ``N.ended.json`` and ``N.log`` from inside the job. The name of the
folder is the name of the job. It follows from tasks and attempts, so a job whose number was lost is
found again in the queue.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from superionic import __version__
from superionic.structures.errors import RunFolderError
from superionic.workflows.jobs import Resources
from superionic.workflows.manifest import now_iso
from superionic.workflows.runfolder import read_optional
from superionic.workflows.serialise import write_bytes_atomic, write_json_atomic
from superionic.workflows.slurm.client import JOB_ID, SCRIPT, read_job_id
from superionic.workflows.slurm.script import safe_name
from superionic.workflows.slurm.supervise import BATCH, FUNCTION, ended_name, started_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from superionic.workflows.slurm.client import QueueEntry

SLURM = "slurm"
"""Subfolder of a run for what was submitted."""
STOP = "cancelled"
"""In there: nothing may be submitted until the user resumes."""
FORMAT = 1


@dataclass(frozen=True)
class Batch:
    """One `sbatch`: a task, or a job array of alike ones.

    Attributes
    ----------
    folder : Path
        Its folder; named as the job.
    keys : tuple of str
        The tasks.
    attempts : tuple of int
        How often each was submitted before.
    asked : Resources
        What each asks for.
    session : str
        Of which driver; one that is resumed has a new one.
    array : bool
        Whether it is a job array.
    created : str
        Date and time in UTC.
    """

    folder: Path
    keys: tuple[str, ...]
    attempts: tuple[int, ...]
    asked: Resources
    session: str
    array: bool
    created: str = ""

    @property
    def name(self) -> str:
        """Name of the job."""
        return self.folder.name

    def job(self, index: int) -> str:
        """Return the number of the job that runs a task; empty if it is not known."""
        job = read_job_id(self.folder)
        return f"{job}_{index}" if job and self.array else job


@dataclass(frozen=True)
class Placed:
    """One task of a batch.

    Attributes
    ----------
    batch : Batch
        The batch.
    index : int
        Its place in there.
    job : str
        Number of its job.
    """

    batch: Batch
    index: int
    job: str

    @property
    def key(self) -> str:
        """The task."""
        return self.batch.keys[self.index]

    @property
    def log(self) -> Path:
        """What the job printed."""
        return self.batch.folder / f"{self.index}.log"

    def ended(self) -> dict[str, Any]:
        """Return what was written at its end; empty before."""
        return read_optional(self.batch.folder / ended_name(self.index))

    def started(self) -> dict[str, Any]:
        """Return what was written at its start; empty before."""
        return read_optional(self.batch.folder / started_name(self.index))

    def surely_over(self) -> bool:
        """Return whether its end needs no look at the queue.

        A job that was told to stop may have been put back into the queue by Slurm itself.
        """
        told = self.ended()
        stopped = told.get("state") in ("cancelled", "timeout")
        return bool(told) and (told.get("judge") == "driver" or not stopped)

    def write_end(self, state: str, reason: str) -> None:
        """Note how it ended, where the job itself could not."""
        told = {"state": state, "reason": reason, "job": self.job, "judge": "driver"}
        with suppress(RunFolderError):
            write_json_atomic(self.batch.folder / ended_name(self.index), dict(told))


def batch_name(run: Path, name: str, keys: Sequence[str], attempts: Sequence[int]) -> str:
    """Return the name of a job, the same for the same tasks and attempts in the same folder."""
    content = json.dumps([str(run), list(keys), list(attempts)]).encode()
    return f"{safe_name(name)[:48]}-{hashlib.sha256(content).hexdigest()[:16]}"


def write_batch(
    batch: Batch,
    script: str,
    *,
    function: bytes | None = None,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Write a batch's folder; it is all there before its ``batch.json`` is.

    Raises
    ------
    RunFolderError
        It cannot be written.
    """
    try:
        batch.folder.parent.mkdir(mode=0o755, exist_ok=True)
        batch.folder.mkdir(mode=0o755, exist_ok=True)
    except OSError as error:
        raise RunFolderError(
            f"Cannot create {batch.folder}: {error.strerror or error}. Free some space, then "
            "resume."
        ) from error
    write_bytes_atomic(batch.folder / SCRIPT, script.encode())
    if function is not None:
        write_bytes_atomic(batch.folder / FUNCTION, function)
        (batch.folder / FUNCTION).chmod(0o600)
    write_json_atomic(
        batch.folder / BATCH,
        {
            "format": FORMAT,
            "version": __version__,
            "created": now_iso(),
            "keys": list(batch.keys),
            "attempts": list(batch.attempts),
            "asked": asdict(batch.asked),
            "session": batch.session,
            "array": batch.array,
            **(more or {}),
        },
    )


def read_batch(folder: Path) -> Batch | None:
    """Return the batch of a folder; None where writing it was interrupted.

    Raises
    ------
    RunFolderError
        It was written by a later version of the package.
    """
    told = read_optional(folder / BATCH)
    if not told:
        return None
    if told.get("format") != FORMAT:
        raise RunFolderError(
            f"{folder} was written by superionic {told.get('version', '?')}, whose record of jobs "
            f"({told.get('format')!r}) this version ({__version__}) does not know. Use that "
            "version, or start in a new folder."
        )
    return Batch(
        folder=folder,
        keys=tuple(told["keys"]),
        attempts=tuple(told["attempts"]),
        asked=Resources(**told["asked"]),
        session=told["session"],
        array=bool(told["array"]),
        created=told["created"],
    )


def batches_of(run: Path) -> Iterator[Batch]:
    """Return all batches of a run's folder, oldest first."""
    try:
        folders = [e.path for e in os.scandir(run / SLURM) if e.is_dir()]
    except OSError:
        return
    found = [batch for path in folders if (batch := read_batch(Path(path))) is not None]
    yield from sorted(found, key=lambda b: (b.created, b.name))


class Ledger:
    """All submissions of a run, by task.

    Parameters
    ----------
    run
        The run's folder.
    """

    def __init__(self, run: Path) -> None:
        self.run = run
        self._history: dict[str, list[Placed]] = {}
        self._uncertain: list[Batch] = []
        for batch in batches_of(run):
            if read_job_id(batch.folder):
                self.add(batch)
            else:
                self._uncertain.append(batch)

    @property
    def uncertain(self) -> bool:
        """Whether the queue has to be asked what became of some `sbatch`."""
        return bool(self._uncertain)

    def settle(self, queue: Mapping[str, QueueEntry]) -> None:
        """Find the jobs of which no number was kept, by their names; forget what never was one.

        Parameters
        ----------
        queue
            All jobs of this user, asked for after every earlier `sbatch` has ended.
        """
        numbers = {e.name: e.job.partition("_")[0] for e in queue.values()}
        for batch in self._uncertain:
            job = numbers.get(batch.name) or _number_inside(batch)
            if job:
                write_bytes_atomic(batch.folder / JOB_ID, f"{job}\n".encode())
                self.add(batch)
            else:
                shutil.rmtree(batch.folder, ignore_errors=True)
        self._uncertain = []

    def add(self, batch: Batch) -> None:
        """Take up a batch that was submitted."""
        job = read_job_id(batch.folder)
        for index, key in enumerate(batch.keys):
            number = f"{job}_{index}" if batch.array else job
            self._history.setdefault(key, []).append(Placed(batch, index, number))

    def latest(self, key: str) -> Placed | None:
        """Return the last submission of a task."""
        placed = self._history.get(key)
        return placed[-1] if placed else None

    def history(self, key: str) -> tuple[Placed, ...]:
        """Return all submissions of a task, oldest first."""
        return tuple(self._history.get(key, ()))


def _number_inside(batch: Batch) -> str:
    """Return the number that a job left when it began, if it did."""
    for index in range(len(batch.keys)):
        job = str(read_optional(batch.folder / started_name(index)).get("job", ""))
        if job:
            return job.partition("_")[0]
    return ""
