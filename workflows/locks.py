"""Locks that keep two processes from running the same task at once."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

log = logging.getLogger(__name__)

LOCK = ".lock"


@contextmanager
def task_lock(folder: Path, *, poll_s: float = 0.2) -> Iterator[None]:
    """Hold the task's lock, waiting as long as another process runs the same task.

    The operating system lets go of the lock when its holder dies. Where the file system knows no
    locks a warning is logged and the task runs without.
    """
    with (folder / LOCK).open("ab") as stream:
        waited = False
        while not try_lock(stream.fileno()):
            if not waited:
                log.info("Another process is running this task; waiting for it.")
                waited = True
            time.sleep(poll_s)
        yield


def try_lock(descriptor: int) -> bool:
    """Take the lock on an open file if it is free, and say whether it was."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        log.warning("This file system has no locks (%s): never start a run twice on it.", error)
    return True


def is_locked(folder: Path) -> bool:
    """Return whether a process holds the task's lock."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDONLY)
    except OSError:
        return False
    try:
        return not try_lock(descriptor)
    finally:
        os.close(descriptor)
