"""Logging to files: one for a run, one for each task."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RUN_LOG = "run.log"

_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


class _QuietFileHandler(logging.FileHandler):
    """A file handler that drops lines it cannot write (full disk) instead of complaining."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Drop the line."""


@contextmanager
def _handler_on(logger: logging.Logger, path: Path) -> Iterator[None]:
    """Send a logger's records from INFO upwards to a file as well."""
    handler = _QuietFileHandler(path, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter(_FORMAT))
    handler.setLevel(logging.INFO)
    level = logger.level
    logger.addHandler(handler)
    if logger.getEffectiveLevel() > logging.INFO:
        logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)
        handler.close()


@contextmanager
def only_from(level: int) -> Iterator[None]:
    """Keep what the package logs below a level back, in this process."""
    logger = logging.getLogger("superionic")
    before = logger.level
    logger.setLevel(level)
    try:
        yield
    finally:
        logger.setLevel(before)


@contextmanager
def run_log(folder: Path) -> Iterator[None]:
    """Append what the package logs in this process, from INFO upwards, to ``<folder>/run.log``."""
    with _handler_on(logging.getLogger("superionic"), folder / RUN_LOG):
        yield


@contextmanager
def task_log(path: Path) -> Iterator[None]:
    """Append everything this process logs and prints, warnings included, to a file.

    Standard output and error are redirected as file descriptors: what compiled codes and child
    processes print, and the last words of a crash, land in the file too.
    """
    logging.captureWarnings(True)
    try:
        with _descriptors_to(path), _handler_on(logging.getLogger(), path):
            yield
    finally:
        logging.captureWarnings(False)


@contextmanager
def _descriptors_to(path: Path) -> Iterator[None]:
    """Point file descriptors 1 and 2 at a file."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = (os.dup(1), os.dup(2))
    target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.dup2(target, 1)
        os.dup2(target, 2)
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError:  # a full disk must not hide the task's own error
                continue
        for descriptor, old in enumerate(saved, start=1):
            os.dup2(old, descriptor)
            os.close(old)
        os.close(target)
