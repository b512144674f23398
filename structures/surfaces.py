"""Slabs of any crystal along any plane: whole polyanions, declared faces, polarity reported."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.axes import EMPTY, Frame
from superionic.structures.cuts import Cleavage, cleave
from superionic.structures.depths import MINIMUM_VACUUM_ANG, vacuum_axis
from superionic.structures.disordered import DisorderedStructure
from superionic.structures.drafts import compensated, cut_slab
from superionic.structures.errors import InvalidSlabError
from superionic.structures.oxidation import check_states
from superionic.structures.polarity import POLAR_TOLERANCE_E_PER_ANG
from superionic.structures.slab import Slab, finished
from superionic.structures.structure import Structure, check_no_overlap
from superionic.structures.symmetry import SYMPREC_ANG
from superionic.structures.terminations import (
    Cuts,
    Termination,
    choose_termination,
    find_cuts,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike

__all__ = ["Slab", "Termination", "build_slab", "oriented_cell", "terminations", "vacuum_axis"]


def terminations(
    structure: Structure | DisorderedStructure,
    miller: tuple[int, int, int],
    *,
    frame: Frame | ArrayLike = "conventional",
    keep_together: Sequence[tuple[str, str]] | None = None,
    oxidation_states: Mapping[str, float] | None = None,
    symprec: float = SYMPREC_ANG,
) -> tuple[Termination, ...]:
    """Return the symmetry-distinct ways to end a crystal along a plane, the easiest first.

    Parameters as in :func:`build_slab`, whose ``termination`` takes an index or name from here.
    """
    crystal, _, _ = _ordered(structure, None, ())
    check_states(oxidation_states, (*crystal.symbols, *crystal.labels))
    cleavage = cleave(
        crystal, miller, frame=frame, keep_together=keep_together,
        oxidation_states=oxidation_states, symprec=symprec,
    )  # fmt: skip
    return find_cuts(cleavage).distinct


def oriented_cell(
    structure: Structure | DisorderedStructure,
    miller: tuple[int, int, int],
    *,
    frame: Frame | ArrayLike = "conventional",
    straight: bool = False,
    symprec: float = SYMPREC_ANG,
) -> Structure:
    """Return the bulk crystal in a cell whose first two vectors span a plane.

    Parameters
    ----------
    structure
        Ordered crystal in any cell.
    miller
        The plane, in the axes of ``frame`` (as in :func:`build_slab`).
    straight
        Repeat the cell until its third vector is normal to the plane, instead of the shortest,
        oblique cell.
    symprec
        Tolerance in angstrom for the symmetry of the crystal.

    Returns
    -------
    Structure
        a along x, b in the xy plane, the normal of the plane along z.

    Raises
    ------
    InvalidSlabError
        ``straight`` and no lattice vector of up to 24 repeats is normal to the plane.
    """
    crystal, _, _ = _ordered(structure, None, ())
    cleavage = cleave(crystal, miller, frame=frame, symprec=symprec)
    lattice = cleavage.basis @ cleavage.crystal.cell @ cleavage.frame.T
    cell = replace(cleavage.crystal, positions=cleavage.positions @ cleavage.frame.T, cell=lattice)
    if not straight:
        return cell
    upright = np.vstack([lattice[:2], [0.0, 0.0, 1.0]])
    for count in range(1, 25):
        across = (count * lattice[2]) @ np.linalg.inv(upright)
        if abs(across[:2] - np.rint(across[:2])).max() < 1e-3:
            upright[2] *= across[2]
            return replace(cell.repeat((1, 1, count)), cell=upright)
    raise InvalidSlabError(
        f"No lattice vector of up to 24 repeats is normal to the plane {miller} of "
        f"{cleavage.setting}. Use straight=False."
    )


def build_slab(
    structure: Structure | DisorderedStructure,
    *,
    miller: tuple[int, int, int],
    layers: int | None = None,
    min_thickness_ang: float | None = None,
    vacuum_ang: float = 20.0,
    repeat: tuple[int, int] = (1, 1),
    frame: Frame | ArrayLike = "conventional",
    termination: int | str | None = None,
    top_termination: int | str | None = None,
    keep_together: Sequence[tuple[str, str]] | None = None,
    compensate: bool = False,
    allow_polar: bool = False,
    allow_nonstoichiometric: bool = False,
    oxidation_states: Mapping[str, float] | None = None,
    empty_sites: ArrayLike | None = None,
    empty_labels: Sequence[str] = (),
    minimum_vacuum_ang: float = MINIMUM_VACUUM_ANG,
    polar_tolerance_e_per_ang: float = POLAR_TOLERANCE_E_PER_ANG,
    symprec: float = SYMPREC_ANG,
    seed: int = 0,
) -> Slab:
    """Cut a slab out of a crystal.

    Parameters
    ----------
    structure
        Ordered crystal in any cell; it is reduced to its primitive cell first, so every cell of a
        crystal gives the same slab. Empty sites of a `DisorderedStructure` are carried along.
    miller
        The plane, in the axes of ``frame``.
    layers
        Thickness in slices between equivalent cuts (`Termination.layers_per_repeat` make one
        lattice repeat): TO4 layers for NASICON (001).
    min_thickness_ang
        The least thickness in angstrom from the lowest to the highest atom; give this or
        ``layers``.
    vacuum_ang
        Empty height between a slab and its image, in angstrom.
    repeat
        Repeats of the smallest in-plane cell.
    frame
        Whose axes ``miller`` refers to: see `superionic.structures.axes.crystal_setting`.
    termination
        Index or name of one of :func:`terminations`. By default the cut whose slab, before any
        compensation, is stoichiometric, then not polar, then the easiest (the bond valence parted
        plus the charge on either face, per area: `superionic.structures.terminations.difficulty`),
        then the first of the list.
    top_termination
        Another cut for the upper face: the next one of this kind at or above ``layers`` slices.
    keep_together
        Pairs of elements whose bonds are never parted; None decides by chemistry (see
        `superionic.structures.polyanions.covalent_bonds`).
    compensate
        Remove the dipole of a polar cut by moving ions of the outermost plane of one face to the
        sites that continue the crystal at the other (see
        `superionic.structures.compensation.balance`).
    allow_polar, allow_nonstoichiometric
        Declare that such a slab is wanted. The first also accepts a crystal whose formal charges
        do not balance; what is left over is spread over all atoms.
    oxidation_states
        Formal charges in e by element or site label; guessed where not given.
    empty_sites, empty_labels
        Known empty sites of the crystal (Cartesian, angstrom, shape=(m, 3)), carried along.
    minimum_vacuum_ang
        A thinner vacuum is refused: the two faces would see each other.
    polar_tolerance_e_per_ang
        Dipole per area, in e/A, above which a slab is polar.
    symprec
        Tolerance in angstrom for the symmetry of the crystal.
    seed
        Chooses among equivalent patterns of moved ions.

    Raises
    ------
    InvalidSlabError
        The slab is polar or non-stoichiometric and was not declared so, the vacuum is too thin, or
        an argument makes no sense.
    InvalidStructureError
        An oxidation state is given for what is not there, or is no number.
    PartialOccupancyError
        The crystal is disordered.
    """
    check_slab_arguments(layers, min_thickness_ang, vacuum_ang, minimum_vacuum_ang, repeat)
    crystal, empty_sites, empty_labels = _ordered(structure, empty_sites, empty_labels)
    check_states(oxidation_states, (*crystal.symbols, *crystal.labels))
    cleavage = cleave(
        crystal, miller, frame=frame, keep_together=keep_together, symprec=symprec,
        oxidation_states=oxidation_states, allow_charged=allow_polar, empty_sites=empty_sites,
        empty_labels=empty_labels,
    )  # fmt: skip
    cuts = find_cuts(cleavage)
    upper = None if top_termination is None else choose_termination(cuts, top_termination)
    candidates = cuts.distinct if termination is None else (choose_termination(cuts, termination),)
    drafts = [
        cut_slab(
            cleavage, cuts, lower, upper=upper, layers=layers,
            min_thickness_ang=min_thickness_ang, repeat=repeat,
        )
        for lower in candidates
    ]  # fmt: skip
    draft = min(drafts, key=lambda d: d.rank(polar_tolerance_e_per_ang))
    if compensate:
        draft = compensated(draft, cleavage, cuts, seed=seed)
    slab = finished(draft, cleavage, miller, vacuum_ang, repeat, polar_tolerance_e_per_ang)
    if not slab.stoichiometric and not allow_nonstoichiometric:
        raise InvalidSlabError(_not_stoichiometric(slab, cleavage))
    if slab.polar and not allow_polar:
        raise InvalidSlabError(_polar(slab, cuts, draft.why_not))
    check_no_overlap(slab.structure)
    return slab


def _ordered(
    structure: Structure | DisorderedStructure,
    empty_sites: ArrayLike | None,
    empty_labels: Sequence[str],
) -> tuple[Structure, ArrayLike | None, Sequence[str]]:
    """Return whole atoms of a crystal and its known empty sites."""
    ordered = structure if isinstance(structure, Structure) else structure.to_structure()
    if not all(ordered.pbc) or vacuum_axis(ordered, min_gap_ang=MINIMUM_VACUUM_ANG) is not None:
        raise InvalidSlabError(
            "Expected a crystal that fills its cell and repeats in all three directions; this one "
            f"has pbc={ordered.pbc} or a gap of {MINIMUM_VACUUM_ANG:g} A. A slab cannot be cut "
            "again: start from the bulk crystal."
        )
    if isinstance(structure, Structure):
        return ordered, empty_sites, empty_labels
    if empty_sites is not None:
        return ordered, empty_sites, empty_labels
    free = [k for k, o in enumerate(structure.occupancies) if sum(o.values()) < 0.5]
    return ordered, structure.positions[free], [structure.labels[k] for k in free]


def check_slab_arguments(
    layers: int | None,
    min_thickness_ang: float | None,
    vacuum_ang: float,
    minimum_vacuum_ang: float,
    repeat: tuple[int, int],
) -> None:
    """Refuse arguments that make no slab."""
    if (layers is None) == (min_thickness_ang is None):
        raise InvalidSlabError(
            "Give the thickness either as layers=... or as min_thickness_ang=...; got "
            f"layers={layers} and min_thickness_ang={min_thickness_ang}."
        )
    if layers is not None and layers < 1:
        raise InvalidSlabError(f"A slab needs at least one layer; got layers={layers}.")
    if min_thickness_ang is not None and not 0.0 < min_thickness_ang < 1e3:
        raise InvalidSlabError(
            f"min_thickness_ang must lie between 0 and 1000 A; got {min_thickness_ang}."
        )
    if len(repeat) != 2 or min(repeat) < 1 or any(int(n) != n for n in repeat):
        raise InvalidSlabError(f"repeat needs two whole numbers of at least 1; got {repeat}.")
    if not minimum_vacuum_ang <= vacuum_ang < 1e3:
        raise InvalidSlabError(
            f"The vacuum must be at least {minimum_vacuum_ang:g} A thick, or the two faces see "
            f"each other through it; got {vacuum_ang:g} A. Give a larger vacuum_ang (20 is usual), "
            "or lower minimum_vacuum_ang if the cutoff of your potential is shorter."
        )


def _not_stoichiometric(slab: Slab, cleavage: Cleavage) -> str:
    """Return the message for a slab whose composition is not that of the crystal."""
    atoms = cleavage.crystal.take(np.flatnonzero(cleavage.crystal.numbers != EMPTY))
    return (
        f"A slab of {slab.layers} layer(s) ended as {slab.termination} holds "
        f"{slab.structure.formula}, not a multiple of {atoms.formula}. Take a multiple of "
        f"{slab.layers_per_repeat} layers with one kind of cut, another termination, or declare it "
        "with allow_nonstoichiometric=True."
    )


def _polar(slab: Slab, cuts: Cuts, why_not: str) -> str:
    """Return the message for a polar slab, with the ways out of it."""
    flat = [f"termination={t.index} ({t.name})" for t in cuts.distinct if not t.polar]
    ways = [
        f"compensate=True did not do: {why_not}; an even in-plane repeat such as (2, 1) can help"
        if why_not
        else "Try compensate=True",
        f"non-polar cuts are {', '.join(flat)}" if flat else "no other cut is non-polar",
        "or declare it with allow_polar=True",
    ]
    return (
        f"The slab ended as {slab.termination} is polar (Tasker type III): its dipole is "
        f"{slab.dipole_e_ang:+.3f} e A by formal charges, {slab.dipole_per_area_e_per_ang:+.5f} "
        f"e/A per area. {'; '.join(ways)}."
    )
