"""d band centres: by hand, side by side, against pymatgen on a VASP-like density of states."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from superionic.analysis.band_centre import (
    DEFINITIONS,
    CentreDefinition,
    StateGroup,
    band_centre,
    band_centres,
    d_groups,
    definitions,
    nearest_to_fermi,
)
from superionic.analysis.electronic import ProjectedDOS
from superionic.structures.errors import EvidenceError
from superionic.workflows.serialise import decode, encode

ENERGIES = np.linspace(-8.0, 6.0, 1401)
SYMBOLS = ("Fe", "Ni", "O", "Fe")


def bump(place: float, states: float, width: float = 0.2) -> Any:
    shape = np.exp(-0.5 * ((ENERGIES - place) / width) ** 2)
    return states * shape / (width * np.sqrt(2 * np.pi))


def made(*, fermi: float = 0.0, spins: int = 2) -> ProjectedDOS:
    """Fe d: 5 up at -4, 1 down at -0.6 and 4 down at +1.5; Ni d: 5 up at -2, 3 down at -1.5 and
    2 down at +2; O p: 6 at -3."""
    projected = np.zeros((spins, 4, 3, len(ENERGIES)))
    up, down = projected[0], projected[-1]
    for atom in (0, 3):
        up[atom, 2] += bump(-4.0, 5.0)
        down[atom, 2] += bump(-0.6, 1.0, 0.1) + bump(1.5, 4.0)
    up[1, 2] += bump(-2.0, 5.0)
    down[1, 2] += bump(-1.5, 3.0) + bump(2.0, 2.0)
    up[2, 1] += bump(-3.0, 3.0)
    down[2, 1] += bump(-3.0, 3.0)
    return ProjectedDOS(
        energies_eV=ENERGIES + fermi, total=projected.sum(axis=(1, 2)), projected=projected,
        orbitals=("s", "p", "d"), symbols=SYMBOLS, reference="code", reference_eV=0.0,
        fermi_eV=fermi, width_eV=0.2, electrons=28.0, projection="made up", theory="toy",
    )  # fmt: skip


FE, NI = StateGroup("Fe d", "d", "Fe"), StateGroup("Ni d", "d", "Ni")


@pytest.mark.parametrize("fermi", [0.0, -4.2])
@pytest.mark.parametrize(
    ("definition", "iron", "nickel"),
    [
        (CentreDefinition(), (-20 - 0.6 + 6.0) / 10, (-10 - 4.5 + 4.0) / 10),
        (CentreDefinition("occupied"), -20.6 / 6, -14.5 / 8),
        (CentreDefinition("all", "up"), -4.0, -2.0),
        (CentreDefinition("all", "down"), (-0.6 + 6.0) / 5, (-4.5 + 4.0) / 5),
        (CentreDefinition("occupied", "down"), -0.6, -1.5),
        (CentreDefinition("all", "both", (-3.0, 6.0)), 5.4 / 5, (-10 - 4.5 + 4.0) / 10),
    ],
)
def test_centres_by_hand(
    fermi: float, definition: CentreDefinition, iron: float, nickel: float
) -> None:
    dos = made(fermi=fermi)
    assert band_centre(dos, FE, definition) == pytest.approx(iron, abs=2e-3)
    assert band_centre(dos, NI, definition) == pytest.approx(nickel, abs=2e-3)


def test_side_by_side_the_order_flips() -> None:
    dos = made()
    found = band_centres(dos)
    assert [g.label for g in d_groups(dos)] == ["Fe d", "Ni d"]
    assert len(found) == 2 * len(DEFINITIONS)
    nearest = nearest_to_fermi(found)
    assert nearest["all, both spins"] == "Ni d"
    assert nearest["occupied, spin down"] == "Fe d"
    assert set(nearest) == {d.name for d in DEFINITIONS}
    windowed = definitions((-2.5, 0.5))
    assert windowed[4].name == "occupied, spin up, -2.5 to 0.5 eV"
    by_name = {(c.label, c.definition.name): c for c in band_centres(dos, wanted=windowed)}
    lacking = by_name["Fe d", "all, spin up, -2.5 to 0.5 eV"]
    assert lacking.centre_eV is None
    assert "holds" in lacking.reason


def test_one_atom_and_another_orbital() -> None:
    dos = made()
    assert band_centre(dos, StateGroup("Fe1 d", atoms=(0,))) == pytest.approx(
        band_centre(dos, FE), abs=1e-12
    )
    assert band_centre(dos, StateGroup("O p", "p", "O")) == pytest.approx(-3.0, abs=1e-6)


def test_without_states_there_is_no_centre() -> None:
    dos = made()
    for definition in (CentreDefinition(window_eV=(4.5, 6.0)), CentreDefinition(window_eV=(9, 10))):
        with pytest.raises(EvidenceError, match=r"Fe d: the window .* holds .* states"):
            band_centre(dos, FE, definition)
    with pytest.raises(EvidenceError, match="No projection on Co"):
        band_centre(dos, StateGroup("Co d", "d", "Co"))


def test_spins_that_are_not_told_apart() -> None:
    dos = made(spins=1)
    assert [c.definition.spin for c in band_centres(dos)] == ["both"] * 4
    with pytest.raises(EvidenceError, match="spin-polarised"):
        band_centre(dos, FE, CentreDefinition("all", "up"))


@pytest.mark.parametrize(
    "wrong", [{"filling": "some"}, {"spin": "left"}, {"window_eV": (1.0, 1.0)}]
)
def test_definitions_are_checked(wrong: dict[str, Any]) -> None:
    with pytest.raises(EvidenceError):
        CentreDefinition(**wrong)


def test_centres_survive_storage() -> None:
    found = band_centres(made(), wanted=definitions((-3.0, 3.0)))
    assert decode(encode(found)) == found


@pytest.mark.parametrize("window", [None, (-5.0, 2.0)])
@pytest.mark.parametrize("spin", ["both", "up", "down"])
def test_against_pymatgen(window: tuple[float, float] | None, spin: Any) -> None:
    """The same density as pymatgen's object for VASP: five d orbitals an atom, rough curves."""
    from pymatgen.core import Lattice, Structure
    from pymatgen.electronic_structure.core import Orbital, Spin
    from pymatgen.electronic_structure.dos import CompleteDos, Dos

    random = np.random.default_rng(3)
    energies = np.linspace(-9.0, 7.0, 301)
    fermi, names = 0.7313, [o for o in Orbital if o.value < 9]
    structure = Structure(Lattice.cubic(8.0), ["Fe", "Ni", "O"], random.random((3, 3)))
    parts = random.random((2, 3, 9, len(energies))) ** 3
    pdoss: Any = {
        site: {
            orbital: {s: parts[k, a, o] for k, s in enumerate((Spin.up, Spin.down))}
            for o, orbital in enumerate(names)
        }
        for a, site in enumerate(structure)
    }
    total = Dos(fermi, energies, {Spin.up: parts[0].sum((0, 1)), Spin.down: parts[1].sum((0, 1))})
    theirs = CompleteDos(structure, total, pdoss)
    shells = np.array([int(str(o.orbital_type) in "pd") + int(str(o.orbital_type) == "d")
                       for o in names])  # fmt: skip
    ours = ProjectedDOS(
        energies_eV=energies, total=parts.sum(axis=(1, 2)),
        projected=np.stack([parts[:, :, shells == k].sum(axis=2) for k in range(3)], axis=2),
        orbitals=("s", "p", "d"), symbols=("Fe", "Ni", "O"), reference="code", reference_eV=0.0,
        fermi_eV=fermi, width_eV=None, electrons=None, projection="PAW spheres", theory="vasp-pbe",
    )  # fmt: skip
    definition = CentreDefinition("all", spin, window)
    which: Any = {"both": None, "up": Spin.up, "down": Spin.down}[spin]
    for atom, symbol in enumerate(("Fe", "Ni")):
        expected = theirs.get_band_center(sites=[structure[atom]], spin=which, erange=window)
        found = band_centre(ours, StateGroup(f"{symbol} d", "d", symbol), definition)
        assert found == pytest.approx(expected, abs=1e-6)
