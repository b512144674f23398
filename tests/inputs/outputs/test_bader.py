"""Bader charges of densities whose electrons are known, and files that cannot give them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from made_densities import gaussians, pair, write_density
from made_vasp import step, write_vasp_run

from superionic.inputs.outputs.bader import Density, divide, read_bader_charges, read_density
from superionic.inputs.outputs.records import OutputFileError
from superionic.workflows.collected_electrons import atomic_charges

ELECTRONS = (2.0, 6.0)
"""Aluminium has given one of its three electrons to nitrogen, which had five."""

IN_PLAIN_PYTHON = """
import sys
from pathlib import Path
from superionic.workflows.collected_electrons import atomic_charges
found = atomic_charges(Path(sys.argv[1]))
print(*found.charges, found.farthest_maximum_ang, 'pkg_resources' in sys.modules)
"""


def bader_folder(folder: Path, *, points: int = 12, core: float = 10.0) -> Path:
    """A finished run whose valence density peaks elsewhere than at the nuclei."""
    write_vasp_run(folder, pair(), [step(pair(), -5.0)])
    valence = gaussians(pair(), ELECTRONS, points)
    write_density(folder / "CHGCAR", pair(), valence)
    write_density(folder / "AECCAR0", pair(), gaussians(pair(), (core, 2.0), points, 0.3))
    write_density(folder / "AECCAR2", pair(), valence)
    return folder


def test_charges_of_a_made_up_density(tmp_path: Path) -> None:
    """In its own process and without compiling, so that this does not take half a minute."""
    folder = bader_folder(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", IN_PLAIN_PYTHON, str(folder)],
        capture_output=True, text=True, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    *numbers, shimmed = done.stdout.split()
    assert [float(x) for x in numbers] == pytest.approx([1.0, -1.0, 0.0], abs=0.03)
    assert shimmed == "False"


def test_density_is_read_in_electrons_per_volume(tmp_path: Path) -> None:
    write_density(tmp_path / "CHGCAR", pair(), gaussians(pair(), ELECTRONS, 10))
    density = read_density(tmp_path / "CHGCAR")
    assert density.electrons == pytest.approx(8.0)
    assert density.values == pytest.approx(gaussians(pair(), ELECTRONS, 10), rel=1e-6, abs=1e-12)
    assert density.structure.symbols == ("Al", "N")


def test_reference_is_required(tmp_path: Path) -> None:
    folder = bader_folder(tmp_path)
    (folder / "AECCAR0").unlink()
    with pytest.raises(OutputFileError, match=r"AECCAR0.*LAECHG"):
        read_bader_charges(folder)


@pytest.mark.parametrize("name", ["CHGCAR", "AECCAR2"])
def test_density_that_breaks_off(tmp_path: Path, name: str) -> None:
    folder = bader_folder(tmp_path)
    text = (folder / name).read_text()
    (folder / name).write_text(text[: len(text) // 2])
    with pytest.raises(OutputFileError, match="cut off"):
        read_bader_charges(folder)


def test_densities_of_two_runs(tmp_path: Path) -> None:
    folder = bader_folder(tmp_path)
    write_density(folder / "AECCAR2", pair(), gaussians(pair(), ELECTRONS, 14))
    with pytest.raises(OutputFileError, match="another run"):
        read_bader_charges(folder)


@pytest.mark.slow
def test_charges_compiled(tmp_path: Path) -> None:
    charges = atomic_charges(bader_folder(tmp_path, points=40))
    assert charges.charges == pytest.approx([1.0, -1.0], abs=0.002)
    assert charges.valence_electrons == pytest.approx([3.0, 5.0])
    assert charges.method == "bader"
    assert charges.reference == "AECCAR0 + AECCAR2"
    assert charges.theory == "vasp-pbe"
    assert abs(charges.missing_electrons) < 1e-6
    assert charges.farthest_maximum_ang == pytest.approx(0.0, abs=1e-6)


@pytest.mark.slow
def test_vacuum_belongs_to_nobody() -> None:
    values = gaussians(pair(), ELECTRONS, 30)
    density = Density(pair(), values)
    electrons, unassigned, _ = divide(density, values, vacuum_e_per_A3=1e-3)
    assert unassigned == pytest.approx(values[values <= 1e-3].sum() * 512 / values.size, rel=0.05)
    assert electrons.sum() + unassigned == pytest.approx(8.0)


@pytest.mark.slow
def test_atoms_across_the_boundary() -> None:
    """A rigid shift of everything changes no charge."""
    moved = pair().with_positions(pair().positions + np.array([3.2, 4.0, -1.6]))
    values = gaussians(moved, ELECTRONS, 30)
    electrons, _, farthest = divide(Density(moved, values), values)
    assert electrons == pytest.approx(ELECTRONS, abs=0.01)
    assert farthest < 0.3
