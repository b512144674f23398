"""Paths read back: bands with and without ends, and images computed one by one."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_castep import CastepCase, write_castep_run
from made_paths import BAND, HILL, images, write_band, write_single_points
from made_vasp import Step, VaspEnd, VaspTags, step, write_vasp_run
from small_salt import salt

from superionic.inputs.collect import collect, runs_below
from superionic.inputs.outputs.paths import image_folders, read_path
from superionic.inputs.outputs.records import CollectedNEB, CollectedRun, OutputFileError
from superionic.structures.errors import RunFolderError


def test_band_with_energies_of_its_ends(tmp_path: Path) -> None:
    path = collect(write_band(tmp_path))
    assert isinstance(path, CollectedNEB)
    assert (path.kind, path.code, path.climbing) == ("band", "vasp", True)
    assert (path.state, path.reason, path.missing_ends) == ("finished", "", ())
    assert path.complete
    assert path.energies_eV == pytest.approx(HILL)
    assert [image.task for image in path.images] == [
        "static", "neb-image", "neb-image", "neb-image", "static",
    ]  # fmt: skip
    assert [image.fmax_eV_per_A for image in path.moving] == [0.03] * 3
    assert path.positions is not None
    assert path.positions[:, 0, 2] == pytest.approx(np.linspace(1.0, 3.0, 5))


@pytest.mark.parametrize("end_folders", [True, False])
def test_band_without_energies_of_its_ends(tmp_path: Path, end_folders: bool) -> None:
    """Copies of bands often lack even the folders of the ends."""
    path = read_path(write_band(tmp_path, ends=False, end_folders=end_folders))
    assert path.state == "finished"
    assert path.missing_ends == (0, 4)
    assert not path.complete
    assert path.energies_eV == (None,) * 5
    assert "00 and 04 have no energy" in path.reason
    assert (path.positions is None) == (not end_folders)


def test_ends_that_were_computed_elsewhere(tmp_path: Path) -> None:
    write_band(tmp_path / "band", ends=False)
    first, last = images()[0], images()[-1]
    for name, structure, energy in (("a", first, -20.0), ("b", last, -19.9)):
        write_vasp_run(tmp_path / name, structure, [step(structure, energy)])
    path = read_path(tmp_path / "band", ends=(tmp_path / "a", tmp_path / "b"))
    assert path.complete
    assert path.energies_eV == pytest.approx(HILL)
    assert "is from" in path.notes[0]
    with pytest.raises(OutputFileError, match="not end 00 of the path"):
        read_path(tmp_path / "band", ends=(tmp_path / "b", tmp_path / "a"))
    with pytest.raises(OutputFileError, match="two ends"):
        read_path(tmp_path / "band", ends=(tmp_path / "a",))
    with pytest.raises(RunFolderError, match="no ends"):
        collect(tmp_path / "a", ends=(tmp_path / "a", tmp_path / "b"))


@pytest.mark.parametrize(
    "tags", [VaspTags(ENCUT=400.0), VaspTags(IVDW=1), VaspTags(grid=(5, 5, 1)), VaspTags(ISPIN=2)]
)
def test_ends_at_other_settings_are_refused(tmp_path: Path, tags: VaspTags) -> None:
    write_band(tmp_path / "band", ends=False)
    first, last = images()[0], images()[-1]
    write_vasp_run(tmp_path / "a", first, [step(first, -20.0)], tags)
    write_vasp_run(tmp_path / "b", last, [step(last, -19.9)])
    with pytest.raises(OutputFileError, match="cannot be subtracted"):
        read_path(tmp_path / "band", ends=(tmp_path / "a", tmp_path / "b"))


def test_unconverged_band_gives_no_energy(tmp_path: Path) -> None:
    path = read_path(write_band(tmp_path, reached=False, band_fmax=0.3))
    assert path.state == "unconverged"
    assert path.reason.startswith("image 01: ")
    assert [image.energy_eV for image in path.moving] == [None] * 3
    assert [image.fmax_eV_per_A for image in path.moving] == [0.3] * 3


def test_the_gravest_image_decides(tmp_path: Path) -> None:
    write_band(tmp_path)
    structure = images()[2]
    one = Step(structure.positions, -19.0, np.zeros((4, 3)))
    write_vasp_run(tmp_path / "02", structure, [one], replace(BAND, IMAGES=3),
                   VaspEnd(ended=False), xml=False)  # fmt: skip
    assert read_path(tmp_path).state == "running"
    (tmp_path / "02/stdout").write_text("forrtl: severe (174): SIGSEGV")
    path = read_path(tmp_path)
    assert path.state == "crashed"
    assert path.reason.startswith("image 02: ")


@pytest.mark.parametrize("code", ["vasp", "castep"])
def test_images_computed_one_by_one(tmp_path: Path, code: str) -> None:
    path = read_path(write_single_points(tmp_path, images(), HILL, code=code))
    assert (path.kind, path.code, path.climbing) == ("single-points", code, None)
    assert path.complete
    assert path.energies_eV == pytest.approx(HILL)
    assert [image.task for image in path.images] == ["static"] * 5


def test_missing_single_point_is_told(tmp_path: Path) -> None:
    write_single_points(tmp_path, images(), HILL, code="castep")
    (tmp_path / "03/made.castep").unlink()
    path = read_path(tmp_path)
    assert path.state == "not-started"
    assert path.reason.startswith("image 03")
    assert path.energies_eV[3] is None
    assert path.energies_eV[2] == pytest.approx(HILL[2])


def test_images_of_different_settings_are_refused(tmp_path: Path) -> None:
    write_single_points(tmp_path, images(), HILL, code="castep")
    write_castep_run(tmp_path / "02", images()[2], [step(images()[2], -19.6)],
                     CastepCase(cutoff=500.0))  # fmt: skip
    with pytest.raises(OutputFileError, match="different cutoff_eV"):
        read_path(tmp_path)


def test_positions_follow_atoms_across_the_boundary(tmp_path: Path) -> None:
    path = images(5, shift=9.0)
    wrapped = [s.with_positions((s.fractional % 1.0) @ s.cell) for s in path]
    found = read_path(write_single_points(tmp_path, wrapped, HILL)).positions
    assert found is not None
    assert found[:, 0, 2] == pytest.approx(np.linspace(1.0, 10.0, 5), abs=1e-6)


def test_folders_with_a_gap_are_no_path(tmp_path: Path) -> None:
    write_single_points(tmp_path, images(), HILL)
    assert len(image_folders(tmp_path)) == 5
    shutil.rmtree(tmp_path / "02")
    assert image_folders(tmp_path) == ()
    with pytest.raises(OutputFileError, match="without a gap"):
        read_path(tmp_path)
    with pytest.raises(RunFolderError, match="holds no run"):
        collect(tmp_path)


def test_runs_below_a_folder(tmp_path: Path) -> None:
    write_vasp_run(tmp_path / "x/relax", salt(), [step(salt(), -1.0)])
    write_band(tmp_path / "x/neb")
    write_castep_run(tmp_path / "a", salt(), [step(salt(), -1.0)])
    (tmp_path / "notes").mkdir()
    found = [path.relative_to(tmp_path).as_posix() for path in runs_below(tmp_path)]
    assert found == ["a", "x/neb", "x/relax"]


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="no folder"):
        collect(tmp_path / "none")
    with pytest.raises(RunFolderError, match="holds no run"):
        collect(tmp_path)


def test_a_run_says_what_it_is(tmp_path: Path) -> None:
    run = collect(write_vasp_run(tmp_path, salt(), [step(salt(), -1.0)]))
    assert isinstance(run, CollectedRun)
    assert run.finished
