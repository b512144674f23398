"""Signals that ask a run to save and leave."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING

from superionic.workflows.walltime import before_walltime

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

LEFT_EARLY = 75
"""Exit code of a run that was asked to leave: nothing is wrong, run the same command again."""

WALLTIME_ENDS = "the end of the walltime"

ASKING = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGUSR1", "SIGINT") if hasattr(signal, name)
)


class StopRequest:
    """Whether somebody asked the run to stop, and how."""

    def __init__(self) -> None:
        self.signal_name = ""

    def __bool__(self) -> bool:
        """Return whether it was asked for."""
        return bool(self.signal_name)

    def ask(self, name: str) -> None:
        """Ask the run to stop at the next opportunity."""
        self.signal_name = name


@contextlib.contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """Turn SIGTERM, SIGUSR1 and Ctrl-C into a request while inside; a second Ctrl-C interrupts.

    In a job of a cluster it is asked for too when a tenth of the walltime is left. Outside the main
    thread signals are left alone.
    """
    request = StopRequest()
    with before_walltime(lambda: request.ask(WALLTIME_ENDS)), _signals_heard(request):
        yield request


@contextlib.contextmanager
def _signals_heard(request: StopRequest) -> Iterator[None]:
    """Let signals ask, in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def heard(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT and request:
            raise KeyboardInterrupt
        request.ask(signal.Signals(number).name)

    before = {number: signal.signal(number, heard) for number in ASKING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
