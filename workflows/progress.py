"""How far a run is: tasks report, the driver shows."""

from __future__ import annotations

import json
import logging
import math
import statistics
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from superionic.structures.errors import RunFolderError
from superionic.workflows.context import current_context
from superionic.workflows.runfolder import PROGRESS, read_optional
from superionic.workflows.serialise import write_bytes_atomic

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from rich.console import Console, RenderableType

log = logging.getLogger(__name__)


class ProgressWriter:
    """Keeps a small file up to date, not more often than once in a while.

    Parameters
    ----------
    path
        The ``progress.json`` of a task.
    interval_s
        Least time between two writes in seconds.
    """

    def __init__(self, path: Path, *, interval_s: float = 1.0) -> None:
        self._path = path
        self._interval_s = interval_s
        self._written = -math.inf
        self._state: dict[str, Any] = {}

    def update(self, **news: float | str | None) -> None:
        """Take over what is not None, and write if it is time."""
        self._state.update({k: v for k, v in news.items() if v is not None})
        if time.monotonic() - self._written < self._interval_s:
            return
        self._written = time.monotonic()
        with suppress(RunFolderError):  # progress is not worth a failure
            write_bytes_atomic(self._path, json.dumps(self._state).encode(), durable=False)


def report_progress(
    *,
    step: int | None = None,
    total: int | None = None,
    fmax: float | None = None,
    message: str | None = None,
) -> None:
    """Say how far the running task is; goes to its log and to whoever watches the run.

    May be called at every step: the log gets every line, the display about one a second.
    What is not given stays as it was. Outside a task only the log line is made.

    Parameters
    ----------
    step, total
        Steps taken, and steps at most.
    fmax
        Largest force in eV/angstrom.
    message
        What is going on, in a few words.
    """
    parts = [message] if message else []
    if step is not None:
        parts.append(f"step {step}" + (f"/{total}" if total is not None else ""))
    if fmax is not None:
        parts.append(f"fmax {fmax:.4f} eV/A")
    log.info("%s", ", ".join(parts))
    context = current_context()
    if context is not None and context.progress is not None:
        finite = float(fmax) if fmax is not None and math.isfinite(fmax) else None
        context.progress.update(step=step, total=total, fmax=finite, message=message)


@dataclass(frozen=True)
class TaskView:
    """What the display needs to know about one task.

    Attributes
    ----------
    name, key : str
        Short name, and folder name.
    state : str
        See ``runfolder.TaskState``.
    folder : Path
        The task's folder.
    elapsed_s : float
        Seconds since it started; 0 before.
    wall_s : float or None
        Wall time in seconds once it has ended.
    """

    name: str
    key: str
    state: str
    folder: Path
    elapsed_s: float
    wall_s: float | None


def expected_seconds(
    name: str, tasks: Sequence[TaskView], *, elapsed_s: float = 0.0
) -> float | None:
    """Return the median wall time in seconds of the finished tasks of one name that took longer.

    None where none took longer than ``elapsed_s``: what outlives all before it is not foretold.
    """
    walls = [
        t.wall_s
        for t in tasks
        if t.name == name and t.wall_s is not None and t.state in ("done", "reused")
    ]
    longer = [wall for wall in walls if wall >= elapsed_s]
    return statistics.median(longer) if longer else None


def format_seconds(seconds: float | None) -> str:
    """Return a duration as ``42s``, ``3m05s`` or ``2h10m``; a dash for None."""
    if seconds is None:
        return "-"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"


def remaining_seconds(tasks: Sequence[TaskView], workers: int) -> float | None:
    """Estimate the time left from the walls of finished tasks of the same names, in seconds.

    No less than the longest task needs by itself. None while a task is still to be run that has
    no finished one of its name, or has already taken longer than all of them.
    """
    lasts: list[float] = []
    for task in tasks:
        if task.state not in ("pending", "running"):
            continue
        expected = expected_seconds(task.name, tasks, elapsed_s=task.elapsed_s)
        if expected is None:
            return None
        lasts.append(expected - task.elapsed_s)
    return max(sum(lasts) / max(workers, 1), max(lasts, default=0.0))


class RunProgress:
    """Shows a run while it goes on: a live table on a terminal, a line now and then elsewhere.

    Parameters
    ----------
    snapshot
        Returns the tasks of the run as they are now.
    workers
        Tasks that run at once.
    title
        Above the table, and at the head of every line.
    console
        A rich console; standard error by default.
    line_interval_s
        Seconds between two lines where there is no terminal.
    """

    def __init__(
        self,
        snapshot: Callable[[], Sequence[TaskView]],
        *,
        workers: int,
        title: str = "",
        console: Console | None = None,
        line_interval_s: float = 20.0,
    ) -> None:
        from rich.console import Console

        self._snapshot = snapshot
        self._workers = workers
        self._title = title
        self._console = console or Console(stderr=True)
        self._line_interval_s = line_interval_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="run-progress", daemon=True)
        self._last_line = ""

    def start(self) -> None:
        """Begin to show."""
        self._thread.start()

    def stop(self) -> None:
        """Show the final state and end."""
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        """Refresh until stopped."""
        try:
            if self._console.is_terminal:
                self._watch_live()
            else:
                self._watch_lines()
        except Exception:  # a broken display must not stop a run
            log.exception("The progress display stopped.")

    def _watch_live(self) -> None:
        """Redraw a table twice a second."""
        from rich.live import Live

        with Live(console=self._console, auto_refresh=False, transient=True) as live:
            while not self._stop.wait(0.5):
                live.update(self.render(), refresh=True)
        self._line()

    def _watch_lines(self) -> None:
        """Print a line now and then, if anything has changed."""
        while not self._stop.wait(self._line_interval_s):
            self._line()
        self._line()

    def _line(self) -> None:
        """Print the state in one line, unless it is the one printed last."""
        line = self.line()
        if line and line != self._last_line:
            self._console.print(line, highlight=False, markup=False, soft_wrap=True)
            self._last_line = line

    def line(self) -> str:
        """Return the run's state in one line; empty while there are no tasks."""
        tasks = self._snapshot()
        if not tasks:
            return ""
        counts = {s: sum(t.state == s for t in tasks) for s in sorted({t.state for t in tasks})}
        running = [self._describe(t) for t in tasks if t.state == "running"]
        left = remaining_seconds(tasks, self._workers)
        told = ", ".join(f"{n} {s}" for s, n in counts.items()) + f" of {len(tasks)} tasks"
        parts = [f"{self._title}: {told}" if self._title else told]
        if left:
            parts.append(f"about {format_seconds(left)} left")
        return "; ".join([*parts, *running])

    def _describe(self, task: TaskView) -> str:
        """Return one running task in a few words."""
        told = read_optional(task.folder / PROGRESS)
        words = [f"{task.key} {format_seconds(task.elapsed_s)}", str(told.get("message", ""))]
        words.append(f"step {told['step']}" if "step" in told else "")
        words.append(f"fmax {told['fmax']:.3f}" if "fmax" in told else "")
        return " ".join(w for w in words if w)

    def render(self) -> RenderableType:
        """Return the table: a row for every running task and the total in the title."""
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        tasks = self._snapshot()
        ended = sum(t.state not in ("pending", "running") for t in tasks)
        left = format_seconds(remaining_seconds(tasks, self._workers))
        head = f"{ended} of {len(tasks)} tasks, time left {left}"
        title = f"{self._title}: {head}" if self._title else head
        table = Table(title=title, title_justify="left")
        for column in ("task", "what", "step", "fmax eV/A", "elapsed", "expected", ""):
            table.add_column(column, justify="left" if column in ("task", "what") else "right")
        for task in tasks:
            if task.state != "running":
                continue
            told = read_optional(task.folder / PROGRESS)
            expected = expected_seconds(task.name, tasks, elapsed_s=task.elapsed_s)
            step = f"{told['step']}" if "step" in told else "-"
            table.add_row(
                task.key,
                Text(str(told.get("message", ""))),
                step + (f"/{told['total']}" if "total" in told else ""),
                f"{told['fmax']:.3f}" if "fmax" in told else "-",
                format_seconds(task.elapsed_s),
                format_seconds(expected),
                ProgressBar(
                    total=expected, completed=task.elapsed_s, width=16, pulse=expected is None
                ),
            )
        return table
