"""The process in which tasks run: ``python -m superionic.workflows.worker``.

It is executorlib's worker, which dies with the process that started it. A worker whose driver was
killed would otherwise wait for its next task for ever.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

DRIVER_PID = "SUPERIONIC_DRIVER_PID"
"""Environment variable with the process id of the driver."""

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int, *, poll_s: float = 1.0) -> None:
    """Arrange that this process is killed when its parent process ends.

    Linux does it at once; elsewhere, or where that call is refused, a thread looks every
    ``poll_s`` seconds.
    """
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(poll_s)
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def main(arguments: list[str]) -> None:
    """Serve tasks until told to stop."""
    die_with_parent(int(os.environ[DRIVER_PID]))
    from executorlib.backend.interactive_serial import evaluate_cmd

    evaluate_cmd(arguments)


if __name__ == "__main__":
    main(sys.argv)
