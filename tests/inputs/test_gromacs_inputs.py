"""Inputs of GROMACS: what the files say, and the same energies and forces from `gmx`."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import naive_forces as naive
import numpy as np
import pytest
from openmm_points import evaluate
from small_boxes import CHARGES, node_box, salt_box

from superionic.inputs.ewald import splitting_per_ang
from superionic.inputs.forcefield import assign_parameters
from superionic.inputs.gromacs import gromacs_files, mdp_text, write_gromacs
from superionic.inputs.md_options import MDOptions
from superionic.inputs.parametrised import Mixing, ParametrisedBox
from superionic.structures.errors import DeckError

GMX = shutil.which("gmx_d") or shutil.which("gmx")
SINGLE_POINT = """
integrator = md
nsteps = 0
dt = 0.001
cutoff-scheme = Verlet
coulombtype = PME
rcoulomb = 1.0
rvdw = 1.0
coulomb-modifier = None
vdw-modifier = None
ewald-rtol = 1e-8
fourierspacing = 0.05
pme-order = 8
DispCorr = no
constraints = none
nstfout = 1
nstenergy = 1
nstcalcenergy = 1
"""


def salt(mixing: Mixing = "geometric") -> ParametrisedBox:
    return assign_parameters(salt_box(glymes=2), charge_scale=0.8, mixing=mixing)


def section(text: str, title: str) -> list[list[str]]:
    """Rows of all sections of one title."""
    rows, inside = [], False
    for line in text.splitlines():
        words = line.split(";")[0].split()
        if words[:1] == ["["]:
            inside = words[1] == title
        elif inside and words:
            rows.append(words)
    return rows


def pair_of(line: str) -> tuple[str, str]:
    """Name and value of a setting."""
    name, _, value = line.partition("=")
    return name, value.strip()


def test_topology_says_what_the_box_holds() -> None:
    box = salt()
    text = gromacs_files(box, MDOptions())["topol.top"]
    assert section(text, "defaults") == [["1", "3", "yes", "0.5", "0.5"]]
    assert section(text, "molecules") == [["G2", "2"], ["NA", "1"], ["TFSI", "1"]]
    atoms = section(text, "atoms")
    assert len(atoms) == sum(c.atoms for c in box.box.components)
    charges = {row[3]: 0.0 for row in atoms}
    for row in atoms:
        charges[row[3]] += float(row[6])
    assert charges == pytest.approx({"G2": 0.0, "NA": 0.8, "TFSI": -0.8}, abs=1e-9)
    assert len(section(text, "dihedrals")) == len(box.torsions) - 36  # the second glyme's
    assert {row[4] for row in section(text, "dihedrals")} == {"3"}


def test_mixing_is_the_rule_of_the_topology() -> None:
    text = gromacs_files(salt("lorentz-berthelot"), MDOptions())["topol.top"]
    assert section(text, "defaults")[0][1] == "2"


def test_coordinates_keep_their_digits() -> None:
    box = salt()
    lines = gromacs_files(box, MDOptions())["box.gro"].splitlines()
    assert int(lines[1]) == len(box) == len(lines) - 3
    found = [[float(line[20 + 14 * k : 34 + 14 * k]) for k in range(3)] for line in lines[2:-1]]
    np.testing.assert_allclose(np.array(found) * 10, box.box.structure.positions, atol=1e-8)


def test_held_molecules_are_frozen() -> None:
    box = assign_parameters(node_box(), charge_scale=1.0, charges={"FIL": CHARGES})
    files = gromacs_files(box, MDOptions(rigid="held", pressure_bar=None))
    assert "freezegrps               = FIL" in files["nvt.mdp"]
    assert "npt.mdp" not in files
    excluded = section(files["topol.top"], "exclusions")
    assert sum(len(row) - 1 for row in excluded) == 21


@pytest.mark.parametrize(("every", "computed"), [(500, 100), (250, 50), (20, 20), (7, 1)])
def test_energies_are_there_when_they_are_written(every: int, computed: int) -> None:
    text = gromacs_files(salt(), MDOptions(frame_every=every))["npt.mdp"]
    found = dict(line.split(" = ") for line in text.splitlines())
    assert {k.strip(): v for k, v in found.items()}["nstcalcenergy"] == str(computed)


@pytest.mark.parametrize("tolerance", [5e-4, 1e-6])
def test_ewald_settings_are_those_asked_for(tolerance: float) -> None:
    options = MDOptions(ewald_tolerance=tolerance)
    files = gromacs_files(salt(), options)
    split = math.sqrt(-math.log(2 * tolerance))  # times the cutoff
    for run in ("em", "npt", "nvt"):
        found = {k.strip(): v for k, v in map(pair_of, files[f"{run}.mdp"].splitlines())}
        assert float(found["ewald-rtol"]) == pytest.approx(math.erfc(split), rel=1e-8)
        spacing_ang = 10 * float(found["fourierspacing"])
        mesh_ang = 1.5 * tolerance**0.2 * options.cutoff_ang / split
        assert 0.5 * mesh_ang < spacing_ang <= mesh_ang * (1 + 1e-9)
        assert found["pme-order"] == "4"
    assert f"Ewald: splitting {split / options.cutoff_ang:.4f} 1/A" in files["NOTES.md"]


def test_free_box_is_refused() -> None:
    with pytest.raises(DeckError, match="periodic"):
        gromacs_files(salt(), MDOptions(electrostatics="all-pairs"))


def single_point(
    box: ParametrisedBox, folder: Path, settings: str = SINGLE_POINT
) -> tuple[dict[str, float], Any]:
    """Energies in kJ/mol and forces in kJ/mol/A from GROMACS."""
    write_gromacs(box, folder, MDOptions())
    (folder / "point.mdp").write_text(settings)

    def gmx(*words: str, answer: str = "") -> str:
        done = subprocess.run(
            [str(GMX), "-quiet", *words],
            cwd=folder, input=answer, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    gmx("grompp", "-f", "point.mdp", "-c", "box.gro", "-p", "topol.top", "-o", "p.tpr")
    gmx("mdrun", "-deffnm", "p", "-nt", "1")
    names = ["Bond", "Angle", "Ryckaert-Bell.", "Potential"]
    if len(box.springs):
        names.append("Harmonic-Pot.")
    gmx("energy", "-f", "p.edr", "-o", "e.xvg", "-dp", answer="\n".join(names) + "\n\n")
    text = (folder / "e.xvg").read_text().splitlines()
    legends = [x.split('"')[1] for x in text if x.startswith("@ s") and "legend" in x]
    row = next(x for x in text if x and x[0] not in "#@").split()[1:]
    gmx("traj", "-f", "p.trr", "-s", "p.tpr", "-of", "f.xvg", "-fp", answer="0\n")
    line = next(x for x in (folder / "f.xvg").read_text().splitlines() if x[0] not in "#@")
    forces = np.array([float(x) for x in line.split()[1:]]).reshape(-1, 3) / 10
    return dict(zip(legends, map(float, row), strict=True)), forces


@pytest.mark.slow
@pytest.mark.skipif(GMX is None, reason="no gmx on this machine")
@pytest.mark.parametrize("mixing", ["geometric", "lorentz-berthelot"])
def test_gromacs_agrees_with_plain_code_and_openmm(mixing: Mixing, tmp_path: Path) -> None:
    box = salt(mixing)
    found, forces = single_point(box, tmp_path / "gmx")
    x = box.box.structure.positions
    expected = naive.bonded(box, x) | naive.periodic(box, x, cutoff_ang=10.0)
    precise = str(GMX).endswith("_d")
    assert found["Bond"] == pytest.approx(expected["bonds"], abs=1e-5 if precise else 1e-2)
    assert found["Angle"] == pytest.approx(expected["angles"], abs=1e-5 if precise else 1e-2)
    assert found["Ryckaert-Bell."] == pytest.approx(
        expected["torsions"], abs=1e-5 if precise else 1e-2
    )
    assert found["Potential"] == pytest.approx(sum(expected.values()), abs=0.02)
    options = MDOptions(
        ewald_tolerance=1e-7, tail_correction=False, constraints="none", timestep_fs=1.0
    )
    _, ours = evaluate(box, options)
    rms = float(np.sqrt(((forces - ours) ** 2).sum(axis=1).mean())) * 10
    assert rms < 2e-3 if precise else 1.0  # kJ/mol/nm


@pytest.mark.slow
@pytest.mark.skipif(GMX is None, reason="no gmx on this machine")
def test_rigid_molecules_in_gromacs(tmp_path: Path) -> None:
    """Springs count, pairs inside do not: neither Coulomb, direct or reciprocal, nor the rest."""
    box = assign_parameters(node_box(), charge_scale=1.0, charges={"FIL": CHARGES})
    found, _ = single_point(box, tmp_path / "gmx")
    x = box.box.structure.positions
    expected = naive.bonded(box, x) | naive.periodic(box, x, cutoff_ang=10.0)
    assert found["Harmonic Pot."] == pytest.approx(expected["springs"], rel=1e-6)
    assert found["Potential"] == pytest.approx(sum(expected.values()), abs=0.02)


@pytest.mark.slow
@pytest.mark.skipif(GMX is None, reason="no gmx on this machine")
@pytest.mark.parametrize("tolerance", [5e-3, 5e-4])
def test_forces_have_the_error_asked_for(tolerance: float, tmp_path: Path) -> None:
    """With the Ewald settings of our files; the rest of the forces is exact to 2e-3 kJ/mol/nm."""
    box = salt()
    bare: dict[str, Any] = {"tail_correction": False, "constraints": "none", "timestep_fs": 1.0}
    options = MDOptions(ewald_tolerance=tolerance, **bare)
    ours = ("ewald-rtol", "fourierspacing", "pme-order")
    lines = [line for line in SINGLE_POINT.splitlines() if not line.startswith(ours)]
    lines += [line for line in mdp_text("nvt", box, options).splitlines() if line.startswith(ours)]
    _, found = single_point(box, tmp_path / "gmx", "\n".join([*lines, ""]))
    _, exact = evaluate(box, MDOptions(ewald_tolerance=1e-8, **bare))
    off = float(np.sqrt(((found - exact) ** 2).sum() / (exact**2).sum()))
    assert tolerance / 1e3 < off < tolerance / 10
    log = (tmp_path / "gmx" / "p.log").read_text()
    width = re.search(r"Gaussian width \(1/beta\) of (\S+) nm", log)
    assert width is not None
    assert 10 * float(width[1]) == pytest.approx(1 / splitting_per_ang(options), rel=1e-4)
