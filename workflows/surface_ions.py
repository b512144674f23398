"""Where the mobile ions of a face want to sit: other places for them, tried side by side.

Electrostatics fills the sites that a crystal would have gone on with; at a surface the ions often
prefer others. Each mobile ion near the face is put on other places of it, a few steps tell which
are worth relaxing, and the lowest relaxed face is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from superionic.structures.depths import slab_faces, vacuum_axis
from superionic.structures.errors import (
    AdsorptionError,
    InvalidSlabError,
    ProtocolError,
    TaskFailedError,
)
from superionic.structures.molecule import Molecule, framed
from superionic.workflows.binding_tasks import Electrons, relax_held_task, wider
from superionic.workflows.start_task import start_task

if TYPE_CHECKING:
    from superionic.structures.structure import Structure
    from superionic.workflows.relax import RelaxResult, RelaxSettings

NEUTRAL = Electrons()
"""A slab without charge, spins paired."""


@dataclass(frozen=True)
class SurfaceIonSettings:
    """How mobile ions of a face are tried elsewhere.

    Attributes
    ----------
    depth_ang : float
        Ions this near to the outermost atom are moved, in angstrom.
    places : int
        Places tried for each.
    screen_steps : int
        Optimiser steps of every trial before the best are chosen.
    keep : int
        How many, the lowest in energy then, are relaxed to the end.
    rounds : int
        Rounds at most; the next one starts from the lowest face of the last.
    accept_eV : float
        A face counts as lower by more than this, in eV; a round without one is the last.
    seed : int
        Of the choice of places.
    """

    depth_ang: float = 2.0
    places: int = 4
    screen_steps: int = 15
    keep: int = 2
    rounds: int = 2
    accept_eV: float = 0.01
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        counts = (self.places, self.keep, self.rounds)
        if self.depth_ang <= 0 or min(counts) < 1 or self.screen_steps < 0 or self.accept_eV < 0:
            raise ProtocolError(
                "Moving surface ions needs depth_ang > 0, places, keep and rounds >= 1, "
                f"screen_steps and accept_eV >= 0; got {self}."
            )


@dataclass(frozen=True, eq=False)
class SurfaceIonResult:
    """The lowest face found.

    Attributes
    ----------
    structure : Structure
        Relaxed, atoms in their order.
    energy_eV : float
        Its energy in eV.
    fell_eV : float
        How far below the face given, in eV; zero where none was lower.
    tried : int
        Places tried.
    relaxed : int
        Of those relaxed to the end and converged.
    exhausted : bool
        The last round found nothing lower; if not, the limit of rounds ended the search.
    """

    structure: Structure
    energy_eV: float
    fell_eV: float
    tried: int
    relaxed: int
    exhausted: bool


def settle_surface_ions(
    given: RelaxResult,
    *,
    ion: str,
    theory: str,
    relax: RelaxSettings,
    settings: SurfaceIonSettings,
    held: tuple[int, ...] = (),
    side: Literal["top", "bottom"] = "top",
    host: Electrons = NEUTRAL,
) -> SurfaceIonResult:
    """Try the mobile ions of a face in other places, and return the lowest relaxed face.

    Inside ``with Run(folder):`` the trials run side by side.

    Parameters
    ----------
    given
        The relaxed slab.
    ion
        Chemical symbol of the mobile ions.
    theory
        Level of theory.
    relax
        Criterion and limit of steps.
    settings
        Which ions, how many places.
    held
        Atoms that do not move.
    side
        Which face.
    host
        Charge and spin of the slab.

    Raises
    ------
    NotConvergedError
        The slab given is not converged.
    InvalidSlabError
        It has no vacuum.
    """
    given.require_converged()
    best, tried, relaxed, exhausted = given, 0, 0, False
    for number in range(settings.rounds):
        fresh = replace(settings, seed=settings.seed + number)
        trials = resited(best.structure, ion=ion, settings=fresh, side=side)
        done = _lowest_few(trials, theory, relax, settings, held, host)
        tried, relaxed = tried + len(trials), relaxed + len(done)
        lowest = min((best, *done), key=lambda r: r.energy_eV)
        exhausted = best.energy_eV - lowest.energy_eV <= settings.accept_eV
        best = lowest
        if exhausted:
            break
    return SurfaceIonResult(
        structure=best.structure,
        energy_eV=best.energy_eV,
        fell_eV=given.energy_eV - best.energy_eV,
        tried=tried,
        relaxed=relaxed,
        exhausted=exhausted,
    )


def _lowest_few(
    trials: tuple[Structure, ...],
    theory: str,
    relax: RelaxSettings,
    settings: SurfaceIonSettings,
    held: tuple[int, ...],
    host: Electrons,
) -> list[RelaxResult]:
    """Relax trials for some steps, the lowest of them to the end; return what converged."""
    short = wider(relax, settings.screen_steps)
    screens = [start_task(relax_held_task, t, theory, short, held, host) for t in trials]
    screened = sorted((r for f in screens if (r := _or_none(f))), key=lambda r: r.energy_eV)
    finals = [
        start_task(relax_held_task, r.structure, theory, relax, held, host)
        for r in screened[: settings.keep]
    ]
    return [r for future in finals if (r := _or_none(future)) and r.converged]


def _or_none(future: Any) -> RelaxResult | None:
    """Return a relaxation, or None where it failed: atoms came too close, say."""
    try:
        result: RelaxResult = future.result()
    except TaskFailedError:
        return None
    return result


def resited(
    slab: Structure, *, ion: str, settings: SurfaceIonSettings, side: Literal["top", "bottom"]
) -> tuple[Structure, ...]:
    """Return the slab with one mobile ion of a face on another place of that face.

    Parameters
    ----------
    slab
        A slab with a vacuum.
    ion
        Chemical symbol of the mobile ions.
    settings
        Which ions, how many places.
    side
        Which face.

    Returns
    -------
    tuple of Structure
        Atoms in their order; empty where no such ion is near the face.

    Raises
    ------
    InvalidSlabError
        It has no vacuum.
    """
    from superionic.structures.adsorption import adsorption_starts

    axis = vacuum_axis(slab)
    if axis is None:
        raise InvalidSlabError("Only a slab with a vacuum has a face; this is a crystal.")
    faces = slab_faces(slab, axis)
    heights = faces.heights(slab.positions)
    depths = faces.thickness_ang - heights if side == "top" else heights
    found: list[Structure] = []
    for index in slab.indices(ion):
        if depths[index] > settings.depth_ang:
            continue
        bare = slab.without([int(index)])
        atom = Molecule(
            structure=framed([slab.numbers[index]], [[0.0, 0.0, 0.0]]),
            spin_multiplicity=1 + int(slab.numbers[index]) % 2,
            name=ion,
        )
        try:
            starts = adsorption_starts(
                bare, atom, count=settings.places, side=side, seed=settings.seed
            )
        except AdsorptionError:
            continue
        for start in starts:
            positions = slab.positions.copy()
            # the cell of the starts is another one along the vacuum: place by the atoms
            shift = bare.positions[0] - start.structure.positions[0]
            positions[index] = start.structure.positions[-1] + shift
            found.append(slab.with_positions(positions))
    return tuple(found)
