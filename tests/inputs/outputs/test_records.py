"""Values of runs that came back refuse numbers without evidence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_vasp import step, write_vasp_run
from small_salt import salt

from superionic.inputs.outputs.failures import failure_in, seconds_quiet, without_end
from superionic.inputs.outputs.outcar import scan_outcar
from superionic.inputs.outputs.records import CollectedNEB, CollectedRun, OutputFileError
from superionic.inputs.outputs.vasp import read_vasp_run
from superionic.structures.errors import EvidenceError
from superionic.workflows.serialise import decode, encode


@pytest.fixture
def run(tmp_path: Path) -> CollectedRun:
    return read_vasp_run(write_vasp_run(tmp_path, salt(), [step(salt(), -1.0)]))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"state": "unconverged", "reason": "so"}, "must not carry"),
        ({"state": "odd"}, "unknown state"),
        ({"energy_eV": None}, "no finite energy"),
        ({"energy_eV": float("nan")}, "no finite energy"),
        ({"reason": "but"}, "gives a reason"),
        ({"forces_eV_per_A": np.zeros((3, 3))}, "shape"),
        ({"structure": None}, "no structure"),
    ],
)
def test_numbers_need_a_finished_run(run: CollectedRun, changes: dict[str, Any], told: str) -> None:
    with pytest.raises(EvidenceError, match=told):
        replace(run, **changes)


def test_unfinished_runs_say_why(run: CollectedRun) -> None:
    bare = {
        "energy_eV": None, "free_energy_eV": None, "forces_eV_per_A": None,
        "stress_eV_per_A3": None, "total_magnetic_moment": None, "fermi_energy_eV": None,
        "step_energies_eV": np.zeros(0), "magnetic_moments": None,
    }  # fmt: skip
    with pytest.raises(EvidenceError, match="does not say why"):
        replace(run, state="crashed", **bare)  # type: ignore[arg-type]
    assert replace(run, state="crashed", reason="disk", **bare).state == "crashed"  # type: ignore[arg-type]
    with pytest.raises(EvidenceError, match="energies"):
        replace(run, state="crashed", reason="disk", **(bare | {"step_energies_eV": [1.0]}))  # type: ignore[arg-type]


def test_arrays_are_read_only_and_survive_storage(run: CollectedRun) -> None:
    assert run.forces_eV_per_A is not None
    with pytest.raises(ValueError, match="read-only"):
        run.forces_eV_per_A[0, 0] = 1.0
    again = decode(encode(run))
    assert again.energy_eV == run.energy_eV
    assert np.array_equal(again.forces_eV_per_A, run.forces_eV_per_A)
    assert again.settings == run.settings


def test_paths_need_images_and_honest_ends(run: CollectedRun) -> None:
    with pytest.raises(OutputFileError, match="two ends and an image"):
        CollectedNEB("here", "vasp", "band", None, (run, run), ())
    with pytest.raises(EvidenceError, match="ends without energy"):
        CollectedNEB("here", "vasp", "band", None, (run, run, run), (0,))


def test_silence_is_measured_from_the_newest_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    changed = (tmp_path / "a").stat().st_mtime
    assert seconds_quiet([tmp_path / "a"], now=changed + 90.0) == pytest.approx(90.0)
    assert seconds_quiet([tmp_path / "a"], now=changed - 90.0) == 0.0


@pytest.mark.parametrize(
    ("quiet", "failure", "state"),
    [(10.0, "", "running"), (99.0, "", "truncated"), (10.0, "disk full", "crashed")],
)
def test_states_without_an_end(quiet: float, failure: str, state: str) -> None:
    found, reason = without_end(quiet, 60.0, failure)
    assert found == state
    assert reason


def test_only_the_end_of_a_log_is_searched(tmp_path: Path) -> None:
    log = tmp_path / "vasp.out"
    log.write_text("VERY BAD NEWS\n" + "x\n" * 200_000)
    assert failure_in([log]) == ""
    log.write_bytes(b"\xff\xfe\n|  Error reading item 'ENCUT' from file INCAR. |\n")
    assert "Error reading item 'ENCUT'" in failure_in([log])


def test_scan_of_garbage(tmp_path: Path) -> None:
    (tmp_path / "OUTCAR").write_bytes(bytes(range(256)) * 40)
    scan = scan_outcar(tmp_path / "OUTCAR")
    assert not scan.ended
    assert scan.iterations == ()
    assert scan.number("NELM", 60.0) == 60.0
