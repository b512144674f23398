"""Move mobile ions about until no single move of a tried set lowers the energy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.errors import ProtocolError
from superionic.structures.structure import Structure, minimum_image, readonly
from superionic.workflows.annealer import Annealer
from superionic.workflows.evaluation import CallCounter
from superionic.workflows.execution import job
from superionic.workflows.relax import RelaxSettings, framework_shift, relax
from superionic.workflows.theory import get_theory

if TYPE_CHECKING:
    from ase.calculators.calculator import BaseCalculator
    from numpy.typing import NDArray

__all__ = ["AnnealSettings", "OrderResult", "anneal_ions", "anneal_task"]


@dataclass(frozen=True)
class AnnealSettings:
    """How mobile ions are moved about.

    Attributes
    ----------
    max_move_ang : float
        Ions are moved to empty sites this near, in angstrom.
    max_trials : int
        Moves tried at most; reaching it is reported.
    accept_eV : float
        A move counts when it lowers the energy by more than this, in eV.
    screen_steps : int
        Optimiser steps after which a trial is dropped if it is still hopeless.
    screen_window_eV : float
        Hopeless means this much above the best, in eV.
    trial_fmax_eV_per_A : float
        Residual force of a trial, eV/angstrom.
    trial_steps : int
        Optimiser steps of a trial at most.
    final : RelaxSettings
        The last relaxation; its criterion and limit hold for the first one too.
    clash_ang : float
        A move that lands this close to another atom is not tried, in angstrom.
    seed : int
        Order of the trials.
    """

    final: RelaxSettings
    max_move_ang: float = 4.5
    max_trials: int = 30
    accept_eV: float = 0.01
    screen_steps: int = 10
    screen_window_eV: float = 0.5
    trial_fmax_eV_per_A: float = 0.1
    trial_steps: int = 60
    clash_ang: float = 1.5
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        if self.max_move_ang <= 0 or self.max_trials < 0 or self.trial_fmax_eV_per_A <= 0:
            raise ProtocolError(
                "Annealing needs max_move_ang > 0, max_trials >= 0 and trial_fmax > 0; got "
                f"{self.max_move_ang}, {self.max_trials}, {self.trial_fmax_eV_per_A}."
            )


@dataclass(frozen=True, eq=False)
class OrderResult:
    """An ordered structure, and how it was found.

    Attributes
    ----------
    structure : Structure
        Relaxed, each mobile ion labelled by the site nearest to it.
    energy_eV : float
        Its energy in eV.
    empty_sites : ndarray
        Positions of the sites no ion is nearest to, in angstrom. shape=(m, 3)
    empty_labels : tuple of str
        Their labels. length=m
    candidate_energies_eV : tuple of float
        Relaxed energies of the Ewald candidates in order of Ewald energy, in eV.
    ewald_rank : int
        Which of them, from 0, the annealing started from.
    fell_eV : float
        How far annealing lowered the energy below its relaxed start, in eV.
    moves_tried, moves_accepted : int
        Single-ion moves relaxed, and those that lowered the energy.
    moves_blocked : int
        Moves not tried because the site was too close to another atom.
    exhausted : bool
        Every move of the set was tried from the final arrangement and none lowered the energy.
    converged : bool
        The last relaxation met its criterion.
    fmax_eV_per_A : float
        Its residual force, eV/angstrom.
    force_calls : int
        Energy-and-force evaluations, those of ranking the candidates included.
    theory : str
        Level of theory.
    """

    structure: Structure
    energy_eV: float
    empty_sites: NDArray[np.float64]
    empty_labels: tuple[str, ...]
    candidate_energies_eV: tuple[float, ...]
    ewald_rank: int
    fell_eV: float
    moves_tried: int
    moves_accepted: int
    moves_blocked: int
    exhausted: bool
    converged: bool
    fmax_eV_per_A: float
    force_calls: int
    theory: str

    def __post_init__(self) -> None:
        """Freeze the array."""
        sites = np.asarray(self.empty_sites, dtype=float).reshape(-1, 3)
        object.__setattr__(self, "empty_sites", readonly(sites, np.float64))


def anneal_ions(
    structure: Structure,
    *,
    empty_sites: NDArray[np.float64],
    empty_labels: tuple[str, ...],
    ion: str,
    calculator: BaseCalculator,
    settings: AnnealSettings,
    theory: str = "",
    counter: CallCounter | None = None,
    candidate_energies_eV: tuple[float, ...] = (),
    ewald_rank: int = 0,
) -> OrderResult:
    """Lower the energy by moving single ions to empty sites nearby.

    Parameters
    ----------
    structure
        Where to start; positions of its ions and the empty sites are the sites.
    empty_sites, empty_labels
        Positions in angstrom (shape=(m, 3)) and labels of the empty sites.
    ion
        Chemical symbol of the mobile ion.
    calculator
        Any ASE calculator.
    settings
        Moves, limits, criteria.
    theory, counter, candidate_energies_eV, ewald_rank
        Recorded in the result.
    """
    counter = counter or CallCounter()
    annealer = Annealer(
        structure, np.asarray(empty_sites), empty_labels, ion, calculator, settings, counter
    )
    annealer.run()
    final = relax(
        annealer.structure,
        calculator=calculator,
        settings=settings.final,
        counter=counter,
        label="final relaxation",
    )
    empties = annealer.empties(final.structure)
    return OrderResult(
        structure=annealer.relabelled(final.structure),
        energy_eV=final.energy_eV,
        empty_sites=annealer.sites_in(final.structure.cell)[empties],
        empty_labels=tuple(annealer.labels[i] for i in empties),
        candidate_energies_eV=candidate_energies_eV,
        ewald_rank=ewald_rank,
        fell_eV=annealer.start_energy - annealer.energy,
        moves_tried=annealer.tried,
        moves_accepted=annealer.accepted,
        moves_blocked=annealer.blocked,
        exhausted=annealer.exhausted,
        converged=final.converged,
        fmax_eV_per_A=final.fmax_eV_per_A,
        force_calls=counter.calls,
        theory=theory,
    )


def reassign_ions(
    before: Structure,
    after: Structure,
    *,
    empty_sites: NDArray[np.float64],
    empty_labels: tuple[str, ...],
    ion: str,
) -> tuple[Structure, NDArray[np.float64], tuple[str, ...]]:
    """Find out again which sites are empty after mobile ions have wandered.

    Parameters
    ----------
    before
        Where every mobile ion was on the site its label names.
    after
        The same atoms, moved.
    empty_sites, empty_labels
        Positions in angstrom (shape=(m, 3)) and labels of the sites that were empty before.
    ion
        Chemical symbol of the mobile ion.

    Returns
    -------
    tuple
        ``after`` with each ion labelled by its site (sites are given out so that the sum of
        squared distances is least), and positions and labels of the sites left empty. The
        framework's drift is taken off: sites are where they were, in its frame.
    """
    from scipy.optimize import linear_sum_assignment

    mobile = before.indices(ion)
    framework = np.ones(len(before), dtype=bool)
    framework[mobile] = False
    drift = framework_shift(before.positions, after.positions, framework)
    sites = np.vstack([before.positions[mobile], np.asarray(empty_sites).reshape(-1, 3)]) + drift
    names = [*(before.labels[i] for i in mobile), *empty_labels]
    away = after.positions[mobile][:, None] - sites[None]
    flat = minimum_image(away.reshape(-1, 3), after.cell, after.pbc)
    distances = (flat**2).sum(axis=1).reshape(away.shape[:2])
    _, taken = linear_sum_assignment(distances)
    labels = list(after.labels)
    for i, k in zip(mobile, taken, strict=True):
        labels[i] = names[k]
    left = [k for k in range(len(sites)) if k not in set(taken.tolist())]
    return replace(after, labels=tuple(labels)), sites[left], tuple(names[k] for k in left)


@job(version=1, name="anneal")
def anneal_task(
    structure: Structure,
    empty_sites: NDArray[np.float64],
    empty_labels: tuple[str, ...],
    ion: str,
    theory: str,
    settings: AnnealSettings,
) -> OrderResult:
    """Anneal the mobile ions of an ordered structure; see `anneal_ions`."""
    level = get_theory(theory)
    level.check(structure)
    return anneal_ions(
        structure,
        empty_sites=empty_sites,
        empty_labels=empty_labels,
        ion=ion,
        calculator=level.calculator(),
        settings=settings,
        theory=theory,
    )
