"""What is refused before anything is computed: theories, elements, vacuums too thin."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk, fcc111, mx2
from ase.lattice.hexagonal import Graphite

from superionic.structures.crystals import reference_crystal
from superionic.structures.errors import InvalidSlabError, TheoryError, UnknownElementError
from superionic.structures.structure import Structure
from superionic.structures.surfaces import build_slab
from superionic.workflows import preflight
from superionic.workflows.preflight import (
    check_elements,
    check_vacuum,
    missing_packages,
    vacuum_thickness,
)


def gaps(structure: Structure) -> list[float | None]:
    return [vacuum_thickness(structure, axis) for axis in range(3)]


def layered() -> list[Structure]:
    """Crystals with wide gaps between planes of atoms, bridged by van der Waals contacts only."""
    disulfide = mx2("MoS2")
    disulfide.cell[2] = [0.0, 0.0, 6.15]
    disulfide.pbc = True
    graphite = Graphite("C", latticeconstant=(2.461, 6.708))
    return [Structure.from_ase(atoms) for atoms in (disulfide, graphite, bulk("Cs"), bulk("K"))]


@pytest.mark.parametrize("crystal", layered())
def test_layers_of_a_crystal_are_no_vacuum(crystal: Structure) -> None:
    assert gaps(crystal) == [None, None, None]
    assert check_vacuum(crystal, "chgnet-0.3.0") is None


@pytest.mark.parametrize("name", ["mfi", "hkust-1", "na4zr2si3o12", "na3sbs4"])
def test_pores_of_a_crystal_are_no_vacuum(name: str) -> None:
    assert gaps(reference_crystal(name).structure.to_structure()) == [None, None, None]


@pytest.mark.parametrize("vacuum", [4.0, 5.0, 6.0, 8.0, 20.0])
def test_vacuum_of_a_slab_is_measured(vacuum: float) -> None:
    slab = build_slab(
        reference_crystal("na3ps4").structure,
        miller=(0, 0, 1),
        layers=2,
        vacuum_ang=vacuum,
        minimum_vacuum_ang=1.0,
    ).structure
    assert gaps(slab) == [None, None, pytest.approx(vacuum)]
    turned = slab.take(np.arange(len(slab))[::-1])
    shifted = turned.with_positions(turned.positions + np.array([0.3, 0.2, 0.5 * slab.cell[2, 2]]))
    assert gaps(shifted) == [None, None, pytest.approx(vacuum)]


@pytest.mark.parametrize(
    ("theory", "vacuum", "fine"),
    [
        ("emt", 5.0, False), ("emt", 5.99, False), ("emt", 6.01, True),
        ("sevennet-0", 5.5, False),  # its reach is 5 A, but hops are told from bulk ones at 6 A
        ("lj", 9.9, False), ("lj", 10.1, True),
    ],
)  # fmt: skip
def test_vacuum_must_be_wider_than_the_reach(theory: str, vacuum: float, fine: bool) -> None:
    atoms = fcc111("Al", (2, 2, 3), vacuum=vacuum / 2, periodic=True)
    slab = Structure.from_ase(atoms)
    if fine:
        assert check_vacuum(slab, theory) == 2
    else:
        with pytest.raises(InvalidSlabError, match=rf"vector c is {vacuum:.2f} A thick; {theory}"):
            check_vacuum(slab, theory)


def test_open_boundary_is_no_thin_vacuum() -> None:
    slab = Structure.from_ase(fcc111("Al", (2, 2, 3), vacuum=2.0, periodic=False))
    assert slab.pbc == (True, True, False)
    assert check_vacuum(slab, "emt") == 2


def test_elements() -> None:
    check_elements("emt", ["Al", "Cu", "Al"])
    with pytest.raises(UnknownElementError, match="emt has no parameters for Na, Zr"):
        check_elements("emt", ["Na", "O", "Zr", "Na"])
    with pytest.raises(TheoryError, match="Unknown level of theory 'pbe'"):
        check_elements("pbe", ["Al"])


def test_code_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert missing_packages("emt") == ()
    monkeypatch.setitem(preflight.MODULES, "emt", "no_such_package")
    assert missing_packages("emt") == ("no_such_package",)
    with pytest.raises(TheoryError, match="needs the Python package no_such_package"):
        check_elements("emt", ["Al"])
