"""The value for a box: order, charge, indices, facts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from superionic.structures.box import AMU_PER_ANG3, Box, Component
from superionic.structures.errors import InvalidStructureError
from superionic.structures.molecules import reference_molecule
from superionic.structures.polymers import chain_layout, peo_chain
from superionic.structures.structure import Structure

EDGE = 60.0


def components(ions: int = 2) -> tuple[Component, ...]:
    layout = chain_layout(3)
    chain = peo_chain(3, torsions="helix")
    return (
        Component("PEO", chain, 2, units=3, residues=layout.residues),
        Component("NA", reference_molecule("na+"), ions),
        Component("CLO4", reference_molecule("clo4"), 2),
    )


def loose_box(parts: tuple[Component, ...] | None = None, **changes: Any) -> Box:
    """Molecules far apart on a line: only their order counts."""
    parts = components() if parts is None else parts
    numbers, positions = [], []
    for k, c in enumerate(m for p in parts for m in [p] * p.count):
        numbers.append(c.molecule.structure.numbers)
        positions.append(c.molecule.centred() + np.array([5.0 * k, 10.0, 10.0]))
    structure = Structure(
        np.concatenate(numbers), np.concatenate(positions), np.diag([EDGE] * 3), (True,) * 3
    )
    return Box(replace(structure, **changes), parts, seed=0)


def test_indices_follow_the_components() -> None:
    box = loose_box()
    chain = len(chain_layout(3))
    assert len(box) == 2 * chain + 2 + 10
    assert box.molecules == 6
    assert box.molecule_index.tolist() == [0] * chain + [1] * chain + [2, 3] + [4] * 5 + [5] * 5
    assert box.component_index.tolist() == [0] * 2 * chain + [1] * 2 + [2] * 10
    assert box.molecules_of("CLO4") == tuple(
        range(2 * chain + 2 + 5 * k, 2 * chain + 7 + 5 * k) for k in range(2)
    )
    one = list(chain_layout(3).residues)
    assert box.residue_index.tolist() == [
        *one, *(r + 3 for r in one), 6, 7, *[8] * 5, *[9] * 5
    ]  # fmt: skip
    for array in (box.molecule_index, box.component_index, box.residue_index, box.bonds):
        assert not array.flags.writeable


def test_bonds_are_those_of_the_templates() -> None:
    box = loose_box()
    assert len(box.bonds) == sum(c.count * len(c.molecule.bonds) for c in box.components)
    assert (box.bonds[:, 0] < box.bonds[:, 1]).all()
    assert (np.diff(box.molecule_index[box.bonds], axis=1) == 0).all()
    symbols = np.array(box.structure.symbols)[box.bonds]
    assert {"".join(sorted(pair)) for pair in symbols} == {"CC", "CO", "CH", "ClO"}


def test_facts() -> None:
    box = loose_box()
    mass = sum(c.count * c.mass_g_per_mol for c in box.components)
    assert box.charge == 0
    assert box.mass_g_per_mol == pytest.approx(box.structure.mass_g_per_mol)
    assert box.density_g_cm3 == pytest.approx(AMU_PER_ANG3 * mass / EDGE**3)
    assert (box.repeat_units, box.cations, box.units_per_cation) == (6, 2, 3.0)
    assert sum(box.weight_fraction(c.name) for c in box.components) == pytest.approx(1.0)
    assert box.filler_weight_fraction == 0.0


def test_no_ratio_without_ions() -> None:
    assert loose_box(components()[:1]).units_per_cation is None


def test_water_at_one_gram() -> None:
    """33.4 waters in a cubic nanometre weigh 1 g/cm3."""
    density = AMU_PER_ANG3 * 18.015 * 0.03343
    assert density == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "POLYMER"}, "one to 5"),
        ({"name": "2PEO"}, "letter first"),
        ({"name": ""}, "one to 5"),
        ({"name": "P-O"}, "letters and digits"),
        ({"count": 0}, "at least 1"),
        ({"units": 0}, "at least 1"),
        ({"residues": (0, 1)}, "for each the residue"),
        ({"residues": (0, 2, 2, 2, 2)}, "without gaps"),
        ({"residues": (1, 1, 1, 1, 1)}, "from 0"),
    ],
)
def test_component_refuses(changes: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {
        "name": "CLO4",
        "molecule": reference_molecule("clo4"),
        "count": 1,
    } | changes
    with pytest.raises(InvalidStructureError, match=message):
        Component(**given)


def test_atom_names_fit_files() -> None:
    chain, sodium, perchlorate = components()
    assert chain.atom_names == chain.molecule.structure.labels
    assert sodium.atom_names == ("Na",)
    assert perchlorate.atom_names == ("O1", "Cl1", "O2", "O3", "O4")


def test_box_refuses_a_charge() -> None:
    with pytest.raises(InvalidStructureError, match=r"charge of \+1 e .*3 NA of \+1"):
        loose_box(components(ions=3))


def test_box_refuses_other_atoms() -> None:
    box = loose_box()
    numbers = box.structure.numbers.copy()
    numbers[[0, 1]] = numbers[[1, 0]]
    with pytest.raises(InvalidStructureError, match="Atom 0 should be C but is H"):
        loose_box(numbers=numbers)
    with pytest.raises(InvalidStructureError, match="hold 58 atoms, the structure 57"):
        Box(box.structure.take(range(57)), box.components, 0)


def test_box_refuses_cut_molecules_and_skewed_cells() -> None:
    box = loose_box()
    wrapped = box.structure.positions.copy()
    wrapped[3] += EDGE
    with pytest.raises(InvalidStructureError, match="Molecules must be whole"):
        loose_box(positions=wrapped)
    skewed = box.structure.cell.copy()
    skewed[1, 0] = 3.0
    with pytest.raises(InvalidStructureError, match="along x, y and z"):
        loose_box(cell=skewed)
    with pytest.raises(InvalidStructureError, match="periodic in all directions"):
        loose_box(pbc=(True, True, False))


def test_box_refuses_two_of_one_name() -> None:
    chain, sodium, _ = components()
    with pytest.raises(InvalidStructureError, match="name of its own"):
        loose_box((chain, replace(sodium, name="PEO")))


def test_unknown_component() -> None:
    with pytest.raises(InvalidStructureError, match="holds no 'TFSI'; it holds PEO, NA, CLO4"):
        loose_box().molecules_of("TFSI")
