"""Order a crystal by energy: Ewald candidates, re-ranked by a potential, then annealed.

The Ewald energy of formal charges does not find the ground state of a mobile sublattice. Here its
best candidates are relaxed at a level of theory, and from the lowest one mobile ions are moved,
one at a time, to empty sites nearby until no move of the tried set lowers the energy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.crystals import DisorderedStructure
from superionic.structures.errors import ProtocolError
from superionic.structures.ordering import ordered_candidates
from superionic.structures.structure import Structure, readonly
from superionic.workflows.annealing import AnnealSettings, OrderResult, anneal_ions
from superionic.workflows.evaluation import CallCounter
from superionic.workflows.execution import job
from superionic.workflows.relax import RelaxSettings, relax
from superionic.workflows.theory import get_theory

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class OrderSettings:
    """How to order a crystal.

    Attributes
    ----------
    anneal : AnnealSettings
        Moves of mobile ions.
    candidates : int
        Ewald candidates relaxed by the potential.
    candidate_fmax_eV_per_A : float
        Residual force of those relaxations (cell included), eV/angstrom.
    candidate_steps : int
        Their optimiser steps at most.
    min_atoms : int
        Least size of the ordered cell in atoms.
    seed : int
        Seed of the candidates' sampling.
    """

    anneal: AnnealSettings
    candidates: int = 3
    candidate_fmax_eV_per_A: float = 0.1
    candidate_steps: int = 100
    min_atoms: int = 1
    seed: int = 0


@dataclass(frozen=True, eq=False)
class OrderCandidate:
    """An ordered cell, relaxed.

    Attributes
    ----------
    structure : Structure
        The cell, relaxed with its lattice vectors.
    energy_eV : float
        Its energy in eV.
    ewald_rank : int
        Its place in Ewald energy, from 0.
    empty_sites : ndarray
        Positions of the empty sites in the relaxed cell, in angstrom. shape=(m, 3)
    empty_labels : tuple of str
        Their labels. length=m
    """

    structure: Structure
    energy_eV: float
    ewald_rank: int
    empty_sites: NDArray[np.float64]
    empty_labels: tuple[str, ...]

    def __post_init__(self) -> None:
        """Freeze the array."""
        sites = np.asarray(self.empty_sites, dtype=float).reshape(-1, 3)
        object.__setattr__(self, "empty_sites", readonly(sites, np.float64))


@dataclass(frozen=True, eq=False)
class RankedOrders:
    """Ordered cells of one crystal, the lowest in energy first.

    Attributes
    ----------
    candidates : tuple of OrderCandidate
        All that were relaxed.
    force_calls : int
        Energy-and-force evaluations of all of them.
    """

    candidates: tuple[OrderCandidate, ...]
    force_calls: int


@job(version=1, name="rank_orders")
def rank_orders_task(
    crystal: DisorderedStructure, ion: str, theory: str, settings: OrderSettings
) -> RankedOrders:
    """Relax the best Ewald candidates of a crystal with their cells, and rank them by energy.

    Parameters
    ----------
    crystal
        Sites with occupancies; mobile ions spread over all sites of their own.
    ion
        Chemical symbol of the mobile ion.
    theory
        Level of theory that ranks.
    settings
        Candidates and criteria.

    Raises
    ------
    UnknownElementError
        The level of theory does not know an element.
    PartialOccupancyError
        No cell of whole atoms is small enough.
    """
    level = get_theory(theory)
    candidates = ordered_candidates(
        crystal,
        pool=(ion,),
        count=settings.candidates,
        seed=settings.seed,
        min_atoms=settings.min_atoms,
    )
    level.check(candidates[0].structure)
    calculator, counter = level.calculator(), CallCounter()
    ranked = RelaxSettings(
        fmax_eV_per_A=settings.candidate_fmax_eV_per_A,
        max_steps=settings.candidate_steps,
        cell="full",
    )
    found = []
    for k, c in enumerate(candidates):
        label = f"candidate {k + 1} of {len(candidates)}"
        relaxed = relax(
            c.structure, calculator=calculator, settings=ranked, counter=counter, label=label
        )
        fractional = np.linalg.solve(c.structure.cell.T, c.empty_sites.T).T
        found.append(
            OrderCandidate(
                structure=relaxed.structure,
                energy_eV=relaxed.energy_eV,
                ewald_rank=k,
                empty_sites=fractional @ relaxed.structure.cell,
                empty_labels=c.empty_labels,
            )
        )
    return RankedOrders(tuple(sorted(found, key=lambda c: c.energy_eV)), counter.calls)


@job(version=1, name="anneal_order")
def anneal_order_task(
    ranked: RankedOrders, rank: int, ion: str, theory: str, settings: AnnealSettings
) -> OrderResult:
    """Anneal the mobile ions of one of the ranked cells; see `anneal_ions`.

    Parameters
    ----------
    ranked
        What `rank_orders_task` found.
    rank
        Which of them, 0 for the lowest in energy.
    ion, theory, settings
        As in `anneal_task`.

    Raises
    ------
    ProtocolError
        There are not that many.
    """
    if not 0 <= rank < len(ranked.candidates):
        raise ProtocolError(
            f"Asked for candidate {rank} in energy, but there are {len(ranked.candidates)}."
        )
    chosen = ranked.candidates[rank]
    by_ewald = sorted(ranked.candidates, key=lambda c: c.ewald_rank)
    return anneal_ions(
        chosen.structure,
        empty_sites=chosen.empty_sites,
        empty_labels=chosen.empty_labels,
        ion=ion,
        calculator=get_theory(theory).calculator(),
        settings=settings,
        theory=theory,
        counter=CallCounter(ranked.force_calls),
        candidate_energies_eV=tuple(c.energy_eV for c in by_ewald),
        ewald_rank=chosen.ewald_rank,
    )


@job(version=2, name="order")
def order_task(
    crystal: DisorderedStructure, ion: str, theory: str, settings: OrderSettings
) -> OrderResult:
    """Order a crystal: Ewald candidates, relaxed with their cells, the lowest one annealed.

    Parameters and errors as in `rank_orders_task`.
    """
    ranked = rank_orders_task(crystal, ion, theory, settings)
    return anneal_order_task(ranked, 0, ion, theory, settings.anneal)
