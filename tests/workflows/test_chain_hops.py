"""Hops along a chain: pockets chosen by geometry, ends judged, bands and drags with evidence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from potentials import Analytic
from toy_chain import Array, toy_potential, toy_system

from superionic.analysis.chain_hops import ChainHop
from superionic.structures.errors import ProtocolError
from superionic.structures.molecule import framed
from superionic.workflows.barrier import BarrierSettings
from superionic.workflows.chain_hops import drag, find_chain_hop, stationary_images
from superionic.workflows.chain_pockets import (
    ChainHopSettings,
    ChainSystem,
    RelaxedPocket,
    choose_pair,
    middle_pockets,
    relax_pocket,
    what_broke,
)
from superionic.workflows.relax import RelaxSettings
from superionic.workflows.scan import ScanSettings
from superionic.workflows.serialise import decode, encode
from superionic.workflows.tethers import Tethers, tethered

SETTINGS = ChainHopSettings(
    pocket_size=2,
    pockets=3,
    cutoff_ang=3.0,
    relax=RelaxSettings(fmax_eV_per_A=0.01, max_steps=300),
    barrier=BarrierSettings(),
    drag=ScanSettings(step_fractional=0.1, fmax_eV_per_A=0.02, max_steps=200),
)


@pytest.fixture(scope="module")
def system() -> ChainSystem:
    return toy_system()


@pytest.fixture(scope="module")
def pockets(system: ChainSystem) -> list[RelaxedPocket]:
    engine = tethered(toy_potential(system), system.tethers)
    return [
        relax_pocket(system, p, calculator=engine, settings=SETTINGS, theory="toy")
        for p in middle_pockets(system, SETTINGS)
    ]


@pytest.fixture(scope="module")
def hop(system: ChainSystem, pockets: list[RelaxedPocket]) -> ChainHop:
    engine = tethered(toy_potential(system), system.tethers)
    pair = choose_pair(pockets, SETTINGS)
    assert pair is not None
    start, end = (pockets[k] for k in pair)
    found = find_chain_hop(system, start, end, calculator=engine, settings=SETTINGS, theory="toy")
    along = drag(system, start, end, calculator=engine, settings=SETTINGS, theory="toy")
    against = drag(system, end, start, calculator=engine, settings=SETTINGS, theory="toy")
    return replace(found, drags=(along, against))


def test_pockets_are_the_middle_ones_and_distinct(
    system: ChainSystem, pockets: list[RelaxedPocket]
) -> None:
    assert [p.pocket.donors for p in pockets] == [(1, 2), (2, 3), (3, 4)]
    assert all(p.verdict == "converged" for p in pockets)
    assert len({p.held_by for p in pockets}) == 3
    assert choose_pair(pockets, SETTINGS) in {(0, 1), (1, 2)}
    away = pockets[0].relaxed.structure.positions[list(system.tethers.atoms)]
    assert np.abs(away - system.tethers.anchors).max() < 0.3


def test_hop_has_a_barrier_with_its_evidence(hop: ChainHop) -> None:
    found = hop.barrier
    assert found.verdict == "converged", found.reason
    assert hop.ends[0] != hop.ends[1]
    assert hop.sets[0] == hop.ends[0]
    assert hop.sets[-1] == hop.ends[1]
    assert hop.climb_eV is not None
    assert 0.05 < hop.climb_eV < 1.3
    assert hop.stations[0] == hop.ends[0]
    assert max(hop.steps_eV) <= hop.climb_eV + 1e-9
    assert found.site_types == tuple("+".join(map(str, e)) for e in hop.ends)
    assert hop.charge == 1
    assert hop.spring_eV.max() < 0.1
    assert {0, len(found.energies_eV) - 1} <= set(stationary_images(found))


def test_drags_tell_the_climb_and_differ_where_two_ways_are_open(hop: ChainHop) -> None:
    along, against = hop.drag_climbs_eV
    assert along is not None
    assert against is not None
    assert hop.hysteresis_eV is not None
    assert 0.0 < hop.hysteresis_eV < 0.1, "the ion rounds a donor on either side"
    assert along == pytest.approx(hop.barrier.forward_barrier_eV, abs=0.06)
    assert hop.difference_eV == pytest.approx(hop.barrier.reaction_energy_eV, abs=0.01)


def test_result_survives_being_stored(hop: ChainHop) -> None:
    again = decode(encode(hop))
    assert isinstance(again, ChainHop)
    assert again.climb_eV == hop.climb_eV
    assert again.sets == hop.sets
    assert again.hysteresis_eV == hop.hysteresis_eV


def no_engine(system: ChainSystem, start: RelaxedPocket, end: RelaxedPocket) -> ChainHop:
    engine = tethered(toy_potential(system), system.tethers)
    return find_chain_hop(system, start, end, calculator=engine, settings=SETTINGS, theory="toy")


def test_both_ends_in_one_pocket_is_no_hop(
    system: ChainSystem, pockets: list[RelaxedPocket]
) -> None:
    same = replace(pockets[1], held_by=pockets[0].held_by)
    found = no_engine(system, pockets[0], same)
    assert found.barrier.verdict == "other-basin"
    assert "one pocket" in found.barrier.reason
    assert found.climb_eV is None
    assert found.steps_eV == ()
    assert found.hysteresis_eV is None


def test_an_end_that_did_not_relax_has_no_value(
    system: ChainSystem, pockets: list[RelaxedPocket]
) -> None:
    tired = relax_pocket(
        system,
        pockets[1].pocket,
        calculator=tethered(toy_potential(system), system.tethers),
        settings=replace(SETTINGS, relax=RelaxSettings(fmax_eV_per_A=1e-6, max_steps=1)),
    )
    assert tired.verdict == "unconverged"
    found = no_engine(system, pockets[0], tired)
    assert found.barrier.verdict == "unconverged"
    assert "did not relax" in found.barrier.reason
    assert found.difference_eV is None
    assert choose_pair([pockets[0], tired], SETTINGS) is None


def test_a_pocket_without_a_result_keeps_its_place(pockets: list[RelaxedPocket]) -> None:
    """What lies beyond it does not become a neighbour."""
    near = replace(SETTINGS, reach=1)
    assert choose_pair([pockets[0], pockets[2]], near) == (0, 1)
    assert choose_pair([pockets[0], None, pockets[2]], near) is None
    assert choose_pair([pockets[0], None, pockets[2]], replace(SETTINGS, reach=2)) == (0, 2)


def test_an_ion_off_the_chain_is_no_pocket(
    system: ChainSystem, pockets: list[RelaxedPocket]
) -> None:
    found = no_engine(system, pockets[0], replace(pockets[1], held_by=()))
    assert found.barrier.verdict == "other-basin"
    assert "left the chain" in found.barrier.reason


def test_a_pocket_starts_as_it_is_without_what_is_beside_the_chain(
    system: ChainSystem, pockets: list[RelaxedPocket]
) -> None:
    chain = system.molecule
    beside = replace(
        chain,
        structure=framed(
            np.append(chain.structure.numbers, 2),
            np.vstack([chain.positions, chain.positions[2] + np.array([0.0, 0.0, -7.0])]),
        ),
    )
    ends = list(system.tethers.atoms)
    other = replace(
        system, molecule=beside, tethers=Tethers(tuple(ends), beside.positions[ends], 1.0)
    )
    shift = beside.positions[0] - chain.positions[0]
    assert np.abs(shift).max() > 1.0, "the frame moved"
    seen: list[Array] = []

    def flat(positions: Array) -> tuple[float, Array]:
        seen.append(positions.copy())
        return 0.0, np.zeros_like(positions)

    relax_pocket(
        other, pockets[0].pocket, calculator=Analytic(flat), settings=SETTINGS, alone=pockets[0]
    )
    alone = pockets[0].relaxed.structure.positions
    assert seen[0][: len(chain)] == pytest.approx(alone[:-1] + shift)
    assert seen[0][-1] == pytest.approx(alone[-1] + shift)


def test_a_formed_bond_is_named(system: ChainSystem, pockets: list[RelaxedPocket]) -> None:
    molecule = system.with_ion_at(pockets[0].pocket)
    crowded: Array = molecule.positions.copy()
    crowded[1] = crowded[0] + np.array([1.3, 0.0, 0.0])
    assert "formed O0-O1" in what_broke(molecule, crowded)


def test_settings_that_cannot_work_are_refused() -> None:
    with pytest.raises(ProtocolError, match="two or more pockets"):
        ChainHopSettings(pockets=1)
