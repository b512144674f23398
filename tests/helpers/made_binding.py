"""Binding energies that nothing computed, with terms, starts and levels that add up."""

from __future__ import annotations

import numpy as np

from superionic.analysis.binding import (
    BindingParts,
    BindingResult,
    ChargeTransfer,
    EnergyTerm,
    LevelBinding,
    StartOutcome,
)
from superionic.structures.structure import Structure

HASH = "0123456789abcdef" * 4


def slab_and_molecule() -> Structure:
    """Two layers of copper and oxygen with a hydrogen cyanide over them."""
    layers = [(x, y, z) for z in (5.0, 7.0) for x in (0.0, 3.0) for y in (0.0, 3.0)]
    molecule = [(1.5, 1.5, 9.0), (1.5, 1.5, 10.1), (1.5, 1.5, 11.3)]
    return Structure(
        numbers=np.array([29, 29, 29, 29, 8, 8, 8, 8, 1, 6, 7]),
        positions=np.array([*layers, *molecule]),
        cell=np.diag([6.0, 6.0, 26.0]),
    )


def level(theory: str, value: float, *, geometry: str, ions: float | None = None) -> LevelBinding:
    """A level whose parts add up to a value."""
    return LevelBinding(
        theory=theory,
        geometry=geometry,
        binding_energy_eV=value,
        parts=BindingParts(0.2, 0.1, -0.3, value) if theory == geometry else None,
        separated_ions_eV=ions,
        separated_reason="" if ions is not None else "it takes no charge",
    )


def binding(
    molecule: str = "HCN",
    value: float = -0.9,
    *,
    theory: str = "chgnet-0.3.0+d3bj",
    others: tuple[tuple[str, float], ...] = (("gfn1-xtb", -1.1),),
    spread: float = 0.2,
    converged: int = 2,
) -> BindingResult:
    """A result with a value; the parts of every level add up to it."""
    whole = slab_and_molecule()
    surface, alone = whole.take(range(8)), whole.take([8, 9, 10])
    energies = {"complex": -50.0 + value, "surface": -40.0, "molecule": -10.0}
    structures = {"complex": whole, "surface": surface, "molecule": alone}
    terms = tuple(
        EnergyTerm(
            role=role,  # type: ignore[arg-type]
            structure=structures[role],
            energy_eV=energy,
            converged=True,
            fmax_eV_per_A=0.03,
            theory=theory,
            settings_hash=HASH,
            held=() if role == "molecule" else (0, 1),
            origin="by itself",
            force_calls=50,
        )
        for role, energy in energies.items()
    )
    good = [
        StartOutcome(f"0{k}-top", "top", "converged", "", 0.1 * k, -50.0 + v, v, 0.03, 80)
        for k, v in enumerate(np.linspace(value, value + spread, converged).tolist())
    ]
    lost = [
        StartOutcome("07-top", "top", "unconverged", "300 steps", 0.5, None, None, 0.2, 300),
        StartOutcome("08-top", "top", "screened-out", "not low", 0.9, None, None, None, 15),
    ]
    levels = (
        level(theory, value, geometry=theory),
        *(level(name, other, geometry=theory, ions=other - 5.0) for name, other in others),
    )
    return BindingResult(
        molecule=molecule,
        molecule_formula="CHN",
        surface_formula=surface.formula,
        theory=theory,
        verdict="converged",
        reason="",
        binding_energy_eV=value,
        parts=levels[0].parts,
        starts=(*good, *lost),
        best_start="00-top",
        settings_hash=HASH,
        terms=terms,
        adsorbate=(8, 9, 10),
        box_shift_eV=0.0001,
        levels=levels,
        charges=(ChargeTransfer("gfn1-xtb Mulliken", 0.12, (("CHN", 0.12),)),),
        notes=("The reference of the surface is the one relaxed from the complex.",),
    )


def no_binding(molecule: str = "HCN") -> BindingResult:
    """A result without a value."""
    return BindingResult(
        molecule=molecule,
        molecule_formula="CHN",
        surface_formula="Cu4O4",
        theory="chgnet-0.3.0+d3bj",
        verdict="unconverged",
        reason="No start has a value: 1 unconverged (300 steps).",
        binding_energy_eV=None,
        parts=None,
        starts=(
            StartOutcome("07-top", "top", "unconverged", "300 steps", 0.5, None, None, 0.2, 300),
        ),
        best_start="",
        settings_hash=HASH,
    )
