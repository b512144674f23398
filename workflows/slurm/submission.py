"""From tasks that are wanted to jobs in the queue, each once."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from superionic.structures.errors import ClusterError, RunFolderError
from superionic.workflows.locks import try_lock
from superionic.workflows.runfolder import ERROR
from superionic.workflows.serialise import write_bytes_atomic
from superionic.workflows.slurm.client import (
    JOB_ID,
    DependencyGoneError,
    QueueFullError,
    Slurm,
    SlurmBusyError,
)
from superionic.workflows.slurm.placement import Planned
from superionic.workflows.slurm.records import (
    SLURM,
    STOP,
    Batch,
    Ledger,
    Placed,
    batch_name,
    write_batch,
)
from superionic.workflows.slurm.script import job_script

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from superionic.workflows.futures import ScheduledTask
    from superionic.workflows.jobs import Resources
    from superionic.workflows.slurm.placement import Placement

log = logging.getLogger(__name__)

DRY = "slurm-dry-run"
"""Subfolder of a run for the scripts of a dry run."""
PATIENCE_S = 20.0
"""Seconds for which a driver waits until another one has ended."""


class DriverLock:
    """Lets one driver at a time submit from a folder.

    `sbatch` inherits it: where a driver was killed while it submitted, the next one waits until
    that `sbatch` has ended, and only then asks what is in the queue.

    Parameters
    ----------
    run
        The run's folder.
    patience_s
        Seconds to wait for it; None for ``PATIENCE_S``.

    Raises
    ------
    ClusterError
        Another driver is at work.
    """

    def __init__(self, run: Path, *, patience_s: float | None = None) -> None:
        folder = run / SLURM
        try:
            folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            self._descriptor = os.open(folder / ".driver.lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise RunFolderError(f"Cannot write into {folder}: {error.strerror}.") from error
        until = time.monotonic() + (PATIENCE_S if patience_s is None else patience_s)
        while not try_lock(self._descriptor):
            if time.monotonic() > until:
                holder = os.read(self._descriptor, 200).decode(errors="replace").strip()
                os.close(self._descriptor)
                raise ClusterError(
                    f"Another driver ({holder or 'unknown'}) submits the tasks of {run}. Wait for "
                    "it, or end it; its jobs go on and are found again."
                )
            time.sleep(0.05)
        os.ftruncate(self._descriptor, 0)
        os.write(self._descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode())

    @property
    def descriptor(self) -> int:
        """The open file that holds the lock."""
        return self._descriptor

    def release(self) -> None:
        """Let others submit."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class Submitter:
    """Groups wanted tasks, writes their scripts and submits them.

    Parameters
    ----------
    run
        The run's folder.
    placement
        Cluster, and whether this is a dry run.
    ledger
        What was submitted before.
    slurm
        The commands.
    session
        Of which driver.
    lock
        Held by this driver.

    Attributes
    ----------
    wanted : list of ScheduledTask
        To be submitted.
    base : dict of str to Resources
        What each task asks for at its first attempt.
    """

    def __init__(
        self,
        run: Path,
        placement: Placement,
        ledger: Ledger,
        slurm: Slurm,
        session: str,
        lock: DriverLock,
    ) -> None:
        self.run, self.placement, self.cluster = run, placement, placement.cluster
        self.ledger, self.slurm, self.session, self._lock = ledger, slurm, session, lock
        self.wanted: list[ScheduledTask] = []
        self.base: dict[str, Resources] = {}
        self._doubtful: list[tuple[Batch, list[ScheduledTask]]] = []
        self._gone: dict[str, int] = {}
        if placement.dry_run:
            shutil.rmtree(run / DRY, ignore_errors=True)
        elif not placement.session:  # a person has started this driver
            (run / SLURM / STOP).unlink(missing_ok=True)

    def stopped(self) -> bool:
        """Return whether the user has cancelled this run."""
        return (self.run / SLURM / STOP).exists()

    def forget(self, task: ScheduledTask) -> None:
        """Do not submit a task after all."""
        if task in self.wanted:
            self.wanted.remove(task)

    def pending(self) -> set[tuple[str, int]]:
        """Return what has yet to be submitted; changes whenever another try makes sense."""
        open_calls = {(batch.name, -1) for batch, _ in self._doubtful}
        return open_calls | {(t.future.key, self._gone.get(t.future.key, 0)) for t in self.wanted}

    def flush(
        self,
        watched: dict[str, Placed],
        tasks: Mapping[str, ScheduledTask],
        *,
        room: int | None = None,
    ) -> list[tuple[ScheduledTask, ClusterError]]:
        """Submit all wanted tasks whose parents are done or in the queue.

        Parameters
        ----------
        watched
            Tasks in the queue, by key; gets the new ones.
        tasks
            All tasks of the run.
        room
            Jobs that may be added; None: any number.

        Returns
        -------
        list
            Tasks that were refused for good, and why.

        Raises
        ------
        SlurmBusyError
            Slurm does not answer; what was not submitted is kept.
        """
        if self._doubtful:
            self._resolve(watched)
        if self.wanted and self.stopped():
            error = ClusterError("The run was cancelled; `superionic resume` goes on with it.")
            none, self.wanted = self.wanted, []
            return [(task, error) for task in none]
        refused: list[tuple[ScheduledTask, ClusterError]] = []
        while groups := self._groups(watched, tasks):
            for group, parents in groups:
                if room is not None:
                    group = group[:room]
                    room -= len(group)
                if not group:
                    return refused
                try:
                    self._submit(group, parents, watched)
                except QueueFullError as error:
                    log.warning("%s Waiting for room.", error)
                    return refused
                except DependencyGoneError as error:
                    refused += self._without_parent(group, error)
                    return refused
                except SlurmBusyError:
                    raise
                except ClusterError as error:
                    refused += [(task, error) for task in group]
                    self.wanted = [t for t in self.wanted if t not in group]
        return refused

    def _without_parent(
        self, group: Sequence[ScheduledTask], error: ClusterError
    ) -> list[tuple[ScheduledTask, ClusterError]]:
        """Let tasks wait until it is known how their parents ended; not for ever."""
        for task in group:
            self._gone[task.future.key] = self._gone.get(task.future.key, 0) + 1
        lost = [task for task in group if self._gone[task.future.key] > 5]
        self.wanted = [task for task in self.wanted if task not in lost]
        return [(task, error) for task in lost]

    def _groups(
        self, watched: Mapping[str, Placed], tasks: Mapping[str, ScheduledTask]
    ) -> list[tuple[list[ScheduledTask], tuple[str, ...]]]:
        """Return wanted tasks that can go now: alike ones together, with the jobs they wait for."""
        found: dict[object, tuple[list[ScheduledTask], tuple[str, ...]]] = {}
        counts: dict[object, int] = {}
        for task in self.wanted:
            open_parents = [k for k in task.spec.parents if not tasks[k].future.done()]
            if any(key not in watched for key in open_parents):
                continue
            parents = tuple(sorted({watched[key].job for key in open_parents}))
            kind = (task.spec.name, self._asked(task), task.function, parents)
            count = counts[kind] = counts.get(kind, -1) + 1
            group, _ = found.setdefault((kind, count // self.cluster.array), ([], parents))
            group.append(task)
        return list(found.values())

    def _asked(self, task: ScheduledTask) -> Resources:
        """Return what a task asks for now, given how it ended before."""
        ends = [p.ended().get("state") for p in self.ledger.history(task.future.key)]
        return self.cluster.climbed(
            self.base[task.future.key],
            timeouts=ends.count("timeout"),
            memory_failures=ends.count("out_of_memory"),
        )

    def _submit(
        self, group: list[ScheduledTask], parents: tuple[str, ...], watched: dict[str, Placed]
    ) -> None:
        """Write the folder of a batch and submit it."""
        batch = self._write(group, parents)
        if self.placement.dry_run:
            self.placement.planned.append(Planned(batch.folder, len(group), batch.asked))
            self._take(batch, group, watched, number=batch.name)
            return
        for task in group:
            (task.folder / ERROR).unlink(missing_ok=True)
        try:
            job = self.slurm.submit(batch.folder, held=(self._lock.descriptor,))
        except SlurmBusyError:
            self._doubtful.append((batch, group))
            self.wanted = [t for t in self.wanted if t not in group]
            raise
        except ClusterError:
            shutil.rmtree(batch.folder, ignore_errors=True)
            raise
        self.ledger.add(batch)
        log.info("Job %s: %d tasks %s.", job, len(group), group[0].spec.name)
        self._take(batch, group, watched, number=job)

    def _take(
        self,
        batch: Batch,
        group: Sequence[ScheduledTask],
        watched: dict[str, Placed],
        *,
        number: str,
    ) -> None:
        """Watch tasks that were submitted."""
        for index, task in enumerate(group):
            job = f"{number}_{index}" if batch.array else number
            watched[task.future.key] = Placed(batch, index, job)
            task.state = "queued"
        taken = {id(task) for task in group}
        self.wanted = [t for t in self.wanted if id(t) not in taken]

    def _write(self, group: Sequence[ScheduledTask], parents: tuple[str, ...]) -> Batch:
        """Write everything that a batch needs."""
        keys = tuple(task.future.key for task in group)
        attempts = tuple(len(self.ledger.history(key)) for key in keys)
        first, asked = group[0], self._asked(group[0])
        name = batch_name(self.run, first.spec.name, keys, attempts)
        base = self.run / (DRY if self.placement.dry_run else SLURM)
        batch = Batch(base / name, keys, attempts, asked, self.session, array=len(group) > 1)
        script = job_script(
            self.cluster,
            asked,
            name=name,
            elements=len(group) if batch.array else 0,
            dependency=f"afterok:{':'.join(parents)}" if parents else "",
        )
        write_batch(batch, script, function=first.function, more={"cluster": self.cluster.name})
        return batch

    def _resolve(self, watched: dict[str, Placed]) -> None:
        """Find out what became of each `sbatch` that did not answer."""
        queue = self.slurm.queue()
        numbers = {e.name: e.job.partition("_")[0] for e in queue.values()}
        for batch, group in self._doubtful:
            job = numbers.get(batch.name, "")
            if job:
                write_bytes_atomic(batch.folder / JOB_ID, f"{job}\n".encode())
                self.ledger.add(batch)
                self._take(batch, group, watched, number=job)
            else:
                with suppress(OSError):
                    shutil.rmtree(batch.folder)
                self.wanted += group
        self._doubtful = []
