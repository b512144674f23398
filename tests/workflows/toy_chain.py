"""A chain of donors on springs and an ion they attract: pockets and barriers without a program."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from potentials import Analytic

from superionic.structures.molecule import Molecule, framed
from superionic.workflows.chain_pockets import ChainSystem
from superionic.workflows.tethers import Tethers

Array = NDArray[np.float64]

WELL_EV = 0.6
"""Depth of one donor's attraction."""
REST_ANG = 2.4
WIDTH_ANG = 0.35
HOLD = 8.0
"""Springs that hold the chain together, eV/angstrom^2."""


def zigzag(donors: int, *, step: float = 2.6, width: float = 2.2) -> Molecule:
    """Oxygens alone, in a flat zigzag."""
    along = step * np.arange(donors)
    across = np.where(np.arange(donors) % 2, width, 0.0)
    return Molecule(
        structure=framed(
            np.full(donors, 8), np.column_stack([along, across, np.zeros(donors)])
        ),
        name="toy chain",
    )  # fmt: skip


def toy_system(donors: int = 6) -> ChainSystem:
    """A zigzag whose two ends are tethered, and a sodium ion."""
    chain = zigzag(donors)
    held = (0, donors - 1)
    return ChainSystem(
        name="toy",
        molecule=chain,
        donors=tuple(range(donors)),
        ion="Na",
        ion_charge=1,
        tethers=Tethers(held, chain.positions[list(held)], 1.0),
    )


def toy_potential(system: ChainSystem, *, well_eV: float = WELL_EV) -> Analytic:
    """Each donor attracts the ion with a Gaussian of its distance; springs hold the chain."""
    rest = system.molecule.positions

    def function(positions: Array) -> tuple[float, Array]:
        chain, ion = positions[:-1], positions[-1]
        gradient = np.zeros_like(positions)
        energy = 0.5 * HOLD * ((chain - rest) ** 2).sum()
        gradient[:-1] = HOLD * (chain - rest)
        away = ion - chain
        r = np.linalg.norm(away, axis=1)
        bell = -well_eV * np.exp(-((r - REST_ANG) ** 2) / (2 * WIDTH_ANG**2))
        slope = -bell * (r - REST_ANG) / WIDTH_ANG**2
        pull = (slope / r)[:, None] * away
        gradient[-1] += pull.sum(axis=0) + 0.5 * np.array([0.0, 0.0, ion[2] - rest[0, 2]])
        gradient[:-1] -= pull
        energy += bell.sum() + 0.25 * (ion[2] - rest[0, 2]) ** 2
        return float(energy), gradient

    return Analytic(function)
