"""Worker processes on this machine: executorlib's block allocation with our own rules.

This is the scheduler that ``executorlib.SingleNodeExecutor(block_allocation=True)`` builds. It is
built here directly because only so can the start of its processes be changed: they get one thread
each, a log file instead of the terminal, an own process group (an interrupt from the keyboard
reaches the driver, which then decides), and they die with the driver. executorlib is pinned to
1.11; tests/workflows/test_execution.py covers what is relied upon.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from executorlib.api import SubprocessSpawner
from executorlib.task_scheduler.interactive.blockallocation import BlockAllocationTaskScheduler

from superionic.workflows.task import THREAD_VARIABLES, execute_task
from superionic.workflows.worker import DRIVER_PID

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

log = logging.getLogger(__name__)

RESTARTS = 20
"""How often each worker is started again after it died, before the pool gives up."""


class Nursery:
    """Every worker process that a pool ever started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self._closed = False

    def start(self, arguments: list[str], worker_id: int) -> subprocess.Popen[bytes] | None:
        """Start one worker; None when the pool was closed or the system refuses."""
        with self._lock:
            if self._closed:
                return None
            try:
                with (self.folder / f"worker-{worker_id}.log").open("ab") as output:
                    process = subprocess.Popen(
                        [sys.executable, "-P", "-m", "superionic.workflows.worker", *arguments],
                        stdin=subprocess.DEVNULL,
                        stdout=output,
                        stderr=output,
                        cwd=self.folder,
                        env=worker_environment(),
                        start_new_session=True,
                    )
            except OSError:
                log.exception("A worker process could not be started.")
                return None
            self._processes[process.pid] = process
            return process

    def kill_all(self) -> None:
        """Kill the workers that are alive, and what they started, and start no more."""
        with self._lock:
            self._closed = True
            for process in self._processes.values():
                if process.poll() is None:
                    with suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)

    def fate(self, pid: int) -> str:
        """Say how a worker ended, for a message."""
        process = self._processes.get(pid)
        code = process.poll() if process else None
        if code is None:
            return "ended"
        if code >= 0:
            return f"ended with exit code {code}"
        name = signal.Signals(-code).name
        hint = "; out of memory is the usual cause" if -code == signal.SIGKILL else ""
        return f"was killed by {name}{hint}"


class _Spawner(SubprocessSpawner):  # type: ignore[misc]
    """Starts a worker process where executorlib asks for one."""

    def __init__(self, *, nursery: Nursery, **options: Any) -> None:
        super().__init__(**options)
        self._nursery = nursery

    def bootup(self, command_lst: list[str], stop_function: Any = None) -> bool:
        """Start the process; ``command_lst`` is interpreter, executorlib's script, arguments."""
        self._process = self._nursery.start(command_lst[2:], self._worker_id)
        return bool(self.poll())


def worker_environment() -> dict[str, str]:
    """Return the environment of a worker: ours, one thread, and the same modules importable."""
    environment = dict(os.environ) | dict.fromkeys(THREAD_VARIABLES, "1")
    environment[DRIVER_PID] = str(os.getpid())
    environment["PYTHONPATH"] = os.pathsep.join(str(Path(p).resolve()) for p in sys.path)
    environment["PYTHONFAULTHANDLER"] = "1"
    return environment


class LocalPool:
    """Persistent worker processes; loaded models stay in memory between tasks.

    Parameters
    ----------
    workers
        Number of processes.
    folder
        Run folder; the workers' own output goes to ``<folder>/workers/``.
    on_collapse
        Called, from another thread, should there be nobody left to start workers.
    """

    def __init__(self, *, workers: int, folder: Path, on_collapse: Callable[[], None]) -> None:
        logs = folder / "workers"
        logs.mkdir(exist_ok=True)
        self._nursery = Nursery(logs)
        self._scheduler = BlockAllocationTaskScheduler(
            max_workers=workers,
            executor_kwargs={
                "cores": 1,
                "cwd": None,
                "hostname_localhost": True,
                "nursery": self._nursery,
            },
            spawner=_Spawner,
            restart_limit=RESTARTS,
        )
        self._threads: list[threading.Thread] = list(self._scheduler._process)
        self._closing = threading.Event()
        threading.Thread(
            target=self._watch, args=(on_collapse,), name="pool-watch", daemon=True
        ).start()

    def _watch(self, on_collapse: Callable[[], None]) -> None:
        """Look once a second whether any of executorlib's threads is alive."""
        while not self._closing.wait(1.0):
            if not any(thread.is_alive() for thread in self._threads):
                on_collapse()
                return

    def submit(
        self, folder: Path, *, run_id: str, cpus: int, function: bytes | None
    ) -> Future[dict[str, Any]]:
        """Run the task of a folder in a worker; see :func:`execute_task` for what comes back."""
        future: Future[dict[str, Any]] = self._scheduler.submit(
            execute_task, str(folder), run_id, cpus, function
        )
        return future

    def fate(self, pid: int) -> str:
        """Say how a worker ended, for a message."""
        return self._nursery.fate(pid)

    def close(self, *, kill: bool = False) -> None:
        """End the workers; with ``kill`` in the middle of their tasks."""
        self._closing.set()
        if kill:
            self._nursery.kill_all()
        self._scheduler.shutdown(wait=not kill, cancel_futures=kill)
        for thread in self._threads:
            thread.join(timeout=10.0)
