"""Scans in fixed steps: against direct evaluations, curves written down, and what is held."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ase.calculators.emt import EMT
from numpy.typing import NDArray
from potentials import Analytic, aluminium, egg_box, make_hop, point_hop, vacancy_hop

from superionic.analysis.barriers import BarrierResult
from superionic.structures.errors import EvidenceError, InvalidHopError
from superionic.structures.structure import Structure
from superionic.workflows.barrier import BarrierSettings, find_barrier
from superionic.workflows.endpoints import EndSettings
from superionic.workflows.relax import RelaxSettings
from superionic.workflows.scan import (
    ScanSettings,
    farthest_framework_atom,
    relaxed_scan,
    rigid_scan,
    scan_task,
)

Array = NDArray[np.float64]
BOX = egg_box(period=3.0, height=0.3)
EXACT = BarrierSettings(
    ends=EndSettings(relax=RelaxSettings(fmax_eV_per_A=1e-4, max_steps=300, rattle_ang=0.01))
)


@pytest.fixture(scope="module")
def egg() -> BarrierResult:
    """An ion alone in an egg-box, along x."""
    return find_barrier(point_hop((0, 0, 0), (3, 0, 0)), calculator=BOX, settings=EXACT)


@pytest.fixture(scope="module")
def vacancy() -> BarrierResult:
    return find_barrier(vacancy_hop(), calculator=EMT(), theory="emt")


# ---- the steps


@pytest.mark.parametrize(("step", "points"), [(0.05, 21), (0.1, 11), (0.5, 3), (1.0, 2)])
def test_number_of_points(egg: BarrierResult, step: float, points: int) -> None:
    settings = ScanSettings(step_fractional=step)
    for scan in (rigid_scan, relaxed_scan):
        found = scan(egg, route="A", calculator=BOX, settings=settings)
        assert len(found.coordinate) == points
        np.testing.assert_allclose(found.coordinate, np.linspace(0.0, 1.0, points))


def test_twenty_one_points_by_default(egg: BarrierResult) -> None:
    assert len(rigid_scan(egg, route="A", calculator=BOX).coordinate) == 21


@pytest.mark.parametrize("step", [0.0, -0.1, 0.3, 1.5])
def test_a_step_must_divide_the_route(egg: BarrierResult, step: float) -> None:
    with pytest.raises(InvalidHopError, match="divides the route"):
        rigid_scan(egg, route="A", calculator=BOX, settings=ScanSettings(step_fractional=step))


# ---- curves written down


def test_both_scans_of_an_egg_box_are_its_cosine(egg: BarrierResult) -> None:
    s = np.linspace(0.0, 1.0, 21)
    expected = 0.15 * (1 - np.cos(2 * np.pi * s))
    rigid = rigid_scan(egg, route="A", calculator=BOX)
    relaxed = relaxed_scan(egg, route="B", calculator=BOX)
    for found in (rigid, relaxed):
        np.testing.assert_allclose(found.energies_eV, expected, atol=1e-4)
        assert found.barrier_eV == pytest.approx(0.3, abs=1e-4)
        assert found.all_converged
    assert (rigid.kind, rigid.route) == ("rigid", "A")
    assert (relaxed.kind, relaxed.route) == ("relaxed", "B")
    assert rigid.force_calls == 21
    assert rigid.fmax_target_eV_per_A is None


def bent_valley() -> Analytic:
    """The valley bends aside by up to 0.6 A: a straight line must climb its wall."""

    def function(positions: Array) -> tuple[float, Array]:
        x, y, z = positions[0]
        bend = 0.3 * (1 - np.cos(2 * np.pi * x / 3.0))
        slope = 0.3 * 2 * np.pi / 3.0 * np.sin(2 * np.pi * x / 3.0)
        energy = 0.1 * (1 - np.cos(2 * np.pi * x / 3.0)) + 2.0 * (y - bend) ** 2 + z * z
        along = 0.1 * 2 * np.pi / 3.0 * np.sin(2 * np.pi * x / 3.0)
        return float(energy), np.array(
            [[along - 4.0 * (y - bend) * slope, 4.0 * (y - bend), 2 * z]]
        )

    return Analytic(function)


def test_rigid_climbs_the_wall_and_relaxed_follows_the_valley() -> None:
    valley = bent_valley()
    hop = find_barrier(point_hop((0, 0, 0), (3, 0, 0)), calculator=valley, settings=EXACT)
    s = np.linspace(0.0, 1.0, 21)
    floor, wall = 0.1 * (1 - np.cos(2 * np.pi * s)), 2.0 * (0.3 * (1 - np.cos(2 * np.pi * s))) ** 2
    rigid = rigid_scan(hop, route="A", calculator=valley)
    np.testing.assert_allclose(rigid.energies_eV, floor + wall, atol=1e-3)
    settings = ScanSettings(fmax_eV_per_A=1e-3)
    relaxed = relaxed_scan(hop, route="A", calculator=valley, settings=settings)
    np.testing.assert_allclose(relaxed.energies_eV, floor, atol=1e-4)
    assert hop.forward_barrier_eV == pytest.approx(relaxed.barrier_eV, abs=1e-3)
    assert rigid.barrier_eV == pytest.approx(0.2 + 2.0 * 0.36, abs=1e-3)
    np.testing.assert_allclose(relaxed.ion_positions[:, 0], 3.0 * s, atol=1e-3)
    np.testing.assert_allclose(relaxed.ion_positions[10, 1], 0.6, atol=1e-3)


# ---- a crystal


def test_rigid_scan_is_the_energy_of_each_point(vacancy: BarrierResult) -> None:
    found = rigid_scan(vacancy, route="A", calculator=EMT())
    assert vacancy.structure is not None
    atoms = vacancy.structure.to_ase()
    atoms.calc = EMT()
    first, last = vacancy.positions[[0, -1], vacancy.ion]
    energies = []
    for s in np.linspace(0.0, 1.0, 21):
        atoms.positions = vacancy.positions[0]
        atoms.positions[vacancy.ion] = first + s * (last - first)
        energies.append(atoms.get_potential_energy())
        np.testing.assert_allclose(
            found.ion_positions[len(energies) - 1], atoms.positions[vacancy.ion], atol=1e-9
        )
    np.testing.assert_allclose(found.energies_eV, np.array(energies) - energies[0], atol=1e-9)
    assert found.hop_key == vacancy.key
    assert found.force_calls == 21
    assert found.barrier_eV is not None
    assert vacancy.forward_barrier_eV is not None
    assert found.barrier_eV > vacancy.forward_barrier_eV + 0.05  # the framework cannot give way


def test_relaxed_scan_keeps_the_ion_in_its_plane_and_one_atom_in_place(
    vacancy: BarrierResult,
) -> None:
    settings = ScanSettings(step_fractional=0.1, fmax_eV_per_A=0.02)
    found = relaxed_scan(vacancy, route="A", calculator=EMT(), settings=settings)
    assert found.all_converged
    first, last = vacancy.positions[[0, -1], vacancy.ion]
    line = (last - first) / np.linalg.norm(last - first)
    walked = (found.ion_positions - first) @ line
    np.testing.assert_allclose(walked, found.coordinate * np.linalg.norm(last - first), atol=1e-6)
    assert (found.fmax_eV_per_A <= 0.02).all()
    assert vacancy.structure is not None
    anchor = farthest_framework_atom(vacancy.structure, vacancy.ion, np.array([first, last]))
    assert anchor is not None
    assert anchor != vacancy.ion
    assert f"but atom {anchor} (Al)" in found.constraint
    assert found.barrier_eV == pytest.approx(vacancy.forward_barrier_eV, abs=0.01)


def test_more_freedom_never_costs_energy(vacancy: BarrierResult) -> None:
    settings = ScanSettings(step_fractional=0.25, fmax_eV_per_A=0.01)
    rigid = rigid_scan(vacancy, route="A", calculator=EMT(), settings=settings)
    relaxed = relaxed_scan(vacancy, route="A", calculator=EMT(), settings=settings)
    assert (relaxed.energies_eV <= rigid.energies_eV + 1e-3).all()


def test_a_point_that_does_not_converge_is_no_value(vacancy: BarrierResult) -> None:
    settings = ScanSettings(step_fractional=0.25, fmax_eV_per_A=1e-3, max_steps=2)
    found = relaxed_scan(vacancy, route="A", calculator=EMT(), settings=settings)
    assert found.barrier_eV is None
    assert not found.all_converged
    assert found.values_eV[2] is None
    assert (found.fmax_eV_per_A[~found.converged] > 1e-3).any()


# ---- the anchor


def test_the_anchor_is_the_farthest_atom_of_another_element() -> None:
    structure = Structure(
        numbers=np.array([11, 11, 8, 8, 8]),
        positions=np.array([[0, 0, 0], [5, 5, 5], [1, 0, 0], [4, 4, 4], [9, 0, 0.0]]),
        cell=np.eye(3) * 10.0,
    )
    line = np.array([[0, 0, 0], [1.0, 0, 0]])
    assert farthest_framework_atom(structure, 0, line) == 3  # atom 4 is near, across the boundary
    assert farthest_framework_atom(structure, 1, line) == 3


def test_the_anchor_of_an_element_is_never_the_ion() -> None:
    metal = aluminium(cubic=True)
    for ion in range(4):
        line = metal.positions[ion] + np.array([[0.0, 0, 0], [0.5, 0, 0]])
        anchor = farthest_framework_atom(metal, ion, line)
        assert anchor is not None
        assert anchor != ion
    assert farthest_framework_atom(metal.take([0]), 0, line) is None


def test_the_crystal_does_not_follow_the_ion() -> None:
    """Two atoms on springs to each other only: without an anchor both would just drift."""

    def function(positions: Array) -> tuple[float, Array]:
        gap = positions[1] - positions[0] - np.array([4.0, 0.0, 0.0])
        return float(gap @ gap), np.array([-2 * gap, 2 * gap])

    host = Structure(
        numbers=np.array([11, 8]),
        positions=np.array([[0.0, 0, 0], [4.0, 0, 0]]),
        cell=np.eye(3) * 20.0,
        pbc=(False, False, False),
    )
    spring = Analytic(function)
    hop = make_hop(host, 0, (1.0, 0.0, 0.0))
    made = find_barrier(point_hop((0, 0, 0), (3, 0, 0)), calculator=BOX, settings=EXACT)
    route = replace(
        made,
        structure=host,
        positions=np.array([hop.initial.positions, hop.final.positions]),
        energies_eV=np.array([0.0, 1.0]),
        coordinate_ang=np.array([0.0, 1.0]),
        ion_coordinate=np.array([0.0, 1.0]),
        forward_barrier_eV=1.0,
        reverse_barrier_eV=0.0,
        reaction_energy_eV=1.0,
    )
    found = relaxed_scan(route, route="A", calculator=spring)
    np.testing.assert_allclose(found.energies_eV, found.coordinate**2, atol=1e-9)


# ---- the job, and refusals


def test_the_job_is_the_function(vacancy: BarrierResult) -> None:
    settings = ScanSettings(step_fractional=0.5)
    one = scan_task(vacancy, "A", "rigid", settings)
    other = rigid_scan(vacancy, route="A", calculator=EMT(), settings=settings)
    np.testing.assert_array_equal(one.energies_eV, other.energies_eV)
    assert scan_task(vacancy, "A", "relaxed", settings).kind == "relaxed"


def test_a_hop_without_images_has_no_route(egg: BarrierResult) -> None:
    empty = replace(
        egg,
        verdict="other-basin",
        reason="why",
        converged=False,
        forward_barrier_eV=None,
        reverse_barrier_eV=None,
        reaction_energy_eV=None,
        energies_eV=np.zeros(0),
        coordinate_ang=np.zeros(0),
        ion_coordinate=np.zeros(0),
        positions=np.zeros((0, 1, 3)),
    )
    for scan in (rigid_scan, relaxed_scan):
        with pytest.raises(EvidenceError, match="no route to scan"):
            scan(empty, route="A", calculator=BOX)
