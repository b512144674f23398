"""Atoms of a slab, from a cleaved crystal and its cuts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.axes import EMPTY
from superionic.structures.compensation import BoundaryPlane, Move, balance
from superionic.structures.polarity import composition_of, dipole_e_ang, same_stoichiometry
from superionic.structures.terminations import Cuts, Termination, difficulty

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from superionic.structures.cuts import Cleavage


@dataclass(frozen=True, eq=False)
class Sites:
    """Atoms of a crystal, lifted and repeated: by atom, then height, then in-plane image.

    Attributes
    ----------
    atoms : ndarray
        Index in the primitive cell. shape=(n,)
    positions : ndarray
        Cartesian, x along the first in-plane vector, z along the normal, in angstrom. shape=(n, 3)
    """

    atoms: NDArray[np.int64]
    positions: NDArray[np.float64]

    def where(self, keep: NDArray[np.bool_]) -> Sites:
        """Return the sites that a mask selects."""
        return Sites(self.atoms[keep], self.positions[keep])

    def joined(self, other: Sites) -> Sites:
        """Return these sites and others."""
        return Sites(np.r_[self.atoms, other.atoms], np.vstack([self.positions, other.positions]))


@dataclass(frozen=True, eq=False)
class Draft:
    """A slab before it is put in a cell.

    Attributes
    ----------
    termination : Termination
        The cut at the lower face.
    top : Termination
        The cut at the upper face.
    layers : int
        Slices between the cuts.
    between : tuple of float
        Heights of the two cuts, in lattice repeats.
    repeat : tuple of int
        In-plane repeat.
    atoms, empty : Sites
        Filled and empty sites.
    plane_cell : ndarray
        In-plane lattice vectors and the normal, as rows, in angstrom. shape=(3, 3)
    dipole_e_ang, net_charge_e : float
        By formal charges.
    stoichiometric : bool
        True where the composition is that of the crystal.
    moved : tuple of int
        Atoms moved to the other face.
    why_not : str
        Why compensation was impossible, or nothing.
    """

    termination: Termination
    top: Termination
    layers: int
    between: tuple[float, float]
    repeat: tuple[int, int]
    atoms: Sites
    empty: Sites
    plane_cell: NDArray[np.float64]
    dipole_e_ang: float
    net_charge_e: float
    stoichiometric: bool
    moved: tuple[int, ...] = ()
    why_not: str = ""

    def rank(self, polar_tolerance_e_per_ang: float) -> tuple[bool, bool, float, int]:
        """Return what the default choice of a cut is sorted by."""
        area = abs(float(np.linalg.det(self.plane_cell)))
        depth = self.layers * self.termination.layer_ang
        polarisation = self.dipole_e_ang / area / depth
        return (
            not self.stoichiometric,
            abs(self.dipole_e_ang) / area > polar_tolerance_e_per_ang,
            round(difficulty(self.termination.valence_cut_per_ang2, polarisation), 5),
            self.termination.index,
        )

    @property
    def name(self) -> str:
        """Name of the cut, or of both where they differ: upper face, bar, lower face."""
        if self.top == self.termination:
            return self.termination.name
        return f"{'+'.join(self.top.upper_face)}|{'+'.join(self.termination.lower_face)}"


def cut_slab(
    cleavage: Cleavage,
    cuts: Cuts,
    lower: Termination,
    *,
    upper: Termination | None,
    layers: int | None,
    min_thickness_ang: float | None,
    repeat: tuple[int, int],
) -> Draft:
    """Cut between two planes; parameters as in ``build_slab``."""
    count = layers if layers is not None else 1
    while True:
        low = lower.height
        high = _upper_height(cuts, low + count / cuts.slices, upper)
        everything = place(cleavage, low, high, repeat)
        filled = cleavage.crystal.numbers[everything.atoms] != EMPTY
        atoms = everything.where(filled)
        if layers is not None or min_thickness_ang is None:
            break
        if len(atoms.atoms) and np.ptp(atoms.positions[:, 2]) >= min_thickness_ang - 1e-6:
            break
        count += 1
    charges = cleavage.charges[atoms.atoms]
    return Draft(
        termination=lower,
        top=upper or lower,
        layers=count,
        between=(low, high),
        repeat=repeat,
        atoms=atoms,
        empty=everything.where(~filled),
        plane_cell=plane_cell(cleavage, repeat),
        dipole_e_ang=dipole_e_ang(charges, atoms.positions[:, 2]),
        net_charge_e=float(charges.sum()),
        stoichiometric=same_stoichiometry(
            composition_of(cleavage.crystal.numbers[atoms.atoms]),
            composition_of(cleavage.crystal.numbers),
        ),
    )


def _upper_height(cuts: Cuts, height: float, upper: Termination | None) -> float:
    """Return the height of the upper cut: as given, or the next one of another kind."""
    if upper is None:
        return height
    period = 1.0 / cuts.slices
    return height + (upper.height - height + 1e-9) % period


def plane_cell(cleavage: Cleavage, repeat: tuple[int, int]) -> NDArray[np.float64]:
    """Return the in-plane lattice vectors of the slab, and the unit normal. shape=(3, 3)."""
    cell = cleavage.basis[:2] @ cleavage.crystal.cell @ cleavage.frame.T
    cell *= np.array(repeat)[:, None]
    return np.vstack([cell, [0.0, 0.0, 1.0]])


def place(cleavage: Cleavage, low: float, high: float, repeat: tuple[int, int]) -> Sites:
    """Return all sites whose units lie between two heights, repeated in the plane and wrapped."""
    atoms, lifts = cleavage.window(low, high)
    u, v, w = cleavage.basis @ cleavage.crystal.cell
    grid = np.array([i * u + j * v for i in range(repeat[0]) for j in range(repeat[1])])
    positions = cleavage.positions[atoms] + lifts[:, None] * w
    positions = (positions[:, None, :] + grid[None, :, :]).reshape(-1, 3) @ cleavage.frame.T
    cell = plane_cell(cleavage, repeat)
    fractional = positions @ np.linalg.inv(cell)
    fractional[:, :2] -= np.floor(fractional[:, :2] + 1e-6)
    return Sites(np.repeat(atoms, len(grid)), fractional @ cell)


def compensated(draft: Draft, cleavage: Cleavage, cuts: Cuts, *, seed: int) -> Draft:
    """Move ions from one face to the other so that the dipole vanishes, where that is possible."""
    best, reasons = draft, list[str]()
    charges = cleavage.charges[draft.atoms.atoms]
    for name, plane, beyond in _boundary_planes(draft, cleavage, cuts):
        if isinstance(plane, str):
            reasons.append(f"the outermost plane of the {name} face {plane}")
            continue
        move = balance(draft.atoms.positions, charges, plane, cell=draft.plane_cell, seed=seed)
        if move is None:
            reasons.append(
                f"moving any of the {len(plane.ions)} ion(s) in the outermost plane of the {name} "
                "face would not lower it"
            )
            continue
        moved = _moved(draft, plane, beyond, move, charges)
        if abs(moved.dipole_e_ang) < abs(best.dipole_e_ang) - 1e-9:
            best = moved
    return replace(best, why_not="; ".join(reasons))


def _moved(
    draft: Draft, plane: BoundaryPlane, beyond: Sites, move: Move, charges: NDArray[np.float64]
) -> Draft:
    """Carry out a move; vacated and unfilled sites join the empty ones."""
    ions = plane.ions[move.ions]
    positions = draft.atoms.positions.copy()
    vacated = Sites(draft.atoms.atoms[ions], positions[ions])
    positions[ions] = plane.sites[move.sites]
    left = np.ones(len(plane.sites), dtype=bool)
    left[move.sites] = False
    return replace(
        draft,
        atoms=Sites(draft.atoms.atoms, positions),
        empty=draft.empty.joined(vacated).joined(beyond.where(left)),
        dipole_e_ang=dipole_e_ang(charges, positions[:, 2]),
        moved=tuple(int(i) for i in ions),
    )


def _boundary_planes(
    draft: Draft, cleavage: Cleavage, cuts: Cuts
) -> list[tuple[str, BoundaryPlane | str, Sites]]:
    """Return the outermost plane of each face with its continuation, or why it cannot move."""
    low, high = draft.between
    found: list[tuple[str, BoundaryPlane | str, Sites]] = []
    for name, own, other in (
        ("lower", (low, cuts.after(low)), (high, cuts.after(high))),
        ("upper", (cuts.before(high), high), (cuts.before(low), low)),
    ):
        sites = place(cleavage, *other, draft.repeat)
        plane = _boundary_plane(draft, cleavage, place(cleavage, *own, draft.repeat), sites)
        found.append((name, plane, sites))
    return found


def _boundary_plane(
    draft: Draft, cleavage: Cleavage, own: Sites, beyond: Sites
) -> BoundaryPlane | str:
    """Match the outermost plane to atoms of the slab, or say why its ions cannot move."""
    numbers = cleavage.crystal.numbers
    real = own.where(numbers[own.atoms] != EMPTY)
    going_on = numbers[beyond.atoms]
    kinds = {int(z) for z in np.r_[numbers[real.atoms], going_on[going_on != EMPTY]]}
    alone = np.bincount(cleavage.units.unit)[cleavage.units.unit[real.atoms]] == 1
    if len(real.atoms) == 0 or len(beyond.atoms) == 0:
        return "is empty, or the crystal has no such plane beyond the other face"
    if len(kinds) != 1 or not alone.all():
        return "does not consist of single ions of one element"
    charge = float(cleavage.charges[real.atoms].mean())
    if abs(charge) < 1e-6:
        return "carries no charge"
    same = draft.atoms.atoms[:, None] == real.atoms[None, :]
    apart = np.linalg.norm(draft.atoms.positions[:, None] - real.positions[None, :], axis=-1)
    ions = np.where(same, apart, np.inf).argmin(axis=0)
    return BoundaryPlane(ions.astype(np.int64), beyond.positions, charge)
