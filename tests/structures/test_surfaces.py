from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from ase.build import bulk, fcc100, fcc111, surface
from ase.neighborlist import neighbor_list
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import nasicon, rock_salt, rutile
from scipy.spatial.transform import Rotation

from superionic.structures.crystals import reference_crystal
from superionic.structures.errors import (
    InvalidSlabError,
    InvalidStructureError,
    PartialOccupancyError,
)
from superionic.structures.structure import Structure, minimum_image
from superionic.structures.surfaces import (
    Slab,
    build_slab,
    oriented_cell,
    terminations,
    vacuum_axis,
)
from superionic.structures.symmetry import primitive_cell

A_AL = 4.05


def aluminium() -> Structure:
    return Structure.from_ase(bulk("Al", "fcc", a=A_AL))


def disguised(structure: Structure, seed: int) -> Structure:
    """The same crystal in another cell, orientation, origin and atom order."""
    rng = np.random.default_rng(seed)
    rotation = Rotation.random(rng=rng).as_matrix()
    matrix = np.eye(3, dtype=int)
    for _ in range(4):
        i, j = rng.choice(3, 2, replace=False)
        matrix[i] += rng.choice([-1, 1]) * matrix[j]
    return Structure(
        numbers=structure.numbers,
        positions=(structure.positions + rng.normal(size=3)) @ rotation.T,
        cell=matrix @ structure.cell @ rotation.T,
        labels=structure.labels,
    ).take(rng.permutation(len(structure)))


def distances(structure: Structure, cutoff: float = 5.0) -> np.ndarray:
    return np.sort(neighbor_list("d", structure.to_ase(), cutoff))


def heights(slab: Slab, symbol: str) -> np.ndarray:
    return np.sort(slab.structure.positions[slab.structure.indices(symbol), 2])


def check_frame(slab: Slab) -> None:
    """Centred, normal along z, a along x, periodic, vacuum as it says."""
    cell, z = slab.structure.cell, slab.structure.positions[:, 2]
    assert slab.structure.pbc == (True, True, True)
    np.testing.assert_allclose(cell[0, 1:], 0, atol=1e-9)
    np.testing.assert_allclose([cell[1, 2], cell[2, 0], cell[2, 1]], 0, atol=1e-9)
    assert np.linalg.det(cell) > 0
    assert z.max() + z.min() == pytest.approx(cell[2, 2], abs=1e-9)
    assert np.ptp(z) == pytest.approx(slab.thickness_ang)
    assert cell[2, 2] - np.ptp(z) == pytest.approx(slab.vacuum_ang)
    assert np.linalg.norm(np.cross(cell[0], cell[1])) == pytest.approx(slab.area_ang2)
    assert vacuum_axis(slab.structure, min_gap_ang=0.9 * slab.vacuum_ang) == 2


# ---------------------------------------------------------------- simple crystals, by hand


@pytest.mark.parametrize(
    ("miller", "spacing", "area"),
    [
        ((1, 1, 1), A_AL / np.sqrt(3), A_AL**2 * np.sqrt(3) / 4),
        ((1, 0, 0), A_AL / 2, A_AL**2 / 2),
        ((1, 1, 0), A_AL / np.sqrt(8), A_AL**2 / np.sqrt(2)),
    ],
)
def test_layers_of_aluminium(miller: tuple[int, int, int], spacing: float, area: float) -> None:
    slab = build_slab(aluminium(), miller=miller, layers=5, repeat=(2, 3), vacuum_ang=12.0)
    check_frame(slab)
    assert slab.area_ang2 == pytest.approx(6 * area)
    assert len(slab.structure) == 30
    levels = np.unique(slab.structure.positions[:, 2].round(6))
    np.testing.assert_allclose(np.diff(levels), spacing, atol=1e-5)
    assert not slab.polar
    assert slab.stoichiometric


@pytest.mark.parametrize("miller", [(1, 1, 1), (1, 0, 0)])
def test_aluminium_as_ase_builds_it(miller: tuple[int, int, int]) -> None:
    options = {"a": A_AL, "vacuum": 6.0, "periodic": True}
    theirs = fcc111("Al", (1, 1, 4), **options) if miller[1] else fcc100("Al", (1, 1, 4), **options)
    ours = build_slab(aluminium(), miller=miller, layers=4, vacuum_ang=12.0).structure
    reference = Structure.from_ase(theirs)
    np.testing.assert_allclose(distances(ours), distances(reference), atol=1e-6)
    np.testing.assert_allclose(ours.cell[2], reference.cell[2], atol=1e-9)


indices = st.tuples(*[st.integers(-3, 3)] * 3).filter(any)


@settings(max_examples=15, deadline=None)
@given(miller=indices, layers=st.integers(1, 4))
def test_any_plane_has_the_density_of_the_crystal(
    miller: tuple[int, int, int], layers: int
) -> None:
    slab = build_slab(rock_salt(), miller=miller, layers=layers, vacuum_ang=25.0, allow_polar=True)
    check_frame(slab)
    layer = terminations(rock_salt(), miller)[0].layer_ang
    # area times layer distance holds as much volume as the atoms have in the crystal
    per_atom = 5.64**3 / 8
    assert slab.area_ang2 * layer * layers == pytest.approx(len(slab.structure) * per_atom)
    # a plane is polar where all its indices are odd (in lowest terms): Na and Cl planes alternate
    reduced = np.array(miller) // np.gcd.reduce(miller)
    assert slab.polar == bool((reduced % 2 == 1).all())


@settings(max_examples=15, deadline=None)
@given(miller=indices)
def test_areas_as_ase_has_them(miller: tuple[int, int, int]) -> None:
    conventional = bulk("NaCl", "rocksalt", a=5.64, cubic=True)
    theirs = surface(conventional, miller, layers=1, vacuum=5.0)
    whole = np.linalg.norm(np.cross(theirs.cell[0], theirs.cell[1]))
    slab = build_slab(rock_salt(), miller=miller, layers=1, allow_polar=True)
    # ase spans the plane with vectors of the cubic lattice, ours with those of the primitive one
    ratio = whole / slab.area_ang2
    assert ratio == pytest.approx(round(ratio), abs=1e-6)


def test_polar_rock_salt_is_refused_with_the_dipole_computed_by_hand() -> None:
    with pytest.raises(InvalidSlabError, match="polar") as refused:
        build_slab(rock_salt(), miller=(1, 1, 1), layers=4)
    assert "allow_polar=True" in str(refused.value)
    slab = build_slab(rock_salt(), miller=(1, 1, 1), layers=4, allow_polar=True)
    # four double planes, each of +1 and -1 e at a distance of a / (2 sqrt 3)
    assert slab.polar
    assert abs(slab.dipole_e_ang) == pytest.approx(4 * 5.64 / (2 * np.sqrt(3)), abs=1e-9)
    flat = build_slab(rock_salt(), miller=(1, 0, 0), layers=4)
    assert not flat.polar
    assert flat.dipole_e_ang == pytest.approx(0.0, abs=1e-9)


def test_rutile_110() -> None:
    slab = build_slab(rutile(), miller=(1, 1, 0), layers=3)
    check_frame(slab)
    assert slab.structure.formula == "O12Ti6"
    assert slab.area_ang2 == pytest.approx(2.959 * 4.594 * np.sqrt(2))
    # bridging oxygen on both faces
    assert heights(slab, "O").min() < heights(slab, "Ti").min()
    assert heights(slab, "O").max() > heights(slab, "Ti").max()
    assert not slab.polar


def test_polarity_and_composition_as_pymatgen_has_them() -> None:
    from pymatgen.core.surface import SlabGenerator

    bulk_cell = rutile().to_pymatgen()
    bulk_cell.add_oxidation_state_by_element({"Ti": 4, "O": -2})
    slabs = SlabGenerator(bulk_cell, (1, 1, 0), 1, 10, in_unit_planes=True, primitive=True)
    theirs = slabs.get_slabs(ftol=0.05)
    ours = terminations(rutile(), (1, 1, 0))
    assert sorted({s.is_polar() for s in theirs}) == sorted({t.polar for t in ours})
    area = build_slab(rutile(), miller=(1, 1, 0), layers=1).area_ang2
    assert all(s.surface_area == pytest.approx(area) for s in theirs)


# ---------------------------------------------------------------- NASICON


def test_to4_layers_are_flat_and_whole() -> None:
    slab = build_slab(nasicon(), miller=(0, 0, 1), layers=4, allow_polar=True)
    check_frame(slab)
    assert slab.structure.formula == "Na16O48Si12Zr8"
    assert slab.setting.startswith("R-3c")
    np.testing.assert_allclose(np.linalg.norm(slab.structure.cell[:2], axis=1), 9.1863, atol=1e-4)
    silicon = heights(slab, "Si").reshape(4, 3)
    assert np.ptp(silicon, axis=1).max() < 1e-3
    np.testing.assert_allclose(np.diff(silicon[:, 0]), 22.181 / 6, atol=1e-4)
    bonds = neighbor_list("i", slab.structure.to_ase(), {("Si", "O"): 1.9})
    assert (np.bincount(bonds)[slab.structure.indices("Si")] == 4).all()
    labels = np.array(slab.structure.labels)
    assert [(labels == x).sum() for x in ("Na1", "Na2", "Zr1", "Si1")] == [4, 12, 8, 12]


def test_one_sodium_on_one_face_makes_the_dipole() -> None:
    with pytest.raises(InvalidSlabError, match="Tasker"):
        build_slab(nasicon(), miller=(0, 0, 1), layers=4)
    slab = build_slab(nasicon(), miller=(0, 0, 1), layers=4, allow_polar=True)
    # half an ion too much on one face, half too little on the other, 4 c / 6 apart
    assert abs(slab.dipole_e_ang) == pytest.approx(0.5 * 4 * 22.181 / 6, abs=1e-6)
    assert slab.polar


@pytest.mark.parametrize("layers", [3, 4])
def test_slab_does_not_depend_on_the_cell(layers: int) -> None:
    crystals = [nasicon(), primitive_cell(nasicon()).structure]
    crystals += [disguised(c, seed) for seed in range(3) for c in crystals[:2]]
    slabs = [build_slab(c, miller=(0, 0, 1), layers=layers, allow_polar=True) for c in crystals]
    first = slabs[0]
    for slab in slabs:
        check_frame(slab)
        assert slab.dipole_e_ang == pytest.approx(first.dipole_e_ang, abs=1e-6)
        assert slab.termination == first.termination
        for symbol in ("Na", "Zr", "Si", "O"):
            np.testing.assert_allclose(heights(slab, symbol), heights(first, symbol), atol=1e-6)
        np.testing.assert_allclose(
            distances(slab.structure, 4.0), distances(first.structure, 4.0), atol=1e-6
        )


@pytest.mark.parametrize(("layers", "atoms"), [(3, 126), (4, 168)])
@pytest.mark.parametrize("repeat", [(2, 1), (1, 2)])
def test_half_of_the_boundary_plane_moves(layers: int, atoms: int, repeat: tuple[int, int]) -> None:
    slab = build_slab(nasicon(), miller=(0, 0, 1), layers=layers, repeat=repeat, compensate=True)
    check_frame(slab)
    assert len(slab.structure) == atoms
    assert not slab.polar
    assert slab.dipole_e_ang == pytest.approx(0.0, abs=1e-9)
    assert slab.stoichiometric
    assert len(slab.moved) == 1
    assert slab.structure.labels[slab.moved[0]] == "Na1"
    # one boundary sodium and one empty boundary site on either face
    assert slab.thickness_ang == pytest.approx(layers * 22.181 / 6, abs=1e-3)
    z = slab.structure.positions[:, 2]
    assert [(abs(z - face) < 1e-3).sum() for face in (z.min(), z.max())] == [1, 1]
    np.testing.assert_allclose(np.sort(slab.empty_sites[:, 2]), [z.min(), z.max()], atol=1e-6)
    assert slab.empty_labels == ("Na1", "Na1")


def test_slab_of_the_paper() -> None:
    slab = build_slab(
        nasicon(), miller=(0, 0, 1), layers=4, repeat=(2, 2), vacuum_ang=20.0, compensate=True
    )
    check_frame(slab)
    assert len(slab.structure) == 336
    np.testing.assert_allclose(
        np.linalg.norm(slab.structure.cell[:2], axis=1), 2 * 9.1863, atol=1e-3
    )
    assert len(slab.empty_sites) == 4
    assert not slab.polar


def test_thickness_in_angstrom() -> None:
    slab = build_slab(nasicon(), miller=(0, 0, 1), min_thickness_ang=14.0, allow_polar=True)
    assert slab.layers == 4
    slab = build_slab(nasicon(), miller=(0, 0, 1), min_thickness_ang=14.6, allow_polar=True)
    assert slab.layers == 5
    assert slab.thickness_ang >= 14.6


def mixed() -> tuple[Structure, np.ndarray]:
    """x = 2 with two empty sodium sites, ordered at random; and these sites."""
    rng = np.random.default_rng(7)
    crystal = primitive_cell(nasicon()).structure
    numbers = crystal.numbers.copy()
    numbers[rng.choice(crystal.indices("Si"), 2, replace=False)] = 15
    free = rng.choice(crystal.indices("Na"), 2, replace=False)
    whole = Structure(crystal.numbers * 0 + numbers, crystal.positions, crystal.cell,
                      labels=crystal.labels)  # fmt: skip
    return whole.without(free.tolist()), crystal.positions[free]


def test_empty_sites_of_the_crystal_are_carried_along() -> None:
    crystal, empty = mixed()
    labels = ("Na2", "Na2")
    slab = build_slab(
        crystal, miller=(0, 0, 1), layers=4, empty_sites=empty, empty_labels=labels,
        allow_polar=True,
    )  # fmt: skip
    assert slab.setting.startswith("R-3c (framework")
    assert slab.layers_per_repeat == 2
    assert len(slab.structure) + len(slab.empty_sites) == 84
    assert set(slab.empty_labels) == {"Na2"}
    gaps = slab.structure.positions[None] - slab.empty_sites[:, None]
    short = minimum_image(gaps.reshape(-1, 3), slab.structure.cell, (True, True, True))
    assert np.linalg.norm(short, axis=1).min() > 1.5
    bonds = neighbor_list("i", slab.structure.to_ase(), {("Si", "O"): 1.9, ("P", "O"): 1.9})
    counts = np.bincount(bonds, minlength=len(slab.structure))
    assert set(counts[slab.structure.indices("Si")]) == {4}
    assert set(counts[slab.structure.indices("P")]) == {4}


def test_partial_repeats_of_an_ordered_crystal_are_declared() -> None:
    crystal, _ = mixed()
    worst = max(terminations(crystal, (0, 0, 1)), key=lambda t: not t.stoichiometric)
    assert not worst.stoichiometric
    cut = partial(
        build_slab, crystal, miller=(0, 0, 1), layers=3, termination=worst.index, allow_polar=True
    )
    with pytest.raises(InvalidSlabError, match="multiple of 2 layers"):
        cut()
    slab = cut(allow_nonstoichiometric=True)
    assert not slab.stoichiometric


def test_in_its_own_axes() -> None:
    crystal = primitive_cell(nasicon()).structure
    h = np.rint(crystal.cell @ [0, 0, 3 / 22.181]).astype(int)
    slab = build_slab(
        crystal, miller=(int(h[0]), int(h[1]), int(h[2])), frame="input", layers=4,
        allow_polar=True,
    )  # fmt: skip
    same = build_slab(crystal, miller=(0, 0, 1), layers=4, allow_polar=True)
    np.testing.assert_allclose(heights(slab, "Zr"), heights(same, "Zr"), atol=1e-6)


# ---------------------------------------------------------------- other conductors


@pytest.mark.parametrize("name", ["na3ps4", "na3ps4-cubic", "na3sbs4"])
@pytest.mark.parametrize("miller", [(0, 0, 1), (1, 1, 0)])
def test_thiophosphates_stay_whole(name: str, miller: tuple[int, int, int]) -> None:
    crystal = reference_crystal(name).structure.to_structure()
    slab = build_slab(crystal, miller=miller, layers=3, repeat=(2, 2), compensate=True)
    check_frame(slab)
    assert slab.stoichiometric
    assert not slab.polar
    centre = "P" if "ps4" in name else "Sb"
    bonds = neighbor_list("i", slab.structure.to_ase(), {(centre, "S"): 2.6})
    assert (np.bincount(bonds)[slab.structure.indices(centre)] == 4).all()


def test_cut_of_another_kind_on_top_is_declared() -> None:
    cut = partial(
        build_slab, nasicon(), miller=(0, 0, 1), layers=3, termination=0, allow_polar=True
    )
    with pytest.raises(InvalidSlabError, match="allow_nonstoichiometric"):
        cut(top_termination=1)
    slab = cut(top_termination="Na+SiO4|Zr", allow_nonstoichiometric=True)
    assert not slab.stoichiometric
    assert slab.termination == "Na+SiO4|Zr"
    assert slab.net_charge_e != 0.0


def test_disordered_crystals_are_refused() -> None:
    with pytest.raises(PartialOccupancyError, match="Na2"):
        build_slab(reference_crystal("nzsp").structure, miller=(0, 0, 1), layers=4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"vacuum_ang": 5.0}, "at least 8 A"),
        ({"vacuum_ang": float("nan")}, "at least 8 A"),
        ({"layers": 0}, "at least one layer"),
        ({"min_thickness_ang": 10.0}, "either as layers"),
        ({"layers": None}, "either as layers"),
        ({"layers": None, "min_thickness_ang": -1.0}, "between 0 and 1000"),
        ({"repeat": (0, 2)}, "two whole numbers"),
        ({"termination": 7}, "No termination 7"),
        ({"termination": "Na|"}, "No termination"),
    ],
)
def test_bad_arguments(options: dict[str, object], message: str) -> None:
    given_ = {"miller": (1, 0, 0), "layers": 3, **options}
    with pytest.raises(InvalidSlabError, match=message):
        build_slab(rock_salt(), **given_)  # type: ignore[arg-type]


@pytest.mark.parametrize("miller", [(0, 0, 0), (1, 0, -1, 0), (0.5, 0, 0)])
def test_bad_planes(miller: tuple[int, int, int]) -> None:
    with pytest.raises(InvalidStructureError, match="Miller"):
        build_slab(rock_salt(), miller=miller, layers=3)


def test_a_crystal_with_a_charged_vacancy() -> None:
    crystal = rock_salt().repeat((2, 2, 2)).without([0])
    with pytest.raises(InvalidSlabError, match="allow_polar=True"):
        build_slab(crystal, miller=(1, 0, 0), layers=2)
    slab = build_slab(crystal, miller=(1, 0, 0), layers=2, allow_polar=True)
    assert slab.structure.formula == "Cl8Na7"


def test_a_slab_is_not_cut_again() -> None:
    slab = build_slab(aluminium(), miller=(1, 1, 1), layers=3)
    with pytest.raises(InvalidSlabError, match="cannot be cut again"):
        build_slab(slab.structure, miller=(0, 0, 1), layers=3)


def test_a_thin_vacuum_can_be_declared() -> None:
    slab = build_slab(
        aluminium(), miller=(1, 1, 1), layers=3, vacuum_ang=5.0, minimum_vacuum_ang=4.0
    )
    assert slab.vacuum_ang == 5.0


def test_vacuum_axis() -> None:
    assert vacuum_axis(aluminium()) is None
    slab = build_slab(aluminium(), miller=(1, 1, 1), layers=3, vacuum_ang=12.0).structure
    assert vacuum_axis(slab) == 2
    assert vacuum_axis(slab, min_gap_ang=12.5) is None
    turned = Structure(slab.numbers, slab.positions, slab.cell[[2, 0, 1]], labels=slab.labels)
    assert vacuum_axis(turned) == 0


def test_oriented_cells() -> None:
    oblique = oriented_cell(primitive_cell(nasicon()).structure, (0, 0, 1))
    upright = oriented_cell(disguised(nasicon(), 1), (0, 0, 1), straight=True)
    assert len(oblique) == 42
    assert len(upright) == 126
    np.testing.assert_allclose(upright.cell[2], [0, 0, 22.181], atol=1e-4)
    np.testing.assert_allclose(oblique.cell[2, 2], 22.181 / 3, atol=1e-4)
    per_atom = [len(distances(s, 4.0)) / len(s) for s in (oblique, upright)]
    assert per_atom[0] == pytest.approx(per_atom[1])
    with pytest.raises(InvalidSlabError, match="normal to the plane"):
        oriented_cell(nasicon(), (1, 0, 4), straight=True)


def test_skewed_supercells_keep_the_slices_of_their_parent() -> None:
    small = primitive_cell(nasicon()).structure
    # five cells, in a shape that no glide plane maps onto itself
    matrix = np.array([[1, 0, 2], [0, 1, 1], [-1, 1, 4]])
    count = round(abs(np.linalg.det(matrix)))
    images = [np.array(n) @ small.cell for n in np.ndindex(5, 5, 5)]
    cell = matrix @ small.cell
    inside: list[np.ndarray] = []
    for image in images:
        shift = image @ np.linalg.inv(cell) % 1.0 % 1.0
        if all(abs((shift - s + 0.5) % 1.0 - 0.5).max() > 1e-6 for s in inside):
            inside.append(shift)
    assert len(inside) == count
    numbers = np.tile(small.numbers, count)
    numbers[np.flatnonzero(numbers == 14)[[0, 7]]] = 15
    big = Structure(
        numbers=numbers,
        positions=np.vstack([small.positions + s @ cell for s in inside]),
        cell=cell,
        labels=small.labels * count,
    ).without(np.flatnonzero(numbers == 11)[[3, 9]].tolist())
    cuts = terminations(big, (0, 0, 1))
    np.testing.assert_allclose([t.layer_ang for t in cuts], 22.181 / 6, atol=1e-4)
    slab = build_slab(
        big, miller=(0, 0, 1), layers=3, allow_polar=True, allow_nonstoichiometric=True
    )
    centres = np.sort(np.r_[heights(slab, "Si"), heights(slab, "P")])
    assert len(np.unique(centres.round(3))) == 3


@pytest.mark.parametrize(
    ("states", "message"),
    [
        ({"Xe": 1}, "given for Xe, but the structure holds Na, Cl"),
        ({"Na": float("nan")}, "oxidation state of Na must be finite"),
    ],
)
def test_states_of_what_is_not_there_are_refused(states: dict[str, float], message: str) -> None:
    """A state that is no number would make every dipole compare as small."""
    for call in (
        lambda: build_slab(rock_salt(), miller=(0, 0, 1), layers=2, oxidation_states=states),
        lambda: terminations(rock_salt(), (0, 0, 1), oxidation_states=states),
    ):
        with pytest.raises(InvalidStructureError, match=message):
            call()
