"""Routes as chains: hops that share a state, joined into one profile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.barriers import BarrierResult, read_profile
from superionic.structures.errors import EvidenceError
from superionic.structures.structure import minimum_image

if TYPE_CHECKING:
    from collections.abc import Sequence

SAME_SITE_ANG = 1.0
"""Relaxed starts this near each other, periodic images included, are one site (angstrom)."""


@dataclass(frozen=True, eq=False)
class Chain:
    """Two hops of a vacancy through the site they share, walked to it and away from it.

    Attributes
    ----------
    profile : BarrierResult
        Energies along both hops; its route coordinate runs from 0 over 0.5, the shared state, to
        1. Its positions are those of the ion that moves, first one and then the other: each hop has
        a host of its own.
    keys : tuple of str
        The two hops.
    junction_mismatch_eV : float
        By how much the shared state's energy differs between the two hops, in eV: both should
        have relaxed into it.
    """

    profile: BarrierResult
    keys: tuple[str, str]
    junction_mismatch_eV: float


def mirrored(result: BarrierResult) -> Chain:
    """Return a hop followed by its mirror image, for a crystal in which symmetry makes it one.

    Raises
    ------
    EvidenceError
        The hop has no barrier.
    """
    return join_at_end(result, result)


def join_at_end(first: BarrierResult, second: BarrierResult) -> Chain:
    """Return the first hop forward and the second one backward, joined at their common end.

    For vacancy hops that both leave the same ion's site this is the way of a vacancy from one
    neighbouring site over it to another. The energies are set equal at the joint.

    Raises
    ------
    EvidenceError
        A hop has no barrier, the levels of theory differ, or a total energy is missing.
    """
    for hop in (first, second):
        if hop.verdict != "converged":
            raise EvidenceError(f"Hop {hop.key} has no barrier ({hop.verdict}); no chain over it.")
    if first.theory != second.theory:
        raise EvidenceError(f"{first.theory} and {second.theory} cannot share one profile.")
    ends = [_end_energy(hop) for hop in (first, second)]
    back = second.energies_eV[::-1] - second.energies_eV[-1] + first.energies_eV[-1]
    energies = np.concatenate([first.energies_eV, back[1:]])
    ion = np.concatenate([0.5 * first.ion_coordinate, 1.0 - 0.5 * second.ion_coordinate[::-1][1:]])
    lengths = second.coordinate_ang[-1] - second.coordinate_ang[::-1]
    path = np.concatenate([first.coordinate_ang, first.coordinate_ang[-1] + lengths[1:]])
    moving = np.concatenate([first.positions[:, first.ion], second.positions[::-1][1:, second.ion]])
    reading = read_profile(energies)
    profile = BarrierResult(
        key=f"{first.key} + {second.key}",
        site_types=(first.site_types[1], second.site_types[1]),
        mechanism=first.mechanism,
        environment=first.environment,
        length_ang=first.length_ang + second.length_ang,
        depth_ang=first.depth_ang,
        direction=first.direction,
        verdict="converged",
        reason="",
        forward_barrier_eV=reading.forward_barrier_eV,
        reverse_barrier_eV=reading.reverse_barrier_eV,
        reaction_energy_eV=reading.reaction_energy_eV,
        converged=True,
        fmax_eV_per_A=max(f for hop in (first, second) if (f := hop.fmax_eV_per_A) is not None),
        fmax_target_eV_per_A=max(first.fmax_target_eV_per_A, second.fmax_target_eV_per_A),
        force_calls=first.force_calls + (second.force_calls if second is not first else 0),
        coordinate_ang=path,
        ion_coordinate=ion,
        energies_eV=energies,
        positions=moving[:, None, :],
        structure=None,
        ion=0,
        minima=reading.minima,
        images_below_ends=(),
        other_ion_displacement_ang=None,
        theory=first.theory,
        seed=first.seed,
        start_energy_eV=first.start_energy_eV,
    )
    return Chain(
        profile=profile,
        keys=(first.key, second.key),
        junction_mismatch_eV=abs(ends[0] - ends[1]),
    )


def first_chain(results: Sequence[BarrierResult]) -> Chain | None:
    """Return the chain of the first two converged hops, in the order given, that share a start.

    Sharing a start means one ion's site; the other ends must be different sites. Nothing is chosen
    by energy.
    """
    good = [r for r in results if r.verdict == "converged" and r.structure is not None]
    for i, one in enumerate(good):
        for two in good[i + 1 :]:
            if _same_place(one, two, 0) and not _same_place(one, two, -1):
                return join_at_end(one, two)
    return None


def _same_place(one: BarrierResult, two: BarrierResult, image: int) -> bool:
    """Tell whether the ions of two hops in one cell are on one site in an image."""
    cell = one.structure
    if cell is None or two.structure is None or not np.allclose(cell.cell, two.structure.cell):
        return False
    away = one.positions[image, one.ion] - two.positions[image, two.ion]
    return bool(np.linalg.norm(minimum_image(away, cell.cell, cell.pbc)) < SAME_SITE_ANG)


def _end_energy(hop: BarrierResult) -> float:
    """Return the total energy of a hop's last image in eV."""
    if hop.start_energy_eV is None:
        raise EvidenceError(f"Hop {hop.key} carries no total energy, so nothing joins it.")
    return float(hop.start_energy_eV + hop.energies_eV[-1])
