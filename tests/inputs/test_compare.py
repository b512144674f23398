"""Every planted difference between two decks is named, and nothing else is."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from deck_specs import cells, images_of, rough_slab, specs
from hypothesis import given, settings
from hypothesis import strategies as st

from superionic.inputs.castep.options import CastepOptions
from superionic.inputs.compare import LABELS, same_physics
from superionic.inputs.deck import Deck
from superionic.inputs.decks import write_deck
from superionic.inputs.dft import Band, DFTSpec, FixedAtom, KGrid, Relaxation, Smearing, Spin
from superionic.inputs.vasp.options import VaspOptions

FULL = DFTSpec(
    "pbe",
    500.0,
    kgrid=KGrid((2, 2, 1)),
    dispersion="d2",
    smearing=Smearing("gaussian", 0.05),
    spin=Spin(True, {"Zr": 1.0}, 2.0),
    charge_e=-1.0,
    charge_statement="as a difference",
    hubbard_u_eV={"Zr-d": 2.0},
    fixed=(FixedAtom(0),),
    dipole_axis="c",
    relax=Relaxation(force_eV_per_A=0.01, optimiser="lbfgs"),
)
RELAX = FULL.relax
assert RELAX is not None
BAND = Band(images=3, optimiser="fire")

PLANTED: list[tuple[str, dict[str, Any], str]] = [
    ("functional", {"functional": "rpbe", "dispersion": "none"}, "physics"),
    ("cutoff", {"cutoff_eV": 520.0}, "physics"),
    ("k grid", {"kgrid": KGrid((3, 2, 1))}, "physics"),
    ("k grid centre", {"kgrid": KGrid((2, 2, 1), False)}, "physics"),
    ("dispersion", {"dispersion": "none"}, "physics"),
    ("smearing", {"smearing": Smearing("fermi-dirac", 0.05)}, "physics"),
    ("smearing width", {"smearing": Smearing("gaussian", 0.1)}, "physics"),
    ("spin", {"spin": Spin()}, "physics"),
    ("initial moments", {"spin": Spin(True, {"O": 1.0}, 2.0)}, "physics"),
    ("total moment", {"spin": Spin(True, {"Zr": 1.0})}, "physics"),
    ("charge", {"charge_e": 1.0}, "physics"),
    ("charge statement", {"charge_statement": "otherwise"}, "numerics"),
    ("Hubbard U", {"hubbard_u_eV": {}}, "physics"),
    ("SCF convergence", {"scf_energy_eV": 1e-5}, "physics"),
    ("SCF steps", {"scf_max_steps": 99}, "numerics"),
    ("constraints", {"fixed": (FixedAtom(1),)}, "physics"),
    ("constraints", {"fixed": (FixedAtom(0, (True, True, False)),)}, "physics"),
    ("dipole correction", {"dipole_axis": "none"}, "physics"),
    ("relaxation", {"relax": None}, "physics"),
    ("force convergence", {"relax": dataclasses.replace(RELAX, force_eV_per_A=0.02)}, "physics"),
    ("relaxation steps", {"relax": dataclasses.replace(RELAX, max_steps=3)}, "numerics"),
    ("optimiser", {"relax": dataclasses.replace(RELAX, optimiser="fire")}, "numerics"),
    ("band", {"relax": None, "band": BAND}, "physics"),
]


def deck(spec: DFTSpec, code: str) -> Deck:
    options = VaspOptions() if code == "vasp" else CastepOptions()
    return Deck(spec, images_of(rough_slab(), spec), options)


@pytest.mark.parametrize("codes", [("vasp", "vasp"), ("vasp", "castep"), ("castep", "castep")])
@pytest.mark.parametrize(("name", "changes", "weight"), PLANTED)
def test_a_planted_difference_is_named(
    tmp_path: Path, codes: tuple[str, str], name: str, changes: dict[str, Any], weight: str
) -> None:
    folders = [
        write_deck(deck(spec, code), tmp_path / f"{k}-{code}")
        for k, (spec, code) in enumerate(
            zip((FULL, dataclasses.replace(FULL, **changes)), codes, strict=True)
        )
    ]
    found = same_physics(*folders)
    named = {d.name: d for d in found.differences}
    assert name in named
    assert named[name].weight == weight
    assert named[name].first != named[name].second
    assert found.same == (weight == "numerics")
    expected = {name} | ({"relaxation", "structures"} if name == "band" else set())
    expected |= {"functional": {"dispersion"}, "spin": {"initial moments", "total moment"}}.get(
        name, set()
    )
    assert set(named) == expected


@pytest.mark.parametrize("codes", [("vasp", "castep"), ("castep", "castep")])
@pytest.mark.parametrize(
    ("name", "band"),
    [
        ("band images", Band(images=5, optimiser="fire")),
        ("climbing image", Band(images=3, climb=False, optimiser="fire")),
        ("spring constant", Band(images=3, spring_eV_per_A2=1.0, optimiser="fire")),
        ("band force convergence", Band(images=3, force_eV_per_A=0.1, optimiser="fire")),
    ],
)
def test_a_difference_of_bands_is_named(
    tmp_path: Path, codes: tuple[str, str], name: str, band: Band
) -> None:
    specs_ = [dataclasses.replace(FULL, relax=None, band=b) for b in (BAND, band)]
    folders = [
        write_deck(deck(spec, code), tmp_path / f"{k}")
        for k, (spec, code) in enumerate(zip(specs_, codes, strict=True))
    ]
    assert name in {d.name for d in same_physics(*folders).differences}


def test_differences_of_atoms_are_named() -> None:
    here = deck(FULL, "vasp")
    slab = here.structure
    wider = dataclasses.replace(slab, cell=slab.cell * 1.01)
    moved = slab.with_positions(slab.positions + 0.01 * np.eye(5, 3))
    other = dataclasses.replace(slab, numbers=np.array([11, 40, 8, 8, 15]), labels=())
    wrapped = slab.with_positions(slab.positions + slab.cell[0])
    for changed, name in ((wider, "cell"), (moved, "positions"), (other, "composition")):
        found = same_physics(here, Deck(FULL, (changed,)))
        assert [d.name for d in found.differences] == [name]
        assert not found.same
    assert same_physics(here, Deck(FULL, (wrapped,))).differences == ()


def test_differences_of_one_code_are_named() -> None:
    slab = (rough_slab(),)
    plain = Deck(FULL, slab, VaspOptions(potentials={"Zr": "Zr_sv"}, extra={"LREAL": False}))
    other = Deck(
        FULL,
        slab,
        VaspOptions(
            "Normal", potentials={"Zr": "Zr"}, extra={"LREAL": "Auto", "NCORE": 4, "LWAVE": "T"}
        ),
    )
    found = {d.name: d.weight for d in same_physics(plain, other).differences}
    assert found == {
        "precision": "physics", "potential of Zr": "physics", "LREAL": "physics",
        "NCORE": "numerics", "LWAVE": "numerics",
    }  # fmt: skip
    spelt = Deck(FULL, slab, VaspOptions(potentials={"Zr": "Zr_sv"}, extra={"LREAL": "F"}))
    assert same_physics(plain, spelt).differences == ()
    one = Deck(FULL, slab, CastepOptions("C19", extra_param={"grid_scale": 2.0, "iprint": 2}))
    two = Deck(FULL, slab, CastepOptions("QC5", {"O": "C19"}, extra_param={"grid_scale": 1.75}))
    named = {d.name: d.weight for d in same_physics(one, two).differences}
    assert named == {
        "pseudopotential library": "physics", "potential of O": "physics",
        "GRID_SCALE": "physics", "IPRINT": "numerics",
    }  # fmt: skip


def test_two_codes_come_with_a_remark() -> None:
    found = same_physics(deck(FULL, "vasp"), deck(FULL, "castep"))
    assert found.same
    assert any("never total energies" in remark for remark in found.remarks)
    assert same_physics(deck(FULL, "vasp"), deck(FULL, "vasp")).remarks == ()


@settings(max_examples=150)
@given(data=st.data())
def test_random_decks_differ_exactly_where_their_specs_do(data: st.DataObject) -> None:
    structure = data.draw(cells())
    task = data.draw(st.sampled_from(["static", "relax"]))
    first, second = (data.draw(specs(structure, task=task)) for _ in range(2))
    decks = [
        Deck(first, (structure,), VaspOptions()),
        Deck(second, (structure,), CastepOptions("NCP19")),
    ]
    found = same_physics(*decks)
    a, b = (d.spec for d in decks)
    top = {LABELS[f.name] for f in dataclasses.fields(a) if f.name in LABELS}
    differing = {
        LABELS[f.name]
        for f in dataclasses.fields(a)
        if f.name in LABELS and getattr(a, f.name) != getattr(b, f.name) and f.name != "relax"
    }
    assert {d.name for d in found.differences} & (top - {"relaxation"}) == differing
    assert (found.differences == ()) == (a == b)


def test_every_field_has_a_name() -> None:
    spec = dataclasses.replace(FULL, relax=None, band=BAND)

    def walk(value: Any, path: str = "") -> list[str]:
        names = []
        for field in dataclasses.fields(value):
            inner = getattr(value, field.name)
            if dataclasses.is_dataclass(inner):
                names += walk(inner, f"{path}{field.name}.")
            else:
                names.append(f"{path}{field.name}")
        return names

    assert set(walk(spec)) | set(walk(FULL)) <= set(LABELS)
