"""Chains of hops: joined by hand, refused without evidence."""

from __future__ import annotations

from dataclasses import replace

import made_up
import numpy as np
import pytest

from superionic.analysis.barriers import BarrierResult
from superionic.analysis.chains import first_chain, join_at_end, mirrored
from superionic.structures.errors import EvidenceError
from superionic.structures.structure import Structure

CELL = np.diag([10.0, 10.0, 10.0])


def hop(
    key: str, start: list[float], end: list[float], energies: list[float], total: float = -5.0
) -> BarrierResult:
    """Make a converged hop of one ion whose images lie evenly on a straight line."""
    structure = Structure(numbers=np.array([11]), positions=np.array([start]), cell=CELL)
    way = np.subtract(end, start).tolist()
    made = made_up.barrier(energies, key=key, structure=structure, displacement=way)
    return replace(made, start_energy_eV=total)


def test_a_chain_walks_the_second_hop_backward() -> None:
    one = hop("one", [0, 0, 0], [3, 0, 0], [0.0, 0.3, 0.1])
    two = hop("two", [0, 0, 0], [0, 4, 0], [0.0, 0.5, 0.2], total=-5.1)
    chain = join_at_end(one, two)
    np.testing.assert_allclose(chain.profile.energies_eV, [0.0, 0.3, 0.1, 0.4, -0.1])
    np.testing.assert_allclose(chain.profile.ion_coordinate, [0.0, 0.25, 0.5, 0.75, 1.0])
    np.testing.assert_allclose(chain.profile.coordinate_ang, [0.0, 1.5, 3.0, 5.0, 7.0])
    assert chain.profile.forward_barrier_eV == pytest.approx(0.4)
    assert chain.profile.reverse_barrier_eV == pytest.approx(0.5)
    assert chain.junction_mismatch_eV == pytest.approx(abs((-5.0 + 0.1) - (-5.1 + 0.2)))


def test_a_mirrored_hop_is_symmetric_and_joins_exactly() -> None:
    chain = mirrored(hop("one", [0, 0, 0], [3, 0, 0], [0.0, 0.3, 0.1]))
    energies = chain.profile.energies_eV
    np.testing.assert_allclose(energies, energies[::-1])
    assert chain.junction_mismatch_eV == 0.0
    assert chain.profile.reaction_energy_eV == pytest.approx(0.0)


def test_the_first_chain_shares_a_start_across_the_cell_boundary() -> None:
    alone = hop("alone", [5, 5, 5], [5, 8, 5], [0.0, 0.9, 0.0])
    one = hop("one", [0.1, 0, 0], [3, 0, 0], [0.0, 0.3, 0.1])
    same = hop("same", [0.1, 0, 0], [3.1, 0, 0], [0.0, 0.1, 0.0])
    two = hop("two", [9.9, 0, 0], [9.9, 4, 0], [0.0, 0.5, 0.2])
    chain = first_chain([alone, one, same, two])
    assert chain is not None
    assert chain.keys == ("one", "two")
    assert first_chain([alone, one]) is None


def test_no_chain_without_evidence() -> None:
    good = hop("good", [0, 0, 0], [3, 0, 0], [0.0, 0.3, 0.1])
    bad = made_up.valueless(replace(good, key="bad"))
    with pytest.raises(EvidenceError, match="no chain"):
        join_at_end(good, bad)
    with pytest.raises(EvidenceError, match="cannot share"):
        join_at_end(good, replace(good, theory="lj"))
    with pytest.raises(EvidenceError, match="no total energy"):
        join_at_end(good, replace(good, start_energy_eV=None))
    assert first_chain([bad, good]) is None
