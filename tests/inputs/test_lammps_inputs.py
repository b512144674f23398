"""Inputs of LAMMPS, read back by MDAnalysis and summed again from the data file alone."""

from __future__ import annotations

import math
import re
import warnings
from pathlib import Path
from typing import Any

import naive_forces as naive
import numpy as np
import pytest
from small_boxes import CHARGES, node_box, salt_box

from superionic.inputs.forcefield import assign_parameters
from superionic.inputs.lammps import data_text, lammps_files, write_lammps
from superionic.inputs.md_options import MDOptions
from superionic.inputs.parametrised import Mixing, ParametrisedBox
from superionic.structures.errors import DeckError

KJ = 4.184


def salt(mixing: Mixing = "geometric") -> ParametrisedBox:
    return assign_parameters(salt_box(glymes=2), charge_scale=0.8, mixing=mixing)


def sections(text: str) -> dict[str, list[list[str]]]:
    """Rows of each section of a data file, by its title."""
    found: dict[str, list[list[str]]] = {"head": []}
    title = "head"
    for line in text.splitlines()[1:]:
        words = line.split("#")[0].split()
        if words and words[0][0].isupper():
            title = " ".join(words)
            found[title] = []
        elif words:
            found[title].append(words)
    return found


def energies_of(text: str) -> dict[str, Any]:
    """Bonded energies in kJ/mol from the data file, by LAMMPS' own formulas."""
    file = sections(text)
    x = np.array([[float(w) for w in row[4:7]] for row in file["Atoms"]])
    energy: dict[str, Any] = dict.fromkeys(("bonds", "angles", "torsions"), 0.0)
    coefficients = {
        name: {int(r[0]): [float(w) for w in r[1:]] for r in file[f"{name} Coeffs"]}
        for name in ("Bond", "Angle", "Dihedral")
    }
    for _, kind, *atoms in file["Bonds"]:
        i, j = (int(a) - 1 for a in atoms)
        k, r0 = coefficients["Bond"][int(kind)]
        energy["bonds"] += k * (np.linalg.norm(x[i] - x[j]) - r0) ** 2
    for _, kind, *atoms in file["Angles"]:
        a, b, c = (x[int(n) - 1] for n in atoms)
        k, t0 = coefficients["Angle"][int(kind)]
        u, v = a - b, c - b
        t = np.arccos(u @ v / np.linalg.norm(u) / np.linalg.norm(v))
        energy["angles"] += k * (t - np.radians(t0)) ** 2
    for _, kind, *atoms in file["Dihedrals"]:
        a, b, c, d = (x[int(n) - 1] for n in atoms)
        n1, n2 = np.cross(b - a, c - b), np.cross(c - b, d - c)
        p = np.arccos(np.clip(n1 @ n2 / np.linalg.norm(n1) / np.linalg.norm(n2), -1, 1))
        k1, k2, k3, k4 = coefficients["Dihedral"][int(kind)]
        energy["torsions"] += (
            k1 / 2 * (1 + np.cos(p)) + k2 / 2 * (1 - np.cos(2 * p))
            + k3 / 2 * (1 + np.cos(3 * p)) + k4 / 2 * (1 - np.cos(4 * p))
        )  # fmt: skip
    return {name: value * KJ for name, value in energy.items()}


def test_data_file_has_the_energy_of_the_box() -> None:
    box = salt()
    found = energies_of(data_text(box, MDOptions()))
    expected = naive.bonded(box, box.box.structure.positions)
    for name, value in found.items():
        assert value == pytest.approx(expected[name], rel=1e-7)


def test_pair_coefficients_and_charges() -> None:
    box = salt()
    file = sections(data_text(box, MDOptions()))
    pairs = {int(r[0]): (float(r[1]) * KJ, float(r[2])) for r in file["Pair Coeffs"]}
    for k, (_, _, kind, charge, *_) in enumerate(file["Atoms"]):
        assert pairs[int(kind)] == pytest.approx(
            (box.epsilon_kJ_per_mol[k], box.sigma_ang[k]), rel=1e-9
        )
        assert float(charge) == pytest.approx(box.charges_e[k])


def test_read_by_mdanalysis(tmp_path: Path) -> None:
    """A reader of somebody else's finds the same atoms, bonds and charges."""
    mda = pytest.importorskip("MDAnalysis")
    box = salt()
    folder = write_lammps(box, tmp_path / "lmp", MDOptions())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = mda.Universe(folder / "box.data", format="DATA")
    np.testing.assert_allclose(found.atoms.positions, box.box.structure.positions, atol=1e-4)
    np.testing.assert_allclose(found.atoms.charges, box.charges_e, atol=1e-6)
    np.testing.assert_allclose(found.atoms.masses, box.masses_amu, atol=1e-4)
    np.testing.assert_allclose(found.dimensions[:3], box.box.edges_ang, atol=1e-4)
    assert {tuple(sorted(b)) for b in found.bonds.indices} == {tuple(b) for b in box.bonds.tolist()}
    assert len(found.angles) == len(box.angles)
    assert len(found.dihedrals) == len(box.torsions)
    assert len(found.atoms.residues) == box.box.molecules


@pytest.mark.parametrize(
    ("mixing", "word"), [("geometric", "geometric"), ("lorentz-berthelot", "arithmetic")]
)
def test_script_says_how_to_mix(mixing: Mixing, word: str) -> None:
    script = lammps_files(salt(mixing), MDOptions())["in.lammps"]
    assert re.search(rf"pair_modify +mix {word} tail yes", script)
    assert re.search(r"special_bonds +lj/coul 0.0 0.0 0.5", script)


@pytest.mark.parametrize("tolerance", [5e-4, 1e-6])
def test_long_range_part_is_split_as_in_openmm(tolerance: float) -> None:
    box, options = salt(), MDOptions(ewald_tolerance=tolerance)
    script = lammps_files(box, options)["in.lammps"]
    assert re.search(rf"kspace_style +pppm {tolerance:g}\n", script)
    said = re.search(r"kspace_modify +gewald (\S+) mesh (\d+) (\d+) (\d+) order 5\n", script)
    assert said is not None
    alpha = math.sqrt(-math.log(2 * tolerance)) / options.cutoff_ang
    assert float(said[1]) == pytest.approx(alpha, rel=1e-7)
    spacing = box.box.edges_ang / [int(n) for n in said.groups()[1:]]
    assert (spacing <= 1.5 * tolerance**0.2 / alpha).all()


def test_constrained_kinds_are_those_of_hydrogens() -> None:
    box = salt()
    files = lammps_files(box, MDOptions())
    file = sections(files["box.data"])
    shaken = {int(w) for w in re.findall(r"0 b ([\d ]+)", files["in.lammps"])[0].split()}
    numbers = box.box.structure.numbers
    for _, kind, i, j in file["Bonds"]:
        assert (int(kind) in shaken) == (1 in numbers[[int(i) - 1, int(j) - 1]])


def test_heavier_hydrogens_have_types_of_their_own() -> None:
    box = salt()
    plain = sections(data_text(box, MDOptions()))
    heavy = sections(data_text(box, MDOptions(hydrogen_mass_amu=3.024, timestep_fs=4.0)))
    assert len(plain["Masses"]) == len(heavy["Masses"]) == len(box.types)
    total = {
        name: sum(
            {int(r[0]): float(r[1]) for r in file["Masses"]}[int(a[2])] for a in file["Atoms"]
        )
        for name, file in (("plain", plain), ("heavy", heavy))
    }
    assert total["plain"] == pytest.approx(total["heavy"], rel=1e-6)


@pytest.mark.parametrize(("rigid", "pressure"), [("springs", 1.0), ("held", None)])
def test_rigid_molecules(rigid: Any, pressure: float | None) -> None:
    box = assign_parameters(node_box(), charge_scale=1.0, charges={"FIL": CHARGES})
    script = lammps_files(box, MDOptions(rigid=rigid, pressure_bar=pressure))["in.lammps"]
    assert re.search(r"group +held id 1:14", script)
    assert "exclude molecule/intra held" in script
    assert ("rigid/small" in script) == (rigid == "springs")


def test_free_box_is_refused() -> None:
    with pytest.raises(DeckError, match="periodic"):
        lammps_files(salt(), MDOptions(electrostatics="all-pairs"))
