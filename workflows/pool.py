"""Worker processes on this machine, each fed by a thread of the driver through executorlib.

Built from executorlib's promised interface (``executorlib.api``): its worker program and its
socket. Its own local scheduler is not used, because in 1.11 (measured) a task that kills its
worker is handed to one worker after the other, the driver waits for ever for a worker that died
before it connected, an interrupt from the keyboard reaches the workers before the driver, and
the port is open to the network. Here a dead worker is reported once and replaced, and ports
listen on the loopback device only.
"""

from __future__ import annotations

import logging
import os
import queue
import signal
import subprocess
import sys
import threading
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any

import zmq
from executorlib.api import ExecutorlibSocketError, SocketInterface, SubprocessSpawner

from superionic.structures.errors import TaskFailedError
from superionic.workflows.runfolder import RUNNING, read_optional
from superionic.workflows.task import THREAD_VARIABLES, execute_task
from superionic.workflows.worker import DRIVER_PID

log = logging.getLogger(__name__)

_BAD_STARTS = 3
"""So many workers may die before they begin a task, none in between; then the pool gives up."""

_Item = tuple[Future[dict[str, Any]], tuple[str, int, bytes | None]]


class _Process(SubprocessSpawner):  # type: ignore[misc]
    """Starts, watches and ends one worker process.

    Parameters
    ----------
    worker_id
        Number of the worker.
    folder
        Where it works between tasks and where its own output goes.
    """

    def __init__(self, *, worker_id: int, folder: Path) -> None:
        super().__init__(worker_id=worker_id)
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._ended: subprocess.Popen[bytes] | None = None

    def bootup(self, command_lst: list[str], stop_function: Any = None) -> bool:
        """Start the process with these arguments, in a session of its own."""
        with (self._folder / f"worker-{self._worker_id}.log").open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "superionic.workflows.worker", *command_lst],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self._folder,
                env=worker_environment(),
                start_new_session=True,
            )
        self._ended = self._process
        return True

    @property
    def pid(self) -> int:
        """The process id."""
        return self._ended.pid if self._ended is not None else -1

    def shutdown(self, wait: bool = True) -> None:
        """See the process out, after it was told to end; kill it if it does not."""
        if self._process is not None:
            try:
                self._process.wait(timeout=10.0 if wait else 0.0)
            except subprocess.TimeoutExpired:
                self.kill()
                self._process.wait()
        self._process = None

    def kill(self) -> None:
        """Kill the process and what it has started."""
        if self._ended is not None and self._ended.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._ended.pid, signal.SIGKILL)

    def fate(self) -> str:
        """Say how the process ended, for a message."""
        code = self._ended.poll() if self._ended is not None else None
        if code is None or code >= 0:
            return "ended" if code is None else f"ended with exit code {code}"
        hint = "; out of memory is the usual cause" if -code == signal.SIGKILL else ""
        return f"was killed by {signal.Signals(-code).name}{hint}"


class _Interface(SocketInterface):  # type: ignore[misc]
    """executorlib's socket, on the loopback device, which never waits for a dead peer."""

    def __init__(self, process: _Process) -> None:
        super().__init__(spawner=process, time_out_ms=200)
        self._socket.setsockopt(zmq.LINGER, 0)

    def send_dict(self, input_dict: dict[str, Any]) -> None:
        """Send as soon as the worker listens; raise if it dies before."""
        while not self._socket.poll(200, zmq.POLLOUT):
            if not self._spawner.poll():
                raise ExecutorlibSocketError("The worker process is gone.")
        super().send_dict(input_dict)

    def bind_to_random_port(self) -> int:
        """Listen where only this machine can connect."""
        return int(self._socket.bind_to_random_port("tcp://127.0.0.1"))


class _Worker:
    """One worker process and the line to it."""

    def __init__(self, worker_id: int, folder: Path) -> None:
        self.process = _Process(worker_id=worker_id, folder=folder)
        self._interface = _Interface(self.process)
        port = self._interface.bind_to_random_port()
        self._interface.bootup(["--host", "127.0.0.1", "--zmqport", str(port)])

    def run(self, call: tuple[str, int, bytes | None]) -> dict[str, Any] | None:
        """Have the worker execute a task; None if it died over it."""
        message = {"fn": execute_task, "args": call, "kwargs": {}}
        try:
            answer: dict[str, Any] = self._interface.send_and_receive_dict(message)
            if "error" in answer:
                raise answer["error"]
        except ExecutorlibSocketError:
            return None
        told: dict[str, Any] = answer["result"]
        return told

    def close(self) -> None:
        """End the process if it lives, and the line."""
        with suppress(ExecutorlibSocketError):
            self._interface.shutdown(wait=True)
        self.process.kill()


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
        Number of processes; each starts with its first task.
    folder
        Run folder; the workers' own output goes to ``<folder>/workers/``.
    """

    def __init__(self, *, workers: int, folder: Path) -> None:
        self._folder = folder / "workers"
        self._folder.mkdir(exist_ok=True)
        self._queue: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._workers: dict[int, _Worker] = {}
        self._bad_starts = 0
        self._killed = False
        self._threads = [
            threading.Thread(target=self._serve, args=(i,), name=f"worker-{i}", daemon=True)
            for i in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, folder: Path, *, cpus: int, function: bytes | None) -> Future[dict[str, Any]]:
        """Run the task of a folder in a worker.

        The result is that of :func:`execute_task`, or ``state``: ``died`` with ``message`` when
        the worker died over the task.
        """
        future: Future[dict[str, Any]] = Future()
        self._queue.put((future, (str(folder), cpus, function)))
        return future

    def _serve(self, worker_id: int) -> None:
        """Feed one worker until told to stop."""
        while (item := self._queue.get()) is not None:
            future, call = item
            try:
                told = self._run(worker_id, call)
            except Exception as error:  # whatever it is, somebody waits for the answer
                future.set_exception(error)
            else:
                future.set_result(told)
        worker = self._workers.get(worker_id)
        if worker is not None:
            worker.close()

    def _run(self, worker_id: int, call: tuple[str, int, bytes | None]) -> dict[str, Any]:
        """Execute one task in one worker; one that died before the task began is replaced."""
        while True:
            worker = self._workers.get(worker_id) or self._start(worker_id)
            told = worker.run(call)
            if told is not None:
                self._bad_starts = 0
                return told
            del self._workers[worker_id]
            worker.close()
            pid = worker.process.pid
            if read_optional(Path(call[0]) / RUNNING).get("pid") == pid:
                fate = worker.process.fate()
                message = f"The worker process {pid} {fate}. The next run tries again."
                return {"state": "died", "message": message}
            self._bad_starts += 1

    def _start(self, worker_id: int) -> _Worker:
        """Start a worker process, unless that is hopeless."""
        with self._lock:
            if self._killed:
                raise TaskFailedError("The run was interrupted.")
            if self._bad_starts >= _BAD_STARTS:
                raise TaskFailedError(f"Worker processes do not start: {self._last_words()}")
            worker = _Worker(worker_id, self._folder)
            self._workers[worker_id] = worker
            return worker

    def _last_words(self) -> str:
        """Return the last line that any worker wrote, and where to find the rest."""
        logs = sorted(self._folder.glob("worker-*.log"), key=lambda p: p.stat().st_mtime)
        lines = [p.read_text(errors="replace").strip().splitlines()[-1:] for p in logs]
        last = next((x[0] for x in reversed(lines) if x), "it wrote nothing")
        return f"{last} (see {self._folder})"

    def close(self, *, kill: bool = False) -> None:
        """End the workers; with ``kill`` in the middle of their tasks."""
        if kill:
            with self._lock:
                self._killed = True
                for worker in list(self._workers.values()):
                    worker.process.kill()
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()
