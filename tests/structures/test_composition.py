from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from superionic.structures.composition import latp, nasicon_nzsp, substitute
from superionic.structures.crystals import reference_crystal
from superionic.structures.disordered import DisorderedStructure
from superionic.structures.errors import InvalidStructureError
from superionic.structures.sanity import check_structure


def per_formula(crystal: DisorderedStructure, units: int = 6) -> dict[str, float]:
    return {s: n / units for s, n in crystal.composition.items()}


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 3))
def test_nzsp_has_its_formula_and_is_neutral(x: float) -> None:
    crystal = nasicon_nzsp(x)
    expected = {"Na": 1 + x, "Zr": 2, "Si": x, "P": 3 - x, "O": 12}
    found = per_formula(crystal)
    assert {s: found.get(s, 0.0) for s in expected} == pytest.approx(expected, abs=1e-7)
    states = {"Na": 1, "Zr": 4, "Si": 4, "P": 5, "O": -2}
    assert sum(n * states[s] for s, n in found.items()) == pytest.approx(0, abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 2))
def test_latp_has_its_formula_and_is_neutral(x: float) -> None:
    found = per_formula(latp(x))
    expected = {"Li": 1 + x, "Al": x, "Ti": 2 - x, "P": 3, "O": 12}
    assert {s: found.get(s, 0.0) for s in expected} == pytest.approx(expected, abs=1e-7)
    states = {"Li": 1, "Al": 3, "Ti": 4, "P": 5, "O": -2}
    assert sum(n * states[s] for s, n in found.items()) == pytest.approx(0, abs=1e-6)


def test_compositions_meet_the_reference_crystals() -> None:
    for made, name in [
        (nasicon_nzsp(2), "nzsp"),
        (nasicon_nzsp(3), "na4zr2si3o12"),
        (latp(0.3), "latp"),
    ]:
        reference = reference_crystal(name).structure
        assert made.composition == pytest.approx(reference.composition, abs=1e-4)


def test_end_members_are_ordered() -> None:
    phosphate = nasicon_nzsp(0)
    assert phosphate.is_ordered
    assert phosphate.occupancies[phosphate.indices("Na2")[0]] == {"Na": 0.0}
    assert set(phosphate.to_structure().labels) == {"Zr1", "Na1", "O1", "O2", "P1"}
    silicate = nasicon_nzsp(3).to_structure()
    assert set(silicate.labels) == {"Zr1", "Na1", "Na2", "O1", "O2", "Si1"}


def test_sodium_can_be_shared_differently() -> None:
    even = nasicon_nzsp(2, na1=0.75)
    assert even.occupancies[even.indices("Na1")[0]] == {"Na": 0.75}
    assert even.occupancies[even.indices("Na2")[0]]["Na"] == pytest.approx(0.75)
    assert per_formula(even)["Na"] == pytest.approx(3)
    assert "x = 2" in even.notes[-1]


@pytest.mark.parametrize("x", [-0.1, 3.1, float("nan"), float("inf")])
def test_nzsp_range(x: float) -> None:
    with pytest.raises(InvalidStructureError, match="between 0 and 3"):
        nasicon_nzsp(x)


@pytest.mark.parametrize("x", [-0.1, 2.1, float("nan")])
def test_latp_range(x: float) -> None:
    with pytest.raises(InvalidStructureError, match="between 0 and 2"):
        latp(x)


def test_impossible_sharing() -> None:
    with pytest.raises(InvalidStructureError, match=r"Na2 to 1\.100"):
        nasicon_nzsp(3, na1=0.7)
    with pytest.raises(InvalidStructureError, match="between 0 and 1"):
        latp(0.3, li1=1.2)


def test_substitution_fills_all_sites_of_a_label() -> None:
    doped = substitute(nasicon_nzsp(2), {"Zr1": {"Zr": 0.9, "Sc": 0.1}})
    assert per_formula(doped)["Sc"] == pytest.approx(0.2)
    assert per_formula(doped)["Zr"] == pytest.approx(1.8)
    report = check_structure(doped)
    assert report.formal_charge_e == pytest.approx(6 * -0.2)
    assert "not neutral" in report.problems[0]


def test_charge_is_balanced_on_request() -> None:
    doped = substitute(nasicon_nzsp(2), {"Zr1": {"Zr": 0.9, "Sc": 0.1}}, compensate_on="Na2")
    assert per_formula(doped)["Na"] == pytest.approx(3.2)
    assert check_structure(doped).formal_charge_e == pytest.approx(0, abs=1e-9)


def test_given_states_enter_the_balance() -> None:
    base = substitute(nasicon_nzsp(2), {"Zr1": {"Zr": 0.9, "Nb": 0.1}}, compensate_on="Na2")
    assert per_formula(base)["Na"] == pytest.approx(2.8)
    reduced = substitute(
        nasicon_nzsp(2),
        {"Zr1": {"Zr": 0.9, "Nb": 0.1}},
        compensate_on="Na2",
        oxidation_states={"Nb": 4},
    )
    assert per_formula(reduced)["Na"] == pytest.approx(3)


def test_substitution_in_whole_atoms() -> None:
    structure = reference_crystal("na3ps4").structure.to_structure()
    mixed = substitute(structure, {"P1": {"P": 0.5, "W": 0.5}}, compensate_on="Na2")
    assert mixed.composition["W"] == pytest.approx(1)
    assert mixed.composition["Na"] == pytest.approx(5)
    assert check_structure(mixed).formal_charge_e == pytest.approx(0, abs=1e-9)


def test_a_part_of_a_label_names_the_site() -> None:
    crystal = substitute(nasicon_nzsp(2), {"P1": {"Si": 1.0}})
    assert "P" not in crystal.composition


@pytest.mark.parametrize(
    ("sites", "compensate_on", "message"),
    [
        ({"Zr9": {"Zr": 1.0}}, None, r"'Zr9'; there are Na1, Na2"),
        ({"Zr1": {"Zr": 0.9, "Sc": 0.2}}, None, "beyond 1"),
        ({"Zr1": {"Qq": 1.0}}, None, "chemical elements"),
        ({"Zr1": {"Mg": 1.0}}, "Na2", "outside 0 to 1"),
        ({"Zr1": {"Sc": 1.0}}, "Si1", "holds P, Si"),
    ],
)
def test_impossible_substitutions(
    sites: dict[str, dict[str, float]], compensate_on: str | None, message: str
) -> None:
    with pytest.raises(InvalidStructureError, match=message):
        substitute(nasicon_nzsp(2), sites, compensate_on=compensate_on)
