"""Engines shared between images, counted calls, and forces turned round."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import copy
import importlib.util
from collections.abc import Sequence

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import all_changes
from ase.calculators.emt import EMT
from ase.filters import FrechetCellFilter
from potentials import Analytic, one_atom, polynomial, tilted_well

from superionic.structures.structure import Structure
from superionic.workflows.calculators import CHGNetFixedCell
from superionic.workflows.evaluation import CallCounter, largest_force, shared_atoms
from superionic.workflows.theory import get_theory

NEEDS_CHGNET = pytest.mark.skipif(
    importlib.util.find_spec("chgnet") is None, reason="chgnet is not installed"
)


class Watched(EMT):
    """EMT that knows how often it really computed."""

    def __init__(self) -> None:
        super().__init__()
        self.times = 0

    def calculate(self, *arguments: object, **keywords: object) -> None:
        self.times += 1
        super().calculate(*arguments, **keywords)


def shaken(seed: int = 0) -> Structure:
    atoms = bulk("Cu", "fcc", a=3.6, cubic=True)
    atoms.rattle(0.1, seed=seed)
    return Structure.from_ase(atoms)


# ---- sharing and counting


def test_each_set_of_atoms_keeps_its_own_result() -> None:
    engine, counter = Watched(), CallCounter()
    one, other = (shared_atoms(shaken(s), engine, counter) for s in (1, 2))
    energies = one.get_potential_energy(), other.get_potential_energy()
    assert energies[0] != energies[1]
    for _ in range(3):  # asking again, in turns, computes nothing
        assert one.get_potential_energy() == energies[0]
        assert other.get_potential_energy() == energies[1]
        assert one.get_forces().shape == other.get_forces().shape == (4, 3)
    assert counter.calls == engine.times == 2


def test_moving_an_atom_counts_once() -> None:
    counter = CallCounter()
    atoms = shared_atoms(shaken(), EMT(), counter)
    atoms.get_forces()
    atoms.positions[0, 0] += 0.01
    atoms.get_forces()
    atoms.get_potential_energy()
    assert counter.calls == 2


def test_results_are_those_of_the_engine() -> None:
    atoms, plain = shared_atoms(shaken(), EMT(), CallCounter()), shaken().to_ase()
    plain.calc = EMT()
    assert atoms.get_potential_energy() == plain.get_potential_energy()
    np.testing.assert_array_equal(atoms.get_forces(), plain.get_forces())
    np.testing.assert_allclose(atoms.get_stress(), plain.get_stress(), atol=1e-14)


def test_a_result_is_a_copy_of_what_the_engine_holds() -> None:
    engine = EMT()
    one, other = (shared_atoms(shaken(s), engine, CallCounter()) for s in (1, 2))
    forces = one.get_forces().copy()
    other.get_forces()
    np.testing.assert_array_equal(one.get_forces(), forces)


class OnDemand(EMT):
    """Computes stress only when asked for it, as CHGNetFixedCell does."""

    times = 0

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] | None = None,
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        self.times += 1
        super().calculate(atoms, properties, system_changes)
        if "stress" not in (properties or ()):
            self.results.pop("stress")


def test_a_cell_relaxation_computes_once_a_step() -> None:
    counter, engine = CallCounter(), OnDemand()
    atoms = shared_atoms(shaken(), engine, counter)
    target = FrechetCellFilter(atoms)
    for step in range(1, 4):
        atoms.positions[0, 0] += 0.01
        target.get_forces()
        atoms.get_potential_energy(force_consistent=True)
        assert counter.calls == engine.times == step


def test_largest_force_is_over_atoms_not_components() -> None:
    assert largest_force(np.array([[3.0, 4.0, 0.0], [4.5, 0.0, 0.0]])) == 5.0
    assert largest_force(np.zeros((2, 2, 3))) == 0.0


# ---- gradients of the toys that the other tests trust


def test_forces_are_minus_the_gradient() -> None:
    quartic = Analytic(lambda r: (float((r**4).sum()), 4 * r**3))
    for calculator in (polynomial(tilted_well()), quartic):
        atoms = one_atom((0.3, -0.2, 0.1)).to_ase()
        atoms.calc = calculator
        force, start = atoms.get_forces()[0].copy(), atoms.positions.copy()
        for axis in range(3):
            ends = []
            for sign in (1, -1):
                atoms.positions = start
                atoms.positions[0, axis] += sign * 1e-4
                ends.append(atoms.get_potential_energy())
            assert -(ends[0] - ends[1]) / 2e-4 == pytest.approx(force[axis], abs=1e-6)


# ---- CHGNet against its own calculator, and against itself in 64 bits


@NEEDS_CHGNET
def test_chgnet_against_its_own_calculator() -> None:
    from chgnet.model.dynamics import CHGNetCalculator

    engine = get_theory("chgnet-0.3.0").calculator()
    assert isinstance(engine, CHGNetFixedCell)
    theirs = CHGNetCalculator(engine.model, use_device="cpu", on_isolated_atoms="ignore")
    salt = bulk("NaCl", "rocksalt", a=5.6) * (2, 1, 1)
    salt.rattle(0.08, seed=4)
    salt.set_cell(salt.cell @ np.diag([1.01, 1.0, 0.98]), scale_atoms=True)
    ours = salt.copy()
    salt.calc, ours.calc = theirs, engine
    largest = np.abs(salt.get_forces()).max()
    assert largest > 0.1
    assert ours.get_potential_energy() == pytest.approx(salt.get_potential_energy(), rel=1e-6)
    # both in 32 bits, differentiated in another order
    np.testing.assert_allclose(ours.get_forces(), salt.get_forces(), rtol=0, atol=1e-5 * largest)
    np.testing.assert_allclose(ours.get_stress(), salt.get_stress(), rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(ours.get_magnetic_moments(), salt.get_magnetic_moments(), atol=1e-5)
    assert ours.get_forces().dtype == np.float64


@NEEDS_CHGNET
@pytest.mark.parametrize(("repeat", "seed"), [((2, 1, 1), 4), ((3, 3, 3), 2)])
def test_chgnet_forces_are_as_near_to_those_in_64_bits(
    repeat: tuple[int, int, int], seed: int
) -> None:
    import torch
    from chgnet.model.dynamics import CHGNetCalculator
    from pymatgen.io.ase import AseAtomsAdaptor

    engine = get_theory("chgnet-0.3.0").calculator()
    assert isinstance(engine, CHGNetFixedCell)
    salt = bulk("NaCl", "rocksalt", a=5.6) * repeat
    salt.rattle(0.08, seed=seed)

    double = copy.deepcopy(engine.model).double()
    double.composition_model = None  # no part of the forces
    structure = AseAtomsAdaptor.get_structure(salt)
    graph = double.graph_converter(structure)
    graph.lattice = torch.tensor(structure.lattice.matrix, dtype=torch.float64)
    graph.neighbor_image = graph.neighbor_image.double()
    graph.atom_frac_coord = torch.tensor(
        structure.frac_coords, dtype=torch.float64, requires_grad=True
    )
    energy = double([graph], task="e")["e"].sum() * len(salt)
    (slope,) = torch.autograd.grad(energy, graph.atom_frac_coord)
    exact = -np.linalg.solve(salt.cell[:], slope.numpy().T).T

    errors = []
    for calculator in (
        engine,
        CHGNetCalculator(engine.model, use_device="cpu", on_isolated_atoms="ignore"),
    ):
        atoms = salt.copy()
        atoms.calc = calculator
        errors.append(np.abs(atoms.get_forces() - exact).max() / np.abs(exact).max())
    assert errors[0] < 5e-5
    assert errors[0] < 1.5 * errors[1]
