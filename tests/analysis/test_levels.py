"""Levels of molecules: Fermi levels, widening, electron counts; populations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from superionic.analysis.levels import OrbitalLevels, count_electrons, valence_start
from superionic.analysis.populations import Populations
from superionic.structures.errors import EvidenceError
from superionic.workflows.serialise import decode, encode


def levels(**changes: Any) -> OrbitalLevels:
    """Two spins, two atoms; the third level of spin up is filled, that of spin down is not."""
    energies = np.array([[-12.0, -8.0, -5.0, 1.0], [-11.5, -7.5, -2.0, 1.5]])
    shares = np.zeros((2, 2, 3, 4))
    shares[:, 0, 2] = [0.0, 0.2, 0.7, 0.5]
    shares[:, 1, 1] = 1.0 - shares[:, 0, 2]
    fields: dict[str, Any] = {
        "energies_eV": energies,
        "occupations": np.array([[1.0, 1.0, 1.0, 0.0], [1.0, 1.0, 0.0, 0.0]]),
        "shares": shares,
        "orbitals": ("s", "p", "d"),
        "symbols": ("Fe", "O"),
        "core_electrons": 4.0,
        "smearing_eV": 0.1,
        "projection": "Loewdin",
        "theory": "toy",
    }
    return OrbitalLevels(**(fields | changes))


def test_frontier_and_fermi_level() -> None:
    found = levels()
    assert found.electrons == 5.0
    assert found.frontier_eV() == (-5.0, -2.0)
    assert found.fermi_level_eV() == pytest.approx(-3.5)
    assert found.fermi_level_eV("homo") == -5.0
    assert levels(occupations=np.ones((2, 4))).frontier_eV() == (1.5, None)
    with pytest.raises(EvidenceError, match="No level is filled"):
        levels(occupations=np.zeros((2, 4))).fermi_level_eV()


def test_fermi_level_of_a_narrow_gap_holds_the_electrons() -> None:
    energies = np.array([[-1.0, -0.3, -0.1, 0.05, 0.3]])
    shares = np.ones((1, 1, 1, 5))
    changes: dict[str, Any] = {
        "energies_eV": energies, "occupations": np.array([[2.0, 2.0, 1.5, 0.5, 0.0]]),
        "shares": shares, "orbitals": ("s",), "symbols": ("Na",), "smearing_eV": 0.2,
    }  # fmt: skip
    found = levels(**changes)
    fermi = found.fermi_level_eV()
    assert (2.0 / (1.0 + np.exp((energies - fermi) / 0.2))).sum() == pytest.approx(6.0, abs=1e-9)
    assert found.filling == 2.0
    dos = found.dos(width_eV=0.02, step_eV=0.005)
    assert count_electrons(dos, smearing_eV=0.2).projected == pytest.approx(6.0, abs=5e-3)
    assert count_electrons(dos).projected == pytest.approx(6.0, abs=0.01)


def test_widened_levels_keep_their_states_and_electrons() -> None:
    dos = levels().dos(width_eV=0.1, step_eV=0.02)
    assert dos.reference == "fermi"
    assert dos.reference_eV == pytest.approx(-3.5)
    assert dos.states(dos.total[0]) == pytest.approx(4.0, abs=1e-6)
    assert dos.states(dos.on(element="Fe", orbital="d", spin=0)) == pytest.approx(1.4, abs=1e-6)
    assert dos.captured == pytest.approx(1.0, abs=1e-12)
    count = count_electrons(dos)
    assert count.expected == 5.0
    assert count.projected == pytest.approx(5.0, abs=1e-6)
    assert count.share_off < 1e-6
    part = levels().dos(window_eV=(-5.0, 3.0))
    assert part.electrons == pytest.approx(3.0)
    assert count_electrons(part).total == pytest.approx(3.0, abs=1e-6)


def test_restricted_levels_hold_two_electrons() -> None:
    one = levels()
    both = levels(
        energies_eV=one.energies_eV[:1], occupations=2.0 * one.occupations[:1],
        shares=one.shares[:1],
    )  # fmt: skip
    dos = both.dos()
    assert dos.states(dos.total[0]) == pytest.approx(8.0, abs=1e-6)
    assert count_electrons(dos).projected == pytest.approx(6.0, abs=1e-6)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"shares": np.zeros((2, 2, 3, 4))}, "add up to one"),
        ({"occupations": np.ones((2, 3))}, "Levels need"),
        ({"orbitals": ("s", "p", "g")}, "Levels need"),
    ],
)
def test_levels_are_checked(changes: dict[str, Any], match: str) -> None:
    with pytest.raises(EvidenceError, match=match):
        levels(**changes)


def test_widening_is_checked() -> None:
    with pytest.raises(EvidenceError, match="at most half"):
        levels().dos(width_eV=0.1, step_eV=0.1)
    with pytest.raises(EvidenceError, match="No level lies"):
        levels().dos(window_eV=(20.0, 30.0))


def test_core_levels_are_cut_in_a_gap() -> None:
    energies = np.array([-300.0, -50.0, -49.0, -31.0, -29.0, -20.0, -5.0])
    assert valence_start(energies, -25.0) == pytest.approx(-24.5)
    assert valence_start(energies, -30.5, gap_eV=3.0) == pytest.approx(-40.0)
    assert valence_start(energies, -400.0) == -np.inf


def test_levels_survive_storage() -> None:
    found = decode(encode(levels()))
    assert np.array_equal(found.shares, levels().shares)
    assert found.dos().fermi_eV == 0.0


def populations(**changes: Any) -> Populations:
    fields: dict[str, Any] = {
        "method": "loewdin",
        "symbols": ("Fe", "O"),
        "nuclear_charges": np.array([26.0, 8.0]),
        "orbitals": ("s", "p", "d"),
        "electrons": np.array(
            [[[3.5, 6.0, 5.0], [2.0, 2.5, 0.0]], [[3.5, 6.0, 1.0], [2.0, 2.5, 0.0]]]
        ),
        "expected_electrons": 34.0,
    }  # fmt: skip
    return Populations(**(fields | changes))


def test_populations_by_hand() -> None:
    found = populations()
    assert found.charges == pytest.approx([1.0, -1.0])
    assert found.spins == pytest.approx([4.0, 0.0])
    assert found.count(0, "d") == pytest.approx(6.0)
    with pytest.raises(EvidenceError, match="No populations"):
        found.count(2, "d")
    with pytest.raises(EvidenceError, match="off by more"):
        populations(expected_electrons=35.0)
    with pytest.raises(EvidenceError, match="need electrons of shape"):
        populations(orbitals=("s", "p"))
    restricted = populations(electrons=2.0 * found.electrons[:1], expected_electrons=38.0)
    assert restricted.spins == pytest.approx([0.0, 0.0])
