"""Slabs of disordered crystals: cut first, then fill the shared sites of that very slab.

Ordering a crystal and then cutting it leaves the mobile ions where the bulk wanted them, and a
polar cut needs a repeat large enough to share its ions between both faces. Here the average crystal
is cut, the ions of the boundary plane get their sites on both faces, and the arrangement of lowest
electrostatic energy is searched in the cell of the slab, vacuum included. The composition is the
nearest that whole atoms allow; what it is, is part of the result.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from ase.data import atomic_numbers

from superionic.structures.axes import EMPTY, Frame
from superionic.structures.depths import MINIMUM_VACUUM_ANG
from superionic.structures.disordered import DisorderedStructure, format_formula
from superionic.structures.drafts import Draft, cut_slab, place
from superionic.structures.errors import InvalidSlabError
from superionic.structures.ordering import OrderedCandidate, ordered_candidates
from superionic.structures.polarity import POLAR_TOLERANCE_E_PER_ANG, dipole_e_ang
from superionic.structures.slab import Slab, finished
from superionic.structures.slab_filling import (
    Parent,
    cleaved,
    parent_of,
    wanted_and_excess,
    whole_filling,
)
from superionic.structures.surfaces import check_slab_arguments
from superionic.structures.terminations import Termination, choose_termination, find_cuts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike

    from superionic.structures.cuts import Cleavage
    from superionic.structures.terminations import Cuts


MAX_DIPOLE_E_PER_ANG = 0.02
"""Largest dipole per area of an arrangement by default, in e/A: a fifth of that of the polar
Li|TiP cut of NASICON (001). Whole atoms in a small cell seldom leave none at all."""
DIPOLE_ENERGY_EV_ANG = 2 * np.pi * 14.399645
"""Times the squared dipole over the volume, what an isolated slab has more than a periodic one
(Yeh and Berkowitz, J. Chem. Phys. 111, 3155 (1999), doi:10.1063/1.479595), in eV A."""
DIPOLE_WEIGHTS = (1.0, 10.0, 100.0, 1000.0)
"""Multiples of the energy of the dipole in successive searches."""
SEARCHED = 50
"""Arrangements looked at in each search."""


@dataclass(frozen=True, eq=False)
class OrderedSlab:
    """A slab of whole atoms cut from a disordered crystal.

    Attributes
    ----------
    slab : Slab
        Atoms, faces and empty sites; ``polar`` and the dipole are those of this arrangement, which
        is not the repeating dipole of a polar cut.
    wanted : str
        Formula of the crystal, for as much of it as the slab holds.
    found : str
        Formula of the slab.
    excess : dict
        Element -> atoms in the slab more than wanted (fewer: negative). Empty when exact.
    ewald_energy_eV : float
        Electrostatic energy of the formal charges of the isolated slab in eV per cell.
    above_lowest_eV : float
        Above the lowest arrangement found, however polar, in eV: large where the cell is too small
        for an even sharing of ions between both faces.
    arrangements : int
        Ways to fill the sites, symmetry not used.
    exhaustive : bool
        True when all of them were tried.
    """

    slab: Slab
    wanted: str
    found: str
    excess: dict[str, float]
    ewald_energy_eV: float
    above_lowest_eV: float
    arrangements: int
    exhaustive: bool


def slab_terminations(
    crystal: DisorderedStructure,
    miller: tuple[int, int, int],
    *,
    pool: Sequence[str],
    frame: Frame | ArrayLike = "conventional",
    keep_together: Sequence[tuple[str, str]] | None = None,
    oxidation_states: Mapping[str, float] | None = None,
) -> tuple[Termination, ...]:
    """Return the symmetry-distinct ways to end a disordered crystal along a plane.

    Parameters as in :func:`ordered_slabs`, whose ``termination`` takes an index or name from here.
    """
    parent = parent_of(crystal, pool, oxidation_states)
    return find_cuts(cleaved(parent, miller, frame, keep_together)).distinct


def ordered_slabs(
    crystal: DisorderedStructure,
    *,
    miller: tuple[int, int, int],
    pool: Sequence[str],
    layers: int | None = None,
    min_thickness_ang: float | None = None,
    repeat: tuple[int, int] = (1, 1),
    vacuum_ang: float = 20.0,
    termination: int | str | None = None,
    frame: Frame | ArrayLike = "conventional",
    keep_together: Sequence[tuple[str, str]] | None = None,
    oxidation_states: Mapping[str, float] | None = None,
    allow_nonstoichiometric: bool = False,
    max_dipole_e_per_ang: float = MAX_DIPOLE_E_PER_ANG,
    count: int = 1,
    seed: int = 0,
) -> tuple[OrderedSlab, ...]:
    """Cut a disordered crystal and fill the sites of the slab with whole atoms.

    Li1.3Al0.3Ti1.7(PO4)3 (001): ``ordered_slabs(latp(0.3), miller=(0, 0, 1), layers=4,
    pool=("Li",))``. Shared sites of the framework take the nearest whole numbers of atoms; the
    mobile ions then make the slab neutral and spread over all their sites, those of the boundary
    plane on both faces included.

    Parameters
    ----------
    crystal
        Sites with occupancies, framework sites filled.
    miller
        The plane, in the axes of ``frame``.
    pool
        The mobile element, whose sites may be partly empty.
    layers, min_thickness_ang, repeat, vacuum_ang, frame, keep_together
        As in `superionic.structures.surfaces.build_slab`.
    termination
        Index or name of one of :func:`slab_terminations`. By default the one that is easiest to
        make and parts no stoichiometry.
    oxidation_states
        Element -> formal charge in e; the others are guessed.
    allow_nonstoichiometric
        Declare that a framework of another composition than the crystal's is wanted.
    max_dipole_e_per_ang
        Arrangements with a larger dipole per area are passed over, in e/A; infinity takes the
        lowest in energy whatever their dipole.
    count
        At most so many arrangements, the lowest in electrostatic energy.
    seed
        Of the search where not all arrangements can be tried.

    Returns
    -------
    tuple of OrderedSlab
        Ascending in electrostatic energy: re-rank them with a potential.

    Raises
    ------
    InvalidSlabError
        The framework is not stoichiometric, no whole number of mobile ions makes the slab neutral,
        every arrangement is too polar, or an argument makes no sense.
    InvalidStructureError
        The crystal has no site of the mobile element, or a framework site is partly empty.
    """
    check_slab_arguments(layers, min_thickness_ang, vacuum_ang, MINIMUM_VACUUM_ANG, repeat)
    parent = parent_of(crystal, pool, oxidation_states)
    cleavage = cleaved(parent, miller, frame, keep_together)
    cuts = find_cuts(cleavage)
    chosen = cuts.distinct if termination is None else (choose_termination(cuts, termination),)
    drafts = [
        cut_slab(
            cleavage, cuts, lower, upper=None, layers=layers,
            min_thickness_ang=min_thickness_ang, repeat=repeat,
        )
        for lower in chosen
    ]  # fmt: skip
    draft = min(drafts, key=lambda d: d.rank(POLAR_TOLERANCE_E_PER_ANG))
    if not draft.stoichiometric and not allow_nonstoichiometric:
        raise InvalidSlabError(
            f"A slab of {draft.layers} layer(s) ended as {draft.name} is no multiple of "
            f"{parent.crystal.reduced_formula}. Take a multiple of "
            f"{draft.termination.layers_per_repeat} layers, another termination, or declare "
            "it with allow_nonstoichiometric=True."
        )
    draft = _with_both_faces(draft, cleavage, cuts, pool)
    cut = finished(draft, cleavage, miller, vacuum_ang, repeat, POLAR_TOLERANCE_E_PER_ANG)
    filling = whole_filling(cut, parent, pool)
    found = _arranged(filling, parent, pool, cut.area_ang2, max_dipole_e_per_ang, count, seed)
    lowest = found.lowest_eV
    return tuple(
        _built(cut, candidate, parent, vacuum_ang, energy, energy - lowest)
        for candidate, energy in found.kept
    )


@dataclass(frozen=True, eq=False)
class _Arranged:
    """Arrangements with their energy as isolated slabs, and the lowest energy of any, in eV."""

    kept: tuple[tuple[OrderedCandidate, float], ...]
    lowest_eV: float


def _arranged(
    filling: DisorderedStructure,
    parent: Parent,
    pool: Sequence[str],
    area_ang2: float,
    max_dipole_e_per_ang: float,
    count: int,
    seed: int,
) -> _Arranged:
    """Search arrangements of low energy, weighing the dipole ever more until it is small enough."""
    heights = filling.positions[:, 2] - filling.positions[:, 2].mean()
    once = DIPOLE_ENERGY_EV_ANG / filling.volume * np.outer(heights, heights)
    lowest, smallest = np.inf, np.inf
    for weight in DIPOLE_WEIGHTS:
        candidates = ordered_candidates(
            filling, supercell=(1, 1, 1), pool=tuple(pool), count=max(count, SEARCHED), seed=seed,
            oxidation_states=parent.by_element, extra_eV_per_e2=weight * once,
        )  # fmt: skip
        good = []
        for candidate in candidates:
            atoms = candidate.structure
            charges = np.array([parent.by_element[s] for s in atoms.symbols])
            dipole = abs(dipole_e_ang(charges, atoms.positions[:, 2]))
            # the search's own energy holds the weighted energy of the dipole
            extra = (weight - 1.0) * DIPOLE_ENERGY_EV_ANG / filling.volume * dipole**2
            energy = candidate.ewald_energy_eV - extra
            lowest, smallest = min(lowest, energy), min(smallest, dipole / area_ang2)
            if dipole / area_ang2 <= max_dipole_e_per_ang:
                good.append((candidate, energy))
        if good:
            good.sort(key=lambda pair: pair[1])
            return _Arranged(tuple(good[:count]), lowest)
    raise InvalidSlabError(
        f"Every arrangement of {parent.crystal.reduced_formula} in this slab is polar: the least "
        f"dipole found is {smallest:.4f} e/A, expected at most {max_dipole_e_per_ang:g}. Take "
        "another repeat or termination, or raise max_dipole_e_per_ang."
    )


def _with_both_faces(draft: Draft, cleavage: Cleavage, cuts: Cuts, pool: Sequence[str]) -> Draft:
    """Add the sites of mobile ions where the crystal would go on, if the other face ends in them.

    The planes of mobile ions next to a cut belong to one face or the other; either may hold them.
    """
    low, high = draft.between
    numbers = cleavage.crystal.numbers
    mobile = {atomic_numbers[s] for s in pool} | {EMPTY}
    for plane in ((high, cuts.after(high)), (cuts.before(low), low)):
        beyond = place(cleavage, *plane, draft.repeat)
        kinds = set(numbers[beyond.atoms].tolist())
        if kinds <= mobile and kinds != {EMPTY}:
            draft = replace(draft, empty=draft.empty.joined(beyond))
    return draft


def _built(
    cut: Slab,
    candidate: OrderedCandidate,
    parent: Parent,
    vacuum_ang: float,
    energy_eV: float,
    above_lowest_eV: float,
) -> OrderedSlab:
    """Describe one arrangement; the vacuum is measured from the atoms that it has."""
    atoms = candidate.structure
    heights = atoms.positions[:, 2]
    thickness = float(np.ptp(heights))
    height = thickness + vacuum_ang
    lift = np.array([0.0, 0.0, 0.5 * (height - float(heights.min() + heights.max()))])
    cell = atoms.cell.copy()
    cell[2] = [0.0, 0.0, height]
    charges = np.array([parent.by_element[s] for s in atoms.symbols])
    dipole = dipole_e_ang(charges, heights)
    slab = replace(
        cut,
        structure=replace(atoms, positions=atoms.positions + lift, cell=cell),
        thickness_ang=thickness,
        dipole_e_ang=dipole,
        net_charge_e=float(charges.sum()),
        polar=bool(abs(dipole) / cut.area_ang2 > POLAR_TOLERANCE_E_PER_ANG),
        stoichiometric=cut.stoichiometric,
        moved=(),
        empty_sites=candidate.empty_sites + lift,
        empty_labels=candidate.empty_labels,
    )
    wanted, excess = wanted_and_excess(atoms, parent)
    return OrderedSlab(
        slab=slab,
        wanted=format_formula(wanted),
        found=atoms.formula,
        excess=excess,
        ewald_energy_eV=energy_eV,
        above_lowest_eV=above_lowest_eV,
        arrangements=candidate.arrangements,
        exhaustive=candidate.exhaustive,
    )


__all__ = [
    "DIPOLE_ENERGY_EV_ANG",
    "DIPOLE_WEIGHTS",
    "MAX_DIPOLE_E_PER_ANG",
    "SEARCHED",
    "OrderedSlab",
    "ordered_slabs",
    "slab_terminations",
]
