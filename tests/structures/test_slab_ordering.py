"""Slabs of disordered crystals: composition, faces, dipole, energy."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from superionic.structures.composition import latp, nasicon_nzsp
from superionic.structures.electrostatics import ewald_matrix
from superionic.structures.errors import InvalidSlabError, InvalidStructureError
from superionic.structures.slab_ordering import OrderedSlab, ordered_slabs, slab_terminations
from superionic.structures.structure import check_no_overlap

STATES = {"Li": 1, "Al": 3, "Ti": 4, "P": 5, "O": -2}


@pytest.fixture(scope="module")
def slabs() -> tuple[OrderedSlab, ...]:
    return ordered_slabs(
        latp(0.3), miller=(0, 0, 1), layers=2, repeat=(2, 1), pool=("Li",), vacuum_ang=15, count=4
    )


def charge(slab: OrderedSlab) -> float:
    return sum(STATES[s] for s in slab.slab.structure.symbols)


def test_latp_surface_in_one_call(slabs: tuple[OrderedSlab, ...]) -> None:
    best = slabs[0]
    atoms = best.slab.structure
    assert best.found == atoms.formula == "AlLi5O48P12Ti7"
    assert best.wanted == "Al1.2Li5.2O48P12Ti6.8"
    assert best.excess == pytest.approx({"Li": -0.2, "Al": -0.2, "Ti": 0.2})
    assert charge(best) == 0
    assert best.slab.miller == (0, 0, 1)
    assert best.slab.termination == "Li|Ti"
    assert atoms.cell[2, 2] - np.ptp(atoms.positions[:, 2]) == pytest.approx(15.0)
    np.testing.assert_allclose(np.linalg.norm(atoms.cell[:2], axis=1), [17.0008, 8.5004], atol=1e-3)
    check_no_overlap(atoms, 1.3)
    for p in atoms.indices("P"):  # tetrahedra stay whole
        apart = atoms.to_ase().get_distances(p, atoms.indices("O"), mic=True)
        assert (apart < 1.7).sum() == 4


def test_both_faces_end_alike(slabs: tuple[OrderedSlab, ...]) -> None:
    """Li of the boundary plane is on both faces, and the dipole is small."""
    for slab in slabs:
        atoms = slab.slab.structure
        z = atoms.positions[:, 2]
        lithium = z[atoms.indices("Li")]
        assert lithium.min() < np.sort(z)[6]
        assert lithium.max() > np.sort(z)[-7]
        charges = np.array([STATES[s] for s in atoms.symbols])
        dipole = float(charges @ (z - z.mean()))
        assert slab.slab.dipole_e_ang == pytest.approx(dipole, abs=1e-6)
        assert abs(slab.slab.dipole_per_area_e_per_ang) < 0.02
    energies = [slab.ewald_energy_eV for slab in slabs]
    assert energies == sorted(energies)
    assert slabs[0].above_lowest_eV == pytest.approx(0.0, abs=1e-6)


def test_energy_is_that_of_the_isolated_slab() -> None:
    """It does not depend on the vacuum, unlike the Ewald energy of the periodic cell."""
    thin, wide = (
        ordered_slabs(
            latp(0.3), miller=(0, 0, 1), layers=2, pool=("Li",), vacuum_ang=v,
            max_dipole_e_per_ang=np.inf,
        )[0]
        for v in (20.0, 60.0)
    )  # fmt: skip
    assert thin.ewald_energy_eV == pytest.approx(wide.ewald_energy_eV, abs=0.02)
    plain = []
    for slab in (thin, wide):
        atoms = slab.slab.structure
        charges = np.array([STATES[s] for s in atoms.symbols])
        plain.append(float(charges @ ewald_matrix(atoms.fractional, atoms.cell) @ charges))
    assert abs(plain[0] - plain[1]) > 0.1
    assert abs(thin.slab.dipole_per_area_e_per_ang) > 0.02


@pytest.mark.parametrize(
    ("x", "formula", "exact"),
    [(0.0, "Li2O24P6Ti4", True), (0.5, "AlLi3O24P6Ti3", True), (0.3, "AlLi3O24P6Ti3", False)],
)
def test_any_composition(x: float, formula: str, exact: bool) -> None:
    (found,) = ordered_slabs(
        latp(x), miller=(0, 0, 1), layers=2, pool=("Li",), max_dipole_e_per_ang=np.inf
    )
    assert found.found == formula
    assert (found.excess == {}) == exact
    assert charge(found) == 0
    assert found.exhaustive


def test_dipole_is_traded_for_energy() -> None:
    """LiTi2(PO4)3 1x1 cannot share the one lithium of its boundary plane between both faces."""
    wanted = {"miller": (0, 0, 1), "layers": 2, "pool": ("Li",)}
    (free,) = ordered_slabs(latp(0.0), **wanted, max_dipole_e_per_ang=np.inf)  # type: ignore[arg-type]
    (flat,) = ordered_slabs(latp(0.0), **wanted)  # type: ignore[arg-type]
    assert abs(free.slab.dipole_per_area_e_per_ang) > 0.02
    assert abs(flat.slab.dipole_per_area_e_per_ang) <= 0.02
    assert flat.above_lowest_eV == pytest.approx(flat.ewald_energy_eV - free.ewald_energy_eV)
    assert flat.above_lowest_eV > 0.5
    (even,) = ordered_slabs(latp(0.0), **wanted, repeat=(2, 1))  # type: ignore[arg-type]
    assert not even.slab.polar
    assert even.above_lowest_eV == pytest.approx(0.0, abs=1e-6)


def test_same_seed_same_slab(slabs: tuple[OrderedSlab, ...]) -> None:
    again = ordered_slabs(
        latp(0.3), miller=(0, 0, 1), layers=2, repeat=(2, 1), pool=("Li",), vacuum_ang=15, count=4
    )
    for a, b in zip(slabs, again, strict=True):
        np.testing.assert_array_equal(a.slab.structure.positions, b.slab.structure.positions)
        assert a.slab.structure.labels == b.slab.structure.labels


def test_sites_are_kept_with_their_labels(slabs: tuple[OrderedSlab, ...]) -> None:
    best = slabs[0].slab
    assert set(best.empty_labels) <= {"Li1", "Li2"}
    assert len(best.empty_labels) == len(best.empty_sites) > 0
    labels = Counter(best.structure.labels)
    assert labels["O1"] == labels["O2"] == 24
    assert {"Ti1", "Al1"} <= set(labels)


def test_terminations_are_declared() -> None:
    found = slab_terminations(latp(0.3), (0, 0, 1), pool=("Li",))
    assert [t.name for t in found] == ["Li|Ti", "PO4|Ti"]
    wanted = {"miller": (0, 0, 1), "layers": 2, "pool": ("Li",)}
    (named,) = ordered_slabs(
        latp(0.3), **wanted, termination="PO4|Ti", max_dipole_e_per_ang=np.inf  # type: ignore[arg-type]
    )  # fmt: skip
    assert named.slab.termination == "PO4|Ti"
    with pytest.raises(InvalidSlabError, match=r"is polar: the least dipole found is 0\.\d+ e/A"):
        ordered_slabs(latp(0.3), **wanted, termination=1)  # type: ignore[arg-type]


def test_another_conductor() -> None:
    (found,) = ordered_slabs(
        nasicon_nzsp(2.0, na1=0.75), miller=(0, 0, 1), layers=2, pool=("Na",),
        max_dipole_e_per_ang=np.inf,
    )  # fmt: skip
    assert found.found == "Na6O24P2Si4Zr4"
    assert found.excess == {}


def test_bad_requests() -> None:
    crystal = latp(0.3)
    with pytest.raises(InvalidSlabError, match="either as layers"):
        ordered_slabs(crystal, miller=(0, 0, 1), pool=("Li",))
    with pytest.raises(InvalidStructureError, match="one mobile element"):
        ordered_slabs(crystal, miller=(0, 0, 1), layers=2, pool=("Li", "Na"))
    with pytest.raises(InvalidStructureError, match="no site of Na"):
        ordered_slabs(latp(0.0), miller=(0, 0, 1), layers=2, pool=("Na",))
    with pytest.raises(InvalidSlabError, match="vacuum"):
        ordered_slabs(crystal, miller=(0, 0, 1), layers=2, pool=("Li",), vacuum_ang=2.0)
