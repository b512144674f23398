"""Trajectories of several formats, and what is wrong with some."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from ase import Atoms
from ase.io import write
from ase.io.vasp import write_vasp_xdatcar

from superionic.analysis.followed_particles import follow_particles, particles_of
from superionic.analysis.from_trajectory import diffusion_from, rdf_from, van_hove_from
from superionic.analysis.ions_from_trajectory import IonSpecies, contacts_from, onsager_from
from superionic.analysis.trajectory import Trajectory, read
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
    groups = {
        "Na": particles_of(trajectory, "element Na"),
        "water": particles_of(trajectory, "element O", molecules=True),
    }
    followed = follow_particles(trajectory, groups, memory_bytes=0)
    found, waters, path = followed.positions["Na"], followed.positions["water"], followed.centre_ang
    assert found - found[0] == pytest.approx((steps - steps[0])[:, :3], abs=0.012)
    weights = trajectory.masses / trajectory.masses.sum()
    assert path == pytest.approx(np.einsum("a,fai->fi", weights, steps - steps[0]), abs=0.01)
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


def test_changing_atoms_are_named(tmp_path: Path) -> None:
    images = walks(4)
    del images[2][0]
    write(tmp_path / "run.extxyz", images)
    with pytest.raises(TrajectoryError, match=r"Frame 2 of run.extxyz has other atoms"):
        list(read(tmp_path / "run.extxyz", dt_ps=1.0).frames())
    images = walks(4)
    images[3] = images[3][[1, 0, *range(2, 9)][::-1]]
    write(tmp_path / "run.extxyz", images)
    with pytest.raises(TrajectoryError, match="in another order"):
        list(read(tmp_path / "run.extxyz", dt_ps=1.0).frames())


def dump(path: Path, frames: list[NDArray[np.float64]], steps: list[int]) -> Path:
    lines = []
    for step, x in zip(steps, frames, strict=True):
        lines += ["ITEM: TIMESTEP", str(step), "ITEM: NUMBER OF ATOMS", str(len(x))]
        lines += ["ITEM: BOX BOUNDS pp pp pp", *["0.0 12.0"] * 3, "ITEM: ATOMS id element x y z"]
        lines += [f"{k + 1} Na {a:.6f} {b:.6f} {c:.6f}" for k, (a, b, c) in enumerate(x)]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_lammps_dumps_hold_steps_and_no_times(tmp_path: Path) -> None:
    x = [np.full((3, 3), 0.1 * k) for k in range(4)]
    path = dump(tmp_path / "run.lammpstrj", x, [0, 500, 1000, 1500])
    with pytest.raises(TrajectoryError, match="give dt in ps"):
        read(path)
    trajectory = read(path, dt_ps=2.0)
    assert trajectory.select("element Na").tolist() == [0, 1, 2]
    assert [f.time_ps for f in trajectory.frames()] == [0.0, 2.0, 4.0, 6.0]
    assert trajectory.masses == pytest.approx([22.99] * 3, abs=0.01)
    uneven = dump(tmp_path / "uneven.lammpstrj", x, [0, 500, 1000, 1700])
    with pytest.raises(TrajectoryError, match="frames are missing"):
        list(read(uneven, dt_ps=2.0).frames())
    back = dump(tmp_path / "back.lammpstrj", x, [0, 500, 250, 1000])
    with pytest.raises(TrajectoryError, match="joined in the wrong order"):
        list(read(back, dt_ps=2.0).frames())
    for where in (1, 2):
        some = [p[: 2 if k == where else 3] for k, p in enumerate(x)]
        fewer = dump(tmp_path / "fewer.lammpstrj", some, [0, 500, 1000, 1500])
        with pytest.raises(TrajectoryError, match="Number of atoms in trajectory changed"):
            list(read(fewer, dt_ps=2.0).frames())
    text = path.read_text().replace("id element x", "id type x").replace(" Na ", " 1 ")
    (tmp_path / "types.lammpstrj").write_text(text)
    with pytest.raises(TrajectoryError, match="no column of elements"):
        read(tmp_path / "types.lammpstrj", dt_ps=2.0)
    (tmp_path / "named.lammpstrj").write_text(path.read_text().replace(" Na ", " Na+ "))
    with pytest.raises(TrajectoryError, match="no elements"):
        read(tmp_path / "named.lammpstrj", dt_ps=2.0)


def test_missing_cells_are_named(tmp_path: Path) -> None:
    images = walks(30)
    bare = [Atoms(a.symbols, positions=a.positions) for a in images]
    write(tmp_path / "bare.extxyz", bare)
    trajectory = read(tmp_path / "bare.extxyz", dt_ps=1.0)
    with pytest.raises(TrajectoryError, match="has no cell"):
        rdf_from(trajectory, "element Na", "element O")
    with pytest.raises(TrajectoryError, match="has no cell"):
        contacts_from(trajectory, "element Na", "element O", cutoffs_ang=(3.0,))
    ions = {"Na": IonSpecies("element Na", 1.0)}
    with pytest.raises(TrajectoryError, match="give the volume"):
        onsager_from(trajectory, ions, temperature_K=300.0)
    write(tmp_path / "some.extxyz", [*images[:3], *bare[3:6]])
    with pytest.raises(TrajectoryError, match="have a cell and others none"):
        diffusion_from(read(tmp_path / "some.extxyz", dt_ps=1.0), "element Na")


def test_wrapped_positions_without_a_cell_are_named(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    x = np.cumsum(rng.normal(scale=0.6, size=(300, 20, 3)), axis=0) % 10.0
    write(tmp_path / "bare.extxyz", [Atoms(["Na"] * 20, positions=p) for p in x])
    with pytest.raises(TrajectoryError, match="they are wrapped into a cell"):
        diffusion_from(read(tmp_path / "bare.extxyz", dt_ps=1.0), "element Na", drift=False)


def test_van_hove_from_a_file_is_that_of_arrays(tmp_path: Path) -> None:
    from superionic.analysis.van_hove import van_hove_distinct

    rng = np.random.default_rng(6)
    x = rng.uniform(0, 12, size=(12, 30, 3))
    symbols = ["Na"] * 10 + ["Cl"] * 20
    cell = 12.0 * np.eye(3)
    write(tmp_path / "gas.extxyz", [Atoms(symbols, positions=p, cell=cell, pbc=True) for p in x])
    trajectory = read(tmp_path / "gas.extxyz", dt_ps=1.0)
    with pytest.raises(TrajectoryError, match="past half a cell"):
        van_hove_from(trajectory, "element Na", lags=[1])
    steps = 0.1 * rng.normal(size=x.shape)
    slow = x[0] + np.cumsum(steps, axis=0)
    write(
        tmp_path / "slow.extxyz", [Atoms(symbols, positions=p, cell=cell, pbc=True) for p in slow]
    )
    found = van_hove_from(
        read(tmp_path / "slow.extxyz", dt_ps=1.0), "element Na", others="element Cl", lags=[0, 3]
    )
    expected = van_hove_distinct(slow[:, :10], slow[:, 10:], cell=cell, dt_ps=1.0, lags=[0, 3])
    np.testing.assert_allclose(found.density, expected.density)


def test_universes_and_images_in_memory_are_trajectories_too(tmp_path: Path) -> None:
    from MDAnalysis import Universe

    images = walks(60)
    top = write_pdb(tmp_path / "top.pdb", images[0])
    xtc = write_xtc(tmp_path / "run.xtc", images, 0.5 * np.arange(60))
    from_file = diffusion_from(read(xtc, topology=top), "name Na")
    universe = Universe(str(top), str(xtc))
    opened = read(universe)
    assert opened.dt_ps == pytest.approx(0.5)
    assert opened.molecule_rule == "bonds of the topology"
    found = diffusion_from(opened, "name Na")
    assert found.verdict == from_file.verdict
    np.testing.assert_allclose(found.msd_ang2, from_file.msd_ang2)
    assert universe.trajectory.frame == 0
    universe.transfer_to_memory()
    np.testing.assert_allclose(diffusion_from(read(universe), "name Na").msd_ang2, found.msd_ang2)
    of_images = diffusion_from(read(images, dt_ps=0.5), "element Na")
    np.testing.assert_allclose(of_images.msd_ang2, found.msd_ang2, rtol=0.02)


@pytest.mark.filterwarnings(
    "ignore:No mass column", "ignore:Set all atom types", "ignore:Reader has no dt information"
)
def test_universes_of_bare_arrays(tmp_path: Path) -> None:
    from MDAnalysis import Universe

    bare = Universe.empty(4, trajectory=True)
    bare.load_new(np.zeros((5, 4, 3), dtype=np.float32), order="fac", dt=2.0)
    opened = read(bare)
    assert (opened.dt_ps, opened.frame_count) == (2.0, 5)
    assert opened.molecule_rule == "every atom for itself"
    with pytest.raises(TrajectoryError, match="No atom of the universe of arrays has a mass"):
        diffusion_from(opened, "all")
    with pytest.raises(TrajectoryError, match="A topology belongs to a file"):
        read(bare, topology=tmp_path / "top.pdb")
    dump(tmp_path / "run.lammpstrj", [np.zeros((3, 3))] * 3, [0, 500, 1000])
    steps = Universe(
        str(tmp_path / "run.lammpstrj"), format="LAMMPSDUMP", topology_format="LAMMPSDUMP"
    )
    with pytest.raises(TrajectoryError, match="give dt in ps"):
        read(steps)
    assert [f.time_ps for f in read(steps, dt_ps=2.0).frames()] == [0.0, 2.0, 4.0]


def test_molecules_without_mass_are_refused() -> None:
    """Argon that was not understood must not drop out of the centre of mass; a lone pair may."""
    from MDAnalysis import Universe

    def opened(masses: list[float]) -> Trajectory:
        made = Universe.empty(4, n_residues=3, atom_resindex=[0, 1, 1, 2], trajectory=True)
        made.add_TopologyAttr("masses", masses)
        steps = np.random.default_rng(2).normal(size=(40, 4, 3)).cumsum(axis=0)
        made.load_new(steps.astype(np.float32), order="fac", dt=1.0)
        return read(made)

    groups = {"all": np.arange(4)}
    assert opened([23.0, 16.0, 0.0, 40.0]).molecules.tolist() == [0, 1, 1, 2]
    follow_particles(opened([23.0, 16.0, 0.0, 40.0]), groups)
    with pytest.raises(TrajectoryError, match=r"1 atoms of .* the first of them atom 4, "):
        follow_particles(opened([23.0, 16.0, 0.0, 0.0]), groups)


def test_trajectories_of_ase(tmp_path: Path) -> None:
    images = walks(40)
    for k, atoms in enumerate(images):
        atoms.info["time"] = 250.0 * k
    write(tmp_path / "run.traj", images)
    opened = read(tmp_path / "run.traj")
    assert opened.frame_count == 40
    assert opened.dt_ps == pytest.approx(0.25)
    assert opened.select("element Na").tolist() == [0, 1, 2]
    for frame, atoms in zip(opened.frames(), images, strict=True):
        np.testing.assert_allclose(frame.positions, atoms.positions)
        assert frame.cell == pytest.approx(np.asarray(atoms.cell))
    cluster = read([Atoms("Na2", positions=np.eye(3)[:2])] * 3, dt_ps=1.0)
    assert [f.cell for f in cluster.frames()] == [None] * 3
    write(tmp_path / "timeless.traj", walks(3))
    with pytest.raises(TrajectoryError, match="give dt in ps"):
        read(tmp_path / "timeless.traj")
    (tmp_path / "other.traj").write_text("no trajectory")
    with pytest.raises(TrajectoryError, match="is no trajectory that ASE wrote"):
        read(tmp_path / "other.traj", dt_ps=1.0)
    with pytest.raises(TrajectoryError, match="holds no frame"):
        read([], dt_ps=1.0)
    del images[2][0]
    with pytest.raises(TrajectoryError, match="Frame 2 of the images has other atoms"):
        list(read(images, dt_ps=1.0).frames())
    images[1].positions[4, 1] = np.nan
    with pytest.raises(TrajectoryError, match="Frame 1 of the images holds positions"):
        list(read(images, dt_ps=1.0).frames())


def test_card_of_a_trajectory_says_what_is_in_it() -> None:
    card = read(walks(4), dt_ps=0.5)._repr_html_()
    assert "<td>4, 0.5 ps apart</td>" in card
    assert "<td>9: H, Na, O</td>" in card
    assert "every atom for itself" in card
