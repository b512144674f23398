"""Where an ion sits on a chain: the donors that hold it, and where to look for such places.

A pocket is a run of donors that follow each other along a chain; where the ion sits is told by its
coordination set, the donors within a stated distance. Two places are two pockets only if each is
held by a donor that does not hold the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from ase.data import atomic_numbers

from superionic.structures.errors import InvalidStructureError
from superionic.structures.molecule import Molecule
from superionic.structures.structure import readonly

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

CLEARANCE_ANG = 1.9
"""An ion is put no nearer to any atom that is no donor of its pocket, in angstrom."""
DRAWS = 200
"""Seeded points tried for an ion near the middle of its donors."""
SPREAD_ANG = 1.2
"""Standard deviation of those points, in angstrom."""


@dataclass(frozen=True, eq=False)
class Pocket:
    """A place for an ion on a chain, before anything is relaxed.

    Attributes
    ----------
    donors : tuple of int
        Atoms of the chain that are to hold the ion.
    position : ndarray
        Where the ion is put, in angstrom. shape=(3,)
    """

    donors: tuple[int, ...]
    position: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Freeze the array."""
        object.__setattr__(self, "position", readonly(self.position, np.float64))

    @property
    def label(self) -> str:
        """The donors, such as ``4-5-6``, as atom indices."""
        return "-".join(map(str, self.donors))


def coordination_set(
    positions: ArrayLike, ion: int, donors: Sequence[int], *, cutoff_ang: float
) -> tuple[int, ...]:
    """Return the donors within a distance of an ion, ascending.

    Parameters
    ----------
    positions
        Positions in free space, in angstrom. shape=(atoms, 3)
    ion
        Index of the ion.
    donors
        Indices of the atoms that can hold it.
    cutoff_ang
        The distance in angstrom.

    Raises
    ------
    InvalidStructureError
        The ion is among the donors, or the distance is not positive.
    """
    if ion in donors or cutoff_ang <= 0:
        raise InvalidStructureError(
            f"Expected donors other than the ion {ion} and a positive distance; got "
            f"{tuple(donors)} and {cutoff_ang}."
        )
    points = np.asarray(positions, dtype=float)
    apart = np.linalg.norm(points[list(donors)] - points[ion], axis=-1)
    return tuple(sorted(int(d) for d, r in zip(donors, apart, strict=True) if r <= cutoff_ang))


def candidate_pockets(
    chain: Molecule,
    donors: Sequence[int],
    *,
    size: int,
    distance_ang: float = 2.4,
    clearance_ang: float = CLEARANCE_ANG,
    seed: int = 0,
) -> tuple[Pocket, ...]:
    """Return a place for an ion in every run of neighbouring donors, in order along the chain.

    Of seeded points about the middle of the donors that one is taken whose distances to them are
    nearest to the one wished for (least squares), among those that keep clear of all other atoms.
    Nothing but geometry counts.

    Parameters
    ----------
    chain
        The chain, and whatever is beside it.
    donors
        Its donors in order along the chain.
    size
        Donors in a run.
    distance_ang
        Distance of ion and donor that is wished for, in angstrom.
    clearance_ang
        Least distance to any atom that is no donor of the run, in angstrom.
    seed
        Of the points.

    Raises
    ------
    InvalidStructureError
        Fewer donors than a run needs, or no point that keeps clear.
    """
    if not 1 <= size <= len(donors):
        raise InvalidStructureError(
            f"A run of {size} donors was asked for; the chain has {len(donors)}."
        )
    found = []
    for first in range(len(donors) - size + 1):
        run = tuple(int(d) for d in donors[first : first + size])
        rng = np.random.default_rng([seed, first])
        place = _best_point(chain.positions, run, distance_ang, clearance_ang, rng)
        if place is None:
            raise InvalidStructureError(
                f"No place {clearance_ang:g} A from other atoms was found for an ion at donors "
                f"{run}. Allow less room, or give the chain another shape."
            )
        found.append(Pocket(run, place))
    return tuple(found)


def _best_point(
    points: NDArray[np.float64],
    run: tuple[int, ...],
    distance_ang: float,
    clearance_ang: float,
    rng: np.random.Generator,
) -> NDArray[np.float64] | None:
    """Return the point nearest to its wished distances that keeps clear of others, or None."""
    middle = points[list(run)].mean(axis=0)
    tried = middle + SPREAD_ANG * np.vstack([np.zeros(3), rng.normal(size=(DRAWS, 3))])
    apart = np.linalg.norm(tried[:, None] - points[None], axis=-1)
    misfit = ((apart[:, list(run)] - distance_ang) ** 2).sum(axis=1)
    others = np.ones(len(points), dtype=bool)
    others[list(run)] = False
    near = apart[:, others].min(axis=1) if others.any() else np.full(len(tried), np.inf)
    clear = (near >= clearance_ang) & (apart[:, list(run)].min(axis=1) >= 0.75 * distance_ang)
    misfit[~clear] = np.inf
    best = int(np.argmin(misfit))
    return np.asarray(tried[best]) if np.isfinite(misfit[best]) else None


def with_ion(molecule: Molecule, symbol: str, charge: int, position: ArrayLike) -> Molecule:
    """Return a molecule and an ion at a point, the ion as its last atom and part of its SMILES.

    Parameters
    ----------
    molecule
        The molecule.
    symbol, charge
        The ion's element, and its charge in e.
    position
        In angstrom, in the molecule's frame. shape=(3,)

    Raises
    ------
    InvalidStructureError
        It overlaps with an atom.
    """
    bare = molecule.structure
    return replace(
        molecule,
        structure=replace(  # the same frame, so that positions keep their meaning
            bare,
            numbers=np.append(bare.numbers, atomic_numbers[symbol]),
            positions=np.vstack([bare.positions, np.asarray(position, dtype=float)]),
            labels=(*bare.labels, symbol),
        ),
        charge=molecule.charge + charge,
        name=f"{molecule.name or molecule.formula} + {symbol}{charge:+d}",
        smiles=f"{molecule.smiles}.[{symbol}{charge:+d}]" if molecule.smiles else "",
    )


def neighbouring_pair(
    sets: Sequence[tuple[int, ...] | None], *, reach: int
) -> tuple[int, int] | None:
    """Choose two distinct pockets, the nearest to each other and to the chain's middle.

    Two pockets are distinct where each is held by a donor that does not hold the other: losing or
    gaining a donor alone is no hop.

    Parameters
    ----------
    sets
        The coordination set of each pocket in order along the chain; None where it has none.
    reach
        Pockets at most this far apart along the chain count as neighbours.

    Returns
    -------
    tuple of int or None
        Of all distinct pairs those nearest to each other, of these the one nearest to
        the middle of the chain, of these the first; None where there is no such pair. Energies
        are not asked for.
    """
    middle = (len(sets) - 1) / 2
    pairs = [
        (j - i, abs((i + j) / 2 - middle), i, j)
        for i in range(len(sets))
        for j in range(i + 1, min(len(sets), i + reach + 1))
        if _distinct(sets[i], sets[j])
    ]
    if not pairs:
        return None
    return min(pairs)[2:]


def _distinct(first: tuple[int, ...] | None, second: tuple[int, ...] | None) -> bool:
    """Tell whether each of two sets holds what the other does not."""
    a, b = set(first or ()), set(second or ())
    return bool(a - b) and bool(b - a)
