"""Polyether chains: the crystal's helix, torsions as set, oxygens and ends in order."""

from __future__ import annotations

import numpy as np
import pytest

from superionic.structures.connectivity import changed_bonds
from superionic.structures.errors import InvalidStructureError
from superionic.structures.molecule import torsion_deg
from superionic.structures.molecules import reference_molecule
from superionic.structures.oligomers import chain_ends, ether_oxygens, polyether, twisted
from superionic.structures.rotamers import rotatable_torsions


def test_helix_has_the_period_of_the_crystal() -> None:
    chain = polyether(10)
    oxygens = list(ether_oxygens(chain))
    assert chain.formula == "C20H42O10"
    assert len(oxygens) == 10
    seven_units = chain.positions[oxygens[7]] - chain.positions[oxygens[0]]
    assert np.linalg.norm(seven_units) == pytest.approx(19.48, abs=0.15)  # Takahashi 1973
    assert changed_bonds(chain, chain.positions) == ((), ())


def test_torsions_are_as_set_and_nothing_else_moves() -> None:
    chain = polyether(3)
    turned = twisted(chain, (180.0, -65.0, 180.0))
    found = [torsion_deg(turned.positions[list(t)]) for t in rotatable_torsions(turned)]
    assert np.abs(found) == pytest.approx([180.0, 65.0, 180.0] * 2, abs=1e-6)
    assert found[1] == pytest.approx(-65.0)
    for i, j, _ in chain.bonds:
        before = np.linalg.norm(chain.positions[i] - chain.positions[j])
        after = np.linalg.norm(turned.positions[i] - turned.positions[j])
        assert after == pytest.approx(before, abs=1e-9)


def test_oxygens_and_ends_of_another_program_s_glyme() -> None:
    glyme = reference_molecule("g2")
    oxygens = ether_oxygens(glyme)
    assert [glyme.symbols[k] for k in oxygens] == ["O"] * 3
    ends = chain_ends(glyme)
    assert [glyme.symbols[k] for k in ends] == ["C", "O", "C", "O"]
    assert {ends[1], ends[3]} == {oxygens[0], oxygens[-1]}


def test_a_broken_and_a_formed_bond_are_named() -> None:
    chain = polyether(2)
    first, second = ether_oxygens(chain)
    positions = chain.positions.copy()
    hydrogen = next(j for i, j, _ in chain.bonds if i == 0 and chain.symbols[j] == "H")
    positions[hydrogen] = positions[second] + np.array([0.0, 0.0, 0.97])
    gone, new = changed_bonds(chain, positions)
    assert gone == ((0, hydrogen),)
    assert (min(second, hydrogen), max(second, hydrogen)) in new
    assert first != second


def test_refuses_what_is_no_chain() -> None:
    with pytest.raises(InvalidStructureError, match="two or more oxygens"):
        polyether(1)
    with pytest.raises(InvalidStructureError, match="ends"):
        chain_ends(reference_molecule("ec"))
    with pytest.raises(InvalidStructureError, match="torsion"):
        twisted(polyether(2), ())
