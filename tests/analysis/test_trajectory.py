"""Trajectories of several formats, and what is wrong with some."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from ase import Atoms
from ase.io import write
from ase.io.vasp import write_vasp_xdatcar

from superionic.analysis.from_trajectory import diffusion_from, open_positions, rdf_from
from superionic.analysis.trajectory import read
from superionic.structures.errors import TrajectoryError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

CELL = np.array([[12.0, 0.0, 0.0], [2.0, 11.0, 0.0], [0.0, 1.0, 13.0]])
SYMBOLS = ["Na"] * 3 + ["O", "H", "H"] * 2


def walks(frames: int = 30) -> list[Atoms]:
    rng = np.random.default_rng(0)
    start = rng.uniform(size=(len(SYMBOLS), 3)) @ CELL
    steps = np.cumsum(rng.normal(scale=0.2, size=(frames, len(SYMBOLS), 3)), axis=0)
    images = []
    for x in start + steps:
        atoms = Atoms(SYMBOLS, positions=x, cell=CELL, pbc=True)
        atoms.wrap()
        images.append(atoms)
    return images


def write_pdb(path: Path, atoms: Atoms, *, bonds: bool = True) -> Path:
    """One residue for each ion and for each water."""
    a, b, c, alpha, beta, gamma = atoms.cell.cellpar()
    lines = [f"CRYST1{a:9.3f}{b:9.3f}{c:9.3f}{alpha:7.2f}{beta:7.2f}{gamma:7.2f} P 1           1"]
    for k, (symbol, x) in enumerate(zip(SYMBOLS, atoms.positions, strict=True)):
        residue, name = (k + 1, "NA") if k < 3 else (4 + (k - 3) // 3, "HOH")
        lines.append(
            f"HETATM{k + 1:5d} {symbol:<4s} {name:>3s} A{residue:4d}    "
            f"{x[0]:8.3f}{x[1]:8.3f}{x[2]:8.3f}  1.00  0.00          {symbol:>2s}"
        )
    if bonds:
        lines += [f"CONECT{k:5d}{k + 1:5d}{k + 2:5d}" for k in (4, 7)]
    path.write_text("\n".join([*lines, "END", ""]))
    return path


def write_xtc(path: Path, images: list[Atoms], times: NDArray[np.floating]) -> Path:
    from superionic.workflows.md_xtc import write_xtc_frame

    for k, (atoms, time) in enumerate(zip(images, times, strict=True)):
        write_xtc_frame(path, atoms.positions / 10, CELL / 10, time_ps=float(time), step=k)
    return path


def test_formats_hold_the_same_frames(tmp_path: Path) -> None:
    images = walks()
    top = write_pdb(tmp_path / "top.pdb", images[0])
    xtc = write_xtc(tmp_path / "run.xtc", images, 0.5 * np.arange(30))
    write(tmp_path / "run.extxyz", images)
    write_vasp_xdatcar(str(tmp_path / "XDATCAR"), images)
    opened = [
        read(xtc, topology=top),
        read(tmp_path / "run.extxyz", dt_ps=0.5),
        read(tmp_path / "XDATCAR", dt_ps=0.5),
    ]
    for trajectory, precision in zip(opened, (6e-3, 1e-6, 1e-6), strict=True):
        assert (trajectory.frame_count, trajectory.atoms) == (30, 9)
        assert trajectory.dt_ps == pytest.approx(0.5)
        assert trajectory.select("element Na").tolist() == [0, 1, 2]
        for frame, atoms in zip(trajectory.frames(), images, strict=True):
            assert frame.time_ps == pytest.approx(0.5 * frame.index)
            assert frame.cell is not None
            fractional = (frame.positions - atoms.positions) @ np.linalg.inv(atoms.cell)
            gap = (fractional - np.rint(fractional)) @ np.asarray(atoms.cell)
            assert np.abs(gap).max() < precision
            assert np.abs(np.linalg.det(frame.cell)) == pytest.approx(atoms.get_volume(), rel=1e-4)


def test_some_frames(tmp_path: Path) -> None:
    write(tmp_path / "run.extxyz", walks())
    trajectory = read(tmp_path / "run.extxyz", dt_ps=2.0)
    assert [f.index for f in trajectory.frames(5, 20, 5)] == [5, 10, 15]
    assert [f.time_ps for f in trajectory.frames(5, 20, 5)] == [10.0, 20.0, 30.0]


def test_times_of_extended_xyz(tmp_path: Path) -> None:
    images = walks(3)
    for k, atoms in enumerate(images):
        atoms.info["time"] = 250.0 * k
    write(tmp_path / "run.extxyz", images)
    assert read(tmp_path / "run.extxyz").dt_ps == pytest.approx(0.25)


def test_molecules_are_bonds_or_residues(tmp_path: Path) -> None:
    images = walks()
    xtc = write_xtc(tmp_path / "run.xtc", images, np.arange(30.0))
    for bonds, rule in ((True, "bonds"), (False, "residues")):
        top = write_pdb(tmp_path / f"{rule}.pdb", images[0], bonds=bonds)
        trajectory = read(xtc, topology=top)
        assert trajectory.molecule_rule.startswith(rule)
        assert len(set(trajectory.molecules)) == 5
        assert len(set(trajectory.molecules[3:6])) == 1
        assert trajectory.masses == pytest.approx(
            [22.99] * 3 + [15.999, 1.008, 1.008] * 2, abs=0.01
        )


def test_displacements_are_those_before_wrapping(tmp_path: Path) -> None:
    images = walks()
    xtc = write_xtc(tmp_path / "run.xtc", images, np.arange(30.0))
    trajectory = read(xtc, topology=write_pdb(tmp_path / "top.pdb", images[0]))
    rng = np.random.default_rng(0)
    rng.uniform(size=(9, 3))
    steps = np.cumsum(rng.normal(scale=0.2, size=(30, 9, 3)), axis=0)
    found, path = open_positions(trajectory, "element Na")
    assert found - found[0] == pytest.approx((steps - steps[0])[:, :3], abs=0.012)
    weights = trajectory.masses / trajectory.masses.sum()
    assert path == pytest.approx(np.einsum("a,fai->fi", weights, steps - steps[0]), abs=0.01)
    waters, _ = open_positions(trajectory, "element O", molecules=True)
    share = np.array([15.999, 1.008, 1.008]) / 18.015
    expected = np.einsum("a,fai->fi", share, (steps - steps[0])[:, 3:6])
    assert waters.shape == (30, 2, 3)
    assert waters[:, 0] - waters[0, 0] == pytest.approx(expected, abs=0.012)
    assert diffusion_from(trajectory, "element Na").verdict == "too short"


def test_own_molecule_is_left_out(tmp_path: Path) -> None:
    images = walks()
    xtc = write_xtc(tmp_path / "run.xtc", images, np.arange(30.0))
    trajectory = read(xtc, topology=write_pdb(tmp_path / "top.pdb", images[0]))
    without = rdf_from(trajectory, "element O", "element H", bin_ang=0.5)
    both = rdf_from(trajectory, "element O", "element H", bin_ang=0.5, own_molecule=True)
    assert (without.excluded_pairs, both.excluded_pairs) == (4, 0)
    assert both.neighbours[-1] > without.neighbours[-1]


def test_what_is_wrong_is_named(tmp_path: Path) -> None:
    images = walks()
    top = write_pdb(tmp_path / "top.pdb", images[0])
    xtc = write_xtc(tmp_path / "run.xtc", images, np.arange(30.0))
    trajectory = read(xtc, topology=top)
    with pytest.raises(TrajectoryError, match=r"selects no atoms. Elements here: H, NA|H, Na"):
        trajectory.select("element Cl")
    with pytest.raises(TrajectoryError, match="'sodium please' selects no atoms"):
        trajectory.select("sodium please")
    with pytest.raises(TrajectoryError, match="There is no file"):
        read(tmp_path / "nothing.xtc", topology=top)
    with pytest.raises(TrajectoryError, match="does not say what its atoms are"):
        read(xtc)
    write(tmp_path / "run.extxyz", images)
    with pytest.raises(TrajectoryError, match="time between its frames"):
        read(tmp_path / "run.extxyz")
    text = top.read_text().splitlines()
    (tmp_path / "small.pdb").write_text("\n".join([*text[:5], "END", ""]))
    with pytest.raises(TrajectoryError, match="must hold the same atoms"):
        read(xtc, topology=tmp_path / "small.pdb")


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ([0.0, 1.0, 2.0, 1.0, 2.0], "joined in the wrong order or overlap"),
        ([0.0, 1.0, 2.0, 4.0, 5.0], "frames are missing"),
    ],
)
def test_times_out_of_step(tmp_path: Path, times: list[float], words: str) -> None:
    images = walks(5)
    xtc = write_xtc(tmp_path / "run.xtc", images, np.array(times))
    trajectory = read(xtc, topology=write_pdb(tmp_path / "top.pdb", images[0]))
    with pytest.raises(TrajectoryError, match=words):
        list(trajectory.frames())


def test_cut_off_files(tmp_path: Path) -> None:
    images = walks(5)
    write(tmp_path / "run.extxyz", images)
    lines = (tmp_path / "run.extxyz").read_text().splitlines(keepends=True)
    (tmp_path / "run.extxyz").write_text("".join(lines[:-3]))
    with pytest.raises(TrajectoryError, match="cut off in frame 4"):
        read(tmp_path / "run.extxyz", dt_ps=1.0)
    write_vasp_xdatcar(str(tmp_path / "XDATCAR"), images)
    lines = (tmp_path / "XDATCAR").read_text().splitlines(keepends=True)
    (tmp_path / "XDATCAR").write_text("".join(lines[:-3]))
    with pytest.raises(TrajectoryError, match="cut off in frame 4"):
        list(read(tmp_path / "XDATCAR", dt_ps=1.0).frames())
    xtc = write_xtc(tmp_path / "run.xtc", images, np.arange(5.0))
    xtc.write_bytes(xtc.read_bytes()[:-20])
    top = write_pdb(tmp_path / "top.pdb", images[0])
    assert len(list(read(xtc, topology=top).frames())) == 4  # MDAnalysis leaves a torn frame out


def test_numbers_that_are_none(tmp_path: Path) -> None:
    images = walks(3)
    write(tmp_path / "run.extxyz", images)
    text = (tmp_path / "run.extxyz").read_text().splitlines()
    text[13] = "Na nan 0.0 0.0"
    (tmp_path / "run.extxyz").write_text("\n".join(text) + "\n")
    with pytest.raises(TrajectoryError, match=r"Frame 1 of .* not finite"):
        list(read(tmp_path / "run.extxyz", dt_ps=1.0).frames())
