"""Binding energies: known answers, invariance, poor references, no value without evidence."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import add_adsorbate, fcc111
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms
from ase.optimize import BFGS
from numpy.typing import NDArray

from superionic.analysis.binding import BindingResult
from superionic.structures.adsorption import AdsorptionStart
from superionic.structures.errors import (
    InvalidSlabError,
    InvalidStructureError,
    ProtocolError,
    SuperionicError,
    TheoryError,
    UnknownElementError,
)
from superionic.structures.molecule import Molecule, framed
from superionic.structures.molecules import reference_molecule
from superionic.structures.structure import Structure
from superionic.workflows.binding import BindingSettings, Electrons, find_binding, find_bindings
from superionic.workflows.binding_results import _cause
from superionic.workflows.binding_settings import held_atoms
from superionic.workflows.execution import Run
from superionic.workflows.relax import RelaxSettings
from superionic.workflows.serialise import decode, encode

Array = NDArray[np.float64]


def settings(**changes: Any) -> BindingSettings:
    """Tight, small and quick."""
    fields: dict[str, Any] = {
        "relax": RelaxSettings(fmax_eV_per_A=0.005, max_steps=300),
        "starts": 4,
        "keep": 2,
        "screen_steps": 5,
        "vacuum_ang": 12.0,
    }
    return BindingSettings(**(fields | changes))


def placed(
    slab: Atoms, molecule: Atoms, height: float, *, place: Any = "ontop", key: str = "given"
) -> AdsorptionStart:
    """A start made by hand."""
    atoms = slab.copy()
    add_adsorbate(atoms, molecule, height, position=place)
    structure = Structure.from_ase(atoms)
    return AdsorptionStart(
        structure=structure,
        adsorbate=tuple(range(len(slab), len(structure))),
        side="top",
        site=str(place),
        site_atoms=(),
        orientation="free",
        mirrored=False,
        clearance_ang=height,
        height_ang=height,
        image_separation_ang=5.0,
        vacuum_ang=10.0,
        key=key,
    )


def molecule_of(atoms: Atoms, bonds: tuple[tuple[int, int, float], ...] = ()) -> Molecule:
    return Molecule(
        structure=framed(atoms.numbers, atoms.positions),
        spin_multiplicity=1 + int(atoms.numbers.sum()) % 2,
        name="toy",
        bonds=bonds,
    )


# ---- a Lennard-Jones atom on a rigid Lennard-Jones surface


def lj_pair(r: Array) -> Array:
    """Energy in units of epsilon at distances in units of sigma, cut off smoothly at 10."""
    inner, outer = 6.6**2, 100.0
    r2 = np.asarray(r) ** 2
    well = 4 * (r2**-6 - r2**-3)
    switch = (outer - r2) ** 2 * (outer + 2 * r2 - 3 * inner) / (outer - inner) ** 3
    return np.asarray(np.where(r2 >= outer, 0.0, well * np.where(r2 < inner, 1.0, switch)))


def naive_adatom(slab: Atoms, place: Array) -> float:
    """Energy of one adatom per cell: with the slab, its images, and its own images."""
    shifts = np.array([
        i * slab.cell[0] + j * slab.cell[1]
        for i, j in itertools.product(range(-6, 7), repeat=2)
    ])  # fmt: skip
    away = np.linalg.norm(slab.positions[None] + shifts[:, None] - place, axis=-1)
    itself = np.linalg.norm(shifts[(shifts != 0).any(axis=1)], axis=-1)
    return float(lj_pair(away).sum() + 0.5 * lj_pair(itself).sum())


def lj_slab(vacuum: float = 12.0, repeat: int = 3) -> Atoms:
    slab: Atoms = fcc111(
        "Ar", (repeat, repeat, 3), a=1.09 * np.sqrt(2), vacuum=vacuum, periodic=True
    )
    return slab


def test_lj_atom_on_a_rigid_lj_surface_is_exact() -> None:
    """Against the sum over pairs, minimised by another program."""
    from scipy.optimize import minimize

    slab = lj_slab()
    starts = [placed(slab, Atoms("Ar"), 0.9, place=site, key=site) for site in ("fcc", "hcp")]
    found = find_binding(
        Structure.from_ase(slab),
        molecule_of(Atoms("Ar")),
        theory="lj",
        settings=settings(
            relax=RelaxSettings(fmax_eV_per_A=1e-5, max_steps=200), held_fraction=1.0
        ),
        starts=starts,
    )
    assert found.verdict == "converged"
    expected = []
    for start in starts:
        place = start.structure.positions[-1]
        done = minimize(
            lambda x: naive_adatom(slab, x), place, method="BFGS", options={"gtol": 1e-9}
        )
        expected.append(float(done.fun))
    assert found.binding_energy_eV == pytest.approx(min(expected), abs=1e-6)
    values = sorted(s.binding_energy_eV or 0.0 for s in found.starts)
    assert values == pytest.approx(sorted(expected), abs=1e-6)
    assert found.spread_eV == pytest.approx(abs(expected[0] - expected[1]), abs=2e-6)
    assert found.parts is not None
    assert found.parts.surface_deformation_eV == pytest.approx(0.0, abs=1e-9)
    assert found.parts.molecule_deformation_eV == pytest.approx(0.0, abs=1e-9)
    assert found.parts.dispersion_eV == 0.0
    assert found.binding_strength_eV == pytest.approx(-min(expected), abs=1e-6)


def test_lj_binding_does_not_depend_on_the_vacuum() -> None:
    values = []
    for vacuum in (12.0, 19.0):
        slab = lj_slab(vacuum)
        found = find_binding(
            Structure.from_ase(slab),
            molecule_of(Atoms("Ar")),
            theory="lj",
            settings=settings(relax=RelaxSettings(fmax_eV_per_A=1e-5), held_fraction=0.4),
            starts=[placed(slab, Atoms("Ar"), 0.9, place="fcc")],
        )
        values.append(found.binding_energy_eV)
        assert found.parts is not None
        assert found.parts.surface_deformation_eV > 1e-4
    assert values[0] == pytest.approx(values[1], abs=1e-6)


# ---- N2 on copper with EMT, after ASE's own example


def copper(repeat: int = 3, vacuum: float = 12.0) -> Atoms:
    slab: Atoms = fcc111("Cu", (repeat, repeat, 2), vacuum=vacuum, periodic=True)
    return slab


NITROGEN = Atoms("2N", positions=[(0.0, 0.0, 0.0), (0.0, 0.0, 1.10)])
BOND = ((0, 1, 3.0),)


def plain_ase(slab: Atoms, start: AdsorptionStart, fmax: float) -> float:
    """The same three relaxations with ASE alone; the slab held."""
    free = NITROGEN.copy()
    free.calc = EMT()
    BFGS(free, logfile=None).run(fmax=fmax)
    bare, whole = slab.copy(), start.structure.to_ase()
    bare.calc, whole.calc = EMT(), EMT()
    whole.set_constraint(FixAtoms(indices=range(len(slab))))
    BFGS(whole, logfile=None).run(fmax=fmax)
    total = whole.get_potential_energy() - bare.get_potential_energy()
    return float(total - free.get_potential_energy())


def test_nitrogen_on_copper_as_plain_ase_has_it() -> None:
    slab = copper(4)
    start = placed(slab, NITROGEN, 1.85)
    found = find_binding(
        Structure.from_ase(slab),
        molecule_of(NITROGEN, BOND),
        theory="emt",
        settings=settings(held_fraction=1.0),
        starts=[start],
    )
    assert found.binding_energy_eV == pytest.approx(plain_ase(slab, start, 0.005), abs=1e-3)
    stiff = NITROGEN.copy()
    stiff.calc = EMT()
    printed = found.terms[0].energy_eV - found.terms[1].energy_eV - stiff.get_potential_energy()
    assert printed == pytest.approx(-0.324, abs=0.002)  # the example leaves N2 as it is


SIX = settings(starts=6, keep=3)
SILVER = molecule_of(Atoms("Ag"))


@pytest.fixture(scope="module")
def silver() -> BindingResult:
    """A silver atom from six starts made by the package, on a slab that relaxes."""
    return find_binding(Structure.from_ase(copper()), SILVER, theory="emt", settings=SIX)


def test_parts_add_up_and_the_evidence_is_there(silver: BindingResult) -> None:
    assert silver.verdict == "converged"
    assert silver.parts is not None
    assert silver.parts.total_eV == pytest.approx(silver.binding_energy_eV, abs=1e-9)
    assert silver.parts.surface_deformation_eV >= -1e-6
    assert silver.parts.molecule_deformation_eV == pytest.approx(0.0, abs=1e-9)
    assert len(silver.starts) == 6
    assert silver.relaxed_starts == 3
    assert silver.converged_starts == 3
    assert [s.state for s in silver.starts].count("screened-out") == 3
    values = [s.binding_energy_eV for s in silver.starts if s.binding_energy_eV is not None]
    assert silver.binding_energy_eV == pytest.approx(min(values), abs=1e-9)
    assert silver.spread_eV == pytest.approx(max(values) - min(values), abs=1e-9)
    assert {t.settings_hash for t in silver.terms} == {silver.settings_hash}
    assert silver.terms[0].held == silver.terms[1].held != ()
    assert silver.box_shift_eV is None


@pytest.mark.parametrize(("repeat", "vacuum", "seed"), [(3, 20.0, 0), (4, 12.0, 0), (3, 12.0, 5)])
def test_value_does_not_depend_on_cell_vacuum_or_starts(
    silver: BindingResult, repeat: int, vacuum: float, seed: int
) -> None:
    other = find_binding(
        Structure.from_ase(copper(repeat)),
        SILVER,
        theory="emt",
        settings=replace(SIX, vacuum_ang=vacuum, seed=seed),
    )
    limit = 0.002 if repeat == 3 else 0.03  # neighbouring images strain the surface together
    assert other.binding_energy_eV == pytest.approx(silver.binding_energy_eV, abs=limit)


def test_result_survives_json(silver: BindingResult) -> None:
    again = decode(encode(silver))
    assert again.binding_energy_eV == silver.binding_energy_eV
    assert again.parts == silver.parts
    assert again.starts == silver.starts


def test_in_a_run_it_gives_the_same_and_is_not_done_twice(
    silver: BindingResult, tmp_path: Path
) -> None:
    for again in (False, True):
        with Run(tmp_path, workers=1) as run:
            found = find_binding(Structure.from_ase(copper()), SILVER, theory="emt", settings=SIX)
        assert found.binding_energy_eV == pytest.approx(silver.binding_energy_eV, abs=1e-6)
        summary = run.summary()
        assert (summary.reused > 10, summary.done == 0) == (again, again)


def test_several_molecules_share_the_surface() -> None:
    both = find_bindings(
        Structure.from_ase(copper()),
        [(SILVER,), (molecule_of(Atoms("Au")),)],
        theory="emt",
        settings=settings(starts=2, keep=1),
    )
    assert [one.molecule_formula for one in both] == ["Ag", "Au"]
    assert all(one.verdict == "converged" for one in both)


# ---- references


def test_the_lower_of_two_conformers_is_the_reference() -> None:
    """Two silver atoms far apart feel nothing and stay; the pair that touches is lower."""
    apart, pair = (Atoms("2Ag", positions=[(0, 0, 0), (0, 0, d)]) for d in (9.0, 2.6))
    pair.calc = EMT()
    BFGS(pair, logfile=None).run(fmax=0.005)
    slab = copper()
    start = placed(slab, Atoms("2Ag", positions=[(0, 0, 0), (2.5, 0, 0)]), 2.2, place="fcc")
    found = find_binding(
        Structure.from_ase(slab),
        molecule_of(apart),
        conformers=[molecule_of(pair)],
        theory="emt",
        settings=settings(starts=2, keep=1),
        starts=[start],
    )
    assert found.verdict == "converged", found.reason
    assert found.terms[2].energy_eV == pytest.approx(pair.get_potential_energy(), abs=1e-4)
    with pytest.raises(InvalidStructureError, match="one formula"):
        find_binding(
            Structure.from_ase(copper()),
            molecule_of(NITROGEN),
            conformers=[molecule_of(Atoms("O"))],
            theory="emt",
        )


def test_a_surface_found_lower_becomes_the_reference() -> None:
    """An adatom sits beside a vacancy; in one start of the complex it has fallen into it."""
    slab = copper()
    hole = slab.positions[17].copy()
    del slab[17]
    add_adsorbate(slab, "Cu", 1.9, "fcc")
    start = placed(slab, Atoms("Ag"), 2.2, place=(4.2, 2.0))
    moved = start.structure.positions.copy()
    moved[len(slab) - 1] = hole
    fallen = replace(start, structure=start.structure.with_positions(moved), key="fallen")
    found = find_binding(
        Structure.from_ase(slab), SILVER, theory="emt", settings=settings(), starts=[start, fallen]
    )
    assert found.verdict == "converged", found.reason
    assert found.best_start == "fallen"
    assert found.surface_fell_eV > 0.3
    assert found.terms[1].origin == "from the complex"
    assert any("lower than the one first found" in note for note in found.notes)
    assert found.parts is not None
    assert found.parts.surface_deformation_eV >= -1e-3


def test_a_cap_is_no_result() -> None:
    found = find_binding(
        Structure.from_ase(copper()),
        molecule_of(NITROGEN, BOND),
        theory="emt",
        settings=settings(relax=RelaxSettings(fmax_eV_per_A=0.0005, max_steps=9), starts=2, keep=1),
    )
    assert found.verdict == "unconverged"
    assert found.binding_energy_eV is None
    assert found.binding_strength_eV is None
    assert found.terms == ()
    assert "force calls" in found.reason or "steps" in found.reason


def test_a_molecule_that_leaves_or_breaks_has_no_value() -> None:
    slab = copper(vacuum=14.0)
    high = placed(slab, NITROGEN, 9.0)
    found = find_binding(
        Structure.from_ase(slab),
        molecule_of(NITROGEN, BOND),
        theory="emt",
        settings=settings(keep=1),
        starts=[high],
    )
    assert found.verdict == "failed"
    assert found.starts[0].state == "desorbed"
    assert "1 desorbed" in found.reason
    apart = Atoms("2N", positions=[(0.0, 0.0, 0.0), (2.5, 0.0, 0.0)])
    found = find_binding(
        Structure.from_ase(slab),
        molecule_of(NITROGEN, BOND),
        theory="emt",
        settings=settings(keep=1),
        starts=[placed(slab, apart, 1.3, place="fcc")],
    )
    assert found.starts[0].state == "not-intact"
    assert "bond N0-N1" in found.reason


# ---- salts, charges, levels side by side


def test_potentials_refuse_separated_ions_with_a_reason() -> None:
    from superionic.workflows.binding_study import Study

    study = Study(
        conformers=(reference_molecule("natfsi"),),
        theory="chgnet-0.3.0",
        settings=settings(),
        host=Electrons(),
    )
    study.waiting["molecule"] = []
    study._relax_molecule = lambda molecule: None  # type: ignore[method-assign]
    study.submit_molecule()
    assert study.waiting["ions"] == []
    assert "computed as if it were neutral" in study.ions_reason


def test_a_salt_on_a_cluster_has_both_references() -> None:
    """NaCl beside water: a cluster that does not repeat, with xTB."""
    pytest.importorskip("tblite")
    water = Structure.from_ase(
        Atoms("OH2", positions=[(0, 0, 0), (0.76, 0, 0.59), (-0.76, 0, 0.59)], cell=np.eye(3) * 20)
    )
    salt = Molecule(
        structure=framed([11, 17], [[0.0, 0.0, 0.0], [2.4, 0.0, 0.0]]),
        name="NaCl",
        smiles="[Na+].[Cl-]",
    )
    positions = np.vstack([water.positions, [[0.0, 0.0, -2.3], [0.0, 2.4, -2.6]]])
    complex_ = Structure(
        numbers=np.array([8, 1, 1, 11, 17]), positions=positions, cell=np.eye(3) * 20,
        pbc=(False, False, False),
    )  # fmt: skip
    start = replace(
        placed(copper(), NITROGEN, 2.0), structure=complex_, adsorbate=(3, 4), key="by hand"
    )
    found = find_binding(
        replace(water, pbc=(False, False, False)),
        salt,
        theory="gfn1-xtb",
        settings=settings(relax=RelaxSettings(fmax_eV_per_A=0.02), levels=("gfn2-xtb",), eeq=True),
        starts=[start],
    )
    assert found.verdict == "converged", found.reason
    assert found.binding_energy_eV is not None
    assert -1.6 < found.binding_energy_eV < -0.4
    own, other = found.levels
    assert own.kind == "relaxed"
    assert other.kind == "single point"
    assert own.binding_energy_eV == pytest.approx(found.binding_energy_eV, abs=1e-9)
    assert own.separated_ions_eV is not None
    assert own.separated_ions_eV < found.binding_energy_eV - 3.0  # the ions attract each other
    assert other.separated_ions_eV is not None
    assert own.parts is not None
    assert own.parts.dispersion_eV is None, "part of the method"
    assert other.parts is None, "slow, and not split"
    models = [c.model for c in found.charges]
    assert models == ["gfn1-xtb Mulliken", "gfn2-xtb Mulliken", "EEQ of DFT-D4"]
    for moved in found.charges:
        assert sum(q for _, q in moved.fragments) == pytest.approx(moved.molecule_e, abs=1e-6)
        assert abs(moved.molecule_e) < 0.5


@pytest.mark.slow
def test_the_same_path_with_pyscf() -> None:
    """Two waters: density-functional theory, hydrogen-bonded by 0.2 to 0.4 eV in a small basis."""
    pytest.importorskip("pyscf")
    water = [(0.0, 0.0, 0.12), (0.0, 0.76, -0.48), (0.0, -0.76, -0.48)]
    other = [(0.0, 0.0, 2.95), (0.0, 0.1, 1.98), (0.93, 0.0, 3.2)]
    numbers = [8, 1, 1]
    cell, free = np.eye(3) * 25, (False, False, False)
    host = Structure(numbers=np.array(numbers), positions=np.array(water), cell=cell, pbc=free)
    both = Structure(
        numbers=np.array(numbers * 2), positions=np.array([*water, *other]), cell=cell, pbc=free
    )
    # the free lone pair is on the side of the oxygen: turn the acceptor upside down
    flipped = both.positions.copy()
    flipped[:3, 2] = np.array([0.12, -0.48, -0.48])
    start = replace(
        placed(copper(), NITROGEN, 2.0),
        structure=both.with_positions(flipped),
        adsorbate=(3, 4, 5),
        key="by hand",
    )
    found = find_binding(
        host,
        Molecule(structure=framed(numbers, water), name="water", bonds=((0, 1, 1.0), (0, 2, 1.0))),
        theory="pyscf-pbe+d3bj",
        settings=settings(
            relax=RelaxSettings(fmax_eV_per_A=0.05, max_steps=100), keep=1, screen_steps=0,
            levels=("pyscf-pbe", "gfn1-xtb"),
        ),
        starts=[start],
    )  # fmt: skip
    assert found.verdict == "converged", found.reason
    assert found.binding_energy_eV is not None
    assert -0.45 < found.binding_energy_eV < -0.15
    assert found.parts is not None
    assert found.parts.dispersion_eV is not None
    assert -0.1 < found.parts.dispersion_eV < 0.0
    assert found.parts.surface_deformation_eV >= -1e-3
    assert [level.kind for level in found.levels] == ["relaxed", "single point", "single point"]
    assert {c.model for c in found.charges} == {"pyscf-pbe Mulliken", "gfn1-xtb Mulliken"}


def test_charges_where_there_are_none_are_refused() -> None:
    slab = Structure.from_ase(copper())
    ion = replace(reference_molecule("tfsi"), name="TFSI-")
    with pytest.raises(TheoryError, match="one of -1 e"):
        find_binding(slab, ion, theory="sevennet-0")
    with pytest.raises(TheoryError, match=r"one of \+1 e"):
        find_binding(slab, molecule_of(NITROGEN), theory="emt", host=Electrons(charge=1))


def test_charges_on_a_slab_are_refused() -> None:
    slab = Structure.from_ase(copper(4))
    with pytest.raises(InvalidSlabError, match=r"li\+ of \+1 e repeats for ever.*litfsi"):
        find_binding(slab, reference_molecule("li+"), theory="gfn1-xtb")


def test_equal_causes_are_told_once() -> None:
    text = "relax-{} failed: NotConvergedError: SCF stopped. (details in /a/b/task.log)"
    assert {_cause(text.format(k)) for k in "ab"} == {"SCF stopped"}
    assert _cause("the bond N0-N1 broke") == "the bond N0-N1 broke"


# ---- what is refused


def test_surfaces_that_are_none() -> None:
    from ase.build import bulk

    crystal = Structure.from_ase(bulk("Cu", cubic=True) * (2, 2, 2))
    with pytest.raises(InvalidSlabError, match="slab with a vacuum"):
        find_binding(crystal, molecule_of(NITROGEN), theory="emt")
    thin = Structure.from_ase(fcc111("Cu", (3, 3, 2), vacuum=2.4, periodic=True))
    with pytest.raises(InvalidSlabError, match="thick"):
        find_binding(thin, molecule_of(NITROGEN), theory="emt")


def test_a_molecule_too_large_for_the_cell() -> None:
    with pytest.raises(SuperionicError, match=r"image|cell"):
        find_binding(
            Structure.from_ase(copper(2)),
            reference_molecule("g4"),
            theory="emt",
            settings=settings(),
        )


def test_unknown_elements_and_theories() -> None:
    slab = Structure.from_ase(copper())
    with pytest.raises(UnknownElementError, match="F"):
        find_binding(slab, reference_molecule("litfsi"), theory="emt")
    with pytest.raises(TheoryError, match="Unknown level"):
        find_binding(slab, molecule_of(NITROGEN), theory="emt", settings=settings(levels=("x",)))


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"keep": 0}, "keep"),
        ({"keep": 5}, "keep"),
        ({"held_fraction": 1.5}, "held_fraction"),
        ({"side": "left"}, "side"),
        ({"box_vacuum_ang": 0.0}, "above zero"),
        ({"relax": RelaxSettings(cell="full")}, "cell of a surface"),
    ],
)
def test_settings_that_cannot_work(changes: dict[str, Any], match: str) -> None:
    with pytest.raises(ProtocolError, match=match):
        settings(**changes)


def test_held_atoms_are_those_away_from_the_molecule() -> None:
    slab = Structure.from_ase(fcc111("Cu", (2, 2, 5), vacuum=8.0, periodic=True))
    heights = slab.positions[:, 2]
    for side, sign in (("top", 1), ("bottom", -1)):
        held = held_atoms(slab, 0.4, side=side)
        assert len(held) == 8
        rest = np.delete(heights, list(held))
        assert (sign * heights[list(held)]).max() < (sign * rest).min()
    assert held_atoms(slab, 0.0) == ()
    assert len(held_atoms(slab, 1.0)) == len(slab)
    assert held_atoms(replace(slab, pbc=(False, False, False)), 0.5) == ()


def test_the_rule_of_screening_is_told() -> None:
    told = settings().screening
    assert "4 seeded starts" in told
    assert "2 lowest" in told
    assert "no value" in told
