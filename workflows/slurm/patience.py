"""Ask Slurm again and again while it does not answer."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, TypeVar

from superionic.workflows.slurm.client import SlurmBusyError

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

R = TypeVar("R")

STUBBORN_S = 600.0
"""So long a driver that does not wait for jobs waits for a Slurm that does not answer."""


def patiently(call: Callable[[], R]) -> R:
    """Call Slurm again and again while it does not answer, for some minutes.

    Raises
    ------
    SlurmBusyError
        It did not answer all that time.
    """
    until, pause = time.monotonic() + STUBBORN_S, 1.0
    while True:
        try:
            return call()
        except SlurmBusyError as error:
            if time.monotonic() + pause > until:
                raise
            log.warning("%s Trying again in %.0f s.", error, pause)
            time.sleep(pause)
            pause = min(2 * pause, 30.0)
