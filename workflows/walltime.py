"""How much time is left to a job."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from typing import TYPE_CHECKING

from superionic.workflows.slurm.supervise import START_TIME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WALLTIME = "SUPERIONIC_WALLTIME_S"
"""Environment variable with the walltime of this job in seconds."""
KEPT = 0.1
"""Share of the walltime that is kept for an orderly end."""


def seconds_left() -> float | None:
    """Return the seconds until the walltime of this job; None outside of jobs."""
    began, walltime = os.environ.get(START_TIME), os.environ.get(WALLTIME)
    if not began or not walltime:
        return None
    return max(float(began) + float(walltime) - time.time(), 0.0)


@contextlib.contextmanager
def before_walltime(call: Callable[[], object]) -> Iterator[None]:
    """Call something when a tenth of the walltime is left, if the block lasts so long."""
    left = seconds_left()
    if left is None:
        yield
        return
    timer = threading.Timer(max(left - KEPT * float(os.environ[WALLTIME]), 0.0), call)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
