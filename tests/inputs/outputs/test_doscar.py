"""DOSCAR files made here, read as ASE reads them and as the vasprun.xml of the same run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from ase.calculators.vasp import VaspDos
from made_vasp import step, write_vasp_run
from numpy.typing import NDArray
from small_salt import salt

from superionic.inputs.outputs.dos import RawDOS, read_vasp_dos
from superionic.inputs.outputs.doscar import read_doscar
from superionic.inputs.outputs.records import OutputFileError
from superionic.workflows.collected_electrons import projected_dos

ENERGIES = np.linspace(-12.0, 8.0, 41)
FERMI = 1.25
SIZES = {"s": 1, "p": 3, "d": 5, "f": 7}


def write_doscar(
    path: Path,
    columns: NDArray[np.float64],
    *,
    spins: int = 1,
    joined: bool = False,
    total: NDArray[np.float64] | None = None,
) -> None:
    """Write columns of shape=(atoms, energies, columns) in VASP's own format."""
    width = "5d" if joined else "6d"
    head = f"{ENERGIES[-1]:16.8f}{ENERGIES[0]:16.8f}{len(ENERGIES):{width}}{FERMI:16.8f}{1.0:16.8f}"
    lines = [f"{len(columns):4d}{len(columns):4d}   1   0"]
    lines += ["  0.1E+02  0.3E-09  0.3E-09  0.3E-09  0.5E-15", "  1.0E-004", "  CAR ", " made up"]
    whole = (
        np.stack([columns[..., s::spins].sum(axis=(0, 2)) for s in range(spins)])
        if total is None
        else total
    )
    lines.append(head)
    for k, energy in enumerate(ENERGIES):
        row = [*whole[:, k], *whole[:, : k + 1].sum(axis=1)]
        lines.append(f"{energy:11.3f}" + "".join(f"{x:12.4E}" for x in row))
    for atom in columns:
        lines.append(head)
        for energy, row in zip(ENERGIES, atom, strict=True):
            lines.append(f"{energy:11.3f}" + "".join(f"{x:12.4E}" for x in row))
    path.write_text("\n".join(lines) + "\n")


def made(atoms: int, count: int) -> NDArray[np.float64]:
    """Densities with the digits that the format keeps."""
    random = np.random.default_rng(3).uniform(0.0, 2.0, size=(atoms, len(ENERGIES), count))
    return np.round(random, 4)


@pytest.mark.parametrize("spins", [1, 2])
@pytest.mark.parametrize("shells", ["spd", "spdf"])
@pytest.mark.parametrize("resolved", [True, False])
def test_columns_by_angular_momentum(
    tmp_path: Path, spins: int, shells: str, resolved: bool
) -> None:
    sizes = [SIZES[s] if resolved else 1 for s in shells]
    columns = made(2, spins * sum(sizes))
    write_doscar(tmp_path / "DOSCAR", columns, spins=spins)
    found = read_doscar(tmp_path / "DOSCAR")
    assert found.projected.shape == (spins, 2, len(shells), len(ENERGIES))
    assert found.energies_eV == pytest.approx(ENERGIES)
    assert found.fermi_eV == FERMI
    for spin in range(spins):
        first = 0
        for k, size in enumerate(sizes):
            wanted = columns[:, :, spin::spins][:, :, first : first + size].sum(axis=2)
            assert found.projected[spin, :, k] == pytest.approx(wanted)
            first += size
        assert found.total[spin] == pytest.approx(found.projected[spin].sum(axis=(0, 1)), rel=1e-3)


@pytest.mark.parametrize("spins", [1, 2])
def test_ase_reads_the_same(tmp_path: Path, spins: int) -> None:
    write_doscar(tmp_path / "DOSCAR", made(3, 9 * spins), spins=spins)
    ours, theirs = read_doscar(tmp_path / "DOSCAR"), VaspDos(str(tmp_path / "DOSCAR"))
    assert ours.energies_eV == pytest.approx(theirs.energy)
    assert ours.total == pytest.approx(np.atleast_2d(theirs.dos))
    marks = [""] if spins == 1 else ["+", "-"]
    for spin, mark in enumerate(marks):
        for atom in range(3):
            for k, names in enumerate((["s"], ["px", "py", "pz"])):
                wanted = sum(theirs.site_dos(atom, name + mark) for name in names)
                assert ours.projected[spin, atom, k] == pytest.approx(wanted)


@pytest.mark.parametrize("shells", ["spd", "spdf"])
@pytest.mark.parametrize("resolved", [True, False])
def test_spinors_give_their_density(tmp_path: Path, shells: str, resolved: bool) -> None:
    count = sum(SIZES[s] if resolved else 1 for s in shells)
    density = made(2, count)
    spinors = np.zeros((2, len(ENERGIES), 4 * count))
    spinors[..., 0::4] = density
    spinors[..., 1::4], spinors[..., 3::4] = 0.5 * density, -0.5 * density
    write_doscar(tmp_path / "DOSCAR", spinors, total=density.sum(axis=(0, 2))[None])
    found = read_doscar(tmp_path / "DOSCAR")
    assert found.projected.shape == (1, 2, len(shells), len(ENERGIES))
    assert found.projected.sum(axis=2)[0] == pytest.approx(density.sum(axis=2))


def test_numbers_that_touch(tmp_path: Path) -> None:
    """Exponents of three digits lose their E; a long energy list touches the energy before it."""
    path = tmp_path / "DOSCAR"
    write_doscar(path, made(1, 3), joined=True)
    before = read_doscar(path)
    text = path.read_text()
    head = text.splitlines()[5]
    touching = head[:32].rstrip() + head[32:37].replace(" ", "0") + head[37:]
    path.write_text(text.replace(head, touching))
    assert len(touching.split()) == 4
    assert read_doscar(path).total == pytest.approx(before.total)
    lines = path.read_text().splitlines()
    lines[6] = f"{ENERGIES[0]:11.3f}  0.1234-104  0.1234-104"
    path.write_text("\n".join(lines) + "\n")
    assert read_doscar(path).total[0, 0] == pytest.approx(0.0, abs=1e-100)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a finished run whose vasprun.xml is cut off."""
    made_ = write_vasp_run(tmp_path / "run", salt(), [step(salt(), -1.0)])
    text = (made_ / "vasprun.xml").read_text()
    (made_ / "vasprun.xml").write_text(text[: len(text) // 2])
    return made_


def test_a_run_without_a_whole_vasprun(folder: Path) -> None:
    write_doscar(folder / "DOSCAR", made(4, 18), spins=2)
    raw = read_vasp_dos(folder)
    assert isinstance(raw, RawDOS)
    assert (raw.symbols, raw.orbitals) == (("Na", "O", "O", "H"), ("s", "p", "d"))
    assert (raw.electrons, raw.fermi_eV, raw.width_eV) == (14.0, FERMI, None)
    dos = projected_dos(folder)
    assert dos.energies_eV == pytest.approx(ENERGIES - FERMI)
    assert dos.projected == pytest.approx(raw.projected)


def _cut(lines: Sequence[str]) -> str:
    return "\n".join(lines[: len(lines) - 10]) + "\n"


def test_what_does_not_fit(folder: Path) -> None:
    with pytest.raises(OutputFileError, match="there is no DOSCAR"):
        read_vasp_dos(folder)
    path = folder / "DOSCAR"
    write_doscar(path, made(3, 9))
    with pytest.raises(OutputFileError, match=r"3 atoms, \w+ has 4"):
        read_vasp_dos(folder)
    write_doscar(path, made(4, 9))
    whole = path.read_text().splitlines()
    path.write_text(_cut(whole))
    with pytest.raises(OutputFileError, match="cut off or no DOSCAR"):
        read_vasp_dos(folder)
    path.write_text("\n".join(whole[: 6 + len(ENERGIES)]) + "\n")
    with pytest.raises(OutputFileError, match="LORBIT"):
        read_vasp_dos(folder)
    path.write_text("\n".join(whole[: 6 + 3 * (len(ENERGIES) + 1) - 1]) + "\n")
    with pytest.raises(OutputFileError, match="of 4"):
        read_vasp_dos(folder)
    write_doscar(path, made(4, 7))
    with pytest.raises(OutputFileError, match="7 columns"):
        read_vasp_dos(folder)
    write_doscar(path, made(4, 9))
    for name in ("POSCAR", "CONTCAR"):
        (folder / name).unlink(missing_ok=True)
    with pytest.raises(OutputFileError, match="names no atoms"):
        read_vasp_dos(folder)
