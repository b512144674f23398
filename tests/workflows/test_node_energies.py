"""From nodes and ions to adsorption energies: small nodes through the whole workflow."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from superionic.structures.clusters import build_node
from superionic.structures.errors import (
    AdsorptionError,
    InvalidStructureError,
    ProtocolError,
    TaskFailedError,
    TheoryError,
    UnknownElementError,
)
from superionic.structures.molecule import Molecule, framed
from superionic.structures.molecules import reference_molecule
from superionic.structures.node import Node
from superionic.structures.node_starts import node_starts
from superionic.structures.rotations import random_rotations
from superionic.workflows import node_energies
from superionic.workflows.node_energies import check_screen, run_screen
from superionic.workflows.node_settings import Guest, NodeSettings, find_shape, named_nodes
from superionic.workflows.node_tasks import relax_molecule, single_point_task
from superionic.workflows.relax import RelaxSettings
from superionic.workflows.scf_settings import ScfSettings
from superionic.workflows.theory import get_theory

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("tblite") is None, reason="tblite is not installed"
)

QUICK = NodeSettings(
    relax=RelaxSettings(0.05, 200, rattle_ang=0.02), starts=1, screen_steps=4,
    levels=("gfn1-xtb@eps7.5",),
)  # fmt: skip
SODIUM = Guest("Na+", {"na+": ("Na",)})
CHLORIDE = Guest("Cl-", {"[Cl-]": ("Cl",)})


@pytest.fixture(scope="module")
def zinc() -> Node:
    """The smallest node: the zinc paddlewheel, closed shell, 18 atoms."""
    return build_node(["Zn", "Zn"], cap="formate")


def single(symbol_number: int, charge: int) -> Molecule:
    return Molecule(structure=framed([symbol_number], np.zeros((1, 3))), charge=charge)


# ---- the whole way


def test_chloride_at_a_paddlewheel(zinc: Node) -> None:
    found = run_screen({"Zn2": zinc}, [CHLORIDE], theory="gfn1-xtb", settings=QUICK)
    (one,) = found.adsorptions
    assert one.verdict == "converged", one.reason
    assert (one.node_charge, one.charge, one.spin_multiplicity) == (0, -1, 1)
    value = one.adsorption_energy_eV
    assert value is not None
    assert value < -0.5, "an anion is held by an open zinc"
    start = one.start(one.values[0].start)
    assert start.scf_converged
    assert start.geometry_converged
    assert start.fmax_eV_per_A is not None
    assert start.fmax_eV_per_A <= 0.05
    assert (start.mode, start.held_by, start.denticity) == ("Cl", "Zn Cl", 1)
    (contact,) = start.contacts
    assert contact.holder == "Zn1"
    assert 2.0 < contact.distances_ang[0] < 2.4
    wet = one.value("gfn1-xtb@eps7.5")
    assert wet is not None
    assert wet > value, "a continuum holds the free ion more than the large complex"
    whole = found.complexes["Zn2 Cl-"]
    parts = [found.nodes["Zn2"], found.guests["Cl-"]]
    again = single_point_task(whole, "gfn1-xtb", ScfSettings()).energy_eV
    alone = [single_point_task(p.molecule, "gfn1-xtb", ScfSettings()).energy_eV for p in parts]
    assert again - sum(alone) == pytest.approx(value, abs=1e-4)


def test_an_unchecked_reference_is_told(zinc: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bare node is relaxed again from the complex; where that fails, somebody has to know."""
    calls: list[str] = []

    class Lost:
        def result(self) -> None:
            raise TaskFailedError("node_relax failed: no field")

    def fails_in_the_end(molecule: Molecule, theory: str, settings: RelaxSettings) -> Any:
        calls.append(molecule.name)
        return Lost() if len(calls) > 2 else relax_molecule(molecule, theory, settings)

    monkeypatch.setattr(node_energies, "relax_molecule", fails_in_the_end)
    dry = replace(QUICK, levels=())
    (one,) = run_screen({"Zn2": zinc}, [CHLORIDE], theory="gfn1-xtb", settings=dry).adsorptions
    assert len(calls) == 3, "node, ion, and the node again"
    assert one.verdict == "converged"
    assert any("was not seen: relaxing Zn2" in n and "no field" in n for n in one.notes)


def test_a_node_that_opens_is_no_adsorption(zinc: Node) -> None:
    """Bare Na+ pulls a carboxylate off this node: there is no value, and it says so."""
    dry = replace(QUICK, levels=(), screen_steps=12)
    (one,) = run_screen({"Zn2": zinc}, [SODIUM], theory="gfn1-xtb", settings=dry).adsorptions
    assert one.adsorption_energy_eV is None
    assert [s.state for s in one.starts] == ["broken"]
    assert "of the node broke" in one.starts[0].reason
    assert one.starts[0].scf_converged
    assert one.starts[0].geometry_converged


def test_a_cap_hit_is_no_result(zinc: Node) -> None:
    short = replace(QUICK, relax=RelaxSettings(0.05, 2), screen_steps=1, levels=())
    (one,) = run_screen({"Zn2": zinc}, [SODIUM], theory="gfn1-xtb", settings=short).adsorptions
    assert one.verdict == "unconverged"
    assert one.adsorption_energy_eV is None
    assert "node Zn2 by itself" in one.reason


# ---- invariance


def energies(node: Node, guest: Molecule, whole: Molecule) -> float:
    parts = (whole, node.molecule, guest)
    e = [single_point_task(m, "gfn1-xtb", ScfSettings()).energy_eV for m in parts]
    return e[0] - e[1] - e[2]


def shuffled(molecule: Molecule, order: list[int]) -> Molecule:
    return Molecule(
        structure=framed(molecule.structure.numbers[order], molecule.positions[order]),
        charge=molecule.charge,
        spin_multiplicity=molecule.spin_multiplicity,
    )


@pytest.mark.parametrize("metals", [("Zn", "Zn"), ("Ni", "Ni")])
def test_energy_knows_no_direction_and_no_order(metals: tuple[str, ...]) -> None:
    node, guest = build_node(metals, cap="formate"), single(9, -1)
    start = node_starts(node, guest, count=1, modes=["F"])[0]
    whole = start.molecule
    first = energies(node, guest, whole)
    turn = random_rotations(1, np.random.default_rng(3))[0]
    rotated = whole.with_positions(whole.positions @ turn.T)
    turned = node.with_positions(node.molecule.positions @ turn.T)
    assert energies(turned, guest, rotated) == pytest.approx(first, abs=1e-5)
    order = list(np.random.default_rng(5).permutation(len(whole)))
    mixed = shuffled(whole, order)
    assert energies(node, guest, mixed) == pytest.approx(first, abs=1e-5)


# ---- levels


def test_a_continuum_is_part_of_the_name() -> None:
    level = get_theory("pyscf-pbe@eps7.5+d3bj")
    assert (level.permittivity, level.dispersion, level.base) == (7.5, "d3bj", "pyscf-pbe@eps7.5")
    assert level.dispersion_functional == "pbe"
    assert not level.periodic
    assert get_theory("gfn1-xtb").permittivity is None
    for bad in ("chgnet-0.3.0@eps7.5", "gfn1-xtb@eps", "gfn1-xtb@eps0.5", "gfn1-xtb@eps7.50",
                "pyscf-pbe+d3bj@eps7.5", "gfn1-xtb@7.5"):  # fmt: skip
        with pytest.raises(TheoryError):
            get_theory(bad)


def test_a_continuum_follows_born() -> None:
    """A single ion in a continuum is stabilised by (1 - 1/eps) of that in a conductor."""
    chloride = single(17, -1)
    free, wet, metal = (
        single_point_task(chloride, name, ScfSettings()).energy_eV
        for name in ("gfn1-xtb", "gfn1-xtb@eps7.5", "gfn1-xtb@eps1000")
    )
    assert wet < free
    assert (free - wet) / (free - metal) == pytest.approx((1 - 1 / 7.5) / (1 - 1e-3), rel=2e-3)


@pytest.mark.filterwarnings("ignore:remove_linear_dep_ is deprecated")
@pytest.mark.skipif(importlib.util.find_spec("pyscf") is None, reason="pyscf is not installed")
def test_density_functionals_have_the_same_continuum() -> None:
    """Fluoride: the charge is whole, dispersion of one atom nothing, and both codes near Born."""
    fluoride, scf = single(9, -1), ScfSettings(grid_level=1)
    free = single_point_task(fluoride, "pyscf-pbe+d3bj", scf)
    wet = single_point_task(fluoride, "pyscf-pbe@eps7.5", scf)
    assert free.charges_e.sum() == pytest.approx(-1.0, abs=1e-6)
    xtb = [
        single_point_task(fluoride, name, scf).energy_eV for name in ("gfn1-xtb", "gfn1-xtb@eps7.5")
    ]
    for gained in (free.energy_eV - wet.energy_eV, xtb[0] - xtb[1]):
        assert 2.5 < gained < 5.0, "7.2 eV A x (1 - 1/7.5) over a radius of 1.5 to 2.5 A"


# ---- what is refused


def test_impossible_spin_and_charge() -> None:
    with pytest.raises(InvalidStructureError, match="impossible"):
        build_node(["Fe", "Fe", "Ni"], cap="formate", spin_multiplicity=12)
    with pytest.raises(InvalidStructureError, match="Fe2Ni with"):
        named_nodes(["Fe2Ni"], cap="formate", charge=7)
    with pytest.raises(InvalidStructureError, match="named twice"):
        named_nodes(["FeFeNi", "Fe2Ni"], cap="formate")


def test_a_linker_that_is_no_carboxylate() -> None:
    with pytest.raises(InvalidStructureError, match="no cap 'imidazolate'"):
        named_nodes(["Fe2Ni"], cap="imidazolate")


def test_a_metal_that_the_level_lacks() -> None:
    nodes = named_nodes(["Cd2"], cap="formate")
    settings = replace(QUICK, levels=("pyscf-pbe",))
    with pytest.raises(UnknownElementError, match="Cd"):
        check_screen(nodes, [SODIUM], theory="gfn1-xtb", settings=settings)


def test_energies_on_too_coarse_a_grid() -> None:
    coarse = ScfSettings(grid_level=0)
    with pytest.raises(TheoryError, match="level 1 or finer; got 0"):
        replace(QUICK, levels=("pyscf-pbe+d3bj",), scf=coarse)
    replace(QUICK, levels=("gfn1-xtb@eps7.5",), scf=coarse)
    with pytest.raises(TheoryError, match="levels and charges only"):
        single_point_task(single(9, -1), "pyscf-pbe", coarse)


def test_levels_without_charge(zinc: Node) -> None:
    with pytest.raises(TheoryError, match="knows of no charge"):
        check_screen({"Zn2": zinc}, [SODIUM], theory="emt", settings=QUICK)


def test_guests_that_do_not_fit_together(zinc: Node) -> None:
    with pytest.raises(ProtocolError, match="each label once"):
        check_screen({"Zn2": zinc}, [SODIUM, SODIUM], theory="gfn1-xtb", settings=QUICK)
    stray = replace(SODIUM, nodes=("Cu2",))
    with pytest.raises(ProtocolError, match="names Cu2"):
        check_screen({"Zn2": zinc}, [stray], theory="gfn1-xtb", settings=QUICK)
    with pytest.raises(InvalidStructureError, match="one molecule"):
        Guest("X", {"na+": (), "li+": ()}).molecules()
    closed = build_node(["Zn", "Zn"], cap="formate", water=True)
    with pytest.raises(AdsorptionError, match="no open metal site"):
        check_screen({"Zn2": closed}, [SODIUM], theory="gfn1-xtb", settings=QUICK)


def test_settings_that_cannot_work() -> None:
    for change in ({"starts": 0}, {"keep": 0}, {"screen_steps": -1}, {"sites": "atoms"},
                   {"relax": RelaxSettings(cell="full")}):  # fmt: skip
        with pytest.raises(ProtocolError):
            replace(QUICK, **change)
    with pytest.raises(ProtocolError, match="at least one shape"):
        Guest("X", {})


def test_a_pair_is_put_together() -> None:
    pair = find_shape("tfsi-cis & na+")
    assert pair.charge == 0
    assert pair.symbols[-1] == "Na"
    assert pair.symbols[:-1] == reference_molecule("natfsi").symbols[:-1]
    with pytest.raises(InvalidStructureError, match="single cation"):
        find_shape("tfsi & ec")
