"""`superionic inputs`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from commands import refused, superionic
from deck_specs import rough_slab

from superionic.inputs.decks import load_deck, read_deck
from superionic.inputs.dft import FixedAtom
from superionic.structures.io import write_structure


@pytest.fixture
def slab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("SUPERIONIC_VASP_POTENTIALS", "PMG_VASP_PSP_DIR", "VASP_PP_PATH"):
        monkeypatch.delenv(name, raising=False)
    write_structure(rough_slab(), tmp_path / "slab.extxyz")
    hopped = rough_slab().positions.copy()
    hopped[0] += [2.5, 0.0, 0.0]
    write_structure(rough_slab().with_positions(hopped), tmp_path / "end.extxyz")
    return tmp_path / "slab.extxyz"


def test_decks_of_two_codes_agree(tmp_path: Path, slab: Path) -> None:
    made = {}
    for code in ("vasp", "castep"):
        words = ("inputs", code, slab, "--protocol", "latp-vasp", "-o", tmp_path / code)
        said = superionic(*words, "--set", "spec.relax.optimiser=lbfgs", "--json")
        assert said.code == 0
        assert said.json["code"] == code
        assert "NOTES.md" in said.err
        made[code] = read_deck(tmp_path / code)
    assert made["vasp"] == made["castep"]
    same = superionic("inputs", "compare", tmp_path / "vasp", tmp_path / "castep")
    assert same.code == 0
    assert same.out == "same physics\n"
    assert "never total energies" in same.err


def test_compare_names_what_differs(tmp_path: Path, slab: Path) -> None:
    words = ("inputs", "vasp", slab, "--protocol", "latp-vasp")
    superionic(*words, "-o", tmp_path / "one")
    superionic(*words, "-o", tmp_path / "two", "--set", "spec.cutoff_eV=520")
    said = superionic("inputs", "compare", tmp_path / "one", tmp_path / "two")
    assert said.code == 1
    assert "cutoff" in said.out
    assert "not the same physics" in said.out
    found = superionic("inputs", "compare", tmp_path / "one", tmp_path / "two", "--json")
    assert found.code == 1
    assert found.json["same"] is False
    assert found.json["differences"] == [
        {"name": "cutoff", "first": "500 eV", "second": "520 eV", "weight": "physics"}
    ]


def test_a_band_from_two_structures(tmp_path: Path, slab: Path) -> None:
    for code in ("vasp", "castep", "gpaw"):
        words = ("inputs", code, slab, "--protocol", "latp-vasp", "-o", tmp_path / code)
        said = superionic(*words, "--end", tmp_path / "end.extxyz", "--images", 3, "--json")
        assert said.code == 0, said.err
        assert said.json["images"] == 5
    found = load_deck(tmp_path / "vasp")
    assert found.spec.band is not None
    assert found.spec.band.images == 3
    moved = found.structures[2].positions[0] - found.structures[0].positions[0]
    assert abs(moved[0]) == pytest.approx(1.25, abs=0.1)


def test_the_bottom_of_a_slab_is_held(tmp_path: Path, slab: Path) -> None:
    words = ("inputs", "castep", slab, "--protocol", "latp-vasp", "-o", tmp_path / "deck")
    assert superionic(*words, "--fix-bottom", 0.4).code == 0
    assert read_deck(tmp_path / "deck").fixed == tuple(FixedAtom(k) for k in range(4))


def test_facts_are_shown(tmp_path: Path, slab: Path) -> None:
    words = ("inputs", "vasp", slab, "--protocol", "latp-vasp", "-o", tmp_path / "deck")
    said = superionic(*words, "--title", "my slab")
    assert "PBE-D2, 500 eV" in said.out
    assert "POTCAR.spec" in said.out
    assert load_deck(tmp_path / "deck").title == "my slab"


def test_mistakes_are_readable(tmp_path: Path, slab: Path) -> None:
    start = ("inputs", "vasp", slab, "-o", tmp_path / "deck", "--protocol")
    cases = [
        (("latp-vaps",), "'latp-vasp'"),
        (("nzsp-quick",), "describes no DFT deck"),
        (("latp-vasp", "--set", "spec.functional=pbx"), "'pbe'"),
        (("latp-vasp", "--set", "vasp.extra.ENCUTT=3"), "'ENCUT'"),
        (("latp-vasp", "--set", "spec.kgrid.divisions=[1,1,3]"), "3 divisions along c"),
        (("latp-vasp", "--set", "spec.cutoff_eV=200"), "potential"),
        (("latp-vasp", "--set", "spec.charge_e=-1"), "charge_statement"),
        (("latp-vasp", "--images", "3"), "--end"),
        (("latp-vasp", "--fix-bottom", "1"), "holds all"),
        (("latp-vasp", "--end", "nzsp"), "partially occupied"),
        (("latp-vasp", "--potentials", tmp_path / "none"), "no folder of potentials"),
        (("latp-vasp", "--fix-bottom", "0.1", "--set", "spec.relax.optimiser=tpsd"), "'tpsd'"),
    ]
    for words, expected in cases:
        assert expected in refused(superionic(*start, *words))
    assert not (tmp_path / "deck").exists()
    assert "no deck" in refused(superionic("inputs", "compare", tmp_path, tmp_path))
    write_structure(rough_slab().take(np.arange(4)), tmp_path / "less.extxyz")
    said = superionic(*start, "latp-vasp", "--end", tmp_path / "less.extxyz")
    assert "5 and 4" in refused(said)


def test_another_deck_is_not_written_over(tmp_path: Path, slab: Path) -> None:
    words = ("inputs", "vasp", slab, "--protocol", "latp-vasp", "-o", tmp_path / "deck")
    assert superionic(*words).code == 0
    assert superionic(*words).code == 0  # the same once more
    assert "written over" in refused(superionic(*words, "--set", "spec.cutoff_eV=520"))
    assert read_deck(tmp_path / "deck").cutoff_eV == 500.0
