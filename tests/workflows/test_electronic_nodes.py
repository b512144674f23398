"""Metal nodes and ion pairs at PBE: minutes each."""

from __future__ import annotations

import numpy as np
import pytest
from ase.data import atomic_numbers
from ase.units import Hartree

from superionic.analysis.band_centre import band_centres
from superionic.structures.clusters import build_node
from superionic.structures.molecule import Molecule, framed
from superionic.workflows.electronic import electronic_task
from superionic.workflows.electronic_results import ElectronicSettings
from superionic.workflows.scf import solve_field
from superionic.workflows.scf_settings import ScfSettings

D_ELECTRONS = {"Fe": (5.4, 6.6), "Ni": (8.0, 9.0), "Mn": (4.8, 6.0), "Co": (6.8, 8.0),
               "Zn": (9.5, 10.2)}  # fmt: skip
QUICK = ElectronicSettings(
    scf=ScfSettings(grid_level=0, energy_eV=1e-3), hirshfeld_grid_level=1, surface=None
)


NATFSI = """
    N 13.070091 12.145199 11.059984
    S 12.229170 11.301172 12.130678
    O 11.775838 12.063809 13.283082
    O 12.866220 10.045783 12.509795
    C 10.718443 10.860877 11.141960
    F 10.000000 11.937603 10.907359
    F 10.010730 10.000000 11.843963
    F 11.077083 10.312812 10.000000
    S 14.511284 12.595997 11.605146
    O 15.105365 13.468827 10.640485
    O 14.525096 13.007602 13.002370
    C 15.618592 11.072275 11.664216
    F 15.230000 10.136169 10.826572
    F 15.563982 10.575142 12.909053
    F 16.866380 11.400780 11.412456
    Na 13.806018 11.394570 14.061839
"""
"""NaTFSI, relaxed with GFN1-xTB, in angstrom."""
NWCHEM_HARTREE = {"natfsi": -1986.968416722504, "tfsi": -1824.861055949848,
                  "na": -161.905445274139}  # fmt: skip
"""PBE/def2-SVP (spherical, grid fine, no density fitting) by NWChem 7.0.2 at that geometry."""


def energy(part: Molecule) -> float:
    """Return the energy at PBE in eV."""
    found = solve_field(part, "pbe", ScfSettings()).require().energy_eV
    assert found is not None
    return found


@pytest.mark.slow
def test_binding_of_sodium_and_tfsi_is_that_of_another_program() -> None:
    words = [line.split() for line in NATFSI.split("\n") if line.strip()]
    numbers = np.array([atomic_numbers[w[0]] for w in words])
    places = np.array([[float(x) for x in w[1:]] for w in words])
    anion = numbers != 11
    parts = {
        "natfsi": Molecule(framed(numbers, places)),
        "tfsi": Molecule(framed(numbers[anion], places[anion]), charge=-1),
        "na": Molecule(framed(numbers[~anion], places[~anion]), charge=1),
    }
    ours = {name: energy(part) for name, part in parts.items()}
    theirs = {name: value * Hartree for name, value in NWCHEM_HARTREE.items()}
    bound, reference = (e["natfsi"] - e["tfsi"] - e["na"] for e in (ours, theirs))
    assert reference == pytest.approx(-5.494, abs=1e-3)
    assert bound == pytest.approx(reference, abs=0.05)
    assert ours["na"] == pytest.approx(theirs["na"], abs=0.01)
    assert ours["tfsi"] == pytest.approx(theirs["tfsi"], abs=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("metals", [("Fe", "Fe", "Ni"), ("Mn", "Mn", "Ni"), ("Co", "Co", "Zn")])
def test_a_node_has_its_electrons(metals: tuple[str, ...]) -> None:
    """Also pairs of metals that no paper of ours has."""
    node = build_node(metals)
    result = electronic_task(node.molecule, "pyscf-pbe", QUICK)
    assert result.converged, result.reason
    assert result.moment == pytest.approx(node.molecule.spin_multiplicity - 1, abs=1e-4)
    assert result.electron_count().share_off < 0.01
    for method in ("loewdin", "mulliken", "hirshfeld"):
        assert abs(result.charge(method).charges.sum()) < 0.1
    loewdin = result.population()
    for atom, ion in zip(node.metals, node.ions, strict=True):
        low, high = D_ELECTRONS[ion.symbol]
        assert low < loewdin.count(atom, "d") < high
        assert 0.6 * ion.unpaired_electrons <= loewdin.spins[atom] <= ion.unpaired_electrons + 0.1
    centres = band_centres(result.dos())
    assert {c.label for c in centres} == {f"{s} d" for s in dict.fromkeys(metals)}
    assert all(c.centre_eV is not None for c in centres if "up" not in c.definition.name)
