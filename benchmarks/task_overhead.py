"""What a task costs beside its own work: a folder each, against the bare executors.

    python benchmarks/task_overhead.py [TASKS]

As many tasks that do nothing (1000 by default) on two workers: in a `Run`, each with a folder,
inputs, log, manifest with checksums and result, synced to disk, so that it is resumed after a
kill; in the same run again, where all are found done; in executorlib's own single-node executor
with and without its cache, and in the executor of the standard library, which keep nothing or
less. The first worker's start is counted, as a user waits for it. Then the status of the folder.
Where Slurm answers, 200 of them as one job array too.
"""

from __future__ import annotations

import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from superionic.structures.errors import ClusterError
from superionic.workflows.execution import Run, job
from superionic.workflows.slurm.client import Slurm
from superionic.workflows.slurm.config import ClusterConfig
from superionic.workflows.slurm.records import batches_of
from superionic.workflows.slurm.status import survey

WORKERS = 2
ARRAY = 200


def nothing(number: int) -> int:
    return number


@job(version=1)
def idle(number: int) -> int:
    return nothing(number)


def timed(name: str, count: int, call: Callable[[], object]) -> None:
    """Print wall and CPU seconds of a call, those of its child processes that ended included."""
    before = _cpu()
    begun = time.monotonic()
    call()
    wall, cpu = time.monotonic() - begun, _cpu() - before
    print(f"{name:44s} {wall:8.2f} {cpu:8.2f} {1000 * wall / count:9.2f}")


def _cpu() -> float:
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in spent)


def check(found: list[int]) -> None:
    if found != list(range(len(found))):
        raise SystemExit(f"wrong results: {found[:10]} ...")


def ours(folder: Path, count: int, cluster: ClusterConfig | None = None) -> None:
    with Run(folder, workers=WORKERS, cluster=cluster):
        check([f.result() for f in [idle.submit(k) for k in range(count)]])


def theirs(count: int, cache: Path | None) -> None:
    from executorlib import SingleNodeExecutor

    with SingleNodeExecutor(
        max_workers=WORKERS, block_allocation=True, cache_directory=str(cache) if cache else None
    ) as executor:
        check([f.result() for f in [executor.submit(nothing, k) for k in range(count)]])


def plain(count: int) -> None:
    with ProcessPoolExecutor(WORKERS) as executor:
        check(list(executor.map(nothing, range(count))))


def answers() -> bool:
    try:
        Slurm(timeout_s=10.0).queue()
    except ClusterError:
        return False
    return True


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    place = Path(tempfile.mkdtemp(prefix="overhead-", dir=Path.cwd()))
    print(f"{count} tasks, {WORKERS} workers{'':23s}   wall s    CPU s   ms/task")
    try:
        timed("Run", count, lambda: ours(place / "run", count))
        timed("Run, all done before", count, lambda: ours(place / "run", count))
        timed("status", count, lambda: survey(place / "run"))
        timed("executorlib", count, lambda: theirs(count, None))
        timed("executorlib with its cache", count, lambda: theirs(count, place / "cache"))
        timed("concurrent.futures", count, lambda: plain(count))
        if answers():
            cluster = ClusterConfig(poll_s=1.0, walltime="00:10:00")
            timed(f"Slurm, an array of {ARRAY}", ARRAY, lambda: ours(place / "c", ARRAY, cluster))
            print(f"{len(list(batches_of(place / 'c')))} sbatch")
    finally:
        shutil.rmtree(place)


if __name__ == "__main__":
    main()
