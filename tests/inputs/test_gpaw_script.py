"""Scripts for GPAW: what stands in them, and that they run where GPAW is."""

from __future__ import annotations

import ast
import dataclasses
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from deck_specs import cells, images_of, rough_slab, specs
from hypothesis import given, settings
from hypothesis import strategies as st

from superionic.inputs.deck import Deck
from superionic.inputs.decks import load_deck
from superionic.inputs.dft import Band, DFTSpec, FixedAtom, KGrid, Relaxation, Smearing, Spin
from superionic.inputs.gpaw.moments import possible_moments
from superionic.inputs.gpaw.options import GpawOptions
from superionic.inputs.gpaw.script import gpaw_files, gpaw_settings, write_gpaw
from superionic.structures.errors import DeckError
from superionic.structures.structure import Structure

needs_gpaw = pytest.mark.skipif(
    importlib.util.find_spec("gpaw") is None, reason="GPAW is not installed here"
)


def spec(**changes: Any) -> DFTSpec:
    return dataclasses.replace(DFTSpec("pbe", 400.0), **changes)


def hydrogen(length_ang: float = 0.9) -> Structure:
    """A stretched molecule in a box."""
    return Structure(
        np.array([1, 1]),
        np.array([[3.0, 3.0, 3.0], [3.0, 3.0, 3.0 + length_ang]]),
        np.diag([6.0, 6.0, 6.0]),
    )


def test_moments_are_such_as_free_atoms_have() -> None:
    """Fe(III) has five unpaired electrons, neutral iron four, nickel two, zinc none."""
    symbols = ("Fe", "Fe", "Ni", "Zn", "O", "C", "O")
    wanted = (5.0, -5.0, 2.0, 1.0, 0.0, 0.0, 0.5)
    free = possible_moments(symbols, wanted, keep_sum=False)
    assert free == (4.0, -4.0, 2.0, 0.0, 0.0, 0.0, 0.5)
    held = possible_moments(symbols, wanted, keep_sum=True)
    assert held == (4.0, -4.0, 2.0, 0.0, 0.5, 0.0, 1.0)
    assert possible_moments(("Fe",), (5.0,), keep_sum=True) == (5.0,)
    for symbol, most in (("Mn", 5.0), ("Cr", 6.0), ("Co", 3.0), ("Cu", 1.0), ("Mo", 6.0)):
        assert possible_moments((symbol,), (9.0,), keep_sum=False) == (most,)
    cell = Structure(np.array([26, 8]), np.array([[0.0, 0, 0], [0, 0, 2.1]]), 6.0 * np.eye(3))
    made = spec(spin=Spin(True, {"Fe": 5.0}, 5.0))
    files = gpaw_files(Deck(made, (cell,), GpawOptions()))
    assert "MOMENTS = [4.0, 1.0]" in files["run.py"]
    assert "neutral atoms" in files["NOTES.md"]


def test_settings_are_those_of_the_specification() -> None:
    made = spec(
        kgrid=KGrid((2, 2, 1)),
        smearing=Smearing("fermi-dirac", 0.1),
        spin=Spin(True, {"Zr": 2.0}, 2.0),
        hubbard_u_eV={"Zr-d": 4.0},
        charge_e=-1.0,
        dipole_axis="c",
    )
    assert gpaw_settings(made, GpawOptions()) == {
        "mode": {"name": "pw", "ecut": 400.0},
        "xc": "PBE",
        "kpts": {"size": (2, 2, 1), "gamma": True},
        "occupations": {"name": "fermi-dirac", "width": 0.1, "fixmagmom": True},
        "maxiter": 100,
        "spinpol": True,
        "charge": -1.0,
        "setups": {"Zr": ":d,4"},
        "poissonsolver": {"dipolelayer": "xy"},
    }
    lcao = gpaw_settings(spec(), GpawOptions("lcao", "dzp", 0.18))
    assert (lcao["mode"], lcao["basis"], lcao["h"]) == ("lcao", "dzp", 0.18)


@settings(max_examples=60)
@given(data=st.data())
def test_scripts_are_python(data: st.DataObject) -> None:
    structure = data.draw(cells())
    made = data.draw(specs(structure, ("gpaw",)))
    if made.relax is not None:
        made = dataclasses.replace(made, relax=dataclasses.replace(made.relax, energy_eV=None))
    if made.spin.total_moment is not None:
        total = sum(made.for_structure(structure).spin.moments(structure))
        made = dataclasses.replace(made, spin=dataclasses.replace(made.spin, total_moment=total))
    files = gpaw_files(Deck(made, images_of(structure, made), GpawOptions()))
    tree = ast.parse(files["run.py"])
    assigned = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id.isupper()
    }
    assert assigned["SCF_ENERGY_EV"] == made.scf_energy_eV
    assert assigned["SETTINGS"]["mode"]["ecut"] == made.cutoff_eV
    assert len(assigned["FIXED"]) == len(made.fixed)


@pytest.mark.parametrize(
    ("changes", "options", "message"),
    [
        ({"functional": "b3lyp"}, GpawOptions(), "no functional 'b3lyp'"),
        ({"dispersion": "ts"}, GpawOptions(), "no dispersion correction 'ts'"),
        ({"functional": "hse06"}, GpawOptions("lcao"), "plane waves only"),
        ({"relax": Relaxation(energy_eV=1e-4, optimiser="bfgs")}, GpawOptions(), "by the forces"),
        ({"relax": Relaxation(0.01, 1e-4, optimiser="bfgs")}, GpawOptions(), "no energy_eV"),
        ({"relax": Relaxation(0.01)}, GpawOptions(), "no optimiser of atoms 'cg'"),
        ({"spin": Spin(True, {"O": 1.0}, 4.0)}, GpawOptions(), "sum to 2"),
        ({"kgrid": KGrid((1, 1, 2))}, GpawOptions(), "along c"),
    ],
)
def test_gpaw_is_not_asked_for_what_it_cannot_do(
    tmp_path: Path, changes: dict[str, Any], options: GpawOptions, message: str
) -> None:
    with pytest.raises(DeckError, match=message):
        write_gpaw(Deck(spec(**changes), (rough_slab(),), options), tmp_path / "deck")
    assert list(tmp_path.iterdir()) == []


def test_scripts_are_not_read_back(tmp_path: Path) -> None:
    folder = write_gpaw(Deck(spec(), (rough_slab(),)), tmp_path / "deck")
    assert sorted(p.name for p in folder.iterdir()) == ["NOTES.md", "images.extxyz", "run.py"]
    with pytest.raises(DeckError, match="not read back"):
        load_deck(folder)
    with pytest.raises(DeckError, match="one word"):
        GpawOptions(basis="two words")


def run(folder: Path) -> tuple[int, dict[str, Any]]:
    """Run a deck; return its exit code and what it found."""
    done = subprocess.run(
        [sys.executable, "run.py"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert (folder / "result.json").is_file(), done.stderr
    found: dict[str, Any] = json.loads((folder / "result.json").read_text())
    return done.returncode, found


@needs_gpaw
@pytest.mark.slow
def test_a_relaxation_runs(tmp_path: Path) -> None:
    """PBE puts the atoms of H2 at 0.75 A."""
    made = spec(
        relax=Relaxation(0.02, optimiser="bfgs", max_steps=30),
        smearing=Smearing("fermi-dirac", 0.01),
        dispersion="d3bj",
        fixed=(FixedAtom(0, (True, True, False)),),
    )
    code, found = run(write_gpaw(Deck(made, (hydrogen(),)), tmp_path / "relax"))
    assert code == 0
    assert found["converged"] is True
    assert found["max_force_eV_per_A"] < 0.02
    from ase.io import read

    atoms: Any = read(tmp_path / "relax" / "final.extxyz")
    assert atoms.get_distance(0, 1) == pytest.approx(0.75, abs=0.02)
    assert found["energy_eV"] == pytest.approx(-6.7, abs=0.3)


@needs_gpaw
@pytest.mark.slow
@pytest.mark.parametrize("mode", ["lcao", "pw"])
def test_a_static_calculation_runs(tmp_path: Path, mode: str) -> None:
    made = spec(smearing=Smearing("gaussian", 0.01), spin=Spin(True, {"H": 1.0}, 2.0))
    deck = Deck(made, (hydrogen(0.75),), GpawOptions(mode))  # type: ignore[arg-type]
    code, found = run(write_gpaw(deck, tmp_path / "static"))
    assert code == 0
    assert found["energy_eV"] > -3.0  # the triplet lies far above the singlet at -6.7 eV


@needs_gpaw
@pytest.mark.slow
def test_a_run_that_does_not_converge_has_no_energy(tmp_path: Path) -> None:
    made = spec(scf_energy_eV=1e-10, scf_max_steps=3)
    code, found = run(write_gpaw(Deck(made, (hydrogen(),)), tmp_path / "scf"))
    assert (code, found["converged"]) == (1, False)
    assert not {"energy_eV", "energies_eV"} & set(found)
    cut = spec(relax=Relaxation(1e-4, optimiser="bfgs", max_steps=1))
    code, found = run(write_gpaw(Deck(cut, (hydrogen(),)), tmp_path / "steps"))
    assert (code, found["converged"]) == (1, False)
    assert not {"energy_eV", "energies_eV"} & set(found)


@needs_gpaw
@pytest.mark.slow
def test_a_band_runs(tmp_path: Path) -> None:
    """A molecule that turns by a quarter comes back to its own energy."""
    first = hydrogen(0.75)
    images = []
    for angle in np.linspace(0, np.pi / 2, 3):
        moved = first.positions.copy()
        moved[1] = moved[0] + 0.75 * np.array([np.sin(angle), 0.0, np.cos(angle)])
        images.append(first.with_positions(moved))
    made = spec(band=Band(images=1, force_eV_per_A=0.3, max_steps=20))
    deck = Deck(made, tuple(images), GpawOptions("lcao"))
    code, found = run(write_gpaw(deck, tmp_path / "band"))
    assert code == 0
    assert len(found["energies_eV"]) == 3
    assert found["energies_eV"][0] == pytest.approx(found["energies_eV"][2], abs=0.02)
