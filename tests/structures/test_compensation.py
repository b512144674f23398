from __future__ import annotations

import itertools

import numpy as np
import pytest
from ase.build import bulk
from ase.neighborlist import neighbor_list

from superionic.structures.compensation import MAX_PATTERNS, BoundaryPlane, balance
from superionic.structures.crystals import reference_crystal
from superionic.structures.electrostatics import ewald_matrix
from superionic.structures.errors import InvalidSlabError
from superionic.structures.structure import Structure
from superionic.structures.surfaces import Slab, build_slab

SIDE = 4.0


def plates(n: int) -> tuple[np.ndarray, np.ndarray, BoundaryPlane, np.ndarray]:
    """n x 1 cations on the lower plate, anions of half their charge in two planes above."""
    x = SIDE * np.arange(n)
    zero = np.zeros(n)
    low = np.stack([x, zero, zero], axis=1)
    middle = [np.stack([x, zero, zero + z], axis=1) for z in (2.0, 4.0)]
    positions = np.vstack([low, *middle])
    charges = np.repeat([1.0, -0.5, -0.5], n)
    sites = np.stack([x, zero, zero + 6.0], axis=1)
    cell = np.diag([SIDE * n, SIDE, 1.0])
    return positions, charges, BoundaryPlane(np.arange(n), sites, 1.0), cell


def rock_salt_111(repeat: tuple[int, int], seed: int = 0) -> Slab:
    crystal = Structure.from_ase(bulk("NaCl", "rocksalt", a=5.64))
    return build_slab(
        crystal, miller=(1, 1, 1), layers=2, repeat=repeat, compensate=True, seed=seed
    )


@pytest.mark.parametrize(("n", "count"), [(2, 1), (4, 2), (6, 3)])
def test_half_of_the_ions_move_and_keep_apart(n: int, count: int) -> None:
    positions, charges, plane, cell = plates(n)
    move = balance(positions, charges, plane, cell=cell, seed=0)
    assert move is not None
    assert len(move.ions) == len(move.sites) == count
    # on either face every second site is filled
    kept = sorted(set(range(n)) - set(move.ions.tolist()))
    assert set(np.diff(kept)) <= {2}
    assert set(np.diff(np.sort(move.sites))) <= {2}
    after = positions.copy()
    after[plane.ions[move.ions]] = plane.sites[move.sites]
    assert charges @ after[:, 2] == pytest.approx(0.0, abs=1e-12)


def test_one_ion_cannot_be_halved() -> None:
    positions, charges, plane, cell = plates(1)
    assert balance(positions, charges, plane, cell=cell, seed=0) is None


def test_a_plane_of_the_wrong_sign_stays() -> None:
    positions, charges, plane, cell = plates(2)
    assert balance(positions, -charges, plane, cell=cell, seed=0) is None


def test_pattern_has_the_lowest_energy_of_all_that_are_spread_out() -> None:
    positions, charges, plane, cell = plates(4)
    move = balance(positions, charges, plane, cell=cell, seed=3)
    assert move is not None
    energy: dict[tuple[tuple[int, ...], tuple[int, ...]], float] = {}
    for stay, fill in itertools.product(((0, 2), (1, 3)), repeat=2):
        after = positions.copy()
        moved = [k for k in range(4) if k not in stay]
        after[moved] = plane.sites[list(fill)]
        box = cell * np.array([[1.0], [1.0], [26.0]])
        energy[stay, fill] = charges @ ewald_matrix(after @ np.linalg.inv(box), box) @ charges
    kept = tuple(k for k in range(4) if k not in move.ions)
    chosen = energy[kept, tuple(sorted(move.sites.tolist()))]
    assert chosen == pytest.approx(min(energy.values()), abs=1e-4)


def test_large_faces_are_sampled_reproducibly() -> None:
    n = 16
    positions, charges, plane, cell = plates(n)
    assert MAX_PATTERNS < 12870  # 16 over 8
    first, again, other = (balance(positions, charges, plane, cell=cell, seed=s) for s in (1, 1, 2))
    assert first is not None
    assert again is not None
    assert other is not None
    assert first.ions.tolist() == again.ions.tolist()
    assert first.sites.tolist() == again.sites.tolist()
    assert len(other.ions) == n // 2


@pytest.mark.parametrize("repeat", [(2, 1), (2, 2), (4, 1)])
def test_rock_salt_111_loses_its_dipole(repeat: tuple[int, int]) -> None:
    slab = rock_salt_111(repeat)
    area = repeat[0] * repeat[1]
    assert not slab.polar
    assert slab.stoichiometric
    assert slab.dipole_e_ang == pytest.approx(0.0, abs=1e-9)
    assert len(slab.moved) == area // 2
    assert len(slab.empty_sites) == area
    z, thickness = slab.structure.positions[:, 2], slab.thickness_ang
    assert thickness == pytest.approx(4 * 5.64 / (2 * np.sqrt(3)))
    faces = [(abs(z - z.min()) < 1e-6).sum(), (abs(z - z.max()) < 1e-6).sum()]
    assert faces == [area // 2, area // 2]
    # moved ions and empty sites lie where the crystal continues: nearest neighbours a / 2 away
    near = neighbor_list("d", slab.structure.to_ase(), 3.5)
    assert near.min() == pytest.approx(5.64 / 2)


def test_odd_repeat_is_told_what_to_do() -> None:
    with pytest.raises(InvalidSlabError, match=r"even in-plane repeat such as \(2, 1\)"):
        rock_salt_111((1, 1))


def test_equal_patterns_have_equal_energies() -> None:
    crystal = reference_crystal("na4zr2si3o12").structure.to_structure()
    charge = {"Na": 1.0, "Zr": 4.0, "Si": 4.0, "O": -2.0}
    energies, moved = [], set()
    for seed in range(6):
        slab = build_slab(
            crystal, miller=(0, 0, 1), layers=4, repeat=(2, 1), compensate=True, seed=seed
        )
        atoms = slab.structure
        q = np.array([charge[s] for s in atoms.symbols])
        energies.append(q @ ewald_matrix(atoms.fractional, atoms.cell) @ q)
        moved.add(slab.moved)
    assert np.ptp(energies) < 1e-3
    assert len(moved) == 2


def test_polyanions_do_not_move() -> None:
    crystal = reference_crystal("na4zr2si3o12").structure.to_structure()
    with pytest.raises(InvalidSlabError, match="single ions of one element"):
        # both faces mix ions: nothing there may be carried over
        build_slab(
            crystal, miller=(1, 1, 0), layers=1, termination="Na+SiO4|Na+Zr", compensate=True
        )
