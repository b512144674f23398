"""Campaigns: command lines whose tasks go to a cluster, driven in waves and not by a daemon.

A wave runs each command until it asks for a result that is not there yet; by then every task that
could be submitted is in the queue. It then submits the next wave as a small job that waits for
those results (`--dependency=afterany:A?afterany:B`), and ends. Nothing of ours is alive between
two waves. A wave that was killed is repeated by `superionic resume`: whatever it had submitted is
found again.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import secrets
import shlex
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO

from superionic import __version__
from superionic.structures.errors import ClusterError, RunFolderError
from superionic.workflows.manifest import now_iso
from superionic.workflows.runfolder import read_optional
from superionic.workflows.serialise import read_json, write_json_atomic
from superionic.workflows.slurm.cluster_file import load_cluster
from superionic.workflows.slurm.command_line import make_place
from superionic.workflows.slurm.placement import LeftRunning, Placement, placed
from superionic.workflows.slurm.records import SLURM
from superionic.workflows.slurm.supervise import BATCH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from superionic.workflows.serialise import Json

log = logging.getLogger(__name__)

CAMPAIGN = ".campaign"
"""In the results folder: what was asked for, how far it is, and the driver's jobs."""
_DESCRIPTION, _LEGS = "campaign.json", "legs.json"
_FORMAT = 1


@dataclass(frozen=True)
class Campaign:
    """What was asked for.

    Attributes
    ----------
    folder : Path
        The results folder.
    cluster : str
        Name or file of the cluster.
    commands : tuple of tuple of str
        Command lines of `superionic`.
    directory : str
        In which they are run.
    session : str
        Renewed whenever the user resumes.
    whole : frozenset of int
        Which of the commands run in one allocation each; the others submit a job a task.
    """

    folder: Path
    cluster: str
    commands: tuple[tuple[str, ...], ...]
    directory: str
    session: str
    whole: frozenset[int] = frozenset()

    @property
    def records(self) -> Path:
        """Where it keeps its own files."""
        return self.folder / CAMPAIGN


@dataclass(frozen=True)
class Leg:
    """How far one command is.

    Attributes
    ----------
    state : {"waiting", "ended", "refused"}
        It waits for jobs; it ran to its end; it could not be run.
    code : int
        Its exit code.
    message : str
        What it waits for, or why it was refused.
    job : str
        Number of the job that it waits for.
    """

    state: Literal["waiting", "ended", "refused"]
    code: int = 0
    message: str = ""
    job: str = ""


def write_campaign(campaign: Campaign) -> None:
    """Keep what was asked for.

    Raises
    ------
    RunFolderError
        The folder holds another campaign, or cannot be written.
    """
    if replaces(campaign):
        (campaign.records / _LEGS).unlink(missing_ok=True)
    try:
        campaign.records.mkdir(mode=0o755, parents=True, exist_ok=True)
    except OSError as error:
        raise RunFolderError(f"Cannot write into {campaign.folder}: {error.strerror}.") from error
    described: dict[str, Json] = {
        "format": _FORMAT,
        "version": __version__,
        "written": now_iso(),
        "folder": str(campaign.folder),
        "cluster": campaign.cluster,
        "commands": [list(c) for c in campaign.commands],
        "directory": campaign.directory,
        "session": campaign.session,
        "whole": [*sorted(campaign.whole)],
    }
    write_json_atomic(campaign.records / _DESCRIPTION, dict(described))


def replaces(campaign: Campaign) -> bool:
    """Return whether a campaign's folder holds another one, of which nothing was submitted.

    Raises
    ------
    RunFolderError
        Something was submitted of that other one.
    """
    if not (campaign.records / _DESCRIPTION).exists():
        return False
    held = read_campaign(campaign.folder)
    if (held.commands, held.whole) == (campaign.commands, campaign.whole):
        return False
    if next(campaign.folder.rglob(f"{SLURM}/*/{BATCH}"), None) is None:
        return True
    first, more = shlex.join(held.commands[0]), len(held.commands) - 1
    first = first if len(first) <= 100 else f"{first[:100]}..."
    raise RunFolderError(
        f"{campaign.folder} holds another campaign: {first}{f' and {more} more' * bool(more)}. "
        "Choose another folder, or go on with that one: `superionic resume "
        f"{shlex.quote(str(campaign.folder))}`."
    )


def read_campaign(folder: Path) -> Campaign:
    """Return the campaign of a results folder.

    Raises
    ------
    RunFolderError
        There is none, or a later version wrote it.
    """
    path = folder / CAMPAIGN / _DESCRIPTION
    if not path.is_file():
        raise RunFolderError(
            f"{folder} holds no campaign. Name the results folder of `superionic submit`; a script "
            "of yours is resumed by running it again."
        )
    told: Any = read_json(path)
    if not isinstance(told, dict) or told.get("format") != _FORMAT:
        version = told.get("version") if isinstance(told, dict) else "?"
        raise RunFolderError(f"{path} was written by superionic {version}; use that version.")
    return Campaign(
        folder=folder,
        cluster=told["cluster"],
        commands=tuple(tuple(c) for c in told["commands"]),
        directory=told["directory"],
        session=told["session"],
        whole=frozenset(told.get("whole", ())),
    )


def check_place(folder: Path) -> None:
    """Refuse to go on with a campaign whose folder was moved: its commands name the old one.

    Raises
    ------
    RunFolderError
        It was moved or copied.
    """
    told = read_optional(folder / CAMPAIGN / _DESCRIPTION)
    if told and told.get("folder", str(folder)) != str(folder):
        raise RunFolderError(
            f"{folder} was moved or copied from {told['folder']}, where its commands compute. "
            "`superionic report`, `status` and `trace` work here; to go on, move it back or submit "
            "the commands anew."
        )


def new_session(campaign: Campaign) -> Campaign:
    """Return a campaign that tries again what failed."""
    return replace(campaign, session=secrets.token_hex(8))


def read_legs(campaign: Campaign) -> dict[int, Leg]:
    """Return how far each command was when a wave last looked."""
    told = read_optional(campaign.records / _LEGS)
    return {int(k): Leg(**v) for k, v in told.items() if k.isdigit()}


def advance(
    campaign: Campaign, *, dry_run: Placement | None = None, again: bool = False
) -> dict[int, Leg]:
    """Run every command until it waits or ends; submit all that can be submitted.

    Parameters
    ----------
    campaign
        What was asked for.
    dry_run
        Collects what would be submitted.
    again
        Also those that have ended well before, for what they print and write.

    Raises
    ------
    ClusterError
        There is no such cluster, or Slurm does not answer.
    """
    placement = dry_run or Placement(
        load_cluster(campaign.cluster), detach=True, session=campaign.session
    )
    legs = {} if again else read_legs(campaign)
    before = Path.cwd()
    try:
        os.chdir(campaign.directory)
        left = [i for i in range(len(campaign.commands)) if legs.get(i) != Leg("ended")]
        for index in left:
            make_place(campaign.commands[index], campaign.folder)
        for index in (i for i in left if i not in campaign.whole):
            with placed(placement):
                legs[index] = run_command(campaign.commands[index])
            _take_note(campaign, legs, (index,), dry_run)
        whole = [i for i in left if i in campaign.whole]
        if whole:
            from superionic.workflows.slurm.whole import advance_whole

            with placed(placement):
                legs |= advance_whole(campaign, whole)
            _take_note(campaign, legs, whole, dry_run)
    finally:
        os.chdir(before)
    return legs


def _take_note(
    campaign: Campaign, legs: dict[int, Leg], indices: Sequence[int], dry_run: Placement | None
) -> None:
    """Keep how far commands are."""
    for index in indices:
        log.info("%s: %s", " ".join(campaign.commands[index]), legs[index])
    if dry_run is None:
        told: dict[str, Json] = {str(k): dict(vars(leg)) for k, leg in sorted(legs.items())}
        write_json_atomic(campaign.records / _LEGS, dict(told))


def run_command(words: Sequence[str]) -> Leg:
    """Run a command line of `superionic` in this process."""
    from superionic.workflows.cli import app

    told = _Copied(sys.stderr)
    try:
        with contextlib.redirect_stderr(told):
            code = app(list(words), standalone_mode=False, prog_name="superionic")
    except LeftRunning as left:
        return Leg("waiting", message=str(left), job=left.job)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except ClusterError as error:
        return Leg("refused", code=1, message=str(error))
    except Exception as error:
        message = getattr(error, "format_message", None)  # of typer's own errors
        if message is None:
            raise
        return Leg("refused", code=2, message=str(message()))
    return Leg("ended", code=int(code or 0), message=told.error if code else "")


class _Copied(io.TextIOBase):
    """Passes text on, but keeps the last message that is an error for whoever tells the end."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.error = ""

    def write(self, text: str) -> int:
        """Write text."""
        if not text.startswith("error: "):
            return self._stream.write(text)
        if self.error:
            self._stream.write(f"error: {self.error}\n")
        self.error = text.removeprefix("error: ").strip()
        return len(text)

    def flush(self) -> None:
        """Flush what is written to."""
        self._stream.flush()
