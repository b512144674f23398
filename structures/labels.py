"""Which sites symmetry relates, and the labels that follow from it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from superionic.structures.structure import Structure

LABEL_SYMPREC_ANG = 0.01
"""Sites equivalent to this distance in angstrom share a label."""


def orbit_labels(structure: Structure, *, symprec: float = LABEL_SYMPREC_ANG) -> tuple[str, ...]:
    """Label atoms by element and symmetry orbit: ``Na1``, ``Na2``, ``Zr1``.

    Orbits of one element are numbered by rising size, then by first appearance, so that the site
    names do not depend on the choice of cell. Where no symmetry is found (P1), or the structure
    is not periodic in three directions, the chemical symbols are returned.

    Parameters
    ----------
    structure
        Whole atoms.
    symprec
        Distance in angstrom within which two atoms count as equivalent (spglib).

    Returns
    -------
    tuple of str
        One label an atom. length=atoms
    """
    if not all(structure.pbc):
        return structure.symbols
    found = label_orbits(
        structure.fractional, structure.cell, [(s,) for s in structure.symbols], symprec=symprec
    )
    return found or structure.symbols


def label_orbits(
    fractional: ArrayLike,
    cell: ArrayLike,
    elements: Sequence[tuple[str, ...]],
    *,
    kinds: Sequence[object] | None = None,
    symprec: float = LABEL_SYMPREC_ANG,
) -> tuple[str, ...]:
    """Label sites by their elements and symmetry orbit; shared sites get ``Si1/P1``.

    Parameters
    ----------
    fractional
        Site positions in units of the lattice vectors. shape=(sites, 3)
    cell
        Lattice vectors as rows, in angstrom. shape=(3, 3)
    elements
        Chemical symbols on each site. length=sites
    kinds
        Sites of different kind are never equivalent; defaults to ``elements``. length=sites
    symprec
        Distance in angstrom within which two sites count as equivalent (spglib).

    Returns
    -------
    tuple of str
        One label a site; empty where the space group is P1 or none is found.
    """
    found = _dataset(fractional, cell, elements if kinds is None else kinds, symprec)
    if found is None or found.number == 1:
        return ()
    orbits = [int(o) for o in found.crystallographic_orbits]
    first: dict[int, int] = {}
    for i, orbit in enumerate(orbits):
        first.setdefault(orbit, i)
    counts: dict[str, int] = {}
    names: dict[int, str] = {}
    for orbit in sorted(first, key=lambda o: (orbits.count(o), first[o])):
        parts = []
        for symbol in elements[first[orbit]]:
            counts[symbol] = counts.get(symbol, 0) + 1
            parts.append(f"{symbol}{counts[symbol]}")
        names[orbit] = "/".join(parts)
    return tuple(names[o] for o in orbits)


def site_permutations(
    fractional: ArrayLike,
    cell: ArrayLike,
    kinds: Sequence[object],
    *,
    symprec: float = LABEL_SYMPREC_ANG,
) -> NDArray[np.int64]:
    """Return where each symmetry operation of a set of sites sends each site.

    Parameters
    ----------
    fractional, cell, kinds, symprec
        As for `label_orbits`.

    Returns
    -------
    ndarray
        The identity comes first. shape=(operations, sites)
    """
    sites = np.asarray(fractional, dtype=float)
    found = _dataset(sites, cell, kinds, symprec)
    identity = np.arange(len(sites))
    if found is None:
        return identity[None]
    rows = {identity.tobytes(): identity}
    for rotation, translation in zip(found.rotations, found.translations, strict=True):
        images = sites @ rotation.T + translation
        gaps = images[:, None, :] - sites[None, :, :]
        gaps -= np.round(gaps)
        distances = np.linalg.norm(gaps @ np.asarray(cell), axis=2)
        targets = np.argmin(distances, axis=1)
        if len(set(targets.tolist())) == len(sites) and distances.min(axis=1).max() < 5 * symprec:
            rows.setdefault(targets.tobytes(), targets)
    return np.array(list(rows.values()))


def _dataset(
    fractional: ArrayLike, cell: ArrayLike, kinds: Sequence[object], symprec: float
) -> Any:
    """Return spglib's dataset, or None where it finds nothing."""
    import spglib

    numbers = {kind: i + 1 for i, kind in enumerate(dict.fromkeys(kinds))}
    lattice = (
        np.asarray(cell).tolist(),
        (np.asarray(fractional) % 1.0).tolist(),
        [numbers[kind] for kind in kinds],
    )
    with warnings.catch_warnings():
        # 2.7 and 2.8 announce that failures will be exceptions; both ways are handled
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            return spglib.get_symmetry_dataset(lattice, symprec=symprec)
        except spglib.SpglibError:
            return None
