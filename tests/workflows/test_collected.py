"""What came back from DFT codes, in the result types of local runs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_castep import CastepCase, write_castep_run
from made_gpaw import gpaw_dos, write_gpaw_dos, write_gpaw_run
from made_paths import BAND, HILL, images, write_band, write_single_points
from made_up import barrier, dome
from made_vasp import RELAX, VaspEnd, step, write_vasp_run
from small_salt import pushed, salt

from superionic.inputs.collect import collect
from superionic.inputs.outputs.paths import read_path
from superionic.inputs.outputs.records import CollectedRun, OutputFileError
from superionic.structures.errors import EvidenceError, NotConvergedError
from superionic.workflows.collected import (
    band_fmax,
    barrier_result,
    relax_result,
    residual_forces,
)
from superionic.workflows.collected_electrons import atomic_charges, projected_dos


def one(folder: Path) -> CollectedRun:
    run = collect(folder)
    assert isinstance(run, CollectedRun)
    return run


@pytest.mark.parametrize("code", ["vasp", "castep"])
def test_relaxation(tmp_path: Path, code: str) -> None:
    steps = [step(salt(), -10.0, forces=pushed(1, 0.4)), step(salt(), -11.0,
                                                              forces=pushed(1, 0.015))]  # fmt: skip
    if code == "vasp":
        write_vasp_run(tmp_path, salt(), steps, RELAX, VaspEnd(reached=True))
    else:
        case = CastepCase(task="geometry optimization", geometry="done")
        write_castep_run(tmp_path, salt(), steps, case)
    result = relax_result(one(tmp_path))
    assert result.require_converged() is result
    assert (result.energy_eV, result.start_energy_eV) == (-11.0, -10.0)
    assert result.fmax_eV_per_A == pytest.approx(0.015)
    assert result.force_calls == 2
    assert result.theory == f"{code}-pbe"
    assert result.structure.symbols == salt().symbols


def test_what_is_no_finished_relaxation(tmp_path: Path) -> None:
    write_vasp_run(tmp_path / "s", salt(), [step(salt(), -1.0)])
    with pytest.raises(EvidenceError, match="static run, not a relaxation"):
        relax_result(one(tmp_path / "s"))
    write_vasp_run(tmp_path / "r", salt(), [step(salt(), -1.0)], RELAX)
    with pytest.raises(NotConvergedError, match="unconverged"):
        relax_result(one(tmp_path / "r"))


def test_band_becomes_a_barrier(tmp_path: Path) -> None:
    result = barrier_result(read_path(write_band(tmp_path / "hop")))
    assert (result.verdict, result.converged, result.reason) == ("converged", True, "")
    assert result.forward_barrier_eV == pytest.approx(0.4)
    assert result.reverse_barrier_eV == pytest.approx(0.3)
    assert result.reaction_energy_eV == pytest.approx(0.1)
    assert (result.fmax_eV_per_A, result.fmax_target_eV_per_A) == (0.03, 0.05)
    assert result.energies_eV == pytest.approx(HILL)
    assert result.start_energy_eV == pytest.approx(-20.0)
    assert (result.ion, result.key, result.theory) == (0, "hop", "vasp-pbe")
    assert result.length_ang == pytest.approx(2.0)
    assert result.coordinate_ang == pytest.approx(np.linspace(0.0, 2.0, 5), abs=1e-6)
    assert result.ion_coordinate == pytest.approx(np.linspace(0.0, 1.0, 5), abs=1e-6)
    assert result.minima == (0, 4)
    assert result.other_ion_displacement_ang == 0.0
    assert result.mechanism == "unknown"


def test_labels_come_from_the_hop_that_was_handed_over(tmp_path: Path) -> None:
    like = barrier(dome(0.3, images=5), key="Na1-Na2-x", structure=salt(), ion=0)
    result = barrier_result(read_path(write_band(tmp_path)), like=like)
    assert (result.key, result.site_types) == ("Na1-Na2-x", ("Na1", "Na2"))
    assert (result.mechanism, result.environment) == ("vacancy", "bulk")


@pytest.mark.parametrize("end_folders", [True, False])
def test_missing_ends_leave_no_barrier(tmp_path: Path, end_folders: bool) -> None:
    path = read_path(write_band(tmp_path, ends=False, end_folders=end_folders))
    result = barrier_result(path)
    assert (result.verdict, result.forward_barrier_eV) == ("unconverged", None)
    assert "have no energy" in result.reason
    assert len(result.energies_eV) == 0


def test_unconverged_and_crashed_bands(tmp_path: Path) -> None:
    result = barrier_result(read_path(write_band(tmp_path, reached=False)))
    assert result.verdict == "unconverged"
    write_vasp_run(tmp_path / "02", images()[2], [], BAND, VaspEnd(ended=False), xml=False)
    (tmp_path / "02/stdout").write_text("Segmentation fault")
    result = barrier_result(read_path(tmp_path))
    assert (result.verdict, result.converged) == ("failed", False)
    assert "image 02" in result.reason


def test_single_points_are_no_band(tmp_path: Path) -> None:
    result = barrier_result(read_path(write_single_points(tmp_path, images(), HILL)))
    assert result.verdict == "unconverged"
    assert "one by one" in result.reason


def test_ends_that_are_no_minima(tmp_path: Path) -> None:
    assert barrier_result(read_path(write_band(tmp_path / "a", end_force=0.09))).converged
    result = barrier_result(read_path(write_band(tmp_path / "b", end_force=0.4)))
    assert result.verdict == "not-a-minimum"
    assert "0.400 eV/A" in result.reason


def test_band_force_is_worked_out_where_the_code_does_not_print_it(tmp_path: Path) -> None:
    """Forces along the path are the path's own; those across it are not converged."""
    good = read_path(write_band(tmp_path / "a", band_fmax=None, sideways=0.04))
    assert residual_forces(good) == pytest.approx((0.04,) * 3, abs=1e-6)
    assert band_fmax(good) == pytest.approx(0.04, abs=1e-6)
    assert barrier_result(good).converged
    bad = read_path(write_band(tmp_path / "b", band_fmax=None, sideways=0.2))
    result = barrier_result(bad)
    assert result.verdict == "unconverged"
    assert "0.200 eV/A" in result.reason


def test_energy_criterion_needs_a_force_criterion(tmp_path: Path) -> None:
    path = read_path(write_band(tmp_path, tags=replace(BAND, EDIFFG=1e-3)))
    result = barrier_result(path)
    assert result.verdict == "unconverged"
    assert "change of energy" in result.reason
    assert barrier_result(path, fmax_target_eV_per_A=0.05).converged


def test_projections_relative_to_the_fermi_level(tmp_path: Path) -> None:
    energies = np.linspace(-1.0, 2.0, 4)
    rows = "".join(f"<r>{e} 1.0 0.0</r>" for e in energies)
    ions = "".join(f'<set comment="ion"><set comment="spin 1">{rows}</set></set>' for _ in range(4))
    dos = (
        f'<dos><i name="efermi">0.5</i><total><array><set><set comment="spin 1">{rows}</set></set>'
        "</array></total><partial><array><field>energy</field><field>s</field><field>p</field>"
        f"<set>{ions}</set></array></partial></dos>"
    )
    found = projected_dos(write_vasp_run(tmp_path, salt(), [step(salt(), -1.0)], dos=dos))
    assert (found.reference, found.reference_eV, found.fermi_eV) == ("fermi", 0.5, 0.0)
    assert found.energies_eV == pytest.approx(energies - 0.5)
    assert found.symbols == salt().symbols
    assert found.theory == "vasp-pbe"


def test_unfinished_runs_give_no_projections_and_no_charges(tmp_path: Path) -> None:
    write_vasp_run(tmp_path, salt(), [step(salt(), -1.0)], end=VaspEnd(ended=False))
    for reader in (projected_dos, atomic_charges):
        with pytest.raises(NotConvergedError, match="running"):
            reader(tmp_path)


def test_charges_by_the_method_of_the_code(tmp_path: Path) -> None:
    case = CastepCase(charges=(0.9, -0.5, -0.6, 0.2))
    folder = write_castep_run(tmp_path / "c", salt(), [step(salt(), -1.0)], case)
    charges = atomic_charges(folder)
    assert charges.method == "mulliken"
    assert charges.charges == pytest.approx([0.9, -0.5, -0.6, 0.2])
    with pytest.raises(EvidenceError, match="mulliken and hirshfeld"):
        atomic_charges(folder, method="bader")
    with pytest.raises(OutputFileError, match="is a path"):
        atomic_charges(write_single_points(tmp_path / "p", images(), HILL))


def test_gpaw_scripts_keep_their_states(tmp_path: Path) -> None:
    folder = write_gpaw_run(tmp_path / "run", salt())
    assert one(folder).energy_eV == -3.0
    with pytest.raises(OutputFileError, match=r"density\.npz"):
        atomic_charges(folder)
    with pytest.raises(OutputFileError, match="superionic inputs gpaw"):
        projected_dos(folder)
    write_gpaw_dos(folder, salt())
    dos = projected_dos(folder)
    assert (dos.reference, dos.reference_eV, dos.electrons) == ("fermi", -2.0, 14.0)
    assert dos.energies_eV == pytest.approx(np.linspace(-5.0, 5.0, 21))
    assert dos.on(element="Na", orbital="d", spin=1) == pytest.approx(3.0)
    assert dos.theory.startswith("gpaw")
    (folder / "dos.json").write_text(json.dumps({"reason": "no projectors"}))
    with pytest.raises(OutputFileError, match="no projectors"):
        projected_dos(folder)
    (folder / "dos.json").write_text(json.dumps({**gpaw_dos(salt()), "total": "cut"}))
    with pytest.raises(OutputFileError, match="cut off"):
        projected_dos(folder)
