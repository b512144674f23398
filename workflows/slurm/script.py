"""The script of a job: options, modules, and the program that runs the tasks.

No name of a structure, task or folder stands in it. What is to run is read from ``batch.json`` in
the folder from which it was submitted.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from superionic.workflows.slurm.config import PLACES, walltime_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from superionic.workflows.jobs import Resources
    from superionic.workflows.slurm.config import ClusterConfig

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
TASKS = "superionic.workflows.slurm.supervise"
DEFAULT_TEMPLATE = "#!/bin/bash\n@OPTIONS@\n\n@SETUP@\n@COMMAND@\n"


def job_script(
    cluster: ClusterConfig,
    asked: Resources,
    *,
    name: str,
    elements: int = 0,
    module: str = TASKS,
    dependency: str = "",
) -> str:
    """Return the text of a job's script.

    Parameters
    ----------
    cluster
        Where it runs.
    asked
        What it asks for.
    name
        Name of the job; anything but letters, digits and ``_.-`` is replaced.
    elements
        Tasks of a job array; 0: no array.
    module
        What Python runs, in the folder of the script.
    dependency
        Such as ``afterok:12:13_4``.
    """
    options = [f"--job-name={safe_name(name)}", *_options(cluster, asked, elements)]
    if dependency:
        options.append(f"--dependency={dependency}")
    lines = [
        "export SUPERIONIC_JOB_START=$(date +%s)",
        'echo "job ${SLURM_JOB_ID:-?} on $(hostname)"',
    ]
    lines += [f"module load {shlex.quote(module)}" for module in cluster.modules]
    lines += [*cluster.setup]
    lines += [f"export {variable}={asked.cpus}" for variable in THREADS]
    lines += [f"export PYTHONPATH={shlex.quote(python_path())}"] if not cluster.python else []
    lines.append(f"export SUPERIONIC_WALLTIME_S={asked.walltime_s or 3600}")
    lines += [
        f"export SUPERIONIC_CODE_{code.upper()}={shlex.quote(line)}"
        for code, line in sorted(cluster.codes.items())
    ]
    if cluster.scratch:
        lines.append(f'export SUPERIONIC_SCRATCH="{_expandable(cluster.scratch)}"')
    command = ['cd "$SLURM_SUBMIT_DIR" || exit 1', f"exec {interpreter(cluster)} -P -m {module}"]
    parts = ([f"#SBATCH {option}" for option in options], lines, command)
    return _filled(cluster.template or DEFAULT_TEMPLATE, dict(zip(PLACES, parts, strict=True)))


def _filled(template: str, parts: Mapping[str, Sequence[str]]) -> str:
    """Put lines in their places in a template."""
    lines: list[str] = []
    for line in template.splitlines():
        lines += parts.get(line.strip(), [line])
    return "\n".join(lines) + "\n"


def interpreter(cluster: ClusterConfig) -> str:
    """Return the interpreter as a word of shell."""
    return shlex.quote(cluster.python or sys.executable)


def python_path() -> str:
    """Return where this interpreter finds modules, for another of its kind."""
    return os.pathsep.join(dict.fromkeys(str(Path(p).resolve()) for p in sys.path if p))


def safe_name(text: str) -> str:
    """Return text as a job's name: letters, digits and ``_.-`` only, at most 80 of them."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", text)[:80].lstrip("-") or "task"


def _options(cluster: ClusterConfig, asked: Resources, elements: int) -> list[str]:
    """Return the options of `sbatch`."""
    options = [
        f"--nodes={asked.nodes}",
        f"--ntasks={asked.ranks}",
        f"--cpus-per-task={asked.cpus}",
        f"--time={walltime_text(asked.walltime_s or 3600)}",
        f"--output={'%a' if elements else '0'}.log",
        "--open-mode=append",
        "--requeue",
        "--kill-on-invalid-dep=yes",
    ]
    if asked.memory_gb is not None:
        options.append(f"--mem={max(round(asked.memory_gb * 1024), 1)}M")
    named = {"partition": asked.queue, "account": cluster.account, "qos": cluster.qos}
    options += [f"--{option}={value}" for option, value in named.items() if value]
    if asked.gpus:
        options.append(cluster.gpu_option.replace("{gpus}", str(asked.gpus)))
    if elements:
        limit = f"%{cluster.array_running}" if cluster.array_running else ""
        options.append(f"--array=0-{elements - 1}{limit}")
    return [*options, *cluster.sbatch]


def _expandable(text: str) -> str:
    """Return text for double quotes in which only ``$VARIABLES`` are replaced."""
    return re.sub(r'(["`\\]|\$(?!\{?[A-Za-z_]))', r"\\\1", text)
