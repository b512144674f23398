"""The files of clusters: where they are, how they are read, and the commented ones of a new one."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

from superionic.inputs.typed import build
from superionic.structures.errors import ClusterError
from superionic.workflows.slurm.config import CLUSTER_NAME, ClusterConfig


def clusters_folder() -> Path:
    """Return where the files of clusters are kept."""
    home = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(home).expanduser() / "superionic" / "clusters"


def cluster_path(name: str | Path) -> Path:
    """Return the file of a cluster, given its name or the file itself."""
    if isinstance(name, Path) or name.endswith(".toml") or "/" in name:
        return Path(name).expanduser()
    if not CLUSTER_NAME.fullmatch(name):
        raise ClusterError(f"A cluster's name is letters, digits and _.-; got {name!r}.")
    return clusters_folder() / f"{name}.toml"


def known_clusters() -> tuple[str, ...]:
    """Return the names of the clusters that have a file."""
    return tuple(sorted(p.stem for p in clusters_folder().glob("*.toml")))


def load_cluster(name: str | Path) -> ClusterConfig:
    """Read a cluster's file.

    Parameters
    ----------
    name
        Its name, or the path of a TOML file.

    Raises
    ------
    ClusterError
        There is no such file, or it is not TOML.
    ProtocolError
        A key is unknown or has a value that makes no sense.
    """
    path = cluster_path(name)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        known = ", ".join(known_clusters()) or "none yet"
        here = Path(f"{path.stem}.toml")
        beside = f"Or name the file here: ./{here}. " if here.is_file() and here != path else ""
        raise ClusterError(
            f"There is no cluster file {path} (known: {known}). {beside}Make one with "
            f"`superionic cluster init {path.stem}`, and fill it in."
        ) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ClusterError(f"Cannot read the cluster file {path}: {error}") from error
    if isinstance(table.get("template"), str):
        table["template"] = _template_text(path.parent / Path(table["template"]).expanduser())
    return build(ClusterConfig, {"name": path.stem} | table, where=path.name)


def _template_text(path: Path) -> str:
    """Return the text of a template.

    Raises
    ------
    ClusterError
        It cannot be read, or is empty.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ClusterError(f"Cannot read the template {path}: {error}") from error
    if not text.strip():
        raise ClusterError(f"The template {path} is empty. Leave the key out to use none.")
    return text


TEMPLATE = """\
# A Slurm cluster for superionic. Lines that start with # are comments; take the # away from those
# that you need. Check it with `superionic cluster test @NAME@`.

# partition = "normal"              # see `sinfo`
# account = "my-project"            # see `sacctmgr show associations user=$USER`
# qos = "normal"

# What a task gets that does not say. Tables [jobs.NAME] further down change it for one kind.
cpus = 1
walltime = "04:00:00"               # HH:MM:SS or D-HH:MM:SS
# memory_gb = 8.0                   # leave out for Slurm's default

# What every job runs first, on the compute node.
# modules = ["python/3.11"]         # module load ...
# setup = ["source ~/venvs/superionic/bin/activate"]
# python = "python"                 # leave out to use the interpreter that submits
# scratch = "$TMPDIR"               # for codes that want a local disk

# Further options of sbatch, one each, and how GPUs are asked for.
# sbatch = ["--constraint=intel", "--mail-type=FAIL"]
# gpu_option = "--gres=gpu:{gpus}"

# array = 500                       # alike tasks in one sbatch; 1 for no job arrays
# array_running = 0                 # of one array, running at once; 0: no limit
# queued = 0                        # jobs in the queue at once; 0: no limit
# poll_s = 15.0                     # seconds between two looks at the queue

# The script of every job, a file beside this one: for what the keys above cannot say.
template = "@NAME@.sh"

# The small job that submits what comes next. Needs sbatch on the compute nodes.
[driver]
cpus = 1
walltime = "01:00:00"

# External codes: how they are started inside an allocation. How many ranks `srun` starts stands
# in [jobs.vasp] below.
[codes]
# vasp = "srun vasp_std"
# castep = "srun castep.mpi"
# gmx = "gmx"
# gpaw = "srun gpaw python"

# What some kinds of tasks need here; the names are those of the folders, before the hash.
# [jobs.barrier]
# cpus = 8
# walltime = "1-00:00:00"
# memory_gb = 16.0
# [jobs.vasp]
# nodes = 2
# ranks = 64                        # of all nodes; each gets `cpus` cores
# cpus = 1
# walltime = "1-00:00:00"

# A task that ran out of walltime or memory is tried again with so many times more, at most
# as often as there are factors; with [1.0, 1.0, 1.0] a long run goes on three times in jobs of the
# same length. One whose node failed is tried again as it was. A code that used up its steps goes
# on from its last geometry, or with more and sturdier electronic steps, `convergence` times.
[retries]
walltime = [2.0, 4.0]
memory = [2.0, 4.0]
convergence = 2
node_failures = 2
# max_walltime = "2-00:00:00"
# max_memory_gb = 128.0
"""


SCRIPT_TEMPLATE = """\
#!/bin/bash
# The script of every job of the cluster @NAME@. Three lines are filled in: the options of sbatch,
# the modules and variables, and the command that runs the task. Keep them as they are, in this
# order; all else is yours: more #SBATCH lines above the second, commands above or below it.
@OPTIONS@

@SETUP@
@COMMAND@
"""


def init_cluster(name: str | Path) -> Path:
    """Write the commented file and the script's template of a new cluster; return the first's path.

    Raises
    ------
    ClusterError
        One of the files exists or cannot be written, or the name makes no name.
    """
    path = cluster_path(name)
    if not CLUSTER_NAME.fullmatch(path.stem):
        raise ClusterError(f"A cluster's name is letters, digits and _.-; got {path.stem!r}.")
    for place, text in ((path.with_suffix(".sh"), SCRIPT_TEMPLATE), (path, TEMPLATE)):
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("x", encoding="utf-8") as stream:
                stream.write(text.replace("@NAME@", path.stem))
            place.chmod(0o644 & place.stat().st_mode)
        except FileExistsError as error:
            raise ClusterError(f"{place} exists. Edit it, or choose another name.") from error
        except OSError as error:
            raise ClusterError(f"Cannot write {place}: {error.strerror or error}.") from error
    return path
