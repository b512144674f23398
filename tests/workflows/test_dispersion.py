"""Dispersion alone: D2 from its printed table, cutoffs, signs, what is refused."""

from __future__ import annotations

import importlib.util
import itertools

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from numpy.typing import NDArray

from superionic.structures.errors import TheoryError, UnknownElementError
from superionic.structures.structure import Structure
from superionic.workflows import dispersion
from superionic.workflows.dispersion import (
    DISPERSIONS,
    dispersion_calculator,
    dispersion_energy,
)

C6 = {"H": 0.14, "C": 1.75, "N": 1.23, "O": 0.70, "F": 0.75, "Li": 1.61, "Ti": 10.80}
R0 = {"H": 1.001, "C": 1.452, "N": 1.397, "O": 1.342, "F": 1.287, "Li": 0.825, "Ti": 1.562}
"""J nm6/mol and angstrom: Table 1 of Grimme, doi 10.1002/jcc.20495."""
J_NM6_MOL = 10.364269656e-6 * 1e6
"""eV A6: 1 J/mol = 1.0364e-5 eV, 1 nm6 = 1e6 A6."""

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec(name) is None, reason=f"{name} is not installed")
    for name in ("torch_dftd", "dftd3", "dftd4")
]


def naive_d2(atoms: Atoms, *, cutoff: float | None = None) -> float:
    """The printed formula, pair by pair; with a cutoff over periodic images too."""
    energy, symbols = 0.0, atoms.get_chemical_symbols()
    shifts: list[NDArray[np.float64]] = [np.zeros(3)]
    if cutoff is not None:
        n = 8
        grid = itertools.product(range(-n, n + 1), repeat=3)
        shifts = [np.array(s, dtype=float) @ atoms.cell[:] for s in grid]
    for i, j in itertools.product(range(len(atoms)), repeat=2):
        for shift in shifts:
            r = float(np.linalg.norm(atoms.positions[j] + shift - atoms.positions[i]))
            if r < 1e-6 or (cutoff is not None and r > cutoff):
                continue
            c6 = np.sqrt(C6[symbols[i]] * C6[symbols[j]]) * J_NM6_MOL
            reach = R0[symbols[i]] + R0[symbols[j]]
            energy -= 0.5 * 0.75 * c6 / r**6 / (1 + np.exp(-20 * (r / reach - 1)))
    return energy


def boxed(atoms: Atoms) -> Structure:
    atoms.cell = np.eye(3) * 30.0
    return Structure.from_ase(atoms)


@pytest.mark.parametrize("name", ["CH3CN", "HCOOH", "LiF", "C6H6", "CF4"])
def test_d2_is_the_printed_formula(name: str) -> None:
    atoms = molecule(name)
    found = dispersion_energy(boxed(atoms), "d2", "pbe")
    assert found == pytest.approx(naive_d2(molecule(name)), rel=3e-4)


def test_d2_of_a_crystal_is_the_printed_formula() -> None:
    crystal = bulk("TiO", "rocksalt", a=4.2)
    calculator = dispersion_calculator("d2", "pbe")
    calculator.reach_ang = 9.0  # type: ignore[attr-defined]
    crystal.calc = calculator
    assert crystal.get_potential_energy() == pytest.approx(naive_d2(crystal, cutoff=9.0), rel=3e-4)


def test_d2_forces_are_slopes() -> None:
    atoms = molecule("CH3CN", cell=np.eye(3) * 9.0, pbc=True)
    atoms.calc = dispersion_calculator("d2", "pbe")
    forces = atoms.get_forces()
    for atom, axis in ((0, 2), (3, 0)):
        energies = []
        for sign in (1, -1):
            moved = atoms.copy()
            moved.positions[atom, axis] += sign * 1e-3
            moved.calc = dispersion_calculator("d2", "pbe")
            energies.append(moved.get_potential_energy())
        assert forces[atom, axis] == pytest.approx((energies[1] - energies[0]) / 2e-3, abs=1e-7)


@pytest.mark.parametrize("kind", DISPERSIONS)
def test_two_molecules_attract_and_repeat(kind: str) -> None:
    """The pair is bound, less so farther apart; a cell twice as long holds twice the energy."""
    one = molecule("C6H6")
    alone = dispersion_energy(boxed(one.copy()), kind, "pbe")
    bound = []
    for gap in (3.5, 5.0):
        other = one.copy()
        other.positions[:, 2] += gap
        bound.append(dispersion_energy(boxed(one + other), kind, "pbe") - 2 * alone)
    assert bound[0] < bound[1] < 0
    cell = molecule("CH4", cell=[5.0, 6.0, 7.0], pbc=True)
    single = dispersion_energy(Structure.from_ase(cell), kind, "pbe")
    double = dispersion_energy(Structure.from_ase(cell * (1, 2, 1)), kind, "pbe")
    assert double == pytest.approx(2 * single, abs=1e-6)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(TheoryError, match=r"Unknown dispersion correction 'd5'\. Known: d2, d3bj"):
        dispersion_calculator("d5", "pbe")
    with pytest.raises(TheoryError, match="for pbe only; got 'b3lyp'"):
        dispersion_calculator("d2", "b3lyp")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(dispersion.MODULES, "d2", "no_such_package")
    with pytest.raises(TheoryError, match="'no_such_package' is not installed"):
        dispersion_calculator("d2", "pbe")


def test_heavy_elements_are_refused() -> None:
    atom = Structure.from_ase(Atoms("Fr", cell=np.eye(3) * 9))
    with pytest.raises(UnknownElementError, match="no parameters for Fr"):
        dispersion_energy(atom, "d2", "pbe")
    assert dispersion_energy(atom, "d3bj", "pbe") == pytest.approx(0.0, abs=1e-9)
