"""Energies and forces of a box from OpenMM's Reference platform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from superionic.inputs.openmm import GROUPS, build_system

if TYPE_CHECKING:
    from superionic.inputs.md_options import MDOptions
    from superionic.inputs.parametrised import ParametrisedBox


def evaluate(box: ParametrisedBox, options: MDOptions) -> tuple[dict[str, float], Any]:
    """Energy in kJ/mol by force group, and forces in kJ/mol/A, on the Reference platform."""
    import openmm

    platform = openmm.Platform.getPlatformByName("Reference")
    integrator = openmm.VerletIntegrator(0.001)
    context = openmm.Context(build_system(box, options), integrator, platform)
    context.setPositions(box.box.structure.positions * 0.1)
    unit = openmm.unit
    energies = {
        name: context.getState(getEnergy=True, groups={group})
        .getPotentialEnergy()
        .value_in_unit(unit.kilojoule_per_mole)
        for name, group in GROUPS.items()
    }
    state = context.getState(getForces=True)
    forces = state.getForces(asNumpy=True).value_in_unit(unit.kilojoule_per_mole / unit.angstrom)
    return energies, forces
