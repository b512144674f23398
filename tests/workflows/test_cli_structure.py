"""`superionic structure` and `superionic hops`."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from ase.io import write
from commands import packaged, refused, superionic

from superionic.structures.errors import SuperionicError
from superionic.structures.io import read_crystal, read_structure, write_structure
from superionic.structures.structure import Structure


def test_check_of_a_sound_crystal() -> None:
    said = superionic("structure", "check", "nzsp")
    assert said.code == 0
    assert said.out.splitlines()[-1] == "ok"
    assert "shared or partly empty" in said.out
    assert "shared" not in superionic("structure", "check", "na3ps4").out
    found = superionic("structure", "check", "nzsp", "--json").json
    assert found["ok"] is True
    assert found["problems"] == []
    assert found["bond_valence_sums"]["Zr1"] == pytest.approx(4.0, abs=0.2)
    assert found["formal_charge_e"] == pytest.approx(0.0, abs=1e-6)


def test_check_finds_the_wrong_sign_of_a_coordinate(tmp_path: Path) -> None:
    crystal = read_crystal(packaged("nzsp"))
    wrong = crystal.fractional.copy()
    moved = list(crystal.indices("O2"))
    wrong[moved, 1] *= -1
    write_structure(
        type(crystal)(wrong, crystal.occupancies, crystal.cell, crystal.labels), tmp_path / "x.cif"
    )
    said = superionic("structure", "check", tmp_path / "x.cif")
    assert said.code == 1
    assert "problem: " in said.out
    found = superionic("structure", "check", tmp_path / "x.cif", "--json")
    assert found.code == 1
    assert found.json["ok"] is False


def test_check_takes_charges() -> None:
    said = superionic("structure", "check", "na3ps4", "--oxidation-state", "P=3", "--json")
    assert said.code == 1
    assert said.json["oxidation_states"]["P"] == 3.0
    assert any("not neutral" in problem for problem in said.json["problems"])


def test_list_of_crystals() -> None:
    listed = superionic("structure", "list", "--json").json
    assert {"nzsp", "latp", "na3ps4"} <= {crystal["name"] for crystal in listed}
    assert all(crystal["source"] for crystal in listed)
    assert "nzsp: " in superionic("structure", "list").out


def test_slab_is_written_with_its_facts(tmp_path: Path) -> None:
    out = tmp_path / "slab.cif"
    words = ("structure", "slab", "na4zr2si3o12", "--miller", 0, 0, 1, "--vacuum", 20, "-o", out)
    said = superionic(*words, "--repeat", 2, 2, "--json")
    assert said.code == 0
    assert "moved to the other face" not in said.out
    slab = read_structure(out)
    assert said.json["atoms"] == len(slab)
    assert (said.json["polar"], said.json["stoichiometric"]) == (False, True)
    assert slab.formula == said.json["formula"]
    heights = np.sort(slab.positions[:, 2])
    assert slab.cell[2, 2] - (heights[-1] - heights[0]) == pytest.approx(20.0, abs=1e-6)
    told = superionic(*words, "--repeat", 2, 1)
    assert "stoichiometric  yes" in told.out
    assert "moved to the other face" in told.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--repeat", 2, 2, "--no-compensate"], "is polar .* Try --compensate; .* --allow-polar"),
        ([], "--compensate did not do: .* such as --repeat 2 1 can help"),
        (["--repeat", 2, 2, "--vacuum", 3], "at least 8 A .* larger --vacuum"),
        (["--layers", 3, "--thickness", 9], "either as --layers .* got --layers 3 and --thickness"),
    ],
)
def test_slab_is_refused(tmp_path: Path, words: list[object], message: str) -> None:
    out = tmp_path / "slab.cif"
    said = superionic("structure", "slab", "na4zr2si3o12", "--miller", 0, 0, 1, "-o", out, *words)
    assert re.search(message, refused(said))
    assert not out.exists()


def test_slab_of_an_unknown_termination_is_told_which_there_are(tmp_path: Path) -> None:
    out = tmp_path / "slab.cif"
    words = ("structure", "slab", "na3ps4", "--miller", 0, 0, 1, "-o", out)
    said = superionic(*words, "--termination", 9)
    assert said.err.startswith("error: No termination 9. This plane has\n  0: Na|Na")
    refused(said, lines=said.err.count("\n"))
    assert not out.exists()
    assert superionic(*words, "--termination", "Na|Na").code == 0


def test_declared_slab_is_cut(tmp_path: Path) -> None:
    out = tmp_path / "POSCAR"
    said = superionic(
        "structure", "slab", "na4zr2si3o12", "--miller", 0, 0, 1, "--allow-polar", "--layers", 2,
        "--no-compensate", "--json", "-o", out,
    )  # fmt: skip
    assert said.json["polar"] is True
    assert said.json["layers"] == 2
    assert len(read_structure(out)) == said.json["atoms"]


def test_terminations_are_listed() -> None:
    words = ("structure", "slab", "na3ps4", "--miller", 0, 0, 1, "--list-terminations")
    listed = superionic(*words, "--json").json
    assert [t["index"] for t in listed] == list(range(len(listed)))
    assert any(not t["polar"] for t in listed)
    assert listed[0]["name"] in superionic(*words).out


@pytest.mark.parametrize("name", ["out.foo", "absent/out.cif"])
def test_where_to_write_is_checked_first(tmp_path: Path, name: str) -> None:
    out = tmp_path / name
    slab = ["structure", "slab", "na3ps4", "--miller", 0, 0, 1, "-o", out]
    order = ["structure", "order", "nzsp", "-o", out]
    for words in (slab, order):
        refused(superionic(*words))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["a.cif", "a.CIF", "POSCAR", "POSCAR_1", "contcar.x", "a.vasp", "a.xyz", "a", "a.in"]
)
def test_writable_formats_are_those_of_the_writer(tmp_path: Path, name: str) -> None:
    from superionic.workflows.commands.loading import check_output

    def works(action: Callable[[], None]) -> bool:
        try:
            action()
        except SuperionicError:
            return False
        return True

    structure = Structure.from_ase(bulk("Al"))
    path = tmp_path / name
    assert works(lambda: check_output(path)) == works(lambda: write_structure(structure, path))


def silver_oxide(folder: Path) -> Path:
    """Write a made-up crystal with half of its silver sites filled, that EMT can compute."""
    from superionic.structures.disordered import DisorderedStructure

    oxygen = [(0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0)]
    silver = [(x, y, z) for x in (0.25, 0.75) for y in (0.25, 0.75) for z in (0.25, 0.75)]
    crystal = DisorderedStructure(
        fractional=np.array(oxygen + silver),
        occupancies=(*[{"O": 1.0}] * 4, *[{"Ag": 0.5}] * 8),
        cell=np.eye(3) * 5.2,
        labels=("O1",) * 4 + ("Ag1",) * 8,
    )
    write_structure(crystal, folder / "ago.cif")
    return folder / "ago.cif"


def test_order_then_hop_into_the_sites_left_empty(tmp_path: Path) -> None:
    disordered, ordered = silver_oxide(tmp_path), tmp_path / "ordered.cif"
    message = refused(superionic("hops", disordered, "--ion", "Ag"))
    assert "superionic structure order" in message
    words = (
        "structure", "order", disordered, "--theory", "emt", "-o", ordered, "--candidates", 1,
        "--moves", 2, "--empty-sites", "--workers", 1, "--json",
    )  # fmt: skip
    said = superionic(*words)
    assert said.code == 0
    assert said.json["converged"] is True
    assert said.json["formula"] == "AgO"
    assert {"fell_eV", "moves_tried", "exhausted", "ewald_rank"} <= set(said.json)
    assert "O1" in read_structure(ordered).labels
    (result,) = (tmp_path / "ordered.order").glob("order-*/result.json")
    written = result.stat().st_mtime_ns
    assert superionic(*words).json == said.json
    assert result.stat().st_mtime_ns == written
    hop = superionic("hops", ordered, "--ion", "Ag", "--mechanism", "hole", "--json").json[0]
    assert hop["site_types"] == ["Ag1", "Ag1"]
    assert hop["length_ang"] == pytest.approx((read_structure(ordered).volume / 2) ** (1 / 3))


def test_order_refuses_before_anything_is_written(tmp_path: Path) -> None:
    disordered = silver_oxide(tmp_path)
    files = sorted(tmp_path.iterdir())
    out = tmp_path / "x.cif"
    for words in (
        ["order", disordered, "--theory", "chgnet"],
        ["order", "nzsp", "--theory", "emt"],
        ["order", disordered, "--theory", "emt", "--min-atoms", 500],
        ["order", tmp_path / "nothing.cif"],
        ["order", disordered, "--theory", "emt", "--ion", "Pd"],
        ["order", "na3ps4", "--ion", "Li"],
    ):
        refused(superionic("structure", *words, "-o", out))
    assert superionic("structure", "order", "mfi", "-o", out).code == 2
    assert sorted(tmp_path.iterdir()) == files


def test_metals_have_no_order_by_charges(tmp_path: Path) -> None:
    write(tmp_path / "alloy.cif", bulk("Al", a=4.0))
    said = superionic(
        "structure", "order", tmp_path / "alloy.cif", "--ion", "Al", "--theory", "emt", "-o",
        tmp_path / "out.cif",
    )  # fmt: skip
    assert "metallic by its formal charges" in refused(said)
    assert [p.name for p in tmp_path.iterdir()] == ["alloy.cif"]


def test_messages_name_options_of_the_command_line(tmp_path: Path, here: Path) -> None:
    out = tmp_path / "out.cif"
    oganesson = bulk("NaCl", "rocksalt", a=5.64, cubic=True)
    oganesson.symbols[0] = "Og"
    write(tmp_path / "og.cif", oganesson)
    whole = (tmp_path / "og.cif").read_text()
    (tmp_path / "cut.cif").write_text(whole[:-150])
    slab = ("structure", "slab", "na3ps4", "--miller", 0, 0, 1, "-o", out)
    order = ("structure", "order", "nzsp", "-o", out, "--min-atoms", 5000)
    hops = ("hops", here / "al.cif", "--ion", "Al")
    for words, expected in (
        (("structure", "check", tmp_path / "og.cif"), "--oxidation-state Og=3"),
        (("structure", "check", "na3ps4", "--oxidation-state", "Zr=4"), "holds Na, P, S"),
        (("structure", "check", tmp_path), "is a folder"),
        (("structure", "check", tmp_path / "cut.cif"), "ends too early. The file"),
        ((*slab, "--thickness", 1e9), "--thickness must lie"),
        ((*slab, "--oxidation-state", "Na=3"), "Correct --oxidation-state"),
        ((*slab, "--oxidation-state", "Xe=3"), "given for Xe"),
        (order, "smaller --min-atoms"),
        ((*hops, "--min-atoms", 5000), "--min-atoms must be at most 400"),
        ((*hops, "--max-length", 1000), "between 0 and 15 A"),
        ((*hops, "--mechanism", "interstitial"), "The interstitial mechanism needs empty sites"),
    ):
        assert expected in refused(superionic(*words))
    assert not out.exists()


def test_hops_of_aluminium(here: Path) -> None:
    said = superionic("hops", here / "al.cif", "--ion", "Al", "--json")
    near, far = said.json
    assert near["length_ang"] == pytest.approx(4.0 / np.sqrt(2), abs=1e-6)
    assert far["length_ang"] == pytest.approx(4.0, abs=1e-6)
    assert (near["multiplicity"], far["multiplicity"]) == (24, 12)
    table = superionic("hops", here / "al.cif", "--ion", "Al").out
    assert near["key"] in table
    assert all(len(line) == len(line.rstrip()) for line in table.splitlines())


def test_hops_of_a_slab_say_where_they_are(here: Path) -> None:
    said = superionic("hops", here / "slab.vasp", "--ion", "Al", "--max-length", 3.0, "--json")
    assert {hop["direction"] for hop in said.json} == {"lateral", "outward"} or {
        hop["direction"] for hop in said.json
    } == {"lateral", "inward"}
    assert (
        "depth A" in superionic("hops", here / "slab.vasp", "--ion", "Al", "--max-length", 3.0).out
    )


def test_hops_between_voids() -> None:
    words = ("hops", "na3sbs4", "--ion", "Na", "--mechanism", "interstitial", "--max-length", 3)
    assert "--voids" in refused(superionic(*words))
    found = superionic(*words, "--voids", "--json").json
    assert found
    assert all(hop["mechanism"] == "interstitial" for hop in found)


def test_a_termination_that_is_no_number_is_a_name(tmp_path: Path) -> None:
    said = superionic(
        "structure", "slab", "na3ps4", "--miller", 0, 0, 1, "--termination", "\N{SUPERSCRIPT TWO}",
        "-o", tmp_path / "out.cif",
    )  # fmt: skip
    assert said.code == 1
    assert said.err.startswith("error: No termination '\N{SUPERSCRIPT TWO}'")
