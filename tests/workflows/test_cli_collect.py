"""`superionic collect` and `superionic handover`."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from ase.build import bulk
from ase.io import write
from commands import refused, superionic
from made_castep import CastepCase, write_castep_run
from made_paths import HILL, images, write_band, write_single_points
from made_vasp import RELAX, VaspEnd, step, write_vasp_run
from small_salt import pushed, salt

from superionic.inputs.decks import load_deck
from superionic.workflows.handover import compare_handover, images_of, read_handover


def test_finished_run(tmp_path: Path) -> None:
    forces = pushed(1, 0.012)
    write_vasp_run(
        tmp_path, salt(), [step(salt(), -7.5, forces=forces)], RELAX, VaspEnd(reached=True)
    )
    said = superionic("collect", tmp_path)
    assert (said.code, said.err) == (0, "")
    assert "state           finished" in said.out
    assert "-7.5000" in said.out
    found = superionic("collect", tmp_path, "--json").json
    assert (found["state"], found["energy_eV"]) == ("finished", -7.5)
    assert found["fmax_eV_per_A"] == pytest.approx(0.012)
    assert "forces_eV_per_A" not in found
    arrays = superionic("collect", tmp_path, "--json", "--arrays").json
    assert arrays["forces_eV_per_A"][1] == pytest.approx([0.012, 0.0, 0.0])


@pytest.mark.parametrize("as_json", [True, False])
def test_unfinished_run_leaves_with_code_1_and_no_energy(tmp_path: Path, as_json: bool) -> None:
    write_vasp_run(tmp_path, salt(), [step(salt(), -7.5)], RELAX, VaspEnd(ended=False))
    said = superionic("collect", tmp_path, *(["--json"] if as_json else []))
    assert said.code == 1
    assert "is running" in said.err
    assert "-7.5" not in said.out
    if as_json:
        assert said.json["energy_eV"] is None
    said = superionic("collect", tmp_path, "--quiet", 0)
    assert "is truncated" in said.err


def test_many_runs(tmp_path: Path) -> None:
    write_vasp_run(tmp_path / "a", salt(), [step(salt(), -1.0)])
    write_castep_run(tmp_path / "b", salt(), [step(salt(), -2.0)], CastepCase(unconverged=(0,)))
    said = superionic("collect", tmp_path)
    assert said.code == 1
    assert "error: 1 of 2 runs did not finish" in said.err
    assert "b: the electrons" in said.out
    found = superionic("collect", tmp_path, "--json").json
    assert [(run["code"], run["state"]) for run in found] == [
        ("vasp", "finished"), ("castep", "unconverged"),
    ]  # fmt: skip
    write_castep_run(tmp_path / "b", salt(), [step(salt(), -2.0)])
    assert superionic("collect", tmp_path).code == 0


def test_charges(tmp_path: Path) -> None:
    case = CastepCase(charges=(0.9, -0.5, -0.6, 0.2))
    write_castep_run(tmp_path, salt(), [step(salt(), -2.0)], case)
    said = superionic("collect", tmp_path, "--charges")
    assert said.code == 0
    assert "mulliken charges" in said.out
    found = superionic("collect", tmp_path, "--charges", "--json").json
    assert found["charges"]["charges"] == pytest.approx([0.9, -0.5, -0.6, 0.2])


def test_band(tmp_path: Path) -> None:
    said = superionic("collect", write_band(tmp_path))
    assert said.code == 0
    assert "forward barrier 0.400 eV, reverse 0.300 eV, reaction 0.100 eV" in said.out
    found = superionic("collect", tmp_path, "--json").json
    assert found["barrier"]["forward_barrier_eV"] == pytest.approx(0.4)
    assert found["relative_energies_eV"] == pytest.approx(list(HILL))


def test_figures_of_what_came_back(tmp_path: Path) -> None:
    write_vasp_run(
        tmp_path / "run", salt(), [step(salt(), -7.0), step(salt(), -7.5)], RELAX,
        VaspEnd(reached=True),
    )  # fmt: skip
    said = superionic("collect", tmp_path / "run", "--figure", tmp_path / "steps")
    assert said.code == 0
    assert f"wrote {tmp_path / 'steps.png'}" in said.out
    assert (tmp_path / "steps.csv").read_text().splitlines()[-1].endswith("2,-7.5")
    band = write_band(tmp_path / "band")
    assert superionic("collect", band, "--figure", tmp_path / "path").code == 0
    rows = list(csv.DictReader((tmp_path / "path.csv").read_text().splitlines()))
    assert float(rows[0]["forward_barrier_eV"]) == pytest.approx(0.4)
    assert "holds 2 runs" in refused(
        superionic("collect", write_two(tmp_path / "two"), "--figure", tmp_path / "none")
    )
    write_vasp_run(tmp_path / "cut", salt(), [step(salt(), -7.5)], RELAX, VaspEnd(ended=False))
    said = superionic("collect", tmp_path / "cut", "--figure", tmp_path / "none")
    assert "a finished run only" in refused(said)
    assert not list(tmp_path.glob("none*"))


def write_two(folder: Path) -> Path:
    """Write two finished runs."""
    write_vasp_run(folder / "a", salt(), [step(salt(), -1.0)])
    write_vasp_run(folder / "b", salt(), [step(salt(), -2.0)])
    return folder


def test_band_without_ends_offers_their_decks(tmp_path: Path) -> None:
    band = write_band(tmp_path / "band", ends=False)
    said = superionic("collect", band)
    assert said.code == 1
    assert "00 and 04 have no energy" in said.err
    assert "--end-decks" in said.out
    said = superionic("collect", band, "--end-decks", tmp_path / "ends", "--json")
    assert said.code == 1
    assert [Path(p).name for p in said.json["end_decks"]] == ["00", "04"]
    for k in (0, 4):
        deck = load_deck(tmp_path / f"ends/{k:02d}")
        assert (deck.spec.task, deck.spec.cutoff_eV) == ("static", 520.0)
        structure = images()[k]
        run = step(structure, -20.0 + HILL[k])
        write_vasp_run(tmp_path / f"ends/{k:02d}", structure, [run], inputs=False)
    ends = (tmp_path / "ends/00", tmp_path / "ends/04")
    said = superionic("collect", band, "--ends", *ends)
    assert said.code == 0
    assert "forward barrier 0.400 eV" in said.out


def test_deck_that_was_never_run_says_what_it_asks_for(tmp_path: Path) -> None:
    write(tmp_path / "al.cif", bulk("Al", cubic=True, a=4.0))
    deck = tmp_path / "deck"
    words = ("inputs", "vasp", tmp_path / "al.cif", "--protocol", "latp-vasp", "-o", deck)
    assert superionic(*words).code == 0
    run = superionic("collect", deck, "--json").json
    assert (run["state"], run["task"]) == ("not-started", "relax")
    assert run["fmax_target_eV_per_A"] == pytest.approx(1e-3)
    (deck / "INCAR").write_text("ENCUT = 300\n")
    assert superionic("collect", deck, "--json").json["task"] == "static"
    (deck / "INCAR").write_text("= 3\n")
    assert superionic("collect", deck, "--json").json["task"] == "other"
    said = superionic("collect", deck, "--end-decks", tmp_path / "ends")
    assert "is no path" in refused(said)
    deck = tmp_path / "castep"
    assert superionic(*words[:1], "castep", *words[2:-1], deck).code == 0
    param = (deck / "latp.param").read_text()
    assert re.search(r"ELEC_ENERGY_TOL\s*: 2\.5e-07 eV", param)
    assert superionic("collect", deck, "--json").json["task"] == "relax"
    (deck / "latp.param").write_text("%block x\n")
    assert superionic("collect", deck, "--json").json["task"] == "other"


def test_handover_of_a_folder_without_hops(tmp_path: Path) -> None:
    marker = {"command": "binding", "version": "0", "inputs": {}}
    (tmp_path / "superionic.json").write_text(json.dumps(marker))
    words = ("--hop", 0, "--protocol", "nzsp-castep", "-o", tmp_path / "out")
    said = superionic("handover", tmp_path, *words)
    assert "made by `superionic binding` and has no hops" in refused(said)


def test_errors_are_one_line(tmp_path: Path) -> None:
    assert "no folder" in refused(superionic("collect", tmp_path / "none"))
    assert "holds no run" in refused(superionic("collect", tmp_path))


def test_single_points(tmp_path: Path) -> None:
    write_single_points(tmp_path, images(), HILL, code="castep")
    said = superionic("collect", tmp_path)
    assert said.code == 0
    assert "no barrier: images were computed one by one" in said.out


def test_from_a_local_hop_to_dft_and_back(tmp_path: Path) -> None:
    write(tmp_path / "al.cif", bulk("Al", cubic=True, a=4.0))
    words = ("--ion", "Al", "--theory", "emt", "--max-length", 3, "--images", 1, "--fixed-cell")
    done = superionic("barrier", tmp_path / "al.cif", *words, "-o", tmp_path / "run", "--json")
    assert done.code == 0
    call = ("handover", tmp_path / "run", "--hop", 0, "--protocol", "latp-vasp", "--code", "vasp")
    said = superionic(*call, "-o", tmp_path / "dft", "--json")
    assert said.code == 0, said.err
    assert said.json["theory"] == "emt"
    record, local = read_handover(tmp_path / "dft")
    assert record.key == done.json[0]["key"]
    said = superionic("collect", tmp_path / "dft")
    assert said.code == 1
    assert "have no energy" in said.err
    structures = images_of(local)
    doubled = [2.0 * e for e in local.energies_eV]
    write_single_points(tmp_path / "dft/vasp/single-points", structures, doubled)
    said = superionic("collect", tmp_path / "dft")
    assert said.code == 0, said.err
    assert "forward barrier" in said.out
    found = superionic("collect", tmp_path / "dft", "--json").json
    assert found["barrier_change_eV"] == pytest.approx(done.json[0]["forward_barrier_eV"])
    assert found["softening"] == pytest.approx(0.5)
    drawn = superionic("collect", tmp_path / "dft", "--figure", tmp_path / "levels")
    assert drawn.code == 0
    assert (tmp_path / "levels.svg").is_file()
    assert compare_handover(tmp_path / "dft").complete
    assert "holds something" in refused(superionic(*call, "-o", tmp_path / "dft"))
    assert "no hop '7'" in refused(
        superionic("handover", tmp_path / "run", "--hop", 7, "--protocol", "latp-vasp", "-o",
                   tmp_path / "x")
    )  # fmt: skip
