"""The commands of Slurm: `sbatch`, `squeue`, `scancel`, and `sacct` where there is one."""

from __future__ import annotations

import logging
import os
import re
import shutil
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from superionic.structures.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

log = logging.getLogger(__name__)

SCRIPT = "job.sh"
JOB_ID = "sbatch.id"
SBATCH_ERROR = "sbatch.err"

WAITING = {
    "PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD",
}  # fmt: skip
"""States of jobs that have not begun."""
ACTIVE = WAITING | {
    "RUNNING", "COMPLETING", "RESIZING", "SIGNALING", "SPECIAL_EXIT", "STAGE_OUT", "STOPPED",
    "SUSPENDED",
}  # fmt: skip
"""States of jobs that have not ended."""
NEVER = "DependencyNeverSatisfied"
PROBE_S = 10.0
"""Seconds in which a controller has to say that it is there, before a person is kept waiting."""

_BUSY = re.compile(
    r"timed out|unable to contact|connection refused|try again|temporarily|resource temporarily|"
    r"communication|zero bytes|slurm_persist|protocol authentication",
    re.IGNORECASE,
)
_LIMIT = re.compile(
    r"(MaxSubmit\w*|submit limit|MaxJobs\w*|Maxim\w* (number of )?jobs|QOSMax\w*Submit\w*)",
    re.IGNORECASE,
)
_NO_JOB = re.compile(r"dependency problem|invalid job id", re.IGNORECASE)


class SlurmBusyError(ClusterError):
    """Slurm does not answer now; whether it took the job is not known."""


class SlurmDownError(ClusterError):
    """The commands of Slurm are here, but no controller answers them; nothing was asked of it."""


class QueueFullError(ClusterError):
    """No more jobs are accepted for now."""


class DependencyGoneError(ClusterError):
    """A job that was to be waited for is no longer known."""


@dataclass(frozen=True)
class QueueEntry:
    """What Slurm says of a job, or of one element of a job array.

    Attributes
    ----------
    job : str
        ``123`` or ``123_4``.
    state : str
        Slurm's word, such as ``PENDING``.
    reason : str
        Why it waits, or why it ended.
    name : str
        Name of the job.
    """

    job: str
    state: str
    reason: str
    name: str

    @property
    def active(self) -> bool:
        """Whether it has not ended."""
        return self.state in ACTIVE


class Slurm:
    """Calls the commands of Slurm, never through a shell.

    Parameters
    ----------
    timeout_s
        Seconds after which a command that does not answer is given up.
    """

    def __init__(self, *, timeout_s: float = 120.0) -> None:
        self.timeout_s = timeout_s

    def check(self) -> None:
        """Return soon if a controller answers; nothing is changed.

        Raises
        ------
        SlurmDownError
            None does.
        ClusterError
            There is no Slurm on this machine.
        """
        try:
            _ask(["squeue", "-h", "-u", str(os.getuid()), "-t", "running", "-o", "%i"], PROBE_S)
        except SlurmBusyError as error:
            raise SlurmDownError(
                f"Slurm does not answer: {str(error).rstrip('.')}. See what `scontrol ping` and "
                "`sinfo` say; repeat the command when its controller is up."
            ) from None

    def submit(self, folder: Path, options: Sequence[str] = (), *, held: Sequence[int] = ()) -> str:
        """Submit ``job.sh`` of a folder and return the job's number.

        `sbatch` writes the number into ``sbatch.id`` by itself, in a session of its own: when this
        process is killed the number is not lost.

        Parameters
        ----------
        folder
            Holds the script; becomes the job's working directory.
        options
            Further options.
        held
            Descriptors of locks to be kept until `sbatch` has ended, whatever becomes of this
            process.

        Raises
        ------
        SlurmBusyError
            No answer: the job may have been taken.
        QueueFullError, DependencyGoneError
            Not now; without that dependency.
        ClusterError
            Refused for good.
        """
        command = ["sbatch", "--parsable", *options, SCRIPT]
        with (folder / JOB_ID).open("wb") as out, (folder / SBATCH_ERROR).open("wb") as err:
            try:
                process = subprocess.Popen(
                    command,
                    cwd=folder,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    env=submit_environment(),
                    start_new_session=True,
                    pass_fds=tuple(held),
                    umask=0o022,
                )
            except FileNotFoundError as error:
                raise _missing("sbatch") from error
            try:
                code = process.wait(timeout=self.timeout_s)
            except subprocess.TimeoutExpired:
                _kill(process)
                raise SlurmBusyError(f"sbatch did not answer in {self.timeout_s:.0f} s.") from None
        job = read_job_id(folder)
        if code == 0 and job:
            return job
        words = _one_line((folder / SBATCH_ERROR).read_text(errors="replace"), code)
        raise _refusal(words)

    def queue(self) -> dict[str, QueueEntry]:
        """Return this user's jobs, array elements one by one, those that just ended included.

        Raises
        ------
        SlurmBusyError
            No answer.
        """
        user = str(os.getuid())
        command = ["squeue", "-h", "-r", "-t", "all", "-u", user, "-o", "%i|%T|%r|%j"]
        entries = {}
        for line in _ask(command, self.timeout_s).splitlines():
            parts = line.strip().split("|", 3)
            if len(parts) == 4:
                entry = QueueEntry(*parts)
                entries[entry.job] = entry
        return entries

    def cancel(self, jobs: Iterable[str]) -> None:
        """Cancel jobs; those that have ended are no error."""
        wanted = list(jobs)
        for start in range(0, len(wanted), 200):
            try:
                _ask(["scancel", *wanted[start : start + 200]], self.timeout_s)
            except SlurmBusyError:
                raise
            except ClusterError as error:
                log.info("scancel: %s", error)

    def account(self, jobs: Iterable[str]) -> dict[str, QueueEntry]:
        """Return what `sacct` says of jobs that left the queue; nothing where it is not set up."""
        wanted = list(jobs)
        if not wanted or shutil.which("sacct") is None:
            return {}
        command = ["sacct", "-n", "-X", "-P", "-o", "JobID,State,Reason,JobName", "-j"]
        try:
            told = _ask([*command, ",".join(wanted)], self.timeout_s)
        except ClusterError as error:
            log.debug("sacct: %s", error)
            return {}
        found = {}
        for line in told.splitlines():
            parts = line.split("|", 3)
            if len(parts) == 4 and parts[1]:
                job, state, reason, name = parts
                found[job] = QueueEntry(job, state.split()[0].rstrip("+"), reason, name)
        return found


def _ask(command: Sequence[str], timeout_s: float) -> str:
    """Run a command and return its output."""
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=submit_environment(),
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise _missing(command[0]) from error
    with process:
        try:
            out, err = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            _kill(process)
            raise SlurmBusyError(f"{command[0]} did not answer in {timeout_s:.0f} s.") from None
        except BaseException:
            _kill(process)
            raise
    if process.returncode != 0:
        words = _one_line(err.decode(errors="replace"), process.returncode)
        message = f"{command[0]}: {words}"
        if _BUSY.search(words) or command[0] == "squeue":
            raise SlurmBusyError(message)
        raise ClusterError(message)
    return out.decode(errors="replace")


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a command, and what it has started where a site wraps Slurm's own in a script."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def read_job_id(folder: Path) -> str:
    """Return the number that `sbatch` left in a folder; empty where it did not."""
    try:
        words = (folder / JOB_ID).read_text(errors="replace")
    except OSError:
        return ""
    found = re.search(r"(?m)^(\d+)(;.*)?$", words)
    return found.group(1) if found and words.endswith("\n") else ""


def submit_environment() -> dict[str, str]:
    """Return the environment for Slurm's commands: ours, without what would override a script.

    A driver that is itself a job has ``SLURM_*`` variables of its own, which its children must not
    inherit, and ``SBATCH_*`` variables take precedence over the lines of a script.
    """
    kept = ("SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_CLUSTERS")
    return {
        k: v
        for k, v in os.environ.items()
        if k in kept or not k.startswith(("SLURM_", "SBATCH_", "SLURMD_"))
    }


def _one_line(said: str, code: int) -> str:
    """Return what a command wrote as one line, without its name before every sentence."""
    lines = [re.sub(r"^\w+: error: ", "", line.strip()) for line in said.splitlines()]
    return "; ".join(filter(None, lines)) or f"exit code {code}"


def _refusal(words: str) -> ClusterError:
    """Return the error for what `sbatch` said."""
    if _LIMIT.search(words):
        return QueueFullError(f"sbatch: {words}")
    if _NO_JOB.search(words):
        return DependencyGoneError(f"sbatch: {words}")
    if _BUSY.search(words):
        return SlurmBusyError(f"sbatch: {words}")
    return ClusterError(
        f"sbatch refused the job: {words}. Correct the cluster's file, and look with "
        "`superionic cluster test`."
    )


def _missing(command: str) -> ClusterError:
    """Return the error for a machine without Slurm."""
    return ClusterError(
        f"There is no `{command}` on this machine. Run this on a login node of the cluster."
    )
