"""CASTEP runs read back: the states apart, and numbers of finished ones only."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from ase.units import Bohr as BOHR
from hypothesis import given, settings
from hypothesis import strategies as st
from made_castep import CastepCase, castep_order, castep_text, write_castep_run
from made_vasp import step
from small_salt import pushed, salt

from superionic.inputs.collect import collect
from superionic.inputs.outputs.castep import read_castep_run
from superionic.inputs.outputs.castep_cell import cell_order
from superionic.inputs.outputs.populations import read_castep_charges
from superionic.inputs.outputs.records import CollectedRun, OutputFileError
from superionic.structures.errors import NotConvergedError
from superionic.structures.structure import Structure

RELAXED = CastepCase(task="geometry optimization", geometry="done")


def test_finished_run_in_the_order_of_the_cell_file(tmp_path: Path) -> None:
    """CASTEP sorts atoms by atomic number: H, O, O, Na here."""
    forces = pushed(0, 0.03) + pushed(3, -0.01)
    folder = write_castep_run(
        tmp_path, salt(), [step(salt(), -10.0, forces=forces, entropy_eV=0.02)],
        CastepCase(spins=(0.0, 0.5, -0.25, 1.0), charges=(0.9, -0.5, -0.6, 0.2)),
    )  # fmt: skip
    run = read_castep_run(folder)
    assert (run.state, run.task, run.code) == ("finished", "static", "castep")
    assert run.structure is not None
    assert run.structure.symbols == ("Na", "O", "O", "H")
    assert run.structure.positions == pytest.approx(salt().positions, abs=1e-5)
    assert run.forces_eV_per_A == pytest.approx(forces)
    assert run.magnetic_moments == pytest.approx([0.0, 0.5, -0.25, 1.0])
    assert run.total_magnetic_moment == pytest.approx(1.25)
    assert run.energy_eV == pytest.approx(-10.0)
    assert run.free_energy_eV == pytest.approx(-10.02)
    assert (run.theory, run.version) == ("castep-pbe", "castep.23.1")
    assert run.settings["cutoff_eV"] == 370.0
    assert run.settings["kpoints"] == "3x3x1"


def test_dispersion_is_part_of_the_energy(tmp_path: Path) -> None:
    """ASE's own energy leaves it out."""
    case = CastepCase(dispersion_eV=-0.567)
    folder = write_castep_run(tmp_path, salt(), [step(salt(), -10.0, entropy_eV=0.01)], case)
    run = read_castep_run(folder)
    assert run.energy_eV == pytest.approx(-10.0, abs=1e-8)
    assert run.free_energy_eV == pytest.approx(-10.01, abs=1e-8)
    assert run.theory == "castep-pbe-d2"


def test_finished_relaxation(tmp_path: Path) -> None:
    moved = salt().positions + np.array([0.05, 0.0, 0.0])
    steps = [
        step(salt(), -10.0, forces=pushed(1, 0.5)),
        step(salt(), -11.0, positions=moved, forces=pushed(1, 0.02)),
    ]
    run = read_castep_run(write_castep_run(tmp_path, salt(), steps, RELAXED))
    assert (run.state, run.task) == ("finished", "relax")
    assert run.step_energies_eV == pytest.approx([-10.0, -11.0])
    assert run.structure is not None
    assert run.structure.positions == pytest.approx(moved, abs=1e-5)
    assert run.fmax_eV_per_A == pytest.approx(0.02)
    assert run.fmax_target_eV_per_A == pytest.approx(0.05)


def test_line_search_step_that_was_not_taken(tmp_path: Path) -> None:
    """The final enthalpy says which ground state is the result."""
    steps = [step(salt(), e) for e in (-10.0, -11.0, -10.5)]
    case = CastepCase(task="geometry optimization", geometry="done", enthalpy_eV=-11.0)
    assert read_castep_run(write_castep_run(tmp_path, salt(), steps, case)).energy_eV == -11.0


@pytest.mark.parametrize(
    ("case", "told"),
    [
        (CastepCase(unconverged=(1,)), "did not converge in 5 cycles"),
        (CastepCase(task="geometry optimization", geometry="failed"), "not relaxed"),
        (CastepCase(task="geometry optimization"), "not relaxed"),
        (CastepCase(extra=" STOP keyword detected in parameter file. Stop execution.\n"), "STOP"),
    ],
)
def test_unconverged_runs_have_no_energy(tmp_path: Path, case: CastepCase, told: str) -> None:
    steps = [step(salt(), -10.0), step(salt(), -11.0, forces=pushed(1, 0.3))]
    run = read_castep_run(write_castep_run(tmp_path, salt(), steps, case))
    assert run.state == "unconverged"
    assert told in run.reason
    assert run.energy_eV is None
    assert run.forces_eV_per_A is None
    assert len(run.step_energies_eV) == 0
    with pytest.raises(NotConvergedError):
        run.require_finished()


def test_ground_state_missed_on_the_way_is_noted(tmp_path: Path) -> None:
    case = CastepCase(task="geometry optimization", geometry="done", unconverged=(0,))
    steps = [step(salt(), -10.0), step(salt(), -11.0)]
    run = read_castep_run(write_castep_run(tmp_path, salt(), steps, case))
    assert (run.state, run.unconverged_steps) == ("finished", (0,))


def test_time_tells_running_from_truncated(tmp_path: Path) -> None:
    folder = write_castep_run(tmp_path, salt(), [step(salt(), -1.0)], CastepCase(ended=False))
    assert read_castep_run(folder).state == "running"
    run = read_castep_run(folder, now=time.time() + 1e5)
    assert (run.state, run.energy_eV) == ("truncated", None)


@pytest.mark.parametrize("cut", [0.1, 0.4, 0.7, 0.95])
def test_any_cut_is_handled(tmp_path: Path, cut: float) -> None:
    folder = write_castep_run(tmp_path, salt(), [step(salt(), -1.0)] * 2, RELAXED)
    text = (folder / "made.castep").read_text()
    (folder / "made.castep").write_text(text[: int(cut * len(text))])
    run = read_castep_run(folder, now=time.time() + 1e5)
    assert (run.state, run.energy_eV) == ("truncated", None)


def write_geom(path: Path, frames: list[Structure]) -> None:
    """Write a .geom file in atomic units, atoms sorted as CASTEP does."""
    text = " BEGIN header\n  \n END header\n  \n"
    for k, frame in enumerate(frames):
        text += f"{k:39d}   <-- c\n" + "  -1.0000000000E+000   -1.0000000000E+000   <-- E\n"
        for v in frame.cell / BOHR:
            text += "".join(f"{x:28.16E}" for x in v) + "   <-- h\n"
        for end, values in (("R", frame.positions / BOHR), ("F", 0.0 * frame.positions)):
            seen: dict[str, int] = {}
            for atom in castep_order(frame):
                symbol = frame.symbols[atom]
                seen[symbol] = seen.get(symbol, 0) + 1
                row = "".join(f"{x:28.16E}" for x in values[atom])
                text += f" {symbol:<2s}{seen[symbol]:16d}{row}   <-- {end}\n"
        text += "  \n"
    path.write_text(text)


def test_geometry_file_outlives_a_crash(tmp_path: Path) -> None:
    case = CastepCase(task="geometry optimization", ended=False)
    folder = write_castep_run(tmp_path, salt(), [step(salt(), -1.0)], case)
    assert read_castep_run(folder).structure is None
    last = salt().with_positions(salt().positions + 0.123)
    write_geom(folder / "made.geom", [salt(), last])
    run = read_castep_run(folder)
    assert (run.state, run.energy_eV) == ("running", None)
    assert run.structure is not None
    assert run.structure.symbols == ("Na", "O", "O", "H")
    assert run.structure.positions == pytest.approx(last.positions, abs=1e-8)
    (folder / "made.geom").write_text((folder / "made.geom").read_text()[:900])
    assert read_castep_run(folder).state == "running"


def test_geometry_file_has_more_digits(tmp_path: Path) -> None:
    exact = salt().with_positions(salt().positions + 1.23456789e-3)
    folder = write_castep_run(tmp_path, exact, [step(exact, -1.0)], RELAXED)
    coarse = read_castep_run(folder).structure
    write_geom(folder / "made.geom", [exact])
    fine = read_castep_run(folder).structure
    assert coarse is not None
    assert fine is not None
    assert np.abs(coarse.positions - exact.positions).max() > 1e-7
    assert fine.positions == pytest.approx(exact.positions, abs=1e-8)
    write_geom(folder / "made.geom", [exact.with_positions(exact.positions + 0.5)])
    other = read_castep_run(folder).structure
    assert other is not None
    assert np.array_equal(other.positions, coarse.positions)


@settings(max_examples=40)
@given(cut=st.floats(0.0, 1.0), garbage=st.binary(max_size=40))
def test_no_cut_and_no_garbage_makes_an_energy(
    tmp_path_factory: pytest.TempPathFactory, cut: float, garbage: bytes
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    write_castep_run(folder, salt(), [step(salt(), -1.0)] * 2, RELAXED)
    content = (folder / "made.castep").read_bytes()
    before = content[: content.index(b"Total time")]
    (folder / "made.castep").write_bytes(before[: int(cut * len(before))] + garbage)
    run = read_castep_run(folder)
    assert run.energy_eV is None
    assert run.state in ("running", "not-started")


@pytest.mark.parametrize("ended", [True, False])
def test_error_file_is_a_crash(tmp_path: Path, ended: bool) -> None:
    folder = write_castep_run(tmp_path, salt(), [step(salt(), -1.0)], CastepCase(ended=ended))
    (folder / "made.0001.err").write_text(
        "Error in parameters_read: unknown key\nCurrent trace stack:\n parameters_read\n castep\n"
    )
    run = read_castep_run(folder)
    assert (run.state, run.energy_eV) == ("crashed", None)
    assert "unknown key" in run.reason


def test_empty_error_files_mean_nothing(tmp_path: Path) -> None:
    folder = write_castep_run(tmp_path, salt(), [step(salt(), -1.0)])
    (folder / "made.0001.err").write_text("")
    assert read_castep_run(folder).state == "finished"


def test_continuation_in_the_same_file(tmp_path: Path) -> None:
    folder = write_castep_run(tmp_path, salt(), [step(salt(), -1.0)], CastepCase(ended=False))
    first = (folder / "made.castep").read_text()
    second = castep_text(salt(), [step(salt(), -2.0)], CastepCase())
    (folder / "made.castep").write_text(first + second)
    run = read_castep_run(folder)
    assert (run.state, run.energy_eV) == ("finished", -2.0)
    assert "2 runs" in run.notes[0]
    (folder / "made.castep").write_text(second + first)
    assert read_castep_run(folder).state == "running"


def test_inputs_alone_have_not_started(tmp_path: Path) -> None:
    folder = write_castep_run(tmp_path, salt(), [step(salt(), -1.0)])
    (folder / "made.castep").unlink()
    run = read_castep_run(folder)
    assert run.state == "not-started"
    for word, task in (
        ("GeomOpt", "relax"),
        ("Energy", "static"),
        ("MolecularDynamics", "md"),
        ("phonon", "other"),
    ):
        (folder / "made.param").write_text(f"task : {word}\n")
        assert read_castep_run(folder).task == task
    (folder / "slurm-3.out").write_text("castep.mpi: command not found")
    assert read_castep_run(folder).state == "crashed"


def test_two_seeds_are_refused(tmp_path: Path) -> None:
    write_castep_run(tmp_path, salt(), [step(salt(), -1.0)], seed="one")
    write_castep_run(tmp_path, salt(), [step(salt(), -1.0)], seed="two")
    with pytest.raises(OutputFileError, match="one, two"):
        read_castep_run(tmp_path)


def test_fermi_level_of_the_bands_file(tmp_path: Path) -> None:
    folder = write_castep_run(tmp_path, salt(), [step(salt(), -1.0)])
    (folder / "made.bands").write_text(
        "Number of k-points    1\nNumber of spin components 1\nNumber of electrons  14.00\n"
        "Number of eigenvalues      2\nFermi energy (in atomic units)     0.100000\n"
        "Unit cell vectors\n 10.0 0.0 0.0\n 0.0 10.0 0.0\n 0.0 0.0 10.0\n"
        "K-point     1  0.00000000  0.00000000  0.00000000  1.00000000\nSpin component 1\n"
        "   -0.20000000\n    0.30000000\n"
    )
    assert read_castep_run(folder).fermi_energy_eV == pytest.approx(2.72114, abs=1e-4)


def test_order_without_a_readable_cell_file(tmp_path: Path) -> None:
    symbols = ["H", "O", "O", "Na"]
    assert cell_order(tmp_path / "none.cell", symbols) == ([0, 1, 2, 3], "")
    (tmp_path / "bad.cell").write_text(
        "%BLOCK POSITIONS_FRAC\nNa 0 0 0\n%ENDBLOCK POSITIONS_FRAC\n"
    )
    order, note = cell_order(tmp_path / "bad.cell", symbols)
    assert order == [0, 1, 2, 3]
    assert "other atoms" in note


def test_mulliken_charges_are_conserved(tmp_path: Path) -> None:
    folder = write_castep_run(
        tmp_path, salt(), [step(salt(), -1.0)], CastepCase(charges=(0.9, -0.5, -0.6, 0.2))
    )
    raw = read_castep_charges(folder)
    assert raw.symbols == ("Na", "O", "O", "H")
    assert raw.valence_electrons == pytest.approx([1.0, 6.0, 6.0, 1.0])
    assert raw.electrons == pytest.approx([0.1, 6.5, 6.6, 0.8])
    assert raw.electrons.sum() == pytest.approx(raw.expected_electrons)
    with pytest.raises(OutputFileError, match="hirshfeld"):
        read_castep_charges(folder, method="hirshfeld")


def test_charges_of_an_unfinished_run_are_refused(tmp_path: Path) -> None:
    case = CastepCase(unconverged=(0,), charges=(0.9, -0.5, -0.6, 0.2))
    folder = write_castep_run(tmp_path, salt(), [step(salt(), -1.0)], case)
    with pytest.raises(NotConvergedError):
        read_castep_charges(folder)


def test_collect_knows_a_castep_folder(tmp_path: Path) -> None:
    run = collect(write_castep_run(tmp_path, salt(), [step(salt(), -3.0)]))
    assert isinstance(run, CollectedRun)
    assert (run.code, run.energy_eV) == ("castep", -3.0)
    assert np.isfinite(run.step_energies_eV).all()
