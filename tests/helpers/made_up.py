"""Results that nothing computed: made-up curves that look like real ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from superionic.analysis.barriers import BarrierResult, HopVerdict, read_profile
from superionic.analysis.scans import ScanKind, ScanProfile, scan_profile
from superionic.structures.structure import Structure


def tetrahedra() -> Structure:
    """Return two corner-sharing tetrahedra and, last, a sodium in a box."""
    d = 1.62 / np.sqrt(3.0)
    corners = d * np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    centre = np.array([4.0, 4.0, 4.0])
    other = centre + 2 * corners[0]
    positions = [
        centre,
        *(centre + corners),
        other,
        *(other - corners)[1:],
        centre + np.array([3.0, -2.0, 0.0]),
    ]
    return Structure(
        numbers=np.array([14, 8, 8, 8, 8, 15, 8, 8, 8, 11]),
        positions=np.array(positions),
        cell=np.diag([10.0, 11.0, 12.0]),
    )


def dome(height_eV: float, end_eV: float = 0.0, images: int = 7) -> list[float]:
    """Return a smooth hill."""
    s = np.linspace(0.0, 1.0, images)
    hill: NDArray[np.float64] = height_eV * np.sin(np.pi * s) ** 2 + end_eV * s**2
    return [float(x) for x in hill]


def barrier(
    energies_eV: Sequence[float],
    *,
    key: str = "h0",
    environment: str = "bulk",
    verdict: HopVerdict = "converged",
    reason: str = "",
    site_types: tuple[str, str] = ("Na1", "Na2"),
    direction: str | None = None,
    depth_ang: float | None = None,
    structure: Structure | None = None,
    ion: int = -1,
    displacement: Sequence[float] = (0.0, 3.4, 0.3),
) -> BarrierResult:
    """Return a band with the given energies; the ion moves in even steps on a straight line."""
    fraction = np.linspace(0.0, 1.0, len(energies_eV))
    structure = tetrahedra() if structure is None else structure
    ion = ion % len(structure)
    positions = np.repeat(structure.positions[None], len(fraction), axis=0)
    positions[:, ion] += fraction[:, None] * np.array(displacement)
    length = float(np.linalg.norm(displacement))
    reading = read_profile(energies_eV)
    made = BarrierResult(
        key=key,
        site_types=site_types,
        mechanism="vacancy",
        environment=environment,
        length_ang=length,
        depth_ang=depth_ang,
        direction=direction,
        verdict="converged",
        reason="",
        forward_barrier_eV=reading.forward_barrier_eV,
        reverse_barrier_eV=reading.reverse_barrier_eV,
        reaction_energy_eV=reading.reaction_energy_eV,
        converged=True,
        fmax_eV_per_A=0.041,
        fmax_target_eV_per_A=0.05,
        force_calls=240,
        coordinate_ang=length * fraction,
        ion_coordinate=fraction,
        energies_eV=np.array(energies_eV),
        positions=positions,
        structure=structure,
        ion=ion,
        minima=reading.minima,
        images_below_ends=(),
        other_ion_displacement_ang=0.1,
        theory="synthetic",
        seed=0,
    )
    return made if verdict == "converged" else valueless(made, verdict=verdict, reason=reason)


def valueless(
    made: BarrierResult, *, verdict: HopVerdict = "unconverged", reason: str = "why"
) -> BarrierResult:
    """Return the same band without its barriers."""
    return replace(
        made,
        verdict=verdict,
        reason=reason,
        forward_barrier_eV=None,
        reverse_barrier_eV=None,
        reaction_energy_eV=None,
        converged=False,
        fmax_eV_per_A=0.182,
    )


def scan(
    kind: ScanKind, route: str, height_eV: float, *, failed: tuple[int, ...] = ()
) -> ScanProfile:
    """Return a scan in steps of 0.05 with some points not converged."""
    s = np.linspace(0.0, 1.0, 21)
    fmax = np.full(21, 0.043)
    fmax[list(failed)] = 0.31
    relaxed = kind == "relaxed"
    return scan_profile(
        route=route,
        kind=kind,
        hop_key="h0",
        coordinate=s,
        energies_eV=height_eV * np.sin(np.pi * s) ** 2 - 431.0,
        ion_positions=np.outer(s, [0.0, 3.4, 0.0]),
        theory="synthetic",
        constraint="framework fixed" if not relaxed else "ion held in the plane of its step",
        force_calls=21,
        fmax_eV_per_A=fmax if relaxed else None,
        fmax_target_eV_per_A=0.05 if relaxed else None,
    )
