"""Bader charges from the density that a GPAW script leaves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_densities import gaussians
from made_gpaw import write_gpaw_run
from numpy.typing import NDArray

from superionic.inputs.outputs.bader import bader_is_installed
from superionic.inputs.outputs.gpaw_density import read_gpaw_charges
from superionic.inputs.outputs.records import OutputFileError
from superionic.structures.errors import EvidenceError, NotConvergedError
from superionic.structures.structure import Structure
from superionic.workflows.collected_electrons import atomic_charges

needs_bader = pytest.mark.skipif(not bader_is_installed(), reason="pybader is not installed")
ELECTRONS = (2.1, 9.9)
POINTS = 48


def fluoride() -> Structure:
    return Structure(
        numbers=np.array([3, 9]),
        positions=np.array([[2.0, 4.0, 4.0], [6.0, 4.0, 4.0]]),
        cell=np.diag([8.0, 8.0, 8.0]),
    )


def density() -> NDArray[np.float32]:
    """A round heap of electrons on each atom, in electrons per cubic angstrom."""
    return gaussians(fluoride(), ELECTRONS, POINTS, width=0.4).astype(np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a finished run without a density."""
    return write_gpaw_run(tmp_path / "run", fluoride())


@needs_bader
def test_electrons_go_to_their_atoms(folder: Path) -> None:
    np.savez_compressed(
        folder / "density.npz", density=density(), numbers=fluoride().numbers, charge=0.0
    )
    found = atomic_charges(folder)
    assert (found.method, found.symbols) == ("bader", ("Li", "F"))
    assert found.electrons == pytest.approx([2.1, 9.9], abs=0.02)
    assert found.charges == pytest.approx([0.9, -0.9], abs=0.02)
    assert found.theory == "gpaw-pbe"
    assert found.farthest_maximum_ang == pytest.approx(0.0, abs=0.01)
    with pytest.raises(EvidenceError, match="bader"):
        atomic_charges(folder, method="mulliken")


@needs_bader
def test_lost_electrons_are_told(folder: Path) -> None:
    np.savez_compressed(
        folder / "density.npz", density=density(), numbers=fluoride().numbers, charge=1.0
    )
    with pytest.raises(EvidenceError, match=r"12\.0\d* electrons of 11"):
        atomic_charges(folder)


def test_what_cannot_be_read(folder: Path) -> None:
    file = folder / "density.npz"
    with pytest.raises(OutputFileError, match="superionic inputs gpaw"):
        read_gpaw_charges(folder)
    np.savez_compressed(file, reason="no such method")
    with pytest.raises(OutputFileError, match="no such method"):
        read_gpaw_charges(folder)
    np.savez_compressed(file, density=density(), numbers=np.array([3, 8]), charge=0.0)
    with pytest.raises(OutputFileError, match="other atoms"):
        read_gpaw_charges(folder)
    np.savez_compressed(file, density=density()[0], numbers=fluoride().numbers, charge=0.0)
    with pytest.raises(OutputFileError, match="three dimensions"):
        read_gpaw_charges(folder)
    np.savez_compressed(file, density=density(), numbers=fluoride().numbers, charge=0.0)
    file.write_bytes(file.read_bytes()[:2000])
    with pytest.raises(OutputFileError, match="cut off"):
        read_gpaw_charges(folder)
    (folder / "result.json").write_text('{"task": "static", "converged": false, "reason": "no"}')
    with pytest.raises(NotConvergedError):
        read_gpaw_charges(folder)
