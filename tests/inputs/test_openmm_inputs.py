"""Systems of OpenMM against energies by the plainest code there is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import naive_forces as naive
import numpy as np
import pytest
from openmm_points import evaluate
from small_boxes import CHARGES, ion, node_box, salt_box, small_box

from superionic.inputs.forcefield import assign_parameters
from superionic.inputs.md_options import MDOptions
from superionic.inputs.openmm import build_system, masses_of, system_xml
from superionic.inputs.openmm_files import write_openmm
from superionic.inputs.parametrised import Mixing
from superionic.structures.errors import DeckError
from superionic.workflows.boxes import pdb_text

openmm = pytest.importorskip("openmm")

FREE = MDOptions(electrostatics="all-pairs", constraints="none", timestep_fs=1.0)
PARTS = ("bonds", "angles", "torsions", "springs")


@pytest.mark.parametrize("mixing", ["geometric", "lorentz-berthelot"])
def test_free_box_agrees_with_plain_code(mixing: Mixing) -> None:
    box = assign_parameters(salt_box(glymes=1), charge_scale=0.8, mixing=mixing)
    energies, forces = evaluate(box, FREE)
    x = box.box.structure.positions
    expected = naive.bonded(box, x) | naive.free(box, x)
    for name in PARTS:
        assert energies[name] == pytest.approx(expected[name], abs=1e-6)
    # with either rule OpenMM counts the scaled Lennard-Jones pairs with the Coulomb part
    total = expected["lennard-jones"] + expected["coulomb"]
    assert energies["lennard-jones"] + energies["coulomb"] == pytest.approx(total, abs=1e-5)
    np.testing.assert_allclose(
        forces,
        naive.forces(
            lambda y: sum(naive.bonded(box, y).values()) + sum(naive.free(box, y).values()), x
        ),
        atol=1e-5,
    )


@pytest.mark.parametrize("mixing", ["geometric", "lorentz-berthelot"])
def test_periodic_box_agrees_with_direct_ewald_sum(mixing: Mixing) -> None:
    box = assign_parameters(salt_box(glymes=2), charge_scale=0.8, mixing=mixing)
    options = MDOptions(ewald_tolerance=1e-7, tail_correction=False, constraints="none",
                        timestep_fs=1.0)  # fmt: skip
    energies, _ = evaluate(box, options)
    expected = naive.periodic(box, box.box.structure.positions, cutoff_ang=10.0)
    assert energies["coulomb"] + energies["lennard-jones"] == pytest.approx(
        sum(expected.values()), abs=2e-3
    )


def test_mixing_matters() -> None:
    """What silently taking the rule of NonbondedForce would do."""
    one, other = (
        evaluate(assign_parameters(salt_box(), charge_scale=1.0, mixing=m), FREE)[0]
        for m in ("geometric", "lorentz-berthelot")
    )
    difference = [sum(e[k] for k in ("coulomb", "lennard-jones")) for e in (one, other)]
    assert abs(difference[0] - difference[1]) > 0.5


def test_rigid_molecules_agree_with_plain_code() -> None:
    box = assign_parameters(node_box(), charge_scale=1.0, charges={"FIL": CHARGES})
    energies, forces = evaluate(box, FREE)
    x = box.box.structure.positions
    expected = naive.bonded(box, x) | naive.free(box, x)
    assert energies["springs"] == pytest.approx(expected["springs"], rel=1e-9)
    assert sum(energies.values()) == pytest.approx(sum(expected.values()), abs=1e-5)
    assert np.abs(forces.sum(axis=0)).max() < 1e-9


def test_tail_correction_is_the_integral() -> None:
    """A homogeneous fluid beyond the cutoff: N^2 times the mean over pairs of atoms."""
    box = assign_parameters(salt_box(), charge_scale=1.0)
    plain, tail = (
        evaluate(box, MDOptions(tail_correction=t))[0]["lennard-jones"] for t in (False, True)
    )
    n, rc, volume = len(box), 10.0, box.box.structure.volume
    i, j = np.triu_indices(n)
    sigma, epsilon = box.mixed(i, j)
    six, twelve = (n**2 * (epsilon * sigma**p).mean() for p in (6, 12))
    expected = 8 * np.pi / volume * (twelve / 9 / rc**9 - six / 3 / rc**3)
    assert tail - plain == pytest.approx(expected, rel=1e-4)


def test_constraints_and_masses() -> None:
    box = assign_parameters(salt_box(), charge_scale=1.0)
    options = MDOptions(hydrogen_mass_amu=3.024, timestep_fs=4.0)
    system = build_system(box, options)
    hydrogens = int((box.box.structure.numbers == 1).sum())
    assert system.getNumConstraints() == hydrogens
    assert masses_of(box, options).sum() == pytest.approx(box.masses_amu.sum())
    for k in range(system.getNumConstraints()):
        i, j, length = system.getConstraintParameters(k)
        assert 1 in {box.box.structure.numbers[i], box.box.structure.numbers[j]}
        assert length.value_in_unit(openmm.unit.angstrom) == pytest.approx(1.09)


def test_held_molecules_have_no_mass_and_stay_one_molecule() -> None:
    box = assign_parameters(node_box(), charge_scale=1.0, charges={"FIL": CHARGES})
    system = build_system(box, MDOptions(rigid="held", pressure_bar=None))
    masses = [system.getParticleMass(k)._value for k in range(system.getNumParticles())]
    assert [m == 0 for m in masses] == box.rigid.tolist()
    context = openmm.Context(
        system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("Reference")
    )
    assert len(context.getMolecules()) == box.box.molecules


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"timestep_fs": 4.0}, "at most 2 fs"),
        ({"constraints": "none"}, "at most 1 fs"),
        ({"rigid": "held"}, "pressure_bar=None"),
        ({"cutoff_ang": -1.0}, "cutoff_ang must be positive"),
        ({"hydrogen_mass_amu": float("nan")}, "hydrogen_mass_amu must be positive.*got nan"),
        ({"pressure_bar": float("nan")}, "pressure_bar must be a number"),
        ({"steps": 0}, "steps must be positive; got 0"),
        ({"electrostatics": "ewald"}, "pme, all-pairs"),
        ({"ewald_tolerance": 0.5}, "ewald_tolerance is a relative error"),
        ({"ewald_tolerance": 0.0}, "ewald_tolerance must be positive"),
    ],
)
def test_options_are_checked(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(DeckError, match=message):
        MDOptions(**settings)


def test_cutoff_must_fit() -> None:
    box = assign_parameters(salt_box(), charge_scale=1.0)
    with pytest.raises(DeckError, match="half the shortest edge"):
        build_system(box, MDOptions(cutoff_ang=12.0))


def test_xml_reads_back() -> None:
    box = assign_parameters(salt_box(), charge_scale=0.8)
    system = build_system(box, MDOptions())
    again = openmm.XmlSerializer.deserialize(system_xml(system))
    assert system_xml(again) == system_xml(system)


@pytest.mark.slow
def test_folder_runs(tmp_path: Path) -> None:
    parts = [ion("g1", "G1", 20), ion("na+", "NA"), ion("tfsi", "TFSI")]
    box = assign_parameters(small_box(parts, 26.0), charge_scale=0.8)
    options = MDOptions(steps=200, frame_every=50)
    folder = write_openmm(box, tmp_path / "omm", options, pdb=pdb_text(box.box))
    done = subprocess.run(
        [sys.executable, "run.py"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len((folder / "nvt.csv").read_text().splitlines()) == 5
