"""Whole commands as tasks: each runs in one allocation, with all of its steps on the cores there.

For commands that are one long computation (`md run`), and for many structures at once: alike
commands share a job array.
"""

from __future__ import annotations

import functools
import logging
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from superionic.structures.errors import RunFolderError, TaskFailedError
from superionic.workflows.execution import Job, LeftRunning, Run, job
from superionic.workflows.manifest import sha256_of
from superionic.workflows.md_stop import LEFT_EARLY
from superionic.workflows.slurm.campaign import Campaign, Leg, run_command
from superionic.workflows.slurm.command_line import has_option, name_of, with_option

if TYPE_CHECKING:
    from collections.abc import Sequence

log = logging.getLogger(__name__)

RUNS = "runs"
"""Subfolder of a campaign's folder for these tasks."""


@dataclass(frozen=True)
class CommandEnd:
    """A command that ended well; what it computed is in the folder that it was told.

    Attributes
    ----------
    command : str
        Its name.
    cores : int
        Cores it used.
    """

    command: str
    cores: int


def run_whole(
    words: tuple[str, ...], directory: str, files: tuple[tuple[str, str], ...]
) -> CommandEnd:
    """Run a command line of `superionic` to its end; what it had finished before is not done again.

    Parameters
    ----------
    words
        The command line.
    directory
        In which it is run.
    files
        Names and SHA-256 of the files that it names.

    Raises
    ------
    RunFolderError
        A file was changed after it had been submitted.
    TimeoutError
        It left early, as the walltime ends; the next try goes on.
    TaskFailedError
        It ended with an error.
    """
    os.chdir(directory)
    changed = sorted({name for name, _ in {*files} ^ {*files_of(words, directory)}})
    if changed:
        raise RunFolderError(f"{', '.join(changed)} was changed after it had been submitted.")
    cores = int(os.environ.get("OMP_NUM_THREADS") or 1)
    with_workers = has_option(words, "workers")
    leg = run_command(with_option(words, f"--workers={cores}") if with_workers else words)
    sys.stdout.flush()
    if leg.code == LEFT_EARLY:
        raise TimeoutError("It left before the walltime; the next try goes on.")
    if leg.code:
        raise TaskFailedError(leg.message or f"It ended with exit code {leg.code}.")
    return CommandEnd(name_of(words), cores)


@functools.cache
def command_job(name: str) -> Job[..., CommandEnd]:
    """Return the job for a command such as ``md run``: ``command_md_run`` in a cluster's file."""
    return job(version=1, name=f"command_{name.replace(' ', '_')}")(run_whole)


def files_of(words: Sequence[str], directory: str) -> tuple[tuple[str, str], ...]:
    """Return names and SHA-256 of the files, and of those in the folders, that a command names.

    Folders named by ``--out`` are what it makes, and do not count.
    """
    found: dict[str, str] = {}
    told = words[len(name_of(words).split()) :]
    for before, word in zip(("", *told), told, strict=False):
        if before in ("--out", "-o") or word.startswith("-"):
            continue
        path = Path(directory, word)
        with suppress(OSError):  # a word that is too long to be a name is none
            inside = sorted(path.iterdir()) if path.is_dir() else [path]
            found |= {str(p): sha256_of(p) for p in inside if p.is_file() and p.name[0] != "."}
    return tuple(found.items())


def advance_whole(campaign: Campaign, wanted: Sequence[int]) -> dict[int, Leg]:
    """Submit commands as tasks, in arrays where they are alike, and say how far each is."""
    legs: dict[int, Leg] = {}
    with Run(campaign.folder / RUNS):
        futures = {}
        for index in wanted:
            words = campaign.commands[index]
            files = files_of(words, campaign.directory)
            submit = command_job(name_of(words)).submit
            futures[index] = submit(words, campaign.directory, files)
        for index, future in futures.items():
            try:
                future.result()
                legs[index] = Leg("ended")
            except LeftRunning as left:
                legs[index] = Leg("waiting", message=str(left), job=left.job)
            except (TaskFailedError, RunFolderError) as error:
                legs[index] = Leg("ended", code=1, message=str(error))
    return legs
