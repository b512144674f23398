"""From a local path to decks, and back to the difference at each image."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_castep import write_castep_run
from made_paths import HILL, true_forces, write_single_points
from made_up import barrier, dome
from made_vasp import Step, VaspEnd, VaspTags, step, write_vasp_run
from small_salt import salt

from superionic.analysis.barriers import BarrierResult
from superionic.inputs.castep.options import CastepOptions
from superionic.inputs.decks import load_deck
from superionic.inputs.dft import Band, DFTSpec, KGrid, Relaxation
from superionic.inputs.dft_protocol import DFTProtocol
from superionic.inputs.ends import write_end_decks
from superionic.inputs.outputs.paths import read_path
from superionic.inputs.outputs.records import OutputFileError
from superionic.inputs.vasp.options import VaspOptions
from superionic.structures.errors import EvidenceError, RunFolderError
from superionic.structures.structure import Structure
from superionic.workflows.handover import (
    HandoverRecord,
    compare_handover,
    hand_over,
    images_of,
    read_handover,
)
from superionic.workflows.returned_images import same_atoms
from superionic.workflows.serialise import canonical_hash

SPEC = DFTSpec(
    "pbe", 520.0, kgrid=KGrid((3, 3, 1)), dispersion="d2", relax=Relaxation(force_eV_per_A=0.02)
)
SETTINGS = {
    "vasp": DFTProtocol("made", SPEC, Band(climb=True), VaspOptions()),
    "castep": DFTProtocol("made", SPEC, None, CastepOptions()),
}


def path() -> BarrierResult:
    """Return a local path of the salt; its sodium moves along the third axis."""
    result = barrier(dome(0.3, 0.1, images=5), key="Na1-Na1-0", structure=salt(), ion=0,
                     displacement=(0.0, 0.0, 2.0))  # fmt: skip
    return replace(result, theory="chgnet-0.3.0")


@pytest.fixture
def handed(tmp_path: Path) -> Path:
    folder = tmp_path / "dft"
    hand_over(path(), SETTINGS, folder)  # type: ignore[arg-type]
    return folder


def test_every_image_has_its_decks_and_its_origin(handed: Path) -> None:
    record, local = read_handover(handed)
    assert isinstance(record, HandoverRecord)
    assert (record.key, record.theory, record.codes) == (
        "Na1-Na1-0", "chgnet-0.3.0", ("vasp", "castep"),
    )  # fmt: skip
    assert record.result_hash == canonical_hash(path()) == canonical_hash(local)
    assert [image.index for image in record.images] == [0, 1, 2, 3, 4]
    assert [i.local_energy_eV for i in record.images] == pytest.approx(path().energies_eV.tolist())
    for k, structure in enumerate(images_of(path())):
        image = record.images[k]
        assert image.structure_hash == canonical_hash(structure)
        assert image.folders == tuple(
            f"{name}/{k:02d}" for name in ("vasp/band", "vasp/single-points", "castep/band")
        )
        for name in image.folders:
            assert (handed / name).is_dir()
    assert json.loads((handed / "handover.json").read_text())["theory"] == "chgnet-0.3.0"


def test_decks_hold_the_images(handed: Path) -> None:
    band = load_deck(handed / "vasp/band")
    assert band.spec.task == "neb"
    assert band.spec.band is not None
    assert (band.spec.band.images, band.spec.band.climb) == (3, True)
    for k, structure in enumerate(images_of(path())):
        for deck in (load_deck(handed / f"vasp/single-points/{k:02d}"),
                     load_deck(handed / f"castep/band/{k:02d}")):  # fmt: skip
            assert deck.spec.task == "static"
            assert (deck.spec.cutoff_eV, deck.spec.dispersion) == (520.0, "d2")
            order = same_atoms(structure, deck.structure, limit_ang=1e-3)
            assert deck.structure.take(order).symbols == structure.symbols
    assert load_deck(handed / "castep/band").spec.task == "neb"


def test_only_converged_paths_into_empty_folders(tmp_path: Path) -> None:
    failed = barrier(dome(0.3), verdict="unconverged", reason="too few steps")
    with pytest.raises(EvidenceError, match="only a converged path"):
        hand_over(failed, SETTINGS, tmp_path / "a")  # type: ignore[arg-type]
    assert not (tmp_path / "a").exists()
    (tmp_path / "b").mkdir()
    (tmp_path / "b/mine").write_text("")
    with pytest.raises(RunFolderError, match="holds something"):
        hand_over(path(), SETTINGS, tmp_path / "b")  # type: ignore[arg-type]


def shuffled(structures: list[Structure]) -> list[Structure]:
    """As a code that groups oxygens last would give them back."""
    return [s.take([3, 0, 2, 1]) for s in structures]


@pytest.mark.parametrize("where", ["vasp/single-points", "castep/band"])
def test_single_points_come_back(handed: Path, where: str) -> None:
    came_back = [0.0, 0.2, 0.45, 0.25, 0.05]
    structures = list(images_of(path()))
    code = where.split("/", maxsplit=1)[0]
    if code == "castep":
        for k in range(5):
            shutil.rmtree(handed / where / f"{k:02d}")
    write_single_points(
        handed / where, shuffled(structures), came_back, code=code,
        forces=[f[[3, 0, 2, 1]] for f in true_forces(structures, came_back)],
    )  # fmt: skip
    found = compare_handover(handed)
    assert found.kind == "single-points"
    assert found.complete
    assert (found.local_theory, found.returned_theory) == ("chgnet-0.3.0", f"{code}-pbe")
    assert [i.returned_eV for i in found.images] == pytest.approx(came_back)
    local = path().energies_eV
    assert [i.difference_eV for i in found.images] == pytest.approx(np.array(came_back) - local)
    assert found.barrier_change_eV == pytest.approx(0.45 - local.max())
    assert max(i.displacement_ang for i in found.images) < 1e-4
    assert found.largest_residual_force_eV_per_A is None or (
        found.largest_residual_force_eV_per_A < 1e-6
    )
    assert not found.returned_converged


def test_force_across_the_path_says_how_far_it_is_off(handed: Path) -> None:
    structures = list(images_of(path()))
    forces = true_forces(structures, HILL)
    forces[2][1, 0] = 0.3
    write_single_points(handed / "vasp/single-points", structures, HILL, forces=forces)
    found = compare_handover(handed)
    assert [i.residual_force_eV_per_A for i in found.images] == [
        None, pytest.approx(0.0, abs=1e-6), pytest.approx(0.3), pytest.approx(0.0, abs=1e-6), None,
    ]  # fmt: skip


def test_some_single_points_come_back(handed: Path) -> None:
    structures = list(images_of(path()))
    write_single_points(handed / "vasp/single-points", structures, HILL)
    (handed / "vasp/single-points/03/OUTCAR").unlink()
    (handed / "vasp/single-points/03/vasprun.xml").unlink()
    found = compare_handover(handed)
    assert found.missing == (3,)
    assert found.images[3].state == "not-started"
    assert found.images[2].difference_eV == pytest.approx(HILL[2] - path().energies_eV[2])
    assert found.barrier_change_eV is None


def test_nothing_came_back_yet(handed: Path) -> None:
    found = compare_handover(handed)
    assert found.missing == (0, 1, 2, 3, 4)
    assert {image.state for image in found.images} == {"not-started"}


def test_single_points_elsewhere_are_refused(handed: Path) -> None:
    structures = list(images_of(path()))
    structures[2] = structures[2].with_positions(
        structures[2].positions + np.array([0.0, 0.0, 0.1])
    )
    write_single_points(handed / "vasp/single-points", structures, HILL)
    with pytest.raises(OutputFileError, match="Image 02"):
        compare_handover(handed)


def test_other_atoms_are_refused(handed: Path) -> None:
    structures = [replace(s, numbers=[11, 8, 8, 3]) for s in images_of(path())]  # type: ignore[arg-type]
    structures = [replace(s, labels=()) for s in structures]
    write_single_points(handed / "vasp/single-points", structures, HILL)
    with pytest.raises(OutputFileError, match="other atoms"):
        compare_handover(handed)


def test_a_changed_path_is_noticed(handed: Path) -> None:
    text = (handed / "path.json").read_text()
    (handed / "path.json").write_text(text.replace('"seed": ', '"seed": 1'))
    with pytest.raises(OutputFileError, match="not the path"):
        read_handover(handed)
    with pytest.raises(RunFolderError, match="no path was handed over"):
        read_handover(handed / "vasp")


def test_a_band_that_came_back_has_its_own_barrier(handed: Path) -> None:
    energies = (0.0, 0.2, 0.5, 0.3, 0.05)
    structures = shuffled(list(images_of(path())))
    folder = handed / "vasp/band"
    tags = VaspTags(NSW=50, IBRION=3, EDIFFG=-0.05, IMAGES=3)
    for k, (structure, energy) in enumerate(zip(structures, energies, strict=True)):
        moved = np.array(structure.positions)
        if 0 < k < 4:
            moved[0] += [0.1, 0.0, 0.0]
        one = Step(moved, -30.0 + energy, np.zeros((4, 3)))
        is_end = k in (0, 4)
        end = VaspEnd() if is_end else VaspEnd(reached=True, band_fmax=0.04)
        shutil.rmtree(folder / f"{k:02d}")
        write_vasp_run(folder / f"{k:02d}", structure, [one], VaspTags() if is_end else tags, end,
                       xml=False)  # fmt: skip
        for name in ("KPOINTS", "INCAR"):
            (folder / f"{k:02d}" / name).unlink()
    found = compare_handover(handed)
    assert found.kind == "band"
    assert found.returned_converged
    assert found.returned is not None
    assert found.returned.forward_barrier_eV == pytest.approx(0.5)
    assert found.images[2].displacement_ang == pytest.approx(0.1, abs=1e-4)
    assert "its own band" in found.summary


def test_decks_for_ends_without_energy(handed: Path, tmp_path: Path) -> None:
    """They ask for the same as the band, at the places of its ends."""
    structures = list(images_of(path()))
    band = handed / "vasp/band"
    tags = VaspTags(NSW=50, IBRION=3, IMAGES=3)
    for k in (1, 2, 3):
        one = step(structures[k], -1.0)
        write_vasp_run(band / f"{k:02d}", structures[k], [one], tags, VaspEnd(reached=True),
                       xml=False)  # fmt: skip
    found = read_path(band)
    assert found.missing_ends == (0, 4)
    written = write_end_decks(found, tmp_path / "ends")
    assert [folder.name for folder in written] == ["00", "04"]
    for k, folder in zip((0, 4), written, strict=True):
        deck = load_deck(folder)
        assert deck.spec == load_deck(band).spec.as_static()
        assert deck.structure.symbols == load_deck(band).structure.symbols
        same_atoms(structures[k], deck.structure, limit_ang=1e-6)


def test_no_decks_for_ends_that_have_energies(tmp_path: Path) -> None:
    write_castep_run(tmp_path / "x", salt(), [step(salt(), -1.0)])
    points = read_path(write_single_points(tmp_path / "p", list(images_of(path())), HILL))
    with pytest.raises(OutputFileError, match="no band of VASP"):
        write_end_decks(points, tmp_path / "ends")


def test_atoms_are_found_again_in_any_order() -> None:
    found = salt().take([2, 3, 1, 0])
    order = same_atoms(salt(), found, limit_ang=0.1)
    assert found.take(order).positions == pytest.approx(salt().positions)
    with pytest.raises(OutputFileError, match="from any place"):
        same_atoms(salt(), found.with_positions(found.positions + 0.5), limit_ang=0.1)
