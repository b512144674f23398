"""Projected densities of states: shapes, references, sums."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from superionic.analysis.electronic import ProjectedDOS
from superionic.structures.errors import EvidenceError
from superionic.workflows.serialise import decode, encode

ENERGIES = np.linspace(-4.0, 4.0, 81)


def made(spins: int = 1, **changes: Any) -> ProjectedDOS:
    """Atom a, orbital o, spin s has the flat density (s + 1) (a + 1) 10^o; a tenth is missed."""
    weight = np.array([[[(s + 1) * (a + 1) * 10.0**o for o in range(2)] for a in range(3)]
                       for s in range(spins)])  # fmt: skip
    projected = weight[..., None] * np.ones(len(ENERGIES))
    fields: dict[str, Any] = {
        "energies_eV": ENERGIES,
        "total": projected.sum(axis=(1, 2)) / 0.9,
        "projected": projected,
        "orbitals": ("s", "d"),
        "symbols": ("Fe", "O", "Fe"),
        "reference": "code",
        "reference_eV": 0.0,
        "fermi_eV": 1.5,
        "width_eV": None,
        "electrons": 20.0,
        "projection": "PAW spheres",
        "theory": "vasp-pbe",
    }
    return ProjectedDOS(**(fields | changes))


def test_projections_by_atom_element_orbital_and_spin() -> None:
    dos = made(2)
    assert dos.spin_polarised
    assert dos.on(atoms=[1], orbital="s", spin=0) == pytest.approx(2.0)
    assert dos.on(atoms=[1], orbital="s", spin=1) == pytest.approx(4.0)
    assert dos.on(element="Fe", orbital="d", spin=0) == pytest.approx(40.0)
    assert dos.on(element="Fe", atoms=[0, 1], orbital="d") == pytest.approx(30.0)
    assert dos.on() == pytest.approx(dos.projected.sum(axis=(0, 1, 2)))


@pytest.mark.parametrize(
    "chosen", [{"element": "Ni"}, {"orbital": "p"}, {"atoms": [3]}, {"spin": 1}, {"atoms": []}]
)
def test_projections_that_do_not_exist(chosen: dict[str, Any]) -> None:
    with pytest.raises(EvidenceError, match=r"No projection|Spin 1"):
        made().on(**chosen)


def test_references_keep_levels_in_place() -> None:
    dos = made()
    fermi = dos.relative_to_fermi()
    assert (fermi.reference, fermi.reference_eV, fermi.fermi_eV) == ("fermi", 1.5, 0.0)
    assert fermi.energies_eV == pytest.approx(ENERGIES - 1.5)
    vacuum = fermi.relative_to("vacuum", 5.0)
    assert vacuum.fermi_eV == pytest.approx(-3.5)
    assert vacuum.energies_eV == pytest.approx(ENERGIES - 5.0)
    back = vacuum.relative_to("code", 0.0)
    assert back.energies_eV == pytest.approx(ENERGIES)
    assert back.fermi_eV == pytest.approx(1.5)
    assert fermi.relative_to_fermi().energies_eV == pytest.approx(fermi.energies_eV)


def test_states_and_captured_share() -> None:
    dos = made()
    density = dos.on(atoms=[0], orbital="s")
    assert dos.states(density) == pytest.approx(8.0)
    assert dos.states(density, below_eV=0.0) == pytest.approx(4.0)
    assert dos.captured == pytest.approx(0.9)


@pytest.mark.parametrize(
    "changes",
    [
        {"energies_eV": ENERGIES[::-1]},
        {"energies_eV": ENERGIES[:-1]},
        {"orbitals": ("s",)},
        {"orbitals": ("s", "x")},
        {"symbols": ("Fe", "O")},
        {"total": np.ones((3, len(ENERGIES)))},
        {"reference": "fermi"},
    ],
)
def test_what_does_not_belong_together_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(EvidenceError):
        made(**changes)


def test_arrays_are_read_only_and_survive_storage() -> None:
    dos = made(2)
    with pytest.raises(ValueError, match="read-only"):
        dos.projected[0, 0, 0, 0] = 1.0
    again = decode(encode(dos))
    assert np.array_equal(again.projected, dos.projected)
    assert replace(again, theory="x").theory == "x"
