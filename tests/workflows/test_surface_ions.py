"""Mobile ions of a face in other places: found where they can be seen, nothing else moved."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import add_adsorbate, bulk, fcc111

from superionic.structures.errors import InvalidSlabError, NotConvergedError, ProtocolError
from superionic.structures.structure import Structure
from superionic.workflows.binding_settings import held_atoms
from superionic.workflows.binding_tasks import relax_held_task
from superionic.workflows.relax import RelaxSettings
from superionic.workflows.surface_ions import (
    SurfaceIonSettings,
    resited,
    settle_surface_ions,
)

RELAX = RelaxSettings(fmax_eV_per_A=0.02, max_steps=200)
SETTINGS = SurfaceIonSettings(depth_ang=1.0, places=12, screen_steps=10, keep=3, rounds=3)


def with_vacancy() -> Structure:
    """Copper with a hole in its face, and a silver atom beside it."""
    slab: Atoms = fcc111("Cu", (3, 3, 2), vacuum=12.0, periodic=True)
    del slab[17]
    add_adsorbate(slab, "Ag", 2.2, "fcc")
    return Structure.from_ase(slab)


def test_an_atom_finds_the_hole_beside_it() -> None:
    slab = with_vacancy()
    held = held_atoms(slab, 0.3)
    given = relax_held_task(slab, "emt", RELAX, held)
    found = settle_surface_ions(
        given, ion="Ag", theory="emt", relax=RELAX, settings=SETTINGS, held=held
    )
    assert found.fell_eV > 0.3
    assert found.energy_eV == pytest.approx(given.energy_eV - found.fell_eV, abs=1e-9)
    assert found.exhausted
    assert found.tried >= 8
    assert found.relaxed >= 2
    assert np.array_equal(found.structure.numbers, slab.numbers)
    assert np.allclose(found.structure.positions[list(held)], slab.positions[list(held)])
    top = fcc111("Cu", (3, 3, 2), vacuum=12.0, periodic=True).positions[:, 2].max()
    assert found.structure.positions[-1, 2] < top + 1.2, "it sits in the hole"


def test_nothing_lower_leaves_the_face_as_it_was() -> None:
    slab: Atoms = fcc111("Cu", (3, 3, 2), vacuum=12.0, periodic=True)
    add_adsorbate(slab, "Ag", 2.2, "fcc")
    held = held_atoms(Structure.from_ase(slab), 0.3)
    given = relax_held_task(Structure.from_ase(slab), "emt", RELAX, held)
    few = replace(SETTINGS, places=3, accept_eV=0.02)
    found = settle_surface_ions(given, ion="Ag", theory="emt", relax=RELAX, settings=few, held=held)
    assert found.exhausted
    assert 0.0 <= found.fell_eV <= 0.02


@pytest.mark.parametrize("side", ["top", "bottom"])
def test_only_ions_of_that_face_are_moved_and_only_they(side: str) -> None:
    slab: Atoms = fcc111("Cu", (3, 3, 3), vacuum=12.0, periodic=True)
    slab.numbers[[0, 13, 26]] = 47  # one in each layer
    structure = Structure.from_ase(slab)
    trials = resited(structure, ion="Ag", settings=replace(SETTINGS, places=3), side=side)  # type: ignore[arg-type]
    assert len(trials) == 3
    moved = 26 if side == "top" else 0
    for trial in trials:
        shift = np.linalg.norm(trial.positions - structure.positions, axis=1)
        assert np.flatnonzero(shift > 1e-9).tolist() == [moved]
        height = trial.positions[moved, 2] - structure.positions[:, 2].mean()
        assert (height > 1.5) if side == "top" else (height < -1.5)
    assert resited(structure, ion="Li", settings=SETTINGS, side="top") == ()


def test_what_is_refused() -> None:
    crystal = Structure.from_ase(bulk("Cu", cubic=True) * (2, 2, 2))
    with pytest.raises(InvalidSlabError, match="crystal"):
        resited(crystal, ion="Cu", settings=SETTINGS, side="top")
    capped = relax_held_task(with_vacancy(), "emt", replace(RELAX, max_steps=1))
    with pytest.raises(NotConvergedError, match="force calls"):
        settle_surface_ions(capped, ion="Ag", theory="emt", relax=RELAX, settings=SETTINGS)
    with pytest.raises(ProtocolError, match="places"):
        SurfaceIonSettings(places=0)
    with pytest.raises(ProtocolError, match="depth_ang"):
        SurfaceIonSettings(depth_ang=0.0)
