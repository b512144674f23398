"""Decks of VASP: what stands in them, potentials, decks of others, and what is refused."""

from __future__ import annotations

import dataclasses
import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from deck_specs import rough_slab

from superionic.inputs.deck import Deck
from superionic.inputs.decks import load_deck, read_deck
from superionic.inputs.dft import Band, DFTSpec, FixedAtom, KGrid, Relaxation, Smearing, Spin
from superionic.inputs.notes import parse_order
from superionic.inputs.vasp.deck import write_vasp, write_vasp_neb
from superionic.inputs.vasp.options import VaspOptions
from superionic.inputs.vasp.potentials import FOLDER_VARIABLES, find_potential, recommended_label
from superionic.inputs.vasp.tags import parse_incar
from superionic.structures.errors import DeckError

POTCAR = """  PAW_PBE {label} 01Jan2000
   {zval}
 parameters from PSCTR are:
   VRHFIN ={element}: made up
   LEXCH  = PE
   TITEL  = PAW_PBE {label} 01Jan2000
   POMASS =   10.000; ZVAL   =   {zval}    mass and valenz
   ENMAX  =  {enmax}; ENMIN  =  {enmin} eV
   made-up table
 End of Dataset
"""


@pytest.fixture(autouse=True)
def no_potentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in FOLDER_VARIABLES:
        monkeypatch.delenv(name, raising=False)


def spec(**changes: Any) -> DFTSpec:
    return dataclasses.replace(DFTSpec("pbe", 520.0), **changes)


def tags_of(folder: Path) -> dict[str, str]:
    return parse_incar((folder / "INCAR").read_text())


def potential_folder(folder: Path, *, enmin: float = 300.0) -> Path:
    """A folder of made-up potentials in the layout of VASP's own archives."""
    for label, zval in (("Na_pv", 7), ("Zr_sv", 12), ("O", 6), ("Si", 4)):
        place = folder / "potpaw_PBE.54" / label
        place.mkdir(parents=True)
        text = POTCAR.format(
            label=label, element=label.split("_")[0], zval=f"{zval}.000", enmax="400.0", enmin=enmin
        )
        if label == "O":
            (place / "POTCAR.gz").write_bytes(gzip.compress(text.encode()))
        else:
            (place / "POTCAR").write_text(text)
    return folder


def test_the_settings_of_a_paper_stand_in_the_files(tmp_path: Path) -> None:
    made = spec(
        cutoff_eV=500.0,
        dispersion="d2",
        scf_energy_eV=1e-6,
        relax=Relaxation(force_eV_per_A=1e-3, max_steps=500, optimiser="cg"),
        fixed=(FixedAtom(0), FixedAtom(4, (False, False, True))),
    )
    folder = write_vasp(Deck(made, (rough_slab(),), title="a slab"), tmp_path / "deck")
    tags = tags_of(folder)
    expected = {
        "SYSTEM": "a slab", "ENCUT": "500", "GGA": "PE", "IVDW": "1", "EDIFF": "1e-06",
        "EDIFFG": "-0.001", "IBRION": "2", "NSW": "500", "ISIF": "2", "ISPIN": "1",
        "PREC": "Accurate",
    }  # fmt: skip
    assert {k: tags[k] for k in expected} == expected
    poscar = (folder / "POSCAR").read_text().splitlines()
    assert poscar[5:8] == ["Na Zr O Si", "1 1 2 1", "Selective dynamics"]
    assert [line.split()[3:6] for line in poscar[9:]] == [
        ["F", "F", "F"], ["T", "T", "T"], ["T", "T", "T"], ["T", "T", "T"], ["T", "T", "F"],
    ]  # fmt: skip
    assert (folder / "KPOINTS").read_text().splitlines()[1:4] == ["0", "Gamma", "1 1 1"]
    assert (folder / "POTCAR.spec").read_text().split() == ["Na_pv", "Zr_sv", "O", "Si"]
    notes = (folder / "NOTES.md").read_text()
    assert "cat Na_pv/POTCAR Zr_sv/POTCAR O/POTCAR Si/POTCAR > POTCAR" in notes
    assert FOLDER_VARIABLES[0] in notes


@pytest.mark.parametrize("how", ["argument", *FOLDER_VARIABLES])
def test_potcar_is_joined_from_the_users_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    mine = potential_folder(tmp_path / "mine")
    if how != "argument":
        monkeypatch.setenv(how, str(mine))
    deck = Deck(spec(charge_e=1.0, charge_statement="as a difference"), (rough_slab(),))
    folder = write_vasp(deck, tmp_path / "deck", potentials=mine if how == "argument" else None)
    text = (folder / "POTCAR").read_text()
    assert [x.split()[3] for x in text.splitlines() if "TITEL" in x] == [
        "Na_pv",
        "Zr_sv",
        "O",
        "Si",
    ]
    assert text.count("End of Dataset") == 4
    assert not (folder / "POTCAR.spec").exists()
    assert float(tags_of(folder)["NELECT"]) == 7 + 12 + 2 * 6 + 4 - 1
    assert read_deck(folder) == deck.spec


def test_a_potential_that_is_not_in_the_folder_is_named(tmp_path: Path) -> None:
    mine = potential_folder(tmp_path / "mine")
    deck = Deck(spec(), (rough_slab(),), VaspOptions(potentials={"O": "O_h"}))
    with pytest.raises(DeckError, match="has no O_h of the set PBE_54"):
        write_vasp(deck, tmp_path / "deck", potentials=mine)
    assert not (tmp_path / "deck").exists()


def test_cutoffs_below_the_potentials_are_refused(tmp_path: Path) -> None:
    low = Deck(spec(cutoff_eV=250.0), (rough_slab(),))
    with pytest.raises(DeckError, match=r"potential O allows, 300 eV .* table of the VASP Wiki"):
        write_vasp(low, tmp_path / "a")
    some = Deck(spec(cutoff_eV=350.0), (rough_slab(),))
    folder = write_vasp(some, tmp_path / "b")
    assert "below the default of O, 400 eV" in (folder / "NOTES.md").read_text()
    mine = potential_folder(tmp_path / "mine", enmin=360.0)
    with pytest.raises(DeckError, match=r"360 eV .* its POTCAR"):
        write_vasp(some, tmp_path / "c", potentials=mine)
    unknown = Deck(spec(), (rough_slab(),), VaspOptions(potentials={"O": "O_GW_new"}))
    folder = write_vasp(unknown, tmp_path / "d")
    assert "not checked for O_GW_new" in (folder / "NOTES.md").read_text()


def test_a_charge_is_tied_to_its_potentials(tmp_path: Path) -> None:
    charged = spec(charge_e=1.0, charge_statement="x")
    folder = write_vasp(Deck(charged, (rough_slab(),)), tmp_path / "deck")
    assert "NELECT = 34 holds" in (folder / "NOTES.md").read_text()


def test_a_charge_needs_known_electrons(tmp_path: Path) -> None:
    charged = spec(charge_e=1.0, charge_statement="x")
    deck = Deck(charged, (rough_slab(),), VaspOptions(potentials={"O": "O_GW_new"}))
    with pytest.raises(DeckError, match="NELECT"):
        write_vasp(deck, tmp_path / "deck")


@pytest.mark.parametrize(
    ("element", "label", "electrons", "enmax"),
    [
        ("H", "H", 1, 250), ("Li", "Li_sv", 3, 499), ("C", "C", 4, 400), ("O", "O", 6, 400),
        ("Na", "Na_pv", 7, 260), ("Ti", "Ti_sv", 12, 275), ("Zr", "Zr_sv", 12, 230),
        ("Fe", "Fe", 8, 268), ("Ni", "Ni", 10, 270),
    ],
)  # fmt: skip
def test_recommended_potentials(element: str, label: str, electrons: int, enmax: int) -> None:
    assert recommended_label(element) == label
    found = find_potential(label, "PBE_54", None)
    assert found is not None
    assert (found.valence_electrons, found.enmax_eV) == (electrons, enmax)


def test_valence_electrons_are_those_of_the_neutral_atom_less_a_core() -> None:
    """What is left are closed shells."""
    from ase.data import atomic_numbers

    from superionic.inputs.vasp.potentials import _table

    cores = {0, 2, 4, 10, 12, 18, 28, 30, 36, 46, 48, 54, 60, 62, 68, 78}
    for label, (element, enmax, electrons, _) in _table().items():
        assert atomic_numbers[element] - electrons in cores, label
        assert 80 < enmax < 800


def test_a_band_in_folders(tmp_path: Path) -> None:
    slab = rough_slab()
    images = []
    for k in range(5):
        moved = slab.positions.copy()
        moved[0] += [0.6 * k, 0.0, 0.0]
        images.append(slab.with_positions(moved))
    made = spec(band=Band(images=3, spring_eV_per_A2=5.0, force_eV_per_A=0.05, optimiser="lbfgs"))
    folder = write_vasp_neb(made, images, tmp_path / "neb")
    tags = tags_of(folder)
    expected = {
        "IMAGES": "3", "SPRING": "-5", "LCLIMB": ".TRUE.", "IOPT": "1", "IBRION": "3",
        "POTIM": "0", "EDIFFG": "-0.05",
    }  # fmt: skip
    assert {k: tags[k] for k in expected} == expected
    assert sorted(p.name for p in folder.glob("0*")) == ["00", "01", "02", "03", "04"]
    assert "VTST" in (folder / "NOTES.md").read_text()
    with pytest.raises(DeckError, match="takes 5 structures"):
        write_vasp_neb(made, images[:4], tmp_path / "short")
    with pytest.raises(DeckError, match="Images 1 and 2"):
        write_vasp_neb(made, [*images[:2], images[1], *images[3:]], tmp_path / "twice")
    (folder / "03" / "POSCAR").unlink()
    with pytest.raises(DeckError, match="no POSCAR in 03"):
        load_deck(folder)


def test_the_notes_lead_back_to_the_atoms_given(tmp_path: Path) -> None:
    mixed = rough_slab().take([2, 0, 3, 1, 4])
    folder = write_vasp(Deck(spec(), (mixed,)), tmp_path / "deck")
    order = parse_order((folder / "NOTES.md").read_text())
    assert order == (0, 2, 1, 3, 4)
    written = load_deck(folder).structure
    assert np.allclose(written.positions, mixed.positions[list(order)])
    plain = write_vasp(Deck(spec(), (rough_slab(),)), tmp_path / "plain")
    assert parse_order((plain / "NOTES.md").read_text()) == ()


FOREIGN = """System = somebody's slab  # a comment
 ENCUT = 450 eV ! another
ISMEAR = 1; SIGMA = 2d-1
EDIFF = 1E-5
EDIFFG = -2.E-02
IBRION = 2 ; NSW = 60
ispin = 2
MAGMOM = 1*0 \\
  4*0.6
NUPDOWN = 2
LREAL = A
IVDW = 12
"""


def test_decks_of_others_are_read_with_the_defaults_of_vasp(tmp_path: Path) -> None:
    folder = write_vasp(Deck(spec(), (rough_slab(),)), tmp_path / "deck")
    (folder / "INCAR").write_text(FOREIGN)
    (folder / "POTCAR.spec").unlink()
    (folder / "KPOINTS").write_text("mesh\n 0\nmonkhorst\n 2 2 1\n")
    found = load_deck(folder)
    assert found.spec == DFTSpec(
        "pbe",
        450.0,
        kgrid=KGrid((2, 2, 1), gamma_centred=False),
        dispersion="d3bj",
        smearing=Smearing("methfessel-paxton", 0.2, 1),
        spin=Spin(True, {"Zr": 0.6, "O": 0.6, "Si": 0.6}, 2.0),
        scf_energy_eV=1e-5,
        scf_max_steps=60,
        relax=Relaxation(force_eV_per_A=0.02, max_steps=60, optimiser="cg"),
    )
    assert isinstance(found.options, VaspOptions)
    assert found.options.extra == {"LREAL": "A"}
    assert found.options.precision == "Normal"


def test_a_grid_by_spacing(tmp_path: Path) -> None:
    folder = write_vasp(Deck(spec(), (rough_slab(),)), tmp_path / "deck")
    (folder / "KPOINTS").unlink()
    with (folder / "INCAR").open("a") as stream:
        stream.write("KSPACING = 0.3\n")
    # 2 pi / 5.0 / 0.3 = 4.19, 2 pi / 5.2 / 0.3 = 4.03, 2 pi / 25 / 0.3 = 0.84
    assert read_deck(folder).kgrid == KGrid((5, 5, 1))
    text = (folder / "INCAR").read_text()
    (folder / "INCAR").write_text(text.replace("KSPACING = 0.3", "KSPACING = 0"))
    with pytest.raises(DeckError, match="KSPACING must be above 0"):
        read_deck(folder)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("ENCUTT = 500", "ENCUTT'. Did you mean 'ENCUT'"),
        ("ISMEAR = 3", "ISMEAR is given twice"),
        ("IVDW_ 12", "is no tag with a value"),
        ("LSORBIT = .TRUE.", "non-collinear"),
        ("METAGGA = MBJ", "METAGGA = MBJ"),
        ("LHFCALC = T\nAEXX = 0.3", "hybrid"),
        ("IDIPOL = 4\nLDIPOL = T", "one axis"),
        ("LDAU = T\nLDAUTYPE = 1", "LDAUTYPE = 2"),
        ("NUPDOWN = many", "NUPDOWN must be a number"),
        ("NUPDOWN = nan", "NUPDOWN must be a number"),
        ('NUPDOWN = ""', "NUPDOWN must be a number"),
        ("IDIPOL = inf", "IDIPOL must be a number"),
        ("LDAU = T\nLDAUL = 2 5 -1 -1\nLDAUU = 1 1 1 1", "LDAUL is -1 or one of 0, 1, 2, 3"),
        ("LDAU = T\nLDAUL = 2 nan -1 -1\nLDAUU = 1 1 1 1", "LDAUL must be a list of numbers"),
        ("IMAGES = -2", "IMAGES must not be below 0"),
        ("NELECT = 30", "valence electrons"),
    ],
)
def test_decks_that_cannot_be_told_are_refused(tmp_path: Path, line: str, message: str) -> None:
    folder = write_vasp(Deck(spec(spin=Spin(True, {"O": 1.0})), (rough_slab(),)), tmp_path / "deck")
    (folder / "POTCAR.spec").unlink()
    with (folder / "INCAR").open("a") as stream:
        stream.write(line + "\n")
    with pytest.raises(DeckError, match=message.replace("(", r"\(")):
        load_deck(folder)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("KPOINTS", "list\n2\nReciprocal\n0 0 0 1\n0 0 .5 1\n", "only an even grid"),
        ("KPOINTS", "shift\n0\nGamma\n2 2 1\n0.5 0 0\n", "no shift"),
        ("POSCAR", "cut off\n1.0\n5 0 0\n0 5 0\n", "line 6"),
        ("POTCAR.spec", "Zr_sv\nNa_pv\nO\nSi\n", "same order"),
        ("POTCAR", "nothing\n", "no POTCAR file"),
        ("POTCAR", "TITEL = PAW Zr\nENMAX = .; ENMIN = 1 eV\nZVAL = 4\n", "lacks enmax"),
    ],
)
def test_broken_files_are_named(tmp_path: Path, name: str, text: str, message: str) -> None:
    folder = write_vasp(Deck(spec(), (rough_slab(),)), tmp_path / "deck")
    (folder / name).write_text(text)
    with pytest.raises(DeckError, match=message):
        load_deck(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dispersion": "d2", "functional": "pbesol"}, "parameters of d2 for pbe"),
        ({"smearing": Smearing("fixed")}, "no smearing 'fixed'"),
        ({"relax": Relaxation(0.01, optimiser="tpsd")}, "no optimiser of atoms 'tpsd'"),
        ({"relax": Relaxation(0.01, energy_eV=1e-4)}, "not by both"),
        ({"spin": Spin(True, total_moment=-2.0)}, "turn the sign"),
        ({"kgrid": KGrid((1, 1, 2))}, "2 divisions along c"),
        ({"charge_e": -1.0}, "charge_statement"),
    ],
)
def test_vasp_is_not_asked_for_what_it_cannot_do(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(DeckError, match=message):
        write_vasp(Deck(spec(**changes), (rough_slab(),)), tmp_path / "deck")
    assert list(tmp_path.iterdir()) == []


def test_extra_tags_are_checked() -> None:
    assert VaspOptions(extra={"lwave": False}).extra == {"LWAVE": ".FALSE."}
    with pytest.raises(DeckError, match=r"'LWAVEE'\. Did you mean 'LWAVE'"):
        VaspOptions(extra={"LWAVEE": False})
    with pytest.raises(DeckError, match="decided by the specification"):
        VaspOptions(extra={"encut": 400})
    with pytest.raises(DeckError, match="not one of O"):
        VaspOptions(potentials={"O": "Os_pv"})
    with pytest.raises(DeckError, match="'Accurate'"):
        VaspOptions(precision="Acurate")  # type: ignore[arg-type]
