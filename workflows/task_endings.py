"""Ends of tasks that nobody computes: results that an earlier run left, and parents that failed."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from superionic.structures.errors import RunFolderError, TaskFailedError
from superionic.workflows.manifest import verify_result
from superionic.workflows.runfolder import ERROR, MANIFEST, RESULT, load_result, read_optional
from superionic.workflows.serialise import write_json_atomic

if TYPE_CHECKING:
    from superionic.workflows.futures import ScheduledTask

log = logging.getLogger(__name__)


def found_result(task: ScheduledTask) -> bool:
    """Complete a task whose result an earlier run has left; say whether there was one."""
    if not (task.folder / RESULT).exists():
        return False
    try:
        verify_result(task.folder)
        value = load_result(task.folder)
    except Exception as error:  # anything may be in a file; computing again is always right
        aside = task.folder / f"{RESULT}.unreadable"
        (task.folder / RESULT).replace(aside)
        log.warning("%s; kept as %s and computed again.", error, aside.name)
        return False
    task.state = "reused"
    task.wall_s = read_optional(task.folder / MANIFEST).get("wall_s")
    task.future.set_result(value)
    log.info("%s: reused.", task.future.key)
    return True


def mark_skipped(task: ScheduledTask, parent: ScheduledTask) -> str:
    """Note that a task is not run because a parent has no result; return why in one sentence."""
    root = parent.reason if parent.state == "skipped" else ""
    why = root or f"{parent.future.key} {parent.state}: {parent.reason}".rstrip(": ")
    task.state, task.reason = "skipped", why
    return why


def tell_skipped(task: ScheduledTask, why: str) -> None:
    """Record in its folder that a task was skipped, and tell whoever waits for it."""
    message = f"{task.future.key} was not run because {why}"
    described = {"state": "skipped", "type": "TaskFailedError", "message": message}
    with suppress(RunFolderError):
        write_json_atomic(task.folder / ERROR, dict(described))
    log.warning("%s", message)
    task.future.set_exception(TaskFailedError(message))
