"""`superionic structure cluster`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from commands import refused, superionic

from superionic.structures.clusters import node_of, paddlewheel_node, trinuclear_node
from superionic.structures.io import write_structure
from superionic.structures.molecules import read_molecule
from superionic.structures.node import Node
from superionic.structures.node_contacts import contact_geometry
from superionic.structures.structure import Structure
from superionic.workflows.serialise import decode, encode


@pytest.mark.parametrize("suffix", ["xyz", "sdf", "mol"])
def test_cluster_by_its_metals(tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"node.{suffix}"
    words = ("structure", "cluster", "Fe", "Fe", "Ni", "--cap", "formate", "-o", out)
    said = superionic(*words, "--json").json
    assert said["formula"] == "C6H6Fe2NiO13"
    assert said["ions"] == ["Fe(III)", "Fe(III)", "Ni(II)"]
    assert (said["charge"], said["spin_multiplicity"]) == (0, 13)
    assert said["open_sites"] == ["Fe1", "Fe2", "Ni1"]
    assert said["metal_donor_ang"]["Ni1"] == [1.98] * 4 + [1.99]
    read = read_molecule(out)
    assert (read.charge, read.spin_multiplicity) == (0, 13)
    found = node_of(read)
    assert found.kind == "trinuclear"
    assert sorted(found.bridges.values()) == [2, 2, 2]


def test_states_charge_and_spin(tmp_path: Path) -> None:
    words = ("structure", "cluster", "Fe", "Fe", "Fe", "--json")
    assert superionic(*words, "--charge", 1).json["spin_multiplicity"] == 16
    assert superionic(*words, "--states", "3,3,3").json["charge"] == 1
    said = superionic(*words, "--states", "3,3,3", "--multiplicity", 2, "--water").json
    assert said["spin_multiplicity"] == 2
    assert said["open_sites"] == []
    said = superionic(*words, "--metal-oxygen", "Fe=1.9").json
    assert said["metal_donor_ang"]["Fe1"] == [1.9] * 4 + [1.91]
    text = superionic("structure", "cluster", "Cu", "Cu")
    assert "paddlewheel" in text.out
    assert "nothing was written" in text.err


def test_cluster_of_a_framework(tmp_path: Path) -> None:
    out = tmp_path / "hkust.sdf"
    words = ("structure", "cluster", "--from", "hkust-1", "--cap", "linker", "-o", out, "--json")
    said = superionic(*words).json
    assert said["formula"] == read_molecule(out).formula == "C36H20Cu2O24"
    assert said["bridges"] == {"Cu1-Cu2": 4}
    message = refused(superionic("structure", "cluster", "Zn", "Zn", "--from", "hkust-1"))
    assert "holds Cu Cu, but Zn Zn were named" in message


def test_starts_in_a_folder(tmp_path: Path) -> None:
    out = tmp_path / "starts"
    words = ("structure", "cluster", "Fe", "Fe", "Ni", "--adsorbate", "tfsi", "-o", out)
    said = superionic(*words, "--count", 1, "--mode", "O", "--mode", "O,O", "--json").json
    assert [row["key"] for row in said] == ["Fe1-O-0", "Fe1-O,O-0", "Ni1-O-0", "Ni1-O,O-0"]
    node = trinuclear_node(["Fe", "Fe", "Ni"])
    for row in said:
        complex_ = read_molecule(out / row["file"])
        assert (complex_.charge, complex_.spin_multiplicity) == (-1, 13)
        found = contact_geometry(node, complex_, row["adsorbate"])
        assert found.pattern.split(" ")[0] == row["mode"]
        np.testing.assert_allclose(
            sorted(found.metals[0].distances_ang), sorted(row["distances_ang"]), atol=1e-3
        )
    assert {"node.sdf", "adsorbate.sdf", "starts.json"} <= {p.name for p in out.iterdir()}


def test_a_framework_with_another_linker(tmp_path: Path) -> None:
    """Copper paddlewheels on pillars of N-C-C-N."""
    node = paddlewheel_node(["Cu", "Cu"])
    points = node.molecule.positions - node.molecule.positions[:2].mean(axis=0)
    pillar = np.array([[0.0, 0.0, z] for z in (3.35, 4.55, 6.0, 7.2)])
    pillared = Structure(
        numbers=np.r_[node.molecule.structure.numbers, 7, 6, 6, 7],
        positions=np.vstack([points, pillar]),
        cell=np.diag([16.0, 16.0, 10.55]),
    )
    file = tmp_path / "pillared.cif"
    write_structure(pillared, file)
    message = refused(superionic("structure", "cluster", "--from", file, "-o", tmp_path / "x.xyz"))
    assert "Only carboxylate linkers can be cut" in message
    assert not (tmp_path / "x.xyz").exists()


def test_nodes_survive_a_run_folder() -> None:
    node = trinuclear_node(["Fe", "Fe", "Ni"])
    again = decode(encode(node))
    assert isinstance(again, Node)
    np.testing.assert_array_equal(again.molecule.positions, node.molecule.positions)
    assert again.ions == node.ions
    assert encode(again) == encode(node)


def test_refused(tmp_path: Path) -> None:
    out = tmp_path / "node.xyz"
    start = ("structure", "cluster")
    for words, message in (
        (("Zn", "Zn", "Zn"), "by hand (--metal-oxygen)"),
        (("Fe", "Fe", "O"), "symbol of a metal"),
        (("Fe",), "three metals"),
        (("Fe", "Fe", "Ni", "--cap", "sulfonate"), "no cap 'sulfonate'"),
        (("Fe", "Fe", "Ni", "--charge", 1, "--states", "3,3,2"), "Correct the charge"),
        (("Fe", "Fe", "Ni", "--multiplicity", 4), "multiplicity of 4 is impossible"),
        (("Fe", "Fe", "Ni", "--metal-oxygen", "Cu=1.9"), "--metal-oxygen has a distance for Cu"),
        (("--from", "nowhere.cif"), "no structure file"),
    ):  # fmt: skip
        assert message in refused(superionic(*start, *words, "-o", out))
    for wrong in (
        (), ("Fe", "Fe", "Ni", "--states", "high"), ("Fe", "Fe", "Ni", "--metal", 3),
        ("Fe", "Fe", "Ni", "--metal-oxygen", "Fe"), ("Fe", "Fe", "Ni", "--adsorbate", "tfsi"),
        ("--from", "hkust-1", "--metal-oxygen", "Cu=1.9"),
    ):  # fmt: skip
        assert superionic(*start, *wrong).code == 2
    assert list(tmp_path.iterdir()) == []
