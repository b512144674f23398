"""The specification: what it refuses, and the one form it is kept in."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from deck_specs import cells, rough_slab, specs
from hypothesis import given
from hypothesis import strategies as st

from superionic.inputs.deck import Deck
from superionic.inputs.deck_checks import check_deck, open_axes
from superionic.inputs.dft import Band, DFTSpec, FixedAtom, KGrid, Relaxation, Smearing, Spin
from superionic.inputs.dft_parts import tidy
from superionic.structures.errors import DeckError
from superionic.structures.structure import Structure
from superionic.workflows.serialise import decode, encode


def spec(**changes: Any) -> DFTSpec:
    return dataclasses.replace(DFTSpec("pbe", 500.0), **changes)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: DFTSpec("pbee", 500), ["functional 'pbee'", "'pbe'", "hse06"]),  # type: ignore[arg-type]
        (lambda: spec(dispersion="d5"), ["dispersion", "d3bj"]),
        (lambda: spec(cutoff_eV=-1.0), ["cutoff_eV", "above 0"]),
        (lambda: spec(cutoff_eV=float("nan")), ["cutoff_eV", "finite"]),
        (lambda: spec(scf_energy_eV=0.0), ["scf_energy_eV"]),
        (lambda: spec(charge_e=float("inf")), ["charge_e", "finite"]),
        (lambda: KGrid((0, 1, 1)), ["at least 1"]),
        (lambda: Smearing("gaussian", 0.0), ["width_eV", "above 0"]),
        (lambda: Smearing("gaussian", 0.1, 2), ["order"]),
        (lambda: Smearing("methfessel-paxton", 0.1), ["order"]),
        (lambda: Smearing("gausian", 0.1), ["'gaussian'"]),  # type: ignore[arg-type]
        (lambda: Spin(False, {"Fe": 2.0}), ["polarised = true"]),
        (lambda: Spin(True, {"Xx": 2.0}), ["'Xx'", "chemical symbol"]),
        (lambda: Spin(True, {"Fe": float("nan")}), ["Fe", "finite"]),
        (lambda: Relaxation(), ["criterion"]),
        (lambda: Relaxation(force_eV_per_A=-0.1), ["force_eV_per_A"]),
        (lambda: Relaxation(force_eV_per_A=0.1, optimiser="bfsg"), ["'bfgs'"]),  # type: ignore[arg-type]
        (lambda: Relaxation(force_eV_per_A=0.1, max_steps=2.5), ["whole number"]),  # type: ignore[arg-type]
        (lambda: Band(images=0), ["images"]),
        (lambda: FixedAtom(-1), ["from 0 on"]),
        (lambda: FixedAtom(1, (False, False, False)), ["at least one"]),
        (lambda: spec(fixed=(FixedAtom(1), FixedAtom(1))), ["fixed twice"]),
        (lambda: spec(relax=Relaxation(0.1), band=Band()), ["not both"]),
        (lambda: spec(hubbard_u_eV={"Fe": 4.0}), ["'Fe-d'"]),
        (lambda: spec(hubbard_u_eV={"Fe-d": 4.0, "Fe-p": 1.0}), ["One shell"]),
        (lambda: spec(dipole_axis="z"), ["dipole axis 'z'"]),
    ],
)
def test_nonsense_is_refused(make: Any, words: list[str]) -> None:
    with pytest.raises(DeckError) as caught:
        make()
    for word in words:
        assert word in str(caught.value)


def test_equal_grids_are_equal() -> None:
    assert KGrid((3, 3, 1), gamma_centred=False) == KGrid((3, 3, 1))
    assert KGrid((2, 3, 1), gamma_centred=False) != KGrid((2, 3, 1))
    assert Smearing("fixed", 0.3) == Smearing("fixed", 0.1)
    assert spec(charge_statement="no charge, no statement") == spec()


@given(st.floats(1e-12, 1e6), st.integers(1, 2000))
def test_numbers_survive_a_unit_per_atom(value: float, atoms: int) -> None:
    kept = tidy(value)
    assert tidy(float(f"{kept / atoms:.17g}") * atoms) == kept
    assert float(f"{kept:.12g}") == kept


def test_moments_are_named_as_shortly_as_they_can() -> None:
    slab = rough_slab()
    made = Spin(True, {"O": 1.0, "3": -1.0, "Zr": 0.0, "U": 2.0})
    assert made.moments(slab) == (0.0, 0.0, 1.0, -1.0, 0.0)
    resolved = spec(spin=made).for_structure(slab)
    assert resolved.spin.initial_moments == {"2": 1.0, "3": -1.0}
    same = spec(spin=Spin(True, {"2": 1.0, "3": 1.0})).for_structure(slab)
    assert same.spin.initial_moments == {"O": 1.0}


@given(st.data())
def test_resolving_twice_changes_nothing(data: st.DataObject) -> None:
    structure = data.draw(cells())
    once = data.draw(specs(structure)).for_structure(structure)
    assert once.for_structure(structure) == once


@given(st.data())
def test_specs_survive_run_folders(data: st.DataObject) -> None:
    made = data.draw(specs(data.draw(cells())))
    assert decode(encode(made)) == made


def test_decks_group_atoms_and_follow_those_they_name() -> None:
    structure = rough_slab().take([2, 0, 3, 1, 4])  # O Na O Zr Si
    made = spec(fixed=(FixedAtom(2),), spin=Spin(True, {"2": 3.0, "Zr": 1.0}))
    deck = Deck(made, (structure,))
    assert deck.structure.symbols == ("O", "O", "Na", "Zr", "Si")
    assert deck.order == (0, 2, 1, 3, 4)
    assert deck.spec.fixed == (FixedAtom(1),)
    assert deck.spec.spin.initial_moments == {"1": 3.0, "Zr": 1.0}
    for k, old in enumerate(deck.order):
        assert np.array_equal(deck.structure.positions[k], structure.positions[old])


def test_images_move_on_without_jumps() -> None:
    first = rough_slab()
    away = first.positions.copy()
    away[0] += [-0.2, 0.0, 0.0]
    wrapped = first.with_positions(away + np.array([5.0, 0.0, 0.0]))  # the same images, one cell on
    deck = Deck(spec(band=Band(images=1)), (first, wrapped, first))
    steps = np.diff([s.positions[0] for s in deck.structures], axis=0)
    assert np.abs(steps).max() == pytest.approx(0.2)


def test_decks_refuse_what_does_not_belong_together() -> None:
    slab = rough_slab()
    other = slab.take([1, 0, 2, 3, 4])
    with pytest.raises(DeckError, match="another order"):
        Deck(spec(band=Band(images=1)), (slab, other, slab))
    wider = dataclasses.replace(slab, cell=slab.cell * 1.01)
    with pytest.raises(DeckError, match="another cell"):
        Deck(spec(band=Band(images=1)), (slab, wider, slab))
    with pytest.raises(DeckError, match="one structure"):
        Deck(spec(), (slab, slab))
    with pytest.raises(DeckError, match="needs a structure"):
        Deck(spec(), ())
    with pytest.raises(DeckError, match="left-handed"):
        Deck(spec(), (dataclasses.replace(slab, cell=slab.cell[[1, 0, 2]]),))
    with pytest.raises(DeckError, match="names atom 9"):
        Deck(spec(fixed=(FixedAtom(9),)), (slab,))


def test_k_points_across_a_vacuum_are_refused() -> None:
    slab = rough_slab()
    assert open_axes(slab) == (2,)
    with pytest.raises(DeckError, match="3 divisions along c"):
        check_deck(spec(kgrid=KGrid((3, 3, 3))), slab)
    check_deck(spec(kgrid=KGrid((3, 3, 1))), slab)
    turned = dataclasses.replace(
        slab, positions=slab.positions[:, [2, 0, 1]], cell=slab.cell[np.ix_([2, 0, 1], [2, 0, 1])]
    )
    with pytest.raises(DeckError, match="divisions along a"):
        check_deck(spec(kgrid=KGrid((3, 3, 1))), turned)
    molecule = dataclasses.replace(slab, cell=np.diag([15.0, 16.0, 25.0]))
    with pytest.raises(DeckError, match="divisions along a"):
        check_deck(spec(kgrid=KGrid((2, 1, 1))), molecule)


def test_coarse_grids_and_narrow_vacuums_are_noted() -> None:
    slab = dataclasses.replace(rough_slab(), cell=np.diag([5.0, 9.0, 16.0]))
    coarse = [n for n in check_deck(spec(kgrid=KGrid((1, 1, 1))), slab) if "coarse" in n]
    assert len(coarse) == 1
    assert "along a: 1 division(s) of 5.0 A" in coarse[0]
    fine = check_deck(spec(kgrid=KGrid((2, 1, 1))), slab)
    assert not any("coarse" in note for note in fine)
    height = float(np.ptp(slab.positions[:, 2]))
    for vacuum in (8.0, 10.5):
        cut = dataclasses.replace(slab, cell=np.diag([9.0, 9.0, height + vacuum]))
        notes = check_deck(spec(kgrid=KGrid((1, 1, 1))), cut)
        assert any("vacuum along c is 8.0 A" in note for note in notes) is (vacuum == 8.0)


def test_a_charged_slab_needs_a_statement() -> None:
    slab = rough_slab()
    with pytest.raises(DeckError, match="charge_statement"):
        check_deck(spec(charge_e=-1.0), slab)
    said = check_deck(spec(charge_e=-1.0, charge_statement="differences only"), slab)
    assert any("differences only" in note for note in said)
    bulk = dataclasses.replace(slab, cell=np.diag([5.0, 5.2, 6.0]))
    assert any("uniform background" in note for note in check_deck(spec(charge_e=1.0), bulk))


def test_dipole_corrections_need_a_vacuum() -> None:
    slab = rough_slab()
    assert not any("No dipole" in n for n in check_deck(spec(dipole_axis="c"), slab))
    assert any("No dipole" in n for n in check_deck(spec(), slab))
    with pytest.raises(DeckError, match="one along c"):
        check_deck(spec(dipole_axis="a"), slab)


def test_a_vacuum_is_not_relaxed_away() -> None:
    with pytest.raises(DeckError, match="would close"):
        check_deck(spec(relax=Relaxation(0.01, cell="full")), rough_slab())


def test_hexagonal_cells_want_the_zone_centre() -> None:
    cell = np.array([[5.0, 0, 0], [-2.5, 5.0 * np.sqrt(0.75), 0], [0, 0, 5.0]])
    structure = Structure(np.array([11, 8]), np.array([[0.0, 0, 0], [2.0, 1.0, 2.5]]), cell)
    notes = check_deck(spec(kgrid=KGrid((2, 2, 2), gamma_centred=False)), structure)
    assert any("hexagonal" in note for note in notes)
    assert not check_deck(spec(kgrid=KGrid((2, 2, 2))), structure)


def test_a_cell_that_does_not_repeat_must_hold_its_atoms() -> None:
    inside = dataclasses.replace(rough_slab(), pbc=(True, True, False))
    Deck(spec(), (inside,))
    long = dataclasses.replace(inside, positions=inside.positions * np.array([1, 1, 5.5]))
    with pytest.raises(DeckError, match="does not repeat along c"):
        Deck(spec(), (long,))
