"""Force-field rows on boxes: rules, sources, charges, exclusions, and what is refused."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from naive_forces import free, pair_scales
from small_boxes import CHARGES, cluster, ion, node_box, salt_box, small_box

from superionic.inputs.atom_types import sites_of
from superionic.inputs.bonded import bonded_terms
from superionic.inputs.forcefield import assign_parameters
from superionic.inputs.forcefields import (
    KJ_PER_KCAL,
    atom_rows,
    find_atom,
    find_term,
    rows_of,
    set_names,
    term_rows,
    uff_rows,
)
from superionic.inputs.parameter_table import parameter_table, table_csv
from superionic.inputs.parametrised import COULOMB_KJ_ANG, ParametrisedBox, ryckaert_bellemans
from superionic.structures.box import Component
from superionic.structures.errors import ForceFieldError, MissingParametersError
from superionic.structures.molecule import Molecule, framed, neighbours_of
from superionic.structures.molecules import reference_molecule
from superionic.structures.polymers import peo_chain
from superionic.workflows.serialise import decode, encode


@pytest.mark.parametrize("name", set_names())
def test_rows_have_sources(name: str) -> None:
    assert rows_of(name) != ()
    assert all(row.source for row in rows_of(name))


def test_tables_hold_each_row_once() -> None:
    keys = Counter((r.set, r.site) for r in atom_rows())
    assert set(keys.values()) == {1}
    for size in (2, 3, 4):
        classes = Counter(min(r.classes, r.classes[::-1]) for r in term_rows(size))
        assert set(classes.values()) == {1}


def test_known_rows() -> None:
    """Numbers that every text on these force fields prints."""
    oxygen = find_atom("ether-O", "opls-aa")
    assert oxygen is not None
    assert (oxygen.charge_e, oxygen.sigma_ang) == (-0.4, 2.9)
    assert oxygen.epsilon_kJ_per_mol == pytest.approx(0.14 * KJ_PER_KCAL)
    old, new = find_atom("TFSI-O", "clp-2004"), find_atom("TFSI-O", "clp-2025")
    assert old is not None
    assert new is not None
    assert (old.sigma_ang, new.sigma_ang) == (2.96, 3.15)
    iron = find_atom("uff-Fe", "uff")
    assert iron is not None
    assert iron.sigma_ang == pytest.approx(2.912 / 2 ** (1 / 6))
    assert iron.epsilon_kJ_per_mol == pytest.approx(0.013 * 4.184)


def test_unknown_set_names_the_others() -> None:
    with pytest.raises(ForceFieldError, match="opls-aa"):
        rows_of("gaff")


def test_terms_match_either_way_and_wildcards_come_last() -> None:
    assert find_term(("OS", "CT", "CT", "HC")) is find_term(("HC", "CT", "CT", "OS"))
    row = find_term(("HC", "CT", "CZ", "NZ"))
    assert row is not None
    assert row.classes == ("NZ", "CZ", "CT", "X")
    assert find_term(("CZ", "CT", "CT", "CZ")) is None
    assert find_term(("CZ", "CT", "CT", "CZ"), estimates=True) is not None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("g1", {"ether-CH3": 2, "ether-O": 2, "ether-CH2": 2, "ether-H": 10}),
        ("tfsi", {"TFSI-N": 1, "TFSI-S": 2, "TFSI-O": 4, "TFSI-C": 2, "TFSI-F": 6}),
        ("succinonitrile", {"nitrile-N": 2, "nitrile-C": 2, "nitrile-CH2": 2, "nitrile-H": 4}),
        ("na+", {"Na+": 1}),
        ("clo4", {None: 5}),
    ],
)
def test_sites(name: str, expected: dict[str | None, int]) -> None:
    assert Counter(sites_of(reference_molecule(name))) == expected


def test_sites_of_chains() -> None:
    plain = Counter(sites_of(peo_chain(5)))
    assert plain == {"ether-CH3": 2, "ether-CH2": 8, "ether-O": 5, "ether-H": 22}
    ends = Counter(sites_of(peo_chain(3, ends="hydroxyl")))
    assert ends == {
        "ether-CH2": 4, "ether-O": 2, "ether-H": 8,
        "hydroxyl-CH2": 2, "hydroxyl-O": 2, "hydroxyl-H": 2, "alkane-H": 4,
    }  # fmt: skip


@pytest.mark.parametrize("ends", ["methyl", "hydroxyl"])
@pytest.mark.parametrize("units", [2, 3, 7])
def test_chains_have_all_terms_and_no_charge(
    units: int, ends: Literal["methyl", "hydroxyl"]
) -> None:
    chain = peo_chain(units, ends=ends)
    found = assign_parameters(small_box([ion(chain, "PEO")], 60.0), charge_scale=1.0)
    assert found.total_charge_e == pytest.approx(0.0, abs=1e-12)
    assert len(found.bonds) == len(chain.bonds) == len(chain) - 1


def test_neutral_sodium_is_no_ion() -> None:
    atom = Molecule(framed([11], [(0, 0, 0)]), spin_multiplicity=2)
    assert sites_of(atom) == (None,)


def test_bonded_tuples_of_butane_like_chain() -> None:
    found = bonded_terms(neighbours_of(4, [(0, 1, 1.0), (1, 2, 1.0), (2, 3, 1.0)]))
    assert found.angles == ((0, 1, 2), (1, 2, 3))
    assert found.torsions == ((0, 1, 2, 3),)
    assert found.excluded == ((0, 1), (0, 2), (1, 2), (1, 3), (2, 3))
    assert found.pairs_14 == ((0, 3),)


def test_ring_of_four_has_no_far_pair() -> None:
    """Across a four-membered ring atoms are two bonds apart, whatever goes round it."""
    ring = bonded_terms(neighbours_of(4, [(0, 1, 1.0), (1, 2, 1.0), (2, 3, 1.0), (3, 0, 1.0)]))
    assert ring.pairs_14 == ()
    assert len(ring.excluded) == 6


def test_ring_of_five_has_no_far_pair() -> None:
    ring = bonded_terms(neighbours_of(5, [(k, (k + 1) % 5, 1.0) for k in range(5)]))
    assert ring.pairs_14 == ()


@pytest.fixture(scope="module")
def salt() -> ParametrisedBox:
    return assign_parameters(salt_box(), charge_scale=0.8)


def test_charges_add_up(salt: ParametrisedBox) -> None:
    assert abs(salt.total_charge_e) < 1e-12
    kinds = salt.box.component_index
    assert salt.charges_e[kinds == 0].sum() == pytest.approx(0.0, abs=1e-12)
    assert salt.charges_e[kinds == 1].tolist() == [0.8]
    assert salt.charges_e[kinds == 2].sum() == pytest.approx(-0.8)


def test_scale_leaves_neutral_molecules(salt: ParametrisedBox) -> None:
    whole = assign_parameters(salt.box, charge_scale=1.0)
    ether = salt.box.component_index == 0
    np.testing.assert_array_equal(whole.charges_e[ether], salt.charges_e[ether])
    np.testing.assert_allclose(whole.charges_e[~ether] * 0.8, salt.charges_e[~ether])


def test_charge_scale_has_no_default() -> None:
    with pytest.raises(TypeError, match="charge_scale"):
        assign_parameters(salt_box())  # type: ignore[call-arg]


@pytest.mark.parametrize("scale", [0.0, -1.0, 2.0, float("nan")])
def test_charge_scale_out_of_range(scale: float) -> None:
    with pytest.raises(ForceFieldError, match=re.escape("charge scale")):
        assign_parameters(salt_box(), charge_scale=scale)


def test_versions_differ_in_lennard_jones_only() -> None:
    new = assign_parameters(salt_box(), charge_scale=1.0)
    old = assign_parameters(salt_box(), charge_scale=1.0, lennard_jones="clp-2004")
    np.testing.assert_array_equal(new.charges_e, old.charges_e)
    differ = np.flatnonzero(new.sigma_ang != old.sigma_ang)
    assert {new.box.structure.symbols[k] for k in differ} == {"O", "F"}


def test_every_atom_and_term_is_in_the_table(salt: ParametrisedBox) -> None:
    table = parameter_table(salt)
    assert sum(r.count for r in table if r.kind == "atom") == len(salt)
    assert sum(r.count for r in table if r.kind == "bond") == len(salt.bonds)
    assert sum(r.count for r in table if r.kind == "angle") == len(salt.angles)
    assert sum(r.count for r in table if r.kind == "torsion") == len(salt.torsions)
    assert all(r.source and r.set for r in table)
    assert len(table_csv(salt).splitlines()) == len(table) + 1


def test_exclusions_and_scaled_pairs(salt: ParametrisedBox) -> None:
    """Distances along bonds by powers of the adjacency matrix, a way of its own."""
    n = len(salt)
    bonded_to = np.zeros((n, n), dtype=int)
    bonded_to[salt.bonds[:, 0], salt.bonds[:, 1]] = 1
    bonded_to += bonded_to.T
    steps = np.full((n, n), 9)
    for k in (3, 2, 1):
        steps[np.linalg.matrix_power(bonded_to, k) > 0] = k
    np.fill_diagonal(steps, 0)
    scale = pair_scales(salt)
    off = ~np.eye(n, dtype=bool)
    np.testing.assert_array_equal(scale[off] == 0.0, (steps[off] < 3))
    np.testing.assert_array_equal(scale[off] == 0.5, (steps[off] == 3))


@pytest.mark.parametrize("name", ["clo4", "ec"])
def test_unknown_molecules_are_refused(name: str) -> None:
    parts = [ion(name, "XYZ"), *([ion("na+", "NA")] if name == "clo4" else [])]
    with pytest.raises(MissingParametersError, match=r"of XYZ .*PEO"):
        assign_parameters(small_box(parts, 20.0), charge_scale=1.0)


def test_what_perchlorate_lacks_is_told() -> None:
    box = small_box([ion("clo4", "CLO4"), ion("na+", "NA")], 20.0)
    with pytest.raises(MissingParametersError, match=r"bond Cl-O and the angle O-Cl-O"):
        assign_parameters(box, charge_scale=1.0)


def test_missing_term_is_named() -> None:
    box = small_box([ion("succinonitrile", "SN")], 20.0)
    with pytest.raises(MissingParametersError, match=r"torsion CZ-CT-CT-CZ \(1 times\).*estimates"):
        assign_parameters(box, charge_scale=1.0)
    found = assign_parameters(box, charge_scale=1.0, estimates=True)
    assert "estimate" in {r.set for r in found.rows}
    assert found.total_charge_e == pytest.approx(0.0, abs=1e-12)


def test_octahedral_anion_has_no_angle_across() -> None:
    points = [(0, 0, 0), *(tuple(1.606 * s * e for e in row) for row in np.eye(3) for s in (1, -1))]
    anion = Molecule(
        framed([15, *[9] * 6], points), charge=-1, bonds=tuple((0, k, 1.0) for k in range(1, 7))
    )
    box = small_box([ion(anion, "PF6"), ion("na+", "NA")], 20.0)
    found = assign_parameters(box, charge_scale=1.0)
    assert len(found.angles) == 12
    assert set(found.angle_deg) == {90.0}
    assert len(found.excluded) == 21


def test_rigid_component_needs_charges() -> None:
    with pytest.raises(MissingParametersError, match=r"FIL is rigid and has no charges"):
        assign_parameters(node_box(), charge_scale=1.0)


def test_rigid_component() -> None:
    found = assign_parameters(node_box(), charge_scale=1.0, charges={"FIL": CHARGES})
    assert found.rigid.sum() == 14
    assert len(found.springs) == 2 * 21  # all pairs: none is farther than 4.2 A
    assert not np.isin(found.bonds, np.arange(14)).any()
    inside = pair_scales(found)[:7, :7]
    assert (inside[~np.eye(7, dtype=bool)] == 0).all()
    lengths = found.spring_length_ang[:21]
    assert set(np.round(lengths, 6)) == {2.1, 4.2, round(2.1 * 2**0.5, 6)}


@pytest.mark.parametrize(
    ("charges", "message"),
    [
        ({"FIL": [0.0] * 6}, "needs 7 finite charges"),
        ({"FIL": [1.0, *[0.0] * 6]}, r"add up to \+1.0000"),
        ({"MOF": CHARGES}, "given for MOF"),
    ],
)
def test_wrong_charges(charges: dict[str, list[float]], message: str) -> None:
    with pytest.raises(ForceFieldError, match=message):
        assign_parameters(node_box(), charge_scale=1.0, charges=charges)


def test_rounded_charges_are_spread() -> None:
    rounded = [1.201, *CHARGES[1:]]
    found = assign_parameters(node_box(), charge_scale=1.0, charges={"FIL": rounded})
    assert abs(found.total_charge_e) < 1e-12


def test_metal_without_row_is_refused() -> None:
    mercury = replace(cluster(), structure=framed([80, *[8] * 6], cluster().positions))
    box = small_box([Component("FIL", mercury, 1, rigid=True)], 20.0)
    with pytest.raises(MissingParametersError, match="1 Hg of FIL"):
        assign_parameters(box, charge_scale=1.0, charges={"FIL": CHARGES})


def test_flexible_node_is_refused() -> None:
    box = small_box([Component("FIL", cluster(), 1)], 20.0)
    with pytest.raises(MissingParametersError, match=r"around its metals.*Keep it rigid"):
        assign_parameters(box, charge_scale=1.0)


def test_repartitioned_masses(salt: ParametrisedBox) -> None:
    masses = salt.repartitioned_masses(3.024)
    hydrogen = salt.box.structure.numbers == 1
    np.testing.assert_allclose(masses[hydrogen], 3.024)
    assert masses.sum() == pytest.approx(salt.masses_amu.sum())
    for wrong in (0.5, 6.0):
        with pytest.raises(ForceFieldError, match="hydrogen mass"):
            salt.repartitioned_masses(wrong)


def test_survives_serialisation(salt: ParametrisedBox) -> None:
    again = decode(encode(salt))
    np.testing.assert_array_equal(again.charges_e, salt.charges_e)
    assert again.rows == salt.rows


def test_ryckaert_bellemans_is_the_fourier_series() -> None:
    v = np.array([[2.7196, -1.046, 2.8033, 0.7]])
    phi = np.radians(np.arange(0, 360, 7.0))
    fourier = (
        v[0, 0] * (1 + np.cos(phi)) + v[0, 1] * (1 - np.cos(2 * phi))
        + v[0, 2] * (1 + np.cos(3 * phi)) + v[0, 3] * (1 - np.cos(4 * phi))
    ) / 2  # fmt: skip
    series = sum(c * np.cos(phi - np.pi) ** n for n, c in enumerate(ryckaert_bellemans(v)[0]))
    np.testing.assert_allclose(series, fourier, atol=1e-12)


def test_dimer_energies() -> None:
    """Two ions by hand: q q / r, and the geometric mean of their Lennard-Jones parameters."""
    parts = [ion("na+", "NA"), ion("li+", "LI", 1)]
    halide = Molecule(framed([9], [(0, 0, 0)]), charge=-2, spin_multiplicity=2)
    with pytest.raises(MissingParametersError, match="1 F of F"):
        assign_parameters(small_box([*parts, ion(halide, "F")], 30.0), charge_scale=1.0)
    box = small_box([Component("FIL", halide, 1, rigid=True), *parts], 30.0)
    found = assign_parameters(box, charge_scale=1.0, charges={"FIL": [-2.0]})
    x = np.array([(0.0, 0, 0), (4.0, 0, 0), (0, 1e6, 0)])
    energy = free(found, x)
    sodium, fluorine = (found.sigma_ang[k] for k in (1, 0))
    depth = (found.epsilon_kJ_per_mol[0] * found.epsilon_kJ_per_mol[1]) ** 0.5
    six = (sodium * fluorine) ** 3 / 4.0**6
    assert energy["lennard-jones"] == pytest.approx(4 * depth * (six**2 - six), rel=1e-9)
    assert energy["coulomb"] == pytest.approx(-2 * COULOMB_KJ_ANG / 4.0, rel=1e-4)


GROMACS = Path("/usr/share/gromacs/top/oplsaa.ff")


def _section(file: Path, title: str) -> list[list[str]]:
    rows, inside = [], False
    for line in file.read_text(encoding="latin-1").splitlines():
        text = line.split(";")[0].strip()
        if text.startswith("["):
            inside = text.strip("[] ") == title
        elif inside and text and not text.startswith("#"):
            rows.append(text.split())
    return rows


@pytest.mark.skipif(not GROMACS.is_dir(), reason="GROMACS' own tables are not at hand")
def test_rows_are_those_of_gromacs() -> None:
    """The tables of OPLS-AA against the files that GROMACS brings, read here on their own."""
    bonded_file = GROMACS / "ffbonded.itp"
    atoms = {r[0]: r for r in _section(GROMACS / "ffnonbonded.itp", "atomtypes")}
    checked = 0
    for row in atom_rows():
        if row.type.startswith("opls_"):
            cls, _, _, charge, _, sigma, epsilon = atoms[row.type][1:8]
            assert row.cls == cls
            assert row.charge_e == float(charge)
            assert row.sigma_ang == pytest.approx(10 * float(sigma))
            assert row.epsilon_kJ_per_mol == pytest.approx(float(epsilon), rel=2e-5)
            checked += 1
    assert checked >= 16
    own = [r for size in (2, 3, 4) for r in term_rows(size) if r.set == "opls-aa"]
    titles = {2: "bondtypes", 3: "angletypes", 4: "dihedraltypes"}
    tables = {
        size: {
            tuple(r[:size]): [float(x) for x in r[size + 1 :]]
            for r in _section(bonded_file, title)
            if r[size] == ("3" if size == 4 else "1")
        }
        for size, title in titles.items()
    }
    for term in own:
        table = tables[len(term.classes)]
        theirs = table.get(term.classes) or table[term.classes[::-1]]
        if len(term.classes) == 2:
            ours = [term.values[0] / 10, term.values[1] * 100]
        elif len(term.classes) == 3:
            ours = list(term.values)
        else:
            ours = ryckaert_bellemans(np.array([term.values]))[0].tolist()
        assert ours == pytest.approx(theirs, rel=1e-6, abs=2e-4), term.classes


def test_uff_has_the_metals_of_the_papers() -> None:
    elements = {r.element for r in uff_rows()}
    assert {"Fe", "Ni", "Co", "Mn", "Cr", "Zn", "Cu", "Mg", "V", "Ti", "Zr"} <= elements
