"""What is written reads back as it was, over hundreds of random decks."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from deck_specs import cells, images_of, specs
from hypothesis import given, settings
from hypothesis import strategies as st

from superionic.inputs.castep.deck import write_castep_neb
from superionic.inputs.castep.options import CastepOptions
from superionic.inputs.compare import same_physics
from superionic.inputs.deck import Deck, Options
from superionic.inputs.decks import load_deck, read_deck, write_deck
from superionic.inputs.dft import Band, DFTSpec
from superionic.inputs.vasp.deck import write_vasp_neb
from superionic.inputs.vasp.options import VaspOptions
from superionic.structures.structure import Structure

OPTIONS: dict[str, Options] = {"vasp": VaspOptions(), "castep": CastepOptions("NCP19")}
MANY = settings(max_examples=200)


@pytest.fixture(autouse=True, scope="module")
def hasty() -> Iterator[None]:
    """Do not wait for the disk after each of thousands of files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda handle: None)
        yield


def assert_same_atoms(first: Structure, second: Structure) -> None:
    assert first.symbols == second.symbols
    assert np.allclose(first.cell, second.cell, atol=1e-10)
    assert np.allclose(first.positions, second.positions, atol=1e-10)


@pytest.mark.parametrize("code", ["vasp", "castep"])
@MANY
@given(data=st.data())
def test_decks_read_back_as_they_were(code: str, data: st.DataObject) -> None:
    structure = data.draw(cells())
    spec = data.draw(specs(structure, (code,)))
    deck = Deck(spec, images_of(structure, spec), OPTIONS[code])
    with tempfile.TemporaryDirectory() as name:
        folder = write_deck(deck, Path(name) / "deck")
        read = load_deck(folder)
        assert read.spec == deck.spec
        assert read_deck(folder) == deck.spec
        assert len(read.structures) == len(deck.structures)
        for here, there in zip(read.structures, deck.structures, strict=True):
            assert_same_atoms(here, there)
        if spec.band is not None and code == "castep":
            assert read_deck(folder / "00") == deck.spec.as_static()


@pytest.mark.parametrize("code", ["vasp", "castep"])
@settings(max_examples=30)
@given(data=st.data())
def test_a_deck_that_was_read_can_be_written(code: str, data: st.DataObject) -> None:
    structure = data.draw(cells())
    spec = data.draw(specs(structure, (code,)))
    deck = Deck(spec, images_of(structure, spec), OPTIONS[code])
    with tempfile.TemporaryDirectory() as name:
        folder = write_deck(deck, Path(name) / "deck")
        again = write_deck(load_deck(folder), Path(name) / "again")
        assert same_physics(folder, again).differences == ()


@MANY
@given(data=st.data())
def test_both_codes_are_told_the_same(data: st.DataObject) -> None:
    structure = data.draw(cells())
    spec = data.draw(specs(structure))
    decks = [Deck(spec, images_of(structure, spec), options) for options in OPTIONS.values()]
    with tempfile.TemporaryDirectory() as name:
        folders = [write_deck(deck, Path(name) / deck.code) for deck in decks]
        found = same_physics(*folders)
        assert found.differences == ()
        assert found.same
        assert "pseudopotentials of their own" in found.remarks[0]


def test_one_call_writes_a_band(tmp_path: Path) -> None:
    structure = _row()
    spec = DFTSpec("pbe", 520.0, band=Band(images=3))
    images = images_of(structure, spec)
    write_vasp_neb(spec, images, tmp_path / "vasp", title="a band")
    write_castep_neb(spec, images, tmp_path / "castep", title="a band")
    assert sorted(p.name for p in (tmp_path / "vasp").iterdir() if p.is_dir()) == [
        f"{k:02d}" for k in range(5)
    ]
    assert read_deck(tmp_path / "vasp") == read_deck(tmp_path / "castep") == spec
    assert load_deck(tmp_path / "vasp").title == "a band"


def _row() -> Structure:
    return Structure(
        np.array([11, 11, 17]),
        np.array([[0.5, 0, 0], [0.0, 2.5, 0], [2.0, 2.0, 2.0]]),
        np.diag([5.0, 5.0, 4.5]),
    )
