"""The notebooks run from top to bottom, on their stand-ins and on input of one's own."""

from __future__ import annotations

import ast
import importlib
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from made_castep import CastepCase, write_castep_run
from made_densities import gaussians, pair
from made_gpaw import write_gpaw_dos, write_gpaw_run
from made_paths import write_band
from made_vasp import step
from small_salt import salt

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
HELPERS = ("stand_ins.py",)
NOTEBOOKS = tuple(p for p in sorted(EXAMPLES.glob("*.py")) if p.name not in HELPERS)
MINUTES = 5.0
"""What each may take at most, on two cores that do nothing else."""


def run(name: str, folder: Path) -> str:
    """Run a notebook as a script in a folder, and return what it printed."""
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:__main__", str(EXAMPLES / name)],
        cwd=folder, capture_output=True, text=True, check=False, timeout=1800,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    sys.stdout.write(f"{name}: {time.monotonic() - begun:.0f} s\n")
    return done.stdout


def figures(folder: Path) -> set[str]:
    """Return the names of the figures in a folder, each of which is a picture and a table."""
    names = {path.stem for path in folder.glob("*.png")}
    for name in names:
        assert (folder / f"{name}.png").read_bytes()[:4] == b"\x89PNG"
        assert (folder / f"{name}.svg").stat().st_size > 1000
        assert len((folder / f"{name}.csv").read_text().splitlines()) > 1
    return names


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.name)
def test_notebook_is_one(path: Path) -> None:
    text = path.read_text()
    assert text.startswith("# ---\n# jupyter:\n#   jupytext:\n")
    cells = re.split(r"^# %%", text, flags=re.MULTILINE)[1:]
    assert len([c for c in cells if c.startswith(" [markdown]")]) >= 4
    for cell in cells:
        if cell.startswith(" [markdown]"):
            lines = cell.splitlines()[1:]
            assert all(line.startswith("#") or not line for line in lines), lines
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("superionic"):
            module = importlib.import_module(str(node.module))
            assert all(hasattr(module, alias.name) for alias in node.names), node.module


def test_notebooks_are_told_of() -> None:
    page = (ROOT / "docs/notebooks.md").read_text()
    assert {p.name for p in NOTEBOOKS} == set(re.findall(r"^\| `(\w+\.py)`", page, re.MULTILINE))


def test_trajectory_finds_what_was_put_in(tmp_path: Path) -> None:
    said = run("own_trajectory.py", tmp_path)
    line = r"^(GROMACS|LAMMPS|VASP): 1500 frames, D = (\S+) cm2/s .*? (\S+) to (\S+)\)$"
    lines = re.findall(line, said, re.MULTILINE)
    assert [code for code, *_ in lines] == ["GROMACS", "LAMMPS", "VASP"]
    truth = float(re.findall(r"put in: (\S+) cm2/s", said)[0])
    for _, value, low, high in lines:
        assert float(low) < float(value) < float(high)
        assert float(low) < truth < float(high)
    assert {f"trajectory-{x}" for x in ("msd", "conductivity", "rdf", "speciation")} <= figures(
        tmp_path
    )


def test_finished_runs_on_runs_a_band_and_electrons(tmp_path: Path) -> None:
    write_band(tmp_path / "my-band")
    write_gpaw_run(tmp_path / "my-electrons", pair())
    write_gpaw_dos(tmp_path / "my-electrons", pair())
    density = gaussians(pair(), (12.4, 7.6), 48, width=0.4)
    file = tmp_path / "my-electrons" / "density.npz"
    np.savez(file, density=density, numbers=pair().numbers, charge=0.0)
    said = run("finished_runs.py", tmp_path)
    assert "castep md, finished" in said
    assert "forward and back: 0.400 and 0.300 eV" in said
    assert "not-started, +0.000 eV here, none there" in said
    assert "14 electrons, s, p, d of ('Al', 'N')" in said
    assert "Al: +0.60 e (bader)" in said
    assert {"finished-castep-steps", "finished-band"} <= figures(tmp_path)


@pytest.mark.slow
def test_finished_runs_with_a_relaxation_of_ones_own(tmp_path: Path) -> None:
    steps = [step(salt(), -10.0), step(salt(), -11.0)]
    done = CastepCase(task="geometry optimization", geometry="done")
    write_castep_run(tmp_path / "my-runs" / "relaxed", salt(), steps, done)
    said = run("finished_runs.py", tmp_path)
    assert "stand in" not in said
    assert f"my-runs/relaxed: {salt().formula}, -11.000 eV" in said


@pytest.mark.slow
def test_conductor(tmp_path: Path) -> None:
    said = run("own_conductor.py", tmp_path)
    assert "Na3PS4 stands in" in said
    assert {"conductor-profile", "conductor-path"} <= figures(tmp_path)
    again = run("own_conductor.py", tmp_path)
    assert "stands in" not in again
    assert said.splitlines()[-1] == again.splitlines()[-1]


@pytest.mark.slow
def test_additive(tmp_path: Path) -> None:
    said = run("own_additive.py", tmp_path)
    assert re.search(r"converged: E_b = [+-]\d", said)
    assert {"additive-starts", "additive-complex"} <= figures(tmp_path)


@pytest.mark.slow
def test_metals(tmp_path: Path) -> None:
    said = run("own_metals.py", tmp_path)
    assert re.search(r"projections hold (\d+\.\d\d) of (\d+) electrons", said)
    assert {"metals-screen", "metals-dos"} <= figures(tmp_path)


@pytest.mark.slow
def test_laptop_to_slurm(tmp_path: Path) -> None:
    said = run("laptop_to_slurm.py", tmp_path)
    assert "checksum agrees" in said
    assert "#SBATCH" in said


@pytest.mark.slow
def test_notebook_in_a_kernel(tmp_path: Path) -> None:
    """As Jupyter runs it, where jupytext and a kernel are installed."""
    jupytext = pytest.importorskip("jupytext")
    client = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    notebook = jupytext.read(EXAMPLES / "own_trajectory.py")
    os.environ["PYTHONPATH"] = str(EXAMPLES)
    client.NotebookClient(
        notebook, timeout=600, resources={"metadata": {"path": tmp_path}}
    ).execute()
    assert figures(tmp_path)
