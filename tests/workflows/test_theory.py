"""Levels of theory by name: what is offered, what is refused, and what a name stands for."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from potentials import one_atom

from superionic.structures.errors import SuperionicError, TheoryError, UnknownElementError
from superionic.structures.structure import Structure
from superionic.workflows import theory_calculators
from superionic.workflows.dispersion import DISPERSIONS
from superionic.workflows.theory import (
    D3_FUNCTIONALS,
    get_theory,
    known_elements,
    theory_names,
)
from superionic.workflows.theory_calculators import pick_device


def needs(module: str) -> pytest.MarkDecorator:
    missing = importlib.util.find_spec(module) is None
    return pytest.mark.skipif(missing, reason=f"{module} is not installed")


def salt() -> Atoms:
    atoms = bulk("NaCl", "rocksalt", a=5.5)
    atoms.rattle(0.05, seed=1)
    return atoms


# ---- names


def test_all_names_are_levels_of_theory() -> None:
    assert set(theory_names()) == {
        "chgnet-0.3.0", "chgnet-r2scan", "sevennet-0", "sevennet-l3i5", "gfn1-xtb", "gfn2-xtb",
        "pyscf-pbe", "emt", "lj",
    }  # fmt: skip
    for name in theory_names():
        level = get_theory(name)
        assert level.name == name
        assert level.dispersion == ""
        assert level.cutoff_ang > 3.0
    for name in D3_FUNCTIONALS:
        for dispersion in DISPERSIONS:
            level = get_theory(f"{name}+{dispersion}")
            assert level.dispersion == dispersion
            assert level.model == get_theory(name).model
            assert level.base == name


def test_what_a_model_was_trained_on() -> None:
    assert get_theory("chgnet-0.3.0").functional == "pbe"
    assert get_theory("chgnet-r2scan").functional == "r2scan"
    assert get_theory("sevennet-l3i5+d3bj").functional == "pbe"
    assert get_theory("emt").functional == ""


@pytest.mark.parametrize(
    "name",
    [
        "",
        "chgnet",
        "CHGNET-0.3.0",
        "chgnet-0.4",
        "chgnet-0.3.0+d1",
        "chgnet-0.3.0+",
        "chgnet-0.3.0+d3bj+d3bj",
        "+d3bj",
        "vasp",
        " emt",
    ],
)
def test_an_unknown_name_is_answered_with_the_known_ones(name: str) -> None:
    with pytest.raises(TheoryError, match="Unknown level of theory") as caught:
        get_theory(name)
    assert "sevennet-l3i5" in str(caught.value)


@pytest.mark.parametrize("name", ["chgnet-r2scan+d3bj", "emt+d2", "lj+d3bj", "gfn1-xtb+d4"])
def test_dispersion_only_where_it_is_parametrised(name: str) -> None:
    with pytest.raises(TheoryError, match="PBE only"):
        get_theory(name)


def test_a_code_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(TheoryError, match="'chgnet' is not installed"):
        get_theory("chgnet-0.3.0").calculator()
    with pytest.raises(SuperionicError, match="install it"):
        get_theory("sevennet-0").calculator()


# ---- elements


@pytest.mark.parametrize(
    ("name", "number", "symbol"),
    [
        ("emt", 11, "Na"),
        ("chgnet-0.3.0", 118, "Og"),
        ("chgnet-0.3.0", 87, "Fr"),
        ("chgnet-r2scan", 103, "Lr"),
        ("chgnet-r2scan", 70, "Yb"),
    ],
)
def test_an_element_without_parameters(name: str, number: int, symbol: str) -> None:
    with pytest.raises(UnknownElementError, match=f"{name} has no parameters for {symbol}"):
        get_theory(name).check(one_atom((0.0, 0.0, 0.0), symbol=number))


def test_all_unknown_elements_are_named_once() -> None:
    water = Structure.from_ase(Atoms("NaOHZrNaH", positions=np.eye(6, 3) * 9, cell=np.eye(3) * 30))
    with pytest.raises(UnknownElementError, match="for Na, Zr\\."):
        get_theory("emt").check(water)


def test_known_elements_pass() -> None:
    get_theory("emt").check(Structure.from_ase(bulk("Al", cubic=True)))
    get_theory("chgnet-0.3.0").check(Structure.from_ase(salt()))
    assert "Al" in known_elements("emt")
    assert "Na" not in known_elements("emt")
    assert {"Na", "Zr", "Si", "P", "O", "Yb"} <= known_elements("chgnet-0.3.0")
    assert len(known_elements("chgnet-0.3.0")) == 89  # as its paper says


# ---- charge, spin, boundaries


@pytest.mark.parametrize("name", ["chgnet-0.3.0", "sevennet-0+d3bj", "emt"])
def test_potentials_take_no_charge(name: str) -> None:
    atom = one_atom((0.0, 0.0, 0.0), symbol=13)
    with pytest.raises(TheoryError, match=r"one of \+1 e would be .* as if it were neutral"):
        get_theory(name).check(atom, charge=1)
    with pytest.raises(TheoryError, match="gfn1-xtb"):
        get_theory(name).calculator(charge=-1)


def test_one_k_point_needs_a_large_cell() -> None:
    small = Structure.from_ase(bulk("NaCl", "rocksalt", a=5.64, cubic=True))
    with pytest.raises(TheoryError, match=r"one k point only.*5\.64 A"):
        get_theory("gfn1-xtb").check(small)
    get_theory("gfn1-xtb").check(small.repeat((2, 2, 2)))


def test_molecules_only() -> None:
    with pytest.raises(TheoryError, match="free space only"):
        get_theory("pyscf-pbe").check(Structure.from_ase(bulk("Si", "diamond", a=5.4)))
    with pytest.raises(UnknownElementError, match="Rb"):
        get_theory("pyscf-pbe").check(one_atom((0.0, 0.0, 0.0), symbol=37))


@needs("tblite")
def test_xtb_against_its_own_numbers_with_charge_and_spin() -> None:
    """Water as in the manual of tblite; an ion; oxygen is a triplet (spin-polarised xTB)."""
    water = Structure.from_ase(Atoms(molecule("H2O"), cell=np.eye(3) * 10))
    for name, expected in (("gfn2-xtb", -137.96777594), ("gfn1-xtb", -156.96750590)):
        atoms = water.to_ase()
        atoms.calc = get_theory(name).calculator()
        assert atoms.get_potential_energy() == pytest.approx(expected, abs=2e-3)
        assert atoms.get_charges().sum() == pytest.approx(0.0, abs=1e-6)
        atoms.calc = get_theory(name).calculator(charge=1, spin_multiplicity=2)
        # measured 12.6 eV; ionisation energies of plain xTB lie about 5 eV too high
        assert 11.0 < atoms.get_potential_energy() - expected < 21.0
        assert atoms.get_charges().sum() == pytest.approx(1.0, abs=1e-6)
    triplet, singlet = molecule("O2"), molecule("O2")
    triplet.calc = get_theory("gfn1-xtb").calculator(spin_multiplicity=3)
    singlet.calc = get_theory("gfn1-xtb").calculator()
    assert triplet.get_potential_energy() < singlet.get_potential_energy()


@needs("tblite")
def test_periodic_xtb_does_not_see_how_often_a_large_cell_is_repeated() -> None:
    """A molecule in a box and two in a box twice as long: the same energy each."""
    one = molecule("CH4", cell=[9.0, 9.0, 9.0], pbc=True)
    energies = []
    for atoms in (one, one * (1, 1, 2)):
        get_theory("gfn1-xtb").check(Structure.from_ase(atoms))
        atoms.calc = get_theory("gfn1-xtb").calculator()
        energies.append(atoms.get_potential_energy() / len(atoms))
    assert energies[0] == pytest.approx(energies[1], abs=1e-5)


@needs("pyscf")
def test_pyscf_forces_are_slopes_and_the_cation_is_higher() -> None:
    atoms = molecule("H2")
    atoms.calc = get_theory("pyscf-pbe").calculator()
    force = atoms.get_forces()[0, 2]
    step = np.zeros((2, 3))
    step[0, 2] = 1e-3
    energies = []
    for sign in (1, -1):
        moved = atoms.copy()
        moved.positions += sign * step
        moved.calc = get_theory("pyscf-pbe").calculator()
        energies.append(moved.get_potential_energy())
    assert force == pytest.approx((energies[1] - energies[0]) / 2e-3, abs=1e-3)
    ion = molecule("H2")
    ion.calc = get_theory("pyscf-pbe").calculator(charge=1, spin_multiplicity=2)
    ionisation = ion.get_potential_energy() - atoms.get_potential_energy()
    assert ionisation == pytest.approx(16.3, abs=0.3)  # vertical; measured 15.4 adiabatic
    assert ion.calc.results["charges"].sum() == pytest.approx(1.0, abs=1e-6)


# ---- calculators


def test_toys_are_those_of_ase() -> None:
    for name, theirs in (
        ("emt", EMT()),
        ("lj", LennardJones(sigma=1.0, epsilon=1.0, rc=10.0, smooth=True)),
    ):
        ours, plain = molecule("H2O"), molecule("H2O")
        ours.calc, plain.calc = get_theory(name).calculator(), theirs
        assert ours.get_potential_energy() == plain.get_potential_energy()


def test_two_calculators_do_not_share_results() -> None:
    for name in ("emt", "chgnet-0.3.0"):
        if name == "emt" or importlib.util.find_spec("chgnet"):
            assert get_theory(name).calculator() is not get_theory(name).calculator()


def test_device() -> None:
    assert pick_device() in ("cpu", "cuda")


@pytest.fixture
def no_torch_hooks() -> Iterator[None]:
    """Let SevenNet set torch up as it likes, and set it back."""
    torch: Any = importlib.import_module("torch")
    before = torch.get_default_dtype()
    yield
    torch.set_default_dtype(before)


@needs("chgnet")
def test_nothing_is_printed_while_a_model_loads(capfd: pytest.CaptureFixture[str]) -> None:
    theory_calculators._load_chgnet.cache_clear()
    atoms = salt()
    atoms.calc = get_theory("chgnet-0.3.0").calculator()
    atoms.get_potential_energy()
    assert capfd.readouterr().out == ""


@needs("chgnet")
@needs("dftd3")
def test_dispersion_is_added_by_hand_to_the_same_number() -> None:
    from dftd3.ase import DFTD3

    total, base, correction = salt(), salt(), salt()
    total.calc = get_theory("chgnet-0.3.0+d3bj").calculator()
    base.calc = get_theory("chgnet-0.3.0").calculator()
    correction.calc = DFTD3(method="pbe", damping="d3bj")
    energy = base.get_potential_energy() + correction.get_potential_energy()
    assert total.get_potential_energy() == pytest.approx(energy, abs=1e-6)
    np.testing.assert_allclose(
        total.get_forces(), base.get_forces() + correction.get_forces(), atol=1e-6
    )
    np.testing.assert_allclose(
        total.get_stress(), base.get_stress() + correction.get_stress(), atol=1e-6
    )
    assert correction.get_potential_energy() < -0.05  # dispersion binds, and it is not nothing


@needs("chgnet")
def test_r2scan_is_another_model() -> None:
    one, other = salt(), salt()
    one.calc = get_theory("chgnet-0.3.0").calculator()
    other.calc = get_theory("chgnet-r2scan").calculator()
    assert abs(one.get_potential_energy() - other.get_potential_energy()) > 0.1


@needs("sevenn")
@pytest.mark.usefixtures("no_torch_hooks")
def test_sevennet_against_its_own_calculator(capfd: pytest.CaptureFixture[str]) -> None:
    from sevenn.calculator import SevenNetCalculator

    capfd.readouterr()
    ours, theirs = salt(), salt()
    ours.calc = get_theory("sevennet-0").calculator()
    ours.get_potential_energy()
    assert capfd.readouterr().out == ""
    theirs.calc = SevenNetCalculator("7net-0", device="cpu")
    assert ours.get_potential_energy() == pytest.approx(theirs.get_potential_energy(), abs=1e-5)
    np.testing.assert_allclose(ours.get_forces(), theirs.get_forces(), atol=1e-5)
    get_theory("sevennet-0").check(Structure.from_ase(salt()))
    with pytest.raises(UnknownElementError, match="Og"):
        get_theory("sevennet-0").check(one_atom((0.0, 0.0, 0.0), symbol=118))


SPEAK = """
import sys
from ase.build import bulk
from superionic.workflows.theory import get_theory
for name in sys.argv[1:]:
    atoms = bulk("NaCl", "rocksalt", a=5.5)
    atoms.calc = get_theory(name).calculator()
    atoms.get_potential_energy()
"""


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(("chgnet-0.3.0+d3bj",), marks=(needs("chgnet"), needs("dftd3"))),
        pytest.param(("sevennet-0",), marks=needs("sevenn")),
    ],
)
@pytest.mark.slow
def test_nothing_is_printed_by_a_fresh_process(names: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SPEAK, *names], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
