"""The ions of a salt: which they are, what they carry, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from superionic.structures.errors import InvalidStructureError
from superionic.structures.molecules import reference_molecule
from superionic.structures.salts import ions_of, is_salt


@pytest.mark.parametrize(
    ("name", "ions"),
    [
        ("litfsi", {"C2F6NO4S2": -1, "Li": 1}),
        ("natfsi", {"C2F6NO4S2": -1, "Na": 1}),
        ("naclo4", {"ClO4": -1, "Na": 1}),
    ],
)
def test_ions_of_packaged_salts(name: str, ions: dict[str, int]) -> None:
    salt = reference_molecule(name)
    assert is_salt(salt)
    found = ions_of(salt)
    assert {ion.formula: ion.charge for ion in found} == ions
    assert sum(ion.charge for ion in found) == salt.charge == 0
    assert sum(len(ion) for ion in found) == len(salt)
    assert sum(len(ion.bonds) for ion in found) == len(salt.bonds)
    for ion, atoms in zip(found, salt.fragments, strict=True):
        inside = salt.positions[list(atoms)]
        apart = np.linalg.norm(inside[:, None] - inside[None], axis=-1)
        own = np.linalg.norm(ion.positions[:, None] - ion.positions[None], axis=-1)
        assert np.allclose(apart, own), "the geometry is that in the pair"


def test_charges_can_be_named() -> None:
    plain = replace(reference_molecule("naclo4"), smiles="")
    with pytest.raises(InvalidStructureError, match=r"charge of ClO4, Na .* is not known"):
        ions_of(plain)
    found = ions_of(plain, {"ClO4": -1, "Na": 1})
    assert sorted(ion.charge for ion in found) == [-1, 1]
    with pytest.raises(InvalidStructureError, match="do not add up"):
        ions_of(plain, {"ClO4": -1, "Na": 2})


def test_a_molecule_has_no_ions() -> None:
    solvent = reference_molecule("ec")
    assert not is_salt(solvent)
    with pytest.raises(InvalidStructureError, match="only a salt has ions"):
        ions_of(solvent)
