"""Pockets of an ion on a chain: put in by geometry, relaxed, and told apart by what holds the ion.

The ion is put into every pocket near the chain's middle and relaxed; two pockets whose coordination
sets differ make a hop (`superionic.structures.pockets.neighbouring_pair`). Energies are not asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.barriers import HopVerdict
from superionic.analysis.chain_hops import CoordinationSet
from superionic.structures.connectivity import changed_bonds
from superionic.structures.errors import InvalidStructureError, ProtocolError
from superionic.structures.molecule import Molecule
from superionic.structures.pockets import (
    Pocket,
    candidate_pockets,
    coordination_set,
    neighbouring_pair,
    with_ion,
)
from superionic.structures.structure import readonly
from superionic.workflows.barrier import BarrierSettings
from superionic.workflows.execution import job
from superionic.workflows.relax import RelaxResult, RelaxSettings, relax
from superionic.workflows.scan import ScanSettings
from superionic.workflows.tethers import Tethers, tethered
from superionic.workflows.theory import get_theory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ase.calculators.calculator import BaseCalculator
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "ChainHopSettings",
    "ChainSystem",
    "RelaxedPocket",
    "choose_pair",
    "middle_pockets",
    "relax_pocket",
]


@dataclass(frozen=True)
class ChainHopSettings:
    """How hops along a chain are found and computed.

    Attributes
    ----------
    pocket_size : int
        Neighbouring donors among which the ion is put.
    pockets : int
        Pockets relaxed, those nearest to the middle of the chain.
    reach : int
        Pockets at most this far apart along the chain make a hop.
    cutoff_ang : float
        A donor within this distance holds the ion, in angstrom.
    distance_ang : float
        Distance of ion and donors wished for when the ion is put in, in angstrom.
    relax : RelaxSettings
        Of each pocket.
    barrier : BarrierSettings
        Of the band.
    drag : ScanSettings
        Of the drags along and against the hop.
    levels : tuple of str
        Levels of theory of single points on the stationary images.
    seed : int
        Of the places where the ion is put.
    """

    pocket_size: int = 3
    pockets: int = 4
    reach: int = 3
    cutoff_ang: float = 3.2
    distance_ang: float = 2.4
    relax: RelaxSettings = field(
        default_factory=lambda: RelaxSettings(fmax_eV_per_A=0.02, max_steps=400)
    )
    barrier: BarrierSettings = field(default_factory=BarrierSettings)
    drag: ScanSettings = field(default_factory=lambda: ScanSettings(step_fractional=0.1))
    levels: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        if self.pockets < 2 or self.reach < 1 or self.cutoff_ang <= 0:
            raise ProtocolError(
                "A hop needs two or more pockets, a reach of 1 or more and a positive cutoff; got "
                f"{self.pockets}, {self.reach} and {self.cutoff_ang}."
            )


@dataclass(frozen=True, eq=False)
class ChainSystem:
    """A chain, whatever is beside it, and the ion that is to hop.

    Attributes
    ----------
    name : str
        What to call it.
    molecule : Molecule
        Chain first, without the ion.
    donors : tuple of int
        The chain's donors in order along it.
    ion : str
        Element of the ion.
    ion_charge : int
        Its charge in e.
    tethers : Tethers
        What holds the chain's ends, and the frame of what is beside it.
    """

    name: str
    molecule: Molecule
    donors: tuple[int, ...]
    ion: str
    ion_charge: int
    tethers: Tethers

    @property
    def ion_index(self) -> int:
        """Index of the ion: the last atom."""
        return len(self.molecule)

    @property
    def charge(self) -> int:
        """Of all, in e."""
        return self.molecule.charge + self.ion_charge

    def with_ion_at(self, pocket: Pocket) -> Molecule:
        """Return all atoms with the ion in a pocket."""
        return with_ion(self.molecule, self.ion, self.ion_charge, pocket.position)

    def coordination(self, positions: ArrayLike, cutoff_ang: float) -> CoordinationSet:
        """Return which donors hold the ion, by their number along the chain from 1."""
        held = coordination_set(positions, self.ion_index, self.donors, cutoff_ang=cutoff_ang)
        return tuple(sorted(self.donors.index(d) + 1 for d in held))

    def calculator(self, theory: str) -> BaseCalculator:
        """Return the calculator of a level of theory for all atoms, with the springs.

        Raises
        ------
        UnknownElementError, TheoryError
            The level cannot compute these atoms or this charge.
        """
        level, spin = get_theory(theory), self.molecule.spin_multiplicity
        level.check(self.molecule.structure, charge=self.charge, spin_multiplicity=spin)
        engine = level.calculator(charge=self.charge, spin_multiplicity=spin)
        return tethered(engine, self.tethers)


@dataclass(frozen=True, eq=False)
class RelaxedPocket:
    """A pocket after relaxation, and what became of it.

    Attributes
    ----------
    pocket : Pocket
        Where the ion was put.
    relaxed : RelaxResult
        The relaxation of all atoms.
    held_by : tuple of int
        The coordination set, by the donors' number along the chain from 1.
    verdict : str
        ``converged``, ``unconverged`` or ``failed``.
    reason : str
        One sentence; empty when converged.
    anchors_ang : ndarray
        Where the springs are at rest, in angstrom: they tell the frame. shape=(springs, 3)
    """

    pocket: Pocket
    relaxed: RelaxResult
    held_by: CoordinationSet
    verdict: HopVerdict
    reason: str
    anchors_ang: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Freeze the array."""
        object.__setattr__(self, "anchors_ang", readonly(self.anchors_ang, np.float64))


def middle_pockets(system: ChainSystem, settings: ChainHopSettings) -> tuple[Pocket, ...]:
    """Return the pockets nearest to the middle of the chain, in order along it."""
    found = candidate_pockets(
        system.molecule, system.donors, size=settings.pocket_size,
        distance_ang=settings.distance_ang, seed=settings.seed,
    )  # fmt: skip
    first = max(0, (len(found) - settings.pockets) // 2)
    return found[first : first + settings.pockets]


@job(version=2, name="pocket")
def pocket_task(
    system: ChainSystem,
    pocket: Pocket,
    theory: str,
    settings: ChainHopSettings,
    alone: RelaxedPocket | None = None,
) -> RelaxedPocket:
    """Relax the ion in a pocket at a level of theory; see `relax_pocket`."""
    return relax_pocket(
        system, pocket, calculator=system.calculator(theory), settings=settings, theory=theory,
        alone=alone,
    )  # fmt: skip


def relax_pocket(
    system: ChainSystem,
    pocket: Pocket,
    *,
    calculator: BaseCalculator,
    settings: ChainHopSettings,
    theory: str = "",
    alone: RelaxedPocket | None = None,
) -> RelaxedPocket:
    """Relax all atoms with the ion in a pocket, and say what holds it then.

    Parameters
    ----------
    system, pocket
        Where to start.
    calculator
        Any ASE calculator for all atoms, springs included.
    settings
        Criterion and cutoff.
    theory
        Name recorded in the result.
    alone
        The same pocket of the same chain with nothing beside it: chain and ion start as they are
        there.
    """
    molecule = system.with_ion_at(pocket)
    if alone is not None:
        molecule = _seated(molecule, system, alone)
    found = relax(
        molecule.structure, calculator=calculator, settings=settings.relax, theory=theory,
        label=f"pocket {pocket.label}", max_step_ang=settings.barrier.ends.max_step_ang,
        molecular=True,
    )  # fmt: skip
    positions = found.structure.positions
    verdict: HopVerdict = "converged"
    reason = what_broke(molecule, positions)
    if reason:
        verdict = "failed"
    elif not found.converged:
        verdict = "unconverged"
        reason = (
            f"The pocket did not relax: fmax {found.fmax_eV_per_A:.3f} eV/A after "
            f"{found.force_calls} force calls."
        )
    held = system.coordination(positions, settings.cutoff_ang)
    return RelaxedPocket(pocket, found, held, verdict, reason, system.tethers.anchors)


def _seated(molecule: Molecule, system: ChainSystem, alone: RelaxedPocket) -> Molecule:
    """Return all atoms with chain and ion as they are without what is beside them."""
    before = alone.relaxed.structure.positions
    count = len(before) - 1
    ends = [k for k in system.tethers.atoms if k < count]
    if not ends or count > system.ion_index:
        raise InvalidStructureError(
            f"Expected a pocket of the same chain, its ends tethered in the same way; got one of "
            f"{count} atoms for {system.name} of {system.ion_index}."
        )
    shift = system.molecule.positions[ends].mean(axis=0) - alone.anchors_ang[: len(ends)].mean(
        axis=0
    )
    positions = molecule.positions.copy()
    positions[:count] = before[:-1] + shift
    positions[-1] = before[-1] + shift
    return replace(molecule, structure=molecule.structure.with_positions(positions))


def what_broke(molecule: Molecule, positions: ArrayLike) -> str:
    """Say which covalent bonds changed, or nothing."""
    gone, new = changed_bonds(molecule, positions)
    if not gone and not new:
        return ""
    names = molecule.symbols
    told = [
        f"{what} {', '.join(f'{names[i]}{i}-{names[j]}{j}' for i, j in pairs)}"
        for what, pairs in (("broken", gone), ("formed", new))
        if pairs
    ]
    return f"Covalent bonds changed: {'; '.join(told)}."


def choose_pair(
    pockets: Sequence[RelaxedPocket | None], settings: ChainHopSettings
) -> tuple[int, int] | None:
    """Return which two relaxed pockets make the hop, by geometry alone; None where none do.

    Pockets stand in order along the chain; those without a result keep their place as None.
    """
    sets = [p.held_by if p is not None and p.verdict == "converged" else None for p in pockets]
    return neighbouring_pair(sets, reach=settings.reach)
