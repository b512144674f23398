"""Hops along a chain made up for tests: energies that can be written down."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from superionic.analysis.barriers import BarrierResult, read_profile
from superionic.analysis.chain_hops import ChainHop, SinglePoints
from superionic.analysis.scans import ScanProfile, scan_profile
from superionic.structures.structure import Structure

SETS = ((3, 4, 5), (4, 5), (4, 5, 6))


def chain_hop(
    name: str = "PEO",
    energies: Sequence[float] = (0.0, 0.3, 0.1, 0.4, 0.05),
    *,
    drags: bool = True,
    levels: bool = False,
) -> ChainHop:
    """A converged hop of a sodium ion beside three oxygens, with these energies."""
    barrier = _barrier(name, energies)
    images = len(energies)
    sets = tuple(SETS[min(2, 3 * k // images)] for k in range(images))
    difference = float(energies[-1] - energies[0])
    scans = (_drag(name, difference, 1.0), _drag(name, -difference, 1.1)) if drags else ()
    points = (SinglePoints("pyscf-pbe", (0, images - 1), np.array([0.0, 0.2])),) if levels else ()
    return ChainHop(
        name=name,
        barrier=barrier,
        donors=(0, 1, 2),
        cutoff_ang=3.2,
        sets=sets,
        ends=(sets[0], sets[-1]),
        difference_eV=difference,
        spring_eV=np.linspace(0.0, 0.02, images),
        charge=1,
        spin_multiplicity=1,
        drags=scans,
        levels=points,
    )


def no_hop(name: str = "CPE", reason: str = "Both ends relaxed into one pocket.") -> ChainHop:
    """A hop without a value."""
    empty = np.zeros(0)
    barrier = BarrierResult(
        key=name, site_types=("3+4", "3+4"), mechanism="interstitial", environment="bulk",
        length_ang=1.0, depth_ang=None, direction=None, verdict="other-basin", reason=reason,
        forward_barrier_eV=None, reverse_barrier_eV=None, reaction_energy_eV=None, converged=False,
        fmax_eV_per_A=None, fmax_target_eV_per_A=0.05, force_calls=12, coordinate_ang=empty,
        ion_coordinate=empty, energies_eV=empty, positions=np.zeros((0, 4, 3)), structure=None,
        ion=3, minima=(), images_below_ends=(), other_ion_displacement_ang=None,
        theory="gfn1-xtb", seed=0,
    )  # fmt: skip
    return ChainHop(
        name=name, barrier=barrier, donors=(0, 1, 2), cutoff_ang=3.2, sets=(),
        ends=((3, 4), (3, 4)), difference_eV=0.0, spring_eV=empty, charge=1, spin_multiplicity=13,
    )  # fmt: skip


def _barrier(name: str, energies: Sequence[float]) -> BarrierResult:
    values = np.asarray(energies, dtype=float)
    reading = read_profile(values)
    images = len(values)
    x = np.linspace(0.0, 1.0, images)
    structure = Structure(
        numbers=np.array([8, 8, 8, 11]),
        positions=np.array([[0.0, 0, 0], [2.8, 2.0, 0], [5.6, 0, 0], [1.4, 1.0, 2.0]]),
        cell=30.0 * np.eye(3),
        pbc=(False, False, False),
    )
    positions = np.repeat(structure.positions[None], images, axis=0)
    positions[:, 3, 0] += 2.8 * x
    return BarrierResult(
        key=name, site_types=("3+4+5", "4+5+6"), mechanism="interstitial", environment="bulk",
        length_ang=2.8, depth_ang=None, direction=None, verdict="converged", reason="",
        forward_barrier_eV=reading.forward_barrier_eV,
        reverse_barrier_eV=reading.reverse_barrier_eV,
        reaction_energy_eV=reading.reaction_energy_eV, converged=True, fmax_eV_per_A=0.04,
        fmax_target_eV_per_A=0.05, force_calls=321, coordinate_ang=4.0 * x, ion_coordinate=x,
        energies_eV=values, positions=positions, structure=structure, ion=3,
        minima=reading.minima, images_below_ends=(), other_ion_displacement_ang=0.0,
        theory="gfn1-xtb", seed=0,
    )  # fmt: skip


def _drag(name: str, difference: float, scale: float) -> ScanProfile:
    x = np.linspace(0.0, 1.0, 11)
    return scan_profile(
        route=name,
        kind="relaxed",
        hop_key=name,
        coordinate=x,
        energies_eV=0.4 * scale * np.sin(np.pi * x) + difference * x,
        ion_positions=np.column_stack([2.8 * x, 0 * x, 0 * x]),
        theory="gfn1-xtb",
        constraint="ion held in the plane normal to the route, all else relaxed",
        force_calls=100,
        fmax_eV_per_A=np.full(11, 0.02),
        fmax_target_eV_per_A=0.05,
    )
