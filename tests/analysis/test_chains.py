"""Chains of hops: joined by hand, refused without evidence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from superionic.analysis.barriers import BarrierResult, read_profile
from superionic.analysis.chains import first_chain, join_at_end, mirrored
from superionic.structures.errors import EvidenceError
from superionic.structures.structure import Structure

CELL = np.diag([10.0, 10.0, 10.0])


def hop(
    key: str, start: list[float], end: list[float], energies: list[float], total: float = -5.0
) -> BarrierResult:
    """Make a converged hop of one ion whose images lie evenly on a straight line."""
    values = np.array(energies)
    fractions = np.linspace(0.0, 1.0, len(values))
    line = np.array(start) + fractions[:, None] * (np.array(end) - np.array(start))
    length = float(np.linalg.norm(np.array(end) - np.array(start)))
    reading = read_profile(values)
    return BarrierResult(
        key=key,
        site_types=("Na1", "Na2"),
        mechanism="vacancy",
        environment="bulk",
        length_ang=length,
        depth_ang=None,
        direction=None,
        verdict="converged",
        reason="",
        forward_barrier_eV=reading.forward_barrier_eV,
        reverse_barrier_eV=reading.reverse_barrier_eV,
        reaction_energy_eV=reading.reaction_energy_eV,
        converged=True,
        fmax_eV_per_A=0.04,
        fmax_target_eV_per_A=0.05,
        force_calls=10,
        coordinate_ang=fractions * length,
        ion_coordinate=fractions,
        energies_eV=values,
        positions=line[:, None, :],
        structure=Structure(numbers=np.array([11]), positions=line[:1], cell=CELL),
        ion=0,
        minima=reading.minima,
        images_below_ends=(),
        other_ion_displacement_ang=0.0,
        theory="emt",
        seed=0,
        start_energy_eV=total,
    )


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
    bad = replace(
        good,
        key="bad",
        verdict="unconverged",
        reason="stopped",
        converged=False,
        forward_barrier_eV=None,
        reverse_barrier_eV=None,
        reaction_energy_eV=None,
    )
    with pytest.raises(EvidenceError, match="no chain"):
        join_at_end(good, bad)
    with pytest.raises(EvidenceError, match="cannot share"):
        join_at_end(good, replace(good, theory="lj"))
    with pytest.raises(EvidenceError, match="no total energy"):
        join_at_end(good, replace(good, start_energy_eV=None))
    assert first_chain([bad, good]) is None
