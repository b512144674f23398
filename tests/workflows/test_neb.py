"""One band: forces against two other programs, saddles that are saddles, honest flags."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.calculators.emt import EMT
from ase.mep import NEB
from ase.optimize import FIRE
from numpy.typing import NDArray
from potentials import (
    MINIMA,
    MINIMA_ENERGIES,
    SADDLE_ENERGIES,
    egg_box,
    muller_brown,
    one_atom,
    polynomial,
    stationary,
    tilted_well,
    vacancy_hop,
)

from superionic.structures.errors import InvalidStructureError, ProtocolError
from superionic.structures.structure import Structure
from superionic.workflows.context import TaskContext, entered, load_checkpoint, save_checkpoint
from superionic.workflows.evaluation import CallCounter
from superionic.workflows.neb import Band, BandSettings, band_guess, run_band
from superionic.workflows.relax import RelaxSettings, relax

Array = NDArray[np.float64]
TIGHT = BandSettings(fmax_eV_per_A=0.02, saddle_fmax_eV_per_A=0.002)


def relaxed_ends() -> tuple[Structure, Structure]:
    hop = vacancy_hop()
    settings = RelaxSettings(fmax_eV_per_A=0.005)
    start, end = (relax(s, calculator=EMT(), settings=settings) for s in (hop.initial, hop.final))
    return start.structure, end.structure


@pytest.fixture(scope="module")
def ends() -> tuple[Structure, Structure]:
    return relaxed_ends()


@pytest.fixture(scope="module")
def band(ends: tuple[Structure, Structure]) -> Band:
    return run_band(*ends, calculator=EMT(), settings=TIGHT)


def random_band(start: Structure, end: Structure, images: int, seed: int) -> Array:
    rng = np.random.default_rng(seed)
    return band_guess(start, end, images) + rng.normal(scale=0.05, size=(images, len(start), 3))


def energies_and_forces(structure: Structure, path: Array) -> tuple[Array, Array]:
    energies, forces = [], []
    for positions in path:
        atoms = structure.with_positions(positions).to_ase()
        atoms.calc = EMT()
        energies.append(atoms.get_potential_energy())
        forces.append(atoms.get_forces())
    return np.array(energies), np.array(forces)


def written_out(path: Array, energies: Array, forces: Array, spring: float) -> Array:
    """Band forces from the formulas of Henkelman, Uberuaga and Jonsson, image by image."""
    top = 1 + int(np.argmax(energies[1:-1]))
    out = []
    for i in range(1, len(path) - 1):
        after, before = path[i + 1] - path[i], path[i] - path[i - 1]
        up, down = energies[i + 1] - energies[i], energies[i - 1] - energies[i]
        if up > 0 > down:
            tangent = after
        elif up < 0 < down:
            tangent = before
        else:
            big, small = max(abs(up), abs(down)), min(abs(up), abs(down))
            higher = energies[i + 1] > energies[i - 1]
            tangent = after * (big if higher else small) + before * (small if higher else big)
        tangent = tangent / np.linalg.norm(tangent)
        along = (forces[i] * tangent).sum()
        if i == top:
            out.append(forces[i] - 2 * along * tangent)
        else:
            pull = spring * (np.linalg.norm(after) - np.linalg.norm(before))
            out.append(forces[i] - along * tangent + pull * tangent)
    return np.array(out)


def ase_band(structure: Structure, path: Array, spring: float = 0.1) -> NEB:
    images = [structure.with_positions(p).to_ase() for p in path]
    for image in images:
        image.calc = EMT()
    return NEB(images, k=spring, climb=True, method="improvedtangent")


# ---- forces and residuals


@pytest.mark.parametrize("seed", [0, 1])
def test_residual_of_a_random_band(ends: tuple[Structure, Structure], seed: int) -> None:
    guess = random_band(*ends, 5, seed)
    settings = BandSettings(max_steps=0, spring_eV_per_A2=0.3)
    found = run_band(*ends, calculator=EMT(), settings=settings, guess=guess)
    np.testing.assert_array_equal(found.positions[1:-1], guess)
    energies, forces = energies_and_forces(ends[0], found.positions)
    np.testing.assert_allclose(found.energies_eV, energies, atol=1e-10)
    slow = written_out(found.positions, energies, forces, 0.3)
    theirs = ase_band(ends[0], found.positions, 0.3).get_forces().reshape(slow.shape)
    np.testing.assert_allclose(slow, theirs, atol=1e-10)
    norms = np.linalg.norm(slow, axis=2)
    assert found.fmax_eV_per_A == pytest.approx(norms.max(), abs=1e-9)
    top = int(np.argmax(energies[1:-1]))
    assert found.saddle_fmax_eV_per_A == pytest.approx(norms[top].max(), abs=1e-9)
    assert not found.converged


def test_a_converged_band_is_converged_for_ase_too(
    ends: tuple[Structure, Structure], band: Band
) -> None:
    assert band.converged
    neb = ase_band(ends[0], band.positions)
    forces = neb.get_forces().reshape(5, -1, 3)
    assert np.linalg.norm(forces, axis=2).max() <= TIGHT.fmax_eV_per_A
    assert np.linalg.norm(forces, axis=2).max() == pytest.approx(band.fmax_eV_per_A, abs=1e-9)


def test_the_residual_that_ases_band_optimiser_stops_at_leaves_the_saddle_out(
    ends: tuple[Structure, Structure], band: Band
) -> None:
    shaken = np.array(band.positions)
    top = int(np.argmax(band.energies_eV))
    shaken[top] += np.random.default_rng(3).normal(scale=0.03, size=shaken[top].shape)
    neb = ase_band(ends[0], shaken)
    forces = np.linalg.norm(neb.get_forces().reshape(5, -1, 3), axis=2)
    theirs = float(neb.get_residual())
    settings = replace(TIGHT, max_steps=0)
    ours = run_band(*ends, calculator=EMT(), settings=settings, guess=shaken[1:-1])
    assert ours.fmax_eV_per_A == pytest.approx(forces.max())
    assert forces[top - 1].max() == forces.max()
    assert theirs < 0.3 * ours.fmax_eV_per_A
    assert not ours.converged


# ---- saddles


def test_the_saddle_is_stationary_with_one_way_down(
    ends: tuple[Structure, Structure], band: Band
) -> None:
    top = int(np.argmax(band.energies_eV))
    atoms = ends[0].with_positions(band.positions[top]).to_ase()
    atoms.calc = EMT()
    assert np.linalg.norm(atoms.get_forces(), axis=1).max() < 2 * TIGHT.saddle_fmax_eV_per_A
    start, h = atoms.positions.copy(), 0.005
    hessian = np.zeros((start.size, start.size))
    for k in range(start.size):
        for sign in (1.0, -1.0):
            atoms.positions = start + sign * h * np.eye(1, start.size, k).reshape(start.shape)
            hessian[k] -= sign * atoms.get_forces().ravel() / (2 * h)
    values, modes = np.linalg.eigh(0.5 * (hessian + hessian.T))
    assert values[0] < -0.1
    assert np.abs(values[1:4]).max() < 0.01  # three translations
    assert values[4] > 0.1
    along = band.positions[top + 1] - band.positions[top - 1]
    overlap = abs(modes[:, 0] @ along.ravel()) / np.linalg.norm(along)
    assert overlap > 0.9


def test_against_a_plain_band_of_ase(ends: tuple[Structure, Structure], band: Band) -> None:
    start, end = (s.to_ase() for s in ends)
    images = [start, *(start.copy() for _ in range(5)), end]
    for image in images:
        image.calc = EMT()
    neb = NEB(images, climb=True, method="improvedtangent")
    neb.interpolate(mic=True)
    assert FIRE(neb, logfile=None).run(fmax=0.01, steps=500)
    theirs = [image.get_potential_energy() for image in images]
    assert band.energies_eV.max() == pytest.approx(max(theirs), abs=1e-3)


def test_double_well_saddle() -> None:
    curve = tilted_well()
    (left, low), (top, high), (right, _) = stationary(curve)
    found = run_band(
        one_atom((left, 0.0, 0.0)),
        one_atom((right, 0.0, 0.0)),
        calculator=polynomial(curve),
        settings=TIGHT,
    )
    k = int(np.argmax(found.energies_eV))
    assert found.converged
    assert found.energies_eV[k] - found.energies_eV[0] == pytest.approx(high - low, abs=1e-5)
    assert found.positions[k, 0, 0] == pytest.approx(top, abs=0.01)


@pytest.mark.parametrize(("first", "second", "saddle"), [(0, 1, 0), (1, 2, 1)])
def test_muller_brown_saddles(first: int, second: int, saddle: int) -> None:
    scale, length = 0.005, 2.0
    minima = [(*(length * x for x in p), 0.0) for p in MINIMA]
    found = run_band(
        one_atom(minima[first]),
        one_atom(minima[second]),
        calculator=muller_brown(energy_scale=scale, length_scale=length),
        settings=TIGHT,
    )
    assert found.converged
    expected = scale * SADDLE_ENERGIES[saddle]
    assert found.energies_eV.max() == pytest.approx(expected, abs=1e-4)
    bottom = scale * MINIMA_ENERGIES[first]
    assert found.energies_eV[0] == pytest.approx(bottom, abs=1e-5)


# ---- flags


def test_stopped_by_its_step_limit_a_band_is_not_converged(
    ends: tuple[Structure, Structure],
) -> None:
    for steps in (0, 1, 3):
        found = run_band(*ends, calculator=EMT(), settings=replace(TIGHT, max_steps=steps))
        assert not found.converged
        assert found.steps <= steps + 1
        assert found.fmax_eV_per_A > TIGHT.fmax_eV_per_A


def test_an_unsharpened_saddle_is_not_converged(ends: tuple[Structure, Structure]) -> None:
    loose = BandSettings(fmax_eV_per_A=0.05, saddle_fmax_eV_per_A=1e-6, saddle_max_steps=1)
    found = run_band(*ends, calculator=EMT(), settings=loose)
    assert found.fmax_eV_per_A <= 0.05
    assert found.saddle_fmax_eV_per_A > 1e-6
    assert not found.converged


def test_force_calls_are_counted(ends: tuple[Structure, Structure]) -> None:
    counter = CallCounter()
    settings = replace(TIGHT, max_steps=0)
    run_band(*ends, calculator=EMT(), settings=settings, counter=counter)
    assert counter.calls == 7  # each image and end once


def test_the_band_is_frozen_and_its_ends_are_those_given(
    ends: tuple[Structure, Structure], band: Band
) -> None:
    np.testing.assert_array_equal(band.positions[0], ends[0].positions)
    np.testing.assert_allclose(band.positions[-1], ends[1].positions, atol=1e-9)
    with pytest.raises(ValueError, match="read-only"):
        band.positions[0, 0, 0] = 1.0


# ---- the way across a boundary, and the first guess


def wrapped(structure: Structure) -> Structure:
    atoms = structure.to_ase()
    atoms.wrap()
    return structure.with_positions(atoms.positions)


def periodic(x: float) -> Structure:
    return Structure(numbers=np.array([11]), positions=np.array([[x, 0, 0]]), cell=np.eye(3) * 9.0)


def test_a_hop_across_the_boundary_takes_the_short_way() -> None:
    box = egg_box(period=3.0, height=0.4)
    found = run_band(periodic(6.0), periodic(0.0), calculator=box, settings=TIGHT)
    assert found.converged
    np.testing.assert_allclose(found.positions[[0, -1], 0, 0], [6.0, 9.0])
    assert np.ptp(found.energies_eV) == pytest.approx(0.4, abs=1e-4)
    assert (np.diff(found.positions[:, 0, 0]) > 0).all()


def test_wrapping_changes_nothing(ends: tuple[Structure, Structure], band: Band) -> None:
    other = run_band(wrapped(ends[0]), wrapped(ends[1]), calculator=EMT(), settings=TIGHT)
    assert other.energies_eV.max() == pytest.approx(band.energies_eV.max(), abs=1e-4)
    steps = np.abs(np.diff(other.positions, axis=0)).max()
    assert steps < 1.5  # no image jumps by a lattice vector


def test_the_guess_keeps_atoms_apart() -> None:
    """An ion that passes close by another is led round it."""
    start = Structure(
        numbers=np.array([11, 8]),
        positions=np.array([[-2.0, 0.1, 0.0], [0.0, 0.0, 0.0]]),
        cell=np.eye(3) * 15,
    )
    end = start.with_positions(np.array([[2.0, 0.1, 0.0], [0.0, 0.0, 0.0]]))
    straight = np.linalg.norm(0.5 * (start.positions + end.positions)[0])
    guess = band_guess(start, end, 5)
    nearest = np.linalg.norm(guess[:, 0] - guess[:, 1], axis=1).min()
    assert straight == pytest.approx(0.1)
    assert nearest > 1.0
    assert guess.shape == (5, 2, 3)


def test_the_guess_of_a_lone_atom_is_straight() -> None:
    guess = band_guess(one_atom((0.0, 0.0, 0.0)), one_atom((3.0, 0.0, 0.0)), 2)
    np.testing.assert_allclose(guess[:, 0], [[1.0, 0, 0], [2.0, 0, 0]])


# ---- refused


def test_ends_must_be_the_same_atoms_in_the_same_cell() -> None:
    start = one_atom((0.0, 0.0, 0.0))
    for end in (
        one_atom((3.0, 0.0, 0.0), symbol=19),
        one_atom((3.0, 0.0, 0.0), box=21.0),
        periodic(3.0),
    ):
        with pytest.raises(InvalidStructureError, match="same atoms in the same order"):
            run_band(start, end, calculator=polynomial([1.0]), settings=TIGHT)


def test_a_guess_must_fit() -> None:
    start, end = one_atom((0.0, 0.0, 0.0)), one_atom((3.0, 0.0, 0.0))
    with pytest.raises(InvalidStructureError, match="Expected a guess for 5 images"):
        run_band(
            start, end, calculator=polynomial([1.0]), settings=TIGHT, guess=np.zeros((4, 1, 3))
        )


@pytest.mark.parametrize(
    "changes",
    [
        {"images": 0},
        {"fmax_eV_per_A": 0.0},
        {"saddle_fmax_eV_per_A": -0.1},
        {"spring_eV_per_A2": 0.0},
        {"max_steps": -1},
        {"saddle_max_steps": -1},
    ],
)
def test_refuses_settings_that_cannot_work(changes: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        BandSettings(**changes)


# ---- going on after a kill


def task(folder: Path) -> TaskContext:
    folder.mkdir(exist_ok=True)
    return TaskContext(lambda: folder)


def test_a_killed_band_goes_on_where_it_was(
    ends: tuple[Structure, Structure], band: Band, tmp_path: Path
) -> None:
    """A limit of steps stands for the kill: what it leaves behind is the last checkpoint."""
    fresh, again = CallCounter(), CallCounter()
    settings = replace(TIGHT, fmax_eV_per_A=0.01)
    run_band(*ends, calculator=EMT(), settings=settings, counter=fresh)
    with entered(task(tmp_path / "run")):
        cut = replace(settings, max_steps=16)
        stopped = run_band(*ends, calculator=EMT(), settings=cut, checkpoint="band")
        assert not stopped.converged
        saved = load_checkpoint("band")
        assert saved is not None
        assert saved["positions"].shape == (5, 26, 3)
        found = run_band(
            *ends, calculator=EMT(), settings=settings, counter=again, checkpoint="band"
        )
    assert found.converged
    assert found.energies_eV.max() == pytest.approx(band.energies_eV.max(), abs=1e-4)
    assert again.calls < 0.6 * fresh.calls


def test_a_checkpoint_of_other_ends_is_not_used(
    ends: tuple[Structure, Structure], tmp_path: Path
) -> None:
    start, end = ends
    far = np.array(band_guess(start, end, 5)) + 0.3
    settings = replace(TIGHT, max_steps=0)
    for saved in (
        {"positions": far, "ends": np.array([start.positions + 0.3, end.positions])},
        {"positions": far[:4], "ends": np.array([start.positions, end.positions])},
        {"positions": far},
    ):
        with entered(task(tmp_path / "run")):
            save_checkpoint("band", saved)
            found = run_band(start, end, calculator=EMT(), settings=settings, checkpoint="band")
        assert np.abs(found.positions[1:-1] - far).max() > 0.1


def test_no_task_no_checkpoint(ends: tuple[Structure, Structure], tmp_path: Path) -> None:
    settings = replace(TIGHT, max_steps=6)
    run_band(*ends, calculator=EMT(), settings=settings, checkpoint="band")
    assert load_checkpoint("band") is None
