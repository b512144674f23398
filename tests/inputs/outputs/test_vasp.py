"""VASP runs read back: the states apart, and numbers of finished ones only."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_vasp import RELAX, VaspEnd, VaspTags, step, write_outcar, write_vasp_run, write_vasprun
from small_salt import pushed, salt

from superionic.inputs.collect import collect
from superionic.inputs.outputs.records import CollectedRun, OutputFileError
from superionic.inputs.outputs.vasp import read_vasp_run
from superionic.structures.errors import NotConvergedError

DONE = VaspEnd(reached=True)
CUT = VaspEnd(ended=False)
RESULTS = ("energy_eV", "free_energy_eV", "forces_eV_per_A", "stress_eV_per_A3")


def without_numbers(run: CollectedRun) -> CollectedRun:
    """Check that a run carries no result at all."""
    assert run.energy_eV is None
    assert run.free_energy_eV is None
    assert run.forces_eV_per_A is None
    assert run.stress_eV_per_A3 is None
    assert run.magnetic_moments is None
    assert run.total_magnetic_moment is None
    assert len(run.step_energies_eV) == 0
    assert run.reason
    with pytest.raises(NotConvergedError, match=run.state):
        run.require_finished()
    return run


@pytest.mark.parametrize("files", ["both", "OUTCAR", "vasprun.xml"])
def test_finished_relaxation(tmp_path: Path, files: str) -> None:
    cell = salt()
    moved = cell.positions + np.array([0.1, 0.0, -0.05])
    steps = [
        step(cell, -10.0, forces=pushed(1, 0.4)),
        step(cell, -11.25, positions=moved, forces=pushed(2, 0.011, axis=1), entropy_eV=0.01,
             stress_eV_per_A3=0.002),
    ]  # fmt: skip
    run = read_vasp_run(
        write_vasp_run(
            tmp_path, cell, steps, RELAX, DONE, outcar=files != "vasprun.xml", xml=files != "OUTCAR"
        )
    )
    assert (run.state, run.reason, run.task) == ("finished", "", "relax")
    assert run.require_finished() is run
    assert run.energy_eV == pytest.approx(-11.25, abs=1e-8)
    assert run.free_energy_eV == pytest.approx(-11.26, abs=1e-8)
    assert run.step_energies_eV == pytest.approx([-10.0, -11.25])
    assert run.forces_eV_per_A == pytest.approx(pushed(2, 0.011, axis=1))
    assert run.stress_eV_per_A3 == pytest.approx(0.002 * np.eye(3), abs=1e-8)
    assert run.fmax_eV_per_A == pytest.approx(0.011)
    assert run.fmax_target_eV_per_A == 0.02
    assert run.structure is not None
    assert run.start is not None
    assert run.structure.positions == pytest.approx(moved, abs=1e-7)
    assert run.start.positions == pytest.approx(cell.positions, abs=1e-7)
    assert run.structure.symbols == ("Na", "O", "O", "H")
    assert (run.ionic_steps, run.electronic_steps) == (2, 5)
    assert (run.theory, run.version) == ("vasp-pbe", "vasp.6.4.2")
    assert run.settings["cutoff_eV"] == 520.0
    assert run.settings["kpoints"] == "3x3x1"
    assert run.settings["electrons"] == 14.0


def test_moments_come_from_outcar(tmp_path: Path) -> None:
    end = VaspEnd(moments=(0.0, 0.5, -0.25, 1.0))
    folder = write_vasp_run(tmp_path, salt(), [step(salt(), -10.0)], VaspTags(ISPIN=2), end)
    run = read_vasp_run(folder)
    assert run.magnetic_moments == pytest.approx([0.0, 0.5, -0.25, 1.0])
    assert run.total_magnetic_moment == pytest.approx(1.25)
    assert run.fermi_energy_eV == pytest.approx(1.234)
    assert run.settings["spin_polarised"] == "yes"


@pytest.mark.parametrize("nelm", [5, 4])
def test_electrons_at_their_limit_are_no_energy(tmp_path: Path, nelm: int) -> None:
    """VASP 5 writes that EDIFF is reached even then, as the made-up OUTCAR does."""
    tags = VaspTags(NELM=nelm)
    run = without_numbers(
        read_vasp_run(write_vasp_run(tmp_path, salt(), [step(salt(), -10.0)], tags))
    )
    assert (run.state, run.unconverged_steps) == ("unconverged", (0,))
    assert f"NELM = {nelm}" in run.reason


def test_electrons_at_their_limit_on_the_way_are_noted(tmp_path: Path) -> None:
    steps = [step(salt(), -10.0, electronic=60), step(salt(), -11.0, electronic=9)]
    run = read_vasp_run(write_vasp_run(tmp_path, salt(), steps, RELAX, DONE))
    assert run.state == "finished"
    assert run.unconverged_steps == (0,)


def test_ions_that_ran_out_of_steps(tmp_path: Path) -> None:
    steps = [step(salt(), -10.0 - k, forces=pushed(1, 0.3)) for k in range(3)]
    tags = replace(RELAX, NSW=3)
    run = without_numbers(read_vasp_run(write_vasp_run(tmp_path, salt(), steps, tags)))
    assert run.state == "unconverged"
    assert "NSW = 3" in run.reason
    assert "0.300 eV/A" in run.reason
    assert run.fmax_eV_per_A == pytest.approx(0.3)
    assert run.structure is not None


def test_stopcar_is_no_convergence(tmp_path: Path) -> None:
    end = VaspEnd(soft_stop=True)
    run = read_vasp_run(write_vasp_run(tmp_path, salt(), [step(salt(), -1.0)], RELAX, end))
    assert without_numbers(run).reason == "it was stopped by a STOPCAR"


@pytest.mark.parametrize(("force", "state"), [(0.01, "finished"), (0.05, "unconverged")])
def test_without_outcar_the_forces_decide(tmp_path: Path, force: float, state: str) -> None:
    folder = write_vasp_run(
        tmp_path, salt(), [step(salt(), -1.0, forces=pushed(0, force))], RELAX, outcar=False
    )
    assert read_vasp_run(folder).state == state


def test_forces_on_fixed_atoms_do_not_count(tmp_path: Path) -> None:
    forces = pushed(0, 2.0) + pushed(3, 0.015)
    tags = replace(RELAX, fixed=(0,))
    folder = write_vasp_run(tmp_path, salt(), [step(salt(), -1.0, forces=forces)], tags, DONE)
    run = read_vasp_run(folder)
    assert run.fmax_eV_per_A == pytest.approx(0.015)
    assert run.forces_eV_per_A == pytest.approx(forces)


def test_time_tells_running_from_truncated(tmp_path: Path) -> None:
    folder = write_vasp_run(tmp_path, salt(), [step(salt(), -1.0)], RELAX, CUT)
    run = without_numbers(read_vasp_run(folder))
    assert (run.state, run.task) == ("running", "relax")
    later = time.time() + 5 * 3600
    run = without_numbers(read_vasp_run(folder, now=later))
    assert run.state == "truncated"
    assert "5 h ago" in run.reason
    assert read_vasp_run(folder, now=later, quiet_s=6 * 3600).state == "running"


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("vasp.out", "VERY BAD NEWS! internal error in subroutine IBZKPT:", "internal error"),
        ("slurm-17.out", "slurmstepd: error: *** JOB 17 ON n1 CANCELLED AT 2026 DUE TO TIME LIMIT",
         "time limit"),
        ("slurm-17.err", "error: Detected 1 oom-kill event(s) in step 17.0", "out of memory"),
        ("vasp_output", "|   ----> I REFUSE TO CONTINUE WITH THIS SICK JOB ... BYE!!! <----    |",
         "refused"),
        ("vasp.log", "|  EEEEEEE  RRRRRR   RRRRRR   OOOOOOO  RRRRRR   ### |\n|  E   R   O  ### |\n"
         "|                 |\n|   Inconsistent Bravais lattice types found  |\n", "Bravais"),
        ("stderr", "mpirun noticed that process rank 0 exited on signal 15 (Terminated).",
         "signal"),
        ("job.e123", "vasp_std: command not found", "not on the path"),
    ],
)  # fmt: skip
def test_logs_tell_a_crash(tmp_path: Path, name: str, text: str, told: str) -> None:
    folder = write_vasp_run(tmp_path, salt(), [step(salt(), -1.0)], RELAX, CUT)
    (folder / name).write_text(f"first line\n{text}\nlast line\n")
    run = without_numbers(read_vasp_run(folder))
    assert run.state == "crashed"
    assert told in run.reason
    assert name in run.reason


def test_log_of_an_earlier_run_means_nothing(tmp_path: Path) -> None:
    folder = write_vasp_run(tmp_path, salt(), [step(salt(), -1.0)], RELAX, CUT)
    (folder / "slurm-1.out").write_text("*** JOB 1 CANCELLED AT 2026 DUE TO TIME LIMIT ***")
    assert read_vasp_run(folder).state == "crashed"
    early = time.time() - 7200.0
    os.utime(folder / "slurm-1.out", (early, early))
    assert read_vasp_run(folder).state == "running"


def test_k_grid_of_another_folder_is_not_taken(tmp_path: Path) -> None:
    folder = write_vasp_run(tmp_path / "run", salt(), [step(salt(), -1.0)], xml=False)
    (folder / "KPOINTS").rename(tmp_path / "KPOINTS")
    assert "kpoints" not in read_vasp_run(folder).settings
    write_vasprun(folder / "vasprun.xml", salt(), [step(salt(), -1.0)], VaspTags(grid=(5, 4, 1)))
    assert read_vasp_run(folder).settings["kpoints"] == "5x4x1"


@settings(max_examples=60)
@given(cut=st.floats(0.0, 1.0), garbage=st.binary(max_size=40))
def test_no_cut_and_no_garbage_makes_an_energy(
    tmp_path_factory: pytest.TempPathFactory, cut: float, garbage: bytes
) -> None:
    """Only the line that VASP writes last does."""
    folder = tmp_path_factory.mktemp("cut")
    write_vasp_run(folder, salt(), [step(salt(), -1.0)] * 2, RELAX, DONE)
    mark = {"OUTCAR": b"General timing", "vasprun.xml": b"</modeling>"}
    for name, end in mark.items():
        content = (folder / name).read_bytes()
        before = content[: content.index(end)]
        (folder / name).write_bytes(before[: int(cut * len(before))] + garbage)
    run = read_vasp_run(folder)
    assert run.energy_eV is None
    assert run.state in ("running", "not-started", "crashed")


def test_crash_before_the_first_step(tmp_path: Path) -> None:
    """The message is in OUTCAR itself, which holds nothing else that readers understand."""
    write_vasp_run(tmp_path, salt(), [], RELAX, replace(CUT, tail=" VERY BAD NEWS! in SETUP\n"),
                   xml=False)  # fmt: skip
    assert without_numbers(read_vasp_run(tmp_path)).state == "crashed"


def test_warnings_of_a_finished_run_are_noted(tmp_path: Path) -> None:
    folder = write_vasp_run(tmp_path, salt(), [step(salt(), -1.0)])
    (folder / "vasp.out").write_text("VERY BAD NEWS! internal error, but on we go\n")
    run = read_vasp_run(folder)
    assert run.state == "finished"
    assert "VERY BAD NEWS" in run.notes[0]


def test_inputs_alone_have_not_started(tmp_path: Path) -> None:
    write_vasp_run(tmp_path, salt(), [], outcar=False, xml=False)
    run = without_numbers(read_vasp_run(tmp_path))
    assert run.state == "not-started"
    assert run.start is not None
    (tmp_path / "stdout").write_text("bash: line 3: vasp_std: command not found\n")
    assert read_vasp_run(tmp_path).state == "crashed"


def test_oszicar_alone_is_a_run(tmp_path: Path) -> None:
    write_vasp_run(tmp_path, salt(), [], outcar=False, xml=False)
    (tmp_path / "OSZICAR").write_text("       N       E\nDAV:   1    -0.1E+02\n")
    assert without_numbers(read_vasp_run(tmp_path)).state == "running"


@pytest.mark.parametrize("cut", [0.05, 0.2, 0.5, 0.9])
def test_any_cut_is_handled(tmp_path: Path, cut: float) -> None:
    """Wherever the files break off, nothing raises and nothing has an energy."""
    folder = write_vasp_run(tmp_path, salt(), [step(salt(), -1.0)] * 3, RELAX, DONE)
    for name in ("OUTCAR", "vasprun.xml"):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: int(cut * len(content))])
    run = without_numbers(read_vasp_run(folder, now=time.time() + 1e6))
    assert run.state == "truncated"


@pytest.mark.parametrize("name", ["OUTCAR", "vasprun.xml"])
def test_one_whole_file_is_enough(tmp_path: Path, name: str) -> None:
    folder = write_vasp_run(tmp_path, salt(), [step(salt(), -1.0)] * 3, RELAX, DONE)
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])
    run = read_vasp_run(folder)
    assert (run.state, run.energy_eV) == ("finished", -1.0)
    assert name in run.notes[0]
    assert "cut off" in run.notes[0]


@pytest.mark.parametrize("change", ["steps", "energy"])
def test_files_of_two_runs_are_refused(tmp_path: Path, change: str) -> None:
    folder = write_vasp_run(tmp_path, salt(), [step(salt(), -1.0)] * 2, RELAX, DONE)
    other = [step(salt(), -1.0)] * (3 if change == "steps" else 1)
    other += [step(salt(), -1.5)] if change == "energy" else []
    write_outcar(folder / "OUTCAR", salt(), other, RELAX, DONE)
    with pytest.raises(OutputFileError, match="different runs"):
        read_vasp_run(folder)


def test_dispersion_left_out_of_the_last_energy(tmp_path: Path) -> None:
    """Some versions write an e_0_energy without dispersion at the ionic step."""
    folder = write_vasp_run(tmp_path, salt(), [step(salt(), -10.0)], outcar=False)
    text = (folder / "vasprun.xml").read_text()
    head, mark, rest = text.rpartition('<i name="e_0_energy">')
    (folder / "vasprun.xml").write_text(head + mark + rest.replace("-10.0", "-9.5", 1))
    assert read_vasp_run(folder).energy_eV == pytest.approx(-10.0)


def test_whole_numbers_that_overflowed_their_field(tmp_path: Path) -> None:
    folder = write_vasp_run(tmp_path, salt(), [step(salt(), -10.0)], outcar=False)
    text = (folder / "vasprun.xml").read_text()
    wide = '<i type="int" name="NGYROMAG">******</i></separator>'
    (folder / "vasprun.xml").write_text(text.replace("</separator>", wide))
    assert read_vasp_run(folder).energy_eV == pytest.approx(-10.0)


def test_bands_of_a_kept_density_have_no_energy(tmp_path: Path) -> None:
    run = read_vasp_run(
        write_vasp_run(tmp_path, salt(), [step(salt(), -10.0)], VaspTags(ICHARG=11))
    )
    assert (run.state, run.task, run.energy_eV) == ("finished", "other", None)


def test_dispersion_is_part_of_the_level(tmp_path: Path) -> None:
    run = read_vasp_run(write_vasp_run(tmp_path, salt(), [step(salt(), -1.0)], VaspTags(IVDW=1)))
    assert run.theory == "vasp-pbe-d2"
    assert run.settings["dispersion"] == "d2"


def test_dynamics_end_with_their_steps(tmp_path: Path) -> None:
    tags = VaspTags(NSW=3, IBRION=0)
    for count, state in ((3, "finished"), (2, "unconverged")):
        folder = write_vasp_run(tmp_path / str(count), salt(), [step(salt(), -1.0)] * count, tags)
        run = read_vasp_run(folder)
        assert (run.task, run.state) == ("md", state)


def test_collect_knows_a_vasp_folder(tmp_path: Path) -> None:
    write_vasprun(tmp_path / "vasprun.xml", salt(), [step(salt(), -3.0)], VaspTags())
    run = collect(tmp_path)
    assert isinstance(run, CollectedRun)
    assert (run.code, run.energy_eV) == ("vasp", -3.0)
    os.utime(tmp_path / "vasprun.xml", (0, 0))
    assert collect(tmp_path) is not None
