"""What a cluster is: a TOML file that a person writes once, checked key by key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from superionic.structures.errors import ProtocolError
from superionic.workflows.jobs import Resources

__all__ = [
    "CLUSTER_NAME",
    "PLACES",
    "ClusterConfig",
    "JobResources",
    "Ladder",
    "walltime_seconds",
    "walltime_text",
]

_WORD = re.compile(r"[\w.,:/@%+=\[\]()&|*-]*", re.ASCII)
CLUSTER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
_OPTION = re.compile(r"-[-A-Za-z]*[^\s].*")
PLACES = ("@OPTIONS@", "@SETUP@", "@COMMAND@")
"""Lines of a template in whose place a job's own are put."""


def walltime_seconds(text: str) -> int:
    """Return ``HH:MM:SS`` or ``D-HH:MM:SS`` in seconds.

    Raises
    ------
    ProtocolError
        It is neither.
    """
    found = re.fullmatch(r"(?:(\d+)-)?(\d{1,3}):(\d{2}):(\d{2})", text, re.ASCII)
    if not found or (seconds := _seconds(*found.groups())) == 0:
        raise ProtocolError(f"A walltime is HH:MM:SS or D-HH:MM:SS; got {text!r}.")
    return seconds


def _seconds(days: str | None, hours: str, minutes: str, seconds: str) -> int:
    """Add up."""
    return ((int(days or 0) * 24 + int(hours)) * 60 + int(minutes)) * 60 + int(seconds)


def walltime_text(seconds: float) -> str:
    """Return seconds as ``D-HH:MM:SS``, rounded up to a whole minute as Slurm does."""
    minutes = -(-int(seconds) // 60)
    return f"{minutes // 1440}-{minutes // 60 % 24:02d}:{minutes % 60:02d}:00"


def _require_word(name: str, value: str) -> None:
    """Refuse text with spaces, quotes or control characters."""
    if not _WORD.fullmatch(value):
        raise ProtocolError(f"{name} must be one word without spaces or quotes; got {value!r}.")


@dataclass(frozen=True)
class JobResources:
    """What the tasks of one job ask for here, in place of what their author thought.

    Attributes
    ----------
    cpus : int or None
        Cores; where the task starts ranks, of each.
    walltime : str or None
        ``HH:MM:SS`` or ``D-HH:MM:SS``.
    memory_gb : float or None
        Memory in gigabytes.
    partition : str or None
        Partition.
    gpus : int or None
        GPUs, of each node.
    ranks : int or None
        MPI ranks that the task itself starts with the command line in ``[codes]``.
    nodes : int or None
        Nodes for them.
    """

    cpus: int | None = None
    walltime: str | None = None
    memory_gb: float | None = None
    partition: str | None = None
    gpus: int | None = None
    ranks: int | None = None
    nodes: int | None = None

    def __post_init__(self) -> None:
        """Refuse what Slurm would."""
        if self.walltime is not None:
            walltime_seconds(self.walltime)
        if self.partition is not None:
            _require_word("partition", self.partition)
        Resources(
            cpus=1 if self.cpus is None else self.cpus,
            memory_gb=self.memory_gb,
            gpus=self.gpus or 0,
            ranks=1 if self.ranks is None else self.ranks,
            nodes=1 if self.nodes is None else self.nodes,
        )


@dataclass(frozen=True)
class Ladder:
    """How a task is tried again by itself, and with how much more.

    Attributes
    ----------
    walltime : tuple of float
        Factors on the walltime after the first, second, ... time it was too short.
    memory : tuple of float
        Factors on the memory after the first, second, ... time it was too little.
    convergence : int
        Times that an external code that used up its steps goes on, a rung higher each time.
    node_failures : int
        Times that a task is tried again after its node failed.
    max_walltime : str
        Never ask for more, ``HH:MM:SS`` or ``D-HH:MM:SS``; empty: no limit.
    max_memory_gb : float or None
        Never ask for more, in gigabytes.
    """

    walltime: tuple[float, ...] = (2.0, 4.0)
    memory: tuple[float, ...] = (2.0, 4.0)
    convergence: int = 2
    node_failures: int = 2
    max_walltime: str = ""
    max_memory_gb: float | None = None

    def __post_init__(self) -> None:
        """Refuse factors that do not help."""
        if (
            any(f < 1.0 for f in (*self.walltime, *self.memory))
            or min(self.convergence, self.node_failures) < 0
        ):
            raise ProtocolError(
                "Retries need factors of at least 1, convergence and node_failures >= 0; got "
                f"{self.walltime}, {self.memory}, {self.convergence}, {self.node_failures}."
            )
        if self.max_walltime:
            walltime_seconds(self.max_walltime)


@dataclass(frozen=True)
class ClusterConfig:
    """A Slurm cluster, and how jobs on it are to look.

    Attributes
    ----------
    name : str
        What it is called; the stem of its file.
    partition, account, qos : str
        Options of `sbatch`; empty to leave them to Slurm.
    cpus : int
        Cores of a task that does not say.
    walltime : str
        Walltime of a task that does not say, ``HH:MM:SS`` or ``D-HH:MM:SS``.
    memory_gb : float or None
        Memory of a task that does not say, in gigabytes; None: Slurm's default.
    modules : tuple of str
        Names for `module load`.
    setup : tuple of str
        Lines of shell that every job runs first.
    python : str
        Interpreter on the compute nodes; empty: the one that submits.
    scratch : str
        Folder on the compute node for codes that ask for one; may name ``$VARIABLES``.
    sbatch : tuple of str
        Further options of `sbatch`, one a line.
    gpu_option : str
        How GPUs are asked for; ``{gpus}`` is their number.
    array : int
        Alike tasks in one `sbatch` at most; 1 for no job arrays.
    array_running : int
        Tasks of one array that run at once, at most; 0: no limit.
    queued : int
        Jobs that may be in the queue at once; the others wait for the driver. 0: no limit.
    poll_s : float
        Seconds between two looks at the queue.
    grace_s : float
        Seconds after which a job that left the queue without a file is lost (slow file systems).
    template : str
        Text of the script of every job, with lines ``@OPTIONS@``, ``@SETUP@`` and ``@COMMAND@``; in
        the cluster's file, the name of a file beside it. Empty: nothing but these.
    driver : JobResources
        The small job that submits what comes next.
    codes : Mapping of str to str
        Command lines of external codes, such as ``vasp = "srun vasp_std"``.
    jobs : Mapping of str to JobResources
        By the name of a job, such as ``barrier``.
    retries : Ladder
        What happens after a walltime, a lack of memory or a failed node.
    """

    name: str = "cluster"
    partition: str = ""
    account: str = ""
    qos: str = ""
    cpus: int = 1
    walltime: str = "01:00:00"
    memory_gb: float | None = None
    modules: tuple[str, ...] = ()
    setup: tuple[str, ...] = ()
    python: str = ""
    scratch: str = ""
    sbatch: tuple[str, ...] = ()
    gpu_option: str = "--gres=gpu:{gpus}"
    array: int = 500
    array_running: int = 0
    queued: int = 0
    poll_s: float = 15.0
    grace_s: float = 30.0
    template: str = ""
    driver: JobResources = JobResources(cpus=1, walltime="01:00:00")
    codes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    jobs: Mapping[str, JobResources] = field(default_factory=lambda: MappingProxyType({}))
    retries: Ladder = Ladder()

    def __post_init__(self) -> None:
        """Refuse what would end up as another line of a script, or as nonsense."""
        if not CLUSTER_NAME.fullmatch(self.name):
            raise ProtocolError(f"A cluster's name is letters, digits and _.-; got {self.name!r}.")
        for name in ("partition", "account", "qos"):
            _require_word(name, getattr(self, name))
        for module in self.modules:
            _require_word("modules", module)
        for option in (*self.sbatch, self.gpu_option):
            if not _OPTION.fullmatch(option) or any(c in option for c in "\n\r\0"):
                raise ProtocolError(
                    f"sbatch holds options such as '--constraint=intel'; got {option!r}."
                )
        if any(c in line for line in (*self.setup, self.python) for c in "\n\r\0"):
            raise ProtocolError("setup is a list of single lines, python one path.")
        if any(not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", code) for code in self.codes):
            raise ProtocolError(f"Names of codes are letters, digits and _; got {[*self.codes]}.")
        if self.array < 1 or self.array_running < 0 or self.queued < 0:
            raise ProtocolError("Expected array >= 1, array_running >= 0 and queued >= 0.")
        if self.poll_s <= 0 or self.grace_s < 0:
            raise ProtocolError("Expected poll_s above 0 and grace_s at least 0.")
        check_template(self.template)
        walltime_seconds(self.walltime)
        Resources(cpus=self.cpus, memory_gb=self.memory_gb)
        object.__setattr__(self, "jobs", MappingProxyType(dict(self.jobs)))
        object.__setattr__(self, "codes", MappingProxyType(dict(self.codes)))

    def resources(self, name: str, asked: Resources) -> Resources:
        """Return what a task asks for here.

        Parameters
        ----------
        name
            Name of its job; a table ``[jobs.NAME]`` comes first.
        asked
            What the job's author wrote; comes second, and the cluster's own defaults last.
        """
        own = self.jobs.get(name, JobResources())
        walltime = walltime_seconds(own.walltime) if own.walltime else asked.walltime_s
        memory = asked.memory_gb if own.memory_gb is None else own.memory_gb
        return Resources(
            cpus=own.cpus or max(asked.cpus, self.cpus),
            walltime_s=walltime or walltime_seconds(self.walltime),
            memory_gb=self.memory_gb if memory is None else memory,
            queue=own.partition or asked.queue or self.partition or None,
            gpus=asked.gpus if own.gpus is None else own.gpus,
            ranks=own.ranks or asked.ranks,
            nodes=own.nodes or asked.nodes,
        )

    def climbed(self, base: Resources, *, timeouts: int, memory_failures: int) -> Resources:
        """Return what a task asks for after it ran out of time or memory so many times."""
        steps = self.retries
        walltime = float(base.walltime_s or walltime_seconds(self.walltime))
        if timeouts and steps.walltime:
            walltime *= steps.walltime[min(timeouts, len(steps.walltime)) - 1]
        if steps.max_walltime:
            walltime = min(walltime, walltime_seconds(steps.max_walltime))
        memory = base.memory_gb
        if memory is not None and memory_failures and steps.memory:
            memory *= steps.memory[min(memory_failures, len(steps.memory)) - 1]
        if memory is not None and steps.max_memory_gb is not None:
            memory = min(memory, steps.max_memory_gb)
        return replace(base, walltime_s=round(walltime), memory_gb=memory)


def check_template(text: str) -> None:
    """Refuse a template in which a place for a job's own lines is missing, doubled or misplaced."""
    lines = [line.strip() for line in text.splitlines()]
    found = [line for line in lines if line in PLACES]
    if text and (found != list(PLACES) or not text.startswith("#!")):
        raise ProtocolError(
            f"A template begins with #! and has the lines {', '.join(PLACES)}, each once and in "
            f"this order; got {found}."
        )
