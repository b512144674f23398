"""Oxygens and ends of chains, in order along them."""

from __future__ import annotations

import numpy as np
import pytest

from superionic.structures.chain_atoms import chain_ends, ether_oxygens
from superionic.structures.connectivity import changed_bonds
from superionic.structures.errors import InvalidStructureError
from superionic.structures.molecules import reference_molecule
from superionic.structures.polymers import peo_chain


def test_oxygens_of_the_helix_have_the_period_of_the_crystal() -> None:
    chain = peo_chain(10, torsions="helix")
    oxygens = list(ether_oxygens(chain))
    assert chain.formula == "C20H42O10"
    assert [chain.structure.labels[k] for k in oxygens] == ["O1"] * 10
    assert oxygens == sorted(oxygens)
    seven_units = chain.positions[oxygens[7]] - chain.positions[oxygens[0]]
    assert np.linalg.norm(seven_units) == pytest.approx(19.48, abs=1.0)  # Takahashi 1973


def test_oxygens_and_ends_of_another_program_s_glyme() -> None:
    glyme = reference_molecule("g2")
    oxygens = ether_oxygens(glyme)
    assert [glyme.symbols[k] for k in oxygens] == ["O"] * 3
    ends = chain_ends(glyme)
    assert [glyme.symbols[k] for k in ends] == ["C", "O", "C", "O"]
    assert {ends[1], ends[3]} == {oxygens[0], oxygens[-1]}


def test_hydroxyl_is_no_ether() -> None:
    chain = peo_chain(4, ends="hydroxyl", torsions="helix")
    assert len(ether_oxygens(chain)) == 3
    assert [chain.symbols[k] for k in chain_ends(chain, heavy_atoms=1)] == ["O", "O"]


def test_a_broken_and_a_formed_bond_are_named() -> None:
    chain = peo_chain(2, torsions="helix")
    assert changed_bonds(chain, chain.positions) == ((), ())
    first, second = ether_oxygens(chain)
    positions = chain.positions.copy()
    hydrogen = next(j for i, j, _ in chain.bonds if i == 0 and chain.symbols[j] == "H")
    positions[hydrogen] = positions[second] + np.array([0.0, 0.0, 0.97])
    gone, new = changed_bonds(chain, positions)
    assert gone == ((0, hydrogen),)
    assert (min(second, hydrogen), max(second, hydrogen)) in new
    assert first != second


def test_refuses_what_is_no_chain() -> None:
    with pytest.raises(InvalidStructureError, match="ends"):
        chain_ends(reference_molecule("ec"))
