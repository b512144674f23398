"""Elements of trajectories can be selected by their symbols, whatever wrote the topology."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from MDAnalysis import Universe

from superionic.analysis.symbols import complete_symbols, symbols_by_mass
from superionic.analysis.trajectory import read

GRO = """two ions
    2
    1NA      NA    1   0.100   0.100   0.100
    2CL      CL    2   0.300   0.300   0.300
   2.00000   2.00000   2.00000
"""
DATA = """made up

3 atoms
3 atom types

0.0 20.0 xlo xhi
0.0 20.0 ylo yhi
0.0 20.0 zlo zhi

Masses

1 22.99
2 35.45
3 14.027

Atoms # full

1 1 1 1.0 1.0 1.0 1.0
2 2 2 -1.0 3.0 3.0 3.0
3 3 3 0.0 5.0 5.0 5.0
"""
DUMP = """ITEM: TIMESTEP
{step}
ITEM: NUMBER OF ATOMS
3
ITEM: BOX BOUNDS pp pp pp
0.0 20.0
0.0 20.0
0.0 20.0
ITEM: ATOMS id type x y z
1 1 1.0 1.0 1.0
2 2 3.0 3.0 3.0
3 3 5.0 5.0 5.0
"""


@pytest.mark.parametrize(
    ("mass", "symbol"),
    [(22.99, "Na"), (22.98976928, "Na"), (16.0, "O"), (6.94, "Li"), (35.45, "Cl"), (1.008, "H"),
     (14.01, "N"), (14.027, ""), (15.035, ""), (3.024, ""), (58.933, "Co"), (58.693, "Ni")],
)  # fmt: skip
def test_symbols_by_mass(mass: float, symbol: str) -> None:
    assert symbols_by_mass(np.array([mass, 12.011])) == [symbol, "C"]


def test_gro_files(tmp_path: Path) -> None:
    (tmp_path / "my.gro").write_text(GRO)
    found = read(tmp_path / "my.gro")
    assert found.select("element Na").tolist() == [0]
    assert found.select("element Cl").tolist() == [1]


@pytest.mark.parametrize(
    ("name", "element", "mass"),
    [("LI", "Li", 6.94), ("LI1", "Li", 6.94), ("TI4", "Ti", 47.867), ("ZR", "Zr", 91.224),
     ("AR", "Ar", 39.948), ("SI", "Si", 28.085), ("NA", "Na", 22.990), ("OW", "O", 15.999),
     ("C12", "C", 12.011), ("MW", "", 0.0)],
)  # fmt: skip
def test_masses_of_gro_files(name: str, element: str, mass: float, tmp_path: Path) -> None:
    """Atoms are weighed whatever their names are; a site that is no atom stays without mass."""
    (tmp_path / "my.gro").write_text(GRO.replace("NA      NA ", f"NA     {name:>3} "))
    found = read(tmp_path / "my.gro")
    assert found.masses[0] == pytest.approx(mass, abs=0.01)
    assert found.masses[1] == pytest.approx(35.45, abs=0.01)
    if element:
        assert found.select(f"element {element}").tolist() == [0]


def test_masses_and_blanks_of_a_topology_are_its_own() -> None:
    """A virtual hydrogen has no mass of its own; a blank symbol is not told by an atom's name."""
    universe = Universe.empty(2)
    universe.add_TopologyAttr("names", ["H1", "CA"])
    universe.add_TopologyAttr("elements", ["H", ""])
    universe.add_TopologyAttr("masses", [0.0, 14.027])
    complete_symbols(universe)
    assert list(universe.atoms.elements) == ["H", ""]
    assert universe.atoms.masses.tolist() == [0.0, 14.027]


def test_lammps_data(tmp_path: Path) -> None:
    (tmp_path / "my.data").write_text(DATA)
    (tmp_path / "my.lammpstrj").write_text(DUMP.format(step=0) + DUMP.format(step=1000))
    found = read(tmp_path / "my.lammpstrj", topology=tmp_path / "my.data", dt_ps=1.0)
    assert found.select("element Na").tolist() == [0]
    assert found.select("type 3").tolist() == [2]


def test_strange_names_stay() -> None:
    universe = Universe.empty(2)
    universe.add_TopologyAttr("elements", ["OW", "FE"])
    complete_symbols(universe)
    assert list(universe.atoms.elements) == ["OW", "Fe"]
    bare = Universe.empty(1)
    complete_symbols(bare)
    assert not hasattr(bare.atoms, "elements")
