# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # From laptop to Slurm
#
# The same lines that run here run on a cluster: no service and no database, only a folder. As it
# stands, job scripts are written and counted, and nothing is submitted (a minute or two).

# %%
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from superionic.structures.crystals import reference_crystal
from superionic.structures.io import read_structure, write_structure
from superionic.workflows.execution import Run
from superionic.workflows.relax import RelaxSettings, relax_task

CELLS = Path("my-cells")  # every .cif in it
CLUSTER = Path("my-cluster.toml")
THEORY = "chgnet-0.3.0"
SUBMIT = False  # True where there is a Slurm; else scripts are written, and nothing is submitted

if not CELLS.exists():
    CELLS.mkdir()
    for name in ("na3ps4", "na3sbs4"):
        crystal = reference_crystal(name).structure
        if crystal.is_ordered:
            write_structure(crystal, CELLS / f"{name}.cif")
    print(f"no {CELLS} here: packaged crystals stand in")


def superionic(*words: str) -> int:
    """Run a command as in a shell, say what it says, and return its exit code."""
    print("$ superionic", *words)
    start = "from superionic.workflows.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", start, *words], capture_output=True, text=True, check=False
    )
    print(done.stdout + done.stderr)
    return done.returncode


# %% [markdown]
# ## Here, on all cores
#
# A job submitted inside `Run` becomes a task with a folder of its own, named after a hash of
# everything that it depends on. Interrupt it and run it again: what was finished is not done
# again.

# %%
structures = {file.stem: read_structure(file) for file in sorted(CELLS.glob("*.cif"))}
if not structures:
    raise SystemExit(f"{CELLS} holds no .cif file")
with Run("here", progress=False) as run:
    waiting = {
        name: relax_task.submit(structure, THEORY, RelaxSettings(cell="full"))
        for name, structure in structures.items()
    }
    for name, future in waiting.items():
        relaxed = future.result()
        print(f"{name}: {relaxed.energy_eV:.3f} eV, fmax {relaxed.fmax_eV_per_A:.3f} eV/A, "
              f"converged: {relaxed.converged}")  # fmt: skip
told = run.summary()
print(f"{told.done} done, {told.reused} found finished, {told.wall_s:.0f} s")

# %% [markdown]
# ## Where a result comes from
#
# Function, inputs, versions, host and checksums, back to the files that went in.

# %%
for folder in sorted(Path("here").glob("relax-*"))[:1]:
    superionic("trace", str(folder))

# %% [markdown]
# ## The cluster, once
#
# `superionic cluster init NAME` writes a commented file. Fill in partition, account and modules,
# then let `superionic cluster test NAME` submit a one-minute job that says what is missing on a
# compute node.

# %%
if not CLUSTER.exists():
    superionic("cluster", "init", f"./{CLUSTER}")

# %% [markdown]
# ## There
#
# The same command, behind `superionic submit`. With `--dry-run` it writes the scripts and counts
# core hours; set `SUBMIT = True` where there is a Slurm.

# %%
files = [str(CELLS / f"{name}.cif") for name in structures]
words = ["relax", *files, "--theory", THEORY, "--cell", "full", "--out", "there"]
how = [] if SUBMIT else ["--dry-run"]
superionic("submit", *words, "--cluster", f"./{CLUSTER}", *how)

# %% [markdown]
# What is submitted is a plain script that can be read before it runs:

# %%
for script in sorted(Path("there").rglob("job.sh"))[:1]:
    print(script.read_text())

# %% [markdown]
# ## In Python
#
# `Run("there", cluster="mycluster")` takes the same jobs and waits for them; with `detach=True`
# it submits and leaves, and the same script goes on later. `superionic status there` shows how
# far it is, `superionic resume there` tries again what failed, `superionic cancel there` stops
# it.
