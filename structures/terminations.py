"""The distinct ways to end a crystal along a plane, and what each would expose."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from ase.data import chemical_symbols

from superionic.structures.cuts import Cleavage, cut_heights
from superionic.structures.errors import InvalidSlabError
from superionic.structures.polarity import (
    POLAR_TOLERANCE_E_PER_ANG,
    bond_valences,
    composition_of,
    same_stoichiometry,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SAME_CUT", "Cuts", "Termination"]

SAME_CUT = 3e-3
"""Cuts are one by symmetry when their heights agree to this, in lattice repeats."""


@dataclass(frozen=True)
class Termination:
    """One way to cut a crystal along a plane; both faces of a slab are cuts of this kind.

    Attributes
    ----------
    index : int
        Place in the list, the easiest cut first.
    name : str
        What the cut leaves on its two sides: ``Zr|Na`` has Zr at the upper face of the slab and Na
        at the lower face. A number is added where two cuts would share a name.
    height : float
        Where the crystal is cut, along the normal, in lattice repeats (0 to 1).
    upper_face, lower_face : tuple of str
        Formulas of the outermost units (atoms or whole polyanions) of a slab.
    bonds_cut : dict
        Bonds parted, by pair of elements, per smallest in-plane cell.
    valence_cut_per_ang2 : float
        Bond valence parted, in valence units per square angstrom.
    stoichiometric : bool
        True where every slice has the composition of the crystal, so that any number of layers
        does; where not, multiples of `layers_per_repeat` do.
    polar : bool
        True where the dipole of one repeat (Tasker type III) does not vanish: the dipole of the
        slab then grows with its thickness.
    dipole_e_ang : float
        Dipole of one repeat per smallest in-plane cell, by formal charges, in e A.
    polarisation_e_per_ang2 : float
        The same per volume, in e/A2: the charge per area on either face.
    layers_per_repeat : int
        Slices between equivalent cuts in one lattice repeat.
    layer_ang : float
        Thickness of one slice in angstrom.
    parts_network : bool
        True where a covalent network runs across the plane, so that no cut spares it.
    """

    index: int
    name: str
    height: float
    upper_face: tuple[str, ...]
    lower_face: tuple[str, ...]
    bonds_cut: dict[str, int]
    valence_cut_per_ang2: float
    stoichiometric: bool
    polar: bool
    dipole_e_ang: float
    polarisation_e_per_ang2: float
    layers_per_repeat: int
    layer_ang: float
    parts_network: bool

    def __str__(self) -> str:
        """Return one line for a list."""
        cut = ", ".join(f"{n} {pair}" for pair, n in self.bonds_cut.items()) or "no bond"
        return (
            f"{self.index}: {self.name}, cuts {cut} ({self.valence_cut_per_ang2:.3f} v.u./A2), "
            f"{'polar' if self.polar else 'not polar'}, "
            f"{'stoichiometric' if self.stoichiometric else 'stoichiometric by repeats only'}, "
            f"layers of {self.layer_ang:.2f} A"
        )


@dataclass(frozen=True, eq=False)
class Cuts:
    """All cuts of a crystal along a plane.

    Attributes
    ----------
    heights : ndarray
        Every cut from height 0 to 1, ascending, equivalent ones included. shape=(cuts,)
    slices : int
        Slices per repeat; the cuts of one kind are 1 / slices apart.
    distinct : tuple of Termination
        One per kind, the easiest first.
    """

    heights: NDArray[np.float64]
    slices: int
    distinct: tuple[Termination, ...]

    def after(self, height: float) -> float:
        """Return the next cut above a cut."""
        return float(min(h + np.floor(height - h + 1e-9) + 1.0 for h in self.heights))

    def before(self, height: float) -> float:
        """Return the next cut below a cut."""
        return float(max(h + np.ceil(height - h - 1e-9) - 1.0 for h in self.heights))


def find_cuts(cleavage: Cleavage) -> Cuts:
    """Enumerate the symmetry-distinct cuts of a crystal along a plane.

    Non-polar ones come first, then they are sorted by :func:`difficulty`.
    """
    heights, slices = cut_heights(cleavage)
    every = Cuts(heights, slices, ())
    chosen = _distinct_heights(cleavage, every)
    bonds, valences = bond_valences(
        cleavage.crystal.numbers,
        cleavage.crystal.fractional,
        cleavage.crystal.cell,
        cleavage.charges,
    )
    at = _unit_heights(cleavage)
    low, high = at[bonds.first], at[bonds.second] + bonds.offsets @ np.array(cleavage.miller)
    found = []
    for height in chosen:
        crossings = np.abs(np.floor(high - height) - np.floor(low - height)).astype(np.int64)
        names: dict[str, int] = {}
        for k in np.flatnonzero(crossings * valences > 0.04):
            pair = sorted(
                chemical_symbols[cleavage.crystal.numbers[i]]
                for i in (bonds.first[k], bonds.second[k])
            )
            names["-".join(pair)] = names.get("-".join(pair), 0) + int(crossings[k])
        cut = float(crossings @ valences) / cleavage.area_ang2
        found.append(_describe(cleavage, every, height, names, cut))
    return Cuts(heights, slices, _ranked(found))


def _unit_heights(cleavage: Cleavage) -> NDArray[np.float64]:
    """Return the height of each atom's unit, for the atom where the cell has it. shape=(atoms,)."""
    original = cleavage.crystal.fractional @ np.array(cleavage.miller)
    return np.asarray(cleavage.heights[cleavage.units.unit] - np.rint(cleavage.lifts - original))


def _distinct_heights(cleavage: Cleavage, cuts: Cuts) -> tuple[float, ...]:
    """Return one cut of each set that symmetry of the atoms makes equal: the first by name."""
    groups: list[list[float]] = []
    period = 1.0 / math.gcd(cleavage.strict_slices, cuts.slices)
    # turning the crystal over swaps the faces; a slab of some slices then starts elsewhere,
    # which only does not matter where all slices are alike
    flips = cleavage.flips if cleavage.strict_slices % cuts.slices == 0 else ()
    for height in cuts.heights.tolist():
        images = [height, *(t - height for t in flips)]
        for group in groups:
            apart = [abs((x - group[0] + 0.5 * period) % period - 0.5 * period) for x in images]
            if min(apart) < SAME_CUT:
                group.append(height)
                break
        else:
            groups.append([height])

    def order(height: float) -> tuple[tuple[str, ...], tuple[str, ...], float]:
        return *_faces(cleavage, cuts, height), height

    return tuple(min(group, key=order) for group in groups)


def _describe(
    cleavage: Cleavage, cuts: Cuts, height: float, bonds_cut: dict[str, int], valence: float
) -> Termination:
    """Say what one cut exposes; index and final name come later."""
    numbers = cleavage.crystal.numbers
    upper, lower = _faces(cleavage, cuts, height)
    whole = composition_of(numbers)
    slices = [
        composition_of(numbers[cleavage.window(height + k / cuts.slices,
                                               height + (k + 1) / cuts.slices)[0]])
        for k in range(cuts.slices)
    ]  # fmt: skip
    atoms, lifts = cleavage.window(height, height + 1.0)
    dipole = float(cleavage.charges[atoms] @ (cleavage.lifts[atoms] + lifts)) * cleavage.repeat_ang
    return Termination(
        index=-1,
        name=f"{'+'.join(upper)}|{'+'.join(lower)}",
        height=height,
        upper_face=upper,
        lower_face=lower,
        bonds_cut=dict(sorted(bonds_cut.items())),
        valence_cut_per_ang2=valence,
        stoichiometric=all(same_stoichiometry(c, whole) for c in slices),
        polar=abs(dipole) / cleavage.area_ang2 > POLAR_TOLERANCE_E_PER_ANG,
        dipole_e_ang=dipole,
        polarisation_e_per_ang2=dipole / cleavage.crystal.volume,
        layers_per_repeat=cuts.slices,
        layer_ang=cleavage.repeat_ang / cuts.slices,
        parts_network=cleavage.units.broken,
    )


def _faces(
    cleavage: Cleavage, cuts: Cuts, height: float
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the units of the nearest planes below and above a cut that are not empty."""
    upper: tuple[str, ...] = ()
    lower: tuple[str, ...] = ()
    down = up = height
    while not upper:
        down, edge = cuts.before(down), down
        upper = cleavage.names(down, edge)
    while not lower:
        up, edge = cuts.after(up), up
        lower = cleavage.names(edge, up)
    return upper, lower


def difficulty(valence_cut_per_ang2: float, polarisation_e_per_ang2: float) -> float:
    """Return how hard a cut is, in valence units per square angstrom.

    The bond valence that is parted, and the charge per area that would have to be carried from one
    face to the other to remove the dipole (Tasker 1979, doi 10.1088/0022-3719/12/22/036), which
    parts as much valence again. Both in e per area, so that they add up.
    """
    return valence_cut_per_ang2 + abs(polarisation_e_per_ang2)


def _ranked(found: list[Termination]) -> tuple[Termination, ...]:
    """Sort, number and name terminations."""

    def key(t: Termination) -> tuple[bool, float, float]:
        return (
            t.polar,
            round(difficulty(t.valence_cut_per_ang2, t.polarisation_e_per_ang2), 5),
            (t.height),
        )

    ranked, seen = [], dict[str, int]()
    for index, termination in enumerate(sorted(found, key=key)):
        seen[termination.name] = seen.get(termination.name, 0) + 1
        count = seen[termination.name]
        name = termination.name + (f" {count}" if count > 1 else "")
        ranked.append(replace(termination, index=index, name=name))
    return tuple(ranked)


def choose_termination(cuts: Cuts, termination: int | str) -> Termination:
    """Return the termination of a given index or name.

    Raises
    ------
    InvalidSlabError
        There is no such termination; the message lists those that exist.
    """
    for item in cuts.distinct:
        if termination in (item.index, item.name):
            return item
    listing = "\n  ".join(str(t) for t in cuts.distinct)
    raise InvalidSlabError(f"No termination {termination!r}. This plane has\n  {listing}")
