"""GPAW scripts: written, run with another engine in GPAW's place, and read back."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
from ase.build import bulk, fcc111
from numpy.typing import NDArray

from superionic.inputs.collect import collect, runs_below
from superionic.inputs.deck import Deck
from superionic.inputs.decks import write_deck
from superionic.inputs.dft import Band, DFTSpec, FixedAtom, KGrid, Relaxation, Spin
from superionic.inputs.gpaw.options import GpawOptions
from superionic.inputs.outputs.records import CollectedNEB, CollectedRun, OutputFileError
from superionic.structures.errors import NotConvergedError
from superionic.structures.structure import Structure
from superionic.workflows.collected import barrier_result, relax_result
from superionic.workflows.collected_figures import draw_collected

STAND_IN = {
    "gpaw/__init__.py": """
        from ase.calculators.emt import EMT

        class KohnShamConvergenceError(RuntimeError):
            pass

        class GPAW(EMT):
            def __init__(self, txt, convergence, **settings):
                open(txt, "w").write("running")
                super().__init__()
        """,
    "gpaw/convergence_criteria.py": """
        class Energy:
            def __init__(self, *args, **kwargs):
                pass
        """,
}
PYSCF = """
        from ase.calculators.calculator import Calculator, all_changes
        from superionic.workflows.theory import get_theory

        class KohnShamConvergenceError(RuntimeError):
            pass

        class GPAW(Calculator):
            implemented_properties = ["energy", "forces", "free_energy"]

            def __init__(self, txt, **settings):
                open(txt, "w").write("running")
                super().__init__()
                self.engine = get_theory("pyscf-pbe").calculator()

            def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
                super().calculate(atoms, properties, system_changes)
                free = self.atoms.copy()
                free.pbc = False
                self.engine.calculate(free, ["energy", "forces"], all_changes)
                self.results = dict(self.engine.results)
        """
FAILING = """
        class KohnShamConvergenceError(RuntimeError):
            pass

        from ase.calculators.emt import EMT

        class GPAW(EMT):
            def __init__(self, txt, **settings):
                super().__init__()

            def calculate(self, *args, **kwargs):
                raise KohnShamConvergenceError("Did not converge!")
        """


def run_script(folder: Path, engine: Path, *, failing: bool = False) -> int:
    """Run a deck's script with the stand-in for GPAW."""
    for name, text in STAND_IN.items():
        text = FAILING if failing and name.endswith("__init__.py") else text
        (engine / name).parent.mkdir(parents=True, exist_ok=True)
        (engine / name).write_text(dedent(text))
    done = subprocess.run(
        [sys.executable, "run.py"], cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(engine)},
    )  # fmt: skip
    assert done.stderr == ""
    return done.returncode


def spec(relax: Relaxation | None = None, **settings: object) -> DFTSpec:
    return DFTSpec("pbe", 350.0, kgrid=KGrid((2, 2, 1)), relax=relax, **settings)  # type: ignore[arg-type]


def slab() -> Structure:
    return Structure.from_ase(fcc111("Al", (1, 1, 3), vacuum=7.0, periodic=True))


def write(folder: Path, chosen: DFTSpec, *structures: Structure) -> Path:
    return write_deck(Deck(chosen, structures, GpawOptions()), folder)


def one(folder: Path, **settings: float) -> CollectedRun:
    found = collect(folder, **settings)  # type: ignore[arg-type]
    assert isinstance(found, CollectedRun)
    return found


def test_relaxation_from_deck_to_result(tmp_path: Path) -> None:
    relax = Relaxation(force_eV_per_A=0.03, optimiser="bfgs")
    folder = write(tmp_path / "run", spec(relax, fixed=(FixedAtom(0),)), slab())
    assert one(folder).state == "not-started"
    assert run_script(folder, tmp_path / "engine") == 0
    run = one(folder)
    assert (run.state, run.task, run.code, run.theory) == ("finished", "relax", "gpaw", "gpaw-pbe")
    assert run.fmax_eV_per_A is not None
    assert run.fmax_target_eV_per_A == 0.03
    assert run.fmax_eV_per_A <= 0.03
    assert run.settings["kpoints"] == "2x2x1"
    result = relax_result(run)
    assert result.energy_eV == run.energy_eV
    assert result.theory == "gpaw-pbe"
    assert result.structure.positions[0] == pytest.approx(slab().positions[0])
    assert runs_below(tmp_path / "run") == (tmp_path / "run",)


def test_static_run_and_its_forces(tmp_path: Path) -> None:
    folder = write(tmp_path / "run", spec(spin=Spin(polarised=True)), slab())
    run_script(folder, tmp_path / "engine")
    run = one(folder)
    assert (run.state, run.task) == ("finished", "static")
    assert run.forces_eV_per_A is not None
    assert run.forces_eV_per_A.shape == (3, 3)
    assert run.settings["spin_polarised"] == "yes"
    result = json.loads((folder / "result.json").read_text())
    (folder / "result.json").write_text(json.dumps(result | {"energy_eV": -99.0}))
    with pytest.raises(OutputFileError, match="different runs"):
        collect(folder)


@pytest.mark.parametrize("failing", [True, False])
def test_unconverged_scripts_have_no_energy(tmp_path: Path, failing: bool) -> None:
    """The electrons do not converge, or the atoms run out of steps."""
    relax = Relaxation(force_eV_per_A=1e-4, max_steps=1, optimiser="bfgs")
    folder = write(tmp_path / "run", spec(relax), slab())
    assert run_script(folder, tmp_path / "engine", failing=failing) == 1
    run = one(folder)
    assert (run.state, run.energy_eV) == ("unconverged", None)
    assert ("Did not converge" if failing else "stopped at 1 steps") in run.reason
    with pytest.raises(NotConvergedError):
        relax_result(run)


def test_running_and_broken_off(tmp_path: Path) -> None:
    folder = write(tmp_path / "run", spec(), slab())
    (folder / "gpaw.txt").write_text("iteration 1")
    assert one(folder).state == "running"
    assert one(folder, now=time.time() + 1e5).state == "truncated"
    (folder / "slurm-1.out").write_text("slurmstepd: error: Detected 1 oom_kill event")
    assert one(folder).state == "crashed"
    (folder / "result.json").write_text('{"code": "gp')
    with pytest.raises(OutputFileError, match="cannot be read"):
        collect(folder)


def test_band_from_deck_to_barrier(tmp_path: Path) -> None:
    """A vacancy of aluminium moves by one place; both ends are relaxed by symmetry of the pair."""
    crystal = bulk("Al", cubic=True) * (2, 2, 1)
    start, end = crystal.copy(), crystal.copy()
    end.positions[1] = crystal.positions[0]
    del start[0], end[0]
    middle = start.copy()
    middle.positions = 0.5 * (start.positions + end.positions) + [0.0, 0.0, 0.05]
    images = [Structure.from_ase(a) for a in (start, middle, end)]
    chosen = spec().as_static()
    band = Band(images=1, climb=True, force_eV_per_A=3.0, optimiser="fire")
    folder = write(tmp_path / "run", replace(chosen, band=band), *images)
    waiting = collect(folder)
    assert isinstance(waiting, CollectedNEB)
    assert waiting.state == "not-started"
    assert run_script(folder, tmp_path / "engine") == 0
    path = collect(folder)
    assert isinstance(path, CollectedNEB)
    assert (path.kind, path.climbing, path.state, path.missing_ends) == (
        "band", True, "finished", (),
    )  # fmt: skip
    result = barrier_result(path)
    assert result.converged, result.reason
    assert result.ion == 0
    energies = json.loads((folder / "result.json").read_text())["energies_eV"]
    assert result.energies_eV == pytest.approx(np.array(energies) - energies[0], abs=1e-6)
    assert result.theory == "gpaw-pbe"


@pytest.mark.slow
@pytest.mark.parametrize(("engine", "fmax"), [("gpaw", 0.15), ("pyscf", 0.03)])
def test_from_deck_over_run_to_figure(tmp_path: Path, engine: str, fmax: float) -> None:
    """Ammonia turns inside out: relaxed, handed to a band, read back, drawn; all electronic.

    Each engine runs the same scripts. The barrier of the umbrella is 0.25 eV from spectra
    (doi 10.1063/1.1701290); a generalised gradient in a small basis should be near it. On GPAW's
    grid of 0.2 angstrom forces below 0.1 eV/angstrom are those of the grid.
    """
    pytest.importorskip(engine)
    height, radius = 0.38, 0.94
    turns = 2.0 * np.pi * np.arange(3) / 3.0
    rim = np.stack([radius * np.cos(turns), radius * np.sin(turns), np.full(3, height)], axis=1)
    cell, centre = np.diag([7.0, 7.0, 7.0]), np.array([3.5, 3.5, 3.5])
    ammonia = Structure(
        numbers=np.array([7, 1, 1, 1]), positions=np.vstack([np.zeros(3), rim]) + centre, cell=cell
    )
    options = GpawOptions(mode="lcao", basis="dzp", grid_ang=0.2)
    relax = Relaxation(force_eV_per_A=fmax, max_steps=30, optimiser="bfgs")
    chosen = DFTSpec("pbe", 350.0, relax=relax, scf_energy_eV=1e-5)
    folder = write_deck(Deck(chosen, (ammonia,), options), tmp_path / "relax")
    run_engine(folder, engine, tmp_path)
    run = one(folder)
    assert run.finished, run.reason
    saved = draw_collected(run, tmp_path / "steps")
    assert len(saved.csv.read_text().splitlines()) == 1 + len(run.step_energies_eV)

    start = relax_result(run).structure
    end = replace(start, positions=mirrored(start.positions))
    middle = replace(start, positions=0.5 * (start.positions + end.positions))
    band = Band(images=1, climb=True, force_eV_per_A=2 * fmax, optimiser="fire")
    deck = Deck(replace(chosen.as_static(), band=band), (start, middle, end), options)
    folder = write_deck(deck, tmp_path / "band")
    run_engine(folder, engine, tmp_path)
    path = collect(folder)
    assert isinstance(path, CollectedNEB)
    result = barrier_result(path)
    assert result.converged, result.reason
    assert result.forward_barrier_eV is not None
    assert result.reverse_barrier_eV is not None
    assert result.forward_barrier_eV == pytest.approx(0.25, abs=0.12)
    assert result.reverse_barrier_eV == pytest.approx(result.forward_barrier_eV, abs=0.02)
    saved = draw_collected(result, tmp_path / "umbrella")
    rows = list(csv.DictReader(saved.csv.read_text().splitlines()))
    assert [float(row["energy_eV"]) for row in rows] == list(result.energies_eV)
    assert saved.png.stat().st_size > 10_000
    assert saved.svg.read_text().startswith("<?xml")


def mirrored(positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ammonia with its rim on the other side of nitrogen."""
    turned = positions.copy()
    turned[:, 2] = 2.0 * positions[1:, 2].mean() - positions[:, 2]
    return turned


def run_engine(folder: Path, engine: str, place: Path) -> None:
    """Run a deck's script with GPAW itself, or with PySCF in its place."""
    paths = [os.environ.get("PYTHONPATH", "")]
    if engine == "pyscf":
        for name, text in (STAND_IN | {"gpaw/__init__.py": PYSCF}).items():
            (place / "engine" / name).parent.mkdir(parents=True, exist_ok=True)
            (place / "engine" / name).write_text(dedent(text))
        paths.insert(0, str(place / "engine"))
    done = subprocess.run(
        [sys.executable, "run.py"], cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
