"""Densities of states of VASP and CASTEP, from files made here."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from made_castep import write_castep_run
from made_vasp import step, write_vasp_run
from numpy.typing import NDArray
from small_salt import salt

from superionic.inputs.outputs.dos import read_castep_dos, read_vasp_dos
from superionic.inputs.outputs.levels import read_bands, read_pdos_bin
from superionic.inputs.outputs.records import OutputFileError

HARTREE = 27.211386024367243
FIELDS = ("energy", "s", "py", "pz", "px", "dxy", "dyz", "dz2", "dxz", "x2-y2")


def vasp_dos(atoms: int, *, spins: int, fields: Sequence[str] = FIELDS) -> str:
    """Each orbital of atom a has density (a + 1) everywhere; the total is what they sum to."""
    energies = np.linspace(-2.0, 3.0, 6)
    each = "".join(f"<field>{name}</field>" for name in fields)
    columns = len(fields) - 1
    whole = sum(range(1, atoms + 1)) * columns

    def rows(values: Sequence[float]) -> str:
        text = " ".join(map(str, values))
        return "".join(f"<r>{e:.4f} {text}</r>" for e in energies)

    total = "".join(f'<set comment="spin {s + 1}">{rows((whole, 0.0))}</set>' for s in range(spins))
    partial = "".join(
        f'<set comment="ion {a + 1}">'
        + "".join(
            f'<set comment="spin {s + 1}">{rows([a + 1.0] * columns)}</set>' for s in range(spins)
        )
        + "</set>"
        for a in range(atoms)
    )
    return (
        f'<dos><i name="efermi">0.5</i><total><array><set>{total}</set></array></total>'
        f"<partial><array>{each}<set>{partial}</set></array></partial></dos>"
    )


@pytest.mark.parametrize("spins", [1, 2])
@pytest.mark.parametrize("fields", [FIELDS, ("energy", "s", "p", "d")])
def test_vasp_projections_by_angular_momentum(
    tmp_path: Path, spins: int, fields: tuple[str, ...]
) -> None:
    dos = vasp_dos(4, spins=spins, fields=fields)
    found = read_vasp_dos(write_vasp_run(tmp_path, salt(), [step(salt(), -1.0)], dos=dos))
    assert found.orbitals == ("s", "p", "d")
    assert found.symbols == ("Na", "O", "O", "H")
    assert found.projected.shape == (spins, 4, 3, 6)
    per_shell = [1.0, 3.0, 5.0] if fields is FIELDS else [1.0, 1.0, 1.0]
    assert found.projected[0, 2, :, 0] == pytest.approx([3.0 * n for n in per_shell])
    assert found.total[0] == pytest.approx(found.projected[0].sum(axis=(0, 1)))
    assert (found.fermi_eV, found.width_eV, found.electrons) == (0.5, None, 14.0)


def test_vasp_without_projections(tmp_path: Path) -> None:
    folder = write_vasp_run(tmp_path, salt(), [step(salt(), -1.0)])
    with pytest.raises(OutputFileError, match="LORBIT"):
        read_vasp_dos(folder)
    (folder / "vasprun.xml").write_text((folder / "vasprun.xml").read_text()[:900])
    with pytest.raises(OutputFileError, match="cut off"):
        read_vasp_dos(folder)


def write_bands(
    path: Path, levels: NDArray[np.float64], weights: Sequence[float], fermi: float
) -> None:
    """Levels in hartree, shape=(spins, k points, bands)."""
    spins, points, bands = levels.shape
    head = [f"Number of k-points {points:4d}", f"Number of spin components {spins}"]
    head += ["Number of electrons  " + " ".join(["7.000"] * spins)]
    head += ["Number of eigenvalues  " + " ".join([str(bands)] * spins)]
    word = "Fermi energy" if spins == 1 else "Fermi energies"
    head += [f"{word} (in atomic units)  " + " ".join([f"{fermi:.6f}"] * spins)]
    head += ["Unit cell vectors", *("   10.000000    0.000000    0.000000",) * 3]
    for k in range(points):
        head += [f"K-point {k + 1:4d}  0.25000000  0.00000000  0.00000000  {weights[k]:.8f}"]
        for s in range(spins):
            head += [f"Spin component {s + 1}", *(f"  {x:.8f}" for x in levels[s, k])]
    path.write_text("\n".join(head) + "\n")


def write_pdos_bin(
    path: Path,
    orbitals: Sequence[tuple[int, int, int]],
    share: NDArray[np.float64],
    *,
    versioned: bool = True,
) -> None:
    """Orbitals are (species, ion, momentum), counted from 1, 1 and 0."""
    spins, points, bands, count = share.shape

    def record(data: bytes) -> bytes:
        size = struct.pack(">i", len(data))
        return size + data + size

    def integers(*values: int) -> bytes:
        return record(struct.pack(f">{len(values)}i", *values))

    data = record(struct.pack(">d", 1.0)) + record(b" " * 80) if versioned else b""
    data += integers(points) + integers(spins) + integers(count) + integers(bands)
    for k in range(3):
        data += integers(*(o[k] for o in orbitals))
    for k in range(points):
        data += record(struct.pack(">i3d", k + 1, 0.25, 0.0, 0.0))
        for s in range(spins):
            data += integers(s + 1) + integers(bands)
            for b in range(bands):
                data += record(struct.pack(f">{count}d", *share[s, k, b]))
    path.write_bytes(data)


# species by atomic number: H (1), O (2), Na (3)
ORBITALS = [(1, 1, 0), (2, 1, 0), (2, 1, 1), (2, 2, 0), (2, 2, 1), (3, 1, 0)]


@pytest.mark.parametrize("spins", [1, 2])
@pytest.mark.parametrize("versioned", [True, False])
def test_castep_levels_on_their_atoms(tmp_path: Path, spins: int, versioned: bool) -> None:
    """One band on each local orbital: every atom must get its own level back."""
    folder = write_castep_run(tmp_path, salt(), [step(salt(), -1.0)])
    bands = np.array([-0.5, -0.4, -0.3, -0.2, -0.1, 0.2])
    levels = np.array([[bands, bands + 0.01]] * spins)
    write_bands(folder / "made.bands", levels, [0.25, 0.75], 0.05)
    share = np.zeros((spins, 2, 6, 6))
    share[:, :] = np.eye(6)
    write_pdos_bin(folder / "made.pdos_bin", ORBITALS, share, versioned=versioned)
    dos = read_castep_dos(folder, "made", width_eV=0.05, step_eV=0.01)
    assert dos.symbols == ("Na", "O", "O", "H")
    assert dos.orbitals == ("s", "p")
    assert dos.fermi_eV == pytest.approx(0.05 * HARTREE)
    assert dos.electrons == pytest.approx(7.0 * spins)
    filling = 1.0 if spins == 2 else 2.0
    # atom (in the order of the .cell file), orbital, band
    for atom, orbital, band in ((3, 0, 0), (1, 0, 1), (1, 1, 2), (2, 0, 3), (2, 1, 4), (0, 0, 5)):
        density = dos.projected[0, atom, orbital]
        assert np.trapezoid(density, dos.energies_eV) == pytest.approx(filling, rel=1e-4)
        centre = np.trapezoid(density * dos.energies_eV, dos.energies_eV) / filling
        assert centre == pytest.approx((bands[band] + 0.0075) * HARTREE, abs=1e-3)
    assert dos.total[0] == pytest.approx(dos.projected[0].sum(axis=(0, 1)))
    assert np.trapezoid(dos.projected[0, 0, 1], dos.energies_eV) == 0.0


def test_castep_files_that_do_not_fit(tmp_path: Path) -> None:
    folder = write_castep_run(tmp_path, salt(), [step(salt(), -1.0)])
    with pytest.raises(OutputFileError, match="cannot be read as CASTEP eigenvalues"):
        read_castep_dos(folder, "made")
    write_bands(folder / "made.bands", np.zeros((1, 1, 6)), [1.0], 0.0)
    with pytest.raises(OutputFileError, match="pdos_calculate_weights"):
        read_castep_dos(folder, "made")
    write_pdos_bin(folder / "made.pdos_bin", ORBITALS, np.zeros((1, 2, 6, 6)))
    with pytest.raises(OutputFileError, match="different runs"):
        read_castep_dos(folder, "made")
    whole = (folder / "made.pdos_bin").read_bytes()
    (folder / "made.pdos_bin").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(OutputFileError, match="cut off"):
        read_pdos_bin(folder / "made.pdos_bin")
    write_pdos_bin(folder / "made.pdos_bin", [*ORBITALS, (4, 1, 0)], np.zeros((1, 1, 6, 7)))
    with pytest.raises(OutputFileError, match="does not hold the atoms"):
        read_castep_dos(folder, "made")


def test_bands_cut_off(tmp_path: Path) -> None:
    write_bands(tmp_path / "x.bands", np.zeros((1, 3, 4)), [0.2, 0.3, 0.5], 0.0)
    levels = read_bands(tmp_path / "x.bands")
    assert levels.weights == pytest.approx([0.2, 0.3, 0.5])
    text = (tmp_path / "x.bands").read_text()
    (tmp_path / "x.bands").write_text(text[: text.index("K-point    3")])
    with pytest.raises(OutputFileError, match="cut off"):
        read_bands(tmp_path / "x.bands")
