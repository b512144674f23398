"""Hand the result of a job, or the reason why it has none, to whoever waits for its task."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from superionic.structures.errors import RunFolderError, TaskFailedError
from superionic.workflows.runfolder import ERROR, MANIFEST, load_result, read_optional
from superionic.workflows.serialise import write_json_atomic
from superionic.workflows.slurm.outcome import Outcome

if TYPE_CHECKING:
    from superionic.workflows.futures import ScheduledTask

log = logging.getLogger(__name__)


def succeed(task: ScheduledTask) -> None:
    """Hand out the result that a job left."""
    try:
        value = load_result(task.folder)
    except Exception as error:
        fail(task, Outcome("failed", f"{type(error).__name__}: {error}"))
        return
    task.state = "done"
    task.wall_s = read_optional(task.folder / MANIFEST).get("wall_s")
    log.info("%s: done.", task.future.key)
    task.future.set_result(value)


def fail(task: ScheduledTask, found: Outcome, *, recorded: bool = True) -> None:
    """Tell whoever waits for a task that it has no result.

    Parameters
    ----------
    task
        The task.
    found
        How its job ended.
    recorded
        Also write that into the task's folder.
    """
    task.state, task.reason = found.state, found.reason  # type: ignore[assignment]
    error = read_optional(task.folder / ERROR)
    if recorded and error.get("state") != found.state:
        described = {"state": found.state, "type": found.state, "message": found.reason}
        with suppress(RunFolderError):
            write_json_atomic(task.folder / ERROR, dict(described))
    log.error("%s: %s: %s", task.future.key, found.state, found.reason)
    if error.get("type") == RunFolderError.__name__:
        task.future.set_exception(RunFolderError(error["message"]))
        return
    label = "failed" if found.state == "failed" else f"failed ({found.state})"
    task.future.set_exception(
        TaskFailedError(f"{task.future.key} {label}: {found.reason} (details in {task.folder})")
    )
