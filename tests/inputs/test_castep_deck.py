"""Decks of CASTEP: what stands in them, constraints, decks of others, and what is refused."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.units import Bohr, Hartree
from deck_specs import rough_slab
from hypothesis import given
from hypothesis import strategies as st

from superionic.inputs.castep.cutoffs import advice_from_text
from superionic.inputs.castep.deck import write_castep, write_castep_neb
from superionic.inputs.castep.keys import FreeForm, parse_free_form
from superionic.inputs.castep.options import CastepOptions
from superionic.inputs.deck import Deck
from superionic.inputs.decks import load_deck, read_deck
from superionic.inputs.dft import Band, DFTSpec, FixedAtom, KGrid, Relaxation, Smearing, Spin
from superionic.structures.errors import DeckError, InvalidStructureError
from superionic.structures.structure import Structure


def spec(**changes: Any) -> DFTSpec:
    return dataclasses.replace(DFTSpec("pbe", 520.0), **changes)


def files_of(folder: Path, seed: str = "castep") -> tuple[FreeForm, FreeForm]:
    cell, param = (
        parse_free_form((folder / f"{seed}.{kind}").read_text(), kind) for kind in ("cell", "param")
    )
    return cell, param


def test_the_settings_of_a_paper_stand_in_the_files(tmp_path: Path) -> None:
    made = spec(
        cutoff_eV=370.0,
        kgrid=KGrid((3, 3, 1)),
        scf_energy_eV=1e-5,
        relax=Relaxation(force_eV_per_A=0.03, max_steps=300, optimiser="lbfgs"),
    )
    options = CastepOptions("QC5", seed="nzsp")
    folder = write_castep(Deck(made, (rough_slab(),), options, "a slab"), tmp_path / "deck")
    cell, param = files_of(folder, "nzsp")
    expected = {
        "task": "GeometryOptimization", "comment": "a slab", "xc_functional": "PBE",
        "cut_off_energy": "370 eV", "geom_method": "LBFGS", "geom_force_tol": "0.03 eV/ang",
        "spin_polarized": "FALSE", "elec_energy_tol": "2.0000000000000003e-06 eV",
    }  # fmt: skip
    assert {k: param.words[k] for k in expected} == expected
    assert cell.words == {"kpoint_mp_grid": "3 3 1", "fix_all_cell": "TRUE", "fix_com": "FALSE"}
    assert cell.blocks["species_pot"] == ["QC5"]
    assert [line.split()[0] for line in cell.blocks["positions_frac"]] == list(rough_slab().symbols)
    assert "GEOM_ENERGY_TOL" in (folder / "NOTES.md").read_text()


def test_even_grids_are_shifted_onto_the_zone_centre(tmp_path: Path) -> None:
    bulk = dataclasses.replace(rough_slab(), cell=np.diag([5.0, 5.2, 5.5]))
    folder = write_castep(Deck(spec(kgrid=KGrid((4, 3, 2))), (bulk,)), tmp_path / "a")
    cell, _ = files_of(folder)
    assert cell.words["kpoint_mp_offset"] == "0.125 0 0.25"
    folder = write_castep(Deck(spec(kgrid=KGrid((4, 3, 2), False)), (bulk,)), tmp_path / "b")
    cell, _ = files_of(folder)
    assert "kpoint_mp_offset" not in cell.words


@given(st.integers(1, 9))
def test_the_shift_puts_a_point_on_the_zone_centre(n: int) -> None:
    """The points of Monkhorst and Pack, plus what the deck adds, and those of VASP's Gamma grid."""
    from superionic.inputs.castep.cell import _offset

    points = (2.0 * np.arange(1, n + 1) - n - 1) / (2 * n) + _offset(KGrid((n, 1, 1)))[0]
    centred = np.arange(n) / n
    assert np.allclose(np.sort(points % 1.0 % 1.0), centred, atol=1e-12) or np.allclose(
        np.sort((points + 1e-9) % 1.0), centred, atol=1e-8
    )


def test_constraints_hold_fractional_coordinates_in_skewed_cells(tmp_path: Path) -> None:
    """An atom that moves along the free lattice vectors meets no held direction."""
    skewed = Structure(
        np.array([11, 8, 8]),
        np.array([[0.1, 0.2, 0.3], [2.0, 2.1, 2.2], [1.0, 3.0, 2.0]]),
        np.array([[5.0, 0, 0], [1.2, 4.8, 0], [-0.7, 0.9, 5.1]]),
    )
    held = (FixedAtom(0, (True, False, False)), FixedAtom(2, (False, True, True)))
    folder = write_castep(Deck(spec(fixed=held), (skewed,)), tmp_path / "deck")
    cell, _ = files_of(folder)
    lines = [line.split() for line in cell.blocks["ionic_constraints"]]
    assert [line[:3] for line in lines] == [["1", "Na", "1"], ["2", "O", "2"], ["3", "O", "2"]]
    normals = np.array([[float(x) for x in line[3:]] for line in lines])
    assert normals[0] @ skewed.cell[1] == pytest.approx(0.0, abs=1e-12)
    assert normals[0] @ skewed.cell[2] == pytest.approx(0.0, abs=1e-12)
    assert np.allclose(normals[1:] @ skewed.cell[0], 0.0, atol=1e-12)
    assert read_deck(folder).fixed == held


def test_a_band_is_a_search_and_a_deck_of_each_image(tmp_path: Path) -> None:
    slab = rough_slab()
    images = [slab.with_positions(slab.positions + 0.2 * k * np.eye(5, 3)) for k in range(5)]
    made = spec(band=Band(images=3, optimiser="ode12r"), kgrid=KGrid((2, 2, 1)))
    folder = write_castep_neb(made, images, tmp_path / "neb", options=CastepOptions(seed="hop"))
    cell, param = files_of(folder, "hop")
    expected = {
        "task": "TransitionStateSearch", "tssearch_method": "NEB", "tssearch_max_path_points": "3",
        "tssearch_neb_climbing": "TRUE", "tssearch_neb_method": "ODE12R",
        "tssearch_neb_spring_constant": "5 eV/ang**2", "tssearch_force_tol": "0.05 eV/ang",
    }  # fmt: skip
    assert {k: param.words[k] for k in expected} == expected
    assert cell.words["fix_com"] == "FALSE"
    assert {"positions_frac_product", "positions_frac_intermediate"} < set(cell.blocks)
    found = load_deck(folder)
    assert found.spec == made
    assert len(found.structures) == 5
    for k in range(5):
        single = load_deck(folder / f"{k:02d}")
        assert single.spec == made.as_static()
        assert np.allclose(single.structure.positions, images[k].positions)
    with pytest.raises(DeckError, match="odd number"):
        write_castep_neb(
            spec(band=Band(images=2)), images[:4], tmp_path / "even", options=CastepOptions()
        )


def test_cutoffs_below_the_pseudopotentials_are_refused(tmp_path: Path) -> None:
    """The paper's 370 eV lies below what CASTEP's default set asks for on oxygen."""
    low = spec(cutoff_eV=370.0)
    with pytest.raises(DeckError, match=r"of O \(C19\) is meant for, 408 eV"):
        write_castep(Deck(low, (rough_slab(),), CastepOptions()), tmp_path / "a")
    folder = write_castep(Deck(low, (rough_slab(),), CastepOptions("QC5")), tmp_path / "b")
    notes = (folder / "NOTES.md").read_text()
    assert "O (408 eV)" in notes
    assert "not checked for the pseudopotentials of Na (QC5), Zr (QC5)" in notes
    own = CastepOptions("QC5", {"Zr": "3|2.1|14|16|18|40U:50:41:42"})
    with pytest.raises(DeckError, match=r"Zr .* 381 eV"):
        write_castep(Deck(low, (rough_slab(),), own), tmp_path / "c")


def test_text_that_makes_a_pseudopotential_is_understood() -> None:
    for text in ("2|1.1|15|18|20|20:21(qc=7)", "2|3.1|4.0|2.2|15|18|20|50U3.4:51{6s1.45}(qc=3)[]"):
        found = advice_from_text(text)
        assert found is not None
        assert (found.coarse_eV, found.fine_eV) == pytest.approx((15 * Hartree, 20 * Hartree))
    assert advice_from_text("O_00PBE.usp") is None
    assert advice_from_text("C19") is None


FOREIGN_CELL = """! somebody's cell
%block lattice_abc
bohr
{a} {b} {c}
90 90 90
%endblock lattice_abc
%BLOCK POSITIONS_ABS
ang
Fe 0.0 0.0 0.0 SPIN= 2.0
8  1.9 0 0
%ENDBLOCK POSITIONS_ABS
kpoints_mp_grid 2 2 3
%block ionic_constraints
1 Fe 1 2.0 0 0
2 Fe 1 0 1 1
3 Fe 1 0 0 1
%endblock ionic_constraints
"""
FOREIGN_PARAM = """task=singlepoint # energy only
cut_off_energy 20 Ha
XC_functional : rpbe
spin_polarised : true
smearing_width : 5.0d-2 eV
"""


def test_decks_of_others_are_read_with_the_defaults_of_castep(tmp_path: Path) -> None:
    a = 4.0 / Bohr
    (tmp_path / "x.cell").write_text(FOREIGN_CELL.format(a=a, b=a, c=a))
    (tmp_path / "x.param").write_text(FOREIGN_PARAM)
    found = load_deck(tmp_path)
    assert found.spec == DFTSpec(
        "rpbe",
        20 * 27.211386245988,
        kgrid=KGrid((2, 2, 3), gamma_centred=False),
        smearing=Smearing("gaussian", 0.05),
        spin=Spin(True, {"Fe": 2.0}),
        scf_energy_eV=2e-5,
        scf_max_steps=30,
        fixed=(FixedAtom(0),),
    )
    assert np.allclose(found.structure.cell, 4.0 * np.eye(3))
    assert found.structure.symbols == ("Fe", "O")


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("param", "cutoff_energy : 500", "'cutoff_energy'. Did you mean 'cut_off_energy'"),
        ("param", "max_scf_cycles : 5\nmax_scf_cycles : 6", "comes twice"),
        ("param", "dipole_correction : static", "SELFCONSISTENT"),
        ("param", "sedc_apply : true\nsedc_scheme : OBS", "OBS is not covered"),
        ("param", "charge : much", "charge must be a number"),
        ("param", "charge : nan", "charge must be a number"),
        ("param", "smearing_width2 : 1", "no param keyword"),
        ("cell", "%BLOCK IONIC_CONSTRAINTS\n1 Na 1 0 0 1\n", "not closed"),
        ("cell", "%BLOCK IONIC_CONSTRAINTS\n1 Na 1 1 1 0\n%ENDBLOCK IONIC_CONSTRAINTS", "along no"),
        (
            "cell",
            "%BLOCK IONIC_CONSTRAINTS\n1 Na 1 0 0 1\n1 Zr 1 0 0 -1\n%ENDBLOCK IONIC_CONSTRAINTS",
            "ties several",
        ),
        ("cell", "%BLOCK IONIC_CONSTRAINTS\nfix: all\n%ENDBLOCK IONIC_CONSTRAINTS", "cannot read"),
        ("cell", "kpoint_mp_offset : 0.1 0 0", "neither onto"),
        ("cell", "kpoint_mp_offset : 0.1 0", "three numbers for a shift"),
        ("cell", "%BLOCK KPOINT_LIST\n0 0 0 1\n%ENDBLOCK KPOINT_LIST", "lists of k points"),
    ],
)
def test_decks_that_cannot_be_told_are_refused(
    tmp_path: Path, kind: str, text: str, message: str
) -> None:
    folder = write_castep(Deck(spec(), (rough_slab(),)), tmp_path / "deck")
    path = folder / f"castep.{kind}"
    lines = path.read_text()
    if "max_scf" in text:
        lines = lines.replace("MAX_SCF_CYCLES", "IPRINT")
        lines = "\n".join(x for x in lines.splitlines() if not x.startswith("IPRINT"))
    path.write_text(f"{lines}\n{text}\n")
    with pytest.raises(DeckError, match=message):
        load_deck(folder)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{a} {b} {c}", "{a} {b}", "lattice_abc needs three numbers a line"),
        ("{a} {b} {c}", "{a} {b} nan", "lattice_abc needs three numbers a line"),
        ("90 90 90", "90 90 90\n90 90 90", "lengths and angles"),
        ("90 90 90", "20 20 90", "lengths and angles|finite"),
        ("SPIN= 2.0", "SPIN= .", None),
        ("mp_grid 2 2 3", "mp_grid 2 2", "expected three divisions"),
        ("mp_grid 2 2 3", "mp_grid 2 2 3 4", "expected three divisions"),
        ("mp_grid 2 2 3", "mp_spacing 0", "spacing must be above 0"),
        ("mp_grid 2 2 3", "mp_spacing nan", "spacing must be above 0"),
        (
            "%block ionic",
            "%block hubbard_u\nFe d: e\n%endblock hubbard_u\n%block ionic",
            "Hubbard U 'Fe d: e'",
        ),
    ],
)
def test_broken_cells_are_named(tmp_path: Path, old: str, new: str, message: str | None) -> None:
    assert old in FOREIGN_CELL
    text = FOREIGN_CELL.replace(old, new)
    (tmp_path / "x.cell").write_text(text.format(a=4.0, b=4.0, c=4.0))
    (tmp_path / "x.param").write_text(FOREIGN_PARAM)
    if message is None:
        assert load_deck(tmp_path).spec.spin == Spin(True)
        return
    with pytest.raises((DeckError, InvalidStructureError), match=message):
        load_deck(tmp_path)


def test_a_deck_without_a_cutoff_is_refused(tmp_path: Path) -> None:
    folder = write_castep(Deck(spec(), (rough_slab(),)), tmp_path / "deck")
    path = folder / "castep.param"
    path.write_text(re.sub(r"CUT_OFF_ENERGY\s*:.*", "BASIS_PRECISION : FINE", path.read_text()))
    with pytest.raises(DeckError, match="CUT_OFF_ENERGY"):
        load_deck(folder)


def test_folders_that_hold_no_one_deck_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DeckError, match="no folder"):
        load_deck(tmp_path / "nowhere")
    with pytest.raises(DeckError, match="holds no deck"):
        load_deck(tmp_path)
    write_castep(Deck(spec(), (rough_slab(),)), tmp_path / "deck")
    for name in ("castep.cell", "castep.param"):
        (tmp_path / "deck" / name.replace("castep", "other")).write_text("")
    with pytest.raises(DeckError, match="one pair"):
        load_deck(tmp_path / "deck")
    (tmp_path / "deck" / "INCAR").write_text("")
    with pytest.raises(DeckError, match="VASP and of CASTEP"):
        load_deck(tmp_path / "deck")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"functional": "r2scan"}, "no functional 'r2scan'"),
        ({"dispersion": "d4"}, "no dispersion correction 'd4'"),
        ({"dispersion": "d3bj", "functional": "rpbe"}, "parameters of d3bj for pbe, pbe0"),
        ({"smearing": Smearing("tetrahedron")}, "no smearing 'tetrahedron'"),
        ({"smearing": Smearing("methfessel-paxton", 0.1, 2)}, "order 1 only"),
        ({"relax": Relaxation(0.01, optimiser="cg")}, "no optimiser of atoms 'cg'"),
        ({"relax": Relaxation(energy_eV=1e-4, optimiser="bfgs")}, "by the forces"),
        ({"smearing": Smearing("fixed"), "spin": Spin(True)}, "total_moment"),
    ],
)
def test_castep_is_not_asked_for_what_it_cannot_do(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(DeckError, match=message):
        write_castep(Deck(spec(**changes), (rough_slab(),)), tmp_path / "deck")
    assert list(tmp_path.iterdir()) == []


def test_hybrids_need_norm_conserving_potentials(tmp_path: Path) -> None:
    hybrid = spec(functional="hse06")
    with pytest.raises(DeckError, match=r"norm-conserving.*NCP19"):
        write_castep(Deck(hybrid, (rough_slab(),), CastepOptions()), tmp_path / "a")
    mixed = CastepOptions("NCP19", {"O": "C19"})
    with pytest.raises(DeckError, match="O takes C19"):
        write_castep(Deck(hybrid, (rough_slab(),), mixed), tmp_path / "b")
    own = CastepOptions("NCP19", {"O": "O_mine.recpot"})
    folder = write_castep(Deck(hybrid, (rough_slab(),), own), tmp_path / "c")
    assert "O_mine.recpot" in (folder / "NOTES.md").read_text()


def test_heavy_elements_have_no_d2_in_castep(tmp_path: Path) -> None:
    heavy = dataclasses.replace(rough_slab(), numbers=np.array([11, 72, 8, 8, 14]), labels=())
    with pytest.raises(DeckError, match="no d2 parameters for Hf"):
        write_castep(Deck(spec(dispersion="d2"), (heavy,)), tmp_path / "deck")


def test_a_tilted_vacuum_has_no_dipole_direction(tmp_path: Path) -> None:
    slab = rough_slab()
    turn = np.array([[0.8, 0, 0.6], [0, 1, 0], [-0.6, 0, 0.8]])
    tilted = dataclasses.replace(slab, cell=slab.cell @ turn, positions=slab.positions @ turn)
    with pytest.raises(DeckError, match="Turn the cell"):
        write_castep(Deck(spec(dipole_axis="c"), (tilted,)), tmp_path / "deck")


def test_options_are_checked() -> None:
    with pytest.raises(DeckError, match="'C19'"):
        CastepOptions("C91")
    with pytest.raises(DeckError, match="'write_cell_structure'"):
        CastepOptions(extra_param={"write_cell_structur": True})
    with pytest.raises(DeckError, match="decided by the specification"):
        CastepOptions(extra_param={"XC_FUNCTIONAL": "PBE"})
    with pytest.raises(DeckError, match="decided by the specification"):
        CastepOptions(extra_cell={"fix_com": False})
    with pytest.raises(DeckError, match="seed"):
        CastepOptions(seed="two words")
    assert CastepOptions(extra_param={"Write_Checkpoint": "none"}).extra_param == {
        "write_checkpoint": "none"
    }
