"""Metal ions: radii against their source, Hund's rule, and who is oxidised."""

from __future__ import annotations

import pytest

from superionic.structures.errors import InvalidStructureError
from superionic.structures.metals import (
    RADIUS_STEP_ANG,
    THIRD_IONISATION_EV,
    MetalIon,
    assign_states,
    check_multiplicity,
    high_spin_multiplicity,
    is_metal,
    shannon_radii,
)


@pytest.mark.parametrize(
    ("symbol", "state", "d", "unpaired"),
    [
        ("Sc", 3, 0, 0), ("Ti", 3, 1, 1), ("V", 3, 2, 2), ("Cr", 3, 3, 3), ("Cr", 2, 4, 4),
        ("Mn", 2, 5, 5), ("Mn", 3, 4, 4), ("Fe", 2, 6, 4), ("Fe", 3, 5, 5), ("Co", 2, 7, 3),
        ("Co", 3, 6, 4), ("Ni", 2, 8, 2), ("Ni", 3, 7, 3), ("Cu", 2, 9, 1), ("Cu", 1, 10, 0),
        ("Zn", 2, 10, 0), ("Ru", 3, 5, 5), ("Hf", 4, 0, 0), ("Gd", 3, 7, 7), ("La", 3, 0, 0),
        ("Lu", 3, 14, 0), ("Mg", 2, 0, 0), ("Al", 3, 0, 0), ("Ga", 3, 0, 0), ("In", 3, 0, 0),
        ("Sn", 4, 0, 0),
    ],
)  # fmt: skip
def test_electron_counts(symbol: str, state: int, d: int, unpaired: int) -> None:
    ion = MetalIon(symbol, state)
    assert ion.unpaired_electrons == unpaired
    assert ion.valence_electrons == d


def test_unpaired_electrons_have_the_parity_of_the_ion() -> None:
    from ase.data import atomic_numbers

    for symbol, state in shannon_radii():
        electrons = atomic_numbers[symbol] - state
        assert (electrons - MetalIon(symbol, state).unpaired_electrons) % 2 == 0, (symbol, state)


def test_radii_of_shannon() -> None:
    assert MetalIon("Fe", 3).radius_ang(6) == 0.645
    assert MetalIon("Fe", 3).radius_ang(5) == 0.58
    assert MetalIon("Fe", 2).radius_ang(5) == pytest.approx((0.63 + 0.78) / 2)  # listed: 4 and 6
    assert MetalIon("Cr", 3).radius_ang(5) == pytest.approx(0.615 - RADIUS_STEP_ANG)  # listed: 6
    assert MetalIon("Ni", 2).oxygen_distance_ang(5) == pytest.approx(0.63 + 1.35)
    assert MetalIon("Ni", 2).oxygen_distance_ang(6, oxygen_coordination=3) == pytest.approx(2.05)


def test_step_is_the_mean_of_the_table() -> None:
    steps = [r[6] - r[5] for r in shannon_radii().values() if {5, 6} <= set(r)]
    assert len(steps) == 17
    assert sum(steps) / len(steps) == pytest.approx(RADIUS_STEP_ANG, abs=0.004)


def test_third_ionisation_energies_are_those_of_an_independent_table() -> None:
    from pymatgen.core.periodic_table import Element

    for symbol, energy in THIRD_IONISATION_EV.items():
        assert Element(symbol).ionization_energies[2] == pytest.approx(energy, abs=0.01), symbol


@pytest.mark.parametrize(
    ("metals", "total", "states"),
    [
        ("Fe Fe Ni", 8, (3, 3, 2)), ("Ni Fe Fe", 8, (2, 3, 3)), ("Fe Ni Ni", 8, (3, 2, 3)),
        ("Co Co Zn", 8, (3, 3, 2)), ("Mn Mn Ni", 8, (3, 3, 2)), ("Fe Fe Fe", 8, (2, 3, 3)),
        ("Fe Co Ni", 9, (3, 3, 3)), ("Ni Ni Ni", 6, (2, 2, 2)), ("Cu Cu", 4, (2, 2)),
        ("Fe Fe Ni", 7, (2, 3, 2)),
    ],
)  # fmt: skip
def test_states_are_shared_out(metals: str, total: int, states: tuple[int, ...]) -> None:
    assert assign_states(metals.split(), total) == states


def test_multiplicity() -> None:
    ions = [MetalIon("Fe", 3), MetalIon("Fe", 3), MetalIon("Ni", 2)]
    assert high_spin_multiplicity(ions) == 13
    assert check_multiplicity(1, ions) == 1
    for wrong in (0, -1, 2, 12, 15):
        with pytest.raises(InvalidStructureError, match=r"unpaired electrons at high spin make 13"):
            check_multiplicity(wrong, ions)


def test_refused() -> None:
    assert is_metal("Fe")
    for word in ("O", "Xx", "fe", "Ar", "X"):
        assert not is_metal(word)
        with pytest.raises(InvalidStructureError, match="symbol of a metal"):
            MetalIon(word, 2)
    with pytest.raises(InvalidStructureError, match=r"no radius of Zn\(III\); of Zn there are \+2"):
        MetalIon("Zn", 3).radius_ang(5)
    with pytest.raises(InvalidStructureError, match=r"no Sc\(IV\)"):
        MetalIon("Sc", 4)
    with pytest.raises(InvalidStructureError, match="cannot be guessed"):
        assign_states(["Ti", "Zr"], 7)
