"""What was read back from VASP and CASTEP, in the result types of local runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from superionic.analysis.barriers import BarrierResult, HopVerdict, read_profile
from superionic.inputs.outputs.records import CollectedNEB, CollectedRun
from superionic.structures.errors import EvidenceError
from superionic.structures.structure import Structure
from superionic.workflows.barrier_fields import fields_without_value, profile_fields
from superionic.workflows.relax import RelaxResult, framework_shift

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["END_FORCE_FACTOR", "NO_CRITERION", "barrier_result", "relax_result"]

NO_CRITERION = 0.0
"""In the place of the force that a band was to reach, where its run names none."""
END_FORCE_FACTOR = 2.0
"""An end of a band counts as a minimum while its forces are within this many criteria of the
band."""


def relax_result(run: CollectedRun) -> RelaxResult:
    """Return a finished relaxation of VASP or CASTEP as local relaxations return theirs.

    ``force_calls`` counts its ionic steps; ``fmax_eV_per_A`` is the residual force on free atoms.

    Raises
    ------
    NotConvergedError
        The run did not finish.
    EvidenceError
        It was no relaxation, or its forces are not in the output.
    """
    run.require_finished()
    if run.task != "relax" or run.structure is None or run.energy_eV is None:
        raise EvidenceError(f"{run.folder} is a {run.task} run, not a relaxation.")
    if run.fmax_eV_per_A is None:
        raise EvidenceError(f"{run.folder} holds no forces, so nothing shows that it is relaxed.")
    return RelaxResult(
        structure=run.structure,
        energy_eV=run.energy_eV,
        start_energy_eV=float(run.step_energies_eV[0]),
        converged=True,
        fmax_eV_per_A=run.fmax_eV_per_A,
        force_calls=run.ionic_steps,
        theory=run.theory,
    )


def barrier_result(
    path: CollectedNEB,
    *,
    like: BarrierResult | None = None,
    key: str = "",
    fmax_target_eV_per_A: float | None = None,
) -> BarrierResult:
    """Return a path that came back as local bands return theirs.

    Only a band that the code itself relaxed, whose ends have energies and are minima, carries
    barriers. Images computed one by one never do.

    Parameters
    ----------
    path
        As `superionic.inputs.collect.collect` returns it.
    like
        The hop that was handed over: labels, mechanism and environment are taken from it.
    key
        Names the hop where there is no ``like``; the folder's name by default.
    fmax_target_eV_per_A
        Criterion for the band, where its own was a change of energy.
    """
    asked = path.moving[0].fmax_target_eV_per_A or fmax_target_eV_per_A
    target = NO_CRITERION if asked is None else asked
    positions, fmax = path.positions, band_fmax(path)
    verdict, reason = _verdict(path, fmax, target)
    described = _description(path, positions, like, key or Path(path.folder).name)
    if verdict != "converged" or positions is None or fmax is None:
        return _without_value(path, described, verdict, reason, target)
    energies = np.array(path.energies_eV, dtype=float)
    reading = read_profile(energies)
    ion = described["ion"]
    return BarrierResult(
        **described,
        **profile_fields(positions, energies, ion=ion),
        verdict="converged",
        reason="",
        forward_barrier_eV=reading.forward_barrier_eV,
        reverse_barrier_eV=reading.reverse_barrier_eV,
        reaction_energy_eV=reading.reaction_energy_eV,
        converged=True,
        fmax_eV_per_A=fmax,
        fmax_target_eV_per_A=target,
        minima=reading.minima,
        other_ion_displacement_ang=_others(positions, described["structure"], ion),
        start_energy_eV=path.images[0].energy_eV,
    )


def _verdict(path: CollectedNEB, fmax: float | None, target: float) -> tuple[HopVerdict, str]:
    """Judge a path that came back."""
    if path.state != "finished":
        return ("failed" if path.state == "crashed" else "unconverged"), path.reason
    if path.kind != "band":
        return "unconverged", (
            "images were computed one by one and not relaxed as a band: compare them with the "
            "path that they came from, or run the band"
        )
    if path.reason or path.positions is None:
        return "unconverged", path.reason or "an image has no structure"
    if target == NO_CRITERION:
        return "unconverged", (
            "its criterion is a change of energy, which says nothing of a saddle: run the band "
            "with one for forces, or give fmax_target_eV_per_A to judge it by"
        )
    if fmax is None or fmax > target:
        found = "unknown" if fmax is None else f"{fmax:.3f} eV/A"
        return "unconverged", f"the largest band force is {found}, the criterion {target:g} eV/A"
    for k in (0, len(path.images) - 1):
        force = path.images[k].fmax_eV_per_A
        if force is not None and force > END_FORCE_FACTOR * target:
            return "not-a-minimum", (
                f"end {k:02d} has a force of {force:.3f} eV/A left on a free atom: relax it at the "
                "level of the band, and run the band again"
            )
    return "converged", ""


def band_fmax(path: CollectedNEB) -> float | None:
    """Return the largest band force on an atom of a moving image in eV/angstrom.

    As printed by the code, or else from the forces and the tangents; None where those lack.
    """
    printed = [image.fmax_eV_per_A for image in path.moving]
    if path.kind == "band" and all(force is not None for force in printed):
        return max(force for force in printed if force is not None)
    residual = residual_forces(path)
    return None if residual is None else max(residual)


def residual_forces(path: CollectedNEB) -> tuple[float, ...] | None:
    """Return how far each moving image is from the minimum energy path at the level that came back.

    The largest force on an atom once the part along the path's improved tangent
    (doi 10.1063/1.1323224) is taken off, in eV/angstrom, springs left out; None where an energy,
    a force or a structure lacks.
    """
    from ase.calculators.singlepoint import SinglePointCalculator
    from ase.mep import NEB

    positions, first = path.positions, path.images[0].structure or path.images[0].start
    if positions is None or first is None or not path.complete:
        return None
    images = []
    for image, place in zip(path.images, positions, strict=True):
        atoms = first.with_positions(place).to_ase()
        forces = image.forces_eV_per_A
        if forces is None:
            if image in path.moving:
                return None
            forces = np.zeros((len(atoms), 3))
        atoms.calc = SinglePointCalculator(atoms, energy=image.energy_eV, forces=forces)
        images.append(atoms)
    band: Any = NEB(images, k=0.0, climb=False, method="improvedtangent")
    residual = np.asarray(band.get_forces()).reshape(len(path.moving), -1, 3)
    return tuple(float(f) for f in np.linalg.norm(residual, axis=2).max(axis=1))


def _description(
    path: CollectedNEB, positions: NDArray[np.float64] | None, like: BarrierResult | None, key: str
) -> dict[str, Any]:
    """Return the fields that do not depend on the outcome."""
    first = path.images[0].structure or path.images[0].start
    structure = first if first is None else Structure(first.numbers, first.positions, first.cell)
    ion = _hopping_ion(positions) if like is None else like.ion
    length = 0.0
    if positions is not None:
        length = float(np.linalg.norm(positions[-1, ion] - positions[0, ion]))
    label = structure.labels[ion] if structure is not None else ""
    return {
        "key": like.key if like else key,
        "site_types": like.site_types if like else (label, label),
        "mechanism": like.mechanism if like else "unknown",
        "environment": like.environment if like else "unknown",
        "length_ang": like.length_ang if like else length,
        "depth_ang": like.depth_ang if like else None,
        "direction": like.direction if like else None,
        "structure": structure,
        "ion": ion,
        "theory": path.moving[0].theory,
        "seed": 0,
        "force_calls": sum(image.ionic_steps for image in path.images),
    }


def _hopping_ion(positions: NDArray[np.float64] | None) -> int:
    """Return the atom that moves farthest from start to end."""
    if positions is None:
        return 0
    return int(np.argmax(np.linalg.norm(positions[-1] - positions[0], axis=1)))


def _others(positions: NDArray[np.float64], structure: Structure | None, ion: int) -> float | None:
    """Return the farthest that another ion of the element moved, less the framework's drift."""
    if structure is None:
        return None
    mobile = structure.numbers == structure.numbers[ion]
    drift = framework_shift(positions[0], positions[-1], ~mobile)
    moved = np.linalg.norm(positions[-1] - positions[0] - drift, axis=1)
    mobile = mobile.copy()
    mobile[ion] = False
    return float(moved[mobile].max()) if mobile.any() else 0.0


def _without_value(
    path: CollectedNEB,
    described: dict[str, Any],
    verdict: HopVerdict,
    reason: str,
    target: float,
) -> BarrierResult:
    """Return a hop without a barrier, and why; it holds no energies."""
    structure = described["structure"]
    return BarrierResult(
        **described,
        **fields_without_value(0 if structure is None else len(structure)),
        verdict=verdict,
        reason=reason or f"the path is {path.state}",
        fmax_target_eV_per_A=target,
        other_ion_displacement_ang=None,
    )
