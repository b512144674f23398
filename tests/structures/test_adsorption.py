"""Places on surfaces and starts for adsorption."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from ase import Atoms
from ase.build import bcc100, bcc110, fcc100, fcc110, fcc111, hcp0001
from ase.calculators.emt import EMT
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from superionic.structures.adsorption import AdsorptionStart, adsorption_starts
from superionic.structures.adsorption_sites import (
    all_sites,
    exposed_atoms,
    surface_sites,
)
from superionic.structures.contacts import TOUCH, touching_ang
from superionic.structures.crystals import reference_crystal
from superionic.structures.errors import AdsorptionError
from superionic.structures.faces import Side, find_face
from superionic.structures.molecule import Molecule, framed
from superionic.structures.molecules import reference_molecule
from superionic.structures.structure import Structure, minimum_image
from superionic.structures.surfaces import build_slab

SURFACES: dict[str, Callable[[tuple[int, int]], Atoms]] = {
    "fcc111": lambda n: fcc111("Al", (*n, 4), vacuum=8, periodic=True),
    "fcc100": lambda n: fcc100("Al", (*n, 4), vacuum=8, periodic=True),
    "fcc110": lambda n: fcc110("Al", (*n, 5), vacuum=8, periodic=True),
    "bcc110": lambda n: bcc110("Fe", (*n, 4), vacuum=8, periodic=True),
    "bcc100": lambda n: bcc100("Fe", (*n, 4), vacuum=8, periodic=True),
    "hcp0001": lambda n: hcp0001("Mg", (*n, 4), vacuum=8, periodic=True),
}


def slab_of(name: str, repeat: tuple[int, int] = (2, 2)) -> Structure:
    return Structure.from_ase(SURFACES[name](repeat))


def skewed(slab: Structure, shift: float = 0.0) -> Structure:
    """The same slab with other lattice vectors in the plane, elsewhere in its cell, wrapped."""
    cell = slab.cell.copy()
    cell[1] += 2 * cell[0]
    moved = slab.positions + shift * np.array([0.7, 1.3, 3.0])
    wrapped = (moved @ np.linalg.inv(cell)) % 1.0 @ cell
    return Structure(slab.numbers, wrapped, cell)


def carbon_monoxide() -> Molecule:
    return Molecule(
        framed([6, 8], [[0.0, 0.0, 0.0], [0.0, 0.0, 1.13]]), bonds=((0, 1, 3.0),), name="CO"
    )


def atom(number: int = 13) -> Molecule:
    return Molecule(framed([number], np.zeros((1, 3))), spin_multiplicity=1 + number % 2)


# --- places ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("fcc111", {"top": 1, "bridge": 1, "hollow": 2}),
        ("fcc100", {"top": 1, "bridge": 1, "hollow": 1}),
        ("fcc110", {"top": 1, "bridge": 2, "hollow": 1}),
        ("bcc110", {"top": 1, "bridge": 2, "hollow": 1}),
        ("bcc100", {"top": 1, "bridge": 1, "hollow": 1}),
        ("hcp0001", {"top": 1, "bridge": 1, "hollow": 2}),
    ],
)
def test_distinct_places_are_the_textbook_ones(name: str, expected: dict[str, int]) -> None:
    for repeat in ((1, 1), (2, 2), (3, 3)):
        for side in ("top", "bottom"):
            sites = surface_sites(slab_of(name, repeat), side=side)
            assert Counter(site.kind for site in sites) == expected
    found = surface_sites(skewed(slab_of(name), 1.0))
    assert Counter(site.kind for site in found) == expected


def test_a_cell_without_the_threefold_axis_has_more_places() -> None:
    """In a 3 x 2 cell the rows of images make bridges of different direction distinct."""
    kinds = Counter(site.kind for site in surface_sites(slab_of("fcc111", (3, 2))))
    assert kinds == {"top": 1, "bridge": 3, "hollow": 2}


@pytest.mark.parametrize("name", SURFACES)
def test_as_many_places_as_pymatgen_finds(name: str) -> None:
    """It calls the four-fold hollow, the middle of a Delaunay edge, a bridge.

    Its three-fold hollows are centroids, ours equally far from three atoms: 0.17 A on bcc(110).
    """
    from pymatgen.analysis.adsorption import AdsorbateSiteFinder
    from pymatgen.core.surface import Slab
    from pymatgen.io.ase import AseAtomsAdaptor

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain = AseAtomsAdaptor.get_structure(SURFACES[name]((2, 2)))
        slab = Slab(plain.lattice, plain.species, plain.frac_coords, (0, 0, 1), plain, 0, np.eye(3))
        theirs = AdsorbateSiteFinder(slab, mi_vec=(0, 0, 1.0)).find_adsorption_sites(distance=0)
    ours = surface_sites(slab_of(name))
    assert len(ours) == len(theirs["all"])
    face = find_face(slab_of(name))
    every = np.array([site.position for site in all_sites(face)])
    for point in theirs["all"]:
        apart = minimum_image(every - point, face.slab.cell, (True, True, False))
        assert np.linalg.norm(apart[:, :2], axis=1).min() < 0.2


def test_multiplicities_count_the_cell() -> None:
    sites = surface_sites(slab_of("fcc111", (3, 3)))
    assert {site.label: site.multiplicity for site in sites[:2]} == {
        "top-Al": 9, "bridge-Al-Al": 27,
    }  # fmt: skip
    assert [site.multiplicity for site in sites[2:]] == [9, 9]
    hollows = np.array([site.position for site in sites[2:]])
    second = np.sort(slab_of("fcc111", (3, 3)).positions[:, 2])[-10]
    below = [a for a in slab_of("fcc111", (3, 3)).positions if abs(a[2] - second) < 0.1]
    over = [
        np.linalg.norm(minimum_image(h - np.array(below), slab_of("fcc111", (3, 3)).cell,
                                     (True, True, False))[:, :2], axis=1).min()
        for h in hollows
    ]  # fmt: skip
    assert min(over) < 1e-6  # hcp
    assert max(over) > 1.0  # fcc


def test_elements_make_places_distinct() -> None:
    from ase.build import bulk, surface

    salt = surface(bulk("NaCl", "rocksalt", a=5.64, cubic=True), (1, 0, 0), 2, vacuum=8,
                   periodic=True)  # fmt: skip
    labels = {site.label for site in surface_sites(Structure.from_ase(salt))}
    assert labels == {"top-Na", "top-Cl", "bridge-Cl-Na", "hollow-Cl-Cl-Na-Na"}


def test_only_atoms_seen_from_outside_count() -> None:
    slab = slab_of("fcc111", (3, 3))
    face = find_face(slab)
    top = np.flatnonzero(slab.positions[:, 2] > slab.positions[:, 2].max() - 0.1)
    np.testing.assert_array_equal(exposed_atoms(face), top)
    holed = slab.without([int(top[0])])
    seen = exposed_atoms(find_face(holed), probe_ang=0.3)
    assert len(seen) > len(top) - 1  # a small ball sees into the hole
    both = {int(k) for k in exposed_atoms(find_face(slab, "bottom"))}
    assert not both & set(top.tolist())


def test_no_slab_no_places() -> None:
    bulk_ = reference_crystal("na4zr2si3o12").structure.to_structure()
    with pytest.raises(AdsorptionError, match="no slab"):
        surface_sites(bulk_)
    with pytest.raises(AdsorptionError, match="'top' and a 'bottom'"):
        surface_sites(slab_of("fcc111"), side="left")  # type: ignore[arg-type]


# --- starts ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rough() -> Structure:
    """A NaSICON slab: not flat, with PO4-like units and sodium at its face."""
    crystal = reference_crystal("na4zr2si3o12").structure
    return build_slab(crystal, miller=(0, 0, 1), layers=2, repeat=(2, 1), compensate=True).structure


@pytest.fixture(scope="module")
def starts(rough: Structure) -> tuple[AdsorptionStart, ...]:
    return adsorption_starts(rough, reference_molecule("succinonitrile-gauche"), seed=3)


def naive_clearances(start: AdsorptionStart) -> NDArray[np.float64]:
    """Distances between adsorbate and slab over their contact distance, all images."""
    s, first = start.structure, start.adsorbate[0]
    contact = touching_ang(s.numbers[first:], s.numbers[:first], share=1.0)
    found = np.inf
    for i in (-1, 0, 1):
        for j in (-1, 0, 1):
            for k in (-1, 0, 1):
                shifted = s.positions[:first] + np.array([i, j, k]) @ s.cell
                apart = np.linalg.norm(s.positions[first:, None] - shifted[None], axis=-1)
                found = np.minimum(found, (apart / contact).min())
    return np.asarray(found)


@pytest.mark.parametrize("side", ["top", "bottom"])
@pytest.mark.parametrize("name", ["succinonitrile-trans", "litfsi"])
def test_starts_are_clash_free_on_one_side(rough: Structure, side: Side, name: str) -> None:
    molecule = reference_molecule(name)
    found = adsorption_starts(rough, molecule, side=side, count=12, vacuum_ang=15.0)
    assert len(found) == 12
    assert len({start.key for start in found}) == 12
    vacua = []
    for start in found:
        s, n = start.structure, len(rough)
        np.testing.assert_array_equal(s.numbers[:n], rough.numbers)
        assert s.labels[:n] == rough.labels
        assert start.adsorbate == tuple(range(n, n + len(molecule)))
        np.testing.assert_allclose(  # the slab is only moved as a whole
            s.positions[:n] - s.positions[0], rough.positions - rough.positions[0], atol=1e-9
        )
        np.testing.assert_allclose(s.cell[:2], rough.cell[:2])
        np.testing.assert_allclose(s.cell, found[0].structure.cell)
        assert naive_clearances(start) == pytest.approx(TOUCH, abs=1e-6)  # rests, no nearer
        z, body = s.positions[:n, 2], s.positions[n:, 2]
        middle = (z.min() + z.max()) / 2
        assert (body > middle).all() if side == "top" else (body < middle).all()
        assert ((s.fractional[:, 2] > 0) & (s.fractional[:, 2] < 1)).all()
        both = np.r_[z, body]
        vacua.append(s.cell[2, 2] - np.ptp(both))
        assert start.vacuum_ang == pytest.approx(vacua[-1])
        assert start.image_separation_ang >= 3.0
        height = body.min() - z.max() if side == "top" else z.min() - body.max()
        assert start.height_ang == pytest.approx(height)
    assert min(vacua) == pytest.approx(15.0)


def test_molecule_is_rigid(starts: tuple[AdsorptionStart, ...]) -> None:
    expected = reference_molecule("succinonitrile-gauche").positions
    expected = np.linalg.norm(expected[:, None] - expected[None], axis=-1)
    for start in starts:
        placed = start.molecule.positions
        np.testing.assert_allclose(
            np.linalg.norm(placed[:, None] - placed[None], axis=-1), expected, atol=1e-9
        )


def test_seeds_reproduce_and_differ(rough: Structure, starts: tuple[AdsorptionStart, ...]) -> None:
    molecule = reference_molecule("succinonitrile-gauche")
    again = adsorption_starts(rough, molecule, seed=3)
    other = adsorption_starts(rough, molecule, seed=4)
    for a, b in zip(starts, again, strict=True):
        np.testing.assert_array_equal(a.structure.positions, b.structure.positions)
    assert [s.key for s in starts] == [s.key for s in again]
    assert not any(
        np.allclose(a.molecule.positions, b.molecule.positions)
        for a, b in zip(starts, other, strict=True)
    )


def test_places_and_orientations_vary(starts: tuple[AdsorptionStart, ...]) -> None:
    kinds = Counter(start.site.split("-")[0] for start in starts)
    assert set(kinds) == {"top", "bridge", "hollow"}
    assert len({s.site for s in starts if s.site.startswith("top")}) >= 2
    ways = Counter(start.orientation == "free" for start in starts)
    assert ways[True] == ways[False] == 6
    per_kind: dict[str, set[bool]] = {}
    for start in starts:
        kind = start.site if start.site.startswith("top") else start.site.split("-")[0]
        per_kind.setdefault(kind, set()).add(start.orientation == "free")
    assert all(ways == {True, False} for ways in per_kind.values())


def test_donor_points_down_onto_its_place(starts: tuple[AdsorptionStart, ...]) -> None:
    for start in starts:
        if start.orientation == "free":
            continue
        assert start.orientation in ("down-N0", "down-N5")
        k = start.adsorbate[int(start.orientation.removeprefix("down-N"))]
        heights = start.molecule.positions[:, 2]
        assert start.structure.positions[k, 2] < np.average(heights) - 1.0
        if start.site.startswith("top"):
            (under,) = start.site_atoms
            aside = start.structure.positions[k] - start.structure.positions[under]
            aside = minimum_image(aside, start.structure.cell, (True, True, False))
            np.testing.assert_allclose(aside[:2], 0, atol=1e-9)


def test_uniform_orientations_are_uniform() -> None:
    """The axis of CO, over many seeds: its height is uniform, nothing is put down."""
    heights = []
    for seed in range(40):
        found = adsorption_starts(
            slab_of("fcc111", (3, 3)), carbon_monoxide(), seed=seed, orientations="uniform", count=6
        )
        assert {start.orientation for start in found} == {"free"}
        axes = [start.molecule.positions[1] - start.molecule.positions[0] for start in found]
        heights += [float(a[2] / np.linalg.norm(a)) for a in axes]
    counts = np.histogram(heights, bins=4, range=(-1, 1))[0]
    assert counts.min() > 0.7 * 60


def emt_energies(slab: Structure, count: int = 6) -> NDArray[np.float64]:
    found = adsorption_starts(slab, atom(), count=count, vacuum_ang=12.0, height_ang=3.7)
    energies = []
    for start in found:
        atoms = start.structure.to_ase()
        atoms.calc = EMT()
        energies.append(atoms.get_potential_energy())
    return np.array(energies[:4])


def test_other_lattice_vectors_and_origins_give_the_same_starts() -> None:
    """Top, bridge, fcc and hcp hollow of Al(111), in any description of the cell."""
    plain = emt_energies(slab_of("fcc111", (3, 3)))
    assert len({round(e, 4) for e in plain}) >= 3  # EMT hardly tells the hollows apart
    for shift in (0.0, 1.0, 2.7):
        np.testing.assert_allclose(np.sort(emt_energies(skewed(slab_of("fcc111", (3, 3)), shift))),
                                   np.sort(plain), atol=1e-6)  # fmt: skip
    turned = slab_of("fcc111", (3, 3))
    turn = Rotation.from_euler("zyx", [0.4, 0.7, -0.3]).as_matrix()
    tilted = Structure(turned.numbers, turned.positions @ turn.T, turned.cell @ turn.T)
    np.testing.assert_allclose(np.sort(emt_energies(tilted)), np.sort(plain), atol=1e-6)
    lattice = np.roll(turned.cell, 1, axis=0)
    rolled = Structure(turned.numbers, turned.positions, lattice)
    np.testing.assert_allclose(np.sort(emt_energies(rolled)), np.sort(plain), atol=1e-6)


def test_vacuum_of_the_given_slab_does_not_matter() -> None:
    thin, wide = (
        Structure.from_ase(fcc111("Al", (3, 3, 3), vacuum=v, periodic=True)) for v in (4, 20)
    )
    first, second = (adsorption_starts(s, carbon_monoxide(), count=4) for s in (thin, wide))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_allclose(a.structure.cell, b.structure.cell)
        np.testing.assert_allclose(a.structure.positions, b.structure.positions, atol=1e-9)


def test_open_boundary_across_the_slab_is_kept() -> None:
    atoms = fcc111("Al", (3, 3, 3), vacuum=8)
    found = adsorption_starts(Structure.from_ase(atoms), carbon_monoxide(), count=2)
    assert found[0].structure.pbc == (True, True, False)


def test_single_atom_takes_every_place_then_others() -> None:
    found = adsorption_starts(slab_of("fcc111"), atom(), count=7)
    assert [start.site for start in found] == [
        "top-Al", "bridge-Al-Al", "hollow-Al-Al-Al", "hollow-Al-Al-Al", *["general"] * 3,
    ]  # fmt: skip
    spots = np.array([start.molecule.positions[0] for start in found])
    apart = np.linalg.norm(spots[:, None] - spots[None], axis=-1)[np.triu_indices(7, 1)]
    assert apart.min() > 0.05


def test_mirror_images_on_request(rough: Structure) -> None:
    molecule = reference_molecule("succinonitrile-gauche")
    found = adsorption_starts(rough, molecule, count=8, mirror=True)
    assert [start.mirrored for start in found] == [False, False, True, True] * 2
    four = (1, 2, 3, 4)
    angles = [molecule.with_positions(s.molecule.positions).torsion_deg(*four) for s in found]
    own = molecule.torsion_deg(*four)
    np.testing.assert_allclose(angles, [own, own, -own, -own] * 2, atol=1e-6)
    assert not any(s.mirrored for s in adsorption_starts(rough, molecule, count=4))


def test_slab_and_molecule_of_a_start(starts: tuple[AdsorptionStart, ...]) -> None:
    start = starts[0]
    assert len(start.slab) + len(start.molecule) == len(start.structure)
    np.testing.assert_array_equal(start.slab.cell, start.structure.cell)
    assert start.molecule.formula == "C4H4N2"


def test_height_is_kept_or_refused() -> None:
    slab = slab_of("fcc111", (3, 3))
    for start in adsorption_starts(slab, carbon_monoxide(), count=4, height_ang=4.0):
        assert start.height_ang == pytest.approx(4.0)
    with pytest.raises(AdsorptionError, match=r"clashes with the slab; it rests there at [23]\."):
        adsorption_starts(slab, carbon_monoxide(), height_ang=1.0)


def test_molecule_larger_than_the_cell_is_refused() -> None:
    slab = slab_of("fcc111", (2, 2))
    with pytest.raises(AdsorptionError, match=r"is 15\.2 A long.*repeat the slab in the plane"):
        adsorption_starts(slab, reference_molecule("g4"))
    with pytest.raises(AdsorptionError, match="its own image"):
        adsorption_starts(slab_of("fcc111", (1, 1)), atom())
    assert adsorption_starts(slab_of("fcc111", (1, 1)), atom(), min_image_ang=2.0, count=2)


def test_what_it_names_as_large_enough_is(rough: Structure) -> None:
    wide = Structure.from_ase(fcc111("Al", (7, 7, 2), vacuum=8, periodic=True))
    assert len(adsorption_starts(wide, reference_molecule("g4"), count=3)) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"count": 0}, "at least one start"),
        ({"vacuum_ang": 0.0}, "at least 8 A thick.*got 0 A"),
        ({"vacuum_ang": 7.9}, "at least 8 A thick.*got 7.9 A"),
        ({"vacuum_ang": 1000.0}, "vacuum above the molecule.*below 1000 A"),
        ({"vacuum_ang": float("nan")}, "vacuum above the molecule"),
        ({"height_ang": float("nan")}, "height of a molecule"),
        ({"height_ang": -1.0}, "height of a molecule"),
        ({"min_image_ang": float("nan")}, "min_image_ang"),
        ({"touch": 0.0}, "van der Waals"),
        ({"orientations": "upright"}, "'mixed' or 'uniform'"),
        ({"side": "both"}, "'top' and a 'bottom'"),
    ],
)
def test_senseless_arguments(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(AdsorptionError, match=message):
        adsorption_starts(slab_of("fcc111"), carbon_monoxide(), **arguments)  # type: ignore[arg-type]


def test_crystal_is_no_slab() -> None:
    crystal = Structure.from_ase(Atoms("Al", cell=[4, 4, 4], pbc=True))
    with pytest.raises(AdsorptionError, match="Cut one from the crystal"):
        adsorption_starts(crystal, carbon_monoxide())
