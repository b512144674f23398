"""Lists of keywords: real ones pass, misspelt ones are named with the nearest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from superionic.inputs.castep.keys import SPEC_CELL, SPEC_PARAM
from superionic.inputs.keywords import check_keywords, known_keywords
from superionic.inputs.vasp.tags import SPEC_TAGS
from superionic.structures.errors import DeckError

ALL = {"INCAR": SPEC_TAGS, "cell": SPEC_CELL, "param": SPEC_PARAM}


@pytest.mark.parametrize("kind", list(ALL))
def test_what_we_write_is_known(kind: str) -> None:
    check_keywords(kind, ALL[kind], where="here")
    check_keywords(kind, [word.swapcase() for word in ALL[kind]], where="here")


def test_incar_tags_that_pymatgen_knows_are_known() -> None:
    from importlib.resources import files
    from json import loads

    text = files("pymatgen.io.vasp").joinpath("incar_parameters.json").read_text("utf-8")
    check_keywords("INCAR", loads(text), where="pymatgen")
    check_keywords("INCAR", ["LCLIMB", "IOPT", "ML_LMLFF", "LIBXC1", "LIBMBD_XC"], where="here")


def test_what_is_nothing_like_a_keyword_has_no_guess() -> None:
    with pytest.raises(DeckError, match="manual"):
        check_keywords("INCAR", ["QQQQQQQQ"], where="here")


@pytest.mark.parametrize(
    ("kind", "word", "guess"),
    [
        ("INCAR", "ENCUTT", "ENCUT"), ("INCAR", "ISMAER", "ISMEAR"), ("INCAR", "LDIPOLE", "LDIPOL"),
        ("param", "cutoff_energy", "cut_off_energy"), ("param", "xc_functionals", "xc_functional"),
        ("param", "spin_polarize", "spin_polarized"), ("cell", "kpoint_mp_gird", "kpoint_mp_grid"),
        ("cell", "species_pots", "species_pot"),
    ],
)  # fmt: skip
def test_the_nearest_is_suggested(kind: str, word: str, guess: str) -> None:
    with pytest.raises(DeckError, match=f"'{word}'.*'{guess}'"):
        check_keywords(kind, [word], where="here")


@given(st.sampled_from(sorted(known_keywords("param"))), st.data())
def test_a_slip_of_the_pen_is_found(word: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(word) - 1))
    slip = word[:place] + "q" + word[place + 1 :]
    with pytest.raises(DeckError, match="there is no param keyword"):
        check_keywords("param", [slip], where="here")
