"""Real outputs of VASP and CASTEP that other packages ship for their own tests.

None of their files is kept here: the source distributions are fetched when the tests run, and the
tests are skipped where that fails.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from superionic.inputs.collect import collect
from superionic.inputs.outputs.dos import read_vasp_dos
from superionic.inputs.outputs.paths import read_path
from superionic.inputs.outputs.records import CollectedRun
from superionic.inputs.outputs.vasp import read_vasp_run
from superionic.workflows.collected import barrier_result, residual_forces

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The test data of aiida-vasp and parsevasp."""
    folder = tmp_path_factory.mktemp("sources")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary",
               ":all:", "aiida-vasp", "parsevasp", "-d", str(folder)]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("pip download took too long")
    if done.returncode:
        pytest.skip(f"pip download failed: {done.stderr[-200:]}")
    for archive in folder.glob("*.tar.gz"):
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="module")
def aiida(sources: Path) -> Path:
    return next(sources.glob("aiida_vasp-*/tests/test_data"))


@pytest.fixture(scope="module")
def parsevasp(sources: Path) -> Path:
    return next(sources.glob("parsevasp-*/tests"))


def run_of(folder: Path) -> CollectedRun:
    """Read a run as if its files had been silent for a day."""
    found = collect(folder, now=time.time() + 86400.0)
    assert isinstance(found, CollectedRun)
    return found


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("exit_codes/converged/out", "finished"),
        ("exit_codes/converged-with-error/out", "finished"),
        ("exit_codes/elec-unconverged/out", "unconverged"),
        ("exit_codes/ionic-unconverged/out", "unconverged"),
        ("exit_codes/unfinished/out", "truncated"),
        ("relax-truncated", "truncated"),
        ("vasp_wc_nelm/calc-000/out", "unconverged"),
        ("vasp_wc_nelm/calc-001/out", "finished"),
        ("vasp_wc_ionic_unfinished/calc-000/out", "crashed"),
        ("vasp_wc_ionic_unfinished/calc-001/out", "finished"),
        ("ionic-relax-magmom-carry-on/calc-000/out", "unconverged"),
        ("ionic-relax-magmom-carry-on/calc-001/out", "finished"),
        ("relax-not-converged", "unconverged"),
        ("relax", "finished"),
        ("phonondb", "finished"),
    ],
)
def test_states(aiida: Path, name: str, state: str) -> None:
    run = run_of(aiida / name)
    assert run.state == state, run.reason
    assert (run.energy_eV is None) == (state != "finished")


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("OUTCAR.converged", "finished"),
        ("OUTCAR.not-converged", "unconverged"),
        ("OUTCAR.nelm-breach-consistent", "unconverged"),
        ("OUTCAR.nelm-breach-partial", "unconverged"),
        ("OUTCAR.unfinished", "truncated"),
        ("OUTCAR.crashed", "crashed"),
    ],
)
def test_outcars(parsevasp: Path, tmp_path: Path, name: str, state: str) -> None:
    shutil.copy(parsevasp / name, tmp_path / "OUTCAR")
    run = run_of(tmp_path)
    assert run.state == state, run.reason
    if state == "finished":
        assert run.energy_eV == pytest.approx(-10.84171139)
        assert run.ionic_steps == 8


@pytest.mark.parametrize(
    "log",
    ["stdout", "stdout_ZBRENT", "stdout_bug", "stdout_nostart", "stdout_generic_box_error",
     "stdout_inconsistent_lattice"],
)  # fmt: skip
def test_crash_is_told_by_the_log(parsevasp: Path, tmp_path: Path, log: str) -> None:
    shutil.copy(parsevasp / "OUTCAR.crashed", tmp_path / "OUTCAR")
    shutil.copy(parsevasp / log, tmp_path / "stdout")
    run = run_of(tmp_path)
    assert run.state == "crashed", run.reason
    assert "stdout" in run.reason


def test_advice_is_no_crash(parsevasp: Path, tmp_path: Path) -> None:
    shutil.copy(parsevasp / "OUTCAR.converged", tmp_path / "OUTCAR")
    shutil.copy(parsevasp / "stdout_warning", tmp_path / "stdout")
    run = run_of(tmp_path)
    assert (run.state, run.notes) == ("finished", ())


def test_moments(parsevasp: Path, tmp_path: Path) -> None:
    shutil.copy(parsevasp / "OUTCAR_MAG", tmp_path / "OUTCAR")
    run = run_of(tmp_path)
    assert run.magnetic_moments is not None
    assert len(run.magnetic_moments) == 4
    assert run.total_magnetic_moment == pytest.approx(6.4424922)


def test_every_run_reads_or_refuses(aiida: Path) -> None:
    """No reader's own exception gets out, and nothing unfinished has an energy."""
    from superionic.structures.errors import SuperionicError

    folders = {path.parent for name in ("OUTCAR", "vasprun.xml") for path in aiida.rglob(name)}
    assert len(folders) > 50
    finished = 0
    for folder in sorted(folders):
        try:
            run = read_vasp_run(folder)
        except SuperionicError:
            continue
        finished += run.finished
        assert run.finished or run.energy_eV is None
    assert finished > 30


def test_projections(aiida: Path) -> None:
    dos = read_vasp_dos(aiida / "basic_run")
    assert dos.symbols[0] == "In"
    assert dos.symbols[-1] == "As"
    assert dos.orbitals == ("s", "p", "d")
    assert dos.fermi_eV == pytest.approx(4.29634683)


def test_band_without_energies_of_its_ends(aiida: Path) -> None:
    """The inversion of ammonia, five images, its ends never computed."""
    path = read_path(aiida / "neb")
    assert (path.kind, path.climbing, path.state) == ("band", True, "finished")
    assert path.missing_ends == (0, 4)
    energies = [image.energy_eV for image in path.moving]
    assert energies == pytest.approx([-19.49550593, -19.27978461, -19.4955073])
    assert [image.fmax_eV_per_A for image in path.moving] == [0.010712, 0.005218, 0.008168]
    result = barrier_result(path)
    assert (result.verdict, result.forward_barrier_eV) == ("unconverged", None)
    assert residual_forces(path) is None
    bare = read_path(aiida / "neb-workchain/calc-000/out")
    assert bare.missing_ends == (0, 4)
    assert [image.state for image in bare.moving] == ["finished"] * 3


def ase_data() -> Path:
    spec = find_spec("ase")
    if spec is None or spec.origin is None:
        pytest.skip("ase is not installed")
    folder = Path(spec.origin).with_name("test") / "testdata"
    if not folder.is_dir():
        pytest.skip("this ase came without its test data")
    return folder


def test_castep_dynamics_of_ase(tmp_path: Path) -> None:
    shutil.copy(ase_data() / "castep/md.castep", tmp_path)
    run = run_of(tmp_path)
    assert (run.state, run.task, run.theory) == ("finished", "md", "castep-lda")
    assert run.energy_eV == pytest.approx(-1351.294716003)
    assert run.stress_eV_per_A3 is not None
    assert run.structure is not None
    assert len(run.structure) == 8


def test_outcar_of_ase(tmp_path: Path) -> None:
    shutil.copy(ase_data() / "vasp/OUTCAR_example_1", tmp_path / "OUTCAR")
    run = run_of(tmp_path)
    assert run.energy_eV is None or run.finished
