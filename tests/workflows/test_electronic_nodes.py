"""Metal nodes and ion pairs at PBE: minutes each."""

from __future__ import annotations

import pytest

from superionic.analysis.band_centre import band_centres
from superionic.structures.clusters import build_node
from superionic.workflows.electronic import electronic_task
from superionic.workflows.electronic_results import ElectronicSettings
from superionic.workflows.scf import ScfSettings

D_ELECTRONS = {"Fe": (5.4, 6.6), "Ni": (8.0, 9.0), "Mn": (4.8, 6.0), "Co": (6.8, 8.0),
               "Zn": (9.5, 10.2)}  # fmt: skip
QUICK = ElectronicSettings(
    scf=ScfSettings(grid_level=0, energy_eV=1e-3), hirshfeld_grid_level=1, surface=None
)


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
