"""What orbitals say of atoms where spins are opposite: a broken symmetry is seen as one."""

from __future__ import annotations

import importlib.util

import pytest
from small_molecules import molecule

from superionic.workflows.orbital_analysis import populations, spin_square
from superionic.workflows.scf import solve_field
from superionic.workflows.scf_settings import ScfSettings

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("pyscf") is None, reason="pyscf is not installed"
)


def test_two_hydrogens_far_apart_keep_opposite_spins() -> None:
    """Half singlet, half triplet: <S^2> = 1, one electron of either spin on each atom."""
    pair = molecule(("H", "H"), [[0, 0, 0], [0, 0, 4.0]])
    settings = ScfSettings(grid_level=0, smearing_eV=0.01, moments=(1.0, -1.0))
    field = solve_field(pair, "pbe", settings).require().field
    assert spin_square(field) == pytest.approx(1.0, abs=0.05)
    for partition in ("loewdin", "mulliken"):
        assert populations(field, partition).spins == pytest.approx([1.0, -1.0], abs=0.05)
    half = solve_field(pair, "pbe", ScfSettings(grid_level=0, smearing_eV=0.01)).require().field
    assert spin_square(half) == pytest.approx(0.0, abs=0.01), "smearing half fills a little"
    assert populations(half, "loewdin").spins == pytest.approx([0.0, 0.0], abs=1e-6)
